"""A command that comes twice with the same key is carried out once."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from wire.errors import CodedError

MAX_KEYS = 512
MAX_KEY_LENGTH = 64


class Once:
    """Remembers the last keys and what became of them.

    Commands run one after another, so a release never overtakes the press it belongs to.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: OrderedDict[str, CodedError | None] = OrderedDict()

    def run(self, key: str, command: Callable[[], object]) -> None:
        """Carry out `command` unless `key` was seen; an empty key is never seen.

        Raises:
            CodedError: what `command` raised, now or the first time.
        """
        key = key[:MAX_KEY_LENGTH]
        with self._lock:
            if key in self._outcomes:
                outcome = self._outcomes[key]
            else:
                outcome = _outcome_of(command)
                self._remember(key, outcome)
        if outcome is not None:
            raise outcome

    def _remember(self, key: str, outcome: CodedError | None) -> None:
        if not key:
            return
        self._outcomes[key] = outcome
        while len(self._outcomes) > MAX_KEYS:
            self._outcomes.popitem(last=False)


def _outcome_of(command: Callable[[], object]) -> CodedError | None:
    try:
        command()
    except CodedError as refusal:
        return refusal
    return None
