# SPDX-License-Identifier: BSD-2-Clause
"""The connect gate as a TLS client: whom it trusts, what it says."""

import os
import re

from harness import wait_for
from streams import Ended, echo, server_context


def backend_of(t, certificate=None, handler=echo, **options):
    return t.server(handler, server_context(certificate or t.pki.system(),
                                            **options))


def service(backend, host="localhost", **tls):
    return {"accept": {}, "connect": {
        "address": "%s:%d" % (host, backend.port), "tls": tls}}


def trusted(t, **more):
    return {"verify": {"ca": t.pki.root().cert, **more}}


def works(d, name=None):
    with d.plain(name) as stream:
        stream.expect_echo()


def fails(d, name=None):
    """The client gets nothing at all."""
    with d.plain(name) as stream:
        try:
            stream.send(b"secret")
        except Ended:
            pass
        got, _ = stream.read_all()
        assert got == b"", got


def untouched(backend):
    """Not one byte of a client's reached the backend."""
    for contact in backend.contacts:
        contact.over.wait(10)
        assert not contact.received, contact.received


def test_a_trusted_backend(t):
    backend = backend_of(t)
    d = t.daemon({"s": service(backend, **trusted(t))})
    works(d)
    record = d.wait_access(reason="done")
    assert record["backend_tls"]["version"] == "TLSv1.3"
    assert record["backend"] == backend.address


def test_a_backend_by_its_ip_address(t):
    """Checked against the IP addresses of the certificate."""
    good, bad = backend_of(t), backend_of(t, t.pki.leaf("web.test"))
    d = t.daemon({"good": service(good, "127.0.0.1", **trusted(t)),
                  "bad": service(bad, "127.0.0.1", **trusted(t))})
    works(d, "good")
    fails(d, "bad")
    d.wait_access(service="bad", reason="backend_name_mismatch")
    untouched(bad)


def test_a_foreign_ca_is_refused(t):
    cert = t.pki.leaf("localhost", issuer=t.pki.root("stranger"))
    backend = backend_of(t, cert)
    d = t.daemon({"s": service(backend, **trusted(t))})
    fails(d)
    record = d.wait_access(reason="backend_cert_rejected")
    assert record["detail"], record
    untouched(backend)


def test_an_expired_certificate_is_refused(t):
    backend = backend_of(t, t.pki.leaf("localhost", days=-3))
    d = t.daemon({"s": service(backend, **trusted(t))})
    fails(d)
    record = d.wait_access(reason="backend_cert_rejected")
    assert "expired" in record["detail"], record
    untouched(backend)


def test_a_client_certificate_is_no_servers(t):
    backend = backend_of(t, t.pki.leaf("localhost", usage="client"))
    d = t.daemon({"s": service(backend, **trusted(t))})
    fails(d)
    d.wait_access(reason="backend_cert_rejected")
    untouched(backend)


def test_another_name_is_refused(t):
    backend = backend_of(t, t.pki.leaf("other.test"))
    d = t.daemon({"s": service(backend, **trusted(t)),
                  "named": service(backend, **trusted(t, name="other.test")),
                  "wrong": service(backend, **trusted(t, name="web.test"))})
    fails(d)
    d.wait_access(service="s", reason="backend_name_mismatch")
    fails(d, "wrong")
    d.wait_access(service="wrong", reason="backend_name_mismatch")
    untouched(backend)
    works(d, "named")


def test_a_missing_intermediate_is_refused(t):
    cert = t.pki.leaf("localhost", issuer=t.pki.intermediate())
    context = server_context(t.pki.system())
    context.load_cert_chain(cert.cert, cert.key)
    backend = t.server(echo, context)
    whole = backend_of(t, cert)
    d = t.daemon({"s": service(backend, **trusted(t)),
                  "whole": service(whole, **trusted(t))})
    fails(d)
    d.wait_access(service="s", reason="backend_cert_rejected")
    untouched(backend)
    works(d, "whole")


def test_the_systems_ca_is_the_default(t):
    """SSL_CERT_FILE stands in for the system's store."""
    backend = backend_of(t)
    d = t.daemon({"s": service(backend)},
                 environment={"SSL_CERT_FILE": t.pki.root().cert})
    works(d)
    other = t.daemon({"s": service(backend)}, name="other", environment={
        "SSL_CERT_FILE": t.pki.root("stranger").cert})
    fails(other)
    other.wait_access(reason="backend_cert_rejected")


def test_ca_files_directories_inline(t):
    root = t.pki.root()
    directory = t.path("cas")
    os.mkdir(directory)
    with open(root.cert) as file:
        pem = file.read()
    t.write("cas/some-ca.pem", pem)
    hashed = t.path("hashed")
    os.mkdir(hashed)
    digest = t.run("openssl", "x509", "-noout", "-hash", "-in",
                   root.cert).expect().out.strip()
    t.write("hashed/%s.0" % digest, pem)
    stranger = t.pki.root("stranger").cert
    backend = backend_of(t)
    d = t.daemon({
        "file": service(backend, verify={"ca": root.cert}),
        "several": service(backend, verify={"ca": [stranger, root.cert]}),
        "directory": service(backend, verify={"ca": directory}),
        "hashed": service(backend, verify={"ca": hashed}),
        "inline": service(backend, verify={"ca": pem}),
    })
    for name in ("file", "several", "directory", "hashed", "inline"):
        works(d, name)


