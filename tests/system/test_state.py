# SPDX-License-Identifier: BSD-2-Clause
"""What outlives a process and a restart (`state_dir`): found again after every
kind of end, never the reason why nothing works, and ours alone. What is looked
for are the names of ticket keys."""

import itertools
import os
import re
import shutil
import stat
import subprocess

from harness import wait_for

KEY = re.compile(r"^  ([0-9a-f]{32}) (\w+)", re.M)
FILES = ("tickets.0", "tickets.1", "ocsp.0", "ocsp.1")
numbers = itertools.count(1)


def is_root():
    return os.geteuid() == 0


def start(t, directory=None, **options):
    """A daemon on ports of its own, with that directory."""
    globals = dict(options.pop("globals", {}))
    if directory:
        globals["state_dir"] = directory
    return t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}},
                    name="daemon%d" % next(numbers), globals=globals,
                    **options)


def ask(t, d, word="show"):
    """{name: state} of its ticket keys."""
    result = t.command("tickets", word, "-c", d.file)
    result.expect(0)
    found = dict(KEY.findall(result.out))
    assert "current" in found.values(), result.out
    return found


def wait_answer(t, d):
    """The same of a keeper that may have to be started first."""
    def answers():
        result = t.command("tickets", "show", "-c", d.file)
        return result.status == 0 and dict(KEY.findall(result.out))

    return wait_for(answers, "another keeper")


def current(keys):
    (name,) = [name for name, state in keys.items() if state == "current"]
    return name


def expect_echo(d):
    with d.tls() as stream:
        stream.expect_echo()


def is_newer(one, other):
    """By the sequence in their headers."""
    def sequence(path):
        with open(path, "rb") as file:
            header = file.read(32)
        return int.from_bytes(header[16:24], "big")
    return sequence(one) > sequence(other)


def newest(directory, kind="tickets"):
    one, other = (os.path.join(directory, "%s.%d" % (kind, i))
                  for i in (0, 1))
    return (one, other) if is_newer(one, other) else (other, one)


def test_kept_over_restarts(t):
    directory = t.path("kept")
    d = start(t, directory)
    known = ask(t, d, "rotate")
    for end in ("stop", "kill"):
        # The second time what is left of it may still be there.
        getattr(d, end)()
        d = start(t, directory)
        assert ask(t, d) == known
        expect_echo(d)
        known = ask(t, d, "rotate")
    d.reload()
    assert ask(t, d) == known


def test_modes_and_owners(t):
    directory = t.path("kept")
    before = os.umask(0)
    try:
        d = start(t, directory)
    finally:
        os.umask(before)
    ask(t, d)
    assert sorted(os.listdir(directory)) == sorted(FILES)
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    for name in FILES:
        status = os.stat(os.path.join(directory, name))
        assert stat.S_IMODE(status.st_mode) == 0o600, name
        assert status.st_uid == os.geteuid(), name


def test_killed_at_any_moment(t):
    """Whatever was told is known to the next keeper, and to the next daemon."""
    directory = t.path("kept")
    d = start(t, directory)
    told = ask(t, d, "rotate")
    for _ in range(6):
        rotating = subprocess.Popen(
            [t.sealock, "tickets", "rotate", "-c", d.file],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=t.environment())
        d.kill_child(d.keeper())
        out, _ = rotating.communicate(timeout=60)
        if rotating.returncode == 0:
            told = dict(KEY.findall(out.decode()))
        found = wait_answer(t, d)
        # It may have been written and not been told.
        assert current(told) in found, (told, found)
        told = found
    d.kill()
    d = start(t, directory)
    assert ask(t, d) == told


def test_memory_outlives_the_keeper(t):
    """Where there is no directory."""
    prefix = in_namespace(t, "mount -t tmpfs -o ro tmpfs /var/lib")
    d = start(t, prefix=prefix, globals={"state_dir": None})
    d.wait_log("no state directory, nothing outlives a restart reason=\"")
    known = ask(t, d, "rotate")
    d.kill_child(d.keeper())
    assert wait_answer(t, d) == known


