"""# Clean Up (`clean_up_v0`)

Apples grow while the river is clean; who cleans it has no time to eat.

## Description

    1. In each step all players turn or move, one after another in a fresh random order: a step
       forward, backward, left or right of where they face, or a quarter turn.
    2. A step into a wall, or into a cell where somebody stands at that moment, fails.
    3. Players may stand anywhere but in walls, and nowhere together; the river can be walked in.
    4. Whoever enters a cell with a ripe apple eats it: +1.  An apple that grows under a player pays
       before the moves, and is gone after them: once more to that player for a step that fails, or
       to the next who enters.  So two in one step are possible.
    5. Before the moves each bare cell of an apple grows one with probability
       1/20 (1 - f / 0.4), where f is the dirty part of the river's cells that can get dirty, as
       the step before left it; with f of 0.4 or more nothing grows.
    6. Before the moves, from the 51st step on and with probability 1/2, dirt comes to a uniform
       one of the clean cells that can get dirty.
    7. After the moves a player may clean: a beam of three lines of 3 cells, which begin to the
       left, ahead and to the right of the player.  Each line cleans the first dirt that it meets;
       walls stop it, players do not.  The next one is possible 3 steps later.
    8. `zap=True`: after the moves a player may shoot a beam of the same shape; each line stops at
       the first wall or player.  The next shot is possible 11 steps later.  A player who is shot
       still ate in this step; it is away, and is back at the end of the 51st step after, on a
       uniform free spawn point, facing anywhere.
    9. The game is cut off, not over, after `max_cycles` steps (truncation), or earlier at random
       with `ending="melting_pot"`.
    10. At the start no apple is ripe and the river is dirty where the map says; players stand on
        uniform spawn points, facing anywhere.

Everybody earns most if some clean; each earns more by eating while others clean.

## Action Space

`Discrete(9)`: noop, forward, backward, left, right, turn left, turn right, zap, clean;
`Discrete(8)` without zap for `zap=False`.

## Observation Space

`Box(0, 1, (11, 11, 11), float32)`: what the player sees, 9 rows ahead and 1 behind, 5 columns on
each side, turned so that it looks up; a plane for each class:

| class | what is there |
|---|---|
| 0 | wall, or beyond the edge; everything, while the player is away |
| 1 | floor, or river that cannot get dirty |
| 2 | ripe apple |
| 3 | clean river |
| 4 | dirt |
| 5 | another player, facing as I do |
| 6 | another player, facing right |
| 7 | another player, facing me |
| 8 | another player, facing left |
| 9 | myself, not ready to shoot |
| 10 | myself, ready to shoot |

A batch with `obs_mode="uint8"` gives the class of each cell instead, `Box(0, 10, (11, 11), uint8)`.
There are too many views for observation ids (`obs_mode="state"`).

## Rewards

| event | reward |
|---|---|
| I eat an apple | +1 |
| anything else | 0 |

## Starting State

Rule 10.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps; with `ending="melting_pot"` also after step 1099, 1199,
   ..., with probability 0.2 each.

## Arguments

`map="default"`, or lines of text: `W` wall, a space for floor, `A` apple, `P` spawn point, `H`
river that can get dirty, `F` river that is dirty at the start, `S` other river; `num_agents=7` (2
or more), `zap=True`, `ending="fixed"` or `"melting_pot"`, `max_cycles=None`: 1000, or 5000 with
`"melting_pot"`.

## Version History

* v0: first version.  Rules after Hughes et al. 2018 (arXiv:1803.08884) as Melting Pot 2.4.1 plays
  them (arXiv:2211.13746; google-deepmind/meltingpot @81ee2e7, `clean_up`, whose map this is,
  Apache-2.0; engine dmlab2d 1.0).

Differences from Melting Pot: none in the rules; `tests/oracle` holds traces of its engine.  Players
see classes of cells instead of pixels, and not which other player it is; `READY_TO_SHOOT` is 1 or 0
here; how many others have just cleaned is not among the observations; the random end is called
truncation here, for players cannot see it.

SocialJax's `clean_up` differs: the dirty part is counted among all 167 cells of the river and not
among the 147 that can get dirty (rule 5); moves are north, south, east and west wherever the player
faces (rule 1); there is no pause between beams (rules 7 and 8); one random key serves apples and
dirt.
"""

