"""The capture page in a real Chromium: fingers, keys, a screen reader's view, and a station that comes and goes."""

from dataclasses import replace

import pytest

from appliance.api import FaultView, HandedOverView, LinkView, Notice, SessionState, Verdict
from tests.web_ui.browser import (  # noqa: F401 - the same browser
    SIZES,
    Screen,
    pytestmark,
    wait_for,
    wait_until,
)
from tests.web_ui.fakes import BLUR, CUT, FakeStation, capture_view, job_view

STATES = ("closed", "empty", "ok", "warn", "bad", "unsure", "paused", "fault")


def show_state(station: FakeStation, name: str) -> None:
    before = [capture_view(n) for n in range(1, 8)]
    last = {
        "warn": capture_view(8, Verdict.WARN, left=(CUT,)),
        "bad": capture_view(8, Verdict.BAD, right=(BLUR,)),
        "unsure": capture_view(8, Verdict.UNSURE),
    }.get(name, capture_view(8))
    state = {"paused": SessionState.PAUSED, "fault": SessionState.FAULT}.get(name, SessionState.READY)
    fault = FaultView("CAM-02", "camera:0", 3) if name == "fault" else None
    if name == "closed":
        done = (HandedOverView("a", "Kiều", 44, 44, True), HandedOverView("b", "", 50, 38, False))
        station.show(state=SessionState.CLOSED, job=None, last=None, fault=None, notice=None, handed_over=done)
    elif name == "empty":
        station.show(state=state, job=job_view(), last=None, fault=None, notice=None)
    else:
        job = job_view(*before, last, to_fix=int(name == "bad"))
        station.show(
            state=state,
            job=job,
            last=last,
            fault=fault,
            notice=Notice("c.hold-kept", 5),
            clock_synchronised=False,
            link=LinkView("offline", 6, 1, 1),
            queue_length=2,
            safe_captures=8,
        )


def follow(screen: Screen, station: FakeStation, state: str) -> None:
    """Bring the station into `state` and wait until the screen has followed."""
    show_state(station, state)
    wait_for(screen, f"document.getElementById('face').dataset.number === '{station.snapshot().number}'")


@pytest.mark.parametrize("state", [s for s in STATES if s not in ("closed",)])
def test_at_the_smallest_touch_screen_every_command_is_on_it_without_scrolling(
    chromium: object, address: str, station: FakeStation, state: str
) -> None:
    show_state(station, state)
    with Screen(chromium, address, SIZES["small touch"]) as screen:
        bottoms = screen.page.evaluate(
            "[...document.querySelectorAll('.actions .button, .verdict')].map(e => e.getBoundingClientRect().bottom)"
        )
        assert bottoms
        assert max(bottoms) <= 600
        live = screen.page.locator("#live-card")
        if state == "fault":
            assert live.count() == 0, "no picture that cannot be live, beside a camera that is gone"
        else:
            assert live.evaluate("card => card.getBoundingClientRect().height") > 100


