# SPDX-License-Identifier: BSD-2-Clause
"""Resumption where others went wrong with it: named after the holes."""

import time

from harness import limit
from pki import write
from responder import reply
from revocation import crl, pem
from sessions import Client, lifetime
from streams import echo
from test_authorize import NO, YES, Authorizer
from test_ocsp_check import World

SECRET = "all of these have one ring of keys, and one cache"
HOUR = 3600

WAYS = {
    "id": {"version": "1.2", "ids": 1},
    "ticket": {"version": "1.2"},
    "psk": {"version": "1.3"},
}


def session(t, **tickets):
    """Keys that every service shares, and a cache."""
    path = t.path("secret")
    write(path, SECRET + "\n", 0o600)
    return {"tickets": {"mode": "derived", "secret": path, **tickets},
            "cache": {"size": 1000, "timeout": "24h"}}


def wants(authority):
    return {"mode": "required", "ca": authority.cert}


class Visitor:
    """A client whose visits are compared with what the backend sees."""

    def __init__(self, t, d, backend):
        self.client = Client(t)
        self.d = d
        self.backend = backend

    def visit(self, service, name, way, session=None, certificate=None,
              **words):
        before = len(self.backend.contacts)
        visit = self.client.visit(
            self.d.port(service), name, session=session,
            certificate=certificate, **WAYS[way], **words)
        arrived = len(self.backend.contacts) - before
        assert arrived == int(visit.is_in), (service, name, way, visit)
        return visit

    def expect(self, resumed, *arguments, **words):
        visit = self.visit(*arguments, **words)
        assert visit and visit.resumed is resumed, (arguments, visit)
        return visit

    def expect_refused(self, *arguments, **words):
        visit = self.visit(*arguments, **words)
        assert not visit, (arguments, visit)
        return visit


@limit(120)
def test_CVE_2025_23419_no_session_of_a_lax_name_at_a_strict_one(t):
    """nginx, TLS 1.3: names that share a port, of which one wants
    certificates. With and without one at hand."""
    root = t.pki.root()
    member = t.pki.leaf("member.client", usage="client", issuer=root)
    backend = t.server(echo)
    d = t.daemon({"s": {
        "accept": t.gate(t.pki.leaf("lax.test", "strict.test"),
                         session=session(t), hosts={
                             "strict.test": {"verify": wants(root)}}),
        "connect": backend.address}})
    v = Visitor(t, d, backend)
    for way in WAYS:
        lax = v.expect(False, "s", "lax.test", way).session
        v.expect(True, "s", "lax.test", way, lax)
        v.expect_refused("s", "strict.test", way, lax)
        # A name that no entry is for is the lax one's.
        v.expect(False, "s", "strict.test", way, lax, member)
        strict = v.expect(False, "s", "strict.test", way,
                          certificate=member).session
        v.expect(True, "s", "strict.test", way, strict)
        v.expect(False, "s", "lax.test", way, strict)
    assert {r["reason"] for r in d.access() if not r["bytes_out"]} == {
        "client_cert_required"}


@limit(120)
def test_CVE_2014_3616_no_session_for_another_certificate(t):
    """nginx: services that share a cache or keys resumed one another's
    sessions, so that a client believed to talk to a server with another
    certificate."""
    certificates = {name: t.pki.leaf(name + ".test") for name in "abc"}
    backend = t.server(echo)
    services = {name: {"accept": t.gate(certificate, session=session(t)),
                       "connect": backend.address}
                for name, certificate in certificates.items()}
    # As a, but for the listener.
    services["d"] = {"accept": t.gate(certificates["a"], session=session(t)),
                     "connect": backend.address}
    d = t.daemon(services)
    v = Visitor(t, d, backend)
    for way in WAYS:
        for first in services:
            made = v.expect(False, first, "a.test", way).session
            for second in services:
                v.expect(first == second, second, "a.test", way, made)
    # The same service after its certificate was replaced.
    made = {way: v.expect(False, "a", "a.test", way).session for way in WAYS}
    services["a"]["accept"] = {
        **t.gate(t.pki.leaf("a.test", days=60), session=session(t)),
        "address": services["a"]["accept"]["address"]}
    d.reload(services)
    for way, old in made.items():
        v.expect(False, "a", "a.test", way, old)


