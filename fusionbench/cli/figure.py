"""``fusionbench figure``: what a paper shows, from images or from anybody's scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusionbench.cli import drawing, examples

app = typer.Typer(
    help="Draw figures for a paper, as PDF, PNG or SVG.",
    epilog=examples(
        "fusionbench figure grid results/ --ir tno/ir --vis tno/vi --scene 01 --scene 17 -o grid.pdf",
        "fusionbench figure box scores.csv --metrics EN,SSIM,VIF -o box.pdf",
        "fusionbench figure cd scores.csv",
        "fusionbench figure map results/ --ir tno/ir --vis tno/vi --scene 01 --metric Qabf",
        "fusionbench figure runtime scores.csv --cost cost.json --metrics VIF",
    ),
)

_Fused = Annotated[
    list[Path],
    typer.Argument(metavar="FUSED...", help="Folders of fused images, or of such folders (one a method), or images."),
]
_Ir = Annotated[Path, typer.Option(metavar="IR", help="Infrared images: a folder or one file, matched by name.")]
_Vis = Annotated[Path, typer.Option(metavar="VIS", help="Visible images, likewise.")]
_Scores = Annotated[
    list[Path],
    typer.Argument(metavar="SCORES...", help="Tables of scores (.csv, .parquet, .xlsx), or folders of results."),
]
_Methods = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Only these methods, separated by commas.", show_default="all")
]
_Metrics = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Only these metrics, separated by commas.", show_default="all")
]
_Dataset = Annotated[str | None, typer.Option(metavar="NAME", help="Only this dataset.", show_default="all, pooled")]
_Convention = Annotated[str | None, typer.Option(metavar="NAME", help="Whose definitions, where there are several.")]
_Lower = Annotated[list[str] | None, typer.Option(metavar="METRIC", help="Lower is better. May be repeated.")]
_Higher = Annotated[list[str] | None, typer.Option(metavar="METRIC", help="Higher is better. May be repeated.")]
_Label = Annotated[
    list[str] | None, typer.Option(metavar="NAME=TEXT", help="What to call a method in the figure. May be repeated.")
]
_Columns = Annotated[int, typer.Option(min=1, max=2, help="Columns of the page that the figure is as wide as.")]
_Output = Annotated[
    list[Path] | None,
    typer.Option("-o", "--output", metavar="FILE", help="A .pdf, .png or .svg file. May be repeated."),
]


@app.command(
    epilog=examples(
        "fusionbench figure grid results/ --ir tno/ir --vis tno/vi",
        "fusionbench figure grid results/ --ir tno/ir --vis tno/vi --scene 01 --scene 17 --zoom 1 -o grid.pdf",
        "fusionbench figure grid results/ --ir tno/ir --vis tno/vi --scene 17 --box 120,80,64,48 --box 300,200,64,48",
    )
)
def grid(
    fused: _Fused,
    ir: _Ir,
    vis: _Vis,
    scene: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A scene, one row. May be repeated; by default four, evenly spaced."),
    ] = None,
    methods: _Methods = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SCENE:]X,Y,W,H", help="What to enlarge, in pixels, in one scene or in all. Up to three a scene."
        ),
    ] = None,
    zoom: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=3,
            help="How many boxes to choose where the methods disagree most.",
            show_default="2 without --box",
        ),
    ] = None,
    across: Annotated[
        int, typer.Option(min=0, metavar="N", help="Images side by side; 0 for as many as can be read.")
    ] = 0,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw scenes: sources and methods side by side, with details enlarged."""
    targets = drawing.targets(output, "grid")
    from fusionbench.figures import grid as drawn
    from fusionbench.figures import scenes
    from fusionbench.figures.page import WIDTHS
    from fusionbench.types import UserError

    if box and zoom:
        raise UserError("--box gives the boxes and --zoom has them chosen: leave one of the two out.")
    sheet = scenes.load(fused, ir, vis, pairs=scene or (), methods=drawing.names(methods), most=4)
    shown = [each.name for each in sheet.scenes]
    figure = drawn.draw(
        sheet.scenes,
        boxes=drawing.boxes(box, shown) if box else 2 if zoom is None else zoom,
        columns=across,
        labels=drawing.labels(label, sheet.scenes[0].fused),
        width=WIDTHS[columns],
    )
    drawing.write(figure, targets, sheet.remarks, "--scene or --methods")


