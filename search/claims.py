"""What becomes of a proof that a search has found: the judge accepts it, or a step of it is blamed and refuted."""

from collections.abc import Callable

from lean_env.errors import WorkerLost
from lean_env.verdict import Verdict
from search.blame import cleared_by, most_suspect, next_suspect
from search.books import Books
from search.events import NodeAdded, ProofFound
from search.graph.proof_graph import Edge
from search.graph.script import lines, script
from search.policy import Judge
from search.result import proof_text
from search.tasks import Outcome, Tried


class Claims:
    """The proofs of one attempt and what the judge, who has so many `seconds` for each, says of them.

    `hear` is told of every edge that a refusal changes. `proof` and `verdict` are those of the one that was accepted.
    """

    def __init__(self, books: Books, judge: Judge, seconds: float, hear: Callable[[Outcome], None]) -> None:
        self.books, self.judge, self.seconds, self.hear = books, judge, seconds, hear
        self.proof: str | None = None
        self.verdict: Verdict | None = None
        self.judging = False
        self._proofs: list[list[Edge]] = []  # those that the judge refused
        self._blamed: set[int] = set()  # edges that were ever refuted for one

    def claim(self) -> None:
        """Has the judge look at the proof of the root, if there is one now."""
        books = self.books
        while True:
            with books.changed:
                if not books.graph.root.proved or self.judging or books.stopped is not None:
                    return
                self.judging = True
                text = proof_text(lines(script(books.graph.root)))
            try:
                judged = self.judged(text)
            finally:
                with books.changed:
                    self.judging = False
                    books.changed.notify_all()
            if judged is None:
                return
            verdict, cut_short = judged
            with books.changed:
                books.lean_seconds += verdict.seconds
                if verdict.proved:
                    self.accept(text, verdict)
                    return
                books.on_event(ProofFound(text, False, books.spent()))
                if unscored(verdict):
                    books.stop("lost", verdict.message)
                    return
                if cut_short:
                    return
                self._refuse()

    def judged(self, text: str) -> tuple[Verdict, bool] | None:
        """What the judge says, asked twice if Lean was lost on it, and whether it was the budget that ended it: then
        nothing is known of the proof. None if it could not be asked."""
        books = self.books
        for asked_again in (False, True):
            seconds = books.lean_call(self.seconds)
            if seconds is None:
                return None
            try:
                verdict = self.judge(books.graph.theorem, text, seconds)
            except WorkerLost as error:
                books.stop("lost", str(error))
                return None
            cut_short = verdict.stage == "timeout" and seconds < self.seconds
            if asked_again or not unscored(verdict):
                break
            with books.changed:
                books.lean_seconds += verdict.seconds
        return verdict, cut_short

    def accept(self, text: str, verdict: Verdict) -> None:
        """It is proved."""
        self.books.on_event(ProofFound(text, True, self.books.spent()))
        self.proof, self.verdict = text, verdict
        self.books.stop("proved")

    def blame_another(self) -> bool:
        """When nothing is left to do: another step of a refused proof is refuted; False if each of them was."""
        suspect = next_suspect(self._proofs, self._blamed)
        if suspect is not None:
            self._blame(suspect)
        return suspect is not None

    def _refuse(self) -> None:
        """What the judge does not take: first without the states that stand for others, then without a suspect step."""
        books = self.books
        proof = list(books.graph.subtree(books.graph.root))
        for edge in proof:
            new = books.graph.part(edge)
            for node in new:
                books.on_event(NodeAdded(node.number, edge.node.number, node.state, books.spent()))
            if new:
                self.hear(Tried(edge, tuple(new)))
                return
        self._proofs.append(proof)
        self._blame(most_suspect(self._proofs, self._blamed))

    def _blame(self, edge: Edge) -> None:
        """Refutes the edge, and takes back what others were refuted for that it explains."""
        self._blamed.add(edge.number)
        self.books.graph.refute(edge)
        cleared = cleared_by(edge, self._proofs)
        for other in cleared:
            self.books.graph.restore(other)
        for changed in (edge, *cleared):
            self.hear(Tried(changed))


def unscored(verdict: Verdict) -> bool:
    """Whether nothing is known of the proof because Lean was lost on it."""
    return verdict.reward is None and verdict.stage in ("lost", "statement")
