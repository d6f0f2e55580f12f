"""Whole searches in which nothing may leak, S5, or be taken for ours, S7."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from conftest import SPACE, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "p{a}%40@:/"
ENCODED = "p%7Ba%7D%2540%40%3A%2F"
SECRETS = (PASSWORD, ENCODED)
HPSEARCH = Path(sys.executable).parent / "hpsearch"


@dataclass
class Watcher:
    """Looks at all processes of this machine, again and again, as another user's `ps` does."""

    commands: set[str] = field(default_factory=set)
    trainers: dict[int, str] = field(default_factory=dict)
    """What the trainers have in their environment, by process id."""
    _is_over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_text(errors="replace")
                self.commands.add(command)
                if "\0search.training\0" in command:
                    self.trainers[int(folder.name)] = (folder / "environ").read_text(errors="replace")
            except OSError:
                continue  # it has ended meanwhile

    def __enter__(self) -> Watcher:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(0.1):
            self.look()


@pytest.fixture
def guarded(postgres_server: Any, tmp_path: Path) -> Iterator[Shell]:
    """A shell with a store that only a user with a password may enter."""
    from psycopg import sql

    url = postgres_server.create_database()
    name = url.partition("?")[0].rpartition("/")[2]
    admin = postgres_server.admin
    admin.execute(sql.SQL("CREATE ROLE guarded LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
    admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO guarded").format(sql.Identifier(name)))
    shell = Shell(tmp_path, postgres_server.url(name, f"guarded:{ENCODED}"))
    yield shell
    shell.close()
    postgres_server.drop_database(url)
    admin.execute("DROP ROLE guarded")


def stored(address: str) -> str:
    """Every cell of every table."""
    from storage.engines import make_engine
    from storage.url import StoreUrl

    engine = make_engine(StoreUrl.parse(address))
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = [connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall() for name in tables]
    engine.dispose()
    return repr(rows)


@pytest.mark.slow
def test_s05_password_of_any_characters_works_and_is_nowhere(guarded: Shell) -> None:
    guarded.write(SPACE)
    with Watcher() as watcher:
        said = [guarded.run("start", "--space", "quick.yaml", "--workers", "1", "--trials", "2")]
    said += [guarded.run(*words) for words in (["status"], ["status", "--format", "json"], ["show", "quick", "0"])]
    said += [guarded.run(*words) for words in (["doctor"], ["db", "check"])]
    wrong = Shell(guarded.folder, guarded.storage.replace("/test_", "/none_"))
    said.append(wrong.run("status", status=1))

    assert guarded.trials()["complete"] + guarded.trials()["pruned"] == 2
    assert "guarded:***@" in said[-1].stderr
    assert watcher.trainers
    texts = {
        "command lines": repr(watcher.commands),
        "trainers' environment": repr(watcher.trainers),
        "output": "".join(done.stdout + done.stderr for done in said),
        "store": stored(guarded.storage),
        **{file.name: file.read_text(errors="replace") for file in guarded.folder.rglob("*") if file.is_file()},
    }
    assert any(name.endswith(".log") for name in texts)
    assert [name for name, text in texts.items() if any(secret in text for secret in SECRETS)] == []


@pytest.mark.slow
def test_s07_modules_in_the_current_folder_are_not_imported(shell: Shell) -> None:
    shell.write(SPACE)
    trap = "from pathlib import Path\nPath(__file__ + '.ran').touch()\n"
    for name in ("keras", "numpy", "random", "search", "spaces", "storage", "sitecustomize", "quick"):
        (shell.folder / f"{name}.py").write_text(trap)

    command = [HPSEARCH, "start", "--space", "quick.yaml", "--workers", "1", "--trials", "1"]
    done = subprocess.run(
        command, cwd=shell.folder, env=shell.environment(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "best: trial 0" in done.stderr
    assert list(shell.folder.glob("*.ran")) == []
