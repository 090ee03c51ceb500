"""What happens while a run trains: small objects, asked in turn.

A callback is any object with any of these methods, which `train(..., callbacks=(...))` calls:

    on_update(run, metrics)      after every update; {name: float}
    on_evaluate(run, scores)     after an evaluation; {name: mean reward a step}
    on_save(run, checkpoint)     after a checkpoint was written
    close()                      at the end, however the run ends

The metrics file, the progress bar, evaluation and saving are such objects; a user's come between
the reports and evaluation.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

from agents.progress import ProgressBar
from agents.training.reporting import (
    LOG_EVERY,
    MetricsFile,
    RunningMean,
    tensorboard_wanted,
    tensorboard_writer,
)
from agents.training.settings import Plan
from social_dilemmas_env.extras import need

SAY_SECONDS = 60.0  # between lines where there is no bar

# The methods that make an object a callback.
EVENTS = ("on_update", "on_evaluate", "on_save")
Metrics = Mapping[str, float]


class TrainingRun(Protocol):
    """A run as callbacks see it (`Run` of loop.py).

    Attributes:
        folder: the run folder.
        facts: what was asked for: learner, env_id, game, settings, seed.
        learner: what is trained, a `Learner`.
        scores: of the last evaluation.
        means: of the metrics since the last line of them.
        stopping: whether the run was told to stop.
    """

    folder: Path
    facts: dict[str, Any]
    learner: Any
    scores: dict[str, float]
    means: RunningMean
    stopping: bool

    @property
    def iteration(self) -> int:
        """Updates so far."""

    def elapsed(self) -> float:
        """Seconds of training so far, also those before an interruption."""

    def evaluate(self) -> dict[str, float]:
        """Scores the present agents, and tells all callbacks."""

    def save(self) -> Any:
        """Writes a checkpoint, and tells all callbacks."""


def notify(callbacks: Iterable[object], event: str, *arguments: Any) -> None:
    """Calls the method `event` of every callback that has one, in their order."""
    for callback in callbacks:
        method = getattr(callback, event, None)  # all of them are optional
        if method is not None:
            method(*arguments)


def check_callbacks(callbacks: Iterable[object]) -> tuple[object, ...]:
    """The callbacks as a tuple.

    Raises:
        ValueError: an object with none of EVENTS; perhaps a class instead of an object of it.
    """
    checked = tuple(callbacks)
    for callback in checked:
        if isinstance(callback, type) or not any(hasattr(callback, event) for event in EVENTS):
            raise ValueError(
                f"a callback is an object with any of {', '.join(EVENTS)}, not {callback!r}"
            )
    return checked


def standard_callbacks(
    run: TrainingRun, plan: Plan, users: tuple[object, ...]
) -> tuple[object, ...]:
    """What every run has: reports, then the user's callbacks, then evaluation and saving."""
    # Reports first: a line of metrics is written before the evaluation of the same iteration.
    start = run.iteration
    reports: list[object] = [
        ShowProgress(plan.iterations, start=start, shown=False if plan.quiet else None),
        WriteMetrics(run.folder, start),
    ]
    if tensorboard_wanted() and not any(isinstance(user, TensorBoard) for user in users):
        with suppress(ImportError):  # nobody asked for it
            reports.append(TensorBoard(run.folder))

    return (*reports, *users, Evaluate(plan.eval_every), Save(plan.save_minutes))


class ShowProgress:
    """A bar in a terminal, or else a line a minute; and a line for every evaluation.

    Args:
        total: iterations in all; None if only time limits the run.
        start: iterations done before.
        shown: False for no bar, and no lines instead of it.
    """

    def __init__(self, total: int | None, *, start: int, shown: bool | None) -> None:
        self._bar = ProgressBar("training", total, start=start, shown=shown)
        # Without a terminal a line now and then, unless nothing is wanted.
        self._lines = shown is None and not self._bar.shown
        self._total, self._said = total, time.monotonic()

    def on_update(self, run: TrainingRun, metrics: Metrics) -> None:
        """Moves the bar."""
        reward = metrics.get("reward")
        text = "" if reward is None else f"reward {reward:+.3f}"
        self._bar.move_to(run.iteration, text)

        if self._lines and time.monotonic() - self._said >= SAY_SECONDS:
            self._said = time.monotonic()
            of = "" if self._total is None else f" of {self._total}"
            self._bar.say(f"update {run.iteration}{of}, {run.elapsed():.0f} s  {text}".rstrip())

    def on_evaluate(self, run: TrainingRun, scores: Metrics) -> None:
        """Says how it scored."""
        named = ", ".join(f"{name} {value:+.3f}" for name, value in scores.items())
        self._bar.say(f"{run.iteration}: {named}")

    def close(self) -> None:
        """Ends the bar."""
        self._bar.close()


