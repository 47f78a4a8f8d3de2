"""Runs an exported model (see `prover.model.onnx_graph`) a token at a time with onnxruntime and numpy alone.

The cache lies in numpy's memory and is bound as a run's input and output both: onnxruntime writes a token's keys and
values into it where they belong, and nothing of it is copied.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from prover.sampling import drawing
from prover.sampling.batches import common_prefix
from prover.sampling.decoding import DecoderFault
from prover.sampling.drawing import Floats, Ints
from prover.sampling.onnx_format import Facts

Array = NDArray[np.float32]


class OnnxDecoder:
    """`decoding.Decoder` over an exported model; see there. Rows may have different lengths: nothing is padded."""

    spread = inf

    def __init__(self, session: Any, facts: Facts, rows: int) -> None:
        self.rows = rows
        self._session, self._facts = session, facts
        self._names = [f"{i}.{part}" for i in range(facts.layers) for part in ("key", "value")]
        # A row's cache fills up from its beginning; `_lengths` (b,) says how far.
        self._caches: list[Array] = []
        self._lengths = np.empty(0, dtype=np.int32)
        self.logits: Array = np.empty((0, 0), dtype=np.float32)
        self._binding: Any = None

    def start(self, prompts: Sequence[tuple[int, ...]], rows: Sequence[int], room: int) -> None:
        with _faults():
            facts = self._facts
            longest = max(map(len, prompts))
            shape = (len(rows), facts.key_value_heads, longest + room, facts.head_size)
            # The system gives the memory when it is first written to, so what is never reached costs nothing.
            self._caches = [np.empty(shape, dtype=np.float32) for _ in self._names]
            self.logits = np.empty((len(rows), facts.vocabulary), dtype=np.float32)
            self._lengths = np.array([len(prompts[prompt]) for prompt in rows], dtype=np.int32)
            first: dict[int, int] = {}
            for row, prompt in enumerate(rows):
                first.setdefault(prompt, row)
            before: tuple[int, int] | None = None  # in the order of text a prompt shares most with the one before it
            for prompt in sorted(first, key=lambda prompt: prompts[prompt]):
                ids, row = prompts[prompt], first[prompt]
                shared = 0
                if before is not None:
                    shared = min(common_prefix([ids, prompts[before[0]]]), len(ids) - 1)
                    self._copy(before[1], row, shared)
                self._prefill(row, ids[shared:], shared)
                before = prompt, row
            for row, prompt in enumerate(rows):
                if row != first[prompt]:
                    self._copy(first[prompt], row, len(prompts[prompt]))
                    self.logits[row] = self.logits[first[prompt]]

    def draw(self, temperatures: Floats, top_ps: Floats, chosen: Floats) -> tuple[Ints, Floats]:
        with _faults():
            return drawing.draw(self.logits, temperatures, top_ps, chosen)

    def advance(self, kept: Sequence[int], tokens: Ints) -> None:
        with _faults():
            if len(kept) < len(self._lengths):
                self._keep(kept)
            if self._binding is None:
                rows = len(self._lengths)
                self._ids = np.empty((rows, 1), dtype=np.int64)
                self._last = np.empty(rows, dtype=np.int32)
                self._total = np.empty((), dtype=np.int32)
                self._binding = self._bound(self._caches, self._ids, self._last, self._total, self.logits)
            # Bound memory is written anew: binding is dearer than a small model's whole step.
            self._ids[:, 0] = tokens
            self._last[:] = self._lengths
            self._lengths += 1
            self._total[...] = self._lengths.max()
            self._session.run_with_iobinding(self._binding)

    def stop(self) -> None:
        self._binding = None
        self._caches = []

    def _prefill(self, row: int, ids: Sequence[int], held: int) -> None:
        """Puts `ids` after the `held` tokens of one row."""
        total = held + len(ids)
        binding = self._bound(
            [cache[row : row + 1] for cache in self._caches],
            np.array([ids], dtype=np.int64),
            np.array([total - 1], dtype=np.int32),
            np.array(total, dtype=np.int32),
            self.logits[row : row + 1],
        )
        self._session.run_with_iobinding(binding)

    def _keep(self, kept: Sequence[int]) -> None:
        """Only the rows `kept`, as `batches.without` orders them: a row moves into a finished one's place, or stays."""
        for place, row in enumerate(kept):
            if place != row:
                self._copy(row, place, int(self._lengths[row]))
        self._lengths = self._lengths[list(kept)]
        self._caches = [cache[: len(kept)] for cache in self._caches]
        self.logits = self.logits[: len(kept)]
        self._binding = None

    def _copy(self, source: int, target: int, tokens: int) -> None:
        for cache in self._caches:
            cache[target, :, :tokens] = cache[source, :, :tokens]

    def _bound(self, caches: Sequence[Array], ids: Ints, last: NDArray[np.int32], total: Any, logits: Array) -> Any:
        binding = self._session.io_binding()
        for name, array in (("input_ids", ids), ("last", last), ("total", total)):
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
        for name, cache in zip(self._names, caches, strict=True):
            value = onnxruntime.OrtValue.ortvalue_from_numpy(cache)
            binding.bind_ortvalue_input(f"past.{name}", value)
            binding.bind_ortvalue_output(f"present.{name}", value)
        binding.bind_ortvalue_output("logits", onnxruntime.OrtValue.ortvalue_from_numpy(logits))
        return binding


@contextmanager
def _faults() -> Iterator[None]:
    """Says in the sampling loop's words what onnxruntime raises, which has no class of its own for want of memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        said = str(error)
        if "Failed to allocate memory" in said or "bad_alloc" in said:
            raise MemoryError(said) from None
        if type(error).__module__.startswith("onnxruntime") or isinstance(error, RuntimeError):
            raise DecoderFault(said.strip().split("\n")[0]) from error
        raise
