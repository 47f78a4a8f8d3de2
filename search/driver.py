"""Runs an algorithm: workers take what it asks for next, do it outside of the lock, and tell it what came of it.

One worker is the calling thread, and its search is reproducible. More are threads, each with a session of its own.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import inf, isnan
from textwrap import dedent
from typing import Protocol

from lean_env.errors import WorkerLost
from lean_env.goal import Goal, ProofFinished, TacticError, TacticState
from lean_env.verdict import Verdict
from search.blame import cleared_by, most_suspect, next_suspect
from search.budget import Budget, Spent
from search.critics import CriticError
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.graph.renaming import rename
from search.graph.script import lines, script
from search.policy import (
    Completion,
    FailedProof,
    Judge,
    ProofPolicy,
    ProofPrompt,
    Proposal,
    Session,
    TacticPolicy,
)
from search.result import Stopped, proof_text
from search.segments import segments
from search.tasks import Ask, Asked, Complete, Completed, Outcome, Task, Tried, Try, Write, Written


class Algorithm(Protocol):
    """Says what to do next, and hears what came of it; never called by two threads at once."""

    def next(self) -> Task | None:
        """The next thing to do; None if there is nothing until something that is under way comes back."""
        ...

    def hear(self, outcome: Outcome) -> None:
        """What came of a task. An edge may come back a second time, with new nodes in the place of shared ones."""
        ...


@dataclass(frozen=True)
class Limits:
    """The guard behind Lean's heartbeats: `wall_seconds` for one tactic, `judge_seconds` for judging a proof."""

    wall_seconds: float = 6.0
    judge_seconds: float = 60.0


