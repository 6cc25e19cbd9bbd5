"""Who may say what, tried against the real broker with real certificates."""

import queue
from collections.abc import Iterator

import pytest

from central.authority import ca, provision
from central.authority.access import CONTROL_TOPIC
from tests.central.house import House, eventually
from tests.central.station_client import StationClient, capture
from wire import codec, topics
from wire.messages import StationStatus

pytestmark = pytest.mark.broker

NOT_AUTHORISED = 0x87
NO_SUBSCRIBER = 0x10


@pytest.fixture
def mallory(house: House) -> Iterator[StationClient]:
    """A station that was approved and now tries everything."""
    with house.station("mallory") as client:
        yield client


@pytest.fixture
def victim(house: House) -> Iterator[StationClient]:
    with house.station("victim") as client:
        yield client


@pytest.mark.parametrize(
    "topic",
    [
        topics.offers("victim"),
        topics.status("victim"),
        topics.replies("victim"),
        topics.replies("mallory"),
        topics.commands("victim"),
        topics.commands("mallory"),
        f"{topics.inbox('w1')}/victim/grant/frame-1.jpg/0",
        f"{topics.PREFIX}anything",
        "elsewhere",
        CONTROL_TOPIC,
        "$CONTROL/broker/v1",
    ],
)
def test_a_station_cannot_publish_as_somebody_else(mallory: StationClient, topic: str) -> None:
    assert mallory.publish(topic, b"{}") == NOT_AUTHORISED


@pytest.mark.parametrize(
    "topic",
    [
        topics.SHARED_OFFERS,
        topics.ANY_OFFER,
        "$share/ingest/#",
        "$share/other/lattrang/1/offers/+",
        f"$share/ingest/{topics.replies('victim')}",
        f"$share/x/{topics.replies('mallory')}",
        topics.replies("victim"),
        topics.commands("victim"),
        f"{topics.PREFIX}stations/+/replies",
        topics.ANY_STATUS,
        topics.any_chunk("w1"),
        f"{topics.PREFIX}#",
        "#",
        "+/+/+",
        "$CONTROL/#",
        f"{CONTROL_TOPIC}/response",
        "$SYS/#",
    ],
)
def test_a_station_cannot_listen_to_anybody_else(mallory: StationClient, topic: str) -> None:
    assert mallory.subscribe(topic) == [NOT_AUTHORISED]


def test_a_station_may_do_its_own_work(mallory: StationClient) -> None:
    assert mallory.subscribe(topics.commands("mallory")) == [1]
    assert mallory.publish(topics.offers("mallory"), b"{}") == NO_SUBSCRIBER
    assert mallory.publish(topics.status("mallory"), b"") in (0, NO_SUBSCRIBER)
    assert mallory.publish(f"{topics.inbox('w1')}/mallory/grant/frame-1.jpg/0", b"x") == NO_SUBSCRIBER


def test_a_reply_reaches_only_the_station_it_is_for(
    house: House, mallory: StationClient, victim: StationClient
) -> None:
    with house.worker():
        victim.deliver(capture("victim"))
    assert mallory.replies.empty()


def test_a_borrowed_client_id_does_not_end_another_stations_session(house: House, victim: StationClient) -> None:
    tls = provision.new_station(house.config, "thief", house.folder / "station-thief")
    with StationClient(house.broker.host, house.broker.port, tls, "thief", client_id="victim"):
        assert victim.publish(topics.offers("victim"), b"{}") == NO_SUBSCRIBER
        assert victim.disconnected.empty()


def test_nobody_enters_without_a_certificate_of_our_authority(house: House) -> None:
    other = ca.Authority.open(house.folder / "other-authority").issue_client("office")
    forged = ca.Credentials(ca=house.config.broker.credentials("office").ca, cert=other.cert, key=other.key)
    client = house.client(forged, "office")
    try:
        # In TLS 1.3 the broker's refusal comes after our half of the handshake: as an error or as silence.
        with pytest.raises((OSError, queue.Empty)):
            client.connect(timeout=1.0)
    finally:
        client.close()


