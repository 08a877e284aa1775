# SPDX-License-Identifier: BSD-2-Clause
"""What a system test stands on: the real daemon, real peers, real sockets.

A file test_THEME.py has functions test_… and parity_PNN_…, each called with
one Test, in a process of its own and in a directory of its own (t.dir), which
stays when the test fails. `run` finds them and runs many at a time:

    tests/system/run [--jobs N] [--sealock PATH] [FILTER…]

Rules of the house:
- Waiting is for a condition with a deadline (wait_for), never a bare sleep;
  only where silence itself is tested time passes unused.
- A port comes from t.port(); no port is written down anywhere.
- Certificates are made by t.pki when a test asks for them.
- What a test starts, through t, ends with it. A daemon must then leave with
  status 0 on TERM, no process behind it and no sanitizer's report.
- A program that is missing fails the test, with its Debian package named.
- streams.py has the clients and servers, pki.py the certificates.

test_integrity has knobs of its own in the environment.
"""

import ctypes
import errno
import json
import mmap
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

from streams import Ended, Plain, Server, Tls, client_context

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

# Lines of the event log, after a start as after a reload.
IN_FORCE = r"\bconfiguration is in force\b"
RELOAD_FAILED = r"\breload refused, nothing has changed\b"

SANITIZER_REPORT = re.compile(
    r"ERROR: \w+Sanitizer|runtime error: |LeakSanitizer")

PR_SET_CHILD_SUBREAPER = 36

# Programs that tests need, and the Debian packages that bring them.
PACKAGES = {
    "curl": "curl",
    "gnutls-cli": "gnutls-bin",
    "gnutls-serv": "gnutls-bin",
    "haproxy": "haproxy",
    "initdb": "postgresql",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "perl": "perl",
    "postgres": "postgresql",
    "psql": "postgresql-client",
    "setpriv": "util-linux",
}


def limit(seconds):
    """A test may take so long instead of the usual 60 seconds."""
    def mark(function):
        function.seconds = seconds
        return function
    return mark


