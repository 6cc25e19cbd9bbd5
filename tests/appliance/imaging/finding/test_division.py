"""Two pages or one: a spread is divided or the operator is asked; one sheet is never torn in two."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.finding.sheets import Found, find_sheets
from appliance.imaging.geometry import distances, points
from appliance.imaging.model import Processed, Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.print_lines import print_across
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.view import reduced, without_print
from firmware.simulated import SimulatedCamera
from tests.appliance.imaging.drawing import PAPER, Drawn, overlap, printed_page, single, spread
from wire.documents import QuarterTurn

PHOTOS = Path(__file__).parents[4] / ".." / "shared" / "photos"
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


def vertical_page(columns: int, *, seed: int, spine_right: bool = False) -> NDArray[np.uint8]:
    """A page of stacked strokes in columns, as Hán Nôm books have; dark towards its spine."""
    random = np.random.default_rng(seed)
    page = np.full((880, 620, 3), PAPER, np.uint8)
    step = 470 / columns
    size = max(4, round(0.7 * step))
    for column in range(columns):
        x = round(75 + column * step)
        for y in range(90, 780, round(1.15 * size)):
            for _ in range(5):
                ends = random.integers(0, size, 4)
                start, end = (x + int(ends[0]), y + int(ends[1])), (x + int(ends[2]), y + int(ends[3]))
                cv2.line(page, start, end, (45, 40, 40), 2)
    shade = np.ones(620)
    shade[:60] = 1 - 0.6 * np.linspace(1, 0, 60) ** 2
    shade = shade[::-1] if spine_right else shade
    return np.asarray(page * shade[None, :, None], np.uint8)


def look(planes: Planes) -> Found:
    view = reduced(planes)
    return find_sheets(planes, view, without_print(view))


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


@pytest.mark.parametrize("luma", [120.0, 185.0])
def test_an_arm_that_joins_one_page_to_the_frame_does_not_lose_the_other(luma: float) -> None:
    planes = on_pale_grain(spread(*SIZE, seed=5), 14, luma=luma)
    planes.y[500:760, 1150:] = 190
    processed = judged(planes)
    assert len(processed.pages) == 2 or uncertain(processed)


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


def off_the_spine_px(found: Found, top: object, bottom: object, width_px: int) -> float:
    """How far the spine's ends are from the line that was found, in pixels of a frame 4000 px wide."""
    assert found.gutter is not None
    return float(np.abs(distances(points([top, bottom]), found.gutter)[0]).max()) / width_px * 4000


@pytest.mark.parametrize(("seed", "lean_deg"), [(1, -3.5), (2, 0.0), (3, 2.5)])
def test_the_spine_is_exact_however_the_book_lies(seed: int, lean_deg: float) -> None:
    drawn = spread(*SIZE, seed=seed, lean_deg=lean_deg)
    found = look(drawn.planes)
    assert off_the_spine_px(found, drawn.corners[0][1], drawn.corners[0][2], SIZE[0]) < 8


@pytest.mark.parametrize("seed", [1, 8, 50])
def test_the_spine_of_a_book_that_curls_into_it_is_exact(seed: int) -> None:
    camera = SimulatedCamera(seed, 1352, 1014, first_page=40 * (seed % 7))
    frame = camera.capture(pressed_at_ns=0)
    truth = camera.truth_of(frame.source)
    assert truth.gutter is not None
    found = look(Planes(frame.y, frame.u, frame.v))
    assert off_the_spine_px(found, truth.gutter[0], truth.gutter[1], 1352) < 6


@pytest.mark.parametrize(("rotation", "columns"), [(0, 9), (0, 18), (None, 9), (None, 18)])
def test_columns_of_vertical_writing_do_not_hide_the_spine_between_them(
    rotation: QuarterTurn | None, columns: int
) -> None:
    page = np.hstack([vertical_page(columns, seed=3, spine_right=True), vertical_page(columns, seed=4)])
    processed = judged(wide_sheet(page), Setup(rotation_cw=rotation))
    assert len(processed.pages) == 2 or (rotation is None and uncertain(processed))


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside this checkout")
def test_a_photographed_spread_whose_spine_is_not_seen_is_asked_about() -> None:
    planes = read_photo((PHOTOS / "spread" / "laser_bookdistortion.jpeg").read_bytes())
    processed = process(planes, Setup(), DEFAULT_PROFILE)
    assert uncertain(processed) or len(processed.pages) == 2
