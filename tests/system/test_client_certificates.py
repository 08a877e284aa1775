# SPDX-License-Identifier: BSD-2-Clause
"""The accept gate and the certificates of clients: who gets in, who does not,
what a client is told, and that nobody who is refused reaches a backend."""

import hashlib
import os
import re
import ssl

from harness import cpu_seconds, limit, wait_for
from pki import read
from streams import Ended, Tls, client_context, echo, server_context

VERSIONS = ("TLSv1.2", "TLSv1.3")


def answer_http(contact):
    contact.stream.read_until(b"\r\n\r\n")
    contact.stream.send(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n"
                        b"welcome")


def gate(t, mode, **verify):
    """An accept gate that asks for certificates of the root's."""
    return t.gate(verify={"mode": mode, "ca": t.pki.root().cert, **verify})


def self_signed(t, key="p256"):
    return t.pki.root("selfish", key=key)


def ask(d, service, version, certificate, name="web.test"):
    """None when the client gets an echo, else the alert it was told."""
    context = client_context(versions=version, certificate=certificate)
    stream = None
    try:
        plain = d.plain(service)
        stream = Tls(plain.socket, context, False, name)
        stream.handshake()
        stream.expect_echo()
    except ssl.SSLError as error:
        return re.sub(r"^(SSLV3|TLSV1|TLSV13)_ALERT_", "",
                      error.reason or "none")
    except Ended as error:
        return "%s without an alert" % type(error).__name__
    finally:
        if stream:
            stream.drop()
    return None


def zoo(t):
    """Clients by what is wrong with them, and the alert that says so."""
    stranger = t.pki.root("stranger")
    return {
        "good": (t.pki.leaf("good.client", usage="client"), None),
        "chain": (t.pki.leaf("chain.client", usage="client",
                             issuer=t.pki.intermediate()), None),
        "no usage": (t.pki.leaf("any.client", usage="none"), None),
        "expired": (t.pki.leaf("old.client", usage="client", days=-3),
                    "CERTIFICATE_EXPIRED"),
        "early": (t.pki.leaf("early.client", usage="client", starts=3),
                  "BAD_CERTIFICATE"),
        "any usage": (t.pki.leaf("all.client", usage="any"),
                      "UNSUPPORTED_CERTIFICATE"),
        "stranger": (t.pki.leaf("strange.client", usage="client",
                                issuer=stranger), "UNKNOWN_CA"),
        "purpose": (t.pki.leaf("server.client", usage="server"),
                    "UNSUPPORTED_CERTIFICATE"),
        "self-signed": (self_signed(t), "UNKNOWN_CA"),
    }


@limit(180)
def parity_P20_modes_of_the_accept_gate(t):
    """Every mode with every client, TLS 1.2 and 1.3, counted at the
    backend."""
    backend = t.server(echo)
    modes = ("none", "optional", "required", "once")
    services = {mode: {"accept": gate(t, mode), "connect": backend.address}
                for mode in modes if mode != "none"}
    services["none"] = {"accept": t.gate(verify="none"),
                        "connect": backend.address}
    services["default"] = {"accept": t.gate(), "connect": backend.address}
    d = t.daemon(services)
    for version in VERSIONS:
        for mode in (*modes, "default"):
            before = len(backend.contacts)
            asks = mode not in ("none", "default")
            must = mode in ("required", "once")
            missing = ("13_ALERT_CERTIFICATE_REQUIRED"
                       if version == "TLSv1.3" else "HANDSHAKE_FAILURE")
            told = ask(d, mode, version, None)
            assert bool(told) == must, (version, mode, told)
            if must:
                assert told.endswith(missing.split("_ALERT_")[-1]), told
                d.wait_access(service=mode, reason="client_cert_required",
                              detail="no certificate came")
            admitted = int(not must)
            for label, (certificate, alert) in zoo(t).items():
                told = ask(d, mode, version, certificate)
                expected = alert if asks else None
                assert told == expected, (version, mode, label, told)
                admitted += expected is None
            assert len(backend.contacts) == before + admitted
    records = d.access(reason="client_cert_rejected")
    assert len(records) == 2 * 3 * 6, len(records)
    details = {r["detail"] for r in records}
    assert any("expired (depth 0, subject CN=old.client)" in detail
               for detail in details), details


def test_the_accept_gate_needs_a_ca(t):
    t.write("root.pem", open(t.pki.root().cert).read())
    for verify, position, words in (
            ("required", "6", r"verify\.ca has to be named"),
            ("{mode: optional}", "6", r"verify\.ca has to be named"),
            ("{mode: required, ca: none}", "6", "none"),
            ("{mode: required, ca: missing.pem}", "6", "missing.pem")):
        file = t.write("c.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls: {certificates: %s,
            verify: %s}
    connect: 127.0.0.1:2
