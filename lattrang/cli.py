"""The command line: parse, call one command, turn errors into a sentence with a code, return an exit code.

Command modules are light to import; what they need (imaging, web, database) is imported when they run.
"""

import argparse
import sys
from collections.abc import Sequence

from firmware.errors import HardwareError
from lattrang import central_commands, demo_command, pages_command, station_commands
from wire import VERSION
from wire.errors import CodedError, ExitCode

_DESCRIPTION = "Lattrang (lật trang, to turn the page): from a book in a cradle to pages that a library owns."
_HELP_WIDTH = 100


class _Help(argparse.HelpFormatter):
    """Help of a fixed width, so that it reads the same in a terminal, in the README and in the test of both."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=_HELP_WIDTH)


class _Parser(argparse.ArgumentParser):
    """A parser whose sub-parsers look alike."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("formatter_class", _Help)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    common = _Parser(add_help=False)
    common.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="station.toml or central.toml to work with"
    )
    parser = _Parser(prog="lattrang", description=_DESCRIPTION, parents=[common])
    parser.add_argument("--version", action="version", version=f"lattrang {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    pages_command.add_parser(commands)
    station_commands.add_parser(commands, common)
    central_commands.add_parser(commands, common)
    demo_command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (CodedError, HardwareError) as error:
        print(f"lattrang: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("lattrang: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has left (`| head`): that is not a failure worth a traceback.
        sys.stderr.close()
        return int(ExitCode.FAILED)


if __name__ == "__main__":
    sys.exit(main())