def test_a_press_is_seen_within_a_tenth_of_a_second_and_told_to_the_station(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        screen.page.evaluate(
            """() => { addEventListener('pointerdown', () => { window.pressedAt = performance.now(); }, true);
            new MutationObserver(() => { window.seenAt ??= performance.now(); })
              .observe(document.documentElement, { attributes: true, attributeFilter: ['class'] }); }"""
        )
        box = screen.page.locator("#do-press").bounding_box()
        screen.page.mouse.move(box["x"] + 20, box["y"] + 20)
        screen.page.mouse.down()
        wait_for(screen, "window.seenAt")
        assert screen.page.evaluate("window.seenAt - window.pressedAt") <= 100
        wait_until(screen, lambda: ("press",) in station.asked)
        assert ("release",) not in station.asked
        screen.page.mouse.up()
        wait_until(screen, lambda: ("release",) in station.asked)
        assert station.asked == [("press",), ("release",)]


def test_holding_the_button_holds_the_pedal_although_the_page_changes_meanwhile(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        screen.page.locator("#do-press").hover()
        screen.page.mouse.down()
        wait_for(screen, "document.documentElement.classList.contains('held')")
        station.judge(Verdict.OK)
        screen.page.wait_for_timeout(300)
        assert station.asked == [("press",)]
        screen.page.mouse.up()
        wait_until(screen, lambda: station.asked == [("press",), ("release",)])


def test_the_keyboard_does_everything_and_repeats_count_once(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "bad")
    with Screen(chromium, address) as screen:
        keys = screen.page.keyboard
        keys.down("Space")
        keys.down("Space")
        keys.up("Space")
        keys.press("Enter")
        wait_until(screen, lambda: station.asked.count(("release",)) == 2)
        assert station.asked == [("press",), ("release",)] * 2
        show_state(station, "bad")
        screen.page.wait_for_selector("#do-keep-capture-8")
        for key, asked in (("k", ("keep", "capture-8")), ("r", ("retake",)), ("z", ("undo",)), ("p", ("pause",))):
            keys.press(key)
            wait_until(screen, lambda asked=asked: asked in station.asked)
        screen.page.wait_for_selector("#do-resume")
        keys.press("p")
        wait_until(screen, lambda: ("resume",) in station.asked)


def test_letters_can_be_switched_off_and_stay_off(chromium: object, address: str, station: FakeStation) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        screen.page.locator("#keys").click()
        screen.page.reload()
        screen.page.keyboard.press("z", delay=150)  # as a person types: faster, it would be a scanner
        screen.page.keyboard.press("Space")
        wait_until(screen, lambda: ("release",) in station.asked)
        assert ("undo",) not in station.asked


def test_a_verdict_appears_by_itself_and_is_said_once_to_a_screen_reader(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        live = screen.page.locator("#say-verdict")
        assert live.text_content() == ""
        screen.page.keyboard.press("Space")
        screen.page.wait_for_selector(".shot.is-last:has-text('9')")
        station.judge(Verdict.BAD, right=(BLUR,))
        screen.page.wait_for_selector(".stage-bad")
        assert live.text_content().startswith("CHỤP LẠI – trang phải bị mờ.")
        screen.page.evaluate("document.getElementById('say-verdict').textContent = ''")
        station.show(safe_captures=99)
        wait_for(screen, f"document.getElementById('face').dataset.number === '{station.snapshot().number}'")
        assert live.text_content() == ""


def test_focus_stays_where_it_was_while_the_page_follows_the_station(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        screen.page.locator("#do-undo").focus()
        for name in ("warn", "bad", "ok"):
            show_state(station, name)
            screen.page.wait_for_selector(f".stage-{name}")
        assert screen.page.evaluate("document.activeElement.id") == "do-undo"


def test_the_live_picture_runs_and_rests_while_nobody_looks(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        wait_for(screen, "Number(document.getElementById('live').dataset.number) > 2")
        assert (
            screen.page.evaluate(
                "document.getElementById('live').getContext('2d').getImageData(100, 100, 1, 1).data[3]"
            )
            == 255
        )
        screen.page.evaluate(
            """() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true });
            document.dispatchEvent(new Event('visibilitychange')); }"""
        )
        screen.page.wait_for_timeout(400)
        before = station._previews
        screen.page.wait_for_timeout(600)
        assert station._previews == before


def test_the_live_picture_is_drawn_again_when_the_page_makes_room_for_it_elsewhere(
    chromium: object, address: str, station: FakeStation
) -> None:
    station.still = True
    with Screen(chromium, address) as screen:
        for state in ("closed", "empty", "ok"):
            follow(screen, station, state)
            wait_for(screen, "Boolean(document.getElementById('live').dataset.number)")
        assert screen.page.locator("#stale").is_hidden()


def test_a_live_picture_that_stops_says_so_and_capture_still_works(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    station.camera_gone = True
    with Screen(chromium, address) as screen:
        screen.page.wait_for_selector("#stale:not([hidden])", timeout=8000)
        assert "Vẫn chụp được" in screen.page.locator("#stale").text_content()
        screen.page.keyboard.press("Space")
        wait_until(screen, lambda: ("press",) in station.asked)


def test_a_scanned_barcode_opens_the_form_wherever_the_focus_is(
    chromium: object, address: str, station: FakeStation
) -> None:
    with Screen(chromium, address) as screen:
        screen.page.evaluate(  # all within one instant, as no loaded machine can type
            """() => { for (const key of [..."QNG-003187", "Enter"])
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); }"""
        )
        screen.page.wait_for_selector("#open-job")
        assert screen.page.locator("#barcode").input_value() == "QNG-003187"
        screen.page.locator("#open-job").click()
        wait_until(screen, lambda: ("open_job", "", "QNG-003187") in station.asked)
        screen.page.wait_for_selector("#do-press")


def test_without_scripts_the_page_still_shows_and_its_buttons_still_work(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "bad")
    with Screen(chromium, address, java_script_enabled=False) as screen:
        assert "CHỤP LẠI" in screen.page.locator("#verdict").text_content()
        screen.page.locator("#do-press").click()
        screen.page.wait_for_load_state()
        assert station.asked == [("press",), ("release",)]


def test_a_screen_that_loses_the_station_says_so_and_comes_back(
    chromium: object, address: str, station: FakeStation
) -> None:
    show_state(station, "ok")
    with Screen(chromium, address) as screen:
        screen.context.set_offline(True)
        station.show(safe_captures=9)  # ends the request that is waiting
        screen.page.wait_for_selector("#lost:not([hidden])", timeout=25_000)
        screen.context.set_offline(False)
        station.judge(Verdict.WARN, left=(CUT,))
        screen.page.wait_for_selector(".stage-warn", timeout=10_000)
        assert screen.page.locator("#lost").is_hidden()


def test_the_overview_follows_the_centre_by_itself(chromium: object, central_address: str, central: object) -> None:
    with Screen(chromium, central_address) as screen:
        central.counts = replace(central.counts, pages=50_000)  # type: ignore[attr-defined]
        screen.page.wait_for_selector("text=50.000", timeout=8000)


@pytest.mark.parametrize("scheme", ["forced", "reduced"])
def test_high_contrast_and_quiet_motion_are_respected(
    chromium: object, address: str, station: FakeStation, scheme: str
) -> None:
    show_state(station, "bad")
    options = {"forced_colors": "active"} if scheme == "forced" else {"reduced_motion": "reduce"}
    with Screen(chromium, address, **options) as screen:
        if scheme == "reduced":
            screen.page.keyboard.down("Space")
            moving = "document.getAnimations().filter(a => a.effect.getTiming().duration > 1).length"
            assert screen.page.evaluate(moving) == 0
            screen.page.keyboard.up("Space")
        else:
            assert screen.page.locator("#verdict").is_visible()
