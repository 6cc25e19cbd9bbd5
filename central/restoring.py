"""Makes a working centre out of a backup: nothing is changed before all of it was proved, nothing is deleted.

What lies where something is put is moved aside. The broker's rules are made anew from the catalogue and the authority:
who was let in at the time of the backup is let in again.
"""

import json
import os
import re
import shutil
import socket
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Final

import msgspec

from central import backup, files
from central.authority import access, ca, revocation
from central.authority.broker import LOOPBACK
from central.catalogue import Catalogue, fleet_records
from central.config import CentralConfig, load, parse
from central.errors import BackupError
from wire.digest import sha256_of, sha256_of_stream

_MEMBER: Final = re.compile(r"(pki/|secrets/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST_PART: Final = 16 * 1024 * 1024
_BLOCK: Final = 1 << 20
_WORKER: Final = "worker."


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: of when it is, which stations are let in, and what lay there before."""

    made_at: datetime
    stations: tuple[str, ...]
    aside: tuple[Path, ...]


class _Places:
    """Puts things where they belong; what lies there is moved aside, under one mark for all."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self.aside: list[Path] = []

    def clear(self, path: Path) -> None:
        if path.exists():
            other = path.with_name(f"{path.name}.before-{self._mark}")
            path.rename(other)
            self.aside.append(other)

    def put(self, source: Path, path: Path) -> None:
        self.clear(path)
        for one in (source, *source.rglob("*")):
            _give_to_owner_of(path.parent, one)
        source.rename(path)
        files.sync_folder(path.parent)

    def write(self, path: Path, content: bytes) -> None:
        made = path.with_name(f"{path.name}.restored")
        ca.write_private(made, content)
        self.put(made, path)


def restore(file: Path, config_file: Path, *, rules: Path | None = None, now: datetime | None = None) -> Restored:
    """Put a backup back; the centre must not be running. Safe to repeat.

    Args:
        file: the backup.
        config_file: a configuration that is there is kept, and says where things go; otherwise the one of the backup is
            written here.
        rules: the broker's file of rules; where it is not said, it is the one in ``broker`` beside the folder of keys.
        now: when it is.

    Raises:
        BackupError: BACKUP-02 the file is not a whole backup, BACKUP-04 the centre runs, BACKUP-01 something cannot be
            written. Nothing was changed by the first two.
    """
    try:
        with file.open("rb") as stream, _opened(stream, file) as tar:
            return _restore(tar, file, config_file, rules, now or datetime.now(UTC))
    except OSError as error:
        raise BackupError(
            "BACKUP-01", f"{error.filename or file} cannot be read or written ({error}).", "Run this as root."
        ) from error


def _restore(tar: tarfile.TarFile, file: Path, config_file: Path, rules: Path | None, now: datetime) -> Restored:
    manifest, parts = _proved(tar, file)
    config = (
        load(config_file)
        if config_file.exists()
        else parse(parts[backup.CONFIG].decode(), base=config_file.absolute().parent)
    )
    _refuse_running(config)
    places = _Places(f"{now:%Y%m%dT%H%M%SZ}")
    database = backup.database_file(config)
    database.parent.mkdir(parents=True, exist_ok=True)
    stations = _put_catalogue(tar, manifest, file, database, places)
    _put_keys(parts, config.broker.pki, places)
    for name, suffix in (("web.token", None), ("web.secret", ".secret")):
        if f"{backup.SECRETS}{name}" in parts:
            target = config.web.token_file if suffix is None else config.web.token_file.with_suffix(suffix)
            places.write(target, parts[f"{backup.SECRETS}{name}"])
    rules = rules or config.broker.pki.parent / "broker" / "dynamic-security.json"
    workers = sorted(one.stem.removeprefix(_WORKER) for one in config.broker.pki.glob(f"{_WORKER}*.crt"))
    places.write(rules, json.dumps(access.first_document(workers, stations), indent=1).encode())
    if not config_file.exists():
        # Last: without it nothing starts, so what was interrupted is not taken for a centre.
        config_file.write_bytes(parts[backup.CONFIG])
        config_file.chmod(0o640)
    return Restored(manifest.made_at, tuple(sorted(stations)), tuple(places.aside))


def _opened(stream: IO[bytes], file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r:")
    except tarfile.TarError as error:
        raise _not_whole(file, str(error)) from error


def _proved(tar: tarfile.TarFile, file: Path) -> tuple[backup.Manifest, dict[str, bytes]]:
    """Return the manifest and every part but the catalogue, all of them hashed against it."""
    parts: dict[str, bytes] = {}
    digests: dict[str, str] = {}
    try:
        for member in tar:
            stream = tar.extractfile(member)
            if stream is None or not _MEMBER.fullmatch(member.name) or member.name in digests:
                raise _not_whole(file, f"{member.name} does not belong in it")
            if member.name == backup.CATALOGUE:
                digests[member.name] = sha256_of_stream(iter(partial(stream.read, _BLOCK), b""))
                continue
            parts[member.name] = stream.read(_LONGEST_PART)
            digests[member.name] = sha256_of(parts[member.name])
        manifest = msgspec.json.decode(parts.pop(backup.MANIFEST, b""), type=backup.Manifest)
    except (tarfile.TarError, msgspec.MsgspecError, EOFError) as error:
        raise _not_whole(file, str(error)) from error
    digests.pop(backup.MANIFEST)
    if digests != manifest.digests:
        raise _not_whole(file, "its parts are not those that it names")
    return manifest, parts


def _put_catalogue(
    tar: tarfile.TarFile, manifest: backup.Manifest, file: Path, database: Path, places: _Places
) -> dict[str, str]:
    """Put the catalogue back and return the stations that it lets in, each with the name of its certificate."""
    made = database.with_name(f"{database.name}.restored")
    made.unlink(missing_ok=True)
    source = tar.extractfile(backup.CATALOGUE)
    with made.open("xb") as out:
        if source is not None:
            shutil.copyfileobj(source, out)
        out.flush()
        os.fsync(out.fileno())
    if sha256_of_stream(files.read_blocks(made)) != manifest.digests[backup.CATALOGUE]:
        raise _not_whole(file, "the catalogue changed while it was read")
    made.chmod(0o600)
    with Catalogue(f"sqlite:///{made}") as catalogue, catalogue.read() as connection:
        stations = {
            station: name
            for station in fleet_records.approved_stations(connection)
            if (name := fleet_records.identity(connection, station)) is not None
        }
    for end in ("-wal", "-shm"):
        places.clear(database.with_name(f"{database.name}{end}"))
    places.put(made, database)
    return stations


def _put_keys(parts: dict[str, bytes], pki: Path, places: _Places) -> None:
    made = pki.with_name(f"{pki.name}.restored")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True, mode=0o700)
    for name, content in parts.items():
        if name.startswith(backup.PKI):
            one = made / PurePosixPath(name).name
            ca.write_private(one, content)
            if one.suffix != ".key":
                one.chmod(0o644)
    authority = ca.Authority.open(made).certificate_file
    there = pki / authority.name
    if there.exists() and there.read_bytes() == authority.read_bytes():
        # Put back over itself: whoever was shut out since then stays out.
        revocation.keep_newer(made, pki)
    files.sync_folder(made)
    places.put(made, pki)


def _refuse_running(config: CentralConfig) -> None:
    for port in (config.web.port, config.broker.port):
        try:
            socket.create_connection((LOOPBACK, port), timeout=2).close()
        except OSError:
            continue
        raise BackupError(
            "BACKUP-04",
            f"The centre is running (port {port} answers). Nothing was changed.",
            "Stop it first: sudo systemctl stop 'lattrang-*'",
        )


def _give_to_owner_of(folder: Path, path: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _not_whole(file: Path, why: str) -> BackupError:
    return BackupError(
        "BACKUP-02",
        f"{file} is not a whole backup ({why}). Nothing was changed.",
        "Take another, or copy it again.",
    )
