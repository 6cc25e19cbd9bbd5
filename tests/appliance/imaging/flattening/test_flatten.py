"""Curl: lines come out level and letters beside the gutter as wide as the others; what does not tell stays as it is."""

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.finding.sheets import find_sheets
from appliance.imaging.flattening.flatten import find_lines, flattened, is_whole
from appliance.imaging.flattening.pose import pose_of
from appliance.imaging.flattening.rectify import Mapping, plan, rectify
from appliance.imaging.flattening.shape import Shape
from appliance.imaging.geometry import Polygon, points, turned_outline
from appliance.imaging.planes import Planes, from_bgr
from appliance.imaging.view import reduced, without_print
from firmware.simulated import SimulatedCamera
from firmware.simulated.scene import Scene, Shot
from tests.appliance.imaging.drawing import printed_page

SIZE = (2028, 1520)
PAPER = points([(60, 50), (679, 50), (679, 929), (60, 929)])
ARCH = 0.12 * 620 * np.sin(np.linspace(0, np.pi, 65)) ** 2
DIVE = -0.12 * 620 * (1 - np.exp(-np.linspace(0, 1, 65) / 0.08))


def bent_frame(depth: NDArray[np.float64], page: NDArray[np.uint8] | None = None) -> tuple[Planes, Shape, Polygon]:
    """A printed page bent as `depth` says, as a camera above it sees it: the frame, the shape and the page's edge."""
    page = printed_page() if page is None else page
    pose = pose_of(np.array([[1.0, 0, 60], [0, 1, 50], [0, 0, 1]]), (740, 980))
    height, width = page.shape[:2]
    shape = Shape(pose, float(width), float(height), depth, np.zeros((2, 1)))
    across, down = np.meshgrid(np.arange(740.0) - 60, np.arange(980.0) - 50)
    on_paper = shape.levelled(np.column_stack([across.ravel(), down.ravel()])).reshape(980, 740, 2).astype(np.float32)
    frame = cv2.remap(page, on_paper, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(30, 30, 30))
    rows, columns = np.linspace(0, height, 9), np.linspace(0, shape.levelled(points([(width, 0)]))[0, 0], 17)
    edge = [(0, row) for row in rows[::-1]] + [(column, 0) for column in columns]
    edge += [(columns[-1], row) for row in rows] + [(column, height) for column in columns[::-1]]
    return from_bgr(cv2.GaussianBlur(frame, (0, 0), 0.6)), shape, shape.bent(points(edge)) + np.array([60, 50])


def mapping_of(planes: Planes, outline: Polygon = PAPER, corners: Polygon = PAPER) -> tuple[Mapping, Mapping]:
    """What perspective alone makes of it, and what comes of looking at the lines."""
    flat = plan(corners, outline, 0.006, (planes.width_px, planes.height_px))
    return flat, flattened(planes.y, flat, corners, outline, 0.006)


def strays(levels: list[Polygon]) -> float:
    """How far points that should be level are from a straight line at most, in pixels."""
    worst = []
    for level in levels:
        along = np.column_stack([np.ones(len(level)), level[:, 0]])
        worst.append(float(np.abs(level[:, 1] - along @ np.linalg.lstsq(along, level[:, 1], rcond=None)[0]).max()))
    return max(worst)


@pytest.mark.parametrize(
    ("depth", "seen_px"), [(ARCH, 9), (-ARCH, 9), (DIVE, 2.5)], ids=["hollow", "arch", "gutter at the left"]
)
def test_lines_of_a_bent_page_come_out_straight_and_evenly_wide(depth: NDArray[np.float64], seen_px: float) -> None:
    planes, shape, outline = bent_frame(depth)
    x = np.linspace(0.13, 0.85, 30) * 620
    drawn = [shape.bent(np.column_stack([x, np.full(30, y)])) + np.array([60, 50]) for y in (110.0, 440.0, 770.0)]
    seen, made = (([mapping.from_frame(line) for line in drawn]) for mapping in mapping_of(planes, outline))
    assert strays(seen) > seen_px
    assert strays(made) < 1.0
    uneven = [float(np.ptp(np.diff(lines[1][:, 0]))) for lines in (seen, made)]
    assert uneven[1] < 0.6 * uneven[0]


def test_lines_so_steep_that_they_run_together_are_followed_again_once_they_are_nearly_level() -> None:
    planes, shape, outline = bent_frame(-2.5 * ARCH)
    x = np.linspace(0.13, 0.85, 30) * 620
    drawn = [shape.bent(np.column_stack([x, np.full(30, y)])) + np.array([60, 50]) for y in (110.0, 440.0, 770.0)]
    seen, made = (strays([mapping.from_frame(line) for line in drawn]) for mapping in mapping_of(planes, outline))
    assert seen > 20
    assert made < 0.8  # at the first look 1.5


