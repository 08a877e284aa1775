# SPDX-License-Identifier: BSD-2-Clause
"""verify.fingerprints: whom a pin lets in whatever else is wrong, at either
gate, and that nobody else profits by it; counted at the backend."""

import hashlib
import os
import re

from harness import limit, wait_for
from pki import Certificate, openssl
from streams import Ended, echo, server_context
from test_client_certificates import ask
from test_peers import need_perl_module

VERSIONS = ("TLSv1.2", "TLSv1.3")


def digest(certificate, name="sha256"):
    """NAME$HEX of a certificate, by the openssl command."""
    said = openssl("x509", "-in", certificate.cert, "-noout", "-fingerprint",
                   "-" + name).decode()
    return "%s$%s" % (name, said.strip().split("=")[1])


def key_digest(t, certificate, name="sha256"):
    """NAME$pub$HEX, of the bits of the key, without sealock's help."""
    der = openssl("x509", "-in", certificate.cert, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=der)
    # P-256: the last 65 bytes are the point.
    return "%s$pub$%s" % (name, hashlib.new(name, der[-65:]).hexdigest())


def flip(pin):
    """The same but for one digit."""
    last = "0" if pin[-1] != "0" else "1"
    return pin[:-1] + last


def self_signed(t, name, purpose="server"):
    """A leaf that nobody else has signed."""
    made = Certificate(t.path("self-%s" % purpose), None)
    if not os.path.exists(made.directory):
        os.mkdir(made.directory)
        t.command("cert", "create", "--self-signed", "--name", name,
                  "--purpose", purpose, "--out", made.cert, "--key-out",
                  made.key).expect()
    return made


def servers_zoo(t):
    """Backends by what is wrong with them."""
    return {
        "good": t.pki.leaf("localhost"),
        "expired": t.pki.leaf("localhost", days=-3),
        "misnamed": t.pki.leaf("other.test"),
        "stranger": t.pki.leaf("localhost", issuer=t.pki.root("stranger")),
        "purpose": t.pki.leaf("localhost", usage="client"),
        "self-signed": self_signed(t, "localhost"),
    }


def clients_zoo(t):
    return {
        "good": t.pki.leaf("good.client", usage="client"),
        "expired": t.pki.leaf("old.client", usage="client", days=-3),
        "stranger": t.pki.leaf("strange.client", usage="client",
                               issuer=t.pki.root("stranger")),
        "purpose": t.pki.leaf("server.client", usage="server"),
        "self-signed": self_signed(t, "self.client", "client"),
    }


def received(server):
    return sum(len(contact.received) for contact in server.contacts)


def towards(server, **verify):
    return {"accept": {}, "connect": {"address": "localhost:%d" % server.port,
                                      "tls": {"verify": verify}}}


def is_served(d, service):
    """Does an echo come back?"""
    with d.plain(service) as stream:
        try:
            stream.send(b"ping")
            return stream.read_exactly(4) == b"ping"
        except Ended:
            return False


