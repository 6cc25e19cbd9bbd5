"""Mounts a disk that a stranger may have prepared: only plain kinds of file systems, and nothing on it may run.

Called by the one unit that may mount, in a mount namespace of its own: nobody else sees the disk, and however the
program ends, the kernel takes the mount away with it.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wire.disk import CarryError, Unreadable
from wire.errors import ExitCode

KINDS: Final = ("ext4", "exfat", "vfat")
"""Tried in this order; each knows its own. Others are less looked after in the kernel."""
_RDONLY: Final = 1
_HARMLESS: Final = 2 | 4 | 8 | 1024 | 256
"""nosuid, nodev, noexec, noatime, nosymfollow."""
_DETACH: Final = 2
_OWNED: Final = frozenset({"exfat", "vfat"})
"""Kinds that know no owners: everything on them is made ours."""
_NOT_THIS_KIND: Final = frozenset({errno.EINVAL, errno.ENODEV, errno.EUCLEAN})
_PROTECTED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Unmountable(CarryError):
    """A disk that cannot be used as it is."""

    exit_code = ExitCode.REFUSED


def device_of(plugged: Path, name: str) -> Path:
    """Return the block device of a disk that the rules for udev have let in; raises `CarryError` CARRY-12."""
    try:
        device = (plugged / name).resolve(strict=True)
        number = device.stat()
    except OSError as error:
        raise _gone(name) from error
    if not stat.S_ISBLK(number.st_mode) or device.name != name or _is_mounted(number.st_rdev):
        raise _gone(name)
    return device


@contextmanager
def mounted(device: Path, place: Path, *, read_only: bool = False) -> Iterator[None]:
    """Mount `device` on `place`; when this returns, everything is on the disk and it may be pulled out.

    Raises:
        CarryError: CARRY-13 it has none of our kinds, CARRY-01 it is protected against writing, CARRY-03 it failed.
    """
    place.mkdir(mode=0o700, exist_ok=True)
    _mount(device, place, read_only=read_only)
    try:
        yield
    finally:
        _unmount(place)


def _mount(device: Path, place: Path, *, read_only: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _HARMLESS | (_RDONLY if read_only else 0)
    for kind in KINDS:
        data = f"uid={os.geteuid()},gid={os.getegid()},umask=0077" if kind in _OWNED else ""
        if libc.mount(os.fsencode(device), os.fsencode(place), kind.encode(), flags, data.encode()) == 0:
            return
        number = ctypes.get_errno()
        if number in _PROTECTED:
            raise Unmountable("CARRY-01", f"{device} is protected against writing.", "Take another disk.")
        if number not in _NOT_THIS_KIND:
            raise Unreadable(device, OSError(number, os.strerror(number)))
    raise Unmountable(
        "CARRY-13", f"{device} has none of the file systems {', '.join(KINDS)}.", "Format it as exFAT, or take another."
    )


def _unmount(place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(place), 0) == 0:
        return
    number = ctypes.get_errno()
    libc.umount2(os.fsencode(place), _DETACH)
    raise Unreadable(place, OSError(number, os.strerror(number)))


def _is_mounted(device: int, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    return any(line.split()[2] == number for line in mounts.read_text("utf-8", "replace").splitlines())


def _gone(name: str) -> Unmountable:
    return Unmountable("CARRY-12", f"The disk {name} is not there, or is used already.", "Plug it in again.")
