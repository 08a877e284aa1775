# SPDX-License-Identifier: BSD-2-Clause
"""Sessions with backends: resumed with whom they were made, and nobody else.
What counts is what the backend says of its handshakes."""

import ssl

from harness import limit, wait_for
from nginx import start_nginx
from revocation import crl, pem
from streams import echo, server_context

KINDS = ("ids", "1.2", "1.3")
NOBODY = {"mode": "none"}  # is verified


def context_for(t, kind, certificate=None, tickets=2, **options):
    """ids and 1.2: TLS 1.2 without and with tickets; 1.3: so many of them."""
    context = server_context(
        certificate or t.pki.system(),
        versions="TLSv1.3" if kind == "1.3" else "TLSv1.2", **options)
    if kind == "ids":
        context.options |= ssl.OP_NO_TICKET
    if kind == "1.3":
        context.num_tickets = tickets
    return context


def backend_of(t, kind="1.3", **options):
    return t.server(echo, context_for(t, kind, **options))


def service(t, backend, session=None, host="localhost", verify=None, **tls):
    tls["verify"] = verify if verify == NOBODY else {
        "ca": t.pki.root().cert, **(verify or {})}
    if session is not None:
        tls["session"] = session
    return {"accept": {}, "connect": {
        "address": "%s:%d" % (host, backend.port), "tls": tls}}


def daemon(t, services, **options):
    """One worker: each keeps sessions of its own."""
    options.setdefault("globals", {"workers": 1})
    return t.daemon(services, **options)


def visit(d, backend, name=None):
    """Was it resumed? The backend's word, and the record's."""
    count = len(backend.contacts)
    with d.plain(name) as stream:
        stream.expect_echo()
    contact = wait_for(lambda: backend.contacts[count:], "a contact")[0]
    resumed = contact.stream.ssl.session_reused
    records = wait_for(
        lambda: [record for record in d.access(service=name or "s")
                 if record.get("backend_tls")][visits(d, name):],
        "the record")
    assert records[0]["backend_tls"]["resumed"] == resumed, records
    d.visits[name] = visits(d, name) + 1
    return resumed


def visits(d, name):
    if not hasattr(d, "visits"):
        d.visits = {}
    return d.visits.get(name, 0)


@limit(120)
def parity_P40_sessions_with_backends_are_resumed(t):
    """TLS 1.2 by id and by ticket, TLS 1.3: all but the first handshake."""
    for kind in KINDS:
        backend = backend_of(t, kind)
        d = daemon(t, {"s": service(t, backend)}, name="with-" + kind)
        assert [visit(d, backend) for _ in range(6)] == (
            [False] + 5 * [True]), kind


def parity_P40_size(t):
    """None is kept, or one."""
    none, off, one = (backend_of(t) for _ in range(3))
    d = daemon(t, {
        "none": service(t, none, {"cache": 0}),
        "off": service(t, off, "off"),
        "one": service(t, one, {"cache": {"size": 1}})})
    for name, backend, resumed in (("none", none, False), ("off", off, False),
                                   ("one", one, True)):
        assert [visit(d, backend, name) for _ in range(3)] == [
            False, resumed, resumed], name


@limit(120)
def parity_P40_the_least_recently_used_goes(t):
    """One service with the sessions of three servers in room for two: TLS 1.2
    with a session each."""
    first, second, third = (backend_of(t, "1.2") for _ in range(3))
    room = {"cache": {"size": 2}, "key": "all"}

    def of(backend, name):
        certificate = {"server_name": name}
        return service(t, backend, room, **certificate)

    d = daemon(t, {"a": of(first, "a.test"), "b": of(second, "b.test"),
                   "c": of(third, "c.test")})
    order = [("a", first, False), ("b", second, False), ("a", first, True),
             ("c", third, False),            # b goes
             ("a", first, True), ("c", third, True), ("b", second, False)]
    for name, backend, resumed in order:
        assert visit(d, backend, name) == resumed, (name, order)


