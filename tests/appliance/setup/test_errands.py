"""What a screen asks of a program with other rights: taken once, believed only where it is what it should be."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.setup.errands import BadRequest, Errand, PairAnswer, PairProgress, PairRequest, UsbRequest, answer_file


@pytest.fixture
def errand(tmp_path: Path) -> Errand:
    (tmp_path / "asked").mkdir()
    (tmp_path / "told" / "lattrang-pair").mkdir(parents=True)
    return Errand.named("pair", tmp_path / "asked", tmp_path / "told")


def test_what_was_asked_is_done_once(errand: Errand) -> None:
    errand.ask(PairRequest(address="10.0.0.5"))
    assert errand.waits_s() is not None
    assert errand.take(PairRequest).address == "10.0.0.5"
    assert errand.waits_s() is None
    with pytest.raises(BadRequest, match="ERR-01"):
        errand.take(PairRequest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"address":"a","other":1}',
        b'{"address":"' + b"a" * 5000 + b'"}',
        b'{"address":"' + b"a" * 300 + b'"}',
    ],
    ids=["empty", "half", "unknown field", "giant", "long"],
)
def test_what_is_no_request_is_refused_and_does_not_come_back(errand: Errand, content: bytes) -> None:
    errand.asked.write_bytes(content)
    with pytest.raises(BadRequest):
        errand.take(PairRequest)
    assert not errand.asked.exists()


def test_a_link_or_a_pipe_in_its_place_is_not_followed(errand: Errand, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b'{"address":"stolen"}')
    errand.asked.symlink_to(secret)
    with pytest.raises(BadRequest):
        errand.take(PairRequest)
    os.mkfifo(errand.asked)
    with pytest.raises(BadRequest):
        errand.take(PairRequest)
    assert secret.exists()
    assert not errand.asked.exists()


@pytest.mark.parametrize("disk", ["../sda1", "sda1/..", "", "SDA1", "sd a1", "/dev/sda1", "sda12345"])
def test_a_disk_is_asked_for_by_its_plain_name_or_not_at_all(errand: Errand, disk: str) -> None:
    errand.asked.write_bytes(b'{"disk":"' + disk.encode() + b'"}')
    with pytest.raises(BadRequest):
        errand.take(UsbRequest)


def test_an_answer_from_an_earlier_errand_does_not_answer_this_one(errand: Errand) -> None:
    errand.answer(PairAnswer(code="OLD"))
    errand.ask(PairRequest(address="10.0.0.5"))
    assert not answer_file(errand.asked).exists()
    assert errand.wait_for_answer(PairAnswer, threading.Event(), 0.0) is None
    errand.answer(PairAnswer(code="NEW"))
    assert errand.wait_for_answer(PairAnswer, threading.Event(), 1.0) == PairAnswer(code="NEW")


def test_a_program_that_was_killed_is_seen_not_to_be_at_it_any_more(errand: Errand, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom appliance.setup.errands import *\n"
        f"e = Errand.named('pair', Path({str(tmp_path / 'asked')!r}), Path({str(tmp_path / 'told')!r}))\n"
        "with e.begun():\n    e.tell(PairProgress(step='asking'))\n    print('at it', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    assert not errand.is_under_way()
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as at_it:
        assert at_it.stdout is not None
        at_it.stdout.readline()
        assert errand.is_under_way()
        at_it.kill()
        at_it.wait(10)
    assert not errand.is_under_way()
    assert errand.progress(PairProgress) == PairProgress(step="asking")


def test_what_is_told_can_be_read_by_everybody_whatever_the_umask(errand: Errand) -> None:
    before = os.umask(0o077)
    try:
        with errand.begun():
            errand.tell(PairProgress(step="asking"))
    finally:
        os.umask(before)
    assert {oct(file.stat().st_mode & 0o777) for file in errand.told.parent.iterdir()} == {"0o644"}
