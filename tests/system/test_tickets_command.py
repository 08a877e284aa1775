# SPDX-License-Identifier: BSD-2-Clause
"""`sealock tickets`: what it tells of ticket keys, and what it never does."""

import os
import re
import signal

from harness import wait_for

KEY = re.compile(r"^  ([0-9a-f]{32}) (current|next|older|reserve|later|over) +"
                 r"from (\S+) until (\S+)$", re.M)
RING = re.compile(r"^ring ([0-9a-f]{32}) mode (auto|files|derived)$", re.M)


def tls_daemon(t, tickets=None, **options):
    gate = t.gate()
    if tickets:
        gate["tls"]["session"] = {"tickets": tickets}
    return t.daemon({"s": {"accept": gate, "connect": "builtin:echo"}},
                    **options)


def tickets(t, d, word):
    result = t.command("tickets", word, "-c", d.file)
    result.expect(0)
    return result.out


def keys(text, state):
    return [match[1] for match in KEY.finditer(text) if match[2] == state]


def test_show_and_rotate(t):
    d = tls_daemon(t)
    first = tickets(t, d, "show")
    assert [match[2] for match in RING.finditer(first)] == ["auto"], first
    assert len(keys(first, "current")) == len(keys(first, "next")) == 1, first
    # Nothing but names and times.
    assert not RING.sub("", KEY.sub("", first)).strip(), first
    assert tickets(t, d, "show") == first

    second = tickets(t, d, "rotate")
    assert keys(second, "current") == keys(first, "next"), (first, second)
    assert keys(second, "older") == keys(first, "current"), (first, second)
    assert keys(second, "next") not in ([], keys(first, "next")), second
    assert tickets(t, d, "show") == second
    d.wait_log(r"ticket keys ring=\S+ mode=auto current=%s"
               % keys(second, "current")[0])
    # --admin, and the word behind the options.
    result = t.command("tickets", "--admin", d.admin, "show")
    result.expect(0)
    assert result.out == second


def test_rotations_that_meet(t):
    """One that is due and one that is asked for, and several in one second: a
    key after the other, and `keep` older ones."""
    clock = t.clock()
    d = tls_daemon(t, {"rotate": "1h", "keep": 2, "lifetime": "2h"},
                   clock=clock)
    before = tickets(t, d, "show")
    clock.move(3601)
    now = tickets(t, d, "rotate")
    assert keys(now, "older") == keys(before, "current") + keys(
        before, "next"), (before, now)
    for _ in range(4):
        before, now = now, tickets(t, d, "rotate")
        assert keys(now, "current") == keys(before, "next"), (before, now)
        assert keys(now, "older") == (keys(before, "older") + keys(
            before, "current"))[-2:], (before, now)
        assert len(KEY.findall(now)) == 4, now
    assert tickets(t, d, "show") == now


def test_what_is_not_ours_to_rotate(t):
    """Keys in files and derived ones are the same on other machines, which
    would not know; those that only decrypt are neither old nor new."""
    secret = t.write("secret", "x" * 40 + "\n" + "y" * 40 + "\n", 0o600)
    file = [t.write("key-%d" % n, os.urandom(80), 0o600) for n in range(2)]
    gates = {"derived": {"mode": "derived", "secret": {"file": secret}},
             "files": {"mode": "files", "files": file}}
    d = t.daemon({name: {"accept": t.gate(session={"tickets": of}),
                         "connect": "builtin:echo"}
                  for name, of in gates.items()})
    first = tickets(t, d, "show")
    assert {match[2] for match in RING.finditer(first)} == set(gates), first
    # Of three periods before this one, this one and the next one.
    assert [len(keys(first, state)) for state in (
        "older", "current", "next", "reserve")] == [3, 2, 1, 5 + 1], first
    assert re.search(r"mode=files .* older=0 reserve=1$", d.text(), re.M)
    assert re.search(r"mode=derived .* older=3 reserve=5$", d.text(), re.M)
    result = t.command("tickets", "rotate", "-c", d.file)
    assert result.status == 1 and not result.out, result
    assert "there is nothing to rotate: no gate has" in result.err, result
    assert tickets(t, d, "show") == first
    assert "x" * 10 not in first + d.text()
    # Beside others they stay what they are.
    d.services["auto"] = {"accept": t.gate(), "connect": "builtin:echo"}
    d.reload()
    assert tickets(t, d, "show").startswith(first)
    second = tickets(t, d, "rotate")
    assert second.startswith(first), (first, second)
    assert len(keys(second, "older")) == 4, second


def test_refusals(t):
    plain = {"s": {"accept": {}, "connect": "builtin:echo"}}
    d = t.daemon(plain)
    assert tickets(t, d, "show") == "no gate has tickets\n"
    result = t.command("tickets", "rotate", "-c", d.file)
    assert result.status == 1 and "nothing to rotate" in result.err, result
    d.globals["isolate_keys"] = False
    d.reload(plain)
    result = t.command("tickets", "show", "-c", d.file)
    assert result.status == 1 and "there is no keeper" in result.err, result
    for words in ((), ("shew",), ("show", "rotate"), ("show", "--now")):
        result = t.command("tickets", *words, "-c", d.file)
        assert result.status == 2 and "usage:" in result.err, result
    t.command("tickets", "--help").expect(0)
    result = t.command("tickets", "show", "--admin", t.path("nowhere"))
    assert result.status == 1 and "no daemon can be reached" in result.err


def test_a_keeper_that_hangs(t):
    """The command ends, and the next one is answered for itself."""
    d = tls_daemon(t)
    d.may_lose_children = True
    first = tickets(t, d, "show")
    keeper = d.keeper()
    os.kill(keeper, signal.SIGSTOP)
    result = t.command("tickets", "rotate", "-c", d.file)
    assert result.status == 1, result
    assert "the keeper does not answer" in result.err, result
    os.kill(keeper, signal.SIGCONT)
    second = tickets(t, d, "show")
    assert keys(second, "current") == keys(first, "next"), (first, second)


def test_a_keeper_that_dies(t):
    d = tls_daemon(t)
    first = tickets(t, d, "rotate")
    before = d.keeper()
    d.kill_child(before)

    def answers():
        result = t.command("tickets", "show", "-c", d.file)
        return result.status == 0 and result.out

    assert wait_for(answers, "its successor answers") == first
