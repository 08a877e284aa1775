# SPDX-License-Identifier: BSD-2-Clause
"""A helper that hangs is not there for anybody: it is replaced like one that
has died."""

import os
import signal

from harness import wait_for
from streams import echo


def test_one_that_hangs_is_replaced(t):
    """Stopped, it neither ends nor answers; those who are connected notice
    nothing, and names are resolved again after it."""
    port = t.server(echo).port
    d = t.daemon({"s": {"accept": {}, "connect": "localhost:%d" % port}})
    d.may_lose_children = True
    (hanging,) = d.role("helper")
    with d.plain() as stream:
        stream.expect_echo()
        os.kill(hanging, signal.SIGSTOP)
        told = d.wait_log(r"child gives no sign of life, ending it "
                          r"child=\"helper\" pid=(\d+) seconds=15", 60)
        assert int(told.group(1)) == hanging
        wait_for(lambda: d.role("helper") not in ([], [hanging]),
                 "another helper")
        stream.expect_echo()
    d.wait_log(r"child died child=\"helper\" pid=%d signal=9" % hanging)
    d.wait_log(r"helper\[\d+\]: backend name resolved name=localhost", count=2)
    with d.plain() as stream:
        stream.expect_echo()
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
