# SPDX-License-Identifier: BSD-2-Clause
"""Revocation lists: who is in one gets nowhere, on both gates, however it was
set, and no sooner does a list change than it counts."""

import os
import re
import ssl
import time

from harness import limit, wait_for
from pki import read, write
from revocation import by_openssl, crl, many, pem
from streams import Ended, echo, server_context

VERSIONS = ("TLSv1.2", "TLSv1.3")


class World:
    """A root, an intermediate, and certificates to be revoked."""

    def __init__(self, t):
        self.t = t
        self.root = t.pki.root("revoking")
        self.inner = t.pki.intermediate("revoked inner", issuer=self.root)

    def client(self, name, issuer=None):
        return self.t.pki.leaf(name, issuer=issuer or self.root,
                               usage="client")

    def list(self, name, *revoked, issuer=None, text=True, **options):
        der = crl(self.t.path(""), issuer or self.root, revoked, **options)
        return write(self.t.path(name), pem(der) if text else der)

    def gate(self, crl, **verify):
        return self.t.gate(verify={"mode": "required", "ca": self.root.cert,
                                   "crl": crl, **verify})


def ask(d, service, certificate, version=None):
    """None when the client gets an echo, else the alert it was told."""
    try:
        stream = d.tls(service, versions=version, certificate=certificate)
        with stream:
            stream.expect_echo()
    except ssl.SSLError as error:
        return re.sub(r"^(SSLV3|TLSV1|TLSV13)_ALERT_", "",
                      error.reason or "none")
    except Ended as error:
        return "%s without an alert" % type(error).__name__
    return None


@limit(120)
def parity_P32_revoked_clients(t):
    """A revoked leaf in each form of list and each way to set it, TLS 1.2 and
    1.3; the backend counts who came."""
    world = World(t)
    good, bad = world.client("good.crl"), world.client("bad.crl")
    backend = t.server(echo)
    os.mkdir(t.path("lists"))
    os.mkdir(t.path("hashed"))
    files = {
        "pem": world.list("list.pem", bad),
        "der": world.list("list.der", bad, text=False),
        "several": t.write("several.pem", pem(crl(
            t.path(""), world.inner)) + open(world.list(
                "one.pem", bad)).read() + read(world.root.cert).decode()),
        "openssl": t.write("openssl.pem", by_openssl(t, world.root, [bad])),
    }
    world.list("lists/any name", bad)
    world.list("hashed/real.pem", bad)
    os.symlink("real.pem", t.path("hashed/01234567.r0"))
    os.symlink(world.root.cert, t.path("hashed/01234567.0"))
    services = {name: world.gate({"files": [path]})
                for name, path in files.items()}
    services["scalar"] = world.gate(files["pem"])
    services["directory"] = world.gate({"directory": t.path("lists")})
    services["hashed"] = world.gate({"directory": t.path("hashed")})
    services["both"] = world.gate({"files": files["pem"],
                                   "directory": t.path("lists")})
    services["optional"] = world.gate(files["pem"], mode="optional")
    services["by-name"] = t.gate(
        verify={"mode": "required", "ca": world.root.cert},
        hosts={"web.test": {"verify": {"crl": files["pem"]}}})
    d = t.daemon({name: {"accept": gate, "connect": backend.address}
                  for name, gate in services.items()})
    for name in services:
        for version in VERSIONS:
            before = len(backend.contacts)
            told = ask(d, name, bad, version)
            assert told == "CERTIFICATE_REVOKED", (name, version, told)
            told = ask(d, name, good, version)
            assert told is None, (name, version, told)
            assert len(backend.contacts) == before + 1, name
    d.wait_access(count=2 * len(services), reason="client_cert_rejected")
    records = d.access(reason="client_cert_rejected")
    assert re.search(r"revoked on \d{4}-\d\d-\d\d \(unspecified\), says .*"
                     r"\(depth 0, subject CN=bad\.crl\)",
                     records[0]["detail"]), records[0]
    # Nobody but the process that read them ever had the lists themselves.
    for pid in d.workers():
        names = [os.readlink("/proc/%d/fd/%s" % (pid, fd))
                 for fd in os.listdir("/proc/%d/fd" % pid)]
        assert not [n for n in names if n.endswith((".pem", ".der"))], names