def parity_P40_a_ticket_of_tls_1_3_is_used_once(t):
    """A backend that gives one ticket in all, at its first handshake."""
    tickets = []
    context = context_for(t, "1.3", tickets=1)

    def handler(contact):
        # Behind a resumed handshake comes another one: note them all.
        tickets.append(contact.stream.ssl.session_reused)
        echo(contact)

    backend = t.server(handler, context)
    d = daemon(t, {"s": service(t, backend)})
    held = []
    # Of connections that are open at the same time one has the ticket.
    visit(d, backend)
    context.num_tickets = 0
    for _ in range(3):
        stream = d.plain()
        stream.expect_echo()
        held.append(stream)
    assert tickets == [False, True, False, False], tickets
    for stream in held:
        stream.close()


@limit(120)
def parity_P41_a_key_for_several_services(t):
    """Without, a session belongs to the service; with one, services share
    their sessions, also for other addresses of the same server."""
    backend = t.server(echo, context_for(t, "1.2"), host="0.0.0.0")

    def at(host, session=None):
        return service(t, backend, session, host, {"name": "localhost"},
                       server_name="localhost")

    farm = {"key": "farm"}
    d = daemon(t, {
        "a": at("127.0.0.1", farm), "b": at("127.0.0.2", farm),
        "own": at("127.0.0.1"), "other": at("127.0.0.1", {"key": "else"})})
    assert not visit(d, backend, "a")
    assert visit(d, backend, "b")
    assert visit(d, backend, "a")
    for name in ("own", "other"):
        assert not visit(d, backend, name)
        assert visit(d, backend, name)
    # The address counts where there is no key, a change of it is no other
    # policy otherwise.
    d.reload({"a": at("127.0.0.2", farm), "b": at("127.0.0.3", farm),
              "own": at("127.0.0.2"), "other": at("127.0.0.1")})
    for name, resumed in (("a", True), ("b", True), ("own", False),
                          ("other", False), ("own", True)):
        assert visit(d, backend, name) == resumed, name


@limit(180)
def parity_P43_no_session_with_a_backend_crosses_a_policy(t):
    """Whatever is another is a full handshake: what is verified, how and by
    whom, whose name, the name that is asked for, versions, ciphers, groups,
    our certificate."""
    root, other = t.pki.root(), t.pki.root("other-root")
    pin, another = ("sha256$" + of.digest()
                    for of in (t.pki.system(), t.pki.leaf("another.test")))
    one = t.pki.leaf("one.client", usage="client")
    two = t.pki.leaf("two.client", usage="client")
    key = {"key": "shared"}
    revoked = t.write("list.pem", pem(crl(t.path(""), root)))
    for kind in KINDS:
        context = context_for(t, kind)
        context.load_verify_locations(root.cert)
        context.verify_mode = ssl.CERT_OPTIONAL
        backend = t.server(echo, context)
        variants = {
            "base": {},
            "depth": {"verify": {"depth": 3}},
            "name": {"verify": {"name": "web.test"}},
            "lax": {"verify": NOBODY},
            "authorities": {"verify": {"ca": [root.cert, other.cert]}},
            "partial": {"verify": {"partial_chain": True}},
            "pin": {"verify": {"fingerprints": pin}},
            "pins": {"verify": {"fingerprints": [pin, another]}},
            "pin-alone": {"verify": {"ca": "none", "fingerprints": pin}},
            "allow": {"verify": {"allow": {"dns": "web.test"}}},
            "allow-cn": {"verify": {"allow": {"cn": "web.test"}}},
            "allow-other": {"verify": {"allow": {"dns": "localhost"}}},
            "allow-two": {"verify": {"allow": {
                "dns": ["web.test", "localhost"]}}},
            "scheme": {"verify": {"scheme": "smtp"}},
            "no-scheme": {"verify": {"scheme": "none"}},
            "suffixes": {"verify": {"public_suffix": "off"}},
            "list": {"verify": {"crl": revoked}},
            "list-chain": {"verify": {"crl": {"files": revoked,
                                              "check": "chain"}}},
            "list-expired": {"verify": {"crl": {"files": revoked,
                                                "expired": "warn"}}},
            "staple": {"verify": {"ocsp": {"staple": "off"}}},
            "check": {"verify": {"ocsp": {"check": "leaf"}}},
            "sni": {"server_name": "sni.test"},
            "nosni": {"server_name": "none"},
            "versions": {"versions": ["TLSv1.3" if kind == "1.3"
                                      else "TLSv1.2"]},
            "profile": {"profile": "old"},
            "ciphers": {"ciphers": "ECDHE+AESGCM"},
            "suites": {"ciphersuites": "TLS_AES_256_GCM_SHA384"},
            "groups": {"groups": ["P-256"]},
            "openssl": {"openssl": {"Options": "NoRenegotiation"}},
            "one": {"certificates": one.bundle},
            "two": {"certificates": two.bundle},
        }
        d = daemon(t, {name: service(t, backend, key, **variant)
                       for name, variant in variants.items()},
                   name="over-" + kind)
        for name in variants:
            assert not visit(d, backend, name), (kind, name)
        # Without a responder there is no answer for a session to rest on.
        for name in variants:
            assert visit(d, backend, name) == (
                name != "check"), (kind, name)


