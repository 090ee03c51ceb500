"""Correct environments, all different in shape; `check_env` must be silent about each of them."""

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete, Tuple
from pettingzoo import ParallelEnv

BASE = 10_007
LEGAL = (int, np.integer)


class Toy(ParallelEnv):
    """Agents add numbers to a counter, and so does a generator.

    Every step is a method that a subclass can break.
    """

    metadata = {"name": "toy_v0", "render_modes": ["human", "rgb_array", "ansi"]}  # noqa: RUF012  as in PettingZoo
    state_space = Box(0, BASE, (2,), np.int64)
    length = 12

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.possible_agents = ["player_0", "player_1"]
        self.agents = []
        self.observation_spaces = {
            agent: Box(0, 1, (2,), np.float32) for agent in self.possible_agents
        }
        self.action_spaces = {agent: Discrete(3) for agent in self.possible_agents}
        self.rng = None
        self.x = self.t = 0

    def observation_space(self, agent):
        return self.observation_spaces[agent]

    def action_space(self, agent):
        return self.action_spaces[agent]

    def reset(self, seed=None, options=None):
        self.reseed(seed)
        self.agents, self.t = list(self.possible_agents), 0
        self.x = self.draw()
        return self.observations(self.agents), self.infos(self.agents)

    def step(self, actions):
        self.refuse(actions)
        self.t, self.x = self.t + 1, (self.x + self.total(actions) + self.draw()) % BASE
        live = list(self.agents)
        terminations, truncations = self.flags(live)
        self.agents = [agent for agent in live if not (terminations[agent] or truncations[agent])]
        rewards = {agent: self.reward(agent) for agent in live}
        return self.observations(live), rewards, terminations, truncations, self.infos(live)

    def reseed(self, seed):
        if seed is not None and seed < 0:
            raise ValueError("negative seed")
        if seed is not None or self.rng is None:
            self.rng = np.random.default_rng(seed)

    def draw(self):
        return int(self.rng.integers(BASE))

    def refuse(self, actions):
        if not self.agents:
            raise RuntimeError("no game is on: call reset")
        self.refuse_agents(actions)
        for agent in actions:
            self.refuse_action(agent, actions[agent])

    def refuse_agents(self, actions):
        if set(actions) != set(self.agents):
            raise ValueError(f"actions of {sorted(actions)}, agents {self.agents}")

    def refuse_action(self, agent, action):
        if isinstance(action, bool) or not isinstance(action, LEGAL) or not 0 <= action < 3:
            raise ValueError(f"bad action {action!r}")

    def total(self, actions):
        return int(sum(actions.values()))

    def flags(self, live):
        over = self.t >= self.length
        return dict.fromkeys(live, False), dict.fromkeys(live, over)

    def observations(self, agents):
        return {agent: self.observe(agent) for agent in agents}

    def observe(self, agent):
        return np.array([self.x / BASE, self.t / (self.t + 1)], np.float32)

    def reward(self, agent):
        return float(self.x % 3)

    def infos(self, agents):
        return {agent: self.info(agent) for agent in agents}

    def info(self, agent):
        return {"x": self.x}

    def state(self):
        return np.array([self.x, self.t])

    def get_state(self):
        return self.x, self.t, list(self.agents), self.rng.bit_generator.state

    def set_state(self, state):
        self.x, self.t, self.agents = state[0], state[1], list(state[2])
        self.rng.bit_generator.state = state[3]

    def render(self):
        if self.render_mode == "ansi":
            return str(self.x)
        return np.full((4, 6, 3), self.x % 256, np.uint8)


class NeverEnds(Toy):
    length = 10**9


class OneShot(Toy):
    """One round, and then the game is over by its rules."""

    def flags(self, live):
        return dict.fromkeys(live, True), dict.fromkeys(live, False)


class DiesAtRandom(Toy):
    """Agents terminate one by one, and come back at the next reset."""

    def flags(self, live):
        return {
            agent: (self.x + number) % 4 == 0 for number, agent in enumerate(live)
        }, dict.fromkeys(live, False)


class Deterministic(Toy):
    def draw(self):
        return 0


class Alone(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.possible_agents = ["player_0"]


class Plain(Toy):
    """No state, no rendering, numpy scalars for rewards and flags, read-only observations, empty
    infos."""

    metadata = {"name": "plain_v0", "render_modes": []}  # noqa: RUF012
    state_space = get_state = None

    def __init__(self):
        super().__init__()
        del self.render_mode

    def observe(self, agent):
        array = super().observe(agent)
        array.flags.writeable = False
        return array

    def reward(self, agent):
        return np.float32(0.5)

    def flags(self, live):
        return dict.fromkeys(live, np.bool_(False)), dict.fromkeys(
            live, np.bool_(self.t >= self.length)
        )

    def info(self, agent):
        return {}


class Masked(Toy):
    """Nested observations with an action mask that leaves one action, which the game insists on."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        seen = Tuple([Discrete(BASE), Box(0, 1, (2,), np.float32)])
        space = Dict({"observation": seen, "action_mask": Box(0, 1, (3,), np.int8)})
        self.observation_spaces = dict.fromkeys(self.possible_agents, space)

    def observe(self, agent):
        mask = np.eye(3, dtype=np.int8)[self.x % 3]
        return {"observation": (self.x, super().observe(agent)), "action_mask": mask}

    def refuse_action(self, agent, action):
        super().refuse_action(agent, action)
        if action != self.x % 3:
            raise ValueError("masked action")


class Continuous(Toy):
    """Box actions, which are clipped; large observations."""

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.action_spaces = {agent: Box(-1, 1, (2,), np.float32) for agent in self.possible_agents}
        self.observation_spaces = {
            agent: Box(0, 255, (96, 96, 3), np.uint8) for agent in self.possible_agents
        }

    def observe(self, agent):
        return np.full((96, 96, 3), self.x % 256, np.uint8)

    def refuse_action(self, agent, action):
        pass

    def total(self, actions):
        return sum(int(9 * np.clip(action, -1, 1).sum()) for action in actions.values())


class Several(Toy):
    """MultiDiscrete actions.

    Infos that hold an object without equality, and a number that may be NaN.
    """

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.action_spaces = {agent: MultiDiscrete([2, 3]) for agent in self.possible_agents}

    def refuse_action(self, agent, action):
        if not self.action_spaces[agent].contains(action):
            raise ValueError(f"bad action {action!r}")

    def total(self, actions):
        return int(sum(action.sum() for action in actions.values()))

    def info(self, agent):
        return {"thing": object(), "ratio": float("nan")}


class TakesTrue(Toy):
    """Takes whatever its spaces contain, Python's True among it; narrower numbers than its Box."""

    def refuse_action(self, agent, action):
        if not self.action_spaces[agent].contains(action):
            raise ValueError(f"bad action {action!r}")

    def observe(self, agent):
        return super().observe(agent).astype(np.float16)


CORRECT = [
    Toy,
    TakesTrue,
    NeverEnds,
    OneShot,
    DiesAtRandom,
    Deterministic,
    Alone,
    Plain,
    Masked,
    Continuous,
    Several,
]
