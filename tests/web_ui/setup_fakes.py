"""A set-up desk in memory: the smallest thing that keeps the contract. A test sets any of its views."""

from dataclasses import dataclass, field, replace

from appliance.errors import SetUpError
from appliance.setup.api import (
    CarryView,
    Certificate,
    DiskView,
    FeetView,
    HealthRow,
    InterfaceView,
    NetworkView,
    PairingView,
    PowerView,
    Progress,
    SetUpApi,
    WifiView,
)
from appliance.setup.gauge import Reading, Row

GOOD = Reading(
    "done",
    (
        Row("corners", "good", 4, 4),
        Row("ppi", "good", 312.4, 294),
        Row("sharpness", "good", 1.23, 2),
        Row("evenness", "good", 8.2, 15),
        Row("colour"),
    ),
)
UNEVEN = Reading("lamp-right", (*GOOD.rows[:3], Row("evenness", "poor", 18.4, 15), GOOD.rows[4]))
NETWORKS = NetworkView(
    ("10.0.0.21",),
    has_way_out=True,
    interfaces=(InterfaceView("eth0", "cable", True, "10.0.0.21"), InterfaceView("wlan0", "wifi", False)),
    wifi=(WifiView("Thư viện", 71, is_used=True), WifiView("Phòng đọc: khách", 40)),
)
STICK = DiskView("sda1", "KHO SÁCH", 31_900_000_000, "exfat")
HEALTHY = (
    HealthRow("camera", "ok"),
    HealthRow("room", "ok", "", 2100),
    HealthRow("disk", "ok"),
    HealthRow("captures", "ok", "", 641),
    HealthRow("link", "ok", "", 0),
    HealthRow("pairing", "ok", "", "thuvien.local"),
    HealthRow("clock", "ok"),
    HealthRow("calibration", "ok", "", 3),
    HealthRow("temperature", "ok", "", 51.4),
    HealthRow("power", "ok"),
    HealthRow("software", "ok", "", "0.1.0"),
)
UNWELL = (
    HealthRow("camera", "bad", "CAM-02", "camera-0"),
    HealthRow("room", "bad", "DISK-01", 0),
    HealthRow("captures", "bad", "DISK-06", 2),
    HealthRow("rejected", "bad", "", 3),
    HealthRow("power", "bad", "PWR-01"),
    HealthRow("software", "bad", "SOFT-02", "0.1.0"),
    HealthRow("disk", "warn", "DISK-10"),
    HealthRow("link", "warn", "NET-01", 6),
    HealthRow("publisher", "warn", "", 6),
    HealthRow("pairing", "warn", "CONF-03"),
    HealthRow("clock", "warn", "CLOCK-01"),
    HealthRow("calibration", "warn", "", 41),
    HealthRow("temperature", "warn", "HOT-01", 84.0),
)


@dataclass
class FakeSetUp(SetUpApi):
    """Remembers what was asked; refuses with the code in `refuses`."""

    done: Progress = field(default_factory=Progress)
    pairing_view: PairingView = field(default_factory=lambda: PairingView("idle", "tram-02", "thuvien.local"))
    feet_view: FeetView = field(default_factory=lambda: FeetView(1, 0, 0, 0))
    carry_view: CarryView = field(default_factory=lambda: CarryView("idle"))
    plugged: tuple[DiskView, ...] = ()
    rows: tuple[HealthRow, ...] = HEALTHY
    network_view: NetworkView = field(default_factory=lambda: NetworkView(("10.0.0.21",), has_way_out=True))
    power_view: PowerView = field(default_factory=lambda: PowerView("idle"))
    measures: Reading = GOOD
    reading_view: Reading | None = None
    is_still: bool = False
    """Something was moved under the camera and lies still now."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    refuses: str = ""

    def _ask(self, *what: str) -> None:
        if self.refuses:
            raise SetUpError(self.refuses, "Not now.", "Wait.")
        self.asked.append(what)

    def progress(self) -> Progress:
        return self.done

    def mark_done(self, step: str) -> None:
        self.done = replace(self.done, done=self.done.done | {step: "2026-11-22T05:00:00Z"})

    def mark_part(self, part: str, *, works: bool) -> None:
        if part not in {"lamp", "sounder", "light", "camera"}:
            raise KeyError(part)
        self.done = replace(self.done, parts=self.done.parts | {part: works})

    def put_off(self) -> None:
        self.done = replace(self.done, is_put_off=True)

    def network(self) -> NetworkView:
        return self.network_view

    def pairing(self) -> PairingView:
        return self.pairing_view

    def look_for_code(self) -> None:
        self._ask("look")

    def pair_at(self, address: str) -> None:
        self._ask("pair_at", address)

    def compare(self, code: str) -> None:
        self._ask("compare", code)

    def give_up(self) -> None:
        self._ask("give_up")

    def feet(self) -> FeetView:
        return self.feet_view

    def wait_for_foot(self, after: int, timeout_s: float) -> FeetView:
        return self.feet_view

    def count_feet(self) -> None:
        self._ask("count_feet")

    def try_part(self, part: str) -> None:
        self._ask("try", part)

    def measure(self) -> Reading:
        self._ask("measure")
        self.reading_view = self.measures
        return self.measures

    def reading(self) -> Reading | None:
        return self.reading_view

    def watch(self) -> Reading | None:
        if self.is_still:
            self.measure()
            self.is_still = False
        return self.reading_view

    def certify(self) -> None:
        self._ask("certify")
        rows = self.reading_view.rows if self.reading_view else ()
        self.done = replace(self.done, certificate=Certificate("2026-11-22T05:00:00Z", 4056, rows))

    def open_trial(self, title: str) -> None:
        self._ask("open_trial", title)

    def disks(self) -> tuple[DiskView, ...]:
        return self.plugged

    def carry(self, disk: str) -> None:
        self._ask("carry", disk)

    def carried(self) -> CarryView:
        return self.carry_view

    def switch(self, way: str) -> None:
        self._ask("switch", way)

    def switching(self) -> PowerView:
        return self.power_view

    def health(self) -> tuple[HealthRow, ...]:
        return self.rows

    def support_file(self) -> bytes:
        return b"PK"
