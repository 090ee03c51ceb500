"""Films: as many frames as were given, in the right size and pace, whole or not there."""

import sys

import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled
from PIL import Image

from social_dilemmas_env.render.video import Recorder, save_video
from tests.helpers.games import Dice, make

PIP = 'pip install -e ".[render]"'


def episode(name, steps):
    """Frames of the first steps."""
    env, dice = make(name, render_mode="rgb_array"), Dice(0)
    env.reset(seed=0)
    frames = [env.render()]
    for _ in range(steps):
        env.step(dice.actions(env))
        frames.append(env.render())
    return frames


def read_gif(path):
    """Frames and seconds of a gif."""
    film, frames, seconds = Image.open(path), [], 0.0
    for k in range(film.n_frames):
        film.seek(k)
        frames.append(np.asarray(film.convert("RGB")))
        seconds += film.info["duration"] / 1000
    return frames, seconds


def read_mp4(path):
    """Frames and seconds of an mp4."""
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about["size"]
    frames = [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]
    return frames, len(frames) / about["fps"]


READ = {".gif": read_gif, ".mp4": read_mp4}


@pytest.mark.parametrize("suffix", READ)
@pytest.mark.parametrize("name", ["coin", "ipd", "public_goods_9p"])
def test_a_film_of_an_episode_has_all_its_frames(tmp_path, suffix, name):
    frames = episode(name, 5)
    path = save_video(frames, tmp_path / f"film{suffix}", fps=5)
    film, seconds = READ[suffix](path)
    assert len(film) == len(frames)
    assert seconds == pytest.approx(len(frames) / 5)
    for shown, meant in zip(film, frames, strict=True):
        assert shown.shape == meant.shape
        assert np.abs(shown.astype(int) - meant).mean() < 4
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", READ)
def test_frames_may_come_one_by_one_and_folders_are_made(tmp_path, suffix):
    path = tmp_path / "new" / "folder" / f"FILM{suffix.upper()}"
    with Recorder(str(path), fps=10) as film:
        for frame in episode("coin", 3):
            film.add(frame)
            assert not path.exists()  # not before it is whole
    film.close()
    assert len(READ[suffix](path)[0]) == 4


@pytest.mark.parametrize("suffix", READ)
def test_odd_sizes_are_no_trouble(tmp_path, suffix):
    frames = [np.full((33, 51, 3), 40 * k, np.uint8) for k in range(4)]
    film, _ = READ[suffix](save_video(iter(frames), tmp_path / f"odd{suffix}"))
    assert len(film) == 4
    assert all(33 <= f.shape[0] <= 34 and 51 <= f.shape[1] <= 52 for f in film)


def test_a_gif_keeps_flat_colours_and_loops(tmp_path):
    frames = episode("coin", 8)
    film, _ = read_gif(save_video(frames, tmp_path / "film.gif"))
    worst = max(
        np.abs(shown.astype(int) - meant).max() for shown, meant in zip(film, frames, strict=True)
    )
    assert worst < 48
    assert Image.open(tmp_path / "film.gif").info["loop"] == 0


def test_a_film_replaces_an_older_one(tmp_path):
    path = tmp_path / "film.gif"
    path.write_text("old")
    save_video(episode("coin", 1), path)
    assert len(read_gif(path)[0]) == 2


@pytest.mark.parametrize("path", ["film.avi", "film", "film.webm", "film.gif.txt"])
def test_other_suffixes_are_refused_with_the_known_ones(tmp_path, path):
    with pytest.raises(ValueError, match=r"\.gif or \.mp4"):
        save_video([], tmp_path / path)


@pytest.mark.parametrize("suffix", READ)
def test_no_frames_no_film(tmp_path, suffix):
    with pytest.raises(ValueError, match="no frames"):
        save_video([], tmp_path / f"film{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", READ)
@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (np.zeros((16, 16, 3)), "float64"),
        (np.zeros((16, 16), np.uint8), r"\[16, 16\]"),
        (np.zeros((16, 16, 4), np.uint8), r"\[16, 16, 4\]"),
        (np.zeros((16, 32, 3), np.uint8), "one size"),
        (None, "uint8"),
    ],
)
def test_a_wrong_frame_is_an_error_and_leaves_nothing_behind(tmp_path, suffix, frame, words):
    good = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match=words):
        save_video([good, good, frame], tmp_path / f"film{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", READ)
def test_an_error_in_the_block_leaves_the_older_film(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), Recorder(path) as film:
        film.add(np.zeros((16, 16, 3), np.uint8))
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(ValueError, match="closed"):
        film.add(np.zeros((16, 16, 3), np.uint8))


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_the_pace_must_be_positive(tmp_path, fps):
    with pytest.raises(ValueError, match="fps"):
        Recorder(tmp_path / "film.gif", fps)


@pytest.mark.parametrize(
    ("suffix", "module", "package"),
    [(".gif", "PIL.Image", "pillow"), (".mp4", "imageio_ffmpeg", "imageio-ffmpeg")],
)
def test_a_missing_library_is_named_with_what_to_install(
    tmp_path, monkeypatch, suffix, module, package
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DependencyNotInstalled) as caught:
        Recorder(tmp_path / f"film{suffix}")
    assert package in str(caught.value)
    assert PIP in str(caught.value)


def test_a_missing_ffmpeg_is_told_at_once(tmp_path, monkeypatch):
    def nowhere():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", nowhere)
    with pytest.raises(DependencyNotInstalled, match="ffmpeg") as caught:
        Recorder(tmp_path / "film.mp4")
    assert PIP in str(caught.value)
