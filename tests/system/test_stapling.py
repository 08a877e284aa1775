# SPDX-License-Identifier: BSD-2-Clause
"""Stapling: answers of OCSP responders are sent along with our certificates,
only good ones, not a second too long, and responders are left in peace."""

import hashlib
import http.server
import os
import re
import ssl
import threading
import time

from harness import limit, wait_for
from ocsp import Responder, answer, index, names_responder, statement
from pki import openssl, read, write
from streams import echo

GOOD = "OCSP Response Status: successful"


class Moody(http.server.ThreadingHTTPServer):
    """A responder that answers as a test wants it to, and counts who asks:
    mood is a function that is given the handler and the time."""

    def __init__(self, t):
        self.port = t.port()
        super().__init__(("127.0.0.1", self.port), Handler)
        self.url = "http://127.0.0.1:%d/" % self.port
        self.mood = None
        self.asked = []
        self.daemon_threads = True
        threading.Thread(target=self.serve_forever, daemon=True,
                         kwargs={"poll_interval": 0.05}).start()
        t.defer(self.end)

    def end(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # whoever asked does not want to know any more


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(time.monotonic())
        self.server.mood(self)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def reply(self, body, status=200, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def with_answer(der):
    return lambda handler: handler.reply(der)


def ask(t, d, service=None, version="-tls1_3", name="web.test", more=()):
    """The answer that openssl's client is sent: its serial number and what it
    says, or None."""
    result = t.run("openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(service), "-servername", name,
                   "-status", version, *more)
    assert "OCSP response" in result.out, result
    if GOOD not in result.out:
        assert "no response sent" in result.out, result
        return None
    status = re.search(r"Cert Status: (\w+)", result.out).group(1)
    serial = re.search(r"Serial Number: (\w+)", result.out).group(1)
    shown = re.search(r"Next Update: (.*)", result.out)
    return serial.lower(), status, shown.group(1) if shown else None


def serial(certificate):
    text = openssl("x509", "-in", certificate.cert, "-noout", "-serial")
    return text.decode().strip().partition("=")[2].lower()


def is_good(t, d, certificate, **options):
    told = ask(t, d, **options)
    return told is not None and told[:2] == (serial(certificate), "good")


def leaf(t, url, *names, key="p256", must=False, issuer=None):
    return t.pki.leaf(*(names or ("web.test",)), key=key, issuer=issuer,
                      more=names_responder(url, must))


def services(t, *certificates, **tls):
    return {"web": {"accept": {"tls": {
        "certificates": [entry(one) for one in certificates], **tls}},
        "connect": t.server(echo).address}}


def bundle(certificate):
    """With the root that has issued it, which is not sent."""
    return certificate._made("whole.pem", lambda: read(certificate.bundle) +
                             read(certificate.issuer.cert))


def entry(certificate):
    if isinstance(certificate, dict):
        return certificate
    return bundle(certificate)


@limit(120)
def parity_P38_fetched(t):
    """Real responders, real clients, TLS 1.2 and 1.3; RSA and ECDSA side by
    side have each its own; who has no responder is quietly passed over."""
    port = t.port()
    url = "http://127.0.0.1:%d/" % port
    root = t.pki.root("stapling")
    rsa = leaf(t, url, key="rsa", issuer=root)
    ecdsa = leaf(t, url, key="p256", issuer=root)
    plain = t.pki.leaf("plain.test", issuer=root)
    responder = Responder(t, root, {rsa: "good", ecdsa: "good"}, port=port)
    d = t.daemon(services(t, rsa, ecdsa, plain))
    d.wait_log("staple certificate=.* state=good", count=2)
    for version in ("-tls1_2", "-tls1_3"):
        for one, signatures in ((rsa, "rsa_pss_rsae_sha256:RSA+SHA256"),
                                (ecdsa, "ECDSA+SHA256")):
            told = ask(t, d, version=version, more=(
                "-sigalgs", signatures))
            assert told and told[:2] == (serial(one), "good"), (told, version)
        assert ask(t, d, version=version, name="plain.test") is None
    assert "plain" not in re.findall("staple certificate=.*", d.text())
    assert responder.peer.text().count("Received request") == 2
