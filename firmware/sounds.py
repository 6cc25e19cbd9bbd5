"""The station's sounds, made once from sine waves. They differ by rhythm, not only by pitch."""

import io
import math
import struct
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from firmware.interfaces import Signal

RATE_HZ: Final = 48_000
_RAMP_S: Final = 0.004
"""Each note fades in and out this fast: without it every note would begin and end with a click."""


@dataclass(frozen=True, slots=True)
class Note:
    """A tone that may glide, then silence. `loudness` is relative to the sound's own volume."""

    from_hz: float
    to_hz: float
    seconds: float
    rest_s: float = 0.0
    loudness: float = 1.0


def _note(hz: float, seconds: float, rest_s: float = 0.0, loudness: float = 1.0) -> Note:
    return Note(hz, hz, seconds, rest_s, loudness)


SOUNDS: Final[Mapping[Signal, tuple[Note, ...]]] = MappingProxyType(
    {
        # A click, then a breath: hands stay still until it is over.
        Signal.TICK: (_note(1800, 0.020), _note(900, 0.250, loudness=0.12)),
        Signal.OK: (_note(880, 0.090),),
        Signal.WARN: (_note(660, 0.130, 0.070), _note(520, 0.180)),
        Signal.BAD: (_note(220, 0.110, 0.070), _note(220, 0.110, 0.070), _note(220, 0.110)),
        Signal.REFUSED: (_note(330, 0.040, 0.030), _note(330, 0.040)),
        Signal.HOLD: (Note(440, 880, 0.220),),
        Signal.PAUSED: (_note(523, 0.250, 0.150), _note(392, 0.400)),
        Signal.DONE: (_note(523, 0.110, 0.030), _note(659, 0.110, 0.030), _note(784, 0.220)),
        Signal.LOCATE: (_note(988, 0.120, 0.380),) * 6,
        Signal.FAULT: (_note(294, 0.300, 0.100), _note(220, 0.300, 0.100), _note(175, 0.500)),
    }
)


def render(notes: tuple[Note, ...], volume: float) -> bytes:
    """Return a WAV file, mono, 16 bits, `RATE_HZ`; `volume` 0.0-1.0 of full scale.

    Raises:
        ValueError: a volume outside 0.0-1.0.
    """
    if not 0.0 <= volume <= 1.0:
        raise ValueError(f"volume is 0.0 to 1.0, not {volume}")
    samples = [sample * volume for note in notes for sample in _samples(note)]
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *(round(sample * 32_767) for sample in samples)))
    return content.getvalue()


def _samples(note: Note) -> list[float]:
    count = round(note.seconds * RATE_HZ)
    samples = []
    phase = 0.0
    for index in range(count):
        at_s = index / RATE_HZ
        phase += 2 * math.pi * (note.from_hz + (note.to_hz - note.from_hz) * index / count) / RATE_HZ
        ramp = min(1.0, at_s / _RAMP_S, (note.seconds - at_s) / _RAMP_S)
        samples.append(math.sin(phase) * ramp * note.loudness)
    return samples + [0.0] * round(note.rest_s * RATE_HZ)
