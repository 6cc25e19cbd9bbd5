"""What pairing leaves on a station's disk: fits at every moment, belongs to its service, keeps people's own lines."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.config import BrokerSection, load, parse
from appliance.errors import ConfigError, PairingError
from appliance.pairing import config as pairing_config
from appliance.pairing.certificates import context
from appliance.pairing.files import Certificates
from appliance.pairing.keys import check, signing_request
from appliance.pairing.line import _WORDS
from central.authority import ca
from wire.pairing import Refusal

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BASE = """\
# mine
[station]
id = "kho-1"   # keep this word
[spool]
folder = "spool"
[web]
token_file = "token"
"""
BROKER = BrokerSection("thu-vien.vn", Path("/k/ca.crt"), Path("/k/station.crt"), Path("/k/station.key"), 8883, 8884)


@pytest.fixture
def authority(tmp_path: Path) -> ca.Authority:
    return ca.Authority.open(tmp_path / "authority", now=NOW)


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    folder = tmp_path / "pki"
    return Certificates(folder / "ca.crt", folder / "station.crt", folder / "station.key")


def pair(files: Certificates, authority: ca.Authority) -> tuple[str, str]:
    request = signing_request(files.pending_key())
    return authority.certificate_file.read_text(), authority.sign_station("kho-1", request.encode(), now=NOW).decode()


def fits(files: Certificates) -> bool:
    context(files.ca, files.cert, files.key)
    return True


class PowerCut(Exception):
    """The power goes."""


@pytest.mark.parametrize("step", range(1, 20))
def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_and_never_a_mixture(
    files: Certificates, authority: ca.Authority, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    files.install(*pair(files, authority))
    old = files.cert.read_bytes()
    got = pair(files, authority)
    taken = 0

    def counted(real: object) -> object:
        def call(*arguments: object, **named: object) -> object:
            nonlocal taken
            taken += 1
            if taken == step:
                raise PowerCut
            return real(*arguments, **named)  # type: ignore[operator]

        return call

    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    is_cut = False
    try:
        files.install(*got)
    except PowerCut:
        is_cut = True
    monkeypatch.undo()
    files.finish()
    assert fits(files)
    assert files.cert.read_bytes() == (got[1].encode() if not is_cut or files.cert.read_bytes() != old else old)
    files.install(*pair(files, authority))
    assert fits(files)


def test_the_steps_above_reach_beyond_the_last_one(
    files: Certificates, authority: ca.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    rename, sync = Path.rename, os.fsync
    files.install(*pair(files, authority))
    got = pair(files, authority)
    monkeypatch.setattr(Path, "rename", lambda *a: (taken.append(1), rename(*a))[1])
    monkeypatch.setattr(os, "fsync", lambda *a: (taken.append(1), sync(*a))[1])
    files.install(*got)
    assert 5 < len(taken) < 19


def test_the_key_of_a_pairing_under_way_outlives_a_break_and_not_a_refusal(files: Certificates) -> None:
    key = files.pending_key()
    assert Certificates(files.ca, files.cert, files.key).pending_key() == key
    files.abandon()
    assert files.pending_key() != key


def test_a_key_is_private_from_its_first_moment(files: Certificates) -> None:
    before = os.umask(0)
    try:
        files.pending_key()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.key.parent.iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can give files away")
def test_what_the_administrator_pairs_belongs_to_the_service_whose_folder_it_is(
    files: Certificates, authority: ca.Authority
) -> None:
    files.key.parent.mkdir()
    os.chown(files.key.parent, 12_345, 12_346)
    files.install(*pair(files, authority))
    assert {(file.stat().st_uid, file.stat().st_gid) for file in files.key.parent.iterdir()} == {(12_345, 12_346)}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = Certificates(tmp_path / "file" / "ca", tmp_path / "file" / "cert", tmp_path / "file" / "key")
    with pytest.raises(PairingError, match="cannot be kept") as caught:
        files.pending_key()
    assert caught.value.code == "PAIR-21"


def test_a_certificate_is_believed_only_where_everything_about_it_is_right(
    files: Certificates, authority: ca.Authority, tmp_path: Path
) -> None:
    key = files.pending_key()
    request = signing_request(key).encode()
    ours, good = authority.certificate_file.read_text(), authority.sign_station("kho-1", request, now=NOW).decode()
    check(good, ours, key, "kho-1", NOW)
    stranger = ca.Authority.open(tmp_path / "stranger", now=NOW)
    other_key = ca.new_request("kho-1")[0].decode()
    server = authority.reissue("station.kho-1.x", ("localhost",), now=NOW).cert.read_text()
    for certificate, station, own_key, at in (
        (stranger.sign_station("kho-1", request, now=NOW).decode(), "kho-1", key, NOW),
        (good, "kho-2", key, NOW),
        (good, "kho-1", other_key, NOW),
        (good, "kho-1", key, NOW + timedelta(days=6 * 365)),
        (good, "kho-1", key, datetime(2019, 1, 1, tzinfo=UTC)),
        (server, "kho-1", (tmp_path / "authority" / "station.kho-1.x.key").read_text(), NOW),
        ("nothing", "kho-1", key, NOW),
    ):
        with pytest.raises(PairingError) as caught:
            check(certificate, ours, own_key, station, at)
        assert caught.value.code == "PAIR-18"


def test_a_request_names_nobody_and_holds_no_secret(files: Certificates) -> None:
    key = files.pending_key()
    request = x509.load_pem_x509_csr(signing_request(key).encode())
    assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME) == []
    assert isinstance(request.public_key(), ec.EllipticCurvePublicKey)
    assert key.splitlines()[1] not in signing_request(key)


# The configuration


@pytest.mark.parametrize(
    "old",
    [
        BASE,
        BASE.rstrip("\n"),
        BASE + '\n# Pairing fills it in.\n# [broker]\n# host = "centre.example"\n# port = 1\n\n# the end\n',
        '[broker] # here\nhost = "old"\nca = "a"\ncert = "b"\nkey = "c"\n' + BASE,
        BASE + '[broker]\nhost = "old"\nca = "a"\ncert = "b"\nkey = "c"\n[uplink]\nlimit_kbps = 99\n',
    ],
)
def test_the_way_to_the_centre_is_written_and_everything_else_stays(tmp_path: Path, old: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(old)
    file.chmod(0o640)
    pairing_config.write_broker(file, BROKER)
    assert load(file).broker == BROKER
    assert load(file).uplink == parse(old, base=tmp_path).uplink
    new = file.read_text()
    assert all(line in new for line in BASE.splitlines())
    assert new.count("[broker]") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    pairing_config.write_broker(file, BROKER)
    assert file.read_text() == new


def test_a_configuration_that_cannot_be_understood_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    for text in ("[station", BASE + 'broker = { host = "x" }\n'):
        file.write_text(text)
        with pytest.raises((PairingError, ConfigError)):
            pairing_config.write_broker(file, BROKER)
        assert file.read_text() == text


# Words


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_of_the_centre_has_its_words_at_the_station(refusal: Refusal) -> None:
    message, cure = _WORDS[refusal.value]
    assert message.endswith(".")
    assert cure.endswith(".")
