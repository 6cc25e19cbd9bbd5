"""`lattrang pages`: the station's page pipeline on photographs. JSON for programs, a contact sheet for people."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wire import VERSION
from wire.errors import CodedError, ExitCode

if TYPE_CHECKING:
    from appliance.imaging.calibration import Calibration
    from appliance.imaging.contact_sheet import Cell
    from appliance.imaging.looks import Look
    from appliance.imaging.model import Page, Processed
    from appliance.imaging.planes import Planes
    from appliance.imaging.profiles import Profile
    from wire.documents import FindingEntry

Json = dict[str, Any]

_MAX_BYTES: Final = 1 << 30


class OutputError(CodedError):
    """The pages cannot be written where they were asked for."""

    exit_code = ExitCode.STORAGE


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand and what it takes."""
    parser = subparsers.add_parser(
        "pages",
        help="find, straighten and judge the pages on photographs",
        description="Find, straighten and judge the pages on photographs, as a station does with what its camera sees.",
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="a photograph, or a folder of them")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the pages go")
    parser.add_argument("--json", required=True, type=Path, metavar="FILE", help="what was found, as a list")
    parser.add_argument("--profile", default="sach-in-300", metavar="P", help="limits to judge by (sach-in-300)")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="what was measured of the camera: gives pages their true ppi"
    )
    parser.add_argument(
        "--look",
        default="colour",
        choices=("colour", "grey", "text"),
        help="of copies for readers: as it is, or grey, or clean text (white paper, dark print, pictures as they are)",
    )
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="contact sheet, JPEG or PNG")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Process every photograph; return 0, or 1 when one could not be used.

    Raises:
        CodedError: no such profile or calibration (exit 2), or nothing can be written there (exit 5).
    """
    profile, calibration = _profile(args.profile), _calibration(args.calibration)
    photos = list(_photos(args.photos))
    _make_folder(args.out)
    names = _unique_stems(photos)
    entries, cells = [], []
    for number, (photo, name) in enumerate(zip(photos, names, strict=True), start=1):
        _show_progress(number, len(photos), photo)
        entry, cell = _entry(photo, args.out, name, profile, args.look, calibration)
        entries.append(entry)
        if args.sheet is not None:
            cells.append(cell)
    _write(args.json, json.dumps(entries, ensure_ascii=False, indent=1).encode() + b"\n")
    if args.sheet is not None:
        _write_sheet(args.sheet, cells)
    unusable = any(finding["code"].startswith("photo_") for entry in entries for finding in entry["findings"])
    return int(ExitCode.FAILED if unusable else ExitCode.OK)


def _profile(name: str) -> Profile:
    from appliance.imaging.profiles import PROFILES

    if name not in PROFILES:
        error = CodedError("PAGES-01", f"There is no profile “{name}”.", f"Use one of: {', '.join(PROFILES)}.")
        error.exit_code = ExitCode.USAGE
        raise error
    return PROFILES[name]


def _calibration(path: Path | None) -> Calibration | None:
    from appliance.imaging.calibration import read_calibration

    if path is None:
        return None
    try:
        return read_calibration(path.read_bytes())
    except (OSError, ValueError) as error:
        refused = CodedError("PAGES-03", f"{path} is no calibration ({error}).", "Name the JSON file of this camera.")
        refused.exit_code = ExitCode.USAGE
        raise refused from error


def _photos(given: Iterable[Path]) -> Iterator[Path]:
    """Yield the photographs; a folder stands for those in it, by name."""
    from appliance.imaging.photo import SUFFIXES

    for path in given:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
        else:
            yield path


def _unique_stems(photos: list[Path]) -> list[str]:
    """Return a name for the pages of each photograph; two with the same stem do not overwrite each other."""
    taken: set[str] = set()
    names = []
    for photo in photos:
        name, count = photo.stem, 1
        while name.casefold() in taken:
            count += 1
            name = f"{photo.stem}~{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _entry(
    photo: Path, out: Path, name: str, profile: Profile, look: Look, calibration: Calibration | None
) -> tuple[Json, Cell]:
    """Return what the list and the contact sheet say of one photograph, its pages written."""
    from appliance.errors import PhotoError
    from appliance.imaging.contact_sheet import Cell, cell
    from appliance.imaging.model import Setup
    from appliance.imaging.photo import FINDING_CODES
    from appliance.imaging.pipeline import process
    from wire.documents import FindingEntry

    start_s = time.perf_counter()
    try:
        planes = _read(photo)
    except PhotoError as error:
        print(f"lattrang: {photo}: {error}", file=sys.stderr)
        finding = FindingEntry(code=FINDING_CODES[error.code], severity="bad")
        return _json(photo, None, None, start_s, [], (finding,)), Cell(str(photo), None, (), (("", finding),))
    processed = process(planes, Setup(calibration=calibration), profile)
    pages = [_write_page(out / f"{name}-{page.side}.jpg", name, page, profile, look) for page in processed.pages]
    return _json(photo, planes, processed, start_s, pages, processed.findings), cell(str(photo), planes, processed)


def _read(photo: Path) -> Planes:
    from appliance.errors import PhotoError
    from appliance.imaging.photo import UNREADABLE, read_photo

    try:
        if photo.stat().st_size > _MAX_BYTES:
            raise PhotoError(UNREADABLE, "The file is larger than 1 GiB.", "Use a photograph.")
        content = photo.read_bytes()
    except OSError as error:
        message = f"The file cannot be read ({error.strerror})."
        raise PhotoError(UNREADABLE, message, "Check its name and who may read it.") from error
    return read_photo(content)


def _json(
    photo: Path,
    planes: Planes | None,
    processed: Processed | None,
    start_s: float,
    pages: list[Json],
    findings: tuple[FindingEntry, ...],
) -> Json:
    return {
        "photo": str(photo),
        "width": planes.width_px if planes else 0,
        "height": planes.height_px if planes else 0,
        "seconds": round(time.perf_counter() - start_s, 4),
        "pages": pages,
        "findings": [_finding(each) for each in findings],
        "judgement": processed.judgement if processed else "bad",
    }


def _write_page(path: Path, name: str, page: Page, profile: Profile, look: Look) -> Json:
    from appliance.imaging.encode import Stamp, encode
    from appliance.imaging.looks import with_look

    stamp = Stamp("", "", name, 0, page.side, page.outline, page.rotation_cw, f"lattrang {VERSION}", page.ppi)
    _write(path, encode(with_look(page.planes, look), quality=profile.jpeg_quality, stamp=stamp))
    return {
        "side": page.side,
        "outline": [list(point) for point in page.outline],
        "rotation_cw": page.rotation_cw,
        "file": str(path.resolve()),
        "width_px": page.width_px,
        "height_px": page.height_px,
        "ppi": page.ppi and round(page.ppi, 2),
        "findings": [_finding(each) for each in page.findings],
    }


def _finding(finding: FindingEntry) -> Json:
    return {"code": finding.code, "severity": finding.severity, "value": finding.value, "limit": finding.limit}


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write_sheet(path: Path, cells: list[Cell]) -> None:
    import io

    from appliance.imaging.contact_sheet import draw

    content = io.BytesIO()
    draw(cells).save(content, "PNG" if path.suffix.lower() == ".png" else "JPEG", quality=88)
    _write(path, content.getvalue())


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError("PAGES-02", f"{path} cannot be written ({error.strerror}).", "Choose a folder of your own.")


def _show_progress(number: int, count: int, photo: Path) -> None:
    if sys.stderr.isatty():
        end = "\n" if number == count else ""
        print(f"\r\x1b[K{number}/{count} {photo.name[:60]}", end=end, file=sys.stderr, flush=True)
