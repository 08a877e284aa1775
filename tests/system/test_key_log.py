# SPDX-License-Identifier: BSD-2-Clause
"""key_log_file: what Wireshark needs, in that file and nowhere else."""

import os
import re
import stat

from harness import wait_for


def lines(path):
    with open(path) as file:
        return {line for line in file.read().splitlines()
                if not line.startswith("#")}


def warnings(text):
    return len(re.findall(r"key_log_file: whoever reads", text))


def s_client(t, d, service, name="web.test", version="1.3"):
    """What openssl s_client wrote of one connection."""
    log = t.path("client-%s.log" % service)
    if os.path.exists(log):
        os.unlink(log)
    t.run("openssl", "s_client", "-connect", "127.0.0.1:%d" % d.port(service),
          "-servername", name, "-keylogfile", log, "-brief",
          "-tls" + version.replace(".", "_"), stdin="x").expect()
    return lines(log)


def parity_P72_key_log_of_both_gates(t):
    """Both ends write the same lines: with openssl s_client for the accept
    gate, s_server for the connect gate; the file is its owner's alone, there
    is a warning, and no secret in any other log."""
    cert = t.pki.system()
    port = t.port()
    t.start("s_server", "openssl", "s_server", "-accept",
            "127.0.0.1:%d" % port, "-cert", cert.cert, "-key", cert.key,
            "-rev", "-quiet", "-keylogfile", t.path("server.log"))
    accept, connect = t.path("accept.keys"), t.path("connect.keys")
    d = t.daemon({
        "a": {"accept": t.gate(key_log_file=accept),
              "connect": "builtin:echo"},
        "c": {"accept": {}, "connect": {
            "address": "localhost:%d" % port, "tls": {
                "verify": {"ca": t.pki.root().cert},
                "key_log_file": connect}}},
        "none": {"accept": t.gate(), "connect": "builtin:echo"},
    })
    wait_for(lambda: warnings(d.text()) == 2, "two warnings")
    for path in (accept, connect):
        status = os.stat(path)
        assert stat.S_IMODE(status.st_mode) == 0o600, oct(status.st_mode)
    written = set()
    for version in ("1.3", "1.2"):
        written |= s_client(t, d, "a", version=version)
    assert len(written) >= 5, written
    wait_for(lambda: lines(accept) == written, "the accept gate's lines")
    assert s_client(t, d, "none")
    with d.plain("c") as stream:
        stream.send(b"hello\n")
        assert stream.read_until(b"\n") == b"olleh\n"
    theirs = lines(t.path("server.log"))
    assert theirs and lines(connect) == theirs, (theirs, lines(connect))
    # The gate without one has written nothing.
    assert lines(accept) == written
    everything = d.text() + open(d.access_log).read()
    for line in written | theirs:
        assert line.split()[2] not in everything


def parity_P72_key_log_of_one_name(t):
    """Under `hosts`, for that name alone: no context is shared with one that
    has no key log, though all else is equal."""
    path = t.path("name.keys")
    d = t.daemon({"s": {"accept": t.gate(hosts={
        "a.wild.test": {"key_log_file": path}}), "connect": "builtin:echo"}})
    for name in ("b.wild.test", "web.test", "localhost"):
        s_client(t, d, "s", name)
        assert lines(path) == set()
    for _ in range(4):
        before = lines(path)
        assert lines(path) | s_client(t, d, "s", "a.wild.test") == lines(path)
        assert lines(path) > before
    kept = lines(path)
    s_client(t, d, "s", "b.wild.test")
    assert lines(path) == kept


def parity_P72_key_log_and_reloads(t):
    """Each reload warns, opens the file anew after a rotation, and can turn
    it off; what was there before stays."""
    path = t.path("x.keys")
    t.write("x.keys", "# mine\n", 0o600)
    services = {"s": {"accept": t.gate(key_log_file=path),
                      "connect": "builtin:echo"}}
    d = t.daemon(services)
    wait_for(lambda: warnings(d.text()) == 1, "a warning")
    first = s_client(t, d, "s")
    wait_for(lambda: lines(path) == first, "the first lines")
    assert open(path).read().startswith("# mine\n")
    os.rename(path, path + ".1")
    d.reload()
    wait_for(lambda: warnings(d.text()) == 2, "two warnings")
    second = s_client(t, d, "s")
    wait_for(lambda: lines(path) == second, "lines in the new file")
    assert lines(path + ".1") == first
    # A worker that comes later writes, too.
    for pid in d.workers():
        d.kill_child(pid)
    wait_for(lambda: len(d.workers()) == 2, "new workers")
    second |= s_client(t, d, "s")
    wait_for(lambda: lines(path) == second, "a new worker's lines")
    del services["s"]["accept"]["tls"]["key_log_file"]
    d.reload(services)
    assert warnings(d.text()) == 2, d.text()
    assert s_client(t, d, "s") and lines(path) == second


def test_key_log_refused(t):
    """Links, directories and files that something else has to do with; a
    check makes no file, and warns."""
    template = """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: %s
        key_log_file: %%s
    connect: builtin:echo
""" % t.pki.system().bundle
    t.write("target", "")
    os.symlink("target", t.path("link"))
    os.symlink("nothing", t.path("dangling"))
    os.mkdir(t.path("folder"))
    os.mkfifo(t.path("pipe"))
    for name, words in (("link", "symbolic link"),
                        ("dangling", "symbolic link"),
                        ("folder", "Is a directory"),
                        ("pipe", "no regular file"),
                        ("/dev/null", "no regular file"),
                        (t.pki.system().bundle, "named as a file to be read")):
        file = t.write("c.yaml", template % name)
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:7:\d+: .*%s" % words, result.err), result
        result = t.command("run", "-c", file)
        assert result.status != 0 and words in result.err, result
    file = t.write("c.yaml", template % "new.keys")
    result = t.command("check", "-c", file).expect()
    assert warnings(result.err) == 1 and "c.yaml:7" in result.err, result
    assert not os.path.exists(t.path("new.keys"))
    assert os.stat(t.path("target")).st_size == 0


def test_key_log_that_others_may_read(t):
    t.write("x.keys", "", 0o644)
    d = t.daemon({"s": {"accept": t.gate(key_log_file=t.path("x.keys")),
                        "connect": "builtin:echo"}})
    assert "(others than its owner may open it)" in d.text()
