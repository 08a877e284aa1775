# SPDX-License-Identifier: BSD-2-Clause
"""Machines that share what their ticket keys come from, and no clock: a session
of one is resumed by the other, all the time, and no longer than it should."""

import calendar
import os
import re
import time

from harness import IN_FORCE, limit, wait_for
from sessions import Client, derived_key, ticket, with_ticket
from streams import echo

MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR
SECRET = "machines that share a secret derive the same keys of it"

WAYS = {"ticket": {"version": "1.2"}, "psk": {"version": "1.3"}}


class Machine:
    """A daemon with a clock of its own, behind an address of its own."""

    def __init__(self, t, name, tickets, client, ahead=0):
        self.client = client
        self.clock = t.clock(name + "-clock")
        self.ahead = ahead
        self.clock.set(ahead)
        self.d = t.daemon(
            {"s": {"accept": t.gate(session={"tickets": tickets}),
                   "connect": t.server(echo).address}},
            name=name, clock=self.clock)
        self.name = name

    def is_current(self):
        """The last that the log says of the ring: the time is before the next
        key's, which is not there for keys that stay."""
        told = re.findall(r"ticket keys .*", self.d.text())
        next_at = told and re.search(r"\bat=(\S+)", told[-1]).group(1)
        return next_at == "-" or self.clock.now() < calendar.timegm(
            time.strptime(next_at, "%Y-%m-%dT%H:%M:%S.000Z"))

    def visit(self, way, session=None):
        visit = self.client.visit(self.d.port("s"), session=session,
                                  **WAYS[way])
        assert visit, visit
        return visit


def set_clocks(machines, seconds):
    """So long after the start; when all have the keys of then."""
    for machine in machines:
        machine.clock.set(machine.ahead + seconds)
    for machine in machines:
        wait_for(machine.is_current, "%s has the keys of %d s later" % (
            machine.name, seconds))


def secret(t, name, *lines):
    return t.write(name, "".join(line + "\n" for line in lines), 0o600)


def both_ways(one, other):
    """How many of these are resumed: each machine's session by the other."""
    count = resumed = 0
    for way in WAYS:
        for first, second in ((one, other), (other, one)):
            made = first.visit(way)
            assert made.session
            resumed += second.visit(way, made.session).resumed
            count += 1
    return resumed, count


def derived(path, **more):
    return {"mode": "derived", "secret": path, **more}


@limit(180)
def parity_P44_derived_keys_and_clocks_five_minutes_apart(t):
    """All are resumed, over two rotations and at every moment of them, wherever
    the secret's file is."""
    client = Client(t)
    machines = one, other = tuple(Machine(t, name, derived(
        secret(t, "secret-of-" + name, SECRET), rotate="10m", keep=3,
        lifetime="30m"), client, ahead)
        for name, ahead in (("one", 0), ("other", 5 * MINUTE)))
    for seconds in range(0, 21 * MINUTE, 50):
        set_clocks(machines, seconds)
        resumed, count = both_ways(one, other)
        assert resumed == count, (seconds, resumed, count)
    # Across rotations, too: a session of before them, as long as it lives by
    # the clock that is ahead.
    held = {way: one.visit(way).session for way in WAYS}
    for seconds in range(21 * MINUTE, 45 * MINUTE, 5 * MINUTE):
        set_clocks(machines, seconds)
        for machine in machines:
            for way, session in held.items():
                assert machine.visit(way, session).resumed, (seconds, way)


def expect_ring(t, machine, rotate, keep):
    """The machine has the keys of `keep` periods before this one, of this one
    and of the next: it says so, and decrypts what is under those and under no
    other, however young the session is."""
    period = int(machine.clock.now()) // rotate
    keys = {n: derived_key(SECRET, rotate, period + n)
            for n in range(-keep - 3, 4)}
    ring = range(-keep, 2)
    show = t.command("tickets", "show", "-c", machine.d.file)
    show.expect(0)
    assert re.findall(r"^  ([0-9a-f]{32}) ", show.out, re.M) == [
        keys[n].name.hex() for n in ring], show
    for way in WAYS:
        made = machine.visit(way).session
        inside = keys[0].open(ticket(made))
        for n, key in keys.items():
            session = with_ticket(made, key.seal(inside))
            assert machine.visit(way, session).resumed == (n in ring), (way, n)


@limit(120)
def parity_P44_derived_keys_end_after_keep(t):
    """A session under a key is resumed for as long as it lives, at most `keep`
    rotations; when it is resumed what comes back is under the current key. The
    key itself is known for `keep` rotations, too, and then by nobody."""
    client = Client(t)
    path = secret(t, "secret", SECRET)
    tickets = derived(path, rotate="1h", keep=3, lifetime="3h")
    # In the middle of a period, so that none ends beneath the test.
    ahead = 3 * HOUR // 2 - int(time.time()) % HOUR
    machines = one, other = tuple(Machine(t, name, tickets, client, ahead)
                                  for name in ("one", "other"))
    made = {way: one.visit(way).session for way in WAYS}
    set_clocks(machines, 2 * HOUR)
    for machine in machines:
        for way, session in made.items():
            again = machine.visit(way, session)
            assert again.resumed, way
            assert ticket(again.session)[:16] != ticket(session)[:16]
            fresh = machine.visit(way)
            assert ticket(again.session)[:16] == ticket(fresh.session)[:16]
    expect_ring(t, one, HOUR, 3)
    for hours in 4, 30:
        set_clocks(machines, hours * HOUR)
        for machine in machines:
            for way, session in made.items():
                assert not machine.visit(way, session).resumed, (hours, way)
    expect_ring(t, other, HOUR, 3)


