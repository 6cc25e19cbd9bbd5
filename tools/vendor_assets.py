"""Copy the few files of other people's packages that the screens use, with their licences and digests.

Run it only to change a version or an icon: ``python tools/vendor_assets.py``. It needs npm; nothing that runs on a
station does. The result is committed, and a test holds every file against ``VENDOR.toml``.
"""

import hashlib
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "web_ui" / "common" / "static" / "vendor"

FONT_PACKAGE = ("@fontsource/be-vietnam-pro", "5.3.0", "OFL-1.1")
FONT_FILES = tuple(
    f"be-vietnam-pro-{subset}-{weight}-normal.woff2" for weight in (400, 600, 700) for subset in ("vietnamese", "latin")
)

ICON_PACKAGE = ("@tabler/icons", "3.51.0", "MIT")
ICONS = (
    "alert-triangle arrow-back-up arrow-down arrow-up barcode bell-off book bulb camera camera-off check "
    "chevron-left chevron-right clock cloud-check database door-exit download help hourglass info-circle "
    "keyboard language library list-check notes page-break player-pause player-play plug-connected-x refresh "
    "replace scan send server-off shield-check shoe trash usb user user-plus volume wifi wifi-off x "
)


def main() -> None:
    """Fetch both packages, what is used, write the list of digests."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        entries = _fonts(Path(folder)) + _icons(Path(folder))
    (VENDOR / "VENDOR.toml").write_text(
        "# Made by tools/vendor_assets.py. Digests are SHA-256 of the files in this folder.\n\n" + "\n".join(entries),
        encoding="utf-8",
    )


def _fonts(folder: Path) -> list[str]:
    with tarfile.open(_pack(FONT_PACKAGE, folder)) as package:
        files = {name: _member(package, f"package/files/{name}") for name in FONT_FILES}
        files["LICENSE-be-vietnam-pro.txt"] = _member(package, "package/LICENSE")
    return [_entry(FONT_PACKAGE, name, content) for name, content in files.items()]


def _icons(folder: Path) -> list[str]:
    with tarfile.open(_pack(ICON_PACKAGE, folder)) as package:
        drawings = {name: _member(package, f"package/icons/outline/{name}.svg").decode() for name in ICONS.split()}
        licence = _member(package, "package/LICENSE")
    symbols = [_symbol(name, svg) for name, svg in drawings.items()]
    sprite = f'<svg xmlns="http://www.w3.org/2000/svg">\n{chr(10).join(symbols)}\n</svg>\n'.encode()
    files = {"icons.svg": sprite, "LICENSE-tabler-icons.txt": licence}
    return [_entry(ICON_PACKAGE, name, content) for name, content in files.items()]


def _symbol(name: str, svg: str) -> str:
    """Return an icon as a symbol of the sprite, without the invisible bounding box that each icon carries."""
    inner = re.sub(r"^.*?<svg.*?>|</svg>.*$", "", svg, flags=re.DOTALL)
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", inner)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(line.strip() for line in inner.splitlines())}</symbol>'


def _pack(package: tuple[str, str, str], folder: Path) -> Path:
    name, version, _ = package
    command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed arguments
    return folder / done.stdout.split()[-1]


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(name)
    if file is None:
        raise FileNotFoundError(name)
    return file.read()


def _entry(package: tuple[str, str, str], name: str, content: bytes) -> str:
    (VENDOR / name).write_bytes(content)
    rows = {
        "file": name,
        "package": package[0],
        "version": package[1],
        "licence": package[2],
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return "[[file]]\n" + "".join(f'{key} = "{value}"\n' for key, value in rows.items())


if __name__ == "__main__":
    main()
