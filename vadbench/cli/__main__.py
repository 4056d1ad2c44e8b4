"""`python -m vadbench.cli`: the same as the command `vadbench`."""

import sys

from vadbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
