# shellcheck shell=bash disable=SC2154
# `install.sh update FILE`, what ends an update that a power cut interrupted, and `install.sh uninstall`.
# While a new release is on trial, the file "trying" names the one to go back to.

readonly trial_s=180
readonly judge=/etc/systemd/system/lattrang-settle.service

update() { # FILE
    need_root "update FILE"
    need_turn
    [ -f "${1-}" ] || fail UPD-02 2 "there is no file ${1-}. Run: sudo ./install.sh update FILE"
    local old
    # A power cut may have ended the last update in the middle of its trial.
    settle
    old=$(current_release)
    [ -n "$old" ] || fail UPD-02 2 "nothing is installed here. Run: sudo ./install.sh station"
    need_room "$opt" "$least_opt_mib"
    incoming=$(mktemp -d "$opt/incoming.XXXXXX")
    open_update "$1" "$incoming"
    make_release "$incoming/source"
    can_be_configured "$release"
    printf '%s\n' "$old" >"$opt/trying.new"
    mv -f "$opt/trying.new" "$opt/trying"
    call_judge
    sync "$opt"
    bash "$release/install.sh" activate || say "the services did not change over in order"
    settle
}

open_update() { # FILE FOLDER — leaves the program in FOLDER/source, proved and newer than ours
    local key="$etc/update-key.pem" version ours
    [ -f "$key" ] ||
        fail UPD-01 4 "this machine knows nobody whose updates it may take. Run: sudo ./install.sh $(roles | head -n 1) --update-key FILE"
    [ "$(tar -tf "$1" 2>/dev/null | LC_ALL=C sort | paste -sd' ')" = "release.tar.gz release.tar.gz.sig" ] ||
        fail UPD-02 7 "$1 is not a whole update: perhaps half a download. Fetch or copy it again."
    run_logged tar -xf "$1" -C "$2" --no-same-owner ||
        fail_by_log UPD-02 "$1 is not a whole update: perhaps half a download. Fetch or copy it again."
    openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$2/release.tar.gz" -sigfile "$2/release.tar.gz.sig" \
        >/dev/null 2>&1 ||
        fail UPD-03 7 "the signature of $1 is not by the key that this machine trusts. Nothing was changed. Ask who sent it."
    install -d -m 755 "$2/source"
    run_logged tar -xzf "$2/release.tar.gz" -C "$2/source" --no-same-owner --no-same-permissions ||
        fail_by_log UPD-02 "$1 cannot be unpacked. Fetch or copy it again."
    version=$(version_in "$2/source")
    ours=$(version_in "$old")
    # Never back, whoever signed it: an old release may have a hole that was closed since.
    dpkg --compare-versions "${version:-0}" gt "$ours" ||
        fail UPD-04 7 "$1 is version ${version:-unknown}, and $ours runs here. Only newer ones are taken."
}

call_judge() { # If the power fails during the trial, the next boot ends it. As root and unconfined, so only while there is one.
    install -d "$(dirname "$judge")/multi-user.target.wants"
    cat >"$judge" <<'TEXT'
# Written by install.sh update, gone when the trial is over: the release that worked before judges the new one.
[Unit]
Description=Lattrang: ends the trial of an update that a power cut interrupted
ConditionPathExists=/opt/lattrang/trying

[Service]
Type=oneshot
ExecStart=/bin/bash -c 'exec bash "$$(cat /opt/lattrang/trying)/install.sh" settle'
TimeoutStartSec=20min
TEXT
    ln -sf "$judge" "$(dirname "$judge")/multi-user.target.wants/"
    sync "$judge" "$(dirname "$judge")/multi-user.target.wants"
}

dismiss_judge() {
    rm -f "$judge" "$(dirname "$judge")/multi-user.target.wants/$(basename "$judge")"
    ! has_systemd || systemctl daemon-reload
}

can_be_configured() { # RELEASE — the new program must understand the configuration that is there, before anything changes
    local role
    for role in $(roles); do
        run_logged "$1/venv/bin/lattrang" "$role" setup --check --config "$etc/$role.toml" ||
            fail UPD-05 7 "$(basename "$1") cannot use $etc/$role.toml as it is. Nothing was changed. Mend what is named above first."
    done
}

activate() { # [back] — puts the release that this very script lies in into use: each knows best what it needs
    local role
    if [ "${1-}" = back ]; then
        # A newer program has changed what this one cannot read: its services end, and the copies from before count again.
        # shellcheck disable=SC2046
        if has_systemd; then systemctl stop $(for role in $(roles); do units_of "$role"; done) || true; fi
        for role in $(roles); do
            "$here/venv/bin/lattrang" "$role" setup --back --config "$etc/$role.toml" ||
                say "the $role could not go back to its data from before the update"
        done
    fi
    for role in $(roles); do
        install_units "$here" "$role"
        make_folders "$role"
        if [ "$role" = central ]; then set_up_central "$here"; fi
    done
    switch_to "$here"
    for role in $(roles); do start_units "$role"; done
}

