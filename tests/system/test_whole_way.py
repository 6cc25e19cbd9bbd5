"""From the press to the receipt with everything real but the hardware, and with each part ended in mid-work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from central.config import WorkerLimits
from central.receiving.staging import StoreLayout
from lattrang.demo.command import count
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site
from lattrang.demo.tally import Outcome
from lattrang.demo.waiting import wait_until
from tests.system.conftest import MakeSite

pytestmark = pytest.mark.broker

CONFIRMED_TIMEOUT_S = 90.0
SLOW = WorkerLimits(chunk_bytes=16_384, window=1, reserve_bytes=0)
"""So small that a capture takes long enough to be interrupted."""


def _press(operator: Operator, times: int) -> None:
    for _ in range(times):
        assert operator.capture()


def _hand_over_and_count(site: Site, operator: Operator, job_id: str) -> Outcome:
    operator.hand_over()
    operator.wait_until_confirmed(job_id, CONFIRMED_TIMEOUT_S, lambda _done, _of: None)
    return count(site, {job_id}, 0.0, 0.0)


def _assert_whole(outcome: Outcome, spreads: int) -> None:
    assert outcome.is_whole
    assert (outcome.spreads, outcome.pages, outcome.received) == (spreads, 2 * spreads, 2 * spreads)


def test_every_page_of_a_book_is_at_the_centre_once_and_as_it_was(make_site: MakeSite) -> None:
    site = make_site()
    operator = Operator(site.client())
    practised = _practise(site, operator)
    job_id = operator.open_job("Bên dòng sông cũ", "DKCB.0001/23")
    _press(operator, 4)
    outcome = _hand_over_and_count(site, operator, job_id)
    _assert_whole(outcome, 4)
    assert outcome.items == 1
    assert set(outcome.findings) <= {"skew", "blank_page"}
    # What somebody practised before, under the eyes of the same publisher, is neither there nor here.
    assert not practised & {path.name for path in StoreLayout(site.central.store).staging.iterdir()}
    assert not [path for path in site.spool.parent.rglob("*") if path.name in practised]


def _practise(site: Site, operator: Operator) -> set[str]:
    """Return the names of what was captured in a training that a power cut ends."""
    site.client().post("/training/begin")
    _press(operator, 2)
    (captures,) = site.spool.parent.rglob("training/captures")
    names = {path.name for path in captures.iterdir()}
    assert len(names) == 2
    site.station.kill()
    site.station.start()
    return names


def test_what_was_captured_while_the_centre_was_away_arrives_once_it_is_back(make_site: MakeSite) -> None:
    site = make_site()
    operator = Operator(site.client())
    job_id = operator.open_job("Mất mạng vẫn chụp")
    _press(operator, 1)
    for process in (site.office, *site.workers):
        process.stop()
    site.broker.stop()
    _press(operator, 8)
    operator.hand_over()
    site.broker.start()
    for process in (site.office, *site.workers):
        process.start()
    operator.wait_until_confirmed(job_id, CONFIRMED_TIMEOUT_S, lambda _done, _of: None)
    _assert_whole(count(site, {job_id}, 0.0, 0.0), 9)


@pytest.mark.parametrize("victim", ["station", "publisher", "worker", "office", "broker"])
def test_a_process_killed_in_mid_work_costs_nothing(make_site: MakeSite, victim: str) -> None:
    site = make_site(limits=SLOW)
    operator = Operator(site.client())
    job_id = operator.open_job("Cúp điện giữa chừng")
    _press(operator, 3)
    if victim == "broker":
        site.broker.kill()
        site.broker.start()
    else:
        process = {
            "station": site.station,
            "publisher": site.publisher,
            "worker": site.workers[0],
            "office": site.office,
        }[victim]
        process.kill()
        process.start()
    # A simulated camera that starts again opens its book at the beginning: the same spread twice is two captures.
    _press(operator, 2)
    _assert_whole(_hand_over_and_count(site, operator, job_id), 5)


def test_a_press_on_its_way_when_the_station_dies_is_either_whole_or_was_never_announced(make_site: MakeSite) -> None:
    site = make_site()
    operator = Operator(site.client())
    job_id = operator.open_job("Cúp điện lúc đang chụp")
    _press(operator, 1)
    site.client().post("/press")
    site.station.kill()
    site.station.start()
    _press(operator, 1)
    outcome = _hand_over_and_count(site, operator, job_id)
    assert outcome.is_whole
    assert outcome.spreads in (2, 3)


def test_when_one_of_two_workers_is_killed_in_mid_capture_the_other_finishes_within_a_minute(
    make_site: MakeSite,
) -> None:
    site = make_site(limits=SLOW, workers=2)
    operator = Operator(site.client())
    job_id = operator.open_job("Hai người nhận")
    incoming = site.central.store / "incoming"
    _press(operator, 2)
    holder: list[str] = []

    def somebody_receives() -> bool:
        holder[:] = [folder.name for folder in incoming.iterdir() if any(folder.rglob("*.jpg*"))]
        return bool(holder)

    wait_until(somebody_receives, 30.0, "a capture to be under way", step_s=0.01)
    index = int(holder[0].removeprefix("w")[0]) - 1
    site.workers[index].kill()
    operator.hand_over()
    operator.wait_until_confirmed(job_id, 60.0, lambda _done, _of: None)
    _assert_whole(count(site, {job_id}, 0.0, 0.0), 2)


def test_the_catalogue_can_be_made_again_from_the_store_alone(make_site: MakeSite) -> None:
    site = make_site()
    operator = Operator(site.client())
    job_id = operator.open_job("Dựng lại mục lục")
    _press(operator, 2)
    _hand_over_and_count(site, operator, job_id)
    site.stop()
    before = _central(site, "items", "--json")
    for file in site.central.store.glob("catalogue.db*"):
        file.unlink()
    assert _central(site, "items", "--json") == "[]\n"
    _central(site, "rebuild")
    assert json.loads(_central(site, "items", "--json")) == json.loads(before)
    assert _central(site, "audit").startswith("3 objects")


def test_the_demo_prints_one_line_of_json_and_leaves_what_the_commands_work_on(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    _draw_photographs(photos, 2)
    (photos / "broken.jpg").write_bytes((photos / "spread-0.jpg").read_bytes()[:2000])
    answer = _lattrang("demo", "--once", "--photos", str(photos), "--data", str(tmp_path / "data"))
    outcome = json.loads(answer.stdout)
    assert answer.stdout.count("\n") == 1
    assert outcome["spreads"] == 2
    assert outcome["received"] == outcome["pages"] == 4
    assert outcome["lost"] == outcome["duplicates"] == outcome["digest_mismatches"] == 0
    assert answer.returncode == 0
    listed = _lattrang("central", "--config", str(tmp_path / "data" / "central.toml"), "items", "--json")
    assert [item["pages"] for item in json.loads(listed.stdout)] == [4]
    status = _lattrang("station", "status", "--config", str(tmp_path / "data" / "station.toml"))
    assert json.loads(status.stdout)["captures"]["waiting"] == 0


def _draw_photographs(folder: Path, number: int) -> None:
    import simplejpeg

    from firmware.simulated import SimulatedCamera

    camera = SimulatedCamera(seed=2, width_px=1014, height_px=760)
    for index in range(number):
        frame = camera.capture(pressed_at_ns=0)
        jpeg = simplejpeg.encode_jpeg_yuv_planes(frame.y, frame.u, frame.v, 90)
        (folder / f"spread-{index}.jpg").write_bytes(jpeg)


def _central(site: Site, *arguments: str) -> str:
    return _lattrang("central", *arguments, "--config", str(site.central_config)).stdout


def _lattrang(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lattrang", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
