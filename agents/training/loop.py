"""One training loop for every learner.

    folder = train("loqa", "coin_game_v0", seed=0, iterations=6000, out="runs/loqa", grid_size=3,
    batch=256)

A run folder holds `run.json` (what was asked for), `metrics.jsonl`, `checkpoints/` and, where
TensorBoard is installed, `events/`. Calling `train` again with the same folder goes on where it
stopped, bit for bit as if it had not (CPU).

A learner is any object with

    iteration: int                      updates so far
    update() -> {name: number}          one update; metrics as floats or 0-dimensional tensors
    state() -> {name: tensor}           everything that changes
    kept() -> {name: tensor}            tensors that, once there, never change (past selves); may be empty
    load(tensors, iteration)            the inverse of the two
    players: int                        how many networks of their own the players have in `state`; for evaluation, optional
    compute: Direct                     how it computes (compute.py); `cuda_graphs` replaces it, optional

whose random numbers follow from its seed and `iteration` (or are part of `state`). Register a
`LearnerSpec` (learners.py), and it has checkpoints, resuming, signals, metrics and evaluation.
"""

import difflib
import json
import math
import platform
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import torch

import social_dilemmas_env as sde
from agents import checkpoint
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import agents_of
from agents.evaluation.scores import scores
from agents.execution.cuda_graphs import Graphs
from agents.execution.memory import keep_memory
from agents.registry import LEARNERS
from agents.training.reporting import Reporter

