"""Meta-MAPG and Meta-PG as `train` and `load_agent` know them.

train("meta_mapg", "ipd_v0", iterations=300, payoff_noise=0.5)      # both meta-learn
train("meta_mapg", "ipd_v0", iterations=300, peers="all")           # among personas
train("meta_pg", "rps_v0", iterations=300, peers="rock", actor="lstm", games=16)
"""

from dataclasses import replace
from functools import partial
from typing import Any

from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import Agent
from agents.evaluation.restore import known_settings
from agents.learners.meta_mapg.config import MetaLearnerConfig
from agents.learners.meta_mapg.meta_learner import MetaLearner
from agents.learners.meta_mapg.personas import noisy_payoffs, personas
from agents.nn.networks import ActorCritic
from agents.protocol import LearnerSpec
from social_dilemmas_env.rng import Stream, draw


def make_meta_learner(
    cfg: MetaLearnerConfig,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    shaping: bool,
) -> MetaLearner:
    """A learner, with or without the third term."""
    return MetaLearner(replace(cfg, shaping=shaping), env_id, game, seed, device)


def default_config(env_id: str) -> MetaLearnerConfig:
    """Defaults: both players meta-learn.

    In rock-paper-scissors among personas, with the authors' discount.
    """
    return MetaLearnerConfig(gamma=0.9, peers="all") if env_id == "rps_v0" else MetaLearnerConfig()


def restore_learner(checkpoint: Checkpoint, device: str) -> MetaLearner:
    """The learner of a checkpoint, to go on adapting.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    facts, settings = checkpoint.facts, known_settings(checkpoint, MetaLearnerConfig)
    shaping = facts["learner"] == "meta_mapg"
    try:
        cfg = MetaLearnerConfig(**settings)
        learner = make_meta_learner(
            cfg, facts["env_id"], facts["game"], facts["seed"], device, shaping=shaping
        )
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error

    check_tensors(checkpoint.tensors, learner.state(), checkpoint.path)
    learner.load(checkpoint.tensors, checkpoint.step)
    return learner


class MetaAgent(Agent):
    """Plays φ_0 of the first run; `adaptation` is what it is for.

    Attributes:
        learner: the whole of what was learned.
    """

    remark = (
        "a start that is meant to be updated while it plays, here as it starts; "
        "`social-dilemmas evaluate` shows its rewards after each update"
    )

    def __init__(self, checkpoint: Checkpoint, device: str, seed: int) -> None:
        self.learner = restore_learner(checkpoint, device)
        net = self.learner.policies[0]
        # The second network stands where learners keep a critic, and is never asked.
        both = ActorCritic(net, net)
        super().__init__(both, self.learner.phi[0][:1].repeat(1, 2), checkpoint.facts, seed)

    def adaptation(self, tasks: int = 20, seed: int = 0) -> list[float]:
        """Its mean reward a step after 0 .. L updates, in tasks that training never saw.

        Args:
            tasks: of the test split.
            seed: of the payoffs' noise and of the games.
        """
        learner = self.learner
        tables = noisy_payoffs(learner.table.payoffs.cpu(), learner.noise, tasks, "test", seed)
        peers = None
        if learner.peers is not None:
            distribution = draw(learner.seed, Stream.PERSONAS)
            peers = personas(learner.env_id, learner.cfg.peers, "test", distribution)
            if not learner.noise:  # every persona once
                tables = tables[:1].expand(len(peers), *tables.shape[1:])
            which = [i % len(peers) for i in range(len(tables))]
            peers = peers[which].to(learner.device)

        rewards = learner.adapt(tables.to(learner.device), peers, seed)
        mean: list[float] = rewards[:, 0, 0].mean(-1).tolist()
        return mean


META_MAPG = LearnerSpec(
    "meta_mapg",
    "Meta-MAPG (2021)",
    default_config,
    partial(make_meta_learner, shaping=True),
    MetaAgent,
)
META_PG = LearnerSpec(
    "meta_pg",
    "Meta-PG (2018)",
    default_config,
    partial(make_meta_learner, shaping=False),
    MetaAgent,
)
