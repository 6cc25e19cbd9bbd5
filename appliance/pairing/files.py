"""Where a station keeps its key and certificates: changed without a moment in which they do not fit.

Three files stand side by side: the authority, the certificate, the key. They are changed together by writing all of
the new ones first, under names ending in ``.new``; the last of them is the certificate. From that moment on the
change is decided, and `Certificates.finish` completes it also after a power cut.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.errors import PairingError

_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where a station keeps what it is known by."""

    ca: Path
    cert: Path
    key: Path

    def pending_key(self) -> str:
        """Return the key (PEM) that a pairing under way is for, made at the first call, still there after a break.

        Raises:
            PairingError: PAIR-21, the folder cannot be written.
        """
        new = _new(self.key)
        try:
            if not new.exists():
                self.key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                # Here, so that a publisher that renews nothing today does not carry the library in its memory.
                from appliance.pairing.keys import new_key

                _write(new, new_key())
            return new.read_text("ascii")
        except OSError as error:
            raise _unwritable(error) from error

    def abandon(self) -> None:
        """Forget the key of a pairing that was refused: the next one is for another."""
        if not _new(self.cert).exists():
            _new(self.key).unlink(missing_ok=True)

    def install(self, authority_pem: str, certificate_pem: str) -> None:
        """Put the authority, the certificate and the pending key into their places, all or none.

        Raises:
            PairingError: PAIR-21, the folder cannot be written.
        """
        try:
            _write(_new(self.ca), authority_pem.encode("ascii"))
            _write(_new(self.cert), certificate_pem.encode("ascii"))
            self.finish()
        except OSError as error:
            raise _unwritable(error) from error

    def finish(self) -> None:
        """Complete a change that a power cut has interrupted; does nothing where there is none. Raises `OSError`."""
        if not _new(self.cert).exists():
            return
        for path in (self.key, self.ca, self.cert):
            if _new(path).exists():
                _new(path).rename(path)
                _sync_folder(path.parent)


def is_private(path: Path) -> bool:
    """Tell whether a key can be read by its owner alone. Raises `OSError`."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there, and was never anybody else's to read."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        if os.geteuid() == 0:
            # Paired by an administrator, used by a service: to whom the folder belongs, its files belong.
            folder = path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    temporary.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(error: OSError) -> PairingError:
    return PairingError(
        "PAIR-21",
        f"The station's certificates cannot be kept ({error}).",
        "Run the command as the administrator, or give another folder with --pki.",
    )
