"""A machine to install on: this one, seen through a layer that takes every change and is thrown away.

Root, its own mounts, processes and (where asked) no network; systemd does not run in it. Nothing is downloaded and
nothing outside the layer is changed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_BEGIN = r"""
set -e
layer=$1; shift
mount -t tmpfs -o size=600m tmpfs "$layer"
mkdir "$layer/up" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/up,workdir=$layer/work" "$layer/root"
mount -t proc proc "$layer/root/proc"
mount --rbind /dev "$layer/root/dev"
for folder in /run /tmp /opt /srv; do mount -t tmpfs -o mode=755,size=2g tmpfs "$layer/root$folder"; done
for folder in "$@"; do
    mkdir -p "$layer/root$folder"
    mount --bind "$folder" "$layer/root$folder"
    mount -o remount,bind,ro "$layer/root$folder"
done
mkdir "$layer/root/tmp/home" "$layer/root/run/lent"
chmod 1777 "$layer/root/tmp"
echo ready
exec sleep infinity
"""


_LENT = r"""
cat >/run/lent/dpkg-query <<'X'
#!/bin/sh
echo install ok installed
X
cat >/run/lent/python3 <<'X'
#!/bin/sh
[ "$1 $2 $3" = "-m venv --without-pip" ] || exec {python} "$@"
for release; do :; done
folder="$release/bin"
mkdir -p "$folder"
ln -sf /bin/true "$folder/python"
printf '#!/bin/sh\nprintf "#!/bin/sh\\ncd %s && exec {python} -m lattrang \\"\\$@\\"\\n" >%s\nchmod 755 %s\n' \
    "${{release%/venv}}" "$folder/lattrang" "$folder/lattrang" >"$folder/pip"
chmod 755 "$folder/pip"
X
chmod 755 /run/lent/*
"""


class Machine:
    """Commands run in it one after the other; what they change stays until it ends."""

    def __init__(self, root: Path, inside: int) -> None:
        """Take hold of a machine whose files lie at `root` and whose first process is `inside`."""
        self._root, self._inside = root, inside

    def run(
        self, script: str, *, user: str = "root", online: bool = True, timeout_s: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of bash as `user`, without any network where `online` is false."""
        enter = ["nsenter", f"--target={self._inside}", "--mount", "--pid"]
        line = [] if online else ["unshare", "--net"]
        whose = [] if user == "root" else ["runuser", "--user", user, "--"]
        command = [*enter, *line, "chroot", str(self._root), *whose, "bash", "-c", script]
        given = {"PATH": f"/run/lent:{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": "/tmp/home", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            command, env=given | environment, capture_output=True, text=True, check=False, timeout=timeout_s, cwd="/"
        )

    def call(self, commands: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run commands with every piece of the installer sourced, as install.sh runs them."""
        pieces = "\n".join(f'. "{ROOT}/installer/{name}.sh"' for name in ("common", "release", "roles", "update"))
        return self.run(f'set -euo pipefail\nhere="{ROOT}"\n{pieces}\n{commands}', **how)

    def lend_packages(self) -> None:
        """Let apt and pip find all they are asked for: what they install is this test's own Python."""
        self.run(_LENT.format(python=sys.executable))
        # It may live in somebody's home; the services must reach it as they do Debian's.
        above = (str(folder) for folder in (*Path(sys.base_prefix).parents, *Path(sys.prefix).parents))
        self.run(f"chmod a+x {' '.join(above)} 2>/dev/null")


@contextlib.contextmanager
def machine() -> Iterator[Machine]:
    """Give such a machine; skips the test where this one does not let us make it."""
    if os.geteuid() != 0:
        pytest.skip("a machine to install on needs root")
    missing = [one for one in ("unshare", "nsenter", "runuser") if shutil.which(one) is None]
    if missing or Path("/opt/lattrang").exists():
        pytest.skip(f"no machine to install on: {missing or 'lattrang is installed here'}")
    shown = {str(ROOT), str(Path(sys.prefix).resolve()), str(Path(sys.base_prefix).resolve())} - {"/", "/usr"}
    with tempfile.TemporaryDirectory() as layer:
        begin = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        begin += ["bash", "-c", _BEGIN, "begin", layer, *sorted(shown)]
        with subprocess.Popen(begin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                if process.stdout is None or process.stdout.readline() != "ready\n":
                    process.kill()
                    pytest.skip(f"no layer over this machine's files: {process.communicate()[1].strip()}")
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                yield Machine(Path(layer) / "root", int(children[0]))
            finally:
                process.kill()
