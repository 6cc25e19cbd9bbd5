"""From the spool to the receipt, through a real Mosquitto with its access rules, to a real worker."""

import dataclasses
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paho.mqtt import client as paho

from appliance.api import Delivery
from appliance.errors import StationError
from appliance.publisher import hours, runner
from appliance.spool import Outbox, StationState
from central.authority import ca, provision
from central.authority.admin import Admin
from lattrang.publish_command import run_publisher
from tests.appliance.publisher.depot import Depot, Office
from tests.central.house import House, eventually
from wire.messages import Locate, Resend

pytestmark = pytest.mark.broker


def stored(house: House, capture_id: str) -> set[str]:
    folder = house.config.store / "staging" / capture_id
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def test_every_capture_and_its_list_reach_the_centre_and_may_then_leave_the_disk(house: House, depot: Depot) -> None:
    captures = [depot.capture() for _ in range(5)]
    job_id = f"job-{depot.station}"
    with house.worker(), depot.publisher():
        eventually(lambda: depot.received() == 5)
        eventually(lambda: depot.link() == "online")
        depot.spool.append_change(job_id, b"{}")
        depot.spool.queue_list(depot.make.job_list(6, *captures, job_id=job_id))
        eventually(lambda: depot.spool.jobs()[0].complete)
    assert set(depot.spool.release_due()) == set(captures)
    for capture_id in captures:
        assert stored(house, capture_id) >= {"frame-1.jpg", "left.jpg", "right.jpg", "capture.json", "pages.json"}


def test_captures_wait_while_there_is_no_worker_and_all_go_when_one_comes(house: House, depot: Depot) -> None:
    depot.capture()
    with depot.publisher():
        eventually(lambda: depot.link() == "no_server")
        depot.capture()
        assert depot.received() == 0
        with house.worker():
            eventually(lambda: depot.received() == 2)
            eventually(lambda: depot.link() == "online")


def test_a_broker_killed_in_mid_transfer_costs_nothing(house: House, depot: Depot) -> None:
    for _ in range(6):
        depot.capture(frame_bytes=600_000)
    with house.worker(), depot.publisher():
        eventually(lambda: depot.received() >= 1)
        house.broker.kill()
        eventually(lambda: depot.link() == "offline")
        house.broker.start()
        eventually(lambda: depot.received() == 6, timeout_s=40)
    assert depot.spool.counts().damaged == depot.spool.counts().rejected == 0


