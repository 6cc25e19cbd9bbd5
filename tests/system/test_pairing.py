"""Pairing from both ends over real TLS: what it gives, and everybody who gets nothing. Each refusal has its words."""

import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.errors import PairingError
from appliance.pairing.conversation import Pairing, RightTime
from central.authority import ca, provision
from tests.system.pairing_site import Centre, may_speak, station
from wire.pairing import SERVER_NAME
from wire.pairing_code import Invitation

pytestmark = pytest.mark.broker


@pytest.fixture
def centre(open_centre: Centre) -> Iterator[Centre]:
    # A listener for each: one that remembers what came to nothing would refuse the tests after the tenth.
    with open_centre.listening():
        yield open_centre
    open_centre.now = lambda: datetime.now(UTC)


def refused(pairing: Pairing, invitation: Invitation) -> str:
    with pytest.raises(PairingError) as caught:
        pairing.by_invitation(invitation)
    assert caught.value.message
    assert caught.value.cure
    assert not pairing.certificates.cert.exists()
    return caught.value.code


def test_a_photographed_code_pairs_a_station(centre: Centre, tmp_path: Path) -> None:
    invited = centre.desk.invite("kho-1")
    pairing = station(tmp_path, "kho-1")
    paired = pairing.by_invitation(invited.invitation)
    pairing.keep(paired)
    assert (paired.broker_host, paired.broker_port) == ("127.0.0.1", centre.config.broker.port)
    assert centre.desk.outcome(invited.key) == "paired"
    assert may_speak(centre, pairing.certificates)


def test_the_key_stays_where_it_was_made_and_nobody_else_can_read_it(centre: Centre, tmp_path: Path) -> None:
    pairing = station(tmp_path / "pki", "kho-2")
    pairing.keep(pairing.by_invitation(centre.desk.invite("kho-2").invitation))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "pki").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
    secret = pairing.certificates.key.read_bytes().splitlines()[1]
    everything = (file for file in centre.folder.rglob("*") if file.is_file())
    assert [file for file in everything if secret in file.read_bytes()] == []


