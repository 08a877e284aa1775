# SPDX-License-Identifier: BSD-2-Clause
"""UNIX backends by way of the broker: what it connects to, and what becomes
of connections when it cannot, or is not there."""

import contextlib
import os
import pwd
import re
import signal
import socket
import ssl
import struct
import threading
import time

from harness import wait_for
from streams import Tls, client_context, echo, greeter, server_context


def backend(t, name, handler=echo, tls=None):
    """Its contacts have the pid of whoever has connected."""
    def handle(contact):
        contact.pid = struct.unpack("3i", contact.stream.socket.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        handler(contact)

    return t.unix_server(handle, name, tls)


def abstract(t, name="a"):
    return "@sealock-%s-%d" % (name, os.getpid())


def unix(t, name="a"):
    return "unix:" + t.path(name)


def to(*addresses, **timeouts):
    return {"accept": {}, "connect": {"address": list(addresses)},
            "timeouts": timeouts}


def the_broker(d):
    (pid,) = wait_for(lambda: d.role("broker"), "there is a broker")
    return pid


def greeting(d, service=None):
    with d.plain(service) as stream:
        return stream.recv()


def fails(d, service=None):
    with d.plain(service) as stream:
        assert stream.read_all()[0] == b""


# What it connects to.


def test_paths_and_abstract_names(t):
    path = backend(t, t.path("a"))
    name = backend(t, abstract(t))
    tls = backend(t, t.path("tls"), tls=server_context(t.pki.system()))
    d = t.daemon({
        "path": to(path.address),
        "name": to(name.address),
        "tls": {"accept": t.gate(), "connect": {
            "address": tls.address,
            "tls": {"verify": {"ca": t.pki.root().cert, "name": "web.test"}},
        }},
    })
    for service in "path", "name":
        for _ in range(4):
            with d.plain(service) as stream:
                stream.expect_echo(os.urandom(100000))
    with d.tls("tls") as stream:
        stream.expect_echo()
    for server in path, name, tls:
        assert {contact.pid for contact in server.contacts} == {
            the_broker(d)}
    assert d.wait_access(service="name")["backend"] == name.address


def test_there_is_one_only_where_it_is_needed(t):
    """It comes with the reload that needs it."""
    path = backend(t, t.path("a"), greeter(b"path"))
    tcp = t.server(greeter(b"tcp"))
    d = t.daemon({"s": to(tcp.address)})
    assert greeting(d) == b"tcp"
    assert not d.role("broker")
    d.reload({"s": to(path.address)})
    assert greeting(d) == b"path"
    the_broker(d)


def test_without_a_sandbox_there_is_none(t):
    path = backend(t, t.path("a"))
    name = backend(t, abstract(t))
    d = t.daemon({"path": to(path.address), "name": to(name.address)},
                 globals={"sandbox": "off"})
    for service in "path", "name":
        with d.plain(service) as stream:
            stream.expect_echo()
    assert not d.role("broker")
    assert {contact.pid for contact in path.contacts + name.contacts} <= {
        *d.workers()}


def test_in_an_empty_directory(t):
    """Workers that are shut in need it, with filters or without."""
    if os.geteuid() != 0:
        t.skip("only root can change users and directories")
    path = backend(t, t.path("a"))
    name = backend(t, abstract(t))
    os.mkdir(t.path("empty"), 0o755)
    for mode in "off", "auto":
        d = t.daemon({"path": to(path.address), "name": to(name.address)},
                     globals={"sandbox": mode, "chroot": t.path("empty")},
                     name=mode)
        for service in "path", "name":
            with d.plain(service) as stream:
                stream.expect_echo()
        assert {path.contacts[-1].pid, name.contacts[-1].pid} == {
            the_broker(d)}
        d.stop()


def test_its_own_user(t):
    """Whose right to connect it is that counts."""
    if os.geteuid() != 0:
        t.skip("only root can change users and directories")
    path = backend(t, t.path("a"))
    user = pwd.getpwnam("daemon")
    os.chown(t.path("a"), user.pw_uid, user.pw_gid)
    os.chmod(t.path("a"), 0o700)
    services = {"s": to(path.address)}
    for mode in "off", "auto":
        d = t.daemon(services, name=mode, globals={
            "sandbox": mode, "user": {"worker": "nobody",
                                      "broker": "daemon"}})
        with d.plain() as stream:
            stream.expect_echo()
        assert path.contacts[-1].pid == the_broker(d)
        status = open("/proc/%d/status" % the_broker(d)).read()
        assert re.search(r"Uid:(\s%d){4}\n" % user.pw_uid, status), status
        d.stop()
    d = t.daemon(services)
    fails(d)
    assert "Permission denied" in d.wait_access()["detail"]


def test_many_at_once(t):
    """More than it is asked for at a time; and nothing is left open."""
    path = backend(t, t.path("a"))
    d = t.daemon({"s": to(path.address)})
    with d.plain() as stream:
        stream.expect_echo()
    before = d.descriptors()
    broker = len(os.listdir("/proc/%d/fd" % the_broker(d)))
    for _ in range(3):
        streams = [d.plain() for _ in range(150)]
        for stream in streams:
            stream.send(b"ping")
        for stream in streams:
            assert stream.read_exactly(4) == b"ping"
        for stream in streams:
            stream.drop()
    d.wait_access(451)
    assert d.descriptors() == before
    assert len(os.listdir("/proc/%d/fd" % the_broker(d))) == broker


# What it cannot connect to.


def test_a_path_that_is_not_there(t):
    d = t.daemon({"s": to(unix(t, "none")),
                  "name": to("unix:" + abstract(t, "none"))})
    for service in "s", "name":
        fails(d, service)
        record = d.wait_access(service=service)
        assert record["reason"] == "connect_failed", record
        assert "none" in record["detail"], record
    assert "No such file" in d.wait_access(service="s")["detail"]
    assert "refused" in d.wait_access(service="name")["detail"]
    backend(t, t.path("none"), greeter(b"late"))
    assert greeting(d, "s") == b"late"


def test_what_is_no_socket(t):
    t.write("file", "")
    d = t.daemon({"s": to(unix(t, "file")), "d": to("unix:" + t.dir)})
    for service in "s", "d":
        fails(d, service)
        d.wait_access(service=service, reason="connect_failed")


def test_a_socket_that_is_replaced(t):
    """The path counts, not what was there once."""
    first = backend(t, t.path("a"), greeter(b"first"))
    d = t.daemon({"s": to(first.address)})
    assert greeting(d) == b"first"
    os.unlink(t.path("a"))
    backend(t, t.path("a"), greeter(b"second"))
    assert greeting(d) == b"second"


def full_backend(t, name="full"):
    """One whose queue is full; the listener."""
    made = t.unix_listener(t.path(name), backlog=0)
    filler = socket.socket(socket.AF_UNIX)
    t.defer(filler.close)
    filler.connect(t.path(name))
    return made


def test_a_full_queue_is_waited_for(t):
    full = full_backend(t)
    d = t.daemon({"s": to(unix(t, "full"))})
    stream = d.plain()
    stream.send(b"patience")
    os.sched_yield()
    full.accept()[0].close()
    accepted, _ = full.accept()
    accepted.settimeout(10)
    assert accepted.recv(100) == b"patience"
    accepted.close()


def test_a_full_queue_has_a_limit(t):
    full_backend(t)
    d = t.daemon({"s": to(unix(t, "full"), connect="600ms")})
    started = time.monotonic()
    fails(d)
    assert 0.5 < time.monotonic() - started < 0.6 + 4 * t.patience
    assert d.wait_access()["reason"] == "connect_timeout"


def test_lists_of_mixed_addresses(t):
    """Whatever fails at once is passed over at once, whatever waits after
    the attempt delay."""
    full_backend(t)
    tcp = t.server(greeter(b"tcp"))
    path = backend(t, t.path("a"), greeter(b"path"))
    closed = "127.0.0.1:%d" % t.port()
    d = t.daemon({
        "missing": to(unix(t, "none"), closed, tcp.address),
        "closed": to(closed, unix(t, "none"), path.address),
        "full": to(unix(t, "full"), unix(t, "none"), tcp.address),
        "nothing": to(closed, unix(t, "none")),
        "builtin": to(unix(t, "none"), "builtin:echo"),
    })
    assert greeting(d, "missing") == b"tcp"
    assert greeting(d, "closed") == b"path"
    started = time.monotonic()
    assert greeting(d, "full") == b"tcp"
    assert time.monotonic() - started > 0.2
    fails(d, "nothing")
    assert "No such file" in d.wait_access(service="nothing")["detail"]
    with d.plain("builtin") as stream:
        stream.expect_echo()


# Its end.


def test_a_killed_broker_is_replaced(t):
    """Connections go on; those that are made in between wait for it."""
    path = backend(t, t.path("a"))
    d = t.daemon({"s": to(path.address)})
    with d.plain() as old:
        old.expect_echo()
        for _ in range(3):
            victim = the_broker(d)
            d.kill_child(victim)
            with d.plain() as stream:
                stream.expect_echo()
            wait_for(lambda: d.role("broker") not in ([], [victim]),
                     "a new broker")
            assert path.contacts[-1].pid == the_broker(d)
        old.expect_echo()
    d.wait_log(r"child died.*broker", count=3)
    d.reload()
    with d.plain() as stream:
        stream.expect_echo()
    assert not d.access(reason="connect_failed")


def test_a_stopped_broker_holds_up_nobody_else(t):
    """Its clients wait as for any backend, and are served when it goes on, or
    by its successor; nobody connects for those that have given up."""
    path = backend(t, t.path("a"))
    tcp = t.server(echo)
    d = t.daemon({"unix": to(path.address, connect="60s"),
                  "tcp": to(tcp.address),
                  "both": to(path.address, tcp.address),
                  "hasty": to(path.address, connect="500ms")})
    with d.plain("unix") as old:
        old.expect_echo()
        for i, end in enumerate((signal.SIGCONT, signal.SIGKILL)):
            broker = the_broker(d)
            os.kill(broker, signal.SIGSTOP)
            hasty = [d.plain("hasty") for _ in range(50)]
            waiting = [d.plain("unix") for _ in range(50)]
            for stream in waiting:
                stream.send(b"ping")
            for service in "tcp", "both":
                with d.plain(service) as stream:
                    stream.expect_echo()
            old.expect_echo()
            d.wait_access(50 * (i + 1), service="hasty",
                          reason="connect_timeout")
            before = len(path.contacts)
            d.may_lose_children = True
            os.kill(broker, end)
            for stream in waiting:
                assert stream.read_exactly(4) == b"ping"
            old.expect_echo()
            for stream in waiting + hasty:
                stream.drop()
    assert len(path.contacts) == before + 50, len(path.contacts) - before


# Reloads.


def test_a_reload_that_changes_the_path(t):
    one = backend(t, t.path("one"))
    two = backend(t, t.path("two"))
    d = t.daemon({"s": to(one.address)})
    with d.plain() as old:
        old.expect_echo()
        d.reload({"s": to(two.address)})
        with d.plain() as stream:
            stream.expect_echo()
        old.expect_echo()
    assert len(one.contacts) == 1 and len(two.contacts) == 1


def test_a_connection_keeps_its_configuration(t):
    """One that was accepted before a reload and connects after it: to what
    was configured then, as long as it is under way."""
    one = backend(t, t.path("one"), greeter(b"one"))
    two = backend(t, t.path("two"), greeter(b"two"))

    def service(server):
        return {"s": {"accept": t.gate(), "connect": server.address}}

    d = t.daemon(service(one))
    before = sum(d.descriptors()["worker"])
    late = Tls(d.plain().socket, client_context(), False, "web.test")
    try:
        late.ssl.do_handshake()
    except ssl.SSLWantReadError:
        hello = late._out.read()
    late.socket.sendall(hello[:100])
    wait_for(lambda: sum(d.descriptors()["worker"]) > before, "it is accepted")
    for server in two, one, two:
        d.reload(service(server))
    with d.tls() as stream:
        assert stream.recv() == b"two"
    late.socket.sendall(hello[100:])
    assert late.handshake().recv() == b"one"
    late.drop()


def test_reloads_under_traffic(t):
    """Every connection reaches what was configured when it came, or comes
    after."""
    names = [backend(t, t.path(name), greeter(name.encode()))
             for name in ("one", "two")]
    d = t.daemon({"s": to(names[0].address)})
    with knocking(d) as served:
        for i in range(10):
            d.reload({"s": to(names[(i + 1) % 2].address)})
    assert set(served) == {b"one", b"two"}, set(served)
    assert "connection refused" not in d.text()


def test_reloads_while_the_broker_dies(t):
    """What is still configured is reached, if by another place in the
    configuration."""
    path = backend(t, t.path("a"), greeter(b"hi"))
    d = t.daemon({"s": to(path.address)})
    with knocking(d) as served:
        for i in range(4):  # each time it is started later
            services = {"s": to(path.address)}
            if i in (0, 3):
                services = {"another": to(unix(t, "none"), unix(t, "a")),
                            "s": to(unix(t, "none"), path.address)}
            d.kill_child(the_broker(d))
            # A reload that it died of would be refused.
            d.wait_log(r"child died child=\"broker\"", count=i + 1)
            d.reload(services)
    assert set(served) == {b"hi"}, set(served)


@contextlib.contextmanager
def knocking(d):
    """Clients of service s that come and go, and none of them in vain; what
    they were told."""
    ended = threading.Event()
    problems, served = [], []

    def knock():
        while not ended.is_set():
            try:
                served.append(greeting(d, "s"))
            except Exception as error:
                problems.append(error)
                return

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield served
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not problems, problems
