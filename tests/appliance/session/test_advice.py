"""Who does the same thing wrong three times hears one sentence about it, and is then left alone for an hour."""

from appliance.session.advice import AMONG, OFTEN, SILENCE_NS, Advice
from firmware.simulated.faults import Fault
from tests.appliance.session.conftest import Station

MINUTE_NS = 60 * 10**9


def told(*captures: str, start_ns: int = 0, known: Advice | None = None) -> tuple[list[str | None], Advice]:
    advice, said = known or Advice(), []
    for number, codes in enumerate(captures):
        advice, what = advice.after(frozenset(codes.split()), start_ns + number * 10**9)
        said.append(what)
    return said, advice


def test_the_third_of_one_kind_is_worth_a_sentence_also_with_good_ones_in_between() -> None:
    assert told("glare", "", "glare", "", "glare")[0] == [None, None, None, None, "glare"]


def test_a_shaken_and_a_blurred_page_are_one_kind_and_three_different_faults_none() -> None:
    assert told("blur", "motion", "blur")[0][-1] == "blur"
    assert told("blur", "glare", "finger")[0][-1] is None


def test_what_nobody_can_help_is_not_advised_on() -> None:
    assert told(*["blank_page duplicate"] * 9)[0] == [None] * 9


def test_faults_far_apart_are_chance() -> None:
    assert told("blur", *[""] * AMONG, "blur", *[""] * AMONG, "blur")[0][-1] is None


def test_for_an_hour_after_that_nobody_is_lectured() -> None:
    _, advice = told(*["finger"] * 3)
    again, advice = told(*["finger"] * 9, start_ns=30 * MINUTE_NS, known=advice)
    assert again == [None] * 9
    later, _ = told("finger", start_ns=SILENCE_NS + MINUTE_NS, known=advice)
    assert later == ["finger"]


def test_the_station_says_it_beside_the_verdict(station: Station) -> None:
    for _ in range(OFTEN):
        station.cameras[0].inject(Fault.FINGER)  # type: ignore[attr-defined]
        now = station.shoot()
    assert now.notice
    assert (now.notice.key, now.notice.values) == ("c.tip", {"code": "finger"})
