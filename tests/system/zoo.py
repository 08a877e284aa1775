# SPDX-License-Identifier: BSD-2-Clause
"""The certificate zoo: certificates that no authority would sign, and some
that one would, byte by byte.

A certificate is put together from DER of our own, so that nothing is too odd
to be made: names with NULs, extensions twice, a megabyte of nothing. Signing
is python3-cryptography's. Each animal says what a careful verifier makes of it
at either gate (RFC 5280, RFC 2818, RFC 6125, and SECURITY MODEL in
sealock(8))."""

import datetime
import hashlib
import ipaddress
import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed25519, ed448, padding, rsa)

HOST = "host.zoo.test"   # the name that a backend is asked for
CERT, NAME, OK = "cert", "name", "ok"   # what becomes of the connection


# DER (X.690).

def tlv(tag, *parts):
    body = b"".join(parts)
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(octets)]) + octets + body


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big",
                                 signed=True))


def oid(text):
    first, second, *rest = (int(part) for part in text.split("."))
    out = bytearray([40 * first + second])
    for number in rest:
        group = [number & 127]
        while number > 127:
            number >>= 7
            group.append(number & 127 | 128)
        out += bytes(reversed(group))
    return tlv(6, bytes(out))


def bits(data, unused=0):
    return tlv(3, bytes([unused]), data)


def octets(data):
    return tlv(4, data)


TRUE = tlv(1, b"\xff")
FALSE = tlv(1, b"\x00")
NULL = tlv(5)


def utc_time(moment):
    return tlv(23, moment.strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(moment):
    return tlv(24, moment.strftime("%Y%m%d%H%M%SZ").encode())


# Names.

TYPES = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6"}


def name(*pairs):
    """name(("CN", "a"), ("O", b"raw")): a distinguished name."""
    return sequence(*(
        tlv(0x31, sequence(oid(TYPES[kind]), tlv(
            12, value if isinstance(value, bytes) else value.encode())))
        for kind, value in pairs))


def raw(value):
    return value if isinstance(value, bytes) else value.encode()


def dns(value):
    return tlv(0x82, raw(value))


def email(value):
    return tlv(0x81, raw(value))


def uri(value):
    return tlv(0x86, raw(value))


def ip(value):
    return tlv(0x87, value if isinstance(value, bytes)
               else ipaddress.ip_address(value).packed)


def other_name(type_id, value):
    return tlv(0xa0, oid(type_id), tlv(0xa0, tlv(12, raw(value))))


def directory_name(value):
    return tlv(0xa4, value)


# Extensions.

def extension(type_id, value, critical=False):
    return sequence(oid(type_id), TRUE if critical else b"", octets(value))


def basic_constraints(is_ca, path_length=None, critical=True):
    return extension("2.5.29.19", sequence(
        TRUE if is_ca else b"",
        b"" if path_length is None else integer(path_length)), critical)


USAGES = {"digitalSignature": 0, "keyEncipherment": 2, "keyAgreement": 4,
          "keyCertSign": 5, "cRLSign": 6}


def key_usage(*names, critical=True):
    value = 0
    for each in names:
        value |= 0x80 >> USAGES[each]
    unused = 0
    while value and not value >> unused & 1:
        unused += 1
    return extension("2.5.29.15", bits(bytes([value]), unused), critical)


PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2",
            "code": "1.3.6.1.5.5.7.3.3", "email": "1.3.6.1.5.5.7.3.4",
            "any": "2.5.29.37.0"}


def purposes(*names, critical=False):
    return extension("2.5.29.37", sequence(
        *(oid(PURPOSES[each]) for each in names)), critical)


def alternative_names(*values, critical=False):
    return extension("2.5.29.17", sequence(*values), critical)


def subject_key(key):
    return extension("2.5.29.14", octets(key.id))


def authority_key(key_id=None, issuer=None, serial=None):
    return extension("2.5.29.35", sequence(
        tlv(0x80, key_id) if key_id else b"",
        tlv(0xa1, directory_name(issuer)) if issuer else b"",
        tlv(0x82, serial.to_bytes(4, "big")) if serial else b""))


