"""docs/asyncapi.yaml says what the code does, in words that the AsyncAPI parser understands."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.asyncapi.render import render
from wire import schema, topics

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "asyncapi.yaml"
HERE = Path(__file__).parent


def test_the_document_is_drawn_from_the_code_as_it_is_now() -> None:
    assert FILE.read_text("utf-8") == render(), "run: python -m tests.asyncapi.render > docs/asyncapi.yaml"


def test_the_schemas_are_those_of_the_structures() -> None:
    assert yaml.safe_load(FILE.read_text("utf-8"))["components"]["schemas"] == schema.components()


def test_its_topics_are_those_that_the_code_builds() -> None:
    address = topics.ChunkAddress("w1", "kho-1", "g1", "left.jpg", 512)
    values = {"station": "kho-1", "worker": "w1", "grant_id": "g1", "file": "left.jpg", "offset": 512}
    channels = yaml.safe_load(FILE.read_text("utf-8"))["channels"]
    assert {name: channel["address"].format(**values) for name, channel in channels.items()} == {
        "offers": topics.offers("kho-1"),
        "replies": topics.replies("kho-1"),
        "chunks": topics.chunk(address),
        "status": topics.status("kho-1"),
        "commands": topics.commands("kho-1"),
    }


def test_the_asyncapi_parser_finds_no_error() -> None:
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "@asyncapi" / "parser").is_dir():
        pytest.skip("the AsyncAPI parser is not installed: run npm ci in tests/asyncapi")
    command = [node, HERE / "check.mjs", FILE]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one for one in json.loads(done.stdout) if one["severity"] <= 1] == []
