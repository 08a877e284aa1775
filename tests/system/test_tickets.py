# SPDX-License-Identifier: BSD-2-Clause
"""Keys of session tickets: every process of a daemon has them, whoever dies,
they come from where the configuration says, and nobody is told what they are.
"""

import base64
import json
import os
import re
import time

import memory
from harness import command_line, limit, wait_for
from sessions import Client, Key, KeyFile, derived_key, extracted, ticket

HOUR = 3600
SECRET = "0123456789 a secret that several machines have"

WAYS = {"ticket": {"version": "1.2"}, "psk": {"version": "1.3"}}

TOLD = re.compile(
    r"ticket keys ring=([0-9a-f]{32}) mode=(\w+) current=([0-9a-f]{32}) "
    r"since=(\S+) next=(\S+) at=(\S+) older=(\d+)")


def gate(t, tickets=None, **more):
    session = {"tickets": tickets} if tickets else True
    made = t.gate(session=session)
    made.update(more)
    return made


def start(t, tickets=None, name="daemon", **options):
    return t.daemon({"s": {"accept": gate(t, tickets),
                           "connect": "builtin:echo"}}, name=name, **options)


class Visitor:
    def __init__(self, t):
        self.client = Client(t)

    def session(self, d, way):
        visit = self.client.visit(d.port("s"), **WAYS[way])
        assert visit and not visit.resumed and visit.session, visit
        return visit.session

    def sessions(self, d):
        return {way: self.session(d, way) for way in WAYS}

    def resumed(self, d, sessions, visits=12):
        """Of so many visits with each."""
        count = 0
        for way, session in sessions.items():
            for _ in range(visits):
                visit = self.client.visit(d.port("s"), session=session,
                                          **WAYS[way])
                assert visit, visit
                count += visit.resumed
        return count, visits * len(sessions)

    def expect_all(self, d, sessions, what):
        count, visits = self.resumed(d, sessions)
        assert count == visits, "%s: %d of %d" % (what, count, visits)

    def expect_none(self, d, sessions, what):
        count, visits = self.resumed(d, sessions)
        assert count == 0, "%s: %d of %d" % (what, count, visits)


def told(d):
    """(ring, mode, current, since, next, at, older), all that was told."""
    return TOLD.findall(d.text())


def replace_one(d, pid):
    """Kill a process of the daemon, and wait for another in its place."""
    role = "keeper" if pid == d.keeper() else "worker"
    # Not those that are there now: one that enters its sandbox is two for a
    # moment.
    count = 1 if role == "keeper" else d.globals["workers"]
    d.kill_child(pid)

    def is_replaced():
        now = set(d.role(role))
        return pid not in now and len(now) == count
    wait_for(is_replaced, "another %s" % role)


def survive(t, **options):
    """Every way in which processes come and go: all are resumed."""
    v = Visitor(t)
    state = {"state_dir": t.path("kept"), "workers": 3, **options}
    services = {"s": {"accept": gate(t, reuse_port=True),
                      "connect": "builtin:echo"}}
    d = t.daemon(services, globals=state)
    assert len(d.workers()) == 3
    held = v.sessions(d)
    v.expect_all(d, held, "by three workers")
    for pid in d.workers():
        replace_one(d, pid)
    v.expect_all(d, held, "after all workers were killed")
    before = told(d)
    replace_one(d, d.keeper())
    wait_for(lambda: len(told(d)) > len(before), "the new keeper's keys")
    assert told(d)[-1][:5] == before[-1][:5], told(d)
    v.expect_all(d, held, "after the keeper was killed")
    replace_one(d, d.workers()[0])
    v.expect_all(d, held, "and a worker after it")
    d.reload()
    v.expect_all(d, held, "after a reload")
    d.stop()
    again = t.daemon(services, name="again", globals=state)
    assert told(again)[0][:5] == before[-1][:5]
    v.expect_all(again, held, "after a restart")
    again.kill()
    third = t.daemon(services, name="third", globals=state)
    v.expect_all(third, held, "after the monitor was killed")


