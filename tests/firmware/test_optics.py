"""What a camera sees of a page agrees with the sensor tables of the field and with the geometry of a mirror."""

import math

import pytest

from firmware.optics import CAMERAS, PAPERS_MM, depth_mm, least_lamp_offset_mm, ppi_at, stand_for


@pytest.mark.parametrize(
    ("camera", "page", "pages", "ppi"),
    [
        ("hq-16mm", "A5", 1, 465),
        ("hq-16mm", "A4", 1, 329),
        ("hq-16mm", "A4", 2, 232),
        ("module-3", "A4", 1, 297),
        ("64mp", "A4", 1, 743),
    ],
)
def test_resolution_is_what_the_pixels_give_with_five_percent_free(
    camera: str, page: str, pages: int, ppi: int
) -> None:
    width, height = PAPERS_MM[page]
    assert stand_for(CAMERAS[camera], width * pages, height).ppi == pytest.approx(ppi, abs=1.5)


@pytest.mark.parametrize("name", sorted(CAMERAS))
def test_from_its_distance_a_camera_has_the_resolution_that_was_promised(name: str) -> None:
    stand = stand_for(CAMERAS[name], 210, 297)
    assert ppi_at(CAMERAS[name], stand.distance_mm) == pytest.approx(stand.ppi)
    assert ppi_at(CAMERAS[name], stand.distance_mm + 30) < stand.ppi < ppi_at(CAMERAS[name], stand.distance_mm - 30)


def test_all_of_the_page_and_its_margin_lie_in_the_field_whichever_way_it_is_turned() -> None:
    for width, height in ((210, 297), (297, 210), (420, 297)):
        field = stand_for(CAMERAS["hq-16mm"], width, height).field_mm
        assert field[0] >= max(width, height) / 0.95 - 1e-9
        assert field[1] >= min(width, height) / 0.95 - 1e-9


def test_depth_is_the_height_over_which_a_point_stays_small() -> None:
    camera, wanted = CAMERAS["hq-16mm"], 300.0
    stand = stand_for(camera, 210, 297)
    half, aperture = depth_mm(camera, stand, wanted) / 2, camera.focal_mm / camera.f_number

    def spot_mm(distance: float) -> float:  # on the paper: the cone of light through the aperture, cut there
        return aperture * abs(distance - stand.distance_mm) / stand.distance_mm

    assert spot_mm(stand.distance_mm + half) == pytest.approx(1.5 * 25.4 / wanted, rel=0.03)


def test_a_lamp_at_the_least_offset_is_mirrored_just_outside_the_field() -> None:
    distance, height, reach = 800.0, 400.0, 156.0
    offset = least_lamp_offset_mm(distance, height, reach)
    crossing = offset * distance / (distance + height)  # of the line from the lens to the lamp's mirror image
    assert math.isclose(crossing, reach)


def test_sizes_that_cannot_be_are_refused() -> None:
    for arguments in ((0, 297), (210, -1)):
        with pytest.raises(ValueError, match="width and a height"):
            stand_for(CAMERAS["64mp"], *arguments)
    with pytest.raises(ValueError, match="sees nothing"):
        ppi_at(CAMERAS["hq-16mm"], 16.0)
