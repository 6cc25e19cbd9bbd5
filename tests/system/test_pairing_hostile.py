"""Who stands in between, who guesses, who was shut out: each gets nothing, and the station or its person is told."""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from appliance.errors import PairingError
from appliance.pairing.conversation import Pairing
from appliance.pairing.keys import signing_request
from appliance.pairing.line import Trust, opened
from central.authority import ca, provision
from central.pairing.listener import MOST_LINES_OF_ONE
from tests.system.pairing_site import Centre, Middle, may_speak, station
from wire import pairing
from wire.digest import sha256_of
from wire.pairing_code import Invitation

pytestmark = pytest.mark.broker
STRANGERS_NONCE = "5a" * 16


@pytest.fixture
def centre(open_centre: Centre) -> Iterator[Centre]:
    with open_centre.listening():
        yield open_centre
    open_centre.now = lambda: datetime.now(UTC)


@pytest.fixture
def stranger(tmp_path: Path) -> ca.Authority:
    """An authority of somebody else's, with a key for pairing as good as ours."""
    return ca.Authority.open(tmp_path / "stranger")


def code_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(PairingError) as caught:
        attempt()
    assert caught.value.message
    assert caught.value.cure
    return caught.value.code


def through(invitation: Invitation, middle: Middle) -> Invitation:
    """What the station does when the network leads it to the middle: the rest of the code is what it was."""
    return replace(invitation, port=middle.port)


def authority_of(answer: pairing.Reply, pem: str) -> pairing.Reply:
    if isinstance(answer, pairing.Centre | pairing.Committed):
        return msgspec.structs.replace(answer, authority=pem)
    return answer


# In between, with a photographed code


def test_a_middle_that_passes_everything_on_unaltered_never_hears_the_token(
    centre: Centre, stranger: ca.Authority, tmp_path: Path
) -> None:
    middle = Middle(centre.address, stranger.issue_pairing())
    pairing_ = station(tmp_path, "kho-1")
    with middle.listening():
        invitation = through(centre.desk.invite("kho-1").invitation, middle)
        assert code_of(lambda: pairing_.by_invitation(invitation)) == "PAIR-09"
    assert middle.heard == [pairing.Introduce()]
    assert not centre.desk.is_paired("kho-1")


def test_a_middle_with_an_authority_of_its_own_is_found_out(
    centre: Centre, stranger: ca.Authority, tmp_path: Path
) -> None:
    own = stranger.certificate_file.read_text()
    middle = Middle(centre.address, stranger.issue_pairing(), to_station=lambda answer: authority_of(answer, own))  # type: ignore[arg-type]
    with middle.listening():
        invitation = through(centre.desk.invite("kho-2").invitation, middle)
        assert code_of(lambda: station(tmp_path, "kho-2").by_invitation(invitation)) == "PAIR-09"
    assert middle.heard == [pairing.Introduce()]


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_second_authority_behind_ours_is_not_let_in_with_it(
    centre: Centre, stranger: ca.Authority, tmp_path: Path, ours_first: bool
) -> None:
    both = [centre.desk.authority_pem, stranger.certificate_file.read_text()]
    pem = "".join(both if ours_first else reversed(both))
    middle = Middle(centre.address, stranger.issue_pairing(), to_station=lambda answer: authority_of(answer, pem))  # type: ignore[arg-type]
    with middle.listening():
        invitation = through(centre.desk.invite("kho-3").invitation, middle)
        assert code_of(lambda: station(tmp_path, "kho-3").by_invitation(invitation)) == "PAIR-09"
    assert middle.heard == [pairing.Introduce()]


@pytest.mark.parametrize("name", [ca.SERVER, ca.OFFICE, ca.worker_name("w1")])
def test_no_other_key_of_our_own_centre_can_stand_in_for_the_listener(
    centre: Centre, tmp_path: Path, name: str
) -> None:
    stolen = centre.config.broker.credentials(name)
    middle = Middle(centre.address, stolen)
    with middle.listening():
        invitation = through(centre.desk.invite("kho-4").invitation, middle)
        assert code_of(lambda: station(tmp_path, "kho-4").by_invitation(invitation)) == "PAIR-09"
    assert middle.heard == [pairing.Introduce()]


