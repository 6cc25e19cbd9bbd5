"""Pairing from the station's own screen: the desk asks, the unit's command does it, a real centre answers."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from appliance.config import SpoolSection, StationConfig, StationSection, WebSection, load, render
from appliance.errors import SetUpError
from appliance.pairing.desk import PairingDesk
from appliance.setup.api import PairingView
from appliance.setup.errands import Errand
from firmware.interfaces import Plane
from tests.system.pairing_site import Centre
from tests.system.unit_rights import as_the_unit

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def centre(open_centre: Centre) -> Iterator[Centre]:
    with open_centre.listening():
        yield open_centre


class Screen:
    """A station that was never paired, its desk, and somebody who plays systemd: starts the unit when it is asked."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.config = folder / "station.toml"
        sections = StationSection(name), SpoolSection(folder / "spool"), WebSection(folder / "web.token")
        self.config.write_text(render(StationConfig(*sections)), "utf-8")
        for made in ("asked", "told/lattrang-pair"):
            (folder / made).mkdir(parents=True)
        self.picture: Plane = np.full((480, 640), 200, np.uint8)
        self.errand = Errand.named("pair", folder / "asked", folder / "told")
        self.desk = PairingDesk(self.config, self.errand, lambda _full: self.picture)
        self._unit: subprocess.Popen[bytes] | None = None
        self._tick = threading.Event()

    def hold_up(self, text: str) -> None:
        """Hold a code before the camera."""
        drawn = np.array([list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)], np.uint8)
        self.picture = cv2.resize(255 * (1 - drawn), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)

    def until(self, *steps: str) -> PairingView:
        """Wait for one of `steps`, starting the unit when a request lies there."""
        for _ in range(300):
            if self.errand.waits_s() is not None and (self._unit is None or self._unit.poll() is not None):
                folders = [str(self.folder / "asked"), str(self.folder / "told")]
                command = ["-m", "lattrang", "station", "pair", "--config", str(self.config), "--errand", *folders]
                command += ["--pki", str(self.folder / "pki")]
                unit = [*as_the_unit("lattrang-pair.service"), sys.executable, *command]
                self._unit = subprocess.Popen(unit, cwd=ROOT, stderr=subprocess.DEVNULL)
            if (view := self.desk.view()).step in steps:
                return view
            self._tick.wait(0.1)
        pytest.fail(f"still {self.desk.view()}")

    def close(self) -> None:
        self.desk.close()
        if self._unit is not None and self._unit.poll() is None:
            self._unit.kill()
            self._unit.wait(10)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path, "kho-7")
    yield screen
    screen.close()


def test_a_code_held_before_the_camera_pairs_the_station(centre: Centre, screen: Screen) -> None:
    assert screen.desk.view() == PairingView("idle", "kho-7")
    invited = centre.desk.invite("kho-7", 60.0)
    screen.desk.look_for_code()
    assert screen.desk.view().step == "looking"
    with pytest.raises(SetUpError, match="SET-04"):
        screen.desk.look_for_code()
    screen.hold_up(invited.invitation.text())
    assert screen.until("paired", "failed") == PairingView("paired", "kho-7", "127.0.0.1", asking="127.0.0.1")
    broker = load(screen.config).broker
    assert broker is not None
    assert broker.key.stat().st_mode & 0o777 == 0o600
    assert not list((screen.folder / "asked").iterdir()), "nothing of the code stays behind"


def test_a_code_that_was_used_says_so_and_a_new_one_pairs(centre: Centre, screen: Screen, tmp_path: Path) -> None:
    invited = centre.desk.invite("kho-7", 60.0)
    other = Screen(tmp_path / "other", "kho-7")
    for each in (other, screen):
        each.hold_up(invited.invitation.text())
        each.desk.look_for_code()
    assert other.until("paired", "failed").step == "paired"
    other.close()
    assert screen.until("failed").code == "PAIR-10"
    screen.hold_up(centre.desk.invite("kho-7", 60.0).invitation.text())
    screen.desk.look_for_code()
    assert screen.until("paired", "failed").step == "paired"


def test_another_stations_code_changes_nothing(centre: Centre, screen: Screen) -> None:
    screen.hold_up(centre.desk.invite("kho-8", 60.0).invitation.text())
    screen.desk.look_for_code()
    assert screen.until("failed").code == "PAIR-13"
    assert load(screen.config).broker is None


def test_codes_are_compared_at_both_ends(centre: Centre, screen: Screen) -> None:
    centre.desk.invite("kho-7", 60.0)
    screen.desk.pair_at(str(centre.address))
    shown = screen.until("comparing", "failed").shown
    asking = next(one for one in centre.desk.waiting() if one.station == "kho-7")
    assert shown == asking.code
    screen.desk.compare(asking.code)
    assert screen.until("approving", "failed").step == "approving"
    assert centre.desk.decide(asking.request_id, approve=True)
    assert screen.until("paired", "failed").centre == "127.0.0.1"


def test_a_wrong_code_at_the_station_pairs_nothing_though_the_centre_approves(centre: Centre, screen: Screen) -> None:
    centre.desk.invite("kho-7", 60.0)
    screen.desk.pair_at(str(centre.address))
    screen.until("comparing", "failed")
    person = centre.approve_when_asked("kho-7")
    person.join(15)
    screen.desk.compare("0000-0000")
    assert screen.until("failed", "paired").code == "PAIR-14"
    assert load(screen.config).broker is None


def test_who_is_refused_at_the_centre_hears_it(centre: Centre, screen: Screen) -> None:
    centre.desk.invite("kho-7", 60.0)
    screen.desk.pair_at(str(centre.address))
    shown = screen.until("comparing", "failed").shown
    screen.desk.compare(shown)
    centre.approve_when_asked("kho-7", approve=False).join(15)
    assert screen.until("failed", "paired").code == "PAIR-15"


def test_a_station_of_another_centre_is_not_moved_by_its_screen(centre: Centre, screen: Screen, tmp_path: Path) -> None:
    screen.hold_up(centre.desk.invite("kho-7", 60.0).invitation.text())
    screen.desk.look_for_code()
    screen.until("paired")
    before = screen.config.read_bytes()
    broker = load(screen.config).broker
    assert broker is not None
    stranger = centre.desk.invite("kho-7", 60.0).invitation
    forged = type(stranger)(stranger.host, stranger.port, bytes(32), stranger.token, stranger.station)
    screen.hold_up(forged.text())
    screen.desk.look_for_code()
    view = screen.until("failed")
    assert (view.code, view.centre) == ("PAIR-23", "127.0.0.1")
    assert screen.config.read_bytes() == before


def test_nobody_home_is_said(screen: Screen) -> None:
    with pytest.raises(SetUpError, match="SET-02"):
        screen.desk.pair_at("not an address")
    (screen.folder / "asked").rmdir()
    assert not screen.desk.view().is_possible
    with pytest.raises(SetUpError, match="ERR-02"):
        screen.desk.look_for_code()


def test_a_unit_that_was_killed_is_told_and_may_be_asked_again(centre: Centre, screen: Screen) -> None:
    centre.desk.invite("kho-7", 60.0)
    screen.desk.pair_at(str(centre.address))
    screen.until("comparing", "failed")
    assert screen._unit is not None
    screen._unit.kill()
    screen._unit.wait(10)
    assert screen.desk.view().code == "ERR-03"
    screen.hold_up(centre.desk.invite("kho-7", 60.0).invitation.text())
    screen.desk.look_for_code()
    assert screen.until("paired", "failed").step == "paired"
