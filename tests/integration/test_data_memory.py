"""Memory that a data set takes: the array, and next to nothing else while it is read."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from search.training.data.emnist import SPLITS

MIB = 2**20

PROGRAM = """
import json, sys
from search.training.data import dataset, idx_source  # what is imported before the first image

def mib(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

before = mib("VmRSS")
data = dataset.load_dataset("emnist-byclass", data_folder=sys.argv[1])
images = (data.images.nbytes + data.test_images.nbytes) / 2**20
print(json.dumps({"before": before, "peak": mib("VmHWM"), "images": images, "n": len(data.images)}))
"""


def write_byclass(folder: Path, n_train: int, n_test: int) -> None:
    """Files of EMNIST ByClass' form; images repeat, so that writing them is quick."""
    block = bytes(range(256)) * 49 * 64  # 1,024 images
    for part, n in (("train", n_train), ("test", n_test)):
        sizes = b"".join(size.to_bytes(4, "big") for size in (n, 28, 28))
        with gzip.open(folder / f"emnist-byclass-{part}-images-idx3-ubyte.gz", "wb", compresslevel=1) as out:
            out.write(bytes([0, 0, 8, 3]) + sizes)
            for start in range(0, n, 1024):
                out.write(block[: 784 * min(1024, n - start)])
        with gzip.open(folder / f"emnist-byclass-{part}-labels-idx1-ubyte.gz", "wb") as out:
            out.write(bytes([0, 0, 8, 1]) + sizes[:4] + bytes(number % 62 for number in range(n)))


def measured(folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=True, timeout=600
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def test_reading_takes_no_second_copy(tmp_path):
    write_byclass(tmp_path, 70_000, 11_000)

    figures = measured(tmp_path)

    assert figures["n"] == 70_000
    # Labels, indices and sort keys are 24 bytes an image at a time; the rest is blocks.
    assert figures["peak"] - figures["before"] < 1.25 * figures["images"]


@pytest.mark.slow
def test_whole_byclass_in_two_gigabytes(tmp_path):
    published = SPLITS["byclass"]
    write_byclass(tmp_path, published.n_train, published.n_test)

    figures = measured(tmp_path)

    assert figures["n"] == 697_932
    assert figures["peak"] < 2e9 / MIB
    assert figures["peak"] - figures["before"] < 1.15 * figures["images"]
