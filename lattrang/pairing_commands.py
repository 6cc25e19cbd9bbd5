"""`lattrang station pair`, `lattrang central pair` and `renew`: pairing as two people do it, one at each end."""

import argparse
import http.client
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING, Final

from wire.errors import CodedError, ExitCode
from wire.ids import is_name
from wire.pairing import DEFAULT_PORT
from wire.pairing_code import digest_of, is_same_code

if TYPE_CHECKING:
    from collections.abc import Callable

    import segno

    from appliance.config import StationConfig
    from appliance.pairing.conversation import Paired, Pairing
    from appliance.pairing.files import Certificates
    from appliance.pairing.line import Address
    from central.catalogue.pairing_records import Asking
    from central.pairing.desk import Invited, PairingDesk
    from wire.pairing_code import Invitation

_LOOK_EVERY_S: Final = 1.0
_MOST_TYPED: Final = 3
_MINUTES: Final = 15
_MOST_MINUTES: Final = 24 * 60
_KEYS_OF_A_SERVICE: Final = Path("/var/lib/lattrang-publisher")


class _PairingFailed(CodedError):
    """What a person has to put right first."""

    exit_code = ExitCode.REFUSED


def add_station(parser: argparse.ArgumentParser) -> None:
    """Add what `lattrang station pair` takes."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--photo", type=Path, metavar="FILE", help="a photograph of the code (else: the station's camera)")
    way.add_argument(
        "--address", metavar="HOST", help="no code at hand: the centre's HOST or HOST:PORT; codes are compared"
    )
    parser.add_argument("--move", action="store_true", help="leave another centre for this one")
    parser.add_argument("--pki", type=Path, metavar="DIR", help="where key and certificates are kept")
    parser.set_defaults(run=_pair_station)


def add_central(parser: argparse.ArgumentParser) -> None:
    """Add what `lattrang central pair` takes."""
    parser.add_argument("station", type=_name, metavar="STATION", help="name of the station")
    parser.add_argument(
        "--minutes", type=_minutes, default=_MINUTES, metavar="N", help=f"how long the code counts ({_MINUTES})"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also write the code to FILE.png or FILE.svg")
    parser.set_defaults(run=_pair_central)


def add_renew(parser: argparse.ArgumentParser) -> None:
    """Add what `lattrang central renew` takes."""
    parser.add_argument("--all", action="store_true", help="also those that last for long yet")
    parser.set_defaults(run=_renew_central)


# At the station


def _pair_station(arguments: argparse.Namespace) -> int:
    from appliance.config import DEFAULT_FILE, load
    from appliance.pairing.config import look_at
    from appliance.pairing.conversation import Pairing

    file = Path(getattr(arguments, "config", None) or DEFAULT_FILE)
    config = load(file)
    look_at(file)
    certificates = certificates_of(config, arguments.pki)
    pairing = Pairing(config.station.id, certificates, stop=stop_on_signals())
    try:
        if arguments.address is None:
            invitation = _invitation(config, arguments.photo, pairing.stop)
            stay_with(certificates, invitation.authority, may_move=arguments.move)
            paired, address = _by_invitation(pairing, invitation)
        else:
            paired, address = _by_code(pairing, address_of(arguments.address), may_move=arguments.move)
    except CodedError as error:
        # Where nobody answered the code may still be good, for this key and no other.
        if error.code != "PAIR-07":
            certificates.abandon()
        raise
    keep(file, config, pairing, paired, address)
    print(f"Paired: this is {config.station.id}, its centre is {paired.broker_host}.")
    print("Now start the publisher again: systemctl restart lattrang-publisher")
    return ExitCode.OK


def _invitation(config: "StationConfig", photo: Path | None, stop: threading.Event) -> "Invitation":
    from appliance.pairing import photo as pairing_photo
    from firmware.registry import open_camera

    if photo is not None:
        return pairing_photo.read_photo(photo)
    print("Hold the centre's code where the book lies, as large and as still as you can.", flush=True)
    if (preview := _running_station(config)) is not None:
        # A camera has one master: while the station runs, it lends its eye.
        return pairing_photo.watch(pairing_photo.lent_eye(preview), stop)
    with closing(open_camera(config.hardware.cameras[0])) as camera:
        return pairing_photo.watch(pairing_photo.own_eye(camera), stop)


def _running_station(config: "StationConfig") -> "Callable[[], bytes] | None":
    """Return how to ask a station that runs on this machine for its preview; None where none runs."""
    from firmware.errors import HardwareError

    web = config.web
    try:
        token = web.token_file.read_text("ascii").strip()
        with create_connection((web.host, web.port), timeout=2.0):
            pass
    except (OSError, ValueError):
        return None

    def preview() -> bytes:
        line = http.client.HTTPConnection(web.host, web.port, timeout=10)
        try:
            line.request("GET", "/preview", headers={"Authorization": f"Bearer {token}"})
            answer = line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise HardwareError("CAM-02", f"The station hung up ({error}).", "Start it, then try again.") from error
        finally:
            line.close()
        if answer.status != http.client.OK:
            raise HardwareError("CAM-02", "The station's camera gives no pictures.", "See the station's screen.")
        return content

    return preview


def stay_with(certificates: "Certificates", authority: bytes, *, may_move: bool) -> None:
    """Raise where a station that has a centre would leave it for another, unless somebody said so."""
    try:
        present = digest_of(certificates.ca.read_text("ascii"))
    except (OSError, ValueError):
        return
    if present != authority and not may_move:
        raise _PairingFailed(
            "PAIR-23",
            "This station belongs to another centre; what waits on it would go to the new one.",
            "If that is meant, say so: lattrang station pair --move",
        )


def _by_invitation(pairing: "Pairing", invitation: "Invitation") -> "tuple[Paired, Address]":
    from appliance.pairing.line import Address

    print(f"The code invites {invitation.station} to the centre at {invitation.host}.", flush=True)
    return pairing.by_invitation(invitation), Address(invitation.host, invitation.port)


def _by_code(pairing: "Pairing", address: "Address", *, may_move: bool) -> "tuple[Paired, Address]":
    compared = pairing.by_code(address)
    stay_with(pairing.certificates, digest_of(compared.authority_pem), may_move=may_move)
    print(f"\n    {compared.code}\n")
    print("The centre's screen must show the same code for this station. Somebody has to look, there and here.")
    try:
        typed = input("Type the code that the centre shows (Enter refuses): ")
    except EOFError as error:
        raise _PairingFailed(
            "PAIR-14", "Nobody has compared the codes.", "Run this where somebody can type."
        ) from error
    if not is_same_code(typed, compared.code):
        raise _PairingFailed(
            "PAIR-14",
            "The codes were not the same; nothing was changed.",
            "Refuse the station at the centre, then begin anew. If they differ again, somebody may stand in between.",
        )
    print("Waiting until the centre approves…", flush=True)
    return pairing.collected(address, compared), address


def keep(file: Path, config: "StationConfig", pairing: "Pairing", paired: "Paired", address: "Address") -> None:
    """Put what a pairing gave into configuration and key folder."""
    from appliance.config import BrokerSection
    from appliance.pairing.config import write_broker

    files = pairing.certificates
    way = BrokerSection(paired.broker_host, files.ca, files.cert, files.key, paired.broker_port, address.port)
    if config.broker != way:
        write_broker(file, way)
    # Last: where the publisher waits for its certificate to appear, it finds all the rest.
    pairing.keep(paired)


def certificates_of(config: "StationConfig", folder: Path | None) -> "Certificates":
    """Return where the station keeps key and certificates: `folder`, or where they are, or belong."""
    from appliance.pairing.files import Certificates

    if folder is None and config.broker is not None:
        return Certificates(config.broker.ca, config.broker.cert, config.broker.key)
    if folder is None:
        folder = _KEYS_OF_A_SERVICE if _KEYS_OF_A_SERVICE.is_dir() else config.spool.folder.parent / "pki"
    folder = folder.resolve()
    return Certificates(folder / "ca.crt", folder / "station.crt", folder / "station.key")


def address_of(text: str) -> "Address":
    """Return the address in HOST or HOST:PORT."""
    from appliance.pairing.line import Address

    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return Address(host, int(port))
    return Address(text.strip("[]"), DEFAULT_PORT)


# At the centre


def _pair_central(arguments: argparse.Namespace) -> int:
    from central import config as central_config
    from central.catalogue import Catalogue
    from central.pairing.desk import PairingDesk
    from central.receiving.staging import StoreLayout

    config = central_config.load(Path(getattr(arguments, "config", central_config.DEFAULT_FILE)))
    StoreLayout(config.store).create()
    stop = stop_on_signals()
    with Catalogue(config.database_url) as catalogue:
        desk = PairingDesk(config, catalogue)
        if desk.is_paired(arguments.station):
            print(
                f"{arguments.station} is paired already. The machine that has its name now is shut out by the new one."
            )
        invited = desk.invite(arguments.station, arguments.minutes * 60.0)
        _show(invited, arguments.picture)
        if not desk.is_listened_to():
            print("lattrang: nobody listens for stations yet; start: lattrang central run", file=sys.stderr)
        try:
            return _attend(desk, invited, stop)
        finally:
            if desk.outcome(invited.key) == "open":
                desk.withdraw(arguments.station)


def _show(invited: "Invited", picture: Path | None) -> None:
    import segno

    invitation = invited.invitation
    code = segno.make_qr(invitation.text(), error="m")
    if picture is not None:
        _save(code, picture)
    code.terminal(compact=True)
    port = "" if invitation.port == DEFAULT_PORT else f":{invitation.port}"
    print(f"At {invitation.station}: show this code to its camera (lattrang station pair),")
    print(f"or without a picture: lattrang station pair --address {invitation.host}{port}")
    print(f"It counts once, until {invited.expires_at[:16].replace('T', ' ')} UTC. Ctrl-C takes it back.", flush=True)


def _save(code: "segno.QRCode", picture: Path) -> None:
    try:
        code.save(str(picture), scale=8)
    except (OSError, ValueError) as error:
        raise _PairingFailed(
            "PAIR-21", f"{picture} cannot be written ({error}).", "Name a file that ends in .png or .svg."
        ) from error


def _attend(desk: "PairingDesk", invited: "Invited", stop: threading.Event) -> int:
    """Wait for the station, and for a person's word where codes are compared; return the exit code."""
    station, asked = invited.invitation.station, set[str]()
    while not stop.is_set():
        match desk.outcome(invited.key):
            case "paired":
                print(f"{station} is paired.")
                return ExitCode.OK
            case "ended":
                print("lattrang: nobody came in time; the code counts no longer.", file=sys.stderr)
                return ExitCode.FAILED
            case "open":
                pass
        for asking in desk.waiting():
            if asking.station == station and asking.request_id not in asked:
                asked.add(asking.request_id)
                _decide(desk, asking)
        stop.wait(_LOOK_EVERY_S)
    print("lattrang: taken back.", file=sys.stderr)
    return ExitCode.FAILED


