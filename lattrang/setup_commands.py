"""`lattrang station setup` and `lattrang central setup`: what the installer has the program itself write and judge."""

import argparse
import hashlib
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wire.errors import ExitCode
from wire.ids import is_name

_MACHINE_ID: Final = Path("/etc/machine-id")
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")


def add_station(parser: argparse.ArgumentParser) -> None:
    """Add what the station's setup takes."""
    parser.add_argument("--name", type=_name, metavar="NAME", help="of the station (made from the machine)")
    parser.add_argument("--centre", type=_host, metavar="HOST", help="name or address of the central server")
    parser.add_argument("--simulated", action="store_true", help="no Raspberry Pi: a drawn book for a camera")
    _add_check(parser, _set_up_station)


def add_central(parser: argparse.ArgumentParser) -> None:
    """Add what the server's setup takes."""
    parser.add_argument("--host", type=_host, metavar="HOST", help="by which stations reach this server (its own name)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="how many receive at once (2)")
    _add_check(parser, _set_up_central)


def _add_check(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--check", action="store_true", help="only read the configuration that is there")
    parser.add_argument("--back", action="store_true", help="after an update that failed: put back what it changed")
    parser.set_defaults(run=run)


def _set_up_station(arguments: argparse.Namespace) -> int:
    from appliance import first_config
    from appliance.config import DEFAULT_FILE, load

    file = Path(getattr(arguments, "config", None) or DEFAULT_FILE)
    if arguments.check:
        print(f"{file}: station {load(file).station.id}.")
        return ExitCode.OK
    if arguments.back:
        from appliance.spool import schema
        from appliance.spool.files import Paths

        return _went_back("index", schema.put_back(Paths(load(file).spool.folder).database))
    machine = first_config.WITHOUT_HARDWARE if arguments.simulated else first_config.PI
    text = first_config.first_config(arguments.name or machine_name(), machine, arguments.centre)
    is_new = first_config.write_once(file, text)
    print(f"{file}: station {load(file).station.id}, {'written' if is_new else 'kept as it is'}.")
    return ExitCode.OK


def _set_up_central(arguments: argparse.Namespace) -> int:
    from central.authority.setting_up import Places, set_up
    from central.config import DEFAULT_FILE, load

    file = Path(getattr(arguments, "config", None) or DEFAULT_FILE)
    if arguments.check:
        print(f"{file}: store {load(file).store}.")
        return ExitCode.OK
    if arguments.back:
        from central.catalogue.database import put_back

        return _went_back("catalogue", put_back(load(file).database_url))
    workers = [f"w{number}" for number in range(1, arguments.workers + 1)]
    is_new = set_up(Places(config=file), arguments.host or socket.gethostname(), workers)
    print(f"{file}: store {load(file).store}, {'written' if is_new else 'kept as it is'}.")
    return ExitCode.OK


def _went_back(what: str, is_back: bool) -> int:
    print(f"The {what} is as it was before the update." if is_back else f"The {what} needed no going back.")
    return ExitCode.OK


def machine_name(machine_id: Path = _MACHINE_ID) -> str:
    """Return a name that no other machine has; images are copied with their host name, but not with this."""
    try:
        identity = machine_id.read_text("ascii").strip()
    except OSError:
        identity = ""
    # Never the number itself: it is the machine's secret.
    return f"tram-{hashlib.sha256(f'lattrang {identity or socket.gethostname()}'.encode()).hexdigest()[:6]}"


def _name(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError("use a-z, 0-9 and dashes, at most 32")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise argparse.ArgumentTypeError("use a host name or an address")
    return text
