"""Draw how the parts are wired to a Raspberry Pi, from the pin table: `.venv/bin/python tools/draw_wiring.py`.

The pins are the defaults of `firmware.registry.HardwareConfig`; a test holds the picture against them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from firmware.registry import HardwareConfig

PICTURE: Final = Path(__file__).parents[1] / "docs" / "pictures" / "wiring.svg"
HEADER: Final = (
    *("3V3", "5V", "GPIO2", "5V", "GPIO3", "GND", "GPIO4", "GPIO14", "GND", "GPIO15"),
    *("GPIO17", "GPIO18", "GPIO27", "GND", "GPIO22", "GPIO23", "3V3", "GPIO24", "GPIO10", "GND"),
    *("GPIO9", "GPIO25", "GPIO11", "GPIO8", "GND", "GPIO7", "GPIO0", "GPIO1", "GPIO5", "GND"),
    *("GPIO6", "GPIO12", "GPIO13", "GND", "GPIO19", "GPIO16", "GPIO26", "GPIO20", "GND", "GPIO21"),
)
"""What the 40 pins of the header are, pin 1 first: the same on every Raspberry Pi from the B+ on."""
_ROW, _TOP, _PIN_X = 21, 70, {1: 470, 0: 510}
"""Pixels: height of a row of two pins, where the first lies, and the columns of odd and even pins."""
_WIDTH, _BOX_WIDTH, _LABEL_WIDTH = 980, 300, 100
_FONT: Final = 'font-family="sans-serif"'


@dataclass(frozen=True, slots=True)
class Part:
    """A part outside the Pi: its box, its lines of text, and which pins (numbers on the header) it is wired to."""

    title: str
    words: tuple[str, ...]
    pins: tuple[int, ...]
    colour: str


def pin_of(bcm: int) -> int:
    """Return the number on the header of a BCM pin."""
    return HEADER.index(f"GPIO{bcm}") + 1


def ground_beside(pin: int, taken: set[int]) -> int:
    """Return the ground pin nearest to `pin` that no other part has; on the same side of the header if there is one."""
    free = [number for number, name in enumerate(HEADER, 1) if name == "GND" and number not in taken]
    return min(free, key=lambda number: (number % 2 != pin % 2, abs(number - pin), -number))


def parts(config: HardwareConfig) -> list[Part]:
    """Return what is wired to the header."""
    wired = [
        (
            "Foot pedal",
            ("switch that closes when pressed,", "no resistor: the Pi pulls up"),
            config.pedal_pin,
            "#9a3412",
        ),
        (
            "Lamp",
            ("logic-level MOSFET module: signal, ground;", "12 V for the lamp from its own supply"),
            config.lamp_pin,
            "#1d4ed8",
        ),
        ("Status light", ("LED with 330 ohm in series,", "long leg towards the pin"), config.light_pin, "#15803d"),
        (
            "Platen switch",
            ("closes when the glass is down;", "leave out where there is no glass"),
            config.platen_pin,
            "#7e22ce",
        ),
    ]
    taken: set[int] = set()
    found = []
    for title, words, bcm, colour in wired:
        ground = ground_beside(pin_of(bcm), taken)
        taken.add(ground)
        found.append(
            Part(
                title, (*words, f"GPIO{bcm} = pin {pin_of(bcm)}, ground = pin {ground}"), (pin_of(bcm), ground), colour
            )
        )
    return found


def drawing(config: HardwareConfig) -> str:
    """Return the picture as SVG."""
    wired = parts(config)
    height = _TOP + 20 * _ROW + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT} font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="490" y="26" text-anchor="middle" font-size="16">Raspberry Pi, 40-pin header</text>',
        '<text x="490" y="46" text-anchor="middle" fill="#555">pin 1 is nearest the edge with the microSD card</text>',
        f'<rect x="452" y="{_TOP - 16}" width="76" height="{20 * _ROW + 8}" rx="6" fill="#e7e5e4" stroke="#57534e"/>',
    ]
    colours = {pin: part.colour for part in wired for pin in part.pins}
    lines += [_pin(number, colours.get(number)) for number in range(1, 41)]
    for side in (1, 0):
        on_side = sorted((part for part in wired if part.pins[0] % 2 == side), key=lambda part: part.pins[0])
        for index, part in enumerate(on_side):
            lines += _part(part, side, _TOP + 8 + index * 130)
    return "\n".join([*lines, "</svg>", ""])


def _place(pin: int) -> tuple[int, int]:
    return _PIN_X[pin % 2], _TOP + (pin - 1) // 2 * _ROW


def _pin(number: int, colour: str | None) -> str:
    x, y = _place(number)
    at, anchor = (x - 26, "end") if number % 2 else (x + 26, "start")
    weight = ' font-weight="bold"' if colour else ""
    return (
        f'<circle cx="{x}" cy="{y}" r="7" fill="{colour or "#d6d3d1"}" stroke="#57534e"/>'
        f'<text x="{at}" y="{y + 4}" text-anchor="{anchor}" fill="{colour or "#78716c"}" font-size="11"{weight}>'
        f"{number} {HEADER[number - 1]}</text>"
    )


def _part(part: Part, side: int, top: int) -> list[str]:
    """Return a box and its two wires; boxes of odd pins stand on the left."""
    left = 10 if side else _WIDTH - 10 - _BOX_WIDTH
    edge = left + _BOX_WIDTH if side else left
    frame = f'x="{left}" y="{top}" width="{_BOX_WIDTH}" height="92" rx="8"'
    title = f'x="{left + 14}" y="{top + 24}" font-size="15" font-weight="bold"'
    box = [
        f'<rect {frame} fill="#fafaf9" stroke="{part.colour}" stroke-width="2"/>',
        f'<text {title} fill="{part.colour}">{escape(part.title)}</text>',
    ]
    box += [
        f'<text x="{left + 14}" y="{top + 44 + 18 * index}">{escape(words)}</text>'
        for index, words in enumerate(part.words)
    ]
    for index, pin in enumerate(part.pins):
        x, y = _place(pin)
        x += -_LABEL_WIDTH if side else _LABEL_WIDTH  # a wire ends at the pin's label, so that it can be read
        start, bend = top + 34 + 24 * index, (edge + x) // 2
        dash = ' stroke-dasharray="6 4"' if index else ""  # ground
        box.append(
            f'<path d="M{edge} {start} C{bend} {start} {bend} {y} {x} {y}" fill="none" '
            f'stroke="{part.colour}" stroke-width="2"{dash} opacity="0.75"/>'
        )
    return box


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(drawing(HardwareConfig()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
