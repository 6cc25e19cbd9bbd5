"""Hashes everything again, and makes the catalogue again from the folders. Neither needs a service to run."""

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import delete, insert, make_url

from central import archive, clock, files
from central.catalogue import Catalogue, records, schema
from central.config import CentralConfig
from central.errors import CatalogueError, StoreError
from central.receiving.staging import StoreLayout, read_receipt
from wire.digest import sha256_of_stream
from wire.ids import new_id

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditFault:
    """One thing that is not as its receipt says.

    `problem` is ``missing``, ``mismatch``, ``no_receipt``, or ``unknown`` (stored, but not in the catalogue).
    """

    object: str
    file: str
    problem: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit looked at and what it found."""

    objects: int
    files: int
    faults: tuple[AuditFault, ...]


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild put into the catalogue and which folders it could not understand."""

    captures: int
    lists: int
    not_understood: tuple[str, ...]


def audit(layout: StoreLayout, catalogue: Catalogue) -> AuditReport:
    """Hash every stored file against its receipt, look for what the catalogue has and the store has not, record it."""
    with catalogue.read() as connection:
        recorded = records.known_objects(connection)
    found: set[tuple[str, int]] = set()
    faults: list[AuditFault] = []
    number_of_files = 0
    for folder in layout.objects():
        key = archive.folder_key(layout, folder)
        found.add(key)
        checked, wrong = _audit_folder(folder, _name(*key))
        number_of_files += checked
        faults += wrong
    # Objects come in while we look: only what was recorded before can be missing, what is recorded by now is known.
    with catalogue.read() as connection:
        recorded_by_now = records.known_objects(connection)
    faults += [AuditFault(_name(*key), "", "missing") for key in sorted(recorded - found)]
    faults += [AuditFault(_name(*key), "", "unknown") for key in sorted(found - recorded_by_now)]
    report = AuditReport(len(found), number_of_files, tuple(faults))
    with catalogue.write() as connection:
        connection.execute(
            insert(schema.audits).values(
                audit_id=new_id(),
                finished_at=clock.now(),
                objects=report.objects,
                files=report.files,
                faults=msgspec.json.encode(report.faults).decode(),
            )
        )
    return report


def rebuild_catalogue(config: CentralConfig) -> RebuildReport:
    """Make the catalogue of a centre again; an SQLite file that cannot be read any more is moved aside first."""
    layout = StoreLayout(config.store)
    layout.create()
    try:
        catalogue = Catalogue(config.database_url)
    except CatalogueError:
        database = make_url(config.database_url).database
        if not config.database_url.startswith("sqlite") or not database or not Path(database).exists():
            raise
        _move_aside(Path(database))
        catalogue = Catalogue(config.database_url)
    with catalogue:
        return rebuild(layout, catalogue)


def rebuild(layout: StoreLayout, catalogue: Catalogue) -> RebuildReport:
    """Forget captures, pages, items and lists and record them anew from the folders, all in one transaction.

    Stations, commands, counts and audits are kept: no folder holds them.
    """
    number = {"capture": 0, "job_list": 0}
    not_understood = []
    with catalogue.write() as connection:
        for table in (schema.pages, schema.captures, schema.list_entries, schema.lists, schema.items):
            connection.execute(delete(table))
        for folder in layout.objects():
            try:
                receipt, facts = archive.read_stored(folder)
            except StoreError:
                log.exception("not rebuilt folder=%s", folder)
                not_understood.append(str(folder))
                continue
            records.add(connection, facts, receipt)
            number[receipt.object.kind] += 1
    return RebuildReport(number["capture"], number["job_list"], tuple(not_understood))


def _audit_folder(folder: Path, name: str) -> tuple[int, list[AuditFault]]:
    receipt = read_receipt(folder)
    if receipt is None:
        return 0, [AuditFault(name, "receipt.json", "no_receipt")]
    faults = []
    for entry in receipt.files:
        try:
            digest = sha256_of_stream(files.read_blocks(folder / entry.name))
        except OSError as error:
            log.warning("audit cannot read %s (%s)", folder / entry.name, error)
            faults.append(AuditFault(name, entry.name, "missing"))
            continue
        if digest != entry.sha256:
            faults.append(AuditFault(name, entry.name, "mismatch"))
    return len(receipt.files), faults


def _move_aside(database: Path) -> None:
    mark = clock.now().replace(":", "")
    for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
        if path.exists():
            path.rename(path.with_name(f"{path.name}.damaged-{mark}"))
            log.warning("moved aside %s", path)


def _name(object_id: str, revision: int) -> str:
    return f"{object_id}/{revision}" if revision else object_id