def test_a_connection_that_ends_while_its_thread_is_taken_leave_of_is_made_anew(
    house: House, depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_too_late(client: paho.Client) -> None:
        # The library looks at its thread, the thread ends itself, the library joins what is there no more.
        raise AttributeError("'NoneType' object has no attribute 'join'")

    monkeypatch.setattr(paho.Client, "loop_stop", stop_too_late)
    with house.worker(), depot.publisher():
        eventually(lambda: depot.link() == "online")
        house.broker.kill()
        eventually(lambda: depot.link() == "offline")
        depot.capture()
        house.broker.start()
        eventually(lambda: depot.received() == 1, timeout_s=40)


def test_a_publisher_killed_and_started_again_sends_the_rest_and_nothing_is_doubled(house: House, depot: Depot) -> None:
    for _ in range(6):
        depot.capture(frame_bytes=300_000)
    with house.worker():
        with depot.publisher():
            eventually(lambda: depot.received() >= 1)
        with depot.publisher():
            eventually(lambda: depot.received() == 6)
    lines = (depot.folder / "log" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    received = [event["capture_id"] for event in events if event["event"] == "capture.received"]
    assert len(received) == len(set(received)) == 6


@pytest.mark.parametrize("harm", ["rots", "vanishes", "is cut short"])
def test_a_file_that_is_not_what_was_written_is_shown_and_never_sent_as_whole(
    house: House, depot: Depot, harm: str
) -> None:
    bad, good = depot.capture(frame_bytes=20_000), depot.capture()
    frame = depot.folder / "captures" / bad / "frame-1.jpg"
    if harm == "rots":
        frame.write_bytes(bytes(20_000))
    elif harm == "vanishes":
        frame.unlink()
    else:
        frame.write_bytes(frame.read_bytes()[:10_000])
    with house.worker(), depot.publisher():
        eventually(lambda: depot.spool.row(good).state is Delivery.RECEIVED)
        eventually(lambda: depot.spool.row(bad).state is Delivery.DAMAGED)
    assert depot.spool.row(bad).damaged_file == "frame-1.jpg"
    assert stored(house, bad) == set()


def test_a_document_that_rotted_is_noticed_before_the_offer(house: House, depot: Depot) -> None:
    bad = depot.capture()
    file = depot.folder / "captures" / bad / "pages.json"
    file.write_bytes(file.read_bytes().replace(b"left", b"LEFT", 1))
    with house.worker(), depot.publisher():
        eventually(lambda: depot.spool.row(bad).damaged_file == "pages.json")


def test_another_capture_under_a_known_id_is_refused_and_shown(house: House, depot: Depot, tmp_path: Path) -> None:
    with house.worker():
        capture_id = depot.capture()
        with depot.publisher():
            eventually(lambda: depot.received() == 1)
        depot.spool.close()
        with Depot(house, tmp_path / "again" / "spool", station=depot.station, tls=depot.tls) as other:
            other.make.add(other.spool, capture_id, frame_bytes=777)
            with other.publisher():
                eventually(lambda: other.spool.row(capture_id).state is Delivery.REJECTED)
            assert other.spool.row(capture_id).rejected_code == "digest_conflict"


def test_the_status_is_told_and_then_that_we_have_gone(house: House, depot: Depot) -> None:
    depot.capture()
    depot.spool.write_station_state(StationState(state="ready", job_title="Truyện Kiều", temperature_c=51.4))
    with Office(house, depot.station) as office, house.worker():
        with depot.publisher():
            eventually(lambda: depot.received() == 1)
            eventually(lambda: [one for one in office.statuses() if one.job_title == "Truyện Kiều"])
            latest = office.statuses()[-1]
            assert (latest.online, latest.state, latest.temperature_c) == (True, "ready", 51.0)
        eventually(lambda: not office.statuses()[-1].online)


def test_commands_are_carried_out_and_answered(house: House, depot: Depot) -> None:
    capture_id = depot.capture()
    with Office(house, depot.station) as office, house.worker(), depot.publisher():
        eventually(lambda: depot.received() == 1)
        eventually(office.statuses)
        office.command(Locate(command_id="l1"))
        office.command(Resend(command_id="r1", captures=(capture_id,)))
        eventually(lambda: [one.command_id for one in depot.spool.take_commands()] == ["l1"])
        eventually(lambda: {"l1", "r1"} <= set(office.statuses()[-1].answered))
        eventually(lambda: depot.received() == 1)


def test_a_station_that_was_never_approved_or_was_revoked_is_told_so(house: House, depot: Depot) -> None:
    with Admin(house.config.broker.address(ca.ADMIN)) as admin:
        admin.revoke_station(depot.station)
    depot.capture()
    with depot.publisher():
        eventually(lambda: depot.link() == "refused")
    with Outbox.open(depot.folder) as outbox:
        state = outbox.read_publisher_state()
    assert state is not None
    assert state.code in {"PAIR-01", "PAIR-02"}


def code_of_the_line(depot: Depot) -> str | None:
    with Outbox.open(depot.folder) as outbox:
        state = outbox.read_publisher_state()
    return None if state is None else state.code


# Where the broker hangs up in the handshake, the MQTT library drops its socket unclosed; the interpreter closes it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_station_that_is_shut_out_says_so_and_what_it_holds_is_kept(house: House, depot: Depot) -> None:
    with house.worker(), depot.publisher():
        eventually(lambda: depot.link() == "online")
        provision.revoke_station(house.config, depot.station)
        depot.capture()
        eventually(lambda: code_of_the_line(depot) == "PAIR-19", timeout_s=20)
        assert depot.link() == "refused"
    assert depot.received() == 0
    assert len(list((depot.folder / "captures").iterdir())) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_station_with_a_certificate_of_another_centre_is_told_to_pair_again(
    house: House, depot: Depot, tmp_path: Path
) -> None:
    key, request = ca.new_request(depot.station)
    broker = dataclasses.replace(depot.config.broker, cert=tmp_path / "other.crt", key=tmp_path / "other.key")
    broker.cert.write_bytes(ca.Authority.open(tmp_path / "other").sign_station(depot.station, request))
    ca.write_private(broker.key, key)
    depot.config = dataclasses.replace(depot.config, broker=broker)
    with depot.publisher():
        eventually(lambda: code_of_the_line(depot) == "PAIR-24")
    assert depot.link() == "refused"


# The MQTT library drops its socket unclosed when the handshake fails; the interpreter closes it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_of_another_authority_is_not_trusted(house: House, depot: Depot, tmp_path: Path) -> None:
    stranger = ca.Authority.open(tmp_path / "stranger")
    broker = dataclasses.replace(depot.config.broker, ca=stranger.issue_server().ca)
    depot.config = dataclasses.replace(depot.config, broker=broker)
    with depot.publisher():
        eventually(lambda: depot.link() == "refused")
        state = depot.spool.read_publisher_state()
    assert state is not None
    assert state.code == "NET-03"


def test_missing_certificates_are_named_at_once(depot: Depot, tmp_path: Path) -> None:
    broker = dataclasses.replace(depot.config.broker, key=tmp_path / "none.key")
    with pytest.raises(StationError, match="PAIR-03"):
        run_publisher(dataclasses.replace(depot.config, broker=broker), threading.Event())


def test_a_stop_is_prompt_even_where_no_broker_answers(depot: Depot) -> None:
    broker = dataclasses.replace(depot.config.broker, port=1)
    depot.config = dataclasses.replace(depot.config, broker=broker)
    with depot.publisher():
        eventually(lambda: depot.link() == "offline")


def test_outside_its_hours_a_station_hands_over_lists_but_no_pictures_and_without_a_clock_it_keeps_no_hours(
    house: House, depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC).astimezone()
    later = [(now + timedelta(hours=ahead)).strftime("%H:%M") for ahead in (2, 3)]
    policy = dataclasses.replace(depot.config.policy, hours_spread_s=0.1)
    depot.config = dataclasses.replace(depot.config, hours=hours.parse(("-".join(later),)), policy=policy)
    monkeypatch.setattr(runner, "is_synchronised", lambda: True)
    capture_id = depot.capture()
    job_id = f"job-{depot.station}"
    depot.spool.append_change(job_id, b"{}")
    depot.spool.queue_list(depot.make.job_list(2, capture_id, job_id=job_id))
    with house.worker(), depot.publisher():
        eventually(lambda: depot.spool.jobs()[0].missing == 1, timeout_s=20)
        eventually(lambda: depot.link() == "waiting_for_hours")
        assert depot.received() == 0
        monkeypatch.setattr(runner, "is_synchronised", lambda: False)
        eventually(lambda: depot.received() == 1)
        eventually(lambda: depot.spool.jobs()[0].complete)
