# SPDX-License-Identifier: BSD-2-Clause
"""Limits: of connections, of descriptors."""

import time

from harness import cpu_seconds, wait_for
from streams import Ended, client_hello


def is_served(stream, seconds=0.4):
    """Does an echo answer within that time?"""
    stream.socket.settimeout(seconds)
    try:
        return stream.recv(1) != b""
    except TimeoutError:
        return False
    except Ended:
        return False
    finally:
        stream.socket.settimeout(20)


def served(streams):
    return [stream for stream in streams if is_served(stream)]


def test_max_connections_pauses_accept(t):
    """Over all services; the rest waits in the queue and loses nothing."""
    d = t.daemon({"a": {"accept": {}, "connect": "builtin:echo"},
                  "b": {"accept": {}, "connect": "builtin:echo"}},
                 globals={"max_connections": 4, "workers": 2})
    streams = [d.plain(name) for name in "abababab"]
    for stream in streams:
        stream.send(b"xy")
    first = served(streams)
    assert len(first) == 4, len(first)
    waiting = [stream for stream in streams if stream not in first]
    assert not served(waiting)
    for stream in first:
        stream.close()
    wait_for(lambda: len(served(waiting)) == 4, "the others have their turn")


def test_max_connections_with_reload_and_new_value(t):
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}},
                 globals={"max_connections": 2, "workers": 1})
    streams = [d.plain() for _ in range(5)]
    for stream in streams:
        stream.send(b"xyz")
    assert len(served(streams)) == 2
    d.globals["max_connections"] = 100
    d.reload()
    for stream in streams:
        assert is_served(stream, 10)


def test_out_of_descriptors_does_not_spin(t):
    """ulimit -n 64 and 200 clients: the daemon waits, says so rarely, and
    goes on when descriptors are free again."""
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}},
                 globals={"workers": 1}, descriptors=64)
    (worker,) = d.workers()
    streams = [d.plain() for _ in range(200)]
    for stream in streams[:10]:
        stream.expect_echo()
    lines = len(d.text().splitlines())
    before = cpu_seconds(worker)
    started = time.monotonic()
    time.sleep(2)
    seconds = time.monotonic() - started
    used = (cpu_seconds(worker) - before) / seconds
    assert used < 0.1, "%.0f %% of a CPU" % (100 * used)
    assert len(d.text().splitlines()) - lines < 10
    for stream in streams[:10]:
        stream.expect_echo()  # the established ones do not notice
    for stream in streams:
        stream.close()
    started = time.monotonic()
    with d.plain() as stream:
        stream.expect_echo()
    assert time.monotonic() - started < 3 * t.patience
    # A reload works with so few, too.
    d.reload()
    with d.plain() as stream:
        stream.expect_echo()


def test_an_idle_daemon_uses_no_cpu(t):
    d = t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}})
    streams = [d.tls() for _ in range(20)]
    for stream in streams:
        stream.expect_echo()
    pids = [d.pid, *d.children()]
    before = sum(map(cpu_seconds, pids))
    time.sleep(3)
    used = sum(map(cpu_seconds, pids)) - before
    assert used < 0.1, used


def test_a_burst_of_connections(t):
    """500 at once through a queue of the default size: none is lost."""
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}})
    streams = [d.plain() for _ in range(500)]
    for stream in streams:
        stream.send(b"hello")
    for stream in streams:
        assert stream.read_exactly(5) == b"hello"
    for stream in streams:
        stream.finish()
    for stream in streams:
        assert stream.read_all() == (b"", "clean")
    d.wait_access(500, reason="done")


def test_abandoned_handshakes_leave_nothing(t):
    """Clients that leave after any number of bytes of their ClientHello."""
    d = t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}},
                 globals={"workers": 1})
    with d.tls() as stream:
        stream.expect_echo()
    d.wait_access(1)
    before = d.descriptors()
    hello = client_hello()
    count = 0
    for size in range(0, len(hello) + 1, 3):
        with d.plain() as stream:
            stream.send(hello[:size])
            if size % 2:
                stream.reset()
        count += 1
    d.wait_access(1 + count)
    wait_for(lambda: d.descriptors() == before, "all descriptors are back")
    with d.tls() as stream:
        stream.expect_echo()