""" % (t.pki.system().bundle, verify))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:%s:\d+: .*%s" % (position, words),
                         result.err), result


def fingerprint(certificate):
    return "sha256$" + hashlib.sha256(read(certificate.der)).hexdigest()


@limit(120)
def test_the_alert_always_arrives(t):
    """It is not overtaken by a reset, also when the client has written on,
    which in TLS 1.3 it may."""
    backend = t.server(echo)
    client = t.pki.leaf("old.client", usage="client", days=-3)
    d = t.daemon({"s": {"accept": gate(t, "required"),
                        "connect": backend.address}})
    for version in VERSIONS:
        for i in range(100):
            told = ask(d, "s", version, client)
            assert told == "CERTIFICATE_EXPIRED", (version, i, told)
    for i in range(100):
        plain = d.plain("s")
        stream = Tls(plain.socket, client_context(
            versions="TLSv1.3", certificate=client), False, "web.test")
        stream.handshake()
        told = None
        try:
            for _ in range(4):
                stream.send(b"x" * 16384)
            stream.recv()
        except ssl.SSLError as error:
            told = error.reason
        except Ended as error:
            told = error
        finally:
            stream.drop()
        assert told == "SSLV3_ALERT_CERTIFICATE_EXPIRED", (i, told)
    assert not backend.contacts


@limit(120)
def test_oversized_certificates(t):
    """Ten thousand names, a certificate of 1 MB, a chain of 100, names full
    of control bytes: refused or let in within bounds, in one escaped line."""
    backend = t.server(echo)
    many = ["n%d.test" % i for i in range(10000)]
    hostile = "evil\x1b[2J\nname"
    clients = {
        "names": t.pki.leaf(*many, usage="client"),
        "huge": t.pki.leaf(*("%s%d.test" % ("x" * 50, i)
                             for i in range(18000)), usage="client"),
        "hostile": t.pki.leaf("URI:http://a/%s" % "\\x01", usage="client",
                              subject=hostile, days=-3),
    }
    issuer = t.pki.root()
    for i in range(100):
        issuer = t.pki.intermediate("link%d" % i, issuer=issuer)
    clients["chain"] = t.pki.leaf("deep.client", issuer=issuer,
                                  usage="client")
    d = t.daemon({"s": {"accept": gate(t, "required"),
                        "connect": backend.address}})
    for version in VERSIONS:
        for label, client in clients.items():
            before = cpu(d)
            assert ask(d, "s", version, client), (version, label)
            assert cpu(d) - before < 0.5, (version, label)
    assert not backend.contacts
    good = t.pki.leaf("good.client", usage="client")
    assert ask(d, "s", "TLSv1.3", good) is None
    d.wait_access(count=9)
    for line in read(d.access_log).split(b"\n"):
        assert not re.search(rb"[\x00-\x1f]", line), line
        assert len(line) < 4096


def cpu(d):
    return sum(cpu_seconds(pid) for pid in d.workers())


def test_the_record_of_a_client(t):
    """Subject, names, fingerprint and what became of it, as JSON and text."""
    names = ["n%d.test" % i for i in range(20)]
    client = t.pki.leaf(*names, "URI:spiffe://test/a b", usage="client")
    backend = t.server(echo)
    text = t.path("text.log")
    d = t.daemon({"s": {"accept": gate(t, "required"),
                        "connect": backend.address}},
                 globals={"log": [
                     {"to": "stderr", "what": "events"},
                     {"to": "file:" + text, "what": "access",
                      "format": "text"},
                     {"to": "file:" + t.path("access.log"), "what": "access",
                      "format": "json"}]})
    assert ask(d, "s", "TLSv1.3", client) is None
    record = d.wait_access(service="s")["client_cert"]
    assert record["subject"] == "CN=n0.test"
    assert record["names"] == ["dns:" + name for name in names[:8]]
    assert record["names_total"] == 22
    assert record["fingerprint"] == fingerprint(client)
    assert record["verify"] == "ok"

    def line():
        return os.path.exists(text) and read(text).decode().strip()

    line = wait_for(line, "a record as text")
    for part in ('client_cert_subject="CN=n0.test"',
                 "client_cert_names=dns:n0.test,dns:n1.test",
                 "client_cert_fingerprint=" + fingerprint(client),
                 "client_cert_verify=ok"):
        assert part in line, (part, line)


def test_pinned_clients(t):
    """A pin outranks everything else; with `ca: none` nothing else counts."""
    backend = t.server(echo)
    old = t.pki.leaf("old.client", usage="client", days=-3)
    good = t.pki.leaf("good.client", usage="client")
    d = t.daemon({
        "beside": {"accept": gate(t, "required",
                                  fingerprints=[fingerprint(old)]),
                   "connect": backend.address},
        "alone": {"accept": t.gate(verify={
            "mode": "required", "ca": "none",
            "fingerprints": fingerprint(old)}), "connect": backend.address}})
    for version in VERSIONS:
        assert ask(d, "beside", version, old) is None
        assert ask(d, "beside", version, good) is None
        assert ask(d, "alone", version, old) is None
        before = len(backend.contacts)
        assert ask(d, "alone", version, good) == "UNKNOWN_CA"
        assert ask(d, "alone", version, None)
        assert len(backend.contacts) == before
    records = [d.wait_access(service="beside"), *d.access(service="beside")]
    assert {r["client_cert"]["verify"] for r in records} == {
        "ok", "pinned, despite: certificate has expired"}
    assert d.access(service="alone")[0]["client_cert"]["verify"] == "pinned"


def test_rules_of_admission(t):
    """Any match admits; who has none is told so, and the log says what was
    missing."""
    backend = t.server(echo)
    clients = {
        "dns": t.pki.leaf("bob.client", usage="client"),
        "uri": t.pki.leaf("x.client", "URI:spiffe://corp.test/ns/web",
                          usage="client"),
        "email": t.pki.leaf("y.client", "email:eve@corp.test",
                            usage="client"),
        "ip": t.pki.leaf("z.client", "192.0.2.7", usage="client"),
        "cn": t.pki.leaf("q.client", subject="Jane Doe", usage="client"),
    }
    stranger = t.pki.leaf("mallory.client", "URI:spiffe://corp.test/nsx/web",
                          "URI:spiffe://corp.test.evil/ns/web",
                          "192.0.3.7", usage="client")
    d = t.daemon({"s": {"accept": gate(t, "required", allow={
        "dns": ["bob.client"], "uri": ["spiffe://corp.test/ns/*"],
        "email": ["eve@corp.test"], "ip": ["192.0.2.0/24"],
        "cn": ["Jane Doe"]}), "connect": backend.address}})
    for version in VERSIONS:
        for label, client in clients.items():
            told = ask(d, "s", version, client)
            assert told is None, (version, label, told)
        before = len(backend.contacts)
        assert ask(d, "s", version, stranger) == "CERTIFICATE_UNKNOWN"
        assert len(backend.contacts) == before
    record = d.wait_access(reason="client_cert_rejected", count=2)
    for word in ("allow", "Jane Doe", "mallory.client"):
        assert word in record["detail"], record


def test_policies_by_name(t):
    """A client gets the policy of the name that it asks for, and no other
    one's."""
    backend = t.server(echo)
    stranger = t.pki.root("stranger")
    staff = t.pki.leaf("staff.client", usage="client", issuer=stranger)
    user = t.pki.leaf("user.client", usage="client")
    accept = t.gate(hosts={
        "web.test": {"verify": {"mode": "required",
                                "ca": stranger.cert}},
        "b.wild.test": {"verify": {"mode": "required",
                                   "ca": t.pki.root().cert}}})
    d = t.daemon({"s": {"accept": accept, "connect": backend.address}})
    for version in VERSIONS:
        before = len(backend.contacts)
        assert ask(d, "s", version, staff, "web.test") is None
        assert ask(d, "s", version, user, "b.wild.test") is None
        assert ask(d, "s", version, None, "localhost") is None
        assert len(backend.contacts) == before + 3
        assert ask(d, "s", version, user, "web.test") == "UNKNOWN_CA"
        assert ask(d, "s", version, staff, "b.wild.test") == "UNKNOWN_CA"
        assert ask(d, "s", version, None, "web.test")
        assert ask(d, "s", version, None, "b.wild.test")
        assert len(backend.contacts) == before + 3


