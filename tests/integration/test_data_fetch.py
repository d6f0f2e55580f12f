"""Downloads from a real server on loopback: progress, resume, checks."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import http.server
import io
import threading
import zipfile

import pytest

from search.training.data.dataset import load_dataset
from search.training.data.download import Archive, download
from search.training.data.emnist import SPLITS
from search.training.data.errors import DataError
from search.training.data.fetch import URL_VARIABLE, fetch

CONTENT = bytes(range(256)) * 4096  # 1 MiB


def archive_of(content: bytes, url: str) -> Archive:
    return Archive(url, len(content), hashlib.sha256(content).hexdigest())


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`; the switches make it misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.ranges = True
        self.status = 200
        self.break_after: int | None = None  # bytes per connection
        self.send_length = True
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/gzip.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            size = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.server.send_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.break_after])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", URL_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("search.training.data.download._WAIT", 0.01)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def archive(server):
    return archive_of(CONTENT, server.url)


def error_of(archive, target) -> str:
    with pytest.raises(DataError) as caught:
        download(archive, target)
    return str(caught.value)


def test_download_with_progress(tmp_path, archive):
    seen = []
    target = tmp_path / "new" / "gzip.zip"

    download(archive, target, lambda done, total: seen.append((done, total)))

    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) >= 4
    assert seen == sorted(seen)
    assert not target.with_name("gzip.zip.part").exists()


def test_download_that_is_there_asks_nobody(tmp_path, archive, server):
    (tmp_path / "gzip.zip").write_bytes(b"mine")

    download(archive, tmp_path / "gzip.zip")

    assert server.asked == []
    assert (tmp_path / "gzip.zip").read_bytes() == b"mine"


def test_download_goes_on_after_another_process(tmp_path, archive, server):
    (tmp_path / "gzip.zip.part").write_bytes(CONTENT[:1000])

    download(archive, tmp_path / "gzip.zip")

    assert server.asked == ["bytes=1000-"]
    assert (tmp_path / "gzip.zip").read_bytes() == CONTENT


def test_download_over_broken_connections(tmp_path, archive, server):
    server.break_after = 300_000

    download(archive, tmp_path / "gzip.zip")

    assert server.asked == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert (tmp_path / "gzip.zip").read_bytes() == CONTENT


def test_server_without_ranges_starts_over(tmp_path, archive, server):
    server.ranges = False
    (tmp_path / "gzip.zip.part").write_bytes(b"x" * 1000)

    download(archive, tmp_path / "gzip.zip")

    assert (tmp_path / "gzip.zip").read_bytes() == CONTENT


def test_part_already_whole(tmp_path, archive, server):
    (tmp_path / "gzip.zip.part").write_bytes(CONTENT)

    download(archive, tmp_path / "gzip.zip")

    assert server.asked == []
    assert (tmp_path / "gzip.zip").read_bytes() == CONTENT


def test_part_longer_than_the_file(tmp_path, archive):
    (tmp_path / "gzip.zip.part").write_bytes(CONTENT + b"x")

    download(archive, tmp_path / "gzip.zip")

    assert (tmp_path / "gzip.zip").read_bytes() == CONTENT


def test_wrong_bytes_are_deleted(tmp_path, archive, server):
    server.content = CONTENT[:-1] + b"x"

    message = error_of(archive, tmp_path / "gzip.zip")

    assert f"must have the sha256 {archive.sha256}, but has" in message
    assert [path.name for path in tmp_path.iterdir()] == [".gzip.zip.lock"]


def test_another_file_is_refused_unread(tmp_path, archive, server):
    server.content = b"<!DOCTYPE html>"

    assert error_of(archive, tmp_path / "gzip.zip") == (
        f"{server.url} must have 1,048,576 bytes, but the server offers 15: it is another file, "
        "or an error page; name a mirror of the same file"
    )


def test_endless_file_is_broken_off(tmp_path, archive, server):
    server.send_length = False
    server.content = CONTENT * 3

    assert "but the server offers more" in error_of(archive, tmp_path / "gzip.zip")
    assert (tmp_path / "gzip.zip.part").stat().st_size <= len(CONTENT)


def test_server_says_no(tmp_path, archive, server):
    server.status = 404

    assert f"{server.url} cannot be fetched (HTTP status 404)" in error_of(archive, tmp_path / "gzip.zip")
    assert len(server.asked) == 1


def test_server_goes_silent_midway(tmp_path, archive, server):
    server.break_after = 0
    (tmp_path / "gzip.zip.part").write_bytes(CONTENT[:1000])

    message = error_of(archive, tmp_path / "gzip.zip")

    assert "1,000 of 1,048,576 bytes are kept" in message
    assert (tmp_path / "gzip.zip.part").read_bytes() == CONTENT[:1000]


def test_two_downloads_at_once(tmp_path, archive):
    with (tmp_path / ".gzip.zip.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        message = error_of(archive, tmp_path / "gzip.zip")

    assert message == f"another process is fetching {tmp_path}/gzip.zip; wait for it to end"


def test_folder_that_cannot_be_written(tmp_path, archive):
    (tmp_path / "file").write_bytes(b"")

    assert "cannot be written" in error_of(archive, tmp_path / "file" / "gzip.zip")


def test_address_of_another_kind(tmp_path):
    message = error_of(archive_of(b"x", "file:///etc/passwd"), tmp_path / "x")

    assert message.startswith("a download needs an address that begins with http:// or https://")


# --- fetch -------------------------------------------------------------------------------------


def emnist_zip() -> bytes:
    """An archive as NIST's, of 2 × 2 pixels, with the one split `digits`."""
    n = 4 * len(SPLITS["digits"].classes)
    labels = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + bytes(number // 4 for number in range(n))
    images = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (n, 2, 2)) + bytes(4 * n)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in ("train", "test"):
            archive.writestr(f"gzip/emnist-digits-{part}-images-idx3-ubyte.gz", gzip.compress(images))
            archive.writestr(f"gzip/emnist-digits-{part}-labels-idx1-ubyte.gz", gzip.compress(labels))
    return out.getvalue()


