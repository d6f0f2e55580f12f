"""`hpsearch space check` of files whose data are not on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Shell

SPACE = """\
study: sizes
data: {source: emnist-balanced}
search:
  head_width: {int: [512, 4096], step: 512}
fixed: {architecture: VGG16, head_layers: 2}
"""


def test_sizes_of_emnist_models_need_no_emnist(shell: Shell) -> None:
    shell.write(SPACE)

    checked = shell.json("space", "check", "quick.yaml")

    sizes = {model["which"]: model["parameters"] for model in checked["models"]}
    assert sizes == {"smallest": 15_264_111, "largest": 33_789_807}  # the diary's own


def test_file_is_shown_though_its_data_are_missing(shell: Shell) -> None:
    shell.write(SPACE.replace("emnist-balanced", '"npz:none.npz"'))

    done = shell.run("space", "check", "quick.yaml", status=1)

    assert "512 … 4096 step 512" in done.stdout
    assert "npz: needs a file, but none.npz does not exist" in done.stderr
