# SPDX-License-Identifier: BSD-2-Clause
"""The keeper: its death, its silence, requests that nobody waits for any more,
keys that it cannot load.

SEALOCK_ABANDONED is how many handshakes are abandoned (3000 unless it says
otherwise)."""

import os
import re
import signal
import socket
import ssl
import threading

from harness import limit, wait_for
from streams import Ended, Tls, client_context, greeter, server_context
from test_attack import is_silent, memory, tcp_queues

# Requests of a worker that are under way at once.
WINDOW = 64

ABANDONED = int(os.environ.get("SEALOCK_ABANDONED", 3000))


def keeper_daemon(t, services=None, **options):
    services = services or {"s": {"accept": t.gate(),
                                  "connect": "builtin:echo"}}
    return t.daemon(services, globals={
        "isolate_keys": True, **options.pop("globals", {})}, **options)


def needs_asynchrony(t):
    """Sanitizers cannot follow fibres: their builds wait for each signature."""
    if t.sanitized:
        t.skip("a build with sanitizers waits for the keeper")


def keeper(d):
    """The pid of the keeper, as soon as there is one."""
    return wait_for(lambda: d.role("keeper"), "there is a keeper")[0]


def thread_states(pid):
    """The letter of each thread of a process."""
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, thread)) as file:
            yield file.read().rpartition(")")[2].split()[0]


class Stopped:
    """The keeper does nothing in here."""

    def __init__(self, d):
        self.pid = keeper(d)

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_for(lambda: set(thread_states(self.pid)) == {"T"},
                 "all of the keeper's threads have stopped")
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


class Handshake:
    """A client's handshake, step by step."""

    context = None

    def __init__(self, d, service=None, name="web.test"):
        Handshake.context = Handshake.context or client_context()
        self.socket = d.plain(service).socket
        self.stream = Tls(self.socket, self.context, False, name)

    def hello(self):
        """The bytes of its ClientHello."""
        try:
            self.stream.ssl.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.stream._out.read()

    def begin(self):
        """Send the ClientHello."""
        self.socket.sendall(self.hello())
        return self

    def last_flight(self):
        """The bytes that follow upon the server's."""
        while True:
            self.stream._in.write(self.socket.recv(65536))
            try:
                self.stream.ssl.do_handshake()
                return self.stream._out.read()
            except ssl.SSLWantReadError:
                pass

    def finish(self):
        """The established stream."""
        return self.stream.handshake()

    def failure(self):
        """How it failed; the exception."""
        try:
            self.stream.handshake()
        except (ssl.SSLError, Ended) as error:
            return error
        raise AssertionError("the handshake succeeded in spite of all")

    def reset(self):
        self.stream.reset()


def wait_until_read(d, service=None):
    """The workers have taken all that clients have sent."""
    port = d.port(service)
    wait_for(lambda: not any(queue for local, _, queue in tcp_queues()
                             if local[1] == port), "everything is read")


def begin_many(d, count, service=None):
    """Handshakes that wait for their signature, the keeper being stopped."""
    begun = [Handshake(d, service).begin() for _ in range(count)]
    wait_until_read(d, service)
    return begun


def demanding_backend(t, handler=greeter(b"hi")):
    """A backend that demands a certificate of us, and a service that has
    one and signs for each connection."""
    mine = t.pki.leaf("somebody.test", usage="client")
    backend = t.server(handler, server_context(
        t.pki.system(), client_ca=t.pki.root()))
    return backend, {
        "accept": {}, "timeouts": {"connect": "1h"}, "connect": {
            "address": "localhost:%d" % backend.port, "tls": {
                "verify": {"ca": t.pki.root().cert}, "session": "off",
                "certificates": {"chain": mine.chain, "key": mine.key}}}}


def is_greeted(d, service="up"):
    try:
        with d.plain(service) as stream:
            return stream.read_exactly(2) == b"hi"
    except Ended:
        return False


