"""A Llama-like decoder as an onnx graph, built by hand for onnxruntime's own operators.

Attention is one GroupQueryAttention node a layer. It rotates queries and keys, writes the new keys and values into the
cache where it lies (an output may be the input's own memory), and takes rows of different lengths without padding.

Inputs: `input_ids` (b, s); `last` (b,), the place of each row's last token; `total` (), the most tokens of a row;
`past.I.key` and `past.I.value` (b, h, room, d), filled from the beginning. Outputs: `logits` (b, v) after the last
token; `present.I.key` and `present.I.value`. A run takes whole prompts from place 0, or one new token for every row, or
several for one row that has some.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = NDArray[np.float32]

BLOCK = 32  # weights that share a scale
MIDDLE = 128  # which byte stands for 0


@dataclass(frozen=True)
class Linear:
    """`weight` (in, out), and perhaps `bias` (out,)."""

    weight: Weights
    bias: Weights | None = None


@dataclass(frozen=True)
class Layer:
    """One layer: queries, keys and values in one; the gate and what it gates in one."""

    attention_norm: Weights
    query_key_value: Linear
    output: Linear
    mlp_norm: Weights
    gate_up: Linear
    down: Linear


@dataclass(frozen=True)
class Llama:
    """What the graph is made of. `cosines` and `sines` are (context, head size / 2)."""

    heads: int
    key_value_heads: int
    head_size: int
    epsilon: float
    embedding: Weights
    layers: tuple[Layer, ...]
    norm: Weights
    head: Linear
    cosines: Weights
    sines: Weights


def build(model: Llama, int8: bool, facts: dict[str, str]) -> onnx.ModelProto:
    """The graph; `facts` are kept in it as metadata.

    With `int8` the weights of every matrix product are bytes with a scale for each block of 32, and products are taken
    in bytes too (MatMulNBits, accuracy level 4). A row's activations are scaled by themselves, so that a sample does
    not hang on what is sampled beside it, as it does with one scale for a batch (onnxruntime's `quantize_dynamic`).
    """
    graph = _Graph(int8)
    cache: list[str | int | None] = ["batch", model.key_value_heads, "room", model.head_size]
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
        helper.make_tensor_value_info("last", TensorProto.INT32, ["batch"]),
        helper.make_tensor_value_info("total", TensorProto.INT32, []),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(model.embedding)])]
    cosines, sines = graph.constant("cosines", model.cosines), graph.constant("sines", model.sines)
    hidden = graph.node("Gather", [graph.constant("embedding", model.embedding), "input_ids"])
    (normed,) = graph.nodes(
        "SimplifiedLayerNormalization",
        [hidden, graph.constant("layer.0.norm", model.layers[0].attention_norm)],
        1, axis=-1, epsilon=model.epsilon,
    )  # fmt: skip
    for i, layer in enumerate(model.layers):
        for part in ("key", "value"):
            inputs.append(helper.make_tensor_value_info(f"past.{i}.{part}", TensorProto.FLOAT, cache))
            outputs.append(helper.make_tensor_value_info(f"present.{i}.{part}", TensorProto.FLOAT, cache))
        packed = graph.linear(normed, layer.query_key_value, f"layer.{i}.qkv")
        attended = graph.node(
            "GroupQueryAttention",
            [packed, "", "", f"past.{i}.key", f"past.{i}.value", "last", "total", cosines, sines],
            f"present.{i}.key", f"present.{i}.value", domain="com.microsoft", num_heads=model.heads,
            kv_num_heads=model.key_value_heads, do_rotary=1, scale=model.head_size**-0.5,
        )  # fmt: skip
        attended = graph.linear(attended, layer.output, f"layer.{i}.output")
        normed, hidden = graph.add_and_norm(hidden, attended, layer.mlp_norm, model.epsilon, f"layer.{i}.mlp_norm")
        gate, up = graph.nodes(
            "Split", [graph.linear(normed, layer.gate_up, f"layer.{i}.gate_up")], 2, axis=-1, num_outputs=2
        )
        gate = graph.node("QuickGelu", [gate], domain="com.microsoft", alpha=1.0)  # SiLU
        down = graph.linear(graph.node("Mul", [gate, up]), layer.down, f"layer.{i}.down")
        following = model.layers[i + 1].attention_norm if i + 1 < len(model.layers) else model.norm
        normed, hidden = graph.add_and_norm(hidden, down, following, model.epsilon, f"layer.{i + 1}.norm")
    end = graph.node("Gather", [normed, graph.constant("minus_one", np.array(-1, dtype=np.int64))], axis=1)
    graph.linear(end, model.head, "head", "logits")
    made = helper.make_model(
        helper.make_graph(graph.made, "prover", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
        producer_name="lean-rl-prover",
    )
    helper.set_model_props(made, facts)
    return made


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self, int8: bool) -> None:
        self.made: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._int8 = int8

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def nodes(self, kind: str, inputs: list[str], count: int, *names: str, **attributes: object) -> list[str]:
        """Adds a node with `count` outputs and those called `names`; gives the former's names."""
        outputs = [f"{len(self.made)}.{kind}.{i}" for i in range(count)]
        self.made.append(helper.make_node(kind, inputs, [*outputs, *names], **attributes))
        return outputs

    def node(self, kind: str, inputs: list[str], *names: str, **attributes: object) -> str:
        return self.nodes(kind, inputs, 1, *names, **attributes)[0]

    def add_and_norm(self, hidden: str, added: str, weight: Weights, epsilon: float, name: str) -> tuple[str, str]:
        """The norm of the sum, and the sum."""
        normed, total = f"{name}.normed", f"{name}.sum"
        inputs, outputs = [hidden, added, self.constant(name, weight)], [normed, "", "", total]
        self.made.append(
            helper.make_node(
                "SkipSimplifiedLayerNormalization", inputs, outputs, domain="com.microsoft", epsilon=epsilon
            )
        )
        return normed, total

    def linear(self, value: str, linear: Linear, name: str, output: str = "") -> str:
        product = output if output and linear.bias is None else f"{name}.product"
        if self._int8:
            inner, outer = linear.weight.shape
            scaled, scales = in_bytes(linear.weight)
            inputs = [value, self.constant(f"{name}.bytes", scaled), self.constant(f"{name}.scales", scales)]
            sizes = {"K": inner, "N": outer, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
            self.made.append(helper.make_node("MatMulNBits", inputs, [product], domain="com.microsoft", **sizes))
        else:
            inputs = [value, self.constant(f"{name}.weight", linear.weight)]
            self.made.append(helper.make_node("MatMul", inputs, [product]))
        if linear.bias is None:
            return product
        total = output or f"{name}.total"
        self.made.append(helper.make_node("Add", [product, self.constant(f"{name}.bias", linear.bias)], [total]))
        return total


def in_bytes(weight: Weights) -> tuple[NDArray[np.uint8], Weights]:
    """A matrix (in, out) as bytes (out, blocks, 32) and scales (out, blocks): weight = scale * (byte - 128)."""
    inner, outer = weight.shape
    blocks = -(-inner // BLOCK)
    padded = np.zeros((outer, blocks * BLOCK), dtype=np.float32)
    padded[:, :inner] = weight.T
    parts = padded.reshape(outer, blocks, BLOCK)
    scales = np.abs(parts).max(axis=2) / (MIDDLE - 1)
    whole = np.rint(parts / np.where(scales == 0, 1, scales)[:, :, None]) + MIDDLE
    return whole.astype(np.uint8), scales.astype(np.float32)