@limit(120)
def parity_P43_weaker_verification_opens_no_door(t):
    """A server whose certificate nobody believes, at the same address and under
    the same key: its session from a service that does not look serves no other
    one, and neither does one that was made for another name."""
    for kind in KINDS:
        stranger = t.pki.leaf("localhost", issuer=t.pki.root("stranger"))
        backend = backend_of(t, kind, certificate=stranger)
        named = backend_of(t, kind, certificate=t.pki.leaf("other.test"))
        key = {"key": "shared"}
        d = daemon(t, {
            "lax": service(t, backend, key, verify=NOBODY),
            "strict": service(t, backend, key),
            "fits": service(t, named, key, verify={"name": "other.test"}),
            "wrong": service(t, named, key)}, name="weak-" + kind)
        for good, bad, server, reason in (
                ("lax", "strict", backend, "backend_cert_rejected"),
                ("fits", "wrong", named, "backend_name_mismatch")):
            assert not visit(d, server, good)
            assert visit(d, server, good)
            for _ in range(3):
                count = len(server.contacts)
                with d.plain(bad) as stream:
                    assert stream.read_all()[0] == b""
                for contact in server.contacts[count:]:
                    contact.over.wait(10)
                    assert not contact.received
            records = d.wait_access(3, service=bad, reason=reason)
            assert records, bad
            assert visit(d, server, good)


@limit(180)
def test_a_backend_with_a_flood_of_tickets(t):
    """100,000 of them are an attack: that connection ends, and nothing of it
    stays. What comes in bearable numbers does not add up."""
    backend = backend_of(t, tickets=100000)
    some = backend_of(t, tickets=50)
    d = daemon(t, {"flood": service(t, backend), "some": service(t, some)})

    def memory():
        (worker,) = d.workers()
        with open("/proc/%d/statm" % worker) as file:
            return int(file.read().split()[1]) * 4

    def many(times):
        for _ in range(times):
            with d.plain("some") as stream:
                stream.expect_echo()

    many(30)
    before = memory()
    many(60)
    with d.plain("flood") as stream:
        try:
            stream.exchange(b"words")
        except Exception:
            pass
    d.wait_access(service="flood", seconds=60)
    # A sanitizer does not give back what was freed.
    assert t.sanitized or memory() - before < 2000, (before, memory())


@limit(120)
def parity_P40_a_reload(t):
    """What changes the policy drops its sessions, what does not keeps them."""
    for kind in KINDS:
        backend = backend_of(t, kind)
        services = {"s": service(t, backend)}
        d = daemon(t, services, name="reload-" + kind)
        assert [visit(d, backend) for _ in range(2)] == [False, True]
        d.reload(services, defaults={"timeouts": {"idle": "77s"}})
        assert visit(d, backend)
        d.reload({"s": service(t, backend, verify={"depth": 5})})
        assert [visit(d, backend) for _ in range(2)] == [False, True]
        d.reload(services)
        assert [visit(d, backend) for _ in range(2)] == [False, True]