def name_constraints(permitted=(), excluded=(), critical=True):
    def subtrees(tag, values):
        return tlv(tag, *(sequence(v) for v in values)) if values else b""

    return extension("2.5.29.30", sequence(
        subtrees(0xa0, permitted), subtrees(0xa1, excluded)), critical)


# Keys and signatures.

ALGORITHMS = {  # the signature's, by the kind of key and the digest
    ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2",
    ("ec", "sha384"): "1.2.840.10045.4.3.3",
    ("ec", "sha512"): "1.2.840.10045.4.3.4",
    ("rsa", "md5"): "1.2.840.113549.1.1.4",
    ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("rsa", "sha512"): "1.2.840.113549.1.1.13",
    ("ed25519", None): "1.3.101.112",
    ("ed448", None): "1.3.101.113",
}

DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256,
           "sha384": hashes.SHA384, "sha512": hashes.SHA512}


class Key:
    """A private key, and its SubjectPublicKeyInfo."""

    def __init__(self, private, public=None):
        self.private = private
        self.spki = public or private.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha1(self.spki).digest()

    @property
    def kind(self):
        for kind, class_ in (("ec", ec.EllipticCurvePrivateKey),
                             ("rsa", rsa.RSAPrivateKey),
                             ("ed25519", ed25519.Ed25519PrivateKey),
                             ("ed448", ed448.Ed448PrivateKey)):
            if isinstance(self.private, class_):
                return kind
        raise TypeError(self.private)

    def algorithm(self, digest):
        kind = self.kind
        if kind.startswith("ed"):
            return sequence(oid(ALGORITHMS[kind, None]))
        return sequence(oid(ALGORITHMS[kind, digest]),
                        NULL if kind == "rsa" else b"")

    def sign(self, data, digest):
        if self.kind == "ec":
            return self.private.sign(data, ec.ECDSA(DIGESTS[digest]()))
        if self.kind == "rsa":
            return self.private.sign(data, padding.PKCS1v15(),
                                     DIGESTS[digest]())
        return self.private.sign(data)

    def pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())


def make_key(kind="p256"):
    if kind.startswith("rsa"):
        return Key(rsa.generate_private_key(65537, int(kind[3:])))
    if kind == "ed25519":
        return Key(ed25519.Ed25519PrivateKey.generate())
    if kind == "ed448":
        return Key(ed448.Ed448PrivateKey.generate())
    curve = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1,
             "k256": ec.SECP256K1, "bp256": ec.BrainpoolP256R1}[kind]
    return Key(ec.generate_private_key(curve()))


NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)


class Made:
    """A certificate with its key."""

    def __init__(self, der, key, subject):
        self.der, self.key, self.subject = der, key, subject


def make(subject, key, issuer=None, extensions=(), serial=None, start=None,
         end=None, version=3, digest="sha256", time=None, spoil=False,
         outer=None, issuer_name=None, unique_id=False):
    """A certificate; without an issuer it signs itself. Anything can be wrong
    with it: spoil turns a bit of its signature, outer is another algorithm
    around it than within."""
    signer = issuer.key if issuer else key
    if serial is None:
        serial = int.from_bytes(os.urandom(8), "big") >> 1
    start = NOW - DAY if start is None else start
    end = NOW + 30 * DAY if end is None else end
    if time is None:
        time = lambda t: utc_time(t) if t.year < 2050 else generalized_time(t)
    algorithm = signer.algorithm(digest)
    extensions = b"".join(extensions)
    body = sequence(
        tlv(0xa0, integer(version - 1)) if version > 1 else b"",
        serial if isinstance(serial, bytes) else integer(serial), algorithm,
        issuer_name or (issuer.subject if issuer else subject),
        sequence(start if isinstance(start, bytes) else time(start),
                 end if isinstance(end, bytes) else time(end)),
        subject, key.spki,
        tlv(0x81, b"\0\x55") if unique_id else b"",
        tlv(0xa3, sequence(extensions)) if extensions else b"")
    signature = bytearray(signer.sign(body, digest))
    if spoil:
        signature[-1] ^= 1
    return Made(sequence(body, outer or algorithm, bits(bytes(signature))),
                key, subject)


# The authorities, and the animals.