@app.command(
    "map",
    epilog=examples(
        "fusionbench figure map results/ --ir tno/ir --vis tno/vi --scene 01",
        "fusionbench figure map results/gff --ir tno/ir --vis tno/vi --scene 01 --metric Qabf -o map.png",
    ),
)
def map_(
    fused: _Fused,
    ir: _Ir,
    vis: _Vis,
    metric: Annotated[str, typer.Option(metavar="NAME", help="SSIM, Qabf, AG, Nabf, Labf or GMSD.")] = "SSIM",
    scene: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which scene.", show_default="the first that all methods have")
    ] = None,
    methods: _Methods = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw where in the image a metric finds what it counts, below the fused images."""
    targets = drawing.targets(output, "map")
    from fusionbench.figures import metric_map, scenes
    from fusionbench.figures.page import WIDTHS

    sheet = scenes.load(fused, ir, vis, pairs=[scene] if scene else (), methods=drawing.names(methods), most=1)
    [shown] = sheet.scenes
    labels = drawing.labels(label, shown.fused)
    figure = metric_map.draw(shown, metric, labels=labels, width=WIDTHS[columns])
    drawing.write(figure, targets, [f"The scene is '{shown.name}'."], "--methods")


@app.command(epilog=examples("fusionbench figure curves scores.csv --metrics EN,SSIM -o curves.pdf"))
def curves(
    scores: _Scores,
    metrics: _Metrics = None,
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw the scores of all images in order, one line a method, named with its mean."""
    targets = drawing.targets(output, "curves")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    from fusionbench.figures import curves as drawn
    from fusionbench.figures.page import WIDTHS

    figure = drawn.draw(ranking, labels=drawing.labels(label, ranking.methods), width=WIDTHS[columns])
    drawing.write(figure, targets, drawing.remarks(ranking))


