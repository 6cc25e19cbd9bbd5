"""Places of a list: leaves with two sides, slots to shoot into, numbers that are missing. Part of the station's API."""

from dataclasses import dataclass

from wire.documents import GapAnswer


@dataclass(frozen=True, slots=True)
class LeavesView:
    """Rectos and versos of a book on a cradle that shows one page at a time.

    Attributes:
        pairs: capture of the recto and of the verso of every leaf, empty where there is none.
        versos_began: the rectos are done.
        without: leaves, from 0, that a person says have no verso; None until the list was put in turn.
    """

    pairs: tuple[tuple[str, str], ...]
    versos_began: bool
    without: tuple[int, ...] | None

    @property
    def is_paired(self) -> bool:
        """Whether the list is in turn and each leaf has both sides, or is known to lack one."""
        return self.without is not None and all(
            recto and (verso or leaf in self.without) for leaf, (recto, verso) in enumerate(self.pairs)
        )


@dataclass(frozen=True, slots=True)
class SlotView:
    """Where the next press shoots: instead of a capture of the list, or before one (None: at its end)."""

    replaces: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class GapView:
    """Printed numbers that no page bears, between the captures `after` and `before`, and what a person said of them."""

    first: str
    last: str
    after: str
    before: str
    answer: GapAnswer | None = None
