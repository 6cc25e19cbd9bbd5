"""What the spool tells about itself: frozen rows and reports."""

from dataclasses import dataclass, field
from typing import Literal

from appliance.api import Delivery
from wire.messages import FileEntry, ObjectRef

ListState = Literal["none", "waiting", "received", "complete"]


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """One capture as the index knows it. `size_bytes` is of all its files."""

    capture_id: str
    job_id: str
    sequence: int
    state: Delivery
    rejected_code: str | None
    damaged_file: str | None
    size_bytes: int
    has_pages: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job: how many changes and captures it has, and how far its newest list is.

    `received` counts captures that the centre has proved to hold, released ones included; `missing` is what the centre
    said last about the list. `list_hands_over` tells a list that ends the job from one that only reports on it.
    """

    job_id: str
    changes: int
    captures: int
    received: int
    list_revision: int | None
    list_state: ListState
    list_hands_over: bool
    missing: int

    @property
    def handed_over(self) -> bool:
        """Whether the job's newest list hands it over and nothing has changed since.

        A list's revision is the number of changes and captures folded into it, so a larger sum means a newer change.
        """
        revision = self.list_revision
        return self.list_hands_over and revision is not None and revision >= self.changes + self.captures

    @property
    def complete(self) -> bool:
        """Whether the centre holds everything that the job consists of."""
        return self.handed_over and self.list_state == "complete"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many captures are in which state."""

    unprocessed: int = 0
    processed: int = 0
    received: int = 0
    released: int = 0
    rejected: int = 0
    damaged: int = 0

    @property
    def safe(self) -> int:
        """Captures that lie whole on this disk, wherever else they are."""
        return self.unprocessed + self.processed + self.received + self.rejected

    @property
    def waiting(self) -> int:
        """Captures that the centre has not answered for."""
        return self.unprocessed + self.processed

    @property
    def total(self) -> int:
        """Captures ever made safe."""
        return self.safe + self.released + self.damaged


@dataclass(frozen=True, slots=True)
class Pending:
    """An object that waits for the centre.

    Attributes:
        ref: which one.
        files: its files with their digests.
        inline: names of the small documents among them that travel inside the offer.
        outstanding: for a list, how many captures of its job have no receipt yet; 0 for a capture.
    """

    ref: ObjectRef
    files: tuple[FileEntry, ...]
    inline: frozenset[str] = frozenset()
    outstanding: int = 0

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(entry.size for entry in self.files)

    @property
    def inline_bytes(self) -> int:
        """Size of the documents that travel inside the offer."""
        return sum(entry.size for entry in self.files if entry.name in self.inline)


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something the sweep could not explain: where it was found, where it lies now, and why."""

    found: str
    now: str
    reason: str


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a start-up sweep found.

    Attributes:
        adopted: captures that were on the disk but not in the index.
        completed: captures whose pages were on the disk but not in the index.
        unprocessed: captures that need processing, oldest first.
        damaged: captures whose files are no longer what was written.
        set_aside: what could not be explained; moved, never deleted.
        rebuilt: True where the index was unreadable and has been made again.
    """

    adopted: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    unprocessed: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = field(default=())
    rebuilt: bool = False
