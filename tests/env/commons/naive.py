"""The two spatial commons once more, from the numbered rules on their pages and not from the code:
coordinates, dictionaries and loops.

Where the rules leave a choice to chance, a naive game says which results are allowed.
"""

import copy
import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

AHEAD = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # north, east, south, west
STEPS = {"forward": 0, "right": 1, "backward": 2, "left": 3}  # quarter turns from the facing
TURNS = {"turn left": -1, "turn right": 1}

Cell = tuple[int, int]


@dataclass
class Player:
    """One player; `where` is None while it is away."""

    where: Cell | None
    facing: int
    pauses: dict[str, int]  # beam -> steps until the next one
    away: int = 0  # steps until it is back

    def beside(self, quarter: int, length: int = 1, start: Cell | None = None) -> Cell:
        """The cell so many steps from here (or from `start`), a quarter turn being to the right."""
        row, column = start or self.where
        down, along = AHEAD[(self.facing + quarter) % 4]
        return row + length * down, column + length * along


@dataclass
class Seen:
    """What a step led to: places, facings, rewards, and what lies around."""

    where: list[Cell | None]
    facings: list[int]
    rewards: list[int]
    things: dict[str, Any]


class Naive:
    """What both games have in common: a map, walking, beams, being away, sight."""

    outside = "W"
    sight: tuple[str, ...]  # names of the classes of ground, in the order of their numbers
    pause: ClassVar[dict[str, int]]  # steps from a beam to the next one
    away: int  # steps

    def __init__(self, text: str, zap: bool):
        self.lines, self.zap = text.splitlines(), zap
        self.height, self.width = len(self.lines), max(map(len, self.lines))
        self.players: list[Player] = []

    def letter(self, cell: Cell) -> str:
        """What the map has there."""
        row, column = cell
        if not (0 <= row < self.height and 0 <= column < self.width):
            return self.outside
        return self.lines[row].ljust(self.width)[column]

    def cells(self, letters: str) -> list[Cell]:
        """All cells of these letters, row by row."""
        every = itertools.product(range(self.height), range(self.width))
        return [cell for cell in every if self.letter(cell) in letters]

    def step(self, actions: list[str], after: Seen) -> None:
        """Plays a step; what chance did is taken from `after`.

        Raises:
            AssertionError: no order of the players and no other chance leads there.
        """
        for where in self.results(actions, after):
            twin = copy.deepcopy(self)
            with suppress(AssertionError):
                twin.judge(actions, where, after)
                vars(self).update(vars(twin))
                return
        raise AssertionError(f"{actions} does not lead to {after}")

    def target(self, number: int, actions: list[str]) -> Cell | None:
        """Where a step would lead; None for what is no step, and for who is away."""
        player, action = self.players[number], actions[number]
        return player.beside(STEPS[action]) if player.where and action in STEPS else None

    def stand(self, where: list[Cell | None], actions: list[str]) -> None:
        """Rule 1: the players are there now, and have turned."""
        for player, cell, action in zip(self.players, where, actions, strict=True):
            player.where = cell
            if cell:
                player.facing = (player.facing + TURNS.get(action, 0)) % 4

    def beam(self, player: Player, stops: set[Cell], length: int = 3) -> set[Cell]:
        """Where the three lines of a beam end: the first of `stops` that each meets, if any."""
        met = set()
        for side in (-1, 0, 1):
            start = player.beside(side) if side else player.where
            for k in range(length):
                cell = player.beside(0, k if side else k + 1, start)
                if self.letter(cell) == "W":
                    break
                if cell in stops:
                    met.add(cell)
                    break
        return met

    def who_shoots(self, actions: list[str], word: str) -> list[Player]:
        """Those present whose beam is ready."""
        pairs = zip(self.players, actions, strict=True)
        return [p for p, action in pairs if p.where and action == word and not p.pauses[word]]

    def shoot(self, beams: dict[str, list[str]], after: Seen) -> None:
        """Beams of all kinds; who is hit is away, and who was, comes back (rules 7 and 8)."""
        standing = {player.where for player in self.players if player.where}
        hit = set()
        for shooter in self.who_shoots(beams["zap"], "zap") if self.zap else []:
            hit |= self.beam(shooter, standing - {shooter.where})

        # Pauses run while one is there.
        for word, actions in beams.items():
            shooters = self.who_shoots(actions, word)
            for player in self.players:
                if player.where:
                    shot = any(player is one for one in shooters)
                    left = self.pause[word] if shot else player.pauses[word]
                    player.pauses[word] = max(left - 1, 0)

        self.leave_and_return(hit, after)

    def leave_and_return(self, hit: set[Cell], after: Seen) -> None:
        """Rule 8: back on some free spawn point, facing anywhere."""
        taken = {player.where for player in self.players} - hit
        for player, cell, facing in zip(self.players, after.where, after.facings, strict=True):
            if player.where in hit and player.where:
                player.where, player.away = None, self.away
            elif player.where is None:
                player.away -= 1
                if not player.away:
                    assert cell is not None
                    assert self.letter(cell) == "P"
                    assert cell not in taken
                    taken.add(cell)
                    player.where, player.facing = cell, facing

            assert player.where == cell
            assert cell is None or player.facing == facing

    def thing(self, cell: Cell) -> str:
        """The name of what lies on the ground there."""
        raise NotImplementedError

    def view(self, me: Player) -> list[list[int]]:
        """The classes of the 11x11 cells that a player sees."""
        others = len(self.sight)
        if me.where is None:
            return [[0] * 11 for _ in range(11)]

        seen = []
        for ahead in range(9, -2, -1):
            row = []
            for side in range(-5, 6):
                cell = me.beside(1, side, me.beside(0, ahead))
                there = [p for p in self.players if p.where == cell]
                if not there:
                    row.append(self.sight.index(self.thing(cell)))
                elif there[0] is me:
                    ready = self.zap and not me.pauses["zap"]
                    row.append(others + 4 + ready)
                else:
                    row.append(others + (there[0].facing - me.facing) % 4)
            seen.append(row)
        return seen


