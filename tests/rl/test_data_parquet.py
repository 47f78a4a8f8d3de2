"""Files of pairs: what is written comes back, what is said twice is kept once, and anything else is refused."""

from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from prover.sources import UserInputError
from rl.data.pairs import Pair, ProofPair, TacticPair, theorems_of
from rl.data.parquet import AT_ONCE, append_pairs, read_pairs, schema, write_pairs

STEP = TacticPair("t", "theorem t (n : Nat) : n = n", "import Init", "n : Nat\n⊢ n = n", "rfl", -0.5, 1, "ab", 2)
PROOF = ProofPair("t", "theorem t (n : Nat) : n = n", "import Init", "intro\nrfl", None, 1, "runs/a", "portfolio")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
logs = st.none() | st.floats(max_value=0.0, allow_nan=False)
rewards = st.sampled_from([1, 0, None])
pairs = st.one_of(
    st.builds(
        TacticPair, texts, texts, texts, texts, texts, logs, rewards, texts, st.integers(0, 2**31 - 1),
        texts, texts, texts, texts,
    ),
    st.builds(ProofPair, texts, texts, texts, texts, logs, rewards, texts, texts, texts, texts),
)  # fmt: skip


@settings(deadline=None)
@given(made=st.lists(pairs, max_size=8))
def test_what_is_written_comes_back(made: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "pairs.parquet"
    assert write_pairs(path, made) == len(made)
    assert list(read_pairs(path)) == made


@settings(deadline=None, max_examples=30)
@given(first=st.lists(pairs, max_size=5), second=st.lists(pairs, max_size=5))
def test_appended_twice_is_there_once(
    first: list[Pair], second: list[Pair], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "appended.parquet"
    path.unlink(missing_ok=True)
    keys = {pair.key for pair in first}
    assert append_pairs(path, first) == (len(keys), len(keys))
    both = keys | {pair.key for pair in second}
    assert append_pairs(path, second) == (len(both) - len(keys), len(both))
    before = path.read_bytes()
    assert append_pairs(path, [*second, *first]) == (0, len(both))
    assert [pair.key for pair in read_pairs(path)] == list(dict.fromkeys(pair.key for pair in [*first, *second]))
    assert path.read_bytes() == before


def test_what_makes_two_pairs_one() -> None:
    """Who proposed a step, how likely, and when, makes no other pair of it; what the judge says of it does."""
    same = replace(STEP, source="runs/b", policy="hf:model", log_probability=-3.0, step=0, split="train", proof_key="c")
    assert same.key == STEP.key
    others = [
        replace(STEP, tactic="simp"), replace(STEP, state="⊢ n = n"), replace(STEP, statement="theorem t : True"),
        replace(STEP, header=""), replace(STEP, reward=0), replace(STEP, reward=None),
    ]  # fmt: skip
    assert len({PROOF.key, STEP.key, *(pair.key for pair in others)}) == 8


def test_theorems_of_pairs_are_there_once() -> None:
    other = replace(PROOF, theorem="u", statement="theorem u : True")
    assert [row.name for row in theorems_of([STEP, other, PROOF, other])] == ["t", "u"]
    assert STEP.row.hash == PROOF.row.hash


def test_the_columns_are_for_others_to_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [STEP, PROOF])
    table = parquet.read_table(path)
    assert table.schema.names == [
        "kind", "theorem", "statement", "header", "state", "tactic", "proof", "proof_key", "step", "log_probability",
        "reward", "source", "policy", "split", "topic", "hash",
    ]  # fmt: skip
    assert table["kind"].to_pylist() == ["tactic", "proof"]
    assert table["tactic"].to_pylist() == ["rfl", None]
    assert table["proof"].to_pylist() == [None, "intro\nrfl"]
    assert table["log_probability"].to_pylist() == [-0.5, None]
    assert table["hash"].to_pylist() == [STEP.row.hash] * 2


def test_read_as_it_is_asked_for_and_damage_is_come_to(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    many = [replace(STEP, state=f"⊢ {i} = {i}", step=i) for i in range(2 * AT_ONCE)]
    write_pairs(path, iter(many))
    second = parquet.ParquetFile(path).metadata.row_group(1)
    states = next(second.column(i) for i in range(16) if second.column(i).path_in_schema == "state")
    data = bytearray(path.read_bytes())
    data[states.data_page_offset + states.total_compressed_size // 2] ^= 1
    path.write_bytes(data)
    found = read_pairs(path)
    assert [next(found).step for _ in range(AT_ONCE)] == list(range(AT_ONCE))  # type: ignore[union-attr]
    with pytest.raises(UserInputError, match="is no file of pairs, or damaged: "):
        next(found)


def test_one_changed_bit_is_refused_or_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [STEP, PROOF])
    whole = path.read_bytes()
    said = []
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            assert list(read_pairs(path)) == [STEP, PROOF]
        except UserInputError as error:
            said.append(str(error))
    assert len(said) > 100
    assert not any("\n" in each for each in said)


def other_version(path: Path) -> None:
    columns = schema().with_metadata({b"lean-rl-prover.pairs": b"2"})
    parquet.write_table(columns.empty_table(), path)


def other_columns(path: Path) -> None:
    columns = pyarrow.schema([("kind", pyarrow.string())], schema().metadata)
    parquet.write_table(columns.empty_table(), path)


def no_pair(path: Path) -> None:
    row = dict.fromkeys(schema().names, "") | {"kind": "tactic", "step": 0, "log_probability": 0.0, "reward": 1}
    columns = schema().with_metadata(schema().metadata | {b"lean-rl-prover.rows": b"1"})
    parquet.write_table(pyarrow.Table.from_pylist([row | {"state": None}], schema=columns), path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "There is no file "),
        (lambda path: path.mkdir(), "pairs.parquet"),
        (lambda path: path.write_bytes(b""), "is no file of pairs, or damaged"),
        (lambda path: path.write_text("name,tactic\n"), "is no file of pairs, or damaged"),
        (lambda path: parquet.write_table(pyarrow.table({"a": [1]}), path), "is a Parquet file of something else"),
        (other_version, "was written in version 2 of the format; version 1 can be read"),
        (other_columns, "is damaged: its columns are not those of pairs"),
        (no_pair, "is no file of pairs, or damaged: a row is no pair"),
    ],
)
def test_another_file_is_refused_in_a_sentence(make, said: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    make(path)
    with pytest.raises(UserInputError) as caught:
        list(read_pairs(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    if path.is_file():  # what is there is not lost when something is to be added
        before = path.read_bytes()
        with pytest.raises(UserInputError):
            append_pairs(path, [STEP])
        assert path.read_bytes() == before


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [STEP, PROOF])
    whole = path.read_bytes()
    for size in (4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserInputError, match="is no file of pairs, or damaged"):
            list(read_pairs(path))


def test_what_cannot_be_written_is_said_and_leaves_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="no such folder"):
        write_pairs(tmp_path / "nowhere" / "pairs.parquet", [STEP])
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [STEP])

    def breaking():
        yield PROOF
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        append_pairs(path, breaking())
    assert list(read_pairs(path)) == [STEP]
    assert [each.name for each in tmp_path.iterdir()] == ["pairs.parquet"]
