"""What lamps, status lights, sounders and cradles promise."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.cradle_gpio import GpioCradle
from firmware.interfaces import Cradle, Lamp, Signal, Sounder, StatusLight
from firmware.lamp_gpio import GpioLamp
from firmware.lamp_pwm import PwmLamp
from firmware.light_gpio import GpioLight
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle
from firmware.sounder_alsa import AlsaSounder
from tests.contract.bench import Bench

PIN = 18


@pytest.fixture(params=["recorded", "gpio", "pwm"])
def lamp(request: pytest.FixtureRequest, bench: Bench, tmp_path: Path) -> tuple[Lamp, Callable[[], float]]:
    """A lamp, and how bright it really is."""
    if request.param == "recorded":
        recorded = RecordedLamp()
        return recorded, lambda: recorded.brightness
    if request.param == "gpio":
        return GpioLamp(PIN, bench.factory), lambda: float(bench.level(PIN))
    channel = tmp_path / "pwm0"
    channel.mkdir()
    read = lambda name: int((channel / name).read_text())  # noqa: E731
    return PwmLamp(tmp_path), lambda: read("enable") * read("duty_cycle") / read("period")


def test_a_lamp_is_dark_until_it_is_asked(lamp):
    part, brightness = lamp
    assert isinstance(part, Lamp)
    assert brightness() == 0.0


def test_a_lamp_lights_up_and_goes_out(lamp):
    part, brightness = lamp
    part.set(1.0)
    assert brightness() == 1.0
    part.set(0.0)
    assert brightness() == 0.0


def test_half_the_light_is_light(lamp):
    part, brightness = lamp
    part.set(0.5)
    assert brightness() in (0.5, 1.0)


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_a_brightness_that_does_not_exist_is_refused(lamp, wrong):
    part, brightness = lamp
    with pytest.raises(ValueError, match="brightness"):
        part.set(wrong)
    assert brightness() == 0.0


def test_a_closed_lamp_is_dark_and_may_be_closed_again(lamp, request):
    part, brightness = lamp
    part.set(1.0)
    part.close()
    part.close()
    if request.node.callspec.params["lamp"] != "gpio":  # gpiozero turns a freed pin into an input
        assert brightness() == 0.0


@pytest.fixture(params=["recorded", "gpio"])
def light(request: pytest.FixtureRequest, bench: Bench) -> StatusLight:
    return RecordedLight() if request.param == "recorded" else GpioLight(PIN, bench.factory)


@pytest.mark.parametrize("signal", list(Signal))
def test_a_status_light_takes_every_signal_without_waiting(light, signal):
    assert isinstance(light, StatusLight)
    done = threading.Thread(target=light.show, args=(signal,))
    done.start()
    done.join(timeout=1.0)
    assert not done.is_alive()
    light.close()
    light.close()


@pytest.fixture(params=["recorded", "alsa"])
def sounder(request: pytest.FixtureRequest, tmp_path: Path) -> Sounder:
    if request.param == "recorded":
        return RecordedSounder()
    player = tmp_path / "player"
    player.write_text("#!/bin/sh\nexec sleep 60\n")
    player.chmod(0o755)
    return AlsaSounder(player=(str(player),))


@pytest.mark.parametrize("signal", [Signal.TICK, Signal.BAD])
def test_a_sounder_takes_a_signal_without_waiting_for_its_end(sounder, signal):
    assert isinstance(sounder, Sounder)
    sounder.play(signal)
    sounder.play(Signal.OK)
    sounder.close()
    sounder.close()
    sounder.play(Signal.OK)


@pytest.fixture(params=["simulated", "gpio"])
def cradle(request: pytest.FixtureRequest, bench: Bench) -> tuple[Cradle, Callable[[bool], None]]:
    """A cradle with a switch, and the hand that moves the glass."""
    if request.param == "simulated":
        simulated = SimulatedCradle(down=False)
        return simulated, simulated.put_platen
    return GpioCradle(PIN, bench.factory), lambda down: bench.low(PIN) if down else bench.high(PIN)


def test_a_cradle_tells_where_the_glass_is(cradle):
    part, put = cradle
    assert isinstance(part, Cradle)
    assert part.platen_down() is False
    put(True)
    assert part.platen_down() is True
    put(False)
    assert part.platen_down() is False
    part.close()
    part.close()


def test_a_cradle_without_a_switch_does_not_pretend():
    assert SimulatedCradle().platen_down() is None
