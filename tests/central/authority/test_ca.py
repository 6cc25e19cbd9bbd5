import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.authority import ca
from central.errors import AuthorityError


@pytest.fixture
def authority(tmp_path: Path) -> ca.Authority:
    return ca.Authority.open(tmp_path / "pki")


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_certificates_are_valid_for_a_clock_that_starts_in_the_past(authority: ca.Authority) -> None:
    start = datetime(2020, 6, 1, tzinfo=UTC)
    _, request = ca.new_request("kho-1")
    signed = x509.load_pem_x509_certificate(authority.sign_station("kho-1", request))
    for certificate in (load(authority.certificate_file), load(authority.issue_server().cert), signed):
        assert certificate.not_valid_before_utc < start < datetime.now(UTC) < certificate.not_valid_after_utc


def test_every_certificate_is_signed_by_the_authority_and_good_for_one_thing(authority: ca.Authority) -> None:
    server, client = load(authority.issue_server().cert), load(authority.issue_client(ca.OFFICE).cert)
    for certificate, usage in (
        (server, ExtendedKeyUsageOID.SERVER_AUTH),
        (client, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        certificate.verify_directly_issued_by(load(authority.certificate_file))
        assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]


def test_keys_can_be_read_by_their_owner_alone(authority: ca.Authority) -> None:
    authority.issue_server()
    authority.issue_client(ca.worker_name("w1"))
    for key in authority.folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_doing_it_again_changes_nothing(authority: ca.Authority) -> None:
    authority.issue_server()
    authority.issue_client(ca.ADMIN)
    before = {path: path.read_bytes() for path in authority.folder.iterdir()}
    again = ca.Authority.open(authority.folder)
    again.issue_server()
    again.issue_client(ca.ADMIN)
    assert {path: path.read_bytes() for path in authority.folder.iterdir()} == before


def test_a_server_that_gets_another_name_gets_another_certificate(authority: ca.Authority) -> None:
    first = authority.issue_server().cert.read_bytes()
    assert authority.issue_server(("centre.example", "10.0.0.1")).cert.read_bytes() != first


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_request_never_chooses_its_own_name(authority: ca.Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    for name in ("admin", "worker.w1", "station.other"):
        with pytest.raises(AuthorityError) as caught:
            authority.sign_station("kho-1", request(key, name))
        assert caught.value.code == "CERT-03"


def test_a_weak_or_unreadable_request_is_refused(authority: ca.Authority) -> None:
    weak = request(rsa.generate_private_key(65_537, 1024), "station.kho-1")
    _, good = ca.new_request("kho-1")
    for bad in (weak, b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"):
        with pytest.raises(AuthorityError):
            authority.sign_station("kho-1", bad)
    authority.sign_station("kho-1", good)


@pytest.mark.parametrize("name", ["", "Kho", "a/b", "#", "+", "x" * 33, "kho 1", "station.kho"])
def test_a_name_that_a_topic_cannot_carry_is_refused(authority: ca.Authority, name: str) -> None:
    with pytest.raises(AuthorityError):
        authority.sign_station(name, b"")


def test_each_machine_has_a_name_of_its_own_and_keeps_it_when_it_renews(authority: ca.Authority) -> None:
    requests = [ca.new_request("kho-1")[1] for _ in range(2)]
    names = [ca.common_name(authority.sign_station("kho-1", one)) for one in requests]
    assert names[0] != names[1]
    assert {ca.station_of(name) for name in names} == {"kho-1"}
    assert ca.common_name(authority.sign_station("kho-1", requests[1], renewed=names[0])) == names[0]


@pytest.mark.parametrize("name", ["office", "worker.w1", "station.kho-1", "station..x", "station.a.b.c", "station.A.b"])
def test_no_other_name_is_taken_for_a_stations(name: str) -> None:
    assert ca.station_of(name) is None


def test_half_an_authority_is_not_silently_replaced(authority: ca.Authority) -> None:
    (authority.folder / "ca.key").unlink()
    with pytest.raises(AuthorityError) as caught:
        ca.Authority.open(authority.folder)
    assert caught.value.code == "CERT-01"
