from __future__ import annotations

import os
from threading import Thread

import pytest

from search.training.channel import Channel
from search.training.encoding import decode, encode
from search.training.messages import Failed, Interrupt, Quit, Verdict


@pytest.fixture
def pipes():
    commands, events = os.pipe(), os.pipe()
    opened = {*commands, *events}

    def close(descriptor):
        opened.discard(descriptor)
        os.close(descriptor)

    yield Channel(commands[0], events[1]), commands[1], events[0], close
    for descriptor in opened:
        os.close(descriptor)


def test_poll_of_an_empty_pipe_does_not_wait(pipes):
    channel, *_ = pipes

    assert channel.poll() is None


def test_commands_arrive_in_order(pipes):
    channel, worker, *_ = pipes
    os.write(worker, encode(Interrupt(action="stop")) + encode(Verdict(action="continue")))

    assert channel.receive() == Interrupt(action="stop")
    assert channel.poll() == Verdict(action="continue")
    assert channel.poll() is None


def test_command_in_pieces_is_put_together(pipes):
    channel, worker, *_ = pipes
    line = encode(Quit())
    os.write(worker, line[:5])
    thread = Thread(target=lambda: os.write(worker, line[5:]))
    thread.start()

    assert channel.receive() == Quit()
    thread.join()


def test_command_given_back_is_the_next(pipes):
    channel, worker, *_ = pipes
    os.write(worker, encode(Verdict(action="stop")))
    channel.give_back(Quit())

    assert [channel.receive(), channel.receive()] == [Quit(), Verdict(action="stop")]


def test_event_larger_than_the_pipe_gets_through(pipes):
    channel, _, worker, _ = pipes
    event = Failed(reason="crashed", message="m", details="x" * 300_000)
    read = []

    def drain():
        data = b""
        while not data.endswith(b"\n"):
            data += os.read(worker, 65536)
        read.append(decode(data))

    thread = Thread(target=drain)
    thread.start()
    channel.send(event)
    thread.join()

    assert read == [event]


def test_end_of_the_worker_is_noticed_on_both_sides(pipes):
    channel, commands, events, close = pipes
    close(commands)
    close(events)

    with pytest.raises(EOFError):
        channel.poll()
    with pytest.raises(EOFError):
        channel.receive()
    with pytest.raises(EOFError):
        channel.send(Failed(reason="crashed", message="m"))
