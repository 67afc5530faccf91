"""What the tests say of the methods, in sentences and as a table of every two."""

from __future__ import annotations

from fusionbench.ranking import Ranking
from fusionbench.report.words import count, joined, number, probability
from fusionbench.statistics import Comparison


def sentences(ranked: Ranking, test: Comparison | None) -> list[str]:
    """Whether any methods differ, and which cannot be told apart; None is the test of a single image."""
    if test is None:
        return ["One image cannot tell methods apart."]
    result = test.friedman
    verdict = "some of them differ" if result.p < test.alpha else "no difference between them is shown"
    found = [
        f"On each of {count(result.n, 'image')} the methods are ranked by all metrics together. Friedman's test: "
        f"χ² = {number(result.chi2)}, p {probability(result.p_chi2)}; Iman and Davenport's form: F = {number(result.f)}, "
        f"p {probability(result.p)}: {verdict}. Nemenyi's critical difference of mean ranks is {test.cd:.2f}."
    ]
    if not test.reachable:
        found.append(
            f"So few images cannot show a difference between any two of {result.k} methods, however large it is, once the "
            "number of comparisons is allowed for."
        )
    how = f"Wilcoxon's signed-rank tests with Holm's correction, {test.alpha:.0%}"
    several = [group for group in test.groups(range(result.k)) if len(group) > 1]
    if several:
        names = "; ".join(joined([ranked.methods[at] for at in group]) for group in several)
        found.append(f"Not distinguishable ({how}): {names}.")
    else:
        found.append(f"Every two methods differ ({how}).")
    return found


def pairs(ranked: Ranking, test: Comparison | None) -> list[tuple[str, ...]]:
    """Better, worse, p and effect size of every two methods, the clearest difference first."""
    if test is None:
        return []
    rows = []
    for one, name in enumerate(ranked.methods):
        for other in range(one + 1, len(ranked.methods)):
            p, effect = float(test.p[one, other]), float(test.effect[one, other])
            both = name, ranked.methods[other]
            words = (*(both if effect >= 0 else both[::-1]), probability(p).removeprefix("= "), f"{abs(effect):.2f}")
            rows.append((p, -abs(effect), words))
    return [words for _, _, words in sorted(rows)]
