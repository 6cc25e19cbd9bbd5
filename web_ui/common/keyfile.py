"""A secret kept in a file that only its owner can read: a screen's token, the key that signs sessions."""

import os
import secrets
import stat
from pathlib import Path

from wire.errors import CodedError, ExitCode


class KeyFileError(CodedError):
    """A secret cannot be read, made or kept to its owner."""

    exit_code = ExitCode.CONFIG


def load_or_create(path: Path) -> str:
    """Return the secret in `path`; where there is none, make one of 256 random bits (file mode 0600).

    Raises:
        KeyFileError: the file cannot be read or written, is open to others, or holds too little.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _load(path)
    except OSError as error:
        raise KeyFileError("WEB-01", f"{path} cannot be written.", "Make its folder writable.") from error
    secret = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret


def _load(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError("WEB-01", f"{path} cannot be read.", "Make it readable for this user.") from error
    if mode & 0o077:
        raise KeyFileError("WEB-02", f"{path} can be read by others.", f"Run: chmod 600 {path}")
    if len(secret) < 16:
        raise KeyFileError("WEB-03", f"{path} holds too short a secret.", "Delete it; a new one is made at the start.")
    return secret
