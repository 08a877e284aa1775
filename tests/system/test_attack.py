# SPDX-License-Identifier: BSD-2-Clause
"""Peers that mean harm, and peers that are merely odd: whatever they do, the
others are served, nothing is lost or kept, and no process dies."""

import re
import select
import socket
import ssl
import threading
import time

from harness import cpu_seconds, wait_for
from records import HANDSHAKE, KEY_UPDATE, SUITE, Records
from test_backends import hole
from streams import (Tls, client_context, client_hello, greeter,
                     resetter, server_context, silent, sink)

ALERT = 21

# Peers with TLS 1.3 whose records are of our own making.


def odd_gate(t):
    return t.gate(versions="TLSv1.3", ciphersuites=SUITE)


def odd_client(t, d, service="s"):
    """A client after its handshake, and what writes its records."""
    plain = d.plain(service)
    context = client_context(versions="TLSv1.3")
    context.keylog_filename = t.path("client-%d.keys" % plain.socket.fileno())
    stream = Tls(plain.socket, context, False, "web.test").handshake()
    return stream, Records.from_key_log(context.keylog_filename, "CLIENT")


class OddBackend:
    """A TLS backend that leaves its records to the test."""

    def __init__(self, t):
        self.keys = t.path("backend.keys")
        context = server_context(t.pki.system(), versions="TLSv1.3")
        context.num_tickets = 0
        context.keylog_filename = self.keys
        self.ready = threading.Event()
        self.made = None
        self.server = t.server(self.handle, context)
        self.connect = {
            "address": "localhost:%d" % self.server.port,
            "tls": {"verify": {"ca": t.pki.root().cert},
                    "ciphersuites": SUITE}}

    def handle(self, contact):
        self.made = contact
        self.ready.set()
        silent(contact)

    def contact(self):
        """The stream of the connection that came to be, and what writes its
        records."""
        assert self.ready.wait(20)
        return (self.made.stream,
                Records.from_key_log(self.keys, "SERVER"))


def answerer(data):
    """A handler: wait for a word, say all this, end."""
    def handler(contact):
        contact.stream.recv()
        contact.stream.send(data)
        contact.stream.finish()
        contact.read_all()
    return handler


def memory(pid):
    """Resident bytes."""
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * 4096


def is_silent(stream, seconds=0.3):
    """Nothing comes, not even an end."""
    stream.socket.settimeout(seconds)
    try:
        stream.recv()
        return False
    except TimeoutError:
        return True
    finally:
        stream.socket.settimeout(20)


def unread(stream):
    """Bytes that we sent and the daemon has not taken out of its socket."""
    name, peer = stream.socket.getsockname(), stream.socket.getpeername()
    return sum(queue for local, remote, queue in tcp_queues()
               if local == peer and remote == name)


def tcp_queues():
    """(local, remote, bytes to be read) of every TCP connection."""
    def address(text):
        host, port = text.split(":")
        return (socket.inet_ntoa(bytes.fromhex(host)[::-1]), int(port, 16))
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return [(address(row[1]), address(row[2]), int(row[4][9:], 16))
            for row in rows]


# Half of a message keeps TLS from writing.


def test_half_a_message_holds_what_is_to_be_sent(t):
    """A client sends half of a KeyUpdate and then nothing, while much is on
    its way to it: that waits at the backend, and comes, with its end, behind
    the other half."""
    data = bytes(range(256)) * 4096 * 32  # 32 MB
    backend = t.server(answerer(data))
    d = t.daemon({"s": {"accept": odd_gate(t), "connect": backend.address}},
                 globals={"workers": 1})
    (worker,) = d.workers()
    stream, records = odd_client(t, d)
    before = memory(worker)
    stream.socket.sendall(records.record(b"go") +
                          records.record(KEY_UPDATE[:4], HANDSHAKE))
    assert is_silent(stream, 1)
    assert memory(worker) - before < 4 << 20
    stream.socket.sendall(records.record(KEY_UPDATE[4:], HANDSHAKE))
    got, end = stream.read_all()
    assert (len(got), end) == (len(data), "clean")
    assert got == data
    stream.drop()


