"""Two processes that share the rows out, against one that computes them all."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from tests.rl.learner_process import learned


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def test_two_processes_take_the_step_of_one(tmp_path):
    """Gradients of the parts are added up: were they averaged, as is usual, the update's norm would be half."""
    common = {
        "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.rl.learner_process", str(tmp_path / f"{rank}.pt")],
            env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=240) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first == second
    alone = learned()
    for found, expected in zip(first["told"], alone["told"], strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
    assert first["refused"]
    assert alone["refused"]
    assert first["weights"] == pytest.approx(alone["weights"], abs=1e-5)
    assert first["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    for ours, theirs in zip(first["log_probs"], alone["log_probs"], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
