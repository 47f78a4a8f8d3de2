"""What becomes of prepared servers. Compiling one and warming it up, which takes long, is left out."""

import os
import time
from pathlib import Path

import pytest

from lean_env.wasm import prepare
from lean_env.wasm.install import Installation
from lean_env.wasm.road import WasmRoad

HOUR = 3600


def put(folder: Path, name: str, hours_ago: float) -> Path:
    """A folder with something in it, last used then."""
    place = folder / name
    place.mkdir()
    (place / "ProverServer.ir").write_text("")
    then = time.time() - hours_ago * HOUR
    os.utime(place, (then, then))
    return place


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setattr(prepare, "_compile", lambda installation, work: (work / "ProverServer.ir").write_text(""))
    monkeypatch.setattr(prepare, "_warm_up", lambda installation, work: None)
    return Installation(tmp_path, "", "", 0)


def test_a_new_server_drives_out_those_that_nobody_uses(installation: Installation) -> None:
    folder = installation.folder
    for name, hours_ago in (("server-a", 24 * 90), ("server-b", 25), ("server-c", 23), ("server-d", 2)):
        put(folder, name, hours_ago)
    put(folder, ".unfinished-x", 0)
    put(folder, "lib", 24 * 90)
    made = prepare.prepared(installation)
    assert {place.name for place in folder.iterdir()} == {made.name, "server-c", "server-d", "server.lock", "lib"}


def test_the_one_before_stays_however_old(installation: Installation) -> None:
    put(installation.folder, "server-a", 24 * 90)
    put(installation.folder, "server-b", 24 * 80)
    made = prepare.prepared(installation)
    assert {place.name for place in installation.folder.glob("server-*")} == {made.name, "server-b"}


def test_whoever_starts_a_worker_uses_it(installation: Installation) -> None:
    made = prepare.prepared(installation)
    put(installation.folder, "server-a", 24 * 90)
    running = put(installation.folder, "server-b", 24 * 80)
    WasmRoad(installation, running).command(0, 1)
    os.utime(made, (0, 0))
    assert prepare.prepared(installation) == made  # which counts as a use too
    prepare.remove_old(installation.folder)
    assert {place.name for place in installation.folder.glob("server-*")} == {made.name, "server-b"}
