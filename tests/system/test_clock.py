# SPDX-License-Identifier: BSD-2-Clause
"""The clock that tests move: it is every process's, sandboxed or not."""

import ssl
import time

from streams import Ended, echo

DAY = 86400


def date(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def is_let_in(d, certificate):
    try:
        with d.tls(certificate=certificate) as stream:
            stream.expect_echo()
    except (ssl.SSLError, Ended):
        return False
    return True


def test_a_moved_clock_is_everybodys(t):
    """Records and dates of certificates go by it, while the daemon runs, in a
    worker's sandbox, too; and it is moved back again."""
    clock = t.clock()
    clock.set(-2 * DAY)
    client = t.pki.leaf("timed.client", usage="client", days=20)
    d = t.daemon({"s": {
        "accept": t.gate(verify={"mode": "required",
                                 "ca": t.pki.root().cert}),
        "connect": t.server(echo).address}}, clock=clock)
    assert date(time.time()) not in d.text()
    # Neither root nor leaf were there yet.
    assert not is_let_in(d, client)
    for seconds, expected in ((0, True), (19 * DAY, True), (21 * DAY, False),
                              (60, True)):
        clock.set(seconds)
        assert is_let_in(d, client) is expected, seconds
    clock.set(5 * DAY)
    before = d.access()
    assert is_let_in(d, client)
    record = d.wait_access(count=len(before) + 1)
    assert record["time"].startswith(date(clock.now())), record
