"""Set-up, disk and health in a real Chromium: every look and size, with the glass alone, and without loading anew."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from appliance.api import SessionState, Verdict
from appliance.setup.api import CarryView, Certificate, FeetView, NetworkView, PairingView, PowerView, Progress
from tests.web_ui.browser import (
    CHROMIUM,
    SIZES,
    Screen,
    assert_fits,
    axe_violations,
    chromium,
    contrast_faults,
    wait_until,
)
from tests.web_ui.fakes import BLUR, LAN, MINH, FakeStation, capture_view, job_view
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.setup_fakes import GOOD, NETWORKS, STICK, UNEVEN, UNWELL, FakeSetUp
from web_ui.station.app import create_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
__all__ = ["chromium"]
OLD = Certificate("2026-01-02T03:04:05Z", 4056, GOOD.rows)
STATES: dict[str, tuple[str, dict[str, object]]] = {
    "language": ("/setup/language", {}),
    "offline": ("/setup/network", {"network_view": NetworkView((), has_way_out=False)}),
    "pair": ("/setup/pairing", {"pairing_view": PairingView("idle", "tram-02")}),
    "comparing": ("/setup/pairing", {"pairing_view": PairingView("comparing", "tram-02", shown="7K0M-1XPD")}),
    "refused": ("/setup/pairing", {"pairing_view": PairingView("failed", "tram-02", code="PAIR-15")}),
    "parts": (
        "/setup/parts",
        {"feet_view": FeetView(3, 2, 1, 0), "done": Progress({}, {"lamp": True, "light": False})},
    ),
    "networks": ("/setup/network", {"network_view": NETWORKS}),
    "calibration": ("/setup/calibration", {}),
    "uneven": ("/setup/calibration", {"reading_view": UNEVEN}),
    "certificate": ("/setup/certificate", {"done": Progress(certificate=OLD)}),
    "book": ("/setup/book", {}),
    "book-open": ("/setup/book", {}),
    "book-red": ("/setup/book", {}),
    "book-paused": ("/setup/book", {}),
    "done": ("/setup/done", {}),
    "due": ("/", {"done": Progress(certificate=OLD, is_put_off=True)}),
    "choose": ("/disk", {"plugged": (STICK,)}),
    "copying": ("/disk", {"plugged": (STICK,), "carry_view": CarryView("copying", "sda1", 4, 19)}),
    "full": ("/disk", {"plugged": (STICK,), "carry_view": CarryView("failed", "sda1", left=5, code="CARRY-02")}),
    "well": ("/health", {}),
    "unwell": ("/health", {"rows": UNWELL}),
    "switch-off": ("/power", {}),
    "switch-off-refused": ("/power", {"power_view": PowerView("failed", "off", "ERR-02")}),
    "switching-off": ("/power", {"power_view": PowerView("going", "off")}),
}

_GOOD = (capture_view(1), capture_view(2))
_RED = (*_GOOD, capture_view(3, Verdict.BAD, right=(BLUR,)))
WITH: dict[str, dict[str, object]] = {
    "book-open": {"state": SessionState.READY, "job": job_view(*_GOOD), "last": _GOOD[-1]},
    "book-red": {"state": SessionState.READY, "job": job_view(*_RED, to_fix=1), "last": _RED[-1]},
    "book-paused": {"state": SessionState.PAUSED, "job": job_view(*_RED, to_fix=1), "last": _RED[-1]},
    "due": {"people": (LAN, MINH), "person": LAN},
}
"""How the station stands meanwhile, where that is shown; else it is new, and nothing is captured."""
NEW: dict[str, object] = {
    "state": SessionState.CLOSED,
    "job": None,
    "is_reviewing": False,
    "last": None,
    "fault": None,
    "people": (),
    "person": None,
}


@pytest.fixture
def setup() -> FakeSetUp:
    return FakeSetUp()


@pytest.fixture
def address(station: FakeStation, setup: FakeSetUp) -> Iterator[str]:
    station.show(people=(), person=None)  # before anybody has a PIN
    app: Flask = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=setup)
    with served(app) as address:
        yield address


def show(setup: FakeSetUp, name: str, station: FakeStation | None = None) -> str:
    """Bring the desk and the station into the state `name` and return the page that shows it."""
    path, changes = STATES[name]
    if station is not None:
        station.show(**(NEW | WITH.get(name, {})))
    setup.__init__()  # type: ignore[misc]
    for field, value in changes.items():
        setattr(setup, field, value)
    return path


CROWDED = ("comparing", "parts", "full", "unwell", "uneven", "book-red", "certificate")
"""Those on which most stands."""


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_accessibility_fault_in_any_state_and_look_and_everything_fits(
    chromium: object, address: str, setup: FakeSetUp, station: FakeStation, language: str
) -> None:
    with Screen(chromium, address, SIZES["small touch"], reduced_motion="reduce") as screen:
        # Every other state in each language, as with the other screens.
        for name in tuple(STATES)[language == "en" :: 2]:
            screen.page.goto("about:blank")
            screen.page.goto(f"{address}{show(setup, name, station)}?lang={language}")
            assert axe_violations(screen.page) == [], name
            assert contrast_faults(screen.page) == [], name
            assert_fits(screen, name, smallest_px=44 if name == "due" else 56)


def test_at_400_percent_nothing_runs_off_the_side(
    chromium: object, address: str, setup: FakeSetUp, station: FakeStation
) -> None:
    with Screen(chromium, address, SIZES["zoomed to 400 %"]) as screen:
        for name in CROWDED:
            screen.page.goto("about:blank")
            screen.page.goto(f"{address}{show(setup, name, station)}")
            assert_fits(screen, name, smallest_px=56)


def test_the_code_is_typed_on_the_glass_while_the_page_follows(
    chromium: object, address: str, setup: FakeSetUp
) -> None:
    path = show(setup, "comparing")
    with Screen(chromium, address, SIZES["small touch"], has_touch=True) as screen:
        screen.page.goto(address + path)
        for letter in "7K0M":
            screen.page.get_by_role("button", name=letter, exact=True).tap()
        screen.page.get_by_role("button", name="Xóa một chữ").tap()
        # The page renews itself meanwhile and takes nothing of what was typed.
        with screen.page.expect_response("**/setup/pairing?fragment=1"):
            pass
        assert screen.page.locator("#code").input_value() == "7K0"
        screen.page.get_by_role("button", name="So hai mã").tap()
        wait_until(screen, lambda: ("compare", "7K0") in setup.asked)


def test_what_happens_is_seen_without_loading_anew(chromium: object, address: str, setup: FakeSetUp) -> None:
    def change(**views: object) -> Callable[[], None]:
        return lambda: [setattr(setup, name, view) for name, view in views.items()]  # type: ignore[return-value, func-returns-value]

    with Screen(chromium, address) as screen:
        screen.page.goto(address + show(setup, "pair"))
        change(pairing_view=PairingView("paired", "tram-02", "thuvien.local"))()
        screen.page.wait_for_selector("text=Trung tâm: thuvien.local")
        screen.page.goto(address + show(setup, "copying"))
        change(carry_view=CarryView("done", "sda1", captures=2))()
        screen.page.wait_for_selector("text=Xong, có thể rút USB")
        screen.page.goto(address + show(setup, "parts"))
        change(feet_view=FeetView(4, 2, 1, 1))()
        screen.page.wait_for_selector("#feet-now .tone-ok >> nth=2")


def test_a_plugged_in_disk_is_offered_between_two_books_and_takes_no_for_an_answer(
    chromium: object, address: str, setup: FakeSetUp, station: FakeStation
) -> None:
    with Screen(chromium, address) as screen:
        assert screen.page.locator("#offer").is_hidden()
        setup.plugged = (STICK,)
        screen.page.reload()
        screen.page.wait_for_selector("#offer:visible")
        assert axe_violations(screen.page) == []
        screen.page.locator("#offer-not-now").click()
        assert screen.page.locator("#offer").is_hidden()
        screen.page.reload()
        screen.page.locator("#offer a").click()
        screen.page.wait_for_selector("#disk-now")
        station.show(state=SessionState.READY, job=job_view())
        with screen.page.expect_response("**/disk/offer"):
            screen.page.goto(address)
        assert screen.page.locator("#offer").is_hidden(), "nobody is disturbed while capturing"
        station.show(state=SessionState.PAUSED, room_for_captures=0)
        screen.page.goto(address)
        screen.page.wait_for_selector("#offer:visible")


def test_the_door_is_opened_on_the_glass_and_can_be_used_by_everybody(
    chromium: object, address: str, station: FakeStation
) -> None:
    station.show(people=(LAN, MINH))
    with Screen(chromium, address, SIZES["small touch"], has_touch=True) as screen:
        screen.page.goto(f"{address}/setup/language")
        for name in ("choosing", "typing"):
            assert axe_violations(screen.page) == [], name
            assert_fits(screen, name, smallest_px=44)
            if name == "choosing":
                screen.page.get_by_role("link", name=LAN.name).tap()
                screen.page.wait_for_selector("#pad button")
        for _ in range(4):
            screen.page.get_by_role("button", name="1", exact=True).tap()
        screen.page.wait_for_url("**/setup/language")
