"""Files that `play` and `replay` write: films, pictures, pages and episodes."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from agents.atomic_write import write_atomically
from agents.cli.words import check_folder
from social_dilemmas_env.replay import Episode, episode_json, replay_page

FILMS, PICTURE = (".gif", ".mp4"), ".png"
RECORDS = (".json", ".html")  # of one episode


def is_record(path: str | None) -> bool:
    """Whether a file keeps an episode, and not its pictures."""
    return path is not None and Path(path).suffix.lower() in RECORDS


def check_name(path: str) -> None:
    """Looks at a name before anything is played.

    Raises:
        ValueError: no such kind of file, or no folder for it.
    """
    if Path(path).suffix.lower() not in (*FILMS, PICTURE, *RECORDS):
        raise ValueError(
            "--save writes a film (.gif or .mp4), a picture of the last step (.png: pictures are "
            "made of pixels, no .svg, no .pdf), a page to look at (.html) or the episode itself "
            f"(.json), got {path!r}"
        )
    if is_record(path):
        check_folder(Path(path))


def open_film(path: str | None, fps: int) -> Any:
    """A recorder of frames; complains of a wrong file name before anything is played."""
    if path is None:
        return nullcontext()
    # Inside: it draws with pygame, which playing without a film does not need.
    from social_dilemmas_env.render.video import LastFrame, Recorder

    return LastFrame(path) if Path(path).suffix.lower() == PICTURE else Recorder(path, fps)


def save_episode(episode: Episode, path: str, fps: int = 4, scale: int = 1) -> str:
    """Writes an episode in the form that the file's name asks for; a sentence about it.

    Raises:
        ValueError: nothing was played.
        OSError: it cannot be written.
        gymnasium.error.DependencyNotInstalled: a library for films or pictures is missing.
    """
    if is_record(path):
        page = Path(path).suffix.lower() == ".html"
        text = replay_page(episode) if page else episode_json(episode)
        write_atomically(Path(path), text.encode())
        return f"saved {episode.steps} steps to {path} ({len(text.encode()) / 1000:.0f} kB)"

    # Inside: see open_film.
    from social_dilemmas_env.render.frames import frame

    scenes = episode.scenes()[1:]
    with open_film(path, fps) as film:
        for scene in scenes if Path(path).suffix.lower() != PICTURE else scenes[-1:]:
            film.add(frame(scene, scale))
    return f"saved {episode.steps} steps to {path}"
