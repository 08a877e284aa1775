# SPDX-License-Identifier: BSD-2-Clause
"""The resumption matrix: whoever has a session of one policy shows it to every
other, by every way there is to resume, and after everything that can have
happened since. An oracle of a few lines says who may resume and who gets in."""

import collections

from harness import limit, wait_for
from pki import write
from revocation import crl, pem
from sessions import Client
from streams import echo

HOUR = 3600
SECRET = "the matrix's own secret, of more than 32 characters"

HOSTS = ("lax", "strict-1", "strict-2")  # the authority wanted is the number
LISTENERS = ("A", "B")

# How a client resumes, and the listeners (each A and B) that it is for.
WAYS = {
    "id": ("both", {"version": "1.2", "ids": 1}),
    "id without tickets": ("ids", {"version": "1.2"}),
    "ticket": ("both", {"version": "1.2"}),
    "psk": ("both", {"version": "1.3"}),
    "stateful psk": ("ids", {"version": "1.3"}),
}

Policy = collections.namedtuple("Policy", "listener host")
POLICIES = [Policy(listener, host)
            for listener in LISTENERS for host in HOSTS]


class World:
    """Two authorities and one that both strict hosts believe, too; each with
    members of whom some will not last."""

    def __init__(self, t):
        self.t = t
        self.authorities = {n: t.pki.root("matrix-%s" % n) for n in "123"}
        self.members = {
            (n, kind): t.pki.leaf(
                "%s-%s.client" % (kind, n), usage="client",
                issuer=self.authorities[n], days=0.1 if kind == "short" else 30)
            for n in "123" for kind in ("lasting", "other", "short", "bad")}
        self.revoked = set()   # members
        self.removed = set()   # authorities
        self.is_late = False   # the short ones are over
        self.versions = collections.Counter()  # of what a host goes by
        self.write_lists()

    def write_lists(self):
        for n, authority in self.authorities.items():
            write(self.t.path("%s.crl" % n), pem(crl(
                self.t.path(""), authority,
                [self.members[m] for m in self.revoked if m[0] == n])))

    def verify(self, number):
        believed = [n for n in (number, "3") if n not in self.removed]
        return {"mode": "required",
                "ca": [self.authorities[n].cert for n in believed],
                "crl": [self.t.path("%s.crl" % n) for n in believed]}

    def services(self, address):
        names = self.t.pki.leaf(*("%s.test" % host for host in HOSTS))
        result = {}
        for listener in LISTENERS:
            for kind, tickets in (("both", {"mode": "derived",
                                            "secret": self.t.path("secret"),
                                            "lifetime": "12h"}),
                                  ("ids", {"mode": "off",
                                           "lifetime": "12h"})):
                result["%s-%s" % (listener, kind)] = {
                    "accept": self.t.gate(
                        names, verify="none",
                        session={"tickets": tickets, "cache": {
                            "size": 2000, "timeout": "12h"}},
                        hosts={"%s.test" % host: {
                            "verify": self.verify(host[-1])}
                            for host in HOSTS if host != "lax"}),
                    "connect": address}
        return result

    # The oracle.

    def policy(self, policy):
        """All that a policy is made of."""
        return (policy.listener, policy.host, self.versions[policy.host])

    def is_good(self, member, host):
        """Does a full handshake let this member in?"""
        if host == "lax":
            return True
        if member is None:
            return False
        number, kind = member
        return (number in (host[-1], "3") and number not in self.removed and
                member not in self.revoked and
                not (kind == "short" and self.is_late))


Session = collections.namedtuple("Session", "policy made_under member der")


