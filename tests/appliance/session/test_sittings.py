"""Who sits at the job: in the station's records, through power cuts, and never in the way of the pedal."""

from collections.abc import Callable

import pytest

from appliance.api import NewJob
from appliance.errors import NotNow
from appliance.jobs import changes as ch
from appliance.people import People
from tests.appliance.session.conftest import Station


@pytest.fixture
def people() -> People:
    found = People(None)
    found.add("Lan", "1234")
    found.add("Minh", "9999")
    return found


@pytest.fixture
def staffed(build: Callable[..., Station], people: People) -> Station:
    return build(people=people)


def sittings(station: Station, job_id: str) -> list[str]:
    changes = [ch.decode(line) for line in station.spool.changes(job_id)]
    return [change.person for change in changes if isinstance(change, ch.SittingStarted)]


def test_who_signs_in_sits_at_the_job_and_another_one_begins_a_sitting_of_their_own(staffed: Station) -> None:
    lan, minh = staffed.people.views()
    staffed.front.sign_in(lan.person_id, "1234")
    job_id = staffed.front.open_job(NewJob(title="Kiều"))
    staffed.front.sign_in(lan.person_id, "1234")
    staffed.front.sign_in(minh.person_id, "9999")
    assert sittings(staffed, job_id) == [lan.person_id, minh.person_id]
    assert staffed.front.snapshot().person == minh


def test_after_a_power_cut_the_same_person_is_at_work(staffed: Station) -> None:
    lan, _ = staffed.people.views()
    staffed.front.sign_in(lan.person_id, "1234")
    staffed.front.open_job(NewJob(title="Kiều"))
    staffed.stop()
    assert staffed.start().front.snapshot().person == lan


def test_the_note_of_a_shift_is_shown_to_the_next_person_and_names_stay_here(staffed: Station) -> None:
    lan, minh = staffed.people.views()
    staffed.front.sign_in(lan.person_id, "1234")
    job_id = staffed.front.open_job(NewJob(title="Kiều"))
    staffed.front.sign_out("Trang 48 rách, nhẹ tay")
    assert staffed.front.snapshot().person is None
    staffed.shoot()
    staffed.front.sign_in(minh.person_id, "9999")
    assert staffed.front.snapshot().job.shift_note == "Trang 48 rách, nhẹ tay"
    assert sittings(staffed, job_id) == [lan.person_id, "", minh.person_id]
    staffed.front.hand_over()
    sent = next(staffed.folder.glob(f"jobs/{job_id}/list-*.json")).read_text("utf-8")
    assert "Trang 48" in sent
    assert lan.person_id not in sent
    assert "Lan" not in sent


def test_only_somebody_who_is_signed_in_adds_people_or_sets_pins(staffed: Station) -> None:
    lan, _ = staffed.people.views()
    for work in (
        lambda: staffed.front.add_person("Kẻ lạ", "0000"),
        lambda: staffed.front.set_pin(lan.person_id, "0000"),
    ):
        with pytest.raises(NotNow, match="PIN-05"):
            work()
    staffed.front.sign_in(lan.person_id, "1234")
    staffed.front.add_person("Hoa", "0000")
    assert [one.name for one in staffed.front.snapshot().people] == ["Hoa", "Lan", "Minh"]
    assert staffed.front.snapshot().person == lan


def test_the_first_person_signs_up_and_is_at_work(build: Callable[..., Station]) -> None:
    station = build()
    station.front.add_person("Lan", "1234")
    assert station.front.snapshot().person.name == "Lan"