@limit(150)
def parity_P44_resumed_whoever_dies(t):
    """100 % of visits with a ticket: by three workers, after kill -9 of each of
    them, of the keeper, after a reload, a restart, kill -9 of the monitor."""
    survive(t)


@limit(150)
def test_resumed_whoever_dies_without_isolation(t):
    survive(t, isolate_keys=False)


def test_the_first_client_after_a_start_is_resumed(t):
    """A worker does not begin before it has the keys."""
    v = Visitor(t)
    state = {"state_dir": t.path("kept"), "workers": 3}
    services = {"s": {"accept": gate(t, reuse_port=True),
                      "connect": "builtin:echo"}}
    d = t.daemon(services, globals=state)
    held = v.sessions(d)
    for turn in range(3):
        d.stop()
        d = t.daemon(services, name="again%d" % turn, globals=state)
        count, visits = v.resumed(d, held, visits=1)
        assert count == visits, turn
    assert "keys of session tickets are missing" not in d.text()


@limit(120)
def test_keys_by_chance_follow_the_clock(t):
    """A session goes on over rotations, its new tickets are under new keys, and
    what was left lying is over after `keep` of them."""
    clock = t.clock()
    clock.set(0)
    v = Visitor(t)
    d = start(t, {"rotate": "8h", "keep": 3, "lifetime": "24h"}, clock=clock)
    first = told(d)[0]
    held = v.sessions(d)
    for turn in range(1, 3):
        clock.set(turn * 8 * HOUR + 60)
        wait_for(lambda: len(told(d)) > turn, "rotation %d" % turn)
        last = told(d)[-1]
        assert last[2] != first[2] and int(last[6]) == turn, last
        # The one that was announced.
        assert last[2] == told(d)[-2][4], told(d)
        v.expect_all(d, held, "rotation %d" % turn)
    # A ticket under an older key brings one under the current key. (In TLS
    # 1.2, too, but there OpenSSL does not tell its client.)
    visit = v.client.visit(d.port("s"), session=held["psk"], **WAYS["psk"])
    assert visit.resumed
    assert ticket(visit.session)[:16].hex() == told(d)[-1][2]


@limit(120)
def test_rotated_away(t):
    """`keep` rotations on demand: resumed, one by one; one more: no more."""
    v = Visitor(t)
    d = start(t, {"rotate": "24h", "keep": 2, "lifetime": "24h"})
    held = v.sessions(d)
    for turn in range(2):
        t.command("tickets", "rotate", "-c", d.file).expect(0)
        v.expect_all(d, held, "rotation %d" % (turn + 1))
    t.command("tickets", "rotate", "-c", d.file).expect(0)
    wait_for(lambda: v.resumed(d, held, visits=4)[0] == 0,
             "all workers know")
    v.expect_none(d, held, "rotated away")
    # Those who come now are resumed as ever.
    v.expect_all(d, v.sessions(d), "new ones")


# Key files.

def raw(name, size):
    """What nginx reads: name, HMAC and AES; in short ones AES and HMAC."""
    return name.encode().ljust(16, b".") + os.urandom(size - 16)


def h2o(name, since, until):
    return (
        "- name: %s\n  cipher: AES-256-CBC\n  hash: SHA256\n  key: %s\n"
        "  not_before: %d\n  not_after: %d\n" % (
            name.encode().ljust(16, b".").hex(), os.urandom(96).hex(),
            since, until))


def named(name):
    return name.encode().ljust(16, b".").hex()


def files(*paths):
    return {"mode": "files", "files": list(paths)}


