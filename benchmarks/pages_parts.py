"""What `benchmarks/pages` times: the bare calls, the pipeline, and the parts of it that have a goal of their own."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from appliance.imaging.encode import encode
from appliance.imaging.finding.sheets import Found, find_sheets
from appliance.imaging.flattening.flatten import flattened
from appliance.imaging.flattening.rectify import Mapping as PageMapping
from appliance.imaging.flattening.rectify import plan, rectify
from appliance.imaging.judging import measure
from appliance.imaging.judging.fingers import find_intruders
from appliance.imaging.judging.similarity import same_spread, signature
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Plane, Planes, from_jpeg, half_size, shrunk_to
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.tone import brighten, light_gain
from appliance.imaging.view import View, reduced, without_print

BARE_BGR, BARE_PLANES = "bare calls on BGR", "bare calls on planes"
PHOTOGRAPH, PLANES, FINDING, CHECKS = "photograph to pages", "planes to pages", "finding", "checks"
_QUALITY = DEFAULT_PROFILE.jpeg_quality
_SMALL_PX = 800

Way = Callable[[], object]


@dataclass(slots=True)
class Spent:
    """What one way took, round by round, in seconds: as the clock on the wall ran, and as the processor worked."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def wall_ms(self) -> float:
        """The median by the wall clock."""
        return statistics.median(self.wall_s) * 1000

    @property
    def cpu_ms(self) -> float:
        """The median of the processor's time."""
        return statistics.median(self.cpu_s) * 1000

    def ratio(self, floor: "Spent") -> float:
        """Return the median over the rounds of the processor's time to the floor's of the same round."""
        return statistics.median(own / bare for own, bare in zip(self.cpu_s, floor.cpu_s, strict=True))


def alternate(ways: Mapping[str, Way], n: int, seconds: float) -> dict[str, Spent]:
    """Run every way once a round, in turn; the first round warms caches and is not counted."""
    spent = {name: Spent() for name in ways}
    end_s = time.monotonic() + seconds
    for number in range(n + 1):
        for name, way in ways.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            way()
            if number:
                spent[name].wall_s.append(time.perf_counter() - wall_s)
                spent[name].cpu_s.append(time.process_time() - cpu_s)
        if number and time.monotonic() > end_s:
            break
    return spent


def ways(planes: Planes) -> dict[str, Way]:
    """Return everything that is timed, on a frame with two pages."""
    jpeg, view = encode(planes), reduced(planes)
    clean = without_print(view)
    found = find_sheets(planes, view, clean)
    margin, frame_px = DEFAULT_PROFILE.margin_share, (planes.width_px, planes.height_px)
    mappings = [plan(sheet.corners, sheet.polygon, margin, frame_px) for sheet in found.sheets]  # as large as pages are
    curled = _curled(planes, found, mappings)
    flat = [rectify(planes, mapping) for mapping in mappings]
    own, other = signature(view.y), signature(np.ascontiguousarray(view.y[:, ::-1]))  # in a mirror: like no other page
    copies = [Planes(page.y.copy(), page.u.copy(), page.v.copy()) for page in flat]  # brighter from round to round
    small = [shrunk_to(page.y, _SMALL_PX) for page in flat]
    return {
        BARE_BGR: lambda: _bare_bgr(jpeg, mappings),
        BARE_PLANES: lambda: _bare_planes(planes, mappings),
        PHOTOGRAPH: lambda: _encoded(processed(from_jpeg(jpeg))),
        PLANES: lambda: _encoded(processed(planes)),
        FINDING: lambda: _find(planes),
        CHECKS: lambda: _check(view, clean, found, mappings, flat),
        "eight earlier captures": lambda: [same_spread(other, own) for _ in range(8)],
        "looking for curl": lambda: _curled(planes, found, mappings),
        "remaps": lambda: [rectify(planes, mapping) for mapping in mappings],
        "remaps, flattened": lambda: [rectify(planes, mapping) for mapping in curled],
        "evening the light": lambda: [_even(*each) for each in zip(copies, small, strict=True)],
        "decoding to planes": lambda: from_jpeg(jpeg),
        "encodes": lambda: [encode(page, quality=DEFAULT_PROFILE.jpeg_quality) for page in flat],
    }


def _curled(planes: Planes, found: Found, mappings: list[PageMapping]) -> list[PageMapping]:
    margin = DEFAULT_PROFILE.margin_share
    return [
        flattened(planes.y, mapping, sheet.corners, sheet.polygon, margin)
        for sheet, mapping in zip(found.sheets, mappings, strict=True)
    ]


def processed(planes: Planes) -> Processed:
    """Return the pages of a frame whose camera is known to stand upright."""
    return process(planes, Setup(rotation_cw=0), DEFAULT_PROFILE)


def _encoded(result: Processed) -> list[bytes]:
    return [encode(page.planes, quality=DEFAULT_PROFILE.jpeg_quality) for page in result.pages]


def _bare_bgr(jpeg: bytes, mappings: list[PageMapping]) -> None:
    """What one would write without looking at the page: decode, warp, encode."""
    frame = simplejpeg.decode_jpeg(jpeg, colorspace="BGR")
    for mapping in mappings:
        page = _warped(frame, mapping.perspective, (mapping.width_px, mapping.height_px), cv2.INTER_CUBIC)
        simplejpeg.encode_jpeg(page, quality=_QUALITY, colorspace="BGR", colorsubsampling="420")


def _bare_planes(planes: Planes, mappings: list[PageMapping]) -> None:
    """The same without a JPEG to decode, on planes: luma cubic, chroma linear."""
    down = np.diag([0.5, 0.5, 1.0])
    for mapping in mappings:
        size = (mapping.width_px, mapping.height_px)
        half = down @ mapping.perspective @ np.linalg.inv(down)
        u, v = (_warped(each, half, half_size(*size), cv2.INTER_LINEAR) for each in (planes.u, planes.v))
        simplejpeg.encode_jpeg_yuv_planes(
            _warped(planes.y, mapping.perspective, size, cv2.INTER_CUBIC), u, v, quality=_QUALITY
        )


def _warped(
    source: NDArray[np.uint8], to_source: NDArray[np.float64], size: tuple[int, int], how: int
) -> NDArray[np.uint8]:
    flags = how | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(source, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _find(planes: Planes) -> None:
    view = reduced(planes)
    find_sheets(planes, view, without_print(view))


def _even(page: Planes, small: Plane) -> None:
    gain = light_gain(page, small)
    if gain is not None:
        brighten(page, gain)


def _check(view: View, clean: View, found: Found, mappings: list[PageMapping], flat: list[Planes]) -> None:
    """Everything that judges and nothing that makes pages: features, fingers, brightness, sharpness, ink, lean."""
    signature(view.y)
    gutter = None if found.gutter is None else view.from_frame(found.gutter)
    for sheet, mapping, page in zip(found.sheets, mappings, flat, strict=True):
        find_intruders(clean, view.from_frame(sheet.polygon), view.from_frame(sheet.corners), gutter)
        measure.tone(page.y)
        measure.edges(page.y)
        ink = measure.small_ink(shrunk_to(page.y, _SMALL_PX))
        measure.ink_share(ink)
        measure.print_along_sides(ink, mapping.from_frame(sheet.polygon) * (ink.shape[1] / page.width_px))
        measure.lean(ink)
