# SPDX-License-Identifier: BSD-2-Clause
"""sealock probe: what it tells of servers that are well, that are not, that
choke, and that are no TLS servers at all."""

import json
import os
import re
import socket
import ssl
import struct
import subprocess
import time

from nginx import start_nginx
from pki import openssl, read, write
from streams import Tls, server_context, silent, sink, speaker
from test_peers import PERL_SERVER, need_perl_module

SUPPORTED_VERSIONS = 43
SERVER_NAME = 0


def probe(t, target, *words, ca=None, status=0, **options):
    """The report as JSON; it is one object, whatever was found."""
    target = target if isinstance(target, str) else "localhost:%d" % target
    result = t.command("probe", target, "--json", "--ca",
                       (ca or t.pki.root()).cert, *words, **options)
    assert result.status == status, result
    assert result.err == "", result
    assert result.out.count("\n") == 1, result
    return json.loads(result.out)


def told(t, target, *words, ca=None, status=0, **options):
    """The report for people: no decoration, as this is a pipe."""
    target = target if isinstance(target, str) else "localhost:%d" % target
    result = t.command("probe", target, "--ca", (ca or t.pki.root()).cert,
                       *words, **options)
    assert result.status == status, result
    assert result.err == "", result
    assert "\033" not in result.out and "\r" not in result.out, result
    return result.out


def tls_server(t, cert=None, handler=sink, **options):
    return t.server(handler, tls=server_context(cert or t.pki.system(),
                                                **options))


def advice(report, verdict="chain"):
    """The sentence on what is bad."""
    found = report["verdicts"][verdict]
    assert found["good"] is False, report["verdicts"]
    return found["advice"]


# What it tells (P27).


def parity_P27_everything_about_a_server(t):
    inner = t.pki.intermediate()
    cert = t.pki.leaf("localhost", "other.test", issuer=inner)
    server = tls_server(t, cert, alpn=["h2", "http/1.1"])
    report = probe(t, server.port, "--alpn", "http/1.1,h2")
    assert report["good"] is True
    assert report["address"] == server.address
    assert report["version"] == "TLSv1.3"
    assert report["cipher"].startswith("TLS_")
    assert report["group"]
    assert report["signature"] == "ECDSA with SHA-256"
    assert report["alpn"] == "h2"
    assert report["server_name"] == "localhost"
    assert server.contacts[0].server_name == "localhost"
    assert report["tickets"] > 0 and report["ticket_lifetime"] > 0
    assert report["client_certificate_asked"] is False
    assert [c["signed_by"] for c in report["chain"]] == [2, None]
    leaf = report["chain"][0]
    assert leaf["dns"] == ["localhost", "other.test"]
    assert leaf["subject"] == "CN=localhost"
    assert leaf["issuer"] == "CN=inner CA"
    assert leaf["key"] == "ECDSA P-256"
    assert leaf["days_left"] in (29, 30)
    assert leaf["fingerprint"] == "sha256$" + cert.digest()
    assert leaf["public_key_fingerprint"] == t.command(
        "cert", "fingerprint", "--public-key", cert.cert).out.strip()
    serial = openssl("x509", "-in", cert.cert, "-noout", "-serial")
    assert leaf["serial"] == serial.decode().strip().partition("=")[2]
    for verdict in ("complete", "chain", "name"):
        assert report["verdicts"][verdict]["good"] is True, report["verdicts"]
    text = told(t, server.port, "--alpn", "h2")
    for fact in ("TLSv1.3", "h2", leaf["fingerprint"], leaf["serial"],
                 leaf["public_key_fingerprint"], "other.test",
                 "good complete", "ECDSA P-256"):
        assert fact in text, (fact, text)
    # Never a byte of data, and always a close_notify.
    for contact in server.contacts:
        assert contact.over.wait(10)
        assert not contact.received, contact.received
    assert server.contacts[0].end == "clean"


