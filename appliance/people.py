"""Who works at this station: names and the digests of their PINs, in one file that only the station's user can read.

A name never leaves the station. PINs are short and valid only at the station's own screen, so guessing is slowed, each
person for themselves and never for longer than a minute: a colleague's slip must not lock anybody out.
"""

import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from appliance.api import PersonView
from appliance.errors import NotNow, SpoolError
from wire.ids import new_id

log = logging.getLogger(__name__)

PIN_DIGITS: Final = 4
MAX_NAME: Final = 60
FREE_TRIES: Final = 3
"""Wrong PINs that cost no waiting: fingers slip."""
MOST_WAIT_S: Final = 60.0
"""With it, all 10,000 PINs take a week of guessing without a pause."""
_FIRST_WAIT_S: Final = 5.0
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}
"""16 MiB and some 50 ms for each try (hashlib, one core of a desktop): what scrypt's author advises for log-ins."""


class _Person(Struct, frozen=True, kw_only=True):
    person_id: str
    name: str
    salt: bytes
    digest: bytes


_decoder: Final = msgspec.json.Decoder(tuple[_Person, ...])


def wait_s(failures: int) -> float:
    """Return how long to wait after so many wrong PINs in a row: 5 s after the third, doubling, at most a minute."""
    if failures < FREE_TRIES:
        return 0.0
    return min(MOST_WAIT_S, _FIRST_WAIT_S * (1 << min(failures - FREE_TRIES, 16)))


class People:
    """The people of one station. Any thread may call it.

    Args:
        file: where they are kept, made with the first of them; None keeps nobody beyond this object.
        now_s: monotonic time.
    """

    def __init__(self, file: Path | None, now_s: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._now_s = now_s
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, float]] = {}
        self._people = _read(file) if file else ()

    def views(self) -> tuple[PersonView, ...]:
        """Return everybody, by name."""
        by_name = sorted(self._people, key=lambda person: _folded(person.name))
        return tuple(PersonView(person.person_id, person.name) for person in by_name)

    def add(self, name: str, pin: str) -> PersonView:
        """Take in somebody new.

        Raises:
            NotNow: PIN-03 the PIN is not four digits, PIN-04 the name is empty, too long or taken already.
            SpoolError: DISK-02, it was not kept.
        """
        name = unicodedata.normalize("NFC", " ".join(name.split()))
        _check_form(pin)
        with self._lock:
            if not 0 < len(name) <= MAX_NAME or _folded(name) in {_folded(person.name) for person in self._people}:
                raise NotNow("PIN-04", "The name is empty, too long or taken already.", "Give a name of its own.")
            person = _with_pin(new_id(), name, pin)
            self._keep((*self._people, person))
        return PersonView(person.person_id, name)

    def set_pin(self, person_id: str, pin: str) -> None:
        """Give somebody a new PIN.

        Raises:
            NotNow: PIN-03, it is not four digits.
            KeyError: there is no such person.
            SpoolError: DISK-02, it was not kept.
        """
        _check_form(pin)
        with self._lock:
            old = self._find(person_id)
            new = _with_pin(person_id, old.name, pin)
            self._keep(tuple(new if person is old else person for person in self._people))
            self._failures.pop(person_id, None)

    def check(self, person_id: str, pin: str) -> PersonView:
        """Return the person whose PIN this is.

        Raises:
            NotNow: PIN-01 it is wrong, PIN-02 it was wrong too often: even the right one has to wait now.
            KeyError: there is no such person.
        """
        with self._lock:
            person = self._find(person_id)
            failures, not_before_s = self._failures.get(person_id, (0, 0.0))
            if self._now_s() < not_before_s:
                raise NotNow("PIN-02", "The PIN was wrong several times.", "Wait a minute at most, then try again.")
            if hmac.compare_digest(_digest(pin, person.salt), person.digest):
                self._failures.pop(person_id, None)
                return PersonView(person.person_id, person.name)
            self._failures[person_id] = (failures + 1, self._now_s() + wait_s(failures + 1))
        raise NotNow("PIN-01", "The PIN is wrong.", "Try again; a colleague who is signed in can set a new one.")

    def _find(self, person_id: str) -> _Person:
        found = next((person for person in self._people if person.person_id == person_id), None)
        if found is None:
            raise KeyError(person_id)
        return found

    def _keep(self, people: tuple[_Person, ...]) -> None:
        if self._file is not None:
            _write(self._file, people)
        self._people = people


def _write(file: Path, people: tuple[_Person, ...]) -> None:
    temporary = file.with_name(f".{file.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(people)))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(file)
        _sync_folder(file.parent)
    except OSError as error:
        raise SpoolError("DISK-02", f"{file} was not written ({error}).", "Try again.") from error


def _read(file: Path) -> tuple[_Person, ...]:
    try:
        return _decoder.decode(file.read_bytes())
    except FileNotFoundError:
        return ()
    except msgspec.DecodeError as error:
        # Capturing must not wait for a list of names: people sign up anew, and the old file is kept for the technician.
        aside = file.with_name(f"{file.name}.unreadable")
        file.rename(aside)
        log.warning("list of people cannot be read, moved to %s: %s", aside, error)
        return ()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _with_pin(person_id: str, name: str, pin: str) -> _Person:
    salt = secrets.token_bytes(16)
    return _Person(person_id=person_id, name=name, salt=salt, digest=_digest(pin, salt))


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, **_SCRYPT)


def _check_form(pin: str) -> None:
    if len(pin) != PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
        raise NotNow("PIN-03", "A PIN has four digits.", "Choose four digits.")


def _folded(name: str) -> str:
    return name.casefold()
