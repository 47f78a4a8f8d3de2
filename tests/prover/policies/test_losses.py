"""What lost answers make of an attempt: of a search, of a run that is kept, and of the command line. Real Lean."""

import json
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

import prover.commands.bench
import prover.commands.prove
import prover.policies.plan
from lean_env import Verdict
from prover.cli import app
from prover.policies.answers import Answers
from prover.policies.losses import Losses, lost_by, with_losses
from prover.policies.mixture import MixedProofPolicy, MixedTacticPolicy
from prover.policies.proof_policy import ModelProofPolicy
from prover.policies.tactic_policy import ModelTacticPolicy
from prover.portfolio import PortfolioPolicy
from prover.runs.perform import attempt_of
from prover.runs.store import read_run
from prover.sampling.sampler import INTERRUPTED, Sample, Settings
from search import Budget, Completion, SearchResult, Spent, prove
from search.algorithms.best_first import BestFirst
from search.algorithms.sample import Sample as SamplePlan
from tests.prover.policies.table_model import Plain, TableSampler
from tests.search.graph_session import THEOREM, GraphSession, accepting

AWAY = "the server is away"


class Script(TableSampler):
    """Gives these texts, one after another, and then the last for ever; None is an answer that does not come."""

    def __init__(self, *texts, name="hf:script"):
        super().__init__({}, name=name)
        self.texts = texts

    def _one(self, request):
        self.requests.append(request)
        text = self.texts[min(len(self.requests), len(self.texts)) - 1]
        if text is None:
            return Sample("", finish="error", error=AWAY)
        return Sample(text, (len(text),), (-1.0,), "stop", 1)


def tactics(sampler, samples=4):
    return ModelTacticPolicy(Answers(sampler), Plain(), Settings(), samples)


def proofs(sampler):
    return ModelProofPolicy(Answers(sampler), Plain(), Settings())


def attempt(policy, plan, budget):
    session = GraphSession(["A"], {"A": {"a": []}})
    found = prove(THEOREM, policy, session.open, plan, budget, judge=accepting, clock=session.clock)
    result = with_losses(found, policy)
    return found.stopped, attempt_of(result, 0, 0, 0, False)


@pytest.mark.parametrize(
    ("make", "texts", "plan", "samples", "ended", "lost"),
    [
        (tactics, [None], BestFirst(), None, "exhausted", "4 of 4"),
        (proofs, [None], SamplePlan(), 4, "budget", "4 of 4"),
        (proofs, ["bad", None], SamplePlan(), 20, "budget", "19 of 20"),
        (tactics, ["bad", None], BestFirst(), None, "exhausted", "3 of 4"),
        (tactics, ["bad", "no", None, "bad"], BestFirst(), None, "exhausted", "1 of 4"),
    ],
)
def test_an_attempt_without_a_proof_that_lost_answers_is_unscored(make, texts, plan, samples, ended, lost):
    stopped, kept = attempt(make(Script(*texts)), plan, Budget(samples, None, None))
    assert stopped == ended
    said = f"hf:script: {lost} answers were lost, most often so: {AWAY}"
    assert (kept.reward, kept.stopped, kept.message) == (None, "policy", said)


def test_a_proof_counts_whatever_was_lost_and_a_failure_without_losses_is_one():
    stopped, kept = attempt(proofs(Script(None, None, "a")), SamplePlan(), Budget(5, None, None))
    assert (stopped, kept.reward, kept.stopped) == ("proved", 1, "proved")
    # The count is kept all the same.
    assert kept.message == f"hf:script: 2 of 3 answers were lost, most often so: {AWAY}"
    stopped, kept = attempt(tactics(Script("bad")), BestFirst(), Budget(None, None, None))
    assert (stopped, kept.reward, kept.stopped, kept.message) == ("exhausted", 0, "exhausted", "")


def test_a_mixture_does_not_hide_a_dead_model():
    class Bad:
        """Another part, which proves nothing."""

        def complete(self, prompts):
            return [Completion("bad") for _ in prompts]

    for make, plan in (
        (lambda: MixedTacticPolicy([(1.0, PortfolioPolicy()), (1.0, tactics(Script(None), 8))]), BestFirst()),
        (lambda: MixedProofPolicy([(1.0, Bad()), (1.0, proofs(Script(None)))]), SamplePlan()),
    ):
        stopped, kept = attempt(make(), plan, Budget(60, None, None))
        assert stopped in ("budget", "exhausted")
        assert (kept.reward, kept.stopped) == (None, "policy")
        assert "hf:script: 8 of 8 answers were lost" in kept.message
        assert kept.message.count("8 of 8") == 1


def test_what_is_said_already_is_not_said_twice():
    stopped, kept = attempt(proofs(Script(None)), SamplePlan(), Budget(None, None, None))
    assert stopped == kept.stopped == "policy"
    assert kept.message.count("answers were lost") == 1
    policy = proofs(Script(None))
    policy.answers.draw([])
    assert lost_by(policy) == lost_by(PortfolioPolicy()) == ""
    policy.answers.lost.count([INTERRUPTED])
    for why in ("lost", "interrupted", "policy"):
        result = with_losses(SearchResult(None, Spent(), why, message="so"), policy)
        assert (result.stopped, result.message) == (why, f"so; {policy.lost()}")
    proved = SearchResult("by a", Spent(), "proved", Verdict(1, "proved"))
    assert with_losses(proved, policy).stopped == "proved"


