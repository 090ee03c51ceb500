"""One training loop for every learner.

    folder = train(
        "loqa", "coin_game_v0", seed=0, out="runs/loqa",
        config=LoqaConfig(batch=256), plan=Plan(iterations=6000), game={"grid_size": 3},
    )

Calling `train` again with the same folder goes on where it stopped, bit for bit as if it had not
(CPU).  A learner is an object of the protocol `Learner` (agents/protocol.py), announced by a
`LearnerSpec`; it then has checkpoints, resuming, signals, metrics and evaluation.

    settings.py      what is asked for          run_folder.py    what is there, and resuming
    callbacks.py     what happens meanwhile     signals.py       being told to stop
"""

import math
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

import social_dilemmas_env as sde
from agents import checkpoint
from agents.checkpoint import Checkpoint
from agents.errors import TrainingError
from agents.evaluation.loading import restore_agents
from agents.evaluation.scoring import score_agent
from agents.execution.cuda_graphs import Graphs
from agents.execution.device import resolve_device
from agents.execution.memory import keep_memory
from agents.execution.multiplication import multiplication, training_device
from agents.interruption import LeftHalfWay, leaving_if
from agents.registry import LEARNERS, current_name
from agents.training.callbacks import check_callbacks, notify, standard_callbacks
from agents.training.folder_lock import FolderLock
from agents.training.reporting import RunningMean
from agents.training.run_folder import check, checkpoints, claim, resume
from agents.training.settings import Plan, Request, make_request, split_settings
from agents.training.signals import noted_signals
from social_dilemmas_env.deprecation import deprecated
from social_dilemmas_env.games.game import random_end


def train(
    learner: str,
    env_id: str,
    *,
    config: Any = None,
    plan: Plan | None = None,
    game: Mapping[str, Any] | None = None,
    callbacks: Iterable[object] = (),
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    **overrides: Any,
) -> Path:
    """Trains, or goes on training.

    Args:
        learner: a name in LEARNERS.
        env_id: a game.
        config: the learner's settings, its frozen dataclass; None for its defaults in this game.
        plan: how long to train, and what to do meanwhile.
        game: the game's arguments.
        callbacks: objects with any of `on_update`, `on_evaluate`, `on_save` (callbacks.py).
        seed: fixes everything.
        device: "auto" (CUDA where there is one), "cpu", "cuda", ...
        out: the run folder; by default "runs/LEARNER-ENV-SEED".
        **overrides: single settings of the three by name; deprecated, for one release.

    Returns:
        The run folder.

    Raises:
        ValueError: an unknown learner, game or setting (the nearest names are given); a folder with
            another run in it.
        TypeError: settings given both by name and in one of the three.
        CheckpointError: the run's last checkpoint is damaged, or of another run.
        TrainingError: a metric or parameter became infinite or NaN; or memory ran out.
        BlockingIOError: another process is training in this folder.
        OSError: something could not be written.
        SystemExit: SIGINT or SIGTERM came; the last whole update was saved: the one that was
            going on, or where updates take seconds (pola_dice, pola_exact) the one before it.
            Status 130 or 143.
    """
    # The folder goes by the name that was given: an unfinished run is found again.
    folder = Path(out or f"runs/{learner}-{env_id}-{seed}")

    # Old names, for one release.
    name = current_name(learner)
    if name != learner:
        deprecated(f"the learner {learner!r}", repr(name))
    if overrides:
        words = ", ".join(f"{word}=..." for word in overrides)
        deprecated(f"train(..., {words})", "train(..., config=..., plan=..., game=...)")
        if not (config is None and plan is None and game is None):
            raise TypeError(f"give {words} in config=, plan= and game=, or all by name")
        config, plan, game = split_settings(name, env_id, overrides)

    request = make_request(name, env_id, config=config, plan=plan, game=game, seed=seed)
    return run_request(request, folder, device, check_callbacks(callbacks))


