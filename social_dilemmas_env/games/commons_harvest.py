"""# Commons Harvest (`commons_harvest_v0`)

Apples grow back where others are left near them; who takes the last ones of a patch ends it.

## Description

    1. In each step all players turn or move, one after another in a fresh random order: a step
       forward, backward, left or right of where they face, or a quarter turn.
    2. A step into a wall, or into a cell where somebody stands at that moment, fails.
    3. Players may stand anywhere but in walls, and nowhere together.
    4. Whoever stands on a ripe apple after the moves eats it: +1.  An apple that grows under a
       standing player is eaten in the same step.
    5. At each step every cell of an apple that is not ripe counts the ripe apples within a
       distance of 2 (rows^2 + columns^2 <= 4) as the step before left them.
    6. An apple grows with a probability that depends on the count of the step before: 0 of 0,
       1/400 of 1, 2/400 of 2, 10/400 of 3 or more (maps "closed" and "partnership": 0, 1/1000,
       5/1000, 25/1000).  So an apple that was eaten at step t can be back at t + 2.
    7. `zap=True`: after the moves a player may shoot a beam of three lines of 3 cells (4), which
       begin to the left, ahead and to the right of the player; each stops at the first wall or
       player.  The next shot is possible 3 (2) steps later.
    8. A player who is shot still ate in this step.  It is away, and is back at the end of the 5th
       (101st) step after, on a uniform free spawn point, facing anywhere.
    9. The game is cut off, not over, after `max_cycles` steps (truncation), or earlier at random
       with `ending="melting_pot"`.
    10. At the start all apples are ripe.  The first players stand on the map's inside points, the
       others on its spawn points, on uniform ones, facing anywhere.

Everybody earns most if apples are left to grow back; whoever leaves one leaves it to the others.
All greedy earn about 10 apples each in 1,000 steps, all restrained about 82; one greedy player
among six restrained ones takes the total from 576 to 92.

## Action Space

`Discrete(8)`: noop, forward, backward, left, right, turn left, turn right, zap; `Discrete(7)`
without the last for `zap=False`.

## Observation Space

`Box(0, 1, (9, 11, 11), float32)`: what the player sees, 9 rows ahead and 1 behind, 5 columns on
each side, turned so that it looks up; a plane for each class:

| class | what is there |
|---|---|
| 0 | wall, or beyond the edge; everything, while the player is away |
| 1 | floor |
| 2 | ripe apple |
| 3 | another player, facing as I do |
| 4 | another player, facing right |
| 5 | another player, facing me |
| 6 | another player, facing left |
| 7 | myself, not ready to shoot |
| 8 | myself, ready to shoot |

A batch with `obs_mode="uint8"` gives the class of each cell instead, `Box(0, 8, (11, 11), uint8)`.
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
   ..., with probability 0.15 each.

## Arguments

`map="open"`, `"closed"`, `"partnership"`, or lines of text: `W` wall, a space for floor, `A`
apple, `P` spawn point, `Q` inside point; `num_agents=7` (2 or more), `zap=True`,
`ending="fixed"` or `"melting_pot"`, `max_cycles=None`: 1000, or 5000 with `"melting_pot"`.

## Version History

* v0: first version.  Rules after Perolat et al. 2017 (arXiv:1707.06600) as Melting Pot 2.4.1 plays
  them (arXiv:2211.13746; google-deepmind/meltingpot @81ee2e7, `commons_harvest__open`, `__closed`,
  `__partnership`, whose maps these are, Apache-2.0; engine dmlab2d 1.0).

Differences from Melting Pot: none in the rules; `tests/oracle` holds traces of its engine.  Players
see classes of cells instead of pixels, and not which other player it is; `READY_TO_SHOOT` is 1 or 0
here, and goes 0, 1/2, 1 there; the random end is called truncation here, for players cannot see it.

SocialJax's `harvest_common_open` differs: an apple with one neighbour grows with probability .001
(rule 6); moves are north, south, east and west wherever the player faces (rule 1); there is no
pause between shots (rule 7); counts are those of the same step (rule 5); an apple that grows under
a player waits for the next who comes (rule 4); rewards are shared by default.
"""

from dataclasses import dataclass
from functools import cached_property

from typing_extensions import override

from social_dilemmas_env.games.commons.arguments import checked_map, checked_players, horizon_of
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.games.commons.harvest import EATEN, GROUND, HarvestRules
from social_dilemmas_env.games.commons.harvest_maps import LETTERS, MAPS
from social_dilemmas_env.games.commons.maps import MOVES
from social_dilemmas_env.games.commons.players import BeamRules
from social_dilemmas_env.modes import Ending
from social_dilemmas_env.validation import flag, integer

OPEN_GROWTH = ((0, 1, 2, 10), 400)  # rule 6: numerators by count, denominator
ROOM_GROWTH = ((0, 1, 5, 25), 1000)
OPEN_BEAM, ROOM_BEAM = BeamRules(3, 2, 5), BeamRules(4, 1, 101)  # rules 7 and 8
ROOMS = ("closed", "partnership")  # maps with the other numbers


@dataclass(frozen=True)
class CommonsHarvest(CommonsGame):
    """Rules of the Commons Harvest; the fields are the switches of the module's docstring."""

    map: str = "open"  # a name, or the lines of a text
    num_agents: int = 7
    zap: bool = True  # rules 7 and 8
    ending: Ending = "fixed"  # rule 9
    max_cycles: int = 1000
    growth: tuple[tuple[int, ...], int] = OPEN_GROWTH
    beam: BeamRules = OPEN_BEAM
    maps = MAPS

    @cached_property
    def inside_cells(self) -> tuple[int, ...]:
        """Where the first players start."""
        return self.lattice.cells("Q")

    @override
    def on(self, xp: RuleArrays) -> HarvestRules:
        return HarvestRules(self, xp)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Seven moves, and a shot."""
        return (len(MOVES) + self.zap,) * self.num_agents

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """See `games.commons.maps.MOVES`."""
        return ((*MOVES, *["zap"] * self.zap),) * self.num_agents

    @property
    @override
    def things(self) -> tuple[tuple[str, int, int], ...]:
        return (("apple", len(self.apple_cells), EATEN + 1),)

    @property
    @override
    def ground(self) -> tuple[str, ...]:
        return GROUND

    @property
    @override
    def end_percent(self) -> int:
        return 15

    @property
    def reward_values(self) -> tuple[float, ...]:
        """Nothing, or an apple."""
        return (0.0, 1.0)

    @property
    @override
    def streams(self) -> int:
        return len(self.apple_cells) + 3 * self.num_agents + 1


def commons_harvest(
    *,
    map: str = "open",
    num_agents: int = 7,
    zap: bool = True,
    ending: Ending = "fixed",
    max_cycles: int | None = None,
) -> CommonsHarvest:
    """Checks the arguments and returns the rules.

    Raises:
        ValueError: an unknown map or ending, a map without apples or spawn points, more players
            than points.
        TypeError: an argument of another type.
    """
    text = checked_map(map, MAPS, LETTERS, {"A": "apples", "P": "spawn points"})
    num_agents = integer("num_agents", num_agents, 2)
    rooms = text in ROOMS
    game = CommonsHarvest(
        map=text,
        num_agents=num_agents,
        zap=flag("zap", zap),
        max_cycles=horizon_of(ending, max_cycles),
        ending=ending,
        growth=ROOM_GROWTH if rooms else OPEN_GROWTH,
        beam=ROOM_BEAM if rooms else OPEN_BEAM,
    )
    checked_players(num_agents, game.spawn_cells)
    return game
