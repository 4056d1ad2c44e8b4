"""Names that the commands use, from where they live."""

from vadbench.cli.shared_options import add_dataset_options, path_or_url
from vadbench.command_line import CommandParser

__all__ = ["CommandParser", "add_dataset_options", "path_or_url"]
