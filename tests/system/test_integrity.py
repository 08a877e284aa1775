# SPDX-License-Identifier: BSD-2-Clause
"""Integrity: the relay oracle on both sides of the daemon, in all four modes.

SEALOCK_INTEGRITY_BYTES is how much all four move together (2 GB unless it
says otherwise; a tenth of it in a sanitizer build). A failure names the seed
that repeats it, which SEALOCK_INTEGRITY_SEED sets.
"""

import os
import re

from harness import limit

def run_oracle(t, mode):
    total = int(os.environ.get("SEALOCK_INTEGRITY_BYTES", 2000000000))
    seed = os.environ.get("SEALOCK_INTEGRITY_SEED")
    assert os.path.exists(t.oracle), (
        "%s is missing: make check builds it" % t.oracle)
    cert = t.pki.system()
    listening = t.port()
    client, backend = mode.split("-")
    service = {"accept": t.gate() if client == "tls" else {},
               "connect": {"address": "localhost:%d" % listening}}
    if backend == "tls":
        service["connect"]["tls"] = {"verify": {"ca": t.pki.root().cert}}
    d = t.daemon({"s": service}, globals={"log": [
        {"to": "stderr", "what": "events"},
        {"to": "file:" + t.path("access.log"), "what": "access",
         "format": "json"}]})
    before = sorted(d.workers())
    result = t.run(t.oracle, "--mode", mode, "--listen", listening,
                   "--connect", d.port(), "--ca", t.pki.root().cert,
                   "--cert", cert.chain, "--key", cert.key, "--name",
                   "localhost", "--bytes",
                   total // (40 if t.sanitized else 4),
                   *(["--seed", seed] if seed else []),
                   seconds=3600)
    print(result)
    result.expect(0)
    connections = int(re.search(r"(\d+) connections", result.out).group(1))
    d.wait_access(connections)
    assert sorted(d.workers()) == before
    for record in d.access():
        assert record["reason"] in (
            "done", "client_closed", "backend_closed", "reset",
            "truncated"), record


@limit(3700)
def test_integrity_plain_plain(t):
    run_oracle(t, "plain-plain")


@limit(3700)
def parity_P62_integrity_tls_plain(t):
    run_oracle(t, "tls-plain")


@limit(3700)
def parity_P62_integrity_plain_tls(t):
    run_oracle(t, "plain-tls")


@limit(3700)
def parity_P62_integrity_tls_tls(t):
    run_oracle(t, "tls-tls")