def test_half_a_message_holds_the_end(t):
    """Nothing but the end waits: close_notify and FIN come behind the other
    half, however TLS is shut down."""
    backend = t.server(answerer(b""))
    d = t.daemon({how: {"accept": t.gate(versions="TLSv1.3", shutdown=how,
                                         ciphersuites=SUITE),
                        "connect": backend.address}
                  for how in ("fast", "full", "none")})
    for how in ("fast", "full"):
        stream, records = odd_client(t, d, how)
        stream.socket.sendall(records.record(b"go") +
                              records.record(KEY_UPDATE[:4], HANDSHAKE))
        assert is_silent(stream)
        stream.socket.sendall(records.record(KEY_UPDATE[4:], HANDSHAKE))
        records.update()
        assert stream.read_all() == (b"", "clean")
        stream.socket.sendall(records.record(b"\x01\x00", ALERT))
        d.wait_access(service=how, reason="done")
    stream, records = odd_client(t, d, "none")
    stream.socket.sendall(records.record(b"go") +
                          records.record(KEY_UPDATE[:4], HANDSHAKE))
    assert stream.read_all() == (b"", "truncated")
    stream.drop()


def test_half_a_message_has_a_limit(t):
    """The other half never comes: whoever does that is like one who does not
    read."""
    for i, data in enumerate((b"", b"x", bytes(4 << 20))):
        backend = t.server(answerer(data))
        d = t.daemon({"s": {
            "accept": odd_gate(t), "connect": backend.address,
            "timeouts": {"write_stall": "700ms", "idle": "1h",
                         "half_close": "1h"}}}, name="daemon%d" % i)
        stream, records = odd_client(t, d)
        stream.socket.sendall(records.record(b"go") +
                              records.record(KEY_UPDATE[:4], HANDSHAKE))
        assert is_silent(stream, 0.4)
        record = d.wait_access()
        assert record["reason"] == "idle_timeout", record
        assert "write_stall" in record["detail"], record
        assert stream.read_all() == (b"", "truncated")
        stream.drop()


def test_half_a_message_on_both_sides(t):
    """Each side keeps the other's words from leaving: both are read on, and
    no process takes it for impossible."""
    backend = OddBackend(t)
    d = t.daemon({"s": {"accept": odd_gate(t), "connect": backend.connect}},
                 globals={"workers": 1})
    (worker,) = d.workers()
    client, up = odd_client(t, d)
    server, down = backend.contact()
    client.socket.sendall(up.record(b"go") +
                          up.record(KEY_UPDATE[:4], HANDSHAKE))
    assert server.read_exactly(2) == b"go"
    server.socket.sendall(down.record(b"down") +
                          down.record(KEY_UPDATE[:4], HANDSHAKE))
    wait_for(lambda: not unread(server), "the backend's half is read")
    sent = up.record(KEY_UPDATE[4:], HANDSHAKE)
    up.update()
    client.socket.sendall(sent + up.record(b"up") +
                          up.record(KEY_UPDATE[:4], HANDSHAKE))
    assert is_silent(client) and is_silent(server)
    before = cpu_seconds(worker)
    time.sleep(1)
    assert cpu_seconds(worker) - before < 0.1
    client.socket.sendall(up.record(KEY_UPDATE[4:], HANDSHAKE))
    assert client.read_exactly(4) == b"down"
    server.socket.sendall(down.record(KEY_UPDATE[4:], HANDSHAKE))
    assert server.read_exactly(2) == b"up"
    client.reset()
    server.reset()


# Floods of what costs us more than it costs the sender.