def damage(t, spoil, is_lost=True):
    """(what was known before the last change, and after it, and what is known
    when the newer file was spoilt)"""
    directory = t.path("kept%d" % next(numbers))
    d = start(t, directory)
    before = ask(t, d, "rotate")
    after = ask(t, d, "rotate")
    d.stop()
    spoil(*newest(directory))
    d = start(t, directory)
    found = ask(t, d)
    # Unless nothing is left that was known.
    assert ("ticket keys of before cannot be read" in d.text()) == (
        is_lost and not {**before, **after}.keys() & found.keys()), d.text()
    expect_echo(d)
    # And from there on.
    known = ask(t, d, "rotate")
    d.stop()
    d = start(t, directory)
    assert ask(t, d) == known
    d.stop()
    return before, after, found


def tear(path, keep):
    os.truncate(path, int(os.stat(path).st_size * keep))


def test_torn(t):
    """The newer file is not whole: the older one counts."""
    def spoil(path, other):
        tear(path, 0.6)

    before, after, found = damage(t, spoil)
    assert current(found) == current(before) != current(after)


def test_other_bytes(t):
    def spoil(path, other):
        with open(path, "r+b") as file:
            file.seek(70)
            file.write(b"\xff\xff\xff")

    before, after, found = damage(t, spoil)
    assert current(found) == current(before) != current(after)


def test_both_are_empty(t):
    def spoil(path, other):
        os.truncate(path, 0)
        os.truncate(other, 0)

    before, after, found = damage(t, spoil, is_lost=False)
    assert current(found) not in {**before, **after}


def test_nonsense_in_both(t):
    def spoil(path, other):
        for name in (path, other):
            with open(name, "wb") as file:
                file.write(os.urandom(5000))

    before, after, found = damage(t, spoil)
    assert current(found) not in {**before, **after}


def test_of_the_other_kind(t):
    """OCSP answers in place of ticket keys, as an operator's hand may have
    it."""
    def spoil(path, other):
        os.truncate(other, 0)
        with open(path, "r+b") as file:
            file.seek(15)
            file.write(b"\x02")

    before, after, found = damage(t, spoil)
    assert current(found) not in {**before, **after}


def refused(t, directory, sentence, is_checked=True):
    """The daemon does not start, and says why, and where that is written;
    neither is `sealock check` content."""
    d = start(t, directory, ready=False)
    d.is_expected_to_end = True
    assert d.wait(40) == 1, d.text()
    assert re.search(r"%s:\d+:\d+: state_dir .*%s" % (
        re.escape(d.file), sentence), d.text()), d.text()
    result = t.command("check", "-c", d.file)
    assert (result.status == 2) == is_checked, result
    assert bool(re.search(sentence, result.err)) == is_checked, result


def test_what_is_no_file_of_ours(t):
    directory = t.path("kept")
    os.mkdir(directory, 0o700)
    victim = t.write("victim", "important\n")
    path = os.path.join(directory, "tickets.1")

    os.symlink(victim, path)
    refused(t, directory, r"tickets\.1: it is ")
    os.unlink(path)
    os.mkfifo(path)
    refused(t, directory, r"tickets\.1: it is no regular file")
    os.unlink(path)
    os.link(victim, path)
    refused(t, directory, r"tickets\.1: it has other names, too")
    os.unlink(path)
    os.mkdir(path)
    refused(t, directory, r"tickets\.1\b")
    os.rmdir(path)
    os.chmod(directory, 0o777)
    refused(t, directory, "anybody may write in it")
    os.chmod(directory, 0o700)
    if is_root():
        open(path, "w").close()
        os.chown(path, 65534, 65534)
        # Whose it is to be, nobody but the daemon knows.
        refused(t, directory, r"tickets\.1: it belongs to another user", False)
        os.unlink(path)
    with open(victim) as file:
        assert file.read() == "important\n"
    d = start(t, directory)
    t.command("check", "-c", d.file).expect(0)


