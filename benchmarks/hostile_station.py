"""An approved station that means harm: offers, chunks and statuses that no station of ours would send."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from benchmarks import hostile_messages as drawn
from benchmarks import hostile_pictures
from benchmarks.captures import Capture, draw
from benchmarks.hostile_line import Sender
from wire import codec, limits, topics
from wire.digest import sha256_of
from wire.ids import new_id
from wire.messages import Busy, Grant, Receipt, Rejected

ANSWERS: Final = (Grant, Receipt, Busy, Rejected)


@dataclass
class HostileStation:
    """An approved station that means harm.

    Attributes:
        writes_only: sends only whole objects whose documents lie; otherwise grants that it never feeds fill its places,
            and what its documents say comes no further than "busy".
        offers: how many of its messages went to the topic of its offers.
        chunks: how many went to a worker's inbox.
    """

    name: str
    worker: str
    line: Sender
    chance: random.Random
    writes_only: bool = False
    offers: int = 0
    chunks: int = 0
    statuses: int = 0
    _granted: list[tuple[Grant, dict[str, bytes]]] = field(default_factory=list)
    _offered: dict[str, dict[str, bytes]] = field(default_factory=dict)
    _known: Capture | None = None
    _read: int = 0

    def attack(self) -> None:
        """Send one hostile message."""
        manners = self._manners_of_a_writer() if self.writes_only else self._manners()
        self.chance.choices([one for _, one in manners], [weight for weight, _ in manners])[0]()
        self._note_grants()

    def _manners(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        return (
            (24, self._harmed_offer),
            (10, self._junk_offer),
            (4, self._greedy_offer),
            (4, self._inline_bomb),
            (8, self._plausible_offer),
            (10, self._harmed_documents),
            (6, self._harmed_list),
            (20, self._bad_chunk),
            (6, self._stray_chunk),
            (8, self._status),
        )

    def _manners_of_a_writer(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        return ((6, self._harmed_documents), (3, self._harmed_list), (1, self._inline_bomb))

    def still_served(self, timeout_s: float) -> bool:
        """Behave for once: hand a capture over, or ask for its receipt; tells whether that was answered.

        Everything sent before has been taken by the worker when this returns.
        """
        first = self._known is None
        self._known = self._known or draw(self.name, 1, 600, seed=1)
        self.line.settle()
        self.line.replies.clear()
        self._read = 0
        ref = self._known.offer().object
        if first:
            return self._hand_over(self._known, timeout_s)
        self._offer(codec.encode(self._known.offer()))
        return (
            self.line.wait_for(lambda reply: isinstance(reply, Receipt) and reply.object == ref, timeout_s) is not None
        )

    def hand_over_a_bomb(self, timeout_s: float) -> str | None:
        """Hand over a capture with true digests whose pages are no pictures; returns its id once it is stored."""
        capture = draw(self.name, self.chance.randrange(10**6), 600, seed=self.chance.randrange(10**9))
        bombs = {name: hostile_pictures.bomb(self.chance) for name in ("left.jpg", "right.jpg")}
        capture = with_pages(capture, bombs)
        return capture.facts.capture_id if self._hand_over(capture, timeout_s) else None

    def _hand_over(self, capture: Capture, timeout_s: float) -> bool:
        ref, end_s = capture.offer().object, time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self._offer(codec.encode(capture.offer()))
            reply = self.line.wait_for(lambda one: one.object == ref and isinstance(one, ANSWERS), 5.0)
            self.line.replies.clear()
            if isinstance(reply, Receipt):
                return True
            if isinstance(reply, Grant):
                for name, content in capture.files.items():
                    if not any(held.file == name for held in reply.have):
                        for offset in range(0, len(content), reply.chunk_bytes):
                            self._chunk(reply, name, offset, content[offset : offset + reply.chunk_bytes])
            elif reply is not None:
                # Our own grants took all the places that one station may have.
                self.line.wait_for(lambda _one: False, 1.0)
        return False

    # Offers

    def _offer(self, payload: bytes) -> None:
        self.offers += 1
        self.line.send(topics.offers(self.name), payload)

    def _whole_offer(self) -> Any:
        offer = drawn.whole("Offer", self.chance)
        return {**offer, "station": self.name}

    def _harmed_offer(self) -> None:
        base = self._whole_offer() if self.chance.random() < 0.5 else msgspec.to_builtins(self._fresh().offer())
        base.setdefault("type", "offer")
        self._offer(drawn.as_bytes(drawn.harmed(base, self.chance), self.chance))

    def _junk_offer(self) -> None:
        self._offer(drawn.junk(self.chance))

    def _greedy_offer(self) -> None:
        names = ["capture.json", "pages.json", *(f"file-{number}.jpg" for number in range(30))]
        size = self.chance.choice((limits.MAX_FILE_BYTES, limits.MAX_FILE_BYTES // 16, 0, 1))
        number = self.chance.choice((2, 3, 32))
        files = [{"name": name, "size": size, "sha256": "0" * 64} for name in names[:number]]
        ref = {"kind": "capture", "id": new_id(), "revision": self.chance.choice((0, 0, 1))}
        self._offer(msgspec.json.encode({"type": "offer", "v": 1, "station": self.name, "object": ref, "files": files}))

    def _inline_bomb(self) -> None:
        text = self.chance.choice(("x", "\u0001", "ă", "\U0001f600", '"')) * self.chance.choice((10, 20_000, 60_000))
        self._whole_inline("capture", new_id(), 0, {"capture.json": text, "pages.json": text, "frame-1.jpg": text})

    def _plausible_offer(self) -> None:
        capture = self._fresh()
        self._offered[capture.facts.capture_id] = capture.files
        if len(self._offered) > 64:
            self._offered.pop(next(iter(self._offered)))
        self._offer(codec.encode(capture.offer()))

    def _harmed_documents(self) -> None:
        """All inline and with true digests, so that what the documents say comes as far as the catalogue."""
        capture = self._fresh()
        facts, pages = (json.loads(codec.encode(one)) for one in (capture.facts, capture.pages))
        if self.chance.random() < 0.5:
            facts = {**facts, "item": drawn.whole("ItemRef", self.chance), **self._some_of("CaptureDocument", facts)}
        else:
            facts = drawn.harmed(facts, self.chance)
        if self.chance.random() < 0.5:
            pages = drawn.harmed(pages, self.chance)
        text = {"frame-1.jpg": "frame", "left.jpg": "left", "right.jpg": "right"}
        for entry in (*_entries(facts, "frames"), *_entries(pages, "pages")):
            if isinstance(entry, dict) and str(entry.get("file")) in text:
                content = text[str(entry["file"])].encode()
                entry.update(size=len(content), sha256=sha256_of(content))
        documents = {
            name: drawn.as_bytes(one, self.chance) for name, one in (("capture.json", facts), ("pages.json", pages))
        }
        try:
            inline = {name: content.decode() for name, content in documents.items()}
        except UnicodeDecodeError:
            return self._junk_offer()
        self._whole_inline("capture", capture.facts.capture_id, 0, {**inline, **text})
        return None

    def _some_of(self, name: str, base: Any) -> Any:
        new = drawn.whole(name, self.chance)
        kept = ("capture_id", "station", "frames", "v", "item")
        return {key: new[key] for key in new if key in base and key not in kept and self.chance.random() < 0.3}

    def _harmed_list(self) -> None:
        document = drawn.whole("JobListDocument", self.chance)
        revision = self.chance.choice((0, 1, 2, 2**53))
        document.update(job_id=f"job-{self.chance.randrange(50)}", revision=revision, station=self.name)
        if self.chance.random() < 0.2:
            document["entries"] = [{"capture_id": f"c-{number}"} for number in range(2500)]
        if self.chance.random() < 0.5:
            document = drawn.harmed(document, self.chance)
        try:
            text = drawn.as_bytes(document, self.chance).decode()
        except UnicodeDecodeError:
            return self._junk_offer()
        self._whole_inline("job_list", str(document.get("job_id")), revision, {"list.json": text})
        return None

    def _whole_inline(self, kind: str, id_: str, revision: int, files: dict[str, str]) -> None:
        contents = {name: text.encode() for name, text in files.items()}
        entries = [{"name": name, "size": len(one), "sha256": sha256_of(one)} for name, one in contents.items()]
        offer = {
            "type": "offer",
            "v": 1,
            "station": self.name,
            "object": {"kind": kind, "id": id_, "revision": revision},
            "files": entries,
            "inline": files,
        }
        self._offer(msgspec.json.encode(offer))

    def _fresh(self) -> Capture:
        return draw(self.name, self.chance.randrange(10**6), 20_000, seed=self.chance.randrange(10**9))

    # Chunks

    def _note_grants(self) -> None:
        self.line.listen()
        for reply in self.line.replies[self._read :]:
            if isinstance(reply, Grant) and reply.object.id in self._offered:
                self._granted = [*self._granted[-7:], (reply, self._offered[reply.object.id])]
        self._read = len(self.line.replies)

    def _chunk(self, grant: Grant, file: str, offset: int | str, content: bytes) -> None:
        self.chunks += 1
        self.line.send(f"{topics.inbox(self.worker)}/{self.name}/{grant.grant_id}/{file}/{offset}", content)

    def _bad_chunk(self) -> None:
        if not self._granted:
            return self._stray_chunk()
        grant, files = self.chance.choice(self._granted)
        file = self.chance.choice(sorted(files))
        content, size = files[file], len(files[file])
        at, length = self.chance.randrange(size), self.chance.choice((1, 7, grant.chunk_bytes))
        manner = self.chance.randrange(8)
        if manner == 0:
            self._chunk(grant, file, at, self.chance.randbytes(length))
        elif manner == 1:
            self._chunk(grant, file, size - 1, content[-1:] * 2)
        elif manner == 2:
            self._chunk(grant, file, self.chance.choice((-1, 2**40, 2**63, "1e3", "٣", "0x10", "")), b"x")
        elif manner == 3:
            self._chunk(grant, drawn.topic_part(self.chance), 0, b"x")
        elif manner == 4:
            self._chunk(grant, file, 0, self.chance.choice((b"", bytes(grant.chunk_bytes + 1), bytes(10**6))))
        elif manner == 5:
            self._chunk(grant, f"{file}/{drawn.topic_part(self.chance)}", at, b"x")
        else:
            self._chunk(grant, file, at, content[at : at + length])
        return None

    def _stray_chunk(self) -> None:
        self.chunks += 1
        tail = "/".join(drawn.topic_part(self.chance) or "x" for _ in range(self.chance.choice((1, 2, 3, 3, 3, 4, 9))))
        content = self.chance.randbytes(self.chance.choice((0, 1, 100, 4096, 500_000)))
        self.line.send(f"{topics.inbox(self.worker)}/{self.name}/{tail}", content)

    # Status

    def _status(self) -> None:
        self.statuses += 1
        value = {**drawn.whole("StationStatus", self.chance), "type": "status", "station": self.name}
        manner = self.chance.randrange(4)
        if manner == 0:
            payload = drawn.as_bytes(value, self.chance)
        elif manner == 1:
            payload = drawn.as_bytes(drawn.harmed(value, self.chance), self.chance)
        elif manner == 2:
            # As long as is allowed, and longer once it is written out in full.
            value = {"type": "status", "v": 1, "station": self.name, "online": True}
            value |= {key: "\u0001" * 400 for key in ("software", "state", "fault")} | {"job_title": "\u0001" * 130}
            payload = msgspec.json.encode(value)
        else:
            payload = drawn.junk(self.chance)
        self.line.send(topics.status(self.name), payload)


def with_pages(capture: Capture, pages: dict[str, bytes]) -> Capture:
    """Return `capture` with other pictures as its pages, the documents true again."""
    entries = tuple(
        msgspec.structs.replace(one, size=len(pages[one.file]), sha256=sha256_of(pages[one.file]))
        for one in capture.pages.pages
    )
    document = msgspec.structs.replace(capture.pages, pages=entries)
    return Capture(capture.facts, document, {**capture.pictures, **pages})


def _entries(document: Any, key: str) -> list[Any]:
    found = document.get(key)
    return found if isinstance(found, list) else []
