"""The station as its set-up screens see it: what was done, the parts on trial, pairing, disks, health."""

import json
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.api import SessionState, StationApi
from appliance.config import DEFAULT_FILE, StationConfig, load
from appliance.errors import ConfigError, SetUpError
from appliance.pairing.desk import PairingDesk
from appliance.pairing.photo import lent_eye
from appliance.setup.api import (
    CarryView,
    DiskView,
    FeetView,
    HealthRow,
    NetworkView,
    PairingView,
    PowerView,
    Progress,
    Way,
)
from appliance.setup.bench import Bench, Part
from appliance.setup.errands import ASKED, TOLD, Errand
from appliance.setup.health_rows import health
from appliance.setup.power import WAYS, PowerDesk
from appliance.setup.support import LogTail, support_file
from appliance.setup.usb_disks import UsbDesk

log = logging.getLogger(__name__)
STEPS: Final = ("language", "network", "pairing", "parts", "calibration", "book")
PARTS: Final = ("lamp", "sounder", "light", "camera")
PROGRESS_FILE: Final = "set-up.json"
_ROUTES: Final = Path("/proc/net/route")
_ROUTES6: Final = Path("/proc/net/ipv6_route")
_ANY: Final = "00000000"


class SetUpDesk:
    """Implements `appliance.setup.api.SetUpApi`; any thread may ask.

    Args:
        station: the station; its camera is lent to find the centre's code.
        bench: with the station's parts on it.
        config: as the station runs by it.
        config_file: where that is, read anew where pairing may have changed it.
        tail: of the log.
    """

    def __init__(
        self,
        station: StationApi,
        bench: Bench,
        config: StationConfig,
        config_file: Path,
        tail: LogTail,
    ) -> None:
        self._station = station
        self._bench = bench
        self._config = config
        self._config_file = config_file
        # The units serve the installed station: another one on the same machine, a demo, must not speak for it.
        is_installed = config_file == DEFAULT_FILE
        asked = ASKED if is_installed else config_file.with_name("asked")
        told = TOLD if is_installed else config_file.with_name("told")
        eye = lent_eye(lambda: station.preview()[0])
        self._pairing = PairingDesk(config_file, Errand.named("pair", asked, told), eye)
        self._usb = UsbDesk(Errand.named("usb", asked, told))
        self._power = PowerDesk({way: Errand.named(way, asked, told) for way in WAYS})
        self._tail = tail
        self._file = config.web.token_file.with_name(PROGRESS_FILE)

    def close(self) -> None:
        """End what is under way here. May be called twice."""
        self._pairing.close()

    def progress(self) -> Progress:
        """Return what of the set-up was done."""
        try:
            found = json.loads(self._file.read_bytes())
            done = {step: str(found["done"][step]) for step in STEPS if step in found["done"]}
            parts = {part: bool(found["parts"][part]) for part in PARTS if part in found["parts"]}
            return Progress(done, parts, bool(found.get("put_off")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return Progress()

    def mark_done(self, step: str) -> None:
        """Remember that a step was done; raises `KeyError` where there is no such step."""
        if step not in STEPS:
            raise KeyError(step)
        progress = self.progress()
        done = progress.done | {step: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._keep(replace(progress, done=done))

    def mark_part(self, part: str, *, works: bool) -> None:
        """Remember what a person said of a part; raises `KeyError` where there is no such part."""
        if part not in PARTS:
            raise KeyError(part)
        progress = self.progress()
        self._keep(replace(progress, parts=progress.parts | {part: works}))

    def put_off(self) -> None:
        """Remember that the set-up is to wait."""
        self._keep(replace(self.progress(), is_put_off=True))

    def network(self) -> NetworkView:
        """Return what the machine knows of its network."""
        return NetworkView(_addresses(), has_way_out())

    def pairing(self) -> PairingView:
        """Return how far the pairing is."""
        return self._pairing.view()

    def look_for_code(self) -> None:
        """Look through the camera for the centre's code, and pair by it."""
        self._pairing.look_for_code()

    def pair_at(self, address: str) -> None:
        """Ask the centre at this host or host:port; codes are compared."""
        self._pairing.pair_at(address)

    def compare(self, code: str) -> None:
        """Give the code that the centre shows; an empty one refuses."""
        self._pairing.compare(code)

    def give_up(self) -> None:
        """End a search for the code, or refuse to compare."""
        self._pairing.give_up()

    def feet(self) -> FeetView:
        """Return what the pedals have said since `count_feet`."""
        return self._bench.feet()

    def wait_for_foot(self, after: int, timeout_s: float) -> FeetView:
        """Return as soon as a pedal has said something since `after`, or when `timeout_s` has passed."""
        return self._bench.wait_for_foot(after, timeout_s)

    def count_feet(self) -> None:
        """Begin to count anew."""
        self._bench.count_anew()

    def try_part(self, part: Part) -> None:
        """Let a part show that it works; raises `SetUpError` SES-02 while a book is being captured."""
        if self._station.snapshot().state not in (SessionState.CLOSED, SessionState.FAULT):
            raise SetUpError("SES-02", "A job is open.", "Hand it over first.")
        self._bench.try_part(part)

    def disks(self) -> tuple[DiskView, ...]:
        """Return the disks that captures could be carried on."""
        return self._usb.disks()

    def carry(self, disk: str) -> None:
        """Hand over by this disk."""
        if not self.pairing().centre:
            raise SetUpError("CONF-03", "The station is not paired.", "Pair it first.")
        self._usb.carry(disk)

    def carried(self) -> CarryView:
        """Return how far the hand-over by disk is."""
        return self._usb.view()

    def switch(self, way: Way) -> None:
        """Switch the machine off, or off and on again; raises `SetUpError` while something is being written."""
        self._power.switch(
            way,
            is_capturing=self._station.snapshot().state is SessionState.CAPTURING,
            is_copying=self.carried().step in ("asked", "opening", "copying", "proving"),
        )

    def switching(self) -> PowerView:
        """Return how far that is."""
        return self._power.view()

    def health(self) -> tuple[HealthRow, ...]:
        """Return how every part is, the bad ones first."""
        return health(self._present_config(), self._station.snapshot())

    def support_file(self) -> bytes:
        """Return the file for whoever helps from far away."""
        return support_file(
            self._config_file,
            self._config.spool.folder,
            self._station.snapshot(),
            self.health(),
            self.progress(),
            self._tail.lines(),
        )

    def _present_config(self) -> StationConfig:
        try:
            return load(self._config_file)
        except ConfigError:
            return self._config

    def _keep(self, progress: Progress) -> None:
        temporary = self._file.with_name(f"{self._file.name}.new")
        content = json.dumps({"done": progress.done, "parts": progress.parts, "put_off": progress.is_put_off}).encode()
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(descriptor)
            temporary.rename(self._file)
        except OSError as error:
            # A set-up that is asked for once more costs a minute; nothing else hangs on it.
            log.warning("set-up not remembered: %s", error)


def has_way_out(routes: Path = _ROUTES, routes6: Path = _ROUTES6) -> bool:
    """Tell whether a way leads out of this machine's own network."""
    return _has_default(routes, lambda fields: fields[1] == _ANY and fields[7] == _ANY) or _has_default(
        routes6, lambda fields: fields[0] == _ANY * 4 and fields[1] == "00" and fields[9] != "lo"
    )


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
