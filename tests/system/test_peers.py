# SPDX-License-Identifier: BSD-2-Clause
"""Real peers where users have them: curl and nginx, PostgreSQL and psql,
Perl's IO::Socket::SSL, GnuTLS. Servers are the tests' own instances with data
of their own, whatever the machine runs."""

import os
import pwd
import subprocess

from harness import limit, wait_for
from nginx import start_nginx
from streams import Ended


def curl(t, *words):
    return t.run(t.need("curl"), "-sS", "--max-time", "20", "--cacert",
                 t.pki.root().cert, *words)


def web_server(t):
    """nginx on a port of its own; (port, the bytes of its large file)."""
    port = t.port()
    body = os.urandom(3 << 20)
    t.write("html/index.html", "hello from nginx\n")
    t.write("html/large.bin", body)
    start_nginx(t, """\
    server {
        listen 127.0.0.1:%(port)d;
        root %(dir)s/html;
        client_max_body_size 100m;
    }""" % {"dir": t.dir, "port": port}, [port])
    return port, body


def test_https_from_nginx_through_sealock_to_curl(t):
    port, body = web_server(t)
    d = t.daemon({"web": {"accept": t.gate(alpn=["http/1.1"]),
                          "connect": "127.0.0.1:%d" % port}})
    resolve = ("--resolve", "web.test:%d:127.0.0.1" % d.port())
    url = "https://web.test:%d/" % d.port()
    result = curl(t, *resolve, url).expect()
    assert result.out == "hello from nginx\n", result
    curl(t, *resolve, "-o", t.path("got.bin"), url + "large.bin").expect()
    with open(t.path("got.bin"), "rb") as file:
        assert file.read() == body
    # One connection, many requests.
    result = curl(t, *resolve, *([url] * 20)).expect()
    assert result.out == "hello from nginx\n" * 20, result
    for version in ("--tlsv1.2 --tls-max 1.2", "--tlsv1.3"):
        curl(t, *version.split(), *resolve, url).expect()
    record = d.wait_access(tls_version="TLSv1.2")
    assert record["alpn"] == "http/1.1" and record["sni"] == "web.test"
    # A name that the certificate has not.
    assert curl(t, "--resolve", "x.test:%d:127.0.0.1" % d.port(),
                "https://x.test:%d/" % d.port()).status == 60


def test_curl_in_parallel(t):
    port, _ = web_server(t)
    d = t.daemon({"web": {"accept": t.gate(),
                          "connect": "127.0.0.1:%d" % port}})
    url = "https://localhost:%d/" % d.port()
    peers = [t.start("curl%d" % i, t.need("curl"), "-sS", "--cacert",
                     t.pki.root().cert, "--max-time", "30",
                     *([url] * 20)) for i in range(8)]
    for peer in peers:
        peer.process.wait(40)
        assert peer.text() == "hello from nginx\n" * 20, peer.text()


def test_whoami_with_curl(t):
    d = t.daemon({"web": {"accept": t.gate(alpn=["http/1.1"]),
                          "connect": "builtin:whoami"}})
    result = curl(t, "-v", "https://localhost:%d/" % d.port()).expect()
    assert "TLSv1.3" in result.out and "localhost" in result.out, result
    assert "http/1.1" in result.out, result
    assert "HTTP/1.1 200 OK" in result.err, result


