"""Checks of options: numbers in their range, and no option that would be ignored."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from egorear_ros.errors import EgorearError


def add_world_options(parser: argparse.ArgumentParser) -> None:
    """Declare what the commands that simulate share: how helmets sit, and how the world looks."""
    parser.add_argument(
        "--mount",
        default="usual",
        help="how helmets sit: usual (the default), wide, or fixed values such as tilt=15,ahead=0.08,below=0.03 "
        "(degrees and m)",
    )
    parser.add_argument(
        "--looks",
        choices=["plain", "wide"],
        default="plain",
        help="plain: as in EgoRear-Sim; wide: far more kinds of people, places, light and lenses (default plain)",
    )
    parser.add_argument(
        "--skins", default="", metavar="DIR", help="of wide looks: photographic skins in MakeHuman's layout"
    )


def add_temporal_options(parser: argparse._ActionsContainer) -> None:
    """Declare what the commands that estimate recordings share: tracker, smoother or single frames."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--smooth", action="store_true", help="look at later frames, too: smoother and nearer to the truth than live"
    )
    how.add_argument("--track", action="store_true", help="track over time (default: as live; docs/tracking.md)")
    how.add_argument("--per-frame", action="store_true", help="every frame set by itself (default: as live)")
    parser.add_argument("--stature-m", type=float, metavar="M", help="height of the wearer in metres, if it is known")


def check_ranges(args: argparse.Namespace, **ranges: tuple[float, float]) -> None:
    """Check options that were given.

    Args:
        args: parsed.
        **ranges: lowest and highest value of each option; None is not checked.

    Raises:
        EgorearError: a number out of its range.
    """
    for name, (low, high) in ranges.items():
        value = getattr(args, name)
        if value is not None and not low <= value <= high:
            raise EgorearError(f"{option(name)} must be between {low} and {high}, got {value}")


def refuse_options(
    args: argparse.Namespace, configure: Callable[[argparse.ArgumentParser], None], names: Iterable[str], why: str
) -> None:
    """Refuse options that would have no effect, rather than ignoring them.

    Args:
        args: parsed.
        configure: declares the options of the command.
        names: of the options that must have been left alone.
        why: what follows the option's name in the error.

    Raises:
        EgorearError: one of them was given.
    """
    parser = argparse.ArgumentParser()
    configure(parser)
    for name in names:
        if getattr(args, name) != parser.get_default(name):
            raise EgorearError(f"{option(name)} {why}")


def option(name: str) -> str:
    """An option as one types it."""
    return f"--{name.replace('_', '-')}"
