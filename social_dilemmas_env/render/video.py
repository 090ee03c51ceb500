"""Films of an episode.

With the frames that `env.render()` returned with render_mode="rgb_array":

    save_video(frames, "episode.gif")
    save_video(frames, "episode.mp4")

    with Recorder("episode.mp4") as film:       # the same, frame by frame
        film.add(env.render())
"""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

from social_dilemmas_env.extras import pip_line
from social_dilemmas_env.render.sprites import import_library

SUFFIXES = (".gif", ".mp4")
COLORS = 255  # of a gif
SAMPLED = 24  # frames that the colours of a gif are chosen from


class Recorder:
    """Writes frames to a .gif or an .mp4 (H.264).

    A .gif is an endless loop, in which equal neighbours become one longer frame.  The file appears,
    whole, when the recorder is closed; after an error in a `with` block it does not appear at all.

    Attributes:
        path: the film.
    """

    def __init__(self, path: str | os.PathLike[str], fps: float = 4.0):
        """Starts a film.

        Args:
            path: ends in .gif or .mp4; missing folders are made.
            fps: frames a second.

        Raises:
            ValueError: another suffix, or `fps` that is not positive.
            gymnasium.error.DependencyNotInstalled: pillow (for .gif) or imageio-ffmpeg (for .mp4)
                is missing.
        """
        self.path = Path(path)
        if self.path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"a film ends in {' or '.join(SUFFIXES)}, got {str(path)!r}")
        if not 0 < fps < float("inf"):
            raise ValueError(f"fps must be positive, got {fps!r}")

        # Written under another name in the same folder, and renamed when it is whole.
        suffix = self.path.suffix.lower()
        part = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part{suffix}")
        self._film: Any = (GifFilm if suffix == ".gif" else Mp4Film)(part, fps)
        self._shape: tuple[int, ...] | None = None  # of the frames; None before the first
        self._closed = False

    def add(self, frame: np.ndarray) -> None:
        """Adds a frame: uint8 [height, width, 3], all of one size.

        Raises:
            ValueError: no such array, another size than before, or the recorder is closed.
        """
        if self._closed:
            raise ValueError("this film is closed")
        frame = np.asarray(frame)

        # Look at the frame before anything is written.
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(
                f"a frame is uint8 [height, width, 3], got {frame.dtype} {list(frame.shape)}"
            )
        if self._shape not in (None, frame.shape):
            before = list(self._shape or ())
            raise ValueError(
                f"frames of a film have one size: {before} before, {list(frame.shape)} now"
            )

        if self._shape is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._film.add(frame)
        self._shape = frame.shape

    def close(self) -> None:
        """Finishes the film; may be called again.

        Raises:
            ValueError: there were no frames.
        """
        if self._closed:
            return
        self._closed = True
        if self._shape is None:
            raise ValueError(f"no frames for {self.path}")

        try:
            self._film.finish()
            os.replace(self._film.path, self.path)
        finally:
            self._film.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Ends without a film."""
        if not self._closed:
            self._closed = True
            self._film.abandon()

    def __enter__(self) -> "Recorder":
        """Starts a `with` block."""
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finishes the film, or drops it after an error."""
        if error is None:
            self.close()
        else:
            self.discard()


