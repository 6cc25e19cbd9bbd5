"""A Raspberry Pi camera through picamera2: the only file that imports it, and only when a camera is opened.

One configuration for everything, never switched: full-size YUV420 for captures with a small `lores` stream for aiming.
Its own thread copies each small picture as it comes; when these stop coming, the camera has stalled.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Final, NamedTuple, cast

import simplejpeg

from firmware import camera_controls as controls
from firmware.errors import CameraMissing, CameraStalled, DriverUnavailable
from firmware.interfaces import CameraInfo, Frame, Lock, Preview
from firmware.planes import Planes, split_yuv420

log = logging.getLogger(__name__)

STALL_S: Final = 2.0
"""Without a small picture for this long the camera counts as stalled: the slowest exposure takes a fraction of it."""
CLOSE_S: Final = 5.0
FIRST_PICTURE_S: Final = 5.0
"""In which a camera that was just started must have given its first small picture."""
SETTLE_FRAMES: Final = 12
"""A control reaches the sensor within four frames; thrice that, and it never will."""
_LARGE_PIXELS: Final = 20_000_000


class _Small(NamedTuple):
    planes: Planes
    number: int
    taken_at_ns: int


class PiCamera:
    """Implements `Camera`.

    Args:
        number: which of the cameras found, from 0.
        size_px: width and height of a frame, even; None takes the sensor's.
        clock_ns: monotonic time, as libcamera stamps frames with it.

    Raises:
        DriverUnavailable: HW-01, picamera2 is not installed.
        CameraMissing: CAM-01, no such camera.
    """

    def __init__(
        self,
        number: int = 0,
        *,
        size_px: tuple[int, int] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._number = number
        self._size_px = size_px
        self._clock_ns = clock_ns
        self._device = threading.RLock()
        self._small_changed = threading.Condition()
        self._small: _Small | None = None
        self._jpeg: Preview | None = None
        self._lock = Lock()
        self._settled = True
        self._camera: Any = None
        self._map: Any = None
        self._colour_space = ""
        self._info = CameraInfo("", "", 0, 0)
        with self._device:
            self._open()

    @property
    def info(self) -> CameraInfo:
        """What this camera is."""
        return self._info

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains until the next call; captures wait until the sensor follows."""
        with self._device:
            self._lock = values
            self._settled = False
            if self._camera is not None:
                self._camera.set_controls(controls.lock_controls(values, self._camera.camera_controls))

    def preview(self) -> Preview:
        """Return the latest small picture; raises `CameraStalled` where none came for `STALL_S`."""
        with self._small_changed:
            self._small_changed.wait_for(self._is_live, timeout=STALL_S)
            small = self._small
            if small is None or not self._is_live():
                raise self._stalled()
        jpeg = self._jpeg
        if jpeg is None or jpeg.number != small.number:
            content = simplejpeg.encode_jpeg_yuv_planes(*small.planes, quality=80)
            self._jpeg = jpeg = Preview(cast(bytes, content), small.number, small.taken_at_ns)
        return jpeg

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return a frame whose exposure began at or after `pressed_at_ns`; see `Camera.capture`."""
        deadline_ns = self._clock_ns() + int(timeout_s * 1e9)
        with self._device:
            if self._camera is None:
                raise self._missing()
            for _ in range(SETTLE_FRAMES):
                request = self._request(pressed_at_ns, (deadline_ns - self._clock_ns()) / 1e9)
                try:
                    metadata = request.get_metadata()
                    self._settled = self._settled or controls.has_settled(self._lock, metadata)
                    if self._settled:
                        return self._frame(request, metadata)
                finally:
                    request.release()
            log.warning("camera does not follow its lock port=%s lock=%s", self._info.port, self._lock)
            self._settled = True
            return self.capture(pressed_at_ns=pressed_at_ns, timeout_s=(deadline_ns - self._clock_ns()) / 1e9)

    def recover(self) -> None:
        """Close and reopen the device; raises `CameraMissing` or `CameraStalled` when it still does not work."""
        with self._device:
            self._close()
            before = self._small
            self._open()
            # A sensor that hangs can be opened and started all the same: only a picture proves that it works.
            with self._small_changed:
                if not self._small_changed.wait_for(lambda: self._small is not before, FIRST_PICTURE_S):
                    raise self._stalled()

    def close(self) -> None:
        """Free the device. May be called twice."""
        with self._device:
            self._close()

    def _open(self) -> None:
        try:
            import libcamera
            from picamera2 import MappedArray, Picamera2
        except ImportError as err:
            raise DriverUnavailable(
                "HW-01", "picamera2 is not installed.", "Run: sudo apt install python3-picamera2"
            ) from err
        self._map = MappedArray
        if self._number >= len(Picamera2.global_camera_info()):
            raise self._missing()
        try:
            camera = Picamera2(self._number)
        except (RuntimeError, OSError) as err:
            raise self._missing() from err
        self._camera = camera
        try:
            self._configure(camera, libcamera.ColorSpace.Sycc())
            camera.start()
        except (RuntimeError, OSError) as err:
            self._close()
            raise self._missing() from err

    def _configure(self, camera: Any, colour_space: Any) -> None:
        width, height = self._size_px or camera.sensor_resolution
        size = (width - width % 2, height - height % 2)
        chosen = controls.fixed_controls(camera.camera_controls)
        chosen |= controls.lock_controls(self._lock, camera.camera_controls)
        configuration = camera.create_still_configuration(
            main={"format": "YUV420", "size": size},
            lores={"format": "YUV420", "size": controls.preview_size(*size)},
            raw=None,
            # The default beyond 720p is limited Rec.709; JPEG and everything behind it means full-range BT.601.
            colour_space=colour_space,
            # Contiguous memory is short on a Pi: 64 million pixels take 96 MB a buffer.
            buffer_count=2 if size[0] * size[1] > _LARGE_PIXELS else 3,
            queue=False,
            display=None,
            encode=None,
            controls=chosen,
        )
        camera.configure(configuration)
        camera.post_callback = self._take_small
        given = camera.camera_configuration()
        self._colour_space = str(given["colour_space"])
        if self._colour_space != str(colour_space):
            log.warning("camera does not give full range port=csi-%d space=%s", self._number, self._colour_space)
        main = given["main"]
        properties = camera.camera_properties
        self._info = CameraInfo(f"csi-{self._number}", str(properties.get("Model", "unknown")), *main["size"])
        self._settled = self._lock == Lock()

    def _request(self, pressed_at_ns: int, timeout_s: float) -> Any:
        if timeout_s <= 0:
            raise self._stalled()
        try:
            # picamera2 takes 0 for "any frame", also one that it kept from before a stall.
            return self._camera.capture_request(wait=timeout_s, flush=max(1, pressed_at_ns))
        except (TimeoutError, CancelledError, RuntimeError, KeyError) as err:
            # The job would go on waiting, then leak its buffer; and stop() would wait for the job for ever.
            self._camera.cancel_all_and_flush()
            raise self._stalled() from err

    def _frame(self, request: Any, metadata: Any) -> Frame:
        return Frame(
            *self._planes(request, "main"),
            camera=self._info.port,
            sensor_at_ns=controls.exposure_start_ns(metadata),
            controls=controls.recorded_controls({**metadata, "ColourSpace": self._colour_space}),
        )

    def _planes(self, request: Any, stream: str) -> Planes:
        """Copy a stream's planes out of the camera's own memory."""
        layout = request.config[stream]
        width, height = layout["size"]
        with self._map(request, stream, reshape=False, write=False) as mapped:
            return split_yuv420(mapped.array, width, height, layout["stride"])

    def _take_small(self, request: Any) -> None:
        """Called by picamera2's thread for every frame; an exception here would end that thread."""
        planes = self._planes(request, "lores")
        with self._small_changed:
            number = 1 if self._small is None else self._small.number + 1
            self._small = _Small(planes, number, self._clock_ns())
            self._small_changed.notify_all()

    def _is_live(self) -> bool:
        return self._small is not None and self._clock_ns() - self._small.taken_at_ns < STALL_S * 1e9

    def _close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is None:
            return
        # A dead sensor can hang its driver; the station must be able to say so instead of hanging with it.
        closing = threading.Thread(target=_shut, args=(camera,), name="camera-close", daemon=True)
        closing.start()
        closing.join(timeout=CLOSE_S)
        if closing.is_alive():
            log.error("camera does not close port=%s", self._info.port)
            raise CameraStalled("CAM-02", "The camera hangs.", "Switch the station off, wait, and switch it on again.")

    def _missing(self) -> CameraMissing:
        return CameraMissing(
            "CAM-01", f"Camera {self._number} does not answer.", "Switch the station off, wait, and switch it on again."
        )

    def _stalled(self) -> CameraStalled:
        return CameraStalled(
            "CAM-02", f"Camera {self._number} gives no pictures.", "Wait: the station opens it again by itself."
        )


def _shut(camera: Any) -> None:
    # In this order: a job that is still waiting keeps stop() waiting for ever.
    try:
        camera.cancel_all_and_flush()
        camera.stop()
        camera.close()
    except (RuntimeError, OSError) as err:
        # Opening it again will tell whether that matters.
        log.warning("camera not closed cleanly: %s", err)
