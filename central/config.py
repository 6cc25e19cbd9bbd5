"""``central.toml`` to frozen dataclasses: every fault is reported at once, each by the key it stands under."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from central.authority.broker import MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES
from central.authority.ca import Credentials, credentials_in
from central.errors import ConfigError
from central.mqtt import BrokerAddress
from wire import pairing
from wire.limits import DEFAULT_CHUNK_BYTES, DEFAULT_WINDOW, KIB, MAX_CHUNK_BYTES, MIB

DEFAULT_FILE: Final = Path("/etc/lattrang/central.toml")
LANGUAGES: Final = ("vi", "en")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How much a worker takes on at once. `max_grants` × `window` stays under half the broker's queue."""

    chunk_bytes: int = DEFAULT_CHUNK_BYTES
    window: int = DEFAULT_WINDOW
    max_grants: int = 8
    lease_s: float = 60.0
    reserve_bytes: int = 512 * MIB
    """Free space below which nothing more is taken."""
    keep_s: float = 86_400.0
    """How long what came of an interrupted grant waits for its station: a night's pause in the hours of its line."""
    max_kept: int = 256
    """Interrupted grants kept at once; the oldest go first, and all of them before an offer is refused for room."""


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """Where the broker is; `pki` holds our certificates (``ca.crt``, ``office.crt``, ``worker.NAME.crt`` and keys)."""

    host: str
    port: int
    pki: Path

    def address(self, common_name: str) -> BrokerAddress:
        """Return how the process known to the broker as `common_name` reaches it."""
        return BrokerAddress(self.host, self.port, self.credentials(common_name))

    def credentials(self, common_name: str) -> Credentials:
        """Return where the credentials of `common_name` are kept."""
        return credentials_in(self.pki, common_name)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Where the screens are served. `token_file` holds the token of the first sign-in."""

    host: str
    port: int
    token_file: Path
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class PairingConfig:
    """Where stations are paired and renew their certificates.

    `public_host` is the name or address by which stations reach this machine, the broker included.
    """

    public_host: str
    host: str = "127.0.0.1"
    port: int = pairing.DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class CentralConfig:
    """The whole of ``central.toml``. Without a section ``[pairing]`` no station can be paired over the network."""

    store: Path
    database_url: str
    broker: BrokerConfig
    web: WebConfig
    limits: WorkerLimits
    pairing: PairingConfig | None = None


def load(path: Path) -> CentralConfig:
    """Return the configuration in `path`.

    Raises:
        ConfigError: CONF-02 where the file cannot be read, CONF-01 naming every key that has a fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "CONF-02", f"The configuration {path} cannot be read ({error}).", "Give another with --config FILE."
        ) from error
    return parse(text, base=path.parent)


def parse(text: str, *, base: Path) -> CentralConfig:
    """Return the configuration in `text`; relative paths start at `base`. Raises `ConfigError` CONF-01."""
    try:
        reader = _Reader(tomllib.loads(text), base)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("CONF-01", f"The configuration is not TOML: {error}.", "Mend that line.") from error
    config = _read(reader)
    reader.finish()
    return config


def render(config: CentralConfig) -> str:
    """Return the text of a ``central.toml`` that `parse` reads back as `config`."""
    text = f"""# The central server of Lattrang. Every key is explained in docs/operations.

[store]
folder = {_quoted(config.store)}
database = {_quoted(config.database_url)}
reserve_bytes = {config.limits.reserve_bytes}

[broker]
host = {_quoted(config.broker.host)}
port = {config.broker.port}
pki = {_quoted(config.broker.pki)}

[worker]
chunk_bytes = {config.limits.chunk_bytes}
window = {config.limits.window}
max_grants = {config.limits.max_grants}
lease_s = {config.limits.lease_s}
keep_s = {config.limits.keep_s}
max_kept = {config.limits.max_kept}

[web]
host = {_quoted(config.web.host)}
port = {config.web.port}
token_file = {_quoted(config.web.token_file)}
language = {_quoted(config.web.language)}
"""
    if config.pairing is None:
        return text
    return f"""{text}
[pairing]
public_host = {_quoted(config.pairing.public_host)}
host = {_quoted(config.pairing.host)}
port = {config.pairing.port}
"""


def default_database(store: Path) -> str:
    """Return the address of the SQLite catalogue inside `store`."""
    return f"sqlite:///{store / 'catalogue.db'}"


