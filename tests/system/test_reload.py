# SPDX-License-Identifier: BSD-2-Clause
"""Reload: by HUP and by command; all of it or nothing."""

import hashlib
import re
import shutil
import signal
import threading

from harness import RELOAD_FAILED, limit, wait_for
from streams import Ended, echo, greeter


def digest(stream):
    return hashlib.sha256(stream.certificate()).hexdigest()


def echo_service(**accept):
    return {"accept": accept, "connect": "builtin:echo"}


def is_listening(t, port):
    try:
        t.connect(port).close()
        return True
    except ConnectionRefusedError:
        return False


def test_hup_adds_changes_and_removes_services(t):
    one, two = t.server(greeter(b"one")), t.server(greeter(b"two"))
    d = t.daemon({"a": {"accept": {}, "connect": one.address},
                  "b": {"accept": {}, "connect": one.address}})
    ports = {name: d.port(name) for name in "ab"}
    old = d.plain("b")
    assert old.recv() == b"one"
    d.reload({"a": {"accept": {}, "connect": two.address},
              "c": {"accept": {}, "connect": two.address}})
    assert d.port("a") == ports["a"]
    for name in "ac":
        with d.plain(name) as stream:
            assert stream.recv() == b"two", name
    wait_for(lambda: not is_listening(t, ports["b"]), "b is closed")
    old.expect_echo()  # what was open goes on under the old rules


def test_the_command(t):
    d = t.daemon({"a": echo_service()})
    d.write({"a": echo_service(), "b": echo_service()})
    t.command("reload", "-c", d.file).expect(0)
    with d.plain("b") as stream:
        stream.expect_echo()
    d.write({"a": echo_service()})
    t.command("reload", "-c", d.file).expect(0)
    wait_for(lambda: not is_listening(t, d.port("b")), "b is closed")


def test_a_bad_file_changes_nothing_and_says_why(t):
    d = t.daemon({"a": {"accept": {}, "connect": "builtin:echo",
                        "timeouts": {"idle": "1h"}}})
    stream = d.plain()
    stream.expect_echo()
    bad = """\
global: {state_dir: state, admin: "unix:%s"}
services:
  a:
    accept: "127.0.0.1:%d"
    connect: builtin:echo
    timeouts: {idle: soon}
    colour: blue
""" % (d.admin, d.port())
    pids = sorted([d.pid, *d.children()])
    d.write(text=bad)
    d.signal(signal.SIGHUP)
    d.wait_log(RELOAD_FAILED)
    d.wait_log(r"sealock\.yaml:6:\d+: .*soon")
    d.wait_log(r"sealock\.yaml:7:\d+: .*colour")
    result = t.command("reload", "-c", d.file).expect(2)
    assert re.search(r"sealock\.yaml:6:\d+: .*\n.*sealock\.yaml:7:\d+: ",
                     result.err), result
    stream.expect_echo()
    with d.plain() as other:
        other.expect_echo()
    assert sorted([d.pid, *d.children()]) == pids
    d.write({"a": echo_service()})
    t.command("reload", "-c", d.file).expect(0)


def test_bad_in_every_way(t):
    """Not only syntax: an address in use, a certificate that is gone, a
    missing file, an empty one; nothing changes, and afterwards all works."""
    d = t.daemon({"a": echo_service(**t.gate())})
    taken = t.server(echo)
    before = d.descriptors()
    good = dict(d.services)
    for services in (
            {**good, "b": {"accept": taken.address,
                           "connect": "builtin:echo"}},
            {**good, "b": {"accept": {"tls": {"ciphers": "NONSENSE",
                           "certificates": t.pki.system().bundle}},
                           "connect": "builtin:echo"}}):
        d.write(services)
        result = t.command("reload", "-c", d.file)
        assert result.status in (1, 2) and result.err, result
        with d.tls("a") as stream:
            stream.expect_echo()
    admin = t.write("client.yaml", "global: {admin: \"unix:%s\"}\nservices: "
                    "{a: {accept: \"127.0.0.1:1\", connect: builtin:echo}}\n"
                    % d.admin)
    for text in ("", "services: {}\n", ": [\n", "\x00\x01\xff"):
        d.write(text=text)
        result = t.command("reload", "-c", admin)
        assert result.status == 2 and result.err, (text, result)
        with d.tls("a") as stream:
            stream.expect_echo()
    wait_for(lambda: d.descriptors() == before, "nothing is left open")
    d.addresses.pop("b", None)
    d.reload(good)
    with d.tls("a") as stream:
        stream.expect_echo()


