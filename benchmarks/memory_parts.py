"""The memory of processes while they work, looked at again and again by a thread."""

import statistics
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import psutil

from lattrang.demo.processes import Process

EVERY_S: Final = 0.1
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Samples:
    """Captures so far and bytes (PSS), sample by sample."""

    captures: tuple[int, ...]
    pss_bytes: tuple[int, ...]

    @property
    def median_mib(self) -> float:
        """The usual level."""
        return statistics.median(self.pss_bytes) / _MIB

    @property
    def peak_mib(self) -> float:
        """The highest sample."""
        return max(self.pss_bytes) / _MIB


def slope_per_capture(samples: Samples) -> float:
    """Return by how many KiB each capture of the second half raised the level: the slope of a straight line."""
    half = samples.captures[-1] // 2
    points = [point for point in zip(samples.captures, samples.pss_bytes, strict=True) if point[0] >= half]
    captures, levels = zip(*points, strict=True)
    if len(set(captures)) < 2:
        return 0.0
    return statistics.linear_regression(captures, levels).slope / 1024


class Sampler:
    """Samples groups of processes from entering to leaving.

    Attributes:
        captures: how many there have been; whoever makes them counts here.
    """

    def __init__(self, groups: Mapping[str, Sequence[Process]]) -> None:
        self.captures = 0
        self._groups = groups
        self._seen: list[tuple[int, dict[str, int]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")

    @property
    def names(self) -> tuple[str, ...]:
        """The groups."""
        return tuple(self._groups)

    def of(self, name: str) -> Samples:
        """Return a group's samples from the first capture on."""
        seen = [(captures, pss[name]) for captures, pss in self._seen if captures > 0]
        return Samples(tuple(captures for captures, _ in seen), tuple(pss for _, pss in seen))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._seen.append((self.captures, {name: _pss(group) for name, group in self._groups.items()}))


def _pss(group: Sequence[Process]) -> int:
    """Return the bytes of processes and all their children."""
    total = 0
    for process in group:
        if process.pid is None:
            raise RuntimeError(f"{process.name} has ended ({process.exit_code}):\n{process.last_words()}")
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except psutil.NoSuchProcess:
                # A child that decodes one picture may be gone before it is weighed.
                continue
    return total
