"""Workers that die, hang, grow, or answer wrong: each costs its request and nothing else."""

import os
import signal
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lean_env import Candidate, LeanPool, LeanWorker, SetupError, Theorem, Verifier, WorkerLost, WorkerTimeout
from lean_env.road import RoadName

COMM = Theorem("target", "theorem target (a b : Nat) : a + b = b + a")


@dataclass(frozen=True)
class PythonRoad:
    """A real process that speaks the protocol badly, which Lean's server cannot be brought to."""

    body: str
    name: RoadName = "wasm"
    package: str = ""
    sandbox: str = ""
    interrupts: bool = False

    def command(self, requests: int, answers: int) -> list[str]:
        script = f"""
            import json, os, sys, time
            requests, answers = open({requests}), os.fdopen({answers}, "w")
            def reply(request, **fields):
                line = {{"id": request["id"], "nonce": request["nonce"], "nanoseconds": 1, **fields}}
                print(json.dumps(line), file=answers, flush=True)
            for line in requests:
                request = json.loads(line)
        """
        return [sys.executable, "-c", textwrap.dedent(script) + textwrap.indent(textwrap.dedent(self.body), " " * 4)]

    def folder(self) -> Path | None:
        return None


def lost(body: str, words: str, wall_seconds: float = 5) -> None:
    worker = LeanWorker(PythonRoad(body))
    with pytest.raises(WorkerLost, match=words):
        worker.request(wall_seconds, method="hello")
    assert not worker.alive
    assert worker.process.poll() is not None


def test_an_answer_that_is_none() -> None:
    lost("print('nonsense', file=answers, flush=True)", "not one")


def test_half_a_line_and_then_nothing() -> None:
    lost("answers.write('{\"id\": 1'); answers.flush(); time.sleep(60)", "wall-clock", 0.5)


def test_half_a_line_and_then_the_end() -> None:
    lost("answers.write('{\"id\": 1'); answers.flush(); sys.exit(3)", "ended with 3")


def test_the_answer_to_another_request() -> None:
    lost("reply({'id': 7, 'nonce': request['nonce']}, ok={})", "another request")


def test_an_answer_without_the_nonce() -> None:
    lost("reply({'id': request['id'], 'nonce': 'guessed'}, ok={'stage': 'proved'})", "another request")


def test_an_answer_that_is_not_an_object() -> None:
    lost("print('[1]', file=answers, flush=True)", "not one")


def test_an_answer_without_end() -> None:
    lost("while True: answers.write('x' * 65536)", "no end", 60)


def test_a_stack_that_was_overrun() -> None:
    lost("sys.exit(70)", "stack")


def test_a_process_that_grows() -> None:
    worker = LeanWorker(PythonRoad("block = bytearray(300 << 20); time.sleep(60)"), memory_mib=200)
    with pytest.raises(WorkerLost, match="outgrew 200 MiB"):
        worker.request(30, method="hello")


def test_a_process_that_ended_keeps_its_number_until_it_is_killed() -> None:
    worker = LeanWorker(PythonRoad(""))
    os.kill(worker.process.pid, signal.SIGTERM)
    while worker.running():
        time.sleep(0.01)
    # So what `kill` sends a signal to, to end what the process may have left, is its group and nobody else's.
    assert Path(f"/proc/{worker.process.pid}").exists()
    worker.kill()
    assert not Path(f"/proc/{worker.process.pid}").exists()


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    body = f"""
        import subprocess
        left = subprocess.Popen(["sleep", "60"])
        open({str(tmp_path / "left")!r}, "w").write(str(left.pid))
        sys.exit(3)
    """
    lost(body, "ended with 3")
    left = Path("/proc") / (tmp_path / "left").read_text() / "stat"
    deadline = time.monotonic() + 5
    while left.exists() and left.read_text().rsplit(")", 1)[1].split()[0] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left.exists() or left.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_a_thread_whose_worker_is_ended_does_not_hear_the_next_one(tmp_path: Path) -> None:
    # A process that got away holds the channel open, so that its end says nothing.
    body = f"""
        import subprocess
        subprocess.Popen(["sleep", "10"], start_new_session=True, pass_fds=[answers.fileno()])
        open({str(tmp_path / "asked")!r}, "w").close()
        time.sleep(60)
    """
    worker = LeanWorker(PythonRoad(body))
    said: list[str] = []

    def ask() -> None:
        try:
            worker.request(30, method="hello")
        except WorkerLost as error:
            said.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    while not (tmp_path / "asked").exists():
        time.sleep(0.01)
    worker.kill()
    pipes = [os.pipe() for _ in range(4)]  # these get the numbers that are free now
    for _, end in pipes:
        os.write(end, b"for another\n")
    asking.join(5)
    assert not asking.is_alive()
    assert said == ["the process was ended"]
    assert [os.read(end, 100) for end, _ in pipes] == [b"for another\n"] * 4
    for pipe in pipes:
        os.close(pipe[0])
        os.close(pipe[1])
    with pytest.raises(WorkerLost, match="was ended"):
        worker.request(1, method="hello")


def test_a_program_that_is_not_there() -> None:
    class Nowhere(PythonRoad):
        def command(self, requests: int, answers: int) -> list[str]:
            return ["/nonexistent/lean"]

    with pytest.raises(SetupError, match="cannot be started"):
        LeanWorker(Nowhere(""))


