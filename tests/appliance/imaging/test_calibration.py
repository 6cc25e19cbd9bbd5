"""The calibrated path: what is so large on paper is so large in the file; where nothing is known nothing is claimed."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from appliance.imaging.calibration import MM_PER_INCH, Calibration, read_calibration
from appliance.imaging.encode import encode
from appliance.imaging.model import Page, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from firmware.simulated import SimulatedCamera
from firmware.simulated.surface import CAMERA_HEIGHT_MM
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM
from lattrang.cli import main
from tests.appliance.imaging.drawing import Drawn, single

_PAGE_MM = np.array([145.0, 205.8])  # as wide to high as the page that is drawn
_FRAME_PX = (1200, 1600)
_TILTED = Calibration(_FRAME_PX, (3200.0, 3200.0, 610.0, 790.0), (0.25, -0.1, 0.02), (0.0, 0.0, 620.0))


def on_plane(calibration: Calibration, height_mm: float, page_mm: NDArray[np.float64] = _PAGE_MM) -> Drawn:
    """A page in the middle of the plane, or so far above it."""
    corners = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) - 0.5) * page_mm
    return single(seen(calibration, np.column_stack([corners, np.full(4, -height_mm)])), *_FRAME_PX)


def seen(calibration: Calibration, places_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels of the frame in which places of the plane are seen, z away from the camera: OpenCV's own answer."""
    camera, lens = calibration.camera_matrix(calibration.frame_px), np.array(calibration.distortion)
    pixels, _ = cv2.projectPoints(
        places_mm, np.array(calibration.rotation), np.array(calibration.position_mm), camera, lens
    )
    return np.asarray(pixels.reshape(-1, 2), np.float64)


def page_of(drawn: Drawn, **setup: object) -> Page:
    (page,) = process(drawn.planes, replace(Setup(layout="single", rotation_cw=0), **setup), DEFAULT_PROFILE).pages
    return page


@pytest.mark.parametrize("height_mm", [0.0, 25.0])
def test_a_page_seen_aslant_gets_its_true_proportions_and_its_true_resolution(height_mm: float) -> None:
    page = page_of(on_plane(_TILTED, height_mm), calibration=_TILTED, page_height_mm=height_mm)
    assert page.ppi is not None
    measured_mm = np.array([page.width_px, page.height_px]) / page.ppi * MM_PER_INCH
    assert measured_mm == pytest.approx(_PAGE_MM, rel=0.005)


def test_a_page_said_to_lie_higher_is_smaller_and_so_of_more_pixels_an_inch() -> None:
    drawn = on_plane(_TILTED, 0.0)
    low, high = (page_of(drawn, calibration=_TILTED, page_height_mm=each).ppi for each in (0.0, 62.0))
    assert low is not None
    assert high == pytest.approx(low / 0.9, rel=0.005)


def test_without_a_calibration_or_with_one_of_another_camera_no_resolution_is_claimed() -> None:
    drawn = on_plane(_TILTED, 0.0)
    assert page_of(drawn).ppi is None
    assert page_of(drawn, calibration=replace(_TILTED, frame_px=(1600, 1200))).ppi is None


def test_a_calibration_serves_frames_of_any_size_that_show_as_much() -> None:
    larger = replace(_TILTED, frame_px=(2400, 3200), camera=(6400.0, 6400.0, 1220.5, 1580.5))
    drawn = on_plane(_TILTED, 0.0)
    assert page_of(drawn, calibration=larger).ppi == pytest.approx(page_of(drawn, calibration=_TILTED).ppi, rel=0.002)


def test_the_bend_of_the_lens_is_taken_out_of_what_is_measured() -> None:
    lens = replace(_TILTED, distortion=(-0.25, 0.08, 0.001, -0.001, 0.0))
    places = np.random.default_rng(1).uniform(-70, 70, (50, 2))
    raised = seen(lens, np.column_stack([places, np.full(50, -12.0)]))
    assert np.abs(lens.on_page_mm(raised, _FRAME_PX, 12.0) - places).max() < 0.01
    assert np.abs(_TILTED.on_page_mm(raised, _FRAME_PX, 12.0) - places).max() > 0.1


def test_pages_of_drawn_books_are_as_large_as_their_paper_to_a_part_in_a_hundred() -> None:
    """These books lie open without a glass: their height is known on the mean, and they bend."""
    ratios = []
    for seed in (1, 4, 6):
        camera = SimulatedCamera(seed, 2400, 1800, first_page=140)
        frame = camera.capture(pressed_at_ns=0)
        focal = camera.truth_of(frame.source).pixels_per_mm * CAMERA_HEIGHT_MM
        calibration = Calibration(
            (2400, 1800), (focal, focal, 1199.5, 899.5), (0.0, 0.0, 0.0), (0.0, 0.0, CAMERA_HEIGHT_MM)
        )
        planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
        setup = Setup(rotation_cw=0, calibration=calibration, page_height_mm=7.5)
        for page in process(planes, setup, DEFAULT_PROFILE).pages:
            assert page.ppi is not None
            area_mm2 = page.width_px * page.height_px * (MM_PER_INCH / page.ppi) ** 2
            ratios.append(float(np.sqrt(area_mm2 / (PAGE_WIDTH_MM * PAGE_HEIGHT_MM))))
    assert len(ratios) == 6
    assert ratios == pytest.approx([1.0] * 6, abs=0.01)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"frame_px": [4056, 3040]}',
        json.dumps(asdict(replace(_TILTED, frame_px=(0, 3040)))).encode(),
        json.dumps(asdict(_TILTED)).replace("620.0", "-620.0").encode(),
    ],
)
def test_what_is_no_calibration_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_calibration(content)


def test_the_command_line_stamps_the_measured_resolution_into_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, calibration, listing = (tmp_path / name for name in ("page.jpg", "camera.json", "list.json"))
    photo.write_bytes(encode(on_plane(_TILTED, 0.0).planes))
    calibration.write_bytes(json.dumps(asdict(_TILTED)).encode())
    given = ["pages", str(photo), "--out", str(tmp_path), "--json", str(listing), "--calibration", str(calibration)]
    assert main(given) == 0
    (page,) = json.loads(listing.read_bytes())[0]["pages"]
    assert page["width_px"] / page["ppi"] * MM_PER_INCH == pytest.approx(_PAGE_MM[0], rel=0.005)
    with Image.open(page["file"]) as image:
        assert image.info["dpi"] == pytest.approx((page["ppi"], page["ppi"]), abs=0.51)
    calibration.write_bytes(b"{}")
    assert main(given) == 2
    assert "PAGES-03" in capsys.readouterr().err


def test_a_calibration_that_makes_a_page_of_no_size_a_page_has_is_not_believed() -> None:
    drawn = on_plane(_TILTED, 0.0)
    for far_mm in (0.001, 1e9):
        nonsense = replace(_TILTED, position_mm=(0.0, 0.0, far_mm))
        assert page_of(drawn, calibration=nonsense).ppi is None
