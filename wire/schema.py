"""The protocol's messages and documents as JSON Schema, drawn from the structures that the codec enforces."""

from typing import Any, Final

import msgspec

from wire import documents, messages

REFERENCE: Final = "#/components/schemas/{name}"
_MESSAGES: Final = (
    messages.Offer,
    messages.Grant,
    messages.Progress,
    messages.Receipt,
    messages.Busy,
    messages.Again,
    messages.Rejected,
    messages.Complete,
    messages.Missing,
    messages.StationStatus,
    messages.Locate,
    messages.Resend,
    messages.Reshoot,
    messages.OfferBatch,
)
_DOCUMENTS: Final = (
    documents.CaptureDocument,
    documents.PagesDocument,
    documents.JobListDocument,
    documents.BatchDocument,
)


def components() -> dict[str, Any]:
    """Return the schema of every message and document by name, in the dialect of draft 7 that AsyncAPI speaks."""
    _, found = msgspec.json.schema_components((*_MESSAGES, *_DOCUMENTS), ref_template=REFERENCE)
    return {name: _draft_7(schema) for name, schema in sorted(found.items())}


def _draft_7(schema: Any) -> Any:
    # Tuples of fixed length: newer drafts say `prefixItems`, and `items: false` for “no more than these”.
    if isinstance(schema, list | tuple):
        return [_draft_7(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _draft_7(value) for key, value in schema.items() if key != "prefixItems"}
    if "prefixItems" in schema:
        plain["items"] = _draft_7(schema["prefixItems"])
    return plain
