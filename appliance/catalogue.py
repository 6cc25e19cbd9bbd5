"""The library's own catalogue by SRU: one question about a barcode, for whoever asks; the centre's batches come first.

The server is somebody else's: it may be absent, slow, speak nonsense or know several records. None of that may hold a
job up, so there is one short try, bounded in time and size, and each of these is an answer.
"""

import http.client
import logging
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

from appliance.jobs.copies import Found
from wire.documents import ItemRef
from wire.ids import new_id

log = logging.getLogger(__name__)

MOST_BYTES: Final = 2**20
_MARC: Final = "{http://www.loc.gov/MARC21/slim}"


@dataclass(frozen=True, slots=True)
class CatalogueAddress:
    """Where the catalogue answers.

    Attributes:
        sru: address of the SRU server's database.
        index: the CQL index of copies' barcodes.
        timeout_s: how long one answer may take.
    """

    sru: str
    index: str = "bc"
    timeout_s: float = 4.0


def ask(catalogue: CatalogueAddress, barcode: str) -> Found:
    """Return what the catalogue says of a barcode; `Found.catalogue` tells how it went."""
    try:
        answer = _fetch(catalogue, barcode)
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.info("catalogue silent: %s", error)
        return Found(barcode, catalogue="absent")
    try:
        return read(answer, barcode)
    except (ET.ParseError, ValueError) as error:
        log.info("catalogue not understood: %s", error)
        return Found(barcode, catalogue="garbage")


def address_of(catalogue: CatalogueAddress, barcode: str) -> str:
    """Return the question as an address (SRU 1.1, searchRetrieve). Quotes in a code cannot end the query's string."""
    quoted = barcode.replace("\\", "\\\\").replace('"', '\\"')
    question = {
        "version": "1.1",
        "operation": "searchRetrieve",
        "query": f'{catalogue.index}="{quoted}"',
        "maximumRecords": "2",
        "recordSchema": "marcxml",
    }
    return f"{catalogue.sru}{'&' if '?' in catalogue.sru else '?'}{urllib.parse.urlencode(question)}"


def read(answer: bytes, barcode: str) -> Found:
    """Return what an answer says. Pure.

    Raises:
        ValueError: it is XML, but no answer to a search.
        ET.ParseError: it is not XML.
    """
    root = ET.fromstring(answer)  # noqa: S314 - bounded in size; expat bounds what entities may grow to
    if not root.tag.endswith("searchRetrieveResponse"):
        raise ValueError("no searchRetrieveResponse")
    records = root.findall(f".//{_MARC}record")
    total = next((_number(one.text or "") for one in root.iter() if one.tag.endswith("numberOfRecords")), len(records))
    if not records:
        return Found(barcode, catalogue="none")
    if len(records) > 1 or (total or 0) > 1:
        return Found(barcode, catalogue="several")
    return _found(records[0], barcode)


def _fetch(catalogue: CatalogueAddress, barcode: str) -> bytes:
    address = address_of(catalogue, barcode)
    if not address.startswith(("http://", "https://")):
        raise ValueError("the catalogue's address is neither http nor https")
    request = urllib.request.Request(address, headers={"Accept": "application/xml"})  # noqa: S310 - checked above
    with urllib.request.urlopen(request, timeout=catalogue.timeout_s) as answer:  # noqa: S310
        return _read_in_time(answer, catalogue.timeout_s)


def _read_in_time(answer: http.client.HTTPResponse, timeout_s: float) -> bytes:
    # The socket's timeout is for each byte that comes; one that comes now and then must not hold anybody up either.
    ends_at_s = time.monotonic() + timeout_s
    content = b""
    while part := answer.read1(2**16):
        content += part
        if len(content) > MOST_BYTES:
            raise ValueError("the answer is too long")
        if time.monotonic() > ends_at_s:
            raise TimeoutError("the answer takes too long")
    return content


def _found(record: ET.Element, barcode: str) -> Found:
    copy = next((one for one in _fields(record, "952") if _sub(one, "p") == barcode), None)
    item = ItemRef(
        item_id=new_id(),
        record_id=_first(record, "999", "c") or _control(record, "001") or None,
        barcode=barcode or None,
        call_number=(_sub(copy, "o") if copy is not None else "") or _first(record, "090", "a") or None,
        title=_tidy(" ".join(filter(None, (_first(record, "245", "a"), _first(record, "245", "b"))))) or None,
        author=_tidy(_first(record, "100", "a") or _first(record, "245", "c")) or None,
        year=_tidy(_first(record, "260", "c") or _first(record, "264", "c")) or None,
        provisional=False,
    )
    return Found(barcode, item=item, pages_expected=_number(_first(record, "300", "a")), catalogue="found")


def _fields(record: ET.Element, tag: str) -> list[ET.Element]:
    return [field for field in record.findall(f"{_MARC}datafield") if field.get("tag") == tag]


def _sub(field: ET.Element, code: str) -> str:
    return next((one.text or "" for one in field.findall(f"{_MARC}subfield") if one.get("code") == code), "").strip()


def _first(record: ET.Element, tag: str, code: str) -> str:
    return next((text for field in _fields(record, tag) if (text := _sub(field, code))), "")[:400]


def _control(record: ET.Element, tag: str) -> str:
    fields = record.findall(f"{_MARC}controlfield")
    return next((one.text or "" for one in fields if one.get("tag") == tag), "").strip()[:64]


def _tidy(text: str) -> str:
    """Return a field without the punctuation that cataloguing puts between fields."""
    return " ".join(text.split()).rstrip(" /:;,.=")


def _number(text: str) -> int | None:
    found = re.search(r"\d{1,5}", text)
    return int(found[0]) if found else None
