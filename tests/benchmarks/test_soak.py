"""The soak works at a real page; its straight lines tell growth from scatter."""

import re
import shutil
import subprocess
import sys

import psutil
import pytest

from benchmarks import soak
from benchmarks.soak_parts import Course, slope_of

MINUTES = [float(second) for second in range(0, 3600, 60)]
GOAL = 4.0


def course(mib_an_hour: float, scatter_mib: float) -> Course:
    told = Course(browser=lambda: ())
    told.at_s = MINUTES
    told.pss = [400 + mib_an_hour * at_s / 3600 + scatter_mib * (-1) ** number for number, at_s in enumerate(MINUTES)]
    told.heap = told.nodes = told.listeners = [2.0] * len(MINUTES)
    return told


def test_growth_is_told_and_scatter_is_not() -> None:
    assert course(10.0, 0.1).has_grown(GOAL)
    assert not course(1.0, 0.1).has_grown(GOAL)
    assert not course(0.0, 20.0).has_grown(GOAL)
    assert slope_of(MINUTES, course(10.0, 0.0).pss).an_hour == pytest.approx(10.0)


def test_a_leak_in_the_page_alone_is_told_too() -> None:
    leaking = course(0.0, 0.1)
    leaking.heap = [2 + 10 * at_s / 3600 for at_s in MINUTES]
    assert leaking.has_grown(GOAL)


@pytest.mark.browser
@pytest.mark.slow
def test_a_few_seconds_of_work_are_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("chromium is not installed")
    soak.main(["--minutes", "0.1"])
    table = capsys.readouterr().out
    assert re.search(r"1 presses, live picture [1-9][\d.]* a second", table)
    for name in ("PSS, MiB", "heap, MiB", "nodes", "listeners"):
        assert re.search(rf"{name} +[\d.]+ +[\d.]+ +[+-][\d.]+ ± [\d.]+", table)


def test_a_process_of_the_browser_that_ends_while_it_is_weighed_weighs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as helper:
        ours = [psutil.Process(), psutil.Process(helper.pid)]
        told = Course(browser=lambda: ours)
        told.look(0.0, 1, 1, 1, 1)
        helper.communicate(b"\n", timeout=30)
    told.look(1.0, 1, 1, 1, 1)
    assert 0 < told.pss[1] < told.pss[0]
