"""Shards as a frame source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from egorear_ros.cli.main import main
from egorear_ros.data.frame_sets import FrameName
from egorear_ros.data.opening import open_frames
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.library import save_library
from egorear_ros.simulator.motion.procedural import procedural_clip
from egorear_ros.simulator.shard_writing import ShardSettings, shard_path, write_shards

SETTINGS = ShardSettings(size_px=64, sequence_frames=8, stride=4)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of two sequences with two picks each."""
    out = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("egorear_ros.simulator.shard_writing.SEQUENCES_PER_SHARD", 2)
        write_shards(out, SETTINGS, 8)
    return out


def test_a_folder_of_shards_is_a_source(shards: Path) -> None:
    source = open_frames(shards, None)
    assert len(source) == 8
    order = np.array([6, 1, 1, 3])
    with np.load(shard_path(shards, 0)) as first, np.load(shard_path(shards, 1)) as second:
        expected = {name: np.concatenate([first[name], second[name]])[order] for name in first.files}
    for name, array in source.take(order).arrays().items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    some = open_frames(shards, None, ("rear_left", "front_right"), size_px=32).take(order)
    np.testing.assert_array_equal(some.pixels, expected["pixels"][:, [2, 1]])
    assert some.images.shape == (4, 2, 32, 32, 3)
    assert [source.name(i).sequence for i in range(8)] == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert {source.name(i).frame - source.name(i - 1).frame for i in (1, 3, 5, 7)} == {4}
    assert source.name(0).action


def test_shards_of_earlier_versions_have_no_names_but_are_read(shards: Path, tmp_path: Path) -> None:
    with np.load(shard_path(shards, 0)) as content:
        arrays = {name: content[name] for name in content.files if name not in {"sequence", "frame", "action"}}
    np.savez(shard_path(tmp_path, 3), **arrays)
    source = open_frames(tmp_path, None)
    assert source.name(2) == FrameName("shard_00003/2", 0)
    np.testing.assert_array_equal(source.take(np.array([2])).images, arrays["images"][[2]])


def test_a_damaged_shard_is_named(shards: Path, tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    path.write_bytes(shard_path(shards, 0).read_bytes()[:-1000])
    with pytest.raises(EgorearError, match="shard_00000.npz' cannot be read"):
        open_frames(tmp_path, None)


@pytest.mark.parametrize("changes", [{"motion": "typo.npz"}, {"rig": "no-such-rig"}])
def test_wrong_settings_are_said_before_anything_is_written(tmp_path: Path, changes: dict[str, str]) -> None:
    """Not by the workers: a pool whose workers cannot start makes new ones for ever."""
    with pytest.raises(EgorearError, match=next(iter(changes.values()))):
        write_shards(tmp_path / "out", replace(SETTINGS, **changes), 8, workers=2)
    assert not list(tmp_path.iterdir())


def test_a_split_without_clips_is_said_before_anything_is_written(
    tmp_path: Path,
) -> None:
    clip = replace(procedural_clip(0, 1.0), split="train")
    save_library(tmp_path / "clips.npz", [clip])
    with pytest.raises(EgorearError, match="no usable clip of split 'val'"):
        write_shards(tmp_path / "out", replace(SETTINGS, motion=str(tmp_path / "clips.npz"), split="val"), 8)
    assert not (tmp_path / "out").exists()


def test_settings_that_were_cut_off_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "shards.json").write_text('{"generator": ')
    with pytest.raises(EgorearError, match="shards.json' is broken or cut off"):
        write_shards(tmp_path, SETTINGS, 8)


def test_splits_have_seeds_of_their_own_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one seed train, val and test would share rooms, clothes and cameras."""
    asked: list[ShardSettings] = []
    monkeypatch.setattr(
        "egorear_ros.simulator.shard_writing.write_shards", lambda out, settings, *_: asked.append(settings)
    )
    for split in ("train", "val", "test"):
        assert main(["render-shards", "--out", str(tmp_path / "a"), "--split", split]) == 0
    assert main(["render-shards", "--out", str(tmp_path / "a"), "--split", "val", "--seed", "0"]) == 0
    assert [settings.seed for settings in asked] == [0, 1000, 2000, 0]
