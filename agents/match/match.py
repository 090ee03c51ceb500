"""One episode between players by name, people among them, step by step; recorded where wanted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.evaluation.players import SinglePlayer, remark_on
from agents.match.human import HumanPlayer, Screen
from agents.match.telling import Teller
from social_dilemmas_env.replay import EpisodeRecorder
from social_dilemmas_env.rng import draw

HUMAN = "human"  # the word for a person


class Match:
    """The players of an environment, and what they play.

    Args:
        env: the environment, made with `game_kwargs`.
        words: who plays, one a seat; "human" is a person.
        game_kwargs: the game's arguments.
        seed: of the players' choices.
        screen: where people look; may be None without people.

    Raises:
        ValueError: an unknown name, an agent of another game, or too many actions for a person.
    """

    def __init__(
        self,
        env: Any,
        words: Sequence[str],
        game_kwargs: Mapping[str, Any],
        seed: int = 0,
        *,
        screen: Screen | None = None,
    ) -> None:
        self.env, self.words = env, tuple(words)
        env_id = env.metadata["name"]
        self.policies: list[Any] = []
        for seat, word in enumerate(words):
            if word == HUMAN and screen is not None:
                self.policies.append(Person(HumanPlayer(env, seat, screen)))
            else:
                own = draw(seed, seat)
                self.policies.append(SinglePlayer(word, env_id, seat, own, game_kwargs))
        self.recorder = EpisodeRecorder(env, words, game_kwargs)

    @property
    def players(self) -> list[Any]:
        """Who plays, as `advantage.exact_of` wants it: agents, names of strategies, or None."""
        return [
            getattr(policy.player, "agent", None if word == HUMAN else word)
            for policy, word in zip(self.policies, self.words, strict=True)
        ]

    def remarks(self) -> dict[str, str]:
        """By name what one should know of some players."""
        pairs = zip(self.words, self.policies, strict=True)
        return {name: text for name, policy in pairs if (text := remark_on(policy.player))}

    def play(self, seed: int | None = None, *, telling: bool = False) -> Iterator[dict[str, float]]:
        """Plays one episode; `recorder` has what was played so far.

        Args:
            seed: of the game; None goes on.
            telling: players are asked for probabilities and values, for the record.

        Yields:
            The rewards by agent after every step.

        Raises:
            GameStopped: a person does not go on.
        """
        env, agents = self.env, self.env.possible_agents
        observations, _ = env.reset(seed=seed)
        self.recorder.begin(seed)
        for policy in self.policies:
            policy.reset()

        # What players tell of a move is asked before they make it.
        teller = Teller([p.player for p in self.policies] if telling else [], env.max_cycles)
        while env.agents:
            told = {
                seat: teller.tell(seat, observations[agent])
                for seat, agent in enumerate(agents[: len(teller.players)])
            }
            actions = {
                agent: policy(observations[agent])
                for agent, policy in zip(agents, self.policies, strict=True)
            }
            observations, rewards, *_ = env.step(actions)
            self.recorder.add(actions, rewards, told)
            yield rewards


class Person:
    """A person in the shape of a `SinglePlayer`."""

    def __init__(self, player: HumanPlayer) -> None:
        self.player = player

    def reset(self) -> None:
        """Begins an episode."""
        self.player.reset(1)

    def __call__(self, observation: Any) -> int:
        """The move."""
        return int(self.player.act(observation[None])[0])
