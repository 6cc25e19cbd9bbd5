"""The bench that attacks the hand-over: small in the suite, and its own count proved able to see what is wrong."""

import itertools
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import faults
from benchmarks.fault_count import Verdict, announced, count
from benchmarks.fault_plan import FAIR, Abilities, Fault, Full, Jump, Kill, PowerCut, ReadOnly, Weather, draw, skipped
from benchmarks.fault_presses import Presser
from benchmarks.fault_relay import Relay
from benchmarks.fault_run import FaultySite
from central.config import CentralConfig
from lattrang.demo.waiting import wait_until
from wire import codec
from wire.documents import LIST_FILE


def _faults(seed: int, abilities: Abilities, number: int = 400) -> list[Fault]:
    return [step.fault for step in itertools.islice(draw(seed, 1.0, abilities), number)]


def test_the_same_seed_draws_the_same_faults_and_another_one_others() -> None:
    everything = Abilities(disks=True, clock=True)
    assert _faults(5, everything) == _faults(5, everything)
    assert _faults(5, everything) != _faults(6, everything)


def test_kills_come_as_often_as_was_asked_for() -> None:
    steps = list(itertools.islice(draw(3, 2.0, Abilities(disks=True, clock=True)), 2000))
    kills = sum(isinstance(step.fault, Kill) for step in steps)
    assert sum(step.after_s for step in steps) / kills == pytest.approx(2.0, rel=0.1)


def test_what_this_machine_does_not_let_us_do_is_not_drawn_and_is_said() -> None:
    nothing = Abilities(disks=False, clock=False)
    assert not [one for one in _faults(1, nothing) if isinstance(one, Full | ReadOnly | PowerCut | Jump)]
    assert len(skipped(nothing)) == 2


# The relay


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Return the address of a server that says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    while block := _read(line):
                        line.sendall(block)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _read(line: socket.socket) -> bytes:
    try:
        return line.recv(1000)
    except OSError:
        return b""


def _asked(line: socket.socket, words: bytes, timeout_s: float) -> bytes:
    line.settimeout(timeout_s)
    line.sendall(words)
    try:
        return line.recv(1000)
    except TimeoutError:
        return b"nothing"


def test_a_hole_holds_everything_back_and_a_fair_line_brings_it(echo: tuple[str, int]) -> None:
    with Relay(lambda: echo, 1) as relay, socket.create_connection(("127.0.0.1", relay.port), 5) as line:
        assert _asked(line, b"one", 5.0) == b"one"
        relay.set(Weather(hole=True))
        assert _asked(line, b"two", 0.3) == b"nothing"
        relay.set(FAIR)
        line.settimeout(5.0)
        assert line.recv(1000) == b"two"


def test_a_cut_ends_connections_and_takes_none_until_it_is_over(echo: tuple[str, int]) -> None:
    with Relay(lambda: echo, 1) as relay:
        with socket.create_connection(("127.0.0.1", relay.port), 5) as line:
            assert _asked(line, b"one", 5.0) == b"one"
            relay.set(Weather(cut=True))
            assert _read(line) == b""
        with socket.create_connection(("127.0.0.1", relay.port), 5) as refused:
            refused.settimeout(5.0)
            assert _read(refused) == b""
        relay.set(FAIR)
        with socket.create_connection(("127.0.0.1", relay.port), 5) as line:
            assert _asked(line, b"three", 5.0) == b"three"


# The count


