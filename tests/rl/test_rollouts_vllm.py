"""vLLM takes weights: what the adapter asks of it, against signatures written down from its source.

vLLM runs on a GPU alone. What stands in for it here checks each call against the record and keeps it; what vLLM makes
of the calls is seen where it can be imported and there is a GPU.
"""

import base64
import inspect
import json
import os
import pickle
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from prover.sampling.sampler import Prompt, Request, Settings
from prover.sampling.vllm_sampler import WRITTEN_FOR, VLLMSampler
from prover.sources import UserInputError
from rl.rollouts import vllm_weights
from rl.rollouts.vllm_weights import ALLOWED, CONFIG, VLLMPolicy, open_vllm_policy
from rl.rollouts.weights import PolicySampler
from tests.rl.record_vllm_weight_transfer import CALLS, RECORDED

RECORD = json.loads(RECORDED.read_text())
HANDLES = {"GPU-0": ("a handle", 1)}


def bind(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The arguments by name; raises TypeError where vLLM would."""
    kinds = list(inspect._ParameterKind)
    parameters = [
        inspect.Parameter(each, kinds[kind], default=None if optional else inspect.Parameter.empty)
        for each, kind, optional in RECORD["signatures"][name]
    ]
    return inspect.Signature(parameters).bind(*args, **kwargs).arguments


class StandIn:
    """A `vllm.LLM` that keeps what it was asked."""

    def __init__(self) -> None:
        self.model_config = SimpleNamespace(max_model_len=8)
        self.calls: list[Any] = []
        self.forgets, self.damaged = True, False

    def get_tokenizer(self) -> Any:
        return SimpleNamespace(encode=lambda text: [1, *map(ord, text)])

    def reset_prefix_cache(self, *args: Any, **kwargs: Any) -> bool:
        self.calls.append(("reset_prefix_cache", bind("LLM.reset_prefix_cache", *args, **kwargs)))
        return self.forgets

    def init_weight_transfer_engine(self, *args: Any, **kwargs: Any) -> None:
        request = bind("RLOfflineMixin.init_weight_transfer_engine", *args, **kwargs)["request"]
        assert set(request["init_info"]) <= set(RECORD["fields"]["IPCWeightTransferInitInfo"])
        self.calls.append(("init", request["init_info"]))

    def start_weight_update(self, *args: Any, **kwargs: Any) -> None:
        assert not bind("RLOfflineMixin.start_weight_update", *args, **kwargs)
        self.calls.append("start")

    def update_weights(self, *args: Any, **kwargs: Any) -> None:
        update = bind("RLOfflineMixin.update_weights", *args, **kwargs)["request"]["update_info"]
        assert set(update) <= set(RECORD["fields"]["IPCWeightTransferUpdateInfo"])
        if self.damaged:
            raise RuntimeError("the worker died")
        # As vLLM's own: one of the two is given, and what was pickled is unpickled in the worker.
        assert update["ipc_handles"] is None
        handles = pickle.loads(base64.b64decode(update["ipc_handles_pickled"]))
        self.calls.append((update["names"], handles))

    def finish_weight_update(self, *args: Any, **kwargs: Any) -> None:
        assert bind("RLOfflineMixin.finish_weight_update", *args, **kwargs) in ({}, {"weight_version": None})
        self.calls.append("finish")


class ModuleSource:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.module = bind("ModuleSource.__init__", *args, **kwargs)["module"]


def init_info(**fields: Any) -> SimpleNamespace:
    known = RECORD["fields"]["TrainerInitInfo"] + RECORD["fields"]["IPCTrainerInitInfo"]
    assert set(fields) <= set(known)
    return SimpleNamespace(**fields)


class TrainerFactory:
    """In the place of vLLM's, whose trainer half makes these calls of its client, in this order."""

    @staticmethod
    def trainer_init(*args: Any, **kwargs: Any) -> Any:
        bound = bind("WeightTransferTrainerFactory.trainer_init", *args, **kwargs)
        client, source, info = bound["client"], bound["source"], bound["init_info"]
        for call in CALLS:
            names = [each for each, _, _ in RECORD["signatures"][f"VLLMWeightSyncClient.{call}"]]
            assert list(inspect.signature(getattr(client, call)).parameters) == names
        assert info.rank == 0
        client.init_weight_transfer_engine({"packed": info.packed})

        def send_weights() -> None:
            client.start_weight_update()
            for name in source.module.names:  # a chunk each
                update = {"names": [name], "dtype_names": ["float32"], "shapes": [[1]], "tensor_sizes": [4]}
                client.update_weights({**update, "ipc_handles": HANDLES, "ipc_handles_pickled": None})
            client.finish_weight_update()

        return SimpleNamespace(send_weights=send_weights)


@pytest.fixture
def llm(monkeypatch) -> StandIn:
    transfer = SimpleNamespace(ModuleSource=ModuleSource, WeightTransferTrainerFactory=TrainerFactory)
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "vllm.distributed", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "vllm.distributed.weight_transfer", transfer)
    engine = SimpleNamespace(IPCTrainerInitInfo=init_info)
    monkeypatch.setitem(sys.modules, "vllm.distributed.weight_transfer.ipc_engine", engine)
    return StandIn()


