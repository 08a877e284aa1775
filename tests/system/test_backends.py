# SPDX-License-Identifier: BSD-2-Clause
"""Backends: several addresses, both families, names, absence."""

import os
import socket
import time

from harness import wait_for
from nameserver import NameServer
from streams import Ended, echo, greeter, server_context


def hole(t, host="127.0.0.1", port=None):
    """An address that swallows connections: a listener whose queue is full.
    Its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port or t.port()))
    listening.listen(0)
    t.defer(listening.close)
    port = listening.getsockname()[1]
    for _ in range(10):
        probe = socket.socket(family)
        t.defer(probe.close)
        probe.settimeout(0.3)
        try:
            probe.connect((host, port))
        except TimeoutError:
            return port
    raise AssertionError("the queue does not get full")


def service(*addresses, **more):
    timeouts = more.pop("timeouts", {})
    return {"accept": {}, "connect": {"address": list(addresses), **more},
            "timeouts": timeouts}


def greeting(d, name):
    """What the backend says first, and after how many seconds."""
    started = time.monotonic()
    with d.plain(name) as stream:
        got = stream.recv()
        return got, time.monotonic() - started


def greets_at_once(d, name):
    """What the backend says before any delay of RFC 8305: on a busy machine
    at least the fastest time of some."""
    answers = [greeting(d, name) for _ in range(8)]
    (got,) = {got for got, _ in answers}
    assert min(seconds for _, seconds in answers) < 0.25, answers
    return got


def fails(d, name):
    with d.plain(name) as stream:
        assert stream.read_all()[0] == b""


def parity_P68_closed_ports_are_passed_over_at_once(t):
    good = t.server(greeter(b"good"))
    closed = [t.port() for _ in range(3)]
    d = t.daemon({"s": service(*("127.0.0.1:%d" % port for port in closed),
                               good.address)})
    assert greets_at_once(d, "s") == b"good"
    assert d.wait_access()["backend"] == good.address


def parity_P68_a_silent_address_costs_the_attempt_delay(t):
    """RFC 8305: the next address after 250 ms, the one after it 250 ms
    later; the first that answers wins."""
    good = t.server(greeter(b"good"))
    holes = ["127.0.0.%d:%d" % (i, hole(t, "127.0.0.%d" % i))
             for i in (2, 3)]
    d = t.daemon({"one": service(holes[0], good.address),
                  "two": service(*holes, good.address)})
    got, seconds = greeting(d, "one")
    assert got == b"good" and 0.2 < seconds < 0.25 + 4 * t.patience, seconds
    got, seconds = greeting(d, "two")
    assert got == b"good" and 0.45 < seconds < 0.5 + 4 * t.patience, seconds


def parity_P68_dead_ipv6_falls_back_to_ipv4(t):
    """One name, its IPv6 address first and dead: closed, then silent."""
    good = t.server(greeter(b"four"))
    names = NameServer(t, {"dual.test": ["::1", "127.0.0.1"]})
    d = t.daemon({"s": service("dual.test:%d" % good.port)},
                 globals={"resolver": {"servers": names.address}})
    assert greets_at_once(d, "s") == b"four"
    hole(t, "::1", good.port)
    got, seconds = greeting(d, "s")
    assert got == b"four" and 0.2 < seconds < 0.25 + 4 * t.patience, seconds


def parity_P68_address_family(t):
    four = t.server(greeter(b"four"))
    six = t.server(greeter(b"six"), host="::1", port=four.port)
    names = NameServer(t, {"dual.test": ["::1", "127.0.0.1"]})
    address = "dual.test:%d" % six.port
    d = t.daemon({
        "any": service(address),
        "inet": service(address, address_family="inet"),
        "inet6": service(address, address_family="inet6"),
    }, globals={"resolver": {"servers": names.address}})
    assert greeting(d, "inet")[0] == b"four"
    assert greeting(d, "inet6")[0] == b"six"
    # Destination selection (RFC 6724) prefers ::1.
    assert greeting(d, "any")[0] == b"six"


def parity_P68_a_backend_whose_tls_fails_is_passed_over(t):
    bad = t.server(echo, server_context(
        t.pki.leaf("127.0.0.1", issuer=t.pki.root("stranger"))))
    good = t.server(greeter(b"good"), server_context(t.pki.system()))
    d = t.daemon({"s": service(bad.address, good.address,
                               tls={"verify": {"ca": t.pki.root().cert}})})
    assert greeting(d, "s")[0] == b"good"
    assert not any(contact.received for contact in bad.contacts)


def test_all_addresses_closed(t):
    ports = [t.port(), t.port()]
    d = t.daemon({"s": service(*("127.0.0.1:%d" % port for port in ports))})
    fails(d, "s")
    record = d.wait_access(reason="connect_failed")
    assert str(ports[1]) in record["detail"], record
    assert "refused" in record["detail"].lower(), record


def test_all_addresses_silent(t):
    d = t.daemon({"s": service("127.0.0.1:%d" % hole(t),
                               timeouts={"connect": "700ms"})})
    started = time.monotonic()
    fails(d, "s")
    seconds = time.monotonic() - started
    assert 0.6 < seconds < 0.7 + 4 * t.patience, seconds
    d.wait_access(reason="connect_timeout")


def test_localhost_through_the_hosts_file(t):
    good = t.server(greeter(b"good"))
    d = t.daemon({"s": service("localhost:%d" % good.port)})
    assert greeting(d, "s")[0] == b"good"


def test_a_unix_socket_that_is_not_there(t):
    d = t.daemon({"s": service("unix:" + t.path("nobody.sock"))})
    fails(d, "s")
    d.wait_access(reason="connect_failed")
    t.unix_server(greeter(b"late"), t.path("nobody.sock"))
    assert greeting(d, "s")[0] == b"late"


def test_a_backend_that_comes_and_goes(t):
    """Nothing is remembered of a failure."""
    port = t.port()
    d = t.daemon({"s": service("127.0.0.1:%d" % port)})
    fails(d, "s")
    backend = t.server(greeter(b"up"), port=port)
    assert greeting(d, "s")[0] == b"up"
    backend.close()
    fails(d, "s")
    t.server(greeter(b"again"), port=port)
    assert greeting(d, "s")[0] == b"again"


def test_names_are_refreshed(t):
    """A changed answer is followed without a reload."""
    one = t.server(greeter(b"one"), host="127.0.0.2")
    two = t.server(greeter(b"two"), host="127.0.0.3", port=one.port)
    names = NameServer(t, {"moving.test": ["127.0.0.2"]})
    d = t.daemon({"s": service("moving.test:%d" % two.port)},
                 globals={"resolver": {"servers": names.address,
                                       "refresh": "1s"}})
    assert greeting(d, "s")[0] == b"one"
    names.names = {"moving.test": ["127.0.0.3"]}
    wait_for(lambda: greeting(d, "s")[0] == b"two", "the new address is used")


def test_the_last_good_answer_is_kept(t):
    """A name server that falls silent, and one that has forgotten the
    name."""
    good = t.server(greeter(b"good"))
    names = NameServer(t, {"web.test": ["127.0.0.1"]})
    d = t.daemon({"s": service("web.test:%d" % good.port)},
                 globals={"resolver": {"servers": names.address,
                                       "refresh": "1s", "timeout": "200ms"}})
    assert greeting(d, "s")[0] == b"good"
    names.is_silent = True
    asked = names.questions
    wait_for(lambda: names.questions > asked + 2, "it is asked again")
    assert greets_at_once(d, "s") == b"good"
    names.names, names.is_silent = {}, False
    asked = names.questions
    wait_for(lambda: names.questions > asked + 3, "it is asked again")
    assert greeting(d, "s")[0] == b"good"


def test_a_name_that_does_not_exist(t):
    """no_backend, at once; and when it appears, it works."""
    good = t.server(greeter(b"good"))
    names = NameServer(t, {})
    d = t.daemon({"s": service("nobody.test:%d" % good.port),
                  "other": service(good.address)},
                 globals={"resolver": {"servers": names.address,
                                       "refresh": "1s"}})
    fails(d, "s")
    record = d.wait_access(service="s", reason="no_backend")
    assert "nobody.test" in record["detail"], record
    assert greeting(d, "other")[0] == b"good"
    names.names = {"nobody.test": ["127.0.0.1"]}

    def answers():
        with d.plain("s") as stream:
            try:
                return stream.recv() == b"good"
            except Ended:
                return False

    wait_for(answers, "the name works")


def test_a_silent_name_server_holds_nobody_up(t):
    """The start is not delayed, other services work, and the client of the
    name waits no longer than connect allows."""
    good = t.server(greeter(b"good"))
    names = NameServer(t, {})
    names.is_silent = True
    started = time.monotonic()
    d = t.daemon({"s": service("web.test:%d" % good.port,
                               timeouts={"connect": "1s"}),
                  "other": service(good.address)},
                 globals={"resolver": {"servers": names.address,
                                       "timeout": "60s"}})
    assert time.monotonic() - started < 5 * t.patience
    assert greeting(d, "other")[0] == b"good"
    started = time.monotonic()
    fails(d, "s")
    assert 0.8 < time.monotonic() - started < 1 + 2 * t.patience
    assert d.wait_access(service="s")["reason"] in ("connect_timeout",
                                                    "no_backend")


def test_builtin_whoami(t):
    """The embedded backend tells what the daemon knows."""
    d = t.daemon({"tls": {"accept": t.gate(alpn=["http/1.1"]),
                          "connect": "builtin:whoami"},
                  "plain": {"accept": {}, "connect": "builtin:whoami"}})
    with d.tls("tls", alpn=["http/1.1"]) as stream:
        stream.send(b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n")
        text = stream.read_all()[0].decode()
    assert text.startswith("HTTP/1.1 200 OK\r\n"), text
    for part in ("TLSv1.3", stream.cipher, "web.test", "http/1.1",
                 "127.0.0.1:"):
        assert part in text, (part, text)
    with d.plain("plain") as stream:
        stream.send(b"GET / HTTP/1.0\r\n\r\n")
        text = stream.read_all()[0].decode()
    assert "tls: none" in text, text
    with d.plain("plain") as stream:
        stream.send(b"X" * 40000)
        assert b" 431 " in stream.recv()


def test_unix_backend_with_a_full_queue(t):
    """connect() says EAGAIN there; the client waits instead of failing."""
    path = t.path("full.sock")
    listening = t.unix_listener(path, backlog=0)
    filler = socket.socket(socket.AF_UNIX)
    filler.connect(path)
    d = t.daemon({"s": service("unix:" + path)})
    stream = d.plain()
    stream.send(b"patience")
    os.sched_yield()
    first, _ = listening.accept()
    first.close()
    accepted, _ = listening.accept()
    accepted.settimeout(10)
    assert accepted.recv(100) == b"patience"
    accepted.close()
    filler.close()
