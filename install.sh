#!/usr/bin/env bash
# Lattrang: one script to try, test and (on a Pi or a server) install. Run without arguments for help.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
venv="$here/.venv"

readonly demo_packages=(ca-certificates python3 python3-venv mosquitto)
readonly test_packages=("${demo_packages[@]}" git chromium nodejs npm shellcheck yaz)

usage() {
    cat <<'TEXT'
usage: ./install.sh demo [--once] [--spreads N] [--photos DIR] [--seed S] [--port P] [--data DIR]
       ./install.sh test [PYTEST ARGUMENT …]
       sudo ./install.sh station [--name NAME] [--centre HOST] [--simulated] [--update-key FILE]
       sudo ./install.sh central [--host HOST] [--update-key FILE]
       sudo ./install.sh update FILE
       sudo ./install.sh uninstall [--with-data [--even-unsent]]

demo       sets up, then runs everything on this machine without a Raspberry Pi: a simulated station, a broker
           with TLS and access rules, the centre and both screens. --once captures, waits, prints one JSON line, ends.
test       sets up and runs every check and test.
station    makes this machine a capture station: packages, users, units, configuration. Safe to repeat.
central    makes this machine the central server, likewise.
update     takes a signed release; where it does not come up, the one before it serves again.
uninstall  takes the program away and keeps captures, keys and configurations unless told.

demo and test set up .venv/ here; afterwards .venv/bin/lattrang is the command. station and central install under
/opt/lattrang; afterwards lattrang is the command. Both roles may live on one machine.
TEXT
}

for piece in common release roles update; do
    if [ ! -s "$here/installer/$piece.sh" ]; then
        printf 'install.sh: INST-18: this copy of the program is not whole: installer/%s.sh is missing. Fetch it again.\n' "$piece" >&2
        exit 4
    fi
done
# shellcheck source=installer/common.sh
. "$here/installer/common.sh"
# shellcheck source=installer/release.sh
. "$here/installer/release.sh"
# shellcheck source=installer/roles.sh
. "$here/installer/roles.sh"
# shellcheck source=installer/update.sh
. "$here/installer/update.sh"

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
    step "shell" shellcheck -x install.sh installer/*.sh tools/*.sh .ci/run
    step "lint" ruff check .
    step "format" ruff format --check .
    step "types" mypy
    step "imports" lint-imports --no-logo
    step "tests" pytest "$@"
}

trap 'ended $?' EXIT

case "${1:-}" in
    demo) shift && run_demo "$@" ;;
    test) shift && run_tests "$@" ;;
    station) shift && install_station "$@" ;;
    central) shift && install_central "$@" ;;
    update) shift && update "$@" ;;
    # Used by update: from one release to the other, and after a power cut.
    activate) need_root activate && activate "${2-}" ;;
    settle) need_root settle && need_turn && settle ;;
    uninstall) shift && uninstall "$@" ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
