# SPDX-License-Identifier: BSD-2-Clause
"""Clients that send junk: an alert, one record, and nobody else notices."""

import random
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import wait_for
from streams import Ended, client_hello, sink

ALERT = 21
PROTOCOL_VERSION = 70
UNRECOGNIZED_NAME = 112


class Canary:
    """A well-behaved client that comes all the time."""

    def __init__(self, d, name):
        self.daemon, self.name = d, name
        self.failures, self.slowest, self.count = [], 0.0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._come)

    def _come(self):
        while not self.over.is_set():
            started = time.monotonic()
            try:
                with self.daemon.tls(self.name) as stream:
                    stream.expect_echo()
            except Exception as error:
                self.failures.append(error)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.count += 1
            self.over.wait(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if not kind:
            assert self.count and not self.failures, self.failures[:3]


def gate(t, **tls):
    return {"accept": t.gate(**tls), "connect": "builtin:echo"}


def alerts(data):
    """The descriptions of the alert records in these bytes, which must be
    whole records."""
    found = []
    while data:
        kind, _, length = struct.unpack(">BHH", data[:5])
        assert len(data) >= 5 + length, data
        if kind == ALERT:
            assert length == 2 and data[5] == 2, data  # fatal
            found.append(data[6])
        data = data[5 + length:]
    return found


def answer_to(d, data, finish=False):
    """What the daemon sends in reply, and how it ends."""
    with d.plain() as stream:
        stream.send(data)
        if finish:
            stream.finish()
        return stream.read_all()


def test_plain_http(t):
    d = t.daemon({"s": gate(t)})
    with Canary(d, "s"):
        got, end = answer_to(d, b"GET / HTTP/1.1\r\nHost: web.test\r\n\r\n")
    assert alerts(got) and end == "clean", (got, end)
    d.wait_access(reason="plaintext")


def test_other_protocols(t):
    d = t.daemon({"s": gate(t)})
    openers = [b"SSH-2.0-OpenSSH_9.2\r\n", b"EHLO mail.test\r\n",
               b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"\r\n\r\n", b"\0" * 64,
               b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10",  # SSLv2
               b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"]
    with Canary(d, "s"):
        for data in openers:
            got, _ = answer_to(d, data, finish=True)
            alerts(got)
    wait_for(lambda: sum(record["reason"] in ("plaintext", "handshake_failed")
                         for record in d.access()) >= len(openers), "records")


def test_random_bytes(t):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    d = t.daemon({"s": gate(t)})
    with Canary(d, "s"):
        for _ in range(200):
            data = dice.randbytes(dice.choice((1, 5, 50, 500, 20000)))
            if dice.randrange(2):
                data = b"\x16\x03\x01" + data
            try:
                got, _ = answer_to(d, data, finish=True)
                alerts(got)
            except Ended:
                pass
    for record in d.access():
        assert record["reason"] != "error", record


def test_mutated_hellos(t):
    """A good ClientHello with a few bytes changed."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    d = t.daemon({"s": gate(t)})
    good = client_hello()
    before = sorted(d.workers())
    with Canary(d, "s"):
        for _ in range(500):
            data = bytearray(good)
            for _ in range(dice.randint(1, 4)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                answer_to(d, bytes(data), finish=True)
            except Ended:
                pass
    assert sorted(d.workers()) == before


def test_a_huge_client_hello(t):
    """More than anybody needs: refused once it is too long, and not kept
    from its declared length on."""
    d = t.daemon({"s": gate(t)})
    body = bytes(60000)
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    records = b"".join(
        b"\x16\x03\x01" + struct.pack(">H", len(part)) + part
        for part in (handshake[i:i + 16384]
                     for i in range(0, len(handshake), 16384)))
    with Canary(d, "s"):
        with d.plain() as stream:
            try:
                stream.send(records)
            except Ended:
                pass
            got, _ = stream.read_all()
            assert alerts(got), got
    record = d.wait_access(reason="handshake_failed")
    assert "long" in record["detail"], record


def test_a_hello_in_records_of_one_byte(t):
    """Legal, and understood; the handshake goes on as usual."""
    d = t.daemon({"s": gate(t)})
    hello = client_hello()
    payload = hello[5:]
    tiny = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte])
                    for byte in payload)
    with d.plain() as stream:
        stream.send(tiny)
        header = stream.read_exactly(5)
        assert header[0] == 22, header  # a ServerHello


def test_a_hello_in_segments_of_one_byte(t):
    d = t.daemon({"s": gate(t)})
    hello = client_hello()
    with d.plain() as stream:
        stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in hello:
            stream.send(bytes([byte]))
        assert stream.read_exactly(5)[0] == 22


def test_the_whole_alert_is_read_in_100_failing_handshakes(t):
    """No reset overtakes it, also when we have sent more than was read."""
    d = t.daemon({"s": gate(t, strict_sni=True)})
    hello = client_hello("unknown.test")
    for i in range(100):
        extra = bytes(i * 100)  # unread by the daemon
        with d.plain() as stream:
            stream.send(hello + extra)
            got, end = stream.read_all()
            assert alerts(got) == [UNRECOGNIZED_NAME], (i, got)
            assert end == "clean", (i, end)
    d.wait_access(100, reason="unknown_name")


def test_alerts_of_openssl_are_whole_too(t):
    d = t.daemon({"s": gate(t, versions="TLSv1.3")})
    for _ in range(100):
        try:
            d.tls(versions="TLSv1.2")
            raise AssertionError("TLS 1.2")
        except ssl.SSLError as error:
            assert error.reason == "TLSV1_ALERT_PROTOCOL_VERSION", error
    d.wait_access(100, reason="no_shared_cipher")


def test_a_record_that_does_not_decrypt(t):
    """In the middle of the relay: that connection ends, not cleanly for the
    backend, and no other one notices."""
    backend = t.server(sink)
    d = t.daemon({"s": {"accept": t.gate(), "connect": backend.address},
                  "echo": gate(t)})
    for versions in ("TLSv1.2", "TLSv1.3"):
        known = len(backend.contacts)
        with Canary(d, "echo"):
            with d.tls("s", versions=versions) as stream:
                stream.send(b"good")
                wait_for(lambda: len(backend.contacts) > known, "a contact")
                stream.socket.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                contact = backend.contacts[-1]
                contact.over.wait(10)
        assert contact.received == b"good", contact.received
        assert contact.end in ("reset", "truncated"), contact.end


def parity_P60_renegotiation_is_refused(t):
    """s_client's R; the connection lives on or ends, the daemon does not
    renegotiate."""
    d = t.daemon({"s": gate(t)})
    peer = t.start("s_client", "openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(), "-tls1_2",
                   stdin=subprocess.PIPE)
    wait_for(lambda: "Verify return code" in peer.text(), "the handshake")
    peer.process.stdin.write(b"R\n")
    peer.process.stdin.flush()
    wait_for(lambda: "RENEGOTIATING" in peer.text(), "the attempt")
    wait_for(lambda: peer.process.poll() is not None or
             "no renegotiation" in peer.text(), "its refusal")
    with d.tls() as stream:
        stream.expect_echo()


def test_canary_beside_half_open_connections(t):
    """Many that never finish their handshake: a good client is served."""
    d = t.daemon({"s": gate(t)})
    crowd = [d.plain() for _ in range(300)]
    for i, stream in enumerate(crowd):
        stream.send(client_hello()[:i % 200])
    with Canary(d, "s") as canary:
        wait_for(lambda: canary.count >= 20, "20 visits")
    assert canary.slowest < 1.0 * t.patience, canary.slowest
