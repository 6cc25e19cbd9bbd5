"""The rights that a unit has, without systemd: a user that is no root, and only the capabilities it names."""

import os
import shutil
import stat
from pathlib import Path

UNITS = Path(__file__).parents[2] / "systemd"
NOBODY = 65534


def as_the_unit(name: str) -> list[str]:
    """Return what to put before a command so that it runs with the rights of this unit; nothing where not root."""
    program = shutil.which("setpriv")
    if program is None or os.geteuid() != 0:
        return []
    lines = (UNITS / name).read_text("utf-8").splitlines()
    named = next(line.split("=", 1)[1] for line in lines if line.startswith("AmbientCapabilities="))
    rights = ",".join(["-all", *(f"+{one.removeprefix('CAP_').lower()}" for one in named.split())])
    sets = [f"--{which}={rights}" for which in ("bounding-set", "inh-caps", "ambient-caps")]
    return [program, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs", *sets]


def give(folder: Path) -> None:
    """Make `folder`, with all that is in it, the unit's own, in a place that it can get to, as on a station."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for parent in folder.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & 0o001:
            parent.chmod(mode | 0o011)
