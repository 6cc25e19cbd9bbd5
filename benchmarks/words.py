"""Whether any printed word is lost where nobody is told: drawn spreads of every kind, each word looked for in a page.

Every frame is of a book of its own: how far it is read (and so how its pages bend), its paper, its size in the frame,
its turn and tilt, the ground below it and the light on it are drawn by lot. A word is lost when a corner of its ink
lies outside every page and the capture is not flagged `outline_uncertain`.

Usage: benchmarks/words [--n 500] [--seed 1] [--seconds 900] [--misses FOLDER]
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.encode import encode
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.words_parts import Laid, lay

_TOLERANCE_PX = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, cut and count; 1 where a word was lost unflagged."""
    parser = argparse.ArgumentParser(prog="benchmarks/words", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="captures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900.0, help="stop after the capture that passes this")
    parser.add_argument("--misses", type=Path, help="write captures that lost words into this folder")
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    end_s = time.monotonic() + options.seconds
    for number, laid in enumerate(lay(options.seed, options.n), start=1):
        processed = process(laid.planes, Setup(), DEFAULT_PROFILE)
        flagged = any(finding.code == "outline_uncertain" for finding in processed.findings)
        lost = lost_words(laid, processed)
        counts.update(captures=1, words=len(laid.words), flagged=flagged)
        counts[f"{len(processed.pages)} pages"] += not flagged
        if lost and not flagged:
            counts.update({"captures that lost words": 1, "words lost": lost})
            print(f"capture {number}: {lost} of {len(laid.words)} words lost: {laid.about}")
            if options.misses:
                options.misses.mkdir(parents=True, exist_ok=True)
                (options.misses / f"{number:04}.jpg").write_bytes(encode(laid.planes))
        if time.monotonic() > end_s:
            break
    print(f"words: {counts['captures']} captures, seed {options.seed}, {counts['words']} words")
    print(
        f"passed whole and flagged {counts['flagged']}; cut into two pages {counts['2 pages']}, one {counts['1 pages']}"
    )
    print(f"lost unflagged: {counts['words lost']} words in {counts['captures that lost words']} captures; goal 0")
    return int(counts["words lost"] > 0)


def lost_words(laid: Laid, processed: Processed) -> int:
    """Return how many words lie whole in no page."""
    kept: NDArray[np.bool_] = np.zeros(len(laid.words), bool)
    for page in processed.pages:
        outline = np.array(page.outline, np.float32)
        for number, quad in enumerate(laid.words):
            if not kept[number]:
                distances = (cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in quad)
                kept[number] = min(distances) >= -_TOLERANCE_PX
    return int((~kept).sum())


if __name__ == "__main__":
    raise SystemExit(main())
