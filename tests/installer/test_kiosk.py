"""The installer shows the screen only where a display is, and no desktop draws on it."""

from pathlib import Path

import pytest

from tests.installer.shell import Shell


@pytest.mark.parametrize(
    ("status", "desktop", "shows"),
    [("connected", 1, True), ("disconnected", 1, False), ("connected", 0, False), (None, 1, False)],
    ids=["a display", "nothing plugged in", "a desktop", "no graphics"],
)
def test_the_screen_is_shown_where_a_display_is_free(
    tmp_path: Path, status: str | None, desktop: int, shows: bool
) -> None:
    shell = Shell(tmp_path)
    shell.put("systemctl", f'[ "$1" != is-enabled ] || exit {desktop}')
    drm = tmp_path / "drm"
    for connector in ("card0-HDMI-A-1", "card1-DSI-1") if status else ():
        (drm / connector).mkdir(parents=True)
        (drm / connector / "status").write_text("disconnected\n" if connector.startswith("card0") else f"{status}\n")
    assert (shell.call(f"has_display {drm}").returncode == 0) is shows
