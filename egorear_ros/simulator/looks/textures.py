"""More tileable textures, painted by code: cloths, prints, floors, and images with the statistics of photographs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.textures import TEXTURE_SIZE
from egorear_ros.simulator.scene.textures import TEXTURES, Image, clouds, pyramid, rug

N: Final = TEXTURE_SIZE
CLOTH_TEXTURES: Final = (
    *("bands", "pencil", "gingham", "tartan", "flowers", "camouflage", "knit", "herringbone", "rhombs", "batik"),
    *("leaves_a", "leaves_b", "leaves_c"),
)
PRINT_TEXTURES: Final = ("letters_a", "letters_b", "letters_c", "badge", "leaves_a", "leaves_b", "leaves_c", "flowers")
FLOOR_TEXTURES: Final = (
    *("checkerboard", "diagonal", "hexagons", "terrazzo", "stains", "court", "mosaic", "slats", "leaves_d", "bands"),
)
RUG_TEXTURES: Final = ("rug_a", "rug_b", "rug_c", "bands", "batik", "rhombs", "leaves_a", "checkerboard", "mosaic")
PICTURE_TEXTURES: Final = ("leaves_a", "leaves_b", "leaves_c", "leaves_d", "letters_a", "letters_b", "text", "badge")


@cache
def more_pyramid() -> NDArray[np.float32]:
    """(K, N, 3) linear light of the textures of `MORE_TEXTURES`, see `scene.textures.pyramid`."""
    images = [
        np.clip(paint(np.random.default_rng([12, number])), 0.01, 1) for number, paint in enumerate(PAINTERS.values())
    ]
    return pyramid(np.stack(images))


def more_index(name: str) -> int:
    """Number the renderer knows one of these textures by."""
    return len(TEXTURES) + MORE_TEXTURES.index(name)


def palette(rng: np.random.Generator, count: int, contrast: float = 1.0) -> NDArray[np.float32]:
    """(count, 3) colours that are well apart in brightness."""
    level = (rng.permutation(count) + rng.uniform(0.2, 0.8, count)) / count
    level = 0.5 + contrast * (level - 0.5)
    hue = rng.normal(0, 0.16, (count, 3))
    return np.clip(level[:, None] + hue, 0.02, 1).astype(np.float32)


def grid() -> tuple[Image, Image]:
    """Column and row of every texel, in 0..1."""
    place = (np.arange(N, dtype=np.float32) + 0.5) / N
    return np.broadcast_to(place, (N, N)), np.broadcast_to(place[:, None], (N, N))


def grain(rng: np.random.Generator, image: Image, amount: float = 0.15) -> Image:
    """The image under soft uneven brightness, as worn things have."""
    return np.asarray(image * (1 - amount / 2 + amount * clouds(rng, 8)[..., None]), np.float32)


def striped(rng: np.random.Generator, bands: int, along: Image) -> Image:
    """Bands of unequal width."""
    edges = np.sort(rng.random(bands))
    return grain(rng, palette(rng, 4)[np.searchsorted(edges, along) % 4])


def crossed(rng: np.random.Generator, lines: int) -> Image:
    """Tartan: bands woven across bands."""
    x, y = grid()
    edges, colors = np.sort(rng.random(lines)), palette(rng, 5)
    across, down = (colors[np.searchsorted(edges, place) % 5] for place in (x, y))
    twill = ((np.arange(N)[:, None] + np.arange(N)) // 2 % 2)[..., None]
    return np.asarray(across * 0.35 + down * 0.35 + 0.3 * np.where(twill == 1, across, down), np.float32)


def gingham(rng: np.random.Generator) -> Image:
    """Checks of two colours and their mixture."""
    x, y = grid()
    share = ((x * 8 % 1 > 0.5).astype(np.float32) + (y * 8 % 1 > 0.5))[..., None] / 2
    first, second = palette(rng, 2)
    return first * share + second * (1 - share)


def places(x: int, y: int, reach: int) -> list[tuple[int, int]]:
    """Where to draw what is at (x, y): there and, near an edge, also a tile further, so that tiles fit together."""
    candidates = [(x + dx, y + dy) for dx in (-N, 0, N) for dy in (-N, 0, N)]
    return [at for at in candidates if all(-reach <= value < N + reach for value in at)]


def flowers(rng: np.random.Generator) -> Image:
    """Flowers on a ground."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for _ in range(46):
        x, y = (int(v) for v in rng.integers(0, N, 2))
        size, turn = int(rng.integers(5, 17)), rng.uniform(0, 6.28)
        color, core = colors[1 + rng.integers(4)].tolist(), colors[1 + rng.integers(4)].tolist()
        for at in places(x, y, 40):
            for a in turn + 1.2566 * np.arange(5):
                petal = (int(at[0] + size * 0.7 * np.cos(a)), int(at[1] + size * 0.7 * np.sin(a)))
                cv2.circle(image, petal, max(size // 2, 2), color, -1, cv2.LINE_AA)
            cv2.circle(image, at, max(size // 3, 1), core, -1, cv2.LINE_AA)
    return image


def leaves(rng: np.random.Generator, smallest: float = 3.0) -> Image:
    """Overlapping shapes of all sizes, each shaded: the statistics of edges and sizes that photographs have."""
    image = np.full((N, N, 3), 0.5, np.float32)
    tone = rng.uniform(0.1, 0.9, 3)
    for _ in range(700):
        size = int(min(smallest * (1 - rng.random()) ** -0.75, 70))
        x, y = (int(v) for v in rng.integers(0, N, 2))
        color = np.clip(0.6 * rng.random() + 0.4 * tone + rng.normal(0, 0.13, 3), 0, 1)
        square, turn, flat = bool(rng.random() < 0.33), float(rng.uniform(0, 180)), float(rng.uniform(0.3, 1.0))
        for step in range(1 if size < 8 else 3):
            radius, shade = size * (1 - 0.28 * step), np.clip(color * (0.8 + 0.2 * step), 0, 1)
            for at in places(x, y, 2 * size):
                leaf(image, at, (radius, radius * flat), turn, shade, square)
    return grain(rng, image, 0.3)


def leaf(
    image: Image,
    at: tuple[int, int],
    radii: tuple[float, float],
    turn_deg: float,
    color: NDArray[np.floating],
    square: bool,
) -> None:
    """Draw a turned rectangle or ellipse."""
    if square:
        corners = cv2.boxPoints((at, (2 * radii[0], 2 * radii[1]), turn_deg))
        cv2.fillConvexPoly(image, corners.astype(np.int32), color.tolist(), cv2.LINE_AA)
        return
    axes = (max(int(radii[0]), 1), max(int(radii[1]), 1))
    cv2.ellipse(image, at, axes, turn_deg, 0, 360, color.tolist(), -1, cv2.LINE_AA)


def camouflage(rng: np.random.Generator) -> Image:
    """Blotches of four colours."""
    colors, image = palette(rng, 4, 0.7), np.empty((N, N, 3), np.float32)
    image[:] = colors[0]
    for color in colors[1:]:
        image[clouds(rng, 8, 3) > 0.56] = color
    return image


def knit(rng: np.random.Generator) -> Image:
    """Stitches, in rows of two colours."""
    x, y = grid()
    stitch = np.abs(np.sin((x * 24 + np.abs((y * 24) % 1 - 0.5)) * np.pi)) * 0.35 + 0.65
    rows = palette(rng, 3)[(y * 8).astype(int) * 5 % 7 % 3]
    return np.asarray(rows * stitch[..., None], np.float32)


def herringbone(rng: np.random.Generator) -> Image:
    """Zigzag weave."""
    x, y = grid()
    line = ((y * 32 + np.abs((x * 8) % 1 - 0.5) * 8) % 1 > 0.5)[..., None]
    first, second = palette(rng, 2)
    return np.where(line, first, second).astype(np.float32)


def rhombs(rng: np.random.Generator) -> Image:
    """Rhombs of three colours with thin lines."""
    x, y = grid()
    a, b = x * 4 + y * 4, x * 4 - y * 4
    image = palette(rng, 3)[(np.floor(a) + 2 * np.floor(b)).astype(int) % 3]
    image[(np.abs((a + 0.5) % 1 - 0.5) < 0.03) | (np.abs((b + 0.5) % 1 - 0.5) < 0.03)] = palette(rng, 1)[0]
    return grain(rng, image)


def batik(rng: np.random.Generator) -> Image:
    """Dyed cloth: bent rings of colour."""
    colors = palette(rng, 6)
    level = (clouds(rng, 2, 4) * 18) % 6
    low = level.astype(int) % 6
    share = (level - np.floor(level))[..., None]
    return np.asarray(colors[low] * (1 - share) + colors[(low + 1) % 6] * share, np.float32)


def letters(rng: np.random.Generator) -> Image:
    """Large writing over a ground, as on shirts and packages."""
    colors = (palette(rng, 3) * 255).astype(np.uint8)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    alphabet = list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789")
    y = 50
    while y < N:
        scale = float(rng.uniform(1.2, 3.2))
        word = "".join(rng.choice(alphabet, int(rng.integers(2, 6))).tolist())
        color, width = colors[1 + rng.integers(2)].tolist(), int(rng.integers(3, 10))
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
        cv2.putText(image, word, (int(rng.integers(-10, 40)), y), font, scale, color, width, cv2.LINE_AA)
        y += int(28 * scale) + 12
    return np.asarray(image, np.float32) / np.float32(255)


def badge(rng: np.random.Generator) -> Image:
    """A sign: rings, a star and a word."""
    colors = palette(rng, 4)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for ring, radius in enumerate((118, 100, 84)):
        cv2.circle(image, (128, 128), radius, colors[1 + ring].tolist(), -1, cv2.LINE_AA)
    angle = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, 76, 32)
    star = np.stack([128 + reach * np.sin(angle), 128 - reach * np.cos(angle)], 1).astype(np.int32)
    cv2.fillPoly(image, [star], colors[0].tolist(), cv2.LINE_AA)
    return image


def checkerboard(rng: np.random.Generator) -> Image:
    """Floor tiles of two very different colours."""
    x, y = grid()
    first, second = palette(rng, 2, 1.3)
    image = np.where((((x * 4).astype(int) + (y * 4).astype(int)) % 2 == 0)[..., None], first, second)
    return grain(rng, image, 0.25)


def hexagons(rng: np.random.Generator) -> Image:
    """Six-sided tiles in three colours."""
    x, y = grid()
    centers = [((i + 0.5 * (j % 2)) / 6, j / 6) for i in range(6) for j in range(6)]
    offsets = [
        np.hypot(np.abs((x - cx + 0.5) % 1 - 0.5), np.abs((y - cy + 0.5) % 1 - 0.5) * 0.87) for cx, cy in centers
    ]
    distance = np.stack(offsets)
    order = np.partition(distance, 1, axis=0)
    image = palette(rng, 3)[rng.integers(0, 3, 36)[distance.argmin(axis=0)]]
    image[order[1] - order[0] < 0.008] = 0.25
    return grain(rng, image)


def terrazzo(rng: np.random.Generator) -> Image:
    """Chips of stone in a ground."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0] * 0.5 + 0.4, (N, N, 3)).astype(np.float32).copy()
    for _ in range(420):
        at = (int(rng.integers(N)), int(rng.integers(N)))
        axes = (int(rng.integers(1, 8)), int(rng.integers(1, 6)))
        shade = colors[rng.integers(5)].tolist()
        cv2.ellipse(image, at, axes, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    return image


def stains(rng: np.random.Generator) -> Image:
    """A worn floor: spots, scratches, patches."""
    image = np.broadcast_to(0.35 + 0.5 * clouds(rng, 4, 5)[..., None], (N, N, 3)).astype(np.float32).copy()
    for _ in range(60):
        x, y = (int(v) for v in rng.integers(0, N, 2))
        shade, r = [float(rng.random())] * 3, int(rng.integers(1, 14))
        for at in places(x, y, 16):
            cv2.circle(image, at, r, shade, -1, cv2.LINE_AA)
        end = (int(x + rng.normal(0, 40)), int(y + rng.normal(0, 40)))
        cv2.line(image, (x, y), end, [float(rng.uniform(0.2, 0.9))] * 3, 1, cv2.LINE_AA)
    return image * (0.9 + 0.2 * rng.random(3)).astype(np.float32)


def court(rng: np.random.Generator) -> Image:
    """Painted lines of a sports hall."""
    colors = palette(rng, 5)
    image = np.broadcast_to(colors[0], (N, N, 3)).copy()
    for color in colors[1:]:
        at = int(rng.integers(N))
        cv2.line(image, (at, 0), (at, N), color.tolist(), int(rng.integers(4, 12)))
        at = int(rng.integers(N))
        cv2.line(image, (0, at), (N, at), color.tolist(), int(rng.integers(4, 12)))
    cv2.circle(image, (128, 128), 90, colors[1].tolist(), 7, cv2.LINE_AA)
    return grain(rng, image)


def mosaic(rng: np.random.Generator) -> Image:
    """Small tiles of many colours."""
    colors = palette(rng, 8)[rng.integers(0, 8, (16, 16))]
    image = np.repeat(np.repeat(colors, 16, axis=0), 16, axis=1)
    image[::16] = image[:, ::16] = 0.3
    return grain(rng, image)


def slats(rng: np.random.Generator) -> Image:
    """Boards with dark gaps: a terrace, a pallet, a drain."""
    _, y = grid()
    shade = palette(rng, 8, 0.5)[(y * 8).astype(int)]
    return np.where(((y * 8) % 1 < 0.16)[..., None], np.float32(0.04), shade) * (0.7 + 0.5 * clouds(rng, 16)[..., None])


def recolored_rug(rng: np.random.Generator) -> Image:
    """A rug in other colours."""
    return np.asarray(np.clip(rug(rng) @ (np.eye(3) * 0.4 + rng.random((3, 3)) * 0.6), 0, 1), np.float32)


def text(rng: np.random.Generator) -> Image:
    """A page, a screen or a board full of small writing."""
    paper, ink = palette(rng, 2, 1.5)
    image = np.broadcast_to(paper, (N, N, 3)).copy()
    for y in range(14, N, 9):
        x = 8
        while x < N - 12:
            length = int(rng.integers(3, 22))
            cv2.line(image, (x, y), (min(x + length, N - 6), y), ink.tolist(), 3)
            x += length + 5
    return image


PAINTERS: Final[dict[str, Callable[[np.random.Generator], Image]]] = {
    "bands": lambda rng: striped(rng, 12, grid()[1]),
    "pencil": lambda rng: striped(rng, 48, grid()[0]),
    "gingham": gingham,
    "tartan": lambda rng: crossed(rng, 14),
    "flowers": flowers,
    "camouflage": camouflage,
    "knit": knit,
    "herringbone": herringbone,
    "rhombs": rhombs,
    "batik": batik,
    "leaves_a": leaves,
    "leaves_b": lambda rng: leaves(rng, 6.0),
    "leaves_c": lambda rng: leaves(rng, 10.0),
    "leaves_d": lambda rng: leaves(rng, 2.0),
    "letters_a": letters,
    "letters_b": letters,
    "letters_c": letters,
    "badge": badge,
    "checkerboard": checkerboard,
    "diagonal": lambda rng: striped(rng, 8, (grid()[0] + grid()[1]) % 1),
    "hexagons": hexagons,
    "terrazzo": terrazzo,
    "stains": stains,
    "court": court,
    "mosaic": mosaic,
    "slats": slats,
    "rug_a": recolored_rug,
    "rug_b": recolored_rug,
    "rug_c": recolored_rug,
    "text": text,
}
MORE_TEXTURES: Final = tuple(PAINTERS)