def test_a_certificate_without_approval_opens_nothing(house: House) -> None:
    key, request = ca.new_request("stranger")
    authority = ca.Authority.load(house.config.broker.pki)
    tls = signed_in(house, "stranger", key, authority.sign_station("stranger", request))
    client = house.client(tls, "stranger")
    try:
        client.connect()
        assert client.subscribe(topics.replies("stranger")) == [NOT_AUTHORISED]
        assert client.publish(topics.offers("stranger"), b"{}") == NOT_AUTHORISED
    finally:
        client.close()


def test_revocation_ends_the_live_connection_and_all_that_it_could_do(house: House) -> None:
    client = house.station("leaver")
    try:
        client.connect()
        client.publish(topics.status("leaver"), codec.encode(StationStatus(station="leaver", online=True)))
        provision.revoke_station(house.config, "leaver")
        client.disconnected.get(timeout=10)
    finally:
        client.close()
    assert not may_offer(house, client.tls, "leaver")


def test_a_revoked_station_can_be_approved_again(house: House) -> None:
    key, request = ca.new_request("returner")
    first = signed_in(house, "returner-first", key, provision.approve_station(house.config, "returner", request))
    provision.revoke_station(house.config, "returner")
    assert not may_offer(house, first, "returner")
    again = signed_in(house, "returner-again", key, provision.approve_station(house.config, "returner", request))
    assert may_offer(house, again, "returner")


def test_the_certificate_of_a_stolen_machine_opens_nothing_when_its_name_is_given_to_another(house: House) -> None:
    stolen_key, stolen_request = ca.new_request("heir")
    stolen = signed_in(
        house, "heir-stolen", stolen_key, provision.approve_station(house.config, "heir", stolen_request)
    )
    assert may_offer(house, stolen, "heir")
    key, request = ca.new_request("heir")
    heir = signed_in(house, "heir", key, provision.approve_station(house.config, "heir", request))
    assert may_offer(house, heir, "heir")
    assert not may_offer(house, stolen, "heir")
    provision.revoke_station(house.config, "heir")
    assert not may_offer(house, heir, "heir")


def signed_in(house: House, folder: str, key: bytes, certificate: bytes) -> ca.Credentials:
    (house.folder / folder).mkdir()
    own = house.folder / folder
    tls = ca.Credentials(ca=house.config.broker.credentials("office").ca, cert=own / "c.crt", key=own / "c.key")
    tls.cert.write_bytes(certificate)
    ca.write_private(tls.key, key)
    return tls


def may_offer(house: House, tls: ca.Credentials, station: str) -> bool:
    client = house.client(tls, station)
    try:
        client.connect(timeout=3.0)
        return client.publish(topics.offers(station), b"{}") == NO_SUBSCRIBER
    except (OSError, queue.Empty):
        # Who was shut out is not even greeted, as soon as the broker has read its list: tests/central/test_door.py.
        return False
    finally:
        client.close()


def test_who_was_approved_is_still_known_after_a_restart_of_the_broker(house: House) -> None:
    house.station("stayer")
    house.broker.restart()
    with house.station("stayer") as client:
        assert client.publish(topics.offers("stayer"), b"{}") == NO_SUBSCRIBER


def test_a_worker_cannot_act_as_a_station_or_as_another_worker(house: House) -> None:
    worker = house.client(house.config.broker.credentials(ca.worker_name("w2")), "w2")
    try:
        worker.connect()
        assert worker.subscribe(topics.any_chunk("w1")) == [NOT_AUTHORISED]
        assert worker.publish(topics.offers("victim"), b"{}") == NOT_AUTHORISED
        assert worker.publish(topics.status("victim"), b"{}") == NOT_AUTHORISED
        assert worker.publish(CONTROL_TOPIC, b"{}") == NOT_AUTHORISED
        assert worker.subscribe(topics.SHARED_OFFERS) == [1]
    finally:
        worker.close()


def test_the_broker_tells_the_limits_it_was_given(house: House) -> None:
    from central.doctor import checks

    found = {check.name: check for check in checks(house.config)}
    assert found["broker limits"].ok
    assert found["worker"].code == "BROKER-08"
    with house.worker():
        eventually(lambda: {check.name: check for check in checks(house.config)}["worker"].ok)