def test_a_token_is_good_for_one_machine(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-3").invitation
    first = station(tmp_path / "first", "kho-3")
    first.keep(first.by_invitation(invitation))
    assert refused(station(tmp_path / "second", "kho-3"), invitation) == "PAIR-10"
    assert may_speak(centre, first.certificates)


def test_a_station_whose_line_broke_may_come_again_with_the_same_key(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-4").invitation
    station(tmp_path, "kho-4").by_invitation(invitation)
    again = station(tmp_path, "kho-4")
    again.keep(again.by_invitation(invitation))
    assert may_speak(centre, again.certificates)


def test_a_token_is_over_when_its_time_is(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-5", valid_s=60).invitation
    centre.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert refused(station(tmp_path, "kho-5"), invitation) == "PAIR-11"


def test_a_newer_code_takes_the_older_one_back(centre: Centre, tmp_path: Path) -> None:
    older = centre.desk.invite("kho-6").invitation
    centre.desk.invite("kho-6")
    assert refused(station(tmp_path, "kho-6"), older) == "PAIR-12"


def test_a_code_for_another_station_is_refused_by_both_sides(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-7").invitation
    assert refused(station(tmp_path, "kho-8"), invitation) == "PAIR-13"
    # A station that has altered the name on the code, so that its own check is content.
    altered = Invitation(invitation.host, invitation.port, invitation.authority, invitation.token, "kho-8")
    assert refused(station(tmp_path, "kho-8"), altered) == "PAIR-13"


def test_a_station_that_was_shut_out_does_not_come_back_by_its_old_token(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-9").invitation
    pairing = station(tmp_path / "one", "kho-9")
    pairing.by_invitation(invitation)
    provision.revoke_station(centre.config, "kho-9")
    assert refused(pairing, invitation) == "PAIR-12"


def test_two_people_compare_a_code_and_the_station_is_paired(centre: Centre, tmp_path: Path) -> None:
    invited = centre.desk.invite("quay-1")
    pairing = station(tmp_path, "quay-1")
    compared = pairing.by_code(centre.address)
    (asking,) = [one for one in centre.desk.waiting() if one.station == "quay-1"]
    assert asking.code == compared.code
    assert centre.desk.outcome(invited.key) == "open"
    person = centre.approve_when_asked("quay-1")
    pairing.keep(pairing.collected(centre.address, compared))
    person.join()
    assert centre.desk.outcome(invited.key) == "paired"
    assert may_speak(centre, pairing.certificates)


def test_what_a_person_refuses_stays_refused(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-2")
    pairing = station(tmp_path, "quay-2")
    compared = pairing.by_code(centre.address)
    centre.approve_when_asked("quay-2", approve=False).join()
    with pytest.raises(PairingError) as caught:
        pairing.collected(centre.address, compared)
    assert caught.value.code == "PAIR-15"
    assert not centre.desk.decide(compared.request_id, approve=True)


def test_nothing_is_given_before_a_person_has_approved(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-3")
    pairing = station(tmp_path, "quay-3")
    compared = pairing.by_code(centre.address)
    giving_up = threading.Timer(0.5, pairing.stop.set)
    giving_up.start()
    with pytest.raises(PairingError) as caught:
        pairing.collected(centre.address, compared)
    giving_up.join()
    assert caught.value.code == "PAIR-11"
    assert not centre.desk.is_paired("quay-3")


def test_a_station_that_nobody_expects_is_not_even_shown(centre: Centre, tmp_path: Path) -> None:
    with pytest.raises(PairingError) as caught:
        station(tmp_path, "stranger").by_code(centre.address)
    assert caught.value.code == "PAIR-16"
    assert [one for one in centre.desk.waiting() if one.station == "stranger"] == []


def test_a_stranger_gets_three_codes_shown_and_no_more(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-4")
    for number in range(3):
        station(tmp_path / str(number), "quay-4").by_code(centre.address)
    with pytest.raises(PairingError) as caught:
        station(tmp_path / "more", "quay-4").by_code(centre.address)
    assert caught.value.code == "PAIR-17"


def test_of_several_that_ask_one_is_approved_and_the_others_are_told(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-5")
    ours, other = station(tmp_path / "ours", "quay-5"), station(tmp_path / "other", "quay-5")
    compared, compared_too = ours.by_code(centre.address), other.by_code(centre.address)
    assert centre.desk.decide(compared.request_id, approve=True)
    assert not centre.desk.decide(compared_too.request_id, approve=True)
    ours.keep(ours.collected(centre.address, compared))
    with pytest.raises(PairingError) as caught:
        other.collected(centre.address, compared_too)
    assert caught.value.code == "PAIR-15"


def test_an_approval_comes_too_late_when_the_time_is_over(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-6", valid_s=60)
    pairing = station(tmp_path, "quay-6")
    compared = pairing.by_code(centre.address)
    centre.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert not centre.desk.decide(compared.request_id, approve=True)
    with pytest.raises(PairingError) as caught:
        pairing.collected(centre.address, compared)
    assert caught.value.code == "PAIR-11"


def test_a_station_waits_while_the_broker_is_away_and_is_paired_when_it_is_back(centre: Centre, tmp_path: Path) -> None:
    invitation = centre.desk.invite("kho-10").invitation
    centre.set_up.broker.stop()
    back = threading.Timer(1.0, centre.set_up.broker.start)
    back.start()
    pairing = station(tmp_path, "kho-10")
    pairing.keep(pairing.by_invitation(invitation))
    back.join()
    assert may_speak(centre, pairing.certificates)


def test_stations_that_come_at_one_moment_are_all_paired(centre: Centre, tmp_path: Path) -> None:
    names = [f"row-{number}" for number in range(4)]
    pairings = [station(tmp_path / name, name) for name in names]
    invitations = [centre.desk.invite(name).invitation for name in names]
    with ThreadPoolExecutor() as together:
        got = together.map(
            lambda one: one[0].keep(one[0].by_invitation(one[1])), zip(pairings, invitations, strict=True)
        )
        assert list(got) == [None] * 4
    assert all(may_speak(centre, one.certificates) for one in pairings)


@pytest.mark.parametrize("year", [1970, 2021, 2099])
def test_a_station_whose_clock_is_years_off_is_paired(centre: Centre, tmp_path: Path, year: int) -> None:
    wrong = RightTime(lambda: datetime(year, 1, 1, tzinfo=UTC), lambda: False)
    name = f"kho-in-{year}"
    pairing = station(tmp_path, name, wrong)
    pairing.keep(pairing.by_invitation(centre.desk.invite(name).invitation))
    assert may_speak(centre, pairing.certificates)


def test_a_clock_that_is_known_to_be_right_is_believed_and_not_the_centres(centre: Centre, tmp_path: Path) -> None:
    right = RightTime(lambda: datetime(2099, 1, 1, tzinfo=UTC), lambda: True)
    assert refused(station(tmp_path, "kho-11", right), centre.desk.invite("kho-11").invitation) == "PAIR-09"


def test_the_right_time_is_the_centres_where_the_stations_is_not_known(centre: Centre, tmp_path: Path) -> None:
    # To this machine the year 2020 is over, as the listener's certificate is then: like a station that is years ahead.
    authority = ca.Authority.load(centre.config.broker.pki)
    name, then = (SERVER_NAME,), datetime(2020, 6, 1, tzinfo=UTC)
    authority.reissue(ca.PAIRING, name, now=datetime(2016, 1, 1, tzinfo=UTC))
    try:
        centre.now = lambda: then
        with centre.listening_elsewhere() as address:
            ahead = RightTime(is_synchronised=lambda: False)
            invitation = replace(centre.desk.invite("kho-ahead").invitation, port=address.port)
            assert station(tmp_path / "ahead", "kho-ahead", ahead).by_invitation(invitation)
            invitation = replace(centre.desk.invite("kho-right").invitation, port=address.port)
            assert refused(station(tmp_path / "right", "kho-right"), invitation) == "PAIR-09"
    finally:
        authority.reissue(ca.PAIRING, name)


def test_whose_machine_is_replaced_is_shut_out_by_its_successor(centre: Centre, tmp_path: Path) -> None:
    stolen, successor = station(tmp_path / "stolen", "kho-12"), station(tmp_path / "new", "kho-12")
    for one in (stolen, successor):
        one.keep(one.by_invitation(centre.desk.invite("kho-12").invitation))
    assert may_speak(centre, successor.certificates)
    assert not may_speak(centre, stolen.certificates)


def test_an_unpaired_certificate_of_our_own_authority_says_nothing(centre: Centre, tmp_path: Path) -> None:
    key, request = ca.new_request("kho-13")
    pairing = station(tmp_path, "kho-13")
    pairing.certificates.key.write_bytes(key)
    authority = ca.Authority.load(centre.config.broker.pki)
    pairing.certificates.cert.write_bytes(authority.sign_station("kho-13", request))
    pairing.certificates.ca.write_bytes(authority.certificate_file.read_bytes())
    assert not may_speak(centre, pairing.certificates)
