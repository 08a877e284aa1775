# SPDX-License-Identifier: BSD-2-Clause
"""verify.allow: who of those with a good certificate is let in; with real
clients, both versions, and a count of what the backend has seen."""

import re

from harness import limit
from streams import Ended, echo, server_context, speaker
from test_client_certificates import ask
from test_peers import need_perl_module

VERSIONS = ("TLSv1.2", "TLSv1.3")

JANE = {
    "cn": "Jane Doe", "ou": "Locks", "dns": "web.client",
    "uri": "spiffe://example.org/ns/prod/sa/web",
    "email": "jane@client.test", "ip": "192.0.2.7",
}

# What lets Jane in, and what does not, of each kind.
RULES = {
    "cn": (["Jane Doe"], ["jane doe", "Jane", "Jane Doe "]),
    "ou": (["Canals", "Locks"], ["locks", "Lock"]),
    "dns": (["WEB.client"], ["client", "*.web.client", "web.client.test",
                             "Jane Doe".replace(" ", "")]),
    "uri": (["spiffe://example.org/ns/*"],
            ["spiffe://example.org/ns/prod/sa", "spiffe://example.org/other/*",
             "spiffe://example.org/ns/prod/sa/web/*",
             "spiffe://example.or/*", "SPIFFE://example.org/ns/*"]),
    "email": (["jane@CLIENT.test"], ["Jane@client.test", "jane@test"]),
    "ip": (["192.0.2.0/24"], ["192.0.3.0/24", "::/0", "192.0.2.8"]),
}


def jane(t):
    return t.pki.leaf("web.client", "192.0.2.7",
                      "URI:" + JANE["uri"], "email:" + JANE["email"],
                      usage="client", subject=JANE["cn"], unit=JANE["ou"])


def gate(t, allow, **verify):
    return t.gate(verify={"mode": "required", "ca": t.pki.root().cert,
                          "allow": allow, **verify})


@limit(180)
def test_each_kind_of_rule(t):
    backend = t.server(echo)
    services = {}
    for kind, (good, bad) in RULES.items():
        services[kind] = {"accept": gate(t, {kind: good}),
                          "connect": backend.address}
        services["not-" + kind] = {"accept": gate(t, {kind: bad}),
                                   "connect": backend.address}
    # One name that matches is enough, whatever its kind.
    everything = {kind: bad for kind, (_, bad) in RULES.items()}
    services["none"] = {"accept": gate(t, everything),
                        "connect": backend.address}
    services["any"] = {"accept": gate(t, {**everything, "ip": "192.0.2.7"}),
                       "connect": backend.address}
    d = t.daemon(services)
    certificate = jane(t)
    for version in VERSIONS:
        for service in services:
            before = len(backend.contacts)
            is_good = service in RULES or service == "any"
            told = ask(d, service, version, certificate)
            assert bool(told) != is_good, (version, service, told)
            assert told is None or told == "CERTIFICATE_UNKNOWN", told
            assert len(backend.contacts) == before + is_good, service
    for kind, (_, bad) in RULES.items():
        record = d.wait_access(service="not-" + kind,
                               reason="client_cert_rejected")
        detail = record["detail"]
        assert "%s must be" % kind in detail, detail
        assert JANE[kind] in detail, detail
        assert "no rule of allow" in detail, detail
    record = d.wait_access(service="none", reason="client_cert_rejected")
    for kind in ("dns", "ip", "email"):
        assert "%s must be" % kind in record["detail"], record


def test_rules_are_for_valid_certificates_alone(t):
    """A name that is allowed lets nobody in with a bad certificate, and a
    name of another kind than the rule's does not count."""
    backend = t.server(echo)
    d = t.daemon({"s": {"accept": gate(t, {"dns": "web.client"}),
                        "connect": backend.address},
                  "cn": {"accept": gate(t, {"cn": "web.client"}),
                         "connect": backend.address}})
    for certificate in (
            t.pki.leaf("web.client", usage="client", days=-3),
            t.pki.leaf("web.client", usage="server"),
            t.pki.leaf("web.client", usage="client",
                       issuer=t.pki.root("stranger")),
            t.pki.leaf("web.client", usage="client", san=False),
            t.pki.leaf("other.client", usage="client",
                       subject="web.client")):
        for version in VERSIONS:
            assert ask(d, "s", version, certificate)
    assert not backend.contacts
    only_cn = t.pki.leaf("web.client", usage="client", san=False)
    assert ask(d, "cn", "TLSv1.3", only_cn) is None
    assert len(backend.contacts) == 1


