#!/usr/bin/env bash
# Makes a signed update for `install.sh update`: the program as it is here, and the packages it needs, so that a station
# without a line can be updated from a USB disk.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: tools/make_release.sh --key PRIVATE-KEY --out FILE [--wheels FOLDER]

--key     Ed25519 private key, PEM (openssl genpkey -algorithm ed25519). Stations are given its public half.
--out     the update, for example lattrang-0.2.0.tar
--wheels  Python packages that go into it, all that the stations' systems need, setuptools among them; for example from
          pip download --dest FOLDER --constraint constraints.txt --only-binary :all: --python-version 3.11 \
              --platform manylinux_2_28_aarch64 '.[station]' 'setuptools>=77'
          Without it stations fetch their packages from the network.
TEXT
}

key='' out='' wheels=''
while [ "$#" -gt 0 ]; do
    case "$1" in
        --key) key="${2-}" && shift 2 ;;
        --out) out="${2-}" && shift 2 ;;
        --wheels) wheels="${2-}" && shift 2 ;;
        *) usage >&2 && exit 2 ;;
    esac
done
if [ -z "$key" ] || [ -z "$out" ]; then usage >&2 && exit 2; fi

# shellcheck source=installer/common.sh
. "$here/installer/common.sh"
# shellcheck source=installer/release.sh
. "$here/installer/release.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
copy_source "$here" "$work/source"
if [ -n "$wheels" ]; then
    mkdir "$work/source/wheels"
    cp -- "$wheels"/*.whl "$work/source/wheels/"
fi
tar -C "$work/source" --sort=name --owner=0 --group=0 --numeric-owner -czf "$work/release.tar.gz" .
openssl pkeyutl -sign -inkey "$key" -rawin -in "$work/release.tar.gz" -out "$work/release.tar.gz.sig"
tar -C "$work" --owner=0 --group=0 --numeric-owner -cf "$out" release.tar.gz release.tar.gz.sig
printf '%s: version %s, %s\n' "$out" "$(version_in "$here")" "$(du -h "$out" | cut -f 1)"
