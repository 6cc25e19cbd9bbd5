# shellcheck shell=bash disable=SC2154
# `install.sh station` and `install.sh central`. Every step may be repeated, and is whenever it was interrupted.

readonly station_packages=(ca-certificates python3 python3-venv alsa-utils)
readonly pi_packages=(python3-picamera2 python3-gpiozero python3-lgpio)
readonly screen_packages=(cage xwayland chromium)
readonly central_packages=(ca-certificates python3 python3-venv mosquitto nginx chrony)

begin_role() { # ROLE PACKAGE…
    local role="$1"
    shift
    need_root "$role"
    need_64_bits
    need_debian /etc/os-release
    need_turn
    need_room "$opt" "$least_opt_mib"
    need_room /var "$least_var_mib"
    mend_packages
    need_packages "$@"
    need_python
    add_role "$role"
    make_release "$here"
}

station_usage() {
    cat <<'TEXT'
usage: sudo ./install.sh station [--name NAME] [--centre HOST] [--simulated] [--update-key FILE]

Makes this machine a capture station. Safe to repeat: what is there is kept, what is missing is made.
  --name NAME        name of the station, a-z, 0-9 and dashes (made from the machine)
  --centre HOST      the central server: the time comes from it
  --simulated        no Raspberry Pi: a drawn book for a camera
  --update-key FILE  public key (PEM, Ed25519) whose updates this machine takes
A disk for the captures: give its ext4 partition the label "lattrang" (e2label) first.
TEXT
}

install_station() {
    local name='' centre='' simulated='' key='' packages=("${station_packages[@]}")
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --name) name="${2-}" && shift 2 ;;
            --centre) centre="${2-}" && shift 2 ;;
            --simulated) simulated=yes && shift ;;
            --update-key) key="${2-}" && shift 2 ;;
            *) station_usage >&2 && exit 2 ;;
        esac
    done
    need_root station
    if [ -z "$simulated" ] && ! is_raspberry_pi && ! has_pi_packages; then
        say "this is no Raspberry Pi: a drawn book stands in for the camera"
        simulated=yes
    fi
    [ -n "$simulated" ] || packages+=("${pi_packages[@]}")
    begin_role station "${packages[@]}"
    install_units "$release" station
    mount_disk
    make_folders station
    keep_update_key "$key"
    install -d -m 755 "$etc"
    "$release/venv/bin/lattrang" station setup --config "$etc/station.toml" ${name:+--name "$name"} \
        ${centre:+--centre "$centre"} ${simulated:+--simulated} ||
        fail INST-15 3 "the configuration $etc/station.toml has faults. Mend what is named above, then run this again."
    chgrp lattrang "$etc/station.toml"
    take_time_from "$centre"
    switch_to "$release"
    need_room /var "$least_running_mib"
    start_units station
    end_role station
    show_screen
    say "the screen: http://127.0.0.1:8500/enter, signed in with /var/lib/lattrang-station/web.token"
    [ -f /var/lib/lattrang-publisher/station.crt ] || say "next: pair the station with the centre (docs/operations.md)"
}

has_display() { # DRM-FOLDER — something is plugged in, and no desktop draws on it
    grep -qsx connected "$1"/card*-*/status && ! systemctl is-enabled -q display-manager.service 2>/dev/null
}

show_screen() { # the station's screen on the machine's own display, where there is one
    has_display /sys/class/drm || return 0
    need_packages "${screen_packages[@]}"
    systemctl enable -q lattrang-kiosk.service
    ! has_systemd || systemctl --no-block restart lattrang-kiosk.service
    say "the screen is shown on this machine's display"
}

has_pi_packages() { apt-cache show python3-picamera2 >/dev/null 2>&1; }

mount_disk() {
    # Nothing is ever formatted here: a partition is ours when somebody gave it our name.
    local device=/dev/disk/by-label/lattrang
    [ -e "$device" ] || return 0
    mountpoint -q "$srv" && return 0
    [ "$(blkid -o value -s TYPE "$device")" = ext4 ] ||
        fail INST-16 5 "the disk labelled lattrang is not ext4. Run: sudo mkfs.ext4 -L lattrang $(readlink -f "$device") (this erases it)"
    # A disk that is mounted over captures hides them: they would never reach the centre.
    [ -z "$(ls -A "$srv/spool/captures" 2>/dev/null)" ] ||
        fail INST-16 5 "captures lie in $srv on another disk, and the one labelled lattrang would hide them. Hand them over first, or move the spool."
    install -d -m 755 "$srv"
    if ! grep -q '^LABEL=lattrang ' /etc/fstab; then
        # Without the disk the machine still boots, but the station does not start: captures never go to the card.
        printf 'LABEL=lattrang %s ext4 noatime,nofail,x-systemd.device-timeout=30s 0 2\n' "$srv" >>/etc/fstab
        has_systemd && systemctl daemon-reload
    fi
    mount "$srv" || fail INST-16 5 "the disk labelled lattrang cannot be mounted on $srv. Run: sudo fsck $(readlink -f "$device")"
    say "captures go to the disk labelled lattrang"
}

