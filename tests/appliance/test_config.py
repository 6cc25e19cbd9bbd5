"""``station.toml``: every fault at once, by its key."""

from pathlib import Path

import pytest

from appliance.config import (
    BrokerSection,
    ImagingSection,
    SpoolSection,
    StationConfig,
    StationSection,
    WebSection,
    load,
    parse,
    render,
)
from appliance.errors import ConfigError
from firmware.registry import CameraConfig, HardwareConfig

LEAST = """
[station]
id = "tram-01"
[spool]
folder = "spool"
[web]
token_file = "token"
"""


def config(**more: object) -> StationConfig:
    return StationConfig(
        StationSection("tram-01", 'Trạm "số 1"'),
        SpoolSection(Path("/srv/spool")),
        WebSection(Path("/etc/token")),
        **more,  # type: ignore[arg-type]
    )


def test_three_sections_are_enough_and_paths_start_at_the_file() -> None:
    least = parse(LEAST, base=Path("/data"))
    assert least.spool.folder == Path("/data/spool")
    assert least.web.token_file == Path("/data/token")
    assert least.hardware == HardwareConfig()
    assert least.imaging == ImagingSection()


@pytest.mark.parametrize(
    "whole",
    [
        config(),
        config(
            hardware=HardwareConfig(
                cameras=(CameraConfig(seed=4), CameraConfig("replay", folder=Path("/ảnh"), loop=True)), volume=0.5
            ),
            imaging=ImagingSection(layout="two-camera", rotation_cw=(90, 270)),
            broker=BrokerSection("thu-vien.vn", Path("/ca"), Path("/cert"), Path("/key"), 8884),
        ),
    ],
)
def test_what_is_rendered_is_read_back_the_same(whole: StationConfig) -> None:
    assert parse(render(whole), base=Path("/elsewhere")) == whole


def test_three_faults_are_all_three_named() -> None:
    with pytest.raises(ConfigError) as error:
        parse(
            LEAST.replace("tram-01", "Trạm 1") + '[imaging]\nprofil = "x"\n[broker]\nhost = "b"\nport = 99999\n',
            base=Path(),
        )
    assert error.value.code == "CONF-01"
    for key in ("station.id", "imaging.profil is unknown", "broker.port", "broker.ca is missing", "broker.key"):
        assert key in error.value.message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "station.id is missing"),
        ("", "web.token_file is missing"),
        ("station = 3", "station is not a section"),
        ('[spool]\nfolder = 3\nreserve_mib = "x"', "spool.folder is wrong"),
        ('[spool]\nfolder = 3\nreserve_mib = "x"', "spool.reserve_mib is wrong"),
        ("[hardware]\ncameras = 3", "hardware.cameras is wrong"),
        ('[[hardware.cameras]]\ndriver = "film"', "hardware.cameras[1].driver is wrong"),
        ("[hardware]\npedal_pim = 3", "hardware.pedal_pim is unknown"),
        ("[imaging]\nrotation_cw = [45]", "imaging.rotation_cw is wrong"),
        ("nonsense = 1", "nonsense is unknown"),
    ],
)
def test_each_fault_names_its_key(text: str, named: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text, base=Path())
    assert named in error.value.message


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('[imaging]\nprofile = "to-roi"', "imaging.profile must be one of sach-in-300"),
        ('[imaging]\nlayout = "two-camera"', "the layout two-camera needs 2"),
        ('[[hardware.cameras]]\ndriver = "replay"', "hardware.cameras[1].folder is missing"),
    ],
)
def test_keys_that_contradict_each_other_are_named_too(more: str, named: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(LEAST + more, base=Path())
    assert named in error.value.message


def test_a_file_that_is_absent_or_not_toml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CONF-02"):
        load(tmp_path / "station.toml")
    (tmp_path / "station.toml").write_text("[station", encoding="utf-8")
    with pytest.raises(ConfigError, match="not TOML"):
        load(tmp_path / "station.toml")


def test_without_a_broker_there_is_no_publisher_and_everything_else() -> None:
    with pytest.raises(ConfigError, match="CONF-03"):
        config().publisher()
    paired = config(broker=BrokerSection("b", Path("/ca"), Path("/cert"), Path("/key")))
    assert paired.publisher().broker.port == 8883
    assert config().capture_setup().rotations_cw == (None,)


def test_the_hours_and_the_limit_of_a_shared_line_reach_the_publisher() -> None:
    broker = '[broker]\nhost = "h"\nca = "a"\ncert = "b"\nkey = "c"\n'
    parsed = parse(
        LEAST + broker + '[uplink]\nhours = ["18:00-07:00", "12:00-13:00"]\nlimit_kbps = 800\n', base=Path("/e")
    )
    assert parse(render(parsed), base=Path("/e")) == parsed
    publisher = parsed.publisher()
    assert publisher.policy.limit_bytes_per_s == 100_000.0
    assert len(publisher.hours.ranges) == 2
    assert parse(LEAST + broker, base=Path("/e")).publisher().policy.limit_bytes_per_s is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [('hours = ["6pm-7am"]', "uplink.hours"), ("limit_kbps = 3", "uplink.limit_kbps"), ("limit = 3", "uplink.limit")],
)
def test_an_uplink_that_cannot_be_meant_is_refused_by_its_key(line: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        parse(f"{LEAST}[uplink]\n{line}\n", base=Path("/e"))
