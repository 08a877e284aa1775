# SPDX-License-Identifier: BSD-2-Clause
"""Private keys are in the memory of the keeper and of nobody else: all of it is
read and searched.

SEALOCK_ISOLATION_RELOADS is how many reloads the search follows (10 unless it
says otherwise)."""

import os

import memory
from harness import command_line, limit
from pki import read

PASSPHRASE = "correct-horse-battery-staple"
RELOADS = int(os.environ.get("SEALOCK_ISOLATION_RELOADS", 10))


def needs_memory(t):
    if t.sanitized:
        t.skip("memory is not searched: a sanitizer's shadow has terabytes")
    if os.getuid() != 0:
        t.skip("memory is not searched: only root may read another's")


def entries(t):
    """{name: (certificate, entry of `certificates`)}: a key of each type, and
    the ways in which keys come other than as a file."""
    def pair(certificate, **more):
        return certificate, {"chain": certificate.chain,
                             "key": certificate.key, **more}

    inline = t.pki.leaf("inline.test")
    encrypted = t.pki.leaf("encrypted.test", key="rsa")
    # Its own file has the pass-phrase in its name.
    key = t.write("encrypted.key", read(encrypted.encrypted_key(PASSPHRASE)))
    return {
        **{key: pair(t.pki.leaf(key + ".test", key=key))
           for key in ("rsa", "p256", "ed25519")},
        "inline": (inline, {"pem": read(inline.bundle).decode()}),
        "encrypted": (encrypted, {
            "chain": encrypted.chain, "passphrase": "env:KEY_PASS",
            "key": key}),
    }


def start(t, is_isolated):
    """A daemon that has used all keys in all workers, and what to search
    for."""
    made = entries(t)
    mine = t.pki.leaf("client.test", key="p256", usage="client")
    services = {name: {"accept": {"tls": {"certificates": entry}},
                       "connect": "builtin:echo"}
                for name, (_, entry) in made.items()}
    port = t.port()
    services["far"] = {
        "accept": {"address": "127.0.0.1:%d" % port, **t.gate()},
        "connect": "builtin:echo"}
    services["near"] = {"accept": {}, "connect": {
        "address": "localhost:%d" % port,
        "tls": {"verify": {"ca": t.pki.root().cert},
                "certificates": {"chain": mine.chain, "key": mine.key}}}}
    d = t.daemon(services, globals={"isolate_keys": is_isolated},
                 environment={"KEY_PASS": PASSPHRASE})
    patterns = {name: memory.key_patterns(certificate)
                for name, (certificate, _) in made.items()}
    patterns["client"] = memory.key_patterns(mine)
    use(d)
    return d, patterns


def use(d):
    """Handshakes with every key, until each worker has had some."""
    for service in d.services:
        for _ in range(8):
            stream = (d.plain if service == "near" else d.tls)(service)
            with stream:
                stream.expect_echo()


def search(d, patterns):
    """{role: names that were found in any process of it}."""
    found = {"monitor": memory.found_in(d.pid, patterns)}
    for pid in d.children():
        role = next(role for role in ("worker", "helper", "keeper", "broker")
                    if role in command_line(pid))
        found.setdefault(role, set()).update(memory.found_in(pid, patterns))
    return found


@limit(1800)
def test_keys_are_in_the_keeper_alone(t):
    """At the start and after reloads."""
    needs_memory(t)
    d, patterns = start(t, True)
    others = {**patterns, "pass-phrase": {PASSPHRASE.encode()}}
    for done in range(RELOADS + 1):
        if done > 0:
            d.reload()
            use(d)
        if done % 10 > 0:
            continue
        found = search(d, others)
        assert found["keeper"] >= set(patterns), found
        # The monitor's own environment is where the pass-phrase comes from.
        assert found.pop("monitor") <= {"pass-phrase"}, (done, found)
        del found["keeper"]
        assert set(found) >= {"worker", "helper"}
        assert not any(found.values()), (done, found)


def test_the_keeper_wipes_what_it_has_read(t):
    """A key is in its memory as OpenSSL computes with it, and no longer as its
    file had it; nor is the pass-phrase of one that was encrypted."""
    needs_memory(t)
    made = entries(t)
    d = t.daemon({name: {"accept": {"tls": {"certificates": entry}},
                         "connect": "builtin:echo"}
                  for name, (_, entry) in made.items()},
                 globals={"isolate_keys": True},
                 environment={"KEY_PASS": PASSPHRASE})
    use(d)
    keeper = next(pid for pid in d.children() if "keeper" in command_line(pid))
    # Ed25519's key is the same bytes in both.
    left = {name: memory.file_patterns(certificate)
            for name, (certificate, _) in made.items() if name != "ed25519"}
    left["pass-phrase"] = {PASSPHRASE.encode()}
    found = memory.found_in(keeper, left)
    assert not found, found


def test_the_search_finds_keys(t):
    """Where keys are not isolated they are in the workers: what finds nothing
    above is no search that finds nothing at all."""
    needs_memory(t)
    d, patterns = start(t, False)
    found = search(d, patterns)
    assert found["worker"] == set(patterns), found
    assert not found["helper"], found