@limit(180)
def parity_P26_pins_of_backends(t):
    """Every backend with: its own pin; its key's; a wrong one; with ca none,
    its own and a wrong one. The log says what a pin has outranked."""
    root = t.pki.root().cert
    wrong = "sha256$" + "0" * 64
    why = {"good": None, "expired": "certificate has expired",
           "misnamed": "mismatch", "stranger": "unable to get local issuer",
           "purpose": "purpose", "self-signed": "self-signed"}
    for version in VERSIONS:
        zoo, backends, services = servers_zoo(t), {}, {}
        for label, certificate in zoo.items():
            backend = backends[label] = t.server(
                echo, server_context(certificate, versions=version))
            pin = digest(certificate)
            services.update({
                label + "/pin": towards(backend, ca=root, fingerprints=pin),
                label + "/key": towards(backend, ca=root, fingerprints=[
                    wrong, key_digest(t, certificate)]),
                label + "/wrong": towards(backend, ca=root, fingerprints=[
                    flip(pin), wrong, digest(t.pki.system())]),
                label + "/alone": towards(backend, ca="none",
                                          fingerprints=pin),
                label + "/unpinned": towards(backend, ca="none",
                                             fingerprints=wrong)})
        d = t.daemon({name.replace("/", "-"): service
                      for name, service in services.items()},
                     name="pins" + version[-1])
        for label, backend in backends.items():
            for pinned in ("pin", "key", "alone"):
                service = "%s-%s" % (label, pinned)
                assert is_served(d, service), service
                record = d.wait_access(service=service)
                said = record["backend_tls"]["verify"]
                if pinned == "alone" or not why[label]:
                    assert said == "pinned", (service, said)
                else:
                    assert said.startswith("pinned, despite: "), said
                    assert why[label] in said, (service, said)
            before = received(backend)
            assert before == 12, before
            service = label + "-wrong"
            assert is_served(d, service) == (label == "good"), service
            record = d.wait_access(service=service)
            if label == "good":
                assert record["backend_tls"]["verify"] == "ok", record
                before += 4
            else:
                assert record["reason"] == (
                    "backend_name_mismatch" if label == "misnamed"
                    else "backend_cert_rejected"), record
                assert why[label] in record["detail"], record
            service = label + "-unpinned"
            assert not is_served(d, service), service
            record = d.wait_access(service=service,
                                   reason="backend_cert_rejected")
            assert "fingerprint" in record["detail"], record
            assert received(backend) == before, label
        d.stop()


@limit(180)
def parity_P26_pins_of_clients(t):
    """The same at the accept gate: who is let in, who is told what, and what
    the backend has seen of them."""
    root = t.pki.root().cert
    zoo = clients_zoo(t)
    wrong = "sha256$" + "0" * 64
    alerts = {"good": None, "expired": "CERTIFICATE_EXPIRED",
              "stranger": "UNKNOWN_CA", "purpose": "UNSUPPORTED_CERTIFICATE",
              "self-signed": "UNKNOWN_CA"}
    backend = t.server(echo)

    def gate(**verify):
        return {"accept": t.gate(verify={"mode": "required", **verify}),
                "connect": backend.address}

    d = t.daemon({
        "pins": gate(ca=root, fingerprints=[digest(c) for c in zoo.values()]),
        "keys": gate(ca=root, fingerprints=[
            key_digest(t, c, "sha1") for c in zoo.values()]),
        "wrong": gate(ca=root, fingerprints=[
            flip(digest(c)) for c in zoo.values()] + [wrong]),
        "alone": gate(ca="none", fingerprints=[digest(zoo["self-signed"])]),
    })
    for version in VERSIONS:
        for label, certificate in zoo.items():
            for service in ("pins", "keys", "wrong", "alone"):
                before = len(backend.contacts)
                told = ask(d, service, version, certificate)
                if service in ("pins", "keys"):
                    expected = None
                elif service == "wrong":
                    expected = alerts[label]
                else:
                    expected = None if label == "self-signed" else "UNKNOWN_CA"
                assert told == expected, (version, service, label, told)
                assert len(backend.contacts) == before + (not expected)
        # A pin is of who comes, and nobody comes without a certificate.
        for service in ("pins", "alone"):
            assert ask(d, service, version, None), service
    wait_for(lambda: len(d.access(service="pins")) == 12, "the records")
    verdicts = {r["client_cert"]["verify"] for r in d.access(service="pins")
                if "client_cert" in r}
    for words in ("pinned", "pinned, despite: certificate has expired"):
        assert words in verdicts, verdicts
    assert any("self-signed" in v for v in verdicts), verdicts
    records = [r for r in d.access(service="alone") if "client_cert" in r]
    assert {r["client_cert"]["fingerprint"] for r in records} == {
        "sha256$" + zoo["self-signed"].digest()}, records


