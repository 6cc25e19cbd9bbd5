"""The drivers of a Raspberry Pi on its own software: real lgpio and gpiozero on a kernel's chip, real picamera2."""

import re

import pytest

from benchmarks.rig import CHIP, PROJECT, PYTHON, Machine

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(1800)]

# lgpio's own module may crash while the interpreter takes itself apart: what counts is what the tests said before.
CONTRACT = (
    "import os, sys, pytest; code = pytest.main(['-p', 'no:cacheprovider', '--durations=3', '{suite}']); "
    "sys.stdout.flush(); os._exit(code)"
)


@pytest.mark.parametrize("suite", ["test_camera.py", "test_pedal.py", "test_signals.py"])
def test_what_every_driver_promises_the_real_ones_keep(running: Machine, suite: str) -> None:
    program = CONTRACT.format(suite=f"tests/contract/{suite}")
    said = running.shell(f'cd {PROJECT} && LATTRANG_GPIO_SIM={CHIP} {PYTHON} -c "{program}"', timeout_s=600)
    assert " failed" not in said
    assert re.search(r"\d+ passed|\[100%\]", said), said


def test_a_press_reaches_the_camera_within_twenty_milliseconds_and_a_bounce_is_one_press(running: Machine) -> None:
    press = f"{PYTHON} -m benchmarks.press --n 30 --seed 7 --chip {CHIP} --camera picamera2"
    said = running.shell(f"cd {PROJECT} && {press} 2>/dev/null", timeout_s=600)  # exit code 0: every goal was met
    assert "0 orders more" in said
