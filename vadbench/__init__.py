"""vadbench."""
