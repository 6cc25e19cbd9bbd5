#!/usr/bin/env bash
# Lattrang: one script to try, test and (on a Pi or a server) install. Run without arguments for help.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/.venv"

readonly demo_packages=(ca-certificates python3 python3-venv mosquitto)
readonly test_packages=("${demo_packages[@]}" git chromium nodejs npm shellcheck)

usage() {
    cat <<'TEXT'
usage: ./install.sh demo [--once] [--spreads N] [--photos DIR] [--seed S] [--port P] [--data DIR]
       ./install.sh test [PYTEST ARGUMENT …]

demo   sets up, then runs everything on this machine without a Raspberry Pi: a simulated station, a broker
       with TLS and access rules, the centre and both screens. --once captures, waits, prints one JSON line, ends.
test   sets up and runs every check and test.

Both set up .venv/ here; afterwards .venv/bin/lattrang is the command.
TEXT
}

say() { printf 'install.sh: %s\n' "$*" >&2; }

fail() { # CODE EXIT-STATUS SENTENCE
    printf 'install.sh: %s: %s\n' "$1" "$3" >&2
    exit "$2"
}

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

need_packages() {
    # Debian keeps the broker in a folder that an ordinary user's PATH may lack.
    PATH="$PATH:/usr/sbin:/sbin"
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -eq 0 ] && return
    command -v apt-get >/dev/null ||
        fail INST-01 4 "these programs are missing: ${missing[*]}. Install them, then run this again."
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root=(sudo)
        else
            fail INST-02 4 "please run this line, then try again: sudo apt-get install -y --no-install-recommends ${missing[*]}"
        fi
    fi
    say "installing ${missing[*]}"
    { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$here/.apt.log" 2>&1 || {
        tail -n 15 "$here/.apt.log" >&2
        fail INST-03 4 "apt could not install ${missing[*]}. Check the network and the free space, then run this again."
    }
    rm -f "$here/.apt.log"
}

need_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail INST-04 4 "Python 3.11 or newer is needed. Debian 12 and Raspberry Pi OS bookworm have it."
}

need_venv() { # EXTRAS
    local wanted stamp="$venv/.lattrang-$1"
    wanted=$(cat "$here/pyproject.toml" "$here/constraints.txt" | sha256sum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x "$venv/bin/lattrang" ]; then return; fi
    say "setting up .venv ($1)"
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" ||
        fail INST-05 4 "the folder .venv cannot be made. Check the free space and the rights on $here."
    "$venv/bin/pip" --disable-pip-version-check install --quiet --constraint "$here/constraints.txt" \
        --editable "${here}[$1]" ||
        fail INST-06 4 "Python packages could not be installed. Check the network and the free space, then run this again."
    printf '%s' "$wanted" >"$stamp"
}

run_demo() {
    need_packages "${demo_packages[@]}"
    need_python
    need_venv station,central
    exec "$venv/bin/lattrang" demo "$@"
}

step() { # NAME COMMAND…
    say "$1"
    shift
    "$@" || fail TEST-01 1 "this check failed: $*"
}

run_tests() {
    need_packages "${test_packages[@]}"
    need_python
    need_venv dev
    cd "$here"
    export PATH="$venv/bin:$PATH"
    if [ ! -d tests/asyncapi/node_modules ]; then
        say "setting up the AsyncAPI parser"
        npm ci --prefix tests/asyncapi --no-audit --no-fund --loglevel=error >&2 ||
            fail INST-07 4 "the AsyncAPI parser could not be installed. Check the network, then run this again."
    fi
    step "shell" shellcheck install.sh .ci/run
    step "lint" ruff check .
    step "format" ruff format --check .
    step "types" mypy
    step "imports" lint-imports --no-logo
    step "tests" pytest "$@"
}

case "${1:-}" in
    demo) shift && run_demo "$@" ;;
    test) shift && run_tests "$@" ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
