"""A cradle whose platen closes a switch to ground when the glass is down."""

from gpiozero import Button, Factory


class GpioCradle:
    """Implements `Cradle`.

    Args:
        pin: BCM number of the switch, pulled up.
        pins: where the pin is.
    """

    def __init__(self, pin: int, pins: Factory) -> None:
        self._switch = Button(pin, pull_up=True, bounce_time=None, pin_factory=pins)

    def platen_down(self) -> bool | None:
        """Tell whether the glass is down."""
        return bool(self._switch.is_pressed)

    def close(self) -> None:
        """Free the pin. May be called twice."""
        self._switch.close()
