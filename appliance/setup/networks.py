"""What the machine knows of its networks: sockets, addresses, a way out, Wi-Fi within reach. Read only."""

import fcntl
import logging
import re
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.setup.api import InterfaceView, NetworkView, WifiView

log = logging.getLogger(__name__)

_ROUTES: Final = Path("/proc/net/route")
_ROUTES6: Final = Path("/proc/net/ipv6_route")
_INTERFACES: Final = Path("/sys/class/net")
_ANY: Final = "00000000"
_SIOCGIFADDR: Final = 0x8915
_NMCLI_S: Final = 3.0
_MOST_WIFI: Final = 8
_FIELD: Final = re.compile(r"((?:[^:\\]|\\.)*)(?::|$)")


def network() -> NetworkView:
    """Return how the machine's networks are now. Takes up to three seconds where NetworkManager is slow."""
    found = interfaces()
    has_wifi = any(one.kind == "wifi" for one in found)
    return NetworkView(_addresses(), has_way_out(), found, wifi_list() if has_wifi else None)


def has_way_out(routes: Path = _ROUTES, routes6: Path = _ROUTES6) -> bool:
    """Tell whether a way leads out of this machine's own network."""
    return _has_default(routes, lambda fields: fields[1] == _ANY and fields[7] == _ANY) or _has_default(
        routes6, lambda fields: fields[0] == _ANY * 4 and fields[1] == "00" and fields[9] != "lo"
    )


def _address(name: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            told = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return ""
    return socket.inet_ntoa(told[20:24])


def interfaces(folder: Path = _INTERFACES, address_of: Callable[[str], str] = _address) -> tuple[InterfaceView, ...]:
    """Return the machine's real sockets and radios, those that are plugged in first."""
    found = []
    for one in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (one / "device").exists():
            continue  # a bridge, a tunnel, the machine itself: nothing to plug a cable into
        is_wifi = (one / "wireless").exists() or (one / "phy80211").exists()
        is_plugged = _text(one / "carrier") == "1"
        found.append(
            InterfaceView(
                one.name, "wifi" if is_wifi else "cable", is_plugged, address_of(one.name) if is_plugged else ""
            )
        )
    return tuple(sorted(found, key=lambda view: (not view.address, not view.is_plugged, view.name)))


def wifi_list() -> tuple[WifiView, ...] | None:
    """Return which Wi-Fi networks NetworkManager has seen lately; None where it cannot be asked."""
    program = shutil.which("nmcli")
    if program is None:
        return None
    asked = [program, "-t", "-f", "IN-USE,SSID,SIGNAL", "device", "wifi", "list", "--rescan", "no"]
    try:
        told = subprocess.run(asked, capture_output=True, timeout=_NMCLI_S, check=True)  # noqa: S603 - our own words
    except (OSError, subprocess.SubprocessError) as error:
        log.info("NetworkManager does not answer: %s", error)
        return None
    return read_wifi(told.stdout.decode("utf-8", "replace"))


def read_wifi(text: str) -> tuple[WifiView, ...]:
    """Return the networks in nmcli's terse answer, each name once, the strongest first; hidden ones have no name."""
    found: dict[str, WifiView] = {}
    for line in text.splitlines():
        fields = [re.sub(r"\\(.)", r"\1", field) for field in _FIELD.findall(line)][:3]
        if len(fields) < 3 or not fields[1].strip() or not fields[2].isdigit():
            continue
        view = WifiView(fields[1].strip(), min(100, int(fields[2])), fields[0] == "*")
        known = found.get(view.name)
        if known is None or (view.is_used, view.strength) > (known.is_used, known.strength):
            found[view.name] = view
    by_strength = sorted(found.values(), key=lambda view: (not view.is_used, -view.strength, view.name))
    return tuple(by_strength[:_MOST_WIFI])


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):  # what is switched off has no carrier to read
        return ""


def _has_default(routes: Path, is_default: Callable[[list[str]], bool]) -> bool:
    try:
        rows = [line.split() for line in routes.read_text("ascii").splitlines()]
    except OSError:
        return False
    return any(len(fields) > 9 and is_default(fields) for fields in rows)


def _addresses() -> tuple[str, ...]:
    # Nothing is sent: the kernel only says which address it would send from.
    found = set()
    for family, there in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((there, 9))
                found.add(str(probe.getsockname()[0]))
        except OSError:
            continue
    return tuple(sorted(found))
