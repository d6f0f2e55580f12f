from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PINNED = re.compile(r"^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$")
REQUIRED = re.compile(r"^\$\{[A-Z_]+:\?[^}]+\}$")
LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 300  # an epoch of the slowest shipped space, with room
UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smh])", duration))


def published(port: str | dict) -> tuple[str, str]:
    """Host address and container port of one `ports` entry; an empty address means every interface."""
    if isinstance(port, dict):
        return port.get("host_ip", ""), str(port["target"])
    address, _, container = str(port).rpartition(":")
    host = address.rpartition(":")[0]
    return host.strip("[]"), container.partition("/")[0]


def isolation_problems(service: dict) -> list[str]:
    rules = [
        (service.get("read_only") is True, "root file system is not read-only"),
        ("ALL" in service.get("cap_drop", []), "keeps capabilities"),
        (not service.get("cap_add"), "adds capabilities"),
        ("no-new-privileges:true" in service.get("security_opt", []), "may gain privileges"),
        (not service.get("privileged"), "is privileged"),
        (not {"network_mode", "pid", "ipc"} & service.keys(), "shares a namespace"),
        (str(service.get("user", "root")).split(":")[0] not in {"root", "0"}, "runs as root"),
        (not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), "holds the engine"),
    ]
    return [problem for holds, problem in rules if not holds]


def secret_problems(service: dict) -> list[str]:
    environment = service.get("environment", {})
    names = [name for name in environment if "PASSWORD" in name and not name.endswith("_FILE")]
    urls = [name for name, value in environment.items() if re.search(r"://[^/@]*:[^/@]*@", str(value))]
    return [f"{name} shows a password" for name in names + urls]


def service_problems(service: dict) -> list[str]:
    problems = isolation_problems(service) + secret_problems(service)
    if "build" not in service and not PINNED.match(service.get("image", "")):
        problems.append("image is not pinned by digest")
    for host, container in map(published, service.get("ports", [])):
        if host != LOOPBACK:
            problems.append(f"port {container} is published beyond loopback")
        if container == "5432":
            problems.append("PostgreSQL is published")
    if "profiles" not in service and not service.get("healthcheck", {}).get("test"):
        problems.append("has no health check")
    return problems


def dashboard_problems(service: dict) -> list[str]:
    """What lets others in: a container listens for all who reach it."""
    if "--token-file" not in service["command"]:
        return ["dashboard: needs no token"]
    named = service["command"][service["command"].index("--token-file") + 1]
    is_given = named.removeprefix("/run/secrets/") in service.get("secrets", [])
    changes = ["dashboard: may change studies"] if "--allow-changes" in service["command"] else []
    return changes + ([] if is_given else ["dashboard: is not given its token"])


def role_problems(services: dict) -> list[str]:
    problems = dashboard_problems(services["dashboard"])
    if seconds(services["worker"].get("stop_grace_period", "10s")) < GRACE_SECONDS:
        problems.append("worker: is killed before its epoch ends")
    if not any(str(part).startswith("--host=") for part in services["postgres"]["healthcheck"]["test"]):
        problems.append("postgres: health check is not over TCP")
    if any("container_name" in service for service in services.values()):
        problems.append("a fixed container name cannot be scaled")
    return problems


def compose_problems(document: dict) -> list[str]:
    """What is unsafe in a Compose file, as `service: problem` lines; empty for a safe one."""
    services = document["services"]
    problems = [f"{name}: {p}" for name, service in services.items() for p in service_problems(service)]
    for name, secret in document.get("secrets", {}).items():
        if not REQUIRED.match(secret.get("file", "")):
            problems.append(f"{name}: starts without its file, or with a default one")
    if not document["networks"][services["postgres"]["networks"][0]].get("internal"):
        problems.append("postgres: network has a way out")
    return problems + role_problems(services)


@pytest.fixture(scope="module")
def compose() -> dict:
    return YAML(typ="safe", pure=True).load(COMPOSE)


def test_s11_compose_file_has_no_problems(compose: dict):
    assert compose_problems(compose) == []