def parity_P26_spellings(t):
    """What the manual takes: colons, capitals, other digests, bare."""
    certificate = self_signed(t, "localhost")
    backend = t.server(echo, server_context(certificate))
    plain = digest(certificate)
    bare = plain.split("$")[1]
    spellings = {
        "colons": plain, "plain": plain.replace(":", ""),
        "lower": plain.lower(), "capitals": "SHA256$" + bare,
        "bare": bare, "bare-sha1": digest(certificate, "sha1").split("$")[1],
        "md5": digest(certificate, "md5"),
        "sha512": digest(certificate, "sha512").replace(":", ""),
        "sha3": digest(certificate, "sha3-256"),
        "blake": digest(certificate, "blake2b512"),
        "key": key_digest(t, certificate, "sha384"),
        "key-capitals": key_digest(t, certificate).upper(),
    }
    d = t.daemon({label: towards(backend, ca="none", fingerprints=text)
                  for label, text in spellings.items()})
    for label in spellings:
        assert is_served(d, label), label
    # Of the certificate where the key's is meant, and the other way round.
    d.reload({
        "crossed": towards(backend, ca="none", fingerprints=[
            plain.replace("$", "$pub$"),
            key_digest(t, certificate).replace("$pub$", "$"),
            key_digest(t, certificate).replace("sha256$pub$", "")])})
    assert not is_served(d, "crossed")


def parity_P26_leaf_alone(t):
    """The pin of an issuer, in the chain that is sent, is nobody's."""
    stranger = t.pki.root("stranger")
    issuer = t.pki.intermediate("strange-inner", issuer=stranger)
    leaf = t.pki.leaf("localhost", issuer=issuer)
    backend = t.server(echo, server_context(leaf))
    d = t.daemon({
        "issuer": towards(backend, ca="none", fingerprints=[
            digest(issuer), digest(stranger), key_digest(t, issuer)]),
        "leaf": towards(backend, ca="none", fingerprints=digest(leaf))})
    assert not is_served(d, "issuer") and received(backend) == 0
    assert is_served(d, "leaf") and received(backend) == 4


def parity_P26_refused(t):
    """Every mistake at its place."""
    sha256 = "00" * 32
    for pin, words in (
            ("sha257$" + sha256, "no digest"),
            ("shake256$" + sha256, "no digest"),
            ("sha256$" + sha256[2:], "31 bytes, but sha256 makes 32"),
            ("sha256$", "no digits"),
            ("pub$" + sha256, "in front"),
            ("sha256$xyz", "hexadecimal"),
            ("00" * 21, "21 bytes"),
            ("sha256//" + "A" * 43 + "=", "hexadecimal")):
        file = t.write("c.yaml", """\
services:
  s:
    accept: 127.0.0.1:1
    connect:
      address: localhost:2
      tls:
        verify:
          ca: none
          fingerprints:
            - "%s"
            - "%s"
""" % (sha256, pin))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:11:15: `fingerprints`: .*%s" % words,
                         result.err), (pin, result)


def parity_P27_the_commands_fingerprints_are_taken(t):
    """What `sealock cert fingerprint` prints is what IO::Socket::SSL and
    `fingerprints` take."""
    need_perl_module(t)
    certificate = self_signed(t, "localhost")
    pins = [t.command("cert", "fingerprint", *words, certificate.cert)
            .expect().out.strip()
            for words in ((), ("--digest", "sha1"), ("--public-key",),
                          ("--digest", "SHA3-256"),
                          ("--digest", "sha512", "--public-key"))]
    assert pins[0] == digest(certificate).replace(":", "").lower(), pins
    assert pins[2] == key_digest(t, certificate), pins
    backend = t.server(echo, server_context(certificate))
    d = t.daemon({"s%d" % i: towards(backend, ca="none", fingerprints=pin)
                  for i, pin in enumerate(pins)})
    script = t.write("pin.pl", r"""
use strict; use warnings; use IO::Socket::SSL;
my ($port, $pin) = @ARGV;
my $socket = IO::Socket::SSL->new(
    PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10,
    SSL_verifycn_name => 'nobody.test', SSL_fingerprint => $pin)
    or die "connect: $SSL_ERROR";
print $socket->get_fingerprint('sha256'), "\n";
""")
    for i, pin in enumerate(pins):
        assert is_served(d, "s%d" % i), pin
        said = t.run("perl", script, backend.port, pin).expect().out
        assert said.strip() == pins[0], said
    t.command("cert", "fingerprint", "--digest", "shake128",
              certificate.cert).expect(2)