def as_postgres(t):
    """PostgreSQL does not run as root: the words that make it another."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(t.dir, user.pw_uid, user.pw_gid)
    return [t.need("setpriv"), "--reuid", str(user.pw_uid), "--regid",
            str(user.pw_gid), "--clear-groups"]


@limit(120)
def test_psql_through_a_tunnel_of_two_sealocks(t):
    """psql, plain to a sealock, TLS to another, plain to PostgreSQL."""
    initdb, postgres = t.need("initdb"), t.need("postgres")
    psql = t.need("psql")
    become = as_postgres(t)
    data = t.path("data")
    t.run(*become, initdb, "-D", data, "-U", "tester", "-A", "trust",
          "--no-sync", "-E", "UTF8", seconds=60).expect()
    port = t.port()
    t.start("postgres", *become, postgres, "-D", data, "-p", str(port), "-c",
            "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "fsync=off")
    far = t.daemon({"far": {
        "accept": t.gate(), "connect": "127.0.0.1:%d" % port}}, name="far")
    near = t.daemon({"near": {"accept": {}, "connect": {
        "address": "localhost:%d" % far.port(),
        "tls": {"verify": {"ca": t.pki.root().cert}}}}}, name="near")

    def query(sql, *words):
        return t.run(psql, "-h", "127.0.0.1", "-p", str(near.port()), "-U",
                     "tester", "-d", "postgres", "-X", "-At", "-v",
                     "ON_ERROR_STOP=1", *words, "-c", sql)

    wait_for(lambda: query("select 1").status == 0, "PostgreSQL answers", 30)
    assert query("select 6 * 7").expect().out == "42\n"
    # A large answer and a large question.
    result = query("select repeat('x', 5000000)").expect()
    assert result.out == "x" * 5000000 + "\n"
    rows = "".join("%d\t%s\n" % (i, "y" * 200) for i in range(20000))
    query("create table t (a int, b text)").expect()
    t.run(psql, "-h", "127.0.0.1", "-p", str(near.port()), "-U", "tester",
          "-d", "postgres", "-X", "-c", "copy t from stdin",
          stdin=rows).expect()
    assert query("select count(*), sum(length(b)) from t").expect().out == (
        "20000|4000000\n")
    assert near.wait_access()["backend_tls"]["version"] == "TLSv1.3"
    assert far.wait_access()["tls_version"] == "TLSv1.3"


PERL_CLIENT = r"""
use strict; use warnings;
use IO::Socket::SSL;
my ($port, $ca, $version) = @ARGV;
my $socket = IO::Socket::SSL->new(
    PeerAddr => '127.0.0.1', PeerPort => $port, SSL_hostname => 'web.test',
    SSL_verifycn_name => 'web.test', SSL_verifycn_scheme => 'http',
    SSL_ca_file => $ca, SSL_version => $version, Timeout => 10)
    or die "connect: $SSL_ERROR";
for my $size (1, 100, 16384, 16385, 100000) {
    my $sent = 'x' x $size;
    print $socket $sent or die "write: $!";
    my $got = '';
    while (length($got) < $size) {
        sysread($socket, $got, $size - length($got), length($got))
            or die "read: $!";
    }
    die "wrong bytes" if $got ne $sent;
}
print join(' ', $socket->get_sslversion(), $socket->get_cipher(),
           $socket->peer_certificate('cn')), "\n";
$socket->close(SSL_fast_shutdown => 0) or die "close: $SSL_ERROR";
"""

PERL_SERVER = r"""
use strict; use warnings;
use IO::Socket::SSL;
my ($port, $cert, $key, $ca) = @ARGV;
my $listen = IO::Socket::SSL->new(
    LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 10,
    ReuseAddr => 1, SSL_cert_file => $cert, SSL_key_file => $key,
    SSL_ca_file => $ca, SSL_verify_mode => SSL_VERIFY_PEER)
    or die "listen: $SSL_ERROR";
