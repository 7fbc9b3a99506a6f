"""What training varies so that the network does not learn what only its data are like. Each has a switch of its own.

The draws of one augmentation do not depend on whether another is on, so that a run without it differs in nothing else.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.spatial.transform import Rotation

from egorear_ros.data.frame_sets import FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.settings import Number, Switch, Whole, checked

GAIN_STD: Final = 0.15
COLOUR_STD: Final = 0.05
OFFSET_STD: Final = 0.04
"""Light: logarithms of factors, and grey levels of 1."""

ALL_VIEWS_SHARE: Final = 0.5
FRONT_ONLY_SHARE: Final = 0.15
ONE_LOST_SHARE: Final = 0.2
"""Views; the rest of the batch has any subset."""

Share = Annotated[Number, Field(ge=0, le=1)]

OCCLUDER_SIZE: Final = (0.05, 0.25)
"""Half axes of an occluder, as shares of the image's width."""


@checked("augmentation")
class AugmentationConfig:
    """Which augmentations are on, and how strong.

    The defaults are what egorear-s is trained with.

    Attributes:
        photometric: vary brightness, contrast and colour of every view. Exposure and white balance of four real cameras
            differ more than the simulator's.
        view_dropout: take views away. Cameras fail, and helmets have fewer of them.
        nominal_calibration: share of the frame sets whose extrinsics are the drawing's, not those of the helmet as
            built: a user's are, too, but knowing the true ones must help.
        calibration_rotation_deg, calibration_shift_m: standard deviation, per axis, of an error in the extrinsics the
            network is told. Calibrations have errors, and helmets get bumped.
        time_jitter_frames: take each view from up to so many frames before or after. Cameras without a common trigger
            see the body at different times. Needs sequences whose frames lie that close: not thinned-out shards.
        occluders: share of the images with a patch of one colour somewhere. Sleeves, cables and furniture come between,
            which the simulator has little of. What the patch covers counts as not visible.
        appearance: share of the images whose looks are changed: colours, tones, light, sharpness, noise
            (`training.appearance`). Other renderers and real cameras look different.
    """

    photometric: Switch = True
    view_dropout: Switch = True
    nominal_calibration: Share = 0.5
    calibration_rotation_deg: Annotated[Number, Field(ge=0, le=30)] = 0.0
    calibration_shift_m: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    time_jitter_frames: Annotated[Whole, Field(ge=0, le=30)] = 0
    occluders: Share = 0.0
    appearance: Share = 0.0

    @classmethod
    def off(cls) -> AugmentationConfig:
        """Nothing is varied."""
        return cls(photometric=False, view_dropout=False, nominal_calibration=0.0)


class Draws(NamedTuple):
    """Generators of random numbers, one for each group of augmentations.

    Attributes:
        usual: nominal calibration, view dropout and photometric, in this order.
        time, calibration, occluders, appearance: of the augmentation of that name.
    """

    usual: np.random.Generator
    time: np.random.Generator
    calibration: np.random.Generator
    occluders: np.random.Generator
    appearance: np.random.Generator


def draws_of(rng: np.random.Generator) -> Draws:
    """The generators of a batch; `rng` itself is the usual one."""
    return Draws(rng, *rng.spawn(4))


