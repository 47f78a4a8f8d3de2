"""The model that a training begins with: one that is there, or one that is made for the texts at hand."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prover.benchmarks.row import Row
from prover.policies.plan import guessed_family, own_family, refuse_missing_folder
from prover.policies.spec import Part
from prover.prompts.own import proof_prompt, proof_text, tactic_text
from prover.sampling.sampler import Prompt
from prover.sampling.transformers_sampler import vocabulary_of
from prover.sources import UserInputError
from rl.data.pairs import Pair, TacticPair
from rl.sft.config import NEW, NewModel
from rl.sft.examples import OWN, TRAINABLE, Encoding
from rl.whole_folder import whole_folder


def new_model(folder: Path, pairs: Iterable[Pair], theorems: Iterable[Row], sizes: NewModel, seed: int) -> None:
    """A model with random weights in `folder`, with a tokenizer for these texts; one that is there is left as it is.

    Raises:
        UserInputError: it cannot be made so, or not be written.
    """
    from prover.model.create import create

    if (folder / "config.json").is_file():
        return
    with whole_folder(folder) as unfinished:
        try:
            create(unfinished, _texts(pairs, theorems), sizes.sizes(), seed)
        except ValueError as error:
            raise UserInputError(f"A new model cannot be made so: {error}.") from error


def check_base(base: str, named: str | None, sizes: NewModel, statement_loss: float) -> None:
    """Finds what may have been mistyped before anything is begun.

    Raises:
        UserInputError: the model cannot be trained, or not with this weight of statements.
    """
    family = family_of(base, named)
    if statement_loss and family != OWN:
        raise UserInputError(
            f"--statement-loss is for models with the project's own prompts, and {base} is asked by those of {family}."
        )
    if base == NEW:
        from prover.model.tokenizer import train

        try:
            train((), sizes.vocabulary)
        except ValueError as error:
            raise UserInputError(f"A new model cannot be made so: {error}.") from error


def family_of(base: str, named: str | None) -> str:
    """How the model `base` is asked: `own` where its tokenizer has the project's markers, else as named or guessed.

    Raises:
        UserInputError: that is not known, there is no such folder, or models are not trained on such prompts.
    """
    if base == NEW:
        if named not in (None, OWN):
            raise UserInputError(f"A new model is asked by its own format, not by that of {named}.")
        return OWN
    refuse_missing_folder(Part("hf", base))
    folder = Path(base).expanduser()
    own = bool(own_family(folder, "tactic"))
    if own and named in (None, OWN):
        return OWN
    if named == OWN:
        raise UserInputError(f"The tokenizer of {base} has not the markers of the own format; name another --prompt.")
    family = named or guessed_family(base, folder)
    if family not in TRAINABLE:
        raise UserInputError(f"Models are trained on the prompts of {', '.join(TRAINABLE)}, not on those of {family}.")
    return family


def encoding_of(model: Any, tokenizer: Any) -> Encoding:
    """A tokenizer of transformers as examples want it: prompts are encoded as they are when the model is asked."""
    vocabulary = vocabulary_of(model, tokenizer)
    if tokenizer.eos_token_id is None:
        raise UserInputError("The model's tokenizer has no token that ends an answer; choose another model.")

    def answer(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def prompt(text: str) -> list[int]:
        return list(vocabulary.encode(Prompt(text)))

    return Encoding(prompt, answer, tokenizer.eos_token_id, vocabulary.context)


def _texts(pairs: Iterable[Pair], theorems: Iterable[Row]) -> Iterator[str]:
    for pair in pairs:
        if isinstance(pair, TacticPair):
            yield tactic_text(pair.state, pair.tactic)
        else:
            yield proof_text(pair.statement, pair.proof)
    for row in theorems:
        yield proof_prompt(row.statement)
