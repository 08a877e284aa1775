# SPDX-License-Identifier: BSD-2-Clause
"""Sessions with backends: what one service has found out about a backend is
nothing to another that asks for more, or for somebody else."""

from harness import limit
from responder import reply
from streams import Ended, echo, server_context
from test_ocsp_check import World

VERSIONS = ("TLSv1.2", "TLSv1.3")


def is_served(d, service):
    with d.plain(service) as stream:
        try:
            stream.expect_echo()
        except (Ended, OSError):
            return False
    return True


def connect(backend, verify, **tls):
    return {"accept": {}, "connect": {
        "address": backend.address,
        "tls": {"verify": verify, "session": {"key": "the same"}, **tls}}}


def resumed(d, service):
    return [r["backend_tls"]["resumed"] for r in d.access(service=service)
            if "backend_tls" in r]


@limit(120)
def test_HAProxy_2025_no_session_for_another_name(t):
    """The backend takes any session back, and has a certificate for one of the
    names only. Whoever asks for the other finds that out every time."""
    root = t.pki.root()
    for version in VERSIONS:
        backend = t.server(echo, tls=server_context(
            t.pki.leaf("right.test"), versions=version))
        right, wrong = ({"mode": "required", "ca": root.cert, "name": name}
                        for name in ("right.test", "wrong.test"))
        d = t.daemon({
            "right": connect(backend, right, server_name="right.test"),
            "wrong": connect(backend, wrong, server_name="wrong.test"),
            "named": connect(backend, wrong, server_name="right.test"),
        }, name=version, globals={"workers": 1})
        for _ in range(5):
            assert is_served(d, "right")
            assert not is_served(d, "wrong")
            assert not is_served(d, "named")
        d.wait_access(5, service="right")
        # There was something to take.
        assert any(resumed(d, "right")), version
        for service in "wrong", "named":
            d.wait_access(5, service=service)
            assert {r["reason"] for r in d.access(service=service)} == {
                "backend_name_mismatch"}


@limit(120)
def test_Envoy_CVE_2022_21654_no_session_of_weaker_checks(t):
    """Where nothing was verified, or by other authorities, pins, names or
    lists, nothing is remembered for who verifies: also over a reload that
    makes a service stricter."""
    stranger = t.pki.root("stranger")
    for version in VERSIONS:
        backend = t.server(echo, tls=server_context(
            t.pki.leaf("right.test", issuer=stranger), versions=version))
        strict = {"mode": "required", "ca": t.pki.root().cert,
                  "name": "right.test"}
        known = {**strict, "ca": stranger.cert}
        services = {
            "none": connect(backend, "none", server_name="right.test"),
            "known": connect(backend, known, server_name="right.test"),
            "strict": connect(backend, strict, server_name="right.test"),
            "changed": connect(backend, known, server_name="right.test"),
        }
        d = t.daemon(services, name=version, globals={"workers": 1})
        for _ in range(4):
            for service, expected in (("none", True), ("known", True),
                                      ("changed", True), ("strict", False)):
                assert is_served(d, service) is expected, (version, service)
        services["changed"]["connect"]["tls"]["verify"] = strict
        d.reload(services)
        for _ in range(4):
            assert is_served(d, "none")
            assert not is_served(d, "changed")
            assert not is_served(d, "strict")
        d.wait_access(8, service="none")
        assert any(resumed(d, "none")), version


@limit(120)
def test_a_revoked_backend_is_not_resumed(t):
    """The responder's answer comes when the handshake is done and, with TLS
    1.2, a session there; it counts the next time, too. What began because
    nobody answered is asked about again."""
    world = World(t)
    clients = {"revoked": world.at("/revoked", "revoked"),
               "good": world.at("/good", "good"), "late": world.at("/late")}
    world.http.answers["/late"] = reply(b"", "500 Not Now")
    for version in VERSIONS:
        services = {
            name: connect(t.server(echo, tls=server_context(
                certificate, versions=version)), {
                    "mode": "required", "ca": world.root.cert,
                    "name": "client.%s" % name,
                    "ocsp": {"check": "leaf", "fail": "soft"}})
            for name, certificate in clients.items()}
        d = t.daemon(services, name=version, globals={"workers": 1})
        for _ in range(4):
            assert is_served(d, "good")
            assert is_served(d, "late")
            assert not is_served(d, "revoked")
        d.wait_access(4, service="revoked")
        assert {r["reason"] for r in d.access(service="revoked")} == {
            "backend_revoked"}
        d.wait_access(4, service="late")
        assert not any(resumed(d, "late")), version
        d.wait_access(4, service="good")
        assert any(resumed(d, "good")), version
