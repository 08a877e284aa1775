# SPDX-License-Identifier: BSD-2-Clause
"""Every timeout ends a connection in time, with its reason."""

import threading
import time

from harness import wait_for
from streams import Ended, client_hello, echo, silent, sink
from test_backends import hole


def ends_within(stream, low, high):
    """The stream ends after so many seconds, give or take what a busy machine
    needs."""
    started = time.monotonic()
    stream.read_all()
    seconds = time.monotonic() - started
    assert low <= seconds <= high + 4, seconds


def service(t, backend, tls=False, **timeouts):
    return {"accept": t.gate() if tls else {}, "connect": backend,
            "timeouts": timeouts}


def test_handshake_of_a_silent_client(t):
    d = t.daemon({"s": service(t, "builtin:echo", True, handshake="500ms")})
    ends_within(d.plain(), 0.4, 0.5 + 1.5 * t.patience)
    assert d.wait_access(reason="handshake_timeout")["bytes_in"] == 0


def test_handshake_is_one_deadline_for_all_of_it(t):
    """Progress does not prolong it: one byte of a ClientHello at a time."""
    d = t.daemon({"s": service(t, "builtin:echo", True, handshake="700ms")})
    stream = d.plain()
    over = threading.Event()

    def drip():
        for byte in client_hello():
            try:
                stream.send(bytes([byte]))
            except (Ended, OSError):
                return
            if over.wait(0.05):
                return

    threading.Thread(target=drip, daemon=True).start()
    ends_within(stream, 0.5, 0.7 + 1.5 * t.patience)
    over.set()
    d.wait_access(reason="handshake_timeout")


def test_connect(t):
    d = t.daemon({"s": service(t, "127.0.0.1:%d" % hole(t),
                               connect="500ms")})
    ends_within(d.plain(), 0.4, 0.5 + 1.5 * t.patience)
    d.wait_access(reason="connect_timeout")


def test_connect_includes_the_backends_handshake(t):
    quiet = t.server(silent)
    d = t.daemon({"s": service(t, {
        "address": quiet.address, "tls": {"verify": "none"}},
        connect="500ms")})
    ends_within(d.plain(), 0.4, 0.5 + 1.5 * t.patience)
    d.wait_access(reason="connect_timeout")


def test_idle(t):
    """Silence in both directions; a byte in one begins it anew."""
    backend = t.server(sink)
    d = t.daemon({"s": service(t, backend.address, idle="800ms")})
    stream = d.plain()
    started = time.monotonic()
    for _ in range(12):
        stream.send(b"x")
        time.sleep(0.1)
    assert not backend.contacts[0].over.is_set()
    ends_within(stream, 0.3, 0.8 + 1.5 * t.patience)
    assert time.monotonic() - started > 1.8
    record = d.wait_access(reason="idle_timeout")
    assert record["bytes_in"] == 12, record


def test_half_close(t):
    """One side has ended, the other is silent."""
    quiet = t.server(silent)
    d = t.daemon({"s": service(t, quiet.address, half_close="500ms",
                               idle="1h")})
    stream = d.plain()
    stream.send(b"x")
    stream.finish()
    ends_within(stream, 0.4, 0.5 + 1.5 * t.patience)
    record = d.wait_access(reason="idle_timeout")
    assert "half_close" in record["detail"], record


def test_half_close_with_flow_is_not_cut(t):
    def handler(contact):
        contact.read_all()
        for _ in range(15):
            contact.stream.send(b"x")
            time.sleep(0.1)

    backend = t.server(handler)
    d = t.daemon({"s": service(t, backend.address, half_close="600ms")})
    with d.plain() as stream:
        stream.finish()
        assert stream.read_all() == (b"x" * 15, "clean")
    d.wait_access(reason="done")


def test_write_stall(t):
    """A client that takes nothing of what waits for it."""
    def handler(contact):
        try:
            while True:
                contact.stream.send(bytes(65536))
        except (Ended, OSError):
            pass

    flood = t.server(handler)
    for tls in (False, True):
        name = "tls" if tls else "plain"
        d = t.daemon({"s": service(t, flood.address, tls, write_stall="700ms",
                                   idle="1h")}, name=name)
        stream = (d.tls if tls else d.plain)(receive_buffer=4096)
        started = time.monotonic()
        stream.read_exactly(1)
        record = d.wait_access(reason="idle_timeout")
        assert "write_stall" in record["detail"], record
        assert 0.6 < time.monotonic() - started < 2 + 2 * t.patience
        stream.reset()


def test_total(t):
    """The whole connection, however busy it is."""
    d = t.daemon({"s": service(t, "builtin:echo", total="1s")})
    stream = d.plain()
    started = time.monotonic()
    try:
        while time.monotonic() - started < 20:
            stream.expect_echo()
    except (Ended, OSError):
        pass
    seconds = time.monotonic() - started
    assert 0.9 <= seconds <= 1 + 4 * t.patience, seconds
    record = d.wait_access(reason="idle_timeout")
    assert "total" in record["detail"], record


def test_no_limit(t):
    """0 switches a limit off."""
    d = t.daemon({"s": service(t, "builtin:echo", idle=0, half_close=0,
                               write_stall=0, total=0)})
    stream = d.plain()
    stream.expect_echo()
    time.sleep(1)
    stream.expect_echo()


def test_keep_going_after_timeouts(t):
    """Many that time out at once leave nothing behind."""
    backend = t.server(echo)
    d = t.daemon({"s": service(t, backend.address, True, handshake="300ms",
                               idle="300ms")})
    before = d.descriptors()
    half = [d.plain() for _ in range(40)]
    idle = [d.tls() for _ in range(40)]
    for stream in half + idle:
        stream.read_all()
    d.wait_access(40, reason="handshake_timeout")
    d.wait_access(40, reason="idle_timeout")
    for stream in half + idle:
        stream.drop()
    wait_for(lambda: d.descriptors() == before, "all descriptors are back")
