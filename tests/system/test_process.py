# SPDX-License-Identifier: BSD-2-Clause
"""Processes: deaths, ends, the pid file, the background."""

import os
import signal
import time

from harness import command_line, descendants, wait_for
from streams import Ended


def echo_daemon(t, **options):
    return t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}},
                    **options)


def is_refused(d):
    try:
        d.plain().close()
        return False
    except ConnectionRefusedError:
        return True


def test_roles(t):
    """A monitor, its workers and a helper; each child a process image of its
    own with no descriptor that is not meant for it."""
    d = echo_daemon(t)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    assert len(d.role("helper")) == 1, [
        command_line(pid) for pid in d.children()]
    for pid in d.children():
        with open("/proc/%d/status" % pid) as file:
            status = file.read()
        for name in os.listdir("/proc/%d/fd" % pid):
            target = os.readlink("/proc/%d/fd/%s" % (pid, name))
            assert "sealock.yaml" not in target, (pid, target)
        if pid != d.keeper():
            assert "Threads:\t1\n" in status, status


def test_children_have_no_secrets_of_the_environment(t):
    """env:NAME is read by the loader, and nobody else has the variable."""
    d = echo_daemon(t, environment={"PASSPHRASE": "hunter2", "TZ": "UTC"})
    for pid in d.children():
        with open("/proc/%d/environ" % pid, "rb") as file:
            variables = file.read().split(b"\0")
        assert b"TZ=UTC" in variables, variables
        assert not [v for v in variables if b"PASSPHRASE" in v], variables


def test_a_killed_worker_is_replaced(t):
    d = echo_daemon(t)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    for _ in range(5):
        victim = d.workers()[0]
        d.kill_child(victim)
        wait_for(lambda: victim not in d.workers() and
                 len(d.workers()) == 2, "two workers again")
        for _ in range(6):
            with d.plain() as stream:
                stream.expect_echo()
    d.wait_log(r"child died.*worker", count=5)


def test_all_workers_killed_at_once(t):
    """The listener is the monitor's: clients that come in between wait."""
    d = echo_daemon(t)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    for pid in d.workers():
        d.kill_child(pid)
    with d.plain() as stream:
        stream.expect_echo()


def test_a_killed_helper_is_replaced(t):
    d = t.daemon({"s": {"accept": {}, "connect": "localhost:%d" % t.server(
        lambda contact: contact.stream.send(b"hi")).port}})
    with d.plain() as stream:
        assert stream.recv() == b"hi"
    (victim,) = d.role("helper")
    d.kill_child(victim)
    wait_for(lambda: d.role("helper") not in ([], [victim]), "a new helper")
    with d.plain() as stream:
        assert stream.recv() == b"hi"
    d.reload()
    with d.plain() as stream:
        assert stream.recv() == b"hi"


def test_a_killed_monitor_leaves_no_orphans(t):
    d = echo_daemon(t)
    wait_for(lambda: len(d.workers()) == 2, "two workers")
    stream = d.plain()
    stream.expect_echo()
    children = d.children()
    assert children
    d.kill()
    wait_for(lambda: not set(children) & set(descendants(os.getpid())),
             "all children have ended")
    assert is_refused(d)


def test_term_drains(t):
    """No new connections, the open ones may finish, then the end."""
    d = echo_daemon(t, globals={"shutdown_grace": "30s"})
    stream = d.plain()
    stream.expect_echo()
    d.signal(signal.SIGTERM)
    wait_for(lambda: is_refused(d), "no new connections")
    for _ in range(3):
        stream.expect_echo()
    assert d.process.poll() is None
    stream.finish()
    assert stream.read_all() == (b"", "clean")
    assert d.wait(10) == 0
    assert d.access()[-1]["reason"] == "done"


def test_the_grace_has_an_end(t):
    d = echo_daemon(t, globals={"shutdown_grace": "500ms"})
    stream = d.plain()
    stream.expect_echo()
    d.signal(signal.SIGTERM)
    started = time.monotonic()
    assert d.wait() == 0
    assert 0.3 < time.monotonic() - started < 0.5 + 3 * t.patience
    d.wait_access(reason="shutdown")
    stream.read_all()


def test_a_second_term_ends_at_once(t):
    d = echo_daemon(t, globals={"shutdown_grace": "1h"})
    stream = d.plain()
    stream.expect_echo()
    d.signal(signal.SIGTERM)
    wait_for(lambda: is_refused(d), "no new connections")
    d.signal(signal.SIGTERM)
    started = time.monotonic()
    assert d.wait() == 0
    assert time.monotonic() - started < 3 * t.patience
    _, end = stream.read_all()
    assert end == "reset", end
    d.access(reason="shutdown")


