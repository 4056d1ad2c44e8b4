"""Entries of the board: metadata and reports that strangers send, and the check that judges them."""