@limit(120)
def test_key_files_of_other_servers(t):
    """nginx's, HAProxy's and h2o's: two daemons that share keys in whatever
    format resume each other's sessions. (test_ticket_servers has the proof that
    these are what the formats are.)"""
    v = Visitor(t)
    keys = old, now, new = tuple(
        KeyFile(t, name, name.encode().ljust(16, b"."), size)
        for name, size in (("old", 48), ("now", 80), ("new", 48)))
    t.write("lines", b"".join(key.line for key in keys), 0o600)
    t.write("h2o", h2o("past", 0, 1000) + h2o(
        "first", 1000, int(time.time()) + HOUR) + h2o(
        "later", int(time.time()) + HOUR, int(time.time()) + 2 * HOUR), 0o600)
    nginx = start(t, files(*(t.path(n) for n in ("now", "old", "new"))),
                  name="nginx")
    haproxy = start(t, files(t.path("lines")), name="haproxy")
    yaml = start(t, files(t.path("h2o"), t.path("lines")), name="yaml")
    assert told(nginx)[0][1:4] == ("files", named("now"), "-")
    assert told(haproxy)[0][2] == named("now")
    assert told(yaml)[0][2] == named("first")
    assert told(yaml)[0][4] == named("later")
    made = {d: v.sessions(d) for d in (nginx, haproxy, yaml)}
    for way, session in made[haproxy].items():
        assert ticket(session)[:16] == now.name, way
    v.expect_all(nginx, made[haproxy], "nginx's, from HAProxy's")
    v.expect_all(haproxy, made[nginx], "HAProxy's, from nginx's")
    v.expect_all(yaml, made[yaml], "h2o's, its own")
    v.expect_all(yaml, made[nginx], "h2o's and a second file")
    v.expect_none(nginx, made[yaml], "nginx's, from h2o's")


@limit(120)
def test_key_files_that_change(t):
    """Without a reload; one that is wrong changes nothing."""
    v = Visitor(t)
    path = t.write("keys", raw("one", 80), 0o600)
    d = start(t, files(path))
    held = v.sessions(d)
    t.write("keys", "nothing of the kind\n", 0o600)
    d.wait_log(r"renewal refused, nothing has changed")
    d.wait_log(r"line 1 is no key")
    v.expect_all(d, held, "the file is wrong")
    t.write("keys", raw("two", 80), 0o600)
    wait_for(lambda: told(d)[-1][2] == named("two"), "the other key")
    wait_for(lambda: v.resumed(d, held, visits=4)[0] == 0,
             "all workers know")
    v.expect_none(d, held, "another key")
    v.expect_all(d, v.sessions(d), "under the other key")


def test_key_files_that_are_wrong(t):
    """Said by `check`, with the place in the configuration; also what only
    helps others."""
    path = t.write("keys", b"x" * 79, 0o600)
    gates = {"s": {"accept": {**gate(t, files(path)),
                              "address": "127.0.0.1:%d" % t.port()},
                   "connect": "builtin:echo"}}
    conf = t.write("wrong.yaml", json.dumps({"services": gates}))
    result = t.command("check", "-c", conf)
    result.expect(2)
    assert re.search(r"wrong\.yaml:1:\d+: `tickets`: %s: line 1 is no key"
                     % re.escape(path), result.err), result
    t.write("keys", raw("a", 80), 0o644)
    os.chmod(path, 0o644)
    result = t.command("check", "-c", conf)
    result.expect(0)
    assert "warning: " in result.err and "chmod 0640 " + path in result.err
    os.unlink(path)
    result = t.command("check", "-c", conf)
    result.expect(2)
    assert path in result.err


# What is told.

def kept_keys(d, names):
    """Those keys by chance, from where they are kept."""
    found = {}
    for number in range(2):
        with open(d.state("tickets.%d" % number), "rb") as file:
            content = file.read()
        for name in names:
            at = content.find(bytes.fromhex(name))
            if at >= 0:
                found[name] = Key(content[at:at + 16],
                                  content[at + 17:at + 49],
                                  content[at + 50:at + 82])
    assert set(found) == names, found
    return found.values()


def everything_said(t, d):
    """All that a daemon has said, and what its commands say."""
    said = [d.text()]
    with open(d.access_log, encoding="utf-8", errors="replace") as file:
        said.append(file.read())
    for words in (("check", "--print", "-c", d.file),
                  ("tickets", "show", "-c", d.file)):
        result = t.command(*words)
        result.expect(0)
        said += [result.out, result.err]
    return "".join(said)


