"""The frame made small: edges stay where they are, however it is made."""

import cv2
import numpy as np
import pytest

from appliance.imaging.planes import from_bgr, from_grey
from appliance.imaging.view import reduced


@pytest.mark.parametrize("size", [(900, 700), (2000, 1500), (3401, 2501), (4056, 3040), (4657, 3493), (9152, 6944)])
def test_an_edge_is_where_it_was_however_large_the_frame(size: tuple[int, int]) -> None:
    width, height = size
    frame = np.full((height, width, 3), 40, np.uint8)
    left, top = round(0.71 * width), round(0.83 * height)
    frame[top:, left:] = 200
    view = reduced(from_bgr(frame))
    for row, start in ((view.y[-2], left), (view.y[:, -2], top)):
        dark = float(((200 - row.astype(float)) / 160).sum())  # so many pixels of the view lie before the edge
        assert abs(dark - start / view.scale) < 0.5
    assert view.y.shape == view.u.shape == view.v.shape
    assert max(view.y.shape) <= 760


def test_print_melts_into_grey_where_only_some_rows_are_read() -> None:
    random = np.random.default_rng(1)
    grain = np.clip(200 + random.normal(0, 12, (3040, 4056)), 0, 255).astype(np.uint8)
    view = reduced(from_grey(grain))
    assert float(view.y.std()) < 12 / 3
    assert abs(float(view.y.mean()) - float(cv2.mean(grain)[0])) < 1.0
