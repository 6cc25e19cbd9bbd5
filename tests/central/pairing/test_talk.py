"""Whatever is said to the centre, in whatever order: it answers, and gives nothing that was not promised."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.pairing.keys import new_key, signing_request
from central.authority import ca
from central.catalogue import Catalogue
from central.config import BrokerConfig, CentralConfig, PairingConfig, WebConfig, WorkerLimits, default_database
from central.pairing.desk import PairingDesk
from central.pairing.talk import Talk
from central.receiving.staging import StoreLayout
from wire import pairing
from wire.pairing import Refusal

STATIONS = ("kho-1", "kho-2", "kho-3")
REQUESTS = tuple(signing_request(new_key().decode()) for _ in range(3))
NONCES = ("00" * 16, "5a" * 16)


@dataclass
class Office:
    """A desk without a broker: whoever would be let in is given any certificate."""

    desk: PairingDesk
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    tokens: list[str] = field(default_factory=lambda: ["00" * 16])
    requests: list[str] = field(default_factory=lambda: ["none"])
    invited: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    users: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CentralConfig, Catalogue]]:
    folder = tmp_path_factory.mktemp("office")
    authority = ca.Authority.open(folder / "pki")
    for name in (ca.ADMIN, ca.OFFICE):
        authority.issue_client(name)
    store = folder / "store"
    StoreLayout(store).create()
    config = CentralConfig(
        store,
        default_database(store),
        BrokerConfig("127.0.0.1", 9, folder / "pki"),
        WebConfig("127.0.0.1", 0, folder / "token"),
        WorkerLimits(),
        PairingConfig("127.0.0.1"),
    )
    with Catalogue(config.database_url) as catalogue:
        yield config, catalogue


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_nothing_is_given_that_was_not_promised(parts: tuple[CentralConfig, Catalogue], data: st.DataObject) -> None:
    config, catalogue = parts
    office = Office(PairingDesk(config, catalogue))
    office.desk._now = lambda: office.now  # type: ignore[method-assign]
    office.desk._admit = lambda *_: office.desk.authority_pem.encode()  # type: ignore[method-assign]
    for station in STATIONS:
        office.desk.withdraw(station)
    talk = Talk(office.desk, "10.0.0.9", None)
    for _ in range(data.draw(st.integers(6, 20))):
        match data.draw(st.sampled_from(["invite", "later", "compare", "approve", "line", "ask", "ask"])):
            case "invite":
                station = data.draw(st.sampled_from(STATIONS))
                office.invited[station] = office.desk.invite(station).invitation.token.hex()
                office.tokens.append(office.invited[station])
            case "later":
                office.now += timedelta(minutes=data.draw(st.integers(0, 8)))
            case "compare":
                begin = pairing.Begin(station=data.draw(st.sampled_from(STATIONS)))
                for asked in (begin, pairing.Reveal(request=REQUESTS[0], nonce=NONCES[0])):
                    _judge(talk.answer(asked), asked, office)
            case "approve":
                number, approve = data.draw(st.sampled_from(office.requests[-2:])), data.draw(st.booleans())
                if office.desk.decide(number, approve=approve) and approve:
                    office.approved.add(number)
                collect = pairing.Collect(request_id=number)
                _judge(talk.answer(collect), collect, office)
            case "line":
                talk = Talk(office.desk, "10.0.0.9", None)
            case _:
                asked = data.draw(_questions(office))
                answer = talk.answer(asked)
                _judge(answer, asked, office)
                if isinstance(asked, pairing.Redeem) and isinstance(answer, pairing.Paired):
                    other = next(one for one in REQUESTS if one != asked.request)
                    again = msgspec.structs.replace(asked, request=other)
                    _judge(talk.answer(again), again, office)


def _questions(office: Office) -> st.SearchStrategy[pairing.Request]:
    station, request = st.sampled_from(STATIONS), st.sampled_from(REQUESTS)
    right = st.sampled_from(list(office.invited.items()) or [("kho-1", "00" * 16)])
    return st.one_of(
        st.builds(lambda one, key: pairing.Redeem(station=one[0], token=one[1], request=key), right, request),
        st.just(pairing.Introduce()),
        st.builds(pairing.Begin, station=station),
        st.builds(pairing.Reveal, request=request, nonce=st.sampled_from(NONCES)),
        st.builds(pairing.Collect, request_id=st.sampled_from(office.requests[-3:])),
        st.builds(pairing.Redeem, station=station, token=st.sampled_from(office.tokens), request=request),
        st.builds(pairing.Renew, request=request),
    )


def _judge(answer: pairing.Reply, asked: pairing.Request, office: Office) -> None:
    assert pairing.decode_reply(pairing.encode(answer)) == answer
    match answer:
        case pairing.Paired():
            if isinstance(asked, pairing.Redeem):
                assert office.invited.get(asked.station) == asked.token
                assert office.users.setdefault(asked.token, asked.request) == asked.request
            else:
                assert isinstance(asked, pairing.Collect)
                assert asked.request_id in office.approved
        case pairing.Revealed(request_id=number):
            office.requests.append(number)
        case pairing.Declined(code=code):
            assert code in {one.value for one in Refusal}
        case _:
            pass


def test_what_was_promised_is_given(parts: tuple[CentralConfig, Catalogue]) -> None:
    office = Office(PairingDesk(*parts))
    office.desk._admit = lambda *_: office.desk.authority_pem.encode()  # type: ignore[method-assign]
    talk = Talk(office.desk, "10.0.0.9", None)
    token = office.desk.invite("kho-1").invitation.token.hex()
    assert isinstance(talk.answer(pairing.Redeem(station="kho-1", token=token, request=REQUESTS[0])), pairing.Paired)
    office.desk.invite("kho-2")
    talk.answer(pairing.Begin(station="kho-2"))
    revealed = talk.answer(pairing.Reveal(request=REQUESTS[0], nonce=NONCES[0]))
    assert isinstance(revealed, pairing.Revealed)
    collect = pairing.Collect(request_id=revealed.request_id)
    assert isinstance(talk.answer(collect), pairing.Waiting)
    assert office.desk.decide(revealed.request_id, approve=True)
    assert isinstance(talk.answer(collect), pairing.Paired)
