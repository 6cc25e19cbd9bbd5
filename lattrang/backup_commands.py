"""`lattrang central backup` and `restore`: what cannot be made again, out of a running centre and into a new one."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from wire.errors import ExitCode


def add_backup(parser: argparse.ArgumentParser) -> None:
    """Add what `backup` takes."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="where to; in a folder it is named by the time and old ones are thinned",
    )
    parser.set_defaults(run=_backup)


def add_restore(parser: argparse.ArgumentParser) -> None:
    """Add what `restore` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="the broker's dynamic-security.json")
    parser.set_defaults(run=_restore)


def _backup(arguments: argparse.Namespace) -> int:
    from central import backup, config

    file = _config_file(arguments)
    made = backup.make(config.load(file), file, arguments.file, datetime.now(UTC))
    print(f"{made}: authority, keys, configuration and catalogue, {made.stat().st_size / 2**20:.1f} MiB.")
    print("It is not encrypted and opens everything: keep it where nobody else reads, and not on this machine alone.")
    print("The pages are not in it: copy the folder of the store as well.")
    return ExitCode.OK


def _restore(arguments: argparse.Namespace) -> int:
    from central.authority.setting_up import Places
    from central.config import DEFAULT_FILE
    from central.restoring import restore

    file = _config_file(arguments)
    rules = arguments.rules
    if rules is None and file == DEFAULT_FILE:
        rules = Places().broker_state / "dynamic-security.json"
    restored = restore(arguments.file, file, rules=rules)
    print(f"The centre is again as it was at {restored.made_at:%Y-%m-%d %H:%M} UTC; {len(restored.stations)} stations.")
    for path in restored.aside:
        print(f"moved aside: {path}")
    print("On a new machine, whoever was shut out since then is in again: shut them out anew.")
    print("Pages that came since then are found by the workers.")
    return ExitCode.OK


def _config_file(arguments: argparse.Namespace) -> Path:
    from central.config import DEFAULT_FILE

    return Path(getattr(arguments, "config", DEFAULT_FILE))
