"""What came of interrupted grants: whose it is, how long it is kept, and what goes first."""

from central.receiving.grants import Grant, Ledger
from central.receiving.shelf import MAX_PER_STATION, Shelf
from wire.messages import FileEntry, ObjectRef, Offer, Span
from wire.topics import ChunkAddress

CHUNK = 10


def interrupted(number: int, station: str = "s", *, came: int = CHUNK) -> Grant:
    """A grant of which `came` bytes of 30 came before its lease was over."""
    book = Ledger(chunk_bytes=CHUNK, max_grants=1, lease_s=60.0)
    files = (FileEntry("a", 30, "0" * 64),)
    grant = book.open(
        f"g-{station}-{number}", Offer(station=station, object=ObjectRef("capture", f"c{number}"), files=files), 0.0
    )
    if came:
        grant = book.take(ChunkAddress("w", station, grant.grant_id, "a", 0), came, 0.0).grant
    return grant


def shelf(max_kept: int = 100) -> Shelf:
    return Shelf(keep_s=3600.0, max_kept=max_kept)


def test_what_came_is_found_again_by_its_own_station_and_object_only() -> None:
    kept, grant = shelf(), interrupted(1)
    assert kept.put(grant, 0.0) == ()
    assert kept.find("s", grant.object) == grant
    assert kept.find("other", grant.object) is None
    assert kept.find("s", ObjectRef("capture", "c2")) is None
    assert kept.take("s", grant.object) == grant
    assert kept.take("s", grant.object) is None


def test_a_resumed_grant_holds_what_it_held_and_its_lease_is_new() -> None:
    book, grant = Ledger(chunk_bytes=CHUNK, max_grants=1, lease_s=60.0), interrupted(1)
    resumed = book.resume(grant, 1000.0)
    assert resumed.held == {"a": (Span(0, CHUNK),)}
    assert book.due(1020.0) == ()
    rest = book.take(ChunkAddress("w", "s", grant.grant_id, "a", CHUNK), CHUNK, 1020.0)
    assert rest.grant.held == {"a": (Span(0, 2 * CHUNK),)}


def test_a_grant_of_which_nothing_came_is_not_kept() -> None:
    kept, grant = shelf(), interrupted(1, came=0)
    assert kept.put(grant, 0.0) == (grant,)
    assert len(kept) == 0


def test_what_nobody_comes_back_for_goes_when_its_time_is_over() -> None:
    kept = shelf()
    kept.put(interrupted(1), 0.0)
    kept.put(interrupted(2), 100.0)
    assert kept.due(3599.0) == ()
    assert [grant.object.id for grant in kept.due(3600.0)] == ["c1"]
    assert [grant.object.id for grant in kept.due(3700.0)] == ["c2"]


def test_a_station_crowds_out_only_itself() -> None:
    kept = shelf()
    kept.put(interrupted(0, "quiet"), 0.0)
    gone = [grant for number in range(20) for grant in kept.put(interrupted(number, "loud"), 1.0)]
    assert [grant.object.id for grant in gone] == [f"c{number}" for number in range(20 - MAX_PER_STATION)]
    assert kept.find("quiet", ObjectRef("capture", "c0")) is not None


def test_a_full_shelf_gives_up_what_it_has_had_longest() -> None:
    kept = shelf(max_kept=2)
    gone = [grant.station for number in range(4) for grant in kept.put(interrupted(number, f"s{number}"), 0.0)]
    assert gone == ["s0", "s1"]
    oldest = kept.take_oldest()
    assert oldest is not None
    assert oldest.station == "s2"


def test_the_same_object_interrupted_twice_replaces_what_was_kept() -> None:
    kept, first, second = shelf(), interrupted(1), interrupted(1)
    kept.put(first, 0.0)
    assert kept.put(second, 10.0) == (first,)
    assert len(kept) == 1


def test_a_shelf_of_no_room_keeps_nothing() -> None:
    kept, grant = shelf(max_kept=0), interrupted(1)
    assert kept.put(grant, 0.0) == (grant,)