def parity_P27_versions_that_a_server_speaks(t):
    both = tls_server(t, versions=["TLSv1.2", "TLSv1.3"])
    old = tls_server(t, versions=["TLSv1", "TLSv1.1"])
    versions = probe(t, both.port)["versions"]
    assert {v: versions[v]["spoken"] for v in versions} == {
        "TLSv1": False, "TLSv1.1": False, "TLSv1.2": True, "TLSv1.3": True}
    assert "alert" in versions["TLSv1"]["problem"]
    report = probe(t, old.port, status=1)
    versions = report["versions"]
    assert [v for v in versions if versions[v]["spoken"]] == [
        "TLSv1", "TLSv1.1"]
    assert versions["TLSv1.1"]["cipher"]
    assert report["attempts"][-1]["manner"] == "anything"
    assert report["version"] == "TLSv1.1"
    assert "not safe any more" in report["meaning"]
    before = len(both.contacts)
    assert probe(t, both.port, "--no-versions")["versions"] == {}
    assert len(both.contacts) == before + 1


def parity_P27_a_server_that_asks_for_a_certificate(t):
    for version in ("TLSv1.2", "TLSv1.3"):
        server = tls_server(t, client_ca=t.pki.root(), versions=version)
        report = probe(t, server.port, "--no-versions", status=1)
        assert report["client_certificate_asked"] is True, report
        assert report["client_certificate_refused"] is True, report
        assert "wants a client certificate (--cert" in report["meaning"]
        assert report["chain"] and len(report["attempts"]) == 1, report
        assert report["verdicts"]["chain"]["good"] is True
        mine = t.pki.leaf("somebody.test", usage="client")
        report = probe(t, server.port, "--cert", mine.chain, "--key",
                       mine.key)
        assert report["client_certificate_asked"] is True
        assert report["client_certificate_refused"] is False
        assert "it was sent" in told(t, server.port, "--cert", mine.bundle)
        wrong = t.pki.leaf("somebody.test", usage="client",
                           issuer=t.pki.root("stranger"))
        report = probe(t, server.port, "--cert", wrong.bundle, status=1)
        assert "unknown_ca" in report["attempts"][0]["problem"], report
        assert report["client_certificate_refused"] is True, report
        assert "does not accept this client certificate" in report["meaning"]


def parity_P27_whose_certificate_a_server_asks_for(t):
    cert = t.pki.system()
    port = t.port()
    authorities = write(t.path("cas.pem"), read(t.pki.root().cert) +
                        read(t.pki.root("stranger").cert))
    t.start("s_server", "openssl", "s_server", "-accept", "127.0.0.1:%d" %
            port, "-cert", cert.cert, "-key", cert.key, "-quiet", "-CAfile",
            authorities, "-verify", "3")
    t.wait_open(port, "s_server")
    report = probe(t, port)
    assert report["client_certificate_asked"] is True
    assert sorted(report["client_certificate_authorities"]) == [
        "CN=root CA", "CN=stranger CA"]
    text = told(t, port)
    assert re.search(r"^client cert +asked for: we have none", text,
                     re.MULTILINE), text
    assert "CN=stranger CA" in text, text


def parity_P27_peers(t):
    """gnutls-serv, openssl s_server, Perl's IO::Socket::SSL, sealock."""
    cert = t.pki.system()
    ports = [t.port() for _ in range(3)]
    t.start("gnutls", t.need("gnutls-serv"), "--echo", "--port", ports[0],
            "--x509certfile", cert.chain, "--x509keyfile", cert.key)
    t.start("s_server", "openssl", "s_server", "-accept", "127.0.0.1:%d" %
            ports[1], "-cert", cert.cert, "-key", cert.key, "-quiet")
    need_perl_module(t)
    t.start("perl", "perl", t.write("server.pl", PERL_SERVER), ports[2],
            cert.chain, cert.key, t.pki.root().cert)
    d = t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}})
    for port in [*ports, d.port()]:
        t.wait_open(port, "it")
        report = probe(t, "127.0.0.1:%d" % port)
        assert report["good"] is True, report
        assert report["chain"][0]["fingerprint"] == "sha256$" + cert.digest()
        assert report["versions"]["TLSv1.3"]["spoken"] is True
        assert report["server_name"] is None
    assert probe(t, ports[2])["client_certificate_asked"] is True


