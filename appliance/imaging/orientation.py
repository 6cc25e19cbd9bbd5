"""Which way up: the camera's set-up first, then the lines of print. What EXIF says is never looked at."""


from appliance.imaging.geometry import TURNS
from appliance.imaging.model import Setup
from appliance.imaging.planes import Plane
from wire.documents import QuarterTurn


def find_rotation(luma: Plane, setup: Setup) -> tuple[QuarterTurn, float]:
    """Return the clockwise turn that makes `luma` upright and how sure that is (0 to 1)."""
    if setup.rotation_cw is not None:
        return setup.rotation_cw, 1.0
    return TURNS[0], 0.0
