from pathlib import Path

import pytest

from central import config
from central.errors import ConfigError

GOOD = """
[store]
folder = "store"
[broker]
port = 8883
pki = "pki"
[web]
token_file = "web.token"
"""


def test_a_short_configuration_is_enough_and_paths_start_at_its_folder() -> None:
    read = config.parse(GOOD, base=Path("/etc/lattrang"))
    assert read.store == Path("/etc/lattrang/store")
    assert read.database_url == "sqlite:////etc/lattrang/store/catalogue.db"
    assert read.broker.address("office").tls.cert == Path("/etc/lattrang/pki/office.crt")


def test_what_is_rendered_is_read_back() -> None:
    read = config.parse(GOOD, base=Path("/srv/thư viện"))
    assert config.parse(config.render(read), base=Path("/")) == read


def test_every_fault_is_named_at_once() -> None:
    text = (
        GOOD.replace("port = 8883", "port = 70000\nprot = 1")
        + '\n[worker]\nwindow = "four"\nlease_s = true\n[extra]\nx = 1\n'
    )
    with pytest.raises(ConfigError) as caught:
        config.parse(text.replace('folder = "store"', ""), base=Path("/"))
    message = caught.value.message
    assert caught.value.code == "CONF-01"
    for key in ("store.folder", "broker.port", "broker.prot", "worker.window", "worker.lease_s", "extra.x"):
        assert key in message


def test_workers_that_could_overrun_the_brokers_queue_are_a_fault() -> None:
    with pytest.raises(ConfigError, match="max_grants"):
        config.parse(GOOD + "[worker]\nmax_grants = 200\nwindow = 10\n", base=Path("/"))


@pytest.mark.parametrize("text", ["[store", "store = 1"])
def test_text_that_is_no_configuration_is_a_fault_not_a_crash(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, base=Path("/"))
    assert caught.value.code == "CONF-01"


def test_a_file_that_is_not_there_says_how_to_give_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "none.toml")
    assert caught.value.code == "CONF-02"
