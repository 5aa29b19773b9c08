"""The pictures of a run: loss per epoch, and confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def plot_loss(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw training and dev loss, and the dev score, over the epochs."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    left = figure.subplots()
    right = left.twinx()
    for axis, key, label, style in (
        (left, "loss", "training loss", "C0-o"),
        (left, "eval_loss", "dev loss", "C1-o"),
        (right, "eval_score", "dev macro-F1", "C2--s"),
    ):
        points = [(entry["epoch"], entry[key]) for entry in history if key in entry]
        if points:
            axis.plot(*zip(*points, strict=True), style, label=label, markersize=4)
    left.set_xlabel("epoch")
    left.set_ylabel("loss")
    right.set_ylabel("macro-F1")
    right.set_ylim(0, 1)
    lines = [*left.get_lines(), *right.get_lines()]
    left.legend(
        lines,
        [str(line.get_label()) for line in lines],
        loc="upper center",
        ncols=3,
        bbox_to_anchor=(0.5, 1.13),
        frameon=False,
    )
    _save(figure, path)


def plot_confusion(
    matrix: Sequence[Sequence[int]], labels: Sequence[str], title: str, path: Path
) -> None:
    """Draw a confusion matrix: counts as text, shares of the annotated label as colour."""
    figure = Figure(
        figsize=(1.2 * len(labels) + 2.2, 1.0 * len(labels) + 1.8), layout="constrained"
    )
    axis = figure.subplots()
    shares = [[cell / max(1, sum(row)) for cell in row] for row in matrix]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("annotated")
    axis.set_title(title, fontsize=10)
    for i, row in enumerate(matrix):
        for j, cell in enumerate(row):
            colour = "white" if shares[i][j] > 0.5 else "black"
            axis.text(j, i, f"{cell}\n{shares[i][j]:.0%}", ha="center", va="center", color=colour)
    _save(figure, path)


def plot_coverage(
    curves: Mapping[str, Sequence[Mapping[str, float]]], title: str, path: Path
) -> None:
    """Draw accuracy over coverage, one line per task, as the threshold for abstaining rises."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axis = figure.subplots()
    for task, curve in curves.items():
        points = [(point["coverage"], point["accuracy"]) for point in curve]
        axis.plot(*zip(*points, strict=True), "-o", label=task, markersize=4)
        for point in curve:
            if point["abstain_below"] in (0.6, 0.8, 0.9):
                where = (point["coverage"], point["accuracy"])
                axis.annotate(
                    f"{point['abstain_below']:g}", where, (3, 4), textcoords="offset points"
                )
    axis.set_xlabel("coverage: share of sentences labelled (numbers: abstain_below)")
    axis.set_ylabel("accuracy of the labels given")
    axis.set_xlim(1.02, 0)
    axis.set_title(title, fontsize=10)
    axis.legend(frameon=False, loc="lower right")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure).print_png(path)
