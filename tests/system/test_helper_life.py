# SPDX-License-Identifier: BSD-2-Clause
"""A helper that hangs is not there for anybody: it is replaced like one that
has died."""

import os
import signal

from harness import limit, wait_for
from responder import reply
from streams import echo
from test_ocsp_check import World, at_once, is_let_in

NO_SIGN = r"child gives no sign of life, ending it " \
    r"child=\"helper\" pid=(\d+) seconds=15"


@limit(120)
def test_one_that_hangs_is_replaced(t):
    """Stopped while a responder is asked, it neither ends nor answers. Those who
    are connected notice nothing; clients about whom it would have to ask are
    let in or refused within their handshake's limit; who has more time than
    it is answered by its successor. After it names are resolved again, and
    responders asked."""
    world = World(t)
    waiting, coming, good, revoked = [
        world.at("/" + path, status) for path, status in (
            ("waiting", None), ("coming", "good"), ("good", "good"),
            ("revoked", "revoked"))]
    port = t.server(echo).port
    gates = {"soft": ("soft", "3s"), "hard": ("hard", "3s"),
             "patient": ("hard", "%ds" % (60 * t.patience))}
    d = t.daemon({"s": {"accept": {}, "connect": "localhost:%d" % port}, **{
        name: {"accept": world.gate(fail=fail),
               "connect": "localhost:%d" % port,
               "timeouts": {"handshake": seconds}}
        for name, (fail, seconds) in gates.items()}})
    d.may_lose_children = True
    (hanging,) = d.role("helper")
    with d.plain() as stream, \
            d.tls("patient", certificate=waiting) as patient:
        stream.expect_echo()
        wait_for(lambda: world.http.asked("/waiting"), "somebody is asked")
        os.kill(hanging, signal.SIGSTOP)
        world.http.answers["/waiting"] = reply(world.answer(waiting))
        outcomes = at_once(**{name: lambda name=name: is_let_in(
            d, name, coming) for name in ("soft", "hard")})
        assert outcomes == {"soft": True, "hard": False}, outcomes
        assert "no sign of life" not in d.text()
        assert not world.http.asked("/coming")
        for name in "soft", "hard":
            record = d.wait_access(service=name)
            assert record["ocsp"] == "unusable", record
        assert "no answer came in time" in record["detail"], record
        stream.expect_echo()
        told = d.wait_log(NO_SIGN, 60)
        assert int(told.group(1)) == hanging
        wait_for(lambda: d.role("helper") not in ([], [hanging]),
                 "another helper")
        stream.expect_echo()
        patient.expect_echo()
        assert len(world.http.asked("/waiting")) == 2
    assert d.wait_access(service="patient")["ocsp"] == "good"
    d.wait_log(r"child died child=\"helper\" pid=%d signal=9" % hanging)
    d.wait_log(r"helper\[\d+\]: backend name resolved name=localhost", count=2)
    with d.plain() as stream:
        stream.expect_echo()
    assert is_let_in(d, "hard", coming)
    assert is_let_in(d, "hard", good)
    assert not is_let_in(d, "soft", revoked)
    for path in ("/coming", "/good", "/revoked"):
        assert len(world.http.asked(path)) == 1, path
    # Its successor gives signs.
    assert d.text().count("no sign of life") == 1


def test_one_that_hangs_ends_with_the_daemon(t):
    port = t.server(echo).port
    d = t.daemon({"s": {"accept": {}, "connect": "localhost:%d" % port}},
                 globals={"shutdown_grace": "1s"})
    (hanging,) = d.role("helper")
    os.kill(hanging, signal.SIGSTOP)
    d.may_lose_children = True
    d.signal(signal.SIGTERM)
    d.wait()
    assert not os.path.exists("/proc/%d" % hanging)


def test_a_reload_tells_for_whom_it_waits(t):
    """It may take its time while a configuration is prepared."""
    port = t.server(echo).port
    d = t.daemon({"s": {"accept": {}, "connect": "localhost:%d" % port}})
    (slow,) = d.role("helper")
    os.kill(slow, signal.SIGSTOP)
    try:
        reload = t.start("reload", t.sealock, "reload", "-c", d.file)
        d.wait_log(r'child is slow to prepare a configuration '
                   r'child="helper" pid=%d seconds=15' % slow, 60)
        assert reload.process.poll() is None, reload.text()
    finally:
        os.kill(slow, signal.SIGCONT)
    assert reload.process.wait(20 * t.patience) == 0, reload.text()
    assert d.role("helper") == [slow]
