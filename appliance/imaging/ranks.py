"""Percentiles of small arrays: what NumPy's own do, many times faster, without interpolation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ranked(values: NDArray[Any], share: float = 0.5) -> float:
    """Return the value below which that share of all values lies; `values` is not empty."""
    rank = int(share * (values.size - 1))
    return float(np.partition(values, rank, axis=None)[rank])
