"""What Gymnasium's registry says of the horizon."""

import dataclasses
from typing import Any


class TrueSpec:
    """An environment whose `spec.max_episode_steps` is its horizon.

    Gymnasium sets `spec` once the environment is made.  A number registered beforehand would be
    wrong, for the horizon is an argument, and would cut longer episodes off.
    """

    max_cycles: Any
    _spec: Any = None

    @property
    def spec(self) -> Any:
        """Gymnasium's entry, with this environment's horizon; None unless Gymnasium made it."""
        return self._spec

    @spec.setter
    def spec(self, given: Any) -> None:
        if given is not None and given.max_episode_steps is None:
            given = dataclasses.replace(given, max_episode_steps=self.max_cycles)
        self._spec = given
