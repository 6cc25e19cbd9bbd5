"""Whether the capture page takes ever more of the browser's memory while somebody works at it.

A real Chromium on the real program with simulated hardware: the live picture moves at full pace, a key presses.
Said is the proportional set size (PSS) of the whole browser and, after its rubbish was collected, the page's own heap,
nodes and listeners. Each slope is a straight line through the second half of the samples; what their own scatter
explains is no growth.
"""

import argparse
import logging
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from appliance.api import NewJob
from appliance.config import ImagingSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.station import run_station
from benchmarks.soak_parts import Course, Moving
from firmware.registry import CameraConfig, HardwareConfig
from web_ui.common.keyfile import load_or_create
from web_ui.serve import serve
from web_ui.station.app import create_app

GOAL_MIB_AN_HOUR: Final = 30 / 8
"""30 MiB in a working day."""
PRESS_EVERY_S: Final = 8.0
LOOK_EVERY_S: Final = 5.0
_PAGE_MS: Final = 60_000
_BROWSER: Final = ("--no-sandbox", "--disable-gpu", "--enable-precise-memory-info")


def main(arguments: Sequence[str] | None = None) -> int:
    """Work at the page for a while; print what its memory did; 1 where it grew."""
    parser = argparse.ArgumentParser(prog="benchmarks/soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed: apt install chromium")
    with _quiet(), tempfile.TemporaryDirectory() as folder, _station(Path(folder), options.seed) as (address, moving):
        course, presses = _work(chromium, address, moving, 60 * options.minutes)
    print(f"soak: {options.minutes:g} minutes, {presses} presses, live picture {course.fps:.1f} a second, "
          f"browser {course.cpu_percent:.0f} % of one core")  # fmt: skip
    for line in course.lines(GOAL_MIB_AN_HOUR):
        print(line)
    return int(course.has_grown(GOAL_MIB_AN_HOUR))


@contextmanager
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _station(folder: Path, seed: int) -> Iterator[tuple[str, Moving]]:
    """Run a station with a job open; yield where to enter, and its live picture."""
    config = StationConfig(
        station=StationSection("tram-01"),
        spool=SpoolSection(folder / "spool", 1),
        web=WebSection(folder / "web.token"),
        hardware=HardwareConfig(cameras=(CameraConfig(seed=seed, width_px=1014, height_px=760),)),
        imaging=ImagingSection(),
    )
    token, ready, stop = load_or_create(config.web.token_file), threading.Event(), threading.Event()
    found: list[Any] = []

    def serve_it(station: Any, ending: threading.Event) -> None:
        moving = Moving(station)
        app = create_app(moving, token=token, secret_key=token.encode())  # type: ignore[arg-type]

        def listening(port: int) -> None:
            found.extend((f"http://127.0.0.1:{port}/enter?token={token}", moving))
            ready.set()

        serve(app, "127.0.0.1", 0, ending, on_ready=listening)

    (folder / "spool").mkdir()
    running = threading.Thread(target=run_station, args=(config, serve_it, stop), name="station")
    running.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("The station did not start.")
        found[1].open_job(NewJob(title="Bên dòng sông cũ"))
        yield found[0], found[1]
    finally:
        stop.set()
        running.join(60)


def _work(chromium: str, address: str, moving: Moving, seconds: float) -> tuple[Course, int]:
    from playwright.sync_api import sync_playwright

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(_BROWSER))
        page = browser.new_page(viewport={"width": 1024, "height": 600})
        page.set_default_timeout(_PAGE_MS)
        page.goto(address)
        page.wait_for_selector("#live[data-number]")
        inside = page.context.new_cdp_session(page)
        course, presses, began_s = Course(lambda: _browser(before)), 0, time.monotonic()
        next_press_s = next_look_s = 0.0
        while (now_s := time.monotonic() - began_s) < seconds:
            if now_s >= next_press_s:
                page.keyboard.press("Space", delay=80)
                presses, next_press_s = presses + 1, now_s + PRESS_EVERY_S
            if now_s >= next_look_s:
                inside.send("HeapProfiler.collectGarbage")
                heap, dom = inside.send("Runtime.getHeapUsage"), inside.send("Memory.getDOMCounters")
                course.look(now_s, heap["usedSize"], dom["nodes"], dom["jsEventListeners"], moving.pictures)
                next_look_s = now_s + LOOK_EVERY_S
            page.wait_for_timeout(200)
        browser.close()
    return course, presses


def _browser(before: set[int]) -> list[psutil.Process]:
    """Return the browser among our descendants: all that was not there before and is no driver."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.pid not in before and "chrom" in child.name():
                found.append(child)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
