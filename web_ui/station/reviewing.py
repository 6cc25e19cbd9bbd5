"""From the whole list to what is left to do before hand-over: problems first. Pure; the words are in the templates."""

from dataclasses import dataclass
from typing import Literal

from appliance.api import CaptureView, Delivery, Listing, Verdict
from appliance.places import GapView
from web_ui.station.views import TONE_OF_VERDICT, Lead, Tone, lead_of
from wire.documents import Place, Side

Need = Literal["must", "should", ""]
_ON_DISK = frozenset({Delivery.SAFE, Delivery.PROCESSED, Delivery.RECEIVED, Delivery.REJECTED, Delivery.DAMAGED})
_AROUND = 1
"""Good captures shown on either side of one that needs something: enough to see where it stands."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Where on which page the trouble is; `place` None means the page as a whole."""

    side: Side
    place: Place | None


@dataclass(frozen=True, slots=True)
class Card:
    """One place of the sheet: a capture, or numbers that are missing before the next one.

    Attributes:
        key: names it in addresses: the capture's id, or ``gap-42-43``.
        need: whether hand-over waits for it.
        labels: numbers printed on its pages, as far as they are known.
        before: the capture that follows in the list, empty at its end.
        place: from 0, among the captures of the list.
        lacks: the large page that it shows ends before all its parts were photographed.
    """

    key: str
    need: Need
    tone: Tone
    capture: CaptureView | None
    gap: GapView | None
    lead: Lead | None
    labels: tuple[str, ...]
    on_disk: bool
    cause: Cause | None
    previous: str
    following: str
    after_next: str
    lacks: bool = False


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The sheet and the card that is looked at."""

    cards: tuple[Card, ...]
    tasks: tuple[Card, ...]
    must: int
    should: int
    gaps: int
    hidden: int
    total: int
    unread: int
    selected: Card | None
    number: int
    """Which task is looked at, from 1; 0 where it is none of them."""
    back: str
    onward: str


def review_of(listing: Listing, at: str = "", *, show_all: bool = False) -> ReviewPage:
    """Return what the review page shows, with the card `at` in the large; the first task where it is not there."""
    cards = _cards(listing)
    tasks = tuple(sorted((card for card in cards if card.need), key=lambda card: card.need != "must"))
    selected = next((card for card in cards if card.key == at), tasks[0] if tasks else None)
    shown = cards if show_all or not tasks else _around(cards, selected)
    keys = [card.key for card in tasks]
    index = keys.index(selected.key) if selected and selected.key in keys else -1
    return ReviewPage(
        cards=shown,
        tasks=tasks,
        must=sum(card.need == "must" for card in tasks),
        should=sum(card.need == "should" for card in tasks),
        gaps=sum(card.gap is not None for card in tasks),
        hidden=sum(card.capture is not None for card in cards) - sum(card.capture is not None for card in shown),
        total=len(listing.captures),
        unread=listing.unread,
        selected=selected,
        number=index + 1,
        back=keys[index - 1] if keys else "",
        onward=keys[(index + 1) % len(keys)] if keys else "",
    )


def need_of(capture: CaptureView, *, again: bool = False, lacks: bool = False) -> Need:
    """Return whether hand-over waits for a capture.

    What is bad must be shot again or kept, what is being judged must be waited for, doubts should be seen. `again` says
    that it shows an earlier one's pages, however far back, `lacks` that its large page has not all its parts.
    """
    if capture.delivery is Delivery.DAMAGED or capture.verdict is Verdict.PENDING:
        return "must"
    if "bad-kept" in capture.marks:
        return ""
    if capture.verdict is Verdict.BAD or lacks:
        return "must"
    is_doubtful = capture.verdict in (Verdict.WARN, Verdict.UNSURE)
    # A picture that took another one's place is like that one: no news.
    is_double = not capture.replaced and (again or any(finding.code == "duplicate" for finding in capture.findings))
    return "should" if is_doubtful or is_double or capture.marks else ""


def gap_key(gap: GapView) -> str:
    """Return the gap's name in addresses."""
    return f"gap-{gap.first}-{gap.last}"


def _cards(listing: Listing) -> tuple[Card, ...]:
    names = [capture.capture_id for capture in listing.captures]
    cards: list[Card] = []
    for at, capture in enumerate(listing.captures):
        following = names[at + 1 : at + 3]
        lacks = _lacks(capture, listing.captures[at + 1] if following else None)
        cards.append(_card(capture, listing, names[at - 1] if at else "", following, lacks=lacks))
        cards += [_gap_card(gap) for gap in listing.gaps if gap.after == capture.capture_id]
    return tuple(cards)


def _lacks(capture: CaptureView, following: CaptureView | None) -> bool:
    """Tell whether a large page ends here with fewer captures than it takes."""
    part = capture.part
    if part is None or part.part == part.of:
        return False
    return following is None or following.part is None or following.part.page != part.page


def _card(capture: CaptureView, listing: Listing, previous: str, following: list[str], *, lacks: bool) -> Card:
    again, tone = capture.capture_id in listing.again, TONE_OF_VERDICT[capture.verdict]
    lead = lead_of(capture) or (Lead("duplicate", "info", "both") if again else None)
    return Card(
        key=capture.capture_id,
        need=need_of(capture, again=again, lacks=lacks),
        tone="warn" if lacks and tone == "ok" else tone,
        capture=capture,
        gap=None,
        lead=lead,
        labels=listing.labels.get(capture.capture_id, ()),
        on_disk=capture.delivery in _ON_DISK,
        cause=_cause(capture, lead),
        previous=previous,
        following=following[0] if following else "",
        after_next=following[1] if len(following) > 1 else "",
        lacks=lacks and "bad-kept" not in capture.marks,
    )


def _gap_card(gap: GapView) -> Card:
    need: Need = "" if gap.answer else "must"
    labels = (gap.first,) if gap.first == gap.last else (gap.first, gap.last)
    return Card(gap_key(gap), need, "warn", None, gap, None, labels, False, None, gap.after, gap.before, "")


def _cause(capture: CaptureView, lead: Lead | None) -> Cause | None:
    if lead is None:
        return None
    for page in capture.pages:
        for finding in page.findings:
            if finding.code == lead.code:
                return Cause(page.side, finding.place)
    return None


def _around(cards: tuple[Card, ...], selected: Card | None) -> tuple[Card, ...]:
    wanted = {at for at, card in enumerate(cards) if card.need or card is selected}
    near = {at + step for at in wanted for step in range(-_AROUND, _AROUND + 1)}
    return tuple(card for at, card in enumerate(cards) if at in near)