def test_a_server_that_never_starts_is_said_once_and_clearly() -> None:
    with LeanPool(1, PythonRoad("sys.exit(1)")) as pool, pytest.raises(SetupError, match="does not start"):
        pool.request(5, method="hello")


def test_a_request_whose_worker_died_is_tried_once_more(tmp_path: Path) -> None:
    body = f"""
        mark = {str(tmp_path / "died")!r}
        if request["method"] == "judge" and not os.path.exists(mark):
            open(mark, "w").close()
            sys.exit(1)
        reply(request, ok={{"version": "1, x", "commit": "c"}})
    """
    with LeanPool(1, PythonRoad(body)) as pool:
        assert "ok" in pool.request(5, method="judge")
        assert (tmp_path / "died").exists()


def test_a_request_that_kills_every_worker_is_unscored() -> None:
    body = """
        if request["method"] == "judge" and request["text"] == "kill":
            sys.exit(1)
        ok = {"stage": "proved", "message": "", "axioms": [], "messages": [], "version": "1, x", "commit": "c"}
        reply(request, ok=ok)
    """
    with LeanPool(2, PythonRoad(body)) as pool:
        texts = ["fine", "kill", "fine", "fine"]
        verdicts = Verifier(pool).verify_batch([(COMM, Candidate(text)) for text in texts])
    assert [verdict.reward for verdict in verdicts] == [1, None, 1, 1]
    assert verdicts[1].stage == "lost"
    assert "lost twice" in verdicts[1].message


# A server with three slow answers to a row of code: 0.8 s each, and the second kills its process once.
SLOW = """
    method = request["method"]
    if method in ("statement", "write", "judge written"):
        time.sleep(0.8)
    if method == "write" and request["text"].startswith("#eval die"):
        sys.exit(1)
    stage = "written" if method == "write" else "proved"
    ok = {"stage": stage, "message": "", "axioms": [], "messages": [], "written": "", "version": "1, x", "commit": "c"}
    reply(request, ok=ok)
"""


def test_a_row_has_one_limit_for_all_that_is_asked() -> None:
    with LeanPool(1, PythonRoad(SLOW)) as pool:
        verifier = Verifier(pool)
        assert verifier.verify(COMM, Candidate("#eval 1", "code"), wall_seconds=10).proved  # in 2.4 s
        for text in ("#eval 1", "#eval die"):
            begun = time.monotonic()
            verdict = verifier.verify(COMM, Candidate(text, "code"), wall_seconds=2)
            assert (verdict.reward, verdict.stage) == (None, "timeout"), verdict
            assert 2 <= time.monotonic() - begun < 3


def test_a_pool_in_trouble_leaves_every_row_its_verdict() -> None:
    with LeanPool(1, PythonRoad("sys.exit(1)")) as pool:
        verdicts = Verifier(pool).verify_batch([(COMM, Candidate("by omega"))] * 3)
    assert [(verdict.reward, verdict.stage) for verdict in verdicts] == [(None, "lost")] * 3
    assert "does not start" in verdicts[0].message


def test_who_runs_the_candidates_code_has_no_say_about_the_statement() -> None:
    body = """
        said = {"kind": "statement", "message": "no", "line": 1, "column": 0}
        if request["method"] == "write":
            reply(request, error=said)
        reply(request, ok={"version": "1, x", "commit": "c"})
    """
    with LeanPool(1, PythonRoad(body)) as pool:
        verdict = Verifier(pool).verify(COMM, Candidate("#eval 1", "code"))
    assert (verdict.reward, verdict.stage) == (None, "lost")


def test_closing_the_pool_ends_what_runs() -> None:
    pool = LeanPool(
        1,
        PythonRoad(
            "reply(request, ok={'version': '1', 'commit': ''}) if request['method'] != 'judge' else time.sleep(60)"
        ),
    )
    pids = []

    def close() -> None:
        while not pool.health()["busy"]:
            time.sleep(0.01)
        pids.extend(pool.processes)
        pool.close()

    threading.Thread(target=close).start()
    with pytest.raises(WorkerLost):
        pool.request(30, method="judge")
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_real_lean_is_killed_in_the_middle_of_a_batch(pool: LeanPool, verifier: Verifier) -> None:
    pairs = [(COMM, Candidate("by omega" if i % 2 else "by rfl")) for i in range(60)]
    done = threading.Event()

    def kill_now_and_then() -> None:
        while not done.wait(1.0):
            for pid in pool.processes[:1]:
                os.kill(pid, signal.SIGKILL)
            done.wait(2.0)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        verdicts = verifier.verify_batch(pairs)
    finally:
        done.set()
        killer.join()
    assert [verdict.reward for verdict in verdicts] == [i % 2 for i in range(60)]


def test_real_lean_out_of_memory_costs_one_request(verifier: Verifier) -> None:
    bomb = Candidate(
        "#eval (Array.range 1000000000).size\ntheorem target (a b : Nat) : a + b = b + a := by omega", "code"
    )
    first, second = verifier.verify_batch([(COMM, bomb), (COMM, Candidate("by omega"))], wall_seconds=20)
    assert first.reward in (0, None)
    assert second.proved


def test_timeouts_are_not_tried_again() -> None:
    with LeanPool(
        1,
        PythonRoad(
            "reply(request, ok={'version': '1', 'commit': ''}) if request['method'] != 'judge' else time.sleep(60)"
        ),
    ) as pool:
        begun = time.monotonic()
        with pytest.raises(WorkerTimeout):
            pool.request(1, method="judge")
        assert 1 <= time.monotonic() - begun < 1.9
