"""A whole site under kills, storms, full and failing disks: is everything that was announced at the centre, once?

A station presses as fast as it can, a publisher sends through a relay to two workers, and what is drawn from the seed
is done to all of them. Then everything is put right, and both disks are counted and hashed.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import SpoolError
from appliance.spool import Outbox
from benchmarks.fault_clock import find_library, forget
from benchmarks.fault_count import Verdict, count, delivery_seconds, to_json
from benchmarks.fault_disks import can_mount
from benchmarks.fault_listener import Listener
from benchmarks.fault_plan import Abilities, skipped
from benchmarks.fault_presses import Presser
from benchmarks.fault_run import FaultySite, said_every
from benchmarks.fault_ward import Ward
from lattrang.demo.waiting import wait_until

SECONDS_PER_KILL = 1.3
SETTLE_S = 240.0
FIRST_CAPTURE_S = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print a table and one line of JSON; 0 only where nothing is lost, doubled, changed or out of order."""
    options = _options(arguments)
    library = find_library()
    abilities = Abilities(disks=can_mount(), clock=library is not None)
    folder = Path(tempfile.mkdtemp(prefix="lattrang-faults-", dir=options.folder))
    code = 1
    try:
        code = _run(options, folder, abilities, library)
    finally:
        if code == 0 and not options.keep:
            shutil.rmtree(folder)
        else:
            print(f"what it left is in {folder}", file=sys.stderr)
    return code


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=40, help="how many processes to kill; 0 disturbs nothing")
    parser.add_argument("--seed", type=int, default=1, help="of what is done, and when")
    parser.add_argument("--seconds", type=float, help="length of the attack; 1.3 for each kill by default")
    parser.add_argument("--per-job", type=int, default=50, help="captures after which a job is handed over")
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="seconds that everything may take to arrive")
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    parser.add_argument("--keep", action="store_true", help="keep the folder though all is well")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or max(10.0, options.kills * SECONDS_PER_KILL)
    return options


def _run(options: argparse.Namespace, folder: Path, abilities: Abilities, library: Path | None) -> int:
    with FaultySite(folder, options.seed, abilities, library) as faulty:
        site = faulty.site
        presser = Presser(site.client(), options.per_job)
        with Ward(site) as ward, Listener(site.spool / "log" / "events.jsonl") as listener:
            began_s = time.monotonic()

            def progress() -> str:
                spent_s = time.monotonic() - began_s
                return f"{spent_s:6.0f} s  {ward.kills} kills  {presser.presses} presses  {dict(faulty.done)}"

            with said_every(30, progress):
                presser.start()
                wait_until(lambda: bool(presser.shown), FIRST_CAPTURE_S, "the first capture")
                faulty.inflict(ward, options.seed, options.kills, options.seconds)
                attack_s = time.monotonic() - began_s
                presser.stop()
                unsettled = _settle(faulty, ward, presser, options.settle)
            settle_s = time.monotonic() - began_s - attack_s
        site.stop()
        forget(ward.pids)
        verdict = count(site.spool, site.plan.station, site.central, presser.shown | listener.heard)
        crashes = [end for end in ward.ends if end.is_crash]
        _print(faulty, ward, presser, verdict, abilities, unsettled)
        print(
            to_json(
                verdict,
                kills=ward.kills,
                seed=options.seed,
                faults=sum(faulty.done.values()),
                presses=presser.presses,
                crashes=len(crashes),
                unsettled=len(unsettled),
                bench_failures=len(faulty.failures),
                attack_s=round(attack_s, 1),
                settle_s=round(settle_s, 1),
            )
        )
        is_well = verdict.is_whole and not (crashes or unsettled or faulty.failures)
        return 0 if is_well and ward.kills >= options.kills and verdict.safe else 1


def _settle(faulty: FaultySite, ward: Ward, presser: Presser, timeout_s: float) -> list[str]:
    """Wait until every job is handed over and complete; return what is not, in words."""
    spool = faulty.site.spool
    try:
        wait_until(ward.all_up, timeout_s, "every process", step_s=0.2)
        wait_until(presser.finish, timeout_s, "the last job to be handed over", step_s=0.5)
        wait_until(lambda: not open_jobs(spool), timeout_s, "every job to be complete", step_s=0.5)
    except TimeoutError as error:
        return [str(error), *open_jobs(spool)]
    return []


def open_jobs(spool: Path) -> list[str]:
    """Return in words which jobs of a spool are not complete yet, or why that cannot be told."""
    try:
        with Outbox.open(spool) as outbox:
            return [str(job) for job in outbox.jobs() if not job.complete]
    except SpoolError as error:
        return [str(error)]


def _print(
    faulty: FaultySite,
    ward: Ward,
    presser: Presser,
    verdict: Verdict,
    abilities: Abilities,
    unsettled: Sequence[str],
) -> None:
    for words in skipped(abilities):
        print(f"skipped        {words}")
    for kind, number in sorted(faulty.done.items()):
        print(f"{kind:28} {number:7}")
    lines = {side: f"{line.connections} connections" for side, line in faulty.lines.items()}
    print(f"{'processes killed':28} {ward.kills:7}   {lines}")
    print(f"{'presses':28} {presser.presses:7}   refused: {dict(presser.refusals)}")
    print(f"{'shown as taken':28} {len(presser.shown):7}")
    print(f"{'announced as safe':28} {verdict.safe:7}   in {verdict.jobs} jobs")
    if took := delivery_seconds(faulty.site.spool / "log"):
        longest = f"p99 {took[len(took) * 99 // 100]:.1f}, longest {took[-1]:.1f}"
        print(f"{'seconds to the receipt':28} {took[len(took) // 2]:7.1f}   median; {longest}")
    for kind, names in verdict.names():
        print(f"{kind.replace('_', ' '):28} {len(getattr(verdict, kind)):7}   {'; '.join(names)}".rstrip())
    ends = Counter((end.process, end.exit_code, end.is_crash, end.last_words) for end in ward.ends)
    for (process, code, is_crash, words), number in ends.most_common():
        print(f"ended by itself {number} x  {process} exit {code}{' CRASH' if is_crash else ''}: {words}")
    for words in (*unsettled, *faulty.failures):
        print(f"not as it should be: {words}")


if __name__ == "__main__":
    # Told to end in the middle, it must still end what it started and unmount what it mounted.
    signal.signal(signal.SIGTERM, _interrupt)
    raise SystemExit(main())
