"""Requests to end, by signals to this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from search import signals
from search.signals import AT_ONCE, IN_ORDER, EndRequest, SignalEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _signals_are_given_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (*ENDING, IN_ORDER, AT_ONCE, signal.SIGALRM)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before


def send(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [*ENDING, IN_ORDER])
def test_first_signal_is_told_and_asks_to_end_in_order(number: signal.Signals) -> None:
    said: list[str] = []
    with EndRequest(said.append) as request:
        assert not request.event.is_set()
        send(number)
        assert request.event.wait(5)

    assert said == [number.name]


def test_signals_of_one_instant_are_one_request() -> None:
    said: list[str] = []
    with EndRequest(said.append) as request:
        send(signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, IN_ORDER)
        assert request.event.is_set()

    assert said == ["SIGTERM"]


@pytest.mark.parametrize("number", ENDING)
def test_later_signal_asks_to_end_at_once(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "SAME_SECONDS", -1.0)
    with EndRequest():
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(number)


def test_word_of_the_parent_never_counts_as_a_second_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "SAME_SECONDS", -1.0)
    with EndRequest() as request:
        send(signal.SIGTERM, IN_ORDER, IN_ORDER)
        assert request.event.is_set()


def test_request_to_leave_at_once_is_repeated_until_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "AGAIN_SECONDS", 0.01)
    with EndRequest() as request:
        with pytest.raises(KeyboardInterrupt):
            send(AT_ONCE)
        with pytest.raises(KeyboardInterrupt):
            threading.Event().wait(10)
        request.settle()
        assert request.event.is_set()


def test_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with EndRequest() as request:
            send(signal.SIGHUP)
            assert not request.event.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_event_wakes_all_who_wait() -> None:
    event = SignalEvent()
    woken: list[bool] = []
    waiting = [threading.Thread(target=lambda: woken.append(event.wait(30))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert not event.wait(0.01)

    event.set()

    for thread in waiting:
        thread.join(30)
    assert woken == [True] * 3
    assert event.wait()


# A command that tells its dispositions, and waits to be ended.
COMMAND = """
import signal, sys, threading
from search import main
def wait(arguments=None):
    try:
        print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, flush=True)
        threading.Event().wait(60)
    except KeyboardInterrupt:
        return 130
main.run = wait
main.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_command_ends_as_on_ctrl_c(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout.readline() == b"False\n"
        command.send_signal(number)
        assert command.wait(60) == 130
        assert command.stderr.read() == b""


def test_command_under_nohup_ignores_hangup() -> None:
    arguments = ["nohup", sys.executable, "-c", COMMAND]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as command:
        assert command.stdout.readline() == b"True\n"
        command.send_signal(signal.SIGHUP)
        command.send_signal(signal.SIGTERM)
        assert command.wait(60) == 130


CHILD = """
import signal
from search.training import process
held = sorted(number.name for number in signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(*held, flush=True)
input()
process.leave_signals_to_worker()
print("lives", *signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)
input()
"""


def test_trainer_hears_no_request_from_its_first_moment_on() -> None:
    with signals.unheard_by_child():
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    numbers = (*ENDING, IN_ORDER, AT_ONCE)
    with child:
        assert child.stdout.readline().decode().split() == sorted(number.name for number in numbers)
        for line in (b"lives\n", b""):
            for number in numbers:
                child.send_signal(number)
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert child.stdout.readline() == line
    assert child.returncode == 0
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(numbers)