@dataclass(frozen=True)
class Left:
    """What an undisturbed site left on its disks."""

    spool: Path
    central: CentralConfig
    station: str

    def count(self, shown: set[str] | None = None) -> Verdict:
        """Count it."""
        return count(self.spool, self.station, self.central, shown or set())

    def staged(self) -> list[Path]:
        """Return the captures at the centre."""
        return sorted((self.central.store / "staging").iterdir())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Run a site for a few captures of two jobs, with nothing done to it."""
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto")
    with FaultySite(tmp_path_factory.mktemp("faults"), 1, Abilities(disks=False, clock=False), None) as faulty:
        site = faulty.site
        presser = Presser(site.client(), per_job=3)
        presser.start()
        wait_until(lambda: presser.jobs >= 3, 60.0, "two jobs to be handed over")
        presser.stop()
        wait_until(presser.finish, 60.0, "the last job to be handed over", step_s=0.3)
        wait_until(lambda: not faults.open_jobs(site.spool), 60.0, "every job to be complete", step_s=0.3)
        left = Left(site.spool, site.central, site.plan.station)
    return left


@pytest.fixture
def left(undisturbed: Left) -> Iterator[Left]:
    """Return the site's disks, whole again after the test."""
    folders = (undisturbed.spool, undisturbed.central.store)
    for folder in folders:
        shutil.copytree(folder, folder.with_name(f"{folder.name}.copy"))
    yield undisturbed
    for folder in folders:
        shutil.rmtree(folder)
        folder.with_name(f"{folder.name}.copy").rename(folder)


@pytest.mark.broker
@pytest.mark.slow
def test_a_whole_site_counts_as_whole(left: Left) -> None:
    verdict = left.count()
    assert verdict.is_whole
    assert verdict.safe == len(left.staged()) >= 6
    assert verdict.jobs >= 2


def _lose(left: Left) -> None:
    shutil.rmtree(left.staged()[0])


def _double(left: Left) -> None:
    victim = left.staged()[0]
    twin = victim.with_name("0" * 32)
    shutil.copytree(victim, twin)
    facts = twin / "capture.json"
    facts.write_bytes(facts.read_bytes().replace(victim.name.encode(), twin.name.encode()))


def _flip(left: Left) -> None:
    page = left.staged()[0] / "left.jpg"
    content = bytearray(page.read_bytes())
    content[len(content) // 2] ^= 1
    page.write_bytes(content)


def _newest_list(left: Left) -> Path:
    folders = (left.central.store / "lists").glob("*/*")
    lists = {folder: codec.decode_job_list((folder / LIST_FILE).read_bytes()) for folder in folders}
    return max(lists, key=lambda folder: (len(lists[folder].entries), lists[folder].revision)) / LIST_FILE


def _swap(left: Left) -> None:
    file = _newest_list(left)
    told = json.loads(file.read_bytes())
    told["entries"][0], told["entries"][1] = told["entries"][1], told["entries"][0]
    file.write_text(json.dumps(told), "utf-8")


def _repeat(left: Left) -> None:
    file = _newest_list(left)
    told = json.loads(file.read_bytes())
    told["entries"].append(told["entries"][0])
    file.write_text(json.dumps(told), "utf-8")


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (_lose, "lost"),
        (_double, "doubled"),
        (_flip, "mismatches"),
        (_swap, "out_of_order"),
        (_repeat, "doubled"),
    ],
)
def test_the_count_sees_what_is_wrong(left: Left, harm: Callable[[Left], None], kind: str) -> None:
    harm(left)
    verdict = left.count()
    assert getattr(verdict, kind)
    assert not verdict.is_whole


@pytest.mark.broker
@pytest.mark.slow
def test_a_capture_that_only_the_screen_spoke_of_counts_as_announced(left: Left) -> None:
    assert left.count({"f" * 32}).lost == ["f" * 32, f"{'f' * 32} stands in no list"]


def test_an_announcement_is_found_behind_a_line_that_a_full_disk_cut_off(tmp_path: Path) -> None:
    line = '{"event": "capture.safe", "at": "x", "monotonic_ns": 1, "capture_id": "%s", "sequence": 1, "job_id": "j"}\n'
    (tmp_path / "events.1.jsonl").write_text(line % "a")
    (tmp_path / "events.jsonl").write_text('{"event": "capture.saf' + line % "b" + line % "c")
    assert announced(tmp_path) == ["a", "b", "c"]


# The whole


@pytest.mark.broker
@pytest.mark.slow
def test_a_few_kills_cost_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto")
    code = faults.main(["--kills", "6", "--seed", "3", "--seconds", "12", "--per-job", "8", "--folder", str(tmp_path)])
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == 0, outcome
    assert outcome["kills"] >= 6
    assert outcome["safe"] > 0
    assert list(tmp_path.iterdir()) == []
