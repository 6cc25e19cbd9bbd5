"""The library's catalogue by SRU: what it knows is taken over, and nothing it does holds a job up."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance.api import NewJob
from appliance.catalogue import MOST_BYTES, CatalogueAddress, address_of, ask
from appliance.jobs.lookup import item_of

RECORD = """<record xmlns="http://www.loc.gov/MARC21/slim"><controlfield tag="001">77</controlfield>
<datafield tag="100"><subfield code="a">Nguyễn Du,</subfield></datafield>
<datafield tag="245"><subfield code="a">Truyện Kiều :</subfield><subfield code="b">chú giải /</subfield></datafield>
<datafield tag="260"><subfield code="c">1925.</subfield></datafield>
<datafield tag="300"><subfield code="a">312 tr. ;</subfield></datafield>
<datafield tag="952"><subfield code="p">KHAC</subfield><subfield code="o">X 1</subfield></datafield>
<datafield tag="952"><subfield code="p">VN-001</subfield><subfield code="o">K 12.3</subfield></datafield>
<datafield tag="999"><subfield code="c">4711</subfield></datafield></record>"""


def answer(*records: str, total: int | None = None) -> bytes:
    found = "".join(f"<zs:record><zs:recordData>{record}</zs:recordData></zs:record>" for record in records)
    return (
        '<zs:searchRetrieveResponse xmlns:zs="http://www.loc.gov/zing/srw/">'
        f"<zs:numberOfRecords>{len(records) if total is None else total}</zs:numberOfRecords>"
        f"<zs:records>{found}</zs:records></zs:searchRetrieveResponse>"
    ).encode()


Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answering: Answering) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answering(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/biblios"
        running.shutdown()


def says(content: bytes, status: int = 200) -> Answering:
    def answering(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answering


def asked(content: bytes, status: int = 200) -> str:
    with server(says(content, status)) as address:
        return ask(CatalogueAddress(address), "VN-001").catalogue


def test_what_the_catalogue_knows_of_the_copy_becomes_the_jobs_item() -> None:
    with server(says(answer(RECORD))) as address:
        found = ask(CatalogueAddress(address), "VN-001")
    assert found.item is not None
    item = found.item
    assert (found.catalogue, found.pages_expected) == ("found", 312)
    assert (item.record_id, item.barcode, item.call_number) == ("4711", "VN-001", "K 12.3")
    assert (item.title, item.author, item.year) == ("Truyện Kiều : chú giải", "Nguyễn Du", "1925")
    job = item_of(NewJob("Kiều", "VN-001", record_id="4711", call_number="K 12.3"), None, [])
    assert (job.record_id, job.call_number, job.provisional) == ("4711", "K 12.3", False)


def test_the_question_carries_the_code_whole_and_a_quote_in_it_ends_nothing() -> None:
    address = address_of(CatalogueAddress("http://127.0.0.1/biblios"), 'A"1 / ĐKCB')
    asked_for = parse_qs(urlsplit(address).query)
    assert asked_for["query"] == ['bc="A\\"1 / ĐKCB"']
    assert asked_for["recordSchema"] == ["marcxml"]


@pytest.mark.parametrize(
    ("content", "status", "outcome"),
    [
        (answer(), 200, "none"),
        (answer(RECORD, RECORD), 200, "several"),
        (answer(RECORD, total=7), 200, "several"),
        (b"<html>Koha is being updated", 200, "garbage"),
        (b"<html><body>hello</body></html>", 200, "garbage"),
        (b"\x00\xff" * 100, 200, "garbage"),
        (b"", 200, "garbage"),
        (b"x" * (MOST_BYTES + 1), 200, "absent"),
        (answer(RECORD), 500, "absent"),
    ],
)
def test_whatever_comes_back_is_an_answer(content: bytes, status: int, outcome: str) -> None:
    assert asked(content, status) == outcome


def test_entities_that_blow_up_are_garbage() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    assert asked(f"{bomb}]><l>&j;</l>".encode()) == "garbage"


def test_a_document_type_is_refused_before_it_declares_anything() -> None:
    declared = b'<!DOCTYPE searchRetrieveResponse SYSTEM "file:///etc/passwd">' + answer(RECORD)
    assert asked(declared) == "garbage"
    assert asked(('<?xml version="1.0" encoding="UTF-16"?>' + declared.decode()).encode("utf-16")) == "garbage"


def test_tags_in_tags_without_end_are_garbage() -> None:
    assert asked(b"<a>" * 300_000 + b"</a>" * 5) == "garbage"


def test_an_answer_without_end_is_cut_off() -> None:
    written = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            for _ in range(64):
                written.append(handler.wfile.write(b"<x/>" * 2**16))

    with server(endless) as address:
        assert ask(CatalogueAddress(address), "VN-001").catalogue == "absent"
    assert sum(written) < 16 * MOST_BYTES, "nobody read on"


@pytest.mark.parametrize(
    "there",
    ["http://localhost:{port}/biblios", "file:///etc/passwd", "ftp://127.0.0.1/", "//localhost/x", "/biblios", ""],
)
def test_a_redirect_leads_nowhere_else_and_not_in_circles(there: str) -> None:
    hops = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        hops.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", there.format(port=handler.server.server_address[1]))
        handler.end_headers()

    with server(elsewhere) as address:
        assert ask(CatalogueAddress(address), "VN-001").catalogue == "absent"
    assert len(hops) == (3 if there in ("/biblios", "") else 1)


def test_a_redirect_within_the_catalogues_own_host_is_followed() -> None:
    def moved(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/new"):
            says(answer(RECORD))(handler)
            return
        handler.send_response(301)
        handler.send_header("Location", f"/new{handler.path}")
        handler.end_headers()

    with server(moved) as address:
        assert ask(CatalogueAddress(address), "VN-001").catalogue == "found"


def test_many_questions_to_a_server_that_hangs_leave_no_threads_behind() -> None:
    over = threading.Event()
    with server(lambda _: over.wait(10) and None) as address:
        for _ in range(6):
            assert ask(CatalogueAddress(address, timeout_s=0.05), "VN-001").catalogue == "absent"
        waiting = [thread for thread in threading.enumerate() if thread.name == "catalogue"]
        for thread in waiting:
            thread.join(5)
        assert not any(thread.is_alive() for thread in waiting)
        over.set()


@pytest.fixture(scope="module")
def yaz() -> Iterator[str]:
    """A server by other people: Index Data's test server, whose number of hits hangs on the words asked for."""
    program = shutil.which("yaz-ztest")
    if program is None:
        pytest.skip("yaz-ztest is not installed (apt install yaz)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([program, f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield f"http://127.0.0.1:{port}/Default"
        running.terminate()


def test_the_sru_of_yaz_is_understood_one_record_several_and_none(yaz: str) -> None:
    outcomes = {}
    for number in range(200):
        found = ask(CatalogueAddress(yaz), f"VN {number}")
        assert found.catalogue in ("found", "several", "none")
        outcomes.setdefault(found.catalogue, found)
        if len(outcomes) == 3:
            break
    assert set(outcomes) == {"found", "several", "none"}
    item = outcomes["found"].item
    assert item is not None
    assert (item.record_id, item.title, item.author) == ("11224466", "How to program a computer", "Jack Collins")
    assert (outcomes["several"].item, outcomes["none"].item) == (None, None)


def test_a_code_of_signs_that_mean_something_to_a_query_is_asked_for_and_nothing_else(yaz: str) -> None:
    for code in ('A" or bc="', "K.0173/24 (*)", "\\", "ĐKCB 12", '"', "a=b and c any d"):
        assert ask(CatalogueAddress(yaz), code).catalogue in ("found", "several", "none"), code


def test_a_server_that_is_not_there_says_so_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert ask(CatalogueAddress(f"http://127.0.0.1:{port}/"), "VN-001").catalogue == "absent"
    assert ask(CatalogueAddress("file:///etc/passwd"), "VN-001").catalogue == "absent"


@pytest.mark.parametrize("drips", ["", "content", "headers"])
def test_a_slow_server_holds_nobody_up(drips: str) -> None:
    over = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        if drips == "content":
            handler.send_response(200)
            handler.end_headers()
        if drips == "headers":
            handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        with suppress(OSError):
            while not over.wait(0.1):
                if drips:
                    handler.wfile.write(b" ")

    with server(slow) as address:
        began_s = time.monotonic()
        found = ask(CatalogueAddress(address, timeout_s=0.4), "VN-001")
        took_s = time.monotonic() - began_s
        over.set()
    assert found.catalogue == "absent"
    assert took_s < 3