settle() { # Ends a trial, also one that a power cut interrupted: the new release serves, or the old one does again.
    local old failed unit sick=''
    old=$(cat "$opt/trying" 2>/dev/null) || return 0
    # shellcheck disable=SC2046
    if wait_until_healthy "$trial_s" $(roles); then
        rm -f "$opt/trying"
        dismiss_judge
        sync "$opt"
        keep_two "$old"
        say "$(basename "$(current_release)") runs; $(basename "$old") is kept"
        return 0
    fi
    for unit in $sick; do last_words "$unit"; done
    say "$(basename "$(current_release)") does not come up (${sick# }): going back to $(basename "$old")"
    failed=$(current_release)
    bash "$old/install.sh" activate back || say "the services did not change back in order"
    rm -rf "$opt/trying" "$failed"
    dismiss_judge
    sync "$opt"
    # shellcheck disable=SC2046
    wait_until_healthy "$trial_s" $(roles) ||
        fail UPD-06 1 "neither the new release nor the old one comes up (${sick# }). Captures are safe on the disk. See: journalctl -u 'lattrang-*'"
    fail UPD-05 1 "the update did not come up and was taken back; $(basename "$old") runs again. Nothing was lost."
}

keep_two() { # RELEASE — this one and the current; older ones and halves go
    local folder
    for folder in "$opt"/releases/*; do
        case "$folder" in "$1" | "$(current_release)") ;; *) rm -rf "$folder" ;; esac
    done
}

uninstall_usage() {
    cat <<'TEXT'
usage: sudo ./install.sh uninstall [--with-data [--even-unsent]]

Takes the program and its units away. Captures, keys and configurations stay.
  --with-data    deletes them too: spool or store, keys, configurations, users
  --even-unsent  also where captures lie here that the centre does not have
TEXT
}

uninstall() {
    local with_data='' even_unsent='' role unit
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --with-data) with_data=yes && shift ;;
            --even-unsent) even_unsent=yes && shift ;;
            *) uninstall_usage >&2 && exit 2 ;;
        esac
    done
    need_root uninstall
    need_turn
    [ -z "$with_data" ] || [ -n "$even_unsent" ] || refuse_unsent
    for role in $(roles); do
        # shellcheck disable=SC2046
        systemctl disable -q $(units_of "$role") 2>/dev/null || true
        # shellcheck disable=SC2046
        if has_systemd; then systemctl stop $(units_of "$role") || true; fi
        [ "$role" != station ] || systemctl disable -q --now lattrang-kiosk.service 2>/dev/null || true
        while read -r unit; do rm -f "/etc/systemd/system/$unit"; done < <(files_of "$role")
        rm -f "/etc/sysusers.d/lattrang-$role.conf" "/etc/tmpfiles.d/lattrang-$role.conf"
    done
    rm -f /etc/systemd/journald.conf.d/50-lattrang.conf /etc/systemd/system.conf.d/50-lattrang-watchdog.conf \
        /etc/udev/rules.d/60-lattrang.rules \
        /etc/systemd/timesyncd.conf.d/50-lattrang.conf /etc/chrony/conf.d/lattrang.conf /usr/local/bin/lattrang
    dismiss_judge
    rm -rf "$opt"
    if [ -z "$with_data" ]; then
        say "the program is gone; $etc, $srv and /var/lib/lattrang-* are kept"
        return
    fi
    rm -rf "$etc" "$srv/spool" "$srv/store" /var/lib/lattrang-station /var/lib/lattrang-publisher \
        /var/lib/lattrang-central /var/lib/lattrang-broker /var/lib/lattrang-kiosk
    for unit in lattrang-station lattrang-publisher lattrang-kiosk lattrang-central lattrang-broker; do
        ! id -u "$unit" >/dev/null 2>&1 || userdel "$unit"
    done
    ! getent group lattrang >/dev/null || groupdel lattrang
    say "the program and its data are gone"
}

refuse_unsent() {
    roles | grep -qx station || return 0
    local waiting
    waiting=$(runuser -u lattrang-station -g lattrang -- "$opt/current/venv/bin/lattrang" station status --config "$etc/station.toml" |
        python3 -c 'import json, sys; c = json.load(sys.stdin)["captures"]; print(c["waiting"] + c["rejected"] + c["damaged"])') 2>/dev/null || true
    [ "${waiting:-unknown}" = 0 ] ||
        fail INST-17 7 "${waiting:-an unknown number of} captures lie here that the centre does not have. Send them first (lattrang station export), or say --even-unsent."
}
