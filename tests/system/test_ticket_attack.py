# SPDX-License-Identifier: BSD-2-Clause
"""Tickets in wrong hands, and in clever ones: whatever is no ticket of ours is
a full handshake, and never a failure, a session or the end of a worker."""

import os
import threading

from harness import limit
from sessions import Client, KeyFile, elements, ticket, with_ticket
from revocation import element, first
from streams import echo
from test_resumption import WAYS, Visitor, wants

HOUR = 3600


def keyed(*keys, lifetime="24h", **session):
    return {"tickets": {"mode": "files", "files": [key.path for key in keys],
                        "lifetime": lifetime}, **session}


def start(t, services, **options):
    """services: the accept gates."""
    backend = t.server(echo)
    d = t.daemon({name: {"accept": gate, "connect": backend.address}
                  for name, gate in services.items()}, **options)
    return d, Visitor(t, d, backend)


@limit(240)
def test_no_byte_of_a_ticket_can_be_changed(t):
    key = KeyFile(t, "key")
    d, v = start(t, {"s": t.gate(session=keyed(key))})
    for way in "ticket", "psk":
        made = v.expect(False, "s", "web.test", way).session
        good = ticket(made)
        assert key.open(good)
        step = 16 if t.sanitized else 1
        for at in range(0, len(good), step):
            bad = bytearray(good)
            bad[at] ^= 1 << at % 8
            v.expect(False, "s", "web.test", way,
                     with_ticket(made, bytes(bad)))
        for length in [*range(1, 100, step), *range(100, len(good), 13)]:
            v.expect(False, "s", "web.test", way,
                     with_ticket(made, good[:length]))
        for more in (b"\0", bytes(16), good):
            v.expect(False, "s", "web.test", way,
                     with_ticket(made, good + more))
        v.expect(True, "s", "web.test", way, made)


@limit(120)
def test_tickets_of_every_size(t):
    """Up to what a ClientHello may be long; noise under a key's own name."""
    key = KeyFile(t, "key")
    d, v = start(t, {"s": t.gate(session=keyed(key))})
    for way in "ticket", "psk":
        made = v.expect(False, "s", "web.test", way).session
        for size in (17, 32, 47, 48, 63, 64, 65, 80, 81, 255, 256, 1000, 4000,
                     8000, 14000):
            for noise in (os.urandom(size),
                          (key.name + os.urandom(size))[:size]):
                v.expect(False, "s", "web.test", way,
                         with_ticket(made, noise))
        for size in 15000, 16000, 20000, 40000, 65000:
            # Nobody has to take these; nobody may fall over them.
            v.client.visit(d.port("s"), session=with_ticket(
                made, key.name + os.urandom(size)), **WAYS[way])
        v.expect(True, "s", "web.test", way, made)


def test_two_rings_with_a_key_of_one_name(t):
    name = os.urandom(16)
    one, other = KeyFile(t, "one", name), KeyFile(t, "other", name)
    d, v = start(t, {"one": t.gate(session=keyed(one)),
                     "other": t.gate(session=keyed(other))})
    for way in "ticket", "psk":
        made = {s: v.expect(False, s, "web.test", way).session
                for s in ("one", "other")}
        for first_, session in made.items():
            for second in made:
                v.expect(first_ == second, second, "web.test", way, session)


@limit(120)
def test_a_stolen_key_that_is_no_longer_used(t):
    """What is made with it, or was, by us or by whoever has it, is nothing
    as soon as its file is gone."""
    stolen, key = KeyFile(t, "stolen"), KeyFile(t, "key")
    d, v = start(t, {"s": t.gate(session=keyed(stolen))})
    made = {way: v.expect(False, "s", "web.test", way).session
            for way in ("ticket", "psk")}
    services = d.services
    services["s"]["accept"]["tls"]["session"] = keyed(key, stolen)
    d.reload(services)
    for way, session in made.items():
        # It still decrypts, and what comes back is under the new one.
        again = v.expect(True, "s", "web.test", way, session).session
        assert ticket(again)[:16] == key.name, way
    services["s"]["accept"]["tls"]["session"] = keyed(key)
    d.reload(services)
    for way, session in made.items():
        v.expect(False, "s", "web.test", way, session)
        forged = stolen.seal(stolen.open(ticket(session)))
        v.expect(False, "s", "web.test", way, with_ticket(session, forged))


