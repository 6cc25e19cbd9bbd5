"""Finds the pairing code on a photograph, or in front of the station's own camera."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import zxingcpp

from appliance.errors import PairingError
from firmware.camera_replay import read_photograph
from firmware.errors import HardwareError
from firmware.interfaces import Camera, Plane
from wire.pairing_code import Invitation, NotAnInvitation, read_invitation

LOOK_S: Final = 60.0
"""Time to hold a telephone or a sheet of paper where the book lies."""
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_BETWEEN_S: Final = 0.2
_FULL_EVERY: Final = 5
"""Looks at the small picture for each one at the full frame, which takes long and finds what is small."""


def read_photo(file: Path) -> Invitation:
    """Return what the code on a photograph says.

    Raises:
        PairingError: PAIR-08, there is none, or more than one.
        HardwareError: CAM-05, the file is no photograph.
    """
    found = _invitations(read_photograph(file).y)
    if len(found) != 1:
        why = "there is none" if not found else "there are several"
        raise PairingError("PAIR-08", f"No pairing code was read on {file.name}: {why}.", "Photograph it from nearer.")
    return found.pop()


def watch(
    camera: Camera, stop: threading.Event, look_s: float = LOOK_S, say: Callable[[], None] = lambda: None
) -> Invitation:
    """Return what the code in front of `camera` says, as soon as one can be read.

    Args:
        camera: open, and nobody else's.
        stop: set it to give up.
        look_s: how long to look.
        say: called after every look.

    Raises:
        PairingError: PAIR-08, none came in time.
        HardwareError: the camera fails.
    """
    until_s = time.monotonic() + look_s
    looks = 0
    while time.monotonic() < until_s and not stop.is_set():
        looks += 1
        found = _invitations(_picture(camera, full=looks % _FULL_EVERY == 0))
        if len(found) == 1:
            return found.pop()
        say()
        stop.wait(_BETWEEN_S)
    raise PairingError(
        "PAIR-08",
        "No pairing code was seen.",
        "Hold the code where the book lies, as large and as still as possible; or use --photo or --address.",
    )


def _picture(camera: Camera, *, full: bool) -> Plane:
    if full:
        return camera.capture(pressed_at_ns=time.monotonic_ns()).y
    picture = cv2.imdecode(np.frombuffer(camera.preview().jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise HardwareError("CAM-02", "The camera gives no picture.", "Switch it off and on.")
    return np.ascontiguousarray(picture, dtype=np.uint8)


def _invitations(picture: Plane) -> set[Invitation]:
    """Return the pairing codes on a picture; other codes (a book's, a cupboard's) are none."""
    found = set()
    for code in zxingcpp.read_barcodes(picture, _QR):
        try:
            found.add(read_invitation(code.text))
        except NotAnInvitation:
            continue
    return found
