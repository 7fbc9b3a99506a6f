"""Images of messages: every encoding against pictures made another way, the format of compressed ones, and EXIF."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from egorear_ros.bags import message_writing
from egorear_ros.bags.message_reading import camera_frame_from_message
from egorear_ros.bags.message_types import COMPRESSED_IMAGE
from egorear_ros.data.encodings import ImageError, decode_jpeg, needs_reading, rgb_from_message
from egorear_ros.data.jpeg import encode_jpeg, images_of

HEIGHT, WIDTH = 12, 16


def picture() -> np.ndarray:
    """Smooth colours, which mosaics and halved colour planes keep: (HEIGHT, WIDTH, 3) uint8 RGB."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([60 + 8 * x, 200 - 9 * y, 40 + 4 * x + 5 * y], -1).astype(np.uint8)


def message(encoding: str, data: np.ndarray, step: int, **fields: Any) -> SimpleNamespace:
    told = {"height": HEIGHT, "width": WIDTH, "encoding": encoding, "step": step, "is_bigendian": 0, **fields}
    return SimpleNamespace(data=np.ascontiguousarray(data).reshape(-1).view(np.uint8).tobytes(), **told)


def luma_chroma(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) Y, U, V of BT.601 in video range, from its definition."""
    r, g, b = np.moveaxis(rgb.astype(float), -1, 0) / 255
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = (b - y) / 1.772, (r - y) / 1.402
    return np.rint(np.stack([16 + 219 * y, 128 + 224 * u, 128 + 224 * v], -1)).astype(np.uint8)


def mosaic(rgb: np.ndarray, order: str) -> np.ndarray:
    """What a sensor with this colour mosaic sees; `order` is that of its first two rows."""
    seen = np.empty(rgb.shape[:2], rgb.dtype)
    for place, colour in enumerate(order):
        rows, columns = slice(place // 2, None, 2), slice(place % 2, None, 2)
        seen[rows, columns] = rgb[rows, columns, "rgb".index(colour)]
    return seen


def packed(order: str) -> Callable[[np.ndarray], np.ndarray]:
    """Two bytes per pixel, in pairs of pixels: "yuyv" or "uyvy"."""

    def pack(yuv: np.ndarray) -> np.ndarray:
        y, u, v = yuv[..., 0], yuv[:, ::2, 1], yuv[:, ::2, 2]
        parts = {"y": iter((y[:, ::2], y[:, 1::2])), "u": iter((u,)), "v": iter((v,))}
        return np.stack([next(parts[letter]) for letter in order], -1).reshape(HEIGHT, 2 * WIDTH)

    return pack


def planes(first: int, second: int, halved: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Brightness, and below it the colour planes interleaved, at half or full size."""

    def pack(yuv: np.ndarray) -> np.ndarray:
        blocks = yuv.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean((1, 3))
        colours = np.rint(blocks).astype(np.uint8) if halved else yuv
        below = np.stack([colours[..., first], colours[..., second]], -1).reshape(-1, WIDTH)
        return np.concatenate([yuv[..., 0], below])

    return pack


YUV = {
    "yuv422": packed("uyvy"),
    "uyvy": packed("uyvy"),
    "yuv422_yuy2": packed("yuyv"),
    "yuyv": packed("yuyv"),
    "nv12": planes(1, 2, True),
    "nv21": planes(2, 1, True),
    "nv24": planes(1, 2, False),
}


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", YUV)
def test_brightness_and_colour_encodings(encoding: str, padding: int) -> None:
    data = YUV[encoding](luma_chroma(picture()))
    padded = np.pad(data, ((0, 0), (0, padding)))
    rgb = rgb_from_message(message(encoding, padded, padded.shape[1]))
    assert rgb.shape == (HEIGHT, WIDTH, 3) and rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - picture()).max() <= (3 if encoding == "nv24" else 8)  # halved colour, rounding


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_mosaics(order: str, bits: int) -> None:
    seen = mosaic(picture(), order)
    data = seen if bits == 8 else seen.astype("<u2") * 257
    rgb = rgb_from_message(message(f"bayer_{order}{bits}", data, WIDTH * bits // 8))
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(rgb[inner].astype(int) - picture()[inner]).max() <= 2  # a plane of colour is interpolated exactly


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(("encoding", "channels"), [("mono16", 1), ("rgb16", 3), ("bgr16", 3), ("rgba16", 4)])
def test_sixteen_bits(encoding: str, channels: int, big_endian: bool) -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 65536, (HEIGHT, WIDTH, channels))
    data = values.astype(">u2" if big_endian else "<u2")
    padded = np.pad(data.reshape(HEIGHT, -1), ((0, 0), (0, 4)))
    rgb = rgb_from_message(message(encoding, padded, padded.shape[1] * 2, is_bigendian=int(big_endian)))
    expected = np.rint(values[..., :3] * 255 / 65535)
    expected = expected[..., ::-1] if encoding == "bgr16" else expected
    np.testing.assert_array_equal(rgb, np.broadcast_to(expected, rgb.shape))


@pytest.mark.parametrize(("encoding", "order"), [("8UC4", [2, 1, 0]), ("bgra8", [2, 1, 0]), ("rgba8", [0, 1, 2])])
def test_four_channels(encoding: str, order: list[int]) -> None:
    values = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    padded = np.pad(values.reshape(HEIGHT, -1), ((0, 0), (0, 8)))
    np.testing.assert_array_equal(rgb_from_message(message(encoding, padded, padded.shape[1])), values[..., order])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"encoding": "yuv422_yuy2", "width": 15}, "has even sizes only"),
        ({"encoding": "nv12", "height": 11}, "has even sizes only"),
        ({"encoding": "nv12"}, "but holds 192 bytes"),
        ({"encoding": "mono16"}, "but holds 192 bytes"),
        ({"encoding": "16UC1"}, "'16UC1' is not one of"),
        ({"encoding": ""}, "'' is not one of"),
    ],
)
def test_what_contradicts_itself_or_is_unknown(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], reason: str
) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    with pytest.raises(ImageError, match=reason):
        rgb_from_message(message(**{"data": np.zeros((HEIGHT, WIDTH), np.uint8), "step": 0, **fields}))


