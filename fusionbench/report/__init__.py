"""One self-contained page of a table of scores: leaderboard, statistics, charts, images and provenance."""

from __future__ import annotations
