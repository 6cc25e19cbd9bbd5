"""Edges of paper to the pixel of the frame, however they bulge; and where nothing is seen, nothing is made up."""

from itertools import product

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.paths import best_paths, fitted, smoothed
from appliance.imaging.finding.refine import refined
from appliance.imaging.finding.sheets import find_sheets
from appliance.imaging.finding.sides import Rough, follow
from appliance.imaging.planes import Planes, from_bgr, from_grey
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import overlap, printed_page

WIDTH, HEIGHT = 1600, 1200
X = np.linspace(100, 1500, 97)
PAGE = np.array([[150, 300], [1250, 300], [1200, 1500], [200, 1500]], float)


def _frame(
    edge: np.typing.NDArray[np.float64],
    *,
    ground: tuple[int, int, int] = (60, 62, 64),
    paper: tuple[int, int, int] = (214, 222, 225),
) -> Planes:
    """Paper below a curved edge (y of each x), ground above; a little noise."""
    y = np.interp(np.arange(WIDTH), X, edge)
    share = np.clip(np.arange(HEIGHT)[:, None] - y + 0.5, 0, 1)[..., None]
    frame = (1 - share) * np.array(ground) + share * np.array(paper)
    noisy = cv2.GaussianBlur(frame, (0, 0), 0.8) + np.random.default_rng(1).normal(0, 2, frame.shape)
    return from_bgr(np.clip(noisy, 0, 255).astype(np.uint8))


def _rough(edge: np.typing.NDArray[np.float64], *, off_px: float = 0.0) -> np.typing.NDArray[np.float64]:
    """The edge from left to right, the page to its right, as it is known before."""
    return np.column_stack([X, edge + off_px])


@pytest.mark.parametrize("off", [-9.0, 0.0, 8.0])
@pytest.mark.parametrize("bulge", [0.0, 60.0])
def test_an_edge_is_found_to_a_part_of_a_pixel(off: float, bulge: float) -> None:
    edge = 500.3 - bulge * np.sin(np.linspace(0, np.pi, len(X)))
    (curve,) = refined(_frame(edge), [_rough(edge, off_px=off)], 14.0)
    assert float(np.abs(curve[:, 1] - np.interp(curve[:, 0], X, edge)).max()) < 0.7


def test_an_edge_that_only_colour_shows_is_found() -> None:
    edge = np.full(len(X), 500.0)
    planes = _frame(edge, ground=(150, 110, 90), paper=(80, 120, 120))
    planes = Planes(np.full_like(planes.y, 120), planes.u, planes.v)
    (curve,) = refined(planes, [_rough(edge, off_px=7.0)], 14.0)
    assert float(np.abs(curve[:, 1] - 500).max()) < 2.0


def test_where_nothing_is_seen_a_curve_stays() -> None:
    edge = np.full(len(X), 1000.0)
    (curve,) = refined(_frame(edge), [_rough(edge - 500)], 14.0)
    assert float(np.abs(curve[:, 1] - 500).max()) < 2.0


def test_a_finger_over_an_edge_does_not_bend_it() -> None:
    edge = np.full(len(X), 500.0)
    planes = _frame(edge)
    cv2.ellipse(planes.y, (800, 500), (40, 90), 0, 0, 360, 130, cv2.FILLED)
    (curve,) = refined(planes, [_rough(edge, off_px=4.0)], 14.0)
    assert float(np.abs(curve[:, 1] - 500).max()) < 2.0


def test_a_page_s_outline_is_exact_where_the_view_is_coarse() -> None:
    quad = np.array([[410.5, 300.5], [2600.5, 330.5], [2570.5, 1900.5], [380.5, 1880.5]])
    frame = np.full((2200, 3000), 50, np.uint8)
    cv2.fillPoly(frame, [np.rint(quad * 16).astype(np.int32)], 215, cv2.LINE_AA, 4)
    noisy = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.0)
    noisy += np.random.default_rng(2).normal(0, 2, frame.shape).astype(np.float32)
    grey = np.clip(noisy, 0, 255).astype(np.uint8)
    planes = from_grey(grey)
    view = reduced(planes)
    (sheet,) = find_sheets(planes, view, without_print(view)).sheets
    assert float(np.abs(sheet.corners - quad).max()) < 2.0
    assert overlap([tuple(point) for point in sheet.polygon], quad, 3000, 2200) > 0.997


def _worth(gain: np.typing.NDArray[np.float32], path: tuple[int, ...], stiffness: float) -> float:
    steps = np.abs(np.diff(path))
    if (steps > 2).any():
        return -np.inf
    return float(gain[np.arange(len(path)), list(path)].sum() - stiffness * steps.sum())


def test_the_best_path_is_the_best_of_all_paths() -> None:
    random = np.random.default_rng(3)
    gain = random.random((4, 5, 6)).astype(np.float32)
    found = best_paths(gain, np.full((4, 4), 0.2, np.float32))
    for strip, path in zip(gain, found, strict=True):
        best = max(product(range(6), repeat=5), key=lambda each: _worth(strip, each, 0.2))
        assert _worth(strip, tuple(int(column) for column in path), 0.2) == pytest.approx(_worth(strip, best, 0.2))


def test_what_strays_bends_neither_kind_of_curve() -> None:
    along = np.linspace(-1, 1, 64)
    place = np.stack([3 * along**2, 2 * along])
    strayed = place.copy()
    strayed[:, 20:26] += 12
    basis = np.polynomial.legendre.legvander(along, 3).astype(np.float64)
    weight = np.ones_like(place)
    assert float(np.abs(fitted(basis, strayed, weight, 1.0) - place).max()) < 0.3
    assert float(np.abs(smoothed(strayed, weight, 1.0, 300.0) - place).max()) < 1.0


@pytest.mark.parametrize("size", [5.0, 12.0, 40.0])
def test_a_page_of_a_few_pixels_is_traced_too(size: float) -> None:
    view = reduced(from_grey(np.full((80, 90), 128, np.uint8)))
    rough = [Rough(np.array([20.0, 20.0]), np.array([20.0 + size, 20.0]))]
    (side,) = follow(view, without_print(view), rough, reach_px=0.05 * size, deep_px=0.09 * size)
    assert np.isfinite(side.curve).all()
    assert side.support < 0.1


def _broken_book() -> np.typing.NDArray[np.uint8]:
    """A page whose facing page leans away from it steeply and is cut off by the frame; hardly a shadow between."""
    page, flat = printed_page(800, 900, seed=4), np.array([[0, 0], [799, 0], [799, 899], [0, 899]], np.float32)
    frame = np.full((1600, 1400, 3), 60.0)
    for corners in (PAGE, [[-750, -700], [2150, -700], [1250, 300], [150, 300]]):
        matrix = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
        inside = cv2.warpPerspective(np.ones(page.shape[:2], np.uint8), matrix, (1400, 1600)) > 0
        frame[inside] = cv2.warpPerspective(page, matrix, (1400, 1600))[inside]
    frame *= 1 - 0.12 * np.exp(-(((np.arange(1600) - 300) / 9.0) ** 2))[:, None, None]
    return np.clip(frame + np.random.default_rng(1).normal(0, 2, frame.shape), 0, 255).astype(np.uint8)


def test_a_facing_page_is_left_out_where_edges_break_sharply_though_the_spine_is_faint() -> None:
    planes = from_bgr(_broken_book())
    view = reduced(planes)
    found = find_sheets(planes, view, without_print(view))
    assert found.fragment
    assert overlap([tuple(point) for point in found.sheets[0].polygon], PAGE, 1400, 1600) > 0.98
