# SPDX-License-Identifier: BSD-2-Clause
"""The backend's name in the running daemon: `verify.name`, `scheme` and
`public_suffix`. What all rules say is compared cell by cell in
test_verify_name; here they decide who gets a client's bytes."""

import re

from harness import limit
from test_connect_tls import backend_of, fails, untouched, works


def service_to(t, backend, host="127.0.0.1", **verify):
    return {"accept": {}, "connect": {
        "address": "%s:%d" % (host, backend.port),
        "tls": {"verify": {"ca": t.pki.root().cert, **verify}}}}


def decide(t, cells):
    """Each cell: the backend's certificate, what `verify` says, and whether
    its name will do."""
    services, backends = {}, {}
    for number, (certificate, verify, _) in enumerate(cells):
        name = "s%d" % number
        backends[name] = backend_of(t, certificate)
        services[name] = service_to(t, backends[name], **verify)
    d = t.daemon(services)
    for number, (_, verify, is_good) in enumerate(cells):
        name = "s%d" % number
        if is_good:
            works(d, name)
            d.wait_access(service=name, reason="done")
            continue
        fails(d, name)
        record = d.wait_access(service=name, reason="backend_name_mismatch")
        assert record["detail"], (verify, record)
        untouched(backends[name])
    return d


@limit(120)
def parity_P22_the_scheme_decides(t):
    full = t.pki.leaf("*.example.org", subject="some server")
    part = t.pki.leaf("w*.example.org", subject="some server")
    beside = t.pki.leaf("other.example.org", subject="www.example.org")
    alone = t.pki.leaf("www.example.org", san=False)
    address = t.pki.leaf("127.0.0.1", san=False)
    name = {"name": "www.example.org"}
    cells = [(full, name, True), (part, name, True), (beside, name, False),
             (alone, name, True), (address, {}, True)]
    for scheme, answers in (("http", "YYNYY"), ("rfc2818", "YYNYN"),
                            ("smtp", "YNYYN"), ("rfc4513", "YNYYN"),
                            ("sip", "NNYYN"), ("gist", "YNNYN"),
                            ("default", "YYYYY"), ("none", "YYYYY")):
        for (certificate, verify, _), answer in zip(cells[:5], answers):
            # A name that nobody would compare is an error.
            given = {} if scheme == "none" else verify
            cells.append((certificate, {**given, "scheme": scheme},
                          answer == "Y"))
    decide(t, cells)


def parity_P22_none_has_to_be_written_out(t):
    """The default is http, and no other word stands for none."""
    wrong = t.pki.leaf("other.example.org")
    decide(t, [(wrong, {"name": "www.example.org"}, False),
               (wrong, {"scheme": "none"}, True)])
    for bad in ("''", "off", "no", "false", "htpt", "rfc1", "{}",
                "{check_cn: sometimes}", "{checkcn: always}", "[http]"):
        file = t.write("bad.yaml", """\
services:
  s:
    accept: {address: "127.0.0.1:1"}
    connect:
      address: localhost:1
      tls: {verify: {ca: %s, scheme: %s}}
""" % (t.pki.root().cert, bad))
        done = t.command("check", "-c", file).expect(2)
        assert re.search(r"bad\.yaml:6:\d+: .*scheme", done.out + done.err), (
            bad, done)


def parity_P23_a_scheme_of_ones_own(t):
    beside = t.pki.leaf("other.example.org", subject="www.example.org")
    star = t.pki.leaf("*.example.org", san=False)
    address = t.pki.leaf("127.0.0.1", san=False)
    name = {"name": "www.example.org"}
    decide(t, [
        (beside, {**name, "scheme": {"check_cn": "always"}}, True),
        (beside, {**name, "scheme": {"check_cn": "when_only"}}, False),
        (beside, {**name, "scheme": {"check_cn": 0}}, False),
        (star, {**name, "scheme": {"check_cn": "always"}}, False),
        (star, {**name, "scheme": {"check_cn": "when_only",
                                   "wildcards_in_cn": "full_label"}}, True),
        (star, {**name, "scheme": {"wildcards_in_cn": "anywhere"}}, False),
        (address, {"scheme": {"check_cn": "when_only", "ip_in_cn": 4}}, True),
        (address, {"scheme": {"check_cn": "when_only", "ip_in_cn": 6}},
         False),
        (address, {"scheme": {"check_cn": "when_only", "ip_in_cn": True}},
         True),
    ])


def parity_P25_public_suffix(t):
    everybody = t.pki.leaf("*.co.uk")
    fine = t.pki.leaf("*.example.co.uk")
    corporate = t.pki.leaf("*.corp.example.org")
    own = t.write("suffixes.dat", "uk\norg\ncorp.example.org\n")
    name = {"name": "www.co.uk"}
    decide(t, [
        (everybody, name, False),
        (everybody, {**name, "public_suffix": "builtin"}, False),
        (everybody, {**name, "public_suffix": "off"}, True),
        (everybody, {**name, "public_suffix": own}, True),
        (fine, {"name": "www.example.co.uk"}, True),
        (corporate, {"name": "www.corp.example.org"}, True),
        (corporate, {"name": "www.corp.example.org", "public_suffix": own},
         False),
    ])


def parity_P25_a_list_that_is_none(t):
    for text, why in ((None, "No such file"), ("", "no rule"),
                      ("// remarks alone\n", "no rule")):
        path = t.path("list.dat")
        if text is not None:
            t.write("list.dat", text)
        file = t.write("bad.yaml", """\
services:
  s:
    accept: {address: "127.0.0.1:1"}
    connect:
      address: localhost:1
      tls: {verify: {ca: %s, public_suffix: %s}}
""" % (t.pki.root().cert, path))
        done = t.command("check", "-c", file).expect(2)
        said = done.out + done.err
        assert why in said and path in said and "bad.yaml:6:" in said, said


def parity_P21_the_name(t):
    """The one that is given, an international one as it is written; else
    the host's, else its address."""
    city = t.pki.leaf("xn--bcher-kva.example")
    host = t.pki.leaf("localhost")
    numbers = t.pki.leaf("127.0.0.1")
    decide(t, [
        (city, {"name": "b\u00fccher.example"}, True),
        (city, {"name": "B\u00dcCHER.Example"}, True),
        (city, {"name": "xn--bcher-kva.example"}, True),
        (city, {"name": "bucher.example"}, False),
        (numbers, {}, True),
        (numbers, {"name": "127.0.0.1"}, True),
        (numbers, {"name": "127.0.0.2"}, False),
        (host, {"name": "localhost"}, True),
        (host, {}, False),
    ])


def test_the_log_says_why_a_name_will_not_do(t):
    backend = backend_of(t, t.pki.leaf("*.co.uk", "a.example.org"))
    d = t.daemon({"s": service_to(t, backend, name="www.co.uk"),
                  "o": service_to(t, backend, name="b.example.org")})
    fails(d, "s")
    record = d.wait_access(service="s", reason="backend_name_mismatch")
    assert "*.co.uk stands for a whole public suffix" in record["detail"], (
        record)
    fails(d, "o")
    record = d.wait_access(service="o", reason="backend_name_mismatch")
    assert "*.co.uk, a.example.org" in record["detail"], record
