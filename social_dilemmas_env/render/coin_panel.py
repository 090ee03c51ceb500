"""Beside and under the board of the Coin Game: players, share of own coins, who took what."""

from social_dilemmas_env.render.canvas import Box, Canvas
from social_dilemmas_env.render.coin_layout import EVENT, EVENTS, PANEL, SHARE, Layout
from social_dilemmas_env.render.describe import (
    Pickup,
    coin_counts,
    display_name,
    format_number,
    history_note,
    last_pickups,
    last_rewards,
    no_moves_text,
    own_coins,
    with_minus_signs,
)
from social_dilemmas_env.render.lettering import TextStyle, text_width
from social_dilemmas_env.render.palette import INK, MUTED, QUIET, player_color, player_ink
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle
from social_dilemmas_env.render.widgets import (
    CAPTION,
    GAP,
    HEADER,
    MARGIN,
    WIDTH,
    draw_card,
    draw_chip,
    draw_name,
    draw_score,
    reward_chip,
)

EVENT_TEXT = TextStyle(15, MUTED)


def draw_panel(canvas: Canvas, scene: Scene, layout: Layout) -> None:
    """The column of players, and the share of own coins under it."""
    left, counts = WIDTH - MARGIN - PANEL, coin_counts(scene)
    for player in range(len(scene.names)):
        pitch = layout.card + (GAP if layout.full else 4)
        box = Box(left, HEADER + player * pitch, PANEL, layout.card)
        draw_card(canvas, box)
        if layout.full:
            draw_player(canvas, scene, player, (box, counts[player]))
        else:
            draw_player_row(canvas, scene, player, box)

    draw_share_card(canvas, scene, counts, Box(left, HEADER + layout.side - SHARE, PANEL, SHARE))


def draw_player(canvas: Canvas, scene: Scene, player: int, content: tuple[Box, list[int]]) -> None:
    """A player's name, last reward, score, and whose coins they took.

    Args:
        canvas: to draw on.
        scene: the game.
        player: who.
        content: the card, and how many coins of each player they took.
    """
    box, taken = content
    left, width, line = box.x + 14, box.width - 28, box.height / 3.4

    # First and second line.
    badge = 28 if box.height > 100 else 24
    draw_name_line(canvas, scene, player, Box(left, round(box.y + 0.75 * line), width, badge))
    draw_score(canvas, scene, player, Box(left, round(box.y + 1.75 * line), width, 0))

    # Third line: a bar of the coins they took, their own first.
    y = round(box.y + 2.65 * line)
    text = f"own coins {taken[player]} of {sum(taken)}" if sum(taken) else "no coins yet"
    used = canvas.text(left, y, text, CAPTION) + 10
    own_first = [player, *[i for i in range(len(taken)) if i != player]]
    bar = Box(left + used, y - 4, width - used, 8)
    draw_shares(canvas, bar, [(i, taken[i]) for i in own_first])