@limit(120)
def parity_P32_chain_dates_and_signers(t):
    """Leaf or chain; lists that are over, of the future, forged, missing."""
    world = World(t)
    leaf = world.client("leaf.crl", issuer=world.inner)
    direct = world.client("direct.crl")
    backend = t.server(echo)
    stranger = t.pki.root("stranger")
    of_root = world.list("root.pem")
    of_inner = world.list("inner.pem", issuer=world.inner)
    inner_revoked = world.list("inner-revoked.pem", world.inner)
    old = world.list("old.pem", days=-1)
    old_revoked = world.list("old-revoked.pem", direct, days=-1)
    future = world.list("future.pem", age=-3000)
    forged = world.list("forged.pem", signer=stranger)
    both = [of_inner, of_root]
    cases = {
        "leaf": (leaf, {"files": both}, None),
        "leaf-only": (leaf, {"files": [of_inner, inner_revoked]}, None),
        "chain-good": (leaf, {"files": both, "check": "chain"}, None),
        "chain": (leaf, {"files": [of_inner, inner_revoked],
                         "check": "chain"}, "CERTIFICATE_REVOKED"),
        "chain-without": (leaf, {"files": [of_inner], "check": "chain"},
                          "UNKNOWN_CA"),
        "missing": (leaf, {"files": [of_root]}, "UNKNOWN_CA"),
        "expired": (direct, {"files": [old]}, "CERTIFICATE_EXPIRED"),
        "expired-error": (direct, {"files": [old], "expired": "error"},
                          "CERTIFICATE_EXPIRED"),
        "expired-warn": (direct, {"files": [old], "expired": "warn"}, None),
        "expired-revoked": (direct, {"files": [old_revoked],
                                     "expired": "warn"},
                            "CERTIFICATE_REVOKED"),
        "newer-one": (direct, {"files": [old_revoked, of_root]}, None),
        "future": (direct, {"files": [future]}, "BAD_CERTIFICATE"),
        "forged": (direct, {"files": [forged]}, "DECRYPT_ERROR"),
        "forged-beside": (direct, {"files": [forged, of_root]}, None),
    }
    d = t.daemon({name: {"accept": world.gate(setting),
                         "connect": backend.address}
                  for name, (_, setting, _) in cases.items()})
    for name, (certificate, _, expected) in cases.items():
        for version in VERSIONS:
            before = len(backend.contacts)
            told = ask(d, name, certificate, version)
            assert (told is None) == (expected is None), (name, told)
            if expected == "CERTIFICATE_REVOKED":
                assert told == expected, (name, told)
            assert len(backend.contacts) == before + (expected is None), name
    text = d.text()
    assert re.search(r"old\.pem: the list of CN=revoking CA expired", text)
    assert re.search(r"future\.pem: the list of .* is not valid before", text)
    d.wait_log("a revocation list has expired and counts on")
    for name, words in (
            ("chain", "depth 1, subject CN=revoked inner"),
            ("missing", "no revocation list of its issuer"),
            ("forged", "not signed with the issuer's key")):
        record = d.wait_access(service=name, reason="client_cert_rejected")
        assert words in record["detail"], record


@limit(120)
def parity_P32_revoked_backends(t):
    """The connect gate: a revoked backend receives not one byte."""
    world = World(t)
    good = t.pki.leaf("localhost", "127.0.0.1", issuer=world.root)
    bad = t.pki.leaf("localhost", "127.0.0.1", "bad.crl", issuer=world.root)
    list_of = world.list("list.pem", bad)
    servers = {
        (label + version).lower().replace(".", ""): t.server(
            echo, server_context(certificate, versions=version))
        for version in VERSIONS
        for label, certificate in (("good", good), ("bad", bad))}
    d = t.daemon({name: {
        "accept": t.gate(),
        "connect": {"address": server.address, "tls": {
            "verify": {"ca": world.root.cert, "crl": list_of}}}}
        for name, server in servers.items()})
    for name, server in servers.items():
        is_good = name.startswith("good")
        assert (ask(d, name, None) is None) == is_good, name
        if is_good:
            continue
        d.wait_access(service=name, reason="backend_revoked")
        assert not [c for c in server.contacts
                    if getattr(c, "received", None)], name