class Logger:
    """Base of what records numbers: means over LOG_EVERY iterations, and every evaluation.

    A subclass gives `log(run, values)`.
    """

    def log(self, run: TrainingRun, values: Metrics) -> None:
        """Records numbers under `run.iteration`."""
        raise NotImplementedError

    def on_update(self, run: TrainingRun, metrics: Metrics) -> None:
        """Records the means of metrics every so often."""
        # The run keeps the sums: they are part of its checkpoints.
        if run.iteration % LOG_EVERY == 0:
            self.log(run, {"seconds": run.elapsed(), **run.means.means()})

    def on_evaluate(self, run: TrainingRun, scores: Metrics) -> None:
        """Records the scores as "eval NAME"."""
        named = {f"eval {name}": value for name, value in scores.items()}
        self.log(run, {"seconds": run.elapsed(), **named})


class WriteMetrics(Logger):
    """`metrics.jsonl` of a run folder; lines after iteration `start` are dropped."""

    def __init__(self, folder: Path, start: int) -> None:
        self._file = MetricsFile(folder, start)

    @override
    def log(self, run: TrainingRun, values: Metrics) -> None:
        self._file.write(run.iteration, values)


class TensorBoard(Logger):
    """TensorBoard's files; every run has them where it is installed.

    Args:
        folder: `events/` is made in it.

    Raises:
        ImportError: TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        self._writer = tensorboard_writer(Path(folder))

    @override
    def log(self, run: TrainingRun, values: Metrics) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, run.iteration)

    def close(self) -> None:
        """Flushes and closes the file."""
        self._writer.close()


class WeightsAndBiases(Logger):
    """A run on Weights & Biases, with the settings of `run.json` as its config.

    Args:
        project: the project's name.
        **init: further arguments of `wandb.init`, such as `entity`, `name`, `mode="offline"`.

    Raises:
        ImportError: wandb is not installed.
    """

    def __init__(self, project: str = "social-dilemmas", **init: Any) -> None:
        self._wandb: Any = need("wandb", extra="", what="logging to Weights & Biases")
        # Opened with the first numbers, when the run is known.
        self._init = {"project": project, **init}
        self._run: Any = None

    @override
    def log(self, run: TrainingRun, values: Metrics) -> None:
        if self._run is None:
            self._run = self._wandb.init(config=dict(run.facts), **self._init)
        self._run.log(dict(values), step=run.iteration)

    def close(self) -> None:
        """Ends the run."""
        if self._run is not None:
            self._run.finish()
            self._run = None  # the object may log another training


class Evaluate:
    """Scores the agent every so many iterations; 0 for never."""

    def __init__(self, every: int) -> None:
        self.every = every

    def on_update(self, run: TrainingRun, metrics: Metrics) -> None:
        """Evaluates if it is time to, unless the run was told to stop."""
        if self.every and run.iteration % self.every == 0 and not run.stopping:
            run.evaluate()


class Save:
    """Saves a checkpoint when the last one of this object is so many minutes old."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._last = time.monotonic()

    def on_update(self, run: TrainingRun, metrics: Metrics) -> None:
        """Saves if it is time to."""
        if time.monotonic() - self._last > 60 * self.minutes:
            run.save()

    def on_save(self, run: TrainingRun, checkpoint: Any) -> None:
        """Whoever asked for it, a checkpoint is new."""
        self._last = time.monotonic()
