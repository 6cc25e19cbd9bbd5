"""The station as its set-up screens see it: what was done, the parts on trial, pairing, disks, health."""

import json
import logging
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np

from appliance.api import NewJob, SessionState, StationApi
from appliance.config import DEFAULT_FILE, StationConfig, load
from appliance.errors import ConfigError, SetUpError
from appliance.pairing.desk import PairingDesk
from appliance.pairing.photo import lent_eye
from appliance.setup.api import (
    CarryView,
    Certificate,
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
from appliance.setup.gauge import Gauge, PaperGauge, Reading
from appliance.setup.health_rows import health
from appliance.setup.networks import network
from appliance.setup.power import WAYS, PowerDesk
from appliance.setup.stillness import Watched, watch
from appliance.setup.support import LogTail, support_file
from appliance.setup.usb_disks import UsbDesk
from firmware.errors import HardwareError

log = logging.getLogger(__name__)
STEPS: Final = ("language", "network", "pairing", "parts", "calibration", "book")
PARTS: Final = ("lamp", "sounder", "light", "camera")
PROGRESS_FILE: Final = "set-up.json"
_SPOILED: Final = 3
"""Which picture of the test book is made unsharp: after two good ones, so that the difference is seen."""


class SetUpDesk:
    """Implements `appliance.setup.api.SetUpApi`; any thread may ask.

    Args:
        station: the station; its camera is lent to find the centre's code.
        bench: with the station's parts on it.
        config: as the station runs by it.
        config_file: where that is, read anew where pairing may have changed it.
        tail: of the log.
        gauge: measures how the station stands; left out, by a sheet of paper.
    """

    def __init__(
        self,
        station: StationApi,
        bench: Bench,
        config: StationConfig,
        config_file: Path,
        tail: LogTail,
        gauge: Gauge | None = None,
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
        self._gauge = gauge or PaperGauge()
        self._seen: tuple[Reading, int] | None = None
        self._watched = Watched()
        self._watching = threading.Lock()
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
            certificate = msgspec.convert(found.get("certificate"), Certificate | None)
            return Progress(done, parts, certificate, bool(found.get("put_off")))
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
        return network()

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
        self._require_no_job()
        self._bench.try_part(part)

    def measure(self) -> Reading:
        """Look once through the camera at what lies there; raises `SetUpError` SES-02 while a job is open."""
        self._require_no_job()
        luma = self._bench.look()
        reading = self._gauge.read(luma)
        self._seen = reading, luma.shape[1]
        return reading

    def reading(self) -> Reading | None:
        """Return what the last look since the station's start showed."""
        return self._seen[0] if self._seen else None

    def watch(self) -> Reading | None:
        """Look at the live picture, measure anew where that is due, and return what the last look showed."""
        # Two screens may ask at once: one look is enough, and the camera gives one frame at a time.
        if self._watching.acquire(blocking=False):
            try:
                jpeg = np.frombuffer(self._station.preview()[0], np.uint8)
                luma = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
                self._watched, is_due = watch(self._watched, luma, time.monotonic_ns())
                if is_due:
                    self.measure()
            except (HardwareError, SetUpError) as error:
                # The page says by itself that the camera is away, or that a book is open; "measure" says why.
                log.debug("nothing measured: %s", error)
            finally:
                self._watching.release()
        return self.reading()

    def certify(self) -> None:
        """Keep the last reading as the station's certificate; raises `SetUpError` SET-06 where there is none."""
        if self._seen is None:
            raise SetUpError("SET-06", "Nothing was measured.", "Measure first.")
        reading, width_px = self._seen
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._keep(replace(self.progress(), certificate=Certificate(now, width_px, reading.rows)))

    def open_trial(self, title: str) -> None:
        """Open a job that is an exercise, and spoil its third picture."""
        job_id = self._station.open_job(NewJob(title=title, is_exercise=True))

        def is_due() -> bool:
            job = self._station.snapshot().job
            return job is not None and job.job_id == job_id and job.entries == _SPOILED - 1

        self._bench.spoil_once(is_due)

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
        return health(self._present_config(), self._station.snapshot(), self.progress().certificate)

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

    def _require_no_job(self) -> None:
        if self._station.snapshot().state not in (SessionState.CLOSED, SessionState.FAULT):
            raise SetUpError("SES-02", "A job is open.", "Hand it over first.")

    def _present_config(self) -> StationConfig:
        try:
            return load(self._config_file)
        except ConfigError:
            return self._config

    def _keep(self, progress: Progress) -> None:
        temporary = self._file.with_name(f"{self._file.name}.new")
        kept = {
            "done": progress.done,
            "parts": progress.parts,
            "put_off": progress.is_put_off,
            "certificate": progress.certificate,
        }
        content = msgspec.json.encode(kept)
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
