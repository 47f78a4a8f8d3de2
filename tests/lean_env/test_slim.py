"""The rewriting of lean.wasm, on a module whose bytes were worked out by hand and which real Node loads."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.wasm import slim
from lean_env.wasm.node import node_executable
from tests.lean_env import tiny_wasm

LOAD = """
const bytes = Buffer.from(process.argv[1], 'hex');
const imports = {env: {g: 5}, 'GOT.func': {f: new WebAssembly.Global({value: 'i32', mutable: true}, 0)}};
const {exports} = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
const calls = []; for (let i = 0; i < exports.tab.length; i++) calls.push(exports.tab.get(i)?.() ?? null);
console.log(JSON.stringify({names: Object.keys(exports), calls}));
"""


def load(module: bytes) -> dict[str, object]:
    """What Node says of the module: its exports, and what each slot of its table returns when it is called."""
    done = subprocess.run([node_executable(), "-e", LOAD, module.hex()], capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_module_comes_out_byte_for_byte_as_worked_out():
    module, symbols = slim.slim_wasm(tiny_wasm.MODULE, {"b"})
    assert symbols == tiny_wasm.SYMBOLS
    assert module == tiny_wasm.SLIM


def test_node_finds_every_function_in_the_slot_that_the_symbol_map_names():
    assert load(tiny_wasm.MODULE) == {
        "names": ["f", "a", "b", "b2", "d", "t", "w", "g", "tab"],
        "calls": [None, 11],
    }
    module, symbols = slim.slim_wasm(tiny_wasm.MODULE, {"b"})
    assert load(module) == {"names": ["f", "b", "t", "tab"], "calls": [None, 11, 10, 12]}
    assert (symbols["a"], symbols["f"], symbols["b"]) == (1, 2, 3)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (b"\0asn\1\0\0\0", "not a WebAssembly module"),
        (tiny_wasm.MODULE.replace(tiny_wasm.TABLE, bytes.fromhex("04 07 02 70 00 02 70 00 02")), "more than one table"),
        (tiny_wasm.MODULE.replace(tiny_wasm.ELEMENT, bytes.fromhex("09 07 01 01 41 01 0b 01 01")), "plain active"),
        (tiny_wasm.MODULE.replace(tiny_wasm.ELEMENT, bytes.fromhex("09 07 01 00 23 00 0b 01 01")), "constant offset"),
        (tiny_wasm.MODULE.replace(tiny_wasm.ELEMENT, bytes.fromhex("09 07 01 00 6a 01 0b 01 01")), "opcode 0x6a"),
    ],
)
def test_a_module_laid_out_otherwise_is_refused(module, message):
    with pytest.raises(slim.WasmError, match=message):
        slim.slim_wasm(module, set())


def test_leb128_against_published_values():
    assert slim.unsigned(624485) == bytes.fromhex("e5 8e 26")
    assert slim.Reader(bytes.fromhex("e5 8e 26")).unsigned() == 624485
    assert slim.Reader(bytes.fromhex("c0 bb 78")).signed() == -123456
    # 64 needs a second byte: bit 6 of the last one is the sign.
    assert (slim.signed(63), slim.signed(64)) == (bytes.fromhex("3f"), bytes.fromhex("c0 00"))


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_leb128_reads_what_it_wrote(value):
    assert slim.Reader(slim.unsigned(value)).unsigned() == value
    assert slim.Reader(slim.signed(value)).signed() == value
