# SPDX-License-Identifier: BSD-2-Clause
"""Signatures with keys of every type, as a server and as a client, for OpenSSL,
GnuTLS and Perl, wherever the keys are: in the keeper or in the workers."""


from harness import wait_for
from pki import openssl, read
from test_peers import PERL_CLIENT, PERL_SERVER, need_perl_module

VERSIONS = ("1.2", "1.3")

# In TLS 1.2 a certificate's curve must be among them.
GROUPS = ["X25519", "P-256", "P-384", "P-521"]

# What OpenSSL calls the schemes that a key of a type signs with.
RSA_PSS = ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"]
ECDSA = ["ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512"]
RESTRICTED = ["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"]
SCHEMES = {
    "rsa": {"1.2": ["RSA+SHA256", "RSA+SHA384", "RSA+SHA512", *RSA_PSS],
            "1.3": RSA_PSS},
    "rsa-pss": {"1.2": RESTRICTED, "1.3": RESTRICTED},
    "p256": {"1.2": ECDSA, "1.3": ["ecdsa_secp256r1_sha256"]},
    "p384": {"1.2": ECDSA, "1.3": ["ecdsa_secp384r1_sha384"]},
    "p521": {"1.2": ECDSA, "1.3": ["ecdsa_secp521r1_sha512"]},
    "ed25519": {"1.2": ["ed25519"], "1.3": ["ed25519"]},
    "ed448": {"1.2": ["ed448"], "1.3": ["ed448"]},
}


def with_and_without_keeper(t, services):
    """A daemon of each kind. services is a function, as one daemon must not
    get the other's addresses."""
    for is_isolated in (False, True):
        yield t.daemon(services(), globals={"isolate_keys": is_isolated},
                       name="isolated" if is_isolated else "together")


def servers(t):
    """A service with a certificate of each type, of the type's name."""
    return {key: {"accept": t.gate(t.pki.leaf("web.test", key=key)),
                  "connect": "builtin:echo"} for key in SCHEMES}


def clients(t, backends):
    """A service with a client certificate of each type for each version:
    backends is {version: port}."""
    services = {}
    for version, port in backends.items():
        for key in SCHEMES:
            mine = t.pki.leaf("somebody.test", key=key, usage="client")
            services["%s-%s" % (key, version)] = {"accept": {}, "connect": {
                "address": "localhost:%d" % port, "tls": {
                    "verify": {"ca": t.pki.root().cert},
                    "groups": GROUPS,
                    "certificates": {"chain": mine.chain, "key": mine.key}}}}
    return services


# As a server.


def test_openssl_asks_for_every_scheme(t):
    for d in with_and_without_keeper(t, lambda: servers(t)):
        for key, by_version in SCHEMES.items():
            for version, schemes in by_version.items():
                for scheme in schemes:
                    check_scheme(t, d, key, version, scheme)


def check_scheme(t, d, key, version, scheme):
    result = t.run(
        "openssl", "s_client", "-connect", "127.0.0.1:%d" % d.port(key),
        "-servername", "web.test", "-CAfile", t.pki.root().cert,
        "-verify_return_error", "-tls" + version.replace(".", "_"),
        "-sigalgs", scheme)
    assert result.status == 0 and (
        "Verify return code: 0 (ok)" in result.out), (key, scheme, result)
    hashed = scheme[-3:] if "sha" in scheme.lower() else None
    assert not hashed or "Peer signing digest: SHA" + hashed in result.out, (
        key, scheme, result)


def test_gnutls_clients(t):
    program = t.need("gnutls-cli")
    for d in with_and_without_keeper(t, lambda: servers(t)):
        for key in SCHEMES:
            for version in VERSIONS:
                result = t.run(
                    program, "--port", d.port(key), "--x509cafile",
                    t.pki.root().cert, "--sni-hostname", "web.test",
                    "--verify-hostname", "web.test", "--priority",
                    "NORMAL:-VERS-ALL:+VERS-TLS" + version, "127.0.0.1")
                assert result.status == 0 and (
                    "Handshake was completed" in result.out), (key, result)


