"""How the loops of a service say that they live. Who listens, the roof decides."""

from collections.abc import Callable

Beat = Callable[[str], None]
"""What a loop calls at every turn, with a word on how it is or an empty text, so that a watcher knows that it lives."""
Pulse = Callable[[str], Beat]
"""Gives the loop of that name its `Beat`."""


def unheard(_words: str) -> None:
    """The `Beat` of a loop that nobody watches."""


def unwatched(_loop: str) -> Beat:
    """The `Pulse` of a service that nobody watches."""
    return unheard