def test_no_ca_at_all_is_an_error(t):
    """Nobody could be verified: it has to be `verify: none` then."""
    file = t.write("c.yaml", """\
services:
  s:
    accept: 127.0.0.1:1
    connect:
      address: localhost:1
      tls: {verify: {ca: none}}
""")
    result = t.command("check", "-c", file).expect(2)
    assert re.search(r"c\.yaml:6:\d+: .*ca", result.err), result


def test_no_verification_only_when_written_out(t):
    backend = backend_of(t, t.pki.leaf("other.test",
                                       issuer=t.pki.root("stranger")))
    d = t.daemon({"none": service(backend, verify="none"),
                  "true": {"accept": {}, "connect": {
                      "address": "localhost:%d" % backend.port,
                      "tls": True}}})
    fails(d, "true")
    untouched(backend)
    works(d, "none")


def test_a_ca_file_that_is_none(t):
    t.write("empty.pem", "")
    for ca in ("missing.pem", "empty.pem"):
        file = t.write("c.yaml", """\
services:
  s:
    accept: 127.0.0.1:1
    connect:
      address: localhost:1
      tls: {verify: {ca: %s}}
""" % ca)
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:6:\d+: ", result.err), result
        assert ca in result.err, result


def parity_P15_client_certificate(t):
    """The backend demands one, and gets the one configured, in TLS 1.2 and
    1.3; without one it refuses."""
    mine = t.pki.leaf("somebody.test", usage="client",
                      issuer=t.pki.intermediate())
    seen = []

    def note(contact):
        seen.append(contact.stream.ssl.getpeercert(True))
        echo(contact)

    backends = {version: t.server(note, server_context(
        t.pki.system(), versions=version, client_ca=t.pki.root()))
        for version in ("TLSv1.2", "TLSv1.3")}
    services = {}
    for version, backend in backends.items():
        services["with-" + version] = service(
            backend, certificates={"chain": mine.chain, "key": mine.key},
            **trusted(t))
        services["without-" + version] = service(backend, **trusted(t))
    d = t.daemon(services)
    with open(mine.der, "rb") as file:
        der = file.read()
    for version in backends:
        works(d, "with-" + version)
        assert seen.pop() == der
        fails(d, "without-" + version)
        assert not seen


def parity_P15_client_certificate_by_type(t):
    """Of several the one that the backend's list of algorithms allows."""
    rsa = t.pki.leaf("rsa.test", usage="client", key="rsa",
                     issuer=t.pki.root("rsa", key="rsa"))
    ecdsa = t.pki.leaf("ecdsa.test", usage="client", key="p256")
    cert = t.pki.leaf("localhost", key="rsa")
    port = t.port()
    t.start("s_server", "openssl", "s_server", "-accept",
            "127.0.0.1:%d" % port, "-cert", cert.cert, "-key", cert.key,
            "-CAfile", rsa.issuer.cert, "-Verify", "3", "-rev",
            "-client_sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256")
    d = t.daemon({"s": {"accept": {}, "connect": {
        "address": "localhost:%d" % port,
        "tls": {"certificates": [
            {"chain": ecdsa.chain, "key": ecdsa.key},
            {"chain": rsa.chain, "key": rsa.key}], **trusted(t)}}}})

    def reversed_line():
        try:
            with d.plain() as stream:
                stream.send(b"abc\n")
                return stream.read_exactly(4)
        except (Ended, OSError):
            return None

    assert wait_for(reversed_line, "s_server answers") == b"cba\n"


def parity_P52_server_name(t):
    """By default the backend's host, nothing for an address, "" none, a name
    that is given, and with pass the client's own."""
    backend = backend_of(t)

    def tls(**more):
        return {"verify": "none", **more}

    d = t.daemon({
        "default": service(backend, **tls()),
        "ip": service(backend, "127.0.0.1", **tls()),
        "none": service(backend, **tls(server_name="")),
        "given": service(backend, **tls(server_name="given.test")),
        "pass": {"accept": t.gate(), "connect": {
            "address": "localhost:%d" % backend.port,
            "tls": tls(server_name="pass")}},
    })
    for name, expected in (("default", "localhost"), ("ip", None),
                           ("none", None), ("given", "given.test")):
        works(d, name)
        assert backend.contacts[-1].server_name == expected, name
    for name in ("web.test", "b.wild.test"):
        with d.tls("pass", name=name) as stream:
            stream.expect_echo()
        assert backend.contacts[-1].server_name == name
    with d.tls("pass", name=None) as stream:
        stream.expect_echo()
    assert backend.contacts[-1].server_name is None


def test_a_backend_that_speaks_no_tls(t):
    backend = t.server(lambda contact: contact.stream.send(
        b"220 mail.test ESMTP\r\n") or echo(contact))
    d = t.daemon({"s": service(backend, verify="none")})
    fails(d)
    d.wait_access(reason="backend_handshake_failed")


def test_plaintext_before_the_handshake_never_reaches_the_client(t):
    """A backend that says something in clear and then does TLS."""
    def handler(contact):
        contact.stream.send(b"injected")
        contact.read_all()

    backend = t.server(handler)
    d = t.daemon({"s": service(backend, verify="none")})
    with d.plain() as stream:
        assert stream.read_all()[0] == b""


def test_the_backends_alert_is_in_the_log(t):
    backend = backend_of(t, versions="TLSv1.2")
    d = t.daemon({"s": service(backend, versions="TLSv1.3", verify="none")})
    fails(d)
    record = d.wait_access(reason="backend_handshake_failed")
    assert re.search("alert|version", record["detail"]), record