@limit(120)
def parity_P40_time(t):
    """A session ends after its time in the cache, and when something does that
    the backend was believed for: its certificate, one above it, a revocation
    list. The certificate is then shown again and refused."""
    root = t.pki.root()
    long = {"cache": {"timeout": "24h"}}
    below = t.pki.leaf("localhost", issuer=t.pki.intermediate(
        "inner-half-a-day", issuer=root, days=0.5))
    for kind in KINDS:
        clock = t.clock("clock-" + kind)
        certificates = {"soon": None, "list": None, "inner": below,
                        "leaf": t.pki.leaf("localhost", "half-a-day.test",
                                           days=0.5)}
        backends = {name: backend_of(t, kind, certificate=certificate)
                    for name, certificate in certificates.items()}
        brief = t.write("list.pem", pem(crl(t.path(""), root, days=0.5)))
        d = daemon(t, {name: service(
            t, backend, None if name == "soon" else long,
            verify={"crl": brief} if name == "list" else None)
            for name, backend in backends.items()},
            name="time-" + kind, clock=clock)
        for name, backend in backends.items():
            assert not visit(d, backend, name)
            assert visit(d, backend, name)
        clock.move(200)
        assert visit(d, backends["soon"], "soon")
        clock.move(200)
        # A ticket of TLS 1.3 has brought a newer one, and each has its time.
        assert visit(d, backends["soon"], "soon") == (kind == "1.3"), kind
        for name in "list", "inner", "leaf":
            assert visit(d, backends[name], name), (kind, name)
        clock.move(12 * 3600)
        for name, reason in (("list", "backend_revoked"),
                             ("inner", "backend_cert_rejected"),
                             ("leaf", "backend_cert_rejected")):
            with d.plain(name) as stream:
                assert stream.read_all()[0] == b""
            record = d.wait_access(service=name, reason=reason)
            assert "expired" in record["detail"], record


@limit(120)
def parity_P40_openssl_s_server(t):
    """As the openssl command counts."""
    certificate = t.pki.system()
    for kind, options in (("ids", ["-tls1_2", "-no_ticket"]),
                          ("1.2", ["-tls1_2"]), ("1.3", ["-tls1_3"])):
        port = t.port()
        server = t.start("server-" + kind, "openssl", "s_server", "-accept",
                         str(port), "-cert", certificate.chain, "-key",
                         certificate.key, "-rev", *options)
        t.wait_open(port, "s_server")
        d = daemon(t, {"s": {"accept": {}, "connect": {
            "address": "localhost:%d" % port,
            "tls": {"verify": {"ca": t.pki.root().cert}}}}},
            name="to-" + kind)
        for _ in range(5):
            with d.plain() as stream:
                assert stream.exchange(b"abc\n") == b"cba\n"
        d.wait_access(5)
        assert [record["backend_tls"]["resumed"] for record in d.access()] == (
            [False] + 4 * [True]), kind
        server.stop()


@limit(120)
def parity_P40_nginx(t):
    """nginx's log says which of its handshakes were resumed."""
    certificate = t.pki.system()
    ports = {kind: t.port() for kind in KINDS}
    server = """
    server {
        listen 127.0.0.1:%(port)d ssl;
        ssl_certificate %(chain)s;
        ssl_certificate_key %(key)s;
        ssl_protocols %(version)s;
        ssl_session_tickets %(tickets)s;
        ssl_session_cache shared:%(name)s:1m;
        access_log %(dir)s/%(name)s.log sessions;
        location / { return 200 "hello"; }
    }
"""
    servers = "".join(server % {
        "port": port, "chain": certificate.chain, "key": certificate.key,
        "version": "TLSv1.3" if kind == "1.3" else "TLSv1.2",
        "tickets": "off" if kind == "ids" else "on",
        "name": "kind" + kind.replace(".", ""), "dir": t.dir,
    } for kind, port in ports.items())
    start_nginx(t, """\
    log_format sessions '$ssl_protocol $ssl_session_reused';
""" + servers, ports.values())
    d = daemon(t, {"kind" + kind.replace(".", ""): {
        "accept": {}, "connect": {
            "address": "localhost:%d" % port,
            "tls": {"verify": {"ca": t.pki.root().cert}}}}
        for kind, port in ports.items()})
    for kind, port in ports.items():
        name = "kind" + kind.replace(".", "")
        for _ in range(6):
            with d.plain(name) as stream:
                stream.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n\r\n")
                assert b"hello" in stream.read_all()[0]

        def lines(name=name):
            with open(t.path(name + ".log")) as file:
                return file.read().splitlines()

        wait_for(lambda: len(lines()) >= 6, "nginx's log")
        version = "TLSv1.3" if kind == "1.3" else "TLSv1.2"
        assert lines() == [version + " ."] + 5 * [version + " r"], (
            kind, lines())
