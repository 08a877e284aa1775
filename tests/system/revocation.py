# SPDX-License-Identifier: BSD-2-Clause
"""Revocation lists for the tests: DER written here, as no command makes a
million entries in a second, and signed by the openssl command."""

import base64
import os
import time

from pki import openssl, read, write


def element(tag, *contents):
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        head = bytes([length])
    else:
        size = (length.bit_length() + 7) // 8
        head = bytes([0x80 | size]) + length.to_bytes(size, "big")
    return bytes([tag]) + head + content


def first(der):
    """Tag, content, and what is behind the first element."""
    at, length = 2, der[1]
    if length >= 0x80:
        at += length & 0x7f
        length = int.from_bytes(der[2:at], "big")
    return der[0], der[at:at + length], der[at + length:]


def parts(certificate):
    """Of a certificate: its serial number as an element's content, and its
    subject as an element."""
    tbs = first(first(read(certificate.der))[1])[1]
    rest = tbs
    elements = []
    while rest:
        tag, content, behind = first(rest)
        elements.append((tag, content, rest[:len(rest) - len(behind)]))
        rest = behind
    if elements[0][0] == 0xa0:
        elements.pop(0)
    return elements[0][1], elements[4][2]


def integer(number):
    return element(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def moment(seconds):
    return element(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(
        seconds)).encode())


SHA256 = {  # the content of the algorithm's identifier
    "p256": bytes.fromhex("06082a8648ce3d040302"),
    "rsa": bytes.fromhex("06092a864886f70d01010b0500"),
}


def many(count, date):
    """Entries for that many serial numbers of 16 bytes."""
    end = moment(date)
    head = bytes([0x30, 2 + 16 + len(end), 2, 16, 0x40])
    end = bytes(7) + end  # zeros: most differ in their first bytes
    return b"".join(head + (n * 0x9e3779b97f4a7c15 % (1 << 64)).to_bytes(
        8, "big") + end for n in range(count))


def crl(directory, issuer, revoked=(), days=1, age=3600, signer=None,
        more=b"", key="p256", extensions=()):
    """A list of that CA's, DER. revoked: certificates; days: until its
    nextUpdate, negative when it is over; signer: whose key, if not the
    issuer's; more: further entries."""
    now = int(time.time())
    algorithm = element(0x30, SHA256[key])
    begin = now - age if days > 0 else now + 86400 * days - 86400
    entries = b"".join(element(0x30, element(2, parts(one)[0]),
                               moment(now - age)) for one in revoked) + more
    number = element(0x30, bytes.fromhex("0603551d14"),
                     element(4, integer(time.time_ns())))
    tbs = element(
        0x30, integer(1), algorithm, parts(issuer)[1], moment(begin),
        moment(now + 86400 * days),
        element(0x30, entries) if entries else b"",
        element(0xa0, element(0x30, number, *extensions)))
    signed = os.path.join(directory, "tbs%d" % os.getpid())
    write(signed, tbs)
    signature = openssl("dgst", "-sha256", "-sign", (signer or issuer).key,
                        signed)
    os.unlink(signed)
    return element(0x30, tbs, algorithm, element(3, b"\0" + signature))


def pem(der):
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "-----BEGIN X509 CRL-----\n%s\n-----END X509 CRL-----\n" % (
        "\n".join(lines))


def by_openssl(t, issuer, revoked):
    """The same by `openssl ca -gencrl`, PEM."""
    rows = "".join("R\t301231235959Z\t%s\t%s\tunknown\t/CN=x\n" % (
        time.strftime("%y%m%d%H%M%SZ", time.gmtime()),
        parts(one)[0].hex().upper()) for one in revoked)
    t.write("db", rows)
    t.write("db.attr", "unique_subject = no\n")
    t.write("crl.cnf", "[ca]\ndefault_ca=c\n[c]\ndefault_md=sha256\n"
            "database=%s\n" % t.path("db"))
    return openssl("ca", "-config", t.path("crl.cnf"), "-gencrl", "-crldays",
                   "2", "-cert", issuer.cert, "-keyfile",
                   issuer.key).decode()
