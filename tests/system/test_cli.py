# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what each command says, and with which status it ends."""

import json
import os
import re
import signal

from harness import SOURCE, wait_for
from pki import read
from streams import Ended, echo, server_context

EXAMPLES = os.path.join(SOURCE, "etc")


def parity_P75_version_tells_what_this_build_can_do(t):
    text = t.command("--version").expect().out
    assert text.startswith("sealock "), text
    facts = json.loads(t.command("--version", "--json").expect().out)
    flat = json.dumps(facts)
    for word in ("openssl", "libevent", "TLSv1.3", "X25519", "alpn", "npn",
                 "sni"):
        assert word.lower() in flat.lower(), (word, facts)
    linked = t.run("openssl", "version").expect().out.split()[1]
    assert linked in flat, (linked, facts)
    for name, is_so in (
            ("ecdh", True), ("server_sni", True), ("client_sni", True),
            ("alpn", True), ("npn", False), ("resumption", True),
            ("crl", True), ("starttls", False)):
        assert facts[name] is is_so, (name, facts)
    # Those that a build may lack; it says which.
    for name, library in (("ocsp", "libcurl"), ("authorize", "jansson")):
        assert facts[name] == (facts[library] != "none"), (name, facts)
    assert facts["post_quantum"] == ("X25519MLKEM768" in facts["groups"])
    assert facts["keys"].startswith("in the keeper"), facts
    words = dict(re.findall(r"^  (\S+(?: \S+)*)  +(.*)$", text, re.M))
    assert words["session resumption"] == words["CRL"] == "yes", text
    assert words["private keys"] == facts["keys"], text


def test_help(t):
    text = t.command("--help").expect().out
    for word in ("run", "tunnel", "check", "reload", "stop", "cert",
                 "schema"):
        assert re.search(r"^\s+%s\b" % word, text, re.MULTILINE), text
        shown = t.command(word, "--help").expect().out
        assert "usage: sealock " + word in shown, shown
        assert t.command("help", word).expect().out == shown
    assert t.command("help").expect().out == text
    assert "nonsense" in t.command("help", "nonsense").expect(2).err


def test_what_was_meant(t):
    for word, meant in (("version", "--version"), ("--verson", "--version"),
                        ("-V", "--version"), ("-v", "--version"),
                        ("--hlep", "--help"), ("chekc", "check")):
        result = t.command(word).expect(2)
        assert "did you mean %s?" % meant in result.err, result


def test_usage_errors_end_with_2(t):
    """A sentence on standard error, nothing on standard output."""
    for words in ((), ("nonsense",), ("--nonsense",), ("run", "--nonsense"),
                  ("run", "extra"), ("check", "-c"), ("check", "extra"),
                  ("tunnel",), ("tunnel", "--accept", "127.0.0.1:1"),
                  ("cert",), ("cert", "nonsense"), ("schema", "extra"),
                  ("cert", "create", "--nonsense")):
        result = t.command(*words).expect(2)
        assert result.err and not result.out, result


def test_check_of_a_missing_file(t):
    for words in (("check", "-c", "missing.yaml"),
                  ("run", "-c", "missing.yaml")):
        result = t.command(*words).expect(2)
        assert "missing.yaml" in result.err, result


def test_check_shows_all_errors_in_order_with_hints(t):
    file = t.write("bad.yaml", """\
global:
  worker: 2
services:
  web:
    accept:
      address: 127.0.0.1:1
      adress: 127.0.0.1:2
      tls:
        certificates: {self_signed: localhost}
        verions: TLSv1.2
    connect: builtin:nonsense
    timeouts: {idle: 10}
  web:
    accept: ":99999"
    connect: 127.0.0.1:1
""")
    result = t.command("check", "-c", file).expect(2)
    places = re.findall(r"bad\.yaml:(\d+):\d+: (.*)", result.err)
    lines = [int(line) for line, _ in places]
    assert lines == sorted(lines), result
    for line, hint in ((2, "workers"), (7, "address"), (10, "versions"),
                       (11, "nonsense"), (12, "10"), (13, "web")):
        assert any(at == str(line) and hint in text
                   for at, text in places), (line, hint, result)


def test_check_looks_for_users_and_the_chroot(t):
    if os.geteuid() != 0:
        t.skip("nobody but root becomes another user")
    file = t.write("who.yaml", """
global: {user: nobody-of-this-name, chroot: %s}
services: {s: {accept: "127.0.0.1:%d", connect: "builtin:echo"}}
""" % (t.path("nowhere"), t.port()))
    result = t.command("check", "-c", file)
    assert result.status == 2, result
    assert "who.yaml:2:10: there is no user nobody-of-this-name" in result.err
    assert t.path("nowhere") + ": No such file" in result.err, result


