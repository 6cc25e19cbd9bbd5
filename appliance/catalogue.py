"""The library's own catalogue by SRU: one question about a barcode, for whoever asks; the centre's batches come first.

The server is somebody else's: it may be absent, slow, speak nonsense, know several records, or be hostile. None of that
may hold a job up or lead the station elsewhere, so there is one short try, bounded in time and size, at the host that
was configured and no other, and each of these is an answer.
"""

import http.client
import logging
import re
import socket
import threading
import urllib.parse
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

from appliance.jobs.copies import Found
from wire.documents import ItemRef
from wire.ids import new_id

log = logging.getLogger(__name__)

MOST_BYTES: Final = 2**20
_MOST_HOPS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_ASKING: Final = 4
"""Questions under way at once. Where names are not resolved, each takes as long as the system gives it."""
_asking: Final = threading.BoundedSemaphore(_MOST_ASKING)
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
        # A page that is not there, a redirect elsewhere, an answer without end: to who works here all are silence.
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
    root = ET.fromstring(answer, ET.XMLParser(target=_WithoutDoctype()))  # noqa: S314 - bounded in size; no entities
    if not root.tag.endswith("searchRetrieveResponse"):
        raise ValueError("no searchRetrieveResponse")
    records = root.findall(f".//{_MARC}record")
    total = next((_number(one.text or "") for one in root.iter() if one.tag.endswith("numberOfRecords")), len(records))
    if not records:
        return Found(barcode, catalogue="none")
    if len(records) > 1 or (total or 0) > 1:
        return Found(barcode, catalogue="several")
    return _found(records[0], barcode)


class _WithoutDoctype(ET.TreeBuilder):
    """Builds a tree of what declares nothing: entities could grow without bound, and no answer to a search has any."""

    def doctype(self, *_: object) -> None:
        """Refuse the document."""
        raise ValueError("the answer declares a document type")


def _fetch(catalogue: CatalogueAddress, barcode: str) -> bytes:
    """Return the answer; raises `OSError`, `HTTPException`, `ValueError` where there is none in time.

    A socket's timeout is for each byte that comes, and names have none at all: so a thread asks, and who waits for it
    hangs up when the time is over.
    """
    if not _asking.acquire(blocking=False):
        raise TimeoutError("earlier questions are still under way")
    answers: SimpleQueue[bytes | Exception] = SimpleQueue()
    line = _Line(catalogue.timeout_s)

    def work() -> None:
        try:
            answers.put(line.fetch(address_of(catalogue, barcode)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.put(error)
        finally:
            line.hang_up()
            _asking.release()

    threading.Thread(target=work, name="catalogue", daemon=True).start()
    try:
        answer = answers.get(timeout=catalogue.timeout_s)
    except Empty:
        line.hang_up()
        raise TimeoutError("the answer takes too long") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Line:
    """One question's connection, which another thread may cut."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._is_over = False

    def fetch(self, address: str) -> bytes:
        """Return what is at `address`, following redirects within its host only."""
        host = urllib.parse.urlsplit(address).hostname
        for _ in range(_MOST_HOPS):
            content, address = self._get(address)
            if not address:
                return content
            if urllib.parse.urlsplit(address).hostname != host:
                raise ValueError("the catalogue sends elsewhere")
        raise ValueError("the catalogue sends round in circles")

    def hang_up(self) -> None:
        """Cut the connection, now or as soon as there is one. May be called twice."""
        self._is_over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _get(self, address: str) -> tuple[bytes, str]:
        """Return the content, or where it is."""
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the catalogue's address is neither http nor https")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=self._timeout_s)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._is_over:
                raise TimeoutError("nobody waits any more")
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", path, headers={"Accept": "application/xml"})
            with connection.getresponse() as answer:
                if answer.status in _REDIRECTS:
                    return b"", urllib.parse.urljoin(address, answer.getheader("Location") or "")
                if answer.status != http.client.OK:
                    raise ValueError(f"the catalogue answers {answer.status}")
                content = answer.read(MOST_BYTES + 1)
        finally:
            connection.close()
        if len(content) > MOST_BYTES:
            raise ValueError("the answer is too long")
        return content, ""


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
