"""The doctor names each missing thing and its cure, and changes nothing."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance import doctor
from appliance.config import BrokerSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.errors import StationError
from appliance.pairing.certificates import not_after
from appliance.spool.files import Paths
from appliance.spool.state import Clock, StationState, write_state
from appliance.spool.store import Spool
from firmware.errors import HardwareError
from firmware.registry import CameraConfig, HardwareConfig

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def write_certificates(folder: Path, until: datetime) -> tuple[Path, Path, Path]:
    """An authority that is its own server: enough to speak TLS with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(2**64)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca, own, private = folder / "ca.crt", folder / "station.crt", folder / "station.key"
    for file in (ca, own):
        file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca, own, private


def config(home: Path, broker: BrokerSection | None = None, **camera: object) -> StationConfig:
    return StationConfig(
        StationSection("tram-01"),
        SpoolSection(home / "spool", reserve_mib=0),
        WebSection(home / "token"),
        HardwareConfig((CameraConfig(**{"width_px": 320, "height_px": 240, **camera}),)),  # type: ignore[arg-type]
        broker=broker,
    )


@pytest.mark.parametrize("until", [datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)])
def test_the_end_of_a_certificate_is_read_in_both_of_its_forms(tmp_path, until) -> None:
    ca, _, _ = write_certificates(tmp_path, until)
    assert not_after(ca.read_text("ascii")) == until


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x03\x30\x01\x00", b"\x05\x00", b"\xff" * 50])
def test_what_is_no_certificate_is_said_so_and_nothing_worse(der: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several kinds of broken, one kind of answer
        not_after(ssl.DER_cert_to_PEM_cert(der))


def test_certificates_that_are_missing_foreign_or_ending_are_named(tmp_path) -> None:
    ca, own, key = write_certificates(tmp_path, NOW + timedelta(days=400))
    doctor.look_at_certificates(ca, own, key, NOW)
    with pytest.raises(StationError, match="PAIR-05") as ending:
        doctor.look_at_certificates(ca, own, key, NOW + timedelta(days=390))
    with pytest.raises(StationError, match="PAIR-06"):
        doctor.look_at_certificates(ca, own, key, NOW + timedelta(days=401))
    assert "station.crt" in str(ending.value) or "ca.crt" in str(ending.value)
    (tmp_path / "other").mkdir()
    *_, foreign = write_certificates(tmp_path / "other", NOW + timedelta(days=400))
    with pytest.raises(StationError, match="PAIR-03"):
        doctor.look_at_certificates(ca, own, foreign, NOW)
    key.unlink()
    with pytest.raises(StationError, match=r"station\.key is missing"):
        doctor.look_at_certificates(ca, own, key, NOW)


def test_exactly_one_opencv_wheel_is_right() -> None:
    def installed(*names: str):
        def version(name: str) -> str:
            if name.startswith("opencv") and name not in names:
                raise metadata.PackageNotFoundError
            return "1"

        return version

    doctor.look_at_packages(installed("opencv-python-headless"))
    for wheels in ((), ("opencv-python", "opencv-python-headless")):
        with pytest.raises(StationError, match="SOFT-03"):
            doctor.look_at_packages(installed(*wheels))


def test_a_missing_package_and_an_old_python_are_named() -> None:
    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError

    with pytest.raises(StationError, match="msgspec"):
        doctor.look_at_packages(nothing)
    with pytest.raises(StationError, match=r"Python 3\.9"):
        doctor.look_at_python((3, 9))


def test_a_spool_on_memory_is_a_failure_and_on_a_card_an_advice(tmp_path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\ntmpfs {tmp_path.resolve()} tmpfs rw 0 0\n", encoding="utf-8")
    with pytest.raises(StationError, match="DISK-09"):
        doctor.look_at_disk(tmp_path / "spool", 0, mounts)
    mounts.write_text(f"/dev/mmcblk0p2 {tmp_path.resolve()} ext4 rw 0 0\n", encoding="utf-8")
    with pytest.raises(StationError, match="DISK-10"):
        doctor.look_at_disk(tmp_path / "spool", 0, mounts)
    with pytest.raises(StationError, match="DISK-01"):
        doctor.look_at_disk(tmp_path, 2**60, mounts)
    assert doctor.mount_of(Path("/srv/x"), "a / ext4\nb /srv xfs\nc /srv/xy zfs\n") == ("b", "xfs")


def test_a_broken_index_is_named_and_left_as_it_is(tmp_path) -> None:
    folder = tmp_path / "spool"
    with Spool.open(folder, "tram-01"):
        pass
    doctor.look_at_index(folder)
    Paths(folder).database.write_bytes(b"not a database" * 1000)
    with pytest.raises(StationError, match="DISK-05"):
        doctor.look_at_index(folder)
    assert Paths(folder).database.read_bytes().startswith(b"not a database")


def test_the_whole_round_names_what_is_missing_and_finds_the_rest_well(tmp_path) -> None:
    found = {check.name: check for check in doctor.checks(config(tmp_path, driver="replay", folder=tmp_path / "none"))}
    assert found["python"].ok
    assert found["packages"].ok
    assert not found["hardware"].ok
    assert found["spool"].code == "DISK-07"
    assert found["broker"].code == "CONF-03"
    assert all(check.code and check.message and check.cure for check in found.values() if not check.ok)
    assert not (tmp_path / "spool").exists()


def test_a_clock_that_nobody_set_is_an_advice() -> None:
    doctor.look_at_clock(lambda: True)
    with pytest.raises(StationError, match="CLOCK-01"):
        doctor.look_at_clock(lambda: False)


def test_a_broker_is_well_when_it_speaks_tls_under_our_authority(tmp_path) -> None:
    ca, own, key = write_certificates(tmp_path, datetime.now(UTC) + timedelta(days=400))
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own, key)

    def answer() -> None:
        connection, _ = listening.accept()
        with server.wrap_socket(connection, server_side=True):
            pass

    answering = threading.Thread(target=answer)
    answering.start()
    broker = BrokerSection("localhost", ca, own, key, listening.getsockname()[1])
    doctor.look_at_broker(config(tmp_path, broker))
    answering.join(10)
    listening.close()
    with pytest.raises(StationError, match="NET-01"):
        doctor.look_at_broker(config(tmp_path, broker))


def test_of_a_station_that_runs_the_doctor_says_what_it_says_of_itself_and_opens_nothing(tmp_path) -> None:
    run = Paths(tmp_path / "spool").run
    run.mkdir(parents=True)
    taken = config(tmp_path, driver="replay", folder=tmp_path / "nothing")  # opening that would be refused
    write_state(run / "station.json", StationState(state="ready"), Clock())
    doctor.look_at_hardware(taken)
    write_state(run / "station.json", StationState(state="fault", fault="CAM-02"), Clock())
    with pytest.raises(StationError, match="CAM-02"):
        doctor.look_at_hardware(taken)
    (run / "station.json").unlink()
    with pytest.raises(HardwareError):
        doctor.look_at_hardware(taken)
