# SPDX-License-Identifier: BSD-2-Clause
"""What the processes have given up, as the kernel tells it from outside, and
what becomes of a sandbox that cannot be had.

Most of it needs root, as `user` and `chroot` do; an ordinary user's run keeps
what is for it."""

import ctypes
import errno
import grp
import os
import pwd
import re
import shutil
import signal
import ssl

from harness import wait_for
from streams import Ended, echo

NOBODY = 65534
ROLES = ("worker", "keeper", "helper", "broker")

# Kept by the monitor: chown, dac_override, fowner, kill, setgid, setuid,
# setpcap, net_bind_service, sys_chroot, sys_resource.
MONITOR_CAPABILITIES = sum(1 << n for n in (0, 1, 3, 5, 6, 7, 8, 10, 18, 24))


def is_root():
    return os.geteuid() == 0


def empty_directory(t, name="empty"):
    os.mkdir(t.path(name), 0o755)
    return t.path(name)


def all_roles(t):
    """Services that need every role there is."""
    backend = t.unix_server(echo, t.path("backend.sock"))
    abstract = t.unix_server(echo, "@sealock-sandbox-%d" % os.getpid())
    return {
        "path": {"accept": t.gate(), "connect": backend.address},
        "abstract": {"accept": t.gate(), "connect": abstract.address},
        "name": {"accept": {}, "connect": "localhost:%d" % t.server(echo).port},
    }


def again(t, services):
    """The same backends behind other gates, for another daemon."""
    return {name: {"accept": t.gate() if "tls" in service["accept"] else {},
                   "connect": service["connect"]}
            for name, service in services.items()}


def serves(d):
    for service in ("path", "abstract"):
        with d.tls(service) as stream:
            stream.expect_echo()
    with d.plain("name") as stream:
        stream.expect_echo()


def is_served(d):
    try:
        serves(d)
        return True
    except (ssl.SSLError, Ended):
        return False


def facts(pid):
    """The lines of /proc/PID/status as a dictionary."""
    with open("/proc/%d/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def ids(pid, key):
    return [int(word) for word in facts(pid)[key].split()]


def capabilities(pid, key):
    return int(facts(pid)[key], 16)


def targets(pid):
    """What its descriptors lead to."""
    found = []
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except FileNotFoundError:
            pass
    return found


def core_limit(pid):
    with open("/proc/%d/limits" % pid) as file:
        return re.search(r"Max core file size +(\S+) +(\S+)",
                         file.read()).groups()


def expect_confined(t, pid, role, uid, gid):
    """The process is that user's, for good, and can be looked at by nobody."""
    status = facts(pid)
    assert ids(pid, "Uid") == [uid] * 4, (role, status["Uid"])
    assert ids(pid, "Gid") == [gid] * 4, (role, status["Gid"])
    assert status["Groups"].strip() in ("", str(gid)), (role, status)
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert capabilities(pid, key) == 0, (role, key, status)
    assert status["NoNewPrivs"] == "1", (role, status)
    assert core_limit(pid) == ("0", "0"), role
    if t.sanitized:
        return
    assert status["Seccomp"] == "2", (role, status)
    # What cannot be dumped is root's in /proc.
    assert os.stat("/proc/%d/environ" % pid).st_uid == 0, role


def test_as_root(t):
    if not is_root():
        t.skip("only root can change users and directories")
    empty = empty_directory(t)
    d = t.daemon(all_roles(t), globals={
        "user": "nobody", "chroot": empty, "isolate_keys": True,
        "sandbox": "auto" if t.sanitized else "required"})
    serves(d)
    for role in ROLES:
        pids = d.role(role)
        assert len(pids) == (2 if role == "worker" else 1), (role, pids)
        for pid in pids:
            expect_confined(t, pid, role, NOBODY, NOBODY)
            assert capabilities(pid, "CapBnd") == 0, facts(pid)
            shut_in = role in ("worker", "keeper") and not t.sanitized
            assert os.readlink("/proc/%d/root" % pid) == (
                empty if shut_in else "/"), role
    # The monitor is root still, and can do no more than it needs.
    for key in ("CapEff", "CapPrm", "CapBnd"):
        assert capabilities(d.pid, key) & ~MONITOR_CAPABILITIES == 0, (
            facts(d.pid))
    assert capabilities(d.pid, "CapAmb") == 0
    assert facts(d.pid)["NoNewPrivs"] == "1"
    assert core_limit(d.pid) == ("0", "0")
    # One line a role.
    for role in ROLES:
        found = re.findall(r"(?:info|warn) %s\[\d+\]: sandbox .*reached=\"(.*?)\""
                           % role, d.text())
        assert len(found) == 1, (role, found)
        if not t.sanitized:
            assert "seccomp" in found[0] and "landlock" in found[0], found


def test_descriptors(t):
    """No role holds a file, but for logs; a file with a key may be open in the
    keeper, and what keeper and helper keep, in each of them its own."""
    if not is_root():
        t.skip("only root can change users and directories")
    d = t.daemon(all_roles(t), globals={"isolate_keys": True})
    serves(d)
    key = t.pki.system().bundle
    harmless = (d.log, d.access_log, "/dev/null")
    allowed = {"keeper": {key, d.state("tickets.0"), d.state("tickets.1")},
               "helper": {d.state("ocsp.0"), d.state("ocsp.1")}}
    for role in ROLES:
        for pid in d.role(role):
            for target in targets(pid):
                if not target.startswith("/") or target in harmless or (
                        target.startswith("/memfd:")):
                    continue
                assert target in allowed.get(role, ()), (role, target)


def test_users_of_their_own(t):
    if not is_root():
        t.skip("only root can change users and directories")
    services = all_roles(t)
    d = t.daemon(services, name="own", globals={
        "isolate_keys": True, "user": {"worker": "nobody", "keeper": "daemon",
                                       "helper": "bin"}})
    serves(d)
    for role, user in (("worker", "nobody"), ("keeper", "daemon"),
                       ("helper", "bin"), ("broker", "nobody")):
        entry = pwd.getpwnam(user)
        for pid in d.role(role):
            expect_confined(t, pid, role, entry.pw_uid, entry.pw_gid)
    d.stop()
    # Numbers need no names, and a group is everybody's.
    d = t.daemon(again(t, services), globals={
        "user": {"worker": "54321", "broker": "sys"}, "group": "games"})
    serves(d)
    gid = grp.getgrnam("games").gr_gid
    for role, uid in (("worker", 54321), ("helper", 54321),
                      ("broker", pwd.getpwnam("sys").pw_uid)):
        for pid in d.role(role):
            expect_confined(t, pid, role, uid, gid)


def test_the_default_user(t):
    """It is not there on a machine that has no package of sealock; then all
    are nobody, and the log says so."""
    if not is_root():
        t.skip("only root can change users and directories")
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}})
    uid = ids(d.workers()[0], "Uid")[0]
    assert uid != 0
    if uid == NOBODY:
        d.wait_log(r"warn .*user=sealock")


