"""Which metrics say the same: rank correlation of their votes, and clusters of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusionbench.statistics import Array, ranks
from fusionbench.types import Better


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Which metrics put the methods in the same order, image by image.

    Attributes
    ----------
    spearman, kendall : ndarray, (metrics, metrics)
        Rank correlation, from -1 to 1: over the methods within each image, of all images together. Directions are taken
        out, so that 1 means the same vote and -1 the opposite one; NaN where a metric never tells methods apart.
    tree : ndarray, (metrics - 1, 4)
        Average linkage by 1 - spearman, as `scipy.cluster.hierarchy.linkage` gives it.
    clusters : tuple of tuple of int
        Metrics joined at a correlation of `at` or more: one vote each; in the order of their first metric.
    order : tuple of int
        Metrics in the order of the tree's leaves.
    at : float
        Where the tree was cut.
    """

    spearman: Array
    kendall: Array
    tree: Array
    clusters: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]
    at: float


def between(values: Array, better: Sequence[Better], at: float = 0.8) -> Redundancy:
    """Correlate metrics with one another.

    Parameters
    ----------
    values : ndarray, (n, k, metrics)
        Scores of k methods, at least 2, on n images, by at least 2 metrics; an image with any NaN in a metric has no say
        in what concerns that metric.
    better : sequence of {"higher", "lower"}
        One a metric.
    at : float
        Mean correlation from which on metrics are one vote.

    Returns
    -------
    Redundancy
    """
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    k = values.shape[1]
    ranked = np.stack([ranks(values[..., place], side) for place, side in enumerate(better)], axis=-1)
    one, other = np.triu_indices(k, 1)
    spearman = _correlation(ranked - (k + 1) / 2)
    kendall = _correlation(np.sign(ranked[:, one] - ranked[:, other]))
    # Unknown is no reason to join.
    distance = 1 - np.nan_to_num(spearman, nan=0.0)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(np.maximum(distance, 0), checks=False), "average")
    labels = fcluster(tree, 1 - at + 1e-12, "distance")
    joined = {int(label): tuple(np.flatnonzero(labels == label).tolist()) for label in labels}
    order = tuple(int(leaf) for leaf in leaves_list(tree))
    return Redundancy(spearman, kendall, tree, tuple(sorted(joined.values())), order, at)


def _correlation(centred: Array) -> Array:
    """Correlation of columns (images, items, metrics) that are centred within each image."""
    known = np.nan_to_num(centred, nan=0.0)
    with_value = (~np.isnan(centred)).astype(float)
    product = np.einsum("nia,nib->ab", known, known)
    square = np.einsum("nia,nib->ab", known**2, with_value)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.clip(product / np.sqrt(square * square.T), -1, 1)
    return (correlation + correlation.T) / 2
