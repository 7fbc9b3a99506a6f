"""Frame alignment: which frames of the cameras belong to one instant.

Pure Python, the standard library and pydantic for the settings: no ROS, no threads, no clock of its own. The caller
passes the time in and gets the finished sets back as return values, so callbacks run outside of any lock by
construction. This folder may import `egorear_ros.errors` and `egorear_ros.settings` and nothing else of egorear; nodes,
data and cli import it::

    synchronizer = Synchronizer(SyncConfig(cameras=("front_left", "front_right"), tolerance=0.005, deadline=0.1))
    for aligned in synchronizer.add("front_left", stamp_ns, image, now_ns):
        ...                                                 # in order, each frame at most once
    for aligned in synchronizer.poll(now_ns):               # when next_deadline_ns() has come
        ...

Terms
    *Corrected stamp*: acquisition stamp + the camera's offset. All times below are corrected stamps; the acquisition
    stamps themselves are handed through unchanged.
    *Slot*: a received frame, or a **gap**: the place of a frame that never came, known from the camera's period once a
    later frame of that camera is in (the interval between two frames is cut into round(interval / period) equal parts).
    *Candidate*: for a start x (the stamp of a slot), each camera's first slot in [x, x + tolerance]. Of all sets that
    begin at x it is the one with the smallest span (max - min stamp) and the most cameras.
    *Better*: fewer cameras absent; then smaller span; then earlier start. With `SyncConfig.predict`, a set that begins
    with another camera than the last one first gets a fifth of a period added to its span.
    *Conflict*: two candidates share a slot or cross (one is earlier in one camera and later in another).

What is promised
    The selected sets are the one stable choice: **every candidate is either selected or conflicts with a better
    candidate that is selected.** It is found by taking the best candidate, then the best of what lies wholly before and
    wholly after it, and so on. It follows that

    - *every complete set that exists within tolerance is found*: no set of one unused frame per camera, with span <=
      tolerance (inclusive) and in order with the others, is left over, unless a known gap fits better than its frame;
      and each set taken was the best of those it excluded;
    - sets are *correct*: a set is correct if all its frames show one capture instant. With capture instants at least T
      apart and corrected stamps within J < T / 5 of their instant, a set of frames and gaps of one instant (span <= 2J,
      plus T / 5) beats every mixed one (span >= T - 2J). So all sets are correct and every instant received by all
      cameras comes out complete, whatever the tolerance >= 2J, as long as gaps are placed within J too, that is, each
      camera's period is known (the first interval of any camera is a start, a quarter of the frames must arrive);
    - a frame is never emitted twice; set stamps and each camera's stamps strictly increase within an epoch.

When a set goes out
    As soon as no frame still to come can change the choice. A camera's next frame is expected no earlier than 0.9 x its
    shortest recent interval (`SyncConfig.predict`), so in a healthy rig that is the moment the last view arrives. A
    frame that beats this prediction can make a choice less than best, but cannot break order, tolerance or uniqueness.
    Otherwise at the deadline: what is there goes out as a partial set. Absent views never make a set wait longer
    than `deadline` after the arrival of its first frame, and a camera that let `lost_after` sets run into the deadline
    is not waited for until it sends in time again.

See docs/sync.md for the reasons and the measurements.
"""

from egorear_ros.sync.aligned_set import AlignedSet
from egorear_ros.sync.clock_finding import ClockFinding
from egorear_ros.sync.clock_judge import ClockJudge
from egorear_ros.sync.clock_steps import ClockSteps
from egorear_ros.sync.config import MINIMUM_VIEWS, SyncConfig, config_from_parameters
from egorear_ros.sync.starvation import Starvation, unmatched
from egorear_ros.sync.statistics import CameraStatistics, Distribution, SyncStatistics
from egorear_ros.sync.stream_watch import StreamWatch
from egorear_ros.sync.synchronizer import Synchronizer

__all__ = [
    "MINIMUM_VIEWS",
    "AlignedSet",
    "CameraStatistics",
    "ClockFinding",
    "ClockJudge",
    "ClockSteps",
    "Distribution",
    "Starvation",
    "StreamWatch",
    "SyncConfig",
    "SyncStatistics",
    "Synchronizer",
    "config_from_parameters",
    "unmatched",
]
