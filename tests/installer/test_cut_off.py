"""install.sh ended without warning at one step after another: the next run always goes on, and comes to the same end.

That a power cut takes back what was not flushed is tried in the rig; here every step is a place to stop.
"""

import pytest

from tests.installer.machine import ROOT, machine

INSTALL = f"bash {ROOT}/install.sh central --host kho.example"
# Sourced by every bash that starts without a terminal. It counts the steps of install.sh itself and ends it at one.
CUT = """
[ "$0" = {root}/install.sh ] || return 0
steps=0
set -o functrace
trap 'if [ "$BASHPID" = $$ ] && [ $((steps += 1)) = "$CUT_AT" ]; then kill -9 $$; fi' DEBUG
"""
STATE = (
    r"find /opt/lattrang /etc/lattrang /etc/systemd/system /etc/sysusers.d /etc/tmpfiles.d /etc/chrony /usr/local/bin"
    r" /var/lib/lattrang-* /srv /var/backups/lattrang ! -name '*.pyc' ! -name __pycache__ -printf '%p %M %u %g %l\n'"
    " | sort"
)
KEYS = "sha256sum /var/lib/lattrang-central/pki/ca.key 2>/dev/null"
EVERY = 20
MOST_CUTS = 60


@pytest.fixture
def whole() -> str:
    """What a machine looks like where nothing was cut."""
    with machine() as made:
        made.lend_packages()
        said = made.run(INSTALL, online=False)
        assert said.returncode == 0, said.stderr
        return made.run(STATE).stdout


def test_wherever_it_is_cut_off_the_next_run_brings_it_to_the_same_end(whole: str) -> None:
    with machine() as made:
        made.lend_packages()
        made.run(f"cat >/run/cut <<'X'\n{CUT.format(root=ROOT)}\nX")
        cuts, keys = 0, set[str]()
        while cuts < MOST_CUTS:
            said = made.run(INSTALL, online=False, BASH_ENV="/run/cut", CUT_AT=str(EVERY * (cuts + 1)))
            keys |= set(made.run(KEYS).stdout.split("\n"))
            if said.returncode == 0:
                break
            assert said.returncode in (-9, 137), said.stderr
            cuts += 1
        assert 10 <= cuts < MOST_CUTS
        assert len(keys - {""}) == 1, "a second authority would mean pairing every station again"
        assert made.run(STATE).stdout == whole
