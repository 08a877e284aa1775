# SPDX-License-Identifier: BSD-2-Clause
"""Session ids: sessions of clients without tickets, in a cache that all workers
share."""

import os
import re
import signal

from harness import limit, wait_for
from sessions import Client
from streams import echo

CACHE = {"cache": {"size": 1000}}


def daemon(t, session, workers=3, **options):
    """An echo, a session's settings, and workers that take turns."""
    gate = t.gate(session=session, **options.pop("tls", {}))
    return t.daemon({"s": {"accept": gate,
                           "connect": t.server(echo).address}},
                    globals={"workers": workers}, **options)


def resumed(client, d, session, times=1, **words):
    """How many of so many visits with a session were resumed."""
    count = 0
    for _ in range(times):
        visit = client.visit(d.port(), session=session, **words)
        assert visit, visit
        count += visit.resumed
    return count


@limit(120)
def parity_P42_one_cache_for_all_workers(t):
    """A session is resumed by whichever worker its client comes to."""
    client = Client(t)
    d = daemon(t, CACHE)
    first = client.visit(d.port(), version="1.2", ids=1)
    assert first and not first.resumed and first.session
    assert resumed(client, d, first.session, 60, version="1.2", ids=1) == 60
    # Many of them at the same time.
    sessions = [client.visit(d.port(), version="1.2", ids=1).session
                for _ in range(40)]
    for session in sessions * 2:
        assert resumed(client, d, session, version="1.2", ids=1)
    d.wait_access(140, resumed=True)


@limit(120)
def parity_P42_a_worker_dies(t):
    """What it has put into the cache stays there, and the one that follows it
    finds it."""
    client = Client(t)
    d = daemon(t, CACHE)
    d.may_lose_children = True
    sessions = [client.visit(d.port(), version="1.2", ids=1).session
                for _ in range(9)]
    for worker in d.workers():
        before = set(d.workers())
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: len(set(d.workers()) - before) == 1 and
                 len(d.workers()) == 3, "another worker")
    d.wait_ready()
    for session in sessions:
        assert resumed(client, d, session, 3, version="1.2", ids=1) == 3


@limit(120)
def parity_P42_a_reload(t):
    """The cache stays as long as its size does, and a session as long as what
    its client was let in by."""
    client = Client(t)
    d = daemon(t, CACHE)
    session = client.visit(d.port(), version="1.2", ids=1).session
    services = d.services
    d.reload(services, defaults={"timeouts": {"idle": "99s"}})
    assert resumed(client, d, session, 6, version="1.2", ids=1) == 6
    descriptors = d.descriptors()
    for _ in range(5):
        d.reload(services)
    assert d.descriptors() == descriptors
    assert resumed(client, d, session, 6, version="1.2", ids=1) == 6
    services["s"]["accept"]["tls"]["alpn"] = ["other"]
    d.reload(services)
    assert resumed(client, d, session, 6, version="1.2", ids=1) == 0
    services["s"]["accept"]["tls"].pop("alpn")
    services["s"]["accept"]["tls"]["session"] = {"cache": {"size": 500}}
    d.reload(services)
    assert resumed(client, d, session, 6, version="1.2", ids=1) == 0
    session = client.visit(d.port(), version="1.2", ids=1).session
    assert resumed(client, d, session, 6, version="1.2", ids=1) == 6


@limit(120)
def parity_P42_off_by_default(t):
    """No id without a cache, and no resumption of any kind without `resume`."""
    client = Client(t)
    for number, (session, ids) in enumerate((
            ({}, False), ({"cache": 0}, False), ("off", False),
            ({"resume": False, **CACHE}, False),
            ({"resume": False, **CACHE, "tickets": "off"}, False),
            (CACHE, True), ({**CACHE, "tickets": "off"}, True))):
        d = daemon(t, session, name="d%d" % number)
        visit = client.visit(d.port(), version="1.2", ids=1)
        assert visit, visit
        again = client.visit(d.port(), version="1.2", ids=1,
                             session=visit.session)
        assert again and again.resumed == ids, (session, again)
        if session == "off" or (
                isinstance(session, dict) and session.get("resume") is False):
            for version in ("1.2", "1.3"):
                visit = client.visit(d.port(), version=version)
                assert visit and not visit.sessions or (
                    version == "1.2" and not client.visit(
                        d.port(), version=version,
                        session=visit.session).resumed), (session, visit)


@limit(120)
def parity_P42_tls_1_3_without_tickets_of_its_own(t):
    """Where the gate issues none, TLS 1.3's tickets are ids in the cache."""
    client = Client(t)
    d = daemon(t, {**CACHE, "tickets": {"mode": "off", "number": 3}})
    visit = client.visit(d.port(), version="1.3")
    assert len(visit.sessions) == 3, visit
    session = visit.sessions[0]
    for session in visit.sessions:
        assert resumed(client, d, session, 4, version="1.3") == 4
    again = client.visit(d.port(), version="1.3", session=session)
    assert again.resumed and len(again.sessions) == 1
    assert resumed(client, d, again.session, 6, version="1.3") == 6
    # An id is short, what it stands for never leaves.
    off = daemon(t, {"tickets": "off"}, name="off")
    assert not client.visit(off.port(), version="1.3").sessions


