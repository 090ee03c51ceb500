"""The page in a real browser, from the disk: it is shown, without an error, wide and narrow."""

import re
import shutil
import subprocess
from html import unescape

import pytest

from social_dilemmas_env.replay import replay_page
from tests.env.replay.recordings import recorded

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 600  # seconds: a browser starts slowly on a busy machine
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed"),
]

# Appended to the page: what the browser made of it, in words that are easy to find.
PROBE = """
<script>
addEventListener("error", (event) => { document.body.dataset.error = event.message; });
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
const end = document.getElementById("step").textContent;
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
const before = document.getElementById("step").textContent;
document.getElementById("play").click();
const button = document.getElementById("play").textContent;
const wide = document.documentElement.scrollWidth <= innerWidth;
document.body.dataset.probe = [end, before, button, wide, document.body.dataset.ready].join(" / ");
</script>
"""


def seen(page, folder, width):
    """The page's content after its scripts have run."""
    path = folder / "match.html"
    path.write_text(page.replace("</body>", PROBE + "</body>"))
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    command += [f"--window-size={width},900", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return unescape(done.stdout)


@pytest.mark.parametrize(
    ("env_id", "charts", "width"),
    [("coin_game_v0", 5, 500), ("ipd_v0", 5, 1280), ("public_goods_v0", 7, 500)],
)
def test_it_opens_from_disk_and_answers_the_keys(env_id, charts, width, tmp_path):
    episode = recorded(env_id, telling=True)
    dom = seen(replay_page(episode), tmp_path, width)
    assert 'data-probe="step 50 of 50 / step 49 of 50 / pause / true / yes"' in dom
    assert "data-error" not in dom
    assert len(re.findall('<div class="chart">', dom)) == charts


def test_a_strangers_name_is_shown_as_it_is_written(tmp_path):
    episode = recorded("ipd_v0", steps=3)
    object.__setattr__(episode, "players", ("</script><b>me</b>", "you"))
    dom = seen(replay_page(episode), tmp_path, 1280)
    assert 'title="</script><b>me</b>"' in dom
    assert "data-error" not in dom
