"""The installer's shell functions, called one by one: in a copy with folders and programs of our own."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Shell:
    """A copy of install.sh and its pieces under `folder`; /opt/lattrang and /etc/lattrang lie there as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opt, self.etc, self.srv, self._bin = folder / "opt", folder / "etc", folder / "srv", folder / "bin"
        self.disks = folder / "disks"
        for made in (self.opt, self.etc, self.srv, self.disks, self._bin, folder / "run"):
            made.mkdir()
        places = {
            "/opt/lattrang": self.opt,
            "/etc/lattrang": self.etc,
            "/srv/lattrang": self.srv,
            "/etc/fstab": self.etc / "fstab",
            "/etc/systemd/system": self.etc / "systemd",
            "/dev/disk/by-label": self.disks,
            "/run/lattrang-install.lock": folder / "run" / "lattrang-install.lock",
        }
        shutil.copytree(ROOT / "installer", folder / "installer")
        shutil.copy(ROOT / "install.sh", folder)
        for piece in (folder / "installer").iterdir():
            text = piece.read_text("utf-8")
            for theirs, ours in places.items():
                text = text.replace(theirs, str(ours))
            piece.write_text(text, "utf-8")

    def put(self, program: str, script: str) -> None:
        """Let `program` be a script of ours."""
        file = self._bin / program
        file.write_text(f"#!/bin/bash\n{script}\n", "utf-8")
        file.chmod(0o755)

    def call(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands with every piece sourced, as install.sh runs them."""
        pieces = "\n".join(
            f'. "{self.folder}/installer/{name}.sh"' for name in ("common", "release", "roles", "update")
        )
        return self._run("bash", "-c", f'set -euo pipefail\nhere="{self.folder}"\n{pieces}\n{commands}')

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run install.sh itself."""
        return self._run("bash", str(self.folder / "install.sh"), *arguments)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        path = f"{self._bin}:{os.environ['PATH']}"
        return subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"PATH": path}, check=False, timeout=60
        )