def test_a_station_cannot_pass_for_the_centre(centre: Centre, tmp_path: Path) -> None:
    traitor = station(tmp_path / "traitor", "traitor")
    traitor.keep(traitor.by_invitation(centre.desk.invite("traitor").invitation))
    files = traitor.certificates
    middle = Middle(centre.address, ca.Credentials(files.ca, files.cert, files.key))
    with middle.listening():
        invitation = through(centre.desk.invite("kho-5").invitation, middle)
        assert code_of(lambda: station(tmp_path, "kho-5").by_invitation(invitation)) == "PAIR-09"
    assert middle.heard == [pairing.Introduce()]


# In between, with compared codes


def _its_own_key(asked: pairing.Request, own_request: str) -> pairing.Request:
    return msgspec.structs.replace(asked, request=own_request) if isinstance(asked, pairing.Reveal) else asked


@pytest.mark.parametrize("what", ["authority", "key", "station's nonce", "centre's nonce kept", "name"])
def test_whatever_a_middle_alters_the_two_screens_do_not_show_the_same(
    centre: Centre, stranger: ca.Authority, tmp_path: Path, what: str
) -> None:
    centre.desk.invite("quay-1")
    centre.desk.invite("quay-2")
    own_request = ca.new_request("quay-1")[1].decode()
    own_authority = stranger.certificate_file.read_text()

    def to_centre(asked: pairing.Request) -> pairing.Request:
        if what == "key":
            return _its_own_key(asked, own_request)
        if what == "station's nonce" and isinstance(asked, pairing.Reveal):
            return msgspec.structs.replace(asked, nonce=STRANGERS_NONCE)
        if what == "name" and isinstance(asked, pairing.Begin):
            return msgspec.structs.replace(asked, station="quay-2")
        return asked

    def to_station(answer: pairing.Reply) -> pairing.Reply:
        from wire.pairing_code import commitment, digest_of

        if what == "authority" and isinstance(answer, pairing.Committed):
            bound = commitment(digest_of(own_authority), bytes.fromhex(STRANGERS_NONCE))
            return msgspec.structs.replace(answer, authority=own_authority, commitment=bound)
        if what == "centre's nonce kept" and isinstance(answer, pairing.Committed):
            bound = commitment(digest_of(answer.authority), bytes.fromhex(STRANGERS_NONCE))
            return msgspec.structs.replace(answer, commitment=bound)
        if what in {"authority", "centre's nonce kept"} and isinstance(answer, pairing.Revealed):
            return msgspec.structs.replace(answer, nonce=STRANGERS_NONCE)
        return answer

    middle = Middle(centre.address, stranger.issue_pairing(), to_centre, to_station)  # type: ignore[arg-type]
    with middle.listening():
        compared = station(tmp_path, "quay-1").by_code(middle.address)
    shown = {one.code for one in centre.desk.waiting()}
    assert len(shown) == 1
    assert compared.code not in shown


def test_a_middle_that_changes_its_mind_about_its_number_is_found_out_at_once(
    centre: Centre, stranger: ca.Authority, tmp_path: Path
) -> None:
    def to_station(answer: pairing.Reply) -> pairing.Reply:
        is_revealed = isinstance(answer, pairing.Revealed)
        return msgspec.structs.replace(answer, nonce=STRANGERS_NONCE) if is_revealed else answer

    centre.desk.invite("quay-3")
    middle = Middle(centre.address, stranger.issue_pairing(), to_station=to_station)  # type: ignore[arg-type]
    with middle.listening():
        assert code_of(lambda: station(tmp_path, "quay-3").by_code(middle.address)) == "PAIR-09"