@limit(120)
def test_a_certificate_too_large_to_be_remembered(t):
    """It is verified in full each time; its owner is none the worse."""
    root = t.pki.root()
    large = t.pki.leaf("large.client", *("name-%d.client" % n
                                         for n in range(300)),
                       usage="client", issuer=root)
    d, v = start(t, {"s": t.gate(verify=wants(root), session=keyed(
        KeyFile(t, "key"), cache=100))})
    for way in WAYS:
        for _ in range(2):
            made = v.expect(False, "s", "web.test", way,
                            certificate=large).session
            if made:
                v.expect(False, "s", "web.test", way, made, large)


@limit(120)
def test_reloads_under_resumption(t):
    """Rings come and go while clients resume: no handshake fails, and what was
    made under a key that is there is resumed."""
    keys = [KeyFile(t, "key-%d" % n) for n in range(3)]
    d, v = start(t, {"s": t.gate(session=keyed(*keys[:2]))},
                 globals={"workers": 3})
    gate = d.services["s"]["accept"]["tls"]
    failed, over = [], threading.Event()

    def resume():
        client = Client(t)
        made = {}
        while not over.is_set():
            for way in "ticket", "psk":
                visit = client.visit(d.port("s"), session=made.get(way),
                                     **WAYS[way])
                made[way] = visit.session or made.get(way)
                if not visit:
                    failed.append(visit)

    threads = [threading.Thread(target=resume) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for round in range(6):
            order = [keys[(round + n) % 3] for n in range(3)]
            gate["session"] = (keyed(*order[:2]) if round % 3 else
                               {"tickets": {"mode": "auto"}})
            d.reload(d.services)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failed, failed[:5]
    gate["session"] = keyed(*keys)
    d.reload(d.services)
    for way in "ticket", "psk":
        made = v.expect(False, "s", "web.test", way).session
        gate["session"] = keyed(keys[1], keys[0], keys[2])
        d.reload(d.services)
        v.expect(True, "s", "web.test", way, made)


@limit(120)
def test_a_session_under_other_circumstances(t):
    """Another protocol, other ciphers, another version: what is agreed on is of
    this handshake, and what was weaker once is not brought back."""
    key = KeyFile(t, "key")
    d, v = start(t, {
        "s": t.gate(alpn=["h2", "http/1.1"], session=keyed(key)),
        "strong": t.gate(ciphersuites="TLS_AES_256_GCM_SHA384",
                         versions="TLSv1.3", session=keyed(key))})
    for way in "ticket", "psk":
        made = v.expect(False, "s", "web.test", way, alpn="h2")
        assert made.alpn == "h2"
        for alpn in "http/1.1", "h2", None:
            visit = v.visit("s", "web.test", way, made.session, alpn=alpn)
            assert visit and visit.alpn == (alpn or "-"), (way, alpn, visit)
        visit = v.visit("s", "web.test", way, made.session, alpn="smtp")
        assert "no_application_protocol" in visit.reason, visit
    # A suite with another hash cannot have this key (RFC 8446 4.2.11).
    made = v.expect(False, "s", "web.test", "psk",
                    suites="TLS_AES_256_GCM_SHA384").session
    for suite, resumed in (("TLS_AES_128_GCM_SHA256", False),
                           ("TLS_AES_256_GCM_SHA384", True)):
        visit = v.expect(resumed, "s", "web.test", "psk", made, suites=suite)
        assert visit.cipher == suite
    # A TLS 1.2 session is of one suite: without it in the hello OpenSSL takes
    # it for a broken client; nothing else may come of it.
    made = v.expect(False, "s", "web.test", "ticket",
                    ciphers="ECDHE-ECDSA-AES256-GCM-SHA384").session
    visit = v.visit("s", "web.test", "ticket", made,
                    ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    assert not visit or (not visit.resumed and visit.cipher ==
                         "ECDHE-ECDSA-AES128-GCM-SHA256"), visit
    # Where only the strong one is good there is no way to a weaker one.
    weak = v.expect(False, "s", "web.test", "psk",
                    suites="TLS_AES_128_GCM_SHA256").session
    visit = v.visit("strong", "web.test", "psk", weak)
    assert visit and not visit.resumed and "256" in visit.cipher, visit
    v.expect_refused("strong", "web.test", "psk", weak,
                     suites="TLS_AES_128_GCM_SHA256")
    v.expect_refused("strong", "web.test", "ticket", made)


def test_early_data_that_nobody_has_offered(t):
    """A client that has convinced itself: it is served, without it."""
    key = KeyFile(t, "key")
    d, v = start(t, {"s": t.gate(session=keyed(key))})
    made = v.expect(False, "s", "web.test", "psk").session
    inner = key.open(ticket(made))

    def claims(session):
        """With [15], how much early data its server takes."""
        kept = [(tag, content) for tag, content in elements(session)
                if tag != 0xaf]
        kept.append((0xaf, element(2, b"\x40\x00")))
        kept.sort(key=lambda pair: pair[0])
        return element(0x30, *(element(*pair) for pair in kept))

    for session in (claims(made),
                    claims(with_ticket(made, key.seal(claims(inner))))):
        visit = v.visit("s", "web.test", "psk", session, early=1)
        assert visit and visit.early == 1, visit  # rejected
    records = d.access()
    assert not [r for r in records if r["bytes_in"] not in (0, 15)], records


def facts_of(session):
    """Where in a session's elements our own words are: OpenSSL's ticket
    application data, [18]."""
    found = elements(session)
    at = [i for i, (tag, _) in enumerate(found) if tag == 0xb2]
    assert at, found
    return found, at[0]


def with_facts(session, facts):
    found, at = facts_of(session)
    found[at] = (0xb2, element(4, facts))
    if facts is None:
        del found[at]
    return element(0x30, *(element(tag, content) for tag, content in found))


@limit(240)
def test_facts_that_we_never_wrote(t):
    """With the key in hand: what a session says of itself may be anything. A
    worker lives on, and nobody is let in by what it cannot read."""
    key = KeyFile(t, "key")
    root = t.pki.root()
    member = t.pki.leaf("member.client", usage="client", issuer=root)
    d, v = start(t, {
        "s": t.gate(verify=wants(root), session=keyed(key, lifetime="2h"))})
    for way in "ticket", "psk":
        made = v.expect(False, "s", "web.test", way,
                        certificate=member).session
        inner = key.open(ticket(made))
        found, at = facts_of(inner)
        facts = first(found[at][1])[1]

        def show(changed):
            return v.visit("s", "web.test", way, with_ticket(
                made, key.seal(changed)))

        assert show(with_facts(inner, facts)).resumed
        assert not show(with_facts(inner, b""))
        assert not show(element(0x30, *(
            element(tag, content) for tag, content in found
            if tag != 0xb2)))
        for length in range(len(facts)):
            assert not show(with_facts(inner, facts[:length])), length
        for more in (b"\0", bytes(1000), bytes(5000)):
            assert not show(with_facts(inner, facts + more)), len(more)
        # The first byte is a form's number; numbers that are out of all
        # bounds are no session.
        for value in range(256):
            changed = bytes([value]) + facts[1:]
            assert show(with_facts(inner, changed)).is_in == (
                changed == facts), value
        for at in range(len(facts)):
            for value in (0, 0x7f, 0x80, 0xff):
                changed = bytearray(facts)
                changed[at] = value
                show(with_facts(inner, bytes(changed)))
        # Behind the form's number is when the session began.
        for seconds, resumed in ((0, True), (-3600, True), (300, True),
                                 (-7201, False), (3600, False),
                                 (400 * 86400, False), (1 << 62, False)):
            changed = (facts[:1] + (int.from_bytes(facts[1:9], "big") +
                                    seconds).to_bytes(8, "big") + facts[9:])
            assert show(with_facts(inner, changed)).is_in == resumed, seconds
        v.expect(False, "s", "web.test", way, certificate=member)
    assert "child died" not in d.text()
