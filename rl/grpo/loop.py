"""The loop of GRPO: theorems, groups of rollouts, advantages, updates, the new weights to the sampler, and again.

Who samples and who gives the rewards is an `Environment`, so that the loop is the same for Lean and for a toy.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from prover.benchmarks.row import Benchmark, Row
from prover.sources import UserInputError
from rl.data.proved import append_proved
from rl.grpo.batch import Batch, batch_from_json, batch_to_json, parts, rows
from rl.grpo.config import Course
from rl.grpo.curriculum import Curriculum, CurriculumOptions
from rl.grpo.interrupts import Interrupts
from rl.grpo.metrics import of_batch, of_groups, of_updates, shown
from rl.grpo.refilling import fill
from rl.grpo.replay import Replay, ReplayOptions
from rl.grpo.weights import copied, learned, put_weights, with_weights
from rl.learner.learner import Learner, NonFiniteLoss
from rl.objective.rows import TokenRow
from rl.rollouts.ahead import Ahead
from rl.rollouts.rollout import Group, unscored
from rl.runs import Run

EVALUATION = -1  # the step that evaluations are sampled with: of all the same draws, so that they compare
BEST = "best"


@dataclass(frozen=True)
class Environment:
    """Who samples groups of rollouts and gives them rewards; `rl.rollouts.Collector` with its sampler is one.

    `collect(theorems, step, version)` gives a group for each theorem, in order, whose rewards are the only ones; what
    it samples hangs on nothing but the weights and these. `take_weights(model)` has it sample with the weights that the
    model has now. `stop` has a `collect` in work, in whichever thread, end soon.
    """

    collect: Callable[[Sequence[Row], int, int], Sequence[Group]]
    take_weights: Callable[[Any], None]
    stop: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Evaluated:
    """The share of rollouts on the valid theorems that the judge took, after `step`; an unscored one is not proved.

    Of the scored ones alone, an evaluation that ran out of time on nearly all could stay the best for ever.
    """

    step: int
    reward: float


@dataclass(frozen=True)
class Task:
    """What a step's batch is made of: theorems in their order, those for refills too, and what may be given again."""

    candidates: Sequence[Row]
    replay: Replay | None