def test_a_flood_of_key_updates(t):
    """More than four without data between, and more than a hundred in a
    second: closed at once, whoever sends them, and the others notice
    nothing."""
    backend = OddBackend(t)
    d = t.daemon({"s": {"accept": odd_gate(t), "connect": "builtin:echo"},
                  "up": {"accept": {}, "connect": backend.connect}},
                 globals={"workers": 1})
    for is_requested in (False, True):
        stream, records = odd_client(t, d)
        stream.expect_echo()
        records.number += 1  # what Python's ssl has just sent
        stream.socket.sendall(b"".join(records.key_update(is_requested)
                                       for _ in range(50)))
        assert stream.read_all()[0] == b""
        stream.drop()
    stream, records = odd_client(t, d)
    # Few enough, and data goes on.
    stream.socket.sendall(b"".join(
        records.key_update(i % 2 > 0) for i in range(4)) +
        records.record(b"alive"))
    assert stream.read_exactly(5) == b"alive"
    # Data between them does not make up for any number.
    flood = b"".join(records.key_update() + records.record(b"x")
                     for _ in range(200))
    stream.socket.sendall(flood)
    assert len(stream.read_all()[0]) < 200
    stream.drop()
    client = d.plain("up")
    server, records = backend.contact()
    server.socket.sendall(b"".join(records.key_update()
                                   for _ in range(50)))
    assert client.read_all() == (b"", "reset")
    for record in [d.wait_access(3, service="s"), d.wait_access(service="up")]:
        assert record["reason"] == "error", record
        assert "too many messages" in record["detail"], record


