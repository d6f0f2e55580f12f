"""A line to a PostgreSQL server that can be cut, and that can lose one answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote


class Proxy:
    """Listens on a socket file in `folder` and passes everything on to the server's."""

    def __init__(self, folder: Path, server_folder: str) -> None:
        [server] = [path for path in Path(server_folder).glob(".s.PGSQL.*") if path.suffix != ".lock"]
        self._server, self._mine = str(server), folder / server.name
        self._folder = folder
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self.needle: bytes | None = None
        """The answer to the next COMMIT after a statement with this in it is lost, once."""
        self.mend()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self._folder), safe='/')}"

    def mend(self) -> None:
        self._mine.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._mine))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._mine.unlink(missing_ok=True)
        for pair in self._pairs:
            _close(*pair)
        self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._pairs.append((client, server))
            is_armed = threading.Event()
            threading.Thread(target=self._to_server, args=(client, server, is_armed), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, server, is_armed), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, is_armed: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self.needle is not None and self.needle in data:
                    is_armed.set()
                server.sendall(data)
        _close(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket, is_armed: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if is_armed.is_set() and b"COMMIT\0" in data:
                    self.needle = None
                    break
                client.sendall(data)
        _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
