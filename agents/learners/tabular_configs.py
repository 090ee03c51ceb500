"""The settings of the tabular learners, one class a learner.

Each is the learner's own settings (lola_exact.py, sos.py, ...) and those of the loop, in one frozen
dataclass: what `train` takes and a checkpoint records.  Seeds are missing on purpose: all come from
`train`'s.  Where a class names a field of its parents again, it gives it another default.
"""

from dataclasses import dataclass

from agents.learners.lola.lola_dice import LolaDiceConfig
from agents.learners.lola.lola_exact import LolaConfig
from agents.learners.pola.pola_exact import PolaConfig
from agents.learners.sos.sos import ConsensusConfig, SosConfig
from agents.matrix_games.gradient_runs import RunConfig
from agents.matrix_games.sampled import Sampling


@dataclass(frozen=True)
class TabularConfig:
    """The loop around every tabular learner.

    Raises:
        ValueError: fewer than 1 run, a rate or spread that is not finite, a discount outside
            [0, 1).
    """

    runs: int = 1  # R, learned at once; ours
    lr: float = 1.0  # δ; authors' run_lola.py
    init_std: float = 1.0  # spread of the first θ; train_exact.py: logits from N(0, 1)
    gamma: float = 0.96  # γ; authors' run_lola.py (.9 in matching pennies)

    def __post_init__(self) -> None:
        RunConfig(runs=self.runs, lr=self.lr, init_std=self.init_std)
        if not 0 <= self.gamma < 1:
            raise ValueError(f"the discount must lie in [0, 1), not {self.gamma!r}")

        # What the learner's own settings ask.
        for parent in type(self).__mro__:
            if not issubclass(parent, TabularConfig) and hasattr(parent, "__post_init__"):
                parent.__post_init__(self)


@dataclass(frozen=True)
class TabularNaiveConfig(TabularConfig):
    """Naive learning with exact values."""


@dataclass(frozen=True)
class TabularLolaConfig(TabularConfig, LolaConfig):
    """LOLA with exact values."""


@dataclass(frozen=True)
class TabularSosConfig(TabularConfig, SosConfig):
    """Stable Opponent Shaping with exact values, and LookAhead, which reads α only."""


@dataclass(frozen=True)
class TabularConsensusConfig(TabularConfig, ConsensusConfig):
    """Consensus optimisation with exact values."""


@dataclass(frozen=True)
class TabularPolaConfig(TabularConfig, PolaConfig):
    """Outer POLA with exact values."""

    init_std: float = 0.1  # spread of the first θ; LOLA_exact.py


@dataclass(frozen=True)
class TabularSampledConfig(TabularConfig, Sampling):
    """The loop around every tabular learner from samples."""


@dataclass(frozen=True)
class TabularNaivePgConfig(TabularSampledConfig):
    """Naive learning from samples."""

    games: int = 4000  # B, games a batch; paper 5.3
    critic_lr: float = 1.0  # δ_v; authors' networks.py, paper 5.3


@dataclass(frozen=True)
class TabularLolaPgConfig(TabularSampledConfig):
    """LOLA from samples."""

    games: int = 4000  # B, games a batch; paper 5.3
    eta: float = 0.5  # η; see lola_pg.LolaPgConfig
    critic_lr: float = 1.0  # δ_v; authors' networks.py


@dataclass(frozen=True)
class TabularLolaDiceConfig(TabularSampledConfig, LolaDiceConfig):
    """LOLA-DiCE."""

    lr: float = 0.2  # δ; authors' run_lola_dice.py
    init_std: float = 0.4472  # spread of the first θ; √(1/5), as Sonnet's linear layer draws logits
