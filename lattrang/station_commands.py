"""`lattrang station …`: the two services of a station, its doctor, and what a person asks of the spool."""

import argparse
import dataclasses
import json
import logging
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lattrang import (
    errand_commands,
    geometry_command,
    kiosk_command,
    pairing_commands,
    power_command,
    setup_commands,
    usb_command,
)
from wire.errors import CodedError, ExitCode

if TYPE_CHECKING:
    import threading

    from appliance.config import StationConfig
    from appliance.spool.outbox import Outbox
    from appliance.training.desk import StationWithTraining

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class NoFolder(CodedError):
    """A command lacks the folder that it is about."""

    exit_code = ExitCode.USAGE


def add_parser(commands: "Subparsers", common: argparse.ArgumentParser) -> None:
    """Add the group and its commands; `common` holds ``--config``."""
    group = commands.add_parser("station", parents=[common], help="a capture station", description="A capture station.")
    actions = group.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, parents=[common], help=words, description=words)
        parser.set_defaults(run=run)
        return parser

    add("run", _run, "cameras, session and the station's screen")
    add("publish", _publish, "send what is safe to the centre")
    add("doctor", _doctor, "name every missing part and its cure")
    setup_commands.add_station(add("setup", _run, "write the first configuration, or read the one that is there"))
    pair = add("pair", _run, "make this station its centre's, by a photographed or a compared code")
    pairing_commands.add_station(pair)
    errand_commands.add_option(pair, errand_commands.run_pair)
    add("status", _status, "what lies on this station and how far it is, as JSON")
    recover = add("recover", _recover, "make the index of a spool again, also of a dead station's disk")
    recover.add_argument("folder", type=Path, metavar="DIR", help="the spool, or a copy of it")
    recover.add_argument("--station", metavar="NAME", help="whose it is, where nothing in it says so")
    export = add("export", _export, "hand over by disk: take receipts home, then copy what waits onto it")
    export.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="where the disk is mounted")
    usb_command.add_options(export)
    geometry = add("geometry", geometry_command.run, "where camera and lamps stand, and the resolution that gives")
    geometry_command.add_arguments(geometry)
    power = add("power", power_command.run, "switch the machine off as the station's screen asked (for systemd)")
    power_command.add_arguments(power)
    add("kiosk", kiosk_command.run, "show the station's screen on this machine's own display")


def _run(arguments: argparse.Namespace) -> int:
    from appliance.config import DEFAULT_FILE
    from appliance.setup.bench import Bench
    from appliance.setup.desk import SetUpDesk
    from appliance.setup.support import LogTail
    from appliance.station import LOOPS, run_station
    from lattrang import service
    from lattrang.buffers import give_back_pictures
    from web_ui.common.keyfile import load_or_create

    give_back_pictures()
    config = _config(arguments)
    token = load_or_create(config.web.token_file)
    secret = load_or_create(config.web.token_file.with_suffix(".secret"))
    heart, stop = service.begin(*LOOPS, "web")
    bench, tail = Bench(), LogTail()
    logging.getLogger().addHandler(tail)
    file = Path(getattr(arguments, "config", None) or DEFAULT_FILE)

    def serve(api: "StationWithTraining", stop: "threading.Event") -> None:
        from web_ui.serve import serve as serve_app
        from web_ui.station.app import create_app

        with closing(SetUpDesk(api, bench, config, file, tail)) as desk:
            app = create_app(
                api,
                token=token,
                secret_key=secret.encode(),
                language=config.web.language,
                set_up=desk,
                training=api,
            )
            serve_app(app, config.web.host, config.web.port, stop, on_turn=heart.loop("web"))

    run_station(config, serve, stop, heart.loop, bench)
    return ExitCode.OK


def _publish(arguments: argparse.Namespace) -> int:
    from lattrang import service
    from lattrang.publish_command import run_publisher

    config = _config(arguments).publisher()
    heart, stop = service.begin("delivery")
    return run_publisher(config, stop, heart.loop("delivery"))


def _doctor(arguments: argparse.Namespace) -> int:
    from appliance.doctor import checks

    found = checks(_config(arguments))
    for check in found:
        print(f"ok       {check.name}" if check.ok else f"{check.code:8} {check.name}: {check.message} {check.cure}")
    return ExitCode.OK if all(check.ok or check.is_advice for check in found) else ExitCode.FAILED


def _status(arguments: argparse.Namespace) -> int:
    from appliance.spool.outbox import Outbox

    config = _config(arguments)
    with Outbox.open(config.spool.folder) as outbox:
        print(json.dumps({"station": config.station.id, **_figures(outbox)}, ensure_ascii=False))
    return ExitCode.OK


def _figures(outbox: "Outbox") -> dict[str, Any]:
    counts, room = outbox.counts(), outbox.room()
    station, publisher = outbox.read_station_state(), outbox.read_publisher_state()
    return {
        "state": station.state if station else "not running",
        "fault": station.fault if station else None,
        "link": publisher.link if publisher else "unknown",
        "link_code": publisher.code if publisher else None,
        "captures": dataclasses.asdict(counts) | {"safe": counts.safe, "waiting": counts.waiting},
        "jobs": [dataclasses.asdict(job) | {"complete": job.complete} for job in outbox.jobs()],
        "disk_free_bytes": room.free_bytes,
        "disk_total_bytes": room.total_bytes,
        "room_for_captures": room.captures_left,
    }


def _recover(arguments: argparse.Namespace) -> int:
    from appliance.spool.recover import recover

    report = recover(arguments.folder, arguments.station)
    for words, names in (
        ("taken into the index", report.adopted),
        ("pages taken into the index", report.completed),
        ("still to be processed", report.unprocessed),
        ("damaged", report.damaged),
    ):
        print(f"{len(names):6} {words}")
    for moved in report.set_aside:
        print(f"aside: {moved.found} -> {moved.now} ({moved.reason})")
    return ExitCode.FAILED if report.damaged else ExitCode.OK


def _export(arguments: argparse.Namespace) -> int:
    from lattrang.carry_commands import run_export

    if arguments.folder is None:
        raise NoFolder("CARRY-01", "No folder was named.", "Name the folder under which the disk is mounted.")
    return run_export(_config(arguments), arguments.folder)


def _config(arguments: argparse.Namespace) -> "StationConfig":
    from appliance.config import DEFAULT_FILE, load

    return load(Path(getattr(arguments, "config", None) or DEFAULT_FILE))