def test_stop_now_hides_no_truncation(t):
    """What is cut off is told: a reset for a plain client, no close_notify
    for one of TLS, and a record each."""
    d = t.daemon({"plain": {"accept": {}, "connect": "builtin:echo"},
                  "tls": {"accept": t.gate(), "connect": "builtin:echo"}})
    plain, tls = d.plain("plain"), d.tls("tls")
    for stream in (plain, tls):
        stream.expect_echo()
    t.command("stop", "--now", "-c", d.file).expect(0)
    assert d.wait() == 0
    assert plain.read_all()[1] == "reset"
    assert tls.read_all()[1] != "clean"
    for service in ("plain", "tls"):
        d.access(service=service, reason="shutdown")


def test_int_is_term(t):
    d = echo_daemon(t)
    d.signal(signal.SIGINT)
    assert d.wait() == 0


def test_stop_command(t):
    d = echo_daemon(t)
    t.command("stop", "-c", d.file).expect(0)
    assert d.wait() == 0
    result = t.command("stop", "-c", d.file)
    assert result.status == 1 and result.err, result


def test_pid_file(t):
    """Holds the pid while the daemon runs; a second daemon with the same one
    is refused; one left behind by a crash is no obstacle."""
    d = echo_daemon(t)
    path = t.path("daemon.pid")
    with open(path) as file:
        assert int(file.read()) == d.pid
    other = t.write("second.yaml", """\
global: {pid_file: "%s", admin: "unix:%s"}
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (path, t.path("second.sock"), t.port()))
    result = t.command("run", "-c", other)
    assert result.status != 0 and "pid" in result.err, result
    d.stop()
    assert not os.path.exists(path)
    t.write("daemon.pid", "1\n")
    again = echo_daemon(t, name="again", globals={"pid_file": path})
    with open(path) as file:
        assert int(file.read()) == again.pid


def test_a_pid_file_that_cannot_be_written(t):
    """Written by the operator: an error."""
    file = t.write("c.yaml", """\
global: {pid_file: /nonexistent/sealock.pid, admin: "unix:%s"}
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (t.path("x.sock"), t.port()))
    result = t.command("run", "-c", file)
    assert result.status in (1, 2), result
    assert "/nonexistent/sealock.pid" in result.err, result


def test_daemonize(t):
    """The command comes back when the daemon serves; a daemon that fails is
    its failure."""
    port = t.port()
    file = t.write("c.yaml", """\
global:
  pid_file: "%s"
  admin: "unix:%s"
  state_dir: state
  log: "file:%s"
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (t.path("pid"), t.path("a.sock"), t.path("daemonized.log"), port))
    t.command("run", "-c", file, "--daemonize").expect(0)
    with t.connect(port) as stream:
        stream.expect_echo()
    with open(t.path("pid")) as opened:
        pid = int(opened.read())
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink("/proc/%d/cwd" % pid) == "/"
    again = t.command("run", "-c", t.write("again.yaml", """\
global: {pid_file: "%s", admin: "unix:%s"}
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (t.path("pid2"), t.path("a2.sock"), port)), "--daemonize")
    assert again.status != 0 and str(port) in again.err, again
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: pid not in descendants(os.getpid()), "its end")
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def test_an_address_in_use(t):
    taken = t.server(lambda contact: None)
    file = t.write("c.yaml", """\
global: {pid_file: "%s", admin: "unix:%s"}
services:
  s:
    accept: "%s"
    connect: builtin:echo
""" % (t.path("pid"), t.path("a.sock"), taken.address))
    result = t.command("run", "-c", file)
    assert result.status == 1, result
    assert taken.address in result.err, result
    assert "in use" in result.err, result


def test_a_stale_admin_socket_is_replaced(t):
    """One that a crash has left; a living one is not taken over."""
    d = echo_daemon(t)
    d.kill()
    assert os.path.exists(d.admin)
    wait_for(lambda: not d.children(), "its children have ended")
    again = echo_daemon(t, name="again",
                        globals={"admin": "unix:" + d.admin})
    mode = os.stat(d.admin).st_mode & 0o777
    assert mode == 0o660, oct(mode)
    third = t.write("third.yaml", """\
global: {pid_file: "%s", admin: "unix:%s"}
services: {s: {accept: "127.0.0.1:%d", connect: builtin:echo}}
""" % (t.path("pid3"), d.admin, t.port()))
    result = t.command("run", "-c", third)
    assert result.status != 0, result
    with again.plain() as stream:
        stream.expect_echo()


def test_children_outlive_no_signal_storm(t):
    """Signals to every process of the daemon while it works."""
    d = echo_daemon(t)
    stream = d.plain()
    for _ in range(200):
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            d.signal(number)
    for pid in d.children():
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD,
                       signal.SIGPIPE):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
    try:
        stream.expect_echo()
    except Ended:
        raise AssertionError("a signal broke a connection") from None
    with d.plain() as other:
        other.expect_echo()
