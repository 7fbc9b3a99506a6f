"""Entry point of the `egorear` command: finds the subcommands, parses, and turns user errors into one line."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from egorear_ros import __version__
from egorear_ros.cli._commands import COMMANDS
from egorear_ros.cli._extras import explained
from egorear_ros.errors import EgorearError


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser, with the arguments of `command` only: the other subcommands' modules stay unloaded."""
    parser = argparse.ArgumentParser(prog="egorear", description="A live 3D skeleton from the cameras of a helmet.")
    parser.add_argument("--version", action="version", version=f"egorear {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=text, description=text)
        if name == command:
            module = importlib.import_module(f"egorear_ros.cli.{name.replace('-', '_')}")
            module.configure(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 user error (one line on stderr), 2 wrong usage."""
    arguments = _joined(list(sys.argv[1:] if argv is None else argv))
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    try:
        # Under `try` too: a subcommand's module imports for seconds, in which Ctrl-C is as likely as later.
        with explained():
            args = build_parser(command).parse_args(arguments)
            return int(args.run(args))
    except EgorearError as error:
        print(f"egorear {command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `egorear ... | head` is no error
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(f"egorear {command}: '{error.filename}': {error.strerror}", file=sys.stderr)
        return 1
    finally:
        _write_out()


def _joined(arguments: list[str]) -> list[str]:
    """Two words that name a command together become one: `rig import` is the command rig-import."""
    pair = "-".join(arguments[:2])
    return [pair, *arguments[2:]] if len(arguments) > 1 and pair in COMMANDS else arguments


def _write_out() -> None:
    """Write what has been printed; nowhere, if nobody reads it any more: Python would fail over it at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def entry() -> NoReturn:
    """The `egorear` command: `main`, and the end of the process."""
    status = main()
    if "rclpy" in sys.modules:
        from egorear_ros.graph.ending import leave

        leave(status)
    sys.exit(status)


if __name__ == "__main__":
    entry()
