# SPDX-License-Identifier: BSD-2-Clause
"""Stapling: answers of OCSP responders are sent along with our certificates,
only good ones, not a second too long, and responders are left in peace."""

import base64
import collections
import datetime
import hashlib
import http.server
import json
import os
import re
import ssl
import threading
import time
import urllib.parse

from harness import limit, wait_for
from ocsp import Responder, answer, names_responder, statement
from pki import openssl, read, write
from streams import echo

RELOADS = int(os.environ.get("SEALOCK_STAPLE_RELOADS", 20))

GOOD = "OCSP Response Status: successful"


class Moody(http.server.ThreadingHTTPServer):
    """A responder that answers as a test wants it to, and counts who asks:
    mood is a function that is given the handler and the time."""

    def __init__(self, t):
        self.port = t.port()
        super().__init__(("127.0.0.1", self.port), Handler)
        self.url = "http://127.0.0.1:%d/" % self.port
        self.mood = None
        self.asked = []  # what they want to know, as far as it is in a path
        self.served = 0
        self.daemon_threads = True
        threading.Thread(target=self.serve_forever, daemon=True,
                         kwargs={"poll_interval": 0.05}).start()
        t.defer(self.end)

    def end(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # whoever asked does not want to know any more


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        try:
            self.server.mood(self)
        finally:
            self.server.served += 1

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def reply(self, body, status=200, length=None, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


Line = collections.namedtuple(
    "Line", "at level certificate state next_update refresh reason")


def moment(text):
    return None if text == "none" else datetime.datetime.strptime(
        text + "+0000", "%Y-%m-%dT%H:%M:%S.%fZ%z").timestamp()


def lines(d, **fields):
    """What the log says of staples, with those fields; times in seconds."""
    found = (Line(moment(at), level, certificate, state, moment(ends),
                  moment(refresh), reason or None)
             for at, level, certificate, state, ends, refresh, reason
             in re.findall(
                 r'(?m)^(\S+) (\w+) helper\[\d+\]: staple certificate="(.*?)" '
                 r'state=(\w+) next_update=(\S+) refresh=(\S+)'
                 r'(?: reason="(.*)")?$', d.text()))
    return [line for line in found if all(
        getattr(line, name) == value for name, value in fields.items())]


def with_answer(der):
    return lambda handler: handler.reply(der)


def ask(t, d, service=None, version="-tls1_3", name="web.test", more=()):
    """The answer that openssl's client is sent: its serial number and what it
    says, or None."""
    result = t.run("openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(service), "-servername", name,
                   "-status", version, *more)
    assert "OCSP response" in result.out, result
    if GOOD not in result.out:
        assert "no response sent" in result.out, result
        return None
    status = re.search(r"Cert Status: (\w+)", result.out).group(1)
    serial = re.search(r"Serial Number: (\w+)", result.out).group(1)
    shown = re.search(r"Next Update: (.*)", result.out)
    return serial.lower(), status, shown.group(1) if shown else None


def serial(certificate):
    text = openssl("x509", "-in", certificate.cert, "-noout", "-serial")
    return text.decode().strip().partition("=")[2].lower()


def is_good(t, d, certificate, **options):
    told = ask(t, d, **options)
    return told is not None and told[:2] == (serial(certificate), "good")


def leaf(t, url, *names, key="p256", must=False, issuer=None):
    return t.pki.leaf(*(names or ("web.test",)), key=key, issuer=issuer,
                      more=names_responder(url, must))


def services(t, *certificates, **tls):
    return {"web": {"accept": {"tls": {
        "certificates": [entry(one) for one in certificates], **tls}},
        "connect": t.server(echo).address}}


def bundle(certificate):
    """With the root that has issued it, which is not sent."""
    return certificate._made("whole.pem", lambda: read(certificate.bundle) +
                             read(certificate.issuer.cert))


def entry(certificate):
    if isinstance(certificate, dict):
        return certificate
    return bundle(certificate)


def once_good(t, d, certificate, **options):
    wait_for(lambda: is_good(t, d, certificate, **options),
             "the staple is sent")


class World:
    """A root, one certificate by it that names a responder, the responder's
    moods."""

    def __init__(self, t, inner=False, **tls):
        self.t = t
        self.root = self.issuer = t.pki.root("stapling")
        if inner:
            self.issuer = t.pki.intermediate("inner stapling",
                                             issuer=self.root)
        self.responder = Moody(t)
        self.leaf = leaf(t, self.responder.url, issuer=self.issuer)
        self.services = services(t, self.leaf, **tls)

    def good(self, begin=-60, end=86400, status="good", about=None, **options):
        return answer(self.t, statement(about or self.leaf, begin=begin,
                                        end=end, status=status),
                      signer=self.issuer, **options)


@limit(120)
def parity_P38_fetched_for_openssl(t):
    """Real responders, real clients, TLS 1.2 and 1.3; RSA and ECDSA side by
    side have each its own; who has no responder is quietly passed over. Who
    may answer for the CA is believed, and nobody else."""
    port = t.port()
    url = "http://127.0.0.1:%d/" % port
    root = t.pki.root("stapling")
    rsa = leaf(t, url, key="rsa", issuer=root)
    ecdsa = leaf(t, url, key="p256", issuer=root)
    revoked = leaf(t, url, "revoked.test", issuer=root)
    unknown = leaf(t, url, "unknown.test", issuer=root)
    plain = t.pki.leaf("plain.test", issuer=root)
    responder = Responder(t, root, {rsa: "good", ecdsa: "good",
                                    revoked: "revoked"}, port=port)
    others = {}
    for name, signer in (
            ("delegate", t.pki.leaf("d", issuer=root, usage="ocsp")),
            ("pretender", t.pki.leaf("p", issuer=root, usage="server")),
            ("stranger", t.pki.root("strange"))):
        port = t.port()
        others[name] = leaf(t, "http://127.0.0.1:%d/" % port, name + ".test",
                            issuer=root)
        Responder(t, root, {others[name]: "good"}, signer, port, name=name)
    d = t.daemon(services(t, rsa, ecdsa, plain, revoked, unknown,
                          *others.values()))
    for one in (rsa, ecdsa, others["delegate"]):
        wait_for(lambda: lines(d, certificate=bundle(one), state="good"),
                 "a good one")
        line = lines(d, certificate=bundle(one), state="good")[-1]
        # The answer is good for an hour.
        assert line.at + 1700 < line.refresh < line.next_update, line
        assert line.at + 3500 < line.next_update < line.at + 3700, line
    for version in ("-tls1_2", "-tls1_3"):
        for one, signatures in ((rsa, "rsa_pss_rsae_sha256:RSA+SHA256"),
                                (ecdsa, "ECDSA+SHA256")):
            told = ask(t, d, version=version, more=(
                "-sigalgs", signatures))
            assert told and told[:2] == (serial(one), "good"), (told, version)
        assert ask(t, d, version=version, name="plain.test") is None
        assert is_good(t, d, others["delegate"], version=version,
                       name="delegate.test")
    for one, name, level, state, reason in (
            (revoked, "revoked", "error", "revoked", "revoked"),
            (unknown, "unknown", "info", "none", "does not know it"),
            (others["pretender"], "pretender", "info", "none",
             "lacks OCSPSigning"),
            (others["stranger"], "stranger", "info", "none",
             "not from the issuer")):
        wait_for(lambda: lines(d, certificate=bundle(one), state=state,
                               level=level), "the answer of " + name)
        line, = lines(d, certificate=bundle(one), state=state, level=level)
        assert reason in line.reason and line.next_update is None, line
        assert line.at + 59.9 < line.refresh, line
        assert ask(t, d, name=name + ".test") is None, name
    assert not lines(d, certificate=bundle(plain))
    # OpenSSL 3.5 writes it small.
    said = responder.peer.text().lower()
    assert said.count("received request") == 4, said


def by_serial(world, *certificates):
    """The mood that has an answer for each of them."""
    answers = {bytes.fromhex(serial(one)): world.good(about=one)
               for one in certificates}

    def mood(handler):
        asked = base64.b64decode(urllib.parse.unquote(handler.path[1:]))
        handler.reply(*[der for number, der in answers.items()
                        if number in asked])

    return mood


PERL = """
    my $s = IO::Socket::SSL->new(PeerAddr => "127.0.0.1:$ARGV[0]",
        SSL_hostname => "web.test", SSL_verifycn_name => "web.test",
        SSL_ca_file => $ARGV[1],
        SSL_ocsp_mode => SSL_OCSP_MUST_STAPLE) or die $SSL_ERROR;
    print "good\\n";"""


def insisting(t, port, world):
    """What clients say that do without a staple no more than without a
    certificate: (are they content, the whole)."""
    address = "web.test:%d" % port
    for program in ("curl", "gnutls-cli", "perl"):
        t.need(program)
    curl = t.run("curl", "-sv", "--cert-status", "--cacert",
                 world.root.cert, "--resolve", address + ":127.0.0.1",
                 "--max-time", "3", "https://" + address)
    gnutls = t.run("gnutls-cli", "--x509cafile", world.root.cert,
                   "--sni-hostname", "must.test", "--verify-hostname",
                   "must.test", "-p", str(port), "127.0.0.1")
    perl = t.run("perl", "-MIO::Socket::SSL", "-e", PERL, str(port),
                 world.root.cert)
    return {
        "curl": (curl.status != 91 and "SSL certificate status: good"
                 in curl.err, curl),
        "gnutls": (gnutls.status == 0 and "The certificate is trusted"
                   in gnutls.out, gnutls),
        "perl": (perl.out == "good\n", perl),
    }


def parity_P38_other_clients(t):
    """curl and IO::Socket::SSL insist on a staple, gnutls does where the
    certificate says that there must be one: they get it, and turn away when
    they do not."""
    world = World(t, inner=True)
    must = leaf(t, world.responder.url, "must.test", must=True,
                issuer=world.issuer)
    world.responder.mood = by_serial(world, world.leaf, must)
    tls = world.services["web"]["accept"]["tls"]
    tls["certificates"].append(bundle(must))
    d = t.daemon(world.services)
    once_good(t, d, world.leaf)
    once_good(t, d, must, name="must.test")
    for client, (is_content, said) in insisting(t, d.port(), world).items():
        assert is_content, (client, said)
    tls["staple"] = "off"
    d.reload(world.services)
    assert ask(t, d) is None
    found = insisting(t, d.port(), world)
    for client, (is_content, said) in found.items():
        assert not is_content, (client, said)
    assert found["curl"][1].status == 91, found["curl"]
    assert "OCSP" in found["gnutls"][1].out, found["gnutls"]
    assert "OCSP" in found["perl"][1].err, found["perl"]


def with_status(status):
    return lambda handler: handler.reply(b"no", status)


def slow(handler):
    time.sleep(11)
    handler.reply(b"late")


def endless(handler):
    handler.reply(bytes(10 << 20))


def hang_up(handler):
    handler.close_connection = True
    handler.connection.close()


@limit(200)
def parity_P38_bad_answers(t):
    """Whatever comes of a responder after a good answer: the good one counts
    to its end, and not a second longer."""
    world = World(t)
    clock = t.clock()
    other = leaf(t, world.responder.url, "other.test", issuer=world.root)
    stranger = t.pki.root("strange")
    days = 3
    good = world.good(end=days * 86400)
    end = int(time.time()) + days * 86400
    world.responder.mood = with_answer(good)
    d = t.daemon(world.services, clock=clock)
    once_good(t, d, world.leaf)
    moods = {
        "an error": with_status(500),
        "garbage": with_answer(b"\x30\x03garbage"),
        "nothing": with_answer(b""),
        "cut off": with_answer(good[:-40]),
        "too long": endless,
        "gone": hang_up,
        "slow": slow,
        "unknown": lambda: world.good(status="unknown"),
        "expired": lambda: world.good(begin=-90000, end=-4000),
        "later": lambda: world.good(begin=20000, end=90000),
        "another's": lambda: world.good(about=other),
        "a stranger's": lambda: answer(
            t, statement(world.leaf), signer=stranger),
        "try later": lambda: answer(t, signer=world.root, response=3),
    }
    first, = lines(d, state="good")
    assert first.at < end - days * 43200 - 60 < first.refresh < end, first
    # The same one once more: it is the next refresh that is news.
    clock.move(first.refresh + 1 - clock.now())
    wait_for(lambda: len(lines(d, state="good")) == 2, "it is told again")
    second = lines(d, state="good")[1]
    assert first.level == second.level == "info"
    assert first.refresh < second.at < second.refresh < end, second
    clock.move(second.refresh + 1 - clock.now())
    for count, (what, mood) in enumerate(moods.items()):
        if mood.__code__.co_argcount == 0:
            mood = with_answer(at(clock, mood))
        world.responder.mood = mood
        if count > 0:
            clock.move(lines(d)[-1].refresh + 1 - clock.now())
        if count > 1:
            d.reload()  # looks at once, and takes failures for news again
        wait_for(lambda: len(lines(d, state="kept")) > count,
                 "the responder is asked: " + what, 30)
        assert is_good(t, d, world.leaf), what
    told = lines(d, state="kept")
    assert len(told) == len(moods)
    # The first failure in a row is news, but each says when it goes on.
    assert [line.level for line in told] == ["info", "debug"] + ["info"] * (
        len(moods) - 2), told
    for line in told:
        assert line.reason and line.at + 59.9 < line.refresh, line
    for line in told + [first, second]:
        assert abs(line.next_update - end) <= 1, line
    assert clock.now() < end - 60, "all of it within its life"
    clock.move(end - 30 - clock.now())
    assert is_good(t, d, world.leaf)
    clock.move(end + 1 - clock.now())
    assert ask(t, d) is None
    d.wait_log("staple certificate=.* state=none .*expired")


def at(clock, make):
    """Made at the clock's time: what it says is from there."""
    real = time.time
    time.time = lambda: real() + clock.offset
    try:
        return make()
    finally:
        time.time = real


def parity_P38_expires_in_seconds(t):
    """To the second: an answer that lives for a few."""
    world = World(t)
    end = int(time.time()) + 15
    world.responder.mood = with_answer(world.good(end=end - time.time()))
    d = t.daemon(world.services)
    once_good(t, d, world.leaf)
    while time.time() < end:
        told = ask(t, d)
        if time.time() < end:
            assert told, "until its end it is sent"
    assert ask(t, d) is None
    d.wait_log("staple certificate=.* state=none .*expired")
    assert len(world.responder.asked) == 1


@limit(120)
def parity_P38_revoked(t):
    """A certificate that its CA calls revoked: the good answer goes at once,
    and no other is sent. Asked again, it may be good again."""
    world = World(t)
    clock = t.clock()
    world.responder.mood = with_answer(world.good())
    d = t.daemon(world.services, clock=clock)
    once_good(t, d, world.leaf)
    clock.move(15.1 * 3600)
    world.responder.mood = with_answer(
        at(clock, lambda: world.good(status="revoked")))
    d.wait_log("error helper.* staple certificate=.* state=revoked")
    wait_for(lambda: ask(t, d) is None, "no staple")
    d.kill_child(d.role("helper")[0])
    d.kill_child(d.workers()[0])
    world.responder.mood = with_answer(at(clock, world.good))
    clock.move(80)
    once_good(t, d, world.leaf)


def elsewhere(path):
    """A redirection to what path makes of where it is asked."""
    return lambda handler: handler.reply(
        b"", 302, headers=[("Location", path(handler.path))])


# What a responder does, and by what it is asked in one attempt.
ATTEMPTS = (
    (with_status(405), ["GET"]),
    (with_answer(b"x"), ["POST"]),
    (with_status(501), ["POST"]),
    (elsewhere(lambda path: path), ["GET"]),
    (elsewhere(lambda path: "/there" if path == "/back" else "/back"),
     ["GET"] * 3),
    (hang_up, ["GET"]),
)


@limit(120)
def parity_P38_one_request_a_minute(t):
    """By the clock of the responder, whatever it does, under reloads, and with
    helpers that are killed at any time."""
    world = World(t)
    clock = t.clock()
    asked = []
    moods = [with_status(500)]

    def mood(handler):
        asked.append((clock.now(), handler.command))
        moods[len(asked) % len(moods)](handler)

    def failed():
        return [line for line in lines(d) if line.reason]

    def move_behind(due):
        """Where nothing may be asked yet, and where it has to be."""
        for moved in (due - 20, due + 0.5):
            clock.move(max(moved - clock.now(), 0))
            d.reload()

    world.responder.mood = mood
    d = t.daemon(world.services, clock=clock)
    wait_for(failed, "the responder is asked")
    for number, (what, methods) in enumerate(ATTEMPTS):
        moods[:] = [what]
        count, known = len(asked), len(failed())
        due = failed()[-1].refresh
        assert due - asked[-1][0] > 59.99, (asked, failed())
        move_behind(due)
        wait_for(lambda: len(failed()) > known, "attempt %d" % number)
        assert [method for _, method in asked[count:]] == methods, (
            number, asked[count:])
        assert asked[count][0] > due - 0.01, (number, due, asked)
    assert [line.level for line in failed()] == ["info"] + ["debug"] * len(
        ATTEMPTS)
    # It begins anew.
    due = failed()[-1].refresh
    end = due + 100 - clock.now()
    moods[:] = [with_answer(at(clock, lambda: world.good(end=end)))]
    move_behind(due)
    wait_for(lambda: lines(d, state="good"), "a good answer")
    del asked[:-1]
    moods[:] = [with_status(500), with_answer(b"x"), hang_up]
    step_seconds = 13
    for step in range(24):
        clock.move(step_seconds)
        if step % 3 == 2:
            helper, = d.role("helper")
            d.kill_child(helper)
            wait_for(lambda: d.role("helper") not in ([], [helper]),
                     "another helper")
        d.reload()
    clock.move(7300)
    before = len(asked)
    wait_for(lambda: len(asked) > before, "it is asked again")
    assert len(asked) > 2, asked
    pauses = [later[0] - sooner[0] for sooner, later in zip(asked, asked[1:])]
    # Nobody can say here whether a request that was on its way when the clock
    # was moved had left before that. What came before is exact, as is the unit
    # test never_twice_a_minute.
    assert min(pauses) >= 59.9 - step_seconds, pauses


@limit(120)
def parity_P38_over_restarts(t):
    """The responder has gone: what was good is sent from the first client on,
    after a restart, by a new helper to a new worker; nobody is asked before it
    is time."""
    world = World(t)
    world.responder.mood = with_answer(world.good())
    d = t.daemon(world.services)
    once_good(t, d, world.leaf)
    world.responder.mood = with_status(500)
    d.stop()
    d = t.daemon(world.services, name="again",
                 globals={"state_dir": d.state()})
    assert is_good(t, d, world.leaf)
    helper, = d.role("helper")
    d.kill_child(helper)
    assert is_good(t, d, world.leaf), "workers have it"
    wait_for(lambda: d.role("helper") not in ([], [helper]),
             "another helper")
    for worker in d.workers():
        d.kill_child(worker)
    wait_for(lambda: len(d.workers()) == 2, "other workers")
    for _ in range(4):
        once_good(t, d, world.leaf)
    d.kill()
    wait_for(lambda: not d.children(), "all of them are gone")
    d = t.daemon(world.services, name="third",
                 globals={"state_dir": t.path("daemon.state")})
    assert is_good(t, d, world.leaf)
    assert len(world.responder.asked) == 1


def shown(t, d):
    """Which certificate a client was shown, and its staple's number."""
    result = t.run("openssl", "s_client", "-connect", "127.0.0.1:%d" %
                   d.port(), "-servername", "web.test", "-status")
    pem = re.search("-----BEGIN CERTIFICATE.*END CERTIFICATE-----",
                    result.out, re.DOTALL).group(0)
    number = re.search(r"Serial Number: (\w+)", result.out)
    return (hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest(),
            number.group(1).lower() if number else None)


@limit(120)
def parity_P38_changes_with_its_certificate(t):
    """Certificates that come and go by reloads, while clients come: a staple
    is that of the certificate it is sent with."""
    world = World(t)
    other = leaf(t, world.responder.url, "web.test", "www.test",
                 issuer=world.root)
    numbers = {one.digest(): serial(one) for one in (world.leaf, other)}
    world.responder.mood = by_serial(world, world.leaf, other)
    d = t.daemon(world.services)
    once_good(t, d, world.leaf)
    seen = set()
    done = threading.Event()
    wrong = []

    def client():
        while not done.is_set():
            digest, number = shown(t, d)
            seen.add((digest, number is not None))
            if number not in (None, numbers[digest]):
                wrong.append((digest, number))

    thread = threading.Thread(target=client)
    thread.start()
    try:
        for step in range(8):
            certificate = (other, world.leaf)[step % 2]
            world.services["web"]["accept"]["tls"]["certificates"] = [
                bundle(certificate)]
            d.reload(world.services)
            wait_for(lambda: shown(t, d) == (
                certificate.digest(), numbers[certificate.digest()]),
                "the staple of the new one")
    finally:
        done.set()
        thread.join()
    assert not wrong, wrong
    assert {digest for digest, has_staple in seen if has_staple} == set(
        numbers)
    assert len(world.responder.asked) == 2, "each was asked for once"


@limit(120)
def parity_P38_file(t):
    """Answers that others fetch: they come into force when the file changes;
    what is no good there does not take away what was."""
    world = World(t)
    path = t.write("staple.der", world.good(end=3600))
    world.services["web"]["accept"]["tls"]["certificates"] = [
        {"chain": bundle(world.leaf), "staple": {"file": path}}]
    d = t.daemon(world.services)
    first = ask(t, d)
    assert first and first[:2] == (serial(world.leaf), "good")
    write(path, b"garbage")
    d.wait_log("staple for .*staple.der: ")
    assert ask(t, d) == first
    write(path, world.good(begin=-30, end=7200))
    wait_for(lambda: ask(t, d) not in (None, first), "the newer one")
    write(path, world.good(begin=-20, status="revoked"))
    wait_for(lambda: ask(t, d) is None, "none when it is revoked")
    d.wait_log("error helper.* staple certificate=.* state=revoked")
    assert not world.responder.asked, "nobody is asked"


def parity_P38_override(t):
    """`responder` in place of the certificate's own; off, for one of them; a
    chain without its issuer."""
    world = World(t)
    moved = Moody(t)
    lone = leaf(t, moved.url, "lone.test", issuer=world.root)
    quiet = leaf(t, moved.url, "quiet.test", issuer=world.root)
    moved.mood = by_serial(world, world.leaf, quiet)
    world.responder.mood = with_status(500)
    # They are asked for in this order, quiet would be the first.
    world.services["web"]["accept"]["tls"].update(
        staple={"responder": moved.url}, certificates=[
            {"chain": bundle(quiet), "staple": "off"},
            bundle(world.leaf), lone.bundle])
    d = t.daemon(world.services)
    once_good(t, d, world.leaf)
    d.wait_log("staple certificate=.* state=none .*its issuer is not known")
    told = t.command("check", "-c", d.file).expect(0).err
    assert "its issuer is not known" in told and lone.bundle in told, told
    assert told.count("no staple for") == 1, told
    assert not world.responder.asked
    assert len(moved.asked) == 1
    assert ask(t, d, name="quiet.test") is None
    # Where another gate wants it there is one, and that is not sent either.
    world.services["other"] = services(t, quiet)["web"]
    d.reload(world.services)
    once_good(t, d, quiet, service="other", name="quiet.test")
    assert len(moved.asked) == 2
    assert is_good(t, d, world.leaf, service="web")
    assert ask(t, d, service="web", name="quiet.test") is None


def check(t, d_services, name="check.yaml"):
    """What `sealock check` says."""
    path = t.write(name, json.dumps({
        "global": {"admin": "unix:" + t.path("check.sock"), "state_dir":
                   t.path("check.state")}, "services": d_services}))
    return t.command("check", "-c", path)


def parity_P38_must(t):
    """Where there has to be a staple, by `must` or by the certificate, it is an
    error at check to have none, and a warning at run; the service starts."""
    world = World(t)
    silent = "http://127.0.0.1:%d/" % t.port()
    must = leaf(t, world.responder.url, "must.test", must=True,
                issuer=world.root)
    none = t.pki.leaf("none.test", issuer=world.root)
    lost = leaf(t, silent, "lost.test", issuer=world.root)
    certificates = [bundle(must), bundle(none), bundle(lost)]
    tls = world.services["web"]["accept"]["tls"]
    tls["certificates"] = certificates
    world.services["web"]["accept"]["address"] = "127.0.0.1:%d" % t.port()
    world.responder.mood = with_status(500)
    found = check(t, world.services)
    assert found.status == 2, found
    assert found.err.count("there must be a staple") == 1, found
    assert "HTTP 500" in found.err, found
    world.responder.mood = with_answer(world.good(about=must))
    assert check(t, world.services).status == 0
    # `auto` asks nobody but for those that must have one.
    assert len(world.responder.asked) == 2
    world.responder.mood = with_answer(
        world.good(about=must, status="revoked"))
    found = check(t, world.services)
    assert found.status == 2 and "revoked" in found.err, found
    tls["staple"] = "must"
    world.responder.mood = with_answer(world.good(about=must))
    found = check(t, world.services)
    assert found.status == 2, found
    assert found.err.count("there must be a staple") == 2, found
    assert "names no responder" in found.err, found
    tls["staple"] = "off"
    assert check(t, world.services).status == 0
    # One place is enough to insist, and two do not contradict each other.
    tls["staple"] = "auto"
    world.responder.mood = with_answer(world.good(about=must))
    tls["hosts"] = {"lost.test": {"staple": "must"}}
    found = check(t, world.services)
    assert found.status == 2, found
    assert found.err.count("there must be a staple") == 2, found
    tls["hosts"] = {"lost.test": {"staple": {"responder": silent}},
                    "must.test": {"staple": {"responder": silent + "a"}}}
    found = check(t, world.services)
    assert found.status == 2 and "is not used" in found.err, found
    del tls["hosts"]
    tls["staple"] = "must"
    d = t.daemon(world.services)
    d.wait_log("warn helper.* staple certificate=.* state=none .*names no")
    d.wait_log("warn helper.* staple certificate=.* state=none .*connect")
    once_good(t, d, must, name="must.test")
    assert ask(t, d, name="none.test") is None


def test_settings_that_make_no_sense(t):
    """Told with their places."""
    world = World(t)
    tls = world.services["web"]["accept"]["tls"]
    for staple, sentence in (
            ({"file": "a.der", "responder": "http://a/"}, "nobody is asked"),
            ({"mode": "off", "file": "a.der"}, "its mode is off"),
            ({"responder": "https://a/"}, "is a URL such as"),
            ({"responder": "http:///a"}, "is a URL such as"),
            ({"responder": "ocsp.example.org"}, "is a URL such as"),
            ("often", "expected")):
        tls["staple"] = staple
        found = check(t, world.services)
        assert found.status == 2 and sentence in found.err, (staple, found)
        tls["staple"] = "auto"
        tls["certificates"] = [{"chain": bundle(world.leaf),
                                "staple": staple}]
        found = check(t, world.services)
        assert found.status == 2 and sentence in found.err, (staple, found)
        assert found.err.count(sentence) == 1, found


@limit(60 + 2 * RELOADS)
def test_reloads_with_staples(t):
    """Twenty reloads, or a thousand at night, between two certificates, with
    requests under way: nothing is left behind."""
    world = World(t)
    other = leaf(t, world.responder.url, "web.test", "www.test",
                 issuer=world.root)

    def mood(handler):
        time.sleep(0.05)
        handler.reply(b"no", 500)

    world.responder.mood = mood
    d = t.daemon(world.services)
    tls = world.services["web"]["accept"]["tls"]
    counts = []
    for step in range(RELOADS):
        tls["certificates"] = [bundle((other, world.leaf)[step % 2])]
        d.reload(world.services)
        assert ask(t, d) is None
        if step in (RELOADS // 2, RELOADS - 1):
            counts.append(d.descriptors())
    assert counts[0] == counts[-1], counts
    assert len(world.responder.asked) <= 2 * (2 + RELOADS // 20), (
        "never twice a minute")