def test_rules_by_name(t):
    """Under `hosts` another list counts, and the rest of `verify` is the
    gate's."""
    backend = t.server(echo)
    accept = gate(t, {"cn": "Jane Doe"})
    accept["tls"]["hosts"] = {
        "a.wild.test": {"verify": {"allow": {"cn": "John Doe"}}},
        "b.wild.test": {"verify": "none"}}
    d = t.daemon({"s": {"accept": accept, "connect": backend.address}})
    john = t.pki.leaf("john.client", usage="client", subject="John Doe")
    for version in VERSIONS:
        assert ask(d, "s", version, jane(t)) is None
        assert ask(d, "s", version, jane(t), "a.wild.test")
        assert ask(d, "s", version, john)
        assert ask(d, "s", version, john, "a.wild.test") is None
        assert ask(d, "s", version, None, "a.wild.test")
        assert ask(d, "s", version, None, "b.wild.test") is None


def test_rules_for_backends(t):
    """At the connect gate, beside the name: the wrong one receives nothing."""
    good = t.pki.leaf("localhost", "URI:spiffe://example.org/db")
    bad = t.pki.leaf("localhost", "URI:spiffe://example.com/db")
    backends = {"good": t.server(echo, server_context(good)),
                "bad": t.server(echo, server_context(bad))}
    d = t.daemon({label: {"accept": {}, "connect": {
        "address": "localhost:%d" % backend.port,
        "tls": {"verify": {"ca": t.pki.root().cert, "allow": {
            "uri": "spiffe://example.org/*"}}}}}
        for label, backend in backends.items()})
    with d.plain("good") as stream:
        stream.expect_echo()
    with d.plain("bad") as stream:
        try:
            stream.send(b"ping")
            assert stream.recv() == b""
        except Ended:
            pass
    record = d.wait_access(service="bad", reason="backend_cert_rejected")
    assert "uri must be" in record["detail"], record
    assert all(not c.received for c in backends["bad"].contacts)


def test_real_clients(t):
    """openssl s_client, curl and IO::Socket::SSL: let in with the one
    certificate, told no with the other."""
    need_perl_module(t)
    backend = t.server(speaker(b"HTTP/1.0 200 OK\r\n\r\nhello\n"))
    d = t.daemon({"s": {"accept": gate(t, {"uri": "spiffe://example.org/*"}),
                        "connect": backend.address}})
    john = t.pki.leaf("john.client", "URI:spiffe://example.com/john",
                      usage="client", subject="John Doe")
    script = t.write("client.pl", r"""
use strict; use warnings; use IO::Socket::SSL;
my ($port, $ca, $cert, $key) = @ARGV;
my $socket = IO::Socket::SSL->new(
    PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10,
    SSL_hostname => 'web.test', SSL_verifycn_name => 'web.test',
    SSL_verifycn_scheme => 'http', SSL_ca_file => $ca,
    SSL_cert_file => $cert, SSL_key_file => $key)
    or die "connect: $SSL_ERROR";
print $socket "x\n";
local $/; my $all = <$socket> // '';
print $all;
""")
    root = t.pki.root().cert
    for certificate, is_good in ((jane(t), True), (john, False)):
        said = t.run("openssl", "s_client", "-connect",
                     "127.0.0.1:%d" % d.port(), "-quiet", "-ign_eof",
                     "-servername", "web.test", "-cert", certificate.chain,
                     "-key", certificate.key, stdin="x\n")
        assert ("hello" in said.out) == is_good, said
        assert ("alert certificate unknown" in said.err) != is_good, said
        said = t.run(t.need("curl"), "-sS", "--max-time", "20", "--cacert",
                     root, "--cert", certificate.chain, "--key",
                     certificate.key, "--resolve",
                     "web.test:%d:127.0.0.1" % d.port(),
                     "https://web.test:%d/" % d.port())
        assert ("hello" in said.out) == is_good, said
        assert (said.status == 0) == is_good, said
        said = t.run("perl", script, d.port(), root, certificate.chain,
                     certificate.key)
        assert ("hello" in said.out) == is_good, said
    assert len(backend.contacts) == 3
    assert len(d.access(reason="client_cert_rejected")) == 3


def test_refused_rules(t):
    for kind, text, words in (
            ("dns", "w*.example.org", "no host name"),
            ("dns", "192.0.2.1", "no host name"),
            ("uri", "spiffe://*/web", "whole segments"),
            ("uri", "spiffe://example.org/a*", "whole segments"),
            ("uri", "spiffe://example.org/../*", "whole segments"),
            ("uri", "example.org", "no URI"),
            ("email", "example.org", "no address"),
            ("ip", "192.0.2.1/24", "the network is 192.0.2.0/24"),
            ("cn", "a\\tb", "control"),
            ("ou", "", "control")):
        file = t.write("c.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: %s
        verify:
          mode: required
          ca: %s
          allow:
            %s:
              - "%s"
    connect: 127.0.0.1:2
""" % (t.pki.system().bundle, t.pki.root().cert, kind, text))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:12:17: `%s`: .*%s" % (kind, words),
                         result.err), (text, result)
