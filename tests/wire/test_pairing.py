"""The pure half of pairing: codes to photograph, codes to compare, messages that cannot surprise."""

import hashlib
import socket
import ssl
import threading
import time
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import pairing, pairing_code
from wire.errors import Malformed, ProtocolError
from wire.pairing_code import Invitation, NotAnInvitation, read_invitation

AUTHORITY, NONCE, OTHER = b"A" * 32, b"N" * 16, b"S" * 16
REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\n" + "A" * 64 + "\n-----END CERTIFICATE REQUEST-----\n"
INVITATION = Invitation("thu-vien.example", 8884, AUTHORITY, b"T" * 16, "kho-1")
NOW = "2026-01-02T03:04:05Z"


@given(
    host=st.sampled_from(["localhost", "192.168.1.20", "fe80::1", "thu-vien.example"]),
    port=st.integers(1, 65_535),
    authority=st.binary(min_size=32, max_size=32),
    token=st.binary(min_size=16, max_size=16),
    station=st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True),
)
def test_what_is_photographed_is_what_was_shown(
    host: str, port: int, authority: bytes, token: bytes, station: str
) -> None:
    shown = Invitation(host, port, authority, token, station)
    assert read_invitation(shown.text()) == shown


def test_a_photographed_code_is_small_enough_for_a_poor_picture() -> None:
    text = replace(INVITATION, host="255.255.255.255", station="tram-01").text()
    # What the dense mode of a QR code can hold: digits, capitals and a few signs. 122 of them fit version 5.
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert len(text) <= 122


@given(st.text(max_size=200))
def test_any_other_text_is_no_invitation(text: str) -> None:
    with pytest.raises(NotAnInvitation):
        read_invitation(text)


@given(st.data())
def test_an_altered_invitation_is_refused_or_says_something_else(data: st.DataObject) -> None:
    text = INVITATION.text()
    place = data.draw(st.integers(0, len(text) - 1))
    altered = text[:place] + data.draw(st.characters(codec="ascii")) + text[place + 1 :]
    try:
        read = read_invitation(altered)
    except NotAnInvitation:
        return
    assert read != INVITATION or altered.upper() == text or _only_unused_bits(altered, text)


def _only_unused_bits(altered: str, text: str) -> bool:
    # The last letter of 128 or 256 bits in base 32 has bits that mean nothing.
    return sum(one != other for one, other in zip(altered, text, strict=True)) == 1


def test_the_compared_code_covers_everything_that_must_not_be_altered() -> None:
    honest = pairing_code.code(AUTHORITY, "kho-1", REQUEST, NONCE, OTHER)
    altered = {
        pairing_code.code(b"B" * 32, "kho-1", REQUEST, NONCE, OTHER),
        pairing_code.code(AUTHORITY, "kho-2", REQUEST, NONCE, OTHER),
        pairing_code.code(AUTHORITY, "kho-1", REQUEST.replace("AAA", "AAB"), NONCE, OTHER),
        pairing_code.code(AUTHORITY, "kho-1", REQUEST, b"M" * 16, OTHER),
        pairing_code.code(AUTHORITY, "kho-1", REQUEST, NONCE, b"M" * 16),
        pairing_code.code(AUTHORITY, "kho-1", REQUEST, OTHER, NONCE),
    }
    assert len(altered) == 6
    assert honest not in altered


def test_the_compared_code_is_forty_bits_that_can_be_read_aloud() -> None:
    codes = [pairing_code.code(AUTHORITY, "kho-1", REQUEST, bytes([n]) * 16, OTHER) for n in range(256)]
    letters = "".join(codes).replace("-", "")
    assert len(set(codes)) == 256
    assert all(len(one) == 9 and one[4] == "-" for one in codes)
    assert len(set(letters)) == 32
    assert not set(letters) & set("ILOU")


@pytest.mark.parametrize("typed", ["7K0M-1XPD", "7k0m1xpd", " 7k0m 1xpd\n", "7KOM-LXPD", "7kom-ixpd"])
def test_a_code_is_the_same_however_a_person_writes_it(typed: str) -> None:
    assert pairing_code.is_same_code(typed, "7K0M-1XPD")


@pytest.mark.parametrize("typed", ["", "yes", "7K0M-1XPE", "7K0M", "7K0M-1XPDD"])
def test_another_code_is_not_the_same(typed: str) -> None:
    assert not pairing_code.is_same_code(typed, "7K0M-1XPD")


