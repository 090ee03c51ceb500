"""How much memory an outer step of POLA-DiCE takes, and what is said where there is less."""

from agents.execution.memory import check_memory
from agents.learners.pola.config import PolaDiceConfig

PLAYERS = 2


def memory_needed(cfg: PolaDiceConfig) -> int:
    """Bytes that an outer step takes at its peak, roughly.

    Arrays [T, L, n, H] of the graphs that exist at once.
    """
    # Tables, and what is asked once for each class of boards, have no hidden units a sample.
    by_sample = cfg.actor == "gru" or (cfg.actor == "mlp" and cfg.symmetry == "none")
    width = cfg.hidden if by_sample else 1
    graphs = 1 if cfg.rematerialise else max(1, cfg.inner_steps)
    # Measured (tests/agents/learners/pola/test_pola_dice_learning.py).
    arrays = 30 + 27 * graphs if cfg.inner_steps else 40
    return 4 * cfg.horizon * PLAYERS * cfg.runs * cfg.batch * width * arrays


def check_pola_memory(cfg: PolaDiceConfig, device: str) -> None:
    """Raises ValueError, before anything is computed, if the device has too little memory."""
    spared = cfg.inner_steps > 1 and not cfg.rematerialise
    advice = ", or set rematerialise=True" if spared else ""
    sizes = {name: getattr(cfg, name) for name in ("batch", "runs", "horizon", "hidden")}
    check_memory(memory_needed(cfg), device, advice, **sizes)
