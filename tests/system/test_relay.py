# SPDX-License-Identifier: BSD-2-Clause
"""The relay: bytes, ends, resets, in all four combinations of gates."""

import os
import socket
import subprocess
import threading
import time

from harness import wait_for
from streams import (Ended, Plain, Reset, echo, server_context, silent,
                     sink)

MODES = ("plain-plain", "tls-plain", "plain-tls", "tls-tls")


class Lock:
    """One daemon with a service for each mode, and their two backends."""

    def __init__(self, t, handler, versions=None, accept=None, connect=None,
                 **daemon):
        cert = t.pki.system()
        self.plain_backend = t.server(handler)
        self.tls_backend = t.server(handler, server_context(
            cert, versions=versions))
        services = {}
        for mode in MODES:
            client, backend = mode.split("-")
            server = (self.tls_backend if backend == "tls"
                      else self.plain_backend)
            service = {"accept": {}, "connect": {
                "address": "localhost:%d" % server.port}}
            if client == "tls":
                service["accept"] = t.gate(
                    **({"versions": versions} if versions else {}),
                    **(accept or {}))
            if backend == "tls":
                service["connect"]["tls"] = {
                    "verify": {"ca": t.pki.root().cert}, **(connect or {})}
            services[mode] = service
        self.daemon = t.daemon(services, **daemon)

    def connect(self, mode, **options):
        if mode.startswith("tls"):
            return self.daemon.tls(mode, **options)
        return self.daemon.plain(mode, **options)

    def contact(self, mode, known=0):
        """The backend's end of the newest connection."""
        server = (self.tls_backend if mode.endswith("tls")
                  else self.plain_backend)
        wait_for(lambda: len(server.contacts) > known, "the backend's end")
        return server.contacts[-1]


def pattern(size, seed=1):
    """Bytes without a period that a slip could hide in."""
    return b"".join((i * 2654435761 + seed & 0xffffffff).to_bytes(4, "big")
                    for i in range(size // 4 + 1))[:size]


def parity_P62_every_byte_both_ways_at_once(t):
    """Sizes around records and segments, both directions at once."""
    total = pattern(3 << 20)
    back = pattern(3 << 20, seed=7)
    sizes = [1, 2, 16383, 16384, 16385, 65535, 65536, 65537, 131073, 5, 300001]

    def pour(stream, data):
        at = 0
        while at < len(data):
            size = sizes[at % len(sizes)]
            stream.send(data[at:at + size])
            at += size

    def handler(contact):
        sender = threading.Thread(target=pour, args=(contact.stream, back))
        sender.start()
        contact.received += contact.stream.read_exactly(len(total))
        sender.join()
        contact.read_all()

    lock = Lock(t, handler)
    for mode in MODES:
        with lock.connect(mode) as stream:
            sender = threading.Thread(target=pour, args=(stream, total))
            sender.start()
            assert stream.read_exactly(len(back)) == back, mode
            sender.join()
            stream.finish()
            assert stream.read_all() == (b"", "clean"), mode
        contact = lock.contact(mode)
        contact.over.wait(10)
        assert contact.received == total and contact.end == "clean", mode
        record = lock.daemon.wait_access(service=mode, reason="done")
        assert record["bytes_in"] == len(total), record
        assert record["bytes_out"] == len(back), record


def parity_P60_key_update_from_the_client(t):
    """s_client changes its keys, and asks for ours, in the middle."""
    d = t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}})
    peer = t.start("s_client", "openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(), "-tls1_3", "-servername",
                   "web.test", stdin=subprocess.PIPE)
    wait_for(lambda: "Verify return code" in peer.text(), "the handshake")

    def say(text, expected):
        before = peer.text().count(expected)
        peer.process.stdin.write(text)
        peer.process.stdin.flush()
        wait_for(lambda: peer.text().count(expected) > before, expected)

    say(b"one\n", "\none\n")
    for i, command in enumerate((b"k\n", b"K\n", b"K\n", b"k\n")):
        say(command, "KEYUPDATE")
        say(b"line %d\n" % i, "\nline %d\n" % i)
    peer.process.stdin.close()
    peer.process.wait(10)
    assert d.wait_access()["reason"] in ("done", "client_closed")