class Attempt:
    """One attempt at a theorem: the graph, what is spent, and why it stopped."""

    def __init__(
        self,
        graph: ProofGraph,
        algorithm: Algorithm,
        policy: TacticPolicy | ProofPolicy,
        judge: Judge,
        budget: Budget,
        on_event: Callable[[SearchEvent], None] = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        limits: Limits = Limits(),
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
    ) -> None:
        self.graph, self.algorithm, self.policy, self.judge, self.budget = graph, algorithm, policy, judge, budget
        self.on_event, self.should_stop, self.limits, self.seed, self.clock = on_event, should_stop, limits, seed, clock
        self.began = clock() if began is None else began
        self.samples = self.tokens = self.lean_calls = 0
        self.lean_seconds = 0.0
        self.stopped: Stopped | None = None
        self.proof: str | None = None
        self.verdict: Verdict | None = None
        self.message = ""
        self._running = 0
        self._refused = False  # something was left undone because it would have exceeded the budget
        self._judging = False
        self._lost = 0  # written proofs in a row that Lean was lost on
        self._workers = 0  # those that have a Lean, or wait for one
        self._proofs: list[list[Edge]] = []  # those that the judge refused
        self._blamed: set[int] = set()  # edges that were ever refuted for one
        self._changed = threading.Condition()

    def run(self, sessions: Sequence[Callable[[], AbstractContextManager[Session]]]) -> None:
        """Works until it is over, one worker for each session. Ctrl-C ends it; what is known stays.

        Raises:
            Exception: whatever `on_event` or the judge raises.
        """
        with self._changed:
            for node in self.graph.nodes:
                self.on_event(NodeAdded(node.number, _parent(node), node.state, self.spent()))
        self._workers = len(sessions)
        if len(sessions) == 1:
            try:
                with sessions[0]() as session:
                    self._work(session)
            except KeyboardInterrupt:
                self._stop("interrupted")
            return
        failures: list[BaseException] = []
        begun: set[int] = set()

        def work(number: int) -> None:
            try:
                with sessions[number]() as session:
                    begun.add(number)
                    self._work(session)
            except WorkerLost as error:
                self._lose(error)
            except BaseException as error:
                failures.append(error)
                self._stop("lost")

        threads = [
            threading.Thread(target=work, args=[i], name=f"search-{i}", daemon=True) for i in range(len(sessions))
        ]
        for thread in threads:
            thread.start()
        for i, thread in enumerate(threads):
            # One that is still waiting for its Lean has nothing to bring.
            while thread.is_alive() and (self.stopped is None or i in begun):
                try:
                    thread.join(0.05)
                except KeyboardInterrupt:
                    self._stop("interrupted")
        if failures:
            raise failures[0]

    def spent(self) -> Spent:
        seconds = self.clock() - self.began
        return Spent(self.samples, self.tokens, self.lean_calls, len(self.graph.nodes), seconds, self.lean_seconds)

    def _work(self, session: Session) -> None:
        """Takes tasks until the attempt is over."""
        self._claim()  # a graph to go on with may hold a proof already
        works = True
        while works and (task := self._take()) is not None:
            try:
                works = self._perform(task, session)
            finally:
                # Not before its outcome was heard, or a worker that finds nothing to do would take that for the end.
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _perform(self, task: Task, session: Session) -> bool:
        """Does one thing and has the algorithm hear of it. False if the session's Lean was lost."""
        try:
            match task:
                case Ask():
                    self._ask(task.node)
                case Try():
                    self._try(task.edge, task.heartbeats, session)
                case Complete():
                    self._hear(self._complete(task, session))
                case Write():
                    self._hear(self._write(task))
        except WorkerLost as error:
            with self._changed:
                self._lose(error)
                if self.stopped is None:
                    self._hear_of_loss(task, error)
            return False
        self._claim()
        return True

    def _hear(self, outcome: Outcome) -> None:
        with self._changed:
            try:
                self.algorithm.hear(outcome)
            except CriticError as error:
                self._stop("policy", str(error))
            self._changed.notify_all()

    def _lose(self, error: WorkerLost) -> None:
        """One worker less; the others go on."""
        with self._changed:
            self._workers -= 1
            if not self._workers:
                self._stop("lost", str(error))

    def _hear_of_loss(self, task: Task, error: WorkerLost) -> None:
        if isinstance(task, Try):
            self._hear(self._book(task.edge, task.heartbeats, TacticError(str(error), "lost")))
        elif isinstance(task, Complete):
            self._hear(Completed(task, None))
        elif isinstance(task, Write):
            self._hear(Written(task, None))

    def _take(self) -> Task | None:
        while True:
            with self._changed:
                if self._over():
                    return None
                try:
                    task = self.algorithm.next()
                except CriticError as error:
                    self._stop("policy", str(error))
                    return None
                if task is not None:
                    self._running += 1
                    return task
                if self._running or self._judging:
                    self._changed.wait(0.05)
                elif not self._blame_another():
                    self._stop("budget" if self._refused else "exhausted")
                    return None
            self._claim()

    def _over(self) -> bool:
        if self.stopped is None and self.should_stop():
            self._stop("interrupted")
        if self.stopped is None and not self.budget.allows_lean_call(self.spent()):
            self._stop("budget")
        return self.stopped is not None

    def _stop(self, why: Stopped, message: str = "") -> None:
        with self._changed:
            if self.stopped is None:
                self.stopped, self.message = why, message
            self._changed.notify_all()

    def _sample(self) -> int:
        """Books one sample of the policy; its number, counted from 1, or 0 if there is none left."""
        with self._changed:
            if self.stopped is None and self.budget.allows_sample(self.spent()):
                self.samples += 1
                return self.samples
            self._refused = True
            return 0

    def _ask(self, node: Node) -> None:
        if not self._sample():
            self._hear(Asked(node, ()))
            return
        proposals: list[Proposal] = []
        try:
            answer = list(self.policy.propose(node.state, self.graph.theorem) or ())  # type: ignore[union-attr]
            proposals = _likeliest_first(answer)
            with self._changed:
                self.tokens += sum(proposal.tokens for proposal in answer)
        except Exception as error:
            self._blame_policy(error)
        # In one piece, as with a tactic: an algorithm counts on hearing of nodes in the order of their numbers.
        with self._changed:
            node.asked += 1
            edges = [self.graph.add_edge(node, proposal) for proposal in proposals]
            self._hear(Asked(node, tuple(edge for edge in edges if edge is not None)))

    def _try(self, edge: Edge, heartbeats: int, session: Session) -> None:
        result = self._lean(edge.node.state, edge.tactic, heartbeats, session)
        if result is not None:
            with self._changed:
                self._hear(self._book(edge, heartbeats, result))

    def _lean(
        self, state: TacticState, tactic: str, heartbeats: int, session: Session
    ) -> TacticState | TacticError | ProofFinished | None:
        """One call of Lean; None if the budget allows no more, or ended it: then nothing is known of the tactic."""
        with self._changed:
            spent = self.spent()
            if self.stopped is not None or not self.budget.allows_lean_call(spent):
                self._refused = True
                return None
            self.lean_calls += 1
            wall = min(self.limits.wall_seconds, self.budget.seconds_left(spent))
        result = session.run_tactic(state, tactic, heartbeats=heartbeats, wall_seconds=wall)
        if isinstance(result, TacticError) and result.kind == "timeout" and wall < self.limits.wall_seconds:
            with self._changed:
                self.lean_seconds += result.seconds
                self._refused = True
            return None
        return result

    def _book(self, edge: Edge, heartbeats: int, result: TacticState | TacticError | ProofFinished) -> Tried:
        with self._changed:
            self.lean_seconds += result.seconds
            edge.heartbeats = heartbeats
            new: list[Node] = []
            if edge.status not in ("untried", "failed"):
                pass  # another worker ran the same, and was faster
            elif isinstance(result, TacticError):
                self.graph.fail(edge, result)
            else:
                new = self.graph.succeed(edge, result)
            spent = self.spent()
            self.on_event(EdgeTried(edge.node.number, Proposal(edge.tactic, edge.log_probability), result, spent))
            for node in new:
                self.on_event(NodeAdded(node.number, edge.node.number, node.state, spent))
            return Tried(edge, tuple(new), isinstance(result, TacticError) and result.kind == "limit")

    def _complete(self, task: Complete, session: Session) -> Completed:
        sample = self._sample()
        if not sample:
            return Completed(task, None, broke_off=True)
        completion, tactics = self._completion(task.node, sample)
        if completion is None:
            return Completed(task, None)
        if task.whole and tactics:
            tactics = ["\n".join(tactics)]
        return self._walk(task, completion, tactics, session)

    def _completion(
        self, node: Node, sample: int, failed: FailedProof | None = None
    ) -> tuple[Completion | None, list[str]]:
        """What the policy writes from the node, or in the place of what failed, and its tactics."""
        seed = self.seed * 1_000_003 + sample
        prompt = ProofPrompt(self.graph.theorem, node.state, "\n".join(node.state.tactics), seed)
        completion: Completion | None = None
        tactics: list[str] = []
        try:
            if failed is not None:
                completion = self.policy.correct(prompt, failed)  # type: ignore[union-attr]
            else:
                answers = self.policy.complete([prompt])  # type: ignore[union-attr]
                completion = None if answers is None else next(iter(answers), None)
            if completion is not None:
                tactics = segments(completion.text)
                with self._changed:
                    self.tokens += completion.tokens
        except Exception as error:
            self._blame_policy(error)
            return None, []
        return completion, tactics

    def _write(self, task: Write) -> Written:
        """A proof of the root in one piece, which goes to the judge and not through a session."""
        sample = self._sample()
        if not sample:
            return Written(task, None, broke_off=True)
        root = self.graph.root
        completion, tactics = self._completion(root, sample, task.failed)
        script = "\n".join(tactics)
        if not script:
            return Written(task, completion)
        with self._changed:
            edge = root.tactics.get(script) or self.graph.add_edge(root, Proposal(script, 0.0))
            assert edge is not None
            if _known(edge):
                return Written(task, completion)
        text = proof_text([script])
        judged = self._judged(text)
        with self._changed:
            if judged is None or judged[1]:
                self.lean_seconds += judged[0].seconds if judged else 0.0
                self._refused = True
                return Written(task, completion, broke_off=True)
            verdict = judged[0]
            self._lost = self._lost + 1 if _unscored(verdict) else 0
            if verdict.proved:
                self._book(edge, 0, ProofFinished((*root.state.path, script), verdict.seconds))
                self._accept(text, verdict)
                return Written(task, completion)
            self._book(edge, 0, _refusal(verdict))
            if self._lost > 1:  # a proof may be too much for Lean; two in a row say that there is none
                self._stop("lost", verdict.message)
            if verdict.reward is None:
                return Written(task, completion)
            messages = verdict.messages or ({"line": 1, "column": 0, "message": verdict.message},)
            return Written(task, completion, FailedProof(text, messages, task.failed.round + 1 if task.failed else 0))

    def _walk(self, task: Complete, completion: Completion, tactics: Sequence[str], session: Session) -> Completed:
        """Runs the tactics one after another from the task's node, as far as they stand.

        Where another state stands for the one that they lead to, its goals are given the names that they speak of; if
        that cannot be, all that is left runs in one piece.
        """
        node, edges, new = task.node, list[Edge](), list[Node]()
        left, names = list(tactics), ""
        while left:
            tactic = left.pop(0)
            if names:
                tactic = f"{names}\n{tactic}"
            with self._changed:
                edge = node.tactics.get(tactic) or self.graph.add_edge(node, Proposal(tactic, 0.0))
                assert edge is not None
                known = _known(edge)
            if not known:
                result = self._lean(node.state, tactic, task.heartbeats, session)
                if result is None:
                    return Completed(task, completion, tuple(edges), tuple(new), broke_off=True)
                new += self._book(edge, task.heartbeats, result).new
            with self._changed:
                if edge.status == "done":
                    edges.append(edge)
                elif edge.status != "cycle" or len(edge.children) > 1:
                    break
                if edge.result is None:
                    break
                place = next((i for i, child in enumerate(edge.children) if not child.proved), 0)
                node = edge.children[place]
                own = [edge.result.goals[goal] for goal in edge.groups[place]]
            given = _names(node.state.goals, own)
            if given is None and left:
                node, names, left = edge.node, "", ["\n".join([edge.tactic, *left])]
            else:
                names = given or ""
        return Completed(task, completion, tuple(edges), tuple(new))

    def _claim(self) -> None:
        """Has the judge look at the proof of the root, if there is one now."""
        while True:
            with self._changed:
                if not self.graph.root.proved or self._judging or self.stopped is not None:
                    return
                self._judging = True
                text = proof_text(lines(script(self.graph.root)))
            try:
                judged = self._judged(text)
            finally:
                with self._changed:
                    self._judging = False
                    self._changed.notify_all()
            if judged is None:
                return
            verdict, cut_short = judged
            with self._changed:
                self.lean_seconds += verdict.seconds
                if verdict.proved:
                    self._accept(text, verdict)
                    return
                self.on_event(ProofFound(text, False, self.spent()))
                if _unscored(verdict):
                    self._stop("lost", verdict.message)
                    return
                if cut_short:
                    return
                self._refuse()

    def _judged(self, text: str) -> tuple[Verdict, bool] | None:
        """What the judge says, asked twice if Lean was lost on it, and whether it was the budget that ended it: then
        nothing is known of the proof. None if it could not be asked."""
        for asked_again in (False, True):
            with self._changed:
                spent = self.spent()
                if self.stopped is not None or not self.budget.allows_lean_call(spent):
                    return None
                self.lean_calls += 1
                seconds = min(self.limits.judge_seconds, self.budget.seconds_left(spent))
            try:
                verdict = self.judge(self.graph.theorem, text, seconds)
            except WorkerLost as error:
                self._stop("lost", str(error))
                return None
            if asked_again or not _unscored(verdict):
                break
            with self._changed:
                self.lean_seconds += verdict.seconds
        return verdict, verdict.stage == "timeout" and seconds < self.limits.judge_seconds

    def _accept(self, text: str, verdict: Verdict) -> None:
        """It is proved."""
        self.on_event(ProofFound(text, True, self.spent()))
        self.proof, self.verdict = text, verdict
        self._stop("proved")

    def _refuse(self) -> None:
        """What the judge does not take: first without the states that stand for others, then without a suspect step."""
        proof = list(self.graph.subtree(self.graph.root))
        for edge in proof:
            new = self.graph.part(edge)
            for node in new:
                self.on_event(NodeAdded(node.number, edge.node.number, node.state, self.spent()))
            if new:
                self._hear(Tried(edge, tuple(new)))
                return
        self._proofs.append(proof)
        self._blame(most_suspect(self._proofs, self._blamed))

    def _blame_another(self) -> bool:
        """When nothing is left to do: another step of a refused proof is refuted; False if each of them was."""
        suspect = next_suspect(self._proofs, self._blamed)
        if suspect is not None:
            self._blame(suspect)
        return suspect is not None

    def _blame(self, edge: Edge) -> None:
        """Refutes the edge, and takes back what others were refuted for that it explains."""
        self._blamed.add(edge.number)
        self.graph.refute(edge)
        cleared = cleared_by(edge, self._proofs)
        for other in cleared:
            self.graph.restore(other)
        for changed in (edge, *cleared):
            self._hear(Tried(changed))

    def _blame_policy(self, error: Exception) -> None:
        self._stop("policy", f"the policy failed: {type(error).__name__}: {error}")


