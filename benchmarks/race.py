"""A race of equal wall-clock time: hpsearch against Optuna and KerasTuner, on the space `head_shrink`.

    python benchmarks/race.py                                       # runs the legs that have no result yet: 5 hours
    python benchmarks/race.py --contestant hpsearch --seed 0        # one leg, again if it has a result
    python benchmarks/race.py --table                               # what the results say
    python benchmarks/race.py --figure docs/images/race.svg

A leg is one contestant with one seed, alone on two cores: its process is started from cold and killed
after `--minutes`. Leave the machine to it. Each leg's result is a JSON file in `racing/results`;
what the contestants write while they run is in `--folder`. Needs the benchmark dependencies
(`make install-benchmark`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from racing.legs import CONTESTANTS, KEPT, SEEDS, Leg, missing, results
from racing.table import tables

DATA = Path(__file__).parents[2] / "shared" / "data" / "emnist-sample"


def main() -> None:
    """Run, print or draw."""
    options = _options()
    if options.figure:
        from racing.figure import draw

        found = results(options.results, options.minutes)
        if not found:
            raise SystemExit(f"a figure needs results, but {options.results} has none of {options.minutes:g} minutes")
        draw(found, options.figure)
    elif options.table:
        print(tables(results(options.results, options.minutes)), end="")
    else:
        _run(options)


def _run(options: argparse.Namespace) -> None:
    from racing.contest import Terms, run

    from search.training.data.sources import absolute_source

    # Contestants work in folders of their own, where a relative path would lead elsewhere.
    space = str(Path(options.space).absolute()) if Path(options.space).is_file() else options.space
    data = absolute_source(options.data, Path.cwd())
    terms = Terms(space=space, data=data, folder=options.folder, epochs=options.epochs)
    for leg in _legs(options):
        print(f"{leg.key} …", file=sys.stderr, flush=True)
        result = run(leg, terms)
        best = max((score.value for score in result.scores), default=0.0)
        file = result.save(options.results)
        print(f"{leg.key}: {len(result.scores)} scores, best {best:.4f}; {file}", file=sys.stderr, flush=True)
    print(tables(results(options.results, options.minutes)), end="")


def _legs(options: argparse.Namespace) -> list[Leg]:
    """Those that are asked for, or all that are missing."""
    contestants = options.contestant or CONTESTANTS
    if options.contestant and options.seed is not None:
        return [Leg(contestant=name, seed=options.seed, minutes=options.minutes) for name in contestants]
    seeds = SEEDS if options.seed is None else (options.seed,)
    legs = missing(options.results, options.minutes)
    return [leg for leg in legs if leg.contestant in contestants and leg.seed in seeds]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Race hpsearch against Optuna and KerasTuner.")
    parser.add_argument("--contestant", choices=CONTESTANTS, action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, help="only this seed; of the sampler and of all weights")
    parser.add_argument("--minutes", type=float, default=20.0, help="wall-clock time of a leg (20)")
    parser.add_argument("--epochs", type=int, help="most epochs of a peer's trial (see racing/contest.py)")
    parser.add_argument("--space", default="head_shrink", help="a space file, or the name of one (head_shrink)")
    parser.add_argument("--data", default=f"idx:{DATA}", metavar="SOURCE", help="images, as in a space file")
    parser.add_argument("--folder", type=Path, default=Path("race-runs"), help="where contestants work (race-runs)")
    parser.add_argument("--results", type=Path, default=KEPT, help="where results are kept (racing/results)")
    parser.add_argument("--table", action="store_true", help="print the tables of what is there")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the best so far against time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