def authority(title, issuer=None, key=None, extensions=None, **how):
    key = key or make_key()
    if extensions is None:
        extensions = [basic_constraints(True),
                      key_usage("keyCertSign", "cRLSign"), subject_key(key)]
        if issuer:
            extensions.append(authority_key(issuer.key.id))
    return make(name(("CN", title)), key, issuer, extensions, **how)


class Animal:
    """One certificate with the chain that is sent with it, and what it comes
    to: at a backend (connect) asked for as `wanted`, and as a client
    (accept)."""

    def __init__(self, title, made, chain, connect, accept, wanted):
        self.title, self.made, self.chain = title, made, chain
        self.connect, self.accept, self.wanted = connect, accept, wanted

    def write(self, directory):
        """The PEM file, key first."""
        import base64
        path = os.path.join(directory, self.title + ".pem")
        with open(path, "wb") as file:
            file.write(self.made.key.pem())
            for der in [self.made.der] + [each.der for each in self.chain]:
                file.write(b"-----BEGIN CERTIFICATE-----\n" +
                           base64.encodebytes(der) +
                           b"-----END CERTIFICATE-----\n")
        return path


class Zoo:
    """All of them, under a root of their own (root.pem)."""

    def __init__(self):
        self.key = make_key()   # one will do for most
        self.root = authority("zoo root")
        self.inner = authority("zoo inner", self.root)
        self.stranger = authority("zoo stranger")
        self.animals = []
        self._names()
        self._usages()
        self._dates()
        self._chains()
        self._constraints()
        self._signatures()
        self._keys()
        self._oddities()
        self._giants()

    def leaf(self, names=(dns(HOST),), common="leaf", issuer=None, key=None,
             also=(), usage=key_usage("digitalSignature"),
             purpose=purposes("server", "client"),
             constraints=basic_constraints(False), subject=None, authority_id=
             None, **how):
        """An ordinary leaf but for what is said."""
        issuer = issuer or self.inner
        key = key or self.key
        extensions = [part for part in (
            alternative_names(*names) if names else None, constraints, usage,
            purpose, subject_key(key),
            authority_key(issuer.key.id) if authority_id is None
            else authority_id) if part]
        return make(subject or name(("CN", common)), key, issuer,
                    extensions + list(also), **how)

    def add(self, title, connect, accept, chain=None, wanted=HOST, made=None,
            **how):
        made = made or self.leaf(**how)
        self.animals.append(Animal(
            title, made, [self.inner] if chain is None else chain, connect,
            accept, wanted))

    def _name(self, title, connect, *names, **how):
        """A matter of names is none for a client's certificate."""
        self.add(title, connect, OK, names=names, **how)

    def _names(self):
        self._name("plain", OK, dns(HOST))
        self._name("upper-case", OK, dns(HOST.upper()))
        self._name("second-of-two", OK, dns("other.test"), dns(HOST))
        # RFC 2818 3.1: the common name counts where there is no DNS name.
        self._name("common-name-alone", OK, common=HOST)
        self._name("common-name-other", NAME, common="other.test")
        self._name("common-name-beside-dns", NAME, dns("other.test"),
                   common=HOST)
        self._name("common-name-upper", OK, common=HOST.upper())
        self._name("no-name-at-all", NAME, subject=name(("O", HOST)))
        self._name("organization-is-no-name", NAME,
                   subject=name(("O", HOST), ("CN", "x.test")))
        self._name("mail-is-no-host", NAME, email(HOST), common="x.test")
        self._name("uri-is-no-host", NAME, uri("https://%s/" % HOST),
                   common="x.test")
        self._name("uri-that-is-the-host", NAME, uri(HOST), common="x.test")
        self._name("other-name-is-no-host", NAME,
                   other_name("1.3.6.1.5.5.7.8.5", HOST), common="x.test")
        self._name("directory-name-is-no-host", NAME,
                   directory_name(name(("CN", HOST))), common="x.test")
        # IP addresses.
        self._name("ip", OK, ip("127.0.0.1"), wanted="127.0.0.1")
        self._name("ip-other", NAME, ip("127.0.0.2"), wanted="127.0.0.1")
        self._name("ip-as-dns", NAME, dns("127.0.0.1"), wanted="127.0.0.1")
        # As browsers did it once: where there are no alternative names.
        self._name("ip-as-common-name", OK, common="127.0.0.1",
                   wanted="127.0.0.1")
        self._name("ip-as-common-name-beside-dns", NAME, dns(HOST),
                   common="127.0.0.2", wanted="127.0.0.1")
        self._name("ip6-as-common-name", OK, common="2001:db8::1",
                   wanted="2001:db8::1")
        self._name("ip6", OK, ip("2001:db8::1"), wanted="2001:db8::1")
        self._name("ip6-mapped-is-not-ip4", NAME, ip("::ffff:127.0.0.1"),
                   wanted="127.0.0.1")
        self._name("ip-of-five-octets", NAME, ip(b"\x7f\0\0\1\0"),
                   wanted="127.0.0.1")
        self._name("ip-of-no-octets", NAME, ip(b""), wanted="127.0.0.1")
        self._name("ip-wildcard", NAME, dns("*.0.0.1"), wanted="127.0.0.1")
        self._name("ip-as-text", NAME, ip(b"127.0.0.1"), wanted="127.0.0.1")
        # Wildcards: in one label, the left one, behind no public suffix.
        self._name("wildcard", OK, dns("*.zoo.test"))
        self._name("wildcard-common-name", OK, common="*.zoo.test")
        self._name("wildcard-alone", NAME, dns("*"))
        self._name("wildcard-of-top-level", NAME, dns("*.test"),
                   wanted="zoo.test")
        self._name("wildcard-of-suffix", NAME, dns("*.co.uk"),
                   wanted="zoo.co.uk")
        self._name("wildcard-below-suffix", OK, dns("*.zoo.co.uk"),
                   wanted="host.zoo.co.uk")
        self._name("wildcard-two-labels", NAME, dns("*.test"))
        self._name("wildcard-not-the-bare-name", NAME, dns("*.zoo.test"),
                   wanted="zoo.test")
        self._name("wildcard-twice", NAME, dns("*.*.test"))
        self._name("wildcard-in-second-label", NAME, dns("host.*.test"))
        self._name("wildcard-at-the-end", NAME, dns("host.zoo.*"))
        self._name("wildcard-two-in-one", NAME, dns("h*s*.zoo.test"))
        self._name("wildcard-with-prefix", OK, dns("h*.zoo.test"))
        self._name("wildcard-in-a-label", NAME, dns("xn--*.zoo.test"),
                   wanted="xn--hst-sna.zoo.test")
        self._name("wildcard-before-a-label", OK, dns("*.zoo.test"),
                   wanted="xn--hst-sna.zoo.test")
        # Names as no host has them.
        self._name("a-label", OK, dns("xn--hst-sna.zoo.test"),
                   wanted="xn--hst-sna.zoo.test")
        self._name("u-label", NAME, dns("höst.zoo.test"),
                   wanted="xn--hst-sna.zoo.test")
        self._name("nul-behind", NAME, dns(HOST + "\0.evil.test"))
        self._name("nul-at-the-end", NAME, dns(HOST + "\0"))
        self._name("nul-in-common-name", NAME, common=HOST + "\0.evil.test")
        self._name("nul-in-mail", OK, dns(HOST), email("a\0b@" + HOST))
        self._name("nul-in-uri", OK, dns(HOST), uri("spiffe://a\0/b"))
        self._name("dot-in-front", NAME, dns("." + HOST))
        self._name("dot-in-front-of-parent", NAME, dns(".zoo.test"))
        self._name("empty-label", NAME, dns("host..zoo.test"))
        self._name("empty-name", NAME, dns(""))
        self._name("space-inside", NAME, dns("host .zoo.test"))
        self._name("label-of-64", NAME, dns("a" * 64 + ".test"))
        self._name("control-bytes", OK, dns(HOST), dns(b"\x1b[31m\r\nevil\t"),
                   subject=name(("CN", b"\x1b]0;x\x07\r\nfake log line"),
                                ("O", "\x9b\u2028\u202e")))
        self._name("format-string", OK, dns(HOST),
                   subject=name(("CN", "%n%s%x"), ("O", "${x} `y` \"z\"")))
        self._name("critical-names", OK, dns(HOST), subject=name())
        self._name("thousand-names", OK,
                   *(dns("n%d.zoo.test" % i) for i in range(999)), dns(HOST))

    def _usages(self):
        add = self.add
        add("server-only", OK, CERT, purpose=purposes("server"))
        add("client-only", CERT, OK, purpose=purposes("client"))
        add("mail-only", CERT, CERT, purpose=purposes("email"))
        add("code-only", CERT, CERT, purpose=purposes("code", critical=True))
        add("no-purpose", OK, OK, purpose=None)
        # OpenSSL wants the purpose by its name.
        add("any-purpose", CERT, CERT, purpose=purposes("any"))
        add("no-key-usage", OK, OK, usage=None)
        add("signs-certificates-only", CERT, CERT,
            usage=key_usage("keyCertSign"))
        add("enciphers-only", CERT, CERT, key=make_key("rsa2048"),
            usage=key_usage("cRLSign"))
        add("no-basic-constraints", OK, OK, constraints=None)
        add("authority-as-leaf", OK, OK, constraints=basic_constraints(True),
            usage=key_usage("digitalSignature", "keyCertSign"))

    def _dates(self):
        add = self.add
        add("expired", CERT, CERT, start=NOW - 10 * DAY, end=NOW - DAY)
        add("not-yet", CERT, CERT, start=NOW + DAY)
        add("end-before-start", CERT, CERT, start=NOW + DAY, end=NOW - DAY)
        add("year-9999", OK, OK, end=datetime.datetime(9999, 12, 31, 23, 59,
                                                       59))
        add("date-of-nonsense", CERT, CERT, end=tlv(23, b"991332000000Z"))
        add("empty-date", CERT, CERT, end=tlv(23, b""))
        old = authority("zoo expired", self.root, start=NOW - 10 * DAY,
                        end=NOW - DAY)
        add("expired-inner", CERT, CERT, issuer=old, chain=[old])
        young = authority("zoo not yet", self.root, start=NOW + DAY)
        add("inner-not-yet", CERT, CERT, issuer=young, chain=[young])

    def _chains(self):
        add = self.add
        add("no-inner", CERT, CERT, chain=[])
        add("with-root", OK, OK, chain=[self.inner, self.root])
        add("wrong-order", OK, OK, chain=[self.root, self.inner])
        add("with-strangers", OK, OK, chain=[self.stranger, self.inner])
        add("leaf-twice", OK, OK, made=(twice := self.leaf()),
            chain=[twice, self.inner])
        add("of-a-stranger", CERT, CERT, issuer=self.stranger,
            chain=[self.stranger])
        twin = authority("zoo root")
        add("of-the-roots-namesake", CERT, CERT, issuer=twin, chain=[])
        twin = authority("zoo inner", self.stranger)
        add("of-the-inners-namesake", CERT, CERT, issuer=twin, chain=[twin])
        add("self-signed", CERT, CERT, made=make(
            name(("CN", HOST)), self.key, None,
            [alternative_names(dns(HOST)), basic_constraints(False),
             key_usage("digitalSignature")]), chain=[])
        ordinary = self.leaf(purpose=None, common="no authority", key=make_key(),
                             usage=key_usage("digitalSignature"))
        add("of-a-leaf", CERT, CERT, issuer=ordinary,
            chain=[ordinary, self.inner])
        for title, extensions in (
                ("no-constraints", [key_usage("keyCertSign")]),
                ("no-authority", [basic_constraints(False),
                                  key_usage("keyCertSign")]),
                ("may-not-sign", [basic_constraints(True),
                                  key_usage("cRLSign")])):
            made = authority("zoo " + title, self.root, extensions=extensions)
            add("inner-" + title, CERT, CERT, issuer=made, chain=[made])
        made = authority("zoo v1", self.root, extensions=[], version=1)
        add("inner-of-version-1", CERT, CERT, issuer=made, chain=[made])
        made = authority("zoo unknown", self.root, extensions=[
            basic_constraints(True), extension("1.2.3.4", b"\5\0", True)])
        add("inner-with-unknown-critical", CERT, CERT, issuer=made,
            chain=[made])
        short = authority("zoo short", self.root, extensions=[
            basic_constraints(True, 0), key_usage("keyCertSign")])
        add("path-length-kept", OK, OK, issuer=short, chain=[short])
        below = authority("zoo below short", short)
        add("path-length-broken", CERT, CERT, issuer=below,
            chain=[below, short])
        # Signed by the root, and by somebody whom nobody knows.
        key = make_key()
        good = authority("zoo crossed", self.root, key)
        other = authority("zoo crossed", self.stranger, key)
        add("cross-signed", OK, OK, issuer=good, chain=[good, other])
        # OpenSSL follows the first that fits, and does not come back.
        add("cross-signed-stranger-first", CERT, CERT, issuer=good,
            chain=[other, good])
        # Two that vouch for each other, and for nobody else.
        one, two = make_key(), make_key()
        first = authority("zoo cycle 1", authority("zoo cycle 2", key=two),
                          one)
        second = authority("zoo cycle 2", first, two)
        add("cycle", CERT, CERT, issuer=first, chain=[first, second])
        made, chain = self.inner, [self.inner]
        for i in range(8):
            made = authority("zoo deep %d" % i, made)
            chain.insert(0, made)
        add("nine-deep", OK, OK, issuer=made, chain=list(chain))
        for i in range(8, 12):
            made = authority("zoo deep %d" % i, made)
            chain.insert(0, made)
        add("thirteen-deep", CERT, CERT, issuer=made, chain=list(chain))
        for i in range(12, 99):
            made = authority("zoo deep %d" % i, made)
            chain.insert(0, made)
        add("hundred-deep", CERT, CERT, issuer=made, chain=list(chain))
        key = make_key()
        add("wrong-authority-key-id", CERT, CERT,
            authority_id=authority_key(key.id))
        made = authority("zoo serial", self.root, extensions=[
            basic_constraints(True), key_usage("keyCertSign"),
            authority_key(issuer=self.root.subject, serial=77)])
        add("wrong-authority-serial", CERT, CERT, issuer=made, chain=[made])
        add("no-authority-key-id", OK, OK, authority_id=b"")

    def _constraints(self):
        def bound(title, connect, accept, *, names=(dns(HOST),), common="leaf",
                  critical=True, **what):
            inner = authority("zoo " + title, self.root, extensions=[
                basic_constraints(True), key_usage("keyCertSign"),
                name_constraints(critical=critical, **what)])
            self.add(title, connect, accept, issuer=inner, chain=[inner],
                     names=names, common=common)

        bound("permitted", OK, OK, permitted=[dns("zoo.test")])
        bound("permitted-with-dot", OK, OK, permitted=[dns(".zoo.test")])
        bound("permitted-elsewhere", CERT, CERT, permitted=[dns("other.test")])
        bound("permitted-suffix-of-label", CERT, CERT,
              permitted=[dns("oo.test")])
        bound("permitted-not-critical", CERT, CERT, critical=False,
              permitted=[dns("other.test")])
        bound("permitted-one-of-two", CERT, CERT, permitted=[dns("zoo.test")],
              names=(dns(HOST), dns("other.test")))
        bound("excluded", CERT, CERT, excluded=[dns("zoo.test")])
        bound("excluded-elsewhere", OK, OK, excluded=[dns("other.test")])
        bound("excluded-all", CERT, CERT, excluded=[dns("")])
        bound("excluded-common-name", CERT, CERT, names=(), common=HOST,
              excluded=[dns("zoo.test")])
        bound("permitted-address", OK, OK,
              permitted=[ip(b"\x7f\0\0\0\xff\0\0\0")])
        bound("excluded-address", CERT, CERT, names=(dns(HOST),
                                                     ip("127.0.0.1")),
              excluded=[ip(b"\x7f\0\0\0\xff\0\0\0")])
        bound("excluded-mail", CERT, CERT, names=(dns(HOST),
                                                  email("a@zoo.test")),
              excluded=[email("zoo.test")])
        bound("constraint-of-unknown-kind", CERT, CERT, names=(
            dns(HOST), other_name("1.2.3.4", "x")),
            permitted=[other_name("1.2.3.4", "x")])

    def _signatures(self):
        add = self.add
        add("sha384", OK, OK, digest="sha384")
        add("sha512", OK, OK, digest="sha512")
        add("sha1", CERT, CERT, digest="sha1")
        by_rsa = authority("zoo rsa", self.root, make_key("rsa2048"))
        add("rsa-sha256", OK, OK, issuer=by_rsa, chain=[by_rsa])
        add("rsa-sha1", CERT, CERT, issuer=by_rsa, chain=[by_rsa],
            digest="sha1")
        add("rsa-md5", CERT, CERT, issuer=by_rsa, chain=[by_rsa],
            digest="md5")
        weak = authority("zoo rsa 1024", self.root, make_key("rsa1024"))
        add("inner-of-1024-bits", CERT, CERT, issuer=weak, chain=[weak])
        inner = authority("zoo sha1", self.root, digest="sha1")
        add("inner-sha1", CERT, CERT, issuer=inner, chain=[inner])
        add("spoilt-signature", CERT, CERT, spoil=True)
        inner = authority("zoo spoilt", self.root, spoil=True)
        add("inner-spoilt", CERT, CERT, issuer=inner, chain=[inner])
        add("other-algorithm-outside", CERT, CERT,
            outer=sequence(oid(ALGORITHMS["ec", "sha384"])))
        # As large as they come: what would verifying cost?
        modulus = (1 << 16383) + 1 + (int.from_bytes(os.urandom(2000), "big")
                                      << 64)
        huge = Key(make_key().private, sequence(
            sequence(oid("1.2.840.113549.1.1.1"), NULL),
            bits(sequence(integer(modulus), integer((1 << 16000) + 1)))))
        inner = authority("zoo huge", self.root, huge)
        add("inner-of-16384-bits", CERT, CERT, issuer=inner, chain=[inner])

    def _keys(self):
        for kind in ("p384", "ed25519", "ed448", "rsa2048", "rsa3072"):
            self.add("key-" + kind, OK, OK, key=make_key(kind))
        self.add("key-rsa1024", CERT, CERT, key=make_key("rsa1024"))

    def _oddities(self):
        add = self.add
        add("unknown-critical", CERT, CERT,
            also=[extension("1.2.3.4.5", b"\5\0", True)])
        add("unknown-extension", OK, OK,
            also=[extension("1.2.3.4.5", b"\xde\xad")])
        # No OpenSSL shows such a leaf; before the leaf it is not looked at.
        for title, extensions in (
                ("names-twice", [alternative_names(dns(HOST))] * 2),
                ("constraints-twice", [basic_constraints(True)]),
                ("usage-twice", [key_usage("keyCertSign")]),
                ("names-of-garbage", [extension("2.5.29.17",
                                                b"\x30\x20\x82\x10ab")]),
                ("key-id-of-garbage", [extension("2.5.29.14", b"\x04\x09a")])):
            made = authority("zoo " + title, self.root, extensions=[
                basic_constraints(True), key_usage("keyCertSign"),
                *extensions])
            add("inner-" + title, CERT, CERT, issuer=made, chain=[made])
        made = authority("zoo garbage", self.root, extensions=[
            extension("2.5.29.19", b"\x30\x03\x01\x01"),
            key_usage("keyCertSign")])
        add("inner-constraints-of-garbage", CERT, CERT, issuer=made,
            chain=[made])
        add("negative-serial", OK, OK, serial=-5)
        add("serial-zero", OK, OK, serial=0)
        add("serial-of-40-octets", OK, OK, serial=(1 << 312) + 1)
        add("unique-id", OK, OK, unique_id=True)
        add("must-staple", CERT, OK, also=[extension(
            "1.3.6.1.5.5.7.1.24", sequence(integer(5)))])
        add("version-1", OK, OK, made=make(name(("CN", HOST)), self.key,
                                           self.inner, version=1))
        add("another-issuers-name", CERT, CERT,
            issuer_name=name(("CN", "nobody")))

    def _giants(self):
        """More than we read of a peer: 100 kB of a backend, 32 kB of a
        client."""
        pad = lambda size: [extension("1.2.3.4.6", bytes(size))]
        self.add("of-60-kB", OK, CERT, also=pad(60000))
        self.add("of-a-megabyte", CERT, CERT, also=pad(1 << 20))
        self.add("of-10000-names", CERT, CERT, names=[dns(HOST)] + [
            dns("n%05d.zoo.test" % i) for i in range(10000)])
