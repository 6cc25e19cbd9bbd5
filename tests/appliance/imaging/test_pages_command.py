"""`lattrang pages` as the shell sees it: a list that is a contract, and an answer to every bad photograph."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from appliance.imaging.encode import encode
from lattrang import pages_command
from tests.appliance.imaging.drawing import spread
from wire.errors import CodedError, ExitCode


def run(tmp_path: Path, *photos: Path, extra: tuple[str, ...] = ()) -> tuple[int, list[dict[str, Any]]]:
    parser = argparse.ArgumentParser()
    pages_command.add_parser(parser.add_subparsers())
    out, listing = tmp_path / "out", tmp_path / "list.json"
    given = ["pages", *map(str, photos), "--out", str(out), "--json", str(listing), *extra]
    args = parser.parse_args(given)
    return args.run(args), json.loads(listing.read_bytes())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "sách.jpg"
    path.write_bytes(encode(spread(800, 600).planes))
    return path


def test_the_list_has_the_promised_form_and_names_the_files(tmp_path: Path, photo: Path) -> None:
    code, (entry,) = run(tmp_path, photo)
    assert code == ExitCode.OK
    assert {"photo", "width", "height", "seconds", "pages", "findings"} <= entry.keys()
    assert (entry["width"], entry["height"]) == (800, 600)
    assert [page["side"] for page in entry["pages"]] == ["left", "right"]
    for page in entry["pages"]:
        with Image.open(page["file"]) as image:
            assert image.size == (page["width_px"], page["height_px"])
        assert page["rotation_cw"] == 0
        assert all(len(point) == 2 for point in page["outline"])


def test_a_look_changes_the_copies_and_nothing_of_what_is_said_about_them(tmp_path: Path, photo: Path) -> None:
    _, (plain,) = run(tmp_path, photo)
    colours = [np.asarray(Image.open(page["file"])).astype(int) for page in plain["pages"]]
    _, (clean,) = run(tmp_path, photo, extra=("--look", "text"))
    greys = [np.asarray(Image.open(page["file"])).astype(int) for page in clean["pages"]]
    assert {**clean, "seconds": 0} == {**plain, "seconds": 0}
    for colour, grey in zip(colours, greys, strict=True):
        assert np.ptp(np.median(colour, axis=(0, 1))) > 5  # yellow paper
        assert np.median(grey, axis=(0, 1)).tolist() == [255, 255, 255]


def test_two_photographs_of_one_name_keep_their_pages_apart(tmp_path: Path, photo: Path) -> None:
    other = tmp_path / "b" / photo.name
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    _, entries = run(tmp_path, photo, other)
    files = [page["file"] for entry in entries for page in entry["pages"]]
    assert len(set(files)) == len(files) == 4


def test_a_folder_stands_for_the_photographs_in_it(tmp_path: Path, photo: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b.JPG", "a.jpeg", "notes.txt"):
        (folder / name).write_bytes(photo.read_bytes())
    _, entries = run(tmp_path, folder)
    assert [Path(entry["photo"]).name for entry in entries] == ["a.jpeg", "b.JPG"]


def test_a_bad_photograph_is_named_with_its_code_and_the_others_go_on(
    tmp_path: Path, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn, tiny = tmp_path / "torn.jpg", tmp_path / "tiny.png"
    torn.write_bytes(photo.read_bytes()[:4000])
    Image.new("RGB", (1, 1)).save(tiny)
    code, entries = run(tmp_path, torn, photo, tiny, tmp_path / "missing.jpg")
    assert code == ExitCode.FAILED
    assert [entry["findings"][0]["code"] if entry["findings"] else None for entry in entries] == [
        "photo_unreadable",
        None,
        "photo_too_small",
        "photo_unreadable",
    ]
    assert len(entries[1]["pages"]) == 2
    said = capsys.readouterr().err
    assert "PHOTO-01" in said
    assert "PHOTO-03" in said


@pytest.mark.parametrize("name", ["sheet.png", "sheet.jpg"])
def test_the_contact_sheet_is_a_picture_of_everything(tmp_path: Path, photo: Path, name: str) -> None:
    run(tmp_path, photo, extra=("--sheet", str(tmp_path / name)))
    with Image.open(tmp_path / name) as image:
        assert image.width >= 1000
        assert np.asarray(image).std() > 10


def test_a_folder_that_cannot_be_made_is_said_with_a_cure(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file stands where the folder should be")
    with pytest.raises(CodedError) as caught:
        run(tmp_path, photo)
    assert (caught.value.code, caught.value.exit_code) == ("PAGES-02", ExitCode.STORAGE)


def test_an_unknown_profile_names_the_ones_there_are(tmp_path: Path, photo: Path) -> None:
    with pytest.raises(CodedError, match="no profile") as caught:
        run(tmp_path, photo, extra=("--profile", "none"))
    assert "sach-in-300" in caught.value.cure