class NaiveHarvest(Naive):
    """Commons Harvest; `apples` holds, for each cell of an apple, "ripe", "eaten", or a count."""

    sight = ("wall", "floor", "ripe")

    pause: ClassVar = {"zap": 3}
    away = 5

    def __init__(self, text: str, zap: bool):
        super().__init__(text, zap)
        self.apples: dict[Cell, int | str] = dict.fromkeys(self.cells("A"), "ripe")

    def thing(self, cell: Cell) -> str:
        if self.letter(cell) == "W":
            return "wall"
        return "ripe" if self.apples.get(cell) == "ripe" else "floor"

    def results(self, actions: list[str], after: Seen) -> Iterator[list[Cell | None]]:
        """Rules 1 to 3: where the players may stand after the moves."""
        for order in itertools.permutations(range(len(self.players))):
            where = [player.where for player in self.players]
            for number in order:
                cell = self.target(number, actions)
                if cell and self.letter(cell) != "W" and cell not in where:
                    where[number] = cell
            yield where

    def judge(self, actions: list[str], where: list[Cell | None], after: Seen) -> None:
        """Rules 4 to 8, for players who stand there after the moves."""
        self.eat(where, after)
        self.stand(where, actions)
        self.shoot({"zap": actions}, after)

    def eat(self, where: list[Cell | None], after: Seen) -> None:
        """Rules 4 to 6."""
        ripe = {cell for cell, what in self.apples.items() if what == "ripe"}
        due = [0] * len(self.players)
        for cell, what in self.apples.items():
            now = after.things["apples"][cell]
            near = [c for c in ripe if (c[0] - cell[0]) ** 2 + (c[1] - cell[1]) ** 2 <= 4]
            if what != "ripe" and now in ("ripe", "eaten"):  # it grew
                assert what not in ("eaten", 0)

            # An apple is there, or it is counted what is near.
            if what == "ripe" or now in ("ripe", "eaten"):
                assert now == ("eaten" if cell in where else "ripe")
                if cell in where:
                    due[where.index(cell)] += 1
            else:
                assert now == min(len(near), 3)

        assert after.rewards == due
        self.apples = dict(after.things["apples"])


class NaiveCleanUp(Naive):
    """Clean Up; `apples` are the cells of ripe ones, `dirt` those of dirt."""

    sight = ("wall", "floor", "apple", "water", "dirt")
    pause: ClassVar = {"clean": 3, "zap": 11}
    away = 51

    def __init__(self, text: str, zap: bool):
        super().__init__(text, zap)
        self.river, self.time = self.cells("HF"), 0
        self.apples: set[Cell] = set()
        self.dirt = set(self.cells("F"))

    def thing(self, cell: Cell) -> str:
        if self.letter(cell) == "W":
            return "wall"
        if cell in self.apples:
            return "apple"
        if cell in self.river:
            return "dirt" if cell in self.dirt else "water"
        return "floor"

    def results(self, actions: list[str], after: Seen) -> Iterator[list[Cell | None]]:
        """Rules 1 to 5: every order, and every set of apples that may have grown unseen."""
        bare = set(self.cells("A")) - self.apples
        grown = after.things["apples"] - self.apples
        assert grown <= bare
        near = {player.where for player in self.players}
        near |= {self.target(number, actions) for number in range(len(self.players))}
        unseen = sorted(bare & near - grown)

        grows = len(self.dirt) / len(self.river) < 0.4
        assert grows or not grown
        for k in range(len(unseen) * grows + 1):
            for more in itertools.combinations(unseen, k):
                for order in itertools.permutations(range(len(self.players))):
                    where, paid, ripe = self.walk(order, actions, grown | {*more})
                    if (paid, ripe) == (after.rewards, after.things["apples"]):
                        yield where

    def walk(self, order: tuple[int, ...], actions: list[str], grown: set[Cell]):
        """Rules 1 to 4, in an order: where all stand then, their rewards, and ripe apples."""
        where = [player.where for player in self.players]
        paid = [int(cell in grown) for cell in where]
        ripe, under = self.apples | grown, grown & set(where)
        for number in order:
            cell = self.target(number, actions)
            if cell is None:
                continue
            if self.letter(cell) != "W" and cell not in where:
                where[number] = cell
            if where[number] in ripe:  # entered, or a step that failed
                paid[number] += 1
                ripe.discard(where[number])
        return where, paid, ripe - under - set(where)

    def judge(self, actions: list[str], where: list[Cell | None], after: Seen) -> None:
        """Rules 6 to 8."""
        self.time += 1
        self.apples = set(after.things["apples"])
        self.stand(where, actions)
        cleaners = self.who_shoots(actions, "clean")
        new = [{cell} for cell in self.river if cell not in self.dirt] if self.time > 50 else []
        allowed = []
        for dirt in (self.dirt, *(self.dirt | one for one in new)):
            cleaned = set().union(*(self.beam(one, dirt) for one in cleaners))
            allowed.append(dirt - cleaned)

        assert after.things["dirt"] in allowed
        self.dirt = set(after.things["dirt"])
        self.shoot({"zap": actions, "clean": actions}, after)