def expect_unsaid(said, secrets):
    for what, secret in secrets.items():
        for text in (secret.hex(), secret.hex().upper(),
                     base64.b64encode(secret).decode().rstrip("=")):
            # Any part of it.
            for at in range(0, len(text) - 12, 4):
                assert text[at:at + 12].lower() not in said.lower(), what


@limit(120)
def test_names_are_told_and_keys_never(t):
    """Of keys in files, derived and by chance."""
    v = Visitor(t)
    keys = raw("one", 80)
    path = t.write("keys", keys, 0o600)
    d = start(t, files(path), name="files")
    v.expect_all(d, v.sessions(d), "files")
    said = everything_said(t, d)
    assert keys[:16].hex() in said
    expect_unsaid(said, {"HMAC": keys[16:48], "AES": keys[48:]})

    secret = t.write("secret", SECRET + "\n", 0o600)
    d = start(t, {"mode": "derived", "secret": secret}, name="derived")
    v.expect_all(d, v.sessions(d), "derived")
    said = everything_said(t, d)
    period = int(time.time()) // (12 * HOUR)
    keys = [derived_key(SECRET, 12 * HOUR, period + n) for n in range(-1, 2)]
    names = [key.name.hex() for key in keys]
    assert told(d)[0][2] in names[:2] and told(d)[0][4] in names[1:], (
        told(d), names)
    for key in keys:
        expect_unsaid(said, {"AES": key.aes, "HMAC": key.hmac})
    expect_unsaid(said, {"secret": SECRET.encode()})
    assert SECRET[10:] not in said

    d = start(t, name="chance")
    v.expect_all(d, v.sessions(d), "chance")
    said = everything_said(t, d)
    for key in kept_keys(d, {told(d)[0][2], told(d)[0][4]}):
        expect_unsaid(said, {"AES": key.aes, "HMAC": key.hmac})
    for number in range(2):
        status = os.stat(d.state("tickets.%d" % number))
        assert status.st_mode & 0o777 == 0o600


@limit(120)
def test_no_key_in_a_core_file(t):
    """Nor in what is forked: keys, and what they are derived from, are in
    memory of their own kind and nowhere else; processes that have no business
    with them do not have them at all."""
    if os.getuid() != 0:
        t.skip("memory is not searched: only root may read another's")
    key = KeyFile(t, "key")
    secret = t.write("secret", SECRET + "\n", 0o600)
    d = t.daemon({name: {"accept": gate(t, tickets),
                         "connect": "builtin:echo"}
                  for name, tickets in (
                      ("s", files(key.path)), ("chance", None),
                      ("derived", {"mode": "derived", "secret": secret}))})
    v = Visitor(t)
    v.expect_all(d, v.sessions(d), "a daemon with keys")
    with_keys = [d.keeper(), *d.workers()]
    places = {pid: memory.mappings_of_secrets(pid) for pid in with_keys}
    assert all(places.values()), places
    if t.sanitized:
        return  # a shadow of terabytes is not searched
    period = int(time.time()) // (12 * HOUR)
    secrets = {"file": key.aes + key.hmac, "secret": SECRET.encode(),
               "extracted": extracted(SECRET)}
    for n in range(-2, 1):
        derived = derived_key(SECRET, 12 * HOUR, period + n)
        secrets["derived %d" % n] = derived.aes + derived.hmac
    names = {name for _, mode, current, _, next_, _, _ in told(d)
             if mode == "auto" for name in (current, next_)}
    for kept in kept_keys(d, names):
        secrets["kept " + kept.name.hex()] = kept.aes + kept.hmac
    patterns = {name: memory.secret_pieces(value)
                for name, value in secrets.items()}
    d.reload()
    for pid in d.keeper(), *d.workers(), d.pid, *d.role("helper"):
        found = memory.mappings_with(pid, patterns)
        held = {name for name, mappings in found.items() if mappings}
        expected = set()
        if pid in with_keys:
            expected = set(secrets) - {"secret"}
        if pid != d.keeper():
            expected -= {"extracted"}
        assert held == expected, (command_line(pid), held ^ expected)
        for name, mappings in found.items():
            assert mappings <= memory.mappings_of_secrets(pid), (
                command_line(pid), name)
