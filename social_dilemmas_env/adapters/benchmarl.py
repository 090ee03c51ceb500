"""The games as a task of BenchMARL.

    from benchmarl.algorithms import IppoConfig
    from social_dilemmas_env.adapters.benchmarl import SocialDilemmaTask

    task = SocialDilemmaTask("COIN_GAME", {"env_id": "coin_game_v0", "flat": True})
    Experiment(task=task, algorithm_config=IppoConfig.get_from_yaml(), ...).run()

Versions that ran: BenchMARL 1.5.2 with torchrl 0.11.1 and tensordict 0.11.0 (its IPPO, MAPPO, IQL,
QMIX and MASAC); 1.5.1 with torchrl 0.10.1.  It imports names that newer torchrl has removed.  Its
QMIX means the rewards of a group, and so learns to cooperate; MADDPG wants continuous actions.
"""

from collections.abc import Callable
from typing import Any

from typing_extensions import override

from social_dilemmas_env.adapters.torchrl import GROUP, TorchRLEnv
from social_dilemmas_env.adapters.versions import unusable

try:
    from benchmarl.environments.common import TaskClass
except ImportError as error:
    raise unusable("benchmarl", error, "SocialDilemmaTask") from error


class SocialDilemmaTask(TaskClass):  # type: ignore[misc]  # an untyped library
    """A task of B games; `config` holds `env_id` and the arguments of `TorchRLEnv`."""

    @override
    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], TorchRLEnv]:
        arguments = dict(self.config)
        env_id = arguments.pop("env_id")
        return lambda: TorchRLEnv(env_id, num_envs, device=device, seed=seed, **arguments)

    @override
    def supports_continuous_actions(self) -> bool:
        return False

    @override
    def supports_discrete_actions(self) -> bool:
        return True

    @override
    def max_steps(self, env: TorchRLEnv) -> int:
        return env.max_cycles

    @override
    def group_map(self, env: TorchRLEnv) -> dict[str, list[str]]:
        return env.group_map

    @override
    def has_render(self, env: TorchRLEnv) -> bool:
        return False

    @override
    def observation_spec(self, env: TorchRLEnv) -> Any:
        spec = env.full_observation_spec_unbatched.clone()
        if "metrics" in set(spec[GROUP].keys()):
            del spec[GROUP, "metrics"]
        return spec

    @override
    def action_spec(self, env: TorchRLEnv) -> Any:
        return env.full_action_spec_unbatched

    @override
    def state_spec(self, env: TorchRLEnv) -> None:
        """None: critics are given all players' observations."""

    @override
    def info_spec(self, env: TorchRLEnv) -> Any:
        """The metrics, with `info_metrics`, which are no observation; else None."""
        spec = env.full_observation_spec_unbatched.clone()
        del spec[GROUP, "observation"]
        return spec if "metrics" in set(spec[GROUP].keys()) else None

    @override
    def action_mask_spec(self, env: TorchRLEnv) -> None:
        """None: every action may be played."""

    @staticmethod
    @override
    def env_name() -> str:
        """The name under which results are filed."""
        return "social_dilemmas"
