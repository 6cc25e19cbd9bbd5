"""The faster percentiles against NumPy's own."""

import numpy as np
import pytest

from appliance.imaging.ranks import median, percentile


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101, 5000])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_a_percentile_is_what_numpy_says(kind: type[np.generic], size: int) -> None:
    values = (np.random.default_rng(size).random((size, 1)) * 255).astype(kind)
    for percent in (0.0, 10.0, 25.0, 75.0, 90.0, 100.0):
        assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)), rel=1e-6)
    assert median(values) == pytest.approx(float(np.median(values)), rel=1e-6)
