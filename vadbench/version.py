"""The version of the program, for the record in signatures and reports."""

__version__ = "0.1.0"