def parity_P32_settings_without_effect(t):
    """SECURITY.md 5.29, and everything else that could not work is told with
    its place, by check and by a reload."""
    world = World(t)
    list_of = world.list("list.pem")
    os.mkdir(t.path("empty"))
    os.mkdir(t.path("junk"))
    t.write("junk/half.crl", open(list_of).read()[:-200])
    t.write("none.pem", open(world.root.cert).read())
    t.write("cut.der", crl(t.path(""), world.root)[:-3])
    delta = crl(t.path(""), world.root, extensions=[bytes.fromhex(
        "300d0603551d1b0101ff0403020101")])
    t.write("delta.der", delta)
    ca = "mode: required, ca: %s" % world.root.cert
    for verify, words in (
            ("{mode: none, crl: list.pem}", "no effect"),
            ("{crl: list.pem}", "no effect"),
            ("{%s, crl: {check: chain}}" % ca, "no effect"),
            ("{%s, crl: {expired: warn}}" % ca, "no effect"),
            ("{%s, crl: {files: []}}" % ca, "no effect"),
            ("{%s, crl: missing.crl}" % ca, "missing.crl: No such file"),
            ("{%s, crl: empty}" % ca, "it goes into `directory`"),
            ("{%s, crl: {directory: list.pem}}" % ca, "no directory"),
            ("{%s, crl: {directory: empty}}" % ca, "no revocation list in"),
            ("{%s, crl: {directory: junk}}" % ca, "half.crl: .*no PEM"),
            ("{%s, crl: none.pem}" % ca, "no revocation list in it"),
            ("{%s, crl: cut.der}" % ca, "cut.der: it is malformed"),
            ("{%s, crl: delta.der}" % ca, "delta"),
            ("{%s, crl: {check: all}}" % ca, "leaf or chain"),
            ("{%s, crl: {expired: no}}" % ca, "error or warn")):
        file = t.write("c.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls: {certificates: %s,
            verify: %s}
    connect: 127.0.0.1:2
