"""The sprites: found in a checkout and in an installed package, made for tinting, and free to
use."""

import os
import runpy
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pygame
import pytest
from PIL import Image

import social_dilemmas_env as sde
from social_dilemmas_env.render import sprites
from social_dilemmas_env.render.palette import SHAPES

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / "render_assets"
NAMES = [
    "player",
    "apple",
    "dirt",
    *[f"{kind}_{shape}" for kind in ("coin", "badge") for shape in SHAPES],
]
BUILT_IN = sorted(path.stem for path in (ROOT / "social_dilemmas_env").glob("*_v0.py"))
WHERE = (
    "from social_dilemmas_env.render import sprites\n"
    "print(sprites.asset('player.png'))\n"
    "print(sprites.sprite('coin_star', (1, 2, 3), 20).get_size())"
)


def installed(folder, with_assets):
    """The package as an installed wheel lays it out: no checkout around it."""
    for source in (ROOT / "social_dilemmas_env").rglob("*.py"):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    if with_assets:
        home = folder / "social_dilemmas_env" / "render_assets"
        home.mkdir()
        for source in ASSETS.glob("*.png"):
            shutil.copy(source, home)


def run(folder, code):
    """Runs code that finds the package in this folder only: -S leaves out editable installs."""
    path = os.pathsep.join([str(folder), *site.getsitepackages()])
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )


def test_in_a_checkout_the_sprites_are_found_beside_the_package():
    assert Path(str(sprites.asset("player.png"))) == ASSETS / "player.png"


def test_in_a_wheel_the_sprites_are_found_in_the_package(tmp_path):
    installed(tmp_path, with_assets=True)
    done = run(tmp_path, WHERE)
    assert done.returncode == 0, done.stderr
    place, size = done.stdout.splitlines()[-2:]
    assert Path(place) == tmp_path / "social_dilemmas_env" / "render_assets" / "player.png"
    assert size == "(20, 20)"


def test_without_sprites_the_error_says_where_they_were_looked_for(tmp_path):
    installed(tmp_path, with_assets=False)
    done = run(tmp_path, WHERE)
    assert "FileNotFoundError: render_assets/player.png is missing" in done.stderr
    assert str(tmp_path / "render_assets") in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_sprites_are_grey_masters_with_clear_corners(name):
    pixels = pygame.surfarray.array3d(sprites.master(name))
    assert pixels.shape == (128, 128, 3)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()
    alpha = pygame.surfarray.array_alpha(sprites.master(name))
    assert {int(alpha[x, y]) for x in (0, 127) for y in (0, 127)} == {0}
    assert alpha[64, 64] == 255
    assert (ASSETS / f"{name}.png").stat().st_size < 8_000


def test_a_tinted_sprite_has_the_colour():
    picture = sprites.sprite("badge_square", (213, 94, 0), 40)
    assert all(
        abs(a - b) <= 3 for a, b in zip(picture.get_at((20, 20))[:3], (213, 94, 0), strict=True)
    )
    assert picture.get_at((0, 0))[3] == 0


def test_the_script_draws_the_sprites_that_are_there(tmp_path):
    shutil.copy(ASSETS / "make_sprites.py", tmp_path)
    runpy.run_path(str(tmp_path / "make_sprites.py"), run_name="__main__")
    assert {path.stem for path in tmp_path.glob("*.png")} == set(NAMES)
    for name in ("player", "coin_star"):
        drawn, kept = (
            pygame.image.load(str(folder / f"{name}.png")) for folder in (tmp_path, ASSETS)
        )
        difference = pygame.surfarray.array3d(drawn).astype(int) - pygame.surfarray.array3d(kept)
        assert (
            abs(difference).mean() < 2
        )  # other versions of pygame may smooth a little differently


def test_everything_in_the_folder_is_free_to_use():
    assert "CC0-1.0" in (ASSETS / "LICENSE").read_text()
    assert "CC0" in (ASSETS / "README.md").read_text()


def test_the_gallery_has_a_small_picture_of_every_game_and_one_film():
    assert len(BUILT_IN) == 13
    for env_id in BUILT_IN:
        path = ASSETS / "gallery" / f"{env_id}.png"
        assert path.stat().st_size <= 25_000
        assert 320 <= Image.open(path).width <= 400
    film = ASSETS / "gallery" / "coin_game_v0.gif"
    assert film.stat().st_size <= 400_000
    assert Image.open(film).n_frames > 20


@pytest.mark.wide
def test_the_gallery_can_be_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sde, "list_envs", lambda: BUILT_IN
    )  # other tests may have registered games of their own
    main = runpy.run_path(str(Path(__file__).with_name("make_gallery.py")))["main"]
    main(tmp_path / "new")
    made = {path.name for path in (tmp_path / "new").iterdir()}
    assert made == {f"{env_id}.png" for env_id in BUILT_IN} | {"coin_game_v0.gif"}