def test_a_reload_changes_the_ca(t):
    """The same file with other authorities: new clients are measured by
    them."""
    backend = t.server(echo)
    stranger = t.pki.root("stranger")
    old = t.pki.leaf("user.client", usage="client")
    new = t.pki.leaf("staff.client", usage="client", issuer=stranger)
    file = t.write("ca.pem", read(t.pki.root().cert))
    d = t.daemon({"s": {"accept": t.gate(verify={
        "mode": "required", "ca": file}), "connect": backend.address}})
    assert ask(d, "s", "TLSv1.3", old) is None
    assert ask(d, "s", "TLSv1.3", new) == "UNKNOWN_CA"
    t.write("ca.pem", read(stranger.cert))
    d.reload()
    before = len(backend.contacts)
    assert ask(d, "s", "TLSv1.3", old) == "UNKNOWN_CA"
    assert len(backend.contacts) == before
    assert ask(d, "s", "TLSv1.3", new) is None


def parity_P31_advertised_names(t):
    """The subjects of `ca`, those of `advertise_ca`, or none."""
    backend = t.server(echo)
    stranger = t.pki.root("stranger")
    d = t.daemon({name: {"accept": gate(t, "optional", **more),
                         "connect": backend.address} for name, more in (
        ("default", {}), ("other", {"advertise_ca": stranger.cert}),
        ("none", {"advertise_ca": "none"}))})
    for version in ("-tls1_2", "-tls1_3"):
        for name, expected in (("default", "CN=root CA"),
                               ("other", "CN=stranger CA"), ("none", None)):
            said = t.run("openssl", "s_client", "-connect",
                         "127.0.0.1:%d" % d.port(name), version).out
            found = re.search(r"Acceptable client certificate CA names\n"
                              r"((?:.+\n)+?)(?:Client|Requested|Peer)", said)
            if expected:
                # OpenSSL 3.2 and later put no blanks there.
                assert found and found.group(1).strip().replace(
                    " = ", "=") == expected, said
            else:
                assert "No client certificate CA names sent" in said, said


