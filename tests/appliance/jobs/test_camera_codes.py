"""The station's own camera reads a copy's code: turned, leaning, small, blurred, scratched; what is none is said."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from appliance.api import NewJob, StationApi
from appliance.config import ImagingSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.errors import NotNow
from appliance.jobs.barcodes import chosen
from appliance.jobs.camera_codes import Code, Look, look
from appliance.jobs.copies import SeenCode
from appliance.station import run_station
from firmware.registry import CameraConfig, HardwareConfig

Picture = NDArray[np.uint8]
Format = zxingcpp.BarcodeFormat
SIZE = (1520, 2028)
"""Half of the sensor's sides: what is read here at n pixels a module is read there, too."""
BOOK, ISBN = "QNG-003187", "9786042100434"


def cover(rng: np.random.Generator) -> Picture:
    """A table, a cover on it, and lines of print."""
    height, width = SIZE
    picture = np.full(SIZE, 110, np.uint8)
    picture[height // 10 : -height // 10, width // 6 : -width // 6] = 205
    for y in range(height // 7, height - height // 7, 46):
        words = " ".join("".join(rng.choice(list("aeiouhnctgmklrxy"), rng.integers(2, 7))) for _ in range(9))
        cv2.putText(picture, words, (width // 5, y), cv2.FONT_HERSHEY_COMPLEX, 1.0, 55, 2, cv2.LINE_AA)
    return picture


def label(text: str, kind: Format, module_px: float, *, scratches: int = 0) -> Picture:
    """A code as it is printed, with the white that belongs to it."""
    drawn = np.atleast_3d(np.array(zxingcpp.create_barcode(text, kind).to_image(scale=1, add_quiet_zones=True)))[..., 0]
    if kind is Format.QRCode:
        return cv2.resize(drawn, None, fx=module_px, fy=module_px, interpolation=cv2.INTER_NEAREST)
    row = drawn[drawn.shape[0] // 3][None]
    size = (round(row.shape[1] * module_px), round(45 * module_px))
    found = cv2.resize(row, size, interpolation=cv2.INTER_NEAREST)
    for n in range(scratches):
        start = (size[0] * (n + 1) // (scratches + 1), 0)
        cv2.line(found, start, (start[0] + size[1] // 2, size[1]), 255 * (n % 2), 3)
    return found


def stick(picture: Picture, what: Picture, at: tuple[float, float], degrees: float = 0.0, lean: float = 0.0) -> None:
    """Put a label on `picture`; `lean` is how much shorter its far side is."""
    height, width = what.shape
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    corners[:2] *= 1 - lean
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    there = corners @ turn + np.array(at) * (picture.shape[1], picture.shape[0])
    here = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    way = cv2.getPerspectiveTransform(here, there.astype(np.float32))
    size = (picture.shape[1], picture.shape[0])
    mask = cv2.warpPerspective(np.full_like(what, 255), way, size) > 127
    picture[mask] = (cv2.warpPerspective(what, way, size, flags=cv2.INTER_AREA)[mask] * 0.75 + 30).astype(np.uint8)


def photographed(picture: Picture, rng: np.random.Generator, blur_px: float = 0.7) -> Picture:
    seen = cv2.GaussianBlur(picture, (0, 0), blur_px) + rng.normal(0, 4, picture.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("kind", [Format.Code128, Format.Code39])
@pytest.mark.parametrize("module_px", [5.0, 3.0, 2.0])
def test_a_copys_code_is_read_however_the_book_lies(kind: Format, module_px: float, rng: np.random.Generator) -> None:
    for degrees in (0, 20, 63, 135, -100):
        picture = cover(rng)
        stick(picture, label(BOOK, kind, module_px), (0.55, 0.4), degrees, lean=0.1)
        seen = look(photographed(picture, rng, 0.35 * module_px))
        assert [code.text for code in seen.codes] == [BOOK], degrees
        assert chosen([seen], ()) == SeenCode(BOOK)


def test_scratches_and_ink_over_a_label_are_averaged_away(rng: np.random.Generator) -> None:
    picture = cover(rng)
    stick(picture, label(BOOK, Format.Code128, 3.0, scratches=6), (0.5, 0.5), 30)
    assert chosen([look(photographed(picture, rng))], ()) == SeenCode(BOOK)


def test_of_all_codes_on_a_cover_the_librarys_own_is_taken(rng: np.random.Generator) -> None:
    picture = cover(rng)
    stick(picture, label(ISBN, Format.EAN13, 3.0), (0.35, 0.7))
    stick(picture, label("https://example.org/sach", Format.QRCode, 6), (0.7, 0.75), 10)
    stick(picture, label("8934974178637", Format.EAN13, 3.0), (0.3, 0.3), 90)
    assert chosen([look(photographed(picture, rng))], ()).problem == "wrong-code"
    stick(picture, label(BOOK, Format.Code39, 2.5), (0.6, 0.3), -5)
    seen = look(photographed(picture, rng))
    assert len(seen.codes) == 4
    assert chosen([seen], ()) == SeenCode(BOOK)


def test_bars_too_far_gone_are_told_from_none_and_from_darkness(rng: np.random.Generator) -> None:
    plain = photographed(cover(rng), rng)
    assert chosen([look(plain)], ()).problem == "none"
    assert chosen([look((plain * 0.1).astype(np.uint8))], ()).problem == "dark"
    picture = cover(rng)
    torn = label(BOOK, Format.Code128, 3.0)
    torn[:, torn.shape[1] // 2 :] = 255
    stick(picture, torn, (0.5, 0.5), 15)
    assert chosen([look(photographed(picture, rng))], ()).problem == "unread"


def seen(*codes: tuple[str, str]) -> Look:
    return Look(tuple(Code(text, kind) for text, kind in codes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "known", "taken"),
    [
        ([("A1", "stripes"), ("B2", "stripes")], (), SeenCode(choices=("A1", "B2"), problem="several")),
        ([("A1", "stripes"), ("B2", "stripes")], ("B2",), SeenCode("B2")),
        ([(ISBN, "article")], (ISBN,), SeenCode(ISBN)),
        ([("A1", "stripes"), ("A1", "stripes")], (), SeenCode("A1")),
        ([("A1", "square"), ("B2", "stripes")], (), SeenCode("B2")),
        ([("A1", "square")], (), SeenCode("A1")),
        ([("2000000031873", "article")], (), SeenCode("2000000031873")),
        ([("8934974178637", "article")], (), SeenCode(problem="wrong-code")),
        ([("https://example.org", "square")], (), SeenCode(problem="wrong-code")),
        ([(ISBN, "stripes")], (), SeenCode(problem="wrong-code")),
        ([], (), SeenCode(problem="none")),
    ],
)
def test_a_listed_code_goes_first_then_stripes_and_an_editions_number_never(
    codes: list[tuple[str, str]], known: tuple[str, ...], taken: SeenCode
) -> None:
    assert chosen([seen(*codes)], known) == taken


def test_two_cameras_are_one_look() -> None:
    assert chosen([Look((), is_dark=True), seen(("A1", "stripes"))], ()) == SeenCode("A1")
    assert chosen([Look((), is_dark=True), Look(())], ()).problem == "none"


def test_a_station_reads_a_cover_keeps_nothing_and_not_while_a_book_is_captured(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    (tmp_path / "photos").mkdir()
    picture = cover(rng)
    stick(picture, label(BOOK, Format.Code128, 3.0), (0.5, 0.5), 25)
    cv2.imwrite(str(tmp_path / "photos" / "cover.png"), photographed(picture, rng))
    camera = CameraConfig(driver="replay", folder=tmp_path / "photos", loop=True)
    config = StationConfig(
        StationSection("tram-01"),
        SpoolSection(tmp_path / "spool", reserve_mib=0),
        WebSection(tmp_path / "web.token", port=0),
        HardwareConfig((camera,)),
        ImagingSection(rotation_cw=(0,)),
    )
    found = []

    def use(api: StationApi, stop: threading.Event) -> None:
        found.append(api.read_barcode())
        assert (api.snapshot().safe_captures, api.snapshot().refused_presses) == (0, 0)
        api.open_job(NewJob(barcode=found[0].barcode))
        with pytest.raises(NotNow, match="SES-02"):
            api.read_barcode()
        stop.set()

    run_station(config, use, threading.Event())
    assert found == [SeenCode(BOOK)]
    assert not list((tmp_path / "spool" / "captures").iterdir())
