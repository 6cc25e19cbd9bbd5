"""Memory of large buffers: told to the C library, and obeyed by it."""

import subprocess
import sys

import pytest

GROWTH = """
import ctypes, sys
from pathlib import Path
from lattrang.buffers import give_back_pictures
if sys.argv[1] == "given back" and not give_back_pictures():
    sys.exit("no such C library")

def resident_kib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

# The library learns from the first large buffer to keep all later ones of that size.
taught = bytearray(16 * 2**20)
del taught
before = resident_kib()
pictures, pins = [], []
for _ in range(8):
    pictures.append(bytearray(8 * 2**20))
    pins.append(bytes(200_000))
pictures.clear()
print(resident_kib() - before)
"""


def growth_kib(way: str) -> int:
    done = subprocess.run([sys.executable, "-c", GROWTH, way], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip(done.stderr[-200:])
    return int(done.stdout)


def test_a_picture_gives_its_memory_back_although_younger_things_are_still_in_use() -> None:
    if growth_kib("kept") < 32 * 1024:
        pytest.skip("this C library gives it back by itself")
    assert growth_kib("given back") < 8 * 1024
