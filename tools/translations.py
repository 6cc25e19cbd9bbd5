"""Collect the sentences of the templates, bring the English catalogue up to date, compile it.

Run after changing a template: ``python tools/translations.py``. Vietnamese is the source: its sentences stand in the
templates. New sentences appear in ``messages.po`` with an empty English text; a test fails until it is written.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB_UI = Path(__file__).parents[1] / "web_ui"
PO_FILE = WEB_UI / "common" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
MO_FILE = PO_FILE.with_suffix(".mo")
_METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
_OPTIONS = {pattern: {"trimmed": "true", "silent": "false"} for pattern, _ in _METHODS}


def extracted() -> Catalog:
    """Return every sentence of the templates, without a translation."""
    catalog = Catalog(locale="en", project="Lattrang", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        WEB_UI, method_map=_METHODS, options_map=_OPTIONS, keywords={"_": None, "ngettext": (1, 2)}
    )
    for file, _line, message, comments, _context in found:
        # Files without line numbers: an unrelated edit must not change the catalogue.
        catalog.add(message, locations=[(file, 0)], auto_comments=comments)
    return catalog


def translated() -> Catalog:
    """Return the English catalogue as committed."""
    with PO_FILE.open("rb") as file:
        return read_po(file, locale="en", domain="messages")


def compiled(catalog: Catalog) -> bytes:
    """Return `catalog` in the form that is read at run time."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main() -> int:
    """Update both files; return how many sentences have no English text yet."""
    catalog = translated() if PO_FILE.exists() else Catalog(locale="en", charset="utf-8", fuzzy=False)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = "# English for the screens of Lattrang; the sentences themselves are Vietnamese."
    catalog.project, catalog.version, catalog.msgid_bugs_address = "lattrang", "1", "see the repository"
    catalog.last_translator = catalog.language_team = "Lattrang"
    PO_FILE.parent.mkdir(parents=True, exist_ok=True)
    with PO_FILE.open("wb") as file:
        write_po(file, catalog, sort_output=True, include_lineno=False, omit_header=False, width=118)
    MO_FILE.write_bytes(compiled(catalog))
    missing = [message for message in catalog if message.id and not all(_texts(message.string))]
    for message in missing:
        sys.stderr.write(f"no English text: {message.id!r}\n")
    return len(missing)


def _texts(string: object) -> tuple[object, ...]:
    return tuple(string) if isinstance(string, (list, tuple)) else (string,)


if __name__ == "__main__":
    sys.exit(main())
