"""``station.toml`` to frozen dataclasses: every fault is reported at once, each by the key it stands under.

The dataclasses are the format: a section is a field of `StationConfig`, a key is a field of that section.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from appliance.catalogue import CatalogueAddress
from appliance.errors import ConfigError
from appliance.imaging.profiles import DEFAULT_PROFILE, PROFILES
from appliance.model import CaptureSetup
from appliance.publisher import hours
from appliance.publisher.config import BrokerAddress, PublisherConfig
from appliance.publisher.policy import DeliveryPolicy
from appliance.spool.retention import MIB, RetentionPolicy
from appliance.worker import QUEUE_LIMIT
from firmware.registry import HardwareConfig
from wire import pairing
from wire.documents import Layout, QuarterTurn
from wire.ids import Name

DEFAULT_FILE: Final = Path("/etc/lattrang/station.toml")
LEAST_LIMIT_KBPS: Final = 16
"""Below it two objects under way could not both send a chunk within their lease."""
Port = Annotated[int, Meta(ge=0, le=65_535)]
Host = Annotated[str, Meta(min_length=1, max_length=253)]
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class StationSection:
    """Who this station is. `label` is for people."""

    id: Name
    label: str = ""


@dataclass(frozen=True, slots=True)
class SpoolSection:
    """Where captures lie until the centre has proved that it has them. `reserve_mib` is never used by captures."""

    folder: Path
    reserve_mib: Annotated[int, Meta(ge=0, le=2**20)] = RetentionPolicy().reserve_bytes // MIB


@dataclass(frozen=True, slots=True)
class ImagingSection:
    """How pages are made. `rotation_cw` has one turn a camera; without it, the text tells which way is up."""

    profile: str = DEFAULT_PROFILE.name
    layout: Layout = "spread"
    rotation_cw: Annotated[tuple[QuarterTurn, ...], Meta(max_length=2)] = ()
    queue_limit: Annotated[int, Meta(ge=1, le=64)] = QUEUE_LIMIT


@dataclass(frozen=True, slots=True)
class BrokerSection:
    """The way to the centre: where the broker is, and who we are to it (PEM files).

    `pairing_port` is where the same machine renews certificates.
    """

    host: Host
    ca: Path
    cert: Path
    key: Path
    port: Port = 8883
    pairing_port: Port = pairing.DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class UplinkSection:
    """What pictures may use of a line that others use too.

    `hours` are ranges of local time such as ``18:00-07:00``; none means always. `limit_kbps` is in 1000 bits a second;
    0 means no limit.
    """

    hours: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    limit_kbps: Annotated[int, Meta(ge=0, le=10_000_000)] = 0

    def policy(self) -> DeliveryPolicy:
        """Return how patient the delivery is, with this limit."""
        return DeliveryPolicy(limit_bytes_per_s=self.limit_kbps * 1000 / 8 or None)


@dataclass(frozen=True, slots=True)
class CatalogueSection:
    """The library's catalogue, for books that are in no batch: address of its SRU server, and its index of barcodes."""

    sru: str = ""
    index: str = "bc"

    def address(self) -> CatalogueAddress | None:
        """Return whom to ask, None where there is nobody."""
        return CatalogueAddress(self.sru, self.index) if self.sru else None


@dataclass(frozen=True, slots=True)
class WebSection:
    """The station's screen. `token_file` holds what a person signs in with."""

    token_file: Path
    host: Host = "127.0.0.1"
    port: Port = 8500
    language: Literal["vi", "en"] = "vi"


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The whole of ``station.toml``. A station that is not paired yet has no broker."""

    station: StationSection
    spool: SpoolSection
    web: WebSection
    hardware: HardwareConfig = field(default_factory=HardwareConfig)
    imaging: ImagingSection = field(default_factory=ImagingSection)
    uplink: UplinkSection = field(default_factory=UplinkSection)
    catalogue: CatalogueSection = field(default_factory=CatalogueSection)
    broker: BrokerSection | None = None

    def capture_setup(self) -> CaptureSetup:
        """Return what the session and the worker need to know."""
        imaging = self.imaging
        return CaptureSetup(self.station.id, imaging.layout, imaging.profile, imaging.rotation_cw or (None,))

    def retention(self) -> RetentionPolicy:
        """Return how much room is kept free."""
        return RetentionPolicy(reserve_bytes=self.spool.reserve_mib * MIB)

    def publisher(self) -> PublisherConfig:
        """Return what the publisher needs to know; raises `ConfigError` CONF-03 where there is no broker."""
        if self.broker is None:
            raise ConfigError(
                "CONF-03", "The configuration names no broker.", "Pair the station, or add the section [broker]."
            )
        broker = self.broker
        address = BrokerAddress(broker.host, broker.port, broker.ca, broker.cert, broker.key, broker.pairing_port)
        uplink = self.uplink
        return PublisherConfig(self.station.id, self.spool.folder, address, uplink.policy(), hours.parse(uplink.hours))


def load(path: Path) -> StationConfig:
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


def parse(text: str, *, base: Path) -> StationConfig:
    """Return the configuration in `text`; relative paths start at `base`. Raises `ConfigError` CONF-01."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("CONF-01", f"The configuration is not TOML: {error}.", "Mend that line.") from error
    reader = _Reader(base)
    config = reader.section(StationConfig, tables, "")
    if config is not None:
        reader.faults += _contradictions(config)
    if config is None or reader.faults:
        raise ConfigError(
            "CONF-01",
            f"The configuration has {len(reader.faults)} fault(s): {'; '.join(reader.faults)}.",
            "Mend these keys and start again.",
        )
    return config


