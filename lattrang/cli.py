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


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width, so that it reads the same in a terminal, in the README and in the test of both."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=_HELP_WIDTH)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="station.toml or central.toml to work with"
    )
    parser = argparse.ArgumentParser(prog="lattrang", description=_DESCRIPTION, parents=[common], formatter_class=_Help)
    parser.add_argument("--version", action="version", version=f"lattrang {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    pages_command.add_parser(commands)
    station_commands.add_parser(commands, common)
    central_commands.add_parser(commands, common)
    demo_command.add_parser(commands)
    parser.epilog = "\n\n".join(_commands_of(name, commands.choices[name]) for name in ("station", "central"))
    return parser


def _commands_of(name: str, group: argparse.ArgumentParser) -> str:
    """Return the list of commands in the help of `group`."""
    group.formatter_class = _Help
    return f"lattrang {name}:\n" + group.format_help().split("  COMMAND\n")[1].split("\n\n")[0]


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
