# SPDX-License-Identifier: BSD-2-Clause
"""Sessions in the hands of a client that brings any of them anywhere, and may
have changed them on the way: session_client.c, DER as it has them, and keys
that open tickets."""

import base64
import hashlib
import hmac
import os
import struct
import subprocess

from pki import openssl
from revocation import element, first

TICKET = 0xaa     # [10] of OpenSSL's SSL_SESSION
LIFETIME = 0xa9   # [9], the server's hint


class Visit:
    """What came of one: truth is that the echo answered."""

    def __init__(self, line):
        line = line.strip()
        words = line.split()
        self.line = line if len(line) < 200 else line[:200] + "..."
        self.is_in = words[:1] == ["ok"]
        self.reason = None if self.is_in else " ".join(words[1:])
        values = dict(word.split("=", 1) for word in words[1:]
                      if "=" in word)
        self.resumed = values.get("resumed") == "1"
        self.version = values.get("version")
        self.cipher = values.get("cipher")
        self.alpn = values.get("alpn")
        self.early = int(values.get("early", 0))
        sessions = values.get("session", "-")
        self.sessions = [] if sessions == "-" else [
            bytes.fromhex(session) for session in sessions.split(",")]

    @property
    def session(self):
        """The newest that it was given."""
        return self.sessions[-1] if self.sessions else None

    def __bool__(self):
        return self.is_in

    def __repr__(self):
        return "Visit(%s)" % self.line


class Client:
    """One process for many visits."""

    def __init__(self, t):
        program = os.path.join(os.path.dirname(t.oracle), "session_client")
        assert os.path.exists(program), (
            "%s is missing: make check builds it" % program)
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=t.environment(), bufsize=0)
        self.answers = os.fdopen(os.dup(self.process.stdout.fileno()), "rb")
        t.defer(self.stop)

    def visit(self, port, name="web.test", session=None, certificate=None,
              **words):
        """certificate: a pki.Certificate; words: those of session_client.c,
        version="1.2", ids=1 and so on."""
        words.update(port=port, name=name)
        if session is not None:
            words["session"] = session.hex()
        if certificate:
            words.update(cert=certificate.chain, key=certificate.key)
        line = " ".join("%s=%s" % (key, value)
                        for key, value in words.items() if value is not None)
        self.process.stdin.write(line.encode() + b"\n")
        return Visit(self.answers.readline().decode())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(40)
        self.answers.close()
        self.process.stdout.close()


def elements(session):
    """The elements of a session, each as tag and content."""
    found, rest = [], first(session)[1]
    while rest:
        tag, content, rest = first(rest)
        found.append((tag, content))
    return found


def ticket(session):
    """The ticket in a session, as it was on the wire; None without one."""
    for tag, content in elements(session):
        if tag == TICKET:
            return first(content)[1]
    return None


def with_ticket(session, other):
    """The same session with that in its ticket's place."""
    return element(0x30, *(
        element(tag, element(4, other) if tag == TICKET else content)
        for tag, content in elements(session)))


def lifetime(session):
    """The server's hint, in seconds; 0 without one."""
    for tag, content in elements(session):
        if tag == LIFETIME:
            return int.from_bytes(first(content)[1], "big")
    return 0


class Key:
    """What a ticket is under."""

    def __init__(self, name, aes, mac):
        self.name, self.aes, self.hmac = name, aes, mac

    def _crypt(self, how, iv, data):
        return openssl("enc", how, "-aes-%d-cbc" % (8 * len(self.aes)), "-K",
                       self.aes.hex(), "-iv", iv.hex(), stdin=data)

    def open(self, ticket):
        """The session in a ticket, DER."""
        name, iv, sealed, mac = (ticket[:16], ticket[16:32], ticket[32:-32],
                                 ticket[-32:])
        assert name == self.name, (name, self.name)
        assert mac == hmac.digest(self.hmac, ticket[:-32], hashlib.sha256)
        return self._crypt("-d", iv, sealed)

    def seal(self, session):
        iv = os.urandom(16)
        sealed = self.name + iv + self._crypt("-e", iv, session)
        return sealed + hmac.digest(self.hmac, sealed, hashlib.sha256)


class KeyFile(Key):
    """One by chance, in a file of 80 or 48 bytes as nginx reads it."""

    def __init__(self, t, name, key_name=None, size=80):
        length = (size - 16) // 2
        super().__init__((key_name or os.urandom(16))[:16],
                         os.urandom(length), os.urandom(length))
        self.path = t.write(name, self.name + (
            self.hmac + self.aes if size == 80 else self.aes + self.hmac),
            0o600)

    @property
    def line(self):
        """As HAProxy reads it: the two keys in one order, whatever their
        length."""
        return base64.b64encode(self.name + self.aes + self.hmac) + b"\n"


def extracted(secret):
    """What keys are derived from, as RFC 5869 has it."""
    return hmac.digest(b"sealock session tickets 1", secret.encode(),
                       hashlib.sha256)


def derived_key(secret, rotate, period):
    """The key of a period."""
    key = extracted(secret)
    out = block = b""
    for number in range(1, 4):
        block = hmac.digest(
            key, block + struct.pack(">QQ", rotate, period)
            + bytes([number]), hashlib.sha256)
        out += block
    return Key(out[:16], out[16:48], out[48:80])
