"""A station's certificate renews itself: when it is time, with whatever clock there is, and the line takes it up."""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.config import BrokerSection
from appliance.doctor import look_at_renewal
from appliance.errors import PairingError, StationError
from appliance.pairing.certificates import not_after
from appliance.pairing.conversation import Pairing
from appliance.pairing.renewal import BEFORE, Renewal
from appliance.publisher import mqtt
from appliance.publisher.config import BrokerAddress
from central.authority import ca, provision
from central.authority.renewing import renew
from central.doctor import checks
from tests.central.house import eventually
from tests.system.pairing_site import Centre, may_speak, station

pytestmark = pytest.mark.broker
IN_TIME = timedelta(days=5 * 365) - BEFORE + timedelta(days=1)


@pytest.fixture
def centre(open_centre: Centre) -> Iterator[Centre]:
    yield open_centre
    open_centre.now = lambda: datetime.now(UTC)


@pytest.fixture
def paired(centre: Centre, tmp_path: Path) -> Pairing:
    one = station(tmp_path / "pki", "kho-1")
    with centre.listening():
        one.keep(one.by_invitation(centre.desk.invite("kho-1").invitation))
    return one


def later(by: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + by


def renewal(centre: Centre, paired: Pairing, wall: Callable[[], datetime], *, synchronised: bool = True) -> Renewal:
    return Renewal(paired.station, paired.certificates, centre.address, wall, lambda: synchronised)


def test_a_certificate_that_lasts_is_left_alone_and_the_centre_is_not_asked(centre: Centre, paired: Pairing) -> None:
    # Nobody listens: asking would raise.
    assert not renewal(centre, paired, later(IN_TIME - timedelta(days=2))).renew_where_due()


def test_sixty_days_before_its_end_it_is_renewed(centre: Centre, paired: Pairing) -> None:
    old = paired.certificates.cert.read_text()
    centre.now = later(IN_TIME)
    with centre.listening():
        assert renewal(centre, paired, later(IN_TIME)).renew_where_due()
        assert not renewal(centre, paired, later(IN_TIME)).renew_where_due()
    assert not_after(paired.certificates.cert.read_text()) - not_after(old) > timedelta(days=4 * 365)
    assert may_speak(centre, paired.certificates)


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_station_that_does_not_know_the_time_asks_the_centre(centre: Centre, paired: Pairing, year: int) -> None:
    def wrong() -> datetime:
        return datetime(year, 1, 1, tzinfo=UTC)

    old = paired.certificates.cert.read_bytes()
    with centre.listening():
        assert not renewal(centre, paired, wrong, synchronised=False).renew_where_due()
        centre.now = later(IN_TIME)
        assert renewal(centre, paired, wrong, synchronised=False).renew_where_due()
    assert paired.certificates.cert.read_bytes() != old


def test_a_station_that_was_shut_out_keeps_what_it_has_and_gets_nothing(centre: Centre, paired: Pairing) -> None:
    old = paired.certificates.cert.read_bytes()
    provision.revoke_station(centre.config, paired.station)
    with centre.listening(), pytest.raises(PairingError, match="shut out"):
        renewal(centre, paired, later(IN_TIME)).renew_where_due()
    assert paired.certificates.cert.read_bytes() == old


def test_a_station_that_is_on_the_list_gets_nothing_though_the_catalogue_still_knows_it(
    centre: Centre, paired: Pairing
) -> None:
    ca.Authority.load(centre.config.broker.pki).revoke(lambda name: ca.station_of(name) == paired.station)
    with centre.listening(), pytest.raises(PairingError, match="shut out"):
        renewal(centre, paired, later(IN_TIME)).renew_where_due()


def test_a_centre_that_is_away_is_asked_again(centre: Centre, paired: Pairing) -> None:
    old, stop = paired.certificates.cert.read_bytes(), threading.Event()
    looking = renewal(centre, paired, later(IN_TIME))
    thread = threading.Thread(target=looking.run, args=(stop, 0.01, 0.1))
    thread.start()
    try:
        assert not stop.wait(0.3)
        with centre.listening():
            eventually(lambda: paired.certificates.cert.read_bytes() != old)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_the_line_shows_the_new_certificate_when_it_connects_again(centre: Centre, paired: Pairing) -> None:
    shown: queue.Queue[bytes] = queue.Queue()
    files, stop = paired.certificates, threading.Event()
    server = centre.config.broker.credentials(ca.SERVER)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.cert, server.key)
    context.load_verify_locations(server.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)

    def hang_up_at_once() -> None:
        while not stop.is_set():
            with suppress(OSError):
                plain, _ = listening.accept()
                plain.settimeout(5)
                with plain, context.wrap_socket(plain, server_side=True) as tls:
                    shown.put(tls.getpeercert(binary_form=True) or b"")

    thread = threading.Thread(target=hang_up_at_once)
    thread.start()
    port = listening.getsockname()[1]
    line = mqtt.Line(BrokerAddress("127.0.0.1", port, files.ca, files.cert, files.key), (), mqtt.LastWill("x", b""))
    try:
        line.start()
        old = ssl.PEM_cert_to_DER_cert(files.cert.read_text())
        assert shown.get(timeout=10) == old
        with centre.listening():
            paired.keep(paired.renewed(centre.address, files.ca.read_text()))
        new = ssl.PEM_cert_to_DER_cert(files.cert.read_text())
        eventually(lambda: shown.get(timeout=10) == new)
    finally:
        stop.set()
        line.close()
        thread.join(10)
        listening.close()


