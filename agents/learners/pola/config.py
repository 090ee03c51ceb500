"""Settings of POLA-DiCE, POLA-OM, LOLA-DiCE and naive learning with networks (pola_dice.py)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from social_dilemmas_env.validation import at_least, between, one_of


@dataclass(frozen=True)
class PolaDiceConfig:
    """Settings; the defaults are the README's IPD command.

    Raises:
        ValueError: a number of steps, games or a rate that makes no sense, or an unknown estimator
            or actor.
    """

    gamma: float = 0.96  # γ
    horizon: int = 50  # T
    batch: int = 2000  # n, games of each learner in each roll-out
    inner_steps: int = 2  # K; 0 is naive learning
    outer_steps: int = 200  # M, outer steps from the same old parameters
    lr_in: float = 0.005  # η
    lr_out: float = 0.003  # α, of Adam
    lr_v: float = 0.0005  # the critics' rate, inside (plain descent) and outside (Adam)
    beta_in: float = 10.0  # β_in
    beta_out: float = 100.0  # β_out
    reverse_kl: bool = False  # KL(new || old), as in the paper's runs; it writes KL(old || new)
    estimator: str = "loaded"  # "loaded" DiCE with GAE, or "dice" with a baseline
    gae_lambda: float = 1.0  # λ
    # κ of "loaded" DiCE; below 1 its second derivatives are less noisy and biased, in the Coin
    # Game for the worse (benchmarks/estimator_quality.py). The published runs: 1
    dice_decay: float = 1.0
    # Adam created anew at every update, as in the authors' code. With M = 1 each step is then
    # α sign(gradient): the published LOLA-DiCE
    reset_optimiser: bool = True
    # K inner steps on one batch with probability ratios (the paper's POLA-DiCE-PPO), not new games
    # each
    reuse_inner: bool = False
    # Compute inner graphs again on the way back instead of keeping them: less memory, more time
    rematerialise: bool = False
    # Batches to fit a model of the opponent at each update; 0: its true parameters are known
    model_batches: int = 0
    lr_model: float = 0.003  # the model's rate, of Adam
    lr_model_v: float = 0.0005  # its critic's
    # The opponent's imagined answer: "gradient", K steps of rate η in its parameters; "logits", the
    # same in a table of its logits, whatever its network; "mirror", one step log π + Q / β_in in
    # policy space, through a learned Q (mirror.py)
    look_ahead: str = "gradient"
    # η is moved after each outer step until the opponent gains this much a step of the game by its
    # imagined steps ("imagined_gain" in the metrics); 0: η stays lr_in
    target_gain: float = 0.0
    # "gradient": one Adam step on the outer gradient; "proximal": a step in policy space, to which
    # the parameters are fitted by KL (proximal.py)
    outer: str = "gradient"
    epochs: int = 8  # Adam steps of a proximal step, on one batch
    beta_step: float = 1.0  # KL's weight in a proximal step, in rewards of a step of the game
    actor: str = "gru"  # "gru", "mlp" or "tabular" (also the critic)
    # Boards that a table or an MLP cannot tell apart: those that differ by "translations" of the
    # torus, or by "all" its symmetries, moves renamed with the board; "none"
    symmetry: str = "none"
    hidden: int = 64  # units of each layer
    layers: int = 1  # before the GRU, 1 or 2; hidden layers of an MLP
    # An agent whose policy both players start with: "bundled:NAME", a run folder, a checkpoint
    warm_start: str = ""
    runs: int = 1  # R, independent runs learned side by side

    def __post_init__(self) -> None:
        at_least(self, 1, "horizon", "batch", "outer_steps", "hidden", "runs", "layers", "epochs")
        at_least(self, 0, "inner_steps", "model_batches")
        between(self, 0, 1, "gamma", "gae_lambda", "dice_decay")
        if self.layers > 2:
            raise ValueError(f"layers must be 1 or 2, not {self.layers}")

        rates = ("lr_in", "lr_out", "lr_v", "beta_in", "beta_out", "lr_model", "lr_model_v")
        for name in (*rates, "beta_step", "target_gain"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be finite and >= 0, not {getattr(self, name)}")
        one_of("estimator", self.estimator, ("loaded", "dice"))
        one_of("actor", self.actor, ("gru", "mlp", "tabular"))
        one_of("look_ahead", self.look_ahead, ("gradient", "logits", "mirror"))
        one_of("outer", self.outer, ("gradient", "proximal"))
        one_of("symmetry", self.symmetry, ("none", "translations", "all"))
        self._check_combinations()

    def _check_combinations(self) -> None:
        """Raises ValueError where two settings do not go together."""
        if self.look_ahead == "mirror" and (self.inner_steps != 1 or not self.beta_in):
            raise ValueError(
                "look_ahead='mirror' is one step (inner_steps=1) with beta_in > 0, not "
                f"inner_steps={self.inner_steps}, beta_in={self.beta_in}"
            )
        if self.look_ahead == "logits" and (self.outer != "proximal" or self.symmetry == "none"):
            raise ValueError(
                "look_ahead='logits' needs outer='proximal', which fits a network to its tables, "
                "and symmetry, which says what their rows are"
            )
        if self.target_gain and (self.look_ahead == "mirror" or not self.inner_steps):
            raise ValueError("target_gain moves lr_in, which only gradient look-aheads have")
        if self.symmetry != "none" and self.actor == "gru":
            raise ValueError(
                "symmetry renames boards one by one, and a GRU would remember them by changing "
                "names: use actor='tabular' or 'mlp'"
            )


# What a learner changes in the README's POLA-DiCE commands, in matrix games and in the Coin Game.
COIN: dict[str, Any] = {
    "inner_steps": 4,
    "lr_in": 0.01,
    "beta_in": 5.0,
    "beta_out": 150.0,
    "batch": 1000,
}
NO_PROXIMAL_TERM: dict[str, Any] = {
    "outer_steps": 1,
    "beta_in": 0.0,
    "beta_out": 0.0,
    "batch": 2000,
}
PRESETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "pola_dice": ({}, COIN),
    "pola_om": (
        {"model_batches": 200},
        {**COIN, "inner_steps": 6, "beta_in": 15.0, "model_batches": 200},
    ),
    "lola_dice_gru": (
        {**NO_PROXIMAL_TERM, "inner_steps": 1, "lr_in": 0.05},
        {**NO_PROXIMAL_TERM, "inner_steps": 1, "lr_in": 0.003},
    ),
    "naive_pg_gru": (
        {**NO_PROXIMAL_TERM, "inner_steps": 0},
        {**NO_PROXIMAL_TERM, "inner_steps": 0},
    ),
}


def default_config(name: str) -> Callable[[str], PolaDiceConfig]:
    """Default settings of a learner, by game."""
    matrix, coin = PRESETS[name]
    return lambda env_id: replace(
        PolaDiceConfig(), **(coin if env_id == "coin_game_v0" else matrix)
    )
