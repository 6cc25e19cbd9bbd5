"""Mosquitto: its configuration as text, and a child process for the demo and the tests.

On a server the same text is installed for the system's own Mosquitto; nothing here is then running.
"""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from central.authority.ca import Credentials, write_private
from central.authority.revocation import REVOKED_FILE
from central.errors import BrokerError
from wire.limits import MAX_PACKET_BYTES, MIB

MAX_QUEUED_MESSAGES: Final = 1000
"""Per client. Beyond it Mosquitto drops in silence, so workers promise to stay under half of it."""
MAX_QUEUED_BYTES: Final = 256 * MIB
MAX_INFLIGHT_MESSAGES: Final = 64
LEAST_INFLIGHT_MESSAGES: Final = 20
"""What the doctor asks of a broker that somebody else set up."""
LOOPBACK: Final = "127.0.0.1"
_PLUGIN: Final = "mosquitto_dynamic_security.so"
_PLUGIN_FOLDERS: Final = ("/usr/lib", "/usr/local/lib")
_START_TRIES: Final = 5
_LOOK_EVERY_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What a broker is started with. `access_file` belongs to the plugin once it has been started."""

    port: int
    tls: Credentials
    access_file: Path
    plugin: Path
    host: str = LOOPBACK
    user: str = "mosquitto"
    """Whom Mosquitto becomes when it is started as root."""


def config_text(settings: BrokerSettings) -> str:
    """Return the text of ``mosquitto.conf``."""
    lines = [
        "# Written by lattrang. The broker is a wire, not a store: it keeps nothing over a restart.",
        "per_listener_settings false",
        "allow_anonymous false",
        "persistence false",
        "# A retained message stays for ever, and a station may publish under as many topics as it has chunks.",
        "retain_available false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "set_tcp_nodelay true",
        "sys_interval 0",
        f"max_packet_size {MAX_PACKET_BYTES}",
        f"max_inflight_messages {MAX_INFLIGHT_MESSAGES}",
        f"max_queued_messages {MAX_QUEUED_MESSAGES}",
        f"max_queued_bytes {MAX_QUEUED_BYTES}",
        "queue_qos0_messages false",
        f"user {settings.user}",
        f"plugin {settings.plugin}",
        f"plugin_opt_config_file {settings.access_file}",
        f"listener {settings.port} {settings.host}",
        f"cafile {settings.tls.ca}",
        f"certfile {settings.tls.cert}",
        f"keyfile {settings.tls.key}",
        f"crlfile {settings.tls.ca.with_name(REVOKED_FILE)}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        "# The certificate names the session too: nobody can end another's session by borrowing its client id.",
        "use_username_as_clientid true",
    ]
    return "\n".join(lines) + "\n"


def find_program() -> Path:
    """Return the path of Mosquitto; raises `BrokerError` with the cure where it is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerError("BROKER-01", "Mosquitto is not installed.", "Run: apt install mosquitto")
    return Path(found)


def find_plugin() -> Path:
    """Return the path of the dynamic-security plugin; raises `BrokerError` with the cure where it is missing."""
    for folder in map(Path, _PLUGIN_FOLDERS):
        for candidate in (folder / _PLUGIN, *sorted(folder.glob(f"*/{_PLUGIN}"))):
            if candidate.is_file():
                return candidate
    raise BrokerError(
        "BROKER-02", f"Mosquitto's plugin {_PLUGIN} is missing.", "Install Debian's own package: apt install mosquitto"
    )


