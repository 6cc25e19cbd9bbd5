"""Whatever bytes come, they become a message or a `ProtocolError`; whatever is sent comes back as it was."""

import json
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import codec, limits, messages
from wire.documents import (
    BatchDocument,
    BatchItem,
    CaptureDocument,
    Digitised,
    FrameEntry,
    ItemRef,
    JobListDocument,
    ListEntry,
    PageEntry,
    PagePart,
    PagesDocument,
)
from wire.errors import Malformed, ProtocolError
from wire.messages import FileEntry, Held, ObjectRef, Span

DECODERS: tuple[Callable[[bytes], Any], ...] = (
    codec.decode_offer,
    codec.decode_reply,
    codec.decode_status,
    codec.decode_command,
    codec.decode_capture,
    codec.decode_pages,
    codec.decode_job_list,
    codec.decode_batch,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
files = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}\.[a-z0-9]{1,8}", fullmatch=True)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
entries = st.lists(
    st.builds(FileEntry, files, st.integers(0, limits.MAX_FILE_BYTES), digests),
    min_size=1,
    max_size=5,
    unique_by=lambda entry: entry.name,
).map(tuple)
refs = st.builds(ObjectRef, st.sampled_from(["capture", "job_list", "batch"]), names, st.integers(0, 10**6))
spans = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda pair: Span(*sorted(pair)))
short = st.text(max_size=50)
seconds = st.floats(0, 86_400)
replies = st.one_of(
    st.builds(
        messages.Grant,
        object=refs,
        grant_id=names,
        worker=names,
        inbox=short,
        chunk_bytes=st.integers(1024, limits.MAX_CHUNK_BYTES),
        window=st.integers(1, 64),
        lease_s=seconds,
    ),
    st.builds(
        messages.Progress,
        object=refs,
        grant_id=names,
        held=st.lists(st.builds(Held, files, st.lists(spans, max_size=3).map(tuple)), max_size=3).map(tuple),
    ),
    st.builds(
        messages.Receipt, object=refs, files=entries, worker=names, stored_at=st.just("2026-01-02T03:04:05.678Z")
    ),
    st.builds(messages.Busy, object=refs, retry_after_s=seconds),
    st.builds(messages.Again, object=refs, grant_id=names, file=files, spans=st.lists(spans, max_size=3).map(tuple)),
    st.builds(messages.Rejected, object=refs, code=st.sampled_from(get_args(messages.RejectionCode)), detail=short),
    st.builds(messages.Complete, object=refs, captures=st.integers(0, 10**6)),
    st.builds(
        messages.Missing, object=refs, captures=st.lists(names, max_size=4).map(tuple), total=st.integers(0, 10**6)
    ),
)
offers = st.builds(messages.Offer, station=names, object=refs, files=entries)


