"""The drawn book: the same from the same seed, and exactly where its truth says."""

import time

import cv2
import numpy as np
import pytest

from firmware.errors import CameraMissing, CameraStalled
from firmware.planes import Planes, planes_to_bgr
from firmware.simulated import Fault, SimulatedCamera

SIZE = (1014, 760)


def shoot(camera, *faults):
    camera.inject(*faults)
    frame = camera.capture(pressed_at_ns=time.monotonic_ns())
    return frame, camera.truth_of(frame.source)


@pytest.fixture
def camera():
    return SimulatedCamera(7, *SIZE)


def mask_of(outlines, shape, grow_px=0):
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        points = np.rint(np.array(outline) * 64).astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_8, 6)
        if grow_px > 0:
            cv2.polylines(mask, [points], True, 255, 2 * grow_px + 1, cv2.LINE_8, 6)
        if grow_px < 0:
            cv2.polylines(mask, [points], True, 0, -2 * grow_px + 1, cv2.LINE_8, 6)
    return mask > 0


def ink(frame):
    """Where it is much darker than the paper around it."""
    paper = cv2.morphologyEx(frame.y, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return frame.y < 0.62 * paper


def sharpness(frame):
    return cv2.Laplacian(frame.y[200:500, 200:800], cv2.CV_64F).var()


def test_the_same_seed_draws_the_same_pixels():
    first, second = SimulatedCamera(3, 400, 300), SimulatedCamera(3, 400, 300)
    for faults in ((), (Fault.FINGER,), (Fault.GLARE, Fault.BLUR), (Fault.CUT_EDGE,)):
        a, b = shoot(first, *faults)[0], shoot(second, *faults)[0]
        assert all(np.array_equal(*pair) for pair in ((a.y, b.y), (a.u, b.u), (a.v, b.v)))


def test_another_seed_is_another_book():
    words = [shoot(SimulatedCamera(seed, 400, 300))[1].pages[0].words for seed in (1, 2)]
    assert [word.text for word in words[0]] != [word.text for word in words[1]]


def test_what_is_previewed_does_not_change_what_is_captured():
    looked, blind = SimulatedCamera(3, 400, 300), SimulatedCamera(3, 400, 300)
    looked.preview()
    assert np.array_equal(shoot(looked)[0].y, shoot(blind)[0].y)


@pytest.mark.parametrize("size", [(1015, 761), (760, 1014), (2000, 500), (64, 64), (333, 1001)])
def test_any_size_can_be_drawn(size):
    frame, truth = shoot(SimulatedCamera(1, *size), Fault.FINGER, Fault.GLARE, Fault.MOTION)
    assert (frame.width_px, frame.height_px) == size
    assert len(truth.pages) == 2


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"width_px": 10}, {"height_px": 0}, {"first_page": 3}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match="simulated camera"):
        SimulatedCamera(**wrong)


@pytest.mark.parametrize("seed", range(1, 7))
def test_all_ink_is_inside_the_words_of_the_truth(seed):
    frame, truth = shoot(SimulatedCamera(seed, 2028, 1520))
    pages = mask_of([page.outline for page in truth.pages], frame.y.shape, grow_px=-30)
    rules_and_words = mask_of([word.quad for page in truth.pages for word in page.words], frame.y.shape, grow_px=2)
    printed = ink(frame) & pages
    assert printed.sum() > 10_000
    outside = printed & ~rules_and_words
    # Only the thin rules under the running heads are no words.
    assert outside.sum() < 0.04 * printed.sum()


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_word_of_the_truth_is_printed_where_it_says(seed):
    frame, truth = shoot(SimulatedCamera(seed, 2028, 1520))
    printed = ink(frame)
    for page in truth.pages:
        for word in page.words:
            assert printed[mask_of([word.quad], frame.y.shape)].mean() > 0.03, word


