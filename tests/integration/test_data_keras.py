"""Keras' own data sets: from its folder, and not to be had without a network."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json
from search.training.data.dataset import describe, load_dataset
from search.training.data.errors import DataError

loaded = describe(load_dataset("keras:fashion_mnist"))
try:
    load_dataset("keras:mnist")
except DataError as error:
    print(json.dumps([loaded, str(error)]))
"""


def write_fashion(folder) -> None:
    """Fashion-MNIST's four files, as Keras keeps them, with two images a class."""
    folder.mkdir(parents=True)
    sizes = b"".join(size.to_bytes(4, "big") for size in (20, 28, 28))
    for part in ("train", "t10k"):
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as out:
            out.write(bytes([0, 0, 8, 1]) + sizes[:4] + bytes(range(10)) * 2)
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as out:
            out.write(bytes([0, 0, 8, 3]) + sizes + bytes(20 * 784))


@pytest.mark.slow
def test_keras_set_on_disk_and_not(tmp_path):
    write_fashion(tmp_path / "datasets" / "fashion-mnist")
    nobody = "http://127.0.0.1:9"  # no test may reach out
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "https_proxy": nobody, "http_proxy": nobody}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True, timeout=600
    )

    loaded, message = json.loads(done.stdout.splitlines()[-1])
    assert (loaded["classes"][0], loaded["n_train"], loaded["n_test"]) == ("T-shirt", 10, 20)
    assert message.startswith("keras:mnist could not be loaded (")
    assert message.endswith("Without a download: `--data mnist-5k`")
