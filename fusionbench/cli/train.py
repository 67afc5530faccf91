"""``fusionbench train``: a network, on folders of pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fusionbench.cli import examples
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell, number, print_json, table

app = typer.Typer()


@app.command(
    epilog=examples(
        "fusionbench train clfnet --data roadscene --data msrs -o clfnet",
        "fusionbench train cs2fusion --data msrs --steps 1000 --batch 8 --crop 64 --schedule cosine --flips -o cs2",
        "fusionbench train cs2fusion --data msrs --steps 1000 --batch 8 --crop 64 --schedule cosine --flips -o cs2 --resume",
        "fusionbench train coconet --data msrs --vgg vgg19.pth --device cuda -o main",
        "fusionbench train coconet --data msrs --vgg vgg19.pth --weights main/best.safetensors --stage contrast -o coco",
    )
)
def train(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="clfnet, cs2fusion or coconet.")],
    data: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Pairs to learn from, in folders 'ir', 'vis' (and 'mask'). May be repeated."),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Gets best.safetensors, the logs, and what --resume needs."),
    ],
    validate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pairs to judge by; otherwise some of the data are held out.")
    ] = None,
    hold_out: Annotated[int, typer.Option(metavar="N", help="How many pairs are held out.")] = 5,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A pair to leave out. May be repeated.")
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(metavar="N", help="How long; what is not given is as the authors have it.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="How long, counted in batches instead.")] = None,
    batch: Annotated[int | None, typer.Option(metavar="N", help="Patches a step.")] = None,
    crop: Annotated[int | None, typer.Option(metavar="PIXELS", help="Side of a patch.")] = None,
    stride: Annotated[int | None, typer.Option(metavar="PIXELS", help="From one patch to the next.")] = None,
    flips: Annotated[bool, typer.Option("--flips", help="Mirror patches at random.")] = False,
    rate: Annotated[float | None, typer.Option(metavar="X", help="Learning rate of Adam.")] = None,
    schedule: Annotated[
        Literal["authors", "cosine"], typer.Option(help="How the learning rate falls: as the authors have it, or to 0.")
    ] = "authors",
    detail: Annotated[
        float | None,
        typer.Option(metavar="X", help="clfnet, cs2fusion: weight of a loss of our own that asks for detail of both."),
    ] = None,
    vgg: Annotated[Path | None, typer.Option(metavar="FILE", help="coconet: torchvision's weights of VGG-19.")] = None,
    backbone: Annotated[
        Literal["vgg19", "vgg16"] | None, typer.Option(help="coconet: vgg16 if that is the file you have.")
    ] = None,
    stage: Annotated[
        Literal["main", "contrast"] | None, typer.Option(help="coconet: 'contrast' goes on from --weights of 'main'.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="coconet: what to start from.")] = None,
    validate_every: Annotated[
        int | None, typer.Option(metavar="STEPS", help="Between validations; otherwise an epoch.")
    ] = None,
    save_every: Annotated[int, typer.Option(metavar="STEPS", help="Between states: most that a kill can lose.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything random.")] = 123,
    device: Annotated[str, typer.Option(metavar="NAME", help="cpu or cuda.")] = "cpu",
    precision: Annotated[Literal["fp32", "bf16"], typer.Option(help="Of the convolutions.")] = "fp32",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in -o.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card of the weights as JSON.")] = False,
) -> None:
    """Train a network; the best weights by our own metrics are kept, with a card of how they were made."""
    from fusionbench import training

    own = {"detail": detail, "vgg": vgg, "backbone": backbone, "stage": stage, "weights": weights}
    with Progress("Training", "steps", quiet=quiet) as progress:
        best = training.train(
            method,
            data,
            output,
            validate=validate,
            hold_out=hold_out,
            exclude=exclude or (),
            epochs=epochs,
            steps=steps,
            batch=batch,
            crop=crop,
            stride=stride,
            flips=flips,
            rate=rate,
            schedule=schedule,
            validate_every=validate_every,
            save_every=save_every,
            seed=seed,
            device=device,
            precision=precision,
            resume=resume,
            tell=progress,
            **{word: value for word, value in own.items() if value is not None},
        )
    card = training.card(best)
    if as_json:
        print_json(card)
        return
    for line in _shown(card):
        typer.echo(line)
    typer.echo(f"\nBest after step {card['step']}: {best}. Losses: {output / 'log.csv'}, {output / 'loss.svg'}.")


def _shown(card: dict[str, Any]) -> list[str]:
    scores = card["scores"]
    return list(table([*scores], [[Cell(number(value)) for value in scores.values()]], labels=0, left=()))
