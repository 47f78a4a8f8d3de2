"""`prover export-onnx`: a trained model in, one file that runs without PyTorch out."""

from pathlib import Path
from typing import Annotated

import typer

from prover.model.onnx_export import export


def export_onnx(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `save_pretrained` of transformers wrote.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write model.onnx and tokenizer.json into.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Store weights in bytes: a fourth of the size, a little less exact.")
    ] = False,
) -> None:
    """Export a Llama-like model, so that `--policy onnx:OUT` runs it without PyTorch, and faster on a CPU."""
    exported = export(folder, out, int8)
    typer.echo(
        f"wrote {out} ({exported.size / 1e6:.1f} MB); PyTorch's logits differ by {exported.difference:.1g} at most"
    )
