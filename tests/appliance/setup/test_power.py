"""Switching the machine off from the screen: both ends, with real files between them, and nothing switched off."""

import os
import time
from pathlib import Path

import pytest

from appliance.errors import SetUpError
from appliance.setup.api import PowerView
from appliance.setup.errands import Errand
from appliance.setup.power import WAYS, PowerDesk
from appliance.setup.usb_disks import PATIENCE_S
from lattrang.cli import main


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Where it is asked, and where it is told."""
    asked, told = tmp_path / "asked", tmp_path / "told"
    asked.mkdir()
    for way in WAYS:
        (told / f"lattrang-{way}").mkdir(parents=True)
    return asked, told


@pytest.fixture
def desk(places: tuple[Path, Path]) -> PowerDesk:
    return PowerDesk({way: Errand.named(way, *places) for way in WAYS})


def unit(places: tuple[Path, Path], way: str) -> int:
    """Do what the unit runs; 0 is what lets systemd switch the machine off."""
    return main(["station", "power", way, "--errand", *map(str, places)])


def older(file: Path, seconds: float) -> None:
    then_s = time.time() - seconds
    os.utime(file, (then_s, then_s))


@pytest.mark.parametrize("way", WAYS)
def test_what_the_screen_asks_ends_well_once_and_only_for_the_way_that_was_asked(
    desk: PowerDesk, places: tuple[Path, Path], way: str
) -> None:
    desk.switch(way, is_capturing=False, is_copying=False)  # type: ignore[arg-type]
    assert desk.view() == PowerView("asked", way)  # type: ignore[arg-type]
    other = next(one for one in WAYS if one != way)
    assert unit(places, other) != 0
    assert unit(places, way) == 0
    assert unit(places, way) != 0


def test_the_screen_says_that_it_is_under_way_until_the_machine_is_gone(
    desk: PowerDesk, places: tuple[Path, Path]
) -> None:
    desk.switch("off", is_capturing=False, is_copying=False)
    assert unit(places, "off") == 0
    assert desk.view() == PowerView("going", "off")
    with pytest.raises(SetUpError, match="OFF-04"):
        desk.switch("restart", is_capturing=False, is_copying=False)
    older(Errand.named("off", *places).told, 600)
    assert desk.view() == PowerView("idle")


def test_nothing_is_asked_while_a_picture_or_a_disk_is_being_written(
    desk: PowerDesk, places: tuple[Path, Path]
) -> None:
    with pytest.raises(SetUpError, match="OFF-01"):
        desk.switch("off", is_capturing=True, is_copying=False)
    with pytest.raises(SetUpError, match="OFF-02"):
        desk.switch("restart", is_capturing=False, is_copying=True)
    assert list(places[0].iterdir()) == []


def test_a_request_that_lay_for_long_switches_nothing_off(desk: PowerDesk, places: tuple[Path, Path]) -> None:
    desk.switch("off", is_capturing=False, is_copying=False)
    older(places[0] / "off.json", PATIENCE_S + 1)
    assert desk.view() == PowerView("failed", "off", "ERR-02")
    older(places[0] / "off.json", 600)
    assert unit(places, "off") != 0
    assert desk.view() == PowerView("failed", "off", "OFF-03")


@pytest.mark.parametrize("content", ["", "{", '{"way": "off"}', "[1]", "x" * 10_000])
def test_what_is_no_request_switches_nothing_off(places: tuple[Path, Path], content: str) -> None:
    (places[0] / "off.json").write_text(content)
    assert unit(places, "off") != 0
    assert not (places[0] / "off.json").exists()


def test_where_nobody_waits_for_it_the_screen_says_so(tmp_path: Path) -> None:
    desk = PowerDesk({"off": Errand.named("off", tmp_path / "nowhere", tmp_path)})
    with pytest.raises(SetUpError, match="ERR-02"):
        desk.switch("off", is_capturing=False, is_copying=False)