@limit(120)
def test_CVE_2015_3644_who_was_refused_does_not_resume(t):
    """stunnel: whom no certificate let in was sent elsewhere once, and got in
    with the session of that connection."""
    root, stranger = t.pki.root(), t.pki.root("stranger")
    intruder = t.pki.leaf("strange.client", usage="client", issuer=stranger)
    authorizer = Authorizer(t, NO)
    backend = t.server(echo)
    d = t.daemon({
        "certified": {"accept": t.gate(verify=wants(root),
                                       session=session(t)),
                      "connect": backend.address},
        "asked": {"accept": t.gate(session=session(t)),
                  "authorize": {"socket": authorizer.socket},
                  "connect": backend.address}})
    v = Visitor(t, d, backend)
    asked = 0
    for way in WAYS:
        # data=0 looks at what a client has when its own handshake is done,
        # which in TLS 1.3 is before we have seen its certificate.
        for words in {}, {"data": 0}:
            refused = v.client.visit(
                d.port("certified"), certificate=intruder, **WAYS[way],
                **words)
            assert not refused.sessions, (way, refused)
            refused = v.client.visit(d.port("asked"), **WAYS[way], **words)
            assert way != "psk" or not refused.sessions, (way, refused)
            asked += 1 + len(refused.sessions)
            for made in refused.sessions:
                v.expect_refused("asked", "web.test", way, made)
    assert not backend.contacts
    # All that were asked about have had their answer.
    d.wait_access(asked, service="asked")
    # Who is let in is asked about again each time.
    authorizer.answer = lambda _: YES
    for way in WAYS:
        authorizer.answer = lambda _: YES
        made = v.expect(False, "asked", "web.test", way).session
        before = len(authorizer.questions)
        v.expect(True, "asked", "web.test", way, made)
        assert len(authorizer.questions) == before + 1
        authorizer.answer = lambda _: NO
        v.expect_refused("asked", "web.test", way, made)


@limit(120)
def test_who_resumes_is_known_as_well_as_before(t):
    """Authorizer and access record have of a resumed session what they had of
    the first one, whoever was let in by a name, a pin or nothing."""
    root = t.pki.root()
    member = t.pki.leaf("member.client", usage="client", issuer=root)
    pinned = t.pki.leaf("pinned.client", usage="client",
                        issuer=t.pki.root("stranger"))
    authorizer = Authorizer(t, YES)
    backend = t.server(echo)
    d = t.daemon({"s": {
        "accept": t.gate(session=session(t), verify={
            **wants(root), "mode": "optional",
            "fingerprints": ["sha256$" + pinned.digest()]}),
        "authorize": {"socket": authorizer.socket},
        "connect": backend.address}})
    v = Visitor(t, d, backend)
    passing = ("time", "client", "resumed", "handshake_ms", "connect_ms",
               "duration_ms", "id")
    for way in WAYS:
        for certificate in member, pinned, None:
            count = len(d.access())
            made = v.expect(False, "s", "web.test", way,
                            certificate=certificate).session
            v.expect(True, "s", "web.test", way, made)
            first, again = ({key: value for key, value in question.items()
                             if key not in passing}
                            for question in authorizer.questions[-2:])
            assert first == again, (way, first, again)
            d.wait_access(count + 2)
            records = d.access()[-2:]
            assert {r["resumed"] for r in records} == {True, False}
            first, again = ({key: value for key, value in record.items()
                             if key not in passing} for record in records)
            assert first == again, (way, first, again)


@limit(120)
def test_HAProxy_2026_renewing_a_session_does_not_prolong_it(t):
    """Each resumption brings a new ticket; together they last no longer than
    the first one would have, and what they are said to last is what is
    left."""
    root = t.pki.root()
    member = t.pki.leaf("member.client", usage="client", issuer=root)
    backend = t.server(echo)
    clock = t.clock()
    d = t.daemon({"s": {
        "accept": t.gate(verify=wants(root),
                         session=session(t, lifetime="2h")),
        "connect": backend.address}}, clock=clock)
    v = Visitor(t, d, backend)
    held = {way: v.expect(False, "s", "web.test", way, certificate=member)
            for way in WAYS}
    began = time.time() + clock.offset
    for half in range(1, 8):
        # 1:00, 1:30, 1:45 and so on: never beyond two hours.
        clock.set(2 * HOUR * (1 - 0.5 ** half) - 30)
        for way in WAYS:
            again = v.expect(True, "s", "web.test", way, held[way].session)
            # TLS 1.2 keeps what it has, unless the key has changed.
            assert again.session, (way, half)
            held[way] = again
            left = 2 * HOUR - (time.time() + clock.offset - began)
            assert way != "psk" or lifetime(again.session) <= left + 30, half
    clock.set(2 * HOUR + 1)
    for way in WAYS:
        v.expect_refused("s", "web.test", way, held[way].session)
        v.expect(False, "s", "web.test", way, held[way].session, member)


