"""Rectos and versos of a book that opens only so far: put in turn, and shifted by one leaf where one was skipped."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance.api import Listing, SessionState
from appliance.places import LeavesView
from tests.web_ui.fakes import FakeStation, capture_view, job_view
from tests.web_ui.test_station_commands import post
from web_ui.station.leaves import first_doubt, rows_of

PAIRS = tuple((f"r{leaf}", f"v{leaf}") for leaf in range(4))


def numbers(versos: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    rectos = {f"r{leaf}": (str(2 * leaf + 1),) for leaf in range(4)}
    return rectos | {f"v{leaf}": (str(number),) for leaf, number in enumerate(versos)}


def leaves(*, without: tuple[int, ...] | None = None, began: bool = True, pairs=PAIRS) -> LeavesView:  # type: ignore[no-untyped-def]
    return LeavesView(pairs, began, without)


def test_where_the_printed_numbers_stop_fitting_is_where_a_verso_was_skipped() -> None:
    rows = rows_of(leaves(), numbers((2, 6, 8, 10)))
    assert [row.fits for row in rows] == [True, False, False, False]
    assert first_doubt(rows) == rows[1]
    assert first_doubt(rows_of(leaves(), numbers((2, 4, 9, 8)))) is None


def test_a_list_is_paired_when_every_leaf_has_both_sides_or_is_known_to_lack_one() -> None:
    lacking = (*PAIRS[:3], ("r3", ""))
    assert leaves(without=()).is_paired
    assert not leaves().is_paired
    assert not leaves(without=(), pairs=lacking).is_paired
    assert leaves(without=(3,), pairs=lacking).is_paired
    assert not leaves(without=(), pairs=(*PAIRS, ("", "v4"))).is_paired


@pytest.fixture
def book(station: FakeStation) -> FakeStation:
    job = replace(job_view(capture_view(1)), leaves=leaves(without=(0,)))
    station.listed = Listing((capture_view(1),), read=numbers((2, 6, 8, 10)))
    station.show(state=SessionState.READY, job=job)
    return station


def test_one_action_shifts_the_versos_and_the_same_one_takes_it_back(person: FlaskClient, book: FakeStation) -> None:
    page = person.get("/leaves").text
    assert "4 mặt trước, 4 mặt sau" in page
    assert "Số trang in không khớp từ tờ 2" in page
    assert post(person, "/pair-leaves", json=False, leaf="1").location == "/leaves#leaf-1"
    post(person, "/pair-leaves", json=False, leaf="0")
    post(person, "/pair-leaves", json=False)
    assert book.asked == [("interleave", "0", "1"), ("interleave",), ("interleave", "0")]
    assert post(person, "/pair-leaves", json=False, leaf="99").status_code == 404


def test_hand_over_waits_until_the_sides_fit(person: FlaskClient, book: FakeStation) -> None:
    assert book.snapshot().job is not None
    book.show(job=replace(book.snapshot().job, leaves=leaves()))  # type: ignore[type-var]
    assert post(person, "/hand-over", json=False).location == "/leaves"
    assert book.asked == []


def test_versos_begin_with_a_button_and_other_layouts_have_no_such_page(
    person: FlaskClient, station: FakeStation
) -> None:
    station.show(state=SessionState.READY, job=replace(job_view(capture_view(1)), leaves=leaves(began=False)))
    assert "Hết mặt trước – chụp mặt sau" in person.get("/leaves").text
    assert post(person, "/versos", json=False).location == "/"
    assert station.asked == [("begin_versos",), ("end_review",)]
    station.show(job=job_view(capture_view(1)))
    assert person.get("/leaves").status_code == 303