def _known(edge: Edge) -> bool:
    """Whether Lean has said of the tactic what it will say again."""
    return edge.status in ("done", "cycle", "refuted") or (
        edge.status == "failed" and edge.error is not None and edge.error.kind not in ("timeout", "lost")
    )


def _unscored(verdict: Verdict) -> bool:
    """Whether nothing is known of the proof because Lean was lost on it."""
    return verdict.reward is None and verdict.stage in ("lost", "statement")


def _refusal(verdict: Verdict) -> TacticError:
    """What a verdict says of the whole proof as one tactic."""
    if _unscored(verdict):
        return TacticError(verdict.message, "lost", verdict.seconds)
    return TacticError(verdict.message, "timeout" if verdict.reward is None else "error", verdict.seconds)


def _parent(node: Node) -> int | None:
    return node.parents[0].node.number if node.parents else None


def _names(here: Sequence[Goal], wanted: Sequence[Goal]) -> str | None:
    """The tactics that give goals the names of others, goal by goal; None if that cannot be."""
    text: list[str] = []
    for place, (goal, other) in enumerate(zip(here, wanted, strict=True)):
        given = rename(goal, other) if goal != other else ""
        if given is None:
            return None
        if given:
            text += [f"rotate_left {place}", given, f"rotate_right {place}"] if place else [given]
    return "\n".join(text)


def _tidy(proposal: Proposal) -> Proposal:
    """The proposal with its text at column 0, and with a log-probability that is one."""
    text, log_probability = proposal.text, proposal.log_probability
    if text[:1].isspace():
        text = dedent(text).lstrip()
    return Proposal(text, -inf if isnan(log_probability) else min(0.0, log_probability))


def _likeliest_first(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Tidy, and without blank ones; of two with one text the likelier stays."""
    best: dict[str, Proposal] = {}
    for proposal in sorted(map(_tidy, proposals), key=lambda p: -p.log_probability):
        if proposal.text.strip():
            best.setdefault(proposal.text, proposal)
    return list(best.values())
