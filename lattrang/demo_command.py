"""`lattrang demo`: everything on one machine, no Pi."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: "Subparsers") -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "demo",
        help="the whole way on one machine: simulated station, broker, centre, both screens",
        description="Run a simulated station, a broker with TLS and access rules, the centre and both screens.",
    )
    parser.add_argument("--once", action="store_true", help="capture, wait for every receipt, print one JSON line, end")
    parser.add_argument("--spreads", type=_at_least_one, default=12, metavar="N", help="spreads for --once (12)")
    parser.add_argument("--photos", metavar="DIR", help="photograph these instead of a drawn book, each once")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the drawn book (1)")
    parser.add_argument(
        "--port", type=int, metavar="P", help="first of the screens' two ports (8600; --once: free ones)"
    )
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (.demo; --once: a temporary folder)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from lattrang.demo.command import run

    return run(arguments)


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
