from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from egorear_ros.errors import EgorearError
from egorear_ros.rig import load_rig
from egorear_ros.simulator.rig_mount import MOUNTS, HeadSize, RigMount, mount_range, sample_mount
from egorear_ros.simulator.shard_writing import ShardSettings, write_shards

HEAD = HeadSize(top_z=1.75, front_y=-0.1, back_y=0.1, half_width=0.08)


def sampled(text: str, count: int = 200) -> list[RigMount]:
    rig = load_rig("ego4view")
    return [sample_mount(np.random.default_rng(seed), rig, HEAD, mount_range(text)) for seed in range(count)]


def tilts_deg(mounts: list[RigMount]) -> np.ndarray:
    """Angle of the device's optical axis from straight down, forward (body frame: y back, z up)."""
    axes = np.stack([mounted.device_from_head[2, :3] for mounted in mounts])
    return np.degrees(np.arctan2(-axes[:, 1], -axes[:, 2]))


def origins_m(mounts: list[RigMount]) -> np.ndarray:
    return np.stack([-m.device_from_head[:3, :3].T @ m.device_from_head[:3, 3] for m in mounts])


def test_wide_mounts_cover_what_other_helmets_have() -> None:
    tilt, ahead = tilts_deg(sampled("wide")), HEAD.front_y - origins_m(sampled("wide"))[:, 1]
    assert tilt.min() < -5 and tilt.max() > 30
    assert ahead.min() < 0.01 and ahead.max() > 0.12
    usual = tilts_deg(sampled("usual"))
    assert abs(usual.mean() - 9) < 1.5 and 5 < usual.std() < 8


def test_a_fixed_value_leaves_only_the_tolerances_of_the_parts() -> None:
    mounts = sampled("tilt=25,ahead=0.1,below=0.02")
    assert abs(tilts_deg(mounts).mean() - 25) < 0.5 and tilts_deg(mounts).std() < 3
    expected = [0, HEAD.front_y - 0.1, HEAD.top_z - 0.02]
    np.testing.assert_allclose(origins_m(mounts).mean(axis=0), expected, atol=0.002)
    assert mount_range("wide,tilt=0").ahead_m == MOUNTS["wide"].ahead_m


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("broad", "mount 'broad' is not known; there are usual, wide"),
        ("lean=3", "'lean' is not known; what can be fixed is tilt, ahead, below"),
        ("tilt=much", "tilt is 'much', expected a number from -90 to 90"),
        ("wide,ahead=7", "ahead is '7', expected a number from -0.1 to 0.5"),
        ("tilt=nan", "tilt is 'nan'"),
    ],
)
def test_a_wrong_mount_is_named(text: str, message: str) -> None:
    with pytest.raises(EgorearError, match=message):
        mount_range(text)


def test_shards_begun_with_another_mount_are_not_continued(tmp_path: Path) -> None:
    (tmp_path / "shards.json").write_text('{"generator": 2, "motion": "procedural", "split": "train", "seed": 0}')
    with pytest.raises(EgorearError, match="mount"):
        write_shards(tmp_path, ShardSettings(mount="broad"), 1)
