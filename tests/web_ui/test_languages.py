"""Vietnamese is the source, English is complete, and both follow their own numbers."""

import importlib.util
import re
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest
from flask.testing import FlaskClient

from appliance.api import SessionState, Verdict
from tests.web_ui.fakes import FakeStation, capture_view, job_view

ROOT = Path(__file__).parents[2]
WEB_UI = ROOT / "web_ui"
VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "tools" / "translations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_sentence_of_the_templates_has_its_english_text_and_no_other_is_kept(tool: ModuleType) -> None:
    wanted = {message.id for message in tool.extracted() if message.id}
    catalog = tool.translated()
    present = {message.id for message in catalog if message.id}
    assert present == wanted
    for message in catalog:
        if message.id:
            texts = (message.string,) if isinstance(message.string, str) else message.string
            assert all(texts), f"no English for {message.id}"
            assert not message.fuzzy
            assert not any(VIETNAMESE.search(re.sub("Hán Nôm", "", text)) for text in texts), message.id


def test_every_english_text_names_the_same_values_as_its_source(tool: ModuleType) -> None:
    for message in tool.translated():
        if message.id:
            source = message.id if isinstance(message.id, str) else message.id[0]
            texts = (message.string,) if isinstance(message.string, str) else message.string
            for text in texts:
                assert set(re.findall(r"%\((\w+)\)s", text)) == set(re.findall(r"%\((\w+)\)s", source)), source


def test_the_compiled_catalogue_is_the_committed_one(tool: ModuleType) -> None:
    assert tool.MO_FILE.read_bytes() == tool.compiled(tool.translated())


def test_no_sentence_stands_in_python_or_in_scripts() -> None:
    for file in [*WEB_UI.rglob("*.py"), *WEB_UI.rglob("*.js")]:
        found = VIETNAMESE.search(file.read_text(encoding="utf-8").replace("Tiếng Việt", ""))
        assert not found, f"{file} holds words; they belong in the templates"


def test_no_template_says_anything_untranslated() -> None:
    for file in WEB_UI.rglob("templates/**/*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not VIETNAMESE.search(text), f"{file} says something outside _()"


def test_all_text_is_normalised_so_that_searching_and_fonts_work() -> None:
    for file in [*WEB_UI.rglob("*.html"), *WEB_UI.rglob("*.po")]:
        text = file.read_text(encoding="utf-8")
        assert text == unicodedata.normalize("NFC", text), file


def test_sentences_for_the_eye_are_short(tool: ModuleType) -> None:
    long = [
        sentence
        for message in tool.extracted()
        if message.id
        for sentence in re.split(r"(?<=[.?!;]) ", message.id if isinstance(message.id, str) else message.id[0])
        if len(sentence.split()) > 18
    ]
    assert long == []


def test_the_language_is_chosen_by_address_and_then_remembered(person: FlaskClient) -> None:
    assert 'lang="vi"' in person.get("/").text
    english = person.get("/?lang=en").text
    assert 'lang="en"' in english
    assert "Start a job" in english
    assert "Start a job" in person.get("/").text
    assert "Mở phiếu chụp" in person.get("/?lang=vi").text
    assert "Mở phiếu chụp" in person.get("/?lang=xx").text


@pytest.mark.parametrize(("language", "number"), [("vi", "1.284"), ("en", "1,284")])
def test_numbers_are_written_as_the_language_writes_them(
    person: FlaskClient, station: FakeStation, language: str, number: str
) -> None:
    station.show(state=SessionState.READY, job=job_view(), room_for_captures=1284)
    assert number in person.get(f"/?lang={language}").text


def test_english_counts_one_page_and_two_pages(person: FlaskClient, station: FakeStation) -> None:
    last = capture_view(1, Verdict.OK)
    station.show(state=SessionState.READY, job=job_view(last), last=last)
    assert "1 capture " in person.get("/?lang=en").text
    assert "2 pages are safe" in person.get("/?lang=en").text
