"""The capture page within its budgets, in a real Chromium, where it matters on a processor four times as slow.

What a busy machine does to a time is not ours: a time counts where one of a few rounds keeps it.
"""

import gzip
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from appliance.api import SessionState, Verdict
from tests.web_ui.browser import (  # noqa: F401 - the same browser
    Screen,
    address,
    chromium,
    pytestmark,
    wait_until,
)
from tests.web_ui.fakes import FakeStation, job_view
from tests.web_ui.test_in_browser import show_state

ROUNDS = 4
PRESSES = 20
SLOWER = 4
MAX_SCRIPT_GZ, MAX_STYLE_GZ = 30_000, 10_000
MAX_FEEDBACK_MS, MAX_INTERACTION_MS, MAX_FIRST_PAINT_MS = 100, 200, 1000
MAX_SHIFT = 0.02
LIVE_FPS = (5, 10)
WATCH = """() => { Object.assign(window, { felt: [], shifted: 0, moved: [] });
  new PerformanceObserver(list => list.getEntries().forEach(e => { if (e.name === 'keydown') felt.push(e.duration); }))
    .observe({ type: 'event', durationThreshold: 16 });
  new PerformanceObserver(list => list.getEntries().forEach(e => { if (e.hadRecentInput) return;
    shifted += e.value; moved.push(e.sources.map(s => s.node?.id || s.node?.className)); }))
    .observe({ type: 'layout-shift', buffered: true }); }"""


@pytest.fixture
def screen(chromium: object, address: str, station: FakeStation) -> Iterator[Screen]:  # noqa: F811
    show_state(station, "ok")
    with Screen(chromium, address, (1024, 600)) as opened:
        opened.page.evaluate(WATCH)
        yield opened


def slow_down(screen: Screen, times: int = SLOWER) -> None:
    screen.context.new_cdp_session(screen.page).send("Emulation.setCPUThrottlingRate", {"rate": times})


def best_of(rounds: int, measure: Callable[[], float], limit: float) -> float:
    """Return the first value within `limit`, or the least of all."""
    values = []
    for _ in range(rounds):
        values.append(measure())
        if values[-1] <= limit:
            break
    return min(values)


def felt_ms(screen: Screen, station: FakeStation) -> list[float]:
    """From each of many presses of the key to the next picture on the glass; what took under 16 ms counts as that."""
    station.asked.clear()
    screen.page.evaluate("felt.length = 0")
    for number in range(1, PRESSES + 1):
        screen.page.keyboard.press("Space", delay=30)
        wait_until(screen, lambda number=number: station.asked.count(("release",)) == number)
    screen.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    felt = screen.page.evaluate("felt")
    return sorted([16.0] * max(0, PRESSES - len(felt)) + felt)


def test_a_press_of_the_key_is_on_the_glass_within_a_tenth_of_a_second(screen: Screen, station: FakeStation) -> None:
    def p95_ms() -> float:
        return felt_ms(screen, station)[round(PRESSES * 0.95) - 1]

    assert best_of(ROUNDS, p95_ms, MAX_FEEDBACK_MS) <= MAX_FEEDBACK_MS


def test_a_press_is_answered_on_a_slow_processor_too(screen: Screen, station: FakeStation) -> None:
    slow_down(screen)
    # One of twenty may be the machine's: the measure of the web (INP) leaves the worst out, too.
    assert best_of(ROUNDS, lambda: felt_ms(screen, station)[-2], MAX_INTERACTION_MS) <= MAX_INTERACTION_MS


def test_the_page_is_there_within_a_second_with_a_cold_browser_on_a_slow_processor(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
) -> None:
    show_state(station, "ok")

    def first_paint_ms() -> float:
        with Screen(chromium, address, (1024, 600)) as screen:
            page = screen.context.new_page()
            slow = screen.context.new_cdp_session(page)
            slow.send("Network.enable")
            slow.send("Network.setCacheDisabled", {"cacheDisabled": True})
            slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(address)
            page.wait_for_selector("#face")
            return float(
                page.evaluate(
                    "new Promise(done => new PerformanceObserver(list => { for (const e of list.getEntries())"
                    " if (e.name === 'first-contentful-paint') done(e.startTime); })"
                    ".observe({ type: 'paint', buffered: true }))"
                )
            )

    assert best_of(ROUNDS, first_paint_ms, MAX_FIRST_PAINT_MS) <= MAX_FIRST_PAINT_MS


def test_nothing_jumps_while_the_page_comes_and_while_verdicts_follow_each_other(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
) -> None:
    station.show(state=SessionState.READY, job=job_view(), last=None, fault=None, notice=None)
    with Screen(chromium, address, (1024, 600)) as screen:
        screen.page.evaluate(WATCH)
        for verdict in (Verdict.OK, Verdict.WARN, Verdict.BAD, Verdict.UNSURE, Verdict.OK):
            station.press()  # a foot: what it moves is not excused by a hand on the screen
            station.judge(verdict)
            number = str(station.snapshot().number)
            wait_until(
                screen, lambda number=number: screen.page.locator("#face").get_attribute("data-number") == number
            )
            screen.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert screen.page.evaluate("shifted") <= MAX_SHIFT, screen.page.evaluate("moved")


def test_the_live_picture_keeps_its_pace_and_rests_while_nobody_looks(screen: Screen, station: FakeStation) -> None:
    wait_until(screen, lambda: station._previews > 3)
    fps = screen.page.evaluate(
        """async () => { const live = document.getElementById('live'); let drawn = 0;
        const watch = new MutationObserver(() => { drawn += 1; });
        watch.observe(live, { attributes: true, attributeFilter: ['data-number'] });
        const began = performance.now(); await new Promise(done => setTimeout(done, 2000));
        watch.disconnect(); return 1000 * drawn / (performance.now() - began); }"""
    )
    assert LIVE_FPS[0] <= fps <= LIVE_FPS[1]


def test_what_the_page_fetches_is_small_and_its_fonts_stay_for_ever(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address, (1024, 600)) as screen:
        fetched: dict[str, bytes] = {}
        fonts: list[tuple[str, str]] = []
        page = screen.context.new_page()

        def note(answer: object) -> None:
            path = urlsplit(answer.url).path  # type: ignore[attr-defined]
            if path.endswith(".woff2"):
                fonts.append((path, answer.headers.get("cache-control", "")))  # type: ignore[attr-defined]
            if path.endswith((".js", ".css")):
                fetched[path] = answer.body()  # type: ignore[attr-defined]

        page.on("response", note)
        page.goto(address)
        page.wait_for_selector("#live[data-number]")
        page.evaluate("document.fonts.ready")
        for ending, limit in ((".js", MAX_SCRIPT_GZ), (".css", MAX_STYLE_GZ)):
            files = [content for path, content in fetched.items() if path.endswith(ending)]
            assert 0 < sum(len(gzip.compress(content)) for content in files) <= limit
        assert fonts
        assert len({path for path, _ in fonts}) == len(fonts), "a font came twice"
        assert all("immutable" in words for _, words in fonts), fonts
