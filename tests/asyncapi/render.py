"""Draws docs/asyncapi.yaml from the code: `python -m tests.asyncapi.render > docs/asyncapi.yaml`."""

import sys
from typing import Any

import yaml

from wire import VERSION, limits, messages, schema

STATION = {"station": {"description": "Name of the station, as in its certificate.", "examples": ["kho-1"]}}
REPLIES = ("Grant", "Progress", "Receipt", "Busy", "Again", "Rejected", "Complete", "Missing")
COMMANDS = ("Locate", "Resend", "Reshoot", "OfferBatch")


def _channel(address: str, title: str, names: tuple[str, ...], parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": address,
        "title": title,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "parameters": parameters,
    }


def _operation(action: str, channel: str, names: tuple[str, ...], summary: str, **mqtt: Any) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
        "bindings": {"mqtt": {"qos": 1, "retain": False, **mqtt}},
    }


def _message(name: str, limit_bytes: int) -> dict[str, Any]:
    struct = getattr(messages, name)
    summary = (struct.__doc__ or "").splitlines()[0]
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "description": f"At most {limit_bytes} bytes; a larger one is refused unread.",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _chunk() -> dict[str, Any]:
    return {
        "name": "Chunk",
        "title": "Chunk",
        "summary": "Bytes of a file; what they are is said by the topic alone.",
        "description": f"As many bytes as the grant says, never more than {limits.MAX_CHUNK_BYTES}.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    }


def _channels() -> dict[str, Any]:
    chunk_parameters = {
        "worker": {"description": "The worker that granted."},
        **STATION,
        "grant_id": {"description": "The grant."},
        "file": {"description": "Name of the file, as offered."},
        "offset": {"description": "Where in the file these bytes begin, decimal."},
    }
    return {
        "offers": _channel("lattrang/1/offers/{station}", "Offers", ("Offer",), STATION),
        "replies": _channel("lattrang/1/stations/{station}/replies", "Replies", REPLIES, STATION),
        "chunks": _channel(
            "lattrang/1/inbox/{worker}/{station}/{grant_id}/{file}/{offset}", "Chunks", ("Chunk",), chunk_parameters
        ),
        "status": _channel("lattrang/1/stations/{station}/status", "Status", ("StationStatus",), STATION),
        "commands": _channel("lattrang/1/stations/{station}/commands", "Commands", COMMANDS, STATION),
    }


def _operations() -> dict[str, Any]:
    return {
        "offer": _operation("send", "offers", ("Offer",), "A station has an object. Expires with its own timer."),
        "takeReply": _operation("receive", "replies", REPLIES, "What a worker answers, addressed by its topic."),
        "sendChunk": _operation("send", "chunks", ("Chunk",), "A part of a file, within the window of the grant."),
        "publishStatus": _operation(
            "send", "status", ("StationStatus",), "At every connection, on change, every half minute; the last will."
        ),
        "takeCommand": _operation("receive", "commands", COMMANDS, "Repeated until a status names it as answered."),
    }


def document() -> dict[str, Any]:
    """Return the whole document, told from the station's side."""
    sizes = {
        "Offer": limits.MAX_OFFER_BYTES,
        "StationStatus": limits.MAX_STATUS_BYTES,
        **dict.fromkeys(REPLIES, limits.MAX_REPLY_BYTES),
        **dict.fromkeys(COMMANDS, limits.MAX_COMMAND_BYTES),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lattrang wire protocol",
            "version": VERSION,
            "description": "Protocol version 1, told from the station's side. What it means is in protocol.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "centre": {
                "host": "localhost:8883",
                "protocol": "mqtts",
                "protocolVersion": "5.0",
                "description": "Mosquitto with a certificate for each client and the dynamic-security plugin.",
                "security": [{"$ref": "#/components/securitySchemes/certificate"}],
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "securitySchemes": {"certificate": {"type": "X509", "description": "Common name `station.{station}`."}},
            "messages": {**{name: _message(name, size) for name, size in sizes.items()}, "Chunk": _chunk()},
            "schemas": schema.components(),
        },
    }


def render() -> str:
    """Return the text of docs/asyncapi.yaml."""
    head = "# Drawn from the code by: python -m tests.asyncapi.render > docs/asyncapi.yaml\n"
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)


if __name__ == "__main__":
    sys.stdout.write(render())
