"""Workers that come late, and graphs that are proved before a search begins."""

import time
from contextlib import contextmanager

from lean_env import ProofFinished, Verdict
from search import Budget, ProofFound, ProofGraph, prove
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy, accepting, new_edge


def test_a_worker_whose_lean_is_still_starting_is_not_waited_for():
    session = GraphSession(["A"], {"A": {"a": []}})
    opened: list[float] = []

    @contextmanager
    def open_session(theorem):
        opened.append(time.monotonic())
        if len(opened) > 1:
            time.sleep(5.0)
        yield session

    began = time.monotonic()
    result = prove(THEOREM, TablePolicy({"A": {"a": 1.0}}), open_session, judge=accepting, workers=2)
    assert result.proof == "by\n  a"
    assert len(opened) == 2
    assert time.monotonic() - began < 3.0


def test_what_the_judge_had_no_time_for_is_judged_when_the_search_goes_on():
    session = GraphSession(["A"], {})
    graph = ProofGraph(THEOREM, session.start)
    graph.succeed(new_edge(graph, graph.root, "a"), ProofFinished(("a",)))
    judged: list[bool] = []

    def note(event):
        if isinstance(event, ProofFound):
            judged.append(event.accepted)

    def slow(theorem, proof, seconds):
        return Verdict(None, "timeout")

    def attempt(judge, seconds):
        budget = Budget(seconds=seconds)
        return prove(
            THEOREM, TablePolicy({}), session.open, budget=budget, on_event=note, judge=judge, graph=graph,
            clock=session.clock,
        )  # fmt: skip

    # The budget, and not the judge's own limit, cut it off: the proof still is one.
    assert attempt(slow, 5.0).proof is None
    assert [node.proved for node in graph.nodes] == [True]
    assert attempt(accepting, 5.0).proof == "by\n  a"
    # With all its time and no verdict it is none.
    assert attempt(slow, 500.0).stopped == "exhausted"
    assert [node.proved for node in graph.nodes] == [False]
    assert judged == [False, True, False]
