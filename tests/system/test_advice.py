# SPDX-License-Identifier: BSD-2-Clause
"""Common problems with certificates (P73): what `check` and the log say of
them names the cause and the remedy."""

import json
import ssl

from pki import openssl, read, write
from streams import Ended, Tls, client_context, server_context, sink


def check(t, certificate=None, accept=None, connect=None, status=0):
    """What `sealock check` says of a service with these maps for TLS."""
    accept = {"certificates": certificate} if certificate else accept
    service = {"accept": {"address": "127.0.0.1:%d" % t.port()},
               "connect": {"address": "localhost:1"}}
    if accept:
        service["accept"]["tls"] = accept
    if connect:
        service["connect"]["tls"] = connect
    file = t.write("sealock.yaml", json.dumps({"services": {"s": service}}))
    return t.command("check", "-c", file).expect(status).err


def made(t, name, key, lines, *words, issuer=None):
    """A certificate for that key with these extensions."""
    config = t.write(name + ".cnf", "[req]\ndistinguished_name=d\n[d]\n[e]\n" +
                     "\n".join(lines) + "\n")
    more = ["-CA", issuer.cert, "-CAkey", issuer.key] if issuer else []
    pem = openssl("req", "-x509", "-new", "-key", key, "-config", config,
                  "-extensions", "e", "-subj", "/CN=" + name, *more, *words)
    return write(t.path(name + ".pem"), pem)


def bundle(t, name, certificate, key):
    return write(t.path(name), read(certificate) + read(key))


def parity_P73_check_of_a_missing_intermediate(t):
    inner = t.pki.intermediate()
    key = t.pki.system().key
    lines = ["subjectAltName=DNS:web.test",
             "authorityInfoAccess=caIssuers;URI:http://ca.test/inner.der"]
    leaf = made(t, "web.test", key, lines, "-days", "90", issuer=inner)
    said = check(t, bundle(t, "alone.pem", leaf, key))
    assert "warning: " in said and "alone.pem has no chain" in said, said
    assert "CN=inner CA" in said and "http://ca.test/inner.der" in said, said
    both = write(t.path("both.pem"), read(leaf) + read(inner.cert) + read(key))
    assert "warning" not in check(t, both)
    # An own CA may well have signed it without anything between them.
    assert "warning" not in check(t, t.pki.system().bundle)


def parity_P73_check_of_a_wrong_purpose(t):
    client = t.pki.leaf("web.test", usage="client")
    said = check(t, client.bundle)
    assert "is for clientAuth only" in said, said
    assert "get one for serverAuth" in said, said
    server = t.pki.leaf("web.test")
    said = check(t, connect={"verify": "none", "certificates": server.bundle})
    assert "is for serverAuth only" in said, said
    assert "get one for clientAuth" in said, said
    both = t.pki.leaf("web.test", usage="both")
    assert "warning" not in check(t, both.bundle)


def verified(path, **more):
    return {"verify": {"mode": "required", "ca": path, **more}}


def parity_P73_check_of_a_leaf_given_as_ca(t):
    leaf = t.pki.leaf("web.test")
    said = check(t, connect=verified(leaf.cert))
    assert "warning: " in said and "CN=web.test is no CA" in said, said
    assert "name CN=root CA, which has signed it" in said, said
    assert "fingerprint" in said, said
    assert "warning" not in check(t, connect=verified(t.pki.root().cert))
    assert "warning" not in check(t, connect=verified(leaf.cert,
                                                      partial_chain=True))
    # One that is signed by itself stands for itself.
    own = t.path("own.pem")
    t.command("cert", "create", "--self-signed", "--name", "localhost",
              "--out", own, "--key-out", t.path("own.key")).expect()
    assert "warning" not in check(t, connect=verified(own))


def parity_P73_check_of_an_expired_ca(t):
    path = t.pki.intermediate("gone", days=-3).cert
    said = check(t, connect=verified(path))
    assert "expired on 20" in said and "verify.ca" in said, said


def parity_P73_check_of_dates(t):
    assert "expired on" in check(t, t.pki.leaf("web.test", days=-3).bundle)
    said = check(t, t.pki.leaf("web.test", days=0.05).bundle)
    assert "expires on" in said and "in 0 days: renew it" in said, said


def parity_P73_check_of_the_key_of_another_certificate(t):
    one, other = t.pki.leaf("one.test"), t.pki.leaf("other.test")
    said = check(t, {"chain": one.chain, "key": other.key}, status=2)
    assert one.chain in said and other.key in said, said
    assert "does not match" in said, said


# The log.


def details(t, backends, **tls):
    """{name: the detail of the access record} of a connection to each."""
    d = t.daemon({name: {"accept": {}, "connect": {
        "address": "localhost:%d" % backend.port,
        "tls": {"verify": {"ca": t.pki.root().cert}, **tls}}}
        for name, backend in backends.items()})
    found = {}
    for name in backends:
        with d.plain(name) as stream:
            assert stream.read_all()[0] == b""
        found[name] = d.wait_access(service=name)["detail"]
    for backend in backends.values():
        for contact in backend.contacts:
            assert contact.over.wait(10)
            assert not contact.received, contact.received
    return found


def parity_P73_the_log_names_cause_and_remedy(t):
    """Of a backend's certificate that is refused."""
    inner = t.pki.intermediate()
    cases = {
        "alone": (t.pki.leaf("localhost", issuer=inner), (
            "CN=inner CA is not among the CAs here",
            "missing in the server's chain file")),
        "self": (t.pki.root("localhost"), (
            "signed by itself", "verify.ca", "fingerprint sha256$")),
        "purpose": (t.pki.leaf("localhost", usage="client"), (
            "is for clientAuth only", "made for serverAuth")),
        "expired": (t.pki.leaf("localhost", days=-3), (
            "expired on 20", "3 days ago", "must be renewed")),
        "name": (t.pki.leaf("one.test", "two.test"), (
            "one.test, two.test",)),
    }
    backends = {}
    for name, (certificate, _) in cases.items():
        context = server_context(certificate)
        context.load_cert_chain(certificate.cert, certificate.key)
        backends[name] = t.server(sink, tls=context)
    for name, detail in details(t, backends).items():
        for words in cases[name][1]:
            assert words in detail, (name, words, detail)


def parity_P73_the_log_names_what_is_wrong_with_clients(t):
    """The manual's: the purpose, the root, the intermediate."""
    d = t.daemon({"s": {"connect": "builtin:echo", "accept": t.gate(
        verify={"mode": "required", "ca": t.pki.root().cert})}})
    inner = t.pki.intermediate()
    cases = ((t.pki.leaf("me.test", usage="server"), "cert",
              ("the client's certificate is for serverAuth only",
               "made for clientAuth")),
             (t.pki.leaf("me.test", usage="client", issuer=inner), "cert",
              ("the client sent its own certificate alone", "inner CA")),
             (t.pki.leaf("me.test", usage="client",
                         issuer=t.pki.root("stranger")), "chain",
              ("CN=stranger CA is not among the CAs here",)))
    for count, (mine, file, words) in enumerate(cases, 1):
        context = client_context()
        context.load_cert_chain(getattr(mine, file), mine.key)
        try:
            with Tls(t.connect(d.port()).socket, context, False,
                     "web.test").handshake() as stream:
                stream.expect_echo()
            raise AssertionError("admitted")
        except (ssl.SSLError, Ended, OSError):
            pass
        detail = d.wait_access(count, reason="client_cert_rejected")["detail"]
        for word in words:
            assert word in detail, (word, detail)