DIGEST_FREE = "postgres:17.11-bookworm"
CHANGES = [
    (("services", "postgres", "image"), DIGEST_FREE, "postgres: image is not pinned by digest"),
    (("services", "postgres", "user"), "root", "postgres: runs as root"),
    (("services", "worker", "user"), "0:0", "worker: runs as root"),
    (("services", "postgres", "ports"), ["5432:5432"], "postgres: PostgreSQL is published"),
    (("services", "postgres", "ports"), ["127.0.0.1:5432:5432"], "postgres: PostgreSQL is published"),
    (("services", "dashboard", "ports"), ["8080:8080"], "dashboard: port 8080 is published beyond loopback"),
    (("services", "dashboard", "ports"), ["0.0.0.0:80:8080/tcp"], "dashboard: port 8080 is published beyond loopback"),
    (("services", "dashboard", "ports"), [{"target": 8080}], "dashboard: port 8080 is published beyond loopback"),
    (("services", "dashboard", "network_mode"), "host", "dashboard: shares a namespace"),
    (("services", "worker", "read_only"), False, "worker: root file system is not read-only"),
    (("services", "worker", "cap_drop"), [], "worker: keeps capabilities"),
    (("services", "worker", "cap_add"), ["SYS_ADMIN"], "worker: adds capabilities"),
    (("services", "worker", "security_opt"), [], "worker: may gain privileges"),
    (("services", "worker", "privileged"), True, "worker: is privileged"),
    (("services", "worker", "volumes"), ["/var/run/docker.sock:/s"], "worker: holds the engine"),
    (("services", "worker", "stop_grace_period"), "1m30s", "worker: is killed before its epoch ends"),
    (("services", "worker", "healthcheck"), {"disable": True}, "worker: has no health check"),
    (("services", "worker", "container_name"), "worker", "a fixed container name cannot be scaled"),
    (("services", "worker", "environment", "PGPASSWORD"), "x", "worker: PGPASSWORD shows a password"),
    (
        ("services", "worker", "environment", "HPSEARCH_STORAGE"),
        "postgresql://hpsearch:x@postgres/hpsearch",
        "worker: HPSEARCH_STORAGE shows a password",
    ),
    (
        ("services", "postgres", "healthcheck", "test"),
        ["CMD", "pg_isready"],
        "postgres: health check is not over TCP",
    ),
    (("services", "dashboard", "command"), ["dashboard", "--host", "0.0.0.0"], "dashboard: needs no token"),
    (("services", "dashboard", "secrets"), ["postgres_password"], "dashboard: is not given its token"),
    (
        ("services", "dashboard", "command"),
        ["dashboard", "--token-file", "/run/secrets/dashboard_token", "--allow-changes"],
        "dashboard: may change studies",
    ),
    (
        ("secrets", "dashboard_token", "file"),
        "${HPSEARCH_TOKEN_FILE:-./token}",
        "dashboard_token: starts without its file, or with a default one",
    ),
    (("networks", "database", "internal"), False, "postgres: network has a way out"),
    (
        ("secrets", "postgres_password", "file"),
        "${HPSEARCH_PASSWORD_FILE:-./password}",
        "postgres_password: starts without its file, or with a default one",
    ),
    (
        ("secrets", "postgres_password", "file"),
        "${HPSEARCH_PASSWORD_FILE}",
        "postgres_password: starts without its file, or with a default one",
    ),
]


@pytest.mark.parametrize(("path", "value", "problem"), CHANGES)
def test_s11_compose_rule_broken_is_noticed(compose: dict, path: tuple[str, ...], value: object, problem: str):
    document = copy.deepcopy(compose)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    assert problem in compose_problems(document)


def test_services_share_one_image_and_secret(compose: dict):
    own = {name: s for name, s in compose["services"].items() if "build" in s}

    assert {s["image"] for s in own.values()} == {"hpsearch:" + project_version()}
    assert [name for name, s in own.items() if "secrets" in s] == ["worker", "dashboard"]


@pytest.mark.parametrize("name", ["worker", "dashboard", "fetch"])
def test_service_command_is_one_that_hpsearch_takes(compose: dict, name: str):
    service = compose["services"][name]
    words = [*service.get("entrypoint", ["hpsearch"]), *service["command"], "--help"]

    done = subprocess.run(
        [Path(sys.executable).parent / words[0], *words[1:]], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def project_version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def schema_check(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_file_fits_the_specification():
    done = schema_check(COMPOSE)

    assert done.returncode == 0, done.stdout + done.stderr


def test_specification_refuses_an_unknown_key(tmp_path: Path):
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("stop_grace_period: 10m", "stop_grace: 10m"))

    done = schema_check(wrong)

    assert done.returncode == 1
    assert "stop_grace" in done.stdout


def compose_config(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the engine's own command makes of the file, in an environment with nothing but `variables`."""
    command = ["docker", "compose", "--env-file", os.devnull, "--file", str(COMPOSE), "config"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="docker with its compose command is not installed")
@pytest.mark.parametrize("missing", ["HPSEARCH_PASSWORD_FILE", "HPSEARCH_TOKEN_FILE"])
def test_s11_compose_refuses_without_a_file_of_secrets(tmp_path: Path, missing: str):
    given = {"HPSEARCH_PASSWORD_FILE", "HPSEARCH_TOKEN_FILE"} - {missing}
    done = compose_config(tmp_path, **dict.fromkeys(given, str(tmp_path / "secret")))

    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.skipif(not has_compose(), reason="docker with its compose command is not installed")
def test_compose_reads_the_file_with_both_files(tmp_path: Path):
    secret = str(tmp_path / "secret")
    done = compose_config(tmp_path, HPSEARCH_PASSWORD_FILE=secret, HPSEARCH_TOKEN_FILE=secret)

    assert done.returncode == 0, done.stderr
