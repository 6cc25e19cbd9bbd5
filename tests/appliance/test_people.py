"""Who may sign in: kept to the station's user, hard to guess, never locked for ever."""

import stat
from pathlib import Path

import pytest

from appliance.errors import NotNow
from appliance.people import MOST_WAIT_S, People, wait_s


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def code_of(work) -> str:
    with pytest.raises(NotNow) as refusal:
        work()
    return refusal.value.code


def test_people_are_still_known_after_a_restart_and_their_pins_are_nowhere_to_read(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    lan = People(file).add("  Nguyễn Thị   Lan ", "4711")
    again = People(file)
    assert again.views() == (lan,)
    assert lan.name == "Nguyễn Thị Lan"
    assert again.check(lan.person_id, "4711") == lan
    assert "4711" not in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "１２３４", "12 4"])
def test_a_pin_is_four_digits(pin: str) -> None:
    assert code_of(lambda: People(None).add("Lan", pin)) == "PIN-03"


@pytest.mark.parametrize("name", ["", "   ", "lan", "L" * 61])
def test_a_name_is_given_once_and_not_empty(name: str) -> None:
    people = People(None)
    people.add("Lan", "1234")
    assert code_of(lambda: people.add(name, "1234")) == "PIN-04"


def test_guessing_is_slowed_and_the_right_pin_waits_too_but_never_for_ever() -> None:
    clock = Clock()
    people = People(None, clock)
    lan, minh = people.add("Lan", "1234"), people.add("Minh", "9999")
    for _ in range(3):
        assert code_of(lambda: people.check(lan.person_id, "0000")) == "PIN-01"
    assert code_of(lambda: people.check(lan.person_id, "1234")) == "PIN-02"
    assert people.check(minh.person_id, "9999") == minh
    for _ in range(40):
        clock.now_s += MOST_WAIT_S
        assert code_of(lambda: people.check(lan.person_id, "0000")) == "PIN-01"
    clock.now_s += MOST_WAIT_S
    assert people.check(lan.person_id, "1234") == lan
    assert code_of(lambda: people.check(lan.person_id, "0000")) == "PIN-01"


def test_all_pins_take_days_of_guessing() -> None:
    assert sum(map(wait_s, range(1, 10_001))) > 5 * 24 * 3600
    assert wait_s(10**6) == MOST_WAIT_S


def test_a_new_pin_takes_the_place_of_the_old_one_and_ends_the_waiting() -> None:
    people = People(None, Clock())
    lan = people.add("Lan", "1234")
    for _ in range(3):
        code_of(lambda: people.check(lan.person_id, "0000"))
    people.set_pin(lan.person_id, "5678")
    assert people.check(lan.person_id, "5678") == lan
    assert code_of(lambda: people.check(lan.person_id, "1234")) == "PIN-01"


def test_a_list_that_cannot_be_read_is_kept_aside_and_the_station_starts(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_bytes(b"\x00 not json")
    assert People(file).views() == ()
    assert (tmp_path / "people.json.unreadable").read_bytes() == b"\x00 not json"


def test_a_stranger_is_not_found() -> None:
    with pytest.raises(KeyError):
        People(None).check("nobody", "1234")