def test_fetch_then_load(tmp_path, server):
    server.content = emnist_zip()

    place = fetch("emnist-digits", tmp_path, url=server.url, archive=archive_of(server.content, "http://nowhere/"))

    assert place == f"{tmp_path}/gzip.zip"
    assert load_dataset("emnist-digits", data_folder=tmp_path).image_shape == (2, 2, 1)
    assert fetch("emnist-digits", tmp_path) == place
    assert len(server.asked) == 1


def test_fetch_from_the_mirror_of_the_environment(tmp_path, server, monkeypatch):
    server.content = emnist_zip()
    monkeypatch.setenv(URL_VARIABLE, server.url)
    monkeypatch.setenv("HPSEARCH_DATA", str(tmp_path))

    assert fetch("emnist-digits", archive=archive_of(server.content, "http://nowhere/")) == f"{tmp_path}/gzip.zip"


def test_fetch_without_a_network(tmp_path, server):
    server.shutdown()
    server.server_close()

    with pytest.raises(DataError) as caught:
        fetch("emnist-balanced", tmp_path, url=server.url)

    message = str(caught.value)
    assert message.startswith(f"{server.url} cannot be fetched ([Errno 111] Connection refused); 0 of 561,753,746")
    assert message.endswith(
        f"By hand: put gzip.zip into {tmp_path}; a mirror is named by $HPSEARCH_EMNIST_URL. "
        "Without a download: `--data mnist-5k`"
    )


def test_fetch_of_the_bundled():
    assert fetch("mnist-5k") == "bundled"


def test_fetch_of_what_has_no_address(tmp_path):
    with pytest.raises(DataError, match="only emnist-balanced and its kin can be fetched, but got 'keras:mnist'"):
        fetch("keras:mnist", tmp_path)
