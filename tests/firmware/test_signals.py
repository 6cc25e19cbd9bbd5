"""Sounds and flashes: each signal is told apart by its rhythm."""

import io
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gpiozero.pins.mock import MockFactory

from firmware.errors import DriverUnavailable
from firmware.interfaces import Signal
from firmware.lamp_pwm import PERIOD_NS, PwmLamp
from firmware.light_gpio import GpioLight
from firmware.light_patterns import PATTERNS
from firmware.sounder_alsa import AlsaSounder
from firmware.sounds import RATE_HZ, SOUNDS, render


def samples(signal, volume=0.35):
    with wave.open(io.BytesIO(render(SOUNDS[signal], volume))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_767


def test_every_signal_has_a_sound_and_a_flash():
    assert set(SOUNDS) == set(PATTERNS) == set(Signal)


@pytest.mark.parametrize("signal", list(Signal))
def test_a_sound_is_no_louder_than_asked_and_begins_and_ends_in_silence(signal):
    heard = samples(signal)
    assert 0.3 < np.abs(heard).max() <= 0.35
    assert abs(heard[0]) < 0.001
    assert abs(heard[-1]) < 0.02


def test_rhythms_differ():
    rhythms = {
        tuple(round(part, 3) for note in notes for part in (note.seconds, note.rest_s)) for notes in SOUNDS.values()
    }
    assert len(rhythms) == len(Signal)
    assert len({(pattern.flashes, pattern.rounds) for pattern in PATTERNS.values()}) == len(Signal)


def test_a_tick_begins_with_its_click():
    heard = np.abs(samples(Signal.TICK))
    assert heard[: RATE_HZ // 50].max() > 5 * heard[RATE_HZ // 20 :].max()


@pytest.mark.parametrize("volume", [-0.1, 1.1])
def test_a_volume_that_does_not_exist_is_refused(volume):
    with pytest.raises(ValueError, match="volume"):
        render(SOUNDS[Signal.OK], volume)


def wait_until(happened: Callable[[], bool], timeout_s: float = 10.0) -> None:
    pause, deadline = threading.Event(), time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.005)


@pytest.fixture
def player(tmp_path: Path):
    """A player that says what it was asked to play, and then plays for a minute."""
    script = tmp_path / "player"
    heard = tmp_path / "heard"
    script.write_text(f'#!/bin/sh\nbasename "$2" >> {heard}\nexec sleep 60\n')
    script.chmod(0o755)
    return script, heard


def wait_for_line(heard: Path, number: int) -> list[str]:
    # A process of its own offers nothing to wait on but its file.
    wait_until(lambda: heard.exists() and len(heard.read_text().split()) >= number)
    return heard.read_text().split()


def test_a_later_sound_replaces_the_one_before(player):
    script, heard = player
    sounder = AlsaSounder(player=(str(script), "-q"))
    sounder.play(Signal.TICK)
    assert wait_for_line(heard, 1) == ["tick.wav"]
    first = sounder._playing
    sounder.play(Signal.BAD)
    assert wait_for_line(heard, 2) == ["tick.wav", "bad.wav"]
    assert first.poll() is not None
    second = sounder._playing
    sounder.close()
    assert second.poll() is not None


def test_a_sound_card_that_fails_is_logged_and_stops_nothing(tmp_path, caplog):
    script = tmp_path / "player"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    sounder = AlsaSounder(player=(str(script),))
    sounder.play(Signal.OK)
    sounder._playing.wait(timeout=5.0)
    sounder.play(Signal.OK)
    assert "sound failed" in caplog.text
    sounder.close()


def test_a_station_without_a_player_says_what_to_install():
    with pytest.raises(DriverUnavailable) as caught:
        AlsaSounder(player=("no-such-player",))
    assert caught.value.code == "HW-01"
    assert "alsa-utils" in caught.value.cure


def test_bad_flashes_three_times():
    pins = MockFactory()
    light = GpioLight(23, pins)
    pin = pins.pin(23)
    pin.clear_states()
    light.show(Signal.BAD)
    wait_until(lambda: [bool(state.state) for state in pin.states].count(True) == 3 and not pin.state)
    assert [bool(state.state) for state in pin.states][-6:] == [True, False] * 3
    light.close()
    pins.close()


def test_a_later_signal_ends_one_that_would_go_on_for_ever():
    pins = MockFactory()
    light = GpioLight(23, pins)
    light.show(Signal.FAULT)
    light.show(Signal.PAUSED)
    light.close()
    assert not light._thread.is_alive()
    pins.close()


def test_hardware_pwm_runs_far_above_what_an_exposure_can_see(tmp_path):
    (tmp_path / "pwm0").mkdir()
    lamp = PwmLamp(tmp_path)
    lamp.set(0.25)
    assert int((tmp_path / "pwm0" / "period").read_text()) == PERIOD_NS <= 50_000
    assert int((tmp_path / "pwm0" / "duty_cycle").read_text()) == PERIOD_NS // 4
    lamp.close()
    assert (tmp_path / "pwm0" / "enable").read_text() == "0"
