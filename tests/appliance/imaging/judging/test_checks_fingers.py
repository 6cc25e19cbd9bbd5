"""What lies over the edge of a page is seen, whatever its colour; pictures, shadows and stains are no fingers."""

import cv2
import numpy as np
import pytest

from appliance.imaging.geometry import points
from appliance.imaging.judging.fingers import _smooth, find_intruders
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.view import View
from firmware.simulated import Fault, SimulatedCamera
from tests.appliance.imaging.drawing import Drawn, spread, turned

CLEAN = spread(seed=21)
COLOURS = {
    "light": (190, 113, 141),
    "dark": (78, 120, 140),
    "blue glove": (105, 152, 104),
    "black glove": (45, 128, 128),
}


def laid(drawn: Drawn, colour: tuple[int, int, int], start: tuple[int, int], end: tuple[int, int], wide: int) -> Planes:
    """The frame with a round bar of one colour laid from `start` to `end`."""
    planes = Planes(drawn.planes.y.copy(), drawn.planes.u.copy(), drawn.planes.v.copy())
    for values, value, half in zip((planes.y, planes.u, planes.v), colour, (1, 2, 2), strict=True):
        ends = [tuple(axis // half for axis in point) for point in (start, end)]
        cv2.line(values, ends[0], ends[1], value, wide // half, cv2.LINE_AA)
    return planes


def fingers(processed: Processed) -> list[str]:
    return [finding.severity for finding in processed.all_findings if finding.code == "finger"]


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize(
    ("start", "end"), [((1100, 1199), (1090, 990)), ((1599, 500), (1380, 560)), ((420, 0), (400, 200))]
)
def test_a_finger_of_any_colour_is_seen_from_every_free_side(
    colour: tuple[int, int, int], start: tuple[int, int], end: tuple[int, int]
) -> None:
    assert fingers(process(laid(CLEAN, colour, start, end, 70), Setup(), DEFAULT_PROFILE)) == ["warn"]


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize(
    ("start", "end"), [((1599, 1199), (1380, 990)), ((0, 1199), (180, 1000)), ((700, 1199), (560, 980))]
)
def test_it_is_seen_leaning_and_beside_the_bottom_corners(
    colour: tuple[int, int, int], start: tuple[int, int], end: tuple[int, int]
) -> None:
    assert "warn" in fingers(process(laid(CLEAN, colour, start, end, 60), Setup(), DEFAULT_PROFILE))


def test_it_is_seen_where_the_lamp_falls_off_along_the_side() -> None:
    finger = laid(CLEAN, COLOURS["light"], (1599, 500), (1380, 560), 60)
    fall = np.linspace(1.0, 0.6, finger.height_px)[:, None]
    dimmed = Planes(np.rint(finger.y * fall).astype(np.uint8), finger.u, finger.v)
    assert fingers(process(dimmed, Setup(), DEFAULT_PROFILE)) == ["warn"]


def test_it_is_seen_in_a_frame_that_lies_on_its_side() -> None:
    frame = turned(laid(CLEAN, COLOURS["light"], (1599, 500), (1380, 560), 70), 1)
    assert fingers(process(frame, Setup(), DEFAULT_PROFILE)) == ["warn"]


def sheet(paper: tuple[int, int, int]) -> View:
    """A page of 240 x 320 upon dark ground."""
    planes = [np.full((440, 360), value, np.uint8) for value in (40, 130, 130)]
    for values, value in zip(planes, paper, strict=True):
        values[60:380, 60:300] = value
    return View(*planes, 1.0)


def seen_over(view: View) -> list[tuple[float, float]]:
    corners = points([(60, 60), (300, 60), (300, 380), (60, 380)])
    found = find_intruders(view, corners, corners, None)
    return [tuple(each.corners.mean(axis=0)) for each in found]


def lay(view: View, tone: tuple[int, int, int], start: tuple[int, int], end: tuple[int, int], wide: int) -> View:
    for values, value in zip((view.y, view.u, view.v), tone, strict=True):
        cv2.line(values, start, end, value, wide)
    return view


PAPER = (215, 122, 132)


@pytest.mark.parametrize("end", [(230, 200), (255, 260), (280, 160)])
def test_a_glove_as_pale_as_the_paper_is_seen_because_it_reaches_far_out_of_the_page(end: tuple[int, int]) -> None:
    ((x, y),) = seen_over(lay(sheet(PAPER), PAPER, (359, 215), end, 20))
    assert x > 260
    assert 160 < y < 270


def test_what_is_as_pale_as_the_paper_and_reaches_a_little_out_is_paper() -> None:
    assert seen_over(lay(sheet(PAPER), PAPER, (307, 200), (280, 200), 20)) == []


def test_a_pale_thing_beside_the_page_is_not_over_it() -> None:
    assert seen_over(lay(sheet(PAPER), PAPER, (359, 215), (322, 215), 20)) == []


def test_a_finger_is_seen_where_the_outline_holds_the_edges_of_the_other_leaves_too() -> None:
    view = sheet(PAPER)
    for values, value in zip((view.y, view.u, view.v), (75, 124, 131), strict=True):
        values[60:380, 291:300] = value
    assert seen_over(view) == []
    assert len(seen_over(lay(view, (150, 112, 150), (359, 215), (240, 200), 22))) == 1


SPINE = points([(300, 60), (300, 380)])


def open_book() -> View:
    """The same page with its facing page cut by the frame, and a shadow between them."""
    view = sheet(PAPER)
    for values, value in zip((view.y, view.u, view.v), PAPER, strict=True):
        values[60:380, 300:] = value
    view.y[60:380, 298:303] = 150
    return view


def over_spine(view: View, *, one_page: bool = True) -> int:
    corners = points([(60, 60), (300, 60), (300, 380), (60, 380)])
    return len(find_intruders(view, corners, corners, SPINE, one_page=one_page))


@pytest.mark.parametrize("colour", ["light", "dark", "blue glove"])
def test_a_finger_across_the_spine_is_seen_where_the_facing_page_is_left_out(colour: str) -> None:
    assert over_spine(lay(open_book(), COLOURS[colour], (359, 215), (240, 200), 22)) == 1
    assert over_spine(lay(open_book(), COLOURS[colour], (359, 215), (240, 200), 22), one_page=False) == 0


def test_a_picture_that_ends_at_the_spine_or_is_grey_is_no_finger() -> None:
    ends = open_book()
    for values, value in zip((ends.y, ends.u, ends.v), (150, 112, 150), strict=True):
        values[160:240, 220:300] = value
    grey = open_book()
    grey.y[160:240, 220:] = 120
    assert [over_spine(view) for view in (open_book(), ends, grey)] == [0, 0, 0]


def test_the_place_that_is_told_lies_where_the_finger_lies() -> None:
    processed = process(laid(CLEAN, COLOURS["light"], (1100, 1199), (1090, 990), 70), Setup(), DEFAULT_PROFILE)
    (finding,) = [each for each in processed.pages[1].findings if each.code == "finger"]
    assert finding.place is not None
    assert finding.place.y + finding.place.height > 0.8 * processed.pages[1].height_px
    assert 40 < finding.place.width < 140


def test_clean_spreads_and_what_is_printed_or_falls_on_them_are_no_fingers() -> None:
    stain = laid(CLEAN, (120, 110, 140), (1100, 500), (1200, 560), 80)
    ribbon = laid(CLEAN, (80, 110, 170), (1100, 1199), (1100, 900), 10)
    shadow = CLEAN.planes.y.astype(np.float32)
    fall = np.ones_like(shadow)
    cv2.line(fall, (1100, 1199), (1090, 900), 0.55, 160)
    shaded = (shadow * cv2.GaussianBlur(fall, (0, 0), 12)).astype(np.uint8)
    for planes in (CLEAN.planes, stain, ribbon, Planes(shaded, CLEAN.planes.u, CLEAN.planes.v)):
        assert fingers(process(planes, Setup(), DEFAULT_PROFILE)) == []


@pytest.mark.parametrize("seed", [2, 9, 31])
def test_the_simulated_finger_is_named(seed: int) -> None:
    frame = SimulatedCamera(seed, 1600, 1200, faults={1: Fault.FINGER}).capture(pressed_at_ns=0)
    planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
    assert fingers(process(planes, Setup(), DEFAULT_PROFILE))


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 50])
def test_a_side_of_a_few_places_is_followed_like_a_long_one(columns: int) -> None:
    straight = np.linspace(9.0, 12.0, columns)
    assert np.allclose(_smooth(straight, np.ones(columns)), straight)


SKIN = (150, 112, 150)


@pytest.mark.parametrize("wide", [24, 60, 90])
def test_a_hand_is_seen_where_the_outline_leaves_the_page_with_it_and_ends_in_the_frames_corner(wide: int) -> None:
    view = lay(sheet(PAPER), SKIN, (210, 439), (205, 330 + wide // 2), wide)
    corners = points([(60, 60), (300, 60), (340, 436), (60, 380)])
    begins = 205 - wide // 2
    polygon = points([(60, 60), (300, 60), (340, 436), (begins + 30, 430), (begins, 400), (begins - 4, 380), (60, 380)])
    ((x, y),) = (each.corners.mean(axis=0) for each in find_intruders(view, polygon, corners, None))
    assert (180 < x < 240, 320 < y < 400) == (True, True)


def test_a_dark_finger_is_seen_though_it_is_darker_beyond_the_edge_than_on_the_page() -> None:
    view = lay(sheet(PAPER), (92, 118, 141), (359, 215), (240, 200), 22)
    beyond = np.zeros(view.y.shape, np.bool_)
    beyond[:, 298:] = True
    view.y[beyond & (view.y == 92)] = 74
    assert len(seen_over(view)) == 1


def test_a_pale_glove_without_colour_is_seen_where_it_hides_the_edge_of_paper_upon_grey() -> None:
    view = sheet((215, 130, 126))
    view.y[view.y == 40] = 100
    assert len(seen_over(lay(view, (165, 129, 127), (359, 215), (240, 200), 22))) == 1


def deepening_shadow(view: View) -> View:
    """The same with more than half of the page in a shadow that grows darker downwards."""
    fall = np.linspace(0.5, 0.2, 440 - 180)[:, None]
    view.y[180:] = (view.y[180:] * fall).astype(np.uint8)
    return view


@pytest.mark.parametrize("height", [90, 215, 300])
def test_a_finger_is_seen_on_a_side_that_lies_in_shadow_for_the_most_part(height: int) -> None:
    finger = lay(sheet(PAPER), SKIN, (359, height + 15), (240, height), 22)
    ((x, y),) = seen_over(deepening_shadow(finger))
    assert (x > 260, height - 20 < y < height + 30) == (True, True)


def test_a_brown_finger_is_seen_upon_a_cover_that_is_nearly_as_brown() -> None:
    view = sheet(PAPER)
    cover = view.y == 40
    for values, value in zip((view.y, view.u, view.v), (62, 122, 140), strict=True):
        values[cover] = value
    finger = lay(view, (95, 120, 138), (359, 215), (240, 200), 22)
    finger.y[finger.y == 95] = 92
    beyond = np.zeros(finger.y.shape, np.bool_)
    beyond[:, 299:] = True
    finger.y[beyond & (finger.y == 92)] = 80
    assert len(seen_over(finger)) == 1


def test_shadows_and_pictures_that_run_off_a_page_are_no_fingers() -> None:
    shaded, picture = deepening_shadow(sheet(PAPER)), sheet(PAPER)
    for values, value in zip((picture.y, picture.u, picture.v), (60, 126, 132), strict=True):
        values[60:230, 240:300] = value
    picture.y[100:150, 250:300] = 150
    assert [seen_over(view) for view in (shaded, picture)] == [[], []]
