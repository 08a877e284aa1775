# SPDX-License-Identifier: BSD-2-Clause
"""What backends staple: judged before anything is said to them, and a backend
that its own CA has revoked gets nothing and is heard by nobody."""

import json
import socket
import threading
import time

from harness import limit, wait_for
from nginx import start_nginx
from ocsp import answer, staple, statement, wrapped
from streams import Ended, server_context
from test_authorize import Authorizer

VERSIONS = ("TLSv1.2", "TLSv1.3")

# The longest record of ours behind which there can be no Finished message: an
# encrypted alert of TLS 1.3 has 19 bytes, of TLS 1.2 26.
ALERT_MAX = 26


class Hop:
    """Between sealock and a backend: notes what passes to the backend, in
    each connection. What the backend says is kept back for delay seconds."""

    def __init__(self, t, port, delay=0):
        self.port = port
        self.delay = delay
        self.sent = []
        self.listening = socket.create_server(("127.0.0.1", t.port()))
        t.defer(self.listening.close)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.listening.getsockname()[1]

    def _serve(self):
        while True:
            try:
                client, _ = self.listening.accept()
                backend = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            self.sent.append(Passed())
            for pair in ((client, backend, self.sent[-1]),
                         (backend, client, None)):
                threading.Thread(target=self._copy, args=pair,
                                 daemon=True).start()

    def _copy(self, source, destination, passed):
        try:
            if not passed:
                time.sleep(self.delay)
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if passed:
                    passed.bytes += data
                destination.sendall(data)
            destination.shutdown(socket.SHUT_WR)
        except OSError:
            for side in source, destination:
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        if passed:
            passed.over.set()


class Passed:
    def __init__(self):
        self.bytes = bytearray()
        self.over = threading.Event()

    def records(self):
        """(type, length) of those behind the ClientHello, when all are
        there."""
        assert self.over.wait(10)
        found, rest = [], bytes(self.bytes)
        while len(rest) >= 5:
            length = int.from_bytes(rest[3:5], "big")
            found.append((rest[0], length))
            rest = rest[5 + length:]
        return found[1:]


def reverse(contact):
    """A server's handler: one line backwards."""
    line = contact.stream.read_until(b"\n")
    contact.stream.send(line[-2::-1] + b"\n")
    contact.read_all()


class World:
    """A CA, a server's certificate, and answers about it."""

    def __init__(self, t):
        self.t = t
        self.root = t.pki.root("stapling")
        self.leaf = t.pki.leaf("localhost", "127.0.0.1", issuer=self.root)
        self.sibling = t.pki.leaf("sibling.test", issuer=self.root)
        self.stranger = t.pki.root("stapling-stranger")
        self.delegate = t.pki.leaf("responder", issuer=self.root,
                                   usage="ocsp")
        self.pretender = t.pki.leaf("pretender", issuer=self.root,
                                    usage="server")
        self.foreigner = t.pki.leaf("foreigner", issuer=self.stranger,
                                    usage="ocsp")

    def answer(self, signer=None, sent=(), response=0, about=None,
               **options):
        return answer(self.t, statement(about or self.leaf, self.root,
                                        **options),
                      signer=signer or self.root, sent=sent,
                      response=response)

    def answers(self):
        """{kind: (the answer, what it is, is it refused in any case)}"""
        good = self.answer()
        delegate, pretender = self.delegate, self.pretender
        return {
            "good": (good, "good", False),
            "delegate": (self.answer(signer=delegate, sent=[delegate]),
                         "good", False),
            "revoked": (self.answer(status="revoked"), "revoked", True),
            "unknown": (self.answer(status="unknown"), "unknown", True),
            "expired-revoked": (self.answer(status="revoked", begin=-90000,
                                            end=-86400), "revoked", True),
            "missing": (None, "none", False),
            "expired": (self.answer(begin=-90000, end=-86400), "unusable",
                        False),
            "future": (self.answer(begin=7200), "unusable", False),
            "signer": (self.answer(signer=self.stranger), "unusable", False),
            "usage": (self.answer(signer=pretender, sent=[pretender]),
                      "unusable", False),
            "other-ca": (self.answer(signer=self.foreigner,
                                     sent=[self.foreigner]),
                         "unusable", False),
            "itself": (self.answer(signer=self.leaf, sent=[self.leaf]),
                       "unusable", False),
            "serial": (self.answer(about=self.sibling), "unusable", False),
            "error": (self.answer(response=3), "unusable", False),
            "inside": (wrapped(b"no answer"), "unusable", False),
            "half-inside": (wrapped(good[29:150]), "unusable", False),
            "half": (good[:150], "unusable", False),
            "all-but-one": (good[:-1], "unusable", False),
            "one-more": (good + b"\0", "unusable", False),
            "garbage": (b"<html>no answer</html>", "unusable", False),
        }

    def server(self, name, answered):
        """s_server with that answer, or, with what that would not staple,
        one that does the same; its port."""
        if name in ("half", "all-but-one", "one-more", "garbage"):
            return self.t.server(reverse, tls=staple(
                server_context(self.leaf), answered)).port
        port = self.t.port()
        more = []
        if answered is not None:
            more = ["-status_file", self.t.write(name + ".der", answered)]
        peer = self.t.start(
            name, "openssl", "s_server", "-accept", "127.0.0.1:%d" % port,
            "-cert", self.leaf.cert, "-key", self.leaf.key, "-rev", *more)
        wait_for(lambda: "ACCEPT" in peer.text(), name + " listens")
        return port

    def connect(self, address, version, **ocsp):
        return {"address": address, "tls": {
            "versions": [version], "verify": {
                "ca": self.root.cert, "name": "localhost", "ocsp": ocsp}}}


