"""The lamp on a pin: on or off through a relay or a transistor. Software PWM would paint bands across the page."""

from gpiozero import DigitalOutputDevice, Factory


class GpioLamp:
    """Implements `Lamp` for a lamp that only switches.

    Args:
        pin: BCM number, high = on.
        pins: where the pin is.
    """

    def __init__(self, pin: int, pins: Factory) -> None:
        self._output = DigitalOutputDevice(pin, initial_value=False, pin_factory=pins)

    def set(self, brightness: float) -> None:
        """Switch on above 0, off at 0; raises `ValueError` outside 0.0-1.0."""
        if not 0.0 <= brightness <= 1.0:
            raise ValueError(f"brightness is 0.0 to 1.0, not {brightness}")
        self._output.value = brightness > 0

    def close(self) -> None:
        """Switch off and free the pin. May be called twice."""
        if not self._output.closed:
            self._output.off()
        self._output.close()
