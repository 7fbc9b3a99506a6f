"""Opens a camera's frames, or their ground truth, by a URI.

The sources, by what the URI looks like::

    0, /dev/video0                          V4L2 device
    rtsp://..., http://...                  network stream
    gst: v4l2src ! ... ! appsink            GStreamer pipeline (where OpenCV was built with it)
    walk.mp4                                video file, each frame at its presentation time, in a loop
    frames/, frames/*.png, frames/%06d.jpg  images in natural order at 30 Hz, or named after their stamps
    frames/?fps=15                          the same at another rate
    clip:DIR                                this view of a recorded rig clip
    bag:PATH                                this view of a ROS bag
    sim:SEED                                this view of the simulated helmet

Views of videos, clips, bags and the simulator play in step: all show the same instant.
"""

from __future__ import annotations

from dataclasses import replace

from egorear_ros.bags.reading import Bag
from egorear_ros.capture.bag_source import open_bag, open_bag_truth
from egorear_ros.capture.frame_files import open_frame_files
from egorear_ros.capture.recorded import ClipTruth, open_clip, open_simulator, open_simulator_truth
from egorear_ros.capture.source import CaptureOptions, FrameSource, NoTruthError, SourceError, TruthSource
from egorear_ros.capture.video import is_live, open_video
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.rig import Rig

RECORDED_SCHEMES = ("clip", "bag", "sim")


def open_source(uri: str, view: str, rig: Rig, options: CaptureOptions | None = None) -> FrameSource:
    """Open the source a URI names (see the table above).

    Args:
        uri: what to open.
        view: which view of a clip, a bag or the simulator; whose calibrated size a device is asked for.
        rig: the rig whose views a bag holds, the simulator renders, or devices see.
        options: how to read it.

    Raises:
        SourceError: nothing there, or it cannot be read; says what was tried.
    """
    options = options or CaptureOptions()
    scheme, _, rest = uri.partition(":")
    if not uri:
        raise SourceError(
            f"camera '{view}' has no source; set 'source' to a device, file, stream, folder, clip:DIR, bag:PATH or "
            "sim:SEED"
        )
    if scheme == "bag":
        return open_bag(rest, view, rig)
    if scheme == "clip":
        return open_clip(rest, view)
    if scheme == "sim":
        return open_simulator(rest, view, rig, options.rate_hz)
    model = rig[view].model
    sized = replace(options, width=options.width or model.width, height=options.height or model.height)
    return open_video(uri, view, sized)


def check_source(uri: str, view: str) -> None:
    """Look whether a recording is there, without playing it; devices and streams may come later.

    Raises:
        EgorearError: it is not, or it cannot be read.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "clip":
        RigClip(rest)
    elif scheme == "bag":
        Bag(rest).close()
    elif scheme == "sim":
        if not rest.isdecimal():
            raise SourceError(f"source 'sim:{rest}' needs a whole number as its seed, for example sim:0")
    elif not is_live(uri):
        open_frame_files(uri, f"camera '{view}', source '{uri}'").close()


def open_truth(uri: str, rig: Rig, rate_hz: float = 0.0) -> TruthSource:
    """Open the ground truth of `clip:DIR`, `bag:PATH` or `sim:SEED`.

    Raises:
        NoTruthError: the source has none.
        EgorearError: there is no such source.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "clip":
        return ClipTruth(rest)
    if scheme == "bag":
        return open_bag_truth(rest, rig)
    if scheme == "sim":
        return open_simulator_truth(rest, rig, rate_hz)
    raise NoTruthError(f"source '{uri}' has no ground truth; clip:DIR, bag:PATH and sim:SEED do")