def run_request(request: Request, folder: Path, device: str, callbacks: tuple[object, ...]) -> Path:
    """Trains what was asked for; `train` without the choice of settings."""
    # What cannot work is refused before anything is written.
    device = resolve_device(device)
    compute = _recorder(request, device)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r}: there is no CUDA device here (torch {torch.__version__}); use cpu"
        )
    check(folder, request.facts)

    # Process settings that the speed depends on.  The caller's threads come back.
    keep_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(request.plan.threads)
    try:
        with multiplication(request.plan.matmul), _memory_advice(request.config):
            learner: Any = request.spec.make(
                request.config, request.env_id, request.game, request.seed, device
            )
            if compute is not None:
                learner.compute = compute

            # Nothing is written for a request that is refused.
            with FolderLock(folder) as lock:
                check(folder, request.facts)  # another process may have begun since
                claim(folder, request.facts)
                Run(folder, request, device, learner, lock).go(callbacks)
    finally:
        torch.set_num_threads(before)
    return folder


def _recorder(request: Request, device: str) -> Graphs | None:
    """What records CUDA graphs, if the plan asks for them."""
    if not request.plan.cuda_graphs:
        return None
    if not request.spec.graphs:
        able = ", ".join(name for name in LEARNERS if LEARNERS[name].graphs)
        raise ValueError(f"cuda_graphs is for {able}, not {request.learner}")
    return Graphs(device)


