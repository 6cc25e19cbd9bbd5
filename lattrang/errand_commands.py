"""What the units `lattrang-pair` and `lattrang-usb` do: one errand that a screen asked for, with rights of its own."""

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lattrang import pairing_commands as hand
from wire.errors import CodedError, ExitCode
from wire.pairing_code import digest_of, is_same_code, read_invitation

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.pairing.conversation import Paired, Pairing
    from appliance.pairing.line import Address
    from appliance.setup.errands import Errand, PairRequest
    from wire.pairing_code import Invitation

_ANSWER_S: Final = 15 * 60.0
"""As long as the centre's invitation lasts: whoever compares has a telephone in the hand."""


class _NotCompared(CodedError):
    exit_code = ExitCode.REFUSED


def add_option(parser: argparse.ArgumentParser, errand: "Callable[[Path, argparse.Namespace], int]") -> None:
    """Let a command also do what a screen asked for: with the option, `errand` is run instead."""
    by_hand: Callable[[argparse.Namespace], int] = parser.get_default("run")

    def run(arguments: argparse.Namespace) -> int:
        from appliance.config import DEFAULT_FILE

        if arguments.errand is None:
            return by_hand(arguments)
        return errand(Path(getattr(arguments, "config", None) or DEFAULT_FILE), arguments)

    parser.set_defaults(run=run)
    parser.add_argument(
        "--errand",
        nargs=2,
        type=Path,
        metavar=("ASKED", "TOLD"),
        help="do what the station's screen asked for in the folder ASKED, and tell of it in TOLD (for systemd)",
    )


def run_pair(file: Path, arguments: argparse.Namespace) -> int:
    """Pair as a screen asked. A station that has another centre stays with it: to move takes an administrator."""
    from appliance.config import load
    from appliance.pairing.config import look_at
    from appliance.pairing.conversation import Pairing
    from appliance.setup.errands import Errand, PairProgress, PairRequest

    errand = Errand.named("pair", *arguments.errand)
    with errand.begun():
        try:
            # Told before it is taken: at no moment a screen sees neither.
            errand.tell(PairProgress(step="asking"))
            request = errand.take(PairRequest)
            config = load(file)
            look_at(file)
            certificates = hand.certificates_of(config, arguments.pki)
            pairing = Pairing(config.station.id, certificates, stop=hand.stop_on_signals())
            try:
                paired, address = _paired(errand, pairing, request)
            except CodedError as error:
                if error.code != "PAIR-07":
                    certificates.abandon()
                raise
            hand.keep(file, config, pairing, paired, address)
        except CodedError as error:
            errand.tell(PairProgress(step="failed", code=error.code))
            raise
        errand.tell(PairProgress(step="paired", centre=paired.broker_host))
    return ExitCode.OK


def _paired(errand: "Errand", pairing: "Pairing", request: "PairRequest") -> "tuple[Paired, Address]":
    from appliance.pairing.line import Address
    from appliance.setup.errands import PairProgress

    if request.invitation:
        invitation = _invitation(request.invitation)
        hand.stay_with(pairing.certificates, invitation.authority, may_move=False)
        errand.tell(PairProgress(step="asking", centre=invitation.host))
        return pairing.by_invitation(invitation), Address(invitation.host, invitation.port)
    address = hand.address_of(request.address)
    errand.tell(PairProgress(step="asking", centre=address.host))
    compared = pairing.by_code(address)
    hand.stay_with(pairing.certificates, digest_of(compared.authority_pem), may_move=False)
    errand.tell(PairProgress(step="comparing", centre=address.host, shown=compared.code))
    _compare(errand, compared.code, pairing.stop)
    errand.tell(PairProgress(step="approving", centre=address.host, shown=compared.code))
    return pairing.collected(address, compared), address


def _invitation(text: str) -> "Invitation":
    from wire.pairing_code import NotAnInvitation

    try:
        return read_invitation(text)
    except NotAnInvitation as error:
        raise _NotCompared("PAIR-08", "What was photographed is no pairing code.", "Photograph the code.") from error


def _compare(errand: "Errand", code: str, stop: threading.Event) -> None:
    from appliance.setup.errands import PairAnswer

    answer = errand.wait_for_answer(PairAnswer, stop, _ANSWER_S)
    if answer is None or not is_same_code(answer.code, code):
        raise _NotCompared(
            "PAIR-14",
            "The codes were not the same, or nobody compared them; nothing was changed.",
            "Refuse the station at the centre, then begin anew. If they differ again, somebody may stand in between.",
        )