def reverses(d, service):
    """Does the client get its answer? What it gets else is nothing at all."""
    with d.plain(service) as stream:
        try:
            stream.send(b"abc\n")
            data = stream.recv(100)
        except (Ended, OSError):
            return False
        assert data in (b"", b"cba\n"), data
        return data != b""


def test_a_certificate_that_demands_its_staple(t):
    """RFC 7633: what its owner has asked its CA for counts, unless nobody is to
    be asked for staples."""
    world = World(t)
    world.leaf = t.pki.leaf("localhost", "127.0.0.1", issuer=world.root,
                            more=["tlsfeature=status_request"])
    ports = {"with": world.server("with", world.answer()),
             "without": world.server("without", None)}
    services = {
        "%s_%s_%s" % (kind, version, mode): {
            "accept": {}, "connect": world.connect(
                "127.0.0.1:%d" % port, version, staple=mode)}
        for kind, port in ports.items() for version in VERSIONS
        for mode in ("off", "try")}
    d = t.daemon(services)
    for name in services:
        kind, _, mode = name.split("_")
        admitted = kind == "with" or mode == "off"
        assert reverses(d, name) == admitted, name
        record = d.wait_access(service=name)
        assert admitted or record["reason"] == "backend_cert_rejected", record


@limit(240)
def parity_P33_staples_of_openssl_servers(t):
    """Every kind of answer under each setting, TLS 1.2 and 1.3. A client whose
    backend is refused gets no byte, and the backend gets no more than an
    alert."""
    world = World(t)
    answers = world.answers()
    hops = {kind: Hop(t, world.server(kind, answered))
            for kind, (answered, _, _) in answers.items()}
    services = {}
    for kind, hop in hops.items():
        for version in VERSIONS:
            for mode in "off", "try", "must":
                services["%s_%s_%s" % (kind, version, mode)] = {
                    "accept": {}, "connect": world.connect(
                        hop.address, version, staple=mode)}
    services["default"] = {"accept": {}, "connect": world.connect(
        hops["revoked"].address, "TLSv1.3")}
    d = t.daemon(services)
    for name in services:
        if name == "default":
            kind, mode = "revoked", "try"
        else:
            kind, version, mode = name.split("_")
        _, word, is_final = answers[kind]
        admitted = mode == "off" or not (
            is_final or (mode == "must" and word != "good"))
        before = len(hops[kind].sent)
        assert reverses(d, name) == admitted, name
        record = d.wait_access(service=name)
        if admitted:
            assert record["reason"] in ("done", "client_closed"), record
            said = None if mode == "off" else word
            assert record["backend_tls"].get("ocsp") == said, (name, record)
            continue
        expected = ("backend_revoked" if word == "revoked"
                    else "backend_cert_rejected")
        assert record["reason"] == expected, (name, record)
        assert record["bytes_in"] == record["bytes_out"] == 0, record
        assert len(hops[kind].sent) == before + 1, name
        records = hops[kind].sent[-1].records()
        assert all(length <= ALERT_MAX for _, length in records), (
            name, records)


