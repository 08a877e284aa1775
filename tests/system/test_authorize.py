# SPDX-License-Identifier: BSD-2-Clause
"""authorize: somebody outside decides on each client. Whatever is no clear yes
in time is a no, and then the backend has not seen a connection."""

import json
import os
import signal
import socket
import ssl
import threading
import time

from harness import SOURCE, limit, wait_for
from streams import Ended, echo, greeter, resetter, server_context, speaker

YES = b'{"allow":true}\n'
NO = b'{"allow":false,"reason":"not today"}\n'


class Authorizer:
    """Answers every question with what answer(question) returns: bytes, or
    None for silence until the test is over. The questions stay."""

    def __init__(self, t, answer=YES, name="authz"):
        self.answer = answer if callable(answer) else lambda _: answer
        self.questions = []
        self.lines = []
        self.server = t.unix_server(self._serve, t.path(name))
        self.socket = self.server.address

    def _serve(self, contact):
        line = contact.stream.read_until(b"\n")
        self.lines.append(line)
        self.questions.append(json.loads(line))
        answer = self.answer(self.questions[-1])
        if answer is None:
            contact.read_all()
        else:
            contact.stream.send(answer)


def asks(socket, accept=None, timeout="10s", **more):
    return {"accept": accept or {}, "connect": more.pop("connect"),
            "authorize": {"socket": socket, "timeout": timeout}, **more}


def both(t, socket, **options):
    """One service with TLS, one without, and a backend that both have."""
    backend = t.server(echo)
    d = t.daemon({
        "tls": asks(socket, t.gate(), connect=backend.address, **options),
        "plain": asks(socket, connect=backend.address, **options),
    })
    return d, backend


def open_one(d, service):
    return d.tls(service) if service == "tls" else d.plain(service)


def is_refused(d, service):
    """The client gets nothing but an end that is no proper one."""
    with open_one(d, service) as stream:
        try:
            stream.send(b"hello")
            data, end = stream.read_all()
        except (Ended, OSError):
            return
        assert data == b"" and end != "clean", (data, end)


def expect_denied(d, backend, detail, service):
    before = len(d.access(service=service, reason="authorize_denied"))
    is_refused(d, service)
    record = d.wait_access(before + 1, service=service,
                           reason="authorize_denied")
    assert detail in record["detail"], record
    assert "backend" not in record
    assert not backend.contacts


# Yes.


def parity_P24_an_external_decision(t):
    """With and without a broker in between."""
    for mode in "auto", "off":
        authorizer = Authorizer(t, name="authz-" + mode)
        backend = t.server(echo)
        d = t.daemon({
            "tls": asks(authorizer.socket, t.gate(alpn=["x/1"]),
                        connect=backend.address),
            "plain": asks(authorizer.socket, connect=backend.address),
        }, globals={"sandbox": mode}, name=mode)
        for service in "tls", "plain":
            for _ in range(3):
                with open_one(d, service) as stream:
                    stream.expect_echo(os.urandom(100000))
        d.wait_access(6)
        assert len(backend.contacts) == len(authorizer.questions) == 6
        question = authorizer.questions[0]
        assert question["version"] == 1
        assert question["service"] == "tls"
        assert question["gate"] == "accept"
        assert question["client"]["address"] == "127.0.0.1"
        assert question["local"] == {"address": "127.0.0.1",
                                     "port": d.port("tls")}
        assert question["sni"] == "web.test"
        assert question["tls_version"] == "TLSv1.3"
        assert question["cipher"].startswith("TLS_")
        assert question["verify"] == {"result": "none"}
        assert "certificate" not in question and "chain" not in question
        question = authorizer.questions[3]
        assert sorted(question) == ["client", "gate", "local", "service",
                                    "version"], question
        # Two workers write their records in any order.
        d.wait_access(6)
        assert sorted("127.0.0.1:%d" % q["client"]["port"]
                      for q in authorizer.questions) == sorted(
                          record["client"] for record in d.access())
        d.stop()