from dataclasses import dataclass
from functools import cached_property

from typing_extensions import override

from social_dilemmas_env.games.commons.arguments import checked_map, checked_players, horizon_of
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.commons.clean_up import DELAY, GROUND, CleanUpRules
from social_dilemmas_env.games.commons.clean_up_maps import LETTERS, MAPS
from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.games.commons.maps import MOVES
from social_dilemmas_env.games.commons.players import BeamRules
from social_dilemmas_env.modes import Ending
from social_dilemmas_env.validation import flag, integer

CLEAN_BEAM, BEAM = BeamRules(3, 2, 0), BeamRules(3, 10, 51)  # rules 7 and 8


@dataclass(frozen=True)
class CleanUp(CommonsGame):
    """Rules of Clean Up; the fields are the switches of the module's docstring."""

    map: str = "default"  # a name, or the lines of a text
    num_agents: int = 7
    zap: bool = True  # rule 8
    ending: Ending = "fixed"  # rule 9
    max_cycles: int = 1000
    growth: tuple[int, int, int] = (2, 5, 40)  # rule 5: (2 K - 5 dirty) / (40 K), of K cells
    dirt_percent: int = 50  # rule 6
    clean_beam: BeamRules = CLEAN_BEAM  # rule 7
    beam: BeamRules = BEAM  # rule 8
    maps = MAPS

    @cached_property
    def dirt_cells(self) -> tuple[int, ...]:
        """The river's cells that can get dirty."""
        return self.lattice.cells("HF")

    @cached_property
    def dirty_at_start(self) -> tuple[int, ...]:
        """1 for each of these that is dirty at the start, else 0."""
        dirty = set(self.lattice.cells("F"))
        return tuple(int(cell in dirty) for cell in self.dirt_cells)

    @override
    def on(self, xp: RuleArrays) -> CleanUpRules:
        return CleanUpRules(self, xp)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Seven moves, a shot, a cleaning beam."""
        return (len(MOVES) + self.zap + 1,) * self.num_agents

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """See `games.commons.maps.MOVES`."""
        return ((*MOVES, *["zap"] * self.zap, "clean"),) * self.num_agents

    @property
    @override
    def things(self) -> tuple[tuple[str, int, int], ...]:
        return (
            ("cleaning", self.num_agents, self.clean_beam.cooldown + 1),
            ("clock", 1, DELAY + 1),
            ("apple", len(self.apple_cells), 2),
            ("dirt", len(self.dirt_cells), 2),
        )

    @property
    @override
    def ground(self) -> tuple[str, ...]:
        return GROUND

    @property
    @override
    def end_percent(self) -> int:
        return 20

    @property
    def reward_values(self) -> tuple[float, ...]:
        """Nothing, an apple, or two."""
        return (0.0, 1.0, 2.0)

    @property
    @override
    def streams(self) -> int:
        return len(self.apple_cells) + 2 + 3 * self.num_agents + 1


def clean_up(
    *,
    map: str = "default",
    num_agents: int = 7,
    zap: bool = True,
    ending: Ending = "fixed",
    max_cycles: int | None = None,
) -> CleanUp:
    """Checks the arguments and returns the rules.

    Raises:
        ValueError: an unknown map or ending, a map without apples, spawn points or river, more
            players than points.
        TypeError: an argument of another type.
    """
    needed = {"A": "apples", "P": "spawn points", "H": "river that can get dirty"}
    game = CleanUp(
        map=checked_map(map, MAPS, LETTERS, needed),
        num_agents=integer("num_agents", num_agents, 2),
        zap=flag("zap", zap),
        ending=ending,
        max_cycles=horizon_of(ending, max_cycles),
    )
    checked_players(game.num_agents, game.spawn_cells)
    return game
