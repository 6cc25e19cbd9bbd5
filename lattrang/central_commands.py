"""`lattrang central …`: the centre's processes, its doctor, and what a person asks of the store."""

import argparse
import dataclasses
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lattrang import backup_commands, pairing_commands, setup_commands
from wire.errors import ExitCode
from wire.ids import is_name

if TYPE_CHECKING:
    import threading

    from central.api import CentralApi
    from central.config import CentralConfig

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: "Subparsers", common: argparse.ArgumentParser) -> None:
    """Add the group and its commands; `common` holds ``--config``."""
    group = commands.add_parser(
        "central", parents=[common], help="the central server", description="The central server."
    )
    actions = group.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, parents=[common], help=words, description=words)
        parser.set_defaults(run=run)
        return parser

    add("run", _run, "screens, fleet and derivatives")
    work = add("work", _work, "one worker that receives; any number of them may run")
    work.add_argument("--name", type=_name, default="w1", metavar="N", help="name of this worker (w1)")
    add("doctor", _doctor, "name every missing part and its cure")
    setup_commands.add_central(add("setup", _run, "make authority, keys and configurations that are missing"))
    pairing_commands.add_central(
        add("pair", _run, "invite a station: shows a code, then approves what a person compared")
    )
    pairing_commands.add_renew(add("renew", _run, "make the centre's own certificates anew before they end"))
    approve = add("approve", _approve, "sign a station's request and let the station in")
    approve.add_argument("station", type=_name, metavar="STATION", help="name of the station (or of a worker)")
    approve.add_argument("--csr", type=Path, metavar="FILE", help="the station's signing request")
    approve.add_argument("--cert", type=Path, metavar="FILE", help="where its certificate is written")
    approve.add_argument("--worker", action="store_true", help="let in a worker on this machine instead")
    revoke = add("revoke", _revoke, "shut a station out, at once")
    revoke.add_argument("station", type=_name, metavar="STATION", help="name of the station")
    add("rebuild", _rebuild, "make the catalogue again from the store's folders")
    add("audit", _audit, "hash everything again; exit code 1 where something is wrong")
    backup_commands.add_backup(add("backup", _run, "keys, configuration and catalogue into one file"))
    backup_commands.add_restore(add("restore", _run, "a working centre out of a backup"))
    for name, run, words in (
        ("stations", _stations, "how every station is"),
        ("items", _items, "what has arrived"),
    ):
        add(name, run, words).add_argument("--json", action="store_true", help="one JSON list")
    batch = add("batch", _batch, "send a list of books (CSV) to every station")
    batch.add_argument("file", type=Path, metavar="FILE", help="CSV in UTF-8, columns divided by ; or ,")
    batch.add_argument("--name", metavar="TEXT", help="name of the batch (the file's name)")
    carried = add("import", _import, "hand over by disk: store what a station exported, write receipts back")
    carried.add_argument("folder", type=Path, metavar="DIR", help="where the disk is mounted")


def _run(arguments: argparse.Namespace) -> int:
    from central.authority.ca import load_or_make_secret
    from central.run import LOOPS, run_office
    from lattrang import service

    config = _config(arguments)
    token = config.web.token_file.read_text("ascii").strip()
    secret = load_or_make_secret(config.web.token_file.with_suffix(".secret"))
    heart, stop = service.begin(*LOOPS, "web")

    def serve(api: "CentralApi", stop: "threading.Event") -> None:
        from web_ui.central.app import create_app
        from web_ui.serve import serve as serve_app

        app = create_app(api, token=token, secret_key=secret, language=config.web.language)
        serve_app(app, config.web.host, config.web.port, stop, on_turn=heart.loop("web"))

    run_office(config, serve, stop, heart.loop)
    return ExitCode.OK


def _work(arguments: argparse.Namespace) -> int:
    from central.work import run_worker
    from lattrang import service
    from lattrang.buffers import keep_chunks

    keep_chunks()
    heart, stop = service.begin("receiver")
    run_worker(_config(arguments), arguments.name, stop, heart.loop)
    return ExitCode.OK


def _doctor(arguments: argparse.Namespace) -> int:
    from central.doctor import checks

    found = checks(_config(arguments))
    for check in found:
        words = "ok" if check.ok else f"missing  {check.code}: {check.message} {check.cure}"
        print(f"{check.name:28} {words}")
    return ExitCode.OK if all(check.ok for check in found) else ExitCode.FAILED


