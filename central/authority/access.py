"""Who may publish and subscribe what: the rules of the broker's dynamic-security plugin, as plain data.

Everything is denied unless a role allows it, also subscribing: whoever may subscribe freely may join the workers'
shared group and swallow offers. Every station and worker has its own role with its own name written out, so no
pattern can ever match somebody else's topics.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from central.authority.ca import ADMIN, OFFICE, station_name, worker_name
from wire import topics

CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC: Final = f"{CONTROL_TOPIC}/response"
PROBE_STATION: Final = "-"
"""An empty offer under this name asks the broker whether any worker is there; workers pass over it."""
_ANY_REPLY: Final = f"{topics.PREFIX}stations/+/replies"
_ANY_COMMAND: Final = f"{topics.PREFIX}stations/+/commands"

Rule = dict[str, Any]
Command = dict[str, Any]


def first_document(workers: Iterable[str] = (), stations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the plugin's file for a broker's first start: the office, the admin, `workers` and `stations`.

    Args:
        workers: their names.
        stations: names, each with the common name of its certificate; none on a new centre.
    """
    principals = [(ADMIN, _admin_rules()), (OFFICE, _office_rules())]
    principals += [(worker_name(worker), _worker_rules(worker)) for worker in workers]
    known = (stations or {}).items()
    let_in = [{"username": name, "roles": [{"rolename": station_name(station)}]} for station, name in known]
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": False,
        },
        "clients": [{"username": name, "roles": [{"rolename": name}]} for name, _ in principals] + let_in,
        "roles": [{"rolename": name, "acls": rules} for name, rules in principals]
        + [{"rolename": station_name(station), "acls": _station_rules(station)} for station, _ in known],
    }


def approve_station(station: str, common_name: str, former: Iterable[str] = ()) -> list[Command]:
    """Return the commands that open the broker to a station's certificate and close it to its `former` ones.

    Giving them twice is harmless.
    """
    role = station_name(station)
    return [*_close(role, {*former, common_name}), *_open(role, common_name, _station_rules(station))]


def approve_worker(worker: str) -> list[Command]:
    """Return the commands that open the broker to one more worker; giving them twice is harmless."""
    name = worker_name(worker)
    return [*_close(name, [name]), *_open(name, name, _worker_rules(worker))]


def revoke_station(station: str, common_names: Iterable[str]) -> list[Command]:
    """Return the commands that close the broker to a station's certificates; the plugin ends their connections."""
    return _close(station_name(station), common_names)


def clients_of(station: str, clients: Iterable[str]) -> list[str]:
    """Return those of the broker's clients that are certificates of `station`."""
    role = station_name(station)
    # A name holds no full stop, so no other station's certificates begin like this.
    return [client for client in clients if client == role or client.startswith(f"{role}.")]


def _open(role: str, client: str, rules: list[Rule]) -> list[Command]:
    return [
        {"command": "createRole", "rolename": role, "acls": rules},
        {"command": "createClient", "username": client, "roles": [{"rolename": role}]},
    ]


def _close(role: str, clients: Iterable[str]) -> list[Command]:
    ended = [{"command": "deleteClient", "username": client} for client in sorted(clients)]
    return [*ended, {"command": "deleteRole", "rolename": role}]


def _station_rules(station: str) -> list[Rule]:
    return [
        _publish(topics.offers(station)),
        _publish(f"{topics.PREFIX}inbox/+/{station}/#"),
        _publish(topics.status(station)),
        *_receive(topics.replies(station)),
        *_receive(topics.commands(station)),
    ]


def _worker_rules(worker: str) -> list[Rule]:
    return [
        *_receive(topics.ANY_OFFER, subscription=topics.SHARED_OFFERS),
        *_receive(topics.any_chunk(worker)),
        _publish(_ANY_REPLY),
    ]


def _office_rules() -> list[Rule]:
    return [*_receive(topics.ANY_STATUS), _publish(_ANY_COMMAND)]


def _admin_rules() -> list[Rule]:
    return [
        _publish(CONTROL_TOPIC),
        *_receive(RESPONSE_TOPIC),
        _publish(topics.offers(PROBE_STATION)),
    ]


def _publish(topic: str) -> Rule:
    return _rule("publishClientSend", topic)


def _receive(topic: str, subscription: str | None = None) -> list[Rule]:
    literal = subscription or topic
    return [
        _rule("subscribeLiteral", literal),
        _rule("unsubscribeLiteral", literal),
        _rule("publishClientReceive", topic),
    ]


def _rule(kind: str, topic: str) -> Rule:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