def test_a_middle_that_only_listened_gets_no_further_than_the_comparison(
    centre: Centre, stranger: ca.Authority, tmp_path: Path
) -> None:
    centre.desk.invite("quay-4")
    middle = Middle(centre.address, stranger.issue_pairing())
    pairing_ = station(tmp_path, "quay-4")
    with middle.listening():
        compared = pairing_.by_code(middle.address)
        assert [one.code for one in centre.desk.waiting() if one.station == "quay-4"] == [compared.code]
        centre.desk.decide(compared.request_id, approve=True)
        # The codes were the same, and still the answer is taken from nobody but the centre itself.
        assert code_of(lambda: pairing_.collected(middle.address, compared)) == "PAIR-09"
    assert not any(isinstance(one, pairing.Collect) for one in middle.heard)
    pairing_.keep(pairing_.collected(centre.address, compared))
    assert may_speak(centre, pairing_.certificates)


def test_a_nonce_is_revealed_once_so_that_nobody_can_choose_between_codes(centre: Centre, tmp_path: Path) -> None:
    centre.desk.invite("quay-5")
    request = signing_request(station(tmp_path, "quay-5").certificates.pending_key())
    reveal = pairing.Reveal(request=request, nonce=STRANGERS_NONCE)
    with opened(centre.address, None) as line:
        line.ask(pairing.Begin(station="quay-5"), pairing.Committed)
        line.ask(reveal, pairing.Revealed)
        with pytest.raises(PairingError, match="does not expect"):
            line.ask(reveal, pairing.Revealed)


# Guessing, and those who only want to be in the way


def test_whoever_guesses_tokens_is_made_to_wait_even_with_the_right_one(centre: Centre, tmp_path: Path) -> None:
    right = centre.desk.invite("kho-6").invitation
    codes = []
    for number in range(12):
        wrong = Invitation(right.host, right.port, right.authority, bytes([number]) * 16, "kho-6")
        codes.append(code_of(lambda wrong=wrong: station(tmp_path, "kho-6").by_invitation(wrong)))  # type: ignore[misc]
    assert codes == ["PAIR-12"] * 10 + ["PAIR-17"] * 2
    assert code_of(lambda: station(tmp_path, "kho-6").by_invitation(right)) == "PAIR-17"


def test_those_who_connect_and_say_nothing_do_not_keep_others_out(centre: Centre) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(MOST_LINES_OF_ONE):
            held.enter_context(socket.create_connection((centre.address.host, centre.address.port), timeout=5))
        crowded = socket.create_connection((centre.address.host, centre.address.port), timeout=5)
        with crowded:
            assert crowded.recv(1) == b""
        elsewhere = socket.create_connection(
            (centre.address.host, centre.address.port), timeout=5, source_address=("127.0.0.2", 0)
        )
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        with elsewhere, anybody.wrap_socket(elsewhere) as line:
            assert line.version() == "TLSv1.3"


def test_noise_of_every_kind_ends_one_line_and_nothing_else(centre: Centre) -> None:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    noises = [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x02{}", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"]
    for noise in noises:
        with contextlib.suppress(OSError):
            plain = socket.create_connection((centre.address.host, centre.address.port), timeout=5)
            with plain:
                plain.sendall(os.urandom(64))
        with contextlib.suppress(OSError):
            plain = socket.create_connection((centre.address.host, centre.address.port), timeout=5)
            with plain, anybody.wrap_socket(plain) as line:
                line.sendall(noise)
                line.recv(10)
    with opened(centre.address, None) as after:
        assert after.ask(pairing.Introduce(), pairing.Centre).authority == centre.desk.authority_pem


@pytest.mark.parametrize("text", ["A" * 200, "MIIB" + "A" * 400])
def test_a_request_that_is_none_is_refused_in_words_and_uses_nothing_up(
    centre: Centre, tmp_path: Path, text: str
) -> None:
    invitation = centre.desk.invite("kho-7").invitation
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    junk = f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n"
    with opened(centre.address, Trust(centre.desk.authority_pem)) as line:
        redeem = pairing.Redeem(station="kho-7", token=invitation.token.hex(), request=junk)
        assert code_of(lambda: line.ask(redeem, pairing.Paired)) == "CERT-03"
    pairing_ = station(tmp_path, "kho-7")
    pairing_.keep(pairing_.by_invitation(invitation))


