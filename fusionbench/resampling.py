"""How far means and mean ranks would go if other images had been taken: the bootstrap over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fusionbench.statistics import Array, ranks
from fusionbench.types import Better

_CHUNK: Final = 2_000_000
"""How many numbers the bootstrap holds at a time."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where means and ranks may lie, had other images been chosen.

    Attributes
    ----------
    mean : ndarray, (2, k, metrics)
        Lower and upper end of each method's mean.
    rank : ndarray, (2, k)
        Of its mean rank over the metrics, NaN if there is no metric to rank by. Drawing anew makes near rivals change
        places and so pulls ranks to the middle: the interval is widened to hold the rank that was found.
    level : float
        How much of the distribution lies between them.
    resamples : int
        How often images were drawn.
    """

    mean: Array
    rank: Array
    level: float
    resamples: int


def bootstrap(
    values: Array, better: Sequence[Better], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Intervals:
    """Percentile intervals: every method is seen on the same images that are drawn, with replacement.

    Parameters
    ----------
    values : ndarray, (n, k, metrics)
        An image has NaN for all methods in a metric that is not to be counted there.
    better : sequence of {"higher", "lower"}
        One a metric.
    level : float
        E.g. 0.95 from the 2.5th to the 97.5th percentile.
    resamples : int
        How often to draw.
    seed : int
        Of the draws: the same numbers give the same intervals.

    Returns
    -------
    Intervals
    """
    n, k, metrics = values.shape
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, k, metrics))
    step = max(1, _CHUNK // max(n, 1))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        # How often each image is drawn.
        weights = rng.multinomial(n, np.full(n, 1 / n), size=count).astype(float)
        means[start : start + count] = _weighted_means(weights, values)
    tail = (1 - level) / 2
    found = _mean_rank(_weighted_means(np.ones((1, n)), values), better)[0]
    low, high = _percentiles(_mean_rank(means, better), tail)
    rank = np.stack([np.fmin(low, found), np.fmax(high, found)])
    return Intervals(_percentiles(means, tail), rank, level, resamples)


def _weighted_means(weights: Array, values: Array) -> Array:
    n, k, metrics = values.shape
    flat = values.reshape(n, k * metrics)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ np.where(np.isfinite(flat), flat, 0)) / (weights @ ~np.isnan(flat))
    for infinity in (np.inf, -np.inf):
        if (flat == infinity).any():
            means = np.where(weights @ (flat == infinity) > 0, infinity, means)
    return means.reshape(len(weights), k, metrics)


def _mean_rank(means: Array, better: Sequence[Better]) -> Array:
    ranked = np.stack([ranks(means[..., at], side) for at, side in enumerate(better)], axis=-1)
    votes = (~np.isnan(ranked)).sum(-1)
    return np.divide(np.nansum(ranked, -1), votes, out=np.full(votes.shape, np.nan), where=votes > 0)


def _percentiles(samples: Array, tail: float) -> Array:
    """Ends of the middle part along the first axis; a sample without a value does not count."""
    found = np.full((2, *samples.shape[1:]), np.nan)
    for place in np.ndindex(samples.shape[1:]):
        column = samples[(slice(None), *place)]
        column = column[~np.isnan(column)]
        if len(column):
            # Between infinity and a number there is nothing to interpolate.
            found[(slice(None), *place)] = np.quantile(column, [tail, 1 - tail], method="nearest")
    return found
