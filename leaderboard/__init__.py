"""The board: published rows and entries become tables and a static site; `python -m leaderboard build`."""
