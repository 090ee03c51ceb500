"""The page of an episode: one file, no network, nothing of a stranger's in its markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from social_dilemmas_env.replay import Exact, read_episode, replay_page
from tests.env.replay.recordings import recorded

LOADING = ("src", "href", "srcset", "action")
HOSTILE = '</script><img src=x onerror="alert(1)">&%%STYLE%%'


class Elements(HTMLParser):
    """Counts elements, and keeps the attributes that could load something."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in LOADING]


def test_fifty_steps_with_everything_take_less_than_300_kB():
    episode = recorded(telling=True)
    track = tuple(0.123456 for _ in range(50))
    full = replace(episode, exact=Exact("exact", (track, track), (track, track)))
    assert len(replay_page(full).encode()) < 300_000


def test_it_loads_nothing():
    page = replay_page(recorded())
    assert Elements(page).links == []
    assert "default-src 'none'" in page
    loads = re.findall(r"https?://\S+|@import|url\(|fetch\(|XMLHttpRequest|eval\(|innerHTML", page)
    assert loads == ['http://www.w3.org/2000/svg";']


def test_a_strangers_name_is_no_markup():
    plain = recorded(steps=3)
    hostile = replace(plain, players=(HOSTILE, "b"))
    assert Elements(replay_page(hostile)).tags == Elements(replay_page(plain)).tags


def test_the_page_holds_the_episode(tmp_path):
    episode = recorded("ipd_v0")
    path = tmp_path / "match.html"
    path.write_text(replay_page(episode))
    assert read_episode(path) == episode


def test_the_page_of_a_game_without_a_picture_shows_its_text():
    assert '"kind":"text","texts":["' in replay_page(recorded("public_goods_v0", steps=2))


def test_nothing_played_is_no_page():
    with pytest.raises(ValueError, match="no step to show"):
        replay_page(recorded(steps=0))
