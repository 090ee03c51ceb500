"""How far policies are from a Nash equilibrium, against every strategy.

    epsilon = max_n ( max_sigma V_n(sigma, pi_-n) - V_n(pi) )          sigma: any strategy at all

Against policies of (board, memory) the others' next actions depend on the state alone, so a
responder faces a Markov decision process on the states.  No strategy, whatever it remembers, does
better there than the best Markov one (M. Puterman, Markov Decision Processes (1994), theorems 5.5.3
and 6.2.7), and policy iteration finds that.  So the maximum is over every strategy, recurrent
networks and randomised ones included.
"""

from dataclasses import dataclass

from social_dilemmas_env.exact.chance import Floats


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is known of some policies; `str` of it is a sentence."""

    epsilon: float  # the largest gain
    gains: Floats  # [N] what each player would gain by deviating alone, a step
    scores: Floats  # [N] what each player earns, a step
    gamma: float
    horizon: int | None  # None: no end

    def __str__(self) -> str:
        clock = f"gamma {self.gamma:g}"
        if self.horizon is not None:
            clock = f"{self.horizon} steps" + (f", {clock}" if self.gamma < 1 else "")
        gains = ", ".join(f"{gain:.6f}" for gain in self.gains)
        return (
            f"epsilon-Nash against every strategy, epsilon = {self.epsilon:.6f} (mean reward a "
            f"step, {clock}; gains of deviating alone {gains}). Exact: the policies read the board "
            "and a finite memory, so a best response to them is Markov in the product of both, "
            "and no strategy with any other memory does better."
        )