def test_the_rest_goes_to_cv_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    class CvBridge:
        def imgmsg_to_cv2(self, message: Any, encoding: str) -> np.ndarray:
            assert encoding == "rgb8"
            return np.full((1, 1, 3), 7, np.uint8)

    monkeypatch.setitem(sys.modules, "cv_bridge", SimpleNamespace(CvBridge=CvBridge))
    recorded = SimpleNamespace(encoding="strange8", header=SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=2)))
    assert camera_frame_from_message("rear_left", recorded).image.max() == 7


def compressed(image: np.ndarray, image_format: str, ending: str = ".png") -> Any:
    """A message of a bag; `image` is given to OpenCV's encoder as it is."""
    done, data = cv2.imencode(ending, image)
    assert done
    header = message_writing.header(5, "camera")
    return message_writing.make_for_bag(COMPRESSED_IMAGE, header=header, format=image_format, data=data.reshape(-1))


def read(recorded: Any) -> np.ndarray:
    return images_of([camera_frame_from_message("front_left", recorded)])["front_left"]


BGR = picture()[..., ::-1]


@pytest.mark.parametrize(
    ("stored", "image_format"),
    [
        (BGR, "png"),
        (BGR, ""),
        (BGR, "rgb8; png compressed bgr8"),
        (BGR, "bgr8; png compressed bgr8"),
        (BGR, "bayer_rggb8; png compressed bgr8"),  # demosaiced before it was compressed
        (picture(), "rgb8; png compressed rgb8"),  # so that OpenCV took red for blue
        (picture(), "bgr8; png compressed "),
        (picture().astype(np.uint16) * 257, "rgb16; png compressed "),
    ],
)
def test_the_order_of_a_compressed_image(stored: np.ndarray, image_format: str) -> None:
    np.testing.assert_array_equal(read(compressed(stored, image_format)), picture())


@pytest.mark.parametrize("target", ["", "bayer_grbg8"])
@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_compressed_mosaic(order: str, target: str) -> None:
    rgb = read(compressed(mosaic(picture(), order), f"bayer_{order}8; jpeg compressed {target}"))
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(rgb[inner].astype(int) - picture()[inner]).max() <= 2
    deep = mosaic(picture(), order).astype(np.uint16) * 257
    rgb = read(compressed(deep, f"bayer_{order}16; png compressed {target}"))
    assert np.abs(rgb[inner].astype(int) - picture()[inner]).max() <= 2


def test_grey_and_deep_grey() -> None:
    grey = picture()[..., 0]
    for stored in (grey, grey.astype(np.uint16) * 257):
        rgb = read(compressed(stored, "mono8; png compressed "))
        np.testing.assert_array_equal(rgb, np.repeat(grey[..., None], 3, -1))


@pytest.mark.parametrize(
    "image_format", ["16UC1; compressedDepth png", "16UC1; png compressed ", "32FC1; compressedDepth"]
)
def test_distances_are_refused(image_format: str) -> None:
    with pytest.raises(ImageError, match="holds distances"):
        read(compressed(picture()[..., 0].astype(np.uint16), image_format))


def test_what_is_no_image_names_its_format() -> None:
    with pytest.raises(ImageError, match="4 bytes of format 'h264' cannot be decoded"):
        decode_jpeg(b"\0\0\0\1", "front_left", "h264")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_exif_orientation_is_ignored(orientation: int) -> None:
    image = PillowImage.fromarray(picture())
    exif = image.getexif()
    exif[0x0112] = orientation
    turned, plain = io.BytesIO(), io.BytesIO()
    image.save(turned, "jpeg", quality=95, exif=exif)
    image.save(plain, "jpeg", quality=95)
    assert needs_reading(turned.getvalue(), "jpeg") and not needs_reading(plain.getvalue(), "jpeg")
    np.testing.assert_array_equal(decode_jpeg(turned.getvalue(), "x", "jpeg"), decode_jpeg(plain.getvalue(), "x"))
    grey = decode_jpeg(turned.getvalue(), "x", "bayer_rggb8; jpeg compressed ")
    assert grey.shape == (HEIGHT, WIDTH, 3)


def test_who_shows_a_jpeg_knows_which_is_usual() -> None:
    data = encode_jpeg(picture(), 90)
    assert not needs_reading(data, "") and not needs_reading(data, "rgb8; jpeg compressed bgr8")
    assert needs_reading(data, "bayer_rggb8; jpeg compressed ") and needs_reading(data, "rgb8; jpeg compressed rgb8")