def random_light(rng: np.random.Generator, count: int, views: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Factor and offset of the grey levels 0..1, (count, views, 3) each."""
    gain = np.exp(rng.normal(0, GAIN_STD, (count, views, 1)) + rng.normal(0, COLOUR_STD, (count, views, 3)))
    return gain, np.broadcast_to(rng.normal(0, OFFSET_STD, (count, views, 1)), gain.shape)


def random_views(rng: np.random.Generator, count: int, views: int) -> NDArray[np.bool_]:
    """(count, views) of which views are there, at least one; the first two are the front pair."""
    mask = np.ones((count, views), bool)
    kind = rng.random(count)
    for i in np.flatnonzero(kind >= ALL_VIEWS_SHARE):
        if kind[i] < ALL_VIEWS_SHARE + FRONT_ONLY_SHARE:
            mask[i, 2:] = False
        elif kind[i] < ALL_VIEWS_SHARE + FRONT_ONLY_SHARE + ONE_LOST_SHARE:
            mask[i, rng.integers(views)] = views == 1
        else:
            mask[i] = rng.random(views) < 0.5
            mask[i, rng.integers(views)] = True
    return mask


def disturbed(
    rng: np.random.Generator, camera_from_device: NDArray[np.float32], rotation_deg: float, shift_m: float
) -> NDArray[np.float32]:
    """Extrinsics (..., 4, 4) with an error: each camera turned and moved about its own axes.

    Args:
        rng: source of the errors.
        camera_from_device: (..., 4, 4), metres.
        rotation_deg: standard deviation of the angle about each axis.
        shift_m: standard deviation of the shift along each axis.
    """
    shape = camera_from_device.shape[:-2]
    angles = rng.normal(0, np.radians(rotation_deg), (*shape, 3))
    errors = np.zeros((*shape, 4, 4))
    errors[..., :3, :3] = Rotation.from_rotvec(angles.reshape(-1, 3)).as_matrix().reshape(*shape, 3, 3)
    errors[..., :3, 3] = rng.normal(0, shift_m, (*shape, 3))
    errors[..., 3, 3] = 1.0
    return np.asarray(errors @ camera_from_device, np.float32)


def occluded(rng: np.random.Generator, sets: FrameSets, share: float) -> FrameSets:
    """Cover part of some images with an ellipse or a rectangle; joints under it are no longer visible.

    Args:
        rng: source of the patches.
        sets: frame sets.
        share: of the images that get a patch.
    """
    size, images, visible = sets.images.shape[2], sets.images.copy(), sets.visible.copy()
    for index in np.ndindex(sets.images.shape[:2]):
        chosen, elliptic = rng.random() < share, rng.random() < 0.5
        middle, half = rng.random(2) * size, rng.uniform(*OCCLUDER_SIZE, 2) * size
        box = (
            (float(middle[0]), float(middle[1])),
            (2 * float(half[0]), 2 * float(half[1])),
            float(rng.uniform(0, 180)),
        )
        colour = rng.integers(0, 256, 3, np.uint8)
        if not chosen:
            continue
        patch = np.zeros((size, size), np.uint8)
        if elliptic:
            cv2.ellipse(patch, box, 1, cv2.FILLED)
        else:
            cv2.fillPoly(patch, [cv2.boxPoints(box).round().astype(np.int32)], 1)
        images[index][patch > 0] = colour
        visible[index] &= ~_covered(patch, sets.pixels[index])
    return dataclasses.replace(sets, images=images, visible=visible)


def _covered(patch: NDArray[np.uint8], pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of (16, 2) positions, fractions of the image, lie on the patch."""
    size = len(patch)
    inside: NDArray[np.bool_] = np.all((pixels >= 0) & (pixels < 1), axis=-1)
    column, row = np.where(inside[:, None], pixels * size, 0).astype(int).T
    return inside & (patch[row, column] > 0)


def taken_at_other_times(
    rng: np.random.Generator, source: FrameSource, indices: NDArray[np.int64], most_frames: int
) -> FrameSets:
    """Load frame sets whose views come from up to `most_frames` frames before or after, each its own.

    A view's 2D truth is that of its own image; the pose to be found stays that of the frame asked for. Near the ends of
    a sequence, views come from the other side of the frame, or from the frame itself.

    Args:
        rng: source of the times.
        source: frame sets of sequences.
        indices: which.
        most_frames: largest difference of frame numbers.

    Raises:
        EgorearError: no frame has a neighbour that close.
    """
    offsets = rng.integers(-most_frames, most_frames + 1, (len(indices), len(source.views)))
    pairs = zip(indices.tolist(), offsets.tolist(), strict=True)
    from_where = np.array([[_neighbour(source, index, offset) for offset in row] for index, row in pairs])
    if offsets.any() and (from_where == indices[:, None]).all():
        raise EgorearError(
            f"augmentation: time_jitter_frames is {most_frames}, but none of {len(indices)} frame sets has another "
            "one of its sequence that close; leave it out, or train on whole sequences (`egorear simulate`)"
        )
    needed, places = np.unique(np.concatenate([indices[:, None], from_where], axis=1), return_inverse=True)
    loaded, places = source.take(needed), places.reshape(len(indices), -1)
    own, views = loaded.take(places[:, 0]), np.arange(len(source.views))
    arrays = {name: getattr(loaded, name)[places[:, 1:], views] for name in ("images", "pixels", "in_view", "visible")}
    return dataclasses.replace(own, **arrays)


def _neighbour(source: FrameSource, index: int, offset: int) -> int:
    """The frame set of the same sequence, `offset` frames later, or earlier; itself where there is none."""
    own = source.name(index) if offset else None
    for step in (offset, -offset):
        other = index + step
        if own is not None and 0 <= other < len(source):
            found = source.name(other)
            if own.sequence and found.sequence == own.sequence and found.frame - own.frame == step:
                return other
    return index