def wait_for(condition, what, seconds=15.0):
    """Call condition until it returns something true, and return that."""
    deadline = time.monotonic() + seconds * Test.patience
    pause = 0.002
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError("after %g s still not: %s" % (
                seconds * Test.patience, what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def become_subreaper():
    """Orphans of our descendants become our children, so that we see them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def process_table():
    """pid: (ppid, state) of everything that runs."""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        table[int(name)] = (int(fields[1]), fields[0].decode())
    return table


def descendants(pid):
    """The pids below pid, zombies left out."""
    table = process_table()
    found, front = [], [pid]
    while front:
        front = [p for p, (parent, _) in table.items() if parent in front]
        found += [p for p in front if table[p][1] != "Z"]
    return found


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode(
                errors="replace").strip()
    except OSError:
        return ""


def cpu_seconds(pid):
    """User and system time that a process has used."""
    with open("/proc/%d/stat" % pid, "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tail(path, lines=40):
    with open(path, "rb") as file:
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


class Ports:
    """Blocks of ports below the ephemeral range. A block belongs to whoever
    is bound to the abstract UNIX socket of its name: those are known exactly as
    far as the ports are, also beyond a chroot or another TMPDIR."""

    SIZE = 16

    def __init__(self):
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            top = int(file.read().split()[0])
        self.low = max(1024, min(top, 32768) - 16384)
        self.blocks = max(1, (min(top, 32768) - self.low) // self.SIZE)
        self.locks = []
        self.free = []

    def take(self):
        while not self.free:
            self._take_block()
        return self.free.pop(0)

    def _take_block(self):
        start = os.getpid() * 7 + len(self.locks)
        for i in range(self.blocks):
            block = (start + i) % self.blocks
            lock = socket.socket(socket.AF_UNIX)
            try:
                lock.bind("\0sealock-test-ports-%d" % block)
            except OSError:
                lock.close()
                continue
            self.locks.append(lock)
            first = self.low + block * self.SIZE
            self.free = [port for port in range(first, first + self.SIZE)
                         if self._is_bindable(port)]
            return
        raise AssertionError("no block of ports is free")

    @staticmethod
    def _is_bindable(port):
        for family, host in ((socket.AF_INET, "0.0.0.0"),
                             (socket.AF_INET6, "::")):
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6,
                                         socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
                except OSError as error:
                    if error.errno != errno.EADDRNOTAVAIL:
                        return False
        return True


class Result:
    """What a command that ended has left."""

    def __init__(self, words, status, out, err):
        self.words = words
        self.status = status
        self.out = out
        self.err = err

    def __str__(self):
        return "%s\nstatus %s\n%s%s" % (
            " ".join(self.words), self.status, self.out, self.err)

    def expect(self, status=0):
        assert self.status == status, "expected status %s of %s" % (
            status, self)
        return self


class Peer:
    """A program that runs beside the daemon; its output goes to NAME.log."""

    def __init__(self, test, name, words, **options):
        self.log = test.path(name + ".log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in words], stdin=options.pop(
                    "stdin", subprocess.DEVNULL),
                stdout=log, stderr=log, cwd=options.pop("cwd", test.dir),
                **options)
        test.defer(self.stop)

    def text(self):
        with open(self.log, "rb") as file:
            return file.read().decode(errors="replace")

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(10 * Test.patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


class Skipped(Exception):
    """Why something cannot be tested here."""


class Test:
    """The one argument of every test."""

    sealock = None    # the program, set by the runner
    oracle = None     # the relay oracle beside it
    moved_clock = None  # what a Clock is made of
    pki = None        # the certificates of this run
    sanitized = False
    patience = 1.0    # sanitizers are slow

    def __init__(self, directory):
        self.dir = directory
        self._ports = Ports()
        self._deferred = []
        self._daemons = 0

    # Housekeeping.

    def defer(self, function):
        """Call function at the end, the last deferred one first."""
        self._deferred.append(function)

    def finish(self):
        """Undo everything; the first error is raised when all is done."""
        problem = None
        while self._deferred:
            try:
                self._deferred.pop()()
            except Exception as error:
                problem = problem or error
        # What was killed a moment ago may still be on its way out.
        deadline = time.monotonic() + self.patience
        while descendants(os.getpid()) and time.monotonic() < deadline:
            time.sleep(0.01)
        for pid in descendants(os.getpid()):
            problem = problem or AssertionError(
                "process %d was left behind: %s" % (pid, command_line(pid)))
            os.kill(pid, signal.SIGKILL)
        report = self._sanitizer_report()
        if report:
            problem = AssertionError("a sanitizer's report: " + report)
        if problem:
            raise problem

    def _sanitizer_report(self):
        for name in sorted(os.listdir(self.dir)):
            path = self.path(name)
            if not name.endswith(".log") and "sanitizer." not in name:
                continue
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                text = file.read().decode(errors="replace")
            found = SANITIZER_REPORT.search(text)
            if found:
                return text[found.start():found.start() + 6000]
        return None

    # Files, ports, programs.

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, data, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.chmod(path, mode)
        return path

    def port(self):
        return self._ports.take()

    def skip(self, reason):
        """This cannot be tested here: the test ends, and the runner says why."""
        raise Skipped(reason)

    def need(self, program):
        """The path of a program; without it the test fails."""
        found = shutil.which(program, path=os.environ.get("PATH", "") +
                             ":/usr/sbin:/sbin" + postgres_path())
        assert found, ("this test needs the program %s: "
                       "apt-get install %s" % (
                           program, PACKAGES.get(program, program)))
        return found

    def environment(self, **more):
        """A small environment, the same everywhere."""
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                       "HOME": self.dir, "LC_ALL": "C.UTF-8",
                       "TMPDIR": self.dir}
        if self.sanitized:
            options = "log_path=%s:exitcode=99" % self.path("sanitizer")
            environment["ASAN_OPTIONS"] = options + (
                ":detect_stack_use_after_return=1:strict_string_checks=1")
            environment["UBSAN_OPTIONS"] = options + ":print_stacktrace=1"
        environment.update(more)
        return environment

    def run(self, *words, stdin="", seconds=30, env=None, cwd=None,
            **options):
        """Run a command to its end and return its Result."""
        words = [str(word) for word in words]
        if isinstance(stdin, str):
            stdin = stdin.encode()
        try:
            done = subprocess.run(
                words, input=stdin, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=seconds * self.patience,
                env=env or self.environment(), cwd=cwd or self.dir, **options)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError("%s did not end within %g s: %s%s" % (
                " ".join(words), seconds * self.patience,
                (expired.stdout or b"").decode(errors="replace"),
                (expired.stderr or b"").decode(errors="replace"))) from None
        return Result(words, done.returncode,
                      done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def command(self, *words, **options):
        """Run sealock with these arguments to its end."""
        return self.run(self.sealock, *words, **options)

    def start(self, name, *words, **options):
        options.setdefault("env", self.environment())
        return Peer(self, name, words, **options)

    # The daemon and what stands around it.

    def clock(self, name="clock"):
        """A Clock; several daemons may go by one, or each by its own."""
        return Clock(self, name)

    def daemon(self, services=None, **options):
        return Daemon(self, services, **options)

    def gate(self, certificate=None, **tls):
        """An accept gate with TLS and, unless told otherwise, web.test's
        certificate."""
        certificate = certificate or self.pki.system()
        return {"tls": {"certificates": certificate.bundle, **tls}}

    def server(self, handler, tls=None, host="127.0.0.1", port=None,
               backlog=128):
        """A backend on a thread; tls is an ssl.SSLContext."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port or self.port()))
        listening.listen(backlog)
        return self._serve(listening, handler, tls)

    def unix_server(self, handler, name, tls=None):
        """The same on a UNIX socket; a name that begins with @ is
        abstract."""
        return self._serve(self.unix_listener(name), handler, tls)

    def unix_listener(self, name, backlog=128):
        """A UNIX socket that listens, for everybody: whoever started the
        daemon, its processes may be another user's."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(name.replace("@", "\0", 1) if name[0] == "@" else name)
        if name[0] != "@":
            os.chmod(name, 0o777)
        listening.listen(backlog)
        self.defer(listening.close)
        return listening

    def _serve(self, listening, handler, tls):
        server = Server(listening, handler, tls)
        self.defer(server.close)
        return server

    def wait_open(self, port, what):
        """Until what listens at a port of this machine does."""
        def is_open():
            try:
                self.connect(port).close()
                return True
            except OSError:
                return False

        wait_for(is_open, "%s listens" % what)

    def connect(self, port, host="127.0.0.1", receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connected = socket.socket(family)
        if receive_buffer:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                 receive_buffer)
        connected.settimeout(10)
        try:
            connected.connect((host, port))
        except ConnectionResetError:
            pass  # reset already: the first use of the stream will say so
        stream = Plain(connected)
        self.defer(stream.drop)
        return stream

    def connect_tls(self, port, name="web.test", host="127.0.0.1",
                    receive_buffer=None, **options):
        """TLS to a port; options are client_context()'s. The handshake is
        done; its failure is an ssl.SSLError, or Ended."""
        plain = self.connect(port, host, receive_buffer)
        try:
            return Tls(plain.socket, client_context(**options), False,
                       name).handshake()
        except (ssl.SSLError, Ended):
            plain.drop()  # clients that try again need the descriptor
            raise


class Clock:
    """A real clock that a test moves, for every process of a daemon that was
    started with it (clock=…) and for commands with its environment(). Timers
    run by another clock, and that one stays."""

    def __init__(self, test, name):
        self.library = test.path(name + ".so")
        assert os.path.exists(test.moved_clock), (
            "%s is missing: make check builds it" % test.moved_clock)
        shutil.copy(test.moved_clock, self.library)
        file = test.write(name + ".so.offset", bytes(8))
        with open(file, "r+b") as opened:
            self._offset = mmap.mmap(opened.fileno(), 8)
        # A sanitizer's runtime wants to be the first library of all; what it
        # calls behind itself is the clock's.
        linked = test.run("ldd", test.sealock).out
        self._libraries = re.findall(r"(/\S*/libasan\S+)", linked)
        self._libraries.append(self.library)

    @property
    def offset(self):
        """Seconds that it is ahead by."""
        return struct.unpack("=q", self._offset[:])[0] / 1000

    def set(self, seconds):
        """So far ahead, or behind, from now on."""
        self._offset[:] = struct.pack("=q", round(seconds * 1000))

    def move(self, seconds):
        self.set(self.offset + seconds)

    def now(self):
        return time.time() + self.offset

    def environment(self):
        return {"LD_PRELOAD": ":".join(self._libraries)}


def postgres_path():
    """Where Debian keeps PostgreSQL's own programs, newest first."""
    top = "/usr/lib/postgresql"
    if not os.path.isdir(top):
        return ""
    versions = sorted(os.listdir(top), key=lambda v: float(
        v) if v.replace(".", "").isdigit() else 0, reverse=True)
    return "".join(":%s/%s/bin" % (top, version) for version in versions)


class Daemon:
    """A running `sealock run -c FILE`.

    services is the map of that name; a service whose accept gate has no
    address gets a port on 127.0.0.1. Other top-level maps are keywords:
    globals (for `global`), defaults, enforce. text is a whole configuration
    instead, in which {port} and so on are the test's own business. The log
    goes to daemon.log, access records to access.log unless globals has a log
    of its own. prefix is a command that it is run by, before_exec is called
    in its process. clock is a Clock that it goes by.
    """

    def __init__(self, test, services=None, text=None, globals=None,
                 name="daemon", words=None, environment=None, ready=True,
                 descriptors=None, pass_fds=(), prefix=(), before_exec=None,
                 clock=None, **maps):
        self.test = test
        self.name = name
        self.log = test.path(name + ".log")
        self.access_log = test.path(
            "access.log" if name == "daemon" else name + ".access.log")
        self.file = test.path(
            "sealock.yaml" if name == "daemon" else name + ".yaml")
        self.admin = test.path(name + ".sock")
        self.addresses = {}
        self.globals = globals or {}
        self.maps = maps
        self.status = None
        self.is_expected_to_end = False
        self.may_lose_children = False  # the test kills some
        self.write(services, text)

        def prepare():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (descriptors, descriptors))
            if before_exec:
                before_exec()

        environment = dict(environment or {})
        if clock:
            environment.update(clock.environment())
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, test.sealock, "run", "-c", self.file,
                 *(words or [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=test.dir, env=test.environment(**environment),
                pass_fds=pass_fds,
                preexec_fn=prepare if descriptors or before_exec else None)
        test.defer(self.stop)
        if ready:
            self.wait_ready()

    @property
    def pid(self):
        return self.process.pid

    # Configuration.

    def write(self, services=None, text=None, **maps):
        """Write the file, without telling the daemon. Maps replace those
        given before."""
        self.maps.update(maps)
        if text is None:
            self.services = services
            text = json.dumps(self._document(services), indent=2) + "\n"
        self.test.write(os.path.basename(self.file), text)

    def _document(self, services):
        for name, service in services.items():
            accept = service["accept"]
            if isinstance(accept, str):
                accept = service["accept"] = {"address": accept}
            if "address" not in accept:
                port = self.addresses.get(name, (None, None))[1]
                accept["address"] = "127.0.0.1:%d" % (
                    port or self.test.port())
            first = accept["address"]
            first = first if isinstance(first, str) else first[0]
            host, _, port = first.rpartition(":")
            self.addresses[name] = (
                host.strip("[]") or "127.0.0.1",
                int(port) if port.isdigit() else None)
        return {
            "global": {
                "admin": "unix:" + self.admin,
                "pid_file": self.test.path(self.name + ".pid"),
                "state_dir": self.state(),
                "shutdown_grace": "2s",
                "workers": 2,
                "log": [
                    {"to": "stderr", "level": "debug", "what": "events"},
                    {"to": "file:" + self.access_log, "what": "access",
                     "format": "json"},
                ],
                **self.globals,
            },
            "services": services,
            **self.maps,
        }

    def state(self, name=""):
        """A file in state_dir, or the directory."""
        return os.path.join(
            self.test.path(self.name + ".state"), name).rstrip("/")

    # What it says.

    def text(self):
        with open(self.log, "rb") as file:
            return file.read().decode(errors="replace")

    def wait_log(self, pattern, seconds=15.0, count=1):
        """Wait until the log has so many matches; the last one."""
        def found():
            matches = list(re.finditer(pattern, self.text(), re.MULTILINE))
            return matches[count - 1:] and matches[-1]
        return wait_for(found, "the log says %r" % pattern, seconds)

    def wait_ready(self):
        def is_ready():
            if re.search(IN_FORCE, self.text()):
                return True
            assert self.process.poll() is None, (
                "the daemon ended with status %s" % self.process.returncode)
            return False
        wait_for(is_ready, "the daemon is ready", 20)

    def access(self, **fields):
        """The access records so far that have these values."""
        try:
            with open(self.access_log, "rb") as file:
                lines = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            lines = []
        records = [json.loads(line) for line in lines]
        return [record for record in records if all(
            record.get(key) == value for key, value in fields.items())]

    def wait_access(self, count=1, seconds=15.0, **fields):
        """Wait for so many records that have these values; the last one."""
        try:
            return wait_for(lambda: self.access(**fields)[count - 1:],
                            "%d access records %r" % (count, fields),
                            seconds)[-1]
        except AssertionError as error:
            raise AssertionError("%s; there are %r" % (
                error, [(r.get("service"), r.get("reason"), r.get("detail"))
                        for r in self.access()])) from None

    # Its processes.

    def children(self):
        return descendants(self.pid)

    def role(self, role):
        """The pids of the processes of that role."""
        return [pid for pid in self.children()
                if re.search(r"\b%s\b" % role, command_line(pid))]

    def workers(self):
        return self.role("worker")

    def keeper(self):
        """The pid of the keeper, once there is one. While it enters its
        sandbox, a process forked from it tries what is forbidden."""
        def the_one():
            pids = self.role("keeper")
            return pids[0] if len(pids) == 1 else None

        return wait_for(the_one, "a keeper")

    def descriptors(self):
        """What each process has open, as counts: {role: sorted list}; once
        they have stopped changing, as closing may lag behind the log."""
        readings = []

        def have_settled():
            readings.append(self._count_descriptors())
            return len(readings) >= 5 and all(
                reading == readings[-1] for reading in readings[-5:])

        wait_for(have_settled, "the descriptors settle")
        return readings[-1]

    def _count_descriptors(self):
        counts = {"monitor": [len(os.listdir("/proc/%d/fd" % self.pid))]}
        for role in ("worker", "helper", "keeper", "broker"):
            counts[role] = sorted(len(os.listdir("/proc/%d/fd" % pid))
                                  for pid in self.role(role))
        return counts

    # Clients.

    def port(self, service=None):
        return self.addresses[service or next(iter(self.addresses))][1]

    def plain(self, service=None, **options):
        host, port = self.addresses[service or next(iter(self.addresses))]
        return self.test.connect(port, host=host, **options)

    def tls(self, service=None, name="web.test", **options):
        host, port = self.addresses[service or next(iter(self.addresses))]
        return self.test.connect_tls(port, name, host=host, **options)

    # Orders.

    def reload(self, services=None, **maps):
        """Write the file with what has changed, send HUP, wait until it is in
        force."""
        self.write(services or self.services, **maps)
        before = len(re.findall(IN_FORCE, self.text()))
        self.signal(signal.SIGHUP)
        self.wait_log(IN_FORCE, count=before + 1)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=20.0):
        """Wait for its end; the status."""
        try:
            self.status = self.process.wait(seconds * Test.patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                "the daemon has not ended after %g s; its processes: %r" % (
                    seconds * Test.patience,
                    [command_line(p) for p in self.children()])) from None
        return self.status

    def stop(self):
        """TERM, and a clean end; nothing when the test ended it already."""
        if self.status is None and not self.is_expected_to_end:
            status = self.process.poll()
            assert status is None, (
                "the daemon ended by itself with status %s" % status)
            self.signal(signal.SIGTERM)
            try:
                self.wait()
            except AssertionError:
                for pid in [*self.children(), self.pid]:
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
                raise
            assert self.status == 0, (
                "the daemon's exit status is %s" % self.status)
        assert self.may_lose_children or "child died" not in self.text(), (
            "a process of the daemon died")

    def kill_child(self, pid):
        self.may_lose_children = True
        os.kill(pid, signal.SIGKILL)

    def kill(self):
        """The hard end."""
        self.is_expected_to_end = True
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    sys.exit("harness: run tests/system/run")