def test_as_an_ordinary_user(t):
    """Nothing to change, and nothing to be shut in: the rest holds."""
    copy = shutil.copy(t.sealock, t.path("sealock"))
    os.chmod(t.dir, 0o777)
    uid, gid, prefix = os.geteuid(), os.getegid(), []
    if is_root():
        uid = gid = NOBODY
        prefix = [t.need("setpriv"), "--reuid=%d" % uid, "--regid=%d" % gid,
                  "--clear-groups"]
    t.sealock = copy
    mode = "auto" if t.sanitized else "required"
    services = all_roles(t)
    for name in ("path", "abstract"):
        services[name]["accept"]["tls"]["certificates"] = {
            "self_signed": ["localhost"]}
    d = t.daemon(services, prefix=prefix,
                 globals={"sandbox": mode, "isolate_keys": True})
    serves(d)
    for role in ROLES:
        for pid in d.role(role):
            expect_confined(t, pid, role, uid, gid)
            assert os.readlink("/proc/%d/root" % pid) == "/"
    d.signal(signal.SIGHUP)
    d.wait_log(r"configuration is in force", count=2)
    d.signal(signal.SIGUSR1)
    d.wait_log(r"logs reopened")
    d.kill_child(d.role("keeper")[0])
    d.wait_log(r"child started child=\"keeper\"")
    d.wait_log(r"keeper\[\d+\]: sandbox", count=2)
    wait_for(lambda: is_served(d), "there are keys again")


def test_all_combinations(t):
    """Whatever is switched on and off, the service is the same."""
    services = all_roles(t)
    empty = empty_directory(t) if is_root() else "off"
    for mode in ("auto", "off"):
        for chroot in {empty, "off"}:
            for is_isolated in (True, False):
                d = t.daemon(again(t, services), globals={
                    "sandbox": mode, "chroot": chroot,
                    "isolate_keys": is_isolated},
                    name="%s-%d-%d" % (mode, chroot != "off", is_isolated))
                serves(d)
                seccomp = facts(d.workers()[0])["Seccomp"]
                assert (seccomp == "2") == (mode != "off" and
                                            not t.sanitized), seccomp
                assert d.role("keeper")
                assert bool(d.role("broker")) == (mode != "off" or
                                                  chroot != "off")
                d.stop()


