"""Two pages or one: a spread is divided or the operator is asked; one sheet is never torn in two."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.geometry import points
from appliance.imaging.model import Processed, Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.print_lines import print_across
from appliance.imaging.profiles import DEFAULT_PROFILE
from tests.appliance.imaging.drawing import PAPER, Drawn, overlap, printed_page, single, spread

PHOTOS = Path(__file__).parents[3] / ".." / "shared" / "photos"
SIZE = (1600, 1200)
WIDE = np.array([[180.0, 210.0], [1420.0, 190.0], [1430.0, 1040.0], [170.0, 1030.0]])


def judged(planes: Planes, setup: Setup | None = None) -> Processed:
    return process(planes, setup or Setup(rotation_cw=0), DEFAULT_PROFILE)


def uncertain(processed: Processed) -> bool:
    return any(finding.code == "outline_uncertain" for finding in processed.findings)


def on_pale_grain(drawn: Drawn, cover_px: int, *, luma: float = 190.0, seed: int = 1) -> Planes:
    """The same book on grained wood as light as its paper, its cover showing round it."""
    height, width = drawn.planes.y.shape
    random = np.random.default_rng(seed)
    hull = cv2.convexHull(np.concatenate(drawn.corners).astype(np.float32))
    book = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(book, np.rint(hull).astype(np.int32), 255)
    cover = cv2.dilate(book, np.ones((2 * cover_px + 1,) * 2, np.uint8))
    cells = ((height // 4, width // 60), (height // 2, width // 2))
    grain = sum(np.asarray(cv2.resize(random.normal(0, 0.03, each), (width, height))) for each in cells)
    y = np.where(book > 0, drawn.planes.y, np.where(cover > 0, 28, np.clip(luma * (1 + grain), 0, 255)))
    u, v = (np.where(book[::2, ::2] > 0, chroma, 125) for chroma in (drawn.planes.u, drawn.planes.v))
    return Planes(y.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8))


def wide_sheet(page: NDArray[np.uint8]) -> Planes:
    return single(WIDE, *SIZE, page=page).planes


@pytest.mark.parametrize(("cover_px", "luma"), [(14, 190.0), (14, 130.0), (9, 175.0), (22, 205.0)])
def test_a_book_on_ground_as_light_as_its_paper_is_two_pages(cover_px: int, luma: float) -> None:
    drawn = spread(*SIZE, seed=4)
    processed = judged(on_pale_grain(drawn, cover_px, luma=luma))
    assert [page.side for page in processed.pages] == ["left", "right"]
    assert not uncertain(processed)
    for page, corners in zip(processed.pages, drawn.corners, strict=True):
        assert overlap(page.outline, corners, *SIZE) > 0.95


def test_a_coverless_book_on_such_ground_is_two_pages_or_the_operator_is_asked() -> None:
    for seed in (2, 3):
        processed = judged(on_pale_grain(spread(*SIZE, seed=seed), 0, seed=seed))
        assert len(processed.pages) == 2 or uncertain(processed)


def test_paper_with_the_print_of_two_pages_and_no_spine_is_asked_about() -> None:
    page = np.hstack([printed_page(seed=2), printed_page(seed=3)])
    assert uncertain(judged(wide_sheet(page)))
    assert not uncertain(judged(wide_sheet(page), Setup(layout="single", rotation_cw=0)))


def test_a_wide_sheet_with_lines_across_it_is_one_page() -> None:
    processed = judged(wide_sheet(printed_page(1240, 880, seed=2)))
    assert len(processed.pages) == 1
    assert not uncertain(processed)


def test_a_map_is_one_page() -> None:
    random = np.random.default_rng(5)
    page = np.full((880, 1240, 3), PAPER, np.uint8)
    for _ in range(160):
        x, y = random.integers((60, 60), (1180, 820))
        tone = tuple(int(each) for each in random.integers(60, 190, 3))
        cv2.ellipse(page, (int(x), int(y)), (int(random.integers(8, 90)), 25), float(x), 0, 360, tone, 2)
    processed = judged(wide_sheet(page))
    assert len(processed.pages) == 1
    assert not uncertain(processed)


def test_print_stops_at_a_spine_and_nowhere_beside_it() -> None:
    drawn = spread(*SIZE, seed=6, lean_deg=0)
    top, bottom = drawn.corners[0][1], drawn.corners[0][2]
    assert max(print_across(drawn.planes.y, points([top, bottom]))) < 0.25
    for aside in (-250.0, -120.0, 130.0, 240.0):
        line = points([top, bottom]) + points([(aside, 0.0)])
        assert print_across(drawn.planes.y, line)[0] > 0.45


def test_a_book_that_reaches_the_top_and_the_bottom_of_the_frame_loses_no_page() -> None:
    drawn = spread(*SIZE, seed=7, lean_deg=0)
    cut = slice(200, 1000)
    planes = Planes(drawn.planes.y[cut], drawn.planes.u[100:500], drawn.planes.v[100:500])
    processed = judged(planes)
    assert len(processed.pages) == 2 or uncertain(processed)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside this checkout")
def test_a_photographed_spread_whose_spine_is_not_seen_is_asked_about() -> None:
    planes = read_photo((PHOTOS / "spread" / "laser_bookdistortion.jpeg").read_bytes())
    processed = process(planes, Setup(), DEFAULT_PROFILE)
    assert uncertain(processed) or len(processed.pages) == 2
