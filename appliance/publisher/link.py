"""How the line to the centre is: a state for the screens, with the code of what is wrong."""

from dataclasses import dataclass
from typing import Final

from appliance.spool.state import LinkState


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the centre as the delivery sees it, with the code of what is wrong."""

    state: LinkState
    code: str | None = None


OFFLINE: Final = Link("offline", "NET-01")
ONLINE: Final = Link("online")
NO_SERVER: Final = Link("no_server", "NET-02")
NOT_ALLOWED: Final = Link("refused", "PAIR-02")
WAITING_FOR_HOURS: Final = Link("waiting_for_hours")
"""Nothing is wrong: pictures wait for the hours in which they may go."""
