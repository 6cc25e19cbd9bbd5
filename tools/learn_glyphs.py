"""Make `appliance/numbering/glyphs.npz` from typefaces: `.venv/bin/python tools/learn_glyphs.py FONTS_FOLDER…`.

Draws digits and letters as a camera would see them (sizes, blur, lean, thick and thin ink, noise) and fits the small
network of `appliance.numbering.glyphs`. The same folders give the same weights. Made from DejaVu, Noto, Liberation,
TeX Gyre, Latin Modern, EB Garamond, Old Standard, Linux Libertine, Caladea and Carlito, as Debian packages them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from PIL import Image, ImageDraw, ImageFont

from appliance.numbering.glyphs import CLASSES, Floats, Ink, Weights, answer, features, normalised

TARGET = Path(__file__).parents[1] / "appliance" / "numbering" / "glyphs.npz"
GROUPS = {"a": "a", "b": "b", "c": "cC", "i": "i", "v": "vV", "x": "xX", "L": "L", "stroke": "lI", "o": "oO"}
OTHER = "defghjkmnpqrstuwyzABDEFGHJKMNPQRSTUWYZđâăêôơưĐàáảãạìíịọốờởứừỹ?!&%*§()[]{}/+=#"
HIDDEN, EPOCHS, BATCH, LARGE_PX = 64, 24, 256, 64
UNLIKE_PRINT = (
    *("ath", "ono", "cursor", "chorus", "unsl", "dunh", "caps", "ExtraLight", "quot", "Biolinum_K", "_DR", "_M"),
    *("lmroman5", "lmroman6", "lmroman7", "lmroman8", "lmroman9", "lmroman17", "lmromanslant", "lmsans8", "lmsans9"),
)


def drawn(path: Path, text: str) -> Ink | None:
    """Return one sign large, 1.0 = ink; None where the typeface has nothing to show."""
    font = ImageFont.truetype(str(path), LARGE_PX)
    picture = Image.new("L", (LARGE_PX * 3, LARGE_PX * 2), 0)
    ImageDraw.Draw(picture).text((LARGE_PX, LARGE_PX // 3), text, font=font, fill=255)
    return tight(np.asarray(picture, np.float32) / 255, 0.5, LARGE_PX // 3)


def tight(ink: Ink, limit: float, border: int = 0) -> Ink | None:
    """Cut to what is darker than `limit`, and `border` pixels around it."""
    rows, columns = (np.flatnonzero((ink > limit).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = max(0, rows[0] - border), max(0, columns[0] - border)
    return ink[top : rows[-1] + 1 + border, left : columns[-1] + 1 + border]


def photographed(sign: Ink, rng: Generator) -> Ink | None:
    """Return the sign as a camera may see it."""
    height, width = sign.shape
    lean, turn, stretch = rng.normal(0, 0.08), np.radians(rng.normal(0, 2.5)), np.exp(rng.normal(0, 0.08))
    matrix = np.array([[np.cos(turn) * stretch, lean - np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array([width / 2, height / 2])
    moved = np.column_stack((matrix, middle - matrix @ middle))
    seen = cv2.warpAffine(sign, moved, (width, height))
    grow = int(rng.choice((-4, -2, 0, 0, 0, 2, 4)))
    if grow:
        seen = (cv2.dilate if grow > 0 else cv2.erode)(seen, np.ones((abs(grow), abs(grow)), np.uint8))
    tall_px = np.exp(rng.uniform(np.log(9), np.log(40)))
    scale = tall_px / (LARGE_PX * 0.7)
    seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.35, 1.0) * max(1.0, tall_px / 16) / scale))
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    small = small + rng.normal(0, rng.uniform(0, 0.05), small.shape).astype(np.float32)
    return tight(np.clip(small / max(0.1, float(small.max())), 0, 1).astype(np.float32), float(rng.uniform(0.35, 0.55)))


def examples(fonts: list[Path], each: int, rng: Generator) -> Iterator[tuple[Ink, float, int]]:
    """Yield normalised signs, their shapes and classes."""
    wanted = [(sign, CLASSES.index(sign)) for sign in "0123456789"]
    wanted += [(sign, CLASSES.index(name)) for name, signs in GROUPS.items() for sign in signs]
    wanted += [(sign, CLASSES.index("other")) for sign in OTHER]
    letters = "abcdeghiklmnopqrstuvxy0123456789"
    for path in fonts:
        pairs = ["".join(rng.choice(list(letters), 2)) for _ in range(16)]
        for text, label in [*wanted, *((pair, CLASSES.index("other")) for pair in pairs)]:
            sign = drawn(path, text)
            times = each if label < 10 else max(1, each // (2 if label < len(CLASSES) - 1 else 5))
            for _ in range(times if sign is not None else 0):
                seen = photographed(sign, rng)
                if seen is not None and min(seen.shape) > 1:
                    yield *normalised(seen), label


def fit(rows: Floats, labels: np.ndarray, rng: Generator) -> Weights:
    """Fit the network by Adam with a falling step."""
    sizes = (rows.shape[1] + 1, HIDDEN), (HIDDEN + 1, len(CLASSES))
    layers = [rng.normal(0, np.sqrt(2 / size[0]), size).astype(np.float32) for size in sizes]
    for layer in layers:
        layer[-1] = 0
    means, squares, step = [np.zeros_like(w) for w in layers], [np.zeros_like(w) for w in layers], 0
    ones = np.ones((BATCH, 1), np.float32)
    for epoch in range(EPOCHS):
        order, rate = rng.permutation(len(rows)), 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            inputs = np.hstack((rows[chosen], ones))
            hidden = np.hstack((np.maximum(inputs @ layers[0], 0), ones))
            wrong = answer(rows[chosen], Weights(*layers))
            wrong[np.arange(BATCH), labels[chosen]] -= 1
            wrong /= BATCH
            back = (wrong @ layers[1][:-1].T) * (hidden[:, :-1] > 0)
            step += 1
            for k, slope in enumerate((inputs.T @ back, hidden.T @ wrong)):
                means[k] += 0.1 * (slope + 1e-5 * layers[k] - means[k])
                squares[k] += 0.001 * (slope**2 - squares[k])
                layers[k] -= rate * means[k] / (1 - 0.9**step) / (np.sqrt(squares[k] / (1 - 0.999**step)) + 1e-8)
    return Weights(*layers)


def gather(fonts: list[Path], each: int, seed: int) -> tuple[Floats, np.ndarray]:
    """Return features and classes of many drawn signs."""
    squares, shapes, labels = zip(*examples(fonts, each, default_rng(seed)), strict=True)
    return features(np.stack(squares), np.array(shapes, np.float32)), np.array(labels)


def main() -> int:
    """Learn, say how well families that were left out are told apart, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=24, help="how often each digit of each typeface is drawn")
    parser.add_argument("--leave-out", default="", help="part of the names of typefaces to test on instead")
    args = parser.parse_args()
    names = sorted({path.name: path for folder in args.folders for path in folder.rglob("*.[ot]tf")}.values())
    fonts = [path for path in names if not any(part in path.name for part in UNLIKE_PRINT)]
    left_out = [path for path in fonts if args.leave_out and any(p in path.name for p in args.leave_out.split(","))]
    rows, labels = gather([path for path in fonts if path not in left_out], args.each, 1)
    sys.stdout.write(f"{len(fonts)} typefaces, {len(rows)} signs\n")
    weights = fit(rows, labels, default_rng(2))
    if left_out:
        for name, (own, truth) in {"left out": gather(left_out, 10, 3)}.items():
            beliefs = answer(own, weights)
            digits = truth < 10
            right = beliefs.argmax(axis=1) == truth
            foreign = ~digits & (truth != CLASSES.index("o")) & (truth != CLASSES.index("stroke"))
            sure = beliefs[:, :10].max(axis=1) > 0.9
            taken = f"letters taken for digits {sure[foreign].mean():.4f}"
            sys.stdout.write(f"{name}: digits {right[digits].mean():.4f}, {taken}\n")
        return 0
    np.savez_compressed(TARGET, first=weights.first.astype(np.float16), second=weights.second.astype(np.float16))
    return 0


if __name__ == "__main__":
    sys.exit(main())
