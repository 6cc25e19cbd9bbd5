"""The loudspeaker through ALSA's own player: one small process a sound, so that no sound card can hang the station."""

import logging
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from firmware.errors import DriverUnavailable
from firmware.interfaces import Signal
from firmware.sounds import SOUNDS, render

log = logging.getLogger(__name__)


class AlsaSounder:
    """Implements `Sounder`.

    Args:
        volume: 0.0-1.0, baked into the sounds.
        player: the program that plays a WAV file given as its last argument.

    Raises:
        DriverUnavailable: HW-01, there is no player.
    """

    def __init__(self, volume: float = 0.35, *, player: tuple[str, ...] = ("aplay", "-q")) -> None:
        program = shutil.which(player[0])
        if program is None:
            raise DriverUnavailable("HW-01", f"The player {player[0]} is missing.", "Run: sudo apt install alsa-utils")
        self._command = (program, *player[1:])
        self._folder = tempfile.TemporaryDirectory(prefix="lattrang-sounds-")
        self._mutex = threading.Lock()
        self._playing: subprocess.Popen[bytes] | None = None
        self._closed = False
        for signal, notes in SOUNDS.items():
            self._file(signal).write_bytes(render(notes, volume))

    def play(self, signal: Signal) -> None:
        """Start playing `signal` and return at once; a later signal replaces it. A sound that fails is only logged."""
        with self._mutex:
            self._silence()
            if self._closed:
                return
            try:
                self._playing = subprocess.Popen(  # noqa: S603 - our own files, no shell
                    (*self._command, str(self._file(signal))),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except OSError as err:
                log.warning("sound not played signal=%s: %s", signal.value, err)

    def close(self) -> None:
        """Fall silent and remove the sound files. May be called twice."""
        with self._mutex:
            self._closed = True
            self._silence()
            self._folder.cleanup()

    def _file(self, signal: Signal) -> Path:
        return Path(self._folder.name) / f"{signal.value}.wav"

    def _silence(self) -> None:
        playing, self._playing = self._playing, None
        if playing is None:
            return
        if playing.poll() is None:
            playing.kill()
            playing.wait(timeout=1.0)
        elif playing.returncode != 0:
            log.warning("sound failed exit=%d: is a sound card there?", playing.returncode)
