# shellcheck shell=bash disable=SC2034
# What every way of installing needs: words, checks of the machine, packages. Sourced by install.sh; changes nothing by itself.

readonly opt=/opt/lattrang
readonly etc=/etc/lattrang
readonly srv=/srv/lattrang
readonly least_opt_mib=1500
readonly least_var_mib=300
# What services need to come up. Root still finds room where they, for whom ext4 keeps none, do not.
readonly least_running_mib=50

say() { printf 'install.sh: %s\n' "$*" >&2; }

fail() { # CODE EXIT-STATUS SENTENCE
    said=yes
    printf 'install.sh: %s: %s\n' "$1" "$3" >&2
    exit "$2"
}

ended() { # EXIT-STATUS — whatever nobody foresaw has a sentence as well; 2 has shown how the command is meant
    [ -z "${incoming-}" ] || rm -rf "$incoming"
    case "$1:${said-}" in
        0:* | 2:* | *:yes) ;;
        *) fail INST-19 "$1" "it stopped before its end; why stands above. Mend that, then run this again: it goes on where it stopped." ;;
    esac
}

# What a program wrote is kept until it went well; why it did not is read out of it.

run_logged() { # COMMAND…
    log=$(mktemp /tmp/lattrang-install.XXXXXX) ||
        fail INST-11 5 "the disk is full: nothing can be written to /tmp. Make room, then run this again."
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 15 "$log" >&2
    return 1
}

fail_by_log() { # CODE SENTENCE — a full disk and a dead line have codes of their own
    local reason="$2"
    if grep -qiE 'no space left|not enough free space|disk quota' "$log"; then
        fail INST-11 5 "the disk is full. Make room, then run this again: it goes on where it stopped."
    fi
    if grep -qiE "^ERROR: Wheel .* is invalid" "$log"; then
        fail INST-18 4 "this copy of the program is not whole: a package in it is damaged. Fetch it again."
    fi
    if grep -qiE 'could not resolve|temporary failure|name or service not known|could not connect|connection timed out|connection refused|network is unreachable|failed to establish|connecttimeout|readtimeout|incompleteread|connection broken' "$log"; then
        fail INST-12 6 "the network does not answer. Connect this machine, then run this again: it goes on where it stopped."
    fi
    fail "$1" 4 "$reason"
}

# The machine

need_root() { # WHAT
    [ "$(id -u)" -eq 0 ] || fail INST-08 4 "this changes the system and needs root. Run: sudo ./install.sh $1"
}

need_64_bits() {
    # A Raspberry Pi may run 32-bit programs on a 64-bit kernel: what counts is what programs are built for.
    [ "$(getconf LONG_BIT)" = 64 ] ||
        fail INST-09 4 "this system is 32-bit. Install the 64-bit Raspberry Pi OS or Debian."
    case "$(dpkg --print-architecture 2>/dev/null)" in
        amd64 | arm64) ;;
        *) fail INST-09 4 "this processor is not supported. Use a 64-bit Raspberry Pi or PC." ;;
    esac
}

need_debian() { # OS-RELEASE-FILE
    local ID='' VERSION_CODENAME='' PRETTY_NAME='this system'
    # shellcheck disable=SC1090
    [ -r "$1" ] && . "$1"
    case "$ID:$VERSION_CODENAME" in
        debian:bookworm | debian:trixie) ;;
        *) fail INST-10 4 "$PRETTY_NAME is not supported. Use 64-bit Raspberry Pi OS or Debian, bookworm or trixie." ;;
    esac
}

free_mib() { # FOLDER — of the nearest folder that exists
    local folder="$1"
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    df -BM --output=avail "$folder" | tail -n 1 | tr -dc 0-9
}

need_room() { # FOLDER MIB
    local free
    free=$(free_mib "$1")
    [ "$free" -ge "$2" ] ||
        fail INST-11 5 "the disk is full: $1 has $free MiB, $2 MiB are needed. Make room, then run this again."
}

need_turn() {
    # Services of their own users read what is written from here on, however root's shell was set up.
    umask 022
    exec 9>/run/lattrang-install.lock
    flock -n 9 || fail INST-13 7 "another install.sh is at work. Wait until it has ended."
}

has_systemd() { [ -d /run/systemd/system ]; }

is_raspberry_pi() { grep -qa 'Raspberry Pi' /proc/device-tree/model 2>/dev/null; }

# Packages

missing_packages() {
    local package
    for package in "$@"; do
        case "$package" in
            # A tool that came from elsewhere is as good as Debian's.
            nodejs) command -v node >/dev/null && continue ;;
            npm | shellcheck | git | mosquitto | chromium) command -v "$package" >/dev/null && continue ;;
            python3) command -v python3 >/dev/null && continue ;;
            python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
        esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || printf '%s\n' "$package"
    done
}

apt_install() { # PACKAGE…
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@"
}

need_packages() {
    # Debian keeps the broker in a folder that an ordinary user's PATH may lack.
    PATH="$PATH:/usr/sbin:/sbin"
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return
    command -v apt-get >/dev/null ||
        fail INST-01 4 "these programs are missing: ${missing[*]}. Install them, then run this again."
    if [ "$(id -u)" -ne 0 ] && ! { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; then
        fail INST-02 4 "please run this line, then try again: sudo apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    say "installing ${missing[*]}"
    run_logged apt_install "${missing[@]}" ||
        fail_by_log INST-03 "apt could not install ${missing[*]}. Check the network and the free space, then run this again."
}

mend_packages() {
    # After a power cut packages may be unpacked and not set up; apt refuses everything until they are.
    [ -z "$(dpkg --audit)" ] || run_logged env DEBIAN_FRONTEND=noninteractive dpkg --configure -a ||
        fail_by_log INST-03 "packages of an interrupted installation cannot be set up. Run: sudo dpkg --configure -a"
}

need_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail INST-04 4 "Python 3.11 or newer is needed. Debian 12 and Raspberry Pi OS bookworm have it."
}
