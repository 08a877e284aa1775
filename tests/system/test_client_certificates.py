# SPDX-License-Identifier: BSD-2-Clause
"""The accept gate and the certificates of clients: who gets in, who does not,
what a client is told, and that nobody who is refused reaches a backend."""

import re
import ssl

from harness import limit
from streams import Ended, client_context, echo

VERSIONS = ("TLSv1.2", "TLSv1.3")


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
        from streams import Tls
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
    root = t.pki.root()
    stranger = t.pki.root("stranger")
    return {
        "good": (t.pki.leaf("good.client", usage="client"), None),
        "chain": (t.pki.leaf("chain.client", usage="client",
                             issuer=t.pki.intermediate()), None),
        "expired": (t.pki.leaf("old.client", usage="client", days=-3),
                    "CERTIFICATE_EXPIRED"),
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
    assert len(records) == 2 * 3 * 4, len(records)
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
