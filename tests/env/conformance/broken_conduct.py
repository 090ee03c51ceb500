"""Environments with one defect each in how they behave, and the exact findings that `check_env`
must come to."""

import copy
import threading

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import EzPickle

from tests.env.conformance.broken_table import breaks
from tests.env.conformance.toy_envs import Toy

# Input
# --------------------------------------------------------------------------------------------------


@breaks("out_of_range_action_accepted")
class AnyNumber(Toy):
    def refuse_action(self, agent, action):
        super().refuse_action(agent, action if isinstance(action, bool | np.bool_) else action % 3)


@breaks("float_action_accepted")
class FloatAction(Toy):
    def refuse_action(self, agent, action):
        super().refuse_action(agent, int(action) if isinstance(action, float) else action)


@breaks("bool_action_accepted")
class BoolAction(Toy):
    def refuse_action(self, agent, action):
        super().refuse_action(agent, int(action) if isinstance(action, np.bool_) else action)


@breaks("missing_action_accepted")
class MissingAction(Toy):
    def refuse_agents(self, actions):
        super().refuse_agents({**dict.fromkeys(self.agents), **actions})


@breaks("unknown_agent_accepted")
class UnknownAgent(Toy):
    def refuse_agents(self, actions):
        super().refuse_agents([agent for agent in actions if agent in self.possible_agents])


@breaks("rejected_action_changes_state")
class RefusesTooLate(Toy):
    def refuse_action(self, agent, action):
        self.x += 1
        super().refuse_action(agent, action)


@breaks("step_after_end_accepted")
class GoesOn(Toy):
    def refuse(self, actions):
        if self.rng is None:
            raise RuntimeError("call reset")
        if self.agents:
            super().refuse(actions)


@breaks("step_before_reset_accepted")
class ResetsItself(Toy):
    def refuse(self, actions):
        if self.rng is None:
            self.reset()
        super().refuse(actions)


@breaks("unknown_option_rejected")
class StrictOptions(Toy):
    def reset(self, seed=None, options=None):
        if options:
            raise ValueError(f"unknown options {options}")
        return super().reset(seed)


# Agents and endings
# --------------------------------------------------------------------------------------------------


@breaks("agents_revived")
class Revives(Toy):
    def step(self, actions):
        live = list(self.agents)
        results = super().step(actions)
        if self.t == 5:
            self.agents = list(self.possible_agents)
        assert live
        return results

    def flags(self, live):
        terminations, truncations = super().flags(live)
        return {agent: self.t == 3 and agent == "player_1" for agent in terminations}, truncations


@breaks("agents_not_emptied", "step_after_end_accepted")
class KeepsAgents(Toy):
    def step(self, actions):
        live = list(self.agents)
        results = super().step(actions)
        self.agents = live
        return results


@breaks("done_agent_listed")
class KeepsOneAgent(Toy):
    def step(self, actions):
        live = list(self.agents)
        results = super().step(actions)
        self.agents = live if self.t < self.length else []
        return results

    def flags(self, live):
        terminations, truncations = super().flags(live)
        return {agent: self.t == 11 and agent == "player_1" for agent in terminations}, truncations


@breaks("agent_vanished")
class LosesAgent(Toy):
    def step(self, actions):
        results = super().step(actions)
        self.agents = self.agents[:1] if self.t >= 4 else self.agents
        return results


@breaks("no_agents_after_reset")
class Nobody(Toy):
    def reset(self, seed=None, options=None):
        self.reseed(seed)
        return {}, {}


