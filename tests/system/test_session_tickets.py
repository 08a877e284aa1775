# SPDX-License-Identifier: BSD-2-Clause
"""Tickets in the hands of the clients that users have."""

import re
import socket
import ssl
import time

from revocation import element
from sessions import Client, elements, lifetime
from streams import echo, speaker
from test_peers import need_perl_module

VERSIONS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


def told(text):
    """What builtin:whoami said of resumption, in the order of connections."""
    return re.findall(r"^resumed: (\w+)", text, re.MULTILINE)


REQUEST = "GET / HTTP/1.0\r\n\r\n"


def whoami(t, **accept):
    return t.daemon({"web": {"accept": t.gate(t.pki.system(), **accept),
                             "connect": "builtin:whoami"}})


def s_client(t, d, *words, version="TLSv1.3"):
    return t.run("openssl", "s_client", "-connect",
                 "127.0.0.1:%d" % d.port(), "-servername", "web.test",
                 "-CAfile", t.pki.root().cert, "-ign_eof", VERSIONS[version],
                 *words, stdin=REQUEST)


def parity_P45_s_client_resumes(t):
    d = whoami(t)
    for version in VERSIONS:
        kept = t.path(version)
        assert told(s_client(t, d, "-sess_out", kept,
                             version=version).out) == ["no"]
        for _ in range(3):
            again = s_client(t, d, "-sess_in", kept, "-sess_out", kept,
                             version=version).out
            assert told(again) == ["yes"], again
            assert "\nReused, " in again
    d.wait_access(count=6, resumed=True)
    assert len(d.access(resumed=False)) == 2


def parity_P45_curl_resumes(t):
    """Each address is a connection of its own; curl keeps its sessions as
    long as it runs. It wants no tickets of TLS 1.2."""
    d = whoami(t)
    address = "https://web.test:%d/" % d.port()
    said = t.run(t.need("curl"), "-sS", "--max-time", "20", "--cacert",
                 t.pki.root().cert, "--resolve",
                 "web.test:%d:127.0.0.1" % d.port(), "--tlsv1.3",
                 address, address, address).expect()
    assert told(said.out) == ["no", "yes", "yes"], said.out


def gnutls_cli(t, version):
    """Its first connection says nothing and waits for a ticket: there is one
    with the backend's greeting."""
    backend = t.server(speaker(b"greeting\n"))
    d = t.daemon({"web": {"accept": t.gate(t.pki.system()),
                          "connect": backend.address}}, name="d" + version)
    said = t.run(t.need("gnutls-cli"), "--resume", "--waitresumption",
                 "--x509cafile", t.pki.root().cert, "--sni-hostname", "web.test",
                 "--verify-hostname", "web.test", "-p", d.port(),
                 "--priority", "NORMAL:-VERS-ALL:+VERS-TLS" + version,
                 "127.0.0.1")
    d.wait_access(resumed=True)
    assert "This is a resumed session" in said.out, said
    assert "greeting" in said.out, said


def parity_P45_gnutls_resumes(t):
    for version in ("1.2", "1.3"):
        gnutls_cli(t, version)


def parity_P45_python_resumes(t):
    backend = t.server(echo)
    d = t.daemon({"web": {"accept": t.gate(t.pki.system()),
                          "connect": backend.address}})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=t.pki.root().cert)
        context.minimum_version = context.maximum_version = version
        session, seen = None, []
        for _ in range(4):
            with socket.create_connection(
                    ("127.0.0.1", d.port()), 10) as plain:
                with context.wrap_socket(plain, session=session,
                                         server_hostname="web.test") as tls:
                    tls.sendall(b"words")
                    assert tls.recv(10) == b"words"
                    seen.append(tls.session_reused)
                    session = tls.session
        assert seen == [False, True, True, True], (version, seen)


def parity_P45_perl_resumes(t):
    """IO::Socket::SSL with a cache of its own; it asks get_session_reused."""
    need_perl_module(t)
    d = whoami(t)
    for version in ("TLSv1_2", "TLSv1_3"):
        said = t.run("perl", "-MIO::Socket::SSL", "-e", """
            my ($port, $ca, $version) = @ARGV;
            my $settings = IO::Socket::SSL::SSL_Context->new(
                SSL_version => $version, SSL_ca_file => $ca,
                SSL_session_cache_size => 10);
            for (1 .. 3) {
                my $s = IO::Socket::SSL->new(
                    PeerAddr => "127.0.0.1:$port",
                    SSL_hostname => "web.test",
                    SSL_verifycn_name => "web.test",
                    SSL_session_key => "web.test",
                    SSL_reuse_ctx => $settings) or die $SSL_ERROR;
                print $s "GET / HTTP/1.0\\r\\n\\r\\n";
                1 while <$s>;
                print $s->get_session_reused ? "yes" : "no", "\\n";
                $s->close;
            }
            """, d.port(), t.pki.root().cert, version).expect()
        assert said.out.split() == ["no", "yes", "yes"], (version, said.out)