@cache
def open_book(seed: int) -> tuple[Planes, Scene]:
    frame = SimulatedCamera(seed, *SIZE).capture(pressed_at_ns=0)
    planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
    return planes, Scene(seed, Shot(1, 0), *SIZE, 2)


@pytest.mark.parametrize("seed", [1, 3])
def test_the_page_that_arches_most_is_straight_and_its_letters_beside_the_gutter_keep_their_width(seed: int) -> None:
    planes, scene = open_book(seed)
    view = reduced(planes)
    sheet = find_sheets(planes, view, without_print(view)).sheets[1]
    outline = turned_outline(sheet.polygon, sheet.corners[0])
    real = scene.sheets[1]  # of a book that is opened at its beginning, the right page arches most
    boxes = np.array([word.box_mm for word in real.setting.words])
    x = np.linspace(boxes[:, 0].min(), boxes[:, 2].max(), 40)
    at_300_ppi = 300 / 25.4 / scene.pixels_per_mm
    straight, beside = [], []
    for mapping in mapping_of(planes, outline, sheet.corners):
        lines = [
            mapping.from_frame(real.to_frame(np.column_stack([x, np.full(40, y)]))) * at_300_ppi
            for y in np.linspace(boxes[:, 1].min(), boxes[:, 3].max(), 9)
        ]
        straight.append(strays(lines))
        widths = np.diff(lines[4][:, 0])
        beside.append(float(widths[:4].mean() / np.median(widths[10:30])))
    assert straight[0] > 10
    assert straight[1] < 5
    assert beside[0] + 0.015 < beside[1] < 1.02  # how far is told by the lens, which is not known


def test_the_way_to_the_frame_and_back_is_one_and_all_of_the_outline_is_kept() -> None:
    planes, _, outline = bent_frame(ARCH)
    _, bent = mapping_of(planes, outline)
    assert bent.shape is not None
    x, y = np.meshgrid(np.linspace(0, bent.width_px - 1, 20), np.linspace(0, bent.height_px - 1, 20))
    places = np.column_stack([x.ravel(), y.ravel()])
    assert np.abs(bent.from_frame(bent.to_frame(places)) - places).max() < 0.1
    kept = bent.from_frame(outline)
    assert kept.min() >= -1
    assert (kept < (bent.width_px, bent.height_px)).all()


def test_colour_stays_where_its_luma_is_on_a_bent_page() -> None:
    page = printed_page()
    cv2.circle(page, (60, 800), 24, (40, 40, 230), -1)  # below the left end of the last line
    planes, _, outline = bent_frame(DIVE, page)
    _, bent = mapping_of(planes, outline)
    flat = rectify(planes, bent)
    assert bent.shape is not None
    assert (flat.width_px, flat.height_px) == (bent.width_px, bent.height_px)
    colour = np.argwhere(flat.v > 170)
    top, left = 2 * colour.min(axis=0) - 6
    down, right = 2 * colour.max(axis=0) + 6
    luma = np.argwhere(flat.y[top:down, left:right] < 150).mean(axis=0) + np.array([top, left])
    assert np.abs(luma - (2 * colour.mean(axis=0) + 0.5)).max() < 0.5


def test_a_flat_page_takes_the_plain_way() -> None:
    for lines in (26, 12):
        page = printed_page(lines=lines)
        planes, _, outline = bent_frame(np.zeros(65), page)
        flat, found = mapping_of(planes, outline)
        assert find_lines(planes.y, flat).lines >= 10
        assert found is flat


def pictures() -> dict[str, NDArray[np.uint8]]:
    random = np.random.default_rng(5)
    blank = np.full((880, 620, 3), 215, np.uint8)
    plate, chart = blank.copy(), blank.copy()
    coarse = random.integers(20, 230, (40, 30, 3), np.uint8)
    plate[80:800, 60:560] = cv2.resize(coarse, (500, 720), interpolation=cv2.INTER_CUBIC)
    heights = cv2.GaussianBlur(random.normal(0, 1, (880, 620)), (0, 0), 50)
    contours = np.abs(np.sin(heights * 900)) < 0.12
    chart[contours] = (90, 70, 50)
    return {"blank": blank, "plate": plate, "map": chart}


@pytest.mark.parametrize("name", pictures())
def test_pages_without_lines_of_print_are_left_as_they_are_seen(name: str) -> None:
    planes, _, outline = bent_frame(np.zeros(65), pictures()[name])
    flat, found = mapping_of(planes, outline)
    assert found is flat


def test_a_shape_that_folds_or_tears_is_refused() -> None:
    pose = pose_of(np.eye(3), (740, 980))
    sound = Shape(pose, 620.0, 880.0, ARCH, np.zeros((2, 1)))
    folded = np.zeros((2, 4))
    folded[1, 3] = 400.0  # what is printed lower is seen higher
    assert is_whole(sound, (0.0, 0.0), (620, 880))
    assert not is_whole(Shape(pose, 620.0, 880.0, ARCH, folded), (0.0, 0.0), (620, 880))
