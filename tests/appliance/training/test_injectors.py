"""What training does to a picture, the station's own checks see; the same picture without it they let pass."""

from functools import cache

import pytest

from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes as Picture
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.training.injectors import Outline, spoil
from appliance.training.view import CODES_OF, Flaw
from firmware.planes import Planes
from firmware.simulated.camera import SimulatedCamera

FRAME_PX = (1400, 1050)
BOOKS = (3, 7, 12)


@cache
def clean(seed: int) -> Planes:
    frame = SimulatedCamera(seed, *FRAME_PX).capture(pressed_at_ns=0)
    return Planes(frame.y, frame.u, frame.v)


@cache
def judged(seed: int, flaw: Flaw | None = None, *, is_known: bool = True) -> Processed:
    planes = clean(seed)
    if flaw:
        outlines: tuple[Outline, ...] = tuple(page.outline for page in judged(seed).pages) if is_known else ()
        planes = spoil(planes, flaw, outlines)
    return process(Picture(*planes), Setup("spread", 0), DEFAULT_PROFILE)


def codes(result: Processed) -> set[str]:
    found = (*result.findings, *(one for page in result.pages for one in page.findings))
    return {one.code for one in found if one.severity in ("warn", "bad")}


@pytest.mark.parametrize("seed", BOOKS)
def test_a_picture_that_nothing_was_done_to_is_let_pass(seed: int) -> None:
    assert codes(judged(seed)) == set()


@pytest.mark.parametrize("seed", BOOKS)
@pytest.mark.parametrize("flaw", Flaw)
def test_every_flaw_is_seen_for_what_it_is(seed: int, flaw: Flaw) -> None:
    assert codes(judged(seed, flaw)) & CODES_OF[flaw]


@pytest.mark.parametrize("flaw", Flaw)
def test_a_flaw_is_seen_before_any_page_was_found(flaw: Flaw) -> None:
    assert codes(judged(BOOKS[0], flaw, is_known=False)) & CODES_OF[flaw]


def test_the_picture_itself_is_left_as_it_is() -> None:
    before = [plane.copy() for plane in clean(3)]
    for flaw in Flaw:
        spoiled = spoil(clean(3), flaw)
        assert [plane.shape for plane in spoiled] == [plane.shape for plane in before]
    assert all((plane == copy).all() for plane, copy in zip(clean(3), before, strict=True))
