"""Ten thousand hostile messages through the real broker, while an honest station hands its captures over.

`benchmarks/hostile --n 10000 --seed 1`: sent are they by an approved station, by another station where it has no
right to, and by a worker that lies; measured is whether everybody lives, forgets nothing and grows no further.
"""

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import select

from appliance.spool import RetentionPolicy, Spool
from benchmarks.captures import draw
from benchmarks.hostile_line import Sender
from benchmarks.hostile_others import HostileWorker, attack_from_outside
from benchmarks.hostile_pictures import picture
from benchmarks.hostile_station import HostileStation, with_pages
from central.audit import audit
from central.authority import ca, provision
from central.catalogue import Catalogue, schema
from central.config import WorkerLimits
from central.mqtt import BrokerAddress
from central.office import Office
from central.receiving.staging import StoreLayout
from firmware.registry import CameraConfig
from lattrang.demo.site import Site, SitePlan
from lattrang.demo.waiting import wait_until
from wire import topics
from wire.documents import JobListDocument, ListEntry
from wire.limits import MIB
from wire.messages import ObjectRef

VICTIM: Final = "tram-01"
WORKER: Final = "w1"
LIMITS: Final = WorkerLimits(lease_s=5.0, reserve_bytes=0)
REAL_BYTES: Final = 300_000
BARRIER_EVERY: Final = 100
ROUNDS: Final = 20
"""Memory is looked at so often, and so many honest captures are made in the middle."""
END_TIMEOUT_S: Final = 240.0
FLAT_MIB: Final = 24
"""What a process may have grown between the second and the last quarter; allocators breathe."""
BOMBS: Final = 6


@dataclass
class Run:
    """One run and what it has found.

    Attributes:
        memory: resident MiB of each process, in the order of looking.
        faults: everything that is not as promised, in words.
    """

    site: Site
    spool: Spool
    chance: random.Random
    memory: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    real: list[str] = field(default_factory=list)
    arrived_during: int = 0
    ended_by_broker: int = 0
    bombs: list[str] = field(default_factory=list)

    @property
    def pids(self) -> dict[str, int | None]:
        """The processes under attack."""
        site = self.site
        return {
            "broker": site.broker.pid,
            "worker": site.workers[0].pid,
            "office": site.office.pid,
            "publisher": site.publisher.pid,
        }

    def look(self) -> None:
        """Note the memory of every process."""
        for name, pid in self.pids.items():
            if pid is not None:
                self.memory.setdefault(name, []).append(psutil.Process(pid).memory_info().rss / MIB)

    def capture(self) -> tuple[ObjectRef, Any]:
        """An honest press: one more capture in the spool, with pages that are pictures."""
        sequence = self.spool.next_sequence()
        pages = {"left.jpg": picture(), "right.jpg": picture()}
        made = with_pages(draw(VICTIM, sequence, REAL_BYTES, seed=sequence), pages)
        self.spool.add_capture(made.facts, made.frames)
        self.spool.add_pages(made.pages, made.page_files)
        self.real.append(made.facts.capture_id)
        offer = made.offer()
        return offer.object, offer.files

    def hand_over(self) -> None:
        """An honest end: the list of all that was captured."""
        first = self.spool.capture(self.real[0]) if self.real else None
        if first is None:
            raise RuntimeError("nothing was captured")
        document = JobListDocument(
            job_id=first.job_id,
            revision=len(self.real),
            station=VICTIM,
            state="handed_over",
            item=first.item,
            profile=first.profile,
            entries=tuple(ListEntry(capture_id=one) for one in self.real),
            software="bench",
        )
        self.spool.queue_list(document)

    def is_complete(self) -> bool:
        """Whether the centre has confirmed every honest capture, and its list.

        A lie ("missing") makes the station send what the centre has: it waits then until it has its receipt again.
        """
        return all(job.complete for job in self.spool.jobs()) and self.spool.counts().received == len(self.real)


