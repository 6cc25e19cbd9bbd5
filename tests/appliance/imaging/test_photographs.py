"""Real photographs, where they are beside the checkout: outlines no worse than what was measured."""

import json
from pathlib import Path

import pytest

from appliance.imaging.model import Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.profiles import DEFAULT_PROFILE
from tests.appliance.imaging.drawing import overlap

PHOTOS = Path(__file__).parents[3] / ".." / "shared" / "photos"

pytestmark = pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs are not beside this checkout")


@pytest.mark.parametrize(("folder", "limit"), [("cradle", 0.95), ("page_in_book", 0.78), ("spread", 0.86)])
def test_a_page_is_found_or_the_frame_is_passed_whole(folder: str, limit: float) -> None:
    flagged = 0
    annotated = json.loads((PHOTOS / folder / "quads.json").read_bytes())
    for name, entry in annotated.items():
        planes = read_photo((PHOTOS / folder / name).read_bytes())
        processed = process(planes, Setup(), DEFAULT_PROFILE)
        if any(finding.code == "outline_uncertain" for finding in processed.findings):
            flagged += 1
            continue
        spoilt = [each for each in processed.all_findings if each.code in ("blur", "motion")]
        assert all(each.severity == "warn" for each in spoilt), name
        for quad in entry.get("pages", {}).values():
            size = (planes.width_px, planes.height_px)
            assert max(overlap(page.outline, quad, *size) for page in processed.pages) > limit, name
    assert flagged <= 1 + len(annotated) // 10
