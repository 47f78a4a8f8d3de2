"""Takes optimiser steps on rows of tokens, as one process or as several that share the rows out."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from math import isfinite
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env, reduce

from prover.sources import UserInputError
from rl.learner.collate import collate
from rl.learner.config import LearnerConfig
from rl.learner.forward import layout_for, learned_logits, token_log_probs
from rl.learner.layout import lines_of, micro_batches, share
from rl.learner.schedule import learning_rate
from rl.objective.loss import Objective, Statistics, loss_of, metrics, together, weigh
from rl.objective.rows import TokenRow
from rl.objective.tokens import flatten


class NonFiniteLoss(Exception):
    """A loss or its gradient is infinite or no number. No step was taken: the weights are as they were."""


class Learner:
    """A causal model of transformers, its optimiser and schedule.

    The model is run in evaluation mode, without dropout: what is trained is what was sampled from. Weights that are to
    be learned are float32, and are made so. On a CPU in float32 the same rows give the same bits.

    Where `accelerate launch` or torchrun has started several processes, each is given the same weights and the same
    rows, computes its share of them, and ends each call with the same weights and the same results. Gradients are added
    up, not averaged: token weights are of the whole batch.

    `total_steps` is where the schedule ends, and `step` where it is: the updates taken, unless the caller sets it.

    Raises:
        UserInputError: the model cannot be trained so.
    """

    def __init__(self, model: Any, pad_id: int, config: LearnerConfig, total_steps: int | None = None) -> None:
        config.check_schedule(total_steps)
        self.model = model
        self.config, self.total_steps = config, total_steps
        self.step = 0
        self._pad_id = pad_id
        self._processes = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available())
        if self._processes.num_processes > 1:
            model.to(self._processes.device)
        self._layout = layout_for(model, config.layout)
        self._learned = [weight for weight in model.parameters() if weight.requires_grad]
        if not self._learned:
            raise UserInputError("The model has no weights to learn: all are frozen.")
        for weight in self._learned:
            weight.data = weight.data.float()
        if config.gradient_checkpointing:
            _checkpoint(model)
        matrices = [weight for weight in self._learned if weight.dim() > 1]
        vectors = [weight for weight in self._learned if weight.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
            lr=config.learning_rate,
            betas=config.betas,
            fused=self._device.type in ("cpu", "cuda"),
        )

    def log_probs(
        self, rows: Sequence[TokenRow], temperature: float = 1.0, model: Any = None
    ) -> list[tuple[float, ...]]:
        """Of each row the log-probabilities (n,) of its answer's tokens, at `temperature`, without a gradient.

        `model` may be another, the reference, say, on the same device.

        Raises:
            UserInputError: a row is longer than the model's context.
        """
        model = self.model if model is None else model
        wanted = [(True,) * len(row.answer_ids) for row in rows]
        found: dict[int, tuple[float, ...]] = {}
        with torch.inference_mode():
            for numbers, log_probs, _ in self._computed(model, rows, wanted, temperature):
                values = iter(log_probs.tolist())
                for number in numbers:
                    found[number] = tuple(next(values) for _ in rows[number].answer_ids)
        for part in self._gathered(found):
            found |= part
        return [found.get(number, ()) for number in range(len(rows))]

    def update(self, rows: Sequence[TokenRow], objective: Objective) -> dict[str, float]:
        """One optimiser step over all rows.

        Tells `loss`, `grad_norm` before it was clipped, `learning_rate`, `tokens` that counted, `tokens_per_second` of
        prompts and answers, `seconds`, and what `loss.metrics` has. A batch of which no token counts takes no step.

        Raises:
            NonFiniteLoss: no step was taken.
            ValueError: the rows lack what the objective needs.
            UserInputError: a row is longer than the model's context.
        """
        began = time.perf_counter()
        told = self.backward(rows, objective)
        norm = torch.nn.utils.clip_grad_norm_(self._learned, self.config.max_grad_norm or float("inf")).item()
        if not (isfinite(told["loss"]) and isfinite(norm)):
            self._optimizer.zero_grad()
            raise NonFiniteLoss(f"the loss is {told['loss']}, and its gradient's norm {norm}")
        rate = learning_rate(self.step, self.config, self.total_steps)
        if told["tokens"]:
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            self._optimizer.step()
            self.step += 1
        self._optimizer.zero_grad()
        seconds = time.perf_counter() - began
        speed = sum(row.tokens for row in rows) / seconds
        return {**told, "grad_norm": norm, "learning_rate": rate, "seconds": seconds, "tokens_per_second": speed}

    def backward(self, rows: Sequence[TokenRow], objective: Objective) -> dict[str, float]:
        """The loss's gradient over all rows in the weights' `grad`, and what `loss.metrics` has; no step is taken."""
        self._optimizer.zero_grad()
        told = self._loss(rows, objective, backward=True)
        if self._processes.num_processes > 1:
            self._add_up_gradients()
        return told

    def evaluate(self, rows: Sequence[TokenRow], objective: Objective) -> float:
        """The loss of all rows, without a step."""
        with torch.inference_mode():
            return self._loss(rows, objective, backward=False)["loss"]

    def state_dict(self) -> dict[str, Any]:
        """Optimiser and step, to be saved by `torch.save`; the weights are saved apart."""
        return {"optimizer": self._optimizer.state_dict(), "step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave; the schedule's options are those of this learner's configuration.

        Raises:
            ValueError: the state is of other weights.
        """
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    @property
    def _device(self) -> torch.device:
        device: torch.device = self._learned[0].device
        return device

    def _loss(self, rows: Sequence[TokenRow], objective: Objective, backward: bool) -> dict[str, float]:
        weights = weigh(rows, objective)
        parts: list[Statistics] = []
        for numbers, log_probs, entropies in self._computed(self.model, rows, weights, objective.temperature):
            chosen = [rows[number] for number in numbers]
            tokens = flatten(chosen, [weights[number] for number in numbers], self._device)
            loss, part = loss_of(log_probs, entropies, tokens, objective)
            parts.append(part)
            if backward:
                loss.backward()
        whole = together(part for parts in self._gathered(parts) for part in parts)
        return {"loss": 0.0, "tokens": 0.0} | metrics(whole)

    def _computed(
        self, model: Any, rows: Sequence[TokenRow], wanted: Sequence[Sequence[object]], temperature: float
    ) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
        """This process's micro-batches: their rows, and log-probabilities and entropies (N,) of the tokens wanted."""
        model.eval()
        chosen = [number for number, each in enumerate(wanted) if any(each)]
        _check_lengths(model, [rows[number] for number in chosen])
        layout = self._layout if model is self.model else layout_for(model, self.config.layout)
        lines = share(lines_of(rows, chosen, layout), self._processes.num_processes)[self._processes.process_index]
        for batch in micro_batches(lines, self.config.micro_tokens):
            collated = collate(rows, wanted, batch, layout, self._pad_id, self._device)
            with self._autocast(), _training_checkpointed(model):
                logits = learned_logits(model, collated)
            log_probs, entropies = token_log_probs(logits, collated.targets, temperature)
            yield [number for line in batch for number in line.rows], log_probs, entropies

    def _autocast(self) -> Any:
        if self.config.dtype == "float32":
            return nullcontext()
        return torch.autocast(self._device.type, dtype=torch.bfloat16)

    def _gathered(self, found: Any) -> list[Any]:
        """What every process has found."""
        if self._processes.num_processes == 1:
            return [found]
        gathered: list[Any] = gather_object([found])
        return gathered

    def _add_up_gradients(self) -> None:
        """A weight that no process has a gradient of keeps none: the optimiser passes it over."""
        having = torch.tensor([weight.grad is not None for weight in self._learned], device=self._device).int()
        for weight, had in zip(self._learned, reduce(having, "sum").tolist(), strict=True):
            if had:
                weight.grad = reduce(torch.zeros_like(weight) if weight.grad is None else weight.grad, "sum")


def _check_lengths(model: Any, rows: Sequence[TokenRow]) -> None:
    context = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    longest = max((row.tokens for row in rows), default=0)
    if isinstance(context, int) and longest > context:
        raise UserInputError(
            f"A row of {longest} tokens is longer than the model's context of {context}; leave it out."
        )


def _checkpoint(model: Any) -> None:
    try:
        # The way that leaves frozen weights alone, and needs no input that has a gradient.
        model.gradient_checkpointing_enable({"use_reentrant": False})
    except ValueError as error:
        raise UserInputError("The model does not support gradient checkpointing; leave it out.") from error


@contextmanager
def _training_checkpointed(model: Any) -> Iterator[None]:
    """Layers are computed again for the gradient only where they think that they train; what is in them need not."""
    layers = [module for module in model.modules() if getattr(module, "gradient_checkpointing", False)]
    for layer in layers:
        layer.training = torch.is_grad_enabled()
    try:
        yield
    finally:
        for layer in layers:
            layer.training = False