@breaks("no_possible_agents", "no_agents_after_reset")
class NobodyEver(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.possible_agents = []


@breaks("agents_not_possible")
class Stranger(Toy):
    def reset(self, seed=None, options=None):
        super().reset(seed, options)
        self.agents = ["player_0", "player_7"]
        self.observation_spaces.setdefault("player_7", self.observation_spaces["player_0"])
        return self.observations(self.agents), self.infos(self.agents)


@breaks("time_limit_terminates")
class TerminatesAtLimit(Toy):
    def flags(self, live):
        return super().flags(live)[::-1]


@breaks("time_limit_terminates")
class NamesItsLimit(Toy):
    max_cycles = length = 6

    def flags(self, live):
        return dict.fromkeys(live, self.t >= self.max_cycles or self.x % 10 == 0), dict.fromkeys(
            live, False
        )


# Copies
# --------------------------------------------------------------------------------------------------


@breaks("deepcopy_fails", "pickle_fails")
class HoldsLock(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.lock = threading.Lock()


@breaks("deepcopy_differs", "pickle_differs")
class LosesGame(EzPickle, Toy):
    def __init__(self, render_mode=None):
        EzPickle.__init__(self, render_mode)
        Toy.__init__(self, render_mode)


@breaks("deepcopy_differs")
class CopiesGeneratorAnew(Toy):
    def __deepcopy__(self, memo):
        twin = copy.copy(self)
        twin.rng = np.random.default_rng(0)
        return twin


@breaks("deepcopy_shares_state")
class CopiesNothing(Toy):
    def __deepcopy__(self, memo):
        return self


@breaks("pickle_differs")
class PicklesHalf(Toy):
    def __reduce__(self):
        return restored, (self.__dict__,)

    def __deepcopy__(self, memo):
        twin = type(self)(self.render_mode)
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin


def restored(fields):
    env = PicklesHalf()
    env.__dict__.update({**fields, "t": 0})
    return env


@breaks("set_state_differs")
class ForgetsGenerator(Toy):
    def set_state(self, state):
        super().set_state((*state[:3], np.random.default_rng(5).bit_generator.state))


@breaks("set_state_differs")
class HandsOutItsState(Toy):
    def get_state(self):
        return self.__dict__

    def set_state(self, state):
        self.__dict__ = state


@breaks("get_state_changes_game")
class StateDraws(Toy):
    def get_state(self):
        state = super().get_state()
        self.draw()
        return state


@breaks("set_state_raises")
class CannotSetState(Toy):
    def set_state(self, state):
        raise NotImplementedError


# Rendering, closing, metadata
# --------------------------------------------------------------------------------------------------


@breaks("render_changes_game")
class RenderDraws(Toy):
    def render(self):
        self.draw()
        return super().render()


@breaks("render_mode_changes_game")
class DrawsForItsPicture(Toy):
    def reset(self, seed=None, options=None):
        results = super().reset(seed, options)
        if self.render_mode == "rgb_array":
            self.draw()
        return results


@breaks("rgb_array_invalid")
class FloatFrames(Toy):
    def render(self):
        frame = super().render()
        return frame if isinstance(frame, str) else frame / 255


@breaks("ansi_invalid")
class PrintsAnsi(Toy):
    def render(self):
        return None if self.render_mode == "ansi" else super().render()


@breaks("rgb_array_needs_display")
class OpensWindow(Toy):
    def render(self):
        import pygame

        if self.render_mode == "rgb_array":
            pygame.display.set_mode((8, 8))
        return super().render()

    def close(self):
        import pygame

        pygame.display.quit()


@breaks("rgb_array_needs_display")
class UsesWindow(Toy):
    def render(self):
        import pygame

        if self.render_mode == "rgb_array":
            pygame.display.flip()  # raises where there is no window
        return super().render()


@breaks("render_raises")
class CannotRender(Toy):
    def render(self):
        raise NotImplementedError("later")


@breaks("render_mode_rejected")
class NoAnsi(Toy):
    def __init__(self, render_mode=None):
        if render_mode == "ansi":
            raise ValueError("unknown render mode")
        super().__init__(render_mode)


@breaks("close_not_idempotent")
class ClosesOnce(Toy):
    def close(self):
        del self.rng


@breaks("close_raises")
class CannotClose(Toy):
    def close(self):
        raise NotImplementedError


@breaks("metadata_incomplete")
class NoName(Toy):
    metadata = {"render_modes": []}  # noqa: RUF012


@breaks("metadata_incomplete")
class NoMetadata(Toy):
    metadata = None


@breaks("agent_ids")
class CapitalIds(Toy):
    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.possible_agents = ["Alice", "Bob"]
        self.observation_spaces = dict.fromkeys(self.possible_agents, Box(0, 1, (2,), np.float32))
        self.action_spaces = dict.fromkeys(self.possible_agents, Discrete(3))


@breaks("reset_raises")
class CannotReset(Toy):
    def reset(self, seed=None, options=None):
        raise NotImplementedError("reset")


@breaks("step_raises")
class CrashesLate(Toy):
    def refuse(self, actions):
        super().refuse(actions)
        if self.t == 6:
            raise ZeroDivisionError("division by zero")
