# SPDX-License-Identifier: BSD-2-Clause
"""defaults and enforce."""

import re
import ssl

from streams import Ended, echo, server_context


def parity_P07_defaults_reach_every_service(t):
    cert = t.pki.system()
    d = t.daemon(
        {"one": {"accept": {"tls": True}, "connect": "builtin:echo"},
         "two": {"accept": {"tls": {"versions": "TLSv1.2"}},
                 "connect": "builtin:echo"}},
        defaults={"accept": {"tls": {"certificates": cert.bundle,
                                     "versions": ["TLSv1.3"]}}})
    with d.tls("one") as stream:
        assert stream.version == "TLSv1.3"
        stream.expect_echo()
    with d.tls("two") as stream:
        assert stream.version == "TLSv1.2"
        stream.expect_echo()


def parity_P07_defaults_for_the_connect_gate(t):
    backend = t.server(echo, server_context(t.pki.system()))
    d = t.daemon(
        {"s": {"accept": {}, "connect": {
            "address": "localhost:%d" % backend.port, "tls": True}}},
        defaults={"connect": {"tls": {
            "verify": {"ca": t.pki.root().cert}, "versions": "TLSv1.2"}}})
    with d.plain() as stream:
        stream.expect_echo()
    assert d.wait_access()["backend_tls"]["version"] == "TLSv1.2"


def parity_P07_defaults_for_both_gates(t):
    """What stands in both gates may stand in defaults directly; it does not
    switch TLS on."""
    backend = t.server(echo, server_context(t.pki.system()))
    d = t.daemon(
        {"both": {"accept": t.gate(), "connect": {
            "address": "localhost:%d" % backend.port,
            "tls": {"verify": {"ca": t.pki.root().cert}}}},
         "plain": {"accept": {}, "connect": "builtin:echo"}},
        defaults={"tls": {"versions": "TLSv1.2"}})
    with d.tls("both") as stream:
        assert stream.version == "TLSv1.2"
        stream.expect_echo()
    record = d.wait_access(service="both")
    assert record["backend_tls"]["version"] == "TLSv1.2"
    with d.plain("plain") as stream:
        stream.expect_echo()


def parity_P07_defaults_of_timeouts(t):
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"},
                  "own": {"accept": {}, "connect": "builtin:echo",
                          "timeouts": {"idle": "10m"}}},
                 defaults={"timeouts": {"idle": "300ms"}})
    own = d.plain("own")
    own.expect_echo()
    with d.plain("s") as stream:
        stream.expect_echo()
        assert stream.read_all()[0] == b""
    d.wait_access(service="s", reason="idle_timeout")
    own.expect_echo()


def parity_P08_enforce_wins(t):
    """No service can loosen what is enforced, nor can an entry of hosts."""
    d = t.daemon(
        {"s": {"accept": t.gate(versions="TLSv1.2", hosts={
            "a.wild.test": {"versions": "TLSv1.2"}}),
            "connect": "builtin:echo"}},
        enforce={"accept": {"tls": {"versions": ["TLSv1.3"]}}})
    for name in ("web.test", "a.wild.test"):
        with d.tls(name=name) as stream:
            assert stream.version == "TLSv1.3"
        try:
            d.tls(name=name, versions="TLSv1.2")
            raise AssertionError("TLS 1.2 in spite of enforce")
        except (ssl.SSLError, Ended):
            pass


def parity_P08_enforced_verification_holds(t):
    """`verify: none` in a service does not get past enforce."""
    backend = t.server(echo, server_context(t.pki.system()))
    d = t.daemon(
        {"s": {"accept": {}, "connect": {
            "address": "localhost:%d" % backend.port,
            "tls": {"verify": "none"}}}},
        enforce={"connect": {"tls": {"verify": {
            "mode": "required", "ca": t.pki.root("stranger").cert}}}})
    with d.plain() as stream:
        assert stream.read_all()[0] == b""
    d.wait_access(reason="backend_cert_rejected")
    assert not any(c.received for c in backend.contacts)


def parity_P08_check_says_where_a_service_was_overridden(t):
    file = t.write("e.yaml", """\
enforce:
  connect: {tls: {verify: required}}
services:
  s:
    accept: 127.0.0.1:1
    connect:
      address: localhost:1
      tls:
        verify: none
""")
    result = t.command("check", "-c", file).expect(0)
    assert re.search(r"e\.yaml:9:\d+: .*enforce", result.err), result
    assert "warning" in result.err, result
    printed = t.command("check", "-c", file, "--print").expect(0)
    assert re.search(r"mode: required +# enforce .*e\.yaml:2", printed.out), (
        printed)


def test_print_shows_origins(t):
    """check --print: every value with where it came from, and what it prints
    is a configuration with the same meaning."""
    file = t.write("o.yaml", """\
defaults:
  timeouts: {idle: 5m}
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        profile: modern
        certificates: {self_signed: localhost}
    connect: builtin:echo
    timeouts:
      handshake: 3s
""")
    printed = t.command("check", "-c", file, "--print").expect(0).out
    for pattern in (r"idle: 5m +# defaults .*o\.yaml:2",
                    r"handshake: 3s +# .*o\.yaml:12",
                    r"connect: 5s +# default$",
                    r"versions: .*TLSv1\.3.* +# profile"):
        assert re.search(pattern, printed, re.MULTILINE), (pattern, printed)
    def values(text):
        return [line.split(" #")[0].rstrip() for line in text.splitlines()]

    # The first round may write a short form in full, the next changes
    # nothing.
    again = t.write("again.yaml", printed)
    second = t.command("check", "-c", again, "--print").expect(0).out
    again = t.write("again.yaml", second)
    third = t.command("check", "-c", again, "--print").expect(0).out
    assert values(third) == values(second)
