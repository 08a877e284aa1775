# SPDX-License-Identifier: BSD-2-Clause
"""OCSP for the tests: answers of every kind, written here and signed by the
openssl command, and real responders, which are that command."""

import _ssl
import ctypes
import hashlib
import http.client
import http.server
import os
import threading
import time
import urllib.parse

from harness import wait_for
from pki import openssl, read, write
from revocation import SHA256, element, first, parts

SHA1 = bytes.fromhex("06052b0e03021a0500")
BASIC = bytes.fromhex("06092b0601050507300101")
NONCE = bytes.fromhex("06092b0601050507300102")
YEAR = 365 * 86400


def moment(seconds):
    return element(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(
        seconds)).encode())


def public_key(certificate):
    """The bits of it, of which responders send the digest."""
    rest = first(first(read(certificate.der))[1])[1]
    contents = []
    while rest:
        tag, content, rest = first(rest)
        if tag != 0xa0:
            contents.append(content)
    bits = first(first(contents[5])[2])[1]
    return bits[1:]


def certificate_id(about, issuer, serial=None):
    return element(
        0x30, element(0x30, SHA1),
        element(4, hashlib.sha1(parts(issuer)[1]).digest()),
        element(4, hashlib.sha1(public_key(issuer)).digest()),
        element(2, serial or parts(about)[0]))


STATUSES = {
    "good": lambda when: element(0x80),
    "revoked": lambda when: element(0xa1, moment(when)),
    "unknown": lambda when: element(0x82),
}


def statement(about, issuer=None, status="good", begin=-3600, end=86400,
              serial=None):
    """What an answer says of one certificate; times in seconds from now, end
    None: it does not say."""
    now = time.time()
    return element(
        0x30, certificate_id(about, issuer or about.issuer, serial),
        STATUSES[status](now - 7200), moment(now + begin),
        element(0xa0, moment(now + end)) if end is not None else b"")


def answer(t, *statements, signer, response=0, sent=(), nonce=None,
           key="p256"):
    """An answer in DER: signer's certificate names it, its key signs; sent:
    certificates that go along with it."""
    if response:
        return element(0x30, element(10, bytes([response])))
    extension = b""
    if nonce is not None:
        extension = element(0xa1, element(0x30, element(
            0x30, NONCE, element(4, element(4, nonce)))))
    tbs = element(0x30, element(0xa1, parts(signer)[1]),
                  moment(time.time()), element(0x30, *statements), extension)
    path = t.path("answer%d" % os.getpid())
    write(path, tbs)
    signature = openssl("dgst", "-sha256", "-sign", signer.key, path)
    os.unlink(path)
    certificates = element(0xa0, element(0x30, *(
        read(one.der) for one in sent))) if sent else b""
    basic = element(0x30, tbs, element(0x30, SHA256[key]),
                    element(3, b"\0" + signature), certificates)
    return wrapped(basic)


def wrapped(basic):
    """A successful response with that in it."""
    return element(0x30, element(10, b"\0"), element(0xa0, element(
        0x30, BASIC, element(4, basic))))


def index(certificates):
    """The database of `openssl ca` and `openssl ocsp`: {certificate: "good" or
    "revoked"}; who is not in it is unknown."""
    now = time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() - 3600))
    lines = []
    for number, (certificate, status) in enumerate(certificates.items()):
        lines.append("%s\t401231235959Z\t%s\t%s\tunknown\t/CN=%d\n" % (
            "R" if status == "revoked" else "V",
            now + ",keyCompromise" if status == "revoked" else "",
            parts(certificate)[0].hex().upper().lstrip("0"), number))
    return "".join(lines)


class Responder:
    """`openssl ocsp` for the certificates of one CA; clock is a Clock that it
    goes by."""

    def __init__(self, t, issuer, certificates, signer=None, port=None,
                 life=("-nmin", "60"), name="responder", options=(),
                 clock=None):
        self.port = port or t.port()
        self.url = "http://127.0.0.1:%d/" % self.port
        signer = signer or issuer
        t.write(name + ".index", index(certificates))
        t.write(name + ".index.attr", "unique_subject = no\n")
        self.peer = t.start(
            name, "openssl", "ocsp", "-index", t.path(name + ".index"),
            "-port", str(self.port), "-CA", issuer.cert, "-rsigner",
            signer.cert, "-rkey", signer.key, *life, *options,
            env=t.environment(**({"LD_PRELOAD": clock.library}
                                 if clock else {})))
        wait_for(lambda: "waiting for" in self.peer.text().lower(),
                 "the responder listens")

    def requests(self):
        """How many it has answered, as far as it tells."""
        return self.peer.text().count("OCSP Request Data")


class Proxy:
    """An HTTP proxy that knows hosts by {name: port here}; what it was asked
    for stays."""

    def __init__(self, t, hosts):
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                asked.append(url.hostname)
                length = int(self.headers.get("Content-Length") or 0)
                there = http.client.HTTPConnection(
                    "127.0.0.1", hosts[url.hostname], timeout=10)
                there.request(self.command, url.path,
                              self.rfile.read(length) or None, {
                                  "Content-Type": "application/ocsp-request"})
                body = there.getresponse().read()
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", t.port()),
                                                 Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        t.defer(server.server_close)
        t.defer(server.shutdown)
        self.address = "127.0.0.1:%d" % server.server_port


STATUS_CALLBACK = 63  # SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB
STATUS_ANSWER = 71    # SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP


def staple(context, data):
    """Have a server's ssl.SSLContext staple that, whatever it is: openssl's
    own server, nginx and others read what they staple. In a Python object
    the first thing behind the object itself is the SSL_CTX."""
    library = ctypes.CDLL(_ssl.__file__)
    library.CRYPTO_malloc.restype = ctypes.c_void_p

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def on_request(connection, _):
        copy = library.CRYPTO_malloc(ctypes.c_size_t(len(data)), None, 0)
        ctypes.memmove(copy, data, len(data))
        library.SSL_ctrl(ctypes.c_void_p(connection), STATUS_ANSWER,
                         ctypes.c_long(len(data)), ctypes.c_void_p(copy))
        return 0  # SSL_TLSEXT_ERR_OK

    context.on_request = on_request  # lives as long
    library.SSL_CTX_callback_ctrl(
        ctypes.c_void_p.from_address(id(context) + object.__basicsize__),
        STATUS_CALLBACK, on_request)
    return context


def names_responder(url, must_staple=False):
    """Lines for Pki.leaf(more=...)."""
    return ("authorityInfoAccess=OCSP;URI:" + url,) + (
        ("tlsfeature=status_request",) if must_staple else ())
