"""Captures made of a few bytes, with true digests."""

from appliance.spool import RetentionPolicy, Spool
from wire.digest import sha256_of
from wire.documents import CaptureDocument, FrameEntry, ItemRef, JobListDocument, ListEntry, PageEntry, PagesDocument

POLICY = RetentionPolicy(reserve_bytes=2**20, ballast_bytes=4096)
STATION = "station-1"


class Maker:
    """Makes documents whose digests are true."""

    def __init__(self, station: str = STATION) -> None:
        self.station = station

    def frames(self, capture_id: str, size: int = 500) -> dict[str, bytes]:
        return {"frame-1.jpg": (capture_id.encode() * size)[:size]}

    def facts(self, capture_id: str, sequence: int, job_id: str = "job-1", frame_bytes: int = 500) -> CaptureDocument:
        frames = tuple(
            FrameEntry(
                file=name,
                size=len(content),
                sha256=sha256_of(content),
                camera="0",
                width_px=4,
                height_px=3,
                sensor_at_ns=1,
            )
            for name, content in self.frames(capture_id, frame_bytes).items()
        )
        return CaptureDocument(
            capture_id=capture_id,
            station=self.station,
            sequence=sequence,
            job_id=job_id,
            sitting_id="sitting-1",
            item=ItemRef(item_id="item-1", title="Truyện Kiều"),
            profile="sach-in-300",
            frames=frames,
            pressed_at="2026-01-02T03:04:05Z",
            clock_synchronised=False,
            boot_id="boot",
            monotonic_ns=1,
            software="test",
        )

    def page_bytes(self, capture_id: str) -> dict[str, bytes]:
        return {f"{side}.jpg": f"{capture_id} {side}".encode() * 20 for side in ("left", "right")}

    def pages(self, capture_id: str) -> PagesDocument:
        pages = tuple(
            PageEntry(
                side=name.removesuffix(".jpg"),
                file=name,
                size=len(content),
                sha256=sha256_of(content),
                frame="frame-1.jpg",
                outline=((0, 0), (1, 0), (1, 1), (0, 1)),
                rotation_cw=0,
                width_px=2,
                height_px=3,
            )
            for name, content in self.page_bytes(capture_id).items()
        )
        return PagesDocument(
            capture_id=capture_id, outcome="pages", profile="sach-in-300", pages=pages, software="test"
        )

    def job_list(
        self, revision: int, *captures: str, job_id: str = "job-1", state: str = "handed_over"
    ) -> JobListDocument:
        return JobListDocument(
            job_id=job_id,
            revision=revision,
            station=self.station,
            state=state,
            item=ItemRef(item_id="item-1"),
            profile="sach-in-300",
            entries=tuple(ListEntry(capture_id=one) for one in captures),
            software="test",
        )

    def add(
        self, spool: Spool, capture_id: str, *, processed: bool = True, job_id: str = "job-1", frame_bytes: int = 500
    ) -> int:
        sequence = spool.next_sequence()
        spool.add_capture(self.facts(capture_id, sequence, job_id, frame_bytes), self.frames(capture_id, frame_bytes))
        if processed:
            spool.add_pages(self.pages(capture_id), self.page_bytes(capture_id))
        return sequence