@limit(120)
def parity_P42_size(t):
    """No more are kept than asked for, of those the ones that were used
    last."""
    client = Client(t)
    d = daemon(t, {"cache": {"size": 16}})
    used = client.visit(d.port(), version="1.2", ids=1).session
    sessions = []
    for _ in range(120):
        sessions.append(client.visit(d.port(), version="1.2", ids=1).session)
        assert resumed(client, d, used, version="1.2", ids=1)
    # Whoever is not resumed gets a new one, which pushes another out: the
    # newest come first.
    kept = [resumed(client, d, session, version="1.2", ids=1)
            for session in reversed(sessions)]
    assert all(kept[:4]) and sum(kept) <= 16, kept


@limit(120)
def parity_P42_time(t):
    """cache.timeout, and the lifetime since the full handshake."""
    clock = t.clock()
    client = Client(t)
    d = daemon(t, {"cache": {"size": 100, "timeout": "10m"}}, clock=clock)
    old = client.visit(d.port(), version="1.2", ids=1).session
    clock.move(500)
    assert resumed(client, d, old, 6, version="1.2", ids=1) == 6
    clock.move(200)
    assert resumed(client, d, old, 6, version="1.2", ids=1) == 0
    for name, timeout, lifetime in (("e", "20h", "1h"), ("f", "1h", "20h")):
        e = daemon(t, {"cache": {"size": 100, "timeout": timeout}, "tickets": {
            "mode": "off", "lifetime": lifetime}}, name=name, clock=clock)
        for words in ({"version": "1.2", "ids": 1}, {"version": "1.3"}):
            session = client.visit(e.port(), **words).session
            clock.move(0.6 * 3600)
            visit = client.visit(e.port(), session=session, **words)
            assert visit.resumed, (name, visit)
            clock.move(0.6 * 3600)
            # A newer id does not make it any younger.
            for old in session, visit.session:
                again = client.visit(e.port(), session=old or session, **words)
                assert again and not again.resumed, (name, again)


@limit(120)
def parity_P42_openssl_s_client(t):
    """As the openssl command counts: six connections, the first one in full."""
    d = daemon(t, CACHE)
    result = t.run("openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(), "-tls1_2", "-no_ticket",
                   "-reconnect", "-servername", "web.test", seconds=60)
    assert len(re.findall(r"^New, TLSv1.2", result.out, re.M)) == 1, result
    assert len(re.findall(r"^Reused, TLSv1.2", result.out, re.M)) == 5, result


@limit(120)
def parity_P42_gnutls_cli(t):
    """GnuTLS without tickets."""
    d = daemon(t, CACHE)
    result = t.run(t.need("gnutls-cli"), "--resume", "--waitresumption",
                   "--noticket", "--no-ca-verification",
                   "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                   "--sni-hostname", "web.test", "-p", str(d.port()),
                   "127.0.0.1", stdin="words\n", seconds=60)
    assert "This is a resumed session" in result.out + result.err, result


@limit(120)
def parity_P42_perl(t):
    """IO::Socket::SSL with a cache of its own."""
    d = daemon(t, CACHE)
    script = t.write("visit.pl", """\
use strict;
use IO::Socket::SSL;
my $context = IO::Socket::SSL::SSL_Context->new(
    SSL_version => 'TLSv1_2', SSL_session_cache_size => 10,
    SSL_verify_mode => 0);
Net::SSLeay::CTX_set_options($context->{context},
                             Net::SSLeay::OP_NO_TICKET());
for (1 .. 6) {
    my $socket = IO::Socket::SSL->new(
        PeerAddr => '127.0.0.1:' . $ENV{PORT},
        SSL_reuse_ctx => $context, SSL_hostname => 'web.test')
        or die $SSL_ERROR;
    print $socket "words\\n";
    my $line = <$socket>;
    print $socket->get_session_reused() ? "resumed\\n" : "new\\n";
    $socket->close;
}
""")
    result = t.run(t.need("perl"), script,
                   env=t.environment(PORT=str(d.port())))
    assert result.out.split() == ["new"] + 5 * ["resumed"], result


@limit(120)
def parity_P42_client_certificates(t):
    """A session remembers who its client is, and opens no other door."""
    client = Client(t)
    root = t.pki.root()
    one = t.pki.leaf("one.client", usage="client")
    for kind in ({"version": "1.2", "ids": 1}, {"version": "1.3"}):
        echoes = t.server(echo)

        def gate(**verify):
            return {"accept": t.gate(
                session={**CACHE, "tickets": "off"}, **(
                    {"verify": verify} if verify else {})),
                "connect": echoes.address}

        d = t.daemon({
            "lax": gate(), "strict": gate(mode="required", ca=root.cert),
            "deep": gate(mode="required", ca=root.cert, depth=3)},
            globals={"workers": 3}, name="d" + kind["version"])
        first = client.visit(d.port("strict"), certificate=one, **kind)
        assert first, first
        for _ in range(6):
            again = client.visit(d.port("strict"), session=first.session,
                                 **kind)
            assert again and again.resumed, again
        for record in d.access(service="strict"):
            assert record["client_cert"]["subject"] == "CN=one.client", record
        for name in ("lax", "deep"):
            visit = client.visit(d.port(name), certificate=one,
                                 session=first.session, **kind)
            assert visit and not visit.resumed, (name, visit)
        lax = client.visit(d.port("lax"), **kind)
        assert not client.visit(d.port("strict"), session=lax.session, **kind)
