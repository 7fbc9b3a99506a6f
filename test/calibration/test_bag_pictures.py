"""Pictures of a board from a bag: all cameras, thinned, with their times and moments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from egorear_ros.bags import message_writing
from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import COMPRESSED_IMAGE
from egorear_ros.bags.writing import BagWriter
from egorear_ros.calibration import CharucoTarget
from egorear_ros.calibration.bag_pictures import is_bag, pictures_of_bag

BOARD = CharucoTarget(5, 4, 0.06, 0.045)
RATE_HZ, FRAMES = 30, 12


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Path:
    cells, _ = BOARD.modules()
    image = np.full((200, 240), 255, np.uint8)
    drawn = np.kron(np.where(cells, 0, 255), np.ones((4, 4))).astype(np.uint8)
    image[20 : 20 + drawn.shape[0], 30 : 30 + drawn.shape[1]] = drawn
    rgb = np.repeat(image[..., None], 3, -1)
    path: Path = tmp_path_factory.mktemp("bag") / "board.mcap"
    with BagWriter(path) as writer:
        for name in ("rear_left", "front_left"):
            writer.add_topic(f"/egorear/{name}/image_raw/compressed", COMPRESSED_IMAGE)
        for frame in range(FRAMES):
            for delay_ns, name in enumerate(("rear_left", "front_left")):
                stamp_ns = 1_700_000_000_000_000_000 + frame * 1_000_000_000 // RATE_HZ + 4_000_000 * delay_ns
                message = message_writing.compressed_image(rgb, stamp_ns, f"{name}_optical_frame", 95)
                writer.write(f"/egorear/{name}/image_raw/compressed", stamp_ns, message)
    return path


def test_a_bag_gives_ten_pictures_in_a_second_of_every_camera(bag: Path) -> None:
    assert is_bag(bag)
    pictures = pictures_of_bag(BOARD, bag)
    assert list(pictures.of) == ["front_left", "rear_left"]
    for taken in pictures.of.values():
        assert len(taken) == FRAMES // 3
        assert all(len(picture.ids) == len(BOARD.corners_m) for picture in taken)
        assert [picture.moment for picture in taken] == [0, 1, 2, 3]
    times = [picture.time_s for picture in pictures.of["front_left"]]
    np.testing.assert_allclose(times, 0.004 + 0.1 * np.arange(4), atol=1e-6)


def test_a_camera_that_the_bag_lacks_is_named(bag: Path) -> None:
    with pytest.raises(BagError, match="no images of cam0"):
        pictures_of_bag(BOARD, bag, ("cam0",))
