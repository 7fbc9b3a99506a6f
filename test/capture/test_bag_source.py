"""`bag:PATH` as cameras: in step, in a loop, at the recording's own pace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from egorear_ros.bags.clip_to_bag import clip_to_bag
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.capture import LoopClock, SourceError, open_source, open_truth
from egorear_ros.capture.bag_source import BagSource, BagTruth, round_ns
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.rig import VIEWS, load_rig

from .. import recording


@dataclass
class Time:
    """A wall clock that passes only while somebody waits."""

    now_ns: int

    def clock(self, duration_ns: int) -> LoopClock:
        return LoopClock(duration_ns, lambda: self.now_ns, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> recording.Recording:
    return recording.make(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="module")
def bag_path(recorded: recording.Recording) -> Path:
    clip_to_bag(str(recorded.clip), recorded.clip.with_name("walk"), "egorear")
    return recorded.clip.with_name("walk")


def test_views_and_truth_play_in_step_and_in_a_loop(recorded: recording.Recording, bag_path: Path) -> None:
    clip = RigClip(recorded.clip)
    duration_ns = round_ns(Bag(bag_path), find_topics(Bag(bag_path), VIEWS).images.values())
    assert recording.FRAMES * recording.PERIOD_NS <= duration_ns < (recording.FRAMES + 0.1) * recording.PERIOD_NS
    round_start = 1000 * duration_ns
    for column, view in enumerate(VIEWS):
        time = Time(round_start)
        source = BagSource(Bag(bag_path), view, f"/egorear/{view}/image_raw", duration_ns, time.clock)
        for frame in range(2 * recording.FRAMES):
            turn, index = divmod(frame, recording.FRAMES)
            captured = source.read()
            due = round_start + turn * duration_ns + recording.stamps_ns(index)[column] - recording.START_NS
            assert captured.stamp_ns == due and abs(time.now_ns - due) < 1000
            np.testing.assert_array_equal(captured.image, clip.view(view, index))
        source.close()
    truth = BagTruth(Bag(bag_path), "/egorear/ground_truth", duration_ns, Time(round_start).clock)
    for frame in range(recording.FRAMES + 1):
        skeleton = truth.read()
        turn, index = divmod(frame, recording.FRAMES)
        assert skeleton.stamp_ns == round_start + turn * duration_ns + index * recording.PERIOD_NS
        np.testing.assert_allclose(skeleton.positions_m, recorded.truth_m[index], atol=1e-6)


def test_who_comes_late_joins_in_the_middle(bag_path: Path) -> None:
    duration_ns = recording.FRAMES * recording.PERIOD_NS
    time = Time(50 * duration_ns + 3 * recording.PERIOD_NS - 5)
    source = BagSource(Bag(bag_path), "front_right", "/egorear/front_right/image_raw", duration_ns, time.clock)
    assert source.read().stamp_ns == 50 * duration_ns + 3 * recording.PERIOD_NS


def test_who_falls_behind_skips_to_what_is_due(bag_path: Path) -> None:
    duration_ns = recording.FRAMES * recording.PERIOD_NS
    time = Time(50 * duration_ns)
    source = BagSource(Bag(bag_path), "front_right", "/egorear/front_right/image_raw", duration_ns, time.clock)
    before = source.read()
    time.now_ns += 1000 * duration_ns
    after = source.read()
    latency_ns = recording.stamps_ns(1)[VIEWS.index("front_right")] - recording.START_NS - recording.PERIOD_NS
    assert 0 <= time.now_ns - after.stamp_ns <= abs(latency_ns) + 1000, "on time again"
    assert after.skipped_ns > 999 * duration_ns and after.stamp_ns > before.stamp_ns + after.skipped_ns
    assert source.read().skipped_ns == 0


def test_what_a_bag_lacks_is_named(bag_path: Path, tmp_path: Path) -> None:
    rig = load_rig("ego4view")
    with pytest.raises(SourceError, match="camera 'rear_left': there is no bag"):
        open_source(f"bag:{tmp_path}/nothing", "rear_left", rig)
    with pytest.raises(SourceError, match="there is no bag"):
        open_truth(f"bag:{tmp_path}/nothing", rig)
