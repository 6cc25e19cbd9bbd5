"""Where the pages are that the tests of access and contrast open, and what else can be asked for but is no page."""

from collections.abc import Iterable

from flask import Flask

CENTRAL_PATHS = (
    "/",
    "/item/item-1",
    "/item/item-3",
    "/item/item-1/3",
    "/pair",
    "/pair/kho-1",
    "/enter",
    "/nowhere",
)
NO_PAGES = {
    "station": {
        "common.static", "static", "frame", "zoom", "preview", "state", "support",  # files, pictures, data
        "preflight", "parts_feet", "disk_offer",  # pieces that scripts put into a page
        "setup",  # sends to the step that is due
    },
    "central": {"common.static", "static", "metrics", "page_picture", "thumbnail"},
}  # fmt: skip


def pages_of(app: Flask) -> set[str]:
    """Return every endpoint that answers a GET."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def endpoints_at(app: Flask, paths: Iterable[str]) -> set[str]:
    """Return which endpoints answer at these addresses; those at which nothing is are left out."""
    urls, found = app.url_map.bind("localhost"), set()
    for path in paths:
        if urls.test(path.split("?")[0], method="GET"):
            found.add(urls.match(path.split("?")[0], method="GET")[0])
    return found