def _approve(arguments: argparse.Namespace) -> int:
    from central.authority import provision

    config = _config(arguments)
    if arguments.worker:
        credentials = provision.approve_worker(config, arguments.station)
        print(f"Worker {arguments.station} may connect with {credentials.cert}.")
        return ExitCode.OK
    if arguments.csr is None or arguments.cert is None:
        print("lattrang central approve: --csr and --cert are needed for a station.", file=sys.stderr)
        return ExitCode.USAGE
    certificate = provision.approve_station(config, arguments.station, arguments.csr.read_bytes())
    arguments.cert.write_bytes(certificate)
    print(f"Station {arguments.station} may connect with {arguments.cert}.")
    return ExitCode.OK


def _revoke(arguments: argparse.Namespace) -> int:
    from central.authority import provision

    provision.revoke_station(_config(arguments), arguments.station)
    print(f"Station {arguments.station} is shut out.")
    return ExitCode.OK


def _rebuild(arguments: argparse.Namespace) -> int:
    from central.audit import rebuild_catalogue

    report = rebuild_catalogue(_config(arguments))
    print(f"{report.captures} captures and {report.lists} lists recorded.")
    for folder in report.not_understood:
        print(f"not understood: {folder}", file=sys.stderr)
    return ExitCode.FAILED if report.not_understood else ExitCode.OK


def _audit(arguments: argparse.Namespace) -> int:
    from central.audit import audit
    from central.catalogue import Catalogue
    from central.receiving.staging import StoreLayout

    config = _config(arguments)
    layout = StoreLayout(config.store)
    layout.create()
    with Catalogue(config.database_url) as catalogue:
        report = audit(layout, catalogue)
    print(f"{report.objects} objects, {report.files} files, {len(report.faults)} faults.")
    for fault in report.faults:
        print(f"{fault.problem:12} {fault.object} {fault.file}")
    return ExitCode.FAILED if report.faults else ExitCode.OK


def _stations(arguments: argparse.Namespace) -> int:
    rows = _ask(arguments, "stations")
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return ExitCode.OK
    for row in rows:
        state = "online" if row["online"] else "offline"
        print(f"{row['station']:32} {state:8} waiting {row['waiting']:5}  received {row['captures_received']:6}")
    return ExitCode.OK


def _items(arguments: argparse.Namespace) -> int:
    rows = _ask(arguments, "items")
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return ExitCode.OK
    for row in rows:
        state = "handed over" if row["handed_over"] else "open"
        title = row["item"]["title"] or row["item"]["item_id"]
        print(f"{row['item']['item_id']:32} {row['pages']:5} pages  missing {row['missing']:4}  {state:12} {title}")
    return ExitCode.OK


def _batch(arguments: argparse.Namespace) -> int:
    from central.batches import send_batch

    batch, stations = send_batch(_config(arguments), arguments.file, arguments.name or arguments.file.stem)
    print(f"{len(batch.items)} books, on their way to {stations} stations.")
    return ExitCode.OK


def _import(arguments: argparse.Namespace) -> int:
    from lattrang.carry_commands import run_import

    return run_import(_config(arguments), arguments.folder)


def _ask(arguments: argparse.Namespace, what: str) -> list[dict[str, Any]]:
    import msgspec

    from central.catalogue import Catalogue
    from central.office import Office
    from central.receiving.staging import StoreLayout

    config = _config(arguments)
    layout = StoreLayout(config.store)
    layout.create()
    with Catalogue(config.database_url) as catalogue:
        office = Office(catalogue, layout)
        rows = office.stations() if what == "stations" else _all_items(office)
    plain: list[dict[str, Any]] = msgspec.to_builtins([dataclasses.asdict(row) for row in rows])
    return plain


def _all_items(office: "CentralApi") -> list[Any]:
    rows: list[Any] = []
    while page := office.items(limit=500, offset=len(rows)):
        rows += page
    return rows


def _config(arguments: argparse.Namespace) -> "CentralConfig":
    from central import config

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    return config.load(Path(getattr(arguments, "config", config.DEFAULT_FILE)))


def _name(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError("use a-z, 0-9 and dashes, at most 32")
    return text
