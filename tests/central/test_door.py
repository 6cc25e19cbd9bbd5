"""The broker's door: who may not even connect, tried with real certificates against the real broker.

Every test knocks with TLS and a greeting of MQTT and sees whether it is greeted back; the one of a station that is let
in shows that being let in looks different.
"""

import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from central.authority import ca, provision
from central.authority.admin import Admin
from central.authority.revocation import ISSUED_FILE, REVOKED_FILE
from central.errors import AuthorityError, BrokerError
from tests.central.house import House, eventually
from wire import topics

pytestmark = pytest.mark.broker
GREETING = bytes.fromhex("100f00044d5154540502001e0000026162")
GREETED = 0x20


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> ca.Authority:
    """Another authority that calls itself like ours."""
    return ca.Authority.open(tmp_path_factory.mktemp("stranger"))


def knock(house: House, tls: ca.Credentials | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> str:
    """Return ``greeted``, or how the broker refused in the handshake."""
    context = ssl.create_default_context(cafile=str(house.config.broker.credentials(ca.OFFICE).ca))
    context.minimum_version = context.maximum_version = version
    if tls is not None:
        context.load_cert_chain(tls.cert, tls.key)
    try:
        with (
            socket.create_connection((house.broker.host, house.broker.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=house.broker.host) as line,
        ):
            # In TLS 1.3 a refusal follows our half of the handshake: whoever speaks first may miss it.
            line.settimeout(0.2)
            try:
                line.recv(1)
            except TimeoutError:
                line.settimeout(5)
            line.sendall(GREETING)
            answer = line.recv(1)
            return "greeted" if answer and answer[0] == GREETED else "hung up"
    except ssl.SSLError as error:
        return error.reason or "hung up"
    except OSError:
        return "hung up"


def let_in(house: House, name: str) -> ca.Credentials:
    return provision.new_station(house.config, name, house.folder / f"station-{name}")


def test_a_station_that_was_let_in_is_greeted_with_either_version_of_tls(house: House) -> None:
    tls = let_in(house, "guest")
    assert knock(house, tls) == knock(house, tls, ssl.TLSVersion.TLSv1_2) == "greeted"


def test_nobody_is_greeted_without_a_certificate(house: House) -> None:
    assert "CERTIFICATE_REQUIRED" in knock(house, None)


def test_nobody_is_greeted_with_a_certificate_of_another_authority(house: House, stranger: ca.Authority) -> None:
    tls = let_in(house, "double")
    key, request = ca.new_request("double")
    forged = replace(tls, cert=house.folder / "forged.crt", key=house.folder / "forged.key")
    forged.cert.write_bytes(stranger.sign_station("double", request))
    ca.write_private(forged.key, key)
    assert "ALERT" in knock(house, forged)
    assert knock(house, tls) == "greeted"


@pytest.mark.parametrize("part", ["name", "signature"])
def test_nobody_is_greeted_with_a_certificate_that_was_altered(house: House, part: str) -> None:
    tls = let_in(house, "altered")
    content = bytearray(x509.load_pem_x509_certificate(tls.cert.read_bytes()).public_bytes(serialization.Encoding.DER))
    if part == "name":
        begin = content.index(b"station.altered.")
        content[begin : begin + 15] = b"station.another"
    else:
        content[-1] ^= 1
    forged = replace(tls, cert=house.folder / f"altered-{part}.crt")
    forged.cert.write_text(ssl.DER_cert_to_PEM_cert(bytes(content)))
    assert "ALERT" in knock(house, forged)
    assert knock(house, tls) == "greeted"


def test_a_station_that_is_shut_out_loses_its_line_and_is_not_greeted_again(house: House) -> None:
    stayer = let_in(house, "stayer")
    with house.station("leaver") as leaver, house.worker():
        provision.revoke_station(house.config, "leaver")
        leaver.disconnected.get(timeout=10)
        eventually(lambda: knock(house, leaver.tls) == "SSLV3_ALERT_CERTIFICATE_REVOKED")
        assert knock(house, leaver.tls, ssl.TLSVersion.TLSv1_2) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        assert knock(house, stayer) == "greeted"


def test_shutting_out_disturbs_nobody_else(house: House) -> None:
    with house.station("neighbour") as neighbour, house.worker():
        gone = let_in(house, "noisy")
        provision.revoke_station(house.config, "noisy")
        eventually(lambda: knock(house, gone) == "SSLV3_ALERT_CERTIFICATE_REVOKED")
        # The rules of who may say what are those from before, and the line was never down.
        assert neighbour.publish(topics.offers("neighbour"), b"{}") == 0
        assert neighbour.disconnected.empty()


def test_of_several_shut_out_within_a_second_each_is_refused(house: House) -> None:
    gone = [let_in(house, f"many-{number}") for number in range(3)]
    for number in range(3):
        provision.revoke_station(house.config, f"many-{number}")
    for tls in gone:
        eventually(lambda tls=tls: knock(house, tls) == "SSLV3_ALERT_CERTIFICATE_REVOKED")


def test_a_station_that_was_away_while_it_was_shut_out_finds_the_door_closed(house: House) -> None:
    tls = let_in(house, "traveller")
    provision.revoke_station(house.config, "traveller")
    house.broker.restart()
    assert knock(house, tls) == "SSLV3_ALERT_CERTIFICATE_REVOKED"


def test_shutting_out_while_the_broker_is_off_holds_from_its_start_and_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = let_in(house, "sleeper")
    house.broker.stop()
    monkeypatch.setattr(provision, "Admin", partial(Admin, timeout_s=0.5))
    with pytest.raises(BrokerError, match="BROKER-10"):
        provision.revoke_station(house.config, "sleeper")
    monkeypatch.undo()
    house.broker.start()
    assert knock(house, tls) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
    provision.revoke_station(house.config, "sleeper")


def test_every_certificate_that_a_machine_ever_had_is_refused_after_renewals_too(house: House) -> None:
    first = let_in(house, "old-hand")
    name = ca.common_name(first.cert.read_bytes())
    key, request = ca.new_request("old-hand")
    second = replace(first, cert=house.folder / "second.crt", key=house.folder / "second.key")
    second.cert.write_bytes(ca.Authority.load(house.config.broker.pki).sign_station("old-hand", request, renewed=name))
    ca.write_private(second.key, key)
    assert knock(house, first) == knock(house, second) == "greeted"
    provision.revoke_station(house.config, "old-hand")
    for tls in (first, second):
        eventually(lambda tls=tls: knock(house, tls) == "SSLV3_ALERT_CERTIFICATE_REVOKED")


def test_the_machine_before_is_refused_once_another_has_its_name_and_may_come_back(house: House) -> None:
    before = let_in(house, "post")
    key, request = ca.new_request("post")
    after = replace(before, cert=house.folder / "after.crt", key=house.folder / "after.key")
    after.cert.write_bytes(provision.approve_station(house.config, "post", request))
    ca.write_private(after.key, key)
    eventually(lambda: knock(house, before) == "SSLV3_ALERT_CERTIFICATE_REVOKED")
    assert knock(house, after) == "greeted"
    provision.revoke_station(house.config, "post")
    after.cert.write_bytes(provision.approve_station(house.config, "post", request))
    eventually(lambda: knock(house, after) == "greeted")


def test_the_list_counts_as_long_as_the_authority_whatever_the_clock_says(tmp_path: Path) -> None:
    authority = ca.Authority.open(tmp_path)
    _, request = ca.new_request("one")
    authority.sign_station("one", request)
    authority.revoke(lambda _: True, now=datetime(2099, 1, 1, tzinfo=UTC))
    listed = x509.load_pem_x509_crl((tmp_path / REVOKED_FILE).read_bytes())
    ours = x509.load_pem_x509_certificate(authority.certificate_file.read_bytes())
    assert listed.is_signature_valid(ours.public_key())  # type: ignore[arg-type]
    assert len(listed) == 1
    assert listed.next_update_utc == ours.not_valid_after_utc
    assert listed.last_update_utc < datetime(2021, 1, 1, tzinfo=UTC)
    authority.sign_station("two", ca.new_request("two")[1])
    authority.revoke(lambda _: True, now=datetime(1999, 1, 1, tzinfo=UTC))
    # Where both lie in the broker's memory, TLS believes the one that is dated later.
    later = x509.load_pem_x509_crl((tmp_path / REVOKED_FILE).read_bytes())
    assert (len(later), later.last_update_utc > listed.last_update_utc) == (2, True)


def test_half_a_line_that_a_power_cut_left_spoils_no_other(tmp_path: Path) -> None:
    authority = ca.Authority.open(tmp_path)
    requests = [ca.new_request(name)[1] for name in ("one", "two")]
    serials = [x509.load_pem_x509_certificate(authority.sign_station("one", requests[0])).serial_number]
    with (tmp_path / ISSUED_FILE).open("ab") as stream:
        stream.write(b"\n1234abcd stat")
    serials.append(x509.load_pem_x509_certificate(authority.sign_station("two", requests[1])).serial_number)
    authority.revoke(lambda name: ca.station_of(name) is not None)
    listed = x509.load_pem_x509_crl((tmp_path / REVOKED_FILE).read_bytes())
    assert {entry.serial_number for entry in listed} == set(serials)


def test_a_list_that_cannot_be_read_is_never_replaced_by_an_empty_one(tmp_path: Path) -> None:
    authority = ca.Authority.open(tmp_path)
    (tmp_path / REVOKED_FILE).write_text("no list")
    with pytest.raises(AuthorityError, match="CERT-09"):
        authority.revoke(lambda _: True)
    assert (tmp_path / REVOKED_FILE).read_text() == "no list"
