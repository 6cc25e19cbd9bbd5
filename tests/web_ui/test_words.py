"""Whatever a station or an image check can say has a sentence: read from the code that says it."""

import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from appliance.api import Notice
from appliance.session.advice import ADVISED

APPLIANCE = Path(__file__).parents[2] / "appliance"
SOURCE = "\n".join(file.read_text(encoding="utf-8") for file in sorted(APPLIANCE.rglob("*.py")))
CODES = sorted(set(re.findall(r'FindingEntry\(\s*code="([a-z_]+)"', SOURCE)) | {"blur", "motion", "processing_failed"})
NOTICES = sorted(set(re.findall(r'Say\(\s*"([a-z0-9.-]+)"', SOURCE)))
REFUSALS = sorted(set(re.findall(r'NotNow\(\s*"([A-Z]+-\d\d)"', SOURCE)))
GENERAL = ("có điều cần xem", "Cần xem:", "Trạm báo", "Lúc này chưa làm được việc đó")


def say(app: Flask, template: str, **values: object) -> str:
    with app.test_request_context("/"):
        return render_template_string(template, **values).strip()


def is_a_sentence_of_its_own(text: str) -> bool:
    return bool(text) and not text.startswith(GENERAL)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("severity", ["info", "warn", "bad"])
def test_every_finding_has_its_reason_at_the_station(station_app: Flask, code: str, severity: str) -> None:
    lead = {"code": code, "severity": severity, "where": "left", "value": 2.0}
    template = "{% import 'station/words.html' as words %}{{ words.reason(lead) }}"
    assert is_a_sentence_of_its_own(say(station_app, template, lead=lead))


@pytest.mark.parametrize("code", CODES)
def test_every_finding_has_its_name_at_the_centre(central_app: Flask, code: str) -> None:
    template = "{% import 'central/words.html' as words %}{{ words.finding_name(code, 'warn') }}"
    assert is_a_sentence_of_its_own(say(central_app, template, code=code))


@pytest.mark.parametrize("key", NOTICES)
def test_every_notice_the_session_gives_has_its_sentence(station_app: Flask, key: str) -> None:
    template = "{% import 'station/words.html' as words %}{{ words.notice_text(notice) }}"
    assert is_a_sentence_of_its_own(say(station_app, template, notice=Notice(key, 1)))


def test_every_hint_has_its_own_sentence(station_app: Flask) -> None:
    template = "{% import 'station/words.html' as words %}{{ words.notice_text(notice) }}"
    kinds = sorted(set(ADVISED.values()))
    said = [say(station_app, template, notice=Notice("c.tip", 1, {"code": kind})) for kind in kinds]
    assert all(is_a_sentence_of_its_own(text) for text in said)
    assert len(set(said)) == len(kinds)


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_of_the_session_has_its_sentence(station_app: Flask, code: str) -> None:
    template = "{% import 'station/words.html' as words %}{{ words.not_now(code) }}"
    assert is_a_sentence_of_its_own(say(station_app, template, code=code))


def test_the_lists_above_found_something() -> None:
    assert len(CODES) >= 8
    assert len(NOTICES) >= 6
    assert len(REFUSALS) >= 5