class Matrix:
    def __init__(self, t):
        self.t = t
        self.world = World(t)
        t.write("secret", SECRET + "\n", 0o600)
        self.backend = t.server(echo)
        self.clock = t.clock()
        self.d = t.daemon(self.world.services(self.backend.address),
                          clock=self.clock)
        self.client = Client(t)
        self.sessions = {way: [] for way in WAYS}
        self.cells = 0
        self.wrong = []
        # (service, name, resumed, who it is)
        self.expected = collections.Counter()

    def visit(self, way, policy, member, session=None):
        """Somebody's session, a Session, with a certificate or none."""
        kind, words = WAYS[way]
        service = "%s-%s" % (policy.listener, kind)
        before = len(self.backend.contacts)
        visit = self.client.visit(
            self.d.port(service), "%s.test" % policy.host,
            session=session and session.der, certificate=member and self.world.members[member], **words)
        arrived = len(self.backend.contacts) - before
        assert arrived == int(visit.is_in), (way, policy, member, visit)
        if visit.is_in:
            who = session.member if visit.resumed else member
            self.expected[service, policy.host, visit.resumed,
                          who if policy.host != "lax" else None] += 1
        return visit

    def collect(self, *kinds):
        """One session each by every way, under every policy, of its own
        authority's members and of those of the third."""
        for way in WAYS:
            self.sessions[way] = []
            for policy in POLICIES:
                members = [None] if policy.host == "lax" else [
                    (n, kind) for n in (policy.host[-1], "3")
                    for kind in kinds if self.world.is_good(
                        (n, kind), policy.host)]
                for member in members:
                    visit = self.visit(way, policy, member)
                    assert visit and not visit.resumed, (
                        way, policy, member, visit)
                    assert visit.session, (way, policy, member)
                    self.sessions[way].append(Session(
                        policy, self.world.policy(policy), member,
                        visit.session))

    def cell(self, way, session, policy, member, label):
        may = (session.made_under == self.world.policy(policy) and
               (session.member is None or
                self.world.is_good(session.member, policy.host)))
        is_in = may or self.world.is_good(member, policy.host)
        visit = self.visit(way, policy, member, session)
        self.cells += 1
        if (visit.is_in, visit.resumed) != (is_in, may):
            self.wrong.append((label, way, session[:3], policy, member,
                               "expected", (is_in, may), visit))

    def show(self, label, others):
        """Every session at every policy; others(member) are the certificates
        that it is shown with."""
        for way, sessions in self.sessions.items():
            for session in sessions:
                for policy in POLICIES:
                    for member in others(session.member):
                        self.cell(way, session, policy, member, label)


@limit(60)  # SECURITY.md 1.7
def test_the_matrix_of_resumption(t):
    m = Matrix(t)
    world = m.world
    m.collect("lasting")
    m.show("at once", lambda member: (
        member, None, ("1", "other"), ("2", "other")))
    # Time alone takes nothing but what ends by it.
    m.collect("lasting", "short")
    m.clock.move(3 * HOUR)
    world.is_late = True
    m.show("expired since", lambda member: (member,))
    # A list that changes is another policy, whoever is on it.
    m.collect("lasting", "bad")
    world.revoked = {(n, "bad") for n in "123"}
    for host in HOSTS[1:]:
        world.versions[host] += 1
    world.write_lists()
    m.d.reload(world.services(m.backend.address))
    m.show("revoked since", lambda member: (member,))
    # And so is a list of authorities.
    m.collect("lasting")
    world.removed = {"3"}
    for host in HOSTS[1:]:
        world.versions[host] += 1
    m.d.reload(world.services(m.backend.address))
    m.show("an authority removed since", lambda member: (member,))
    assert not m.wrong, (len(m.wrong), m.wrong[:10])
    assert m.cells >= 200, m.cells
    print("%d cells" % m.cells)
    # What the access records say is what the clients have seen.
    def admitted():
        return [record for record in m.d.access() if record["bytes_out"]]

    total = sum(m.expected.values())
    wait_for(lambda: len(admitted()) == total, "%d records" % total)
    names = {"CN=%s-%s.client" % (kind, n): (n, kind)
             for n, kind in world.members}
    seen = collections.Counter(
        (r["service"], r["sni"].partition(".")[0], r["resumed"],
         names.get(r.get("client_cert", {}).get("subject")))
        for r in admitted())
    assert seen == m.expected, (seen - m.expected, m.expected - seen)
