"""From what `--policy` says to policies of the kind that a search wants: a plan, which costs nothing, then models."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from prover.algorithms import SEARCHES, Policy, wanted_of
from prover.policies.adapter import adapted_by
from prover.policies.answers import Answers
from prover.policies.correction import ModelCorrectionPolicy
from prover.policies.drawn import DrawnTacticPolicy
from prover.policies.losses import Losses
from prover.policies.mixture import MixedProofPolicy, MixedTacticPolicy
from prover.policies.probe import probe
from prover.policies.proof_policy import ModelProofPolicy
from prover.policies.spec import NAMELESS, WITHOUT_A_MODEL, Options, Part, check_options, read_policy, short_name
from prover.policies.tactic_policy import ModelTacticPolicy
from prover.portfolio import PortfolioPolicy
from prover.portfolio.grammar import GrammarPolicy
from prover.portfolio.templates import templates
from prover.prompts.family import ProofFamily, TacticFamily
from prover.prompts.own import MARKERS
from prover.prompts.registry import Kind, correction_named, family_named, guessed, kinds
from prover.sampling.sampler import Sampler, SamplerError, Settings
from prover.shipped import VERSION
from prover.sources import UserInputError
from search import Plan, ProofPolicy, TacticPolicy

TEMPERATURE = 1.0
TOP_P = 1.0
SAMPLES = 8  # answers for one tactic state
SHIPPED_REDRAWS = 4  # of the shipped model, whose answers cost next to nothing
TACTIC_TOKENS = 256
PROOF_TOKENS = 2048  # DeepSeek-Prover-V1.5's quick start has as many
# Those that think first, as the quick starts of their model cards have it.
THINKING_TOKENS = {"deepseek-prover-v2": 8192, "goedel-prover-v2": 32768, "kimina": 8096}
WRITES: dict[Kind, str] = {"tactic": "tactics", "proof": "whole proofs", "correction": "corrected proofs"}


@dataclass(frozen=True)
class Opened:
    """`make` gives the policy of one attempt, from its seed. `losses` count for all of them. Close it when done."""

    make: Callable[[int], Policy]
    losses: tuple[Losses, ...]
    samplers: tuple[Sampler, ...]
    resources: ExitStack

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.resources.close()

    def stop(self) -> None:
        """Has the answers that are in work end soon, where a model can do that; they are not counted as lost."""
        for losses in self.losses:
            losses.end()
        for sampler in self.samplers:
            if hasattr(sampler, "stop"):
                sampler.stop()

    def lost(self) -> list[str]:
        """Sentences on the models some answers of which did not come."""
        return [sentence for each in self.losses for sentence in each.sentences()]


@dataclass(frozen=True)
class PolicyPlan:
    """What is to be opened. `families` has a prompt family's name for each part, empty where no model is.

    `drawn`: there is no model, and so many samples of what the parts propose are tried on a state, not all of it.
    """

    parts: tuple[Part, ...]
    families: tuple[str, ...]
    settings: tuple[Settings, ...]
    samples: int
    base_url: str | None
    wanted: Kind
    drawn: bool = False
    redraws: int | None = None

    @property
    def name(self) -> str:
        """Short, for a folder's name."""
        return short_name(self.parts)

    @property
    def text(self) -> str:
        """All that the answers hang on but for the models' weights: attempts made under one text may be mixed."""
        weighted = any(part.weight != self.parts[0].weight for part in self.parts)
        said = []
        for part, family, settings in zip(self.parts, self.families, self.settings, strict=True):
            options = [VERSION] if part.kind == "shipped" else []
            options += [family, f"temperature {settings.temperature:g}"]
            options += [f"top-p {settings.top_p:g}"] if settings.top_p < 1 else []
            options += [f"at most {settings.max_tokens} tokens"]
            if self.wanted == "tactic" and settings.temperature == 0:
                options += ["1 sample"]
            elif self.wanted == "tactic":
                options += [f"{self.samples} samples"]
                options += [f"{self._redraws(part)} redraws"] if self._redraws(part) else []
            options += [self.base_url] if self.base_url and part.kind == "openai" else []
            written = f"{part} ({', '.join(options)})" if family else str(part)
            said.append(f"{part.weight:g}*{written}" if weighted else written)
        return "+".join(said) + (f" ({self.samples} samples)" if self.drawn else "")

    def open(self) -> Opened:
        """Loads the models, and finds out whether they can be used.

        Raises:
            UserInputError: one cannot; the message says what to do.
        """
        with ExitStack() as stack:
            samplers: list[Sampler | None] = []
            for part, family, settings in zip(self.parts, self.families, self.settings, strict=True):
                sampler = None if part.kind in WITHOUT_A_MODEL else _open(part, self.base_url)
                if sampler is not None and hasattr(sampler, "close"):
                    stack.callback(sampler.close)
                if sampler is not None and part.kind != "openai":  # a server has been asked when it was opened
                    probe(sampler, family, settings, self.wanted)
                samplers.append(sampler)
            losses = [None if sampler is None else Losses(sampler.name) for sampler in samplers]

            def make(seed: int) -> Policy:
                whole = mixture(seed)
                return DrawnTacticPolicy(cast(TacticPolicy, whole), self.samples, seed) if self.drawn else whole

            def mixture(seed: int) -> Policy:
                policies = [
                    self._policy(number, None if sampler is None else Answers(sampler, lost), seed)
                    for number, (sampler, lost) in enumerate(zip(samplers, losses, strict=True))
                ]
                if len(policies) == 1:
                    return policies[0]
                weights = [part.weight for part in self.parts]
                if self.wanted == "tactic":
                    return MixedTacticPolicy(list(zip(weights, cast(list[TacticPolicy], policies), strict=True)))
                return MixedProofPolicy(list(zip(weights, cast(list[ProofPolicy], policies), strict=True)))

            opened = tuple(each for each in samplers if each is not None)
            return Opened(make, tuple(each for each in losses if each is not None), opened, stack.pop_all())

    def _redraws(self, part: Part) -> int:
        if self.redraws is not None:
            return self.redraws
        return SHIPPED_REDRAWS if part.kind == "shipped" else 0

    def _policy(self, number: int, answers: Answers | None, seed: int) -> Policy:
        if answers is None:
            if self.parts[number].kind == "templates":
                return PortfolioPolicy((templates,))
            return PortfolioPolicy() if self.wanted == "tactic" else GrammarPolicy()
        family, settings = family_named(self.families[number]), self.settings[number]
        if self.wanted == "tactic":
            redraws = self._redraws(self.parts[number])
            return ModelTacticPolicy(answers, cast(TacticFamily, family), settings, self.samples, seed, redraws)
        proofs = ModelProofPolicy(answers, cast(ProofFamily, family), settings)
        if self.wanted == "proof":
            return proofs
        return ModelCorrectionPolicy(proofs, correction_named(self.families[number]))