def parity_P44_how_many_tickets_and_for_how_long(t):
    """`number` on a full handshake, one on a resumed one, and with TLS 1.2 one
    that is good again and again. The hint is what is left of the lifetime."""
    backend = t.server(echo)
    services = {
        str(number): {"accept": t.gate(t.pki.system(), session={
            "tickets": {"number": number, "lifetime": "10m"}}),
            "connect": backend.address} for number in (1, 2, 5, 8)}
    d, client = t.daemon(services), Client(t)
    for number in (1, 2, 5, 8):
        port = d.port(str(number))
        begun = time.time()
        visit = client.visit(port, version="1.3")
        assert visit and not visit.resumed
        assert len(visit.sessions) == number, visit
        for _ in range(3):
            visit = client.visit(port, session=visit.session, version="1.3")
            assert visit.resumed and len(visit.sessions) == 1, visit
            # In whole seconds, of both ends.
            most = 600 - (time.time() - begun) + 2
            assert 0 < lifetime(visit.session) <= min(most, 600)
        visit = client.visit(port, version="1.2")
        assert len(visit.sessions) == 1 and lifetime(visit.session) <= 600
        for _ in range(3):
            assert client.visit(port, session=visit.session,
                                version="1.2").resumed


def test_nothing_said_no_ticket(t):
    """A backend that closes without a word: nothing goes to the client but
    the end."""
    d = t.daemon({"web": {"accept": t.gate(t.pki.system()), "connect":
                          t.server(lambda contact: None).address}})
    context = ssl.create_default_context(cafile=t.pki.root().cert)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with socket.create_connection(("127.0.0.1", d.port()), 10) as plain:
        with context.wrap_socket(plain, server_hostname="web.test") as tls:
            assert tls.recv(10) == b""
            assert not tls.session.has_ticket


def parity_P45_the_certificate_is_known_again(t):
    """Who resumes is whom he was in the first handshake: record and verdict
    have the certificate."""
    member = t.pki.leaf("member.client", usage="client")
    backend = t.server(echo)
    d, client = t.daemon({"web": {
        "accept": t.gate(t.pki.system(), verify={
            "mode": "required", "ca": t.pki.root().cert}),
        "connect": backend.address}}), Client(t)
    for version in ("1.2", "1.3"):
        visit = client.visit(d.port(), certificate=member, version=version)
        assert visit and not visit.resumed
        # A session is enough; the certificate is not shown again.
        visit = client.visit(d.port(), session=visit.session, version=version)
        assert visit.resumed, visit
    d.wait_access(count=4)
    certificates = [record["client_cert"] for record in d.access()]
    assert certificates[0]["subject"] == "CN=member.client"
    assert certificates[0]["verify"] == "ok"
    assert all(one == certificates[0] for one in certificates)
    assert [record["resumed"] for record in d.access()].count(True) == 2


def parity_P43_another_authority_by_a_reload(t):
    """A session of somebody whose authority is no longer believed is a full
    handshake, in which he is refused; of somebody who is still good, too."""
    old, new = t.pki.root(), t.pki.root("other-root")
    was = t.pki.leaf("member.client", usage="client", issuer=old)
    backend = t.server(echo)

    def services(*authorities):
        return {"web": {"accept": t.gate(t.pki.system(), verify={
            "mode": "required", "ca": [one.cert for one in authorities]}),
            "connect": backend.address}}

    d, client = t.daemon(services(old)), Client(t)
    for version in ("1.2", "1.3"):
        d.reload(services(old))
        visit = client.visit(d.port(), certificate=was, version=version)
        assert visit
        d.reload(services(old, new))
        again = client.visit(d.port(), certificate=was, version=version,
                             session=visit.session)
        assert again and not again.resumed
        d.reload(services(new))
        for session in (visit.session, again.session):
            assert not client.visit(d.port(), certificate=was,
                                    version=version, session=session)


def may_be_early(pem):
    """A session that seems to allow early data, whatever the server said."""
    text = ssl.PEM_cert_to_DER_cert(
        pem.replace("SSL SESSION PARAMETERS", "CERTIFICATE"))
    allowed = element(0xaf, element(2, b"\x40\x00"))  # [15]: 16384 bytes
    found = [element(tag, content) for tag, content in elements(text)
             if tag != 0xaf]
    behind = [i for i, (tag, _) in enumerate(elements(text)) if tag > 0xaf]
    found.insert(behind[0] if behind else len(found), allowed)
    return ssl.DER_cert_to_PEM_cert(element(0x30, *found)).replace(
        "CERTIFICATE", "SSL SESSION PARAMETERS")


def test_early_data_is_served_without(t):
    """Nobody is offered any; who sends some all the same has it passed over,
    and everything behind it served."""
    d = whoami(t)
    kept, early = t.path("kept"), t.write("early", "EARLY\n")
    s_client(t, d, "-sess_out", kept)
    assert "Max Early Data: 0" in t.run(
        "openssl", "sess_id", "-in", kept, "-text", "-noout").out
    with open(kept) as file:
        t.write("kept", may_be_early(file.read()))
    said = s_client(t, d, "-sess_in", kept, "-early_data", early)
    assert "Early data was rejected" in said.out, said
    assert told(said.out) == ["yes"], said
    record = d.wait_access(resumed=True)
    assert record["reason"] == "done" and record["bytes_in"] == len(REQUEST)
