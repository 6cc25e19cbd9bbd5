"""Furnishes a rig: Debian's packages, stand-ins for those that only the Pi's archive has, the program as a release."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.rig import BUILD_S, PROJECT, ROOT, Machine

_PACKAGES: Final = ("e2fsprogs", "iperf3", "nmap", "openssl")
_LISTS: Final = '. installer/roles.sh; printf "%s\\n" "${station_packages[@]}" "${central_packages[@]}"'
_ON_A_PI: Final = ("python3-picamera2", "python3-gpiozero", "python3-lgpio")
_OUTSIDE: Final = "/opt/venv/lib/python3.13/site-packages\n/opt/libcamera/lib/python3/dist-packages\n"
_PARTS: Final = (
    *("wire", "firmware", "appliance", "central", "web_ui", "lattrang", "installer", "systemd", "docs"),
    *("install.sh", "pyproject.toml", "constraints.txt", "README.md", "CHANGELOG.md", "LICENSE"),
)
_HARDWARE: Final = """[Unit]
Description=The header and the camera of the rig
DefaultDependencies=no
Wants=sys-kernel-config.mount
After=local-fs.target sys-kernel-config.mount
Before=sysinit.target lattrang-station.service
ConditionVirtualization=uml
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cd /opt/rig && sh gpiosim.sh && ln -sfn system /dev/dma_heap/linux,cma'
[Install]
WantedBy=sysinit.target
"""
# A Pi has its revision in the device tree, and its camera reads no file: what the rig lacks is lent to the unit.
_LENT: Final = "[Service]\nBindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo /var/tmp/rig\n"


def furnish(folder: Path) -> None:
    """Put into the root what an image of Raspberry Pi OS has, what the installer would fetch, and nothing of ours."""
    root = folder / "root"
    done = root / "opt" / "rig" / "furnished"
    lists = subprocess.run(["bash", "-c", _LISTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = "\n".join((*_PACKAGES, *lists.split()))
    _write(root / "etc/systemd/system/rig-hardware.service", _HARDWARE)
    _write(root / "etc/systemd/system/lattrang-station.service.d/rig.conf", _LENT)
    if done.exists() and done.read_text("utf-8") == wanted:
        return
    with mounted(root):
        chroot = ["chroot", str(root), "env", "DEBIAN_FRONTEND=noninteractive"]
        _run([*chroot, "apt-get", "update", "-qq"])
        _run([*chroot, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted.split()])
        _run([*chroot, "systemctl", "-q", "disable", "chrony", "mosquitto", "nginx"])
    for name in _ON_A_PI:
        _stand_in(root, name)
    _run(["chroot", str(root), "systemctl", "-q", "enable", "rig-hardware"])
    _write(done, wanted)


def lay_down_page(folder: Path, page: bytes) -> None:
    """Give the machine's camera a picture, before its disk is made."""
    target = folder / "root" / "var/tmp/rig/page.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)


def release(folder: Path) -> Path:
    """Return a packed copy of this checkout with every Python package that both roles need."""
    wheels = _wheels(folder)
    packed = folder / "release.tar"
    with tarfile.open(packed, "w") as tar:
        for name in _PARTS:
            tar.add(ROOT / name, name, filter=lambda info: None if "__pycache__" in info.name else info)
        for wheel in sorted(wheels.glob("*.whl")):
            tar.add(wheel, f"wheels/{wheel.name}")
    return packed


def unpack(machine: Machine, packed: Path) -> None:
    """Lay a packed release down in /opt/src, where a person would have unpacked it."""
    machine.shell("rm -rf /opt/src && mkdir -p /opt/src && tar -C /opt/src -xf - && sync", stdin=packed.read_bytes())


def _wheels(folder: Path) -> Path:
    """Fetch what is needed, built for the machine's Python; once for each state of our own requirements."""
    wheels, root = folder / "wheels", folder / "root"
    wanted = (ROOT / "pyproject.toml").read_text("utf-8") + (ROOT / "constraints.txt").read_text("utf-8")
    stamp = wheels / "wanted"
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return wheels
    shutil.rmtree(wheels, ignore_errors=True)
    source = root / "opt" / "wheel-source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name in ("wire", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    with mounted(root):
        pip = ["chroot", str(root), "env", "-u", "PIP_FIND_LINKS", "HOME=/root", "/opt/venv/bin/pip", "download", "-q"]
        pip += ["-d", "/opt/wheel-source/wheels", "-c", "/opt/wheel-source/constraints.txt"]
        _run([*pip, "/opt/wheel-source[station,central]", "setuptools>=77"])
    shutil.copytree(source / "wheels", wheels)
    shutil.rmtree(source)
    stamp.write_text(wanted, "utf-8")
    return wheels


def install_python_packages(root: Path) -> None:
    """Put what the drivers' tests need into the machine's Python; it has no way out to fetch it by itself."""
    stamp = root / "opt" / "venv" / ".lattrang"
    wanted = (ROOT / "pyproject.toml").read_text("utf-8") + (ROOT / "constraints.txt").read_text("utf-8")
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return
    source = root / PROJECT.lstrip("/")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".venv", ".git", "node_modules", "__pycache__"))
    with mounted(root):
        pip = ["chroot", str(root), "env", "-u", "PIP_FIND_LINKS", "HOME=/root", "/opt/venv/bin/pip", "install", "-q"]
        pip += ["-c", f"{PROJECT}/constraints.txt", f"{PROJECT}[station]", "pytest", "pytest-timeout"]
        _run(pip)
        uninstall = ["chroot", str(root), "/opt/venv/bin/pip", "uninstall", "-q", "-y", "lattrang"]
        _run(uninstall)  # only what it needs stays
    stamp.write_text(wanted, "utf-8")


def _stand_in(root: Path, name: str) -> None:
    """Install a package of that name whose content is what the rig has already built."""
    package = root / "tmp" / name
    _write(
        package / "DEBIAN/control", f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: rig\nDescription: -\n"
    )
    if name == _ON_A_PI[0]:
        _write(package / "usr/lib/python3/dist-packages/rig.pth", _OUTSIDE)
    _run(["dpkg-deb", "-b", str(package), f"{package}.deb"])
    _run(["chroot", str(root), "dpkg", "-i", f"/tmp/{name}.deb"])
    shutil.rmtree(package)
    Path(f"{package}.deb").unlink()


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """Lend a root the network's names, the machine's certificates and a /proc."""
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    certificates = str(root / "etc/ssl/certs")
    _run(["mount", "-t", "proc", "proc", str(root / "proc")])
    try:
        _run(["mount", "--bind", "/etc/ssl/certs", certificates])
        try:
            yield
        finally:
            _run(["umount", certificates])
    finally:
        _run(["umount", str(root / "proc")])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1000:]}")


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, "utf-8")
