"""A player that reads: the game in words, the answer in words, the transcript as JSON.

    python examples/07_text_player.py            # ten steps against one that always defects

The reader here is a script.  A language model would stand in its place: see `model_reader`.
"""

import json
import sys

import social_dilemmas_env as sde
from social_dilemmas_env.text_players import TextPlayer


def scripted_reader(messages: list[dict[str, str]]) -> str:
    """Reads the last message, and does what the other player did: tit for tat, in words."""
    seen = messages[-1]["content"]
    if "player_1 defect" in seen:
        return "They defected last time, and so do I now.\nACTION: defect"
    return "Nothing to complain of.\nACTION: cooperate"


def model_reader(messages: list[dict[str, str]]) -> str:
    """Where a language model goes: any client that takes such messages and returns a text.

    The package has no client and needs no key; yours may look like this:

        reply = client.chat(model="...", messages=messages)
        return reply.text
    """
    raise NotImplementedError("put the call of your client here")


def main(steps: int = 10) -> list[dict[str, object]]:
    """Plays one episode; returns the transcripts."""
    game = {"max_cycles": steps}
    reader = TextPlayer("ipd_v0", scripted_reader, game_kwargs=game, retries=2, default="defect")
    other = sde.make_strategy("always_defect", "ipd_v0", player=1, **game)

    env = sde.make_env("ipd_v0", **game)
    observations, _ = env.reset(seed=0)
    reader.reset(1)
    other.reset(1)
    total = 0.0
    while env.agents:
        actions = {
            "player_0": int(reader.act(observations["player_0"][None])[0]),
            "player_1": int(other.act(observations["player_1"][None])[0]),
        }
        observations, rewards, *_ = env.step(actions)
        total += rewards["player_0"]

    print(f"the reader earned {total:+g} in {steps} steps")
    return reader.transcripts()


if __name__ == "__main__":
    for transcript in main(int(sys.argv[1]) if len(sys.argv) > 1 else 10):
        print(transcript["rules"])
        print(json.dumps(transcript["turns"], indent=1))
