"""Backups of what cannot be made again: authority, keys, secrets, configuration and the catalogue, in one file.

Not the pages: they lie in the store as plain folders and are copied as such. Not the broker's rules either: they follow
from the catalogue and the authority (`central.restoring`). A backup holds the authority's key, unencrypted: it can be
read by its owner alone, from its first moment.
"""

import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import make_url

from central import files
from central.catalogue import Catalogue
from central.config import CentralConfig
from central.errors import BackupError
from central.receiving.staging import StoreLayout
from wire import VERSION
from wire.digest import sha256_of, sha256_of_stream
from wire.lock import alone_in

MANIFEST: Final = "manifest.json"
CONFIG: Final = "central.toml"
CATALOGUE: Final = "catalogue.sqlite"
PKI: Final = "pki/"
SECRETS: Final = "secrets/"
_NAME: Final = "lattrang-%Y%m%dT%H%M%SZ.tar"
_OURS: Final = re.compile(r"lattrang-\d{8}T\d{6}Z\.tar")
_KEPT: Final = (("%Y-%m-%d", 7), ("%G-%V", 5), ("%Y-%m", 12))
"""The newest of each of so many days, weeks and months: what went wrong unseen for ten months can be undone."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself; the last thing that is written, so a backup without it is not whole."""

    made_at: datetime
    software: str
    digests: dict[str, str]


def make(config: CentralConfig, config_file: Path, target: Path, now: datetime) -> Path:
    """Write a backup, while everything may be running, and return where it is.

    Args:
        config: of the centre.
        config_file: where `config` was read; it is backed up as it is.
        target: a file, which is replaced in one step, or a folder: then the backup is named by `now`, and older ones in
            it are thinned once the new one is on the disk.
        now: when it is.

    Raises:
        BackupError: BACKUP-01 it cannot be written, BACKUP-03 the catalogue is damaged, BACKUP-05 it is not SQLite's.
    """
    file = target / now.astimezone(UTC).strftime(_NAME) if target.is_dir() else target
    try:
        with tempfile.TemporaryDirectory(prefix=".lattrang-", dir=file.parent) as made:
            whole = Path(made) / "backup"
            _write(config, config_file, whole, now)
            whole.rename(file)
        files.sync_folder(file.parent)
        if target.is_dir():
            _thin(target)
    except OSError as error:
        raise BackupError(
            "BACKUP-01", f"The backup {file} cannot be written ({error}).", "Check the folder, its rights and its room."
        ) from error
    return file


def surplus(made: Iterable[datetime]) -> frozenset[datetime]:
    """Return which of the backups made at these instants are no longer needed."""
    in_order = sorted(made)
    kept: set[datetime] = set()
    for period, most in _KEPT:
        newest = {at.strftime(period): at for at in in_order}
        kept |= set(sorted(newest.values())[-most:])
    return frozenset(in_order) - kept


def _thin(folder: Path) -> None:
    made = {
        datetime.strptime(file.name, _NAME).replace(tzinfo=UTC): file
        for file in folder.iterdir()
        if _OURS.fullmatch(file.name)
    }
    for at in surplus(made):
        made[at].unlink()


def _write(config: CentralConfig, config_file: Path, whole: Path, now: datetime) -> None:
    # The catalogue first: whatever is issued or shut out meanwhile, the authority's list is never the older one.
    snapshot = whole.with_name(CATALOGUE)
    _copy_catalogue(config, snapshot)
    parts: dict[str, bytes] = {CONFIG: config_file.read_bytes()}
    with alone_in(config.broker.pki):
        parts |= _contents(PKI, {one.name: one for one in config.broker.pki.iterdir() if one.is_file()})
    secrets = (config.web.token_file, config.web.token_file.with_suffix(".secret"))
    parts |= _contents(SECRETS, {f"web{one.suffix}": one for one in secrets if one.exists()})
    digests = {name: sha256_of(content) for name, content in parts.items()}
    digests[CATALOGUE] = sha256_of_stream(files.read_blocks(snapshot))
    parts[MANIFEST] = msgspec.json.encode(Manifest(now, VERSION, digests))
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with tarfile.open(fileobj=out, mode="w") as tar:
            tar.add(snapshot, CATALOGUE)
            for name, content in parts.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o600
                tar.addfile(entry, BytesIO(content))
        out.flush()
        os.fsync(out.fileno())


def _contents(prefix: str, found: Mapping[str, Path]) -> dict[str, bytes]:
    return {f"{prefix}{name}": file.read_bytes() for name, file in sorted(found.items())}


def database_file(config: CentralConfig) -> Path:
    """Return where the catalogue lies; raises `BackupError` BACKUP-05 where that is no file."""
    url = make_url(config.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BackupError(
            "BACKUP-05",
            "The catalogue is not a file of SQLite, and only those are backed up here.",
            "Back PostgreSQL up with its own pg_dump, and the folder pki and central.toml by hand.",
        )
    return Path(url.database)


def _copy_catalogue(config: CentralConfig, copy: Path) -> None:
    """Copy one moment of the catalogue, whoever writes meanwhile; a damaged one must not push out a good backup."""
    database = database_file(config)
    if not database.exists():
        StoreLayout(config.store).create()
        Catalogue(config.database_url).close()
    try:
        source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)
        try:
            source.execute("VACUUM INTO ?", (str(copy),))
        finally:
            source.close()
        copied = sqlite3.connect(copy)
        try:
            (verdict,) = copied.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            copied.close()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupError(
            "BACKUP-03", f"The catalogue {database} is not whole ({verdict}).", "Run: lattrang central rebuild"
        )
