"""The spread against the step, of a run that died, one that started slowly, and one that was shaken and came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vital_signs.judge import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from vital_signs.recordings import Recording

SHOWN = {
    "VGG16-5_2x512_d0.3__adam_0.001_b8_s0": "dies: VGG16, Adam 1e-3",
    "VGG16-5_2x512_d0.3__adam_0.0001_b64_s0": "starts slowly: VGG16, Adam 1e-4",
    "MobileNetV2_1x512_d0__adam_0.1_b128_s0": "shaken, comes back: MobileNetV2, Adam 0.1",
}
"""Names of the runs, and what each is an example of."""
_SIGNS = {
    "spread": "spread between images",
    "gradient_first": "gradient, first layer (0 drawn at 1e-12)",
    "mean_loss": "loss (mean of 10 steps)",
}
_COLOURS = ("tab:red", "tab:orange", "tab:green", "tab:blue")


def draw(recordings: Sequence[Recording], file: Path) -> None:
    """Write the figure; the file's ending says in which format."""
    import matplotlib.pyplot as plt

    by_name = {recording.run.key: recording for recording in recordings}
    shown = [(by_name[name], title) for name, title in SHOWN.items()]
    figure, axes = plt.subplots(1, len(_SIGNS), figsize=(13, 4), layout="constrained")
    for ax, (sign, title) in zip(axes, _SIGNS.items(), strict=True):
        for (recording, what), colour in zip(shown, _COLOURS, strict=False):
            _curve(ax, recording, sign, what, colour)
        ax.set_title(title)
        ax.set_xlabel("step")
        if sign == "mean_loss":
            ax.set_ylim(2.5, 5)
        else:
            ax.set_yscale("log")
    axes[0].legend(fontsize="small")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _curve(ax: Axes, recording: Recording, sign: str, what: str, colour: str) -> None:
    values = [max(value, 1e-12) for value in recording.columns[sign]]
    ax.plot(recording.steps, values, label=what, color=colour, linewidth=1)
    if (stopped := judge(recording).stopped_at) is not None:
        ax.axvline(stopped, color=colour, linestyle=":", linewidth=1)