def test_perl_clients(t):
    need_perl_module(t)
    script = t.write("client.pl", PERL_CLIENT)
    for d in with_and_without_keeper(t, lambda: servers(t)):
        for key in SCHEMES:
            for version in VERSIONS:
                wanted = "TLSv" + version.replace(".", "_")
                result = t.run("perl", script, d.port(key), t.pki.root().cert,
                               wanted).expect()
                assert result.out.startswith(wanted), (key, result)


# As a client.


def exchange(d, service, question, answer):
    with d.plain(service) as stream:
        stream.send(question)
        assert stream.read_exactly(len(answer)) == answer, service


def test_openssl_servers_that_demand_a_certificate(t):
    cert = t.pki.system()
    ports = {version: t.port() for version in VERSIONS}
    for version, port in ports.items():
        t.start("s_server" + version, "openssl", "s_server", "-accept",
                "127.0.0.1:%d" % port, "-cert", cert.cert, "-key", cert.key,
                "-CAfile", t.pki.root().cert, "-Verify", "2",
                "-verify_return_error", "-tls" + version.replace(".", "_"),
                "-rev", "-quiet")
        t.wait_open(port, "s_server")
    for d in with_and_without_keeper(t, lambda: clients(t, ports)):
        for service in d.services:
            exchange(d, service, b"hello\n", b"olleh\n")


def test_gnutls_servers_that_demand_a_certificate(t):
    program = t.need("gnutls-serv")
    cert = t.pki.system()
    ports = {version: t.port() for version in VERSIONS}
    for version, port in ports.items():
        t.start("gnutls" + version, program, "--echo", "--port", str(port),
                "--x509certfile", cert.chain, "--x509keyfile", cert.key,
                "--x509cafile", t.pki.root().cert, "--require-client-cert",
                "--verify-client-cert", "--priority",
                "NORMAL:-VERS-ALL:+VERS-TLS" + version)
        t.wait_open(port, "gnutls-serv")
    for d in with_and_without_keeper(t, lambda: clients(t, ports)):
        for service in d.services:
            exchange(d, service, b"hello\n", b"hello\n")


def test_perl_server_that_asks_for_a_certificate(t):
    need_perl_module(t)
    cert = t.pki.system()
    port = t.port()
    script = t.write("server.pl", PERL_SERVER)
    peer = t.start("perl", "perl", script, port, cert.chain, cert.key,
                   t.pki.root().cert)
    wait_for(lambda: "ready" in peer.text(), "the Perl server listens")
    for d in with_and_without_keeper(t, lambda: clients(t, {"any": port})):
        for service in d.services:
            exchange(d, service, b"hello\n", b"hello\n")
    assert peer.text().count("peer=somebody.test") == 2 * len(SCHEMES)


# A client's transcript in TLS 1.2 holds all that the server has said.


def authorities_with_long_names(t, size):
    """A PEM file of the root and of certificates whose subjects have so many
    bytes together."""
    parts = [read(t.pki.root().cert)]
    while size > 0:
        words = min(60, size // 75 + 1)
        subject = "/CN=%d" % len(parts) + "".join(
            "/OU=" + "x" * 64 for _ in range(words))
        parts.append(openssl("req", "-x509", "-key", t.pki.root().key,
                             "-subj", subject, "-days", "1"))
        size -= 75 * words
    return t.write("authorities.pem", b"".join(parts))


def test_a_server_with_a_long_list_of_authorities(t):
    """More than fits into one packet of the keeper's channel is signed."""
    cert = t.pki.system()
    ports = {version: t.port() for version in VERSIONS}
    authorities = authorities_with_long_names(t, 62000)
    for version, port in ports.items():
        t.start("s_server" + version, "openssl", "s_server", "-accept",
                "127.0.0.1:%d" % port, "-cert", cert.cert, "-key", cert.key,
                "-CAfile", authorities, "-Verify", "2", "-verify_return_error",
                "-tls" + version.replace(".", "_"), "-rev", "-quiet")
        t.wait_open(port, "s_server")
    result = t.run("openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % ports["1.2"], "-tls1_2")
    shown = result.out.count("x" * 64)
    assert shown * 75 > 60000, (shown, result)
    for d in with_and_without_keeper(t, lambda: clients(t, ports)):
        for service in d.services:
            exchange(d, service, b"hello\n", b"olleh\n")
