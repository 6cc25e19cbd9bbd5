"""A whole site on loopback: real processes, a real broker with TLS, real files."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from central.authority.broker import find_plugin, find_program
from central.config import WorkerLimits
from central.errors import BrokerError
from firmware.registry import CameraConfig
from lattrang.demo.site import Site, SitePlan
from tests.system.pairing_site import Centre

SMALL = CameraConfig(seed=5, width_px=1014, height_px=760)
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Return a function that starts a site; it is stopped after the test, and its logs are shown if the test fails."""
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto")
    sites: list[Site] = []

    def make(*, limits: WorkerLimits | None = None, workers: int = 1, reserve_mib: int = 1) -> Site:
        limits = limits or WorkerLimits(reserve_bytes=0)
        site = Site(SitePlan(tmp_path / "site", SMALL, limits=limits, workers=workers, reserve_mib=reserve_mib))
        sites.append(site)
        return site.__enter__()

    yield make
    for site in sites:
        site.stop()
        for process in site.processes:
            # Shown by pytest where the test failed.
            sys.stderr.write(f"--- {process.name}\n{process.last_words(40)}\n")


@pytest.fixture(scope="module")
def open_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre that can pair, for all tests of a file; its listener is opened by whoever needs it."""
    try:
        find_program()
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    centre = Centre(tmp_path_factory.mktemp("centre"))
    yield centre
    centre.close()
