# SPDX-License-Identifier: BSD-2-Clause
"""The keeper and the monitor: deaths around reloads, a keeper that is stopped
while one is asked for, files that changed, isolation switched on and off.

SEALOCK_KEEPER_KILLS is how often it is killed among reloads (20 unless it says
otherwise)."""

import os
import re
import shutil
import signal
import ssl
import threading
import time

from harness import IN_FORCE, limit, wait_for
from streams import Ended

KILLS = int(os.environ.get("SEALOCK_KEEPER_KILLS", 20))


def echo_service(t, certificate=None):
    return {"accept": t.gate(certificate), "connect": "builtin:echo"}


def expect_echo(d, service=None, **options):
    with d.tls(service, **options) as stream:
        stream.expect_echo()


def is_served(d):
    try:
        expect_echo(d)
        return True
    except (ssl.SSLError, Ended):
        return False


def generation(d):
    """The number of the one in force."""
    return len(re.findall(IN_FORCE, d.text()))


class Crowd:
    """Clients that come and go on some threads, and what went wrong."""

    def __init__(self, d, threads=4, may_fail=()):
        self.count = 0
        self.problems = []
        self.is_over = False
        self.may_fail = may_fail
        self.d = d
        self.threads = [threading.Thread(target=self._come_and_go)
                        for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _come_and_go(self):
        while not self.is_over:
            try:
                expect_echo(self.d)
                self.count += 1
            except self.may_fail:
                pass
            except Exception as error:  # the test's thread tells it
                self.problems.append(error)
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def test_a_killed_keeper_is_replaced_within_a_second(t):
    d = t.daemon({"s": echo_service(t)})
    expect_echo(d)
    took = []
    with d.tls() as stream:
        for _ in range(8):
            victim = d.keeper()
            killed = time.monotonic()
            d.kill_child(victim)
            wait_for(lambda: d.role("keeper") not in ([], [victim]) and
                     is_served(d), "a new keeper signs")
            took.append(time.monotonic() - killed)
            stream.expect_echo()
    # The machine may be busy with something else now and then.
    assert sorted(took)[-2] < 1.0 * t.patience, took
    assert "have changed" not in d.text()


@limit(180 + KILLS)
def test_killed_among_reloads(t):
    """At any moment of them: each is in force or refused, with a reason that
    names the keeper, nothing gets stuck, and who is connected stays so."""
    d = t.daemon({"s": echo_service(t)})
    d.may_lose_children = True
    workers = sorted(d.workers())
    streams = [d.tls() for _ in range(5)]
    with Crowd(d, may_fail=(ssl.SSLError, Ended)) as crowd:
        for i in range(KILLS):
            before = d.keeper()
            d.signal(signal.SIGHUP)
            # From before the loader has begun to after COMMIT.
            time.sleep(0.004 * (i % 20))
            try:
                os.kill(before, signal.SIGKILL)
            except ProcessLookupError:
                pass
            wait_for(lambda: d.role("keeper") not in ([], [before]),
                     "a new keeper")
            for stream in streams:
                stream.expect_echo()
    assert not crowd.problems, crowd.problems[0]
    result = t.command("reload", "-c", d.file)
    assert result.status == 0, result
    expect_echo(d)
    assert sorted(d.workers()) == workers
    for problem in re.findall("configuration problem: (.*)", d.text()):
        assert "keeper" in problem, problem
    for record in d.access():
        assert record["reason"] in ("done", "client_closed",
                                    "key_unavailable"), record


def test_a_reload_waits_for_a_stopped_keeper(t):
    """Nothing is in force before it is ready; then all of it is."""
    d = t.daemon({"s": echo_service(t)})
    expect_echo(d)
    stopped = d.keeper()
    os.kill(stopped, signal.SIGSTOP)
    try:
        d.write({"s": echo_service(t), "new": echo_service(t)})
        reload = t.start("reload", t.sealock, "reload", "-c", d.file)
        d.wait_log("admin request")
        time.sleep(0.3)
        assert reload.process.poll() is None, reload.text()
        assert generation(d) == 1
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert reload.process.wait(20 * t.patience) == 0, reload.text()
    expect_echo(d, "new")
    assert d.keeper() == stopped


def test_a_stopped_keeper_is_killed_during_a_reload(t):
    """The reload is refused and says who died; the next one succeeds."""
    d = t.daemon({"s": echo_service(t)})
    d.may_lose_children = True
    stopped = d.keeper()
    os.kill(stopped, signal.SIGSTOP)
    reload = t.start("reload", t.sealock, "reload", "-c", d.file)
    d.wait_log("admin request")
    time.sleep(0.3)
    os.kill(stopped, signal.SIGKILL)
    assert reload.process.wait(20 * t.patience) == 1, reload.text()
    assert "keeper" in reload.text() and "died" in reload.text(), (
        reload.text())
    t.command("reload", "-c", d.file).expect(0)
    expect_echo(d)


@limit(120)
def test_reloads_leave_no_descriptors(t):
    """In no process, under load."""
    cert = t.pki.leaf("pair.test", key="rsa")
    services = {"s": echo_service(t),
                "pair": {"accept": {"tls": {"certificates": {
                    "chain": cert.chain, "key": cert.key}}},
                    "connect": {"address": "localhost:1", "tls": {
                        "verify": {"ca": t.pki.root().cert}}}}}
    d = t.daemon(services)
    d.reload(services)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    before = d.descriptors()
    assert before["keeper"], before
    pids = sorted(d.children())
    with Crowd(d) as crowd:
        for i in range(50):
            d.reload(services, defaults={"timeouts": {
                "idle": "%dm" % (i + 1)}})
    assert not crowd.problems, crowd.problems[0]
    assert crowd.count > 0
    wait_for(lambda: d.descriptors() == before,
             "the descriptors are %r again" % before)
    assert sorted(d.children()) == pids


def test_a_file_that_changed_is_found_by_the_next_keeper(t):
    """Written over where it is, without a reload: whoever reads it anew gets
    something else than the workers have, and a reload puts that right."""
    path = t.path("served.pem")
    shutil.copy(t.pki.system().bundle, path)
    d = t.daemon({"s": {"accept": {"tls": {"certificates": path}},
                        "connect": "builtin:echo"}})
    expect_echo(d)
    other = t.pki.leaf("web.test", key="rsa")
    shutil.copyfile(other.bundle, path)
    expect_echo(d)
    d.kill_child(d.keeper())
    d.wait_log("files have changed since")
    d.wait_log(IN_FORCE, count=2)

    def is_other():
        with d.tls() as stream:
            return stream.certificate() == open(other.der, "rb").read()

    wait_for(is_other, "the other certificate is served")


def test_a_wrong_pair_among_many_is_found_later(t):
    """Of a great many certificates the last ones are not looked at closely
    before they are served; one whose key is another's is left out soon after,
    without anybody asking for it, and once."""
    many = t.pki.system()
    wrong = t.pki.leaf("wrong.test")
    certificates = [{"chain": many.chain, "key": many.key,
                     "names": ["n%d.wild.test" % i]} for i in range(600)]
    certificates[0]["default"] = True
    certificates.append({"chain": wrong.chain,
                         "key": t.pki.leaf("another.test").key})
    d = t.daemon({"s": {"accept": {"tls": {"certificates": certificates}},
                        "connect": "builtin:echo"}})
    d.wait_log("private keys do not match their certificates")
    d.wait_log(IN_FORCE, count=2)
    d.wait_log("does not match a certificate in " + re.escape(wrong.chain))
    for name in ("n1.wild.test", "n599.wild.test", "wrong.test"):
        with d.tls(name=name) as stream:
            stream.expect_echo()
            assert stream.certificate() == open(many.der, "rb").read()
    time.sleep(0.5)
    assert generation(d) == 2, d.text()


def test_isolation_is_switched(t):
    """By reloads, with clients who are connected, and those who come."""
    services = {"s": echo_service(t)}
    d = t.daemon(services)
    workers = sorted(d.workers())
    with d.tls() as first, Crowd(d) as crowd:
        for _ in range(5):
            d.globals["isolate_keys"] = False
            d.reload(services)
            first.expect_echo()
            d.globals["isolate_keys"] = True
            d.reload(services)
            first.expect_echo()
            assert len(d.role("keeper")) == 1
    assert not crowd.problems, crowd.problems[0]
    d.globals["isolate_keys"] = False
    d.reload(services)
    keeper = d.keeper()
    expect_echo(d)
    # It is not asked for anything.
    os.kill(keeper, signal.SIGSTOP)
    expect_echo(d)
    os.kill(keeper, signal.SIGCONT)
    d.reload({"s": {"accept": {}, "connect": "builtin:echo"}})
    wait_for(lambda: d.role("keeper") == [], "nobody needs a keeper")
    assert sorted(d.workers()) == workers


def test_a_key_is_no_trust_anchor(t):
    """A file with a key in it is the keeper's, so it cannot be a CA's as well
    unless workers have the keys."""
    bundle = t.pki.system().bundle
    services = {"s": {"accept": t.gate(), "connect": {
        "address": "127.0.0.1:1",
        "tls": {"verify": {"ca": bundle, "name": "web.test"}}}}}
    d = t.daemon({"s": echo_service(t)})
    d.write(services)
    for command in ("check", "reload"):
        result = t.command(command, "-c", d.file)
        assert result.status == 2, result
        assert bundle in result.err and "isolate_keys" in result.err, result
    expect_echo(d)
    d.globals["isolate_keys"] = False
    d.write(services)
    t.command("reload", "-c", d.file).expect(0)


def test_the_keeper_ends_last(t):
    """It signs until the last worker is gone."""
    d = t.daemon({"s": echo_service(t)}, globals={"shutdown_grace": "30s"})
    keeper = d.keeper()
    stream = d.tls()
    stream.expect_echo()
    d.signal(signal.SIGTERM)
    d.wait_log("draining")
    stream.expect_echo()
    assert d.keeper() == keeper
    stream.finish()
    stream.read_all()
    assert d.wait() == 0
