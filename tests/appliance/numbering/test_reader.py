"""Page numbers read off drawn pages."""

from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from appliance.numbering.labels import Reading, written
from appliance.numbering.reader import _Box, _joined, read_number
from appliance.numbering.sequence import find_gaps
from firmware.simulated import SimulatedCamera
from firmware.simulated.typeset import Face, font

WIDTH_PX, HEIGHT_PX = 850, 1200
PLACES = ("foot middle", "foot outside", "head middle", "head outside")


def page(label: str, seed: int, *, paper: int = 225, blur: float = 0.7, lean_deg: float = 0.0) -> NDArray[np.uint8]:
    """Draw a page of lines with `label` at one of four places, in one of three faces."""
    rng = Random(seed)
    place, face = rng.choice(PLACES), rng.choice(list(Face))
    picture = Image.new("L", (WIDTH_PX, HEIGHT_PX), paper)
    pen = ImageDraw.Draw(picture)
    for row in range(30):
        pen.text((110, 140 + row * 31), "sách và người đọc bên dòng sông năm 1945 cũ", 40, font(Face.BODY, 22))
    x = WIDTH_PX / 2 if "middle" in place else 125 if rng.random() < 0.5 else WIDTH_PX - 125
    y = HEIGHT_PX - 60 if "foot" in place else 75
    pen.text((x, y), label, 50, font(face, rng.choice((20, 24, 28))), anchor="mm")
    drawn = np.asarray(picture, np.uint8)
    turn = cv2.getRotationMatrix2D((WIDTH_PX / 2, HEIGHT_PX / 2), lean_deg, 1.0)
    seen = cv2.warpAffine(drawn, turn, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(seed).normal(0, 3, seen.shape)
    blurred = cv2.GaussianBlur(seen, (0, 0), blur).astype(np.float64)
    return np.clip(blurred + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "look",
    [
        {},
        {"paper": 150},
        {"paper": 190, "blur": 0.9},
        {"blur": 1.0},
        {"lean_deg": 1.5},
        {"lean_deg": -1.5},
    ],
    ids=str,
)
def test_clear_numbers_are_read_wherever_they_stand(look: dict[str, float]) -> None:
    rng = Random(5)
    numbers = [rng.choice((rng.randrange(1, 10), rng.randrange(10, 100), rng.randrange(100, 1000))) for _ in range(60)]
    readings = [read_number(page(str(number), seed, **look)) for seed, number in enumerate(numbers)]  # type: ignore[arg-type]
    right = sum(each is not None and each.place == number for each, number in zip(readings, numbers, strict=True))
    wrong = sum(each is not None and each.place != number for each, number in zip(readings, numbers, strict=True))
    assert right >= 0.95 * len(numbers)
    assert wrong <= 1


def test_a_page_without_a_number_has_none() -> None:
    assert [read_number(page("", seed)) for seed in range(10)] == [None] * 10
    assert read_number(np.full((1200, 850), 220, np.uint8)) is None
    assert read_number(np.zeros((40, 30), np.uint8)) is None


def test_both_sides_of_a_leaf_are_read() -> None:
    labels = [f"{leaf}{side}" for leaf in (3, 12, 47) for side in "ab"]
    readings = [read_number(page(label, 7), leaves=True) for label in labels]
    assert [each and each.place for each in readings] == [6, 7, 24, 25, 94, 95]


@pytest.mark.parametrize("look", [{}, {"lean_deg": 1.5}], ids=str)
def test_roman_numbers_are_read_though_their_serifs_touch(look: dict[str, float]) -> None:
    numbers = range(1, 41, 2)
    readings = [read_number(page(written("roman", number), number + 100, **look)) for number in numbers]  # type: ignore[arg-type]
    right = [
        each == Reading("roman", number, each.confidence)
        for each, number in zip(readings, numbers, strict=True)
        if each
    ]
    assert all(right)
    assert len(right) >= 0.85 * len(numbers)


def test_capital_roman_numbers_are_read_and_two_uprights_alone_are_no_eleven() -> None:
    labels = ["IV", "VI", "IX", "XI", "XIV", "II", "III"]
    readings = [read_number(page(label, 110 + place)) for place, label in enumerate(labels)]
    assert [each and (each.style, each.place) for each in readings] == [
        *(("roman", place) for place in (4, 6, 9, 11, 14)),
        None,
        None,
    ]


def test_a_leaf_may_have_its_word_before_it() -> None:
    labels = [f"{word} {leaf}" for word in ("tờ", "Tờ") for leaf in ("3a", "12b", "47")]
    readings = [read_number(page(label, 7), leaves=True) for label in labels]
    assert [each and each.place for each in readings] == [6, 25, 94] * 2
    assert read_number(page("tờ 12b", 7)) is None


@pytest.mark.parametrize("label", ["- 27 -", "— 27 —", "· 27 ·"])
def test_dashes_and_points_beside_a_number_do_no_harm(label: str) -> None:
    assert [each and each.place for each in (read_number(page(label, seed)) for seed in range(2))] == [27] * 2


@pytest.mark.parametrize("word", ["vì", "xì", "vĩ", "và", "cũ", "là", "lý", "mix"])
def test_words_of_the_same_letters_are_no_roman_numbers(word: str) -> None:
    assert [read_number(page(word, seed)) for seed in range(2)] == [None] * 2


def test_a_digit_whose_thin_strokes_are_lost_is_one_sign_and_its_neighbours_are_others() -> None:
    bowl, stem, zero, above = _Box(121, 88, 9, 11), _Box(124, 87, 10, 20), _Box(136, 87, 13, 20), _Box(124, 60, 10, 20)
    assert sorted(_joined([bowl, stem, zero, above]), key=lambda box: (box.x, box.y)) == [
        _Box(121, 87, 13, 20),
        above,
        zero,
    ]


@pytest.mark.parametrize("top", [0, 40])
def test_what_runs_off_the_page_is_no_number(top: int) -> None:
    seen = page("", 3)
    for start, end in (((400, top), (416, top)), ((416, top), (406, top + 26))):
        cv2.line(seen, start, end, 40, 4)
    number = read_number(cv2.GaussianBlur(seen, (0, 0), 0.7).astype(np.uint8))
    assert (number and number.place) == (7 if top else None)


def test_the_numbers_of_the_simulated_book_are_read() -> None:
    camera = SimulatedCamera(4, 2000, 1500, first_page=96)
    for _ in range(3):
        frame = camera.capture(pressed_at_ns=0)
        for truth in camera.truth_of(frame.source).pages:
            corners = np.array(truth.corners, np.float32)
            flat = np.array([[0, 0], [850, 0], [850, 1200], [0, 1200]], np.float32)
            turn = cv2.getPerspectiveTransform(corners, flat)
            seen = read_number(cv2.warpPerspective(np.ascontiguousarray(frame.y), turn, (850, 1200)))
            assert seen is not None
            assert str(seen.place) == truth.printed_number


def test_a_skipped_and_a_doubled_leaf_are_found_in_two_hundred_pages() -> None:
    places = [*range(1, 63), *range(65, 141), *range(139, 201)]
    readings: list[Reading | None] = [read_number(page(str(place), index)) for index, place in enumerate(places)]
    run = find_gaps(readings)
    assert [(gap.first, gap.last) for gap in run.gaps] == [(63, 64)]
    assert [double.place for double in run.doubles] == [139, 140]