class Run:
    """A training run, as callbacks see it.

    Attributes:
        folder: the run folder.
        facts: what was asked for: learner, env_id, game, settings, seed.
        plan: how long it trains.
        device: where.
        learner: the `Learner`.
        scores: of the last evaluation.
        means: of the metrics since the last line of them.
        saved: the last checkpoint, without its tensors; None before the first.
        stopping: whether the run was told to stop.
    """

    def __init__(
        self, folder: Path, request: Request, device: str, learner: Any, lock: FolderLock
    ) -> None:
        self.folder, self.device, self.learner, self._lock = folder, device, learner, lock
        self.facts, self.plan = request.facts, request.plan
        self.stopping = False
        self._callbacks: tuple[object, ...] = ()
        self._started = time.monotonic()

        # Go on with the last checkpoint, if there is one.
        self.saved = resume(folder, learner, self.facts)
        before: dict[str, Any] = self.saved.facts if self.saved else {"seconds": 0.0, "scores": {}}
        self._seconds_before: float = before["seconds"]
        self.scores: dict[str, float] = before["scores"]
        means = before.get("means", {"totals": {}, "count": 0})  # earlier versions kept none
        self.means = RunningMean(means["totals"], means["count"])
        # Told to stop, it was saved before it was evaluated.
        self._evaluated: int = before.get("evaluated", self.iteration)

    @property
    def iteration(self) -> int:
        """Updates so far."""
        return int(self.learner.iteration)

    def elapsed(self) -> float:
        """Seconds of training so far, also those before an interruption; never fewer."""
        spent = max(0.0, time.monotonic() - self._started)  # a machine's clock may be set back
        return round(self._seconds_before + spent, 2)

    def go(self, callbacks: tuple[object, ...] = ()) -> None:
        """Trains to the end of the plan, or until a signal.

        Raises:
            TrainingError: something became infinite or NaN.
            SystemExit: the signal's status.
        """
        self._callbacks = standard_callbacks(self, self.plan, callbacks)
        try:
            with noted_signals() as noted:
                self._catch_up()
                while not noted and not self._finished():
                    metrics = self._update(noted)
                    if metrics is None:
                        break
                    self.stopping = bool(noted)
                    self.means.add(metrics, self.iteration)
                    notify(self._callbacks, "on_update", self, metrics)

                # What is trained is saved, whatever ended it and whoever has deleted it since.
                if not self._is_saved():
                    self.save()
        finally:
            notify(self._callbacks, "close")

        # As the shell counts signals: 130 for SIGINT, 143 for SIGTERM.
        if noted:
            raise SystemExit(128 + noted[0])

    def _is_saved(self) -> bool:
        """Whether the present state is in a checkpoint that can be loaded."""
        if self.saved is None or self.saved.step != self.iteration:
            return False
        return checkpoint.is_whole(self.saved.path) and (self.folder / "run.json").exists()

    def _catch_up(self) -> None:
        """Evaluates where a run that was told to stop left it out."""
        every = self.plan.eval_every
        if every and self.iteration % every == 0 and self._evaluated != self.iteration:
            self.evaluate()

    def _update(self, noted: list[int]) -> dict[str, float] | None:
        """One update; its metrics, or None if it was left half-way and is undone."""
        if not getattr(self.learner, "leaves_between_parts", False):
            return self._finite(self.learner.update())  # a signal waits until it is done

        whole = {name: tensor.clone() for name, tensor in self.learner.state().items()}
        iteration = self.iteration
        try:
            with leaving_if(lambda: bool(noted)):
                return self._finite(self.learner.update())
        except LeftHalfWay:
            # What is saved is a whole update.
            self.learner.load({**whole, **self.learner.frozen()}, iteration)
            return None

    def _finished(self) -> bool:
        if self.plan.iterations is not None and self.iteration >= self.plan.iterations:
            return True

        minutes = self.plan.minutes  # of this call, not of the whole run
        return minutes is not None and time.monotonic() - self._started > 60 * minutes

    def _finite(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        """Metrics as numbers.  Raises TrainingError if one is none."""
        # One transfer from the device for all of them.
        each = [torch.as_tensor(x, dtype=torch.float64).cpu() for x in metrics.values()]
        numbers = dict(zip(metrics, torch.stack(each).tolist(), strict=True))
        for name, value in numbers.items():
            if not math.isfinite(value):
                self._give_up(f"{name} became {value}")
        return numbers

    def _give_up(self, what: str) -> None:
        where = self.saved.path if self.saved else "none: it happened before the first one"
        raise TrainingError(
            f"{what} in update {self.iteration}; the last good checkpoint is {where}"
        )

    def save(self) -> Checkpoint:
        """Writes a checkpoint of the present state.

        Returns:
            The checkpoint, without its tensors.

        Raises:
            TrainingError: the state is not finite.
            OSError: it could not be written, or the folder was deleted and another process has
                begun there; earlier checkpoints are untouched.
        """
        # A checkpoint that cannot be gone on from must not replace one that can.
        state = self.learner.state()
        for name, tensor in state.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                self._give_up(f"{name} became infinite or NaN")

        # Somebody may have deleted the folder: all that it needs is written again.
        self._lock.renew()
        claim(self.folder, self.facts)
        saved = checkpoint.save(
            checkpoints(self.folder),
            self.iteration,
            state,
            self._checkpoint_facts(),
            self.learner.frozen(),
            keep=self.plan.keep,
            before=self.saved,
        )
        self.saved = saved
        notify(self._callbacks, "on_save", self, saved)
        return saved

    def _checkpoint_facts(self) -> dict[str, Any]:
        versions = {
            "torch": torch.__version__,
            "social_dilemmas_env": sde.__version__,
            "python": platform.python_version(),
        }
        return {
            **self.facts,
            "device": training_device(self.device),
            "seconds": self.elapsed(),
            "versions": versions,
            "iterations": self.iteration,
            "scores": self.scores,
            "evaluated": self._evaluated,
            "means": self.means.facts(),
        }

    def evaluate(self) -> dict[str, float]:
        """Mean rewards a step of the present agents; see `score_agent`.

        None where episodes end at random, which nobody scores.
        """
        if random_end(sde.spec(self.facts["env_id"]).game(**self.facts["game"])) is not None:
            self._evaluated = self.iteration
            return self.scores

        # The agents of a checkpoint that was never written.
        state = {name: tensor.cpu() for name, tensor in self.learner.state().items()}
        present = Checkpoint(self.folder, self.iteration, self.facts, state)
        self.scores = score_agent(
            restore_agents(present), episodes=self.plan.eval_episodes, seed=self.iteration
        )
        self._evaluated = self.iteration
        notify(self._callbacks, "on_evaluate", self, self.scores)
        return self.scores


# What torch says when memory runs out, on the CPU and on CUDA.
OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


@contextmanager
def _memory_advice(config: Any) -> Iterator[None]:
    """Says which settings to lower when memory runs out."""
    try:
        yield
    except TrainingError:  # a RuntimeError, too
        raise
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(words in str(error) for words in OUT_OF_MEMORY):
            raise

        # The settings that memory grows with, as far as this learner has them.
        sizes = ", ".join(
            f"{name} (now {getattr(config, name)})"
            for name in ("batch", "snapshots", "runs")
            if hasattr(config, name)
        )
        raise TrainingError(f"out of memory: lower {sizes or 'the batch'}") from error