def parity_P27_nginx(t):
    port = t.port()
    cert = t.pki.system()
    start_nginx(t, """\
    server {
        listen 127.0.0.1:%(port)d ssl;
        ssl_certificate %(chain)s;
        ssl_certificate_key %(key)s;
        ssl_protocols TLSv1.2;
    }""" % {"port": port, "chain": cert.chain, "key": cert.key}, [port])
    report = probe(t, port)
    assert report["good"] is True and report["version"] == "TLSv1.2", report
    assert report["extended_master_secret"] is True
    assert report["safe_renegotiation"] is True


def test_unix_sockets(t):
    server = t.unix_server(sink, t.path("s.sock"),
                           server_context(t.pki.system()))
    report = probe(t, "unix:" + t.path("s.sock"))
    assert report["good"] is True and report["address"] == server.address
    assert report["verdicts"]["name"]["good"] is None
    report = probe(t, "unix:" + t.path("s.sock"), "--verify-name",
                   "web.test", "--server-name", "web.test")
    assert report["verdicts"]["name"]["good"] is True
    report = probe(t, "unix:" + t.path("missing.sock"), status=1)
    assert "No such file" in report["unreached"][0]["problem"]


# The name (P28).


def parity_P28_verify_name(t):
    server = tls_server(t)  # web.test, *.wild.test, localhost and addresses
    for name in ("web.test", "a.wild.test", "127.0.0.1", "::1", "WEB.test"):
        report = probe(t, server.port, "--verify-name", name,
                       "--no-versions")
        assert report["verdicts"]["name"]["good"] is True, report
    for name in ("web.example", "a.b.wild.test", "wild.test", "127.0.0.2"):
        report = probe(t, server.port, "--verify-name", name,
                       "--no-versions", status=1)
        assert "not for %s but for web.test, *.wild.test, localhost" % (
            name) in advice(report, "name"), report
    # By default the name that is sent, else the host.
    assert probe(t, server.port, "--server-name", "web.test")["good"]
    assert server.contacts[-1].server_name == "web.test"
    assert probe(t, server.port, "--server-name", "")["server_name"] is None
    assert server.contacts[-1].server_name is None
    probe(t, server.port, "--server-name", "web.example", status=1)


def parity_P28_schemes(t):
    """verify_hostname(name, scheme) of the manual: the rules differ."""
    cases = (({"names": ("w*.some.test",)}, "www.some.test", {
                 "http": True, "smtp": False, "ldap": False, "none": True}),
             ({"names": ("alt.test",), "subject": "cn.test"},
              "cn.test", {"http": False, "ldap": True, "rfc4513": True,
                          "none": True, "check_cn=always": True}))
    for made, name, schemes in cases:
        cert = t.pki.leaf(*made["names"], subject=made.get("subject"))
        server = tls_server(t, cert)
        for scheme, is_good in schemes.items():
            report = probe(t, server.port, "--verify-name", name, "--scheme",
                           scheme, "--no-versions",
                           status=0 if is_good else 1)
            assert report["verdicts"]["name"]["good"] is is_good, report
            assert report["scheme"] == scheme
    # What is near by and does not count is named.
    report = probe(t, server.port, "--verify-name", "cn.test", status=1)
    assert "common name cn.test does not count" in (
        report["verdicts"]["name"]["text"]), report
    server = tls_server(t, t.pki.leaf("*.com", key="rsa"))
    report = probe(t, server.port, "--verify-name", "example.com", status=1)
    assert "public suffix" in report["verdicts"]["name"]["text"], report