take_time_from() { # HOST — the centre first, Debian's servers where it does not answer
    [ -n "$1" ] || return 0
    install -d -m 755 /etc/systemd/timesyncd.conf.d
    printf '# Captures are dated by the clock of the centre. Written by install.sh.\n[Time]\nNTP=%s\n' "$1" \
        >/etc/systemd/timesyncd.conf.d/50-lattrang.conf
    if has_systemd && systemctl cat -- systemd-timesyncd.service >/dev/null 2>&1; then
        systemctl enable -q systemd-timesyncd.service
        systemctl restart systemd-timesyncd.service ||
            say "the time service does not start; see: systemctl status systemd-timesyncd"
    fi
}

keep_update_key() { # FILE
    [ -n "$1" ] || return 0
    openssl pkey -pubin -in "$1" -noout 2>/dev/null ||
        fail UPD-01 2 "$1 is not a public key. Give the file that openssl pkey -pubout wrote."
    install -D -m 644 "$1" "$etc/update-key.pem"
}

central_usage() {
    cat <<'TEXT'
usage: sudo ./install.sh central [--host HOST] [--update-key FILE]

Makes this machine the central server. Safe to repeat: what is there is kept, what is missing is made.
  --host HOST        name or address by which stations reach it (its host name)
  --update-key FILE  public key (PEM, Ed25519) whose updates this machine takes
TEXT
}

install_central() {
    local host='' key=''
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --host) host="${2-}" && shift 2 ;;
            --update-key) key="${2-}" && shift 2 ;;
            *) central_usage >&2 && exit 2 ;;
        esac
    done
    need_root central
    note_packages mosquitto nginx
    begin_role central "${central_packages[@]}"
    quiet_packages
    install_units "$release" central
    make_folders central
    keep_update_key "$key"
    set_up_central "$release" ${host:+--host "$host"}
    give_time
    switch_to "$release"
    need_room /var "$least_running_mib"
    start_units central
    end_role central
    say "the screens: https://${host:-$(hostname)}/enter, or http://127.0.0.1:8600/enter on this machine, signed in with /var/lib/lattrang-central/web.token"
}

note_packages() { # PACKAGE… — which of them are not here yet, so that it is known also after an interruption
    local package
    install -d -m 755 "$opt"
    for package in "$@"; do
        dpkg-query -W "$package" >/dev/null 2>&1 || grep -qx "$package" "$opt/brought" 2>/dev/null ||
            printf '%s\n' "$package" >>"$opt/brought"
    done
}

quiet_packages() { # Packages start services of their own; ours are other units. A service that was there before stays.
    local package
    while read -r package; do
        systemctl disable -q "$package.service" || true
        ! has_systemd || systemctl stop "$package.service" || true
    done < <(cat "$opt/brought" 2>/dev/null)
}

set_up_central() { # RELEASE OPTION…
    local program="$1/venv/bin/lattrang"
    shift
    install -d -m 755 "$etc"
    "$program" central setup --config "$etc/central.toml" "$@" ||
        fail INST-15 3 "the configuration $etc/central.toml has faults. Mend what is named above, then run this again."
    # It may name a database with its password.
    chgrp lattrang-central "$etc/central.toml"
    chmod 640 "$etc/central.toml"
    chown -R lattrang-central: /var/lib/lattrang-central
    chown -R lattrang-broker: /var/lib/lattrang-broker
}

give_time() { # Stations have no clock of their own: they ask this machine, also where no line leads further.
    install -d -m 755 /etc/chrony/conf.d
    cat >/etc/chrony/conf.d/lattrang.conf <<'TEXT'
# Stations take their time from here. Written by install.sh.
allow 10.0.0.0/8
allow 172.16.0.0/12
allow 192.168.0.0/16
allow fc00::/7
allow fe80::/10
# Without any other source this machine's own clock counts: captures are then dated alike, if not rightly.
local stratum 10
TEXT
    if has_systemd; then
        systemctl restart chrony.service || say "the time server does not start; see: systemctl status chrony"
    fi
}

end_role() { # ROLE
    has_systemd || return 0
    local unit
    if wait_until_healthy 180 "$1"; then
        say "$1 $(basename "$release") runs"
        return
    fi
    for unit in $sick; do last_words "$unit"; done
    fail INST-14 1 "these services did not come up:$sick. Their last words are above; run this again when the cause is mended."
}
