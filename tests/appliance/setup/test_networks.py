"""What the set-up page says of a machine's networks: its sockets, their addresses, the Wi-Fi within reach."""

from pathlib import Path

import pytest

from appliance.setup.api import InterfaceView, WifiView
from appliance.setup.networks import interfaces, network, read_wifi, wifi_list


def socket_of(folder: Path, name: str, *, carrier: str = "", radio: bool = False, real: bool = True) -> None:
    (folder / name).mkdir(parents=True)
    if real:
        (folder / name / "device").mkdir()
    if radio:
        (folder / name / "phy80211").mkdir()
    if carrier:
        (folder / name / "carrier").write_text(f"{carrier}\n")


def test_real_sockets_are_told_the_working_ones_first_and_what_nobody_plugs_in_is_not(tmp_path: Path) -> None:
    socket_of(tmp_path, "lo", carrier="1", real=False)
    socket_of(tmp_path, "docker0", carrier="1", real=False)
    socket_of(tmp_path, "eth0", carrier="0")
    socket_of(tmp_path, "usb0", carrier="1")
    socket_of(tmp_path, "wlan0", carrier="1", radio=True)
    addresses = {"wlan0": "192.168.1.7"}
    assert interfaces(tmp_path, lambda name: addresses.get(name, "")) == (
        InterfaceView("wlan0", "wifi", True, "192.168.1.7"),
        InterfaceView("usb0", "cable", True, ""),
        InterfaceView("eth0", "cable", False, ""),
    )
    assert interfaces(tmp_path / "nothing") == ()


def test_each_wifi_is_told_once_the_one_in_use_first_then_the_strongest() -> None:
    text = " :Khách\\: phòng \\\\1:40\n*:Thư viện:55\n :Thư viện:90\n ::99\n :Xa:12\ngarbage\n :B:x\n"
    assert read_wifi(text) == (
        WifiView("Thư viện", 55, is_used=True),
        WifiView("Khách: phòng \\1", 40),
        WifiView("Xa", 12),
    )


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo '*:Nha:80'", (WifiView("Nha", 80, is_used=True),)),
        ("echo ' :Nha:80'; exit 10", None),
        ("exit 0", ()),
    ],
)
def test_where_networkmanager_cannot_say_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wifi_list() is None
    (tmp_path / "nmcli").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "nmcli").chmod(0o755)
    assert wifi_list() == told


def test_this_machines_networks_can_be_told() -> None:
    assert all(one.name != "lo" for one in network().interfaces)
