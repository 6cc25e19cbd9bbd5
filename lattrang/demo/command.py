"""What `lattrang demo` does: set the site up, then either capture a book and count, or stay until told to stop."""

import argparse
import contextlib
import dataclasses
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from central.audit import audit
from central.catalogue import Catalogue
from central.office import Office
from central.receiving.staging import StoreLayout
from firmware.camera_replay import photographs
from firmware.registry import CameraConfig
from lattrang.demo.client import Refused
from lattrang.demo.operator import Operator
from lattrang.demo.site import FIRST_PORT, Site, SitePlan
from lattrang.demo.tally import Outcome, safe_events, stored_in, tally
from lattrang.demo.waiting import wait_until
from wire.errors import ExitCode

DATA_FOLDER: Final = Path(".demo")
TITLE: Final = "Bên dòng sông cũ"
PERSON: Final = "Lan"
PIN: Final = "1234"
PHOTOS_TITLE: Final = "Ảnh chụp có sẵn"
RECEIPT_TIMEOUT_S: Final = 600.0
DERIVATIVE_TIMEOUT_S: Final = 600.0
_WATCH_EVERY_S: Final = 1.0


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and return the exit code."""
    photos = Path(arguments.photos).resolve() if arguments.photos else None
    presses = len(photographs(photos)) if photos else arguments.spreads
    camera = (
        CameraConfig("replay", folder=photos, loop=not arguments.once) if photos else CameraConfig(seed=arguments.seed)
    )
    if not arguments.once:
        folder = Path(arguments.data or DATA_FOLDER).resolve()
        return _stay(SitePlan(folder, camera, port=FIRST_PORT if arguments.port is None else arguments.port))
    title = PHOTOS_TITLE if photos else TITLE
    if arguments.data:
        return _once(SitePlan(Path(arguments.data).resolve(), camera, port=arguments.port or 0), title, presses)
    folder = Path(tempfile.mkdtemp(prefix="lattrang-demo-"))
    code = _once(SitePlan(folder, camera, port=arguments.port or 0), title, presses)
    if code == ExitCode.OK:
        shutil.rmtree(folder)
    else:
        _say(f"what it left is in {folder}")
    return code


def _once(plan: SitePlan, title: str, presses: int) -> int:
    """Capture, wait for every receipt and derivative, count on both disks, print the line."""
    # Told to end in the middle, it must still end what it started.
    signal.signal(signal.SIGTERM, _interrupt)
    with Site(plan) as site:
        operator = Operator(site.client())
        job_id = operator.open_job(title)
        began_s = time.monotonic()
        for number in range(1, presses + 1):
            operator.capture()
            _progress(f"{number}/{presses} captured")
        try:
            operator.hand_over()
            operator.wait_until_confirmed(
                job_id, RECEIPT_TIMEOUT_S, lambda done, of: _progress(f"{done}/{of} confirmed by the centre")
            )
        except TimeoutError as error:
            # Not a reason to stop counting: what is missing shows in the figures.
            _say(str(error))
        received_s = time.monotonic()
        _wait_for_derivatives(site)
        outcome = count(site, {job_id}, received_s - began_s, time.monotonic() - received_s)
    return _report(outcome)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def count(site: Site, job_ids: set[str], seconds: float, derivative_seconds: float) -> Outcome:
    """Count on both disks what became of the captures of some jobs."""
    layout = StoreLayout(site.central.store)
    with Catalogue(site.central.database_url) as catalogue:
        report = audit(layout, catalogue)
    return tally(
        safe_events(sorted((site.spool / "log").glob("events*.jsonl")), job_ids),
        list(stored_in(site.spool / "captures")),
        list(stored_in(layout.staging)),
        digest_mismatches=sum(fault.problem == "mismatch" for fault in report.faults),
        seconds=seconds,
        derivative_seconds=derivative_seconds,
    )


def _wait_for_derivatives(site: Site) -> None:
    with Catalogue(site.central.database_url) as catalogue:
        office = Office(catalogue, StoreLayout(site.central.store))
        try:
            wait_until(lambda: office.totals().thumbnails_waiting == 0, DERIVATIVE_TIMEOUT_S, "every derivative")
        except TimeoutError as error:
            _say(str(error))


def _report(outcome: Outcome) -> int:
    _progress("")
    print(json.dumps(dataclasses.asdict(outcome)))
    return ExitCode.OK if outcome.is_whole and outcome.spreads > 0 else ExitCode.FAILED


def _stay(plan: SitePlan) -> int:
    """Run until told to stop; a process that dies is started again, as systemd does on a station."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with Site(plan) as site:
        _sign_up(site)
        print(f"Staff at the station      {site.staff_address}   ({PERSON}, PIN {PIN})")
        print(f"Manager at the centre     {site.manager_address}")
        print(f"Configuration and data    {plan.folder}")
        print("Ctrl-C stops everything; the data stays.", flush=True)
        while not stop.wait(_WATCH_EVERY_S):
            for process in site.processes:
                if process.exit_code is not None:
                    _say(f"{process.name} ended (see {process.log_file}); starting it again")
                    process.start()
            if not site.broker.is_running:
                _say("the broker ended; starting it again")
                site.broker.start()
    return ExitCode.OK


def _sign_up(site: Site) -> None:
    """Let the first visitor be signed in at once; a later run asks for the PIN, as a station does."""
    with contextlib.suppress(Refused):
        site.client().post("/people", {"name": PERSON, "pin": PIN})


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def _say(words: str) -> None:
    print(f"lattrang demo: {words}", file=sys.stderr)
