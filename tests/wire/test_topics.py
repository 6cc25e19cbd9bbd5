import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import topics
from wire.errors import ProtocolError
from wire.topics import ChunkAddress

names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
files = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}\.[a-z0-9]{1,8}", fullmatch=True)


@given(names, names, names, files, st.integers(0, 10**12 - 1))
def test_a_chunks_address_is_read_back_from_its_topic(
    worker: str, station: str, grant: str, file: str, offset: int
) -> None:
    address = ChunkAddress(worker, station, grant, file, offset)
    assert topics.parse_chunk(topics.chunk(address)) == address


@given(names)
def test_a_station_is_read_back_from_its_topics(station: str) -> None:
    assert topics.parse_offer(topics.offers(station)) == station
    assert topics.parse_status(topics.status(station)) == station


@given(st.text(max_size=80))
def test_any_other_topic_raises_nothing_but_a_protocol_error(topic: str) -> None:
    for parse in (topics.parse_offer, topics.parse_status, topics.parse_chunk):
        for candidate in (topic, f"{topics.PREFIX}{topic}", f"{topics.PREFIX}inbox/{topic}"):
            with pytest.raises(ProtocolError):
                parse(candidate)


@pytest.mark.parametrize(
    "topic",
    [
        "lattrang/1/offers/",
        "lattrang/1/offers/a/b",
        "lattrang/2/offers/a",
        "lattrang/1/offers/+",
        "lattrang/1/offers/Kho",
        "xlattrang/1/offers/a",
    ],
)
def test_a_topic_that_only_looks_like_an_offer_is_none(topic: str) -> None:
    with pytest.raises(ProtocolError):
        topics.parse_offer(topic)


@pytest.mark.parametrize("offset", ["-1", "1.5", "", "٣", "1e3", " 1", "9999999999999"])
def test_an_offset_is_decimal_digits_within_a_file(offset: str) -> None:
    with pytest.raises(ProtocolError):
        topics.parse_chunk(f"lattrang/1/inbox/w/s/g/f.jpg/{offset}")


@pytest.mark.parametrize("name", ["", "a/b", "#", "+", "A", "x" * 33, "é"])
def test_no_topic_is_built_for_a_name_that_is_none(name: str) -> None:
    for build in (topics.offers, topics.replies, topics.commands, topics.status, topics.inbox):
        with pytest.raises(ProtocolError):
            build(name)
