# SPDX-License-Identifier: BSD-2-Clause
"""sealock probe --ocsp: staples, and real responders asked for every
certificate of a chain."""

import json

from harness import limit, wait_for
from ocsp import Proxy, Responder, answer, names_responder, statement
from pki import read


def serve(t, name, certificate, *more):
    port = t.port()
    if certificate.issuers():
        more += ("-cert_chain", t.write(name + ".pem", b"".join(
            read(issuer.cert) for issuer in certificate.issuers())))
    peer = t.start(name, "openssl", "s_server", "-accept",
                   "127.0.0.1:%d" % port, "-cert", certificate.cert, "-key",
                   certificate.key, "-rev", *more)
    wait_for(lambda: "ACCEPT" in peer.text(), name + " listens")
    return port


def probe(t, port, root, *options, status=None, text=False):
    result = t.command("probe", "--no-versions", "--ca", root.cert, *options,
                       *(() if text else ("--json",)), "localhost:%d" % port)
    if status is not None:
        result.expect(status)
    return result.out if text else json.loads(result.out)


@limit(120)
def parity_P35_probe_asks_the_responders(t):
    """Good, revoked, unknown; of a delegated signer, and of one that may not;
    several certificates; nobody there; by way of a proxy."""
    root = t.pki.root("probing")
    inner = t.pki.intermediate("probing inner", issuer=root)
    port = t.port()
    url = "http://127.0.0.1:%d/" % port
    leaf = {status: t.pki.leaf("localhost", issuer=inner, unit=status,
                               more=names_responder(url))
            for status in ("good", "revoked", "unknown")}
    delegate = t.pki.leaf("delegate", issuer=inner, usage="ocsp")
    pretender = t.pki.leaf("pretender", issuer=inner, usage="server")
    known = {leaf["good"]: "good", leaf["revoked"]: "revoked"}
    servers = {status: serve(t, status, one) for status, one in leaf.items()}
    for name, signer in (("issuer", inner), ("delegate", delegate),
                         ("pretender", pretender)):
        responder = Responder(t, inner, known, signer=signer, port=port,
                              name=name)
        for status in leaf:
            told = probe(t, servers[status], root, "--ocsp")
            assert told["verdicts"]["staple"]["good"] is None, told
            first, second = told["ocsp"]
            expected = "unusable" if name == "pretender" else status
            assert first["status"] == expected, told
            assert first["responder"] == url
            assert "CN=localhost" in first["subject"], first
            assert first["verdict"]["good"] == (expected == "good"), first
            # The intermediate names none, which is nothing against it.
            assert second["status"] is None, second
            assert second["verdict"]["good"] is None, second
            assert told["good"] == (expected == "good"), told
            if expected == "good":
                assert first["this_update"] < first["next_update"], first
        if name == "issuer":
            said = probe(t, servers["revoked"], root, "--ocsp", status=1,
                         text=True)
            assert "BAD  revoked: revoked on 20" in said, said
            assert "(keyCompromise), says its responder" in said, said
            assert "says " + url in said, said
        responder.peer.stop()
    # Nobody answers; and who does not ask does not mind.
    told = probe(t, servers["good"], root, "--ocsp", status=1)
    assert told["ocsp"][0]["verdict"]["text"].startswith("no answer"), told
    assert probe(t, servers["revoked"], root, status=0)["ocsp"] == []
    # By a proxy, which alone knows the responder's name.
    away = t.pki.leaf("localhost", issuer=inner, unit="away",
                      more=names_responder("http://ocsp.test/"))
    far = serve(t, "away", away)
    responder = Responder(t, inner, {away: "good"}, name="far")
    proxy = Proxy(t, {"ocsp.test": responder.port})
    probe(t, far, root, "--ocsp", "--http-proxy", proxy.address, status=0)
    assert proxy.asked == ["ocsp.test"], proxy.asked
    t.command("probe", "--http-proxy", "x:1", "localhost:1").expect(2)


@limit(60)
def parity_P33_probe_tells_of_staples(t):
    root = t.pki.root("probing")
    leaf = t.pki.leaf("localhost", issuer=root)
    for status, good in (("good", True), ("revoked", False),
                         ("unknown", False)):
        staple = answer(t, statement(leaf, root, status), signer=root)
        port = serve(t, status, leaf, "-status_file",
                     t.write(status + ".der", staple))
        told = probe(t, port, root, status=0 if good else 1)
        assert told["verdicts"]["staple"]["good"] == good, told
        # Without the CA nobody knows whose word would count.
        told = probe(t, port, t.pki.root("stranger"), status=1)
        assert told["verdicts"]["staple"]["good"] is None, told
