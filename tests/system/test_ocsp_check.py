# SPDX-License-Identifier: BSD-2-Clause
"""Responders are asked about peers, on both gates, before anything of the
other side is touched. Whatever they do costs nobody else anything."""

import os
import signal
import ssl
import threading
import time

from harness import limit, wait_for
from nameserver import NameServer
from ocsp import Responder, answer, names_responder, statement
from pki import Pki
from responder import HttpServer, Proxy, elsewhere, reply
from streams import Ended, Tls, client_context, echo, server_context
from test_authorize import Authorizer
from test_ocsp_staples import Hop

VERSIONS = ("TLSv1.2", "TLSv1.3")


class World:
    """A root, an intermediate, and certificates that name a responder."""

    def __init__(self, t):
        self.t = t
        self.root = t.pki.root("asked about")
        self.http = HttpServer(t)
        self.sibling = t.pki.leaf("sibling.client", issuer=self.root,
                                  usage="both")

    def inner(self, url):
        return self.t.pki.intermediate(
            "asked %d" % self.t.port(), issuer=self.root,
            more=names_responder(url))

    def client(self, name, url, issuer=None):
        return self.t.pki.leaf(name, issuer=issuer or self.root,
                               usage="both", more=names_responder(url))

    def answer(self, client, nonce=None, **options):
        return answer(self.t, statement(client, **options), signer=self.root,
                      nonce=nonce)

    def at(self, path, answered=None, **options):
        """A client whose responder is the server at that path; answered is
        what it is told: a status, or bytes as they are, or what a function
        makes of this and the client."""
        client = self.client("client%s" % path.replace("/", "."),
                             self.http.url(path))
        if isinstance(answered, str):
            answered = reply(self.answer(client, status=answered, **options))
        elif callable(answered):
            answered = answered(self, client)
        self.http.answers[path] = answered
        return client

    def of_openssl(self, name, **options):
        """A client whose responder is openssl's and calls it good; options
        are Responder's."""
        port = self.t.port()
        client = self.client(name, "http://127.0.0.1:%d/" % port)
        Responder(self.t, self.root, {client: "good"}, port=port,
                  name="of-" + name, **options)
        return client

    def gate(self, **ocsp):
        return self.t.gate(verify={"mode": "required", "ca": self.root.cert,
                                   "ocsp": {"check": "leaf", **ocsp}})


def is_let_in(d, service, certificate=None, version=None):
    """Does the client get an echo?"""
    try:
        with d.tls(service, versions=version,
                   certificate=certificate) as stream:
            stream.expect_echo()
    except (Ended, ssl.SSLError, AssertionError):
        return False
    return True


def gets_its_echo(d, service):
    """Does a client of the plain service?"""
    try:
        with d.plain(service) as stream:
            stream.expect_echo()
    except (Ended, AssertionError):
        return False
    return True