class Broker:
    """Mosquitto as a child process on the loopback interface.

    Its folder keeps ``mosquitto.conf``, ``mosquitto.log`` and the plugin's ``dynamic-security.json``, so that stations
    approved at run time are still known after a restart.
    """

    def __init__(self, folder: Path, tls: Credentials, access: Mapping[str, Any], *, port: int = 0) -> None:
        """Prepare a broker; `port` 0 means any free one, the same at every later start of this object.

        Args:
            folder: made if missing.
            tls: the server's credentials.
            access: the plugin's document for the very first start; ignored where the folder holds one already.
            port: TCP port.
        """
        self._folder = folder
        self._tls = tls
        self._access = access
        self._wanted_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self.port = port
        self.host = LOOPBACK

    def start(self, *, timeout_s: float = 15.0) -> None:
        """Start and return once TLS connections are accepted.

        Raises:
            BrokerError: not installed (BROKER-01, BROKER-02) or not ready in time (BROKER-03).
        """
        if self.is_running:
            return
        for attempt in range(1, _START_TRIES + 1):
            if self._wanted_port == 0 and (self.port == 0 or attempt > 1):
                self.port = _free_port()
            try:
                self._start_once(timeout_s)
            except BrokerError as error:
                # Between our look and Mosquitto's bind somebody else may have taken a free port.
                if self._wanted_port != 0 or attempt == _START_TRIES or error.code != "BROKER-03":
                    raise
            else:
                return

    @property
    def is_running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running child; raises `BrokerError` where there is none."""
        if self._process is None:
            raise BrokerError("BROKER-03", "The broker is not running.", "Start it first.")
        return self._process.pid

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Ask the broker to end and wait for it; does nothing where it is not running."""
        self._end(kill=False, timeout_s=timeout_s)

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a power cut would."""
        self._end(kill=True, timeout_s=10.0)

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_once(self, timeout_s: float) -> None:
        program, plugin = find_program(), find_plugin()
        self._folder.mkdir(parents=True, exist_ok=True)
        access_file = self._folder / "dynamic-security.json"
        if not access_file.exists():
            write_private(access_file, json.dumps(self._access, indent=1).encode())
        config = self._folder / "mosquitto.conf"
        config.write_text(config_text(BrokerSettings(self.port, self._tls, access_file, plugin, user=_own_user())))
        revoked = self._tls.ca.with_name(REVOKED_FILE)
        read_at_ns = revoked.stat().st_mtime_ns
        with (self._folder / "mosquitto.log").open("ab") as log:
            # Its own session: a Ctrl-C in the terminal reaches us first, and we end the broker last.
            self._process = subprocess.Popen(  # noqa: S603 - the program's path is ours, nothing comes from outside
                [program, "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_ready(self._process, time.monotonic() + timeout_s)
        self._ended = threading.Event()
        watch = (self._process, revoked, read_at_ns, self._ended)
        threading.Thread(target=_tell_of_changes, args=watch, name="broker watch", daemon=True).start()

    def _wait_ready(self, process: subprocess.Popen[bytes], deadline_s: float) -> None:
        while not _accepts_tls(self.host, self.port, self._tls.ca):
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline_s:
                    continue
            self._end(kill=True, timeout_s=5.0)
            raise BrokerError(
                "BROKER-03",
                f"Mosquitto did not start on port {self.port}: {self._last_words()}",
                f"See {self._folder / 'mosquitto.log'}; the port may be in use.",
            )

    def _last_words(self) -> str:
        lines = (self._folder / "mosquitto.log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing."

    def _end(self, *, kill: bool, timeout_s: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._ended.set()
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _accepts_tls(host: str, port: int, ca: Path) -> bool:
    # In TLS 1.3 our half of the handshake ends before the broker asks for a certificate: enough to know it is there.
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        with (
            socket.create_connection((host, port), timeout=1.0) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def _tell_of_changes(process: subprocess.Popen[bytes], file: Path, read_at_ns: int, ended: threading.Event) -> None:
    """Have the broker read the list of shut-out certificates again; on a server systemd starts it anew instead."""
    while not ended.wait(_LOOK_EVERY_S):
        changed_at_ns = file.stat().st_mtime_ns if file.exists() else read_at_ns
        if changed_at_ns != read_at_ns and process.poll() is None:
            process.send_signal(signal.SIGHUP)
            read_at_ns = changed_at_ns


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _own_user() -> str:
    # Started as root, Mosquitto would become its own user and could not read keys that are ours alone.
    return "root" if os.geteuid() == 0 else "mosquitto"
