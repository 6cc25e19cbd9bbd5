"""The encoder sees the picture and nothing else of the memory."""

import numpy as np
import pytest

from appliance.imaging.encode import encode
from appliance.imaging.planes import Planes, from_jpeg, half_size


def drawn(width: int, height: int, behind: int) -> Planes:
    """A picture whose luma has bytes of the value `behind` after it in memory."""
    memory = np.full(height * width + 4 * width, behind, np.uint8)
    y = memory[: height * width].reshape(height, width)
    y[:] = np.add.outer(np.arange(height), 2 * np.arange(width)) % 200
    half_width, half_height = half_size(width, height)
    chroma = np.full((half_height, half_width), 128, np.uint8)
    return Planes(y, chroma, chroma.copy())


@pytest.mark.parametrize(("width", "height"), [(63, 41), (64, 41), (63, 40), (64, 40)])
def test_what_lies_behind_a_picture_in_memory_never_gets_into_its_file(width: int, height: int) -> None:
    one, other = (encode(drawn(width, height, behind)) for behind in (0, 255))
    assert one == other
    assert from_jpeg(one).y.shape == (height, width)
