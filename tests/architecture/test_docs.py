"""Documents that cannot lie: what the program says of itself is what stands in them."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from firmware.registry import HardwareConfig
from lattrang.cli import main

ROOT = Path(__file__).parents[2]
PACKAGES = ("wire", "firmware", "appliance", "central", "web_ui", "lattrang")
_QUOTED_CODE = re.compile(r'"([A-Z]{2,8}-\d\d)"')
_INSTALL_CODE = re.compile(r"\b((?:INST|TEST|UPD)-\d\d)\b")
_ROW = re.compile(r"^\| ([A-Z]{2,8}-\d\d) \|", re.MULTILINE)


def _used() -> set[str]:
    in_python = (
        code
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for code in _QUOTED_CODE.findall(path.read_text("utf-8"))
    )
    shell = "".join(path.read_text("utf-8") for path in [ROOT / "install.sh", *(ROOT / "installer").glob("*.sh")])
    return {*in_python, *_INSTALL_CODE.findall(shell)}


def _explained() -> list[str]:
    return _ROW.findall((ROOT / "docs" / "faults.md").read_text("utf-8"))


def test_every_code_that_can_be_read_aloud_is_explained() -> None:
    assert _used() - set(_explained()) == set()


def test_no_code_is_explained_that_the_program_does_not_have_or_twice() -> None:
    assert sorted(_explained()) == sorted(_used() & set(_explained()))


def test_the_readme_shows_the_help_as_it_is() -> None:
    from lattrang.cli import build_parser

    readme = (ROOT / "README.md").read_text("utf-8")
    assert build_parser().format_help().strip() in readme


def test_the_documents_link_only_to_files_that_exist() -> None:
    broken = []
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text("utf-8")):
            if not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_the_project_names_no_package_registry_and_no_machine_path() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org")
    text_kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".sh", ".html", ".js", ".css", ".txt", ".cfg"}
    named = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.suffix in text_kinds
        and not {".venv", "node_modules", ".git", ".demo"} & set(path.relative_to(ROOT).parts)
        and path != Path(__file__)
        and hosts.search(path.read_text("utf-8", errors="ignore"))
    ]
    assert named == []


def test_the_wiring_picture_shows_the_pins_that_the_program_takes() -> None:
    path = ROOT / "tools" / "draw_wiring.py"
    spec = importlib.util.spec_from_file_location("draw_wiring", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tool  # dataclasses look their module up
    spec.loader.exec_module(tool)
    assert tool.drawing(HardwareConfig()) == tool.PICTURE.read_text("utf-8")
    pins = [pin for part in tool.parts(HardwareConfig()) for pin in part.pins]
    assert len(pins) == len(set(pins))


def test_the_table_of_cameras_is_what_the_calculator_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["station", "geometry"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs" / "build.md").read_text("utf-8")
