"""The ways to work a station, each by itself: keys, fingers, or one switch.

A journey is written once and walked in each of them. All three can do the same: choose what a selector names, press,
replace what was taken, press for the last time, and finish.
"""

from collections.abc import Callable

from tests.appliance.session.conftest import Station
from tests.web_ui.browser import Screen
from tests.web_ui.journey import walk_to


class Keys:
    """A keyboard, and nothing else."""

    def __init__(self, screen: Screen, station: Station) -> None:
        self._screen, self._keys = screen, screen.page.keyboard

    def choose(self, selector: str) -> None:
        """Press Tab until the focus is there, as somebody does who has no mouse; then Enter."""
        self.tab_to(selector)
        self._keys.press("Enter")

    def tab_to(self, selector: str) -> None:
        """Bring the focus there. Wherever it rests on its way it is seen."""
        target = self._screen.page.locator(selector).first
        target.wait_for()
        for _ in range(60):
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
                return
            self._keys.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by Tab")

    def press(self) -> None:
        """Space is the pedal."""
        known_released(self._screen, lambda: self._keys.press("Space"))

    def replace(self) -> None:
        """By its letter."""
        self._keys.press("r")

    def press_last(self) -> None:
        """Like any other."""
        self.press()

    def finish(self) -> None:
        """By its letter."""
        self._keys.press("f")


class Fingers:
    """The glass, and nothing else."""

    def __init__(self, screen: Screen, station: Station) -> None:
        self._screen, self._page = screen, screen.page

    def choose(self, selector: str) -> None:
        """Tap."""
        self._page.locator(selector).first.tap()

    def press(self) -> None:
        """The large button."""
        known_released(self._screen, lambda: self._page.tap("#do-press"))

    def replace(self) -> None:
        """The button beside it."""
        self._page.tap("#do-retake")

    def press_last(self) -> None:
        """Like any other."""
        self.press()

    def finish(self) -> None:
        """The one below."""
        self._page.tap("#finish")


class Foot:
    """One switch: a pedal, or whatever somebody can press and hold."""

    def __init__(self, screen: Screen, station: Station) -> None:
        self._screen, self._station = screen, station

    def choose(self, selector: str) -> None:
        """Press until the focus is there, then hold."""
        walk_to(self._screen, self._station, selector)

    def press(self) -> None:
        """Press and let go."""
        self._station.press()

    def replace(self) -> None:
        """Hold for a second."""
        self._station.press(held_s=1.0)

    def press_last(self) -> None:
        """Hold for three seconds: the picture is taken, then the station pauses."""
        self._station.press(held_s=4.0)

    def finish(self) -> None:
        """One more hold, in the pause, looks through what was taken."""
        self._screen.page.wait_for_selector("#do-resume, [data-paused]")
        self._station.press(held_s=1.0)


def known_released(screen: Screen, act: Callable[[], object]) -> None:
    """Press with a key or a finger, until the station knows that it is up again: the time that passes is ours."""
    with screen.page.expect_response(lambda answer: answer.url.endswith("/release")):
        act()
