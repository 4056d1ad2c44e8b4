"""Run ``python -m leaderboard``."""

import sys

from leaderboard.main import main

if __name__ == "__main__":
    sys.exit(main())