def test_answers_that_nobody_wants_any_more_are_no_losses():
    losses = Losses("x")
    losses.count([Sample("a"), Sample("", finish="error", error=AWAY)])
    losses.end()
    losses.count([INTERRUPTED] * 5)
    assert losses.sentence() == f"x: 1 of 2 answers were lost, most often so: {AWAY}"


# The command line, with a sampler of the tests' own in the place of the model that --policy names.


class Shared:
    """The pool of all tests, which an interrupted command is not to close."""

    def __init__(self, pool):
        self._pool = pool

    def __getattr__(self, name):
        return getattr(self._pool, name)

    def close(self):
        pass


@pytest.fixture
def run(pool, monkeypatch, tmp_path):
    """`prover` in this process, on the shared pool, with this sampler for `hf:script`."""

    @contextmanager
    def shared(lean, workers, tasks):
        yield Shared(pool)

    monkeypatch.setattr(prover.commands.prove, "open_pool", shared)
    monkeypatch.setattr(prover.commands.bench, "open_pool", shared)

    def call(sampler, *arguments, options=("--prompt", "own-tactic", "--samples", "4")):
        monkeypatch.setattr(prover.policies.plan, "_open", lambda part, base_url: sampler)
        model = ["--policy", "hf:script", "--budget-seconds", "100", *options]
        result = CliRunner().invoke(app, [*map(str, arguments), *model])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return call


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "two.jsonl"
    statements = {"easy": "theorem easy (p : Prop) (h : p) : p", "fermat": "theorem fermat : 1 = 2"}
    path.write_text("\n".join(json.dumps({"name": n, "formal_statement": s}) for n, s in statements.items()))
    return path


def test_a_run_keeps_what_was_lost(run, rows, tmp_path):
    # The first answer is the opening probe's.
    sampler = Script("x", *["exact h", None] * 8, "skip")
    result = run(sampler, "bench", rows, "--out", tmp_path / "run", "--workers", 1)
    kept = {attempt.theorem: attempt for attempt in read_run(tmp_path / "run").attempts}
    assert (kept[0].reward, kept[1].reward, kept[1].stopped) == (1, None, "policy")
    for each in kept.values():
        assert "answers were lost, most often so: the server is away" in each.message
    assert "1 of 1 theorems proved (100.0 %) in 2 attempts; 1 attempts unscored" in result.stdout
    assert "prover: hf:script: " in result.stderr


def test_a_run_keeps_rounds_and_top_p(run, rows, tmp_path):
    options = ["--prompt", "kimina", "--search", "correct", "--rounds", "0", "--top-p", "0.9", "--budget-samples", "2"]
    sampler = Script("```lean4\ntheorem t : True := by\n  trivial\n```")
    run(sampler, "bench", rows, "--out", tmp_path / "run", "--workers", 1, options=options)
    settings = read_run(tmp_path / "run").settings
    assert settings["options"] == "Correct(rounds=0, patience=100)"
    assert settings["policy"] == "hf:script (kimina, temperature 1, top-p 0.9, at most 8096 tokens)"
    assert {request.settings.top_p for request in sampler.requests} == {0.9}


def test_prove_says_it_in_its_sentence(run):
    result = run(Script("x", "skip", None), "prove", "theorem fermat : 1 = 2")
    assert result.exit_code == 1
    assert f"-- fermat: not proved: hf:script: 3 of 4 answers were lost, most often so: {AWAY}; " in result.stdout


class Stalls(Script):
    """Once asked for the third time, it presses Ctrl-C, and gives no answer until it is stopped."""

    def __init__(self):
        super().__init__("x", "exfalso", None, "skip", "skip")
        self.calls, self.began, self.waited = 0, 0.0, 100.0
        self.stopped = threading.Event()

    def sample(self, requests):
        self.calls += 1
        if self.calls < 3:
            return super().sample(requests)
        self.began = time.monotonic()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        self.stopped.wait(20)
        return [INTERRUPTED for _ in requests]

    def stop(self):
        if not self.stopped.is_set():
            self.waited = time.monotonic() - self.began
        self.stopped.set()


@pytest.mark.parametrize("command", ["bench", "prove"])
def test_ctrl_c_waits_for_no_model_and_tells_of_losses(run, rows, tmp_path, command, monkeypatch):
    # For so long `prove` waits for what its attempts have come to; its model is told to stop before.
    monkeypatch.setattr(prover.commands.prove, "INTERRUPTED_SECONDS", 15)
    rows.write_text(rows.read_text().splitlines()[1])
    sampler = Stalls()
    options = ["--out", tmp_path / "run"] if command == "bench" else ["--no-shorten"]
    result = run(sampler, command, rows, *options, "--workers", 1)
    assert result.exit_code == 130
    assert sampler.waited < 10
    assert f"prover: hf:script: 1 of 4 answers were lost, most often so: {AWAY}" in result.stderr


def test_a_prompt_that_is_too_long_is_no_loss_but_told():
    class Short(TableSampler):
        """A model whose context no prompt fits into."""

        def _one(self, request):
            return Sample("", finish="length", error="the prompt has 9 tokens, the model's context 8")

    for make, plan in ((tactics, BestFirst()), (proofs, SamplePlan())):
        policy = make(Short({}, name="hf:short"))
        _, kept = attempt(policy, plan, Budget(60, None, None))
        assert (kept.reward, kept.message) == (0, "")
        (told,) = policy.answers.losses.sentences()
        asked = policy.answers.losses.asked
        why = "as the prompt is longer than the model's context"
        assert told == f"hf:short: {asked} of {asked} answers are empty, {why}"