def parity_P24_a_refusal_and_its_reason(t):
    authorizer = Authorizer(t, NO)
    d, backend = both(t, authorizer.socket)
    for service in "tls", "plain":
        expect_denied(d, backend, "the authorizer said no: not today",
                      service)


def test_one_client_and_not_the_other(t):
    """By what the question says of them."""
    authorizer = Authorizer(
        t, lambda q: YES if q.get("sni") == "a.wild.test" else NO)
    backend = t.server(echo)
    d = t.daemon({"s": asks(authorizer.socket, t.gate(),
                            connect=backend.address)})
    for name, allowed in ("a.wild.test", True), ("b.wild.test", False):
        with d.tls(name=name) as stream:
            if allowed:
                stream.expect_echo()
            else:
                assert stream.read_all()[0] == b""
    assert len(backend.contacts) == 1


def test_what_comes_early_is_not_lost(t):
    """A client that talks, and ends, before it is let in."""
    gate = threading.Event()

    def answer(_):
        gate.wait()
        return YES

    authorizer = Authorizer(t, answer)
    d, backend = both(t, authorizer.socket)
    data = os.urandom(200000)
    for service in "tls", "plain":
        gate.clear()
        with open_one(d, service) as stream:
            sender = threading.Thread(
                target=lambda: (stream.send(data), stream.finish()))
            sender.start()
            wait_for(lambda: len(authorizer.questions) ==
                     1 + len(backend.contacts), "it was asked")
            # What the worker takes before the decision has an end.
            assert not backend.contacts or service == "plain"
            gate.set()
            assert stream.read_all() == (data, "clean")
            sender.join()
    assert [r["reason"] for r in (d.wait_access(2), *d.access())] == [
        "done"] * 3


def parity_P24_what_is_known_of_a_certificate(t):
    """TLS 1.2 and 1.3; the chain is what the client sent."""
    inner = t.pki.intermediate("authorize")
    leaf = t.pki.leaf("client.test", "192.0.2.1", issuer=inner,
                      usage="client")
    authorizer = Authorizer(
        t, lambda q: YES if "certificate" in q else NO)
    backend = t.server(echo)
    d = t.daemon({"s": asks(
        authorizer.socket,
        t.gate(verify={"mode": "optional", "ca": t.pki.root().cert}),
        connect=backend.address)})
    for version in "TLSv1.2", "TLSv1.3":
        with d.tls(certificate=leaf, versions=version) as stream:
            stream.expect_echo()
        question = authorizer.questions[-1]
        assert question["tls_version"] == version
        assert question["verify"] == {"result": "ok"}
        certificate = question["certificate"]
        assert certificate["subject"] == "CN=client.test"
        assert certificate["issuer"] == "CN=authorize CA"
        assert certificate["names"] == [
            {"type": "dns", "value": "client.test"},
            {"type": "ip", "value": "192.0.2.1"},
            {"type": "cn", "value": "client.test"}]
        assert certificate["names_total"] == 3
        assert certificate["fingerprint"] == "sha256$" + leaf.digest()
        assert [link["subject"] for link in question["chain"]] == [
            "CN=client.test", "CN=authorize CA"]
        assert question["chain_total"] == 2
        assert [ssl.PEM_cert_to_DER_cert(link["pem"])
                for link in question["chain"]] == [
                    open(made.der, "rb").read() for made in (leaf, inner)]
        facts = t.command("cert", "show", "--json", leaf.cert).expect()
        assert certificate["public_key"] in facts.out
    assert len(backend.contacts) == 2
    with d.tls() as stream:
        assert stream.read_all()[0] == b""
    assert authorizer.questions[-1]["verify"] == {"result": "none"}
    d.wait_access(reason="authorize_denied")
    assert len(backend.contacts) == 2


def test_who_is_refused_is_not_asked_about(t):
    """The handshake ends first."""
    authorizer = Authorizer(t)
    stranger = t.pki.leaf("client.test", issuer=t.pki.root("stranger"),
                          usage="client")
    d = t.daemon({"s": asks(
        authorizer.socket,
        t.gate(verify={"mode": "required", "ca": t.pki.root().cert}),
        connect=t.server(echo).address)})
    for certificate in stranger, None:
        try:
            with d.tls(certificate=certificate) as stream:
                assert stream.read_all()[0] == b""
        except (Ended, OSError):
            pass
    d.wait_access(2)
    assert not authorizer.questions