def change(t, path, machine, *lines):
    """Another file takes the secret's place, and nothing is said about it."""
    before = len(re.findall(IN_FORCE, machine.d.text()))
    os.rename(secret(t, "new-secret", *lines), path)
    return lambda: machine.d.wait_log(IN_FORCE, count=before + 1)


@limit(120)
def parity_P44_a_secret_is_changed(t):
    """Two lines while it is: a machine that has the new one and a machine that
    has only heard of it resume each other's sessions; with it alone, none of
    the old one's. The files are looked after; a reload does no harm."""
    client = Client(t)
    new = "this is what takes the place of the first of the secrets"
    paths = [secret(t, name, SECRET) for name in ("here", "there")]
    here, there = (Machine(t, name, derived(path), client)
                   for name, path in zip(("one", "other"), paths))
    old = {way: here.visit(way).session for way in WAYS}
    here_is, there_is = zip(paths, (here, there))
    for machines, lines in (((here_is, there_is), (SECRET, new)),
                            ((here_is,), (new, SECRET)),
                            ((there_is,), (new, SECRET)),
                            ((here_is, there_is), (new,))):
        for wait in [change(t, *machine, *lines) for machine in machines]:
            wait()
        resumed, count = both_ways(here, there)
        assert resumed == count, lines
        if machines == (there_is,):
            for machine in here, there:
                machine.d.reload()
            for way, session in old.items():
                assert there.visit(way, session).resumed, way
    for machine in here, there:
        assert machine.d.text().count("reloading") == 1, machine.name
        wait_for(lambda machine=machine: not any(
            machine.visit(way, session).resumed
            for way, session in old.items() for _ in range(4)),
            "all workers of %s know" % machine.name)


@limit(120)
def parity_P44_key_files_of_two_machines(t):
    """A new file in front, first where it only decrypts: all are resumed in
    the meantime. With 48 and 80 bytes."""
    client = Client(t)
    for size in 48, 80:
        keys = [os.urandom(size) for _ in range(2)]
        machines = []
        for name in "here", "there":
            files = [t.write("%s-%d-%d" % (name, size, n), keys[0], 0o600)
                     for n in range(2)]
            t.write("%s-%d-1" % (name, size), keys[1], 0o600)
            machine = Machine(t, "%s-%d" % (name, size),
                              {"mode": "files", "files": files,
                               "lifetime": "24h"}, client)
            machine.files = files
            machines.append(machine)
        here, there = machines
        assert both_ways(here, there) == (4, 4)
        old = {way: here.visit(way).session for way in WAYS}
        for machine in machines:
            # The other way round: the second encrypts.
            told = len(re.findall("ticket keys .*", machine.d.text()))
            for n in range(2):
                t.write("%s.new" % machine.name, keys[1 - n], 0o600)
                os.rename(t.path("%s.new" % machine.name), machine.files[n])
            machine.d.wait_log("ticket keys .*", count=told + 1)
            name = keys[1][:16]
            for way in WAYS:
                wait_for(lambda way=way: ticket(machine.visit(
                    way).session)[:16] == name, "the other key encrypts")
            assert both_ways(here, there) == (4, 4)
            for way, session in old.items():
                assert machine.visit(way, session).resumed


@limit(120)
def parity_P44_a_clock_that_is_set(t):
    """Far ahead and far back, with keys by chance and derived ones: nobody is
    refused, no session outlives it, and new ones are resumed within seconds."""
    client = Client(t)
    machines = [
        Machine(t, "auto", {"mode": "auto", "rotate": "1h"}, client),
        Machine(t, "derived", derived(secret(t, "secret", SECRET),
                                      rotate="1h"), client)]
    held = {(machine.name, way): machine.visit(way).session
            for machine in machines for way in WAYS}
    for seconds in (400 * DAY, -3 * DAY, DAY, 0):
        for machine in machines:
            machine.clock.set(seconds)
        for machine in machines:
            for way in WAYS:
                # What is far away in time is a full handshake.
                session = held[machine.name, way]
                assert not machine.visit(way, session).resumed, (
                    machine.name, way, seconds)
        for machine in machines:
            for way in WAYS:
                def is_resumed(machine=machine, way=way):
                    made = machine.visit(way).session
                    if made and machine.visit(way, made).resumed:
                        held[machine.name, way] = made
                        return True
                    return False

                wait_for(is_resumed, "%s resumes %s at %d s" % (
                    machine.name, way, seconds))