# Its death.


def test_a_killed_keeper_is_replaced(t):
    """Handshakes go on behind it, established connections and workers notice
    nothing."""
    d = keeper_daemon(t)
    streams = [d.tls() for _ in range(6)]
    workers = sorted(d.workers())
    for _ in range(3):
        victim = keeper(d)
        d.kill_child(victim)

        def is_served():
            try:
                with d.tls() as stream:
                    stream.expect_echo()
                return True
            except (ssl.SSLError, Ended):
                return False

        wait_for(is_served, "handshakes succeed again")
        assert keeper(d) != victim
        for stream in streams:
            stream.expect_echo()
    assert sorted(d.workers()) == workers
    for stream in streams:
        stream.close()
    d.wait_log(r"child died.*keeper", count=3)
    assert "have changed" not in d.text()
    for record in d.access():
        assert record["reason"] in ("done", "client_closed",
                                    "key_unavailable"), record


def test_handshakes_of_a_killed_keeper_end_with_their_reason(t):
    """On both gates, and at once: those whose request it had. The others
    have their signature from the next one."""
    needs_asynchrony(t)
    backend, up = demanding_backend(t)
    d = keeper_daemon(t, {
        "s": {"accept": t.gate(), "connect": "builtin:echo",
              "timeouts": {"handshake": "1h"}}, "up": up})
    assert is_greeted(d)
    del backend.contacts[:]
    with Stopped(d) as stopped:
        ups = [d.plain("up") for _ in range(5)]
        wait_for(lambda: len(backend.contacts) == 5, "the backend has all")
        assert is_silent(ups[0])
        # More than may be under way at once.
        begun = begin_many(d, 200, "s")
        assert is_silent(begun[0].stream)
        d.kill_child(stopped.pid)
    for stream in ups:
        assert stream.read_all() == (b"", "reset")
    lost = sum(is_lost(handshake) for handshake in begun)
    assert 0 < lost <= len(d.workers()) * WINDOW, lost
    d.wait_access(5, service="up", reason="key_unavailable")
    d.wait_access(lost, service="s", reason="key_unavailable")
    assert len(d.access(service="s")) == lost
    wait_for(lambda: is_greeted(d), "the new keeper signs for clients")


def is_lost(handshake):
    """Does it fail? One that succeeds is an echo's."""
    try:
        handshake.finish().expect_echo()
        return False
    except (ssl.SSLError, Ended):
        return True


def test_reloads_without_a_keeper(t):
    """Killed right before a reload: that one, or the next, is in force, and
    all are served."""
    d = keeper_daemon(t)
    for _ in range(5):
        d.kill_child(keeper(d))
        result = t.command("reload", "-c", d.file)
        assert result.status in (0, 1), result
        wait_for(lambda: t.command("reload", "-c", d.file).status == 0,
                 "a reload succeeds")
        with d.tls() as stream:
            stream.expect_echo()