def test_a_flood_of_tiny_records(t):
    """Records of one byte as fast as they can be sent: others wait for some
    milliseconds of the worker's work only."""
    backend = t.server(sink)
    d = t.daemon({"s": {"accept": t.gate(), "connect": backend.address},
                  "echo": {"accept": t.gate(), "connect": "builtin:echo"}},
                 globals={"workers": 1})
    (worker,) = d.workers()
    each = 100000
    made = []
    for _ in range(4):
        stream = d.tls()
        for _ in range(each):
            stream.ssl.write(b"x")
        made.append((stream, stream._out.read()))
    senders = [threading.Thread(target=stream.socket.sendall, args=(data,))
               for stream, data in made]
    for sender in senders:
        sender.start()
    visits = []
    while len(visits) < 3 or any(sender.is_alive() for sender in senders):
        before = cpu_seconds(worker)
        with d.tls("echo") as good:
            good.expect_echo()
        visits.append(cpu_seconds(worker) - before)
    # The middle one: we may have been the ones who were slow.
    assert sorted(visits)[len(visits) // 2] < 0.2 * t.patience, visits
    for stream, _ in made:
        stream.drop()
    wait_for(lambda: [len(contact.received) for contact in
                      backend.contacts] == 4 * [each],
             "every byte has arrived")


# Limits.


def test_max_connections_is_for_all_workers_together(t):
    """Also when it cannot be divided, and with a queue for each worker."""
    for i, (most, workers) in enumerate(((1, 4), (5, 3), (7, 4))):
        d = t.daemon({"s": {"accept": {"reuse_port": i == 1},
                            "connect": "builtin:echo"}},
                     globals={"max_connections": most, "workers": workers},
                     name="daemon%d" % i)
        assert len(d.workers()) == min(most, workers)
        streams = [d.plain() for _ in range(60)]
        for stream in streams:
            stream.send(b"x")
        wait_for(lambda: sum(map(has_answer, streams)) == most, "%d" % most)
        assert not is_answered_more(streams, most)
        while streams:
            for stream in wait_for(
                    lambda: list(filter(has_answer, streams)), "the next"):
                stream.drop()
                streams.remove(stream)


def has_answer(stream):
    return bool(select.select([stream.socket], [], [], 0)[0])


def is_answered_more(streams, count, seconds=0.3):
    """Does any other stream get an answer within that time?"""
    quiet = [s.socket for s in streams if not has_answer(s)]
    assert len(quiet) == len(streams) - count
    return bool(select.select(quiet, [], [], seconds)[0])


# Backends that fail in odd ways.


def test_a_backend_that_resets_in_its_handshake_is_passed_over(t):
    """Whatever it does instead of a handshake, the next address is tried with
    a clean slate."""
    def junk(contact):
        contact.stream.send(b"220 not TLS at all\r\n")
        contact.read_all()

    def resets_late(contact):
        contact.stream.recv(1)
        contact.stream.reset()

    good = t.server(greeter(b"good"), server_context(t.pki.system()))
    bad = [t.server(handler) for handler in
           (resetter, lambda contact: None, lambda c: c.stream.finish(), junk,
            resets_late)]
    d = t.daemon({"s": {"accept": {}, "connect": {
        "address": [*("localhost:%d" % server.port for server in bad),
                    "localhost:%d" % good.port],
        "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    for _ in range(10):
        with d.plain() as stream:
            assert stream.read_exactly(4) == b"good"
            stream.finish()
            assert stream.read_all() == (b"", "clean")
    assert all(len(server.contacts) == 10 for server in bad)


def test_a_unix_backend_with_a_full_queue_is_passed_over(t):
    """It is waited for as long as an address that does not answer, and for
    ever when there is no other."""
    full = t.unix_listener(t.path("full"), backlog=0)
    first = socket.socket(socket.AF_UNIX)
    first.connect(t.path("full"))
    t.defer(first.close)
    good = t.server(greeter(b"good"))
    path = "unix:" + t.path("full")
    d = t.daemon({"two": {"accept": {}, "connect": {
                      "address": [path, good.address]}},
                  "one": {"accept": {}, "connect": path,
                          "timeouts": {"connect": "30s"}}})
    alone = d.plain("one")
    started = time.monotonic()
    with d.plain("two") as stream:
        assert stream.read_exactly(4) == b"good"
    assert 0.2 < time.monotonic() - started < 0.3 + t.patience
    assert is_silent(alone)
    full.accept()[0].close()
    accepted, _ = full.accept()
    accepted.sendall(b"late")
    assert alone.read_exactly(4) == b"late"
    accepted.close()


def test_attempts_that_take_all_descriptors(t):
    """Each of many clients has several attempts under way, none of which is
    answered: nobody is refused for want of descriptors, and the next address
    is tried all the same."""
    good = t.server(greeter(b"good"))
    holes = ["127.0.0.%d:%d" % (i, hole(t, "127.0.0.%d" % i))
             for i in range(2, 12)]
    d = t.daemon({"s": {"accept": {}, "connect": {
                      "address": [*holes, good.address]},
                      "timeouts": {"connect": "30s"}}},
                 globals={"workers": 1}, descriptors=64)
    streams = [d.plain() for _ in range(40)]
    for stream in streams:
        assert stream.read_exactly(4) == b"good"
        stream.finish()
        assert stream.read_all() == (b"", "clean")
        stream.drop()
    d.wait_access(40, reason="done")


def test_out_of_descriptors_is_said_once(t):
    """...and once when it is over; meanwhile the worker rests."""
    good = t.server(greeter(b"good"))
    holes = ["127.0.0.%d:%d" % (i, hole(t, "127.0.0.%d" % i))
             for i in range(2, 10)]
    d = t.daemon({"stuck": {"accept": {}, "connect": {"address": holes},
                            "timeouts": {"connect": "5s"}},
                  "s": {"accept": {}, "connect": good.address}},
                 globals={"workers": 1}, descriptors=64)
    (worker,) = d.workers()
    stuck = [d.plain("stuck") for _ in range(6)]
    wait_for(lambda: d.descriptors()["worker"] == [64], "all are taken")
    streams = [d.plain("s") for _ in range(20)]
    d.wait_log("cannot accept, pausing")
    before = cpu_seconds(worker)
    started = time.monotonic()
    time.sleep(1)
    used = (cpu_seconds(worker) - before) / (time.monotonic() - started)
    assert used < 0.1, used
    for stream in stuck:
        stream.drop()
    for stream in streams:
        assert stream.read_exactly(4) == b"good"
        stream.drop()
    d.wait_log("accepting again")
    for sentence in ("cannot accept", "accepting again"):
        assert d.text().count(sentence) == 1, d.text()


# Ends.


def test_an_alert_in_the_relay_is_whole(t):
    """A record that does not decrypt, with more behind it than is read: no
    reset overtakes the alert."""
    backend = t.server(silent)
    d = t.daemon({"s": {"accept": odd_gate(t), "connect": backend.address}})
    for _ in range(20):
        stream, _ = odd_client(t, d)
        stream.socket.sendall(b"\x17\x03\x03\x00\x20" + bytes(32) +
                              bytes(300000))
        try:
            stream.recv()
            raise AssertionError("no alert")
        except ssl.SSLError as error:
            assert error.reason == "SSLV3_ALERT_BAD_RECORD_MAC", error
        assert stream.socket.recv(100) == b""
        stream.drop()


def test_a_killed_worker_ends_no_plain_stream_properly(t):
    """Who reads until the end of a plain TCP stream must not take what there
    is for everything: a process that dies resets."""
    def keep(contact):
        contact.received += contact.stream.recv()
        contact.read_all()

    backend = t.server(answerer(b"half of it"))
    quiet = t.server(keep)
    d = t.daemon({"s": {"accept": {}, "connect": quiet.address},
                  "ended": {"accept": {}, "connect": backend.address}},
                 globals={"workers": 1})
    stream, ended = d.plain("s"), d.plain("ended")
    stream.send(b"half of it")
    ended.send(b"go")
    assert ended.read_all() == (b"half of it", "clean")
    wait_for(lambda: quiet.contacts and quiet.contacts[0].received,
             "the backend has it")
    d.kill_child(d.workers()[0])
    assert stream.read_all() == (b"", "reset")
    quiet.contacts[0].over.wait(10)
    assert quiet.contacts[0].end == "reset", quiet.contacts[0].end


def test_a_slow_reader_gets_all_before_a_reset(t):
    """What was taken before a truncation arrives, also when the peer takes its
    time."""
    data = bytes(range(256)) * 4096  # 1 MB
    def cut(contact):
        contact.stream.recv()
        contact.stream.send(data)
        contact.stream.drop()

    backend = t.server(cut, server_context(t.pki.system()))
    d = t.daemon({"s": {"accept": {}, "connect": {
        "address": "localhost:%d" % backend.port,
        "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    stream = d.plain(receive_buffer=16384)
    stream.send(b"go")
    d.wait_access(reason="truncated")
    got = bytearray()
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        got += stream.recv(20000)
        time.sleep(0.2)
    rest, end = stream.read_all()
    got += rest
    assert (len(got), end) == (len(data), "reset")


# Logs.


def test_text_records_are_one_line_each(t):
    """Whatever stands in a value: it is quoted, and what was escaped before is
    not escaped again."""
    path = t.path('odd "name\\with=\x1b[1m')
    names = [b'a"b', b"a b\n2026 reason=done", b"\\x41", bytes(range(1, 128)),
             b"\xff\xc3\xa4", b"x" * 255]
    d = t.daemon({"s": {"accept": t.gate(), "connect": "unix:" + path}},
                 globals={"log": [
                     {"to": "stderr", "what": "events"},
                     {"to": "file:" + t.path("access.log"), "what": "access",
                      "format": "text"}]})
    for name in names:
        with d.plain() as stream:
            stream.send(hello_for(name))
            stream.finish()
            stream.read_all()
    with d.tls() as stream:
        stream.read_all()

    def records():
        with open(t.path("access.log"), "rb") as file:
            return file.read().split(b"\n")[:-1]
    wait_for(lambda: len(records()) >= len(names) + 1, "all records")
    assert len(records()) == len(names) + 1
    for record in records():
        assert re.fullmatch(
            rb'time=\S+( [a-z_]+=([^\s"=\\]+|"([^"\\\0-\x1f]|'
            rb'\\x[0-9a-f]{2})*"))+', record), record
    text = b"\n".join(records())
    assert rb'sni="a\x22b"' in text and rb'sni="\x5cx41"' in text, text
    assert rb'odd \x22name\x5cwith=\x1b[1m' in text, text


def hello_for(name):
    """A ClientHello with these bytes as the server's name."""
    hello = client_hello("web.test")
    at = hello.index(b"web.test")
    grown = len(name) - 8

    def number(offset, width):
        return (int.from_bytes(hello[offset:offset + width], "big") +
                grown).to_bytes(width, "big")
    session = 43
    suites = session + 1 + hello[session]
    methods = suites + 2 + int.from_bytes(hello[suites:suites + 2], "big")
    extensions = methods + 1 + hello[methods]
    return b"".join((
        hello[:3], number(3, 2), hello[5:6], number(6, 3),
        hello[9:extensions], number(extensions, 2),
        hello[extensions + 2:at - 7], number(at - 7, 2), number(at - 5, 2),
        hello[at - 3:at - 2], number(at - 2, 2), name, hello[at + 8:]))
