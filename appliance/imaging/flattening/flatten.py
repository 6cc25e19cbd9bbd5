"""A page made flat: its lines of print tell how it is bent; where they tell too little, it stays as it is seen."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.flattening.curl import fit_shape
from appliance.imaging.flattening.pose import pose_of
from appliance.imaging.flattening.rectify import Mapping, bounds
from appliance.imaging.flattening.resample import through_mesh
from appliance.imaging.flattening.shape import Shape
from appliance.imaging.flattening.traces import HIGH_PX, NARROWED, Traces, find_traces
from appliance.imaging.geometry import Polygon, apply
from appliance.imaging.planes import Plane, plane

_FEWEST_LINES: Final = 5
_FEWEST_PLACES: Final = 50
_SURE: Final = 12.0
"""How much likelier (as a logarithm) the shape must make lines that it was not made from. Measured: at most 9 on a flat
scan of any kind, 17 and more on pages that are plainly bent."""
_BENT: Final = 0.0015
"""What a shape moves less, in widths of the page, is level."""
_STEEP: Final = 0.005
"""What a shape moves more, in widths (3 px where lines are looked for), is looked at a second time: 10 ms."""
_LEVEL: Final = 0.001
"""Of the width: lines that lie less off their own middle in every part of a page, on the mean, ask for no shape.
Measured: 1.3 thousandths and more on all pages that one was found for."""
_PARTS: Final = (8, 3)
_STRAIGHT: Final = 0.0012
"""Lines of print come out straighter, in widths of the page; what does not was none. Measured: print 0.3 to 1.0
thousandths, contour lines of a map 1.7."""
_DEEPEST: Final = 0.4
_LEAST_AREA: Final = 0.05
_MOST_AREA: Final = 2.0
"""How large a piece of the paper may be seen; below 0 it would be folded."""
_PIECES: Final = 41
_AROUND_PX: Final = 8
_STEP_PX: Final = 8
"""Of the narrowed page, between the places where a bent page's mapping is worked out."""


def flattened(
    luma: Plane,
    flat: Mapping,
    corners: Polygon,
    outline: Polygon,
    margin_share: float,
    camera: NDArray[np.float64] | None = None,
) -> Mapping:
    """Return the mapping with the page's curl taken out, or `flat` itself where it lies flat or too little tells.

    Args:
        luma: of the frame.
        flat: the mapping that takes out perspective alone.
        corners: of the page, clockwise from its own top left, in pixels of the frame.
        outline: the page's edge, from the same corner.
        margin_share: kept around the outline, as a share of the shorter side.
        camera: its matrix, shape (3, 3), where it is calibrated.
    """
    traces = find_lines(luma, flat)
    if traces.lines < _FEWEST_LINES or len(traces.line) < _FEWEST_PLACES:
        return flat
    size = (float(flat.width_px), float(flat.height_px))
    if _unevenness(traces, size) < _LEVEL * size[0]:
        return flat
    pose = pose_of(flat.perspective, (luma.shape[1], luma.shape[0]), camera)
    fit = fit_shape(traces, pose, size)
    if fit.gain < _SURE or fit.moved < _BENT:
        return flat
    bent = _levelled(flat, fit.shape, corners, outline, margin_share)
    if bent is not None and fit.moved > _STEEP:  # where lines fall steeply they are better told apart once level
        traces = find_lines(luma, bent)
        traces = Traces(fit.shape.bent(traces.places + np.array(bent.origin)), traces.line)
        if traces.lines < _FEWEST_LINES or len(traces.line) < _FEWEST_PLACES:
            return flat
        fit = fit_shape(traces, pose, size)
        bent = _levelled(flat, fit.shape, corners, outline, margin_share)
    return flat if bent is None or fit.gain < _SURE or fit.left > _STRAIGHT else bent


def _levelled(flat: Mapping, shape: Shape, corners: Polygon, outline: Polygon, margin_share: float) -> Mapping | None:
    """Return the mapping of a page that is bent so, with all of its outline; None where it would tear or fold."""
    bent = Mapping(flat.perspective, flat.width_px, flat.height_px, shape)
    origin, size_px = bounds(bent.from_frame(corners), bent.from_frame(outline), margin_share)
    return Mapping(flat.perspective, *size_px, shape, origin) if is_whole(shape, origin, size_px) else None