# Renewing


@pytest.fixture
def paired(centre: Centre, tmp_path: Path, request: pytest.FixtureRequest) -> Pairing:
    name = f"re-{sha256_of(request.node.name.encode())[:12]}"
    one = station(tmp_path / "paired", name)
    one.keep(one.by_invitation(centre.desk.invite(name).invitation))
    return one


def test_a_station_renews_by_itself_with_a_new_key_and_its_old_name(centre: Centre, paired: Pairing) -> None:
    files = paired.certificates
    key, name = files.key.read_bytes(), ca.common_name(files.cert.read_bytes())
    paired.keep(paired.renewed(centre.address, files.ca.read_text()))
    assert files.key.read_bytes() != key
    assert ca.common_name(files.cert.read_bytes()) == name
    assert may_speak(centre, files)


def test_a_station_that_was_shut_out_can_neither_renew_nor_speak(centre: Centre, paired: Pairing) -> None:
    provision.revoke_station(centre.config, paired.station)
    assert code_of(lambda: paired.renewed(centre.address, paired.certificates.ca.read_text())) == "PAIR-19"
    assert not may_speak(centre, paired.certificates)


def test_a_machine_whose_name_another_has_now_cannot_renew(centre: Centre, paired: Pairing, tmp_path: Path) -> None:
    heir = station(tmp_path / "heir", paired.station)
    heir.keep(heir.by_invitation(centre.desk.invite(paired.station).invitation))
    assert code_of(lambda: paired.renewed(centre.address, paired.certificates.ca.read_text())) == "PAIR-19"
    heir.keep(heir.renewed(centre.address, heir.certificates.ca.read_text()))


def test_a_certificate_that_is_over_renews_nothing(centre: Centre, paired: Pairing) -> None:
    centre.now = lambda: datetime.now(UTC) + timedelta(days=6 * 365)
    assert code_of(lambda: paired.renewed(centre.address, paired.certificates.ca.read_text())) == "PAIR-06"


def test_a_certificate_that_is_over_does_not_open_the_broker(centre: Centre, paired: Pairing) -> None:
    authority, files = ca.Authority.load(centre.config.broker.pki), paired.certificates
    name, request = ca.common_name(files.cert.read_bytes()), signing_request(files.key.read_text()).encode()
    over = authority.sign_station(paired.station, request, renewed=name, now=datetime(2019, 1, 1, tzinfo=UTC))
    assert may_speak(centre, files)
    files.cert.write_bytes(over)
    assert not may_speak(centre, files)


@pytest.mark.parametrize("name", [None, ca.OFFICE, ca.worker_name("w1")])
def test_nobody_but_a_station_renews(centre: Centre, paired: Pairing, name: str | None) -> None:
    request = signing_request(paired.certificates.key.read_text())
    theirs = None if name is None else centre.config.broker.credentials(name)
    trust = Trust(centre.desk.authority_pem, theirs and theirs.cert, theirs and theirs.key)
    with opened(centre.address, trust) as line:
        assert code_of(lambda: line.ask(pairing.Renew(request=request), pairing.Paired)) == "PAIR-19"


def test_a_certificate_of_another_authority_is_not_even_heard(
    centre: Centre, paired: Pairing, stranger: ca.Authority
) -> None:
    files = paired.certificates
    forged = stranger.sign_station(
        paired.station, signing_request(files.key.read_text()).encode(), renewed=ca.common_name(files.cert.read_bytes())
    )
    files.cert.write_bytes(forged)
    # Hung up on in the middle of its own words, a busy station may not hear why any more.
    assert code_of(lambda: paired.renewed(centre.address, centre.desk.authority_pem)) in {"PAIR-09", "PAIR-07"}
    assert not may_speak(centre, files)