@app.command(
    epilog=examples(
        "fusionbench figure box scores.csv --metrics EN,SSIM,VIF -o box.pdf",
        "fusionbench figure box scores.csv --violin -o violin.pdf",
    )
)
def box(
    scores: _Scores,
    violin: Annotated[bool, typer.Option("--violin", help="Draw estimated densities instead of boxes.")] = False,
    metrics: _Metrics = None,
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw how the scores of each method scatter over the images, the best mean rank on top."""
    targets = drawing.targets(output, "box")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    from fusionbench.figures import box as drawn
    from fusionbench.figures.page import WIDTHS

    labels = drawing.labels(label, ranking.methods)
    drawing.write(
        drawn.draw(ranking, violin=violin, labels=labels, width=WIDTHS[columns]), targets, drawing.remarks(ranking)
    )


@app.command(epilog=examples("fusionbench figure radar scores.csv --methods gff,lp,mymethod -o radar.pdf"))
def radar(
    scores: _Scores,
    metrics: _Metrics = None,
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw all metrics of a method as one outline: the best method of each outside, the worst inside."""
    targets = drawing.targets(output, "radar")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    from fusionbench.figures import radar as drawn
    from fusionbench.figures.page import WIDTHS

    figure = drawn.draw(ranking, labels=drawing.labels(label, ranking.methods), width=WIDTHS[columns])
    drawing.write(figure, targets, drawing.remarks(ranking))


@app.command(
    epilog=examples("fusionbench figure cd scores.csv -o cd.pdf", "fusionbench figure cd scores.csv --metrics SSIM")
)
def cd(
    scores: _Scores,
    alpha: Annotated[float, typer.Option(metavar="LEVEL", help="Level of significance.")] = 0.05,
    metrics: _Metrics = None,
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw which methods cannot be told apart: mean ranks over the images, and Nemenyi's critical difference."""
    targets = drawing.targets(output, "cd")
    from fusionbench import statistics
    from fusionbench.types import UserError

    if not 0 < alpha < 1:
        raise UserError(f"--alpha {alpha:g} is no level of significance: give one between 0 and 1, such as 0.05.")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    votes = ranking.votes()
    images, count = votes.shape
    if images < 2 or count < 2:
        raise UserError(
            f"A test needs two methods and two images that both have, not {count} and {images}: give more scores."
        )
    from fusionbench.figures import cd as drawn
    from fusionbench.figures.page import WIDTHS

    # Nemenyi's difference is one of whole ranks, so what the metrics say together is ranked within each image first.
    ranks = dict(zip(ranking.methods, statistics.ranks(votes, "lower").mean(axis=0).tolist(), strict=True))
    difference = statistics.critical_difference(count, images, alpha)
    figure = drawn.draw(ranks, difference, labels=drawing.labels(label, ranking.methods), width=WIDTHS[columns])
    several = f" by their mean rank over {len(ranking.compared)} metrics" if len(ranking.compared) > 1 else ""
    note = f"Over {images} images, each ranking the methods{several}; bars join what does not differ at {alpha:g}."
    drawing.write(figure, targets, [note, *drawing.remarks(ranking)])


@app.command(
    epilog=examples(
        "fusionbench figure heatmap scores.csv -o ranks.pdf",
        "fusionbench figure heatmap scores.csv --correlation -o metrics.pdf",
    )
)
def heatmap(
    scores: _Scores,
    correlation: Annotated[
        bool, typer.Option("--correlation", help="Metrics by metrics: Spearman's correlation of the ranks they give.")
    ] = False,
    metrics: _Metrics = None,
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 2,
    output: _Output = None,
) -> None:
    """Draw the rank of every method under every metric, or how metrics agree with one another."""
    targets = drawing.targets(output, "heatmap")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    from fusionbench.figures import heatmap as drawn
    from fusionbench.figures.page import WIDTHS

    if not correlation:
        figure = drawn.draw(ranking, labels=drawing.labels(label, ranking.methods), width=WIDTHS[columns])
        drawing.write(figure, targets, drawing.remarks(ranking))
        return
    from fusionbench import redundancy
    from fusionbench.types import UserError

    if len(ranking.metrics) < 2 or len(ranking.methods) < 2:
        raise UserError("A correlation needs two metrics and two methods at least: give more scores.")
    found = redundancy.between(ranking.values, [ranking.better[metric] for metric in ranking.metrics])
    order = list(found.order)
    names = [ranking.metrics[at] for at in order]
    figure = drawn.correlation(names, found.spearman[order][:, order], width=WIDTHS[columns])
    note = "Spearman's correlation of the ranks within each image; 1: the same vote, whichever direction is better."
    drawing.write(figure, targets, [note, *drawing.remarks(ranking)])


@app.command(
    epilog=examples(
        "fusionbench cost gff cs2fusion --json > cost.json",
        "fusionbench figure runtime scores.csv --cost cost.json --metrics VIF -o runtime.pdf",
    )
)
def runtime(
    scores: _Scores,
    cost: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="What 'fusionbench cost --json' prints, or a .csv with the columns method,milliseconds,parameters.",
        ),
    ],
    metrics: Annotated[str, typer.Option(metavar="NAME", help="The metric.")],
    methods: _Methods = None,
    dataset: _Dataset = None,
    convention: _Convention = None,
    lower: _Lower = None,
    higher: _Higher = None,
    label: _Label = None,
    columns: _Columns = 1,
    output: _Output = None,
) -> None:
    """Draw quality against time, every method a bubble as large as its network."""
    targets = drawing.targets(output, "runtime")
    ranking = drawing.ranked(scores, metrics, methods, dataset, convention, lower, higher)
    from fusionbench.figures import runtime as drawn
    from fusionbench.figures import selection
    from fusionbench.figures.page import WIDTHS
    from fusionbench.types import UserError

    if len(ranking.metrics) != 1:
        raise UserError(f"--metrics names {len(ranking.metrics)} metrics: quality is one, name that.")
    [metric] = selection.shown(ranking)
    means = selection.scores(ranking, metric).mean(axis=0).tolist()
    figure = drawn.draw(
        dict(zip(ranking.methods, means, strict=True)),
        drawn.read(cost),
        metric,
        ranking.better[metric],
        labels=drawing.labels(label, ranking.methods),
        width=WIDTHS[columns],
    )
    drawing.write(figure, targets, drawing.remarks(ranking))