@limit(120)
def parity_P30_authorities_of_clients(t):
    """Files, directories hashed or not, text, several together; a
    self-signed certificate stands for itself; an intermediate only when
    that is asked for."""
    backend = t.server(echo)
    root, stranger = t.pki.root(), t.pki.root("stranger")
    inner = t.pki.intermediate()
    client = t.pki.leaf("chain.client", usage="client", issuer=inner)
    t.write("plain/some.pem", read(root.cert))
    digest = t.run("openssl", "x509", "-noout", "-hash", "-in",
                   root.cert).expect().out.strip()
    t.write("hashed/%s.0" % digest, read(root.cert))
    cases = {
        "file": (root.cert, {}, True),
        "der": (root.der, {}, True),
        "text": (read(root.cert).decode(), {}, True),
        "several": ([stranger.cert, root.cert], {}, True),
        "plain": (t.path("plain"), {}, True),
        "hashed": (t.path("hashed"), {}, True),
        "both": ([t.path("hashed"), stranger.cert], {}, True),
        "stranger": (stranger.cert, {}, False),
        "inner": (inner.cert, {}, False),
        "partial": (inner.cert, {"partial_chain": True}, True),
        "short": (root.cert, {"depth": 0}, False),
        "long": (root.cert, {"depth": 1}, True),
    }
    d = t.daemon({name: {"accept": t.gate(verify={
        "mode": "required", "ca": ca, **more}), "connect": backend.address}
        for name, (ca, more, _) in cases.items()})
    for name, (_, _, is_good) in cases.items():
        told = ask(d, name, "TLSv1.3", client)
        assert (told is None) == is_good, (name, told)


def parity_P74_the_systems_authorities(t):
    """SSL_CERT_FILE and SSL_CERT_DIR, when there is something in them."""
    backend = t.server(echo, server_context(t.pki.system()))
    service = {"accept": t.gate(verify={"mode": "required", "ca": "system"}),
               "connect": {"address": "localhost:%d" % backend.port,
                           "tls": True}}
    root = t.pki.root()
    digest = t.run("openssl", "x509", "-noout", "-hash", "-in",
                   root.cert).expect().out.strip()
    t.write("hashed/%s.0" % digest, read(root.cert))
    empty = t.write("empty.pem", "")
    client = t.pki.leaf("good.client", usage="client")
    for name, environment in (
            ("file", {"SSL_CERT_FILE": root.cert}),
            ("directory", {"SSL_CERT_FILE": empty,
                           "SSL_CERT_DIR": t.path("hashed")})):
        d = t.daemon({"s": service}, name=name, environment=environment)
        assert ask(d, "s", "TLSv1.3", client) is None, name
        d.stop()


def untouched(backend):
    for contact in backend.contacts:
        contact.over.wait(10)
        assert not contact.received, contact.received


def nothing_comes_through(d, name):
    with d.plain(name) as stream:
        try:
            stream.send(b"secret")
        except Ended:
            pass
        assert stream.read_all()[0] == b""


