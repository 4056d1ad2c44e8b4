"""Run ``python -m baselines``."""

import sys

from baselines.main import main

if __name__ == "__main__":
    sys.exit(main())
