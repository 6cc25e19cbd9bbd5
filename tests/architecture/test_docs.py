"""Documents that cannot lie: what the program says of itself is what stands in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("wire", "firmware", "appliance", "central", "web_ui", "lattrang")
_CODE = re.compile(r"\b([A-Z]{3,8}-\d\d)\b")


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")
    yield ROOT / "install.sh"


def test_every_code_that_can_be_read_aloud_is_explained() -> None:
    used = {code for path in _sources() for code in _CODE.findall(path.read_text("utf-8"))} - {"ISO-86"}
    explained = set(_CODE.findall((ROOT / "docs" / "faults.md").read_text("utf-8")))
    assert used - explained == set()


def test_no_code_is_explained_that_the_program_does_not_have() -> None:
    used = {code for path in _sources() for code in _CODE.findall(path.read_text("utf-8"))}
    explained = set(_CODE.findall((ROOT / "docs" / "faults.md").read_text("utf-8")))
    assert explained - used == set()


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
