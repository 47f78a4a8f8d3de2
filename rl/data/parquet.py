"""Pairs as a Parquet file: written whole, read a few at a time, and added to without saying anything twice."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from prover.outputs import check_writable, write_whole
from prover.sources import UserInputError
from rl.data.pairs import Pair, ProofPair, TacticPair

VERSION = 1
AT_ONCE = 4096  # rows that are in memory at a time

_MARK = b"lean-rl-prover.pairs"  # the file's own keys: for the version,
_ROWS = b"lean-rl-prover.rows"  # and for the number of rows, which says whether the rest of the footer can be trusted
_KINDS: Mapping[str, type[TacticPair] | type[ProofPair]] = {each.kind: each for each in (TacticPair, ProofPair)}
_NEEDED = {"tactic": ("state", "tactic", "proof_key", "step"), "proof": ("proof",)}


def schema() -> Any:
    """The columns: the fields of both kinds of pairs, null where a kind has none; `kind`; and the theorem's `hash`."""
    text, maybe = pyarrow.string(), {"state", "tactic", "proof", "proof_key"}
    names = ("kind", "theorem", "statement", "header", "state", "tactic", "proof", "proof_key")
    columns = [pyarrow.field(name, text, nullable=name in maybe) for name in names]
    columns += [
        pyarrow.field("step", pyarrow.int32()),
        pyarrow.field("log_probability", pyarrow.float64()),
        pyarrow.field("reward", pyarrow.int8()),
        *(pyarrow.field(name, text, nullable=False) for name in ("source", "policy", "split", "topic", "hash")),
    ]
    return pyarrow.schema(columns, {_MARK: str(VERSION).encode()})


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Writes a file of these pairs, in their order, whole or not at all; returns how many there are.

    Raises:
        UserInputError: it cannot be written; what was there before is there still.
    """
    check_writable(path)
    columns, count, left = schema(), 0, iter(pairs)
    sink = pyarrow.BufferOutputStream()
    with parquet.ParquetWriter(sink, columns, compression="zstd", write_page_checksum=True) as writer:
        while some := list(islice(left, AT_ONCE)):
            writer.write_batch(pyarrow.RecordBatch.from_pylist([_row(pair) for pair in some], schema=columns))
            count += len(some)
        writer.add_key_value_metadata({_ROWS: str(count).encode()})
    write_whole(path, sink.getvalue().to_pybytes())
    return count


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file, in their order, read as they are asked for. The file is looked at right away.

    Raises:
        UserInputError: there is no such file, it is another one than `write_pairs` writes, or it is damaged; the last
            perhaps only when its damaged part is come to.
    """
    with _refusing(path):
        _check(path, parquet.read_metadata(path))
    return _pairs(path)


def append_pairs(path: Path, pairs: Iterable[Pair]) -> tuple[int, int]:
    """Adds those pairs to a file that it does not hold yet, or begins one: (how many are new, how many there are).

    Raises:
        UserInputError: what is there is no file of pairs, or it cannot be written; it is as it was, then.
    """
    seen: set[str] = set()
    new = 0

    def unseen() -> Iterator[Pair]:
        nonlocal new
        for pair in pairs:
            if pair.key not in seen:
                seen.add(pair.key)
                new += 1
                yield pair

    def old() -> Iterator[Pair]:
        for pair in read_pairs(path) if path.exists() else ():
            seen.add(pair.key)
            yield pair

    count = write_pairs(path, chain(old(), unseen()))
    return new, count


def _row(pair: Pair) -> dict[str, Any]:
    return {"kind": pair.kind, "hash": pair.row.hash, **{each.name: getattr(pair, each.name) for each in fields(pair)}}


def _pairs(path: Path) -> Iterator[Pair]:
    with _refusing(path), parquet.ParquetFile(path, page_checksum_verification=True) as file:
        left = file.metadata.num_rows
        for batch in file.iter_batches(AT_ONCE):
            left -= batch.num_rows
            for row in batch.to_pylist():
                yield _pair(row)
        if left:
            raise pyarrow.ArrowInvalid("rows are missing")


def _pair(row: Mapping[str, Any]) -> Pair:
    kind = _KINDS.get(row["kind"])
    if kind is None or any(row[name] is None for name in _NEEDED[kind.kind]):
        raise pyarrow.ArrowInvalid("a row is no pair")
    return kind(**{each.name: row[each.name] for each in fields(kind)})


def _check(path: Path, found: Any) -> None:
    known = found.metadata or {}
    version = known.get(_MARK)
    if version is None:
        raise UserInputError(f"{path} is a Parquet file of something else; `prover-rl harvest` makes files of pairs.")
    if version != str(VERSION).encode():
        said = version.decode(errors="replace")
        raise UserInputError(f"{path} was written in version {said} of the format; version {VERSION} can be read.")
    if not found.schema.to_arrow_schema().equals(schema()):
        raise UserInputError(f"{path} is damaged: its columns are not those of pairs.")
    if known.get(_ROWS) != str(found.num_rows).encode():
        raise UserInputError(f"{path} is damaged: it does not have the rows that were written.")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """One sentence about a file that cannot be read, or that is not what it should be."""
    try:
        yield
    except FileNotFoundError:
        raise UserInputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UserInputError(f"{path} is a folder; name a file in it.") from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UserInputError(f"{path} is no file of pairs, or damaged: {said[:200]}") from None
