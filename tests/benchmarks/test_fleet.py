"""The fleet in small: real lines, a real broker, a real worker that is slow."""

import json
import shutil

import pytest

from benchmarks import fleet


@pytest.mark.broker
def test_five_stations_and_one_slow_worker_keep_every_limit(capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto")
    arguments = ["--stations", "5", "--captures", "12", "--max-grants", "2", "--kib", "64", "--seconds", "60"]
    code = fleet.main(arguments)
    figures = json.loads(capsys.readouterr().out)
    assert code == 0, figures
    assert figures["received"] == figures["stored"] == 60
    assert figures["busy"] > 0, "there was more than the worker would take at once"