global: {state_dir: state, admin: "unix:admin.sock"}
""" % (t.pki.system().bundle, verify))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:6:\d+: .*%s" % words, result.err), (
            verify, result)
        if "crl: {" in verify or "missing" in verify:
            continue
        # The daemon says the same.
        result = t.command("run", "-c", file)
        assert result.status != 0 and re.search(words, result.err), result


def memory(pid):
    """What a process has in memory and what of it is its own, in kB."""
    with open("/proc/%d/smaps_rollup" % pid) as file:
        fields = dict(re.findall(r"^(\w+): +(\d+) kB$", file.read(), re.M))
    return int(fields["Rss"]), int(fields["Private_Dirty"])


def handshakes(d, service, certificate, count=60):
    """Seconds that the fastest of some handshakes took."""
    best = 60.0
    for _ in range(count):
        begin = time.monotonic()
        d.tls(service, certificate=certificate).drop()
        best = min(best, time.monotonic() - begin)
    return best


@limit(240)
def parity_P32_a_million_entries(t):
    """A list of a million entries is read in a time that nobody notices, is
    there once for all workers, and costs a handshake next to nothing. The
    limits are wide; the figures are printed."""
    world = World(t)
    good, bad = world.client("good.crl"), world.client("bad.crl")
    backend = t.server(echo)
    small = world.list("small.pem", bad)
    services = {
        "plain": {"accept": t.gate(verify={
            "mode": "required", "ca": world.root.cert}),
            "connect": backend.address},
        "listed": {"accept": world.gate(small), "connect": backend.address}}
    d = t.daemon(services)
    for name in services:
        assert ask(d, name, good) is None
    before = [memory(pid) for pid in d.workers()]
    large = world.list("large.der", bad, text=False,
                       more=many(1000000, int(time.time())))
    services["listed"]["accept"] = world.gate(large)
    begin = time.monotonic()
    d.reload(services)
    seconds = time.monotonic() - begin
    after = [memory(pid) for pid in d.workers()]
    assert ask(d, "listed", bad) == "CERTIFICATE_REVOKED"
    assert ask(d, "listed", good) is None
    plain, listed = (handshakes(d, name, good)
                     for name in ("plain", "listed"))
    asked = [memory(pid) for pid in d.workers()]
    print("%d bytes, reload %.2f s, worker's RSS and own memory before %s, "
          "after %s, after handshakes %s kB, handshake %.0f us, with the "
          "list %.0f us" % (os.path.getsize(large), seconds, before, after,
                            asked, 1e6 * plain, 1e6 * listed))
    assert seconds < 30
    for old, new in zip(sorted(before), sorted(asked)):
        # Sanitizers have memory of their own for each byte that is looked at.
        assert t.sanitized or (
            new[0] - old[0] < 8192 and new[1] - old[1] < 4096), (old, new)
    assert listed - plain < 0.2


def changed(t, setting, ways):
    """Give a daemon a good list, let each way make it a bad one and the next
    one a good one again, and see it come into force without a reload, beside
    a connection that stays. The document is broken meanwhile."""
    world = World(t)
    client = world.client("client.crl")
    backend = t.server(echo)
    lists = {False: crl(t.path(""), world.root),
             True: crl(t.path(""), world.root, [client])}
    setting, ways = setting(world, lists[False]), ways(world)
    d = t.daemon({"s": {"accept": world.gate(setting),
                        "connect": backend.address}})
    staying = d.tls("s", certificate=client)
    staying.expect_echo()
    with open(d.file, "a") as file:
        file.write("\nhalf: a sentence [\n")
    is_revoked = False
    for way in (*ways, *ways):
        is_revoked = not is_revoked
        way(lists[is_revoked])
        expected = "CERTIFICATE_REVOKED" if is_revoked else None
        wait_for(lambda: ask(d, "s", client) == expected,
                 "%s revoked: %s" % (way, is_revoked), 30)
        staying.expect_echo()
        # It counts from now on, not only now and then.
        count = len(re.findall("configuration is in force", d.text()))
        assert count >= 2, count
    # Nothing of it was our own doing.
    before = d.text().count("files have changed")
    time.sleep(3)
    assert d.text().count("files have changed") == before
    return world, d, client, staying, lists


@limit(180)
def parity_P32_a_file_that_changes(t):
    """Written in place, and renamed over; what is no list changes nothing."""
    path = t.path("list.crl")

    def in_place(der):
        with open(path, "wb") as file:
            file.write(der)

    def renamed(der):
        write(path, der)

    def setting(world, der):
        renamed(der)
        return path
    world, d, client, staying, lists = changed(
        t, setting, lambda world: (in_place, renamed))
    renamed(lists[False][:-9])
    d.wait_log(r"list\.crl: it is malformed")
    d.wait_log("renewal refused, nothing has changed")
    staying.expect_echo()
    assert ask(d, "s", client) is None
    os.unlink(path)
    d.wait_log(r"cannot read .*list\.crl: No such file")
    renamed(lists[True])
    wait_for(lambda: ask(d, "s", client) == "CERTIFICATE_REVOKED",
             "the list is back", 30)
    # An operator's reload reads the document, and says what is wrong there.
    result = t.command("reload", "--socket", d.admin)
    assert result.status != 0, result


@limit(180)
def parity_P32_a_directory_that_changes(t):
    """A newer list under another name, the older one gone."""
    os.mkdir(t.path("lists"))
    count = [0]

    def beside(der):
        count[0] += 1
        for old in os.listdir(t.path("lists")):
            os.unlink(t.path("lists/" + old))
        write(t.path("lists/%d.crl" % count[0]), der)

    def setting(world, der):
        beside(der)
        return {"directory": t.path("lists")}
    changed(t, setting, lambda world: (beside,))


@limit(180)
def parity_P32_links_that_change(t):
    """Turned round as Kubernetes does it with what it mounts."""
    os.mkdir(t.path("mount"))
    count = [0]

    def turned(der):
        count[0] += 1
        os.mkdir(t.path("mount/..%d" % count[0]))
        write(t.path("mount/..%d/ca.crl" % count[0]), der)
        os.symlink("..%d" % count[0], t.path("mount/..new"))
        os.rename(t.path("mount/..new"), t.path("mount/..data"))

    def setting(world, der):
        turned(der)
        os.symlink("..data/ca.crl", t.path("mount/ca.crl"))
        return t.path("mount/ca.crl")
    changed(t, setting, lambda world: (turned,))


@limit(120)
def test_a_directory_of_certificates_is_watched(t):
    """A certificate that is put there is served without a reload."""
    backend = t.server(echo)
    os.mkdir(t.path("certs"), 0o755)
    first, second = (t.pki.leaf(name) for name in ("one.test", "two.test"))
    write(t.path("certs/one.pem"), read(first.bundle), 0o600)
    d = t.daemon({"s": {"accept": {"tls": {"certificates": [
        {"directory": t.path("certs")}]}},
                        "connect": backend.address}})

    def served(name):
        with d.tls("s", name=name) as stream:
            return stream.certificate()
    one = served("one.test")
    assert served("two.test") == one
    write(t.path("certs/two.pem"), read(second.bundle), 0o600)
    wait_for(lambda: served("two.test") != one, "two.test is served", 30)
    assert served("one.test") == one
    d.wait_log("files have changed, renewing")