@limit(120)
def parity_P33_as_perl_decides(t):
    """IO::Socket::SSL at the same servers, in the same modes, decides the
    same. (An expired answer is enough for its MUST_STAPLE, and not for
    ours.)"""
    perl = t.need("perl")
    if t.run(perl, "-MIO::Socket::SSL", "-e", "1").status != 0:
        t.skip("there is no IO::Socket::SSL")
    world = World(t)
    answers = world.answers()
    kinds = ("good", "delegate", "revoked", "unknown", "missing", "signer",
             "usage", "error")
    modes = {"off": "NO", "try": "TRY", "must": "MUST"}
    ports = {kind: world.server(kind, answers[kind][0]) for kind in kinds}
    d = t.daemon({"%s_%s" % (kind, mode): {
        "accept": {}, "connect": world.connect(
            "127.0.0.1:%d" % ports[kind], "TLSv1.3", staple=mode)}
        for kind in kinds for mode in modes})
    for kind in kinds:
        for mode, word in modes.items():
            theirs = t.run(perl, "-MIO::Socket::SSL", "-e", """
                my $s = IO::Socket::SSL->new(PeerAddr => "127.0.0.1:%d",
                    SSL_verifycn_name => "localhost", SSL_ca_file => "%s",
                    SSL_ocsp_mode => SSL_OCSP_%s_STAPLE);
                print $s ? "in" : "out: $SSL_ERROR";
                """ % (ports[kind], world.root.cert, word)).out
            ours = reverses(d, "%s_%s" % (kind, mode))
            assert theirs.startswith("in") == ours, (kind, mode, theirs)


NGINX = """\
    ssl_certificate %(cert)s;
    ssl_certificate_key %(key)s;
    ssl_protocols TLSv1.2 TLSv1.3;
    %(servers)s"""

NGINX_SERVER = """
    server {
        listen 127.0.0.1:%d ssl;
        %s
        location / { return 200 "hello"; }
    }
"""


@limit(120)
def parity_P33_nginx_staples(t):
    """nginx with ssl_stapling_file, and without."""
    world = World(t)
    answers = world.answers()
    ports = {kind: t.port() for kind in ("good", "revoked", "missing")}
    servers = ""
    for kind, port in ports.items():
        answered = answers[kind][0]
        lines = ""
        if answered:
            lines = "ssl_stapling on; ssl_stapling_file %s;" % t.write(
                kind + ".der", answered)
        servers += NGINX_SERVER % (port, lines)
    start_nginx(t, NGINX % {
        "cert": world.leaf.cert, "key": world.leaf.key, "servers": servers,
    }, ports.values())
    d = t.daemon({"%s_%s_%s" % (kind, version, mode): {
        "accept": {}, "connect": world.connect(
            "127.0.0.1:%d" % port, version, staple=mode)}
        for kind, port in ports.items() for version in VERSIONS
        for mode in ("try", "must")})
    for kind in ports:
        for version in VERSIONS:
            for mode in "try", "must":
                name = "%s_%s_%s" % (kind, version, mode)
                got = b""
                with d.plain(name) as stream:
                    try:
                        stream.send(b"GET / HTTP/1.0\r\n\r\n")
                        got = stream.read_all()[0]
                    except (Ended, OSError):
                        pass
                admitted = kind == "good" or (kind, mode) == ("missing",
                                                              "try")
                assert got.endswith(b"hello") == admitted, (name, got)
                assert admitted or got == b"", (name, got)
                reason = d.wait_access(service=name)["reason"]
                assert (reason == "backend_revoked") == (kind == "revoked")


def parity_P37_the_verdict_goes_to_who_decides(t):
    """The authorizer of backends is told what the staple came to, and may want
    more than we do; the record has it, too."""
    world = World(t)
    answers = world.answers()
    authorizer = Authorizer(t, lambda question: (
        b'{"allow":true}\n' if question["gate"] == "accept" or
        question["verify"].get("ocsp") == "good" else
        b'{"allow":false,"reason":"not good"}\n'))
    kinds = ("good", "missing", "expired")
    d = t.daemon({kind: {
        "accept": {}, "connect": world.connect(
            "127.0.0.1:%d" % world.server(kind, answers[kind][0]),
            "TLSv1.3"),
        "authorize": {"socket": authorizer.socket, "backend": True}}
        for kind in kinds})
    for kind in kinds:
        assert reverses(d, kind) == (kind == "good"), kind
        record = d.wait_access(service=kind)
        asked = [q["verify"] for q in authorizer.questions
                 if q["gate"] == "connect" and q["service"] == kind]
        assert asked[0]["ocsp"] == answers[kind][1], asked
        assert asked[0]["result"] == "ok", asked
        assert ("ocsp_detail" in asked[0]) == (kind != "good"), asked
        assert (record["reason"] == "authorize_denied") == (kind != "good")
        assert record["backend_tls"]["ocsp"] == answers[kind][1], record
    assert "expired on" in asked[0]["ocsp_detail"], asked


@limit(60)
def parity_P33_resumed_sessions_keep_the_verdict(t):
    """A resumed handshake brings no staple: what the first one was worth counts,
    as long as it holds, and where it was too little there is no session."""
    world = World(t)
    soon = world.answer(begin=-3600, end=200)
    clock = t.clock()
    for version in VERSIONS:
        port = world.server(version, soon)
        d = t.daemon({"must": {"accept": {}, "connect": world.connect(
            "127.0.0.1:%d" % port, version, staple="must")}},
            name=version, globals={"workers": 1}, clock=clock)

        def visit(count):
            assert reverses(d, "must")
            tls = d.wait_access(count)["backend_tls"]
            assert tls["ocsp"] == "good", tls
            return tls["resumed"]

        assert not visit(1)
        assert visit(2)
        # The answer has ended, give or take the skew of clocks: a full
        # handshake, for which the same answer is just good enough.
        clock.move(300)
        assert not visit(3)
        clock.set(0)


