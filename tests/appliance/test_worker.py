"""The worker on a real spool."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.api import Delivery, Verdict
from appliance.imaging.encode import encode
from appliance.imaging.judging.similarity import Match, signature
from appliance.imaging.model import Processed, Signature
from appliance.imaging.planes import Planes
from appliance.model import CaptureSetup, verdict_of
from appliance.results import failed
from appliance.spool.files import Disk
from appliance.spool.retention import RetentionPolicy
from appliance.spool.store import Spool
from appliance.threads import ServiceThread
from appliance.worker import Done, Work, Worker, compare
from firmware.simulated.camera import SimulatedCamera
from wire.digest import sha256_of
from wire.documents import CaptureDocument, FindingEntry, FrameEntry, ItemRef, PagesDocument
from wire.ids import new_id

POLICY = RetentionPolicy(reserve_bytes=0, ballast_bytes=0)
BLANK = Signature(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "spool", "tram-01", POLICY) as opened:
        yield opened


@pytest.fixture
def camera() -> SimulatedCamera:
    return SimulatedCamera(5, 507, 380)


def planes_of(camera: SimulatedCamera) -> Planes:
    frame = camera.capture(pressed_at_ns=0)
    return Planes(frame.y, frame.u, frame.v)


def make_safe(spool: Spool, *frames: Planes, job_id: str = "job-1") -> str:
    files = {f"frame-{number}.jpg": encode(planes) for number, planes in enumerate(frames, 1)}
    facts = CaptureDocument(
        capture_id=new_id(),
        station="tram-01",
        sequence=spool.next_sequence(),
        job_id=job_id,
        sitting_id="sitting-1",
        item=ItemRef(item_id="item-1"),
        profile="sach-in-300",
        layout="spread" if len(frames) == 1 else "two-camera",
        frames=tuple(
            FrameEntry(
                file=name, size=len(content), sha256=sha256_of(content), camera="c", width_px=planes.width_px,
                height_px=planes.height_px, sensor_at_ns=1,
            )
            for (name, content), planes in zip(files.items(), frames, strict=True)
        ),
        pressed_at="2026-01-02T03:04:05Z",
        clock_synchronised=False,
        boot_id="b",
        monotonic_ns=1,
        software="test",
    )  # fmt: skip
    spool.add_capture(facts, files)
    return facts.capture_id


class Running:
    """A worker at work, and what it reported."""

    def __init__(self, spool: Spool, **more) -> None:
        self.done: list[Done] = []
        self._news = threading.Condition()
        self.deaths: list[object] = []
        self.worker = Worker(spool, CaptureSetup("tram-01", rotations_cw=(0,)), **more)
        self.worker.listen(self._heard)
        self._thread = ServiceThread("worker", self.worker.run, lambda *what: self.deaths.append(what))
        self._thread.start()

    def _heard(self, done: Done) -> None:
        self.worker.heard()
        with self._news:
            self.done.append(done)
            self._news.notify_all()

    def process(self, *works: Work) -> list[Done]:
        for work in works:
            self.worker.submit(work)
        with self._news:
            assert self._news.wait_for(lambda: len(self.done) >= len(works), timeout=20)
        return self.done

    def stop(self) -> None:
        self.worker.stop()
        self._thread.join()
        assert self.deaths == []


@pytest.fixture
def running(spool: Spool) -> Iterator[Running]:
    at_work = Running(spool)
    yield at_work
    at_work.stop()


def test_frames_in_memory_and_frames_from_the_disk_give_the_same_pages(spool, camera, running) -> None:
    frames = planes_of(camera)
    in_memory, from_disk = make_safe(spool, frames), make_safe(spool, frames, job_id="job-2")
    first, second = running.process(Work(in_memory, None, (frames,)), Work(from_disk))
    assert [page.side for page in first.pages.pages] == ["left", "right"]
    for one, other in zip(first.pages.pages, second.pages.pages, strict=True):
        assert (one.side, one.rotation_cw) == (other.side, other.rotation_cw)
        assert np.allclose(np.min(one.outline, 0), np.min(other.outline, 0), atol=4)
        assert np.allclose(np.max(one.outline, 0), np.max(other.outline, 0), atol=4)
    assert spool.row(in_memory).state is Delivery.PROCESSED
    assert sha256_of(spool.path(in_memory, "left.jpg").read_bytes()) == first.pages.pages[0].sha256


def test_a_spread_shot_twice_agrees_with_the_one_before_it_and_another_differs(spool, camera, running) -> None:
    frames, others = planes_of(camera), planes_of(camera)
    one, again, other = make_safe(spool, frames), make_safe(spool, frames), make_safe(spool, others)
    done = running.process(Work(one), Work(again, one, (frames,)), Work(other, again, (others,)))
    assert [report.match for report in done] == [Match.UNSURE, Match.AGREE, Match.DIFFER]
    assert any(finding.code == "duplicate" for finding in done[1].pages.findings)


def test_another_job_is_not_compared_with_the_one_before(spool, camera, running) -> None:
    frames = planes_of(camera)
    one, again = make_safe(spool, frames), make_safe(spool, frames, job_id="job-2")
    done = running.process(Work(one), Work(again, one))
    assert done[1].match is Match.UNSURE
    assert done[1].pages.findings == ()


def test_with_a_camera_a_page_the_first_one_sees_the_left(spool, camera, running) -> None:
    pair = make_safe(spool, planes_of(camera), planes_of(camera))
    (done,) = running.process(Work(pair))
    assert [(page.side, page.frame) for page in done.pages.pages] == [("left", "frame-1.jpg"), ("right", "frame-2.jpg")]


def test_a_pipeline_that_fails_once_is_tried_again(spool, camera) -> None:
    calls = []

    def fails_once(planes, *_):
        calls.append(planes)
        if len(calls) == 1:
            raise MemoryError
        return Processed((), (), BLANK)

    at_work = Running(spool, pipeline=fails_once)
    (done,) = at_work.process(Work(make_safe(spool, planes_of(camera))))
    at_work.stop()
    assert done.pages.outcome == "pages"
    assert len(calls) == 2


def test_a_frame_that_cannot_be_read_stops_nobody(spool, camera, running) -> None:
    gone, whole = make_safe(spool, planes_of(camera)), make_safe(spool, planes_of(camera))
    spool.path(gone, "capture.json").unlink()
    running.worker.submit(Work(gone))
    (done,) = running.process(Work(whole))
    assert done.pages.capture_id == whole
    assert running.worker.length() == 0


def test_a_frame_damaged_on_disk_is_delivered_as_it_is(spool, camera, running) -> None:
    bad = make_safe(spool, planes_of(camera))
    spool.path(bad, "frame-1.jpg").write_bytes(b"\xff\xd8 no picture")
    (done,) = running.process(Work(bad))
    assert done.pages.outcome == "processing_failed"
    assert done.verdict is Verdict.UNSURE


class DiskThatRefusesPages(Disk):
    """Fails to write the left page for the first times."""

    refusals = 2

    def step(self, name, path):
        if self.refusals and name == "sync" and "left" in path.name:
            self.refusals -= 1
            raise OSError(errno.EIO, "Input/output error")


def test_pages_that_the_disk_does_not_take_are_written_when_it_does(tmp_path, camera) -> None:
    disk = DiskThatRefusesPages()
    with Spool.open(tmp_path / "spool", "tram-01", POLICY, disk=disk) as spool:
        at_work = Running(spool, disk_retry_s=0.01)
        capture = make_safe(spool, planes_of(camera))
        (done,) = at_work.process(Work(capture))
        at_work.stop()
        assert (done.pages.outcome, disk.refusals) == ("pages", 0)
        assert spool.attempts(capture) == 1, "waiting for the disk is no failure of the picture"


def test_the_verdict_is_the_worst_that_was_found_and_unsure_where_it_could_not_judge(spool, camera) -> None:
    def said(*codes: tuple[str, str]) -> Verdict:
        findings = tuple(FindingEntry(code=code, severity=severity) for code, severity in codes)
        return verdict_of(
            PagesDocument(capture_id="a", outcome="pages", profile="p", pages=(), findings=findings, software="t")
        )

    assert verdict_of(None) is Verdict.PENDING
    assert said() is Verdict.OK
    assert said(("duplicate", "info")) is Verdict.OK
    assert said(("outline_uncertain", "warn")) is Verdict.UNSURE
    assert said(("outline_uncertain", "warn"), ("skew", "warn")) is Verdict.WARN
    assert said(("blur", "bad"), ("skew", "warn")) is Verdict.BAD
    assert verdict_of(failed(spool.capture(make_safe(spool, planes_of(camera))))) is Verdict.UNSURE


def test_two_cameras_agree_only_together(camera) -> None:
    one, other = (signature(planes_of(camera).y) for _ in range(2))
    assert compare((one, other), (one, other)) is Match.AGREE
    assert compare((one, other), (one, one)) is Match.DIFFER
    assert compare((one, BLANK), (one, BLANK)) is Match.UNSURE
    assert compare((one,), ()) is Match.UNSURE


def test_the_queue_is_full_while_its_limit_waits_or_is_in_work(spool, camera) -> None:
    gate = threading.Event()

    def wait(*_):
        assert gate.wait(20)
        return Processed((), (), BLANK)

    at_work = Running(spool, limit=2, pipeline=wait)
    captures = [make_safe(spool, planes_of(camera)) for _ in range(2)]
    at_work.worker.submit(Work(captures[0]))
    assert not at_work.worker.is_full()
    at_work.worker.submit(Work(captures[1]))
    assert at_work.worker.is_full()
    gate.set()
    at_work.process()
    at_work.stop()
