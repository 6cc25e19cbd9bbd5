"""The sheet shows where things lie: outlines on the photograph, findings on the page they were found on."""

import numpy as np

from appliance.imaging.contact_sheet import cell, draw
from appliance.imaging.model import Page, Processed, Signature
from appliance.imaging.planes import Planes, from_grey
from wire.documents import FindingEntry, Place

_NO_SIGNATURE = Signature(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))


def _grey(width_px: int, height_px: int) -> Planes:
    return from_grey(np.full((height_px, width_px), 90, np.uint8))


def _coloured(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is not grey."""
    rows, columns = np.nonzero(np.ptp(picture.astype(int), axis=2) > 40)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_outlines_and_places_are_drawn_where_they_lie() -> None:
    glare = FindingEntry(code="glare", severity="warn", value=0.05, place=Place(200, 400, 100, 50))
    outline = ((520, 104), (1040, 104), (1040, 936), (520, 936))
    page = Page("right", outline, 0, _grey(520, 1040), None, (glare,))
    shown = cell("a", _grey(1040, 1040), Processed((page,), (), _NO_SIGNATURE))
    assert shown.photo is not None
    assert np.allclose(_coloured(shown.photo), (130, 26, 259, 234), atol=4)
    [picture] = shown.pages
    assert np.allclose(_coloured(picture), (50 - 3, 100 - 3, 75 + 3, 112 + 3), atol=2)
    assert shown.findings == (("right", glare),)


def test_a_place_of_one_pixel_at_the_very_corner_is_still_framed() -> None:
    tiny = FindingEntry(code="finger", severity="bad", place=Place(1030, 0, 1, 1))
    shown = cell("a", _grey(1040, 780), Processed((), (tiny,), _NO_SIGNATURE))
    assert shown.photo is not None
    left, top, right, bottom = _coloured(shown.photo)
    assert (left, top) == (254, 0)
    assert right == 259
    assert bottom <= 4


def test_a_sheet_without_photographs_is_still_a_picture() -> None:
    assert draw([]).width >= 1000
