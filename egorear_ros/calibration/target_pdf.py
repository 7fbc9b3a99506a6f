"""A board as a PDF that prints at its true size: black rectangles, a caption, and a ruler to measure the print with.

A page of filled rectangles is about forty lines of PDF; a library for it would be a dependency for this alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.boards import Board, BoardError

PAPERS_MM: Final[dict[str, tuple[float, float]]] = {
    "A0": (841, 1189), "A1": (594, 841), "A2": (420, 594), "A3": (297, 420), "A4": (210, 297),
    "letter": (215.9, 279.4), "tabloid": (279.4, 431.8),
}  # fmt: skip
"""Width and height, upright."""
POINTS_PER_M: Final = 72 / 0.0254
MARGIN_M, CAPTION_M = 0.008, 0.012
RULER_M: Final = 0.1


def board_pdf(board: Board, paper: str) -> bytes:
    """One page with the board in its middle.

    Args:
        board: to print.
        paper: one of `PAPERS_MM`; it is turned if the board fits only so.

    Raises:
        BoardError: the board is larger than the paper.
    """
    page = _page_m(board, paper)
    width, height = board.size_m
    left, top = (page[0] - width) / 2, (page[1] - CAPTION_M - height) / 2
    cells, side = board.modules()
    drawing = ["0 g"]
    for x, y, w, h in _rectangles(cells):
        drawing.append(_rectangle(left + x * side, page[1] - top - (y + h) * side, w * side, h * side))
    drawing.append("f")
    drawing += _ruler(MARGIN_M, MARGIN_M)
    text = f"{board.text()}   ruler: {1000 * RULER_M:g} mm   print at 100 %, measure, glue to something flat"
    drawing.append(f"BT /F1 7 Tf {_points(MARGIN_M + RULER_M + 0.005)} {_points(MARGIN_M)} Td ({text}) Tj ET")
    return _document(page, "\n".join(drawing))


def _page_m(board: Board, paper: str) -> tuple[float, float]:
    if paper not in PAPERS_MM:
        raise BoardError(f"paper '{paper}' is unknown; known are {', '.join(PAPERS_MM)}")
    short, long = (length / 1000 for length in PAPERS_MM[paper])
    width, height = board.size_m
    for page in ((short, long), (long, short)) if height >= width else ((long, short), (short, long)):
        if width + 2 * MARGIN_M <= page[0] and height + 2 * MARGIN_M + CAPTION_M <= page[1]:
            return page
    raise BoardError(
        f"the board is {1000 * width:.0f} x {1000 * height:.0f} mm, too large for {paper}; choose a larger --paper, "
        "or fewer or smaller squares (--board)"
    )


def _rectangles(cells: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """(x, y, width, height) in cells that cover the black ones: runs along rows, joined downward where they repeat.

    Fewer and larger rectangles leave no hairlines between cells where a printer rounds.
    """
    done: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], tuple[int, int]] = {}
    for y in range(len(cells) + 1):
        runs = set(_runs(cells[y])) if y < len(cells) else set()
        for run in [run for run in growing if run not in runs]:
            begin, rows = growing.pop(run)
            done.append((run[0], begin, run[1] - run[0], rows))
        for run in runs:
            begin, rows = growing.get(run, (y, 0))
            growing[run] = (begin, rows + 1)
    return done


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _ruler(x: float, y: float) -> list[str]:
    lines = [_rectangle(x, y, RULER_M, 0.0003)]
    lines += [_rectangle(x + 0.01 * mark, y, 0.0003, 0.004 if mark % 5 == 0 else 0.002) for mark in range(11)]
    return [*lines, "f"]


def _points(metres: float) -> str:
    return f"{metres * POINTS_PER_M:.4f}"


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f"{_points(x)} {_points(y)} {_points(width)} {_points(height)} re"


def _document(page_m: tuple[float, float], drawing: str) -> bytes:
    stream = drawing.encode("latin-1")
    box = f"[0 0 {_points(page_m[0])} {_points(page_m[1])}]"
    fonts = "<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R /Resources {fonts} >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    begin = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begin)
