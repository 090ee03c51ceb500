"""What can go wrong, as exceptions that are imported without torch.

The commands catch these by class; listing games or benchmarks must not wait for torch to load.
"""


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or not what was asked for.  Names the file."""


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and where the last good checkpoint is."""
