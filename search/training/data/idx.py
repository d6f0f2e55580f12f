"""IDX files, the format of MNIST and its relatives: a big-endian header, then one byte a pixel or label.

LeCun, Cortes and Burges, "The MNIST database of handwritten digits", describe the format.
"""

from __future__ import annotations

import struct
from typing import IO

import numpy as np
from numpy.typing import NDArray

from search.training.data.errors import DataError
from search.training.data.files import DataFile

_IMAGES_MAGIC = 0x0803
_LABELS_MAGIC = 0x0801
_KINDS = {_IMAGES_MAGIC: "images", _LABELS_MAGIC: "labels"}
_BLOCK = 1 << 20  # bytes read at a time


def count_labels(file: DataFile) -> int:
    """How many labels the header of an IDX file announces; the rest is not read.

    Raises:
        DataError: if the header is not one of a labels file.
    """
    with file.open() as stream:
        (n,) = _header(stream, file, _LABELS_MAGIC)
    return n


def read_labels(file: DataFile) -> NDArray[np.uint8]:
    """The labels of an IDX file, shape (n,), as they are written there.

    Raises:
        DataError: if the file is empty, truncated, too long, or no IDX file of labels.
    """
    with file.open() as stream:
        (n,) = _header(stream, file, _LABELS_MAGIC)
        content = _exactly(stream, n, file)
        _expect_end(stream, file)
    return np.frombuffer(content, np.uint8)


def read_images(file: DataFile, *, n_labels: int, transposed: bool) -> NDArray[np.uint8]:
    """The images of an IDX file, shape (n, height, width, 1).

    With `transposed`, rows and columns are exchanged (EMNIST stores every image so). The array is
    allocated once and filled block by block: the peak of memory is the array and two megabytes.

    Raises:
        DataError: as `read_labels`, and if there are not `n_labels` images.
    """
    with file.open() as stream:
        n, rows, columns = _header(stream, file, _IMAGES_MAGIC)
        if n != n_labels:
            raise DataError(
                f"images and labels must be as many, but {file} has {n:,} images and its labels file "
                f"{n_labels:,} labels; fetch or copy both files again"
            )
        images = np.empty((n, columns, rows, 1) if transposed else (n, rows, columns, 1), np.uint8)
        step = max(1, _BLOCK // (rows * columns))
        for start in range(0, n, step):
            block = images[start : start + step, :, :, 0]
            content = _exactly(stream, block.size, file)
            pixels = np.frombuffer(content, np.uint8).reshape(-1, rows, columns)
            block[...] = pixels.transpose(0, 2, 1) if transposed else pixels
        _expect_end(stream, file)
    return images


def _header(stream: IO[bytes], file: DataFile, magic: int) -> tuple[int, ...]:
    content = stream.read(4)
    if not content:
        raise DataError(f"{file} is empty; fetch or copy it again")
    found = int.from_bytes(content, "big")
    if found != magic or len(content) < 4:
        came = f"IDX {_KINDS[found]}" if found in _KINDS else "something else"
        raise DataError(
            f"an IDX file of {_KINDS[magic]} must begin with 0x{magic:08x}, but {file} begins with "
            f"0x{content.hex()} ({came}); put the right file in its place"
        )
    n_sizes = magic & 0xFF
    sizes: tuple[int, ...] = struct.unpack(f">{n_sizes}I", _exactly(stream, 4 * n_sizes, file))
    if 0 in sizes:
        raise DataError(f"{file} holds nothing (sizes {sizes} in its header); fetch or copy it again")
    if (declared := int(np.prod(sizes, dtype=object))) > file.most_bytes:
        raise DataError(
            f"{file} is corrupt: its header promises {declared:,} bytes (sizes {sizes}), more than the "
            f"{file.stored_bytes:,} bytes of the file can hold; fetch or copy it again"
        )
    return sizes


def _exactly(stream: IO[bytes], n_bytes: int, file: DataFile) -> bytes:
    content = stream.read(n_bytes)
    if len(content) < n_bytes:
        raise DataError(f"{file} ends too early: {n_bytes - len(content):,} bytes are missing; fetch or copy it again")
    return content


def _expect_end(stream: IO[bytes], file: DataFile) -> None:
    # Reading past the data also makes gzip compare its checksum.
    if stream.read(1):
        raise DataError(f"{file} is longer than its header says; fetch or copy it again")
