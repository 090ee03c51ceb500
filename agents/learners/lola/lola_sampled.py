"""LOLA-PG and LOLA-DiCE in one place: where the old name `agents.lola` leads."""

from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
from agents.learners.lola.lola_pg import (
    LolaPg,
    LolaPgConfig,
    cross_hessians,
    reward_weights,
    scores,
    shaping_term,
)

__all__ = [
    "LolaDiceConfig",
    "LolaPg",
    "LolaPgConfig",
    "cross_hessians",
    "lola_dice",
    "reward_weights",
    "scores",
    "shaping_term",
]