$| = 1;
print "ready\n";
while (1) {
    my $client = $listen->accept() or do { print "failed\n"; next };
    my $name = $client->get_servername() // 'none';
    my $peer = $client->peer_certificate('cn') // 'none';
    print "name=$name peer=$peer\n";
    while (sysread($client, my $data, 16384)) {
        print $client $data;
    }
    $client->close();
}
"""


def test_perl_client(t):
    need_perl_module(t)
    d = t.daemon({"s": {"accept": t.gate(), "connect": "builtin:echo"}})
    script = t.write("client.pl", PERL_CLIENT)
    for version, shown in (("TLSv1_2", "TLSv1_2"), ("TLSv1_3", "TLSv1_3"),
                           ("SSLv23:!SSLv3:!SSLv2", "TLSv1_3")):
        result = t.run("perl", script, d.port(), t.pki.root().cert,
                       version).expect()
        assert result.out.startswith(shown), result
        assert "web.test" in result.out, result
    for record in wait_for(lambda: len(d.access()) >= 3 and d.access(),
                           "records"):
        assert record["reason"] in ("done", "client_closed"), record


def need_perl_module(t):
    result = t.run(t.need("perl"), "-MIO::Socket::SSL", "-e", "1")
    assert result.status == 0, ("this test needs Perl's IO::Socket::SSL: "
                                "apt-get install libio-socket-ssl-perl")


def test_perl_server(t):
    """As the backend, with our client certificate and the name it sees."""
    need_perl_module(t)
    cert = t.pki.system()
    mine = t.pki.leaf("somebody.test", usage="client")
    port = t.port()
    script = t.write("server.pl", PERL_SERVER)
    peer = t.start("perl", "perl", script, port, cert.chain, cert.key,
                   t.pki.root().cert)
    wait_for(lambda: "ready" in peer.text(), "the Perl server listens")
    d = t.daemon({"s": {"accept": {}, "connect": {
        "address": "localhost:%d" % port,
        "tls": {"verify": {"ca": t.pki.root().cert},
                "certificates": {"chain": mine.chain, "key": mine.key}}}}})
    for size in (1, 16384, 200000):
        with d.plain() as stream:
            sender = os.urandom(size)
            stream.send(sender[:size])
            assert stream.read_exactly(size) == sender
            stream.finish()
            assert stream.read_all() == (b"", "clean")
    assert peer.text().count("name=localhost peer=somebody.test") == 3, (
        peer.text())
    d.wait_access(3, reason="done")


def test_gnutls_server(t):
    """gnutls-serv as the backend, in TLS 1.2 and 1.3."""
    program = t.need("gnutls-serv")
    cert = t.pki.system()
    for version in ("1.2", "1.3"):
        port = t.port()
        peer = t.start("gnutls" + version, program, "--echo", "--port",
                       str(port), "--x509certfile", cert.chain,
                       "--x509keyfile", cert.key, "--priority",
                       "NORMAL:-VERS-ALL:+VERS-TLS" + version)
        d = t.daemon({"s": {"accept": {}, "connect": {
            "address": "localhost:%d" % port,
            "tls": {"verify": {"ca": t.pki.root().cert}}}}},
            name="d" + version)

        def works():
            try:
                with d.plain() as stream:
                    stream.send(b"hello\n")
                    return stream.read_until(b"\n") == b"hello\n"
            except (Ended, OSError):
                return False

        wait_for(works, "gnutls-serv answers")
        record = wait_for(lambda: [r for r in d.access()
                                   if "backend_tls" in r], "a record")[-1]
        assert record["backend_tls"]["version"] == "TLSv" + version, record
        peer.stop()


def test_openssl_s_client_and_s_server(t):
    """TLS in and TLS out, both ends OpenSSL's own tools."""
    cert = t.pki.system()
    port = t.port()
    t.start("s_server", "openssl", "s_server", "-accept",
            "127.0.0.1:%d" % port, "-cert", cert.cert, "-key", cert.key,
            "-rev", "-quiet")
    t.wait_open(port, "s_server")
    d = t.daemon({"s": {"accept": t.gate(), "connect": {
        "address": "localhost:%d" % port,
        "tls": {"verify": {"ca": t.pki.root().cert}}}}})
    peer = t.start("s_client", "openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(), "-quiet", "-CAfile",
                   t.pki.root().cert, "-verify_return_error",
                   stdin=subprocess.PIPE)
    peer.process.stdin.write(b"hello\n")
    peer.process.stdin.flush()
    wait_for(lambda: "olleh" in peer.text(), "the answer")
