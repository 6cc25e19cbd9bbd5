"""Every state that a person may meet: it has its words in both languages, and they fit on every screen."""

import html
import re

import pytest
from flask.testing import FlaskClient

from tests.web_ui.browser import (  # noqa: F401 - the same browser
    CHROMIUM,
    SIZES,
    Screen,
    address,
    chromium,
    states_one_by_one,
)
from tests.web_ui.fakes import FakeStation
from tests.web_ui.states import STATES, State

SAFE = {"vi": "8 lần chụp vẫn an toàn", "en": "8 captures are safe"}
MOST_STEPS = 3
THREE_SIZES = ("small touch", "desktop", "phone")
VIETNAMESE = re.compile(r"[ăâđêôơưĂÂĐÊÔƠƯạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
TYPED = ("Chuyện bên sông Trà", "Nguyễn Thị Lan", "Trần Minh", "Tiếng Việt", "Lan", "Minh")
"""What people have typed, and a language's own name, stays as it is in every language."""

# Each line of text lies within every box that hides what runs over, and on the page. What can be scrolled to is there.
CUT_OFF = """() => { const out = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    // What people typed may be longer than any screen.
    if (parent.closest('noscript') || getComputedStyle(parent).textOverflow === 'ellipsis') continue;
    const range = document.createRange(); range.selectNodeContents(text);
    for (const line of range.getClientRects()) {
      let isWhole = line.left >= -1 && line.right <= innerWidth + 1;
      for (let box = parent; box !== document.body; box = box.parentElement) {
        const style = getComputedStyle(box), at = box.getBoundingClientRect();
        if (style.clipPath !== 'none') { isWhole = true; break; } // for screen readers alone
        if (/auto|scroll/.test(style.overflowX + style.overflowY)) { isWhole = true; break; }
        if (style.overflowX !== 'visible' && (line.left < at.left - 1 || line.right > at.right + 1)) isWhole = false;
        if (style.overflowY !== 'visible' && (line.top < at.top - 2 || line.bottom > at.bottom + 2)) isWhole = false;
      }
      if (!isWhole) { out.push(text.data.trim()); break; }
    }
  }
  return out; }"""


def words_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.key)
def test_a_state_has_its_words_in_both_languages_and_no_mixture(
    person: FlaskClient, station: FakeStation, state: State
) -> None:
    state.prepare(station)
    for language, expected in (("vi", state.vi), ("en", state.en)):
        page = person.get(f"{state.path}?lang={language}").text
        words = words_of(page)
        assert [sentence for sentence in expected if sentence not in words] == []
        assert state.code in words
        if state.stops:
            assert SAFE[language] in words
            steps = re.search(r'<ol class="steps">(.*?)</ol>', page, re.DOTALL)
            assert steps is not None
            assert 1 <= steps[1].count("<li>") <= MOST_STEPS
        if language == "en":
            for typed in TYPED:
                words = words.replace(typed, "")
            assert VIETNAMESE.findall(words) == [], words


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_word_of_any_state_is_cut_off_on_any_screen(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
    language: str,
) -> None:
    with Screen(chromium, address, SIZES[THREE_SIZES[0]], reduced_motion="reduce") as screen:
        for state in states_one_by_one(screen, station, language):
            for size in THREE_SIZES:
                screen.page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
                assert screen.page.evaluate(CUT_OFF) == [], f"{state.key} {size}"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("bar", "size"), [("#lost", "small touch"), ("#elsewhere", "desktop"), ("#lost", "phone")])
def test_a_bar_at_the_foot_lies_on_no_verdict_and_no_command(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
    bar: str,
    size: str,
) -> None:
    STATES[0].prepare(station)
    with Screen(chromium, address, SIZES[size], reduced_motion="reduce") as screen:
        screen.page.evaluate(f"document.querySelector('{bar}').hidden = false")
        # On a telephone the page scrolls; what stays in place is the verdict and the button.
        seen = "'#verdict, #do-press'" if size == "phone" else "'#verdict, .actions .button'"
        lowest = f"Math.max(...[...document.querySelectorAll({seen})].filter(e => e.checkVisibility())"
        assert screen.page.evaluate(f"{lowest}.map(e => e.getBoundingClientRect().bottom))") <= screen.page.evaluate(
            f"document.querySelector('{bar}').getBoundingClientRect().top"
        )
