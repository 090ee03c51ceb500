"""Computing time of a training, in parts, without that of its evaluations."""

import time


class Clock:
    """Computing time of this process, in parts."""

    def __init__(self) -> None:
        self.since = time.process_time()

    def part(self) -> float:
        """Core-seconds since it was started, or started again."""
        return time.process_time() - self.since

    def restart(self) -> None:
        """From now on."""
        self.since = time.process_time()
