# shellcheck shell=bash disable=SC2154
# Releases: whole copies of the program side by side under /opt/lattrang/releases; the link "current" names the one in use.
# A release without the file "complete" was interrupted: it is never used, and made again by whoever comes next.

readonly parts=(wire firmware appliance central web_ui lattrang installer systemd docs
    install.sh pyproject.toml constraints.txt README.md CHANGELOG.md LICENSE)

version_in() { # SOURCE
    sed -n 's/^VERSION = "\([0-9][0-9A-Za-z.+-]*\)"$/\1/p' "$1/wire/__init__.py"
}

source_digest() { # FOLDER — of everything that is copied into a release
    (cd "$1" && find "${parts[@]}" -type f ! -path '*/__pycache__/*' ! -path 'docs/measurements/*' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64)
}

current_release() { readlink -f "$opt/current" 2>/dev/null || true; }

roles() { cat "$opt/roles" 2>/dev/null || true; }

add_role() { # ROLE
    install -d -m 755 "$opt"
    grep -qx "$1" "$opt/roles" 2>/dev/null || printf '%s\n' "$1" >>"$opt/roles"
}

extras() { roles | LC_ALL=C sort | paste -sd,; }

need_whole() { # SOURCE — half a download must not become a release
    local part
    for part in "${parts[@]}"; do
        [ -e "$1/$part" ] || fail INST-18 4 "this copy of the program is not whole: $part is missing. Fetch it again."
    done
}

make_release() { # SOURCE — sets $release
    local digest version wanted
    need_whole "$1"
    digest=$(source_digest "$1")
    version=$(version_in "$1")
    wanted="$digest $(extras)"
    release="$opt/releases/$version"
    # Another state of the same version, or the same for one role more, lies beside it: services run from this one.
    if [ -f "$release/complete" ] && [ "$(cat "$release/complete")" != "$wanted" ]; then
        release="$opt/releases/$version+$(printf '%s' "$wanted" | sha256sum | cut -c 1-8)"
    fi
    if [ "$(cat "$release/complete" 2>/dev/null)" = "$wanted" ]; then return; fi
    rm -rf "$release"
    install -d -m 755 "$opt" "$opt/releases" "$release"
    copy_source "$1" "$release" || fail INST-11 5 "the program cannot be copied to $release. Check the free space, then run this again."
    say "setting up $(basename "$release") ($(extras)); on a Raspberry Pi this takes some minutes"
    make_venv "$release"
    # What is not on the disk yet would be missing after a power cut, behind a mark that says that all is well.
    sync -f "$release"
    printf '%s\n' "$wanted" >"$release/complete.new"
    sync "$release/complete.new"
    mv -f "$release/complete.new" "$release/complete"
    sync "$release"
}

copy_source() { # SOURCE RELEASE
    local more=()
    [ ! -d "$1/wheels" ] || more=(wheels)
    tar -C "$1" -cf - --exclude=__pycache__ --exclude='docs/measurements' "${parts[@]}" "${more[@]}" |
        tar -xf - -C "$2" --no-same-owner --no-same-permissions
}

