"""What is looked at before the first picture of a book, from one live picture and the station's figures. Pure.

A live picture is a fraction of a frame: it shows a lens that is quite out of focus, not a page that is a bit blurred.
That, every capture is checked for.
"""

from typing import Final

from appliance.api import StationSnapshot
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import Profile
from appliance.model import UNSURE_CODES, CaptureSetup
from appliance.preflight import Preflight, Tick

_CM_PER_INCH: Final = 2.54
_PAGES_UNKNOWN: Final = 400
"""Of a book that nobody has counted: room for so many is asked."""
_LIGHT: Final = frozenset({"exposure_dark", "exposure_bright", "clipping", "glare"})
_FOCUS: Final = frozenset({"blur", "motion"})
_NO_BOOK: Final = frozenset({"empty_frame"}) | UNSURE_CODES


def look_ahead(
    picture: Planes | None,
    frame_width_px: int,
    setup: CaptureSetup,
    profile: Profile,
    height_cm: float | None,
    now: StationSnapshot,
) -> Preflight:
    """Return what stands ready.

    Args:
        picture: a live one; None where the camera gives none.
        frame_width_px: of the frames that the camera will give.
        setup: of the station.
        profile: that the book's pages are held against.
        height_cm: of the book, as its list or a person said.
        now: the station, with the job open.
    """
    made = process(picture, Setup(setup.layout, setup.rotation_of(0)), profile) if picture is not None else None
    job = now.job
    expected = (job.pages_expected if job else None) or _PAGES_UNKNOWN
    per_capture = 2 if setup.layout in ("spread", "two-camera") else 1
    scale = frame_width_px / picture.width_px if picture is not None else 1.0
    return Preflight(
        camera=Tick("ok" if made else "failed"),
        **_seen(made),
        disk=Tick("ok" if now.room_for_captures * per_capture >= expected else "failed"),
        clock=Tick("ok" if now.clock_synchronised else "failed"),
        ppi=_ppi(made, scale, height_cm),
        ppi_wanted=round(profile.min_ppi),
        height_cm=height_cm,
    )


def _seen(made: Processed | None) -> dict[str, Tick]:
    """Return what the picture shows of light, focus and book; without a book there is nothing to judge them by."""
    if made is None:
        return {"light": Tick("unknown"), "focus": Tick("unknown"), "book": Tick("unknown")}
    codes = {one.code for one in made.all_findings if one.severity != "info"}
    light = next(iter(sorted(codes & _LIGHT)), "")
    if codes & _NO_BOOK:
        dark = Tick("failed", light) if light == "exposure_dark" else Tick("unknown")
        return {"light": dark, "focus": Tick("unknown"), "book": Tick("failed")}
    focus = Tick("failed" if codes & _FOCUS else "ok")
    return {"light": Tick("failed", light) if light else Tick("ok"), "focus": focus, "book": Tick("ok")}


def _ppi(made: Processed | None, scale: float, height_cm: float | None) -> int | None:
    """Return the pixels that an inch of the book will have, from its height; None where either is not known."""
    if made is None or not made.pages or not height_cm or any(one.code in _NO_BOOK for one in made.findings):
        return None
    return round(max(page.height_px for page in made.pages) * scale / (height_cm / _CM_PER_INCH))
