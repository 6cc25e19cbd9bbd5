"""What the units `lattrang-off` and `lattrang-restart` do: take what the screen asked for. systemd does the rest.

This program has no rights. It ends well where the request is one and is fresh; then, and only then, its unit's
``SuccessAction`` switches the machine off in good order.
"""

import argparse
from pathlib import Path
from typing import Final

from wire.errors import CodedError, ExitCode

_FRESH_S: Final = 60.0
"""A request that waited longer (for a release to be put in place) would surprise whoever works meanwhile."""


class _TooLate(CodedError):
    exit_code = ExitCode.REFUSED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command needs."""
    parser.add_argument("way", choices=("off", "restart"))
    parser.add_argument("--errand", nargs=2, type=Path, metavar=("ASKED", "TOLD"), required=True)


def run(arguments: argparse.Namespace) -> int:
    """Take the request; 0 lets systemd switch the machine off."""
    from appliance.setup.errands import Errand, PowerProgress, PowerRequest

    errand = Errand.named(arguments.way, *arguments.errand)
    with errand.begun():
        try:
            waited_s = errand.waits_s()
            errand.take(PowerRequest)
            if waited_s is None or waited_s > _FRESH_S:
                raise _TooLate("OFF-03", "The request came too late; nothing was done.", "Ask again on the screen.")
        except CodedError as error:
            errand.tell(PowerProgress(code=error.code))
            raise
        errand.tell(PowerProgress())
    return ExitCode.OK