def test_a_client_on_a_unix_socket(t):
    authorizer = Authorizer(t)
    backend = t.server(echo)
    d = t.daemon({"s": asks(authorizer.socket,
                            {"address": "unix:" + t.path("in")},
                            connect=backend.address)})
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(10 * t.patience)
        stream.connect(t.path("in"))
        stream.sendall(b"hello")
        assert stream.recv(100) == b"hello"
    assert authorizer.questions[0]["client"] == {"address": "unix:"}
    d.wait_access()


# The backend.


def to_tls(t, backend, authorizer, **verify):
    return {"accept": {}, "connect": {
        "address": backend, "tls": {"verify": {
            "ca": t.pki.root().cert, "name": "web.test", **verify}}},
        "authorize": {"socket": authorizer.socket, "timeout": "10s",
                      "backend": True}}


def parity_P24_a_decision_on_the_backend(t):
    """After its handshake, before its first byte."""
    backend = t.server(echo, server_context(t.pki.system()))
    authorizer = Authorizer(t, lambda q: YES)
    d = t.daemon({"s": to_tls(t, backend.address, authorizer)})
    with d.plain() as stream:
        stream.expect_echo(os.urandom(100000))
    first, second = authorizer.questions
    assert first["gate"] == "accept" and "backend" not in first
    assert second["gate"] == "connect"
    assert second["backend"] == {"address": "127.0.0.1", "port": backend.port}
    assert second["name"] == "web.test"
    assert second["client"] == first["client"]
    assert second["verify"]["result"] == "ok", second["verify"]
    assert second["verify"]["ocsp"] == "none", second["verify"]
    assert second["certificate"]["subject"] == "CN=web.test"
    assert second["chain"][0]["fingerprint"] == second["certificate"][
        "fingerprint"] == "sha256$" + t.pki.system().digest()

    authorizer.answer = lambda q: YES if q["gate"] == "accept" else NO
    with d.plain() as stream:
        try:
            stream.send(b"hello")
            assert stream.read_all()[0] == b""
        except (Ended, OSError):
            pass
    record = d.wait_access(reason="authorize_denied")
    assert record["detail"] == ("%s: the authorizer said no: not today" %
                                backend.address)
    assert backend.contacts[1].over.wait(15 * t.patience)
    assert not backend.contacts[1].received


def test_the_next_backend(t):
    """One that is not allowed is passed over."""
    backends = [t.server(greeter(name), server_context(t.pki.system()))
                for name in (b"one", b"two")]
    authorizer = Authorizer(
        t, lambda q: NO if q.get("backend", {}).get("port") ==
        backends[0].port else YES)
    d = t.daemon({"s": to_tls(
        t, [backend.address for backend in backends], authorizer)})
    with d.plain() as stream:
        assert stream.recv() == b"two"
    assert not backends[0].contacts[0].received


def test_a_backend_that_does_not_wait(t):
    """It talks at once, or goes away, while the authorizer thinks."""
    gate = threading.Event()

    def answer(question):
        if question["gate"] == "connect":
            gate.wait()
        return YES

    data = os.urandom(200000)
    authorizer = Authorizer(t, answer)
    talks = t.server(speaker(data), server_context(t.pki.system()))
    leaves = t.server(resetter, server_context(t.pki.system()))
    d = t.daemon({"talks": to_tls(t, talks.address, authorizer),
                  "leaves": to_tls(t, leaves.address, authorizer)})
    with d.plain("talks") as stream:
        wait_for(lambda: len(authorizer.questions) == 2, "it was asked")
        gate.set()
        stream.finish()
        assert stream.read_all() == (data, "clean")
    gate.clear()
    with d.plain("leaves") as stream:
        try:
            assert stream.read_all()[0] == b""
        except (Ended, OSError):
            pass
    record = d.wait_access(service="leaves")
    assert record["reason"] == "backend_handshake_failed", record
    assert "before it was authorized" in record["detail"]
    gate.set()


