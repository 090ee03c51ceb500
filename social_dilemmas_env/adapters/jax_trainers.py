"""Our games as JAX trainers call theirs.

    GymnaxEnv    gymnax: one learner, `step(key, state, action, params)`; the others are functions
    JaxMARLEnv   JaxMARL: all players, dictionaries by agent, `dones["__all__"]`

Both are thin forms of `jax_env`, to be compiled, mapped and scanned; neither library is imported.
Their keys drive the first seed of a game and what opponents draw; the game itself draws its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gymnasium.spaces import Box, Discrete

from social_dilemmas_env.adapters.options import required_options
from social_dilemmas_env.engine.array_engine import Array
from social_dilemmas_env.extras import missing
from social_dilemmas_env.make import jax_env

try:
    import jax
    import jax.numpy as jnp

    from social_dilemmas_env.vector.pure_jax import JaxEnv, JaxState
except ModuleNotFoundError as error:
    raise missing("jax", "jax", "an adapter for JAX") from error

Opponent = Callable[[Array, Array], Array]  # key, own observation -> action


@dataclass(frozen=True)
class EnvParams:
    """What gymnax calls the parameters of an environment; the rules are fixed when it is made."""

    max_steps_in_episode: int


class GymnaxEnv:
    """One learner among fixed players, by gymnax's conventions.

    An episode that ends starts again in the same step; `info["final_obs"]` is what the learner saw
    last.

    Attributes:
        env: the pure functions of all players.
        player: the learner's index.
    """

    def __init__(self, env_id: str, opponent: Opponent, player: int = 0, **game_kwargs: Any):
        """Makes the environment.

        Args:
            env_id: see `list_envs`.
            opponent: plays every other seat: (key, its own observation) -> action.
            player: the learner's index.
            **game_kwargs: the game's arguments, and those of `jax_env`.

        Raises:
            ValueError, TypeError: see `jax_env`; there is no such player.
        """
        options = required_options("GymnaxEnv", game_kwargs, autoreset="same_step")
        self.env: JaxEnv = jax_env(env_id, **options)
        if player not in range(self.env.num_agents):
            raise ValueError(f"player must lie in 0 .. {self.env.num_agents - 1}, got {player!r}")
        self.opponent, self.player = opponent, player

    @property
    def name(self) -> str:
        """For example "coin_game_v0"."""
        return self.env.env_id

    @property
    def default_params(self) -> EnvParams:
        """The parameters, which `reset` and `step` take and do not need."""
        return EnvParams(self.env.max_cycles)

    @property
    def num_actions(self) -> int:
        """Actions of the learner."""
        return self.env.game.num_actions[self.player]

    def action_space(self, params: EnvParams | None = None) -> Discrete:
        """Of the learner."""
        return Discrete(self.num_actions)

    def observation_space(self, params: EnvParams | None = None) -> Box | Discrete:
        """Of the learner."""
        return self.env.single_observation_space

    def reset(self, key: Array, params: EnvParams | None = None) -> tuple[Array, Any]:
        """The learner's first observation, and the state."""
        observations, state = self.env.reset(key)
        return observations[self.player], (state, observations)

    def step(
        self, key: Array, state: Any, action: Array, params: EnvParams | None = None
    ) -> tuple[Array, Any, Array, Array, dict[str, Array]]:
        """One move of all players: observation, state, reward, done, info."""
        (inner, seen), player = state, self.player

        # The others look and move.
        keys = jax.random.split(key, self.env.num_agents)
        moves = [
            action if n == player else self.opponent(keys[n], seen[n])
            for n in range(self.env.num_agents)
        ]
        joint = jnp.stack([jnp.asarray(move, jnp.int32) for move in moves])

        observations, inner, rewards, _, truncations, info = self.env.step(inner, joint)
        told = {"final_obs": info["final_obs"][player]}
        outputs = rewards[player], truncations[player], told
        return observations[player], (inner, observations), *outputs


class JaxMARLEnv:
    """All players, by JaxMARL's conventions: dictionaries by agent.

    An episode that ends starts again in the same step, as in JaxMARL; `info["final_obs"]` holds
    what the players saw last.

    Attributes:
        env: the pure functions.
        agents: their names, "player_0", ...
    """

    def __init__(self, env_id: str, **game_kwargs: Any):
        """Makes the environment.

        Args:
            env_id: see `list_envs`.
            **game_kwargs: the game's arguments, and those of `jax_env`.

        Raises:
            ValueError, TypeError: see `jax_env`.
        """
        options = required_options("JaxMARLEnv", game_kwargs, autoreset="same_step")
        self.env: JaxEnv = jax_env(env_id, **options)
        self.agents = self.env.possible_agents

    @property
    def num_agents(self) -> int:
        """Number of players N."""
        return self.env.num_agents

    @property
    def name(self) -> str:
        """For example "coin_game_v0"."""
        return self.env.env_id

    def action_space(self, agent: str) -> Discrete:
        """Of a player."""
        return Discrete(self.env.game.num_actions[self.agents.index(agent)])

    def observation_space(self, agent: str) -> Box | Discrete:
        """Of a player."""
        return self.env.single_observation_space

    def get_avail_actions(self, state: JaxState) -> dict[str, Array]:
        """Which actions are allowed: all of them."""
        sizes = self.env.game.num_actions
        return {agent: jnp.ones(n) for agent, n in zip(self.agents, sizes, strict=True)}

    def reset(self, key: Array) -> tuple[dict[str, Array], JaxState]:
        """First observations by agent, and the state."""
        observations, state = self.env.reset(key)
        return self._by_agent(observations), state

    def step(
        self, key: Array, state: JaxState, actions: dict[str, Array], reset_state: Any = None
    ) -> tuple[Any, JaxState, Any, Any, dict[str, Any]]:
        """One move of all players: observations, state, rewards, dones, infos.

        Args:
            key: not needed: the game draws its own.
            state: of `reset` or of the last step.
            actions: of each agent.
            reset_state: a state to go on from where the episode has ended, instead of the next
                episode's.
        """
        joint = jnp.stack([jnp.asarray(actions[agent], jnp.int32) for agent in self.agents])
        observations, state, rewards, _, truncations, info = self.env.step(state, joint)

        if reset_state is not None:
            choose = partial(jnp.where, info["_final_obs"])
            state = jax.tree.map(choose, reset_state, state)
            observations = self.env.engine.see(state.encoded)
        dones = {**self._by_agent(truncations), "__all__": info["_final_obs"]}
        told = {"final_obs": self._by_agent(info["final_obs"])}
        return self._by_agent(observations), state, self._by_agent(rewards), dones, told

    def _by_agent(self, rows: Array) -> dict[str, Array]:
        return {agent: rows[n] for n, agent in enumerate(self.agents)}