def _unevenness(traces: Traces, size: tuple[float, float]) -> float:
    """Return how far lines lie above or below their own middle in that part of a page where it is most, in pixels."""
    (across, down), y = _PARTS, traces.places[:, 1]
    means = np.bincount(traces.line, y) / np.bincount(traces.line)
    column, row = (np.clip(traces.places / size * _PARTS, 0, np.array(_PARTS) - 1)).astype(np.intp).T
    part = column * down + row
    counts = np.bincount(part, minlength=across * down)
    sums = np.bincount(part, y - means[traces.line], across * down)
    return float(np.abs(sums / np.maximum(counts, 1)).max())


def find_lines(luma: Plane, page: Mapping) -> Traces:
    """Return the lines of print of a page in a frame, in pixels of the page."""
    scale = max(1.0, max(page.width_px, page.height_px) / HIGH_PX)
    height, wide = max(1, round(page.height_px / scale)), NARROWED * scale
    width = max(1, round(page.width_px / wide))
    # Twice as wide first, then averaged; what is smaller still is averaged in the frame.
    halves = _grown(wide / 2, scale)
    piece, to_piece = _piece(luma, page, scale)
    if page.shape is None:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = to_piece @ page.perspective @ halves
        seen = cv2.warpPerspective(piece, back, (2 * width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    else:
        x, y = (np.arange(-1, -(-size // _STEP_PX) + 1) * _STEP_PX + (_STEP_PX - 1) / 2 for size in (2 * width, height))
        grid = np.stack(np.meshgrid(x, y), axis=-1)
        places = apply(to_piece, page.to_frame(apply(halves, grid.reshape(-1, 2)))).astype(np.float32)
        (seen,) = through_mesh((piece,), places.reshape(grid.shape), _STEP_PX, (2 * width, height), cv2.INTER_LINEAR)
    traces = find_traces(plane(cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA)))
    return Traces(apply(_grown(wide, scale), traces.places), traces.line)


def _piece(luma: Plane, page: Mapping, scale: float) -> tuple[Plane, NDArray[np.float64]]:
    """Return the part of the frame where a page lies, halved as often as `scale` allows, and the way into it."""
    shares = np.linspace(0.0, 1.0, 2 if page.shape is None else _PIECES)
    grid = np.stack(np.meshgrid(shares * page.width_px, shares * page.height_px), axis=-1)
    seen = page.to_frame(grid.reshape(-1, 2))
    factor = 1 << int(np.log2(scale))
    low = np.floor(seen.min(axis=0)).astype(int) - _AROUND_PX * factor
    high = np.ceil(seen.max(axis=0)).astype(int) + _AROUND_PX * factor
    limit = np.array([luma.shape[1], luma.shape[0]])
    low = np.clip(low, 0, np.maximum(limit - 2 * factor, 0))
    high = low + (np.clip(high, low + factor, limit) - low) // factor * factor
    piece = luma[low[1] : high[1], low[0] : high[0]]
    for _ in range(factor.bit_length() - 1):
        size = (max(1, piece.shape[1] // 2), max(1, piece.shape[0] // 2))
        piece = plane(cv2.resize(piece, size, interpolation=cv2.INTER_AREA))
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    return piece, np.asarray(np.linalg.inv(_grown(factor, factor)) @ shift, np.float64)


def _grown(across: float, down: float) -> NDArray[np.float64]:
    """Return the way from pixels of a picture made smaller to those of the picture."""
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])


def is_whole(shape: Shape, origin: tuple[float, float], size_px: tuple[int, int]) -> bool:
    """Tell whether a page neither folds nor tears: all its pieces lie the same way up and are about as large.

    Args:
        shape: of the page.
        origin: where on the paper it begins.
        size_px: its width and height.
    """
    x, y = (start + np.linspace(0.0, size, _PIECES) for start, size in zip(origin, size_px, strict=True))
    paper = np.stack(np.meshgrid(x, y), axis=-1)
    seen = shape.bent(paper.reshape(-1, 2)).reshape(paper.shape)
    across, down = np.diff(seen[:-1], axis=1), np.diff(seen[:, :-1], axis=0)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    area /= (x[1] - x[0]) * (y[1] - y[0])
    shallow = float(np.abs(shape.depth).max()) < _DEEPEST * shape.width
    return shallow and bool(area.min() > _LEAST_AREA and area.max() < _MOST_AREA)