def test_the_backend_s_decision_has_a_limit(t):
    backend = t.server(echo, server_context(t.pki.system()))
    authorizer = Authorizer(
        t, lambda q: YES if q["gate"] == "accept" else None)
    service = to_tls(t, backend.address, authorizer)
    service["authorize"]["timeout"] = "500ms"
    d = t.daemon({"s": service})
    with d.plain() as stream:
        try:
            assert stream.read_all()[0] == b""
        except (Ended, OSError):
            pass
    record = d.wait_access(reason="authorize_denied")
    assert record["detail"] == "the authorizer did not answer in time"
    assert not backend.contacts[0].received


# No.


FAILURES = [
    (b"{\"allow\":\"true\"}\n", "`allow` is neither true nor false"),
    (b"{\"allow\":1}\n", "`allow` is neither true nor false"),
    (b"{\"allow\":null}\n", "`allow` is neither true nor false"),
    (b"{}\n", "has no `allow`"),
    (b"{\"Allow\":true}\n", "has no `allow`"),
    (b"[true]\n", "is no object"),
    (b"true\n", "is no JSON object"),
    (b"\n", "is no JSON object"),
    (b"yes\n", "is no JSON object"),
    (b"\xff\xfe\x00\n", "is no JSON object"),
    (b"{\"allow\":true\n", "is no JSON object"),
    (b"{\"allow\":true}{\"allow\":true}\n", "is no JSON object"),
    (b"{\"allow\":false,\"allow\":true}\n", "is no JSON object"),
    (YES + YES, "more than one line"),
    (YES + b"x", "more than one line"),
    (b"{\"allow\":true}", "closed in the middle of its answer"),
    (b"", "closed without an answer"),
    (b"[" * 60000 + b"\n", "is no JSON object"),
    (b" " * 100000 + YES, "too long"),
    (b" " * 200000, "too long"),
]


def parity_P24_every_failure_keeps_out(t):
    answers = iter([])
    authorizer = Authorizer(t, lambda _: next(answers))
    d, backend = both(t, authorizer.socket)
    for answer, detail in FAILURES:
        for service in "tls", "plain":
            answers = iter([answer])
            expect_denied(d, backend, detail, service)
    d.wait_log(r"authorizer failed service=(tls|plain) reason=")


def test_nobody_is_there(t):
    for mode in "auto", "off":
        path = t.path("nobody-" + mode)
        backend = t.server(echo)
        d = t.daemon({"plain": asks("unix:" + path,
                                    connect=backend.address)},
                     globals={"sandbox": mode}, name=mode)
        expect_denied(d, backend, "cannot be reached: No such file", "plain")
        listening = t.unix_listener(path)
        listening.close()
        expect_denied(d, backend, "cannot be reached: Connection refused",
                      "plain")
        d.stop()


def parity_P24_time_is_limited(t):
    """One that hangs, one that does not even accept, one whose queue is full,
    one that drips its answer."""
    def drip(contact):
        for byte in YES:
            contact.stream.send(bytes([byte]))
            time.sleep(0.2)

    hangs = Authorizer(t, lambda _: None, "hangs")
    drips = t.unix_server(drip, t.path("drips"))
    accepts_not = t.unix_listener(t.path("accepts-not"))
    full = t.unix_listener(t.path("full"), backlog=0)
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(full.getsockname())
    t.defer(stuck.close)
    backend = t.server(echo)
    sockets = {
        "hangs": hangs.socket, "drips": drips.address,
        "accepts-not": "unix:" + accepts_not.getsockname(),
        "full": "unix:" + full.getsockname(),
    }
    for mode in "auto", "off":
        d = t.daemon({
            name: asks(path, timeout="500ms", connect=backend.address)
            for name, path in sockets.items()
        }, globals={"sandbox": mode}, name=mode)
        for name in sockets:
            expect_denied(d, backend, "could not be reached in time"
                          if name == "full" else "did not answer in time",
                          name)
            (record,) = d.access(service=name)
            assert 500 <= record["duration_ms"] < 3000, record
        d.stop()


