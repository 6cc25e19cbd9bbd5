"""The first ``station.toml`` of a new station: every key that people change, with a word on what it does.

Written once and never again: from then on the file belongs to whoever looks after the station.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.config import parse
from appliance.errors import ConfigError

SPOOL: Final = Path("/srv/lattrang/spool")
STATION_FOLDER: Final = Path("/var/lib/lattrang-station")
PUBLISHER_FOLDER: Final = Path("/var/lib/lattrang-publisher")
_FILE_MODE: Final = 0o640


@dataclass(frozen=True, slots=True)
class Machine:
    """What the parts of a station are driven by.

    Attributes:
        camera: driver of the camera.
        pedal: driver of the pedal.
        pin_part: driver of lamp and status light.
        sounder: driver of the loudspeaker.
    """

    camera: str
    pedal: str
    pin_part: str
    sounder: str


PI: Final = Machine("picamera2", "gpio", "gpio", "alsa")
WITHOUT_HARDWARE: Final = Machine("simulated", "driven", "none", "none")


def first_config(name: str, machine: Machine, centre: str | None = None) -> str:
    """Return the text of a new ``station.toml``.

    Raises:
        ConfigError: CONF-01, `name` cannot be used.
    """
    text = _TEXT.format(
        name=name,
        spool=SPOOL,
        token=STATION_FOLDER / "web.token",
        keys=PUBLISHER_FOLDER,
        centre=centre or "centre.example",
        camera=machine.camera,
        pedal=machine.pedal,
        pin_part=machine.pin_part,
        sounder=machine.sounder,
    )
    parse(text, base=Path("/"))
    return text


def write_once(file: Path, text: str) -> bool:
    """Write a new configuration, durable and readable for owner and group; returns False where there is one already.

    Raises:
        ConfigError: CONF-04, the file cannot be written.
    """
    temporary = file.with_name(f"{file.name}.new")
    try:
        if file.exists():
            return False
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(file)
    except OSError as error:
        raise ConfigError(
            "CONF-04", f"The configuration {file} cannot be written ({error.strerror}).", "Run this as root."
        ) from error
    return True


_TEXT: Final = """\
# A station of Lattrang. Written once by install.sh; from now on it is yours.
# After a change:  sudo lattrang station doctor && sudo systemctl restart lattrang-station lattrang-publisher

[station]
id = "{name}"             # a-z, 0-9 and dashes; the centre knows the station by it, so it stays for ever
label = ""                # for people: "Phòng đọc, tầng 2"

[spool]
folder = "{spool}"        # captures lie here until the centre has proved that it has them
reserve_mib = 512         # room that captures never use

[web]
token_file = "{token}"    # what a person signs in with
host = "127.0.0.1"        # the screen is the station's own; nobody else can reach it
port = 8500
language = "vi"           # or "en"

# Pins are BCM numbers. "none" stands for a part that is not there.
[hardware]
pedal = "{pedal}"         # "gpio": a switch between pedal_pin and ground; "driven": screen and keyboard
pedal_pin = 17
settle_ms = 50            # a contact bounces for so long
hold_ms = 800             # held so long: the capture replaces the one before it
hold_long_ms = 3000       # held so long: pause
lamp = "{pin_part}"       # "gpio": switched; "pwm": dimmed by hardware PWM; "none"
lamp_pin = 18
light = "{pin_part}"      # the status light: "gpio" or "none"
light_pin = 23
sounder = "{sounder}"     # "alsa" or "none"
volume = 0.35             # 0.0 to 1.0
cradle = "none"           # "gpio": a switch between platen_pin and ground, closed when the glass is down
platen_pin = 24

# One section a camera; with imaging.layout = "two-camera" there are two.
[[hardware.cameras]]
driver = "{camera}"       # "picamera2"; "replay" shows a folder of photographs; "simulated" draws a book
number = 0                # picamera2: which of the cameras found

[imaging]
profile = "sach-in-300"   # what pages are held against: sach-in-300, quy-hiem-400, van-ban-200, bao-200
layout = "spread"         # spread, single, two-camera, rectos-versos, parts
rotation_cw = []          # one turn a camera: [0], [90], [180] or [270]; empty: the text tells which way is up
queue_limit = 4           # captures that may wait to be judged before the next press is refused

[uplink]
hours = []                # when pictures may go, local time: ["18:00-07:00"]; empty: always
limit_kbps = 0            # most that is sent, in thousand bits a second; 0: no limit

# The library's catalogue, for books that are in no batch: an SRU server that gives MARCXML, such as Koha's.
[catalogue]
sru = ""                  # "http://koha.example:9999/biblios"; empty: nobody is asked
index = "bc"              # its CQL index of copies' barcodes

# The way to the centre. Pairing fills it in.
# [broker]
# host = "{centre}"
# port = 8883
# ca = "{keys}/ca.crt"
# cert = "{keys}/station.crt"
# key = "{keys}/station.key"

"""
