"""Writes into ``station.toml`` where the centre is, and leaves every other line as people have written it."""

import dataclasses
import os
import re
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from appliance.config import BrokerSection, StationConfig, parse
from appliance.errors import PairingError

_SECTION: Final = re.compile(r"^\[broker\]\s*(#.*)?$")
_EXAMPLE: Final = re.compile(r"^#\s*\[broker\]\s*$")
_EXAMPLE_KEY: Final = re.compile(r"^#\s*[a-z_]+\s*=")
_ANY_SECTION: Final = re.compile(r"^\s*\[")


def with_broker(text: str, broker: BrokerSection) -> str:
    """Return the text of a ``station.toml`` with this way to the centre for the one it had, or for its example."""
    lines = text.splitlines()
    begin, end = _place(lines)
    before, after = lines[:begin], lines[end:]
    if not after and before and begin == len(lines) and before[-1].strip():
        before.append("")
    return "\n".join([*before, *_section(broker), *([""] if after and after[0].strip() else []), *after]) + "\n"


def write_broker(file: Path, broker: BrokerSection) -> None:
    """Put `broker` into the configuration `file`: whole or not at all, its owner and mode as they were.

    Raises:
        ConfigError: what is there cannot be understood.
        PairingError: PAIR-21, it cannot be written, or would say something else than before.
    """
    try:
        old = file.read_text("utf-8")
        new = with_broker(old, broker)
        expected = dataclasses.replace(_parsed(old, file), broker=broker)
        if _parsed(new, file) != expected:
            raise _unwritable(file, "its section [broker] stands where it cannot be replaced")
        _replace(file, new)
    except OSError as error:
        raise _unwritable(file, str(error.strerror)) from error


def look_at(file: Path) -> None:
    """Raise `PairingError` PAIR-21 where `file` could not be replaced: better before a code is used than after."""
    # Effective: the unit that pairs for a screen is no root, and has the one right that it needs.
    if not os.access(file, os.R_OK, effective_ids=True) or not os.access(file.parent, os.W_OK, effective_ids=True):
        raise _unwritable(file, "no permission")


def _parsed(text: str, file: Path) -> StationConfig:
    return parse(text, base=file.parent)


def _place(lines: list[str]) -> tuple[int, int]:
    """Return the lines from and up to which the section stands, or its example, or where it is to be added."""
    for number, line in enumerate(lines):
        if _SECTION.match(line):
            ends = (at for at in range(number + 1, len(lines)) if _ANY_SECTION.match(lines[at]))
            end = next(ends, len(lines))
            # Remarks at its end may speak of what follows: they stay.
            while end > number + 1 and not lines[end - 1].split("#")[0].strip():
                end -= 1
            return number, end
    for number, line in enumerate(lines):
        if _EXAMPLE.match(line):
            ends = (at for at in range(number + 1, len(lines)) if not _EXAMPLE_KEY.match(lines[at]))
            return number, next(ends, len(lines))
    return len(lines), len(lines)


def _section(broker: BrokerSection) -> list[str]:
    values = {entry.name: getattr(broker, entry.name) for entry in dataclasses.fields(broker)}
    # JSON's strings are TOML's basic strings.
    texts = {
        name: str(value) if isinstance(value, int) else msgspec.json.encode(str(value)).decode()
        for name, value in values.items()
    }
    return ["[broker]", *(f"{name} = {text}" for name, text in texts.items())]


def _replace(file: Path, text: str) -> None:
    was = file.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, was.st_mode & 0o777)
            here = os.fstat(descriptor)
            if (here.st_uid, here.st_gid) != (was.st_uid, was.st_gid):
                os.fchown(descriptor, was.st_uid, was.st_gid)
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        temporary.rename(file)
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(file: Path, why: str) -> PairingError:
    return PairingError(
        "PAIR-21", f"The configuration {file} cannot be changed: {why}.", "Run the command as the administrator."
    )