def _decide(desk: "PairingDesk", asking: "Asking") -> None:
    print(f"\n{asking.station} asks from {asking.address} and shows\n\n    {asking.code}\n")
    is_same = _is_typed("Type the code that the station shows (Enter refuses): ", asking.code)
    if not desk.decide(asking.request_id, approve=is_same):
        print("lattrang: too late, this counts no longer.", file=sys.stderr)
    elif is_same:
        print("Approved. Waiting until the station has fetched its certificate…", flush=True)
    else:
        print("Refused. If the codes differ again, somebody may stand in between.", flush=True)


def _renew_central(arguments: argparse.Namespace) -> int:
    from central import config as central_config
    from central.authority.renewing import renew

    config = central_config.load(Path(getattr(arguments, "config", central_config.DEFAULT_FILE)))
    renewed = renew(config, everything=arguments.all)
    for name, until in renewed:
        print(f"{name:20} until {until:%Y-%m-%d}")
    if not renewed:
        print("Nothing ends soon.")
    else:
        print("Start again: the broker, then the centre's services. Stations renew theirs by themselves.")
    return ExitCode.OK


def _is_typed(prompt: str, code: str) -> bool:
    """Tell whether a person types `code`; somebody who errs is asked again, somebody who is not there has not."""
    for _ in range(_MOST_TYPED):
        try:
            typed = input(prompt)
        except EOFError:
            return False
        if is_same_code(typed, code):
            return True
        if not typed.strip():
            return False
        print("That is not the code that stands here. Read each letter again.", flush=True)
    return False


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM sets."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return stop


def _name(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError("use a-z, 0-9 and dashes, at most 32")
    return text


def _minutes(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {_MOST_MINUTES}")
    return int(text)
