"""The simulated camera's book, against the truth that is drawn with it."""

import cv2
import numpy as np
import pytest

from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from firmware.simulated import Fault, FrameTruth, SimulatedCamera
from tests.appliance.imaging.drawing import overlap

SIZE = (1014, 760)


def shoot(
    camera: SimulatedCamera, run: list[Signature], *, turns: int = 0, setup: Setup | None = None
) -> tuple[Processed, FrameTruth]:
    frame = camera.capture(pressed_at_ns=0)
    planes = Planes(*(np.ascontiguousarray(np.rot90(each, turns)) for each in (frame.y, frame.u, frame.v)))
    processed = process(planes, setup or Setup(), DEFAULT_PROFILE, tuple(run))
    run.append(processed.signature)
    return processed, camera.truth_of(frame.source)


def words_lost(processed: Processed, truth: FrameTruth) -> int:
    outlines = [np.array(page.outline, np.float32) for page in processed.pages]
    corners = [corner for page in truth.pages for word in page.words for corner in word.quad]
    return sum(all(cv2.pointPolygonTest(outline, corner, True) < -1 for outline in outlines) for corner in corners)


@pytest.mark.parametrize("seed", [1, 2, 3, 77, 1234])
def test_every_clean_spread_is_two_upright_pages_with_every_word_and_no_complaint(seed: int) -> None:
    camera, run = SimulatedCamera(seed, *SIZE), []
    for _ in range(3):
        processed, truth = shoot(camera, run)
        assert [page.side for page in processed.pages] == ["left", "right"]
        assert {page.rotation_cw for page in processed.pages} == {0}
        assert processed.judgement == "ok"
        assert words_lost(processed, truth) == 0
        for page, real in zip(processed.pages, truth.pages, strict=True):
            assert overlap(page.outline, real.outline, *SIZE) > 0.95


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_print_alone_tells_how_the_camera_lies(turns: int) -> None:
    processed, _ = shoot(SimulatedCamera(5, *SIZE), [], turns=turns)
    assert [page.rotation_cw for page in processed.pages] == [90 * turns] * 2


@pytest.mark.parametrize(
    ("fault", "code", "severity"),
    [
        (Fault.BLUR, "blur", "bad"),
        (Fault.GLARE, "glare", "warn"),
        (Fault.DOUBLED, "duplicate", "info"),
        (Fault.EMPTY, "empty_frame", "bad"),
        (Fault.BLANK, "blank_page", "info"),
        (Fault.DARK, "exposure_dark", "bad"),
        (Fault.CUT_EDGE, "cut_edge", "bad"),
    ],
)
def test_each_fault_gets_its_finding(fault: Fault, code: str, severity: str) -> None:
    camera, run = SimulatedCamera(9, *SIZE, faults={4: fault}), []
    clean = [shoot(camera, run)[0] for _ in range(3)]
    faulty, _ = shoot(camera, run)
    assert {each.judgement for each in clean} == {"ok"}
    assert (code, severity) in {(finding.code, finding.severity) for finding in faulty.all_findings}


def test_a_leaf_that_still_moved_is_bad_whichever_way_it_moved() -> None:
    camera, run = SimulatedCamera(9, 2028, 1520, faults={3: Fault.MOTION}), []
    shoot(camera, run)
    shoot(camera, run)
    codes = {finding.code for finding in shoot(camera, run)[0].all_findings if finding.severity == "bad"}
    assert codes & {"motion", "blur"}
