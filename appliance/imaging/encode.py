"""Planes to JPEG, and what travels inside the file. Metadata are put between the bytes: nothing is encoded twice."""

from dataclasses import dataclass
from functools import cache
from typing import Final
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageCms

from appliance.imaging.planes import Plane, Planes, plane

FRAME_QUALITY: Final = 95
_SEGMENT_LIMIT: Final = 65_533
_XMP_HEADER: Final = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_HEADER: Final = b"ICC_PROFILE\0\x01\x01"
_NAMESPACE: Final = "urn:lattrang:ns:page:1/"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a page file says about itself.

    Attributes:
        station: name of the station.
        item_id: the item the page belongs to.
        capture_id: the capture it was cut from.
        sequence: the station's running number of that capture.
        side: `left`, `right` or `single`.
        outline: the page in the frame, clockwise from its own top left, in pixels of the frame.
        rotation_cw: the turn that made it upright.
        software: name and version of the program.
        ppi: measured resolution; None writes no claim.
    """

    station: str
    item_id: str
    capture_id: str
    sequence: int
    side: str
    outline: tuple[tuple[float, float], ...]
    rotation_cw: int
    software: str
    ppi: float | None = None


def encode(planes: Planes, *, quality: int = FRAME_QUALITY, stamp: Stamp | None = None) -> bytes:
    """Return a baseline 4:2:0 JPEG of `planes` with an sRGB profile and, when given, what `stamp` says."""
    y, u, v = _paired(planes.y), np.ascontiguousarray(planes.u), np.ascontiguousarray(planes.v)
    jpeg: bytes = simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality=quality)
    extra = _segment(0xE2, _ICC_HEADER + srgb_profile())
    if stamp is not None:
        extra = _segment(0xE1, _exif(stamp)) + _segment(0xE1, _XMP_HEADER + _xmp(stamp)) + extra
    start = _end_of_jfif(jpeg)
    return b"".join((_with_density(jpeg[:start], stamp.ppi if stamp else None), extra, memoryview(jpeg)[start:]))


def _paired(luma: Plane) -> Plane:
    """Return `luma` with its last sample repeated behind odd rows and columns, outside the picture that is encoded.

    The encoder reads luma two by two; at an odd size it would read what lies behind the picture in memory.
    """
    height, width = luma.shape
    if height % 2 == width % 2 == 0:
        return np.ascontiguousarray(luma)
    padded = cv2.copyMakeBorder(luma, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return plane(padded[:height, :width])


@cache
def srgb_profile() -> bytes:
    """Return the sRGB ICC profile; always the same bytes, although the library writes the present date into it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((0x07, 0xE8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # header: 2024-01-01 00:00:00
    return bytes(profile)


def _segment(marker: int, content: bytes) -> bytes:
    if len(content) > _SEGMENT_LIMIT:
        raise ValueError("a JPEG segment holds at most 65,533 bytes")
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _end_of_jfif(jpeg: bytes) -> int:
    """Return where the JFIF segment ends; the encoder always writes it right after the start of the image."""
    if jpeg[2:4] != b"\xff\xe0" or jpeg[6:11] != b"JFIF\0":
        raise ValueError("the encoder wrote no JFIF segment")
    return 4 + int.from_bytes(jpeg[4:6], "big")


def _with_density(head: bytes, ppi: float | None) -> bytes:
    """Write units (1 = per inch, 0 = only an aspect ratio) and both densities into the JFIF segment."""
    units, density = (1, round(ppi)) if ppi else (0, 1)
    return head[:13] + bytes((units,)) + density.to_bytes(2, "big") * 2 + head[18:]


def _exif(stamp: Stamp) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 1  # Orientation: the pixels are upright
    exif[0x0131] = stamp.software
    if stamp.ppi:
        exif[0x011A] = exif[0x011B] = stamp.ppi
        exif[0x0128] = 2  # inches
    exif.get_ifd(0x8769)[0xA001] = 1  # ColorSpace: sRGB
    content = exif.tobytes()
    return content if content.startswith(b"Exif\0\0") else b"Exif\0\0" + content


def _xmp(stamp: Stamp) -> bytes:
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in stamp.outline)
    values = {
        "Station": stamp.station,
        "Item": stamp.item_id,
        "Capture": stamp.capture_id,
        "Sequence": str(stamp.sequence),
        "Side": stamp.side,
        "Outline": outline,
        "RotationCw": str(stamp.rotation_cw),
    }
    attributes = "".join(f" lattrang:{key}={quoteattr(value)}" for key, value in values.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:lattrang="{_NAMESPACE}" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f" xmp:CreatorTool={quoteattr(stamp.software)}{attributes}/></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode()