def test_a_large_staple(t):
    """As much as there is room for is judged, on the small stack of a
    handshake; TLS 1.2 has no message for it."""
    world = World(t)
    one = statement(world.leaf, world.root)
    many = answer(t, *[one] * 500, signer=world.root)
    assert 32768 < len(many) <= 65536, len(many)
    port = world.server("many", many)
    d = t.daemon({version: {"accept": {}, "connect": world.connect(
        "127.0.0.1:%d" % port, version)} for version in VERSIONS})
    assert reverses(d, "TLSv1.3")
    record = d.wait_access(service="TLSv1.3")
    assert record["backend_tls"]["ocsp"] == "good", record
    assert not reverses(d, "TLSv1.2")
    record = d.wait_access(service="TLSv1.2")
    assert record["reason"] == "backend_handshake_failed", record


@limit(60)
def parity_P33_gnutls_staples(t):
    """gnutls-serv, with a good answer and with none that is."""
    program = t.need("gnutls-serv")
    world = World(t)
    answers = world.answers()
    kinds = ("good", "revoked", "missing")
    ports = {kind: t.port() for kind in kinds}
    for kind, port in ports.items():
        answered = answers[kind][0]
        more = []
        if answered:
            more = ["--ignore-ocsp-response-errors", "--ocsp-response",
                    t.write(kind + ".der", answered)]
        t.start("gnutls-" + kind, program, "--echo", "--port", str(port),
                "--x509certfile", world.leaf.cert, "--x509keyfile",
                world.leaf.key, *more)
        t.wait_open(port, "gnutls-serv")
    d = t.daemon({"%s_%s_%s" % (kind, version, mode): {
        "accept": {}, "connect": world.connect(
            "127.0.0.1:%d" % port, version, staple=mode)}
        for kind, port in ports.items() for version in VERSIONS
        for mode in ("try", "must")})
    for kind in kinds:
        for version in VERSIONS:
            for mode in "try", "must":
                name = "%s_%s_%s" % (kind, version, mode)
                got = b""
                with d.plain(name) as stream:
                    try:
                        stream.send(b"hello\n")
                        got = stream.recv(100)
                    except (Ended, OSError):
                        pass
                admitted = kind == "good" or (kind, mode) == ("missing",
                                                              "try")
                assert (got == b"hello\n") == admitted, (name, got)
                assert admitted or got == b"", (name, got)
                reason = d.wait_access(service=name)["reason"]
                assert (reason == "backend_revoked") == (kind == "revoked")


def test_settings_without_effect(t):
    """What nobody would look at is refused, and what can be is taken."""
    root = t.pki.root().cert
    cases = (
        ({"fail": "hard"}, "fail: no responder is asked"),
        ({"nonce": True}, "nonce: no responder is asked"),
        ({"fail": "hard", "nonce": True, "check": "leaf"}, None),
        ({"staple": "maybe"}, "off, try or must"),
        ({"check": "all"}, "off, leaf or chain"),
        ({"staple": "must", "check": "chain", "cache": 0}, None),
        ({"check": "leaf", "http_proxy": "https://p.test:1"}, "HOST:PORT"),
        ({"check": "leaf", "http_proxy": "u:secret@p.test:1"}, "HOST:PORT"),
        ({"check": "leaf", "http_proxy": "p.test:99999"}, "HOST:PORT"),
        ({"check": "leaf", "http_proxy": "p.test"}, "HOST:PORT"),
        ({"check": "leaf", "http_proxy": "http://"}, "HOST:PORT"),
        ({"check": "leaf", "http_proxy": "http://p.test:3128/"}, None),
        ({"check": "leaf", "http_proxy": "p.test:3128"}, None),
        ({"check": "leaf", "http_proxy": "[2001:db8::1]:3128"}, None),
    )
    for number, (ocsp, words) in enumerate(cases):
        t.check = t.write("case%d.yaml" % number, """
services:
  s:
    accept: {address: "127.0.0.1:1"}
    connect:
      address: "localhost:2"
      tls: {verify: {ca: "%s", ocsp: %s}}
""" % (root, json.dumps(ocsp)))
        said = t.command("check", "-c", t.check).expect(2 if words else 0)
        assert words is None or words in said.err, (ocsp, said.err)
        assert "secret" not in said.err, said.err