make_venv() { # RELEASE
    local folder="$1" origin=()
    # The Pi's own libraries come from apt and must be seen; whatever else is needed is put inside.
    # pip apart, because venv keeps to itself why that did not come; the Pi's libraries after it, or theirs would be taken.
    [ -x "$folder/venv/bin/pip" ] ||
        { run_logged python3 -m venv --without-pip "$folder/venv" &&
            run_logged "$folder/venv/bin/python" -m ensurepip --default-pip &&
            run_logged python3 -m venv --without-pip --system-site-packages "$folder/venv"; } ||
        fail_by_log INST-05 "the folder $folder/venv cannot be made. Check the free space."
    if [ -d "$folder/wheels" ]; then origin=(--no-index --find-links "$folder/wheels"); fi
    # apt's simplejpeg and OpenCV are built for apt's numpy: those three are never taken from outside.
    local inside=()
    case ",$(extras)," in *,station,*) inside=(numpy opencv-python-headless simplejpeg) ;; esac
    if [ "${#inside[@]}" -gt 0 ]; then
        run_logged "$folder/venv/bin/pip" --disable-pip-version-check install "${origin[@]}" --ignore-installed \
            --constraint "$folder/constraints.txt" "${inside[@]}" ||
            fail_by_log INST-06 "Python packages could not be installed. Check the network and the free space, then run this again."
    fi
    run_logged "$folder/venv/bin/pip" --disable-pip-version-check install "${origin[@]}" \
        --constraint "$folder/constraints.txt" "${folder}[$(extras)]" ||
        fail_by_log INST-06 "Python packages could not be installed. Check the network and the free space, then run this again."
    rm -rf "$folder/build" "$folder"/*.egg-info
    "$folder/venv/bin/lattrang" --version >/dev/null ||
        fail INST-06 4 "the program does not start. Delete $folder, then run this again."
}

switch_to() { # RELEASE
    ln -sfn "$1" "$opt/current.new"
    mv -Tf "$opt/current.new" "$opt/current"
    install -d /usr/local/bin
    ln -sfn "$opt/current/venv/bin/lattrang" /usr/local/bin/lattrang
    sync "$opt"
}

# Units

units_of() { # ROLE — what is enabled
    case "$1" in
        station)
            printf '%s\n' lattrang-station.service lattrang-publisher.service lattrang-publisher.path \
                lattrang-pair.path lattrang-usb.path lattrang-off.path lattrang-restart.path
            ;;
        central)
            printf '%s\n' lattrang-broker.service lattrang-central.service lattrang-web.service \
                lattrang-worker@w1.service lattrang-worker@w2.service lattrang-audit.timer lattrang-revoked.path \
                lattrang-backup.timer
            # Workers that somebody has added are restarted, judged and taken away like these.
            find /etc/systemd/system/multi-user.target.wants -name 'lattrang-worker@*.service' \
                ! -name '*@w1.service' ! -name '*@w2.service' -printf '%f\n' 2>/dev/null || true
            ;;
    esac
}

files_of() { # ROLE — what lies in systemd/ for it
    case "$1" in
        station)
            printf '%s\n' lattrang-station.service lattrang-publisher.service lattrang-publisher.path \
                lattrang-pair.path lattrang-pair.service lattrang-usb.path lattrang-usb.service \
                lattrang-off.path lattrang-off.service lattrang-restart.path lattrang-restart.service \
                lattrang-kiosk.service
            ;;
        central)
            printf '%s\n' lattrang-broker.service lattrang-central.service lattrang-web.service 'lattrang-worker@.service' \
                lattrang-audit.service lattrang-audit.timer lattrang-revoked.service lattrang-revoked.path \
                lattrang-backup.service lattrang-backup.timer
            ;;
    esac
}

install_units() { # RELEASE ROLE
    local from="$1/systemd" unit
    install -D -m 644 -t /etc/sysusers.d "$from/sysusers.d/lattrang-$2.conf"
    install -D -m 644 -t /etc/tmpfiles.d "$from/tmpfiles.d/lattrang-$2.conf"
    systemd-sysusers "lattrang-$2.conf"
    while read -r unit; do install -D -m 644 -t /etc/systemd/system "$from/$unit"; done < <(files_of "$2")
    install -D -m 644 -t /etc/systemd/journald.conf.d "$from/journald.conf.d/50-lattrang.conf"
    if [ "$2" = station ]; then
        install -D -m 644 -t /etc/systemd/system.conf.d "$from/system.conf.d/50-lattrang-watchdog.conf"
        install -D -m 644 -t /etc/udev/rules.d "$from/udev/60-lattrang.rules"
        # No udev in a container, and no devices either.
        if [ -S /run/udev/control ]; then
            udevadm control --reload || true
            udevadm trigger --settle --subsystem-match=gpio --subsystem-match=dma_heap --subsystem-match=block || true
        fi
    fi
    has_systemd && systemctl daemon-reload
    return 0
}

make_folders() { # ROLE
    systemd-tmpfiles --create "/etc/tmpfiles.d/lattrang-$1.conf"
}

start_units() { # ROLE — enabled in any case; started where systemd runs
    local unit
    # shellcheck disable=SC2046
    run_logged systemctl enable $(units_of "$1") ||
        fail INST-14 4 "the units of the $1 cannot be enabled. See: systemctl status 'lattrang-*'"
    if ! has_systemd; then
        say "systemd does not run here: the services start with the next boot"
        return
    fi
    while read -r unit; do
        case "$unit" in
            # Started by its timer or path; an old release may still be running in any other.
            *.timer | *.path) systemctl start "$unit" ;;
            *)
                # How often it fell before counts no longer: it is judged by what it does now.
                systemctl reset-failed "$unit" 2>/dev/null || true
                systemctl --no-block restart "$unit"
                ;;
        esac
    done < <(units_of "$1")
    # The page that is shown belongs to the release before.
    ! systemctl is-active -q lattrang-kiosk.service || systemctl --no-block restart lattrang-kiosk.service
}

is_wanted() { # UNIT — a station that is not paired yet has no publisher
    [ "$1" != lattrang-publisher.service ] || [ -f /var/lib/lattrang-publisher/station.crt ]
}

wait_until_healthy() { # SECONDS ROLE… — every service ready, and none of them started again meanwhile
    local deadline=$((SECONDS + $1)) unit before=unknown after
    shift
    while [ "$SECONDS" -lt "$deadline" ]; do
        sick=''
        after=''
        for unit in $(for role in "$@"; do units_of "$role"; done | grep 'service$'); do
            is_wanted "$unit" || continue
            systemctl is-active -q "$unit" || sick="$sick $unit"
            # One that keeps falling does not stand up by being waited for.
            if [ "$(systemctl show -p NRestarts --value "$unit")" -ge 4 ]; then sick=" $unit" && return 1; fi
            after="$after $unit=$(systemctl show -p MainPID --value "$unit")"
        done
        # Ready twice in a row, three seconds apart, as the same processes: it is not falling and rising.
        if [ -z "$sick" ] && [ "$before" = "$after" ]; then return 0; fi
        [ -z "$sick" ] && before="$after" || before=unknown
        sleep 3
    done
    return 1
}

last_words() { # UNIT
    journalctl -u "$1" -n 5 -o cat --no-pager >&2 || true
}