class LastFrame:
    """Keeps the last of the frames, and writes it as a .png; used as a `Recorder`.

    Needs pillow.

    Attributes:
        path: the picture; it appears, whole, when the `with` block ends without an error.
    """

    def __init__(self, path: str | os.PathLike[str]):
        """Starts.

        Args:
            path: ends in .png; missing folders are made.

        Raises:
            ValueError: another suffix.
            OSError: the folder cannot be made.
            gymnasium.error.DependencyNotInstalled: pillow is missing.
        """
        self.path = Path(path)
        if self.path.suffix.lower() != ".png":
            raise ValueError(f"a picture ends in .png, got {str(path)!r}")
        self._pillow = import_library("PIL.Image")
        self.path.parent.mkdir(parents=True, exist_ok=True)  # what cannot be had is said at once
        self._frame: np.ndarray | None = None

    def add(self, frame: np.ndarray) -> None:
        """Takes a frame: uint8 [height, width, 3]."""
        self._frame = frame

    def close(self) -> None:
        """Writes the picture.

        Raises:
            ValueError: there were no frames.
        """
        if self._frame is None:
            raise ValueError(f"no frames for {self.path}")
        part = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part.png")
        try:
            self._pillow.fromarray(self._frame).save(part, optimize=True)
            os.replace(part, self.path)
        finally:
            part.unlink(missing_ok=True)

    def __enter__(self) -> "LastFrame":
        """Starts a `with` block."""
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes the picture, unless something went wrong."""
        if error is None:
            self.close()


def save_video(
    frames: Iterable[np.ndarray], path: str | os.PathLike[str], fps: float = 4.0
) -> Path:
    """Writes frames to a .gif or an .mp4 file.

    Args:
        frames: uint8 arrays [height, width, 3] of one size; at least one.
        path: ends in .gif or .mp4; missing folders are made.
        fps: frames a second.

    Returns:
        The path of the film.

    Raises:
        ValueError: another suffix, no frames, or frames that are not such arrays.
        gymnasium.error.DependencyNotInstalled: pillow (for .gif) or imageio-ffmpeg (for .mp4) is
            missing.
    """
    with Recorder(path, fps) as film:
        for frame in frames:
            film.add(frame)
    return film.path


class GifFilm:
    """Keeps the frames until the end: their common palette depends on all of them.

    Needs pillow.
    """

    def __init__(self, path: Path, fps: float):
        self.path, self.fps = path, fps
        self.pillow = import_library("PIL.Image")
        self.frames: list[Any] = []

    def add(self, frame: np.ndarray) -> None:
        """Takes a frame."""
        self.frames.append(self.pillow.fromarray(np.ascontiguousarray(frame)))

    def palette(self) -> Any:
        """The colours of frames taken evenly from the film, as a picture.

        One palette keeps a still background still.
        """
        chosen = self.frames[:: -(-len(self.frames) // SAMPLED)] + self.frames[-1:]
        tall = np.concatenate([np.asarray(frame) for frame in chosen])
        return self.pillow.fromarray(tall).quantize(COLORS, method=self.pillow.Quantize.FASTOCTREE)

    def finish(self) -> None:
        """Writes the file."""
        palette = self.palette()
        first, *rest = [
            frame.quantize(palette=palette, dither=self.pillow.Dither.NONE) for frame in self.frames
        ]

        milliseconds = max(round(1000 / self.fps), 20)  # browsers slow down what is shorter
        first.save(
            self.path, save_all=True, append_images=rest, duration=milliseconds, loop=0, disposal=1
        )

    def abandon(self) -> None:
        """Drops the frames."""
        self.frames.clear()


class Mp4Film:
    """Hands the frames to ffmpeg one by one.

    Needs imageio-ffmpeg, and the program that comes with it.
    """

    def __init__(self, path: Path, fps: float):
        self.path, self.fps = path, fps
        self.ffmpeg = import_library("imageio_ffmpeg")
        try:
            self.ffmpeg.get_ffmpeg_exe()
        except RuntimeError as error:
            raise DependencyNotInstalled(
                f"no ffmpeg program found: {pip_line('render')}, or record a .gif"
            ) from error
        self.writer: Any = None

    def add(self, frame: np.ndarray) -> None:
        """Takes a frame."""
        # H.264 wants even sides.
        height, width = frame.shape[:2]
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")

        # The first frame says how large the film is.
        if self.writer is None:
            self.writer = self.ffmpeg.write_frames(
                str(self.path),
                (frame.shape[1], frame.shape[0]),
                fps=self.fps,
                quality=8,
                macro_block_size=2,
                ffmpeg_log_level="error",
            )
            self.writer.send(None)

        self.writer.send(np.ascontiguousarray(frame))

    def finish(self) -> None:
        """Waits until ffmpeg is done."""
        self.writer.close()

    def abandon(self) -> None:
        """Stops ffmpeg and drops what it wrote."""
        if self.writer is not None:
            self.writer.close()
        self.path.unlink(missing_ok=True)
