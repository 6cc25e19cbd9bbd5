"""Several processes that do the same thing to the same new file at the same moment."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPENERS = 3


def what_openers_hear(open_new: Callable[[Path], None], folder: Path, times: int) -> list[str]:
    """Have three processes open `times` new files in step, and return every error that one of them met.

    Args:
        open_new: opens a file that is not there yet, and closes it; at the top of its module.
    """
    spawn = multiprocessing.get_context("spawn")
    together, heard = spawn.Barrier(OPENERS), spawn.Queue()
    openers = [
        spawn.Process(target=_open_in_step, args=(open_new, folder, times, together, heard)) for _ in range(OPENERS)
    ]
    for opener in openers:
        opener.start()
    errors = [error for _ in openers for error in heard.get(timeout=60)]
    for opener in openers:
        opener.join(10)
    return errors


def _open_in_step(open_new: Callable[[Path], None], folder: Path, times: int, together: Any, heard: Any) -> None:
    errors = []
    for number in range(times):
        together.wait(30)
        try:
            open_new(folder / f"{number}.sqlite")
        except Exception as error:  # whatever it is, it is what is looked for
            errors.append(repr(error))
    heard.put(errors)
