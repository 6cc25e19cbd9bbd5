"""Other people's files are exactly the ones we say; our own stay small."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

WEB_UI = Path(__file__).parents[2] / "web_ui"
VENDOR = WEB_UI / "common" / "static" / "vendor"
MAX_SCRIPT_GZ = 30_000
MAX_STYLE_GZ = 10_000


def test_every_vendored_file_is_listed_with_version_licence_and_its_true_digest() -> None:
    listed = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))["file"]
    for entry in listed:
        content = (VENDOR / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
        assert entry["package"]
        assert entry["version"]
        assert entry["licence"] in {"OFL-1.1", "MIT"}
    assert {entry["file"] for entry in listed} == {f.name for f in VENDOR.iterdir()} - {"VENDOR.toml"}


def test_a_font_has_the_address_of_its_content_so_that_a_browser_keeps_it_and_fetches_it_once() -> None:
    listed = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))["file"]
    fonts = {f"vendor/{entry['file']}?v={entry['sha256'][:10]}" for entry in listed if entry["file"].endswith(".woff2")}
    assert set(re.findall(r'url\("([^"]+)"\)', (WEB_UI / "common/static/base.css").read_text("utf-8"))) == fonts


def test_each_vendored_package_comes_with_its_licence() -> None:
    licences = {file.name: file.read_text(encoding="utf-8") for file in VENDOR.glob("LICENSE-*")}
    assert "SIL OPEN FONT LICENSE" in licences["LICENSE-be-vietnam-pro.txt"]
    assert "MIT License" in licences["LICENSE-tabler-icons.txt"]


def test_every_icon_that_a_template_names_is_in_the_sprite_and_none_lies_there_unused() -> None:
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (VENDOR / "icons.svg").read_text(encoding="utf-8")))
    templates = "".join(file.read_text(encoding="utf-8") for file in WEB_UI.rglob("templates/**/*.html"))
    quoted = set(re.findall(r'"([a-z0-9-]+)"', templates))
    assert set(re.findall(r'icon\("([a-z0-9-]+)"\)', templates)) <= sprite
    assert sprite <= quoted, f"unused icons: {sprite - quoted}"


def test_scripts_and_styles_of_each_screen_stay_within_their_budget() -> None:
    common = [*(WEB_UI / "common" / "static").glob("*.*")]
    for screen in ("station", "central"):
        files = [*common, *(WEB_UI / screen / "static").glob("*.*")]
        scripts = b"".join(file.read_bytes() for file in files if file.suffix == ".js")
        styles = b"".join(file.read_bytes() for file in files if file.suffix == ".css")
        assert len(gzip.compress(scripts)) <= MAX_SCRIPT_GZ
        assert len(gzip.compress(styles)) <= MAX_STYLE_GZ


def test_no_page_carries_a_script_or_a_style_of_its_own() -> None:
    for file in WEB_UI.rglob("templates/**/*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file
        assert not re.search(r"<style|\bstyle=|\bon[a-z]+=\"", text), file
