"""What a reader gets off a page: Tesseract on luma, and how much of the truth it found."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Language = Literal["eng", "vie"]
_LONGEST_S: Final = 180.0


def why_not(language: Language) -> str | None:
    """Return what is missing for reading this language here; None when nothing is."""
    if shutil.which("tesseract") is None:
        return "tesseract is not installed"
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, check=True, text=True).stdout
    return None if language in listed.split() else f"tesseract has no language {language!r}"


def read(luma: NDArray[np.uint8], language: Language) -> str:
    """Return the text of an upright page as Tesseract's defaults read it; nothing when it takes too long."""
    done, png = cv2.imencode(".png", luma, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError("no picture")
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # several times faster than threads of its own
    command = ["tesseract", "stdin", "stdout", "-l", language]
    try:
        run = subprocess.run(
            command, input=png.tobytes(), capture_output=True, check=True, env=environment, timeout=_LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return ""
    return run.stdout.decode()


def share_found(truth: Iterable[str], text: str) -> float:
    """Return the share of the true words that stand in the text, each as often as it is there; order is not asked."""
    wanted, got = Counter(truth), Counter(text.split())
    return (wanted & got).total() / max(1, wanted.total())
