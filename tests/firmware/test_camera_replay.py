"""A folder of photographs as a camera: each once, none twice, and no bad file stops the rest."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from firmware.camera_replay import PhotographUnreadable, ReplayCamera
from firmware.errors import CameraMissing, NoMorePhotographs


def save(path, value=90, size=(60, 40), **options):
    Image.new("RGB", size, (value, value, value)).save(path, **options)


def shoot(camera):
    return camera.capture(pressed_at_ns=0)


def all_sources(camera):
    sources = []
    while True:
        try:
            sources.append(shoot(camera).source)
        except PhotographUnreadable:
            continue
        except NoMorePhotographs:
            return sources


def header_of_a_png(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def test_photographs_come_once_each_in_the_order_of_their_names(tmp_path):
    for name in ("b.JPG", "a.png", "c.tif", "d.jpeg"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a photograph")
    assert all_sources(ReplayCamera(tmp_path)) == ["a.png", "b.JPG", "c.tif", "d.jpeg"]


def test_after_the_last_photograph_the_camera_says_so_every_time(tmp_path):
    save(tmp_path / "a.png")
    camera = ReplayCamera(tmp_path)
    shoot(camera)
    for _ in range(2):
        with pytest.raises(NoMorePhotographs) as caught:
            shoot(camera)
    assert caught.value.code == "CAM-03"
    assert not caught.value.transient


def test_a_loop_begins_again(tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name)
    camera = ReplayCamera(tmp_path, loop=True)
    assert [shoot(camera).source for _ in range(5)] == ["a.png", "b.png", "a.png", "b.png", "a.png"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jpg", b"this is not a picture"),
        ("b.jpg", b""),
        ("b.png", header_of_a_png(20_000, 15_000)),
        ("b.png", header_of_a_png(11_000, 9_000)),
        ("b.png", header_of_a_png(400, 300)),
    ],
    ids=["text", "nothing", "300-megapixels", "99-megapixels", "cut-short"],
)
def test_a_file_that_is_no_photograph_is_named_and_passed_over(tmp_path, name, content):
    save(tmp_path / "a.png")
    (tmp_path / name).write_bytes(content)
    save(tmp_path / "c.png")
    camera = ReplayCamera(tmp_path)
    assert shoot(camera).source == "a.png"
    with pytest.raises(PhotographUnreadable, match=name) as caught:
        shoot(camera)
    assert caught.value.code == "CAM-05"
    assert shoot(camera).source == "c.png"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_whole_photograph_of_ninety_megapixels_is_not_even_decoded(tmp_path):
    Image.new("1", (10_000, 9_000)).save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    camera = ReplayCamera(tmp_path)
    with pytest.raises(PhotographUnreadable, match="10000 x 9000"):
        shoot(camera)
    assert shoot(camera).source == "b.png"


def test_a_photograph_that_was_cut_short_is_not_half_shown(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (400, 600, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), noise)
    cv2.imwrite(str(tmp_path / "b.jpg"), noise)
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    camera = ReplayCamera(tmp_path)
    with pytest.raises(PhotographUnreadable, match=r"a\.jpg"):
        shoot(camera)
    assert shoot(camera).source == "b.jpg"


def test_a_bad_first_file_does_not_hide_the_rest(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no")
    save(tmp_path / "b.png", size=(70, 50))
    camera = ReplayCamera(tmp_path)
    assert (camera.info.width_px, camera.info.height_px) == (70, 50)
    assert all_sources(camera) == ["b.png"]


def test_an_exif_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.jpg", size=(60, 40), exif=exif)
    assert shoot(ReplayCamera(tmp_path)).y.shape == (40, 60)


def test_an_odd_size_keeps_its_last_row_and_column(tmp_path):
    save(tmp_path / "a.png", size=(61, 41))
    frame = shoot(ReplayCamera(tmp_path))
    assert frame.y.shape == (41, 61)
    assert frame.u.shape == (21, 31)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "LA"])
def test_other_kinds_of_pictures_are_photographs_too(tmp_path, mode):
    Image.new("RGB", (60, 40), (90, 90, 90)).convert(mode).save(tmp_path / "a.tif")
    assert shoot(ReplayCamera(tmp_path)).y.shape == (40, 60)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 60), 32_768, np.uint16))
    assert shoot(ReplayCamera(tmp_path)).y.mean() == pytest.approx(128, abs=1)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_colours_are_those_of_the_photograph(tmp_path, suffix):
    Image.new("RGB", (64, 64), (200, 60, 40)).save(tmp_path / f"a.{suffix}", quality=98)
    frame = shoot(ReplayCamera(tmp_path))
    luma = 0.299 * 200 + 0.587 * 60 + 0.114 * 40
    assert frame.y.mean() == pytest.approx(luma, abs=1.5)
    assert frame.u.mean() == pytest.approx(128 + 0.564 * (40 - luma), abs=1.5)
    assert frame.v.mean() == pytest.approx(128 + 0.713 * (200 - luma), abs=1.5)


@pytest.mark.parametrize("make", [lambda folder: folder / "nowhere", lambda folder: folder])
def test_a_folder_without_photographs_is_a_missing_camera(tmp_path, make):
    with pytest.raises(CameraMissing) as caught:
        ReplayCamera(make(tmp_path))
    assert caught.value.code == "CAM-01"


def test_photographs_added_later_are_found_by_recover(tmp_path):
    save(tmp_path / "a.png")
    camera = ReplayCamera(tmp_path)
    shoot(camera)
    save(tmp_path / "b.png")
    camera.recover()
    assert shoot(camera).source == "b.png"
