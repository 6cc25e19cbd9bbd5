"""Cameras that stop, are not there, or are two, at a station that is confined as its unit says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import rig_site
from benchmarks.rig import Machine
from benchmarks.rig_office import Office
from benchmarks.rig_site import SPOOL, screen

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]

LOOKS_AT = "/var/tmp/rig"
CAMERAS = "/opt/libcamera/share/libcamera/pipeline/virtual/virtual.yaml"
CONFIG = "/etc/lattrang/station.toml"
SECOND = f"sed 's/rigcam/elsecam/; s/page.jpg/page-2.jpg/' {CAMERAS}.one | tail -n +3"
"""The description of one camera, for another name and picture, without its heading."""


@contextmanager
def stalled(machine: Machine, picture: str) -> Iterator[None]:
    """Let the camera that sees this picture give no more frames, as with a cable that has come loose."""
    machine.shell(f"touch {LOOKS_AT}/{picture}.stall")
    try:
        yield
    finally:
        machine.shell(f"rm {LOOKS_AT}/{picture}.stall")


@contextmanager
def changed(machine: Machine, file: str, command: str) -> Iterator[None]:
    """Change a file of the machine and start the station anew, and put both back."""
    machine.shell(f"cp -a {file} {file}.one && {command} && systemctl restart lattrang-station")
    try:
        yield
    finally:
        machine.shell(f"mv {file}.one {file} && systemctl restart lattrang-station")


def events(machine: Machine) -> list[dict[str, str]]:
    return [json.loads(line) for line in machine.shell(f"cat {SPOOL}/log/events.jsonl").splitlines()]


def captures(machine: Machine) -> dict[str, list[str]]:
    return rig_site.frames(machine, f"{SPOOL}/captures")


def assert_whole(machine: Machine, office: Office) -> None:
    rig_site.wait_until_sent(machine)
    assert captures(machine)
    assert rig_site.missing(machine, office) == []


def test_a_camera_that_stops_is_named_as_long_as_it_gives_nothing_and_comes_back_by_itself(
    place: tuple[Machine, Office],
) -> None:
    machine, office = place
    screen(machine, "1")
    before, heard = captures(machine), len(events(machine))
    with stalled(machine, "page.jpg"):
        seen = screen(machine, "step", "fault=CAM-02")
        assert "CAM-02" in seen["face"]
        machine.shell("sleep 20")  # in which the station has tried more than once
        later = screen(machine, "step", f"refused_presses={seen['refused_presses'] + 1}")
        assert (later["state"], later["fault"]) == ("fault", "CAM-02")
    screen(machine, "state=ready", "1")
    after = captures(machine)
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()
    said = [(one.get("key"), one.get("code")) for one in events(machine)[heard:] if one["event"] == "notice"]
    assert said.count(("s.fault", "CAM-02")) == said.count(("s.recovered", None)) == 1
    assert_whole(machine, office)


def test_a_station_without_its_camera_says_so_and_works_when_it_is_started_with_it(
    place: tuple[Machine, Office],
) -> None:
    machine, office = place
    with changed(machine, CAMERAS, f"echo '%YAML 1.1' >{CAMERAS}"):
        seen = screen(machine, "0", "step", "fault=CAM-01")
        assert "CAM-01" in seen["face"]
    screen(machine, "1")
    assert_whole(machine, office)


def test_of_two_cameras_each_press_takes_both_or_none_and_the_one_that_fails_is_named(
    place: tuple[Machine, Office],
) -> None:
    machine, office = place
    machine.shell(f"cp {LOOKS_AT}/page.jpg {LOOKS_AT}/page-2.jpg")
    two = f"""sed -i 's/^layout = "spread"/layout = "two-camera"/' {CONFIG}"""
    two += f""" && printf '[[hardware.cameras]]\\ndriver = "picamera2"\\nnumber = 1\\n' >>{CONFIG}"""
    with changed(machine, CAMERAS, f"( {SECOND} ) >>{CAMERAS}"), changed(machine, CONFIG, two):
        before = captures(machine)
        screen(machine, "1")
        [new] = captures(machine).keys() - before.keys()
        facts = json.loads(machine.shell(f"cat {SPOOL}/captures/{new}/capture.json"))
        assert [frame["camera"] for frame in facts["frames"]] == ["csi-0", "csi-1"]
        with stalled(machine, "page-2.jpg"):
            screen(machine, "step", "fault=CAM-02")
            assert captures(machine).keys() == {*before, new}
            assert any(one.get("part") == "camera:csi-1" for one in events(machine))
        screen(machine, "state=ready", "1")
        assert len(captures(machine)) == len(before) + 2
    screen(machine, "1")
    assert_whole(machine, office)