@pytest.mark.parametrize("decode", DECODERS)
@given(content=st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_a_protocol_error(decode: Callable[[bytes], Any], content: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(content)


@pytest.mark.parametrize("decode", DECODERS)
@given(value=json_values, type_of=st.sampled_from(["offer", "grant", "status", "locate", "receipt", 7]))
@settings(max_examples=40)
def test_random_json_raises_nothing_but_a_protocol_error(
    decode: Callable[[bytes], Any], value: Any, type_of: Any
) -> None:
    for content in (value, {"v": 1, "type": type_of, "files": value, "object": value, "station": value}):
        with pytest.raises(ProtocolError):
            decode(json.dumps(content).encode())


@given(offers)
def test_an_offer_comes_back_as_it_was(offer: messages.Offer) -> None:
    assert codec.decode_offer(codec.encode(offer)) == offer


@given(replies)
def test_a_reply_comes_back_as_it_was(reply: messages.Reply) -> None:
    assert codec.decode_reply(codec.encode(reply)) == reply


@given(replies)
def test_a_reply_is_not_taken_for_anything_else(reply: messages.Reply) -> None:
    for decode in (codec.decode_offer, codec.decode_status, codec.decode_command):
        with pytest.raises(ProtocolError):
            decode(codec.encode(reply))


@given(offers, st.integers(-5, 200).filter(lambda version: version != 1))
def test_another_version_is_named_as_such_whatever_else_it_holds(offer: messages.Offer, version: int) -> None:
    plain = {**json.loads(codec.encode(offer)), "v": version, "new": "field", "files": "of another form"}
    with pytest.raises(ProtocolError) as caught:
        codec.decode_offer(json.dumps(plain).encode())
    assert caught.value.reason is Malformed.OTHER_VERSION


@given(offers)
def test_fields_that_a_later_minor_release_adds_are_passed_over(offer: messages.Offer) -> None:
    plain = {**json.loads(codec.encode(offer)), "added_later": [1, 2, 3]}
    assert codec.decode_offer(json.dumps(plain).encode()) == offer


@pytest.mark.parametrize(
    ("decode", "limit"),
    [
        (codec.decode_offer, limits.MAX_OFFER_BYTES),
        (codec.decode_reply, limits.MAX_REPLY_BYTES),
        (codec.decode_status, limits.MAX_STATUS_BYTES),
        (codec.decode_command, limits.MAX_COMMAND_BYTES),
    ],
)
def test_a_message_over_its_limit_is_refused_unread(decode: Callable[[bytes], Any], limit: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(b" " * (limit + 1))
    assert caught.value.reason is Malformed.TOO_LARGE


OFFER = {
    "type": "offer",
    "v": 1,
    "station": "kho-1",
    "object": {"kind": "capture", "id": "c1"},
    "files": [{"name": "capture.json", "size": 2, "sha256": "0" * 64}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"station": "Kho 1"},
        {"station": "a/b"},
        {"station": "x" * 33},
        {"station": "kho-1\n"},
        {"object": {"kind": "thing", "id": "c1"}},
        {"object": {"kind": "capture", "id": "../../etc/passwd"}},
        {"object": {"kind": "job_list", "id": "j", "revision": -1}},
        {"files": []},
        {"files": [{"name": "../capture.json", "size": 2, "sha256": "0" * 64}]},
        {"files": [{"name": ".hidden", "size": 2, "sha256": "0" * 64}]},
        {"files": [{"name": "a/b.jpg", "size": 2, "sha256": "0" * 64}]},
        {"files": [{"name": "a.jpg\n", "size": 2, "sha256": "0" * 64}]},
        {"files": [{"name": "a.jpg", "size": -1, "sha256": "0" * 64}]},
        {"files": [{"name": "a.jpg", "size": limits.MAX_FILE_BYTES + 1, "sha256": "0" * 64}]},
        {"files": [{"name": "a.jpg", "size": 1, "sha256": "0" * 63}]},
        {"files": [{"name": "a.jpg", "size": 1, "sha256": "0" * 64 + "\n"}]},
        {"files": [{"name": "a.jpg", "size": 1, "sha256": "0" * 64}] * 2},
        {"files": [{"name": f"f{n}.jpg", "size": 1, "sha256": "0" * 64} for n in range(limits.MAX_FILES + 1)]},
        {"inline": {"not-listed.json": "{}"}},
        {"v": "1"},
        {"v": None},
        {"type": "receipt"},
    ],
)
def test_a_value_out_of_range_is_refused(change: dict[str, Any]) -> None:
    codec.decode_offer(json.dumps(OFFER).encode())
    with pytest.raises(ProtocolError):
        codec.decode_offer(json.dumps({**OFFER, **change}).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"station": "Tên của bạn đọc"},
        {"type": "Tên của bạn đọc"},
        {"v": "Tên của bạn đọc"},
        {"object": {"kind": "Tên của bạn đọc", "id": "c1"}},
    ],
)
def test_the_words_of_an_error_never_hold_content(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.decode_offer(json.dumps({**OFFER, **change}, ensure_ascii=False).encode())
    assert "bạn đọc" not in str(caught.value)
    assert caught.value.__cause__ is None


ITEM = ItemRef(item_id="i1", title="Truyện Kiều")
FRAME = FrameEntry(file="frame-1.jpg", size=1, sha256="0" * 64, camera="c", width_px=1, height_px=1, sensor_at_ns=1)
DIGITISED = Digitised(item_id="i1", station="kho-2", at="2026-01-02T03:04:05Z", part="Tập 1")
DOCUMENTS: tuple[tuple[Callable[[bytes], Any], Any], ...] = (
    (
        codec.decode_capture,
        CaptureDocument(
            capture_id="c1",
            station="kho-1",
            sequence=1,
            job_id="j1",
            sitting_id="s1",
            item=ITEM,
            profile="sach-in-300",
            frames=(FRAME,),
            pressed_at="2026-01-02T03:04:05Z",
            clock_synchronised=False,
            boot_id="b",
            monotonic_ns=5,
            software="0.1.0",
        ),
    ),
    (
        codec.decode_pages,
        PagesDocument(
            capture_id="c1",
            outcome="pages",
            profile="sach-in-300",
            software="0.1.0",
            pages=(
                PageEntry(
                    side="left",
                    file="left.jpg",
                    size=1,
                    sha256="0" * 64,
                    frame="frame-1.jpg",
                    outline=((0.0, 0.5), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
                    rotation_cw=90,
                    width_px=1,
                    height_px=1,
                ),
            ),
        ),
    ),
    (
        codec.decode_job_list,
        JobListDocument(
            job_id="j1",
            revision=3,
            station="kho-1",
            state="handed_over",
            item=ITEM,
            profile="sach-in-300",
            entries=(ListEntry(capture_id="c1", marks=("look-again",), part=PagePart(page=1, part=2, of=2)),),
            software="0.1.0",
        ),
    ),
    (
        codec.decode_batch,
        BatchDocument(batch_id="b1", name="Lô 1", revision=1, items=(BatchItem(item=ITEM, digitised=DIGITISED),)),
    ),
)


@pytest.mark.parametrize(("decode", "document"), DOCUMENTS)
def test_a_document_comes_back_as_it_was_also_from_its_readable_form(
    decode: Callable[[bytes], Any], document: Any
) -> None:
    assert decode(codec.encode(document)) == document
    assert decode(codec.encode_pretty(document)) == document


def test_a_batch_from_before_books_were_said_to_be_digitised_is_read() -> None:
    old = {"v": 1, "batch_id": "b1", "name": "Lô 1", "revision": 1, "items": [{"item": {"item_id": "i1"}}]}
    (book,) = codec.decode_batch(json.dumps(old).encode()).items
    assert book.digitised is None


@pytest.mark.parametrize(("decode", "document"), DOCUMENTS)
def test_a_document_cut_short_anywhere_is_refused(decode: Callable[[bytes], Any], document: Any) -> None:
    content = codec.encode(document)
    for length in range(len(content)):
        with pytest.raises(ProtocolError):
            decode(content[:length])


def test_the_largest_reply_that_a_worker_may_send_fits_its_limit() -> None:
    ref = ObjectRef("job_list", "j" * 32, 2**53)
    missing = messages.Missing(object=ref, captures=("c" * 32,) * limits.MAX_MISSING_LISTED, total=2**53)
    entry = FileEntry("f" * 40 + ".jpg", limits.MAX_FILE_BYTES, "0" * 64)
    receipt = messages.Receipt(
        object=ref, files=(entry,) * limits.MAX_FILES, worker="w" * 32, stored_at="2026-01-02T03:04:05.678901Z"
    )
    full = tuple(Span(limits.MAX_FILE_BYTES - n, limits.MAX_FILE_BYTES) for n in range(4096))
    progress = messages.Progress(object=ref, grant_id="g" * 32, held=(Held("f" * 40 + ".jpg", full),))
    for reply in (missing, receipt, progress):
        assert len(codec.encode(reply)) <= limits.MAX_REPLY_BYTES


def test_the_same_value_always_gives_the_same_bytes() -> None:
    for _, document in DOCUMENTS:
        assert codec.encode(document) == codec.encode(msgspec.structs.replace(document))
