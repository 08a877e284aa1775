# SPDX-License-Identifier: BSD-2-Clause
"""Access records and events: fields, reasons, forms, places.

Syslog is not covered here: /dev/log belongs to the machine. The socket's side
of it has its unit tests.
"""

import datetime
import json
import os
import re
import signal
import socket
import struct

from harness import wait_for
from streams import Ended, client_hello, echo, server_context, sink


def echo_service(**accept):
    return {"accept": accept, "connect": "builtin:echo"}


def parity_P71_fields_of_a_record(t):
    """TLS on both gates: who, where, with what, how much, how long, why."""
    backend = t.server(echo, server_context(t.pki.system(),
                                            versions="TLSv1.2"))
    d = t.daemon({"web": {"accept": t.gate(alpn=["http/1.1"]), "connect": {
        "address": "localhost:%d" % backend.port,
        "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    with d.tls(alpn=["http/1.1"]) as stream:
        client = "%s:%d" % stream.socket.getsockname()
        stream.expect_echo(b"x" * 1000)
        cipher = stream.cipher
        stream.finish()
        stream.read_all()
    record = d.wait_access(reason="done")
    expected = {
        "service": "web", "client": client,
        "local": "127.0.0.1:%d" % d.port(), "backend": backend.address,
        "sni": "web.test", "alpn": "http/1.1", "tls_version": "TLSv1.3",
        "cipher": cipher, "resumed": False,
        "bytes_in": 1000, "bytes_out": 1000, "reason": "done",
    }
    for key, value in expected.items():
        assert record.get(key) == value, (key, value, record)
    assert record["backend_tls"]["version"] == "TLSv1.2", record
    assert record["backend_tls"]["cipher"], record
    assert record["group"].lower().startswith("x25519"), record
    for key in ("handshake_ms", "connect_ms", "duration_ms"):
        assert isinstance(record[key], int) and record[key] >= 0, record
    when = datetime.datetime.fromisoformat(
        record["time"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - when).total_seconds()) < 60, record


def parity_P70_every_connection_has_one_reason(t):
    """Reasons from the fixed list; one record each, whatever happens."""
    closed = t.port()
    stranger = t.pki.leaf("localhost", issuer=t.pki.root("stranger"))
    misnamed = t.pki.leaf("other.test")
    plain = t.server(sink)
    bad_ca = t.server(echo, server_context(stranger))
    bad_name = t.server(echo, server_context(misnamed))

    def towards(server):
        return {"accept": {}, "connect": {
            "address": "localhost:%d" % server.port,
            "tls": {"verify": {"ca": t.pki.root().cert}}}}

    d = t.daemon({
        "echo": echo_service(**t.gate(strict_sni=True)),
        "closed": {"accept": {}, "connect": "127.0.0.1:%d" % closed},
        "backend_cert_rejected": towards(bad_ca),
        "backend_name_mismatch": towards(bad_name),
        "backend_handshake_failed": {"accept": {}, "connect": {
            "address": t.server(
                lambda contact: contact.stream.send(b"no TLS here")).address,
            "tls": {"verify": "none"}}},
        "no_backend": {"accept": {}, "connect": "nobody.invalid:1"},
        "reset": {"accept": {}, "connect": plain.address},
        "idle": {"accept": {}, "connect": plain.address,
                 "timeouts": {"idle": "200ms"}},
    }, globals={"resolver": {"servers": "127.0.0.1:%d" % closed,
                             "timeout": "100ms"}})
    with d.tls("echo") as stream:
        stream.finish()
        stream.read_all()
    d.wait_access(service="echo", reason="done")
    try:
        d.tls("echo", name="unknown.test")
    except Exception as error:
        assert "UNRECOGNIZED_NAME" in str(error), error
    d.wait_access(service="echo", reason="unknown_name")
    with d.plain("echo") as stream:
        stream.send(b"GET / HTTP/1.0\r\n\r\n")
        stream.read_all()
    d.wait_access(service="echo", reason="plaintext")
    try:
        d.tls("echo", versions="TLSv1.1")
    except Exception:
        pass
    d.wait_access(service="echo", reason="no_shared_cipher")
    with d.plain("echo") as stream:
        stream.send(b"\x16\x03\x01\x00\x05hello")
        stream.read_all()
    d.wait_access(service="echo", reason="handshake_failed")
    d.plain("echo").close()
    d.wait_access(service="echo", reason="client_closed")
    stream = d.tls("echo")
    stream.drop()
    d.wait_access(service="echo", reason="truncated")
    for name, reason in (("closed", "connect_failed"),
                         ("backend_cert_rejected", None),
                         ("backend_name_mismatch", None),
                         ("backend_handshake_failed", None),
                         ("no_backend", None)):
        with d.plain(name) as stream:
            stream.read_all()
        record = d.wait_access(service=name)
        assert record["reason"] == (reason or name), record
        assert record["detail"], record
    stream = d.plain("reset")
    stream.send(b"x")
    wait_for(lambda: plain.contacts, "the backend has it")
    stream.reset()
    d.wait_access(service="reset", reason="reset")
    with d.plain("idle") as stream:
        stream.read_all()
    d.wait_access(service="idle", reason="idle_timeout")
    assert len(d.access()) == 14, [r["reason"] for r in d.access()]
    manual = ("done client_closed backend_closed idle_timeout "
              "handshake_timeout handshake_failed no_shared_cipher "
              "unknown_name key_unavailable connect_failed connect_timeout "
              "backend_handshake_failed backend_cert_rejected "
              "backend_name_mismatch no_backend truncated reset plaintext "
              "shutdown error").split()
    for record in d.access():
        assert record["reason"] in manual, record


def parity_P70_openssls_text_is_in_the_detail(t):
    d = t.daemon({"s": echo_service(**t.gate(versions="TLSv1.3"))})
    try:
        d.tls(versions="TLSv1.2")
    except Exception:
        pass
    record = d.wait_access(reason="no_shared_cipher")
    assert re.search("version|protocol", record["detail"]), record
    with d.plain() as stream:
        # A hello that is well-formed for us, and then nonsense.
        stream.send(client_hello() + b"\x16\x03\x03\x00\x01\xff")
        stream.read_all()
    record = d.wait_access(reason="handshake_failed")
    assert record["detail"], record


def parity_P70_text_form(t):
    d = t.daemon({"s": echo_service(**t.gate())}, globals={"log": [
        {"to": "stderr", "what": "events"},
        {"to": "file:" + t.path("text.log"), "what": "access"}]})
    with d.tls() as stream:
        stream.expect_echo()
        stream.finish()
        stream.read_all()

    def line():
        if os.path.exists(t.path("text.log")):
            with open(t.path("text.log")) as file:
                return file.read()
        return ""

    text = wait_for(line, "a line")
    assert text.count("\n") == 1, text
    for part in ("service=s", "sni=web.test", "tls_version=TLSv1.3",
                 "bytes_in=4", "bytes_out=4", "reason=done"):
        assert part in text, (part, text)


def test_both_kinds_in_one_output(t):
    """Without `what` an output has events and access records."""
    d = t.daemon({"s": echo_service()}, globals={
        "log": {"to": "stderr", "format": "json"}})
    with d.plain() as stream:
        stream.expect_echo()
    d.wait_log('"reason":')
    kinds = set()
    for line in d.text().splitlines():
        record = json.loads(line)
        kinds.add("access" if "reason" in record else "event")
        if "event" in record:
            assert record["level"] and record["role"] and record["pid"]
    assert kinds == {"access", "event"}, kinds


def hello(name):
    """A ClientHello for TLS 1.2 with these bytes as the server name."""
    sni = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack(">HH", 0, len(sni)) + sni
    extensions += struct.pack(">HHHH", 10, 4, 2, 23)
    extensions += struct.pack(">HHHH", 13, 4, 2, 0x0403)
    body = (b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">HH", 2, 0xc02b) +
            b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions)
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake


def test_junk_in_the_server_name_is_escaped(t):
    """One connection is one line, and only printable ASCII, whatever the
    client calls the server."""
    d = t.daemon({"s": echo_service(**t.gate())}, globals={"log": [
        {"to": "stderr", "level": "debug"},
        {"to": "file:" + t.path("access.log"), "what": "access",
         "format": "json"},
        {"to": "file:" + t.path("text.log"), "what": "access"}]})
    junk = [b"a\nreason=done", b"\x1b[2J\x1b]0;owned\x07", b'"},{"x":"',
            b"%n%s%d", b"\xff\xfe\xc3\x28", b"x" * 255, b"a b", b"..",
            b"\r\n\r\n", b"-", b"a\0b", b"\\x41"]
    for name in junk:
        with d.plain() as stream:
            stream.send(hello(name))
            stream.finish()
            stream.read_all()
    d.wait_access(len(junk))
    with open(t.path("text.log"), "rb") as file:
        text = file.read()
    assert text.count(b"\n") == len(junk), text
    for data in (text, d.text().encode()):
        assert not re.search(rb"[^\x20-\x7e\n]", data), data
    with open(t.path("access.log"), "rb") as file:
        lines = file.read().splitlines()
    assert len(lines) == len(junk)
    assert all(json.loads(line)["service"] == "s" for line in lines)


def test_usr1_reopens_files(t):
    d = t.daemon({"s": echo_service()})
    with d.plain() as stream:
        stream.expect_echo()
    d.wait_access()
    os.rename(d.access_log, d.access_log + ".1")
    with d.plain() as stream:
        stream.expect_echo()

    def old():
        with open(d.access_log + ".1") as file:
            return file.read().count("\n")

    wait_for(lambda: old() == 2, "the second record, in the old file")
    d.signal(signal.SIGUSR1)
    wait_for(lambda: os.path.exists(d.access_log), "the new file")
    d.wait_log("logs reopened")

    def recorded():
        with d.plain() as stream:
            stream.expect_echo()
        return d.access()

    wait_for(recorded, "a record in the new file")
    assert old() >= 2


def test_a_full_disk_stops_nothing(t):
    """/dev/full takes no line; service goes on."""
    d = t.daemon({"s": echo_service()}, globals={"log": [
        {"to": "stderr", "what": "events"},
        {"to": "file:/dev/full", "what": "both"}]})
    for _ in range(20):
        with d.plain() as stream:
            stream.expect_echo()
    d.reload()
    with d.plain() as stream:
        stream.expect_echo()


def test_nobody_waits_for_a_log(t):
    """A pipe that nobody reads fills up; service goes on."""
    fifo = t.path("fifo")
    os.mkfifo(fifo)
    opened = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    t.defer(lambda: os.close(opened))
    d = t.daemon({"s": echo_service()}, globals={"log": [
        {"to": "stderr", "what": "events"},
        {"to": "file:" + fifo, "what": "access", "format": "json"}]})
    for _ in range(400):
        with d.plain() as stream:
            stream.expect_echo()


def test_a_log_file_that_cannot_be_opened(t):
    file = t.write("c.yaml", """\
global:
  pid_file: "%s"
  admin: "unix:%s"
  state_dir: state
  log: file:/nonexistent/sealock.log
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (t.path("pid"), t.path("a.sock"), t.port()))
    result = t.command("run", "-c", file)
    assert result.status in (1, 2), result
    assert "/nonexistent/sealock.log" in result.err, result


def test_levels(t):
    """error says less than info, info less than debug."""
    sizes = []
    for level in ("error", "info", "debug", "trace"):
        d = t.daemon({"s": echo_service(**t.gate())}, name=level, ready=False,
                     globals={"log": [{"to": "stderr", "level": level,
                                       "what": "events"},
                                      {"to": "file:" + t.path(
                                          level + ".access.log"),
                                       "what": "access",
                                       "format": "json"}]})

        def works():
            try:
                with d.tls() as stream:
                    stream.expect_echo()
                return True
            except (OSError, Ended):
                return False

        wait_for(works, "it serves")
        d.wait_access()
        d.stop()
        # Lines, as their lengths vary with the numbers in them.
        sizes.append(len(d.text().splitlines()))
    assert sizes == sorted(sizes) and sizes[0] == 0, sizes
    assert sizes[0] < sizes[1] <= sizes[2], sizes


def test_floods_are_limited(t):
    """Thousands of bad handshakes: few events, one record each."""
    d = t.daemon({"s": echo_service(**t.gate())})
    lines = len(d.text().splitlines())
    for _ in range(1000):
        with d.plain() as stream:
            stream.send(b"\x16\x03\x01\x00\x05hello")
            try:
                stream.read_all()
            except OSError:
                pass
    d.wait_access(1000)
    assert len(d.text().splitlines()) - lines < 1000


def test_unix_clients_in_the_log(t):
    d = t.daemon({"s": {"accept": "unix:" + t.path("a.sock"),
                        "connect": "builtin:echo"}})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(t.path("a.sock"))
    record = d.wait_access()
    assert record["client"].startswith("unix:"), record
