"""Runs a transformers model a token at a time, with a KV cache in buffers that have room to grow.

`generate` is not used: it draws all rows from one generator, prefills a prompt once for each of its samples, and keeps
finished rows. Its cache is copied whole for every token, too.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from prover.sampling import drawing
from prover.sampling.batches import common_prefix
from prover.sampling.decoding import DecoderFault
from prover.sampling.drawing import Floats, Ints

SPREAD = 1.5
WORTHWHILE = 16  # tokens: a shorter prefix is not worth a run of the model of its own
HEADROOM = 64  # tokens that a buffer has room for, at least, when it is made


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # the library's class is Any to the type checker
    """The library's layer of a cache, but with buffers that are written in place: a token costs no copy of the rest.

    `most` is the most tokens that a row can come to have.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.keys: Any = None
        self.values: Any = None
        self._most = most
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        rows, have = key_states.shape[0], self.get_seq_length()
        end = have + key_states.shape[2]
        if self._buffers is None or end > self._buffers[0].shape[2]:
            room = max(end, min(end + max(HEADROOM, end // 2), self._most))
            self._buffers = (
                _buffer(self.keys if have else None, key_states, room),
                _buffer(self.values if have else None, value_states, room),
            )
        keys, values = (buffer[:rows, :, :end] for buffer in self._buffers)
        keys[:, :, have:] = key_states
        values[:, :, have:] = value_states
        self.keys, self.values = keys, values
        return keys, values

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        super().reorder_cache(beam_idx)
        self._buffers = None

    def keep(self, kept: Sequence[int]) -> None:
        """Only the rows `kept`, as `batches.without` orders them: a row moves into a finished one's place, or stays."""
        moved = [(place, row) for place, row in enumerate(kept) if place != row]
        for name in ("keys", "values"):
            tensor = getattr(self, name)
            if moved:
                places, rows = (torch.tensor(ends, device=tensor.device) for ends in zip(*moved, strict=True))
                tensor[places] = tensor[rows]
            setattr(self, name, tensor[: len(kept)])


def _buffer(held: torch.Tensor | None, new: torch.Tensor, room: int) -> torch.Tensor:
    """A buffer with `room` tokens for the rows of `new`, `held` at its beginning."""
    rows, heads, _, size = new.shape
    buffer = new.new_empty((rows, heads, room, size))
    if held is not None:
        buffer[:, :, : held.shape[2]] = held
    return buffer


class TorchDecoder:
    """`decoding.Decoder` over a causal model of transformers; see there."""

    def __init__(self, model: Any, rows: int) -> None:
        self.rows = rows
        self._model = model
        self._device = model.device
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        parameters = inspect.signature(inner.forward).parameters
        self._options: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}
        self._positions = "position_ids" in parameters
        layers = DynamicCache(config=model.config).layers
        # Layers with a sliding window or a recurrent state count places, and so padding too.
        self._plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
        self.spread = SPREAD if self._plain and self._positions else 1.0
        self._cache: Any = None
        self._logits: Any = None
        self._mask: torch.Tensor | None = None  # (b, held), where rows are padded
        self._lengths = torch.empty(0, dtype=torch.long)  # (b,), without padding

    def start(self, prompts: Sequence[tuple[int, ...]], rows: Sequence[int], room: int) -> None:
        with _faults(), torch.inference_mode():
            longest = max(map(len, prompts))
            self._cache = DynamicCache(config=self._model.config)
            if self._plain:
                self._cache.layers = [GrowingLayer(longest + room) for _ in self._cache.layers]
            shared = min(common_prefix(prompts), min(map(len, prompts)) - 1) if self._plain else 0
            if len(prompts) == 1 or shared < WORTHWHILE:
                shared = 0
            if shared:
                self._forward(torch.tensor([prompts[0][:shared]]), torch.arange(shared)[None], None)
                self._cache.reorder_cache(torch.zeros(len(prompts), dtype=torch.long, device=self._device))
            widths = torch.tensor([len(prompt) - shared for prompt in prompts])
            width = int(widths.max())
            ids = torch.zeros((len(prompts), width), dtype=torch.long)  # which token pads does not matter: it is masked
            for row, prompt in enumerate(prompts):
                ids[row, width - len(prompt) + shared :] = torch.tensor(prompt[shared:])
            places = torch.arange(width)[None] - (width - widths)[:, None]
            mask = None
            if int(widths.min()) < width:
                mask = torch.cat([torch.ones(len(prompts), shared, dtype=torch.bool), places >= 0], dim=1)
            logits = self._forward(ids, places.clamp(min=0) + shared, mask)
            self._lengths = widths + shared
            self._mask = mask
            if list(rows) != list(range(len(prompts))):
                order = torch.tensor(rows)
                self._cache.reorder_cache(order.to(self._device))
                logits = logits[order.to(self._device)]
                self._lengths = self._lengths[order]
                self._mask = None if mask is None else mask[order]
            self._logits = logits

    def draw(self, temperatures: Floats, top_ps: Floats, chosen: Floats) -> tuple[Ints, Floats]:
        with _faults(), torch.inference_mode():
            logits = self._logits.float()
            if logits.device.type == "cpu":
                return drawing.draw(logits.numpy(), temperatures, top_ps, chosen)
            return draw_on_device(logits, temperatures, top_ps, chosen)

    def advance(self, kept: Sequence[int], tokens: Ints) -> None:
        with _faults(), torch.inference_mode():
            if len(kept) < len(self._lengths):
                self._keep(kept)
            ids = torch.from_numpy(tokens)[:, None]
            if self._mask is not None:
                self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=True)
            self._logits = self._forward(ids, self._lengths[:, None], self._mask)
            self._lengths = self._lengths + 1

    def stop(self) -> None:
        self._cache = self._logits = None

    def _keep(self, kept: Sequence[int]) -> None:
        order = torch.tensor(kept)
        if self._plain:
            for layer in self._cache.layers:
                layer.keep(kept)
        else:
            self._cache.reorder_cache(order.to(self._device))
        self._lengths = self._lengths[order]
        if self._mask is not None:
            self._mask = self._mask[order]
            if bool(self._mask.all()):
                self._mask = None

    def _forward(self, ids: torch.Tensor, places: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """The logits (b, v) after the last of `ids` (b, n); `mask` (b, held + n) is false where there is padding."""
        given: dict[str, Any] = {"position_ids": places.to(self._device)} if self._positions else {}
        if mask is not None:
            given["attention_mask"] = mask.to(self._device)
        output = self._model(
            input_ids=ids.to(self._device), past_key_values=self._cache, use_cache=True, **given, **self._options
        )
        self._cache = output.past_key_values
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def draw_on_device(logits: torch.Tensor, temperatures: Floats, top_ps: Floats, chosen: Floats) -> tuple[Ints, Floats]:
    """`drawing.draw` where the logits are: those of a large vocabulary take longer to move than to draw from."""
    device = logits.device
    temperature, top_p, number = (torch.from_numpy(part).to(device) for part in (temperatures, top_ps, chosen))
    greedy = temperature <= 0
    scaled = logits - logits.max(dim=1, keepdim=True).values
    scaled = scaled / torch.where(greedy, 1.0, temperature).float()[:, None]
    weights = scaled.exp()
    if ((top_ps < 1) & (temperatures > 0)).any():
        ordered, order = weights.sort(dim=1, descending=True, stable=True)
        running = ordered.cumsum(dim=1, dtype=torch.float64)
        bound = torch.where(greedy | (top_p >= 1), torch.inf, top_p)[:, None] * running[:, -1:]
        kept = running - ordered < bound
        kept[:, 0] = True
        weights = torch.zeros_like(weights).scatter_(1, order, torch.where(kept, ordered, 0))
    running = weights.cumsum(dim=1, dtype=torch.float64)
    totals = running[:, -1]
    places = torch.minimum(number * totals, torch.nextafter(totals, torch.zeros_like(totals)))
    drawn = (running > places[:, None]).to(torch.uint8).argmax(dim=1)
    drawn = torch.where(greedy, logits.argmax(dim=1), drawn)
    found = scaled.gather(1, drawn[:, None])[:, 0].double() - totals.log()
    tokens, log_probabilities = torch.stack([drawn.double(), found]).cpu().numpy()
    return tokens.astype(np.int64), log_probabilities


@contextmanager
def _faults() -> Iterator[None]:
    """Says in the sampling loop's words what torch raises."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise MemoryError(str(error)) from None
    except RuntimeError as error:
        said = str(error)
        if "not enough memory" in said or "can't allocate memory" in said:
            raise MemoryError(said) from None
        raise DecoderFault(said.strip().split("\n")[0]) from error