def test_run_tells_what_check_tells(t):
    """Certificates and CAs, each once, however many services have them."""
    t.write("junk.pem", "junk\n")
    file = t.write("bad.yaml", """\
global: {state_dir: state, admin: "unix:admin.sock", pid_file: pid}
defaults:
  accept: {tls: {certificates: missing.pem}}
services:
  one:
    accept: {address: "unix:one.sock", tls: true}
    connect: builtin:echo
  two:
    accept: {address: "unix:two.sock", tls: true}
    connect:
      address: 127.0.0.1:1
      tls: {verify: {ca: junk.pem, name: web.test}}
""")
    checked = t.command("check", "-c", file).expect(2)
    run = t.command("run", "-c", file).expect(2)
    for part in ("missing.pem", "junk.pem", "no service can start"):
        assert checked.err.count(part) == 1, (part, checked)
        assert run.err.count(part) == 1, (part, run)


def test_an_address_listened_on_twice(t):
    file = t.write("twice.yaml", """\
services:
  one: {accept: "127.0.0.1:4433", connect: "builtin:echo"}
  two: {accept: "127.0.0.1:4433", connect: "builtin:echo"}
""")
    result = t.command("check", "-c", file).expect(2)
    assert re.search(r"twice\.yaml:3:\d+: .*4433", result.err), result


def test_a_configuration_never_crashes_the_program(t):
    """Every prefix of an example, and odd bytes in it: 0 or 2."""
    with open(t.write("whole.yaml", """\
global: {workers: 2, log: [{to: stderr, level: info}]}
defaults: {timeouts: &t {idle: 5m, total: 1h}}
services:
  web:
    accept:
      address: [":8443", "unix:web.sock"]
      tls:
        certificates: [{self_signed: [localhost]}]
        versions: "SSLv23:!TLSv1"
    connect: {address: [127.0.0.1:80, "localhost:81"], tls: {verify: none}}
    timeouts: {<<: *t, connect: 2s}
"""), "rb") as opened:
        whole = opened.read()
    samples = [whole[:i] for i in range(0, len(whole), 7)]
    samples += [whole[:i] + junk + whole[i:] for i in range(0, len(whole), 60)
                for junk in (b"\0", b"\xff", b"\t", b"*x", b"&", b"[" * 100,
                             b"{" * 100, b"!!binary ", b"- ")]
    for sample in samples:
        file = t.write("sample.yaml", sample)
        result = t.command("check", "-c", file)
        assert result.status in (0, 2), (sample, result)
        assert result.err, sample


def test_bombs_are_bounded(t):
    """Aliases that multiply, and nesting without end: an error, at once."""
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 12):
        laughs += "%s: &%s [%s]\n" % (
            chr(97 + i), chr(97 + i), ", ".join(["*" + chr(96 + i)] * 9))
    for text in (laughs, "services: " + "[" * 100000,
                 "services: " + "{a: " * 100000,
                 "services:\n" + "  x: y\n" * 1100000):
        file = t.write("bomb.yaml", text)
        result = t.command("check", "-c", file, seconds=20).expect(2)
        assert "bomb.yaml:" in result.err, result.err[:500]


def test_include(t):
    t.write("conf.d/a.yaml", "services: {a: {accept: \"127.0.0.1:1\", "
            "connect: builtin:echo}}\n")
    t.write("conf.d/b.yaml", "services: {b: {accept: \"127.0.0.1:2\", "
            "connect: builtin:echo}}\n")
    main = t.write("main.yaml", "include: [conf.d/*.yaml]\nservices: "
                   "{c: {accept: \"127.0.0.1:3\", connect: builtin:echo}}\n")
    result = t.command("check", "-c", main).expect(0)
    assert "3 services" in result.err, result
    t.write("conf.d/c.yaml", "services:\n  a: {accept: \"127.0.0.1:4\", "
            "connect: builtin:echo}\n")
    result = t.command("check", "-c", main).expect(2)
    assert re.search(r"c\.yaml:2:\d+: .*\ba\b", result.err), result


def test_schema_is_json_schema(t):
    schema = json.loads(t.command("schema").expect().out)
    assert "json-schema.org" in schema["$schema"], schema["$schema"]
    assert set(schema["properties"]) >= {"global", "services", "defaults",
                                         "enforce", "include"}

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(schema):
        node = schema
        for part in reference.lstrip("#/").split("/"):
            node = node[part]


