"""What a process of ours started is found, whichever of its threads did it."""

import subprocess
import sys

from lean_env.process_group import _family, end_group

THREAD_STARTS_SLEEP = """
import subprocess, threading
def start():
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    child.wait()
threading.Thread(target=start).start()
"""


def test_the_child_of_a_thread_is_of_the_family() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", THREAD_STARTS_SLEEP], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert _family(process.pid) == [process.pid, child]
    finally:
        end_group(process)