def default_policy(wanted: Kind) -> str:
    """What is asked where `--policy` says nothing: the shipped model beside the portfolio, if tactics are wanted."""
    return "shipped+portfolio" if wanted == "tactic" else "portfolio"


def plan_policy(
    text: str | None, options: Options, algorithm: Plan, known: Mapping[str, str] = MappingProxyType({})
) -> PolicyPlan:
    """Reads `--policy` (None: it was not given) and the options beside it; nothing is imported or loaded for it.

    `known` is the prompt family of a part by its text, where neither its name nor its folder need say it.

    Raises:
        UserInputError: they make no sense, there is no such folder, no prompt family is known, or it does not fit the
            algorithm.
    """
    wanted = wanted_of(algorithm)
    parts = read_policy(default_policy(wanted) if text is None else text)
    check_options(parts, options, wanted == "tactic")
    if wanted == "correction" and (len(parts) > 1 or parts[0].kind in WITHOUT_A_MODEL):
        raise UserInputError("--search correct wants one model that corrects its proofs, such as hf:PATH, as --policy.")
    for part in parts:
        refuse_missing_folder(part)
    families = tuple(_family(part, known.get(str(part), options.prompt), wanted) for part in parts)
    temperature = TEMPERATURE if options.temperature is None else options.temperature
    top_p = TOP_P if options.top_p is None else options.top_p
    settings = tuple(Settings(options.max_tokens or _tokens(family, wanted), temperature, top_p) for family in families)
    drawn = options.samples is not None and all(part.kind in WITHOUT_A_MODEL for part in parts)
    samples = options.samples or SAMPLES
    return PolicyPlan(parts, families, settings, samples, options.base_url, wanted, drawn, options.redraws)