def main(arguments: list[str] | None = None) -> int:
    """Attack, count, print a table and a line of JSON; 0 only if every promise held."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="hostile messages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800.0, help="stop attacking after this time")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder, ExitStack() as stack:
        plan = SitePlan(Path(folder), CameraConfig(), station=VICTIM, workers=1, limits=LIMITS, reserve_mib=1)
        site = Site(plan)
        stack.callback(site.stop)
        site.prepare()
        for process in (site.office, site.workers[0], site.publisher):
            process.start()
        site.wait_for_screen(site.office, site.central_port)
        policy = RetentionPolicy(reserve_bytes=0, ballast_bytes=4096)
        spool = stack.enter_context(Spool.open(site.spool, VICTIM, policy))
        run = Run(site, spool, random.Random(chosen.seed))
        outcome = _attack(run, chosen.n, time.monotonic() + chosen.seconds)
        _afterwards(run, outcome)
    return _report(run, outcome)


def _attack(run: Run, n: int, end_s: float) -> dict[str, Any]:
    site, chance = run.site, run.chance
    begun_s = time.monotonic()
    before = run.pids
    with ExitStack() as stack:
        station = HostileStation("kho-gian", WORKER, _line(run, stack, "kho-gian"), chance)
        writer = HostileStation("kho-ke", WORKER, _line(run, stack, "kho-ke"), chance, writes_only=True)
        outsider = _line(run, stack, "kho-la")
        provision.approve_worker(site.central, "w9")
        liar = HostileWorker(VICTIM, Sender(site.central.broker.address(ca.worker_name("w9"))), chance)
        liar.longest_busy_s = 86_400.0 if n >= 2000 else 1.0
        stack.callback(liar.line.close)
        _must_be_served(run, station, "before the attack")
        for number in range(n):
            if time.monotonic() > end_s:
                run.faults.append(f"stopped by --seconds after {number} messages")
                break
            _in_the_middle(run, number, n, station, liar)
            share = chance.random()
            if share < 0.5:
                station.attack()
            elif share < 0.7:
                writer.attack()
            elif share < 0.78:
                attack_from_outside(outsider, VICTIM, WORKER, chance)
            else:
                liar.attack()
        _must_be_served(run, station, "at the end")
        for line in (outsider, liar.line, writer.line):
            line.settle()
        _must_be_served(run, writer, "at the end")
        run.look()
        run.arrived_during = run.spool.counts().received
    if run.pids != before:
        run.faults.append(f"a process ended: {before} became {run.pids}")
    if outsider.refused != outsider.sent:
        run.faults.append(f"{outsider.sent - outsider.refused} messages of another station were let through")
    return {
        "n": n,
        "seconds": round(time.monotonic() - begun_s, 1),
        "by_station": {
            "offers": station.offers + writer.offers,
            "chunks": station.chunks + writer.chunks,
            "statuses": station.statuses,
        },
        "answers_to_station": dict(sorted((station.line.answers + writer.line.answers).items())),
        "by_another_station": outsider.sent,
        "refused_by_broker": outsider.refused,
        "connections_ended_by_broker": run.ended_by_broker,
        "by_worker": liar.line.sent,
        "unreadable_by_worker": liar.unreadable,
    }


def _must_be_served(run: Run, station: HostileStation, when: str) -> None:
    if not station.still_served(60.0):
        run.faults.append(f"{station.name} was not served {when}")


def _in_the_middle(run: Run, number: int, n: int, station: HostileStation, liar: HostileWorker) -> None:
    """Between two attacks: honest captures, a look at the memory, and whether anybody still answers."""
    if number % max(1, n // ROUNDS) == 0:
        run.look()
        liar.refs = [*liar.refs[-40:], run.capture()]
    if number % max(1, n // BOMBS) == n // (2 * BOMBS) and (bomb := station.hand_over_a_bomb(60.0)):
        run.bombs.append(bomb)
    if number % BARRIER_EVERY == BARRIER_EVERY - 1:
        _must_be_served(run, station, f"after message {number}")
    if number % 200 == 150:
        _end_a_connection(run)


def _line(run: Run, stack: ExitStack, name: str) -> Sender:
    folder = run.site.plan.folder / f"pki-{name}"
    tls = provision.new_station(run.site.central, name, folder)
    broker = run.site.central.broker
    line = Sender(BrokerAddress(broker.host, broker.port, tls), topics.replies(name))
    stack.callback(line.close)
    return line


def _end_a_connection(run: Run) -> None:
    """Do what the broker ends a connection for: a packet that is too large, or a message to be retained."""
    with ExitStack() as stack:
        line = _line(run, stack, "kho-cut")
        retained = run.chance.random() < 0.5
        inner = line.client._client
        inner.reconnect_on_failure = False
        topic = f"{topics.inbox('nobody')}/kho-cut/{run.chance.randrange(10**9)}/f/0"
        inner.publish(topic, bytes(500_000 if retained else 3 * MIB), qos=1, retain=retained)
        if line.wait_until_ended(10.0):
            run.ended_by_broker += 1
        else:
            run.faults.append(f"the broker took a message it should not (retained: {retained})")


def _afterwards(run: Run, outcome: dict[str, Any]) -> None:
    """Let everything come to its end, then look at what is there."""
    run.hand_over()
    try:
        wait_until(run.is_complete, END_TIMEOUT_S, "every honest capture")
    except TimeoutError as error:
        run.faults.append(f"{error}: {run.spool.counts()}")
    layout = StoreLayout(run.site.central.store)
    with Catalogue(run.site.central.database_url) as catalogue:
        office = Office(catalogue, layout)
        try:
            wait_until(lambda: office.totals().thumbnails_waiting == 0, END_TIMEOUT_S, "every thumbnail")
        except TimeoutError as error:
            run.faults.append(str(error))
        report = audit(layout, catalogue)
        run.faults += [f"audit: {fault}" for fault in report.faults]
        with catalogue.read() as connection:
            quarantined = dict(connection.execute(select(schema.quarantine.c.reason, schema.quarantine.c.count)).all())
            thumbnails = {
                (row.capture_id, row.thumbnail)
                for row in connection.execute(select(schema.pages.c.capture_id, schema.pages.c.thumbnail))
            }
        hostile = sum(row.captures_received for row in office.stations() if row.station != VICTIM)
    _check_pictures(run, thumbnails)
    _check_screens(run)
    _check_memory(run)
    outcome["quarantined"] = quarantined
    outcome["stored"] = {"objects": report.objects, "captures_of_hostile_stations": hostile}
    outcome["honest"] = {
        "captured": len(run.real),
        "arrived_during": run.arrived_during,
        "received": run.spool.counts().received,
        "damaged": run.spool.counts().damaged,
        "rejected": run.spool.counts().rejected,
    }
    outcome["ignored_by_publisher"] = run.site.publisher.log_file.read_text("utf-8").count("message ignored")
    _check_counts(run, outcome)


def _check_counts(run: Run, outcome: dict[str, Any]) -> None:
    """Every message to the worker was put away, answered, or taken as the bytes it claimed to be."""
    answers = Counter(outcome["answers_to_station"])
    answered = sum(
        count for name, count in answers.items() if name.split()[0] in ("Grant", "Busy", "Receipt", "Rejected")
    )
    sent = outcome["by_station"]["offers"] + outcome["by_station"]["chunks"]
    taken = sent - sum(outcome["quarantined"].values()) - answered
    outcome["chunks_taken_or_repeated"] = taken
    if not -answers["Receipt"] <= taken <= outcome["by_station"]["chunks"]:
        run.faults.append(f"{taken} messages to the worker are unaccounted for")
    honest = outcome["honest"]
    if honest["received"] != honest["captured"] or honest["damaged"] or honest["rejected"]:
        run.faults.append(f"honest captures: {honest}")
    if outcome["ignored_by_publisher"] > outcome["unreadable_by_worker"]:
        run.faults.append("the publisher ignored what it could have read")


def _check_pictures(run: Run, thumbnails: set[tuple[str, str]]) -> None:
    made = {capture_id for capture_id, state in thumbnails if state == "made"}
    failed = {capture_id for capture_id, state in thumbnails if state == "failed"}
    if not set(run.real) <= made - failed:
        run.faults.append("an honest page has no thumbnail")
    if len(run.bombs) < BOMBS or not set(run.bombs) <= made | failed:
        run.faults.append(f"{len(run.bombs)} of {BOMBS} captures with hostile pictures were stored and tried")


def _check_screens(run: Run) -> None:
    """What hostile documents say is shown on the screens of the centre, and breaks none of them."""
    token = run.site.central.web.token_file.read_text("ascii").strip()
    with Catalogue(run.site.central.database_url) as catalogue:
        office = Office(catalogue, StoreLayout(run.site.central.store))
        paths = ["/", "/metrics", *(f"/item/{row.item.item_id}" for row in office.items(limit=300))]
    for path in paths:
        line = http.client.HTTPConnection("127.0.0.1", run.site.central_port, timeout=30)
        line.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        status = line.getresponse().status
        line.close()
        if status != 200:
            run.faults.append(f"the screen {path} answers {status}")


def _check_memory(run: Run) -> None:
    for name, values in run.memory.items():
        quarter = max(1, len(values) // 4)
        grown = statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])
        if grown > FLAT_MIB:
            run.faults.append(f"{name} grew by {grown:.0f} MiB")


def _report(run: Run, outcome: dict[str, Any]) -> int:
    outcome["memory_mib"] = {
        name: {"first": round(values[0], 1), "most": round(max(values), 1), "last": round(values[-1], 1)}
        | {"slope_per_1000": round(_slope(values) * 1000 * ROUNDS / outcome["n"], 2)}
        for name, values in run.memory.items()
    }
    outcome["faults"] = run.faults
    for name, value in outcome.items():
        print(f"{name:30} {value}")
    print(json.dumps(outcome))
    return 1 if run.faults else 0


def _slope(values: list[float]) -> float:
    """Return MiB for each look, over the second half."""
    half = values[len(values) // 2 :]
    return statistics.linear_regression(range(len(half)), half).slope if len(half) > 1 else 0.0


if __name__ == "__main__":
    sys.exit(main())