def at_once(**calls):
    """What each of them returns, called on a thread of its own."""
    outcomes = {}
    threads = [threading.Thread(target=lambda name=name, call=call: (
        outcomes.__setitem__(name, call()))) for name, call in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(calls), outcomes
    return outcomes


@limit(240)
def parity_P34_leaf_and_chain_by_real_responders(t):
    """openssl's responders, one for each CA: good, revoked, unknown; leaf and
    chain, soft and hard, TLS 1.2 and 1.3. Who is refused has not cost the
    backend a connection (CVE-2026-28755), nor the authorizer a question."""
    world = World(t)
    ports = [t.port(), t.port()]
    urls = ["http://127.0.0.1:%d/" % port for port in ports]
    inner, bad_inner = world.inner(urls[0]), world.inner(urls[0])
    good, bad, unknown = [world.client(name, urls[1], issuer=inner)
                          for name in ("good.ocsp", "bad.ocsp", "new.ocsp")]
    below = world.client("below.ocsp", urls[1], issuer=bad_inner)
    Responder(t, world.root, {inner: "good", bad_inner: "revoked"},
              port=ports[0], name="of-root")
    Responder(t, inner, {good: "good", bad: "revoked"}, port=ports[1],
              name="of-inner")
    backend = t.server(echo)
    authorizer = Authorizer(t)
    d = t.daemon({"%s-%s" % (check, fail): {
        "accept": world.gate(check=check, fail=fail),
        "connect": backend.address,
        "authorize": {"socket": authorizer.socket},
    } for check in ("leaf", "chain") for fail in ("soft", "hard")})
    # (who, check): soft, hard
    expected = {
        (good, "leaf"): (True, True), (good, "chain"): (True, True),
        (bad, "leaf"): (False, False), (bad, "chain"): (False, False),
        (unknown, "leaf"): (False, False), (unknown, "chain"): (False, False),
        # Its own responder knows nothing of it.
        (below, "leaf"): (True, False), (below, "chain"): (False, False),
    }
    for (who, check), outcomes in expected.items():
        for fail, outcome in zip(("soft", "hard"), outcomes):
            for version in VERSIONS:
                service = "%s-%s" % (check, fail)
                before = len(backend.contacts), len(authorizer.questions)
                got = is_let_in(d, service, who, version)
                assert got == outcome, (service, who.path(""), version, got)
                after = len(backend.contacts), len(authorizer.questions)
                grown = 1 if outcome else 0
                assert after == (before[0] + grown, before[1] + grown), (
                    service, who.path(""), version)
    count = sum(not out for pair in expected.values() for out in pair)
    d.wait_access(count=count * len(VERSIONS), reason="client_cert_rejected")
    records = d.access(reason="client_cert_rejected")
    assert any("revoked" in r["detail"] for r in records), records
    assert all(r.get("ocsp") for r in records), records
    assert d.access(ocsp="good", reason="done")
    assert {q["verify"]["ocsp"] for q in authorizer.questions} >= {
        "good", "unusable"}


@limit(120)
def parity_P34_backends(t):
    """The connect gate: a backend that its CA's responder calls revoked gets
    no byte, and the next address is tried. A responder that is silent has half
    of the connect limit, so that there is time for that."""
    world = World(t)
    url = world.http.url
    certificates = {name: world.client("web.test", url("/" + name))
                    for name in ("good", "revoked", "unknown")}
    for name, certificate in certificates.items():
        world.http.answers["/" + name] = reply(answer(
            t, statement(certificate, status=name), signer=world.root))
    certificates["silent"] = world.client("web.test", url("/silent"))
    world.http.answers["/silent"] = None
    backends = {name: t.server(echo, tls=server_context(certificate))
                for name, certificate in certificates.items()}
    limit_ms = int(4000 * t.patience)

    def service(*names, **ocsp):
        return {"timeouts": {"connect": "%dms" % limit_ms},
                "accept": {}, "connect": {
            "address": [backends[name].address for name in names],
            "tls": {"verify": {"ca": world.root.cert, "name": "web.test",
                               "ocsp": {"staple": "off", "check": "leaf",
                                        **ocsp}}}}}

    d = t.daemon({
        "good": service("good", fail="hard"),
        "revoked": service("revoked"),
        "unknown": service("unknown"),
        "next": service("revoked", "good"),
        "silent-soft": service("silent"),
        "silent-hard": service("silent", fail="hard"),
        "silent-next": service("silent", "good", fail="hard"),
    })
    outcomes = at_once(**{name: lambda name=name: gets_its_echo(d, name)
                          for name in d.addresses})
    assert {name for name, is_open in outcomes.items() if is_open} == {
        "good", "next", "silent-soft", "silent-next"}, outcomes
    record = d.wait_access(service="silent-soft")
    assert record["backend_tls"]["ocsp"] == "unusable", record
    assert record["connect_ms"] >= limit_ms // 4, record
    record = d.wait_access(service="silent-hard")
    assert record["reason"] == "backend_cert_rejected", record
    assert "no answer came in time" in record["detail"], record
    record = d.wait_access(service="silent-next")
    assert record["backend_tls"]["ocsp"] == "good", record
    record = d.wait_access(service="revoked")
    assert record["reason"] == "backend_revoked", record
    assert "revoked" in record["detail"], record
    assert record["backend_tls"]["ocsp"] == "revoked", record
    record = d.wait_access(service="unknown")
    assert record["reason"] == "backend_cert_rejected", record
    assert record["backend_tls"]["ocsp"] == "unknown", record
    record = d.wait_access(service="good")
    assert record["backend_tls"]["ocsp"] == "good", record
    assert not any(contact.received for contact
                   in backends["revoked"].contacts)


class Late(Tls):
    """A client that keeps the last flight of its handshake back."""

    def __init__(self, t, port, delay, **options):
        super().__init__(t.connect(port).socket, client_context(**options),
                         False, "web.test")
        self.delay = delay
        self.flights = 0

    def _flush(self):
        if self._out.pending:
            self.flights += 1
            if self.flights == 2:
                time.sleep(self.delay)
        super()._flush()


@limit(180)
def test_no_revoked_peer_gets_in_by_being_slow(t):
    """What a peer leaves of the limits is not what its responder has."""
    world = World(t)
    limit_s = 3 * t.patience
    client = world.client("web.test", world.http.url("/takes-time"))
    world.http.answers["/takes-time"] = [0.3 * limit_s, reply(
        world.answer(client, status="revoked"))]
    backend = t.server(echo)
    revoked = t.server(echo, tls=server_context(client))
    hop = Hop(t, revoked.port, delay=0.8 * limit_s)
    milliseconds = "%dms" % (1000 * limit_s)
    services = {version: {
        "accept": world.gate(nonce=True), "connect": backend.address,
        "timeouts": {"handshake": milliseconds}} for version in VERSIONS}
    services["out"] = {
        "accept": {}, "timeouts": {"connect": milliseconds},
        "connect": {"address": hop.address, "tls": {"verify": {
            "ca": world.root.cert, "name": "web.test", "ocsp": {
                "staple": "off", "check": "leaf", "nonce": True}}}}}
    d = t.daemon(services)

    def gets_in(service):
        if service == "out":
            return gets_its_echo(d, service)
        try:
            with Late(t, d.port(service), 0.8 * limit_s, versions=service,
                      certificate=client).handshake() as stream:
                stream.expect_echo()
        except (Ended, ssl.SSLError, AssertionError):
            return False
        return True

    def outcome(service):
        # A busy machine may have made it later than it was to be.
        for count in range(1, 5):
            assert not gets_in(service), service
            record = d.wait_access(count, service=service)
            if not record["reason"].endswith("_timeout"):
                break
        return record.get("backend_tls", record).get("ocsp")

    outcomes = at_once(**{service: lambda service=service: outcome(service)
                          for service in services})
    assert set(outcomes.values()) == {"revoked"}, outcomes
    assert not backend.contacts and not any(
        contact.received for contact in revoked.contacts)


FAILURES = {
    "/500": lambda *_: reply(b"no", "500 Internal Server Error"),
    "/garbage": lambda *_: b"\x30\x03\x0a\x01\x06\r\n\r\n",
    "/no-der": lambda *_: reply(b"<html>hello</html>"),
    "/empty": lambda *_: reply(b""),
    "/hangs-up": lambda *_: b"",
    "/large": lambda *_: reply(b"x" * 10485760),
    "/endless": lambda *_: [b"HTTP/1.1 200 OK\r\n\r\n"] + [b"x" * 65536] * 400,
    "/headers": lambda *_: [b"HTTP/1.1 200 OK\r\n"] + [
        b"X: " + b"y" * 8000 + b"\r\n"] * 2000,
    "/loop": lambda w, _: elsewhere(w.http.url("/loop")),
    "/https": lambda w, _: elsewhere("https://127.0.0.1:%d/" % w.http.port),
    "/file": lambda *_: elsewhere("file:///etc/passwd"),
    "/silent": lambda *_: None,
    "/drip": lambda *_: [b"HTTP/1.1 200 OK\r\n\r\n"] + [b"x", 0.2] * 100,
    "/later": lambda *_: reply(b"\x30\x03\x0a\x01\x03"),
    "/serial": lambda w, _: reply(w.answer(w.sibling)),
    "/half": lambda w, client: reply(w.answer(client)[:120]),
    "/all-but-one": lambda w, client: reply(w.answer(client)[:-1]),
    "/cut-off": lambda w, client: reply(w.answer(client))[:-40],
    "/one-more": lambda w, client: reply(w.answer(client) + b"\0"),
}


# What the record has to say of some of these, and of those that follow.
WORDS = {
    "/silent": "no answer came in time",
    "/drip": "no answer came in time",
    "/serial": "about another certificate",
    "/cut-off": "in the middle of the answer",
    "expired": "expired on",
    "not-yet-valid": "not valid before",
    "other-signer": "not from the issuer",
    "namesake": "not from the issuer",
    "other-delegate": "not from the issuer",
    "no-usage": "lacks OCSPSigning",
    "any-usage": "lacks OCSPSigning",
}


def openssl_that_proves_nothing(t, world):
    """Clients whose responders are openssl's: each calls its client good, but
    at another time, or it is not the one to say so."""
    clocks = {}
    for name, days in (("past", -2), ("future", 2)):
        clocks[name] = t.clock(name)
        clocks[name].set(days * 86400)
    stranger = t.pki.root("ocsp stranger")
    options = {
        "expired": {"clock": clocks["past"]},
        "not-yet-valid": {"clock": clocks["future"]},
        "other-signer": {"signer": stranger},
        "namesake": {"signer": Pki(t.path("namesakes")).root("asked about")},
        "other-delegate": {"signer": t.pki.leaf(
            "other delegate", issuer=stranger, usage="ocsp")},
        "no-usage": {"signer": t.pki.leaf(
            "no delegate", issuer=world.root, usage="both")},
        "any-usage": {"signer": t.pki.leaf(
            "any delegate", issuer=world.root, usage="any")},
    }
    return {name: world.of_openssl(name, **option)
            for name, option in options.items()}


@limit(240)
def parity_P34_fail_soft_and_hard(t):
    """Whatever a responder does that is no answer, or one that proves nothing,
    ends in time, lets in where that is wanted, refuses where it is not, is
    never taken for good, and is not asked for again."""
    world = World(t)
    clients = {path: world.at(path, make) for path, make in FAILURES.items()}
    clients.update(openssl_that_proves_nothing(t, world))
    clients["refused"] = world.client(
        "refused.client", "http://127.0.0.1:%d/" % t.port())
    clients["no-name"] = world.client(
        "no-name.client", "http://responder.invalid/")
    clients["no-responder"] = t.pki.leaf("none.client", issuer=world.root,
                                         usage="client")
    clients["ldap"] = world.client("ldap.client", "ldap://127.0.0.1/")
    names = NameServer(t, {})
    backend = t.server(echo)
    d = t.daemon({
        fail: {"accept": world.gate(fail=fail), "connect": backend.address,
               "timeouts": {"handshake": "3s"}}
        for fail in ("soft", "hard")},
        globals={"resolver": {"servers": [names.address],
                              "timeout": "1s"}})
    helpers = d.role("helper")
    outcomes = {}

    def attempt(name, client):
        for fail in ("soft", "hard", "soft"):
            outcomes[name, fail] = is_let_in(d, fail, client)

    # A delegate that has the right is one of openssl's, too.
    has_right = world.of_openssl("delegate", signer=t.pki.leaf(
        "delegate", issuer=world.root, usage="ocsp"))
    assert is_let_in(d, "hard", has_right)
    assert d.wait_access(service="hard")["ocsp"] == "good"

    threads = [threading.Thread(target=attempt, args=item)
               for item in clients.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wrong = {key: got for key, got in outcomes.items()
             if got != (key[1] == "soft")}
    assert not wrong and len(outcomes) == 2 * len(clients), (wrong, outcomes)
    for path in FAILURES:
        # A GET to begin with: what is behind its path is lost at once.
        most = 2 if path == "/loop" else 1
        assert len(world.http.asked(path)) == most, path
    # Nobody else was asked because of a redirection.
    assert world.http.visits == len(FAILURES) + 1
    assert d.role("helper") == helpers
    # Each is one of those whom nobody has called good, and in time.
    d.wait_access(3 * len(clients), ocsp="unusable")
    assert len(d.access()) == 1 + 3 * len(clients)
    refused = {record["client_cert"]["fingerprint"]: record
               for record in d.access(ocsp="unusable", service="hard")}
    for name, client in clients.items():
        record = refused["sha256$" + client.digest()]
        assert record["reason"] == "client_cert_rejected", record
        assert WORDS.get(name, "") in record["detail"], (name, record)
        # Without the handshake's limit, who is silent has ten seconds.
        assert record["duration_ms"] < 7000, record


@limit(120)
def parity_P35_requests(t):
    """POST and GET, a nonce, redirections, a proxy, several certificates in
    one request."""
    world = World(t)
    http = world.http
    plain, nonce, proxied = [world.at("/" + name, "good")
                             for name in ("plain", "nonce", "proxied")]
    # What was found elsewhere counts.
    moved = world.at("/moved", "good")
    http.answers["/new"] = http.answers["/moved"]
    http.answers["/moved"] = elsewhere(http.url("/new"))
    # Whoever says what was asked for, and who repeats what he said before.
    fresh = world.of_openssl("fresh.client")
    stale = world.at("/stale", lambda w, client: reply(w.answer(
        client, nonce=bytes(32))))
    # Only by the proxy can this be asked.
    far = world.client("far.client", "http://responder.invalid/far")
    http.answers["/far"] = reply(answer(
        t, statement(far), signer=world.root))
    proxy = Proxy(t, http.port)
    backend = t.server(echo)
    hard = {"fail": "hard"}
    d = t.daemon({name: {"accept": world.gate(**{**hard, **ocsp}),
                         "connect": backend.address}
                  for name, ocsp in {
                      "plain": {}, "nonce": {"nonce": True},
                      "proxy": {"http_proxy": proxy.url()},
                  }.items()})
    assert is_let_in(d, "plain", plain)
    assert [r.method for r in http.asked("/plain")] == ["GET"]
    assert is_let_in(d, "plain", moved)
    # An answer without the nonce is none.
    assert not is_let_in(d, "nonce", nonce)
    assert not is_let_in(d, "nonce", stale)
    assert [r.method for r in http.asked("/nonce") + http.asked("/stale")] == [
        "POST", "POST"]
    for record in d.access(service="nonce"):
        assert "lacks the nonce" in record["detail"], record
    assert is_let_in(d, "nonce", fresh)
    assert d.wait_access(service="nonce", reason="done")["ocsp"] == "good"
    assert is_let_in(d, "proxy", proxied)
    assert is_let_in(d, "proxy", far)
    assert [r.target.split("/")[2] for r in proxy.requests] == [
        "127.0.0.1:%d" % http.port, "responder.invalid"]


@limit(120)
def parity_P35_several_at_once(t):
    """A chain whose certificates have one responder is asked about in one
    request; what that leaves open, one by one."""
    world = World(t)
    url = world.http.url("/both")
    inner = world.inner(url)
    client = world.client("several.client", url, issuer=inner)
    of_client = answer(t, statement(client), signer=inner)
    of_inner = answer(t, statement(inner), signer=world.root)
    sizes = []

    def behave(request):
        sizes.append(request.certificates())
        about_inner = request.certificates() == 1 and len(sizes) > 1
        return reply(of_inner if about_inner else of_client)

    world.http.behave = behave
    backend = t.server(echo)
    d = t.daemon({"chain": {
        "accept": world.gate(check="chain", fail="hard"),
        "connect": backend.address}})
    assert is_let_in(d, "chain", client)
    assert sizes == [2, 1], sizes
    # Both are known from now on.
    assert is_let_in(d, "chain", client)
    assert sizes == [2, 1], sizes


@limit(120)
def parity_P36_one_cache(t):
    """One request for all workers, services and gates, until nextUpdate; and
    one in a minute for what fails. The backend has the client's certificate,
    and no session is resumed."""
    world = World(t)
    peers = {name: world.at("/" + name, answered, **options)
             for name, answered, options in (
                 ("good", "good", {"end": 7200}),
                 ("failing", reply(b"", "503 No"), {}))}
    backend = t.server(echo)
    clock = t.clock()
    d = t.daemon({"one": {"accept": world.gate(),
                          "connect": backend.address},
                  "two": {"accept": world.gate(),
                          "connect": backend.address},
                  **{name: {"accept": {}, "connect": {
                      "address": t.server(
                          echo, tls=server_context(peer)).address,
                      "tls": {"session": "off", "verify": {
                          "ca": world.root.cert, "name": "client." + name,
                          "ocsp": {"staple": "off", "check": "leaf"}}}}}
                     for name, peer in peers.items()}},
                 globals={"workers": 3}, clock=clock)

    def ask_all(name):
        outcomes = at_once(
            **{"%s%d" % (gate, number): (
                lambda gate=gate: is_let_in(d, gate, peers[name]))
               for gate in ("one", "two") for number in range(6)},
            **{"backend%d" % number: lambda: gets_its_echo(d, name)
               for number in range(6)})
        assert all(outcomes.values()), outcomes
        return len(world.http.asked("/" + name))

    assert ask_all("good") == 1
    clock.move(3600)
    assert ask_all("good") == 1
    clock.move(4000)
    world.http.answers["/good"] = reply(world.answer(peers["good"]))
    assert gets_its_echo(d, "good")
    assert len(world.http.asked("/good")) == 2
    assert ask_all("failing") == 1
    assert ask_all("failing") == 1
    clock.move(61)
    assert ask_all("failing") == 2
    for name, word in (("good", "good"), ("failing", "unusable")):
        for record in d.access(service=name):
            assert record["backend_tls"]["ocsp"] == word, record
            assert not record["backend_tls"]["resumed"], record


@limit(120)
def test_responders_that_hang_keep_nobody_waiting(t):
    """While a hundred clients wait for a responder that never answers,
    others shake hands, ask other responders and relay."""
    world = World(t)
    stuck, good = world.at("/stuck", None), world.at("/good", "good")
    backend = t.server(echo)
    d = t.daemon({
        "asking": {"accept": world.gate(fail="hard"),
                   "connect": backend.address,
                   "timeouts": {"handshake": "20s"}},
        "other": {"accept": t.gate(), "connect": backend.address},
    }, globals={"workers": 1})
    relay = d.tls("other")
    relay.expect_echo()
    waiting = [d.tls("asking", certificate=stuck) for _ in range(100)]
    wait_for(lambda: world.http.asked("/stuck"), "the responder is asked")
    contacts = len(backend.contacts)
    begun = time.monotonic()
    for _ in range(20):
        relay.expect_echo(os.urandom(100000))
    assert is_let_in(d, "other")
    assert is_let_in(d, "asking", good)
    assert time.monotonic() - begun < 5, "somebody waited"
    assert len(backend.contacts) == contacts + 2
    assert len(world.http.asked("/stuck")) == 1
    for stream in waiting:
        stream.drop()
    wait_for(lambda: len(d.access(service="asking")) == 101, "all are gone")
    assert d.access(service="asking", reason="client_closed")


@limit(120)
def test_clients_that_go_while_somebody_is_asked(t):
    """CVE-2026-40701: gone at every moment of a slow look-up and a slow
    answer. Nothing stays behind, and what comes too late finds nobody."""
    world = World(t)
    names = NameServer(t, {"slow.test": ["127.0.0.1"]})
    names.is_silent = True
    clients = []
    for number in range(4):
        client = world.client("gone%d" % number, world.http.url(
            "/gone%d" % number, host="slow.test"))
        world.http.answers["/gone%d" % number] = [0.3, reply(answer(
            t, statement(client), signer=world.root))]
        clients.append(client)
    backend = t.server(echo)
    clock = t.clock()
    d = t.daemon({"asking": {"accept": world.gate(fail="hard"),
                             "connect": backend.address}},
                 globals={"resolver": {"servers": [names.address],
                                       "timeout": "6s"}},
                 clock=clock)
    before = d.descriptors()
    processes = d.workers() + d.role("helper")
    for number in range(40):
        stream = d.tls("asking", certificate=clients[number % 4],
                       versions=VERSIONS[number % 2])
        time.sleep(number * 0.002)
        if number % 3:
            stream.drop()
        else:
            stream.reset()
    names.is_silent = False
    for number in range(20):
        stream = d.tls("asking", certificate=clients[number % 4])
        time.sleep(number * 0.02)
        stream.drop()
    # Should the name have been given up meanwhile: until that is forgotten.
    for client in clients:
        wait_for(lambda c=client: is_let_in(d, "asking", c) or clock.move(61),
                 "an answer is there")
    assert d.workers() + d.role("helper") == processes
    wait_for(lambda: d.descriptors() == before, "nothing stays open")
    for request in world.http.requests:
        assert len(world.http.asked(request.path)) == 1, request.path


@limit(120)
def test_helper_dies_while_it_is_asked(t):
    """Its successor is asked anew, and the client is let in."""
    world = World(t)
    client = world.at("/late", None)
    backend = t.server(echo)
    d = t.daemon({"asking": {"accept": world.gate(fail="hard"),
                             "connect": backend.address,
                             "timeouts": {"handshake": "30s"}}})
    d.may_lose_children = True
    streams = [d.tls("asking", certificate=client) for _ in range(3)]
    wait_for(lambda: world.http.asked("/late"), "the responder is asked")
    world.http.answers["/late"] = reply(answer(
        t, statement(client), signer=world.root))
    os.kill(d.role("helper")[0], signal.SIGKILL)
    for stream in streams:
        stream.expect_echo()
    assert len(world.http.asked("/late")) == 2