def test_it_waits_for_room_in_the_queue(t):
    """A full queue is tried again."""
    listening = t.unix_listener(t.path("full"), backlog=0)
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(listening.getsockname())
    t.defer(stuck.close)
    backend = t.server(echo)
    for mode in "auto", "off":
        d = t.daemon({"s": asks("unix:" + listening.getsockname(),
                                connect=backend.address)},
                     globals={"sandbox": mode}, name=mode)
        with d.plain() as stream:
            first, _ = listening.accept()
            asked, _ = listening.accept()
            asked.recv(65536)
            asked.sendall(YES)
            stream.expect_echo()
            asked.close()
            stuck.close()
            stuck = socket.socket(socket.AF_UNIX)
            stuck.connect(listening.getsockname())
            t.defer(stuck.close)
            first.close()
        d.stop()


def test_an_answer_before_the_question(t):
    """Whoever says yes to anything is let say it, but not before he was asked:
    a question that does not fit into the socket is not yet asked."""
    def early(contact):
        contact.stream.send(YES)
        contact.read_all()

    backend = t.server(echo)
    server = t.unix_server(early, t.path("early"))
    d = t.daemon({"plain": asks(server.address, connect=backend.address)})
    for _ in range(20):
        with d.plain() as stream:
            try:
                stream.expect_echo()
            except (AssertionError, Ended, OSError):
                pass
    d.wait_access(20)
    allowed = len(d.access(reason="done"))
    assert len(backend.contacts) == allowed
    assert allowed + len(d.access(reason="authorize_denied")) == 20


# Whoever waits does not keep others waiting.


def test_slow_decisions(t):
    """50 clients wait for theirs while others come and go."""
    gate = threading.Event()

    def answer(question):
        if question["service"] == "slow":
            gate.wait()
        return YES

    authorizer = Authorizer(t, answer)
    backend = t.server(echo)
    d = t.daemon({
        "slow": asks(authorizer.socket, timeout="60s",
                     connect=backend.address),
        "fast": asks(authorizer.socket, t.gate(), connect=backend.address),
    }, globals={"workers": 1})
    waiting = [d.plain("slow") for _ in range(50)]
    wait_for(lambda: len(authorizer.questions) == 50, "all were asked")
    for _ in range(20):
        with d.tls("fast") as stream:
            stream.expect_echo()
    assert len(backend.contacts) == 20
    gate.set()
    for stream in waiting:
        stream.expect_echo()
        stream.close()
    d.wait_access(50, service="slow", reason="done")


def test_a_client_that_goes_away(t):
    """Its question goes with it."""
    authorizer = Authorizer(t, lambda _: None)
    d, backend = both(t, authorizer.socket, timeout="60s")
    for service, reset in (("tls", False), ("tls", True), ("plain", True)):
        before = len(authorizer.server.contacts)
        stream = open_one(d, service)
        wait_for(lambda: len(authorizer.questions) == before + 1,
                 "it was asked")
        if reset:
            stream.reset()
        else:
            stream.drop()
        contact = authorizer.server.contacts[-1]
        assert contact.over.wait(15 * t.patience)
        d.wait_access(service=service,
                      reason="reset" if reset else "client_closed")
    assert not backend.contacts


@limit(240)
def test_a_thousand_at_once(t):
    """The authorizer's queue is far too short for them."""
    def is_welcome(port):
        return port // 2 % 2 == 0

    authorizer = Authorizer(
        t, lambda q: YES if is_welcome(q["client"]["port"]) else NO)
    backend = t.server(echo, backlog=1024)
    d = t.daemon({"s": asks(authorizer.socket, {"backlog": 4096},
                            timeout="60s", connect=backend.address)},
                 descriptors=4096)
    streams = [t.connect(d.port()) for _ in range(1000)]
    expected = 0
    for stream in streams:
        if is_welcome(stream.socket.getsockname()[1]):
            stream.expect_echo()
            expected += 1
        else:
            try:
                assert stream.read_all()[0] == b""
            except (Ended, OSError):
                pass
        stream.close()
    d.wait_access(1000 - expected, reason="authorize_denied", seconds=60)
    d.wait_access(expected, reason="done", seconds=60)
    assert len(authorizer.questions) == 1000
    assert len(backend.contacts) == expected