@limit(120)
def parity_P21_backends_by_pin_name_and_rule(t):
    """A backend that is not the one meant gets not one byte, whatever it is
    that is wrong, in TLS 1.2 and 1.3."""
    old = t.pki.leaf("localhost", days=-3)
    other = t.pki.leaf("other.test")
    for version in VERSIONS:
        good = t.server(echo, server_context(t.pki.system(),
                                             versions=version))
        expired = t.server(echo, server_context(old, versions=version))
        misnamed = t.server(echo, server_context(other, versions=version))
        cases = {
            "good": (good, {}, None),
            "unpinned": (good, {"ca": "none",
                                "fingerprints": fingerprint(old)},
                         "backend_cert_rejected"),
            "pinned": (expired, {"ca": "none",
                                 "fingerprints": fingerprint(old)}, None),
            "outranked": (expired, {"fingerprints": [
                "sha256$" + "00" * 32, fingerprint(old)]}, None),
            "expired": (expired, {}, "backend_cert_rejected"),
            "misnamed": (misnamed, {}, "backend_name_mismatch"),
            "nameless": (misnamed, {"scheme": "none"}, None),
            "not allowed": (good, {"allow": {"dns": "db.test"}},
                            "backend_cert_rejected"),
            "allowed": (good, {"allow": {"dns": "web.test"}}, None),
        }
        d = t.daemon({name.replace(" ", "-"): {
            "accept": {}, "connect": {
                "address": "localhost:%d" % backend.port,
                "tls": {"verify": {"ca": t.pki.root().cert, **verify}}}}
            for name, (backend, verify, _) in cases.items()},
            name="daemon-" + version)
        for refused in (True, False):
            for name, (backend, _, reason) in cases.items():
                name = name.replace(" ", "-")
                if (reason is not None) != refused:
                    continue
                if refused:
                    nothing_comes_through(d, name)
                    d.wait_access(service=name, reason=reason)
                    continue
                with d.plain(name) as stream:
                    stream.expect_echo()
            if refused:
                for backend in (good, expired, misnamed):
                    untouched(backend)
        verdicts = {name: d.wait_access(
            service=name, reason="done")["backend_tls"]["verify"]
            for name in ("good", "pinned", "outranked")}
        assert verdicts == {
            "good": "ok", "pinned": "pinned",
            "outranked": "pinned, despite: certificate has expired"}
        d.stop()


@limit(120)
def test_other_libraries_as_clients(t):
    """curl, gnutls-cli, s_client and IO::Socket::SSL show certificates, and
    understand why they are refused."""
    backend = t.server(answer_http)
    good = t.pki.leaf("good.client", usage="client")
    bad = t.pki.leaf("old.client", usage="client", days=-3)
    d = t.daemon({"s": {"accept": gate(t, "required"),
                        "connect": backend.address}})
    for program in ("curl", "gnutls-cli", "openssl", "perl"):
        t.need(program)
    port = d.port("s")
    root = t.pki.root().cert

    def curl(client):
        return t.run("curl", "-sS", "--cacert", root, "--cert", client.chain,
                     "--key", client.key, "--resolve",
                     "web.test:%d:127.0.0.1" % port,
                     "https://web.test:%d/" % port)

    def gnutls(client):
        return t.run("gnutls-cli", "--x509cafile", root, "--x509certfile",
                     client.chain, "--x509keyfile", client.key,
                     "--sni-hostname", "web.test", "--verify-hostname",
                     "web.test", "-p", port, "127.0.0.1",
                     stdin="GET / HTTP/1.0\r\n\r\n")

    def openssl(client):
        return t.run("openssl", "s_client", "-quiet",
                     "-servername", "web.test", "-CAfile", root, "-cert",
                     client.cert, "-key", client.key, "-connect",
                     "127.0.0.1:%d" % port, stdin="GET / HTTP/1.0\r\n\r\n")

    def perl(client):
        return t.run("perl", "-MIO::Socket::SSL", "-e", """
            my $s = IO::Socket::SSL->new(PeerAddr => "127.0.0.1:%d",
                SSL_hostname => "web.test", SSL_verifycn_name => "web.test",
                SSL_version => "TLSv12",
                SSL_ca_file => "%s", SSL_cert_file => "%s",
                SSL_key_file => "%s") or die "$SSL_ERROR";
            print $s "GET / HTTP/1.0\\r\\n\\r\\n";
            for (;;) {
                my $got = $s->sysread(my $part, 1000);
                die "$SSL_ERROR" if !defined $got;
                last if !$got;
                print $part;
            }
        """ % (port, root, client.cert, client.key))

    for program in (curl, gnutls, openssl, perl):
        result = program(good)
        assert "welcome" in result.out, result
        before = len(backend.contacts)
        result = program(bad)
        assert "welcome" not in result.out, result
        assert re.search("expired|Certificate", result.out + result.err,
                         re.IGNORECASE), result
        assert len(backend.contacts) == before
