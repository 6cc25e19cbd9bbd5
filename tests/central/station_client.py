"""A station as the centre sees one: raw paho, no timers, every step under the test's control."""

import queue
import time
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from central.authority.ca import Credentials
from wire import codec, messages, topics
from wire.digest import sha256_of
from wire.documents import (
    CaptureDocument,
    FrameEntry,
    ItemRef,
    JobListDocument,
    ListEntry,
    PageEntry,
    PagesDocument,
)
from wire.ids import new_id
from wire.messages import FileEntry, ObjectRef, Offer

TIMEOUT_S = 15.0


@dataclass
class Package:
    """An object and the bytes of all its files."""

    ref: ObjectRef
    station: str
    files: dict[str, bytes]
    inline: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        return tuple(FileEntry(name, len(data), sha256_of(data)) for name, data in self.files.items())

    def offer(self, **changes: Any) -> Offer:
        values: dict[str, Any] = {
            "station": self.station,
            "object": self.ref,
            "files": self.entries,
            "inline": {name: self.files[name].decode() for name in self.inline},
        }
        return Offer(**{**values, **changes})


def capture(
    station: str,
    *,
    sequence: int = 1,
    job_id: str = "job-1",
    item_id: str = "item-1",
    title: str = "Truyện Kiều",
    frame: bytes = b"frame" * 1000,
    page: bytes = b"page" * 500,
    capture_id: str | None = None,
    findings: tuple[Any, ...] = (),
) -> Package:
    """A capture of two pages whose documents agree with its files."""
    capture_id = capture_id or new_id()
    pictures = {"frame-1.jpg": frame, "left.jpg": page + b"L", "right.jpg": page + b"R"}
    facts = CaptureDocument(
        capture_id=capture_id,
        station=station,
        sequence=sequence,
        job_id=job_id,
        sitting_id="sitting-1",
        item=ItemRef(item_id=item_id, title=title),
        profile="sach-in-300",
        frames=(
            FrameEntry(
                file="frame-1.jpg",
                size=len(frame),
                sha256=sha256_of(frame),
                camera="simulated",
                width_px=400,
                height_px=300,
                sensor_at_ns=1,
            ),
        ),
        pressed_at="2026-01-02T03:04:05Z",
        clock_synchronised=True,
        boot_id="boot",
        monotonic_ns=1,
        software="0.1.0",
    )
    pages = PagesDocument(
        capture_id=capture_id,
        outcome="pages",
        profile="sach-in-300",
        software="0.1.0",
        pages=tuple(
            PageEntry(
                side=side,  # type: ignore[arg-type]
                file=f"{side}.jpg",
                size=len(pictures[f"{side}.jpg"]),
                sha256=sha256_of(pictures[f"{side}.jpg"]),
                frame="frame-1.jpg",
                outline=((0, 0), (10, 0), (10, 10), (0, 10)),
                rotation_cw=0,
                width_px=100,
                height_px=150,
                findings=findings,
            )
            for side in ("left", "right")
        ),
    )
    files = {"capture.json": codec.encode(facts), "pages.json": codec.encode(pages), **pictures}
    return Package(ObjectRef("capture", capture_id), station, files, ("capture.json", "pages.json"))


def job_list(
    station: str,
    captures: list[str],
    *,
    revision: int = 1,
    job_id: str = "job-1",
    item_id: str = "item-1",
    state: Any = "handed_over",
    barcode: str | None = None,
    **changes: Any,
) -> Package:
    """A job list that names `captures` in this order."""
    document = JobListDocument(
        job_id=job_id,
        revision=revision,
        station=station,
        state=state,
        item=ItemRef(item_id=item_id, title="Truyện Kiều", barcode=barcode),
        profile="sach-in-300",
        entries=tuple(ListEntry(capture_id=one) for one in captures),
        software="0.1.0",
        **changes,
    )
    files = {"list.json": codec.encode(document)}
    return Package(ObjectRef("job_list", job_id, revision), station, files, ("list.json",))


@dataclass
class StationClient:
    """A connection with a station's own credentials."""

    host: str
    port: int
    tls: Credentials
    station: str
    client_id: str | None = None
    replies: "queue.Queue[messages.Reply]" = field(default_factory=queue.Queue)
    received: "queue.Queue[paho.MQTTMessage]" = field(default_factory=queue.Queue)
    publications: dict[int, "queue.Queue[int]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connected: queue.Queue[int] = queue.Queue()
        self.disconnected: queue.Queue[int] = queue.Queue()
        self.subscribed: queue.Queue[list[int]] = queue.Queue()
        self.acknowledged: queue.Queue[tuple[int, int]] = queue.Queue()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"station.{self.client_id or self.station}",
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.tls_set(str(self.tls.ca), str(self.tls.cert), str(self.tls.key))
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self.connected.put(reason.value)
        self.client.on_disconnect = lambda _c, _d, _f, reason, _p: self.disconnected.put(reason.value)
        self.client.on_subscribe = lambda _c, _d, _m, reasons, _p: self.subscribed.put([r.value for r in reasons])
        self.client.on_publish = lambda _c, _d, mid, reason, _p: self.acknowledged.put((mid, reason.value))
        self.client.on_message = self._on_message

    def __enter__(self) -> "StationClient":
        self.connect()
        assert self.subscribe(topics.replies(self.station)) == [1]
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, timeout: float = TIMEOUT_S) -> int:
        self.client.connect(self.host, self.port, keepalive=30)
        self.client.loop_start()
        return self.connected.get(timeout=timeout)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, topic: str) -> list[int]:
        self.client.subscribe(topic, qos=1)
        return self.subscribed.get(timeout=TIMEOUT_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish with QoS 1 and return the reason code of the acknowledgement."""
        properties = Properties(PacketTypes.PUBLISH)
        mid = self.client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            number, code = self.acknowledged.get(timeout=max(0.01, deadline - time.monotonic()))
            if number == mid:
                return code

    def offer(self, package: Package, **changes: Any) -> int:
        return self.publish(topics.offers(self.station), codec.encode(package.offer(**changes)))

    def reply(self, *kinds: type, timeout: float = TIMEOUT_S) -> Any:
        """The next reply of one of `kinds`, passing over the others."""
        deadline = time.monotonic() + timeout
        while True:
            reply = self.replies.get(timeout=max(0.01, deadline - time.monotonic()))
            if not kinds or isinstance(reply, kinds):
                return reply

    def chunks(self, grant: messages.Grant, package: Package) -> list[tuple[str, bytes]]:
        """Every chunk of what the grant does not hold yet: topic and bytes."""
        held = {one.file for one in grant.have}
        found = []
        for name, data in package.files.items():
            for offset in range(0, len(data), grant.chunk_bytes) if name not in held else ():
                address = topics.ChunkAddress(grant.worker, self.station, grant.grant_id, name, offset)
                found.append((topics.chunk(address), data[offset : offset + grant.chunk_bytes]))
        return found

    def deliver(self, package: Package) -> messages.Receipt:
        """The whole way, without a window: for small objects."""
        assert self.offer(package) == 0
        reply = self.reply(messages.Grant, messages.Receipt)
        if isinstance(reply, messages.Grant):
            for topic, data in self.chunks(reply, package):
                self.publish(topic, data)
            reply = self.reply(messages.Receipt)
        return reply

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.received.put(message)
        if message.topic == topics.replies(self.station):
            self.replies.put(codec.decode_reply(message.payload))