def test_certificates_change(t):
    """New connections get the new one, old ones go on."""
    old, new = t.pki.leaf("web.test"), t.pki.leaf("web.test", key="rsa")
    path = t.path("web.pem")
    shutil.copy(old.bundle, path)
    d = t.daemon({"s": {"accept": {"tls": {"certificates": path}},
                        "connect": "builtin:echo"}})
    stream = d.tls()
    assert digest(stream) == old.digest()
    shutil.copy(new.bundle, path)
    d.reload()
    with d.tls() as other:
        assert digest(other) == new.digest()
    stream.expect_echo()


def test_a_certificate_that_broke_is_served_from_the_last_good_copy(t):
    old = t.pki.leaf("web.test")
    path = t.path("web.pem")
    shutil.copy(old.bundle, path)
    d = t.daemon({"s": {"accept": {"tls": {"certificates": [
        path, t.pki.leaf("other.test").bundle]}},
        "connect": "builtin:echo"}})
    t.write("web.pem", "half written\n")
    d.reload()
    d.wait_log(r"web\.pem")
    with d.tls() as stream:
        assert digest(stream) == old.digest()
    with d.tls(name="other.test") as stream:
        stream.expect_echo()


def test_no_connection_is_lost_during_reloads(t):
    """Clients come all the time while the daemon reloads 30 times, every
    third time with a broken file; long ones keep going."""
    d = t.daemon({"s": echo_service(**t.gate())})
    good = d.services
    long = [d.tls() for _ in range(5)]
    over = threading.Event()
    failures, count = [], [0]

    def come_and_go():
        while not over.is_set():
            try:
                with d.tls() as stream:
                    stream.expect_echo()
                count[0] += 1
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(30):
            seen = count[0]
            if i % 3 == 2:
                d.write(text="services: [\n")
                failed = len(re.findall(RELOAD_FAILED, d.text()))
                d.signal(signal.SIGHUP)
                d.wait_log(RELOAD_FAILED, count=failed + 1)
            else:
                d.reload(good, defaults={"timeouts": {
                    "idle": "%dm" % (i + 5)}})
            for stream in long:
                stream.expect_echo()
            wait_for(lambda: failures or count[0] >= seen + 4, "some visits")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]


@limit(120)
def test_100_reloads_leave_the_same_descriptors(t):
    cert = t.pki.system()
    services = {"a": echo_service(**t.gate()),
                "b": {"accept": {}, "connect": {
                    "address": "localhost:1",
                    "tls": {"verify": {"ca": t.pki.root().cert}}}},
                "c": echo_service(tls={"certificates": {
                    "chain": cert.chain, "key": cert.key}})}
    d = t.daemon(services)
    d.reload(services)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    before = d.descriptors()
    pids = sorted(d.children())
    for i in range(100):
        d.reload(services, defaults={"timeouts": {"idle": "%dm" % (i + 1)}})
    wait_for(lambda: d.descriptors() == before,
             "the descriptors are %r again" % before)
    assert sorted(d.children()) == pids
    with d.tls("a") as stream:
        stream.expect_echo()


def test_a_storm_of_signals(t):
    """100 HUPs at once: some reloads, no harm."""
    d = t.daemon({"s": echo_service()})
    stream = d.plain()
    for _ in range(100):
        d.signal(signal.SIGHUP)
    d.write({"s": echo_service(), "new": echo_service()})
    d.signal(signal.SIGHUP)

    def new_works():
        try:
            with d.plain("new") as other:
                other.expect_echo()
            return True
        except (OSError, Ended):
            return False

    wait_for(new_works, "the newest file is in force")
    stream.expect_echo()


def test_the_number_of_workers_changes(t):
    d = t.daemon({"s": echo_service()}, globals={"workers": 1})
    stream = d.plain()
    stream.expect_echo()
    d.globals["workers"] = 3
    d.reload()
    wait_for(lambda: len(d.workers()) == 3, "three workers")
    d.globals["workers"] = 2
    d.reload()
    with d.plain() as other:
        other.expect_echo()
    stream.expect_echo()


def test_reload_grace(t):
    """Connections of an older configuration end after that time."""
    d = t.daemon({"s": echo_service()}, globals={"reload_grace": "500ms"})
    stream = d.plain()
    stream.expect_echo()
    d.reload()
    with d.plain() as other:
        other.expect_echo()
        assert stream.read_all()[0] == b""
        d.wait_access(reason="shutdown")
        other.expect_echo()


def test_reuse_port_is_kept_over_reloads(t):
    d = t.daemon({"s": echo_service(reuse_port=True)})
    streams = [d.plain() for _ in range(10)]
    for _ in range(3):
        d.reload()
        for stream in streams:
            stream.expect_echo()
        with d.plain() as other:
            other.expect_echo()


def test_names_of_the_log_file_change(t):
    d = t.daemon({"s": echo_service()})
    d.access_log = t.path("second.log")
    d.reload()
    with d.plain() as stream:
        stream.expect_echo()
    d.wait_access()