class Loop:
    """A run of GRPO from its beginning or its latest checkpoint on. `perform` does it.

    On a CPU in float32 a run that was ended in whatever way and gone on with comes to the same numbers as one that was
    not, with lag 1 too, as far as the environment gives the same rollouts again.
    """

    def __init__(
        self,
        run: Run,
        course: Course,
        learner: Learner,
        environment: Environment,
        theorems: Sequence[Row],
        valid: Sequence[Row] = (),
        *,
        save_model: Callable[[Path], None],
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.run, self.course, self.learner, self.environment = run, course, learner, environment
        self.valid, self._save_model, self._say = tuple(valid), save_model, say
        choosing = course.choosing
        drawing = CurriculumOptions(even=not choosing.curriculum, together=choosing.theorems_per_header)
        self.curriculum = Curriculum(theorems, drawing, course.seed)
        self.replay = Replay(ReplayOptions(each=choosing.replay_each)) if choosing.replayed else None
        self.reference = _reference(learner.model) if course.objective.kl != "none" else None
        self.step = 0  # those that are whole
        self.last: Evaluated | None = None
        self.best: Evaluated | None = None
        self._evaluated = -1  # the step of the last evaluation, though nothing of it was scored
        # With lag 1: the weights that the next batch is sampled with, which are those before the last step's updates.
        self._behind: dict[str, Any] | None = None
        self._made: dict[int, Batch] = {}  # collected, and not yet learned from
        self._is_unsaved = False  # what is here is that of a step's end, and not on the disk
        self._hash = Benchmark("", (*theorems, *valid)).hash
        self._interrupts = Interrupts(say)

    def perform(self) -> None:
        """Goes on to the last step.

        Raises:
            UserInputError: a loss was not finite, and its batch is saved, with the model before that update; or the run
                was begun with other theorems; or something cannot be written.
            RolloutsLost: Lean or the sampler did not come back; the last whole step is saved.
            KeyboardInterrupt: Ctrl-C; the last whole step is saved. (A second one while a step is being finished tears
                it, and the run goes on from the checkpoint before.)
        """
        course = self.course
        ahead = Ahead(self._prepare, self._collect, course.lag, course.steps, self.environment.stop)  # type: ignore[arg-type]
        with self._interrupts.heard():
            try:
                self._restore(ahead)
                while True:
                    evaluated = self._evaluate(ahead)
                    if evaluated or self.step == course.steps or self.step % course.checkpoint_every == 0:
                        self._checkpoint(ahead)
                    if self.step >= course.steps:
                        return
                    self._one_step(ahead)
            except BaseException:
                self._break_off(ahead)
                raise

    def _one_step(self, ahead: Ahead[Task, Batch]) -> None:
        course, began = self.course, time.monotonic()
        batch = ahead.take(self.step)
        found = rows(batch.kept, course.shaping, course.objective.normalise_std)
        with self._interrupts.whole():
            self._is_unsaved = False
            if course.lag:
                self._behind = self._weights()
            updates = self._learn(found)
            _take_in(self._made.pop(self.step), self.curriculum, self.replay)
            told = of_batch(batch, self.step, course.shaping) | of_updates(updates) | self.curriculum.metrics()
            seconds = time.monotonic() - began
            told |= {"step_seconds": seconds, "tokens_per_second": told["sampled_tokens"] / max(seconds, 1e-9)}
            reset = course.reference_reset and (self.step + 1) % course.reference_reset == 0
            if reset and self.reference is not None:
                put_weights(self.reference, self._weights())
            self.step += 1
            append_proved(self.run.folder, self.step, batch.groups)
            self.run.log(self.step, told)
            examples = shown(batch, course.samples_shown, course.shaping, course.objective.normalise_std)
            self.run.log_samples(self.step, examples)
            self._is_unsaved = True
        self._tell(batch, told)

    def _learn(self, batch: Sequence[TokenRow]) -> list[dict[str, float]]:
        """The updates on a step's rows, and what the learner says of each."""
        if not batch:
            return []
        course, temperature = self.course, self.course.objective.temperature
        if self.reference is not None:
            found = self.learner.log_probs(batch, temperature, self.reference)
            batch = [replace(row, reference_log_probs=each) for row, each in zip(batch, found, strict=True)]
        if course.updates > 1 or course.minibatches > 1:
            # With one update the old policy is the present one, whatever has sampled.
            found = self.learner.log_probs(batch, temperature)
            batch = [replace(row, old_log_probs=each) for row, each in zip(batch, found, strict=True)]
        told: list[dict[str, float]] = []
        for update in range(course.updates):
            for part in parts(batch, course.minibatches, (course.seed, self.step, update)):
                self.learner.step = course.updates_before(self.step) + len(told)
                try:
                    told.append(self.learner.update(part, course.objective))
                except NonFiniteLoss as error:
                    raise self._not_finite(error, part, len(told) + 1) from error
        return told

    def _not_finite(self, error: NonFiniteLoss, part: Sequence[TokenRow], update: int) -> UserInputError:
        dumped = self.run.dump(f"step-{self.step + 1}", part)
        model = dumped.with_suffix("")
        self._save_model(model)
        return UserInputError(
            f"At step {self.step + 1}, in update {update} of it, {error}; that update was not taken, and its batch is "
            f"in {dumped}. Go on in another folder with --base {model}, the model before it, and perhaps a smaller "
            "--learning-rate."
        )

    def _prepare(self, step: int) -> Task:
        """The sampler gets the present weights, and the theorems of the step are drawn.

        With lag 1 what the step before has collected, and not learned yet, is known by now. The run's own curriculum
        and replay are told of it with the end of that step only: until then the run is as it was, whatever comes.
        """
        curriculum, replay = copy.copy(self.curriculum), copy.copy(self.replay)
        if step > self.step:
            _take_in(self._made[self.step], curriculum, replay)
        self.environment.take_weights(self.learner.model)
        choosing = self.course.choosing
        return Task(curriculum.draw(choosing.theorems_per_step * (1 + choosing.refills), step), replay)

    def _collect(self, task: Task, step: int) -> Batch:
        """The batch of a step; in another thread with lag 1, and so reads nothing that changes meanwhile."""
        course, began = self.course, time.monotonic()
        version = max(0, step - course.lag)
        left, times = course.choosing.replayed, 0

        def collect(theorems: Sequence[Row]) -> list[Group]:
            nonlocal left, times
            times += 1
            groups = []
            for group in self.environment.collect(theorems, step, version):
                given = group if task.replay is None or not left else task.replay.fill(group)
                left -= given is not group
                groups.append(given)
            return groups

        filled = fill(task.candidates, course.choosing.theorems_per_step, course.choosing.refills, collect)
        batch = Batch(filled.kept, filled.dropped, times - 1, time.monotonic() - began)
        self._made[step] = batch
        return batch

    def _evaluate(self, ahead: Ahead[Task, Batch]) -> bool:
        """An evaluation, if it is time for one and none was made; whether it was."""
        every = self.course.evaluation_every
        due = every and (self.step % every == 0 or self.step == self.course.steps)
        if not due or not self.valid or self._evaluated == self.step:
            return False
        ahead.waiting()  # the sampler does one thing at a time
        self.environment.take_weights(self.learner.model)
        groups = self.environment.collect(self.valid, EVALUATION, self.step)
        told = of_groups(groups)
        with self._interrupts.whole():
            self.run.log(self.step, {f"valid_{name}": value for name, value in told.items()})
            self._evaluated = self.step
            rewards = [reward or 0 for group in groups for reward in group.rewards]
            self.last = Evaluated(self.step, sum(rewards) / len(rewards)) if "reward" in told else None
            if self.last is not None and (self.best is None or self.last.reward > self.best.reward):
                self.best = self.last
            self._is_unsaved = True
        if self.last is not None:
            rate = f"{100 * self.last.reward:.1f} % of rollouts, {100 * told['pass_rate']:.1f} % of theorems proved"
            self._say(f"step {self.step}: on {len(self.valid)} valid theorems {rate}")
        return True

    def _checkpoint(self, ahead: Ahead[Task, Batch]) -> None:
        """Saves what is whole, if it is not saved: with the batch that waits, or with what it is sampled with."""
        if not self._is_unsaved:
            return
        waiting = ahead.waiting()
        tensors: dict[str, Any] = {"learner": self.learner.state_dict()}
        if self.reference is not None:
            tensors["reference"] = copied(self.reference, learned(self.learner.model))
        if waiting is None and self._behind is not None:
            tensors["behind"] = self._behind
        state = {
            "theorems": self._hash,
            "curriculum": self.curriculum.state(),
            "replay": None if self.replay is None else self.replay.state(),
            "ahead": None if waiting is None else batch_to_json(waiting[1]),
            "evaluated": self._evaluated,
            "last": self.last and asdict(self.last),
            "best": self.best and asdict(self.best),
        }
        marks = [BEST] if self.best is not None and self.best.step == self.step else []
        with self._interrupts.whole():
            self.run.save(self.step, self._save_model, tensors, state, marks)
            self._is_unsaved = False

    def _restore(self, ahead: Ahead[Task, Batch]) -> None:
        """Goes on from the latest checkpoint, whose weights the model has already."""
        latest = self.run.latest()
        if latest is None:
            return
        self.step = latest.step
        tensors, state = latest.tensors(), latest.state()
        if state["theorems"] != self._hash:
            raise UserInputError(f"{self.run.folder} was begun with other theorems; name another folder with --out.")
        self.learner.load_state_dict(tensors["learner"])
        if self.reference is not None:
            put_weights(self.reference, tensors["reference"])
        self.curriculum.load(state["curriculum"])
        if self.replay is not None:
            self.replay.load(state["replay"])
        self._evaluated = state["evaluated"]
        self.last, self.best = (each and Evaluated(**each) for each in (state["last"], state["best"]))
        self._behind = tensors.get("behind")
        latest.restore_random_states()
        if state["ahead"] is not None:
            self._made[self.step] = batch_from_json(state["ahead"])
            ahead.give(self.step, self._made[self.step])
        elif self._behind is not None and self.step < self.course.steps:
            with with_weights(self.learner.model, self._behind):
                task = self._prepare(self.step)
            ahead.give(self.step, self._collect(task, self.step))

    def _break_off(self, ahead: Ahead[Task, Batch]) -> None:
        """What is in work is dropped, and made again when the run is gone on with; the last whole step is saved."""
        ahead.close()
        self._checkpoint(ahead)

    def _weights(self) -> dict[str, Any]:
        """A copy of those that are learned, as they are now."""
        return copied(self.learner.model, learned(self.learner.model))

    def _tell(self, batch: Batch, told: dict[str, float]) -> None:
        reward = f"reward {told['reward']:.3f}" if "reward" in told else "nothing scored"
        self._say(
            f"step {self.step} of {self.course.steps}: {reward}, {len(batch.kept)} groups learned from, "
            f"{len(batch.dropped)} dropped, {told['step_seconds']:.1f} s"
        )
        for reason, count in unscored(batch.groups).most_common(1):
            self._say(f"{count} rollouts are unscored: {reason or 'no reason is known'}")


def _take_in(batch: Batch, curriculum: Curriculum, replay: Replay | None) -> None:
    """What the batch came to is remembered."""
    curriculum.record(batch.groups)
    if replay is not None:
        replay.keep(batch.groups)


def _reference(model: Any) -> Any:
    """A copy of the model that does not learn."""
    return copy.deepcopy(model).requires_grad_(False)
