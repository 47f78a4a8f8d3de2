"""Writes down those signatures of vLLM's weight transfer that the adapter relies on, out of an unpacked wheel.

`python -m tests.rl.record_vllm_weight_transfer FOLDER`, as `tests.prover.sampling.record_vllm_signatures`; nothing of
it is run.
"""

import sys
from pathlib import Path

from tests.prover.sampling.record_vllm_signatures import recorded

RECORDED = Path(__file__).parents[1] / "data" / "vllm_weight_transfer.json"
TRANSFER = "distributed/weight_transfer"
CALLS = ("init_weight_transfer_engine", "start_weight_update", "update_weights", "finish_weight_update")
METHODS = {
    "RLOfflineMixin": ("entrypoints/rl/offline.py", CALLS),
    "VLLMWeightSyncClient": (f"{TRANSFER}/base.py", CALLS),
    "ModuleSource": (f"{TRANSFER}/base.py", ("__init__",)),
    "WeightTransferTrainerFactory": (f"{TRANSFER}/factory.py", ("trainer_init",)),
    "IPCTrainerWeightTransferEngine": (f"{TRANSFER}/ipc_engine.py", ("send_weights",)),
    "LLM": ("entrypoints/llm.py", ("reset_prefix_cache",)),
}
FIELDS = {
    "TrainerInitInfo": f"{TRANSFER}/base.py",
    "IPCTrainerInitInfo": f"{TRANSFER}/ipc_engine.py",
    "IPCWeightTransferInitInfo": f"{TRANSFER}/ipc_engine.py",
    "IPCWeightTransferUpdateInfo": f"{TRANSFER}/ipc_engine.py",
    "WeightTransferConfig": "config/weight_transfer.py",
    "EngineArgs": "engine/arg_utils.py",
}


if __name__ == "__main__":
    RECORDED.write_text(recorded(Path(sys.argv[1]) / "vllm", METHODS, FIELDS))
