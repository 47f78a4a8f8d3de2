"""Does what an algorithm asks for: asks the policy, runs tactics and completions, has whole proofs judged."""

from collections.abc import Callable, Iterable, Sequence
from math import inf, isnan
from textwrap import dedent

from lean_env.goal import Goal, ProofFinished, TacticError, TacticState
from lean_env.verdict import Verdict
from search.books import Books
from search.claims import Claims, unscored
from search.graph.proof_graph import Edge, Node
from search.graph.renaming import rename
from search.policy import Completion, FailedProof, ProofPolicy, ProofPrompt, Proposal, Session, TacticPolicy
from search.result import proof_text
from search.segments import segments
from search.tasks import Ask, Asked, Complete, Completed, Outcome, Task, Try, Write, Written


class Performer:
    """Performs the tasks of one attempt, a tactic in `wall_seconds` at most. Each worker calls it outside of the lock.

    `hear` is told what came of a task.
    """

    def __init__(
        self,
        books: Books,
        claims: Claims,
        policy: TacticPolicy | ProofPolicy,
        wall_seconds: float,
        seed: int,
        hear: Callable[[Outcome], None],
    ) -> None:
        self.books, self.claims, self.policy, self.hear = books, claims, policy, hear
        self.wall_seconds, self.seed = wall_seconds, seed
        self._lost = 0  # written proofs in a row that Lean was lost on

    def perform(self, task: Task, session: Session) -> None:
        """Does one thing, and has the algorithm hear what came of it.

        Raises:
            WorkerLost: the session's Lean was lost, before anything could be heard.
        """
        match task:
            case Ask():
                self._ask(task.node)
            case Try():
                self._try(task.edge, task.heartbeats, session)
            case Complete():
                self.hear(self._complete(task, session))
            case Write():
                self.hear(self._write(task))

    def _ask(self, node: Node) -> None:
        if not self.books.sample():
            self.hear(Asked(node, ()))
            return
        proposals: list[Proposal] = []
        try:
            answer = list(self.policy.propose(node.state, self.books.graph.theorem) or ())  # type: ignore[union-attr]
            proposals = _likeliest_first(answer)
            with self.books.changed:
                self.books.tokens += sum(proposal.tokens for proposal in answer)
        except Exception as error:
            self._blame_policy(error)
        # In one piece, as with a tactic: an algorithm counts on hearing of nodes in the order of their numbers.
        with self.books.changed:
            node.asked += 1
            edges = [self.books.graph.add_edge(node, proposal) for proposal in proposals]
            self.hear(Asked(node, tuple(edge for edge in edges if edge is not None)))

    def _try(self, edge: Edge, heartbeats: int, session: Session) -> None:
        result = self._lean(edge.node.state, edge.tactic, heartbeats, session)
        if result is not None:
            with self.books.changed:
                self.hear(self.books.tried(edge, heartbeats, result))

    def _lean(
        self, state: TacticState, tactic: str, heartbeats: int, session: Session
    ) -> TacticState | TacticError | ProofFinished | None:
        """One call of Lean; None if the budget allows no more, or ended it: then nothing is known of the tactic."""
        with self.books.changed:
            wall = self.books.lean_call(self.wall_seconds)
            if wall is None:
                self.books.refused = True
                return None
        result = session.run_tactic(state, tactic, heartbeats=heartbeats, wall_seconds=wall)
        if isinstance(result, TacticError) and result.kind == "timeout" and wall < self.wall_seconds:
            with self.books.changed:
                self.books.lean_seconds += result.seconds
                self.books.refused = True
            return None
        return result

    def _complete(self, task: Complete, session: Session) -> Completed:
        sample = self.books.sample()
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
        prompt = ProofPrompt(self.books.graph.theorem, node.state, "\n".join(node.state.tactics), seed)
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
                with self.books.changed:
                    self.books.tokens += completion.tokens
        except Exception as error:
            self._blame_policy(error)
            return None, []
        return completion, tactics

    def _write(self, task: Write) -> Written:
        """A proof of the root in one piece, which goes to the judge and not through a session."""
        sample = self.books.sample()
        if not sample:
            return Written(task, None, broke_off=True)
        root = self.books.graph.root
        completion, tactics = self._completion(root, sample, task.failed)
        script = "\n".join(tactics)
        if not script:
            return Written(task, completion)
        with self.books.changed:
            edge = root.tactics.get(script) or self.books.graph.add_edge(root, Proposal(script, 0.0))
            assert edge is not None
            if _known(edge):
                return Written(task, completion)
        text = proof_text([script])
        judged = self.claims.judged(text)
        with self.books.changed:
            if judged is None or judged[1]:
                self.books.lean_seconds += judged[0].seconds if judged else 0.0
                self.books.refused = True
                return Written(task, completion, broke_off=True)
            verdict = judged[0]
            self._lost = self._lost + 1 if unscored(verdict) else 0
            if verdict.proved:
                self.books.tried(edge, 0, ProofFinished((*root.state.path, script), verdict.seconds))
                self.claims.accept(text, verdict)
                return Written(task, completion)
            self.books.tried(edge, 0, _refusal(verdict))
            if self._lost > 1:  # a proof may be too much for Lean; two in a row say that there is none
                self.books.stop("lost", verdict.message)
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
            with self.books.changed:
                edge = node.tactics.get(tactic) or self.books.graph.add_edge(node, Proposal(tactic, 0.0))
                assert edge is not None
                known = _known(edge)
            if not known:
                result = self._lean(node.state, tactic, task.heartbeats, session)
                if result is None:
                    return Completed(task, completion, tuple(edges), tuple(new), broke_off=True)
                new += self.books.tried(edge, task.heartbeats, result).new
            with self.books.changed:
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

    def _blame_policy(self, error: Exception) -> None:
        self.books.stop("policy", f"the policy failed: {type(error).__name__}: {error}")


def _known(edge: Edge) -> bool:
    """Whether Lean has said of the tactic what it will say again."""
    return edge.status in ("done", "cycle", "refuted") or (
        edge.status == "failed" and edge.error is not None and edge.error.kind not in ("timeout", "lost")
    )


def _refusal(verdict: Verdict) -> TacticError:
    """What a verdict says of the whole proof as one tactic."""
    if unscored(verdict):
        return TacticError(verdict.message, "lost", verdict.seconds)
    return TacticError(verdict.message, "timeout" if verdict.reward is None else "error", verdict.seconds)


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
