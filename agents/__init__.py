"""Reference learners of opponent shaping for social dilemmas.

    from agents import LEARNERS, load_agent, train
    train("loqa", "coin_game_v0", seed=0, out="runs/x")
    load_agent("bundled:loqa_coin_game_v0")
    solve("loqa", sde.exact_game("coin_game_v0", memory="last_pickup"))      # without sampling

Importing this imports no torch; using it does.
"""

from social_dilemmas_env.deprecation import moved_modules
from social_dilemmas_env.lazy import lazy_names

# Public name -> its module, imported when it is asked for.
_LAZY = {
    "LEARNERS": "agents.registry",
    "LearnerSpec": "agents.registry",
    "CheckpointError": "agents.errors",
    "TrainingError": "agents.errors",
    "Plan": "agents.training.settings",
    "train": "agents.training.loop",
    "load_agent": "agents.evaluation.loading",
    "load_agents": "agents.evaluation.loading",
    "load_policy_table": "agents.evaluation.loading",
    "solve": "agents.exact.solve",
}
__all__ = [
    "LEARNERS",
    "CheckpointError",
    "LearnerSpec",
    "Plan",
    "TrainingError",
    "load_agent",
    "load_agents",
    "load_policy_table",
    "solve",
    "train",
]


__getattr__, __dir__ = lazy_names(__name__, _LAZY)

# Modules that were flat in this package, for one release.  `agents.learners`, `.training`,
# `.evaluation` and `.cli` are packages now, and give the old names themselves.
moved_modules(
    {
        f"agents.{old}": f"agents.{new}"
        for old, new in {
            # Networks, and how they are run.
            "networks": "nn.networks",
            "gru": "nn.gru",
            "lstm": "nn.lstm",
            "optimiser": "nn.adam",
            "rollout": "execution.rollout",
            "compute": "execution.direct",
            "graphs": "execution.cuda_graphs",
            "memory": "execution.memory",
            # Matrix games.
            "differentiable": "matrix_games.differentiable",
            "matrix_value": "matrix_games.closed_form",
            "sampled_game": "matrix_games.sampled",
            "parametrisations": "matrix_games.parametrisations",
            "opponent_models": "matrix_games.opponent_models",
            "metrics": "matrix_games.policy_metrics",
            "runs": "matrix_games.gradient_runs",
            # Learners.
            "naive_exact": "learners.naive.naive_exact",
            "naive_pg": "learners.naive.naive_pg",
            "lola_exact": "learners.lola.lola_exact",
            "lola": "learners.lola.lola_sampled",
            "tournament": "learners.lola.tournament",
            "tournament_learners": "learners.lola.q_learners",
            "sos": "learners.sos.sos",
            "pola": "learners.pola.pola_exact",
            "pola_dice": "learners.pola.pola_dice",
            "pola_dice_learner": "learners.pola.learner",
            "loqa": "learners.loqa.loqa",
            "self_play": "learners.loqa.self_play",
            "loqa_modelled": "learners.loqa.loqa_modelled",
            "advantage_alignment": "learners.loqa.advantage_alignment",
            "deep_learners": "learners.loqa.learner",
            "meta_exact": "learners.meta_mapg.meta_mapg_exact",
            "meta_mapg": "learners.meta_mapg.meta_mapg",
            "m_maml": "learners.meta_mapg.m_maml",
            "meta_learner": "learners.meta_mapg.learner",
            "personas": "learners.meta_mapg.personas",
            "tabular_runs": "learners.tabular",
            "exact_run": "learners.exact_table",
            "sb3_ppo": "learners.sb3_ppo",
            "learners.protocol": "protocol",
            # Training, evaluation, the command.
            "reporting": "training.reporting",
            "agent": "evaluation.agent",
            "players": "evaluation.players",
            "league": "evaluation.league",
            "commands.demo": "cli.demo",
            "commands.envs": "cli.envs",
            "commands.evaluate": "cli.evaluate",
            "commands.league": "cli.league",
            "commands.play": "cli.play",
            "commands.train": "cli.train",
            "commands": "cli",
        }.items()
    }
    | {"agents.regular_file": "social_dilemmas_env.regular_file"}
)
