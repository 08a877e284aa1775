# SPDX-License-Identifier: BSD-2-Clause
"""Key files that other servers read, too: what they make of the bytes is what
we make of them. Nobody's word is taken for it: a ticket of theirs and one of
ours are opened with what the file should mean."""

import base64

from harness import limit
from nginx import start_nginx
from pki import read
from sessions import Client, KeyFile, elements, ticket

VERSIONS = {"1.2": "-tls1_2", "1.3": "-tls1_3"}

# [4] of OpenSSL's SSL_SESSION, what both sides know when it is resumed.
MASTER_KEY = 4


def session_of(t, port, version):
    """What a server of HTTP leaves its client with."""
    path = t.path("session.pem")
    t.run(t.need("openssl"), "s_client", "-connect", "127.0.0.1:%d" % port,
          "-servername", "web.test", VERSIONS[version], "-sess_out", path,
          "-quiet", stdin="GET / HTTP/1.0\r\n\r\n").expect(0)
    return base64.b64decode(b"".join(read(path).split(b"\n")[1:-2]))


def expect_key(key, session, what):
    """The session's ticket is under this key, and has the same session."""
    inside = key.open(ticket(session))
    assert elements(inside)[MASTER_KEY] == elements(session)[MASTER_KEY], what
    assert len(elements(session)[MASTER_KEY][1]) >= 32, what


def expect_same(t, ports, files, encrypts):
    """ports: of the other server's, by what is to be read there; we are given
    the same files."""
    ours = t.daemon({what: {
        "accept": t.gate(session={"tickets": {"mode": "files",
                                              "files": files[what]}}),
        "connect": "builtin:echo"} for what in files})
    client = Client(t)
    for what, port in ports.items():
        for version in VERSIONS:
            expect_key(encrypts[what], session_of(t, port, version),
                       "theirs, %s, %s" % (what, version))
            visit = client.visit(ours.port(what), version=version)
            expect_key(encrypts[what], visit.session,
                       "ours, %s, %s" % (what, version))


def two_sizes(t, count):
    """So many keys of each."""
    return {"of-%d-bytes" % size: [KeyFile(t, "key-%d-%d" % (size, n), size=size)
                                   for n in range(count)]
            for size in (48, 80)}


SERVER = """
    server {
        listen 127.0.0.1:%(port)d ssl;
        ssl_certificate %(bundle)s;
        ssl_certificate_key %(bundle)s;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
%(keys)s
        location / { return 200 "yes"; }
    }
"""


@limit(120)
def parity_P44_key_files_as_nginx_reads_them(t):
    """48 and 80 bytes; the first of two files encrypts."""
    keys = two_sizes(t, 2)
    ports = {what: t.port() for what in keys}
    bundle = t.pki.system().bundle
    start_nginx(t, "".join(SERVER % {
        "port": port, "bundle": bundle, "keys": "".join(
            "        ssl_session_ticket_key %s;\n" % key.path
            for key in keys[what])}
        for what, port in ports.items()), ports.values())
    expect_same(t, ports, {what: [key.path for key in keys[what]]
                           for what in keys},
                {what: keys[what][0] for what in keys})


HAPROXY = """
defaults
    mode http
    timeout connect 30s
    timeout client 30s
    timeout server 30s
"""

FRONTEND = """
frontend %(what)s
    bind 127.0.0.1:%(port)d ssl crt %(bundle)s tls-ticket-keys %(file)s
    http-request return status 200
"""


@limit(120)
def parity_P44_key_files_as_haproxy_reads_them(t):
    """Lines of base64 of both sizes; the last but one encrypts."""
    keys = two_sizes(t, 4)
    ports = {what: t.port() for what in keys}
    paths = {what: t.write(what, b"".join(
        key.line for key in keys[what]), 0o600) for what in keys}
    bundle = t.pki.system().bundle
    file = t.write("haproxy.cfg", HAPROXY + "".join(FRONTEND % {
        "what": what, "port": port, "bundle": bundle, "file": paths[what]}
        for what, port in ports.items()))
    t.start("haproxy", t.need("haproxy"), "-db", "-f", file)
    for port in ports.values():
        t.wait_open(port, "haproxy")
    expect_same(t, ports, {what: [path] for what, path in paths.items()},
                {what: keys[what][-2] for what in keys})
