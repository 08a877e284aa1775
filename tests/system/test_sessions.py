# SPDX-License-Identifier: BSD-2-Clause
"""Sessions and policies: whoever was let in under one policy has shown nothing
to another."""

import socket
import ssl

from harness import limit
from streams import echo


def context_of(t, version, certificate=None):
    context = ssl.create_default_context(cafile=t.pki.root().cert)
    number = {"TLSv1.2": ssl.TLSVersion.TLSv1_2,
              "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
    context.minimum_version = context.maximum_version = number
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


def visit(context, port, name, session=None):
    """(session, was it resumed) of a client that got its answer; None when it
    did not. What a client is given to resume by comes behind the handshake."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name,
                                     session=session) as tls:
                tls.sendall(b"words")
                if tls.recv(10) != b"words":
                    return None
                return tls.session, tls.session_reused
        except (ssl.SSLError, ConnectionError):
            return None


@limit(120)
def parity_P43_no_session_crosses_a_policy(t):
    """Two services, and two names of one service, of which one wants a
    certificate (CVE-2025-23419): a session from where none was shown opens no
    other door, with TLS 1.2 and 1.3, and neither does one where a certificate
    of one authority was shown at the door of another's."""
    here, there = t.pki.root(), t.pki.root("other-root")
    # Their clients' certificates are told apart by who signed them.
    member = t.pki.leaf("member.client", usage="client", issuer=here)
    backend = t.server(echo)

    def wants(authority):
        return {"mode": "required", "ca": authority.cert}

    names = t.pki.leaf("lax.test", "strict.test", "other.test")
    d = t.daemon({
        "lax": {"accept": t.gate(names), "connect": backend.address},
        "strict": {"accept": t.gate(names, verify=wants(here)),
                   "connect": backend.address},
        "hosts": {"accept": t.gate(names, hosts={
            "strict.test": {"verify": wants(here)},
            "other.test": {"verify": wants(there)}}),
            "connect": backend.address}})
    for version in ("TLSv1.2", "TLSv1.3"):
        plain = context_of(t, version)
        for first, second, name in (("lax", "strict", "lax.test"),
                                    ("hosts", "hosts", "strict.test"),
                                    ("lax", "hosts", "strict.test"),
                                    ("hosts", "strict", "lax.test")):
            session, _ = visit(plain, d.port(first), "lax.test")
            before = len(backend.contacts)
            assert visit(plain, d.port(second), name, session) is None, (
                version, first, second, name)
            assert len(backend.contacts) == before
        shown = context_of(t, version, member)
        session, _ = visit(shown, d.port("hosts"), "strict.test")
        before = len(backend.contacts)
        assert visit(shown, d.port("hosts"), "other.test", session) is None
        assert len(backend.contacts) == before
        # And nobody is refused for having tried: it is a full handshake.
        assert visit(shown, d.port("strict"), "strict.test", session)
    reasons = {record["reason"] for record in d.access()
               if not record["bytes_in"]}
    assert reasons == {"client_cert_required", "client_cert_rejected"}