class _Reader:
    """Takes values out of the parsed file, remembers every fault and which keys nobody asked for."""

    def __init__(self, tables: dict[str, Any], base: Path) -> None:
        self._tables = tables
        self._base = base
        self._asked: set[tuple[str, str]] = set()
        self.faults: list[str] = []

    def has(self, table: str) -> bool:
        return table in self._tables

    def text(self, table: str, key: str, default: object = _MISSING) -> str:
        return str(self._value(table, key, default, str, "a text"))

    def path(self, table: str, key: str) -> Path:
        return self._base / self.text(table, key)

    def choice(self, table: str, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(table, key, default)
        if value not in choices:
            self.faults.append(f"{table}.{key} must be one of {', '.join(choices)}")
        return value

    def number(self, table: str, key: str, least: int, most: int, default: object = _MISSING) -> int:
        value = self._value(table, key, default, int, "a whole number")
        return int(self._within(table, key, value, least, most))

    def real(self, table: str, key: str, least: float, most: float, default: float) -> float:
        value = self._value(table, key, default, (int, float), "a number")
        return float(self._within(table, key, value, least, most))

    def finish(self) -> None:
        for table, content in self._tables.items():
            if not isinstance(content, dict):
                self.faults.append(f"{table} is not a section")
                continue
            self.faults += [f"{table}.{key} is unknown" for key in content if (table, key) not in self._asked]
        if self.faults:
            raise ConfigError(
                "CONF-01",
                f"The configuration has {len(self.faults)} fault(s): {'; '.join(self.faults)}.",
                "Mend these keys and start again.",
            )

    def _value(self, table: str, key: str, default: object, kind: type | tuple[type, ...], words: str) -> Any:
        self._asked.add((table, key))
        content = self._tables.get(table, {})
        value = content.get(key, default) if isinstance(content, dict) else default
        if value is _MISSING:
            self.faults.append(f"{table}.{key} is missing")
        elif not isinstance(value, kind) or isinstance(value, bool):
            self.faults.append(f"{table}.{key} must be {words}")
        else:
            return value
        return "" if kind is str else 0

    def _within(self, table: str, key: str, value: Any, least: float, most: float) -> Any:
        # A fault that is already reported as missing or of the wrong kind is not reported twice.
        if not least <= value <= most and not any(fault.startswith(f"{table}.{key} ") for fault in self.faults):
            self.faults.append(f"{table}.{key} must be from {least} to {most}")
        return value


def _read(reader: _Reader) -> CentralConfig:
    store = reader.path("store", "folder")
    defaults = WorkerLimits()
    limits = WorkerLimits(
        chunk_bytes=reader.number("worker", "chunk_bytes", KIB, MAX_CHUNK_BYTES, defaults.chunk_bytes),
        window=reader.number("worker", "window", 1, 64, defaults.window),
        max_grants=reader.number("worker", "max_grants", 1, 1000, defaults.max_grants),
        lease_s=reader.real("worker", "lease_s", 1, 3600, defaults.lease_s),
        reserve_bytes=reader.number("store", "reserve_bytes", 0, 2**53, defaults.reserve_bytes),
        keep_s=reader.real("worker", "keep_s", 0, 30 * 86_400, defaults.keep_s),
        max_kept=reader.number("worker", "max_kept", 0, 10_000, defaults.max_kept),
    )
    _check_queue(limits, reader.faults.append)
    return CentralConfig(
        store=store,
        database_url=reader.text("store", "database", default_database(store)),
        broker=BrokerConfig(
            host=reader.text("broker", "host", "127.0.0.1"),
            port=reader.number("broker", "port", 1, 65_535, 8883),
            pki=reader.path("broker", "pki"),
        ),
        web=WebConfig(
            host=reader.text("web", "host", "127.0.0.1"),
            port=reader.number("web", "port", 0, 65_535, 8600),
            token_file=reader.path("web", "token_file"),
            language=reader.choice("web", "language", LANGUAGES, LANGUAGES[0]),
        ),
        limits=limits,
        pairing=_read_pairing(reader) if reader.has("pairing") else None,
    )


def _read_pairing(reader: _Reader) -> PairingConfig:
    public_host = reader.text("pairing", "public_host")
    if public_host and not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", public_host):
        reader.faults.append("pairing.public_host must be a host name or an address")
    return PairingConfig(
        public_host=public_host,
        host=reader.text("pairing", "host", "127.0.0.1"),
        port=reader.number("pairing", "port", 1, 65_535, pairing.DEFAULT_PORT),
    )


def _check_queue(limits: WorkerLimits, fault: Callable[[str], None]) -> None:
    in_flight = limits.max_grants * limits.window
    if in_flight > MAX_QUEUED_MESSAGES // 2 or in_flight * limits.chunk_bytes > MAX_QUEUED_BYTES // 2:
        fault(
            "worker.max_grants × worker.window (× worker.chunk_bytes) must stay under half the broker's queue "
            f"({MAX_QUEUED_MESSAGES} messages, {MAX_QUEUED_BYTES} bytes)"
        )


def _quoted(value: str | Path) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