@pytest.mark.parametrize("seed", range(1, 7))
def test_the_outline_of_the_truth_is_where_paper_ends(seed):
    frame, truth = shoot(SimulatedCamera(seed, *SIZE))
    smooth = cv2.GaussianBlur(frame.y, (0, 0), 1.0).astype(int)
    for page in truth.pages:
        for (ax, ay), (bx, by) in (page.outline[4:6], page.outline[12:14], page.outline[-14:-12]):
            middle = np.array([(ax + bx) / 2, (ay + by) / 2])
            inwards = np.array([ay - by, bx - ax]) / np.hypot(bx - ax, by - ay)
            inside, outside = np.rint(middle + 4 * inwards).astype(int), np.rint(middle - 4 * inwards).astype(int)
            assert smooth[inside[1], inside[0]] > smooth[outside[1], outside[0]] + 50


def test_an_outline_runs_clockwise_from_the_pages_own_top_left(camera):
    _, truth = shoot(camera)
    for page in truth.pages:
        x, y = np.array(page.outline).T
        assert 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0
        assert page.outline[0] == pytest.approx(page.corners[0])
        top_left, top_right, bottom_right, bottom_left = page.corners
        assert top_left[0] < top_right[0]
        assert bottom_left[1] > top_left[1]
        assert bottom_right[0] > bottom_left[0]
        assert top_right[1] < bottom_right[1]


def test_both_pages_meet_in_the_gutter(camera):
    _, truth = shoot(camera)
    left, right = truth.pages
    assert (left.side, right.side) == ("left", "right")
    assert left.corners[1] == pytest.approx(truth.gutter[0])
    assert right.corners[3] == pytest.approx(truth.gutter[1])


def test_page_edges_are_curved_and_the_gutter_is_narrow_by_perspective(camera):
    _, truth = shoot(camera)
    top = np.array(truth.pages[0].outline[:24])
    chord = top[0] + (top[-1] - top[0]) * np.linspace(0, 1, 24)[:, None]
    assert np.abs(top - chord)[:, 1].max() > 2
    middles = [np.mean(word.quad, axis=0)[0] for word in truth.pages[1].words]
    assert min(middles) > truth.gutter[0][0]


def test_page_numbers_go_up_by_two(camera):
    numbers = [[page.printed_number for page in shoot(camera)[1].pages] for _ in range(3)]
    assert numbers == [["2", "3"], ["4", "5"], ["6", "7"]]


def test_the_printed_number_is_the_last_word_of_its_page(camera):
    for page in shoot(camera)[1].pages:
        assert page.words[-1].text == page.printed_number == str(page.number)


def test_skipped_leaves_a_leaf_out_and_doubled_shows_the_same_again(camera):
    first, skipped, doubled, after = (
        shoot(camera, *faults)[1].pages[0].number for faults in ((), (Fault.SKIPPED,), (Fault.DOUBLED,), ())
    )
    assert (first, skipped, doubled, after) == (2, 6, 6, 8)


def test_a_doubled_capture_is_another_exposure_of_the_same_pages(camera):
    (first, before), (second, after) = shoot(camera), shoot(camera, Fault.DOUBLED)
    assert not np.array_equal(first.y, second.y)
    assert [w.text for page in before.pages for w in page.words] == [w.text for page in after.pages for w in page.words]


def test_faults_can_be_chosen_by_capture():
    camera = SimulatedCamera(1, 400, 300, faults={2: Fault.EMPTY, 3: [Fault.BLUR, Fault.DARK]})
    faults = [{fault.fault for fault in shoot(camera)[1].faults} for _ in range(4)]
    assert faults == [set(), {Fault.EMPTY}, {Fault.BLUR, Fault.DARK}, set()]


@pytest.mark.parametrize("fault", [Fault.BLUR, Fault.MOTION])
def test_blur_and_motion_take_the_detail_away(camera, fault):
    clean, spoilt = shoot(camera)[0], shoot(camera, Fault.DOUBLED, fault)[0]
    assert sharpness(spoilt) < 0.35 * sharpness(clean)