def test_the_stations_doctor_asks_whether_it_could_renew(centre: Centre, paired: Pairing, tmp_path: Path) -> None:
    files = paired.certificates
    way = BrokerSection("127.0.0.1", files.ca, files.cert, files.key, pairing_port=centre.address.port)
    with centre.listening():
        look_at_renewal(way)
        other = ca.Authority.open(tmp_path / "other").certificate_file
        with pytest.raises(StationError, match="PAIR-09"):
            look_at_renewal(replace(way, ca=other))
    with pytest.raises(StationError, match="PAIR-07"):
        look_at_renewal(way)


def test_the_doctor_names_a_broker_that_is_not_for_the_name_stations_use_and_renewing_mends_it(
    centre: Centre,
) -> None:
    assert centre.config.pairing is not None
    moved = replace(centre.config, pairing=replace(centre.config.pairing, public_host="thu-vien.example"))
    (centre.config.broker.pki / "pairing.crt").unlink()

    def codes() -> set[str]:
        return {one.code for one in checks(moved) if one.name in {"name of the centre", "certificate for pairing"}}

    assert codes() == {"CERT-05", "CERT-08"}
    assert {name for name, _ in renew(moved)} == {"server", "pairing"}
    assert codes() == {""}
    assert {name for name, _ in renew(centre.config)} == {"server"}


def test_the_centre_renews_its_own_before_they_end_and_not_sooner(centre: Centre) -> None:
    assert renew(centre.config) == ()
    keys = {file.name: file.read_bytes() for file in centre.config.broker.pki.glob("*.key")}
    renewed = dict(renew(centre.config, now=datetime.now(UTC) + IN_TIME))
    assert set(renewed) == {"server", "office", "admin", "worker.w1", "worker.w2", "pairing"}
    assert min(renewed.values()) > datetime.now(UTC) + IN_TIME + timedelta(days=4 * 365)
    assert {file.name: file.read_bytes() for file in centre.config.broker.pki.glob("*.key")} == keys
    centre.set_up.broker.restart()
    with centre.listening():
        one = station(centre.folder / "after", "kho-after")
        one.keep(one.by_invitation(centre.desk.invite("kho-after").invitation))
    assert may_speak(centre, one.certificates)
