"""The options that say which policy is asked, and how: the same for every command that searches."""

from typing import Annotated

import typer

PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="SPEC",
        help="What proposes: portfolio, shipped, hf:PATH, onnx:PATH, vllm:NAME, openai:MODEL, or a mixture such as "
        "0.7*portfolio+0.3*hf:PATH; `prover policies` says what can be used here (default: shipped+portfolio, for a "
        "search over whole proofs portfolio).",
    ),
]
PromptOption = Annotated[
    str | None,
    typer.Option("--prompt", metavar="FAMILY", help="How the model is asked (default: by the model's name)."),
]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Of an OpenAI-compatible server, for openai:MODEL.")
]
TemperatureOption = Annotated[
    float | None,
    typer.Option("--temperature", metavar="T", min=0, help="Of sampling; 0 takes the likeliest token (default: 1)."),
]
TopPOption = Annotated[
    float | None,
    typer.Option(
        "--top-p", metavar="P", min=0, max=1, help="Draw from the likeliest tokens that have P together (default: 1)."
    ),
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", metavar="N", min=1, help="The longest answer (default: the prompt's own).")
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        "--samples",
        metavar="N",
        min=1,
        help="Answers of the model for one tactic state (default: 8), or without one draws from what is proposed.",
    ),
]
RedrawsOption = Annotated[
    int | None,
    typer.Option(
        "--redraws",
        metavar="N",
        min=0,
        help="Rounds of as many more answers, where some say what another does (default: 0; shipped: 4).",
    ),
]