def test_tunnel_print(t):
    """The equivalent YAML, which passes check."""
    cert = t.pki.system()
    for words in (
            ("--accept", "127.0.0.1:1", "--connect", "db.test:5432",
             "--connect-tls"),
            ("--accept", ":1", "--accept-tls", "self-signed", "--connect",
             "127.0.0.1:80"),
            ("--accept", "unix:" + t.path("a.sock"), "--accept-tls",
             "%s,%s" % (cert.chain, cert.key), "--connect", "127.0.0.1:80"),
            ("--accept", "127.0.0.1:1", "--connect", "10.0.0.1:443", "--ca",
             t.pki.root().cert, "--verify-name", "web.test"),
            ("--accept", "127.0.0.1:1", "--connect", "10.0.0.1:443",
             "--insecure")):
        printed = t.command("tunnel", *words, "--print").expect().out
        t.command("check", "-c", t.write("tunnel.yaml", printed)).expect(0)


def test_tunnel_with_a_bad_address(t):
    """The option is named, and no place in what nobody has written."""
    for option, bad, part in (("--connect", "foo", "no port"),
                              ("--connect", ":80", "names no host"),
                              ("--accept", "localhost:80", "to listen"),
                              ("--accept", "unix:", "absolute")):
        words = {"--accept": "127.0.0.1:1", "--connect": "127.0.0.1:2",
                 option: bad}
        result = t.command("tunnel", *sum(words.items(), ())).expect(2)
        assert result.err.startswith(
            "sealock tunnel: %s: " % option), result
        assert part in result.err and ":4:" not in result.err, result
    printed = t.command("tunnel", "--accept", "unix:a.sock", "--connect",
                        "unix:b.sock", "--print").expect().out
    assert "unix:a.sock" in printed, printed


def test_tunnel_for_real(t):
    """Plain to TLS and back through two tunnels."""
    backend = t.server(echo)
    middle, front = t.port(), t.port()
    cert = t.pki.system()
    tls = t.start("tls", t.sealock, "tunnel", "--accept",
                  "127.0.0.1:%d" % middle, "--accept-tls",
                  "%s,%s" % (cert.chain, cert.key), "--connect",
                  backend.address)
    plain = t.start("plain", t.sealock, "tunnel", "--accept",
                    "127.0.0.1:%d" % front, "--connect",
                    "localhost:%d" % middle, "--ca", t.pki.root().cert)

    def works():
        try:
            with t.connect(front) as stream:
                stream.expect_echo(b"x" * 100000)
            return True
        except (OSError, Ended):
            return False

    wait_for(works, "the tunnel works")
    for peer in (tls, plain):
        peer.process.send_signal(signal.SIGTERM)
        assert peer.process.wait(10) == 0
    assert not os.path.exists("/run/sealock.pid") or (
        read("/run/sealock.pid").strip() not in (
            str(tls.process.pid).encode(), str(plain.process.pid).encode()))


def test_tunnel_does_not_trust_a_stranger(t):
    backend = t.server(echo, server_context(t.pki.system()))
    port = t.port()
    t.start("tunnel", t.sealock, "tunnel", "--accept", "127.0.0.1:%d" % port,
            "--connect", "localhost:%d" % backend.port, "--ca",
            t.pki.root("stranger").cert)

    def ended():
        try:
            with t.connect(port) as stream:
                stream.send(b"secret")
                return stream.read_all()[0] == b""
        except ConnectionRefusedError:
            return False
        except Ended:
            return True

    wait_for(ended, "it refuses")
    assert not any(contact.received for contact in backend.contacts)


def test_examples_pass_check(t):
    """Each example in etc/, beside the files that it names."""
    examples = sorted(name for name in os.listdir(EXAMPLES)
                      if name.endswith(".yaml"))
    assert len(examples) >= 4, examples
    cert = t.pki.leaf("www.example.org", usage="both")
    for name in examples:
        text = read(os.path.join(EXAMPLES, name)).decode()
        file = t.write(name, text)
        for path in re.findall(r"\bcerts/[\w./-]+", text):
            if path.endswith(".key"):
                t.write(path, read(cert.key))
            elif path.endswith("/ca.pem"):
                t.write(path, read(t.pki.root().cert))
            elif path.endswith(".pem"):
                t.write(path, read(cert.bundle))
            elif "." not in path:
                t.write(path + "/site.pem", read(cert.bundle))
        t.command("check", "-c", file).expect(0)
