"""Environments with one defect each in what they return, and the exact findings that `check_env`
must come to."""

import copy
import random

import numpy as np
from gymnasium.spaces import Discrete

from tests.env.conformance.broken_table import ENTROPY, breaks
from tests.env.conformance.toy_envs import BASE, Toy

# Seeds
# --------------------------------------------------------------------------------------------------


@breaks("seed_ignored_at_reset")
class UnseededReset(Toy):
    def reset(self, seed=None, options=None):
        super().reset(seed, options)
        self.x = next(ENTROPY) % BASE
        return self.observations(self.agents), self.infos(self.agents)


@breaks("seed_ignored_later")
class UnseededSteps(Toy):
    def draw(self):
        return super().draw() if self.t < 2 else next(ENTROPY)


@breaks("seed_ignored_second_reset")
class SeededOnce(Toy):
    def reseed(self, seed):
        super().reseed(seed if self.rng is None or (seed or 0) < 0 else None)


@breaks("seed_forgotten_at_reset")
class ReseedsItself(Toy):
    def reseed(self, seed):
        super().reseed(next(ENTROPY) + 10**6 if seed is None else seed)


@breaks("seed_zero_ignored")
class ZeroIsNoSeed(Toy):
    def reseed(self, seed):
        super().reseed(next(ENTROPY) + 10**6 if seed == 0 else seed)


@breaks("negative_seed_accepted")
class AnySeed(Toy):
    def reseed(self, seed):
        super().reseed(None if seed is None else abs(seed))


@breaks("instances_share_state")
class ClassGenerator(Toy):
    shared = np.random.default_rng(0)
    get_state = None

    def reseed(self, seed):
        super().reseed(seed)
        if seed is not None:
            type(self).shared = np.random.default_rng(seed)

    def draw(self):
        return int(self.shared.integers(BASE))

    def __getstate__(self):  # so that copies are right, and sharing is the only defect
        return {**self.__dict__, "saved": self.shared.bit_generator.state}

    def __setstate__(self, state):
        self.shared.bit_generator.state = state.pop("saved")
        self.__dict__.update(state)
        self.shared = copy.deepcopy(self.shared)


@breaks("infos_not_reproducible")
class ClockInInfo(Toy):
    def info(self, agent):
        return {"clock": next(ENTROPY)}


# Global random state
# --------------------------------------------------------------------------------------------------


@breaks("global_rng_written")
class SeedsNumpy(Toy):
    def reseed(self, seed):
        super().reseed(seed)
        np.random.seed(seed)


@breaks("global_rng_written", "global_rng_read")
class DrawsFromRandom(Toy):
    def draw(self):
        return random.randrange(BASE)


@breaks("global_rng_read")
class PeeksAtNumpy(Toy):
    def draw(self):
        return int(np.random.get_state()[1][7]) % BASE


# Values
# --------------------------------------------------------------------------------------------------


@breaks("obs_outside_space")
class LeavesSpace(Toy):
    def observe(self, agent):
        return super().observe(agent) + np.float32(self.t == 9)


@breaks("obs_outside_space")
class WrongShape(Toy):
    def observe(self, agent):
        return super().observe(agent)[:1]


@breaks("obs_nan")
class NaNObservation(Toy):
    def observe(self, agent):
        return super().observe(agent) + np.float32("nan" if self.t == 7 else 0)


@breaks("obs_wrong_dtype")
class WrongDtype(Toy):
    def observe(self, agent):
        return super().observe(agent).astype(np.float64)


@breaks("obs_wrong_dtype")
class ListObservation(Toy):
    def observe(self, agent):
        return super().observe(agent).tolist()


@breaks("reward_not_finite")
class NaNReward(Toy):
    def reward(self, agent):
        return float("nan") if self.t == 3 else 0.0


@breaks("reward_not_finite")
class InfiniteReward(Toy):
    def reward(self, agent):
        return np.float64(-np.inf)


@breaks("reward_not_float")
class IntReward(Toy):
    def reward(self, agent):
        return 1


@breaks("reward_not_float")
class ArrayReward(Toy):
    def reward(self, agent):
        return np.ones(1)


@breaks("flag_not_bool")
class IntFlags(Toy):
    def flags(self, live):
        terminations, truncations = super().flags(live)
        return terminations, {agent: int(flag) for agent, flag in truncations.items()}


@breaks("info_not_dict")
class NoneInfo(Toy):
    def info(self, agent):
        return None


@breaks("info_not_dict")
class NoInfos(Toy):
    def infos(self, agents):
        return None


@breaks("result_not_dict")
class ListOfObservations(Toy):
    def observations(self, agents):
        return [self.observe(agent) for agent in agents]


@breaks("missing_agent_entry")
class InfoOfOne(Toy):
    def infos(self, agents):
        return {"player_0": {"x": 0}}


@breaks("missing_agent_entry")
class NoLastObservation(Toy):
    def observations(self, agents):
        return {agent: self.observe(agent) for agent in self.agents}


@breaks("info_keys_change")
class NewInfoKeys(Toy):
    def info(self, agent):
        return {"x": self.x} if self.t == 0 else {"x": self.x, "late": 1}


@breaks("state_outside_space")
class StateOutside(Toy):
    def state(self):
        return super().state() - 1


@breaks("step_result")
class FourResults(Toy):
    def step(self, actions):
        return super().step(actions)[:4]


@breaks("reset_result")
class NoInfosAtReset(Toy):
    def reset(self, seed=None, options=None):
        return super().reset(seed, options)[0]


# Fresh objects
# --------------------------------------------------------------------------------------------------


@breaks("obs_aliased")
class OneBuffer(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.buffers = {agent: np.zeros(2, np.float32) for agent in self.possible_agents}

    def observe(self, agent):
        self.buffers[agent][:] = super().observe(agent)
        return self.buffers[agent]


@breaks("obs_write_changes_game")
class HandsOutItsTable(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.table = np.random.default_rng(0).random((5, 2), np.float32)

    def observe(self, agent):
        return self.table[self.x % 5]


@breaks("dict_reused")
class OneDict(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.kept = {}

    def infos(self, agents):
        self.kept.clear()
        self.kept.update(super().infos(agents))
        return self.kept


@breaks("dict_reused")
class OneDictForBothFlags(Toy):
    length = 10**9

    def flags(self, live):
        return (dict.fromkeys(live, False),) * 2


@breaks("spaces_not_same_object")
class NewSpaces(Toy):
    def action_space(self, agent):
        return Discrete(3)


@breaks("space_invalid")
class NoSpace(Toy):
    def observation_space(self, agent):
        return (2,)
