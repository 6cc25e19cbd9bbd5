"""A station to install on, switch on, press and unplug: Debian with systemd on a kernel that runs as one process.

It has a simulated GPIO chip under the real lgpio, picamera2 on libcamera's virtual camera, one disk and one cable. The
scripts that build and boot it are not part of the project: `LATTRANG_RIG` names the folder in which they lie.
"""

import fcntl
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
SCRIPTS: Final = "LATTRANG_RIG"
FOLDER: Final = "LATTRANG_RIG_FOLDER"
BUILD_S: Final = 1800
BOOT_S: Final = 240
_CUT_S: Final = 30.0
_NO_ANSWER: Final = 255
_CALLS: Final = 5
"""A busy machine may be too slow for the two seconds that the script's ssh waits."""
PROJECT: Final = "/opt/lattrang-src"
PYTHON: Final = "/opt/venv/bin/python"
CHIP: Final = "/sys/devices/platform/gpio-sim.0/gpiochip0"
PEDAL_PIN: Final = 17


class CommandFailed(Exception):
    """A command on a machine of the rig failed; what it said last stands in the message."""

    def __init__(self, command: str, done: "subprocess.CompletedProcess[bytes]") -> None:
        said = (done.stdout + done.stderr).decode(errors="replace")[-1500:]
        super().__init__(f"{command!r} ended with {done.returncode}: {said}")
        self.said = said


class NoRig(Exception):
    """There is no rig here, or it cannot work here."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, on or off.

    Attributes:
        scripts: `build.sh` and `boot.sh`.
        folder: where its kernel and its disks are.
        disk: the image it boots from.
        kernel: `uml`, or `tcg`: Debian's own under emulation, slow, without pins, with every module.
    """

    scripts: Path
    folder: Path
    disk: str
    kernel: str = "uml"

    def boot(self) -> None:
        """Switch on, and return when a shell answers."""
        self._script(self.kernel, self.disk, timeout_s=BOOT_S)
        if self.kernel == "uml":
            # Its network card takes no packets larger than the cable's: they would be sent again for minutes.
            subprocess.run(["ip", "-n", "rig", "link", "set", "tap0", "gso_max_segs", "1"], check=True)

    def off(self) -> None:
        """Shut down in order."""
        self._script("off", timeout_s=60)

    def cut(self) -> None:
        """Pull the plug, and return when nothing holds the disk any more."""
        self._script("cut", timeout_s=10)
        self.wait_until_off(_CUT_S)

    def wait_until_off(self, within_s: float) -> None:
        """Return when nothing holds the disk any more; raises `BlockingIOError` if it is still held then."""
        end_s = time.monotonic() + within_s
        with (self.folder / self.disk).open("rb+") as disk:
            while True:
                try:
                    fcntl.lockf(disk, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > end_s:
                        raise
                    threading.Event().wait(0.05)
                else:
                    return

    def shell(self, command: str, *, stdin: bytes = b"", timeout_s: float = 300) -> str:
        """Run a command as root and return what it printed; raises `CommandFailed` where it failed."""
        for _ in range(_CALLS):
            done = subprocess.run(  # our own script
                [str(self.scripts / "boot.sh"), "ssh", command],
                input=stdin,
                capture_output=True,
                env=self._environment(),
                timeout=timeout_s,
                check=False,
            )
            if done.returncode != _NO_ANSWER or done.stdout:
                break
        if done.returncode:
            raise CommandFailed(command, done)
        return done.stdout.decode(errors="replace")

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        """Start a command as root and return it; what it prints can be read while it runs."""
        words = [str(self.scripts / "boot.sh"), "ssh", command]
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment()
        )

    def put(self, content: bytes, path: str) -> None:
        """Write a file there."""
        self.shell(f"mkdir -p {Path(path).parent} && cat > {path}", stdin=content)

    def put_project(self) -> None:
        """Lay this checkout down there, as it is in the working folder."""
        names = ["wire", "firmware", "appliance", "web_ui", "lattrang", "benchmarks"]
        names += ["tests/contract", "pyproject.toml"]
        packed = subprocess.run(
            ["tar", "-C", str(ROOT), "--exclude=__pycache__", "-cf", "-", *names],
            capture_output=True,
            check=True,
        )
        self.shell(f"mkdir -p {PROJECT} && tar -C {PROJECT} -xf -", stdin=packed.stdout)

    def plug_in_hardware(self, page: bytes) -> None:
        """Give it a GPIO header and a camera that sees `page`, a JPEG; they are gone after each boot."""
        self.put(page, "/var/tmp/rig/page.jpg")  # where its virtual camera looks
        self.shell("cd /opt/rig && sh gpiosim.sh && ln -sfn system /dev/dma_heap/linux,cma")

    def _script(self, *words: str, timeout_s: float) -> None:
        log = self.folder / "boot.log"
        with log.open("wb") as out:
            done = subprocess.run(
                [str(self.scripts / "boot.sh"), *words],
                stdout=out,
                stderr=out,
                env=self._environment(),
                timeout=timeout_s,
                check=False,
            )
        if done.returncode:
            raise AssertionError(f"boot.sh {words}: {log.read_text()[-2000:]}")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "RIG": str(self.folder), "LD_PRELOAD": str(_shim(self.folder))}


def scripts() -> Path:
    """Return where the rig's scripts are; raises `NoRig`."""
    named = os.environ.get(SCRIPTS)
    if not named:
        raise NoRig(f"{SCRIPTS} does not name the folder of a rig (CONTRIBUTING.md, on the Pi's own software)")
    if os.geteuid() != 0:
        raise NoRig("a rig needs root: it makes a network namespace and mounts a disk")
    return Path(named).resolve()


def folder() -> Path:
    """Return where a rig is built, some gigabytes large."""
    return Path(os.environ.get(FOLDER, "/var/tmp/lattrang-rig"))  # kept between runs on purpose


def build(where: Path, made_by: Path) -> None:
    """Build kernel and root once: minutes."""
    where.mkdir(parents=True, exist_ok=True)
    if not (where / "root" / "opt" / "venv").exists() or not (where / "linux").exists():
        environment = {**os.environ, "RIG": str(where)}
        with (where / "build.log").open("wb") as out:
            subprocess.run(
                [str(made_by / "build.sh"), "root", "uml"],
                stdout=out,
                stderr=out,
                env=environment,
                check=True,
                timeout=BUILD_S,
            )


def _shim(where: Path) -> Path:
    """Return the library that lets the kernel run on processors with more state than it knows."""
    built = where / "xstate.so"
    source = HERE / "rig_xstate.c"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        compile_it = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(built), str(source), "-ldl"]
        subprocess.run(compile_it, check=True)
    return built
