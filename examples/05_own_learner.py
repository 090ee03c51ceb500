"""A learner of one's own in 60 lines: extragradient ascent, which looks one step ahead of itself.

    pip install -c constraints.txt -e ".[agents]"
    python examples/05_own_learner.py             # --out FOLDER

    θ' = θ + δ ∇V(θ),      θ ← θ + δ ∇V(θ')       (Korpelevich 1976)

The class keeps the `Learner` protocol; in return `train` gives it checkpoints that survive a kill,
exact resuming, signals, metrics, evaluation and a name in the command:

    social-dilemmas --import examples.own_learner train extragradient ipd_v0
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

import social_dilemmas_env as sde
from agents import Plan, load_agent, train
from agents.learners.naive.naive_exact import naive
from agents.learners.tabular_agent import restore_agent
from agents.matrix_games.closed_form import MatrixGame
from agents.protocol import LearnerSpec
from agents.registry import register


@dataclass(frozen=True)
class ExtragradientConfig:
    """Settings; the command shows name, default and the comment beside each."""

    runs: int = 10  # R, learned at once
    lr: float = 1.0  # δ
    gamma: float = 0.96  # γ


class Extragradient:
    """Two memory-one policies, each of which climbs from where both would be a step later."""

    def __init__(self, cfg, env_id, game, seed, device):
        self.cfg, self.iteration = cfg, 0
        self.game = MatrixGame(sde.payoffs(env_id, **game), cfg.gamma)
        generator = torch.Generator().manual_seed(seed)
        shape = (cfg.runs, 2, self.game.num_states)
        self.theta = torch.randn(shape, generator=generator, dtype=torch.float64)

    def update(self):
        """One update of all runs; metrics by name."""
        ahead = self.theta + self.cfg.lr * naive(self.theta, self.game).detach()
        self.theta = self.theta + self.cfg.lr * naive(ahead, self.game).detach()
        self.iteration += 1
        return {"reward": self.game.report(self.theta).mean()}

    def state(self):
        """What changes; "policies" is what a tabular agent is restored from."""
        return {"theta": self.theta, "policies": self.game.policies(self.theta)}

    def frozen(self):
        """Nothing that never changes."""
        return {}

    def load(self, tensors, iteration):
        """The inverse of `state`."""
        self.theta, self.iteration = tensors["theta"], iteration


SPEC = LearnerSpec(
    "extragradient",
    "extragradient ascent with exact values",
    lambda env_id: ExtragradientConfig(),
    Extragradient,
    restore_agent,
)
register("extragradient", f"{__name__}:SPEC")


def main(words: list[str] | None = None) -> Path:
    """Trains it, goes on, and asks the agent; gives the run folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/examples/05_own_learner"))
    folder = parser.parse_args(words).out

    for iterations in (50, 100):  # the second call goes on where the first stopped
        plan = Plan(iterations=iterations, eval_every=50, quiet=True)
        train("extragradient", "ipd_v0", seed=0, out=folder, plan=plan)

    agent = load_agent(folder)
    chances, _ = agent.probabilities(torch.eye(5))
    print("P(cooperate) after start, CC, CD, DC, DD:", chances[:, 0].numpy().round(3))
    return folder


if __name__ == "__main__":
    main()