def refuse_missing_folder(part: Part) -> None:
    """Says that a model's folder is not there, before a prompt family is looked for in it.

    Raises:
        UserInputError: its name is that of a folder, and there is none.
    """
    if part.kind in (*NAMELESS, "openai"):
        return
    folder = part.folder
    path_like = part.name.startswith(("/", ".", "~")) or part.name.count("/") > 1
    if folder.is_dir() or not (path_like or part.kind == "onnx"):
        return
    if folder.exists():
        raise UserInputError(f"{part.name} is a file; name the folder that it lies in.")
    raise UserInputError(f"There is no folder {part.name}.")


def _family(part: Part, named: str | None, wanted: Kind) -> str:
    """The name of the family that a model is asked by: the one that was named, or that its name or folder says."""
    if part.kind in WITHOUT_A_MODEL:
        return ""
    if part.kind == "shipped":
        named = None  # a format that it has never seen would only spoil it, whatever is beside it
    elif named is not None:
        family_named(named)
    folder = None if part.kind == "openai" else part.folder
    family = named or (own_family(folder, wanted) if folder else "") or guessed_family(part.name, folder)
    if wanted not in kinds(family):
        fitting = [name for name, plan in SEARCHES.items() if wanted_of(plan) in kinds(family)]
        raise UserInputError(
            f"{part} is asked by the prompt family `{family}` for {WRITES[kinds(family)[0]]}, and this search wants "
            f"{WRITES[wanted]}; choose --search {', '.join(fitting)}, or another family with --prompt."
        )
    return family


def guessed_family(name: str, folder: Path | None) -> str:
    """The family that a model's name says, or that of the model which the adapter in the folder adapts.

    Raises:
        UserInputError: neither does.
    """
    base = adapted_by(folder) if folder else None
    try:
        return guessed(name)
    except UserInputError as error:
        if base is None and folder is not None and "/" in name and not folder.expanduser().exists():
            raise UserInputError(f"There is no folder {name}, and if that is a name on the hub: {error}") from error
        if base is None:
            raise
        return guessed(base)


def own_family(folder: Path, wanted: Kind) -> str:
    """The family of the project's own formats, if a tokenizer with their markers is in the model's folder, or in that
    of the model which its adapter adapts; else empty."""
    if (base := adapted_by(folder)) and not (folder.expanduser() / "tokenizer.json").is_file():
        return own_family(Path(base), wanted)
    try:
        tokenizer = folder.expanduser() / "tokenizer.json"
        added = {token["content"] for token in json.loads(tokenizer.read_text("utf-8"))["added_tokens"]}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""  # what opens the model will say what is wrong with it
    return ("own-tactic" if wanted == "tactic" else "own-proof") if added.issuperset(MARKERS) else ""


def _tokens(family: str, wanted: Kind) -> int:
    return TACTIC_TOKENS if wanted == "tactic" else THINKING_TOKENS.get(family, PROOF_TOKENS)


def _open(part: Part, base_url: str | None) -> Sampler:
    """A model, with what it needs imported only now."""
    try:
        match part.kind:
            case "hf":
                from prover.sampling.transformers_sampler import open_transformers

                return open_transformers(part.name)
            case "onnx" | "shipped":
                from prover.sampling.onnx_sampler import open_onnx

                return open_onnx(part.folder, str(part))
            case "vllm":
                from prover.sampling.vllm_sampler import open_vllm

                return open_vllm(part.name)
            case _:
                from prover.sampling.openai_sampler import open_openai

                return open_openai(part.name, base_url)
    except SamplerError as error:
        without = " `--policy portfolio` needs no model." if part.kind == "shipped" else ""
        raise UserInputError(f"{error}{without}") from error