LOG_EVERY = 20  # iterations between lines of metrics


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why and where the last good checkpoint is."""


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to do meanwhile; none of it changes what is learned.

    Attributes:
        iterations: updates in all; None for no limit.
        minutes: wall-clock limit of this call; None for none.
        eval_every: iterations between evaluations; 0 for none.
        eval_episodes: games a pair in an evaluation.
        save_minutes: wall-clock time between checkpoints; there is always one at the end.
        keep: checkpoints that stay.
        threads: of torch on the CPU; the many small operations here are fastest on one.
        cuda_graphs: a deep learner records its roll-outs and updates as CUDA graphs (graphs.py).
            Not yet run on a device.
        quiet: no progress bar.
    """

    iterations: int | None = 1000
    minutes: float | None = None
    eval_every: int = 500
    eval_episodes: int = 128
    save_minutes: float = 5.0
    keep: int = 3
    threads: int = 1
    cuda_graphs: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        for name, least in (
            ("iterations", 1),
            ("eval_episodes", 1),
            ("keep", 1),
            ("threads", 1),
            ("eval_every", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        for name in ("minutes", "save_minutes"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be at least 0, not {value}")


def train(
    learner: str,
    env_id: str,
    *,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    **overrides: Any,
) -> Path:
    """Trains, or goes on training.

    Args:
        learner: a name in LEARNERS.
        env_id: a game.
        seed: fixes everything.
        device: "auto" (CUDA where there is one), "cpu", "cuda", ...
        out: the run folder; by default "runs/LEARNER-ENV-SEED".
        **overrides: the learner's settings, the game's arguments, and those of `Plan` (iterations,
            minutes, ...).

    Returns:
        The run folder.

    Raises:
        ValueError: an unknown learner, game or override (the nearest names are given); a folder
            with another run in it.
        CheckpointError: the run's last checkpoint is damaged.
        TrainingError: a metric or parameter became infinite or NaN; or memory ran out.
        SystemExit: SIGINT or SIGTERM came; the update was finished and saved. Status 130 or 143.
    """
    if learner not in LEARNERS:
        raise ValueError(f"there is no learner {learner!r}; {nearest(learner, LEARNERS)}")
    spec, facts, plan = _settings(learner, env_id, seed, overrides)
    folder = Path(out or f"runs/{learner}-{env_id}-{seed}")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if plan.cuda_graphs and not spec.graphs:
        raise ValueError(
            f"cuda_graphs is for {', '.join(n for n in LEARNERS if LEARNERS[n].graphs)}, not {learner}"
        )
    compute = Graphs(device) if plan.cuda_graphs else None
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r}: there is no CUDA device here (torch {torch.__version__}); use cpu"
        )
    _check(folder, facts)
    keep_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        cfg = replace(spec.settings(env_id), **facts["settings"])
        with _memory_advice(cfg):
            made = spec.make(cfg, env_id, facts["game"], seed, device)
            if compute is not None:
                made.compute = compute
            _claim(folder, facts)
            _Run(folder, facts, plan, device, made).go()
    finally:
        torch.set_num_threads(before)
    return folder


class _Run:
    def __init__(
        self, folder: Path, facts: dict[str, Any], plan: Plan, device: str, learner: Any
    ) -> None:
        self.folder, self.facts, self.plan, self.device, self.learner = (
            folder,
            facts,
            plan,
            device,
            learner,
        )
        self.saved: Checkpoint | None = None
        self.seconds = 0.0
        self.scores: dict[str, float] = {}
        self.started = time.monotonic()
        if checkpoint.manifests(folder / "checkpoints"):
            self._resume()

    def _resume(self) -> None:
        saved = checkpoint.load(self.folder / "checkpoints")
        check_tensors(saved.tensors, self.learner.state(), saved.path)
        try:
            self.learner.load(saved.tensors, saved.step)
        except KeyError as error:
            raise CheckpointError(f"{saved.path}: it has no {error}") from error
        self.seconds, self.scores = saved.facts["seconds"], saved.facts["scores"]
        self.saved = replace(saved, tensors={})

    def go(self) -> None:
        """Trains to the end of the plan, or until a signal."""
        plan, n = self.plan, 0
        total: dict[str, Any] = {}
        last = time.monotonic()
        with (
            Reporter(self.folder, self.learner.iteration, plan.iterations, plan.quiet) as report,
            _signals() as caught,
        ):
            while not caught and not self._finished():
                metrics = self._numbers(self.learner.update())
                k, n = self.learner.iteration, n + 1
                total = {name: total.get(name, 0.0) + value for name, value in metrics.items()}
                report.progress(k, metrics)
                if k % LOG_EVERY == 0:
                    report.write(
                        k,
                        {"seconds": self._elapsed(), **{name: x / n for name, x in total.items()}},
                    )
                    total, n = {}, 0
                if plan.eval_every and k % plan.eval_every == 0 and not caught:
                    self._evaluate(report)
                if time.monotonic() - last > 60 * plan.save_minutes:
                    self.save()
                    last = time.monotonic()
            if self.saved is None or self.saved.step != self.learner.iteration:
                self.save()
        if caught:
            raise SystemExit(128 + caught[0])

    def _finished(self) -> bool:
        limit = self.plan.iterations
        late = (
            self.plan.minutes is not None
            and time.monotonic() - self.started > 60 * self.plan.minutes
        )
        return late or (limit is not None and self.learner.iteration >= limit)

    def _elapsed(self) -> float:
        return round(self.seconds + time.monotonic() - self.started, 2)

    def _numbers(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        values = torch.stack(
            [torch.as_tensor(x, dtype=torch.float64).cpu() for x in metrics.values()]
        ).tolist()
        for name, value in zip(metrics, values, strict=True):
            if not math.isfinite(value):
                self._give_up(f"{name} became {value}")
        return dict(zip(metrics, values, strict=True))

    def _give_up(self, what: str) -> None:
        where = self.saved.path if self.saved else "none: it happened before the first one"
        raise TrainingError(
            f"{what} in update {self.learner.iteration}; the last good checkpoint is {where}"
        )

    def _facts(self) -> dict[str, Any]:
        made = {
            "torch": torch.__version__,
            "social_dilemmas_env": sde.__version__,
            "python": platform.python_version(),
        }
        how = {"device": device_name(self.device), "seconds": self._elapsed(), "versions": made}
        return {**self.facts, **how, "iterations": self.learner.iteration, "scores": self.scores}

    def save(self) -> None:
        """A checkpoint of the present state, if it is finite."""
        state = self.learner.state()
        for name, tensor in state.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                self._give_up(f"{name} became infinite or NaN")
        self.saved = checkpoint.save(
            self.folder / "checkpoints", self.learner.iteration, state, self._facts(), self.learner.kept(),
            keep=self.plan.keep, before=self.saved,
        )  # fmt: skip

    def _evaluate(self, report: Reporter) -> None:
        state = {name: tensor.cpu() for name, tensor in self.learner.state().items()}
        agents = agents_of(Checkpoint(self.folder, self.learner.iteration, self.facts, state))
        self.scores = scores(agents, episodes=self.plan.eval_episodes, seed=self.learner.iteration)
        k, named = (
            self.learner.iteration,
            {f"eval {name}": value for name, value in self.scores.items()},
        )
        report.write(k, {"seconds": self._elapsed(), **named})
        report.say(
            f"{k}: " + ", ".join(f"{name} {value:+.3f}" for name, value in self.scores.items())
        )


def _settings(
    learner: str, env_id: str, seed: int, overrides: dict[str, Any]
) -> tuple[Any, dict[str, Any], Plan]:
    spec = LEARNERS[learner]
    names = {f.name for f in fields(spec.settings(env_id))}
    game_names = set(sde.spec(env_id).keywords) - ({"max_cycles"} if "horizon" in names else set())
    plan_names = {f.name for f in fields(Plan)}
    known = names | game_names | plan_names
    for name in overrides:
        if name not in known:
            raise ValueError(
                f"{learner} on {env_id} has no setting {name!r}; {nearest(name, known)}"
            )
    game = {name: value for name, value in overrides.items() if name in game_names}
    sde.spec(env_id).game(**game)  # refuses bad values, before anything is written
    base = spec.settings(env_id)
    kinds = _kinds(type(base)) | _kinds(Plan)
    for name in (names | plan_names) & overrides.keys():
        _check_type(name, overrides[name], kinds[name])
    settings = asdict(replace(base, **{k: v for k, v in overrides.items() if k in names}))
    facts = {"learner": learner, "env_id": env_id, "game": game, "settings": settings, "seed": seed}
    return spec, facts, Plan(**{k: v for k, v in overrides.items() if k in plan_names})


def _kinds(settings: type) -> dict[str, Any]:
    try:
        return get_type_hints(settings)
    except NameError:  # made from other settings at run time; what it asks for, it checks
        return dict.fromkeys((f.name for f in fields(settings)), object)


def _check_type(name: str, value: Any, kind: Any) -> None:
    kinds = get_args(kind) or (kind,)
    if not set(kinds) <= {bool, int, float, str, NoneType}:
        return  # something that its own class must judge
    allowed = {*kinds, *({int} if float in kinds else ())}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value!r}")
    if type(value) not in allowed:
        words = " or ".join("None" if each is NoneType else each.__name__ for each in kinds)
        raise ValueError(f"{name} must be {words}, not {value!r}")


def _claim(folder: Path, facts: dict[str, Any]) -> None:
    """Writes `run.json` if there is none."""
    path = folder / "run.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_atomically(path, json.dumps(facts, indent=1).encode())


def _check(folder: Path, facts: dict[str, Any]) -> None:
    """Raises if the folder's `run.json`, if it has one, says something else than `facts`."""
    path = folder / "run.json"
    if not path.exists():
        return
    try:
        found = json.loads(path.read_text())
        there, asked = (
            {**each, **each["settings"]} for each in (found, json.loads(json.dumps(facts)))
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: not readable: {error}") from error
    names = [name for name in {**there, **asked} if name != "settings"]
    differing = [
        f"{name}={there.get(name, 'not there yet')!r}"
        for name in names
        if there.get(name, "") != asked.get(name, "")
    ]
    if differing:
        raise ValueError(
            f"{folder} holds another run ({', '.join(differing)}): choose another folder"
        )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM are noted in the list.

    A second SIGINT interrupts at once.  Main thread only.
    """
    caught: list[int] = []

    def note(number: int, frame: Any) -> None:
        if caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        caught.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


OUT_OF_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "out of memory",
)  # torch's words on the CPU; and on CUDA


@contextmanager
def _memory_advice(cfg: Any) -> Iterator[None]:
    try:
        yield
    except TrainingError:
        raise
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(
            w in str(error) for w in OUT_OF_MEMORY
        ):
            raise
        sizes = ", ".join(
            f"{n} (now {getattr(cfg, n)})"
            for n in ("batch", "snapshots", "runs")
            if hasattr(cfg, n)
        )
        raise TrainingError(f"out of memory: lower {sizes or 'the batch'}") from error


def device_name(device: str) -> str:
    """For the records: the GPU's or the processor's name."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            (line.split(":")[1].strip() for line in lines if line.startswith("model name")), model
        )
    except OSError:
        pass
    return f"{model}, {torch.get_num_threads()} thread"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return (
        f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(names)}"
    )
