"""What to ask of a Raspberry Pi camera and how to read its answers: pure, so that it is tested without one."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from firmware.interfaces import ControlValue, Lock

AF_MANUAL: Final = 0
NOISE_REDUCTION_OFF: Final = 0
"""libcamera's numbers for AfModeManual and NoiseReductionModeOff."""
_TOLERANCE: Final = 0.03
"""Sensors count exposure in rows and gain in coarse steps; what comes back differs a little from what was asked."""
RECORDED: Final = (
    "ExposureTime",
    "AnalogueGain",
    "DigitalGain",
    "ColourGains",
    "ColourSpace",
    "ColourTemperature",
    "LensPosition",
    "FocusFoM",
    "Lux",
    "SensorTemperature",
)


def fixed_controls(available: Collection[str]) -> dict[str, Any]:
    """Return the controls of every frame: a master is neither sharpened nor denoised."""
    wanted = {"NoiseReductionMode": NOISE_REDUCTION_OFF, "Sharpness": 0.0}
    return {name: value for name, value in wanted.items() if name in available}


def lock_controls(lock: Lock, available: Collection[str]) -> dict[str, Any]:
    """Return the controls that hold a camera to `lock`. One without a focus motor ignores `lens_position`."""
    wanted: dict[str, Any] = {}
    if lock.exposure_us is not None:
        wanted["ExposureTime"] = lock.exposure_us
    if lock.analogue_gain is not None:
        wanted["AnalogueGain"] = lock.analogue_gain
    if lock.exposure_us is not None and lock.analogue_gain is not None:
        wanted["AeEnable"] = False
    if lock.colour_gains is not None:
        wanted |= {"AwbEnable": False, "ColourGains": lock.colour_gains}
    if lock.lens_position is not None:
        wanted |= {"AfMode": AF_MANUAL, "LensPosition": lock.lens_position}
    return {name: value for name, value in wanted.items() if name in available}


def has_settled(lock: Lock, metadata: Mapping[str, Any]) -> bool:
    """Tell whether a frame was exposed as `lock` asks: controls reach the sensor some frames late."""
    gains = metadata.get("ColourGains")
    pairs: list[tuple[float | None, float | None]] = [
        (lock.exposure_us, metadata.get("ExposureTime")),
        (lock.analogue_gain, metadata.get("AnalogueGain")),
        (lock.lens_position, metadata.get("LensPosition")),
    ]
    if lock.colour_gains is not None and gains is not None:
        pairs += zip(lock.colour_gains, gains, strict=True)
    return all(
        abs(told - asked) <= _TOLERANCE * max(abs(asked), 1.0)
        for asked, told in pairs
        if asked is not None and told is not None
    )


def recorded_controls(metadata: Mapping[str, Any]) -> Mapping[str, ControlValue]:
    """Return what of a frame's metadata is kept with it."""
    kept: dict[str, ControlValue] = {}
    for name in RECORDED:
        value = metadata.get(name)
        if isinstance(value, bool | int | float | str):
            kept[name] = value
        elif isinstance(value, tuple | list):
            kept[name] = tuple(float(part) for part in value)
    return MappingProxyType(kept)


def exposure_start_ns(metadata: Mapping[str, Any]) -> int:
    """Return when the exposure began: the sensor's timestamp is of its end."""
    return int(metadata["SensorTimestamp"]) - 1000 * int(metadata.get("ExposureTime", 0))


def preview_size(width_px: int, height_px: int, wanted_width_px: int = 1014) -> tuple[int, int]:
    """Return an even size of the frame's shape, about `wanted_width_px` wide, never larger than the frame."""
    width = min(wanted_width_px, width_px)
    height = round(height_px * width / width_px)
    return width - width % 2, max(2, height - height % 2)
