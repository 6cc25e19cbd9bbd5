"""The shape of a page that does not lie flat, and how to get from its paper to where it is seen, and back.

A page bends like a cylinder whose generators run down the page: what comes nearer to the camera moves away from the
camera's foot, above it up and below it down. So lines that were printed level tell how deep each column lies, and
that tells how long the paper really is. What no cylinder explains (a lifted corner) is left to a few smooth terms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from appliance.imaging.flattening.pose import Pose
from appliance.imaging.geometry import Polygon

Floats = NDArray[np.float64]

_ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A bent page. Places are in pixels of the page after perspective alone, its corners' plane being flat.

    Attributes:
        pose: of the plane of the corners.
        width: of the page after perspective alone.
        height: of the same.
        depth: how far behind that plane the paper lies, at even steps across.
        terms: what is no cylinder, in pixels down: Legendre terms across (first axis) and down.
    """

    pose: Pose
    width: float
    height: float
    depth: Floats
    terms: Floats

    def bent(self, paper: Polygon) -> Polygon:
        """Return where on the page after perspective points of the paper are seen.

        Args:
            paper: the way along the paper from the left end, and the level at which a line is printed; shape (n, 2).
        """
        ways, places = self._ways(), self._places()
        x = _read(paper[:, 0], ways, places)
        z = np.interp(x, places, self.depth)
        seen, aim = 1.0 + self.pose.g * z, paper[:, 1] + self.pose.b * z
        down = legendre.legvander(self._unit(x, self.width), self.terms.shape[0] - 1) @ self.terms
        y = aim / seen
        for _ in range(_ROUNDS):
            y = (aim - self._rest(down, y)) / seen
        return np.column_stack([(x + self.pose.a * z) / seen, y])

    def levelled(self, seen: Polygon) -> Polygon:
        """Return the points of the paper that are seen at points of the page after perspective; undoes `bent`."""
        ways, places = self._ways(), self._places()
        x = seen[:, 0]
        for _ in range(_ROUNDS):
            z = np.interp(x, places, self.depth)
            x = seen[:, 0] * (1 + self.pose.g * z) - self.pose.a * z
        z = np.interp(x, places, self.depth)
        down = legendre.legvander(self._unit(x, self.width), self.terms.shape[0] - 1) @ self.terms
        level = seen[:, 1] * (1 + self.pose.g * z) - self.pose.b * z + self._rest(down, seen[:, 1])
        return np.column_stack([_read(x, places, ways), level])

    def _places(self) -> Floats:
        return np.linspace(0.0, self.width, len(self.depth))

    def _ways(self) -> Floats:
        """Return how long the paper is up to each place where its depth is known."""
        steps = np.hypot(self.width / (len(self.depth) - 1), np.diff(self.depth))
        return np.concatenate([[0.0], np.cumsum(steps)])

    def _rest(self, down: Floats, y: Floats) -> Floats:
        """Return what the terms say at heights `y`, `down` being their factors at each point's place across."""
        levels = legendre.legvander(self._unit(y, self.height), self.terms.shape[1] - 1)
        return np.asarray((down * levels).sum(axis=1), np.float64)

    @staticmethod
    def _unit(place: Floats, size: float) -> Floats:
        return np.asarray(np.clip(2 * place / size - 1, -1.0, 1.0), np.float64)


def _read(values: Floats, known: Floats, answers: Floats) -> Floats:
    """Return what stands beside the values in a rising table; beyond its ends it goes on step by step."""
    beyond = np.minimum(values - known[0], 0.0) + np.maximum(values - known[-1], 0.0)
    return np.asarray(np.interp(values, known, answers) + beyond, np.float64)
