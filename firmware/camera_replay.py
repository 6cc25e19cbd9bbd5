"""A camera that shows a folder of photographs, each exactly once: real books without a camera."""

import io
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from firmware.errors import CameraMissing, CameraStalled, HardwareError, NoMorePhotographs
from firmware.interfaces import CameraInfo, ControlValue, Frame, Lock, Preview
from firmware.planes import Planes, planes_from_bgr, planes_to_bgr

SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".tif", ".tiff"))
MAX_PIXELS: Final = 89_478_485
"""Where Pillow begins to warn of hostile images; more than any camera module gives, all that 2 GB can hold."""
PREVIEW_WIDTH_PX: Final = 1014
_UNREADABLE: Final = (
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    cv2.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""All the ways in which decoders say no."""
NS_PER_S: Final = 1_000_000_000


class PhotographUnreadable(HardwareError):
    """A file of the folder cannot be shown; the next capture shows the file after it."""


class ReplayCamera:
    """Implements `Camera`.

    Photographs come in the order of their names. Their stored pixels are the frame: an EXIF orientation is not applied,
    for a camera on a stand does not know which way is up either.

    Args:
        folder: holds the photographs (jpg, jpeg, png, tif, tiff).
        loop: begin again after the last one instead of raising `NoMorePhotographs`.
        port: what `CameraInfo` says.
        clock_ns: monotonic time.

    Raises:
        CameraMissing: there is no such folder, or no photograph in it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        loop: bool = False,
        port: str = "replay-0",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._folder = folder
        self._loop = loop
        self._port = port
        self._clock_ns = clock_ns
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._controls: MappingProxyType[str, ControlValue] = MappingProxyType({})
        self._next = 0
        self._preview: tuple[Path, Preview] | None = None
        self._photographs = photographs(folder)
        self._info = self._describe()

    @property
    def info(self) -> CameraInfo:
        """What this camera is; the size is that of the first photograph that can be read."""
        return self._info

    def lock(self, values: Lock) -> None:
        """Record the values in later frames; a photograph cannot be taken again."""
        recorded: dict[str, ControlValue | None] = {
            "ExposureTime": values.exposure_us,
            "AnalogueGain": values.analogue_gain,
            "ColourGains": values.colour_gains,
            "LensPosition": values.lens_position,
        }
        self._controls = MappingProxyType({name: value for name, value in recorded.items() if value is not None})

    def preview(self) -> Preview:
        """Return the photograph that the next capture would show, about 1,000 px wide."""
        with self._mutex:
            self._check_open()
            path = self._photographs[min(self._next, len(self._photographs) - 1)]
            if self._preview is None or self._preview[0] != path:
                number = 1 if self._preview is None else self._preview[1].number + 1
                self._preview = (path, Preview(_small_jpeg(read_photograph(path)), number, self._clock_ns()))
            return self._preview[1]

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return the next photograph as a frame; see `Camera.capture`.

        Raises:
            PhotographUnreadable: this one cannot be shown; the next capture takes the one after it.
            NoMorePhotographs: all have been shown.
        """
        wait_s = (pressed_at_ns - self._clock_ns()) / NS_PER_S
        if wait_s > 0:
            self._closing.wait(min(wait_s, timeout_s))
        with self._mutex:
            self._check_open()
            sensor_at_ns = self._clock_ns()
            if sensor_at_ns < pressed_at_ns:
                raise CameraStalled("CAM-02", "The press lies in the future.", "Press again.")
            path = self._take()
            planes = read_photograph(path)
            return Frame(*planes, self._port, sensor_at_ns, self._controls, path.name)

    def recover(self) -> None:
        """Look at the folder again; goes on after the last photograph shown."""
        with self._mutex:
            self._photographs = photographs(self._folder)
            self._closing.clear()

    def close(self) -> None:
        """Stop. May be called twice."""
        self._closing.set()

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise _missing("The replay camera is closed.")

    def _take(self) -> Path:
        if self._next >= len(self._photographs):
            if not self._loop:
                raise NoMorePhotographs(
                    "CAM-03",
                    f"All {len(self._photographs)} photographs of {self._folder} have been shown.",
                    "Add photographs to the folder and start again, or hand over.",
                )
            self._next = 0
        self._next += 1
        return self._photographs[self._next - 1]

    def _describe(self) -> CameraInfo:
        for path in self._photographs:
            try:
                with Image.open(path) as image:
                    width, height = image.size
            except _UNREADABLE:
                continue
            return CameraInfo(self._port, f"photographs of {self._folder.name}", width, height)
        raise _missing(f"None of the photographs in {self._folder} can be read.")


def read_photograph(path: Path) -> Planes:
    """Return the planes of a photograph as stored.

    Raises:
        PhotographUnreadable: it is not an image, is cut short, or has more than `MAX_PIXELS`.
    """
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _unreadable(path, f"is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million")
            return planes_from_bgr(_decode(content, image))
    except _UNREADABLE as err:
        raise _unreadable(path, "is not a whole image") from err


def _decode(content: bytes, image: Image.Image) -> NDArray[np.uint8]:
    if image.format == "JPEG" and image.mode in ("RGB", "L"):
        return cast(NDArray[np.uint8], simplejpeg.decode_jpeg(content, colorspace="BGR", strict=True))
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow would clip 16 bits to 8 instead of scaling them.
        grey = (np.asarray(image, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return cast(NDArray[np.uint8], cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def _small_jpeg(planes: Planes) -> bytes:
    bgr = planes_to_bgr(planes)
    scale = min(1.0, PREVIEW_WIDTH_PX / bgr.shape[1])
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return cast(bytes, simplejpeg.encode_jpeg(small, quality=80, colorspace="BGR", colorsubsampling="420"))


def photographs(folder: Path) -> tuple[Path, ...]:
    """Return the photographs of `folder` in the order of their names; raises `CameraMissing` where there are none."""
    try:
        found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()))
    except OSError as err:
        raise _missing(f"The folder {folder} cannot be read.") from err
    if not found:
        raise _missing(f"There is no photograph in {folder}.")
    return found


def _missing(message: str) -> CameraMissing:
    return CameraMissing("CAM-01", message, "Name a folder with photographs (jpg, png, tif).")


def _unreadable(path: Path, reason: str) -> PhotographUnreadable:
    return PhotographUnreadable("CAM-05", f"{path.name} {reason}.", "It was left out; photograph that page again.")
