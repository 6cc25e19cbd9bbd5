"""Edges of paper at the frame's full resolution: a narrow strip along each curve is rolled out, its edge fitted."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.paths import Doubles, Floats, best_paths, smoothed, steps_across
from appliance.imaging.geometry import Polygon
from appliance.imaging.planes import Plane, Planes

_BLOCKS: Final = 48
_ROWS: Final = 2
_ENDS: Final = 0.02
"""Of the length, left out at both corners: the strip shows the next side there."""
_HALF: Final = 4
_COLUMNS: Final = 24
"""To either side of the curve; a frame of up to 16 megapixels is looked at pixel by pixel."""
_WRONG_WAY: Final = 0.5
_CHROMA_WEIGHT: Final = 2.0
_SEEN: Final = 8.0
"""Levels across an edge that are surely seen in the mean of some rows."""
_ABOVE_GRAIN: Final = 4.0
"""Times the middle change in a strip: the greatest in a row of grain alone is about that."""
_USUAL: Final = 60
"""Percent of the blocks whose edge is fainter than the side's usual strength."""
_STIFFNESS: Final = 0.12
_BEND: Final = 300.0


def refined(planes: Planes, curves: list[Polygon], reach_px: float) -> list[Polygon]:
    """Return curves moved to the edge of paper beside them; where no edge is seen they stay.

    Args:
        planes: the frame.
        curves: each from corner to corner with the page to its right, float64, shape (n, 2), in pixels of the frame.
        reach_px: how far to either side an edge is looked for.
    """
    if not curves:
        return []
    line = np.stack([_resampled(curve) for curve in curves])
    tangent = np.gradient(line, axis=1)
    x, y = tangent[..., 0], tangent[..., 1]
    inward = np.stack([-y, x], axis=2) / np.maximum(np.hypot(x, y), 1e-6)[..., None]
    step = max(1.0, reach_px / _COLUMNS)
    offsets = np.arange(-reach_px - _HALF * step, reach_px + _HALF * step + 0.01, step)
    grid = inward.astype(np.float32)[:, :, None] * offsets.astype(np.float32)[:, None]
    grid += line.astype(np.float32)[:, :, None]
    gain = _gain(planes, np.asarray(grid, np.float32))
    usual = np.maximum(np.sort(gain.max(axis=2), axis=1)[:, _BLOCKS * _USUAL // 100], _SEEN)
    paths = best_paths(
        np.minimum(gain / usual[:, None, None], np.float32(1)),
        np.full((len(gain), _BLOCKS - 1), _STIFFNESS, np.float32),
    )
    place, strength = _exact(gain, paths)
    grain = np.sort(gain.reshape(len(gain), -1), axis=1)[:, gain[0].size // 2, None]
    weight = np.clip((strength - _ABOVE_GRAIN * grain) / _SEEN, 0, 1) ** 2
    moved = smoothed(offsets[0] + step * place, weight, 2 * step, _BEND)
    middle, away = (values.reshape(len(curves), _BLOCKS, _ROWS, 2).mean(axis=2) for values in (line, inward))
    return list(middle + moved[:, :, None] * away)


def _resampled(curve: Polygon) -> Polygon:
    """Return the points of a curve at which its strip has rows."""
    at, shares = np.linspace(0, 1, len(curve)), np.linspace(_ENDS, 1 - _ENDS, _BLOCKS * _ROWS)
    return np.column_stack([np.interp(shares, at, values) for values in curve.T])


def _gain(planes: Planes, grid: Floats) -> Floats:
    """Return how much changes across each place, shape (curves, blocks, columns); colour where luma shows little."""
    luma = _change(planes.y, grid)
    gain = np.maximum(luma, -_WRONG_WAY * luma)
    usual = np.sort(gain.max(axis=2), axis=1)[:, _BLOCKS * _USUAL // 100]
    faint = np.flatnonzero(usual < _SEEN)
    if len(faint):
        half = (grid[faint] - np.float32(0.5)) / 2
        for chroma in (planes.u, planes.v):
            gain[faint] += _CHROMA_WEIGHT * np.abs(_change(chroma, np.asarray(half, np.float32)))
    return np.asarray(gain, np.float32)


def _change(values: Plane, grid: Floats) -> Floats:
    """Return the steps across strips that are rolled out along a grid, each the mean of some rows; none at the ends."""
    curves, _, columns, _ = grid.shape
    flat = grid.reshape(-1, columns, 2)
    strips = cv2.remap(values, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    blocks = cv2.resize(strips, (columns, curves * _BLOCKS), interpolation=cv2.INTER_AREA)
    change = steps_across(blocks, _HALF, 1)
    change[:, :_HALF] = change[:, -_HALF:] = 0
    return change.reshape(curves, _BLOCKS, columns)


def _exact(gain: Floats, paths: NDArray[np.intp]) -> tuple[Doubles, Doubles]:
    """Return where along each row the change is greatest near the path, to a part of a column, and how great."""
    inner = np.clip(paths, 1, gain.shape[2] - 2)
    at = np.arange(len(gain))[:, None], np.arange(gain.shape[1])
    before, top, after = (gain[(*at, inner + step)].astype(np.float64) for step in (-1, 0, 1))
    curved = np.minimum(before - 2 * top + after, -1e-3)
    return np.asarray(inner + np.clip((before - after) / 2 / curved, -0.5, 0.5), np.float64), top