@pytest.fixture
def policy(llm) -> VLLMPolicy:
    return VLLMPolicy(VLLMSampler("vllm:stand-in", llm, SimpleNamespace), llm)


def model(*names: str) -> SimpleNamespace:
    return SimpleNamespace(names=names)


def test_weights_are_taken_in_place_and_the_cache_of_the_old_ones_is_forgotten(policy, llm):
    sampler: PolicySampler = policy
    learner = model("embed", "head")
    sampler.take_weights(learner)
    forgets: Any = ("reset_prefix_cache", {})
    taken = ["start", (["embed"], HANDLES), (["head"], HANDLES), "finish", forgets]
    assert llm.calls == [("init", {"packed": True}), *taken]
    sampler.take_weights(learner)
    assert llm.calls[6:] == taken  # the handshake is made once for a model
    sampler.take_weights(model("other"))
    assert llm.calls[11:] == [("init", {"packed": True}), "start", (["other"], HANDLES), "finish", forgets]


def test_the_cache_is_forgotten_even_if_the_weights_did_not_come(policy, llm):
    llm.damaged = True
    with pytest.raises(RuntimeError, match="the worker died"):
        policy.take_weights(model("embed"))
    assert llm.calls[-1] == ("reset_prefix_cache", {})
    llm.damaged, llm.forgets = False, False
    with pytest.raises(RuntimeError, match=r"^vllm:stand-in: vLLM did not forget its prefix cache"):
        policy.take_weights(model("embed"))


def test_an_adapter_s_weights_have_other_names(policy, llm):
    with pytest.raises(UserInputError, match=r"^vllm: takes whole models only; .*\.$"):
        policy.take_weights(SimpleNamespace(peft_config={}))
    assert "start" not in llm.calls


def test_prompts_are_encoded_as_its_sampler_encodes_them(policy):
    assert policy.encode(Prompt("ab")) == [1, 97, 98]


def test_it_is_opened_ready_to_take_weights(monkeypatch, llm):
    asked: list[Any] = []

    def opened(name: str, **given: Any) -> VLLMSampler:
        asked.append((name, given, os.environ[ALLOWED]))
        return VLLMSampler(f"vllm:{name}", llm, SimpleNamespace)

    monkeypatch.setenv(ALLOWED, "0")
    monkeypatch.setattr(vllm_weights, "open_vllm", opened)
    policy = open_vllm_policy("m", {"max_model_len": 8})
    options = {"max_model_len": 8, "weight_transfer_config": {"backend": "ipc"}}
    assert asked == [("m", {"options": options}, "1")]
    policy.take_weights(model("embed"))
    assert llm.calls[-2:] == ["finish", ("reset_prefix_cache", {})]
    assert set(CONFIG) <= set(RECORD["fields"]["WeightTransferConfig"])
    assert "weight_transfer_config" in RECORD["fields"]["EngineArgs"]
    assert RECORD["version"].startswith(f"{WRITTEN_FOR}.")


ABSENT = "vLLM is not installed: it has no build for machines without a GPU"


def test_the_record_is_of_the_vllm_that_is_installed():
    vllm = pytest.importorskip("vllm", reason=ABSENT)
    from vllm.distributed import weight_transfer
    from vllm.distributed.weight_transfer import ipc_engine

    owners = {"RLOfflineMixin": vllm.LLM, "LLM": vllm.LLM, **vars(weight_transfer), **vars(ipc_engine)}
    for name, recorded in RECORD["signatures"].items():
        owner, method = name.split(".")
        parameters = list(inspect.signature(inspect.unwrap(getattr(owners[owner], method))).parameters.values())
        found = [[each.name, int(each.kind), each.default is not inspect.Parameter.empty] for each in parameters]
        assert found[-len(recorded) or len(found) :] == recorded, name


def test_vllm_samples_with_the_weights_that_it_took(tmp_path):
    pytest.importorskip("vllm", reason=ABSENT)
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("vLLM samples on a GPU alone")
    from tests.prover.sampling.tiny_llama import save_folder, teacher_forced, tiny_llama, token_ids

    policy = open_vllm_policy(str(save_folder(tiny_llama(), tmp_path)), options={"dtype": "float32"})
    request = Request(Prompt("theorem t"), Settings(max_tokens=16), 1)
    for seed in (1, 2):
        other = tiny_llama(seed=seed)
        policy.take_weights(other.to("cuda"))
        [sample] = policy.sample([request])
        expected = teacher_forced(other.to("cpu"), token_ids("theorem t"), list(sample.token_ids))
        assert sample.token_log_probabilities == pytest.approx(expected, abs=1e-3)
