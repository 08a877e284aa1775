# SPDX-License-Identifier: BSD-2-Clause
"""The broker's life: there when a configuration has UNIX backends, replaced
when it dies, gone when nobody needs it any more."""

from harness import wait_for
from streams import echo

ECHO = {"s": {"accept": {}, "connect": "builtin:echo"}}


def unix_services(t):
    path = t.path("backend.sock")
    t.unix_server(echo, path)
    return {"s": {"accept": {}, "connect": "unix:" + path}}


def expect_echo(d):
    with d.plain() as stream:
        stream.expect_echo()


def test_it_comes_and_goes_with_the_configuration(t):
    services = unix_services(t)
    d = t.daemon(ECHO)
    assert d.role("broker") == []
    for _ in range(3):
        d.reload(services)
        assert len(d.role("broker")) == 1
        expect_echo(d)
        d.reload(ECHO)
        wait_for(lambda: d.role("broker") == [], "no broker")
        expect_echo(d)


def test_it_stays_as_long_as_connections_need_it(t):
    services = unix_services(t)
    d = t.daemon(services)
    (pid,) = d.role("broker")
    with d.plain() as stream:
        stream.expect_echo()
        d.reload(ECHO)
        expect_echo(d)
        assert d.role("broker") == [pid]
        d.reload(services)
        assert d.role("broker") == [pid]
        d.reload(ECHO)
        stream.expect_echo()
    wait_for(lambda: d.role("broker") == [], "no broker")


def test_a_killed_broker_is_replaced(t):
    d = t.daemon(unix_services(t))
    stream = d.plain()
    stream.expect_echo()
    for _ in range(3):
        (victim,) = d.role("broker")
        d.kill_child(victim)
        wait_for(lambda: d.role("broker") not in ([], [victim]),
                 "a new broker")
        expect_echo(d)
    stream.expect_echo()
    stream.close()


def test_one_that_nobody_needs_is_not_replaced(t):
    services = unix_services(t)
    d = t.daemon(services)
    with d.plain() as stream:
        stream.expect_echo()
        d.reload(ECHO)
        (victim,) = d.role("broker")
        d.kill_child(victim)
        wait_for(lambda: d.role("broker") == [], "no broker")
        stream.expect_echo()
        d.reload(services)
        expect_echo(d)