# Around it.


def test_a_reload_meanwhile(t):
    """Who was asked under the old configuration is answered under it, and with
    a new broker that does not know it any more."""
    gate = threading.Event()

    def answer(_):
        gate.wait()
        return YES

    authorizer = Authorizer(t, answer)
    d, backend = both(t, authorizer.socket, timeout="60s")
    stream = d.plain("plain")
    wait_for(lambda: authorizer.questions, "it was asked")
    services = dict(d.services)
    for service in services.values():
        service["authorize"] = "off"
    d.reload(services)
    with d.plain("plain") as other:
        other.expect_echo()
    assert len(authorizer.questions) == 1
    assert len(backend.contacts) == 1
    gate.set()
    stream.expect_echo()
    stream.close()


def test_the_broker_dies(t):
    """What was asked of it is asked of its successor."""
    full = t.unix_listener(t.path("full"), backlog=0)
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(full.getsockname())
    t.defer(stuck.close)
    backend = t.server(echo)
    d = t.daemon({"s": asks("unix:" + full.getsockname(), timeout="60s",
                            connect=backend.address)})
    (broker,) = wait_for(lambda: d.role("broker"), "there is a broker")
    stream = d.plain()
    d.kill_child(broker)
    wait_for(lambda: d.role("broker") not in ([], [broker]), "a new broker")
    full.accept()[0].close()
    asked, _ = full.accept()
    asked.recv(65536)
    asked.sendall(YES)
    stream.expect_echo()
    stream.close()


def test_the_authorizer_comes_back(t):
    first = Authorizer(t)
    d, backend = both(t, first.socket)
    with d.plain("plain") as stream:
        stream.expect_echo()
    first.server.close()
    is_refused(d, "plain")
    os.unlink(t.path("authz"))
    Authorizer(t)
    with d.plain("plain") as stream:
        stream.expect_echo()
    assert len(backend.contacts) == 2


def test_a_stop_meanwhile(t):
    authorizer = Authorizer(t, lambda _: None)
    d, _ = both(t, authorizer.socket, timeout="60s")
    streams = [d.plain("plain"), d.tls("tls")]
    wait_for(lambda: len(authorizer.questions) == 2, "both were asked")
    d.signal(signal.SIGTERM)
    d.wait()
    assert len(d.access(reason="shutdown")) == 2
    for stream in streams:
        stream.drop()


def test_for_every_service(t):
    """In defaults and enforce, and a service that is exempt."""
    authorizer = Authorizer(t, NO)
    backend = t.server(echo)
    services = {"asks": {"accept": {}, "connect": backend.address},
                "exempt": {"accept": {}, "connect": backend.address,
                           "authorize": "off"}}
    d = t.daemon(services, defaults={"authorize": authorizer.socket})
    expect_denied(d, backend, "not today", "asks")
    with d.plain("exempt") as stream:
        stream.expect_echo()
    d.reload(services, enforce={"authorize": authorizer.socket})
    is_refused(d, "exempt")
    d.wait_access(service="exempt", reason="authorize_denied")


def parity_P24_the_sample(t):
    """contrib/authorizer and its list."""
    path = t.path("sample")
    allowed = t.write("list", "# nobody yet\n")
    t.start("sample", os.path.join(SOURCE, "contrib", "authorizer"), path,
            allowed)
    wait_for(lambda: os.path.exists(path), "the sample listens")
    d, backend = both(t, "unix:" + path)
    for service in "tls", "plain":
        expect_denied(d, backend, "not in the list", service)
    t.write("list", "plain 127.0.0.1\n")
    expect_denied(d, backend, "not in the list", "tls")
    with d.plain("plain") as stream:
        stream.expect_echo()
    t.write("list", "\n* *\n")
    with d.tls("tls") as stream:
        stream.expect_echo()