def render(config: StationConfig) -> str:
    """Return the text of a ``station.toml`` that `parse` reads back as `config`."""
    return "# A station of Lattrang.\n" + _render(config, "", "")


class _Reader:
    """Fills dataclasses from tables and remembers every fault."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self.faults: list[str] = []

    def section(self, kind: type[S], table: object, name: str) -> S | None:
        """Return the section, or None where something in it is at fault."""
        if not isinstance(table, dict):
            self.faults.append(f"{name} is not a section")
            return None
        before = len(self.faults)
        hints = get_type_hints(kind, include_extras=True)
        fields = {entry.name: entry for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
        prefix = f"{name}." if name else ""
        self.faults += [f"{prefix}{key} is unknown" for key in table if key not in fields]
        values = {}
        for key, entry in fields.items():
            is_required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
            if key in table:
                values[key] = self._value(hints[key], table[key], f"{prefix}{key}")
            elif is_required and (inner := _section_of(hints[key])) is not None:
                # An absent section is read as an empty one, so that its missing keys are named.
                values[key] = self.section(inner, {}, f"{prefix}{key}")
            elif is_required:
                self.faults.append(f"{prefix}{key} is missing")
        return kind(**values) if len(self.faults) == before else None

    def _value(self, hint: Any, value: object, name: str) -> Any:
        if (inner := _section_of(hint)) is not None:
            if get_origin(hint) is not tuple:
                return self.section(inner, value, name)
            if isinstance(value, list):
                return tuple(self.section(inner, entry, f"{name}[{number}]") for number, entry in enumerate(value, 1))
        try:
            return msgspec.convert(value, hint, dec_hook=self._path)
        except msgspec.ValidationError as error:
            self.faults.append(f"{name} is wrong: {str(error)[0].lower()}{str(error)[1:]}")
            return None

    def _path(self, kind: type, value: object) -> Path:
        if kind is not Path or not isinstance(value, str):
            raise msgspec.ValidationError("Expected a path")
        return self._base / value


def _section_of(hint: Any) -> type | None:
    """Return the dataclass that a field is, may be, or holds several of."""
    return next((kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and is_dataclass(kind)), None)


def _contradictions(config: StationConfig) -> list[str]:
    """Return what is wrong although each key for itself is right."""
    found = []
    if config.imaging.profile not in PROFILES:
        found.append(f"imaging.profile must be one of {', '.join(PROFILES)}")
    cameras = 2 if config.imaging.layout == "two-camera" else 1
    if len(config.hardware.cameras) != cameras:
        found.append(f"hardware.cameras: the layout {config.imaging.layout} needs {cameras}")
    found += [
        f"hardware.cameras[{number}].folder is missing"
        for number, camera in enumerate(config.hardware.cameras, 1)
        if camera.driver == "replay" and camera.folder is None
    ]
    try:
        hours.parse(config.uplink.hours)
    except ValueError as error:
        found.append(f"uplink.hours: {error}")
    if config.catalogue.sru and not config.catalogue.sru.startswith(("http://", "https://")):
        found.append("catalogue.sru must begin with http:// or https://")
    if 0 < config.uplink.limit_kbps < LEAST_LIMIT_KBPS:
        found.append(f"uplink.limit_kbps must be 0 or at least {LEAST_LIMIT_KBPS}")
    return found


def _render(section: Any, head: str, name: str) -> str:
    """Return a section's own keys under `head`, then the sections in it."""
    keys, inner = [], []
    for entry in dataclasses.fields(section):
        value, path = getattr(section, entry.name), f"{name}.{entry.name}" if name else entry.name
        if is_dataclass(value):
            inner.append(_render(value, f"[{path}]", path))
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            inner += [_render(one, f"[[{path}]]", path) for one in value]
        elif value is not None:
            keys.append(f"{entry.name} = {_literal(value)}\n")
    return (f"\n{head}\n" if head and keys else "") + "".join(keys) + "".join(inner)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    # JSON's strings are TOML's basic strings.
    return msgspec.json.encode(str(value)).decode()