PERL_FINGERPRINTS = r"""
use strict; use warnings;
use IO::Socket::SSL;
my ($port, $ca) = @ARGV;
my $socket = IO::Socket::SSL->new(
    PeerAddr => "localhost:$port", SSL_ca_file => $ca)
    or die "connect: $SSL_ERROR";
print join(' ', $socket->get_fingerprint('sha256'),
           $socket->get_fingerprint('sha256', undef, 1),
           $socket->peer_certificate('cn')), "\n";
"""


def parity_P27_fingerprints_are_the_manuals(t):
    """get_fingerprint and peer_certificate of IO::Socket::SSL agree."""
    need_perl_module(t)
    server = tls_server(t, t.pki.leaf("localhost", key="rsa"))
    leaf = probe(t, server.port, "--no-versions")["chain"][0]
    result = t.run("perl", t.write("client.pl", PERL_FINGERPRINTS),
                   server.port, t.pki.root().cert).expect()
    assert result.out.split() == [
        leaf["fingerprint"], leaf["public_key_fingerprint"],
        leaf["subject"].partition("=")[2]], (result, leaf)


# Pins.


def parity_P27_fingerprints(t):
    cert = t.pki.leaf("other.test", issuer=t.pki.root("stranger"))
    server = tls_server(t, cert)
    of_key = t.command("cert", "fingerprint", "--public-key", "--digest",
                       "sha512", cert.cert).out.strip()
    for pin in ("sha256$" + cert.digest(), cert.digest().upper(), of_key):
        report = probe(t, server.port, "--fingerprint", "sha256$" + 64 * "0",
                       "--fingerprint", pin)
        assert report["good"] is True and not server.contacts[0].received
        assert report["verdicts"]["pin"]["good"] is True
        assert report["verdicts"]["chain"]["good"] is False
        assert report["verdicts"]["name"]["good"] is False
    report = probe(t, server.port, "--fingerprint", 64 * "0", status=1)
    assert report["verdicts"]["pin"]["good"] is False
    assert cert.digest() in report["verdicts"]["pin"]["text"], report
    assert "BAD  the certificate's fingerprint is" in told(
        t, server.port, "--fingerprint", 64 * "0", status=1)
    assert probe(t, server.port, status=1)["verdicts"]["pin"]["good"] is None


# Common problems (P73): the sentence names the cause and the remedy.


def parity_P73_missing_intermediate(t):
    inner = t.pki.intermediate()
    cert = t.pki.leaf("localhost", issuer=inner)
    both = write(t.path("both.pem"), read(t.pki.root().cert) +
                 read(inner.cert))
    context = server_context(cert)
    context.load_cert_chain(cert.cert, cert.key)
    server = t.server(sink, tls=context)
    said = advice(probe(t, server.port, status=1))
    assert "sent its own certificate alone" in said, said
    assert "its issuer CN=inner CA is not among the CAs here" in said, said
    assert "missing in the server's chain file" in said, said
    # With the intermediate at hand it is trusted, and yet not as it should be.
    result = t.command("probe", "localhost:%d" % server.port, "--ca", both)
    assert result.expect(1)
    assert "the intermediate CN=inner CA was not sent" in result.out, result
    assert re.search(r"^chain +good", result.out, re.MULTILINE), result


def parity_P73_chains_out_of_order_and_with_strangers(t):
    inner = t.pki.intermediate()
    outer = t.pki.intermediate("innermost", issuer=inner)
    cert = t.pki.leaf("localhost", issuer=outer)
    for files, words in (
            ((cert, inner, outer), "not in order"),
            ((cert, outer, inner, t.pki.root("stranger")),
             "1 of the certificates sent does not belong to it")):
        context = server_context(cert)
        chain = write(t.path("chain.pem"), b"".join(
            read(file.cert) for file in files))
        context.load_cert_chain(chain, cert.key)
        report = probe(t, t.server(sink, tls=context).port, status=1)
        assert words in report["verdicts"]["complete"]["text"], report
        assert report["verdicts"]["chain"]["good"] is True, report


