"""Another station that sends where it has no right to, and a worker of the centre that lies."""

import random
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from benchmarks import hostile_messages as drawn
from benchmarks.hostile_line import Sender
from wire import codec, limits, topics
from wire.errors import ProtocolError
from wire.ids import new_id
from wire.messages import FileEntry, ObjectRef

REPLY_KINDS: Final = ("Grant", "Progress", "Receipt", "Busy", "Again", "Rejected", "Complete", "Missing")


def attack_from_outside(line: Sender, victim: str, worker: str, chance: random.Random) -> None:
    """As another station, send something where only others may send."""
    where = chance.choice(
        (
            topics.offers(victim),
            topics.replies(victim),
            topics.commands(victim),
            topics.status(victim),
            f"{topics.inbox(worker)}/{victim}/{new_id()}/frame-1.jpg/0",
            f"{topics.PREFIX}inbox/{worker}",
            "$CONTROL/dynamic-security/v1",
            "lattrang/2/offers/x",
            f"{topics.PREFIX}{topic_tail(chance)}",
        )
    )
    line.send(
        where, drawn.junk(chance) if chance.random() < 0.5 else msgspec.json.encode(drawn.whole("Receipt", chance))
    )


def topic_tail(chance: random.Random) -> str:
    """Return a topic's end that nobody has a right to."""
    return f"stations/{drawn.topic_part(chance) or 'x'}/replies"


@dataclass
class HostileWorker:
    """A worker of the centre that lies to one station. It knows what that station is handing over.

    It never refuses or confirms with true digests what is real: a worker may do that, and is then the centre.

    Attributes:
        unreadable: how many of its messages no station can read.
    """

    victim: str
    line: Sender
    chance: random.Random
    refs: list[tuple[ObjectRef, tuple[FileEntry, ...]]] = field(default_factory=list)
    longest_busy_s: float = 86_400.0
    unreadable: int = 0

    def attack(self) -> None:
        """Send one hostile reply."""
        manner = self.chance.randrange(4)
        if manner == 0:
            payload = drawn.junk(self.chance)
        elif manner == 1:
            payload = drawn.as_bytes(drawn.harmed(self._reply(), self.chance), self.chance)
        else:
            payload = msgspec.json.encode(self._reply())
        try:
            codec.decode_reply(payload)
        except ProtocolError:
            self.unreadable += 1
        self.line.send(topics.replies(self.victim), payload)

    def _reply(self) -> Any:
        name = self.chance.choice(REPLY_KINDS)
        reply = {**drawn.whole(name, self.chance), "type": name.lower()}
        if not self.refs or name in ("Rejected", "Complete") or self.chance.random() < 0.3:
            return reply
        ref, files = self.chance.choice(self.refs)
        reply["object"] = msgspec.to_builtins(ref)
        file = self.chance.choice(files)
        spans = self.chance.choice(
            (
                [[0, file.size]],
                [[0, file.size]] * 8000,
                [[at, at + 1] for at in range(0, 24_000, 3)],
                [[5, 2], [0, 2**30], [file.size, file.size + 1]],
            )
        )
        named = [{"start": start, "end": end} for start, end in spans]
        held = [{"file": file.name, "spans": named[:4096]}]
        changes: dict[str, Any] = {
            "Grant": {"chunk_bytes": self.chance.choice((1024, limits.MAX_CHUNK_BYTES)), "have": held},
            "Progress": {"held": held},
            "Again": {"file": file.name, "spans": named},
            "Busy": {"retry_after_s": self.chance.choice((0, 0.5, self.longest_busy_s))},
            "Receipt": {"files": [{"name": file.name, "size": file.size, "sha256": "0" * 64}]},
            "Missing": {"captures": [one.id for one, _ in self.refs][:2000]},
        }
        return {**reply, **changes.get(name, {})}
