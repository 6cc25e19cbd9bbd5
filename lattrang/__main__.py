"""`python -m lattrang`: the same as the command `lattrang`."""

import sys

from lattrang.cli import main

sys.exit(main())