def test_a_commitment_is_kept_by_one_nonce_and_one_authority_alone() -> None:
    bound = pairing_code.commitment(AUTHORITY, NONCE)
    assert pairing_code.keeps(bound, AUTHORITY, NONCE)
    assert not pairing_code.keeps(bound, AUTHORITY, OTHER)
    assert not pairing_code.keeps(bound, b"B" * 32, NONCE)


@pytest.mark.parametrize(
    "message",
    [
        pairing.Introduce(),
        pairing.Begin(station="kho-1"),
        pairing.Reveal(request=REQUEST, nonce="ab" * 16),
        pairing.Collect(request_id="1"),
        pairing.Redeem(station="kho-1", token="00" * 16, request=REQUEST),
        pairing.Renew(request=REQUEST),
    ],
)
def test_what_a_station_says_is_what_the_centre_hears(message: pairing.Request) -> None:
    assert pairing.decode_request(pairing.encode(message)) == message
    with pytest.raises(ProtocolError):
        pairing.decode_reply(pairing.encode(message))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 9000,
        b'{"type":"begin","v":2,"station":"kho-1"}',
        b'{"type":"begin","station":"../etc"}',
        b'{"type":"begin","station":"kho-1\\n"}',
        b'{"type":"redeem","station":"kho-1","token":"short","request":""}',
        b'{"type":"reveal","request":"-----BEGIN X-----\\n' + b"A" * 7000 + b'","nonce":"' + b"0" * 32 + b'"}',
    ],
)
def test_whatever_does_not_fit_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        pairing.decode_request(payload)


def test_a_refusal_never_repeats_what_was_said() -> None:
    with pytest.raises(ProtocolError) as caught:
        pairing.decode_request(b'{"type":"secret-token","station":"kho-1"}')
    assert "secret-token" not in str(caught.value)


def test_messages_pass_in_frames_and_a_giant_one_is_refused_unread() -> None:
    ours, theirs = socket.socketpair()
    until_s = time.monotonic() + 5
    with ours, theirs:
        pairing.send(ours, pairing.Begin(station="kho-1"), until_s)
        assert pairing.decode_request(pairing.receive(theirs, until_s)) == pairing.Begin(station="kho-1")
        ours.sendall(b"\x7f\xff\xff\xff")
        with pytest.raises(ProtocolError) as caught:
            pairing.receive(theirs, until_s)
    assert caught.value.reason is Malformed.TOO_LARGE


def test_whoever_speaks_a_byte_at_a_time_has_no_more_time_than_others() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            theirs.sendall(b"\0")

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        try:
            began_s = time.monotonic()
            ours_until_s = began_s + 0.3
            theirs.sendall(b"\x00\x00\x3f\xff")
            with pytest.raises(OSError, match=r"too long|timed out"):
                pairing.receive(ours, ours_until_s)
            assert time.monotonic() - began_s < 2
        finally:
            ended.set()
            thread.join()


def test_a_line_that_ends_in_the_middle_of_a_message_is_an_error_and_no_message() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"\x00\x00\x00\x10{")
        with pytest.raises(OSError, match="hung up"):
            pairing.receive(ours, time.monotonic() + 5)


def test_every_answer_of_the_centre_tells_its_time() -> None:
    kinds = (
        pairing.Centre,
        pairing.Committed,
        pairing.Revealed,
        pairing.Waiting,
        pairing.Paired,
        pairing.Declined,
    )
    for kind in kinds:
        assert "now" in {field.encode_name for field in msgspec.structs.fields(kind) if field.required}
    declined = pairing.Declined(code="PAIR-11", now=NOW)
    assert pairing.decode_reply(pairing.encode(declined)) == declined


@pytest.mark.parametrize("length", [60, 61, 62])
def test_a_second_certificate_behind_the_first_is_no_certificate(length: int) -> None:
    one = ssl.DER_cert_to_PEM_cert(b"a" * length)
    # Decoded leniently, what stands behind padding is passed over: the text would have the digest of the first alone.
    for text in (one + ssl.DER_cert_to_PEM_cert(b"b" * 60), one + one, f"words\n{one}", f"{one}\n", "", "A" * 64):
        with pytest.raises(ValueError, match=r"certificate|PEM|padding"):
            pairing_code.digest_of(text)
    assert pairing_code.digest_of(one) == hashlib.sha256(b"a" * length).digest()
