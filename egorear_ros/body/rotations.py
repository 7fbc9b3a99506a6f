"""Small rotations as 3x3 matrices, without the overhead of objects: the fit makes hundreds per frame."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

TINY = 1e-9


def cross(a: Float64, b: Float64) -> Float64:
    """Cross product of two (3,) vectors; numpy's own is ten times slower for single ones."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx))


def unit(vector: Float64, otherwise: Float64) -> Float64:
    """(3,) vector of length 1; `otherwise` where the vector has no direction."""
    length = math.sqrt(float(vector @ vector))
    return vector / length if length > TINY else otherwise


def about(axis: Float64, angle_rad: float) -> Float64:
    """(3, 3) rotation about a (3,) unit axis."""
    x, y, z = axis.tolist()
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    k = 1 - c
    return np.array(
        (
            (c + x * x * k, x * y * k - z * s, x * z * k + y * s),
            (y * x * k + z * s, c + y * y * k, y * z * k - x * s),
            (z * x * k - y * s, z * y * k + x * s, c + z * z * k),
        )
    )


def from_vector(vector_rad: Float64) -> Float64:
    """(3, 3) rotation by a (3,) rotation vector, radians."""
    angle = math.sqrt(float(vector_rad @ vector_rad))
    return np.eye(3) if angle < TINY else about(vector_rad / angle, angle)


def rotation_vector(rotation: Float64) -> Float64:
    """(3,) rotation vector of a (3, 3) rotation by clearly less than half a turn, radians."""
    axis = np.array((rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]))
    sine = math.sqrt(float(axis @ axis)) / 2
    return axis / 2 if sine < TINY else axis * (math.atan2(sine, (float(np.trace(rotation)) - 1) / 2) / (2 * sine))


def shortest_arc(start: Float64, end: Float64) -> Float64:
    """(3, 3) smallest rotation that turns one (3,) unit vector to another; about any axis where they are opposite."""
    axis = cross(start, end)
    sine, cosine = math.sqrt(float(axis @ axis)), float(start @ end)
    if sine < TINY:
        if cosine > 0:
            return np.eye(3)
        other = np.eye(3)[int(np.abs(start).argmin())]
        axis, sine = cross(start, other), 0.0
        return about(unit(axis, other), math.pi)
    return about(axis / sine, math.atan2(sine, cosine))


def twist_rad(rotation: Float64, axis: Float64) -> float:
    """How far a rotation turns about a bone, after the shortest arc that brings the bone where it is; -pi to pi."""
    swing = shortest_arc(axis, unit(rotation @ axis, axis))
    twist = swing.T @ rotation
    vector = np.array((twist[2, 1] - twist[1, 2], twist[0, 2] - twist[2, 0], twist[1, 0] - twist[0, 1]))
    return math.atan2(float(vector @ axis), float(np.trace(twist)) - 1)
