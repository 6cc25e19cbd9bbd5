"""What a word of signs says, from the belief in each sign: a number in digits, in roman letters, or a leaf's."""

from typing import Final

import numpy as np

from appliance.numbering.glyphs import CLASSES, Floats
from appliance.numbering.labels import Reading, parse

_O, _STROKE, _A, _B, _I, _OTHER = (CLASSES.index(name) for name in ("o", "stroke", "a", "b", "i", "other"))
_ROMAN: Final = {
    "i": _I,
    "v": CLASSES.index("v"),
    "x": CLASSES.index("x"),
    "l": CLASSES.index("L"),
    "c": CLASSES.index("c"),
}
_ONE_SIGN, _A_STROKE = 0.85, 0.25
"""What is believed of a sign that has no other beside it; any upright mark looks like a 1."""
_UPRIGHTS: Final = 0.55
"""Of several uprights: `II` is 11 or 2; what stands on the pages around it tells."""
_TALLER: Final = 1.2
"""An l over the letters beside it; a capital I is as high as they are."""


def spelt(beliefs: Floats, heights_px: list[int], *, leaves: bool, bare: bool) -> Reading | None:
    """Return what is believed most, with the least belief in any sign of it; None when it is no number.

    Args:
        beliefs: one row a sign, see `glyphs.classify`.
        heights_px: of the signs.
        leaves: leaves are numbered; `a` or `b` may follow.
        bare: no sign bears an accent.
    """
    if leaves and len(beliefs) > 2 and is_leaf_word(beliefs[:2]):
        beliefs, heights_px = beliefs[2:], heights_px[2:]
    both = (_digits(beliefs, leaves), _roman(beliefs, heights_px) if bare else None)
    readings = [each for each in both if each is not None]
    return max(readings, key=lambda each: each.confidence, default=None)


def is_strange(belief: Floats) -> bool:
    """Tell whether a sign is none that numbers are made of, as far as one can see."""
    return bool(belief.argmax() == _OTHER)


def is_leaf_word(beliefs: Floats) -> bool:
    """Tell whether a word may be `tờ`: two letters, the second round."""
    return len(beliefs) == 2 and beliefs[0].argmax() == _OTHER and beliefs[1].argmax() in (_O, _OTHER)


def _digits(beliefs: Floats, leaves: bool) -> Reading | None:
    digits = beliefs[:, :10].copy()
    digits[:, 0] += beliefs[:, _O]
    digits[:, 1] += beliefs[:, _STROKE]
    label, least = "", 1.0
    for place, row in enumerate(digits):
        side = max((_A, _B), key=lambda name: beliefs[place, name])
        if leaves and place == len(digits) - 1 and place and beliefs[place, side] > row.max():
            label, least = label + CLASSES[side], min(least, float(beliefs[place, side]))
        else:
            label, least = label + str(int(row.argmax())), min(least, float(row.max()))
    if len(digits) == 1:
        least *= _ONE_SIGN - (_ONE_SIGN - _A_STROKE) * float(beliefs[0, _STROKE])
    elif float(beliefs[:, _STROKE].min()) > 0.5:
        least *= _UPRIGHTS
    return parse(label, leaves=leaves, confidence=min(1.0, least)) if not label.startswith("0") else None


def _roman(beliefs: Floats, heights_px: list[int]) -> Reading | None:
    """Return a roman number; small letters and capitals are told apart by how high an upright stroke is."""
    letters = np.stack([beliefs[:, place] for place in _ROMAN.values()], axis=1)
    names = list(_ROMAN)
    others = [height for height, row in zip(heights_px, beliefs, strict=True) if row.argmax() not in (_STROKE, _I)]
    for place, height in enumerate(heights_px if others else ()):  # uprights alone are ones, those with dots apart
        tall = height > _TALLER * float(np.median(others))
        letters[place, names.index("l" if tall else "i")] += beliefs[place, _STROKE]
    label = "".join(names[place] for place in letters.argmax(axis=1))
    least = float(letters.max(axis=1).min()) * (_ONE_SIGN if len(letters) == 1 else 1.0)
    return parse(label, confidence=min(1.0, least))
