"""What is known of a copy before its job opens: part of the station's API."""

from dataclasses import dataclass
from typing import Literal

from wire.documents import ItemRef, Numbering


@dataclass(frozen=True, slots=True)
class DoneBefore:
    """A job of the same copy that ended at this station. `ended_at` is UTC."""

    job_id: str
    part: str
    ended_at: str
    captures: int
    to_conservation: bool


@dataclass(frozen=True, slots=True)
class DoneElsewhere:
    """What was digitised already and cannot be opened again here.

    Attributes:
        ended_at: when, in UTC.
        station: where; empty for this station.
        item_id: of the item that more captures of this copy belong to; empty where it is another copy's.
        barcode: of the other copy of the same record; empty where it is this very one.
    """

    ended_at: str
    station: str = ""
    item_id: str = ""
    part: str = ""
    to_conservation: bool = False
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a barcode without any network.

    Attributes:
        barcode: as it is kept.
        problem: ``unikey`` (a keyboard driver changed it), ``wrong-code`` (surely not a copy's), or empty.
        item: what a list of the centre, or an earlier job, says of the copy.
        batch: name of that list.
        before: what was done of it here, the newest first.
        elsewhere: what was done of it at another station, or of another copy of the same record, as far as the
            centre has told; None where it has been done here.
        catalogue: how asking the library's catalogue went: ``found``, ``none``, ``several``, ``absent``, ``garbage``;
            ``not-asked`` where it could be, empty where there is none.
        is_open: the open job is of this copy.
        numbering: how its pages are numbered, from right to left or not, and in how many parts a page is captured, as
            in the job of the part before this one.
    """

    barcode: str
    problem: str = ""
    item: ItemRef | None = None
    batch: str = ""
    pages_expected: int | None = None
    height_cm: float | None = None
    profile: str = ""
    rights: str = ""
    before: tuple[DoneBefore, ...] = ()
    elsewhere: DoneElsewhere | None = None
    catalogue: str = ""
    is_open: bool = False
    numbering: Numbering = "pages"
    right_to_left: bool = False
    parts: int = 0


@dataclass(frozen=True, slots=True)
class SeenCode:
    """What one look at a cover through the camera gave.

    Attributes:
        barcode: the copy's code; empty where none, or more than one, can be it.
        choices: the codes that can be it, where there are several.
        problem: ``several``; ``wrong-code`` (only codes that are surely not a copy's: an ISBN, a price label);
            ``unread`` (stripes that nothing could be read of); ``dark`` (hardly any light); ``none``; or empty.
    """

    barcode: str = ""
    choices: tuple[str, ...] = ()
    problem: Literal["", "several", "wrong-code", "unread", "dark", "none"] = ""


@dataclass(frozen=True, slots=True)
class BatchView:
    """A list of books that the centre sent, and how many of them were done, here or elsewhere."""

    name: str
    done: int
    total: int