def test_isolation_goes_and_comes_back(t):
    """With a reload, while clients come: none is turned away."""
    services = {"s": {"accept": t.gate(), "connect": "builtin:echo"}}
    d = keeper_daemon(t, services)
    first = d.tls()
    over = threading.Event()
    failures = []

    def come_and_go():
        while not over.is_set():
            try:
                with d.tls() as stream:
                    stream.expect_echo()
            except Exception as error:
                failures.append(error)

    clients = [threading.Thread(target=come_and_go) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        for is_isolated in (False, True, False, True):
            d.globals["isolate_keys"] = is_isolated
            d.reload(services)
            for _ in range(5):
                with d.tls() as stream:
                    stream.expect_echo()
    finally:
        over.set()
        for client in clients:
            client.join()
    assert not failures, failures
    # The keeper of an older generation stays, and has ticket keys; nobody
    # waits for a signature of its.
    first.expect_echo()
    d.globals["isolate_keys"] = False
    d.reload(services)
    with Stopped(d), d.tls() as stream:
        stream.expect_echo()
    first.close()
    with d.tls() as stream:
        stream.expect_echo()


# Its silence.


def test_a_stopped_keeper_delays_full_handshakes_alone(t):
    """What is relayed and what needs no signature goes on."""
    needs_asynchrony(t)
    far = t.daemon({"far": {"accept": t.gate(), "connect": "builtin:echo"}},
                   name="far")
    d = keeper_daemon(t, {
        "s": {"accept": t.gate(), "connect": "builtin:echo"},
        "plain": {"accept": {}, "connect": "builtin:echo"},
        "up": {"accept": {}, "connect": {
            "address": "localhost:%d" % far.port(),
            "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    streams = [d.tls("s") for _ in range(4)]
    with Stopped(d):
        begun = begin_many(d, 100, "s")
        for _ in range(20):
            for stream in streams:
                stream.expect_echo(b"x" * 10000)
            for service in ("plain", "up"):
                with d.plain(service) as stream:
                    stream.expect_echo()
        assert is_silent(begun[0].stream)
    for handshake in begun:
        handshake.finish().expect_echo()


def test_a_stopped_keeper_does_not_outlast_the_limit(t):
    """Handshakes that wait for it end when their time is over, and what it
    says then is nobody's."""
    needs_asynchrony(t)
    d = keeper_daemon(t, {"s": {
        "accept": t.gate(), "connect": "builtin:echo",
        "timeouts": {"handshake": "500ms"}}})
    with Stopped(d):
        begun = begin_many(d, 100)
        for handshake in begun:
            handshake.failure()
        record = d.wait_access(100, reason="key_unavailable")
        assert "did not sign in time" in record["detail"], record
    for _ in range(20):
        with d.tls() as stream:
            stream.expect_echo()


# Requests that nobody waits for.


@limit(1800)
def test_handshakes_abandoned_at_any_byte(t):
    """Clients go away after any number of bytes, and while the keeper owes
    them a signature."""
    d = keeper_daemon(t, globals={"workers": 1})
    (worker,) = d.workers()
    processes = (worker, keeper(d))
    before = d.descriptors()
    sweep = Sweep(d)

    def abandon(count):
        for first in range(0, count, 100):
            # Never more at once than the warm-up has had.
            if first % 300 == 0 and not t.sanitized:
                sweep.while_stopped(100)
            else:
                sweep.any_bytes(100)
        wait_for(lambda: d.descriptors() == before, "all of them are gone")
        for _ in range(10):
            with d.tls() as stream:
                stream.expect_echo()
        wait_for(lambda: d.descriptors() == before, "the canaries, too")
        return [memory(pid) for pid in processes]

    # What is allocated once, fibres above all, is there after these.
    started = abandon(1200)
    ended = abandon(ABANDONED)
    print(started, ended)
    if t.sanitized:
        t.skip("memory is not compared: a sanitizer keeps what was freed")
    for one, other in zip(started, ended):
        assert other - one < 1 << 20, (started, ended)


class Sweep:
    """Handshakes of which each breaks off one byte later than the last."""

    def __init__(self, d):
        self.d = d
        self.length = 0

    def any_bytes(self, count):
        begun = []
        for _ in range(count):
            handshake = Handshake(self.d)
            hello = handshake.hello()
            handshake.socket.sendall(hello[:self.length])
            if self.length > len(hello):
                last = handshake.last_flight()
                handshake.socket.sendall(last[:self.length - len(hello)])
                if self.length > len(hello) + len(last):
                    self.length = -1
            self.length += 1
            begun.append(handshake)
            # Some at once, some a little later.
            if len(begun) > 3:
                begun.pop(0).reset()
        for handshake in begun:
            handshake.reset()

    def while_stopped(self, count):
        with Stopped(self.d):
            for handshake in begin_many(self.d, count):
                handshake.reset()


def test_a_backend_goes_away_while_the_keeper_signs(t):
    """The connection ends, and the next one is served."""
    needs_asynchrony(t)
    backend, up = demanding_backend(t)
    d = keeper_daemon(t, {"up": up})
    assert is_greeted(d)
    del backend.contacts[:]
    with Stopped(d):
        streams = [d.plain() for _ in range(20)]
        wait_for(lambda: len(backend.contacts) == 20, "the backend has all")
        assert is_silent(streams[0])
        for contact in backend.contacts:
            contact.stream.socket.shutdown(socket.SHUT_RDWR)
        for stream in streams:
            assert stream.read_all() == (b"", "reset")
    d.wait_access(20, reason="backend_handshake_failed")
    assert is_greeted(d)


# Keys that cannot be loaded.


def test_bad_keys_are_named_and_the_others_served(t):
    """At the start, after a reload and in a check, whoever reads the keys."""
    good, other = t.pki.leaf("good.test"), t.pki.leaf("other.test")
    empty = t.write("empty.key", "")
    garbage = t.write("garbage.key", "nothing\n")
    os.mkdir(t.path("directory.key"))
    bad = {
        "missing.test": ("missing.key", {}),
        "empty.test": (empty, {}),
        "garbage.test": (garbage, {}),
        "directory.test": (t.path("directory.key"), {}),
        "mismatch.test": (other.key, {}),
        "wrong.test": (t.pki.leaf("wrong.test").encrypted_key("sesame"),
                       {"passphrase": "env:WRONG"}),
        "none.test": (t.pki.leaf("none.test").encrypted_key("sesame"), {}),
    }
    certificates = [{"chain": t.pki.leaf(name).chain, "key": key, **more}
                    for name, (key, more) in bad.items()]
    certificates.insert(3, {"chain": good.chain, "key": good.key})
    d = keeper_daemon(t, {"s": {
        "accept": {"tls": {"certificates": certificates}},
        "connect": "builtin:echo"}}, environment={"WRONG": "guess"})
    for starts in (1, 2):
        for name in (*bad, "good.test"):
            with d.tls(name=name) as stream:
                stream.expect_echo()
                assert stream.certificate() == good_der(good), name
        for key, _ in bad.values():
            d.wait_log(re.escape(os.path.basename(key)), count=starts)
        d.reload()
    result = t.command("check", "-c", d.file,
                       env=t.environment(WRONG="guess")).expect(2)
    for key, _ in bad.values():
        assert os.path.basename(key) in result.err, (key, result)
    for text in (d.text(), result.err):
        assert "guess" not in text


def good_der(certificate):
    with open(certificate.der, "rb") as file:
        return file.read()


def test_a_key_that_went_bad_is_used_from_the_last_good_copy(t):
    """Also by a worker that comes later. A keeper that comes later cannot
    have it: then the name has no certificate, and the others are served."""
    old, other = t.pki.leaf("web.test"), t.pki.leaf("other.test")
    key = t.write("web.key", open(old.key).read())
    d = keeper_daemon(t, {"s": {"accept": {"tls": {"certificates": [
        {"chain": other.chain, "key": other.key},
        {"chain": old.chain, "key": key}]}}, "connect": "builtin:echo"}},
        globals={"workers": 1})
    t.write("web.key", "half written\n")
    d.reload()
    d.wait_log(r"web\.key")

    def served():
        try:
            with d.tls() as stream:
                stream.expect_echo()
                return stream.certificate()
        except (ssl.SSLError, Ended, OSError):
            return None

    assert served() == good_der(old)
    (victim,) = d.workers()
    d.kill_child(victim)
    wait_for(lambda: served() == good_der(old), "a new worker serves it, too")
    d.kill_child(keeper(d))
    wait_for(lambda: served() == good_der(other), "the other is served")
    t.write("web.key", open(old.key).read())
    d.reload()
    assert served() == good_der(old)