def parity_P73_self_signed(t):
    cert = t.pki.root("localhost")
    server = tls_server(t, cert)
    said = advice(probe(t, server.port, "--no-versions", status=1))
    assert "signed by itself" in said and "verify.ca" in said, said
    assert "sha256$" + cert.digest() in said, said


def parity_P73_a_leaf_given_as_ca(t):
    """The manual's: the server's own certificate as the CA is no CA."""
    cert = t.pki.leaf("localhost")
    server = tls_server(t, cert)
    said = advice(probe(t, server.port, ca=cert, status=1))
    assert "its issuer CN=root CA is not among the CAs here" in said, said


def parity_P73_wrong_purpose(t):
    server = tls_server(t, t.pki.leaf("localhost", usage="client"))
    said = advice(probe(t, server.port, status=1))
    assert "is for clientAuth only" in said, said
    assert "made for serverAuth" in said, said


def parity_P73_expired(t):
    server = tls_server(t, t.pki.leaf("localhost", days=-3))
    report = probe(t, server.port, status=1)
    assert re.search(r"expired on 20\d\d-\d\d-\d\d, 3 days ago: it must be "
                     r"renewed", advice(report)), report
    assert report["chain"][0]["days_left"] < 0
    assert "EXPIRED 3 days ago" in told(t, server.port, status=1)


def parity_P73_no_ca_store(t):
    """Debian without ca-certificates, for the probe and for `check`."""
    server = tls_server(t)
    hidden = ["-t tmpfs none /etc/ssl"]
    result = elsewhere(t, hidden, t.sealock, "probe", "localhost:%d" %
                       server.port, "--json")
    said = advice(json.loads(result.expect(1).out))
    assert "there is no CA to verify it by" in said, said
    assert "ca-certificates" in said, said
    file = t.write("sealock.yaml", json.dumps({"services": {"s": {
        "accept": {"address": "127.0.0.1:%d" % t.port()},
        "connect": {"address": "localhost:1", "tls": True}}}}))
    result = elsewhere(t, hidden, t.sealock, "check", "-c", file)
    assert "Debian's package is ca-certificates" in result.expect(2).err
    # What is named and is not there is a usage error.
    empty = t.path("empty")
    os.mkdir(empty)
    result = t.command("probe", "localhost:%d" % server.port, "--ca", empty)
    assert "there is no file to read in it" in result.expect(2).err, result
    result = t.command("probe", "localhost:%d" % server.port, "--ca",
                       t.path("missing.pem"))
    assert "missing.pem" in result.expect(2).err, result


def parity_P73_weak_keys(t):
    cert = t.pki.leaf("localhost", key="rsa1024",
                      issuer=t.pki.root("rsa", key="rsa"))
    server = tls_server(t, cert, ciphers="ALL:@SECLEVEL=0")
    said = advice(probe(t, server.port, ca=cert.issuer, status=1))
    assert "has a key of 1024 bits (RSA)" in said, said


# Servers that choke (P73).