def test_no_directory(t):
    refused(t, t.path("missing/deeper"), "No such file or directory")
    file = t.write("file", "")
    refused(t, file, "irectory")
    refused(t, os.path.join(file, "deeper"), "Not a directory")
    os.symlink("nowhere", t.path("link"))
    refused(t, t.path("link"), "leads nowhere")


def test_removed_under_the_daemon(t):
    """It goes on with what it has, and says that a restart will not."""
    directory = t.path("kept")
    d = start(t, directory)
    expect_echo(d)
    shutil.rmtree(directory)
    known = ask(t, d, "rotate")
    d.wait_log(r"ticket keys cannot be kept reason=\"its files in state_dir "
               r"were removed")
    d.kill_child(d.keeper())
    assert wait_answer(t, d) == known
    expect_echo(d)


def test_two_daemons(t):
    """The second one is refused, and the first one does not notice."""
    directory = t.path("kept")
    d = start(t, directory)
    known = ask(t, d, "rotate")
    refused(t, directory, "another daemon uses it", False)
    assert ask(t, d) == known
    expect_echo(d)
    d.stop()
    assert ask(t, start(t, directory)) == known


def test_a_reload_does_not_move_it(t):
    d = start(t, t.path("kept"))
    known = ask(t, d)
    d.globals["state_dir"] = t.path("moved")
    d.write(d.services)
    result = t.command("reload", "-c", d.file)
    result.expect(0)
    assert "`state_dir` was another" in result.err, result
    assert not os.path.exists(t.path("moved"))
    assert ask(t, d) == known


# Mounts of its own.

def in_namespace(t, script):
    """A prefix for a daemon that runs in a mount namespace, after a script."""
    if not is_root() or subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", t.dir],
            stderr=subprocess.DEVNULL).returncode != 0:
        t.skip("only root can mount, and not everywhere")
    return ["unshare", "-m", "sh", "-e", "-c", script + '\nexec "$@"', "sh"]


def test_a_full_disk(t):
    """What cannot be kept is told, and nothing else is different; when there
    is room again it is kept again."""
    directory = t.path("small")
    os.mkdir(directory, 0o700)
    prefix = in_namespace(
        t, "mount -t tmpfs -o size=64k,mode=0700 tmpfs %s\n"
        "cat /dev/zero > %s/filling 2>/dev/null || true" % (
            directory, directory))
    d = start(t, directory, prefix=prefix)
    expect_echo(d)
    d.wait_log("ticket keys cannot be kept reason=\"No space left on device\"")
    known = ask(t, d, "rotate")
    expect_echo(d)
    inside = "/proc/%d/root%s" % (d.pid, directory)
    assert newest_size(inside) < 64
    os.unlink(os.path.join(inside, "filling"))
    known = ask(t, d, "rotate")
    assert newest_size(inside) > 64
    d.wait_log("ticket keys are kept again")
    d.kill_child(d.keeper())
    assert wait_answer(t, d) == known
    expect_echo(d)


def test_a_disk_that_is_read(t):
    """Read, and never written."""
    directory = t.path("small")
    os.mkdir(directory, 0o700)
    prefix = in_namespace(
        t, "mount -t tmpfs -o ro,mode=0700 tmpfs %s\n" % directory)
    d = start(t, directory, prefix=prefix, ready=False)
    d.is_expected_to_end = True
    assert d.wait(40) == 1, d.text()
    assert "state_dir %s: cannot open " % directory in d.text(), d.text()
    result = t.run(*prefix, t.sealock, "check", "-c", d.file)
    result.expect(2)
    assert re.search(r"state_dir %s: nobody can write in it: Read-only" %
                     re.escape(directory), result.err), result


def newest_size(directory):
    return max(os.stat(os.path.join(directory, name)).st_size
               for name in ("tickets.0", "tickets.1"))


def test_the_default_is_made(t):
    prefix = in_namespace(t, "mount -t tmpfs tmpfs /var/lib")
    d = start(t, prefix=prefix, globals={"state_dir": None})
    ask(t, d)
    assert sorted(os.listdir("/proc/%d/root/var/lib/sealock" % d.pid)) == (
        sorted(FILES))