def test_no_view_of_files(t):
    """What a configuration asks of the machine by name is known to processes
    in an empty directory, also after a reload."""
    chroot = {"chroot": empty_directory(t)} if is_root() else {}
    services = {"s": {"accept": t.gate(), "connect": "builtin:echo"},
                "c": {"accept": {}, "connect": {
                    "address": "localhost:https",
                    "tls": {"verify": {"ca": "system"}}}}}
    d = t.daemon(services, globals=chroot)
    with d.tls("s") as stream:
        stream.expect_echo()
    services["c"]["connect"]["address"] = ["localhost:imaps", "127.0.0.1:http"]
    d.reload(services)
    d.kill_child(d.workers()[0])
    d.wait_log(r"child started")
    with d.tls("s") as stream:
        stream.expect_echo()


# What cannot be had.


def refused(t, globals, part, status=(1,)):
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}},
                 globals=globals, ready=False, name="d%d" % t.port())
    d.is_expected_to_end = d.may_lose_children = True
    assert d.wait() in status, d.text()
    assert part in d.text(), (part, d.text())


def test_users_that_are_not_there(t):
    if not is_root():
        t.skip("only root can change users and directories")
    for user, part in (
            ("no-such-user", "there is no user no-such-user"),
            ("root", "no role runs as root"),
            ("0", "no role runs as root"),
            ("4294967295", "there is no user"),
            ({"keeper": "no-such-user"}, "keeper: there is no user"),
            ({"worker": "nobody", "helper": "root"}, "helper: user root")):
        refused(t, {"user": user}, part)
    refused(t, {"group": "no-such-group"}, "there is no group no-such-group")
    refused(t, {"group": "root"}, "no role runs as root")
    # A number needs no name, but a group then.
    refused(t, {"user": "54321"}, "no entry that says its group")


def test_directories_that_will_not_do(t):
    if not is_root():
        refused(t, {"chroot": t.dir}, "only root")
        return
    full = empty_directory(t, "full")
    t.write("full/x", "")
    others = empty_directory(t, "others")
    os.chown(others, NOBODY, NOBODY)
    writable = empty_directory(t, "writable")
    os.chmod(writable, 0o777)
    for path, part in ((t.path("none"), "No such file"),
                       (full, "not empty"), (others, "not root's"),
                       (writable, "others may write"),
                       (t.write("file", ""), "Not a directory")):
        refused(t, {"chroot": path}, part)


def test_a_reload_changes_nobody(t):
    """Users, directory and sandbox are those of the start; a reload that wants
    others says that it needs a restart."""
    services = {"s": {"accept": {}, "connect": "builtin:echo"}}
    d = t.daemon(services, globals={"sandbox": "auto"})
    before = facts(d.workers()[0])
    d.globals.update({"sandbox": "off", "user": "daemon", "group": "games",
                      "chroot": t.path("none")})
    d.reload(services)
    for key in ("sandbox", "user", "group", "chroot"):
        d.wait_log(r"warn .*`%s` was another .*restart" % key)
    victim = d.workers()[0]
    d.kill_child(victim)
    wait_for(lambda: len(d.workers()) == 2 and victim not in d.workers(),
             "two workers")
    d.wait_log(r"child started")
    with d.plain() as stream:
        stream.expect_echo()
    for pid in d.workers():
        # It has just been started.
        wait_for(lambda: all(facts(pid)[key] == before[key] for key in (
            "Uid", "Gid", "Seccomp", "NoNewPrivs")),
            "a worker like those before")


def library():
    found = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    found.seccomp_init.restype = ctypes.c_void_p
    found.seccomp_init.argtypes = [ctypes.c_uint32]
    return found


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def without(*calls):
    """For before_exec: a kernel that has no such system calls. A call is a
    name, or a name and its first argument."""
    allow, refuse, equal = 0x7fff0000, 0x00050000 | errno.ENOSYS, 4
    names = [(call, None) if isinstance(call, str) else call for call in calls]
    seccomp = library()

    def enter():
        context = ctypes.c_void_p(seccomp.seccomp_init(allow))
        for name, argument in names:
            number = seccomp.seccomp_syscall_resolve_name(name.encode())
            only = (Comparison * 1)(Comparison(0, equal, argument or 0, 0))
            if seccomp.seccomp_rule_add_array(
                    context, ctypes.c_uint32(refuse), number,
                    0 if argument is None else 1, only) != 0:
                os._exit(125)
        if seccomp.seccomp_load(context) != 0:
            os._exit(126)
    return enter


PR_SET_SECCOMP = 22
MISSING = {
    "landlock": (without("landlock_create_ruleset"), "no landlock"),
    "seccomp": (without("seccomp", ("prctl", PR_SET_SECCOMP)), "seccomp"),
}