def extensions(hello):
    """{type: bytes} of the ClientHello in a record."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack_from("!H", hello, at)[0]
    at += 1 + hello[at]
    end = at + 2 + struct.unpack_from("!H", hello, at)[0]
    at += 2
    found = {}
    while at < end:
        kind, length = struct.unpack_from("!HH", hello, at)
        found[kind] = hello[at + 4:at + 4 + length]
        at += 4 + length
    return found


def choking(t, is_bad, act, **options):
    """A server that acts on some ClientHellos and serves the others."""
    context = server_context(t.pki.system(), **options)

    def handler(contact):
        peek = contact.stream.socket.recv
        hello = b""
        deadline = time.monotonic() + 10
        while len(hello) < 5 or len(hello) < 5 + struct.unpack_from(
                "!H", hello, 3)[0]:
            assert time.monotonic() < deadline
            hello = peek(65536, socket.MSG_PEEK)
            if not hello:
                return
        if is_bad(extensions(hello)):
            act(contact)
        else:
            contact.stream = Tls(contact.stream.socket, context, True)
            contact.stream.handshake()
            contact.read_all()

    return t.server(handler)


def offers_tls13(found):
    return b"\x03\x04" in found.get(SUPPORTED_VERSIONS, b"")


def close(contact):
    contact.stream.recv()


def hang(contact):
    contact.stream.recv()
    contact.stream.recv()  # until the probe has had enough


def parity_P73_servers_that_choke_on_tls13(t):
    for act, end in ((close, "closed"), (hang, "silent")):
        server = choking(t, offers_tls13, act, versions="TLSv1.2")
        report = probe(t, server.port, "--timeout", "500ms", status=1)
        assert report["attempts"][0]["end"] == end, report
        assert report["attempts"][-1]["manner"] == "no_tls13", report
        assert report["attempts"][-1]["end"] == "done", report
        assert "the offer of TLS 1.3" in report["meaning"], report
        assert "versions: TLSv1.2" in report["meaning"], report
        assert report["version"] == "TLSv1.2" and report["chain"]
        assert report["verdicts"]["chain"]["good"] is True
        versions = report["versions"]
        assert versions["TLSv1.2"]["spoken"], report
        assert not versions["TLSv1.3"]["spoken"], report
        text = told(t, server.port, "--timeout", "500ms", status=1)
        assert "without TLS 1.3: done in" in text, text


def parity_P73_servers_that_choke_on_the_name(t):
    server = choking(t, lambda found: SERVER_NAME in found, close)
    report = probe(t, server.port, "--timeout", "1s", status=1)
    assert report["attempts"][-1]["manner"] == "no_server_name", report
    assert "server_name" in report["meaning"], report
    assert report["version"] == "TLSv1.3"


def parity_P73_servers_that_choke_on_both(t):
    server = choking(t, lambda found: SERVER_NAME in found or
                     offers_tls13(found), close)
    report = probe(t, server.port, "--timeout", "1s", status=1)
    assert report["attempts"][-1]["manner"] == "no_tls13_no_server_name"


def parity_P73_servers_that_choke_on_extensions(t):
    extended_master_secret = 23
    server = choking(t, lambda found: extended_master_secret in found, close)
    report = probe(t, server.port, "--timeout", "1s", status=1)
    assert report["attempts"][-1]["manner"] == "few_extensions", report
    assert report["extended_master_secret"] is False


def parity_P73_servers_that_choke_on_everything(t):
    for act, end in ((close, "closed"), (hang, "silent")):
        server = choking(t, lambda found: True, act)
        report = probe(t, server.port, "--timeout", "300ms", status=1)
        assert {a["end"] for a in report["attempts"]} == {end}, report
        assert "whatever is offered" in report["meaning"], report
        assert report["chain"] == []
        assert report["version"] is None
        assert report["verdicts"]["chain"]["good"] is None


# No TLS at all.


def test_plaintext(t):
    cases = ((b"SSH-2.0-OpenSSH_9.2\r\n", 'answered "SSH-2.0-OpenSSH_9.2"',
              "SSH"),
             (b"220 mail.example ESMTP\r\n", 'answered "220 mail.example',
              "STARTTLS"),
             (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
              'answered "HTTP/1.1 400 Bad Request"', "plain HTTP"),
             (b"\x1b[2J\x00\xffgarbage", "\\x1b[2J\\x00\\xffgarbage", ""),
             (b"+", 'answered "+"', ""),
             (b"\x00" * 4096, "\\x00\\x00", ""))
    for data, words, meaning in cases:
        server = t.server(speaker(data))
        report = probe(t, server.port, "--timeout", "1s", status=1)
        problem = report["attempts"][0]["problem"]
        assert report["attempts"][0]["end"] == "plaintext", report
        assert "this is no TLS" in problem and words in problem, report
        assert meaning in problem and len(problem) < 512, report
        assert len(report["attempts"]) == 1 and report["versions"] == {}
        assert "this is no TLS" in told(t, server.port, status=1)


def test_garbage_that_looks_like_tls(t):
    for data in (b"\x16\x03\x03\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x28",
                 b"\x16\x03\x03\xff\xff" + b"x" * 70000, b"\x16\x03"):
        server = t.server(speaker(data))
        report = probe(t, server.port, "--timeout", "1s", status=1)
        assert report["attempts"][0]["end"] in ("failed", "alert",
                                                "closed"), report
        assert report["chain"] == []


def test_servers_that_hang(t):
    """Each step has its limit; nothing waits for ever."""
    server = t.server(silent)
    start = time.monotonic()
    report = probe(t, server.port, "--timeout", "200ms", status=1)
    assert time.monotonic() - start < 20
    assert "said nothing within 200ms" in report["attempts"][0]["problem"]
    # One that sends a byte now and then does not get more time.
    def drip(contact):
        try:
            for byte in b"\x16\x03\x03\x40\x00" + b"x" * 200:
                contact.stream.send(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass
    server = t.server(drip)
    report = probe(t, server.port, "--timeout", "300ms", "--no-versions",
                   status=1)
    assert "did not complete the handshake within 300ms" in (
        report["attempts"][0]["problem"]), report


def test_nobody_there(t):
    port = t.port()
    report = probe(t, "127.0.0.1:%d" % port, status=1)
    assert report["unreached"] == [{"address": "127.0.0.1:%d" % port,
                                    "problem": "Connection refused"}]
    assert "Connection refused" in told(t, "127.0.0.1:%d" % port, status=1)
    report = probe(t, "nowhere.invalid:443", "--timeout", "10s", status=1)
    assert "nowhere.invalid" in report["problem"], report


def elsewhere(t, mounts, *words):
    """The command where other files are mounted; words may follow --."""
    script = " && ".join(["mount %s" % mount for mount in mounts] +
                         ['exec "$@"'])
    result = t.run("unshare", "-rm", "sh", "-c", script, "sh", *words)
    if result.status not in (0, 1, 2) or "unshare: " in result.err or (
            "mount: " in result.err):
        t.skip("there are no namespaces here")
    return result


def test_falls_back_to_another_address(t):
    hosts = t.write("hosts", "127.0.0.1 two.test\n127.0.0.2 two.test\n")
    cert = t.pki.leaf("two.test")
    seen = []
    port = t.port()
    for host in ("127.0.0.1", "127.0.0.2"):
        server = t.server(sink, tls=server_context(cert), host=host,
                          port=port)
        result = elsewhere(t, ["--bind %s /etc/hosts" % hosts], t.sealock,
                           "probe", "two.test:%d" % port, "--json", "--ca",
                           t.pki.root().cert)
        report = json.loads(result.expect().out)
        assert report["good"] is True, report
        assert report["address"] == "%s:%d" % (host, port), report
        seen += [tried["address"] for tried in report["unreached"]]
        server.close()
    # One of the two is tried first.
    assert len(seen) == 1, seen


def test_hostile_certificates(t):
    """Names with terminal sequences, and thousands of names."""
    cert = t.pki.leaf("localhost")
    key = cert.key
    config = t.write("many.cnf", "[req]\ndistinguished_name=d\n[d]\n[e]\n"
                     "subjectAltName=" + ",".join(
                         "DNS:n%d.example" % i for i in range(3000)) + "\n")
    made = openssl("req", "-x509", "-new", "-key", key, "-config", config,
                   "-extensions", "e", "-days", "5", "-subj",
                   "/CN=\x1b[2Jevil\n/O=\"quoted\" name")
    path = write(t.path("many.pem"), made)
    context = server_context(cert)
    context.load_cert_chain(path, key)
    server = t.server(sink, tls=context)
    report = probe(t, server.port, status=1)
    assert len(report["chain"][0]["dns"]) == 3000
    assert "and 2995 more" in advice(report, "name"), report["verdicts"]
    text = told(t, server.port, status=1)
    assert all(c == "\n" or " " <= c <= "~" for c in text), text
    assert "and 2980 more" in text, text


def test_usage(t):
    for words in ((), ("a:1", "b:2"), ("localhost",), ("localhost:1", "--ca"),
                  ("localhost:1", "--timeout", "5"),
                  ("localhost:1", "--timeout", "0"),
                  ("localhost:1", "--server-name", "127.0.0.1"),
                  ("localhost:1", "--verify-name", "no name"),
                  ("localhost:1", "--scheme", "nonsense"),
                  ("localhost:1", "--key", "x.pem"),
                  ("localhost:1", "--cert", "missing.pem"),
                  ("localhost:1", "--alpn", "a,,b"),
                  ("localhost:1", "--fingerprint", "nonsense$00"),
                  ("localhost:1", "--starttls", "smtp"),
                  ("builtin:echo",), (":443",)):
        result = t.command("probe", *words).expect(2)
        assert result.err.startswith("sealock probe: "), result
        assert not result.out, result


def test_colours_only_on_a_terminal(t):
    server = tls_server(t)
    words = [t.sealock, "probe", "localhost:%d" % server.port, "--ca",
             t.pki.root().cert, "--no-versions"]

    def on_terminal(**more):
        master, slave = os.openpty()
        try:
            done = subprocess.Popen(words, stdout=slave, stderr=slave,
                                    stdin=slave, env=t.environment(**more))
            os.close(slave)
            seen = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:
                    break
                if not part:
                    break
                seen += part
            assert done.wait(10) == 0, seen
        finally:
            os.close(master)
        return seen

    assert b"\033[32mgood" in on_terminal()
    assert b"\033[3" not in on_terminal(NO_COLOR="1")


def test_resumption(t):
    """--resume: with each version, what a second connection comes to."""
    def resumption(*words, **options):
        return probe(t, tls_server(t, **options).port, "--resume",
                     *words)["resumption"]

    found = resumption()
    assert found["TLSv1.2"]["resumed"] is True, found
    assert found["TLSv1.3"]["resumed"] is True, found
    assert found["TLSv1.2"]["by"] == found["TLSv1.3"]["by"] == "ticket", found
    assert list(resumption("--no-versions", versions="TLSv1.3")) == [
        "TLSv1.3", "TLSv1.2"]
    assert list(resumption(versions="TLSv1.3")) == ["TLSv1.3"]
    context = server_context(t.pki.system())
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    backend = t.server(sink, context)
    found = probe(t, backend.port, "--resume")["resumption"]
    assert found["TLSv1.2"]["by"] == "session id", found
    assert found["TLSv1.2"]["resumed"] is True, found
    assert found["TLSv1.3"]["by"] is None, found
    assert found["TLSv1.3"]["resumed"] is False, found
    assert "no ticket came" in found["TLSv1.3"]["text"], found
    # Somebody who forgets at once.
    port = t.port()
    t.start("forgets", "openssl", "s_server", "-accept", str(port), "-cert",
            t.pki.system().chain, "-key", t.pki.system().key, "-tls1_2",
            "-no_cache", "-no_ticket", "-quiet")
    t.wait_open(port, "s_server")
    found = probe(t, port, "--resume")["resumption"]
    assert found["TLSv1.2"]["resumed"] is False, found
    text = told(t, backend.port, "--resume")
    assert re.search(r"^resumption +TLSv1\.3 no, no ticket came", text,
                     re.M), text
    assert re.search(r"^ +TLSv1\.2 yes, by session id$", text, re.M), text
    # Sealock's own.
    d = t.daemon({"s": {"accept": t.gate(session={"cache": 100}),
                        "connect": backend.address}})
    found = probe(t, d.port(), "--resume")["resumption"]
    assert found["TLSv1.2"]["resumed"] is True, found
    assert "resumption" in probe(t, backend.port)