def test_a_lamp_that_is_off_leaves_the_frame_dark(camera):
    assert np.percentile(shoot(camera, Fault.DARK)[0].y, 99) < 40


def test_a_clean_frame_is_neither_clipped_nor_dark(camera):
    frame, truth = shoot(camera)
    paper = frame.y[mask_of([page.outline for page in truth.pages], frame.y.shape)]
    assert (paper > 252).mean() < 0.001
    assert np.median(paper) > 180


def test_glare_is_white_inside_its_outline(camera):
    frame, truth = shoot(camera, Fault.GLARE)
    (fault,) = truth.faults
    assert (frame.y[mask_of([fault.outline], frame.y.shape)] == 255).mean() > 0.8
    assert fault.side in ("left", "right")


def test_a_finger_is_skin_inside_its_outline_and_covers_words(camera):
    frame, truth = shoot(camera, Fault.FINGER)
    (fault,) = truth.faults
    finger = mask_of([fault.outline], frame.y.shape)
    red = cv2.resize(frame.v, SIZE, interpolation=cv2.INTER_NEAREST)
    assert np.median(red[finger]) > np.median(red[~finger]) + 8
    page = truth.pages[("left", "right").index(fault.side)]
    assert any(finger[mask_of([word.quad], frame.y.shape)].mean() > 0.5 for word in page.words)


def test_a_cut_edge_leaves_words_outside_the_frame(camera):
    frame, truth = shoot(camera, Fault.CUT_EDGE)
    (fault,) = truth.faults
    outside = {
        page.side: sum(not 0 <= x < frame.width_px for word in page.words for x, _ in word.quad) for page in truth.pages
    }
    assert outside.pop(fault.side) > 0
    assert list(outside.values()) == [0]


def test_an_empty_cradle_has_no_pages(camera):
    frame, truth = shoot(camera, Fault.EMPTY)
    assert truth.pages == ()
    assert truth.gutter is None
    assert frame.y.max() < 90


def test_a_blank_page_has_neither_words_nor_ink(camera):
    frame, truth = shoot(camera, Fault.BLANK)
    (fault,) = truth.faults
    page = truth.pages[("left", "right").index(fault.side)]
    assert page.words == ()
    assert page.printed_number is None
    assert ink(frame)[mask_of([page.outline], frame.y.shape, grow_px=-20)].mean() < 0.001


def test_what_was_never_captured_has_no_truth(camera):
    with pytest.raises(KeyError):
        camera.truth_of("simulated/7/1")


def test_all_truths_are_kept_in_order(camera):
    sources = [shoot(camera)[0].source for _ in range(3)]
    assert [truth.source for truth in camera.truths] == sources


def test_a_preview_shows_what_will_be_captured_and_is_not_drawn_twice(camera):
    first = camera.preview()
    assert camera.preview() is first
    frame = shoot(camera)[0]
    shown = cv2.imdecode(np.frombuffer(first.jpeg, np.uint8), cv2.IMREAD_COLOR)
    captured = planes_to_bgr(Planes(frame.y, frame.u, frame.v))
    assert np.abs(shown.astype(int) - captured).mean() < 3


def test_a_stalled_camera_shows_no_preview_and_loses_no_spread(camera):
    shoot(camera)
    camera.stall()
    with pytest.raises(CameraStalled):
        camera.preview()
    with pytest.raises(CameraStalled):
        camera.capture(pressed_at_ns=0, timeout_s=0.01)
    camera.recover()
    assert shoot(camera)[1].pages[0].number == 4


def test_an_unplugged_camera_is_missing_until_it_is_plugged_in(camera):
    camera.unplug()
    for attempt in (camera.recover, camera.preview, lambda: camera.capture(pressed_at_ns=0)):
        with pytest.raises(CameraMissing):
            attempt()
    camera.plug_in()
    camera.recover()
    assert shoot(camera)[1].pages[0].number == 2
