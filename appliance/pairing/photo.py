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


Eye = Callable[[bool], Plane]
"""Gives a picture of what lies before the camera: a small one at once, or, where asked and possible, a full one."""


def watch(eye: Eye, stop: threading.Event, look_s: float = LOOK_S) -> Invitation:
    """Return what the code before `eye` says, as soon as one can be read.

    Args:
        eye: where the pictures come from.
        stop: set it to give up.
        look_s: how long to look.

    Raises:
        PairingError: PAIR-08, none came in time.
        HardwareError: the camera fails.
        OSError: `eye` is gone.
    """
    until_s = time.monotonic() + look_s
    looks = 0
    while time.monotonic() < until_s and not stop.is_set():
        looks += 1
        found = _invitations(eye(looks % _FULL_EVERY == 0))
        if len(found) == 1:
            return found.pop()
        stop.wait(_BETWEEN_S)
    raise PairingError(
        "PAIR-08",
        "No pairing code was seen.",
        "Hold the code where the book lies, as large and as still as possible; or use --photo or --address.",
    )


def own_eye(camera: Camera) -> Eye:
    """Return how to look through a camera that is open here."""

    def look(full: bool) -> Plane:
        return camera.capture(pressed_at_ns=time.monotonic_ns()).y if full else _grey(camera.preview().jpeg)

    return look


def lent_eye(preview: Callable[[], bytes]) -> Eye:
    """Return how to look through the camera of a running station: by its preview, as JPEG."""
    return lambda _full: _grey(preview())


def _grey(jpeg: bytes) -> Plane:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) if jpeg else None
    if picture is None:
        raise HardwareError("CAM-02", "The camera gives no picture.", "Wait: the station opens it again by itself.")
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
