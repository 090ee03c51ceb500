"""Players that read and write: games as text, answers as actions, transcripts as JSON.

    player = TextPlayer("ipd_v0", reader)          # a `Policy` like any other
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=player)
    print(player.transcripts_json())

`reader` is any function from a conversation to a text: a script, a person, or a language model,
whose client is the caller's.  The package has none.
"""

from social_dilemmas_env.text_players.answers import parse_action
from social_dilemmas_env.text_players.player import TextPlayer
from social_dilemmas_env.text_players.words import observation_text, rules_text

__all__ = ["TextPlayer", "observation_text", "parse_action", "rules_text"]
