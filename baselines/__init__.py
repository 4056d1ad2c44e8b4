"""Methods that write submissions through the public interface of vadbench; ``python -m baselines NAME``."""
