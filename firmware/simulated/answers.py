"""Reads the truth off a scene."""

import numpy as np

from firmware.simulated.faults import Fault
from firmware.simulated.interference import finger_outline, glare_outline
from firmware.simulated.scene import Scene, Sheet, as_polygon
from firmware.simulated.truth import FaultTruth, FrameTruth, PageTruth, WordTruth
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM

_CORNERS_MM = np.array([[0.0, 0.0], [PAGE_WIDTH_MM, 0.0], [PAGE_WIDTH_MM, PAGE_HEIGHT_MM], [0.0, PAGE_HEIGHT_MM]])


def truth_of_scene(scene: Scene, source: str) -> FrameTruth:
    """Return what is really in the frame drawn from `scene`."""
    pages = tuple(_page(sheet) for sheet in scene.sheets)
    gutter = (pages[1].corners[0], pages[1].corners[3]) if pages else None
    shot = scene.shot
    faults = tuple(_fault(scene, fault) for fault in Fault if fault in shot.faults)
    return FrameTruth(source, shot.capture, shot.spread, pages, gutter, scene.pixels_per_mm, faults)


def _page(sheet: Sheet) -> PageTruth:
    corners = as_polygon(sheet.to_frame(_CORNERS_MM))
    return PageTruth(
        side=sheet.side,
        number=sheet.setting.number,
        printed_number=sheet.setting.printed_number,
        outline=sheet.outline(),
        corners=(corners[0], corners[1], corners[2], corners[3]),
        words=_words(sheet),
    )


def _words(sheet: Sheet) -> tuple[WordTruth, ...]:
    words = sheet.setting.words
    if not words:
        return ()
    left, top, right, bottom = np.array([word.box_mm for word in words]).T
    corners = np.stack((left, top, right, top, right, bottom, left, bottom), axis=1).reshape(-1, 2)
    quads = sheet.to_frame(corners).reshape(-1, 4, 2)
    return tuple(WordTruth(word.text, as_polygon(quad)) for word, quad in zip(words, quads, strict=True))


def _fault(scene: Scene, fault: Fault) -> FaultTruth:
    if not scene.sheets:
        return FaultTruth(fault)
    if fault is Fault.FINGER:
        return FaultTruth(fault, scene.faulty_side, as_polygon(finger_outline(scene)))
    if fault is Fault.GLARE:
        return FaultTruth(fault, scene.faulty_side, as_polygon(glare_outline(scene)))
    if fault in (Fault.CUT_EDGE, Fault.BLANK):
        return FaultTruth(fault, scene.faulty_side)
    return FaultTruth(fault)
