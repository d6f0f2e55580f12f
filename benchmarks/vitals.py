"""Whether the diagnosis of a training is right, on labelled runs, next to what others would have done.

    python benchmarks/vitals.py                                    # judges what is kept, in seconds
    python benchmarks/vitals.py --record idx:FOLDER --folder RUNS  # makes it anew: hours; goes on where it was
    python benchmarks/vitals.py --pack --folder RUNS               # keeps what was recorded, with what is kept
    python benchmarks/vitals.py --figure docs/images/vital-signs.svg

A run is a network trained for 500 steps on EMNIST (47 classes); its label is what its last steps
show (`vital_signs/labels.py`). Thresholds were chosen on one part of the runs, the figures that
count are those of the other; structure and seed decide which is which. Ends with status 1 when
fewer than 95 % of the dead are found within 30 steps of dying, or a living run is stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from vital_signs.judge import Judgement, is_for_choosing, judge, looked_at, missed, networks, summary
from vital_signs.recordings import KEPT, load, save
from vital_signs.runs import keys


def main() -> int:
    """Judge, record, pack or draw."""
    options = _options()
    if options.record:
        from vital_signs.record import record

        record(options.record, options.folder, options.only)
        return 0
    if options.pack:
        new = [recording.only(looked_at(recording)) for recording in load(options.folder)]
        names = keys(recording.run for recording in new)
        save([*(recording for recording in load() if recording.run.key not in names), *new])
        print(f"{KEPT}: {KEPT.stat().st_size / 1024:.0f} KiB")
        return 0
    if options.figure:
        from vital_signs.figure import draw

        draw(load(), options.figure)
        return 0
    return _judge()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the diagnosis on recorded runs.")
    parser.add_argument(
        "--record", metavar="SOURCE", help="record what is not in FOLDER yet, of images such as idx:PATH"
    )
    parser.add_argument("--only", metavar="REGEX", default="", help="record these runs alone")
    parser.add_argument("--pack", action="store_true", help="put what is in FOLDER into the file that is kept")
    parser.add_argument("--figure", metavar="FILE", type=Path, help="draw the spread of three runs")
    parser.add_argument("--folder", type=Path, default=Path("vitals-runs"), help="a file for each run (vitals-runs)")
    return parser.parse_args()


def _judge() -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from vital_signs.peers import compared

    recordings = load()
    judgements = [judge(recording) for recording in recordings]
    for_choosing = [one for one in judgements if is_for_choosing(one.recording.run)]
    for_report = [one for one in judgements if not is_for_choosing(one.recording.run)]
    print(summary({"thresholds chosen on": for_choosing, "reported on": for_report, "all": judgements}))
    print(networks(judgements))
    print(_runs(judgements))
    print("What others would have done, all runs:\n")
    print(compared(recordings))
    wrong = missed(for_report)
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def _runs(judgements: list[Judgement]) -> str:
    lines = ["| run | label | died at | stopped at | said in the end |", "| --- | --- | --- | --- | --- |"]
    for one in sorted(judgements, key=lambda one: (one.recording.label, one.recording.run.key)):
        recording = one.recording
        lines.append(
            f"| {recording.run.key} | {recording.label} | {recording.died_at or ''} | {one.stopped_at or ''} | "
            f"{one.last.condition} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    raise SystemExit(main())