def test_what_is_missing_is_told(t):
    """auto goes as far as it can."""
    if t.sanitized:
        t.skip("a build with sanitizers has no sandbox")
    for name, (enter, part) in MISSING.items():
        d = t.daemon(all_roles(t) if name == "landlock" else {
            "s": {"accept": {}, "connect": "builtin:echo"}},
            before_exec=enter, name=name)
        for role in ("worker", "helper"):
            d.wait_log(r"warn %s.*sandbox is not complete .*missing=.*%s" % (
                role, part))
        if name == "landlock":
            serves(d)
        d.stop()


def test_required_refuses(t):
    if t.sanitized:
        refused(t, {"sandbox": "required"}, "a sandbox is required: it is "
                "built with AddressSanitizer", status=(2,))
        return
    for name, (enter, part) in MISSING.items():
        d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}},
                     globals={"sandbox": "required"}, ready=False,
                     before_exec=enter, name=name)
        d.is_expected_to_end = d.may_lose_children = True
        assert d.wait() == 2
        assert re.search(r"^a sandbox is required: .*%s" % part, d.text(),
                         re.MULTILINE), d.text()


def test_a_store_needs_its_library(t):
    """A key behind a URI: whoever holds it has privileges taken away, and
    nothing else."""
    certificate = {"store": "pkcs11:object=web"}
    services = {"s": {"accept": {}, "connect": "builtin:echo"},
                "t": {"accept": t.gate(), "connect": "builtin:echo"}}
    services["t"]["accept"]["tls"]["certificates"] = [
        services["t"]["accept"]["tls"]["certificates"], certificate]
    for is_isolated in (True, False):
        holder = "keeper" if is_isolated else "worker"
        d = t.daemon(services, globals={"isolate_keys": is_isolated},
                     name=holder)
        seccomp = {role: facts(d.role(role)[0])["Seccomp"]
                   for role in (holder, "helper")}
        if not t.sanitized:
            assert seccomp == {holder: "0", "helper": "2"}, seccomp
            d.wait_log(r"warn %s.*missing=.*store" % holder)
        if is_root():
            assert ids(d.role(holder)[0], "Uid") == [NOBODY] * 4 or (
                0 not in ids(d.role(holder)[0], "Uid"))
        with d.tls("t") as stream:
            stream.expect_echo()
        d.stop()
    if not t.sanitized:
        d = t.daemon(services, globals={"sandbox": "required"}, ready=False,
                     name="required")
        d.is_expected_to_end = d.may_lose_children = True
        assert d.wait() == 2
        assert "store" in d.text()


def test_a_store_that_comes_later(t):
    services = {"s": {"accept": t.gate(), "connect": "builtin:echo"}}
    d = t.daemon(services)
    services["s"]["accept"]["tls"]["certificates"] = [
        services["s"]["accept"]["tls"]["certificates"],
        {"store": "pkcs11:object=web"}]
    d.reload(services)
    d.wait_log(r"warn .*store.*restart")
    with d.tls("s") as stream:
        stream.expect_echo()


def test_a_forbidden_call_is_named(t):
    """A process that the kernel ended for a system call."""
    d = t.daemon({"s": {"accept": {}, "connect": "builtin:echo"}})
    d.may_lose_children = True
    os.kill(d.workers()[0], signal.SIGSYS)
    d.wait_log(r"child died .*signal=31 \(sandbox: a system call")
    d.wait_log(r"child started")


def test_the_resolvers_files_are_replaced(t):
    """The helper may read the files that were there: when others take their
    place, another helper takes its own."""
    if not is_root() or t.sanitized:
        t.skip("only root has a mount namespace, and sanitizers no sandbox")
    if t.run(t.need("unshare"), "--mount", "true").status != 0:
        t.skip("no mount namespace of its own can be had here")
    etc = t.path("etc")
    os.mkdir(etc)
    for name in ("hosts", "host.conf", "nsswitch.conf", "resolv.conf",
                 "passwd", "group", "services"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, etc)
    with open(os.path.join(etc, "hosts"), "w") as file:
        file.write("127.0.0.1 localhost backend.test\n")
    os.chmod(os.path.join(etc, "hosts"), 0o644)
    here = t.server(echo)
    d = t.daemon({"s": {"accept": {}, "connect": "backend.test:%d" % here.port}},
                 prefix=[t.need("unshare"), "--mount", "sh", "-c",
                         'mount --bind "$0" /etc && exec "$@"', etc])
    with d.plain() as stream:
        stream.expect_echo()
    helper = d.role("helper")[0]
    t.write("etc/hosts.new", "127.0.0.1 localhost\n127.0.0.1 backend.test\n")
    os.rename(t.path("etc/hosts.new"), t.path("etc/hosts"))
    d.wait_log(r"info .*child is replaced child=\"helper\"", seconds=20)
    wait_for(lambda: d.role("helper") and helper not in d.role("helper"),
             "another helper")
    with d.plain() as stream:
        stream.expect_echo()