@limit(120)
def test_HAProxy_2026_renewal_beyond_a_certificate(t):
    """What let the client in ends before the session does: its certificate, one
    above it, the list that it is not in."""
    root = t.pki.root()
    brief = t.pki.leaf("brief.client", usage="client", issuer=root, days=0.2)
    below = t.pki.leaf("below.client", usage="client", issuer=(
        t.pki.intermediate("brief-inner", issuer=root, days=0.2)))
    listed = t.pki.leaf("listed.client", usage="client", issuer=root)
    members = {"leaf": brief, "inner": below, "list": listed}
    verify = {name: wants(root) for name in members}
    verify["list"]["crl"] = t.write("list.pem", pem(crl(
        t.path(""), root, days=0.2)))
    backend = t.server(echo)
    clock = t.clock()
    d = t.daemon({name: {
        "accept": t.gate(verify=verify[name],
                         session=session(t, lifetime="24h")),
        "connect": backend.address} for name in members}, clock=clock)
    v = Visitor(t, d, backend)
    held = {(name, way): v.expect(False, name, "web.test", way,
                                  certificate=member)
            for name, member in members.items() for way in WAYS}
    for hours in 1, 2, 3, 4:
        clock.set(hours * HOUR)
        for (name, way), last in held.items():
            held[name, way] = v.expect(True, name, "web.test", way,
                                       last.session)
    clock.set(5 * HOUR)
    for (name, way), last in held.items():
        v.expect_refused(name, "web.test", way, last.session)
        refused = v.expect_refused(name, "web.test", way, last.session,
                                   members[name])
        assert "expired" in refused.reason, (name, refused)


@limit(120)
def test_CVE_2026_28755_who_is_revoked_does_not_resume(t):
    """nginx: a responder's answer comes behind the handshake, in which TLS 1.2
    has its ticket already. Neither is a session kept that began because nobody
    answered: the responder is asked in the next handshake."""
    world = World(t)
    revoked = world.at("/revoked", "revoked")
    late = world.at("/late")
    world.http.answers["/late"] = reply(b"", "500 Not Now")
    good = world.at("/good", "good")
    backend = t.server(echo)
    d = t.daemon({"s": {"accept": t.gate(
        session=session(t), verify={
            "mode": "required", "ca": world.root.cert,
            "ocsp": {"check": "leaf", "fail": "soft"}}),
        "connect": backend.address}})
    v = Visitor(t, d, backend)
    for way in WAYS:
        for words in {}, {"data": 0}:
            refused = v.client.visit(d.port("s"), certificate=revoked,
                                     **WAYS[way], **words)
            for made in refused.sessions:
                v.expect_refused("s", "web.test", way, made, revoked)
        first = v.expect(False, "s", "web.test", way, certificate=late)
        v.expect(False, "s", "web.test", way, first.session, late)
        first = v.expect(False, "s", "web.test", way, certificate=good)
        # There is an answer only behind the handshake.
        v.expect(way == "psk", "s", "web.test", way, first.session, good)
    assert {r["reason"] for r in d.access() if not r["bytes_out"]} == {
        "client_cert_rejected"}


@limit(120)
def test_a_session_ends_with_what_its_responder_said(t):
    """A good answer is good until its nextUpdate, and with it the session."""
    world = World(t)
    good = world.at("/brief", "good", end=2 * HOUR)
    backend = t.server(echo)
    clock = t.clock()
    d = t.daemon({"s": {"accept": t.gate(
        session=session(t, lifetime="24h"), verify={
            "mode": "required", "ca": world.root.cert,
            "ocsp": {"check": "leaf", "fail": "soft"}}),
        "connect": backend.address}}, clock=clock)
    v = Visitor(t, d, backend)
    held = v.expect(False, "s", "web.test", "psk", certificate=good)
    assert lifetime(held.session) <= 2 * HOUR
    clock.set(1.5 * HOUR)
    held = v.expect(True, "s", "web.test", "psk", held.session, good)
    assert lifetime(held.session) <= 0.5 * HOUR + 30
    clock.set(2.5 * HOUR)
    v.expect(False, "s", "web.test", "psk", held.session, good)


@limit(120)
def test_another_name_of_the_same_policy(t):
    """RFC 6066 3: a session is of a name; under another one, or none, it is a
    full handshake, and no failure."""
    backend = t.server(echo)
    d = t.daemon({"s": {
        "accept": t.gate(t.pki.leaf("*.wild.test", "plain.test"),
                         session=session(t),
                         hosts={"*.wild.test": {"verify": "none"}}),
        "connect": backend.address}})
    v = Visitor(t, d, backend)
    names = ("a.wild.test", "b.wild.test", "plain.test", "unknown.test", None)
    for way in WAYS:
        for first in names:
            made = v.expect(False, "s", first, way).session
            for second in names:
                v.expect(first == second, "s", second, way, made)
    assert not [r for r in d.access() if not r["bytes_out"]]


def test_one_switch_turns_off_every_kind(t):
    backend = t.server(echo)
    d = t.daemon({"s": {
        "accept": t.gate(session={"resume": False, **session(t)}),
        "connect": backend.address}})
    v = Visitor(t, d, backend)
    for way in WAYS:
        first = v.expect(False, "s", "web.test", way)
        assert way == "ticket" or not first.sessions, (way, first)
        v.expect(False, "s", "web.test", way, first.session)
