"""A seal tells who spoke: it opens for the one who made it, about the station it names, and for nothing else."""

import contextlib
import random
import ssl
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.authority import ca
from wire import codec
from wire.seal import OFFICE, Seal, SealBroken


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ca.Authority:
    return ca.Authority.open(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def office(authority: ca.Authority) -> Seal:
    return _seal(authority.issue_client(OFFICE))


@pytest.fixture(scope="module")
def sealed_once(office: Seal) -> bytes:
    """One sealed document for all examples: a signature is drawn anew each time, and even its length differs."""
    return office.close("tram-01", [b"ab"])


def _seal(files: ca.Credentials) -> Seal:
    return Seal(files.ca.read_bytes(), files.cert.read_bytes(), files.key.read_bytes())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=200).map(str.encode), min_size=1, max_size=2))
def test_what_was_sealed_comes_out_as_it_was(office: Seal, messages: list[bytes]) -> None:
    sealed = office.close("tram-01", messages)
    assert office.open(sealed, station="tram-01", signer=OFFICE) == tuple(messages)


@pytest.mark.parametrize("change", ["station", "messages", "order", "split", "signature", "certificate"])
def test_no_part_of_it_can_be_changed(office: Seal, authority: ca.Authority, change: str) -> None:
    sealed = codec.decode_sealed(office.close("tram-01", [b"ab", b"c"]))
    other = codec.decode_sealed(office.close("tram-01", [b"other"]))
    station = "tram-02" if change == "station" else "tram-01"
    changed = {
        "station": {"station": "tram-02"},
        "messages": {"messages": ("ab", "d")},
        "order": {"messages": ("c", "ab")},
        "split": {"messages": ("a", "bc")},
        "signature": {"signature": other.signature},
        "certificate": {"certificate": authority.issue_client("admin").cert.read_text()},
    }[change]
    content = codec.encode(msgspec.structs.replace(sealed, **changed))
    with pytest.raises(SealBroken, match="CARRY-06"):
        office.open(content, station=station, signer=OFFICE)
    if change == "station":
        with pytest.raises(SealBroken, match="of another station"):
            office.open(content, station="tram-01", signer=OFFICE)


def test_a_certificate_that_only_bears_the_right_name_opens_nothing(office: Seal, tmp_path: Path) -> None:
    stranger = ca.Authority.open(tmp_path / "stranger")
    forged = _seal(stranger.issue_client(OFFICE)).close("tram-01", [b"x"])
    with pytest.raises(SealBroken, match="not one of our centre's"):
        office.open(forged, station="tram-01", signer=OFFICE)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_bytes_come_it_is_broken_and_never_a_surprise(
    office: Seal, sealed_once: bytes, data: st.DataObject
) -> None:
    sealed = bytearray(sealed_once)
    for _ in range(data.draw(st.integers(1, 4))):
        sealed[data.draw(st.integers(0, len(sealed) - 1))] = data.draw(st.integers(0, 255))
    # Where only the armour of the certificate changed, it may still be the same one.
    with contextlib.suppress(SealBroken):
        assert office.open(bytes(sealed), station="tram-01", signer=OFFICE) == (b"ab",)


@pytest.mark.parametrize("seed", range(4))
def test_a_certificate_that_was_tampered_with_opens_nothing(office: Seal, seed: int) -> None:
    chance = random.Random(seed)
    sealed = codec.decode_sealed(office.close("tram-01", [b"ab"]))
    der = ssl.PEM_cert_to_DER_cert(sealed.certificate)
    for _ in range(300):
        changed = bytearray(der)
        changed[chance.randrange(len(der))] ^= chance.randrange(1, 256)
        content = codec.encode(msgspec.structs.replace(sealed, certificate=ssl.DER_cert_to_PEM_cert(bytes(changed))))
        with pytest.raises(SealBroken, match="CARRY-06"):
            office.open(content, station="tram-01", signer=OFFICE)


def test_a_key_that_is_not_the_certificate_s_is_no_seal(authority: ca.Authority) -> None:
    office, admin = authority.issue_client(OFFICE), authority.issue_client("admin")
    with pytest.raises(ValueError, match="not that of the certificate"):
        Seal(office.ca.read_bytes(), office.cert.read_bytes(), admin.key.read_bytes())
