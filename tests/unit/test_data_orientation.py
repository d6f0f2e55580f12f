"""Photographs are turned as their EXIF orientation says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from search.training.data.dataset import load_dataset
from search.training.data.errors import DataError


def loaded(folder: Path):
    return load_dataset(f"folder:{folder}")


def error_of(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        loaded(folder)
    return str(caught.value)


def write_classes(folder: Path) -> Path:
    """Four images of 5×4 in each of the classes `left` and `right`."""
    for name in ("left", "right"):
        (folder / name).mkdir()
        for number in range(4):
            Image.new("L", (5, 4), number).save(folder / name / f"{number}.png")
    return folder


UPRIGHT = [[10, 60, 110], [160, 210, 250]]
STORED = {
    1: UPRIGHT,
    2: [[110, 60, 10], [250, 210, 160]],
    3: [[250, 210, 160], [110, 60, 10]],
    4: [[160, 210, 250], [10, 60, 110]],
    5: [[10, 160], [60, 210], [110, 250]],
    6: [[110, 250], [60, 210], [10, 160]],
    7: [[250, 110], [210, 60], [160, 10]],
    8: [[160, 10], [210, 60], [250, 110]],
}
"""The rows of a file whose orientation makes a viewer show `UPRIGHT`, as the EXIF standard defines them."""


def turned(orientation: int, scale: int = 8) -> Image.Image:
    """A stored image; its pixels are squares of `scale`, so that JPEG keeps them."""
    rows = STORED[orientation]
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([pixel for row in rows for pixel in row])
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def tag(orientation: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_orientation_is_obeyed(tmp_path, orientation, ending):
    options = {"jpg": {"quality": 100}, "webp": {"lossless": True}}.get(ending, {})
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        turned(1).save(tmp_path / name / f"0.{ending}", **options)
        turned(orientation).save(tmp_path / name / f"1.{ending}", exif=tag(orientation), **options)

    data = loaded(tmp_path)

    assert data.image_shape[:2] == (16, 24)
    centres = data.images[1, 4::8, 4::8, 0].astype(int)
    assert abs(centres - UPRIGHT).max() <= 2


@pytest.mark.parametrize("compression", [None, "tiff_deflate", "tiff_lzw"])
def test_orientation_of_a_compressed_tiff(tmp_path, compression):
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for number in (6, 8):
            file = tmp_path / name / f"{number}.tif"
            turned(number).save(file, exif=tag(number), compression=compression)

    assert (loaded(tmp_path).images[:, 4::8, 4::8, 0] == UPRIGHT).all()


@pytest.mark.parametrize("exif", [tag(0), tag(9), tag(4096), b"Exif\0\0junk", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_orientation_that_is_none(tmp_path, exif):
    write_classes(tmp_path)
    Image.new("L", (5, 4), 99).save(tmp_path / "left" / "4.png", exif=exif)

    assert (loaded(tmp_path).images[4] == 99).all()


def test_turned_photograph_of_another_size(tmp_path):
    write_classes(tmp_path)
    Image.new("L", (5, 4), 9).save(tmp_path / "right" / "4.jpg", exif=tag(6))

    assert f"{tmp_path}/right/4.jpg is 4×5 and {tmp_path}/left/0.png is 5×4 (width×height)" in error_of(tmp_path)


def test_orientation_that_a_png_tells_after_its_pixels(tmp_path):
    write_classes(tmp_path)
    file = tmp_path / "right" / "4.png"
    Image.new("L", (4, 5), 9).save(file, exif=tag(6))
    content = file.read_bytes()
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    closing = content.index(b"IEND") - 4
    file.write_bytes(content[:start] + content[end:closing] + content[start:end] + content[closing:])

    assert f"{file} is 4×5 and {tmp_path}/left/0.png is 5×4" in error_of(tmp_path)