def draw_name_line(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """Badge, name and last reward of a player.

    The badge is `line.height` large, the middle at `line.y`.
    """
    rewards, right = last_rewards(scene), line.x + line.width
    canvas.badge(line.x + line.height / 2, line.y, player, line.height)

    # The reward on the right; the name has what is left.
    if rewards and rewards[player]:
        chip = reward_chip(rewards[player], 13)
        draw_chip(canvas, right - chip.width / 2, line.y, chip)
        right -= chip.width + 6
    x = line.x + line.height + 8
    draw_name(canvas, scene, player, Box(x, line.y, right - x, 0))


def draw_player_row(canvas: Canvas, scene: Scene, player: int, box: Box) -> None:
    """A player's name, last reward and score on one line, or on two where there is room."""
    if box.height >= 50:
        left, width = box.x + 14, box.width - 28
        name = Box(left, box.y + round(0.34 * box.height), width, 22)
        draw_name_line(canvas, scene, player, name)
        score = Box(left, box.y + round(0.74 * box.height), width, 0)
        draw_score(canvas, scene, player, score)
        return

    y, room = box.y + box.height // 2, 50
    draw_name_line(canvas, scene, player, Box(box.x + 8, y, box.width - 16 - room, 22))
    text = with_minus_signs(format_number(scene.scores[player]))
    canvas.text(box.x + box.width - 10, y, text, TextStyle(15, INK, "right", room))


def draw_shares(canvas: Canvas, box: Box, parts: list[tuple[int, int]]) -> None:
    """A bar cut in proportion to the parts, each in its player's colour."""
    canvas.box(box, BoxStyle(QUIET, radius=box.height // 2))
    total, done = sum(count for _, count in parts), 0
    for player, count in parts:
        start, stop = (box.width * k // total if total else 0 for k in (done, done + count))
        gap = done + count < total  # a pixel before the next part
        part = Box(box.x + start, box.y, stop - start - gap, box.height)
        canvas.box(part, BoxStyle(player_color(player), 2))
        done += count


def draw_share_card(canvas: Canvas, scene: Scene, counts: list[list[int]], box: Box) -> None:
    """The cooperation measure: how many of the coins were taken by their owners."""
    draw_card(canvas, box)
    own, total = own_coins(counts)
    left, right, y = box.x + 14, box.x + box.width - 14, box.y + 20

    # In words.
    share = f"{own / total:.0%}" if total else "–"
    if total and not history_note(scene):
        share = f"{own} of {total} · {share}"
    canvas.text(left, y, "Own coins" + history_note(scene), CAPTION._replace(color=INK))
    canvas.text(right, y, share, TextStyle(15, INK, "right"))

    # As a bar.
    bar = Box(left, box.y + 38, right - left, 8)
    canvas.box(bar, BoxStyle(QUIET, radius=4))
    if own:
        done = bar._replace(width=max(bar.width * own // total, 8))
        canvas.box(done, BoxStyle(MUTED, radius=4))


def draw_events(canvas: Canvas, scene: Scene, top: int) -> None:
    """Who took what in the last step."""
    pickups = last_pickups(scene)
    limit = min(scene.game.coins, EVENTS)  # type: ignore[attr-defined]
    y = top + EVENT // 2

    if not pickups:
        nothing_taken = "No coin was taken in the last step"
        text = nothing_taken if scene.history else no_moves_text(scene).capitalize()
        canvas.text(MARGIN, y, text, EVENT_TEXT)
    for k, pickup in enumerate(pickups[:limit]):
        draw_event(canvas, scene, pickup, y + k * EVENT)

    if len(pickups) > limit:
        text, style = f"and {len(pickups) - limit} more", EVENT_TEXT._replace(align="right")
        canvas.text(WIDTH - MARGIN, y + (limit - 1) * EVENT, text, style)


def draw_event(canvas: Canvas, scene: Scene, pickup: Pickup, y: int) -> None:
    """For example: "player_1 took player_0's coin", with badges and a coin."""
    takers, own = pickup.takers[:2], pickup.takers == (pickup.owner,)
    more = f"and {len(pickup.takers) - 2} more" if len(pickup.takers) > 2 else ""
    coin = "their own coin" if own else "'s coin"

    # Names have what the rest leaves, and are cut only if that is too little.
    words = ["took", *["and"] * (len(takers) - 1), *[more] * bool(more)]
    fixed = sum(text_width(word, EVENT_TEXT.size) + 8 for word in words) + text_width(coin, 15)
    fixed += (26 + 8) * len(takers) + 28 + 1
    names = [*takers, *[pickup.owner] * (not own)]
    rooms = name_rooms([display_name(scene, i) for i in names], WIDTH - 2 * MARGIN - fixed)

    # Who took it: two at most by name.
    x = MARGIN + 1
    for k, taker in enumerate(takers):
        if k:
            x += canvas.text(x, y, "and", EVENT_TEXT) + 8
        canvas.badge(x + 10, y, taker, 20)
        x += 26
        name = TextStyle(15, player_ink(taker), width=rooms[k])
        x += canvas.text(x, y, display_name(scene, taker), name) + 8
    if more:
        x += canvas.text(x, y, more, EVENT_TEXT) + 8

    # What they took.
    x += canvas.text(x, y, "took", EVENT_TEXT) + 8
    canvas.coin(x + 11, y, pickup.owner, 22)
    x += 28

    # Whose it was.
    if not own:
        style = TextStyle(15, INK, width=rooms[-1])
        x += canvas.text(x, y, display_name(scene, pickup.owner), style)
    canvas.text(x, y, coin, TextStyle(15))


def name_rooms(names: list[str], room: int) -> list[int]:
    """Pixels for each name: equal parts, but what short names leave goes to the long ones."""
    rooms, left = dict.fromkeys(range(len(names)), 0), room
    order = sorted(rooms, key=lambda k: text_width(names[k], 15))
    for place, k in enumerate(order):
        rooms[k] = min(text_width(names[k], 15), left // (len(order) - place))
        left -= rooms[k]
    return list(rooms.values())
