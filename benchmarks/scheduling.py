"""In which order to spend time: hpsearch's rules of promotion against plain ASHA, on made-up learning curves.

    python benchmarks/scheduling.py
    python benchmarks/scheduling.py 40 parts     # what each part of the rules is worth; slower

No network is trained. A trial's accuracy is a power law of the images seen, with the noise of the
validation images it is measured on; networks differ in speed, in how soon they learn and how far they get, some
trials die. Both searches draw the same trials in the same order and use the project's own rules: plain ASHA
promotes what is among the best third of its rung; hpsearch also what is close to it, unless a new trial promises
more for its seconds, and places bets (search/worker/prospects.py). What counts is the true accuracy of the trial
that looks best.
"""

from __future__ import annotations

import argparse
import math
import statistics
from typing import TYPE_CHECKING

from promotion.searches import PARTS, PLAIN, Rules, Search
from promotion.trials import SCENES

if TYPE_CHECKING:
    from promotion.trials import Network

AT = (90, 300, 600, 1200)  # seconds
LATE = 2400


def main(n_seeds: int) -> None:
    """Search each scene with both rules, and print a table for each."""
    for scene, networks in SCENES.items():
        plain, ours = (searched(networks, rules, n_seeds, AT[-1]) for rules in (PLAIN, Rules()))
        print(f"\n{scene}, {n_seeds} seeds, two workers\n")
        print("| seconds | plain ASHA | hpsearch | difference | time that hpsearch took for it, in shares |")
        print("| --- | --- | --- | --- | --- |")
        for seconds in AT:
            print(row(seconds, plain, ours))


def parts(n_seeds: int) -> None:
    """Print for each scene what is reached without single parts of the rules."""
    times = (*AT, LATE)
    for scene, networks in SCENES.items():
        print(f"\n{scene}, {n_seeds} seeds, two workers; against plain ASHA\n")
        print(f"| | {' | '.join(f'{seconds} s' for seconds in times)} |\n| --- |{' --- |' * len(times)}")
        plain = searched(networks, PLAIN, n_seeds, LATE)
        for name, rules in PARTS.items():
            searches = searched(networks, rules, n_seeds, LATE)
            print(f"| {name} | {' | '.join(difference(seconds, plain, searches) for seconds in times)} |", flush=True)


def searched(networks: tuple[Network, ...], rules: Rules, n_seeds: int, seconds: float) -> list[Search]:
    """One search a seed."""
    searches = [Search(networks, seed, rules) for seed in range(n_seeds)]
    for search in searches:
        search.run(seconds)
    return searches


def row(seconds: float, plain: list[Search], ours: list[Search]) -> str:
    """Means, their difference, and the median ratio of times."""
    means = (statistics.fmean(search.at(seconds) for search in searches) for searches in (plain, ours))
    shares = [
        one.reached(other.at(seconds)) / other.reached(other.at(seconds))
        for other, one in zip(plain, ours, strict=True)
    ]
    shown = " | ".join(f"{mean:.3f}" for mean in means)
    return f"| {seconds} | {shown} | {difference(seconds, plain, ours)} | {statistics.median(shares):.2f} |"


def difference(seconds: float, plain: list[Search], ours: list[Search]) -> str:
    """Mean difference of accuracy and its standard error."""
    found = [one.at(seconds) - other.at(seconds) for other, one in zip(plain, ours, strict=True)]
    return f"{statistics.fmean(found):+.3f} ± {statistics.stdev(found) / math.sqrt(len(found)):.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare orders of spending time, on made-up learning curves.")
    parser.add_argument("seeds", nargs="?", type=int, default=100, help="searches for each rule (100)")
    parser.add_argument("parts", nargs="?", choices=["parts"], help="leave out single parts of the rules instead")
    options = parser.parse_args()
    (parts if options.parts else main)(options.seeds)