def parity_P60_key_update_from_the_backend(t):
    cert = t.pki.system()
    port = t.port()
    peer = t.start("s_server", "stdbuf", "-oL", "openssl", "s_server",
                   "-accept", "127.0.0.1:%d" % port, "-cert", cert.cert, "-key",
                   cert.key, "-tls1_3", stdin=subprocess.PIPE)
    wait_for(lambda: "ACCEPT" in peer.text(), "s_server listens")
    d = t.daemon({"s": {"accept": {}, "connect": {
        "address": "localhost:%d" % port,
        "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    stream = d.plain()
    stream.send(b"hello\n")
    wait_for(lambda: "hello" in peer.text(), "the backend has it")
    for i, command in enumerate((b"k\n", b"K\n", b"k\n")):
        before = peer.text().count("SSL_do_handshake")
        peer.process.stdin.write(command)
        peer.process.stdin.flush()
        wait_for(lambda: peer.text().count("SSL_do_handshake") > before,
                 "its keys")
        peer.process.stdin.write(b"from the backend %d\n" % i)
        peer.process.stdin.flush()
        assert stream.read_until(b"\n") == b"from the backend %d\n" % i
        stream.send(b"from the client %d\n" % i)
        wait_for(lambda: "from the client %d" % i in peer.text(), "an answer")


def parity_P60_no_connection_blocks_another(t):
    """Readers that read nothing while their backend has plenty: the others
    of the same worker go on, and what is held stays small."""
    def handler(contact):
        try:
            while True:
                contact.stream.send(bytes(65536))
        except (Ended, OSError):
            pass

    flood = t.server(handler)
    d = t.daemon({
        "flood": {"accept": t.gate(), "connect": flood.address},
        "echo": {"accept": t.gate(), "connect": "builtin:echo"},
    }, globals={"workers": 1})
    stalled = [d.tls("flood", receive_buffer=4096) for _ in range(20)]
    for stream in stalled:
        stream.read_exactly(1)
    started = time.monotonic()
    for _ in range(20):
        with d.tls("echo") as stream:
            stream.expect_echo(pattern(100000))
    assert time.monotonic() - started < 10 * t.patience
    (worker,) = d.workers()
    with open("/proc/%d/statm" % worker) as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if not t.sanitized:
        assert resident < 100 << 20, resident
    for stream in stalled:
        stream.reset()


def parity_P61_nothing_stays_behind_inside_tls(t):
    """Records of every size arrive although nothing follows them."""
    lock = Lock(t, echo)
    for mode in ("tls-plain", "plain-tls", "tls-tls"):
        with lock.connect(mode) as stream:
            for size in (1, 2, 100, 16383, 16384, 16385, 32768, 49153, 65536,
                         65537, 262144, 262145, 1048576, 1048577):
                stream.expect_echo(pattern(size))


def parity_P61_many_small_records_in_one_segment(t):
    lock = Lock(t, sink)
    for versions in ("TLSv1.2", "TLSv1.3"):
        stream = lock.connect("tls-plain", versions=versions)
        contact = lock.contact("tls-plain")
        for byte in pattern(5000):
            stream.ssl.write(bytes([byte]))
        stream._flush()
        stream.finish()
        contact.over.wait(10)
        assert contact.received == pattern(5000) and contact.end == "clean"


def parity_P61_data_right_behind_the_handshake(t):
    """The first bytes travel in the segment of the client's Finished; a
    backend's first bytes right behind its own."""
    def handler(contact):
        contact.stream.send(b"banner")
        echo(contact)

    lock = Lock(t, handler)
    for mode in MODES:
        for versions in ("TLSv1.2", "TLSv1.3"):
            options = ({"versions": versions} if mode.startswith("tls")
                       else {})
            with lock.connect(mode, **options) as stream:
                stream.send(b"first")
                assert stream.read_exactly(11) == b"bannerfirst"


def parity_P64_truncation_is_never_hidden(t):
    """A TLS end that goes without close_notify: what it sent arrives, and
    then the other side sees a reset, or no close_notify either."""
    lock = Lock(t, sink)
    for mode in ("tls-plain", "tls-tls"):
        for versions in ("TLSv1.2", "TLSv1.3"):
            known = len(lock.tls_backend.contacts if mode == "tls-tls"
                        else lock.plain_backend.contacts)
            stream = lock.connect(mode, versions=versions)
            stream.send(pattern(200000))
            contact = lock.contact(mode, known)
            stream.drop()
            contact.over.wait(10)
            assert contact.received == pattern(200000), len(contact.received)
            assert contact.end in ("reset", "truncated"), (mode, contact.end)
    for mode in ("tls-plain", "tls-tls"):
        lock.daemon.wait_access(2, service=mode, reason="truncated")


def parity_P64_truncation_by_the_backend(t):
    def handler(contact):
        contact.stream.send(pattern(200000))
        contact.stream.drop()

    lock = Lock(t, handler)
    for mode in ("plain-tls", "tls-tls"):
        stream = lock.connect(mode)
        got, end = stream.read_all()
        assert got == pattern(200000), len(got)
        assert end in ("reset", "truncated"), (mode, end)
        lock.daemon.wait_access(service=mode, reason="truncated")


def parity_P64_a_reset_is_passed_on(t):
    """In both directions; never as a clean end."""
    lock = Lock(t, sink)
    for mode in MODES:
        known = len(lock.tls_backend.contacts if mode.endswith("tls")
                    else lock.plain_backend.contacts)
        stream = lock.connect(mode)
        stream.send(b"x")
        contact = lock.contact(mode, known)
        stream.reset()
        contact.over.wait(10)
        assert contact.end in ("reset", "truncated"), (mode, contact.end)
        lock.daemon.wait_access(service=mode, reason="reset")

    def resetter(contact):
        contact.stream.read_exactly(1)
        contact.stream.reset()

    for server in (lock.plain_backend, lock.tls_backend):
        server.handler = resetter
    for mode in MODES:
        stream = lock.connect(mode)
        stream.send(b"x")
        got, end = stream.read_all()
        assert got == b"" and end in ("reset", "truncated"), (mode, end)
        lock.daemon.wait_access(2, service=mode, reason="reset")


def parity_P64_shutdown_fast(t):
    """close_notify is sent; a bare FIN in answer to it is no truncation."""
    def handler(contact):
        contact.stream.send(b"bye")

    backend = t.server(handler)
    d = t.daemon({"s": {"accept": t.gate(), "connect": backend.address}})
    stream = d.tls()
    assert stream.read_all() == (b"bye", "clean")
    stream.drop()
    assert d.wait_access()["reason"] in ("done", "client_closed")


def parity_P64_shutdown_full(t):
    """Our close_notify is waited for: a bare FIN instead is a truncation."""
    def handler(contact):
        contact.stream.send(b"bye")

    backend = t.server(handler)
    d = t.daemon({"s": {"accept": t.gate(shutdown="full"),
                        "connect": backend.address}})
    stream = d.tls()
    assert stream.read_all() == (b"bye", "clean")
    stream.drop()
    d.wait_access(reason="truncated")
    stream = d.tls()
    assert stream.read_all() == (b"bye", "clean")
    stream.close()
    assert d.wait_access(2)["reason"] in ("done", "client_closed")


def parity_P64_shutdown_none(t):
    """No close_notify at all: the client sees a bare FIN."""
    def handler(contact):
        contact.stream.send(b"bye")

    backend = t.server(handler)
    d = t.daemon({"s": {"accept": t.gate(shutdown="none"),
                        "connect": backend.address}})
    stream = d.tls()
    assert stream.read_all() == (b"bye", "truncated")


def parity_P65_half_close_by_the_client(t):
    """The client ends, and then the backend talks."""
    def handler(contact):
        contact.read_all()
        contact.stream.send(pattern(1 << 20))

    for versions in ("TLSv1.2", "TLSv1.3"):
        lock = Lock(t, handler, versions=versions, name="d" + versions)
        for mode in MODES:
            with lock.connect(mode) as stream:
                stream.send(b"request")
                stream.finish()
                got, end = stream.read_all()
                assert (len(got), end) == (1 << 20, "clean"), (
                    versions, mode, len(got), end)
                assert got == pattern(1 << 20)
            assert lock.contact(mode).received == b"request"
            lock.daemon.wait_access(service=mode, reason="done")


def parity_P65_half_close_by_the_backend(t):
    """The backend ends, and then the client talks."""
    def handler(contact):
        contact.stream.send(b"banner")
        contact.stream.finish()
        contact.read_all()

    for versions in ("TLSv1.2", "TLSv1.3"):
        lock = Lock(t, handler, versions=versions, name="d" + versions)
        for mode in MODES:
            known = len(lock.tls_backend.contacts if mode.endswith("tls")
                        else lock.plain_backend.contacts)
            with lock.connect(mode) as stream:
                assert stream.read_all() == (b"banner", "clean"), mode
                stream.send(pattern(1 << 20))
                stream.finish()
                contact = lock.contact(mode, known)
                assert contact.over.wait(10), (versions, mode)
            assert contact.received == pattern(1 << 20), (versions, mode)
            assert contact.end == "clean", (versions, mode, contact.end)
            lock.daemon.wait_access(service=mode, reason="done")


def parity_P65_the_end_comes_after_all_bytes(t):
    """A backend that sends much and ends, a client that reads late."""
    def handler(contact):
        contact.stream.send(pattern(4 << 20))
        contact.stream.finish()
        contact.read_all()

    lock = Lock(t, handler)
    for mode in MODES:
        with lock.connect(mode, receive_buffer=8192) as stream:
            # Reading begins when everybody behind us is stuck.
            contact = lock.contact(mode)
            wait_for(lambda: stream.socket.recv(
                1, socket.MSG_PEEK) != b"", "some bytes")
            got, end = stream.read_all()
            assert (got == pattern(4 << 20), end) == (True, "clean"), mode
            stream.finish()
            contact.over.wait(10)


def parity_P66_sigpipe_and_hidden_writes(t):
    """Clients that vanish while the backend floods them: no worker dies."""
    def handler(contact):
        try:
            while True:
                contact.stream.send(bytes(65536))
        except (Ended, OSError):
            pass

    lock = Lock(t, handler)
    before = sorted(lock.daemon.workers())
    for mode in MODES:
        for _ in range(10):
            stream = lock.connect(mode)
            stream.read_exactly(100000)
            stream.reset()
            stream = lock.connect(mode)
            stream.read_exactly(10)
            stream.drop()
    for mode in MODES:
        lock.daemon.wait_access(20, service=mode)
    assert sorted(lock.daemon.workers()) == before


def parity_P67_a_worker_takes_only_its_own_with_it(t):
    """kill -9 of one of two workers: its connections break, and never as a
    clean end; those of the other one do not notice."""
    d = t.daemon({"s": {"accept": {**t.gate(), "reuse_port": True},
                        "connect": "builtin:echo"}})
    streams = [d.tls() for _ in range(24)]
    for stream in streams:
        stream.expect_echo()
    victim = d.workers()[0]
    d.kill_child(victim)
    wait_for(lambda: victim not in d.workers() and len(d.workers()) == 2,
             "a new worker")
    alive = 0
    for stream in streams:
        try:
            stream.expect_echo()
            alive += 1
        except Reset:
            pass
        except Ended as error:
            assert "clean" not in str(error), error
    assert 0 < alive < 24, alive
    for _ in range(10):
        with d.tls() as stream:
            stream.expect_echo()


def test_a_silent_backend_holds_nobody_up(t):
    """A backend that accepts and says nothing, and reads nothing."""
    quiet = t.server(silent)
    d = t.daemon({"quiet": {"accept": {}, "connect": quiet.address},
                  "echo": {"accept": {}, "connect": "builtin:echo"}},
                 globals={"workers": 1})
    stream = d.plain("quiet")
    stream.socket.setblocking(False)
    try:
        while True:
            stream.socket.send(bytes(65536))
    except BlockingIOError:
        pass
    with d.plain("echo") as other:
        other.expect_echo(pattern(1 << 20))


def test_unix_sockets_on_both_gates(t):
    backend = t.unix_server(echo, t.path("b.sock"))
    abstract = t.unix_server(echo, "@sealock-test-%d" % os.getpid())
    d = t.daemon({
        "path": {"accept": "unix:" + t.path("a.sock"),
                 "connect": backend.address},
        "abstract": {"accept": "unix:@sealock-gate-%d" % os.getpid(),
                     "connect": abstract.address},
    })
    for name in (t.path("a.sock"), "\0sealock-gate-%d" % os.getpid()):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(name)
        with Plain(connected) as stream:
            stream.expect_echo(pattern(100000))
            stream.finish()
            assert stream.read_all() == (b"", "clean")
    d.wait_access(2, reason="done")


def test_one_port_for_both_families(t):
    """`:port` serves IPv4 and IPv6; the log shows each address as its own."""
    port = t.port()
    d = t.daemon({"s": {"accept": ":%d" % port, "connect": "builtin:echo"}})
    for host in ("127.0.0.1", "::1"):
        with t.connect(port, host=host) as stream:
            stream.expect_echo()
    d.wait_access(2)
    clients = sorted(record["client"] for record in d.access())
    assert clients[0].startswith("127.0.0.1:"), clients
    assert clients[1].startswith("[::1]:"), clients


def test_an_inherited_descriptor_as_listener(t):
    """accept: fd:N."""
    listening = socket.create_server(("127.0.0.1", t.port()))
    port = listening.getsockname()[1]
    os.set_inheritable(listening.fileno(), True)
    number = listening.fileno()
    d = t.daemon({"s": {"accept": {"address": "fd:%d" % number},
                        "connect": "builtin:echo"}}, pass_fds=[number])
    listening.close()
    with t.connect(port) as stream:
        stream.expect_echo()
    d.wait_access(reason="done")


def test_a_client_with_nagle_waits_for_nothing(t):
    """A client that has not set TCP_NODELAY sends its first words at once,
    not after our delayed acknowledgement of its Finished, which would take
    each of them 40 ms or more."""
    d = t.daemon({"s": {"accept": t.gate(versions="TLSv1.3"),
                        "connect": "builtin:echo"}})

    def is_prompt():
        stream = d.tls()
        started = time.monotonic()
        stream.expect_echo()
        seconds = time.monotonic() - started
        stream.drop()
        return seconds < 0.035

    wait_for(is_prompt, "one client of many is not delayed")
