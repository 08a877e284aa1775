# SPDX-License-Identifier: BSD-2-Clause
"""Keys and certificates for the tests, made by the openssl command.

A Pki belongs to one run of all tests and lives in one directory; what was
made once is found there again by every test of that run. Nothing of it is in
the tree.
"""

import fcntl
import hashlib
import ipaddress
import os
import re
import subprocess
import threading
import time

KEYS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "rsa-pss": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ed25519": ["-algorithm", "ED25519"],
    "ed448": ["-algorithm", "ED448"],
}

USAGES = {
    "server": "serverAuth",
    "client": "clientAuth",
    "both": "serverAuth,clientAuth",
    "any": "anyExtendedKeyUsage",
    "none": None,
    "ocsp": "OCSPSigning",
}


def openssl(*arguments, stdin=None):
    """Run the openssl command and return what it printed."""
    done = subprocess.run(
        ["openssl", *map(str, arguments)], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise AssertionError("openssl %s failed: %s" % (
            " ".join(map(str, arguments)), done.stderr.decode()))
    return done.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data, mode=0o644):
    """Write a file under another name first, so that nobody sees half."""
    if isinstance(data, str):
        data = data.encode()
    new = "%s.new%d.%d" % (path, os.getpid(), threading.get_ident())
    with open(new, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
    os.rename(new, path)
    return path


class Certificate:
    """One leaf or CA: paths of its files in all the forms that operators
    have. The issuer is another Certificate, or the same one for a root."""

    def __init__(self, directory, issuer):
        self.directory = directory
        self.issuer = issuer or self

    def path(self, name):
        return os.path.join(self.directory, name)

    def _made(self, name, make):
        path = self.path(name)
        if not os.path.exists(path):
            write(path, make(), 0o600)
        return path

    @property
    def cert(self):
        """The certificate alone, PEM."""
        return self.path("cert.pem")

    @property
    def key(self):
        """The private key, PEM, PKCS#8."""
        return self.path("key.pem")

    def issuers(self):
        """The intermediates, the leaf's issuer first, without the root."""
        found = []
        issuer = self.issuer
        while issuer.issuer is not issuer:
            found.append(issuer)
            issuer = issuer.issuer
        return found

    @property
    def chain(self):
        """Leaf and intermediates in order, PEM."""
        return self._made("chain.pem", lambda: read(self.cert) + b"".join(
            read(issuer.cert) for issuer in self.issuers()))

    @property
    def bundle(self):
        """Key, leaf and intermediates in one PEM file."""
        return self._made("bundle.pem",
                          lambda: read(self.key) + read(self.chain))

    @property
    def der(self):
        return self._made("cert.der", lambda: openssl(
            "x509", "-in", self.cert, "-outform", "DER"))

    @property
    def key_der(self):
        return self._made("key.der", lambda: openssl(
            "pkey", "-in", self.key, "-outform", "DER"))

    def encrypted_key(self, passphrase):
        """The key as encrypted PKCS#8."""
        return self._made("key-%s.pem" % passphrase, lambda: openssl(
            "pkcs8", "-topk8", "-in", self.key, "-passout",
            "pass:" + passphrase))

    def pkcs12(self, passphrase=""):
        """Key, leaf and intermediates as PKCS#12."""
        def make():
            extra = self.path("issuers.pem")
            write(extra, b"".join(read(i.cert) for i in self.issuers()))
            more = ["-certfile", extra] if self.issuers() else []
            return openssl("pkcs12", "-export", "-inkey", self.key, "-in",
                           self.cert, *more, "-passout", "pass:" + passphrase)
        return self._made("bundle-%s.p12" % (passphrase or "empty"), make)

    def digest(self):
        """SHA-256 of the DER form, as ssl's getpeercert(True) is hashed."""
        return hashlib.sha256(read(self.der)).hexdigest()


class Pki:
    """The certificates of one run."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)

    def root(self, name="root", key="p256"):
        """A self-signed CA."""
        return self._make(name, None, key, ["CN=%s CA" % name], "ca", (), 0)

    def intermediate(self, name="inner", issuer=None, key="p256", days=0,
                     more=()):
        return self._make(name, issuer or self.root(), key,
                          ["CN=%s CA" % name], "ca", (), days, more=more)

    def leaf(self, *names, key="p256", issuer=None, usage="server", days=30,
             subject=None, san=True, unit=None, starts=0, more=()):
        """A leaf for these names (host names and IP addresses; others with
        their kind in front, "URI:spiffe://…", "email:…"). Negative days make
        one that has expired, starts moves its first day away from yesterday.
        subject is the common name, by default the first name; san=False
        leaves the common name alone with it. unit is an OU. more: lines of
        further extensions, in the words of openssl's configuration."""
        issuer = issuer or self.root()
        label = "%s-%s-%s-%s-%d-%s-%s-%s-%d" % (
            "+".join(names), key, os.path.basename(issuer.directory), usage,
            days, subject, san, unit, starts) + "".join("-" + m for m in more)
        return self._make("leaf-" + hashlib.sha256(
            label.encode()).hexdigest()[:16], issuer, key,
            ["CN=" + (subject or names[0])] + (
                ["OU=" + unit] if unit else []),
            usage, names if san else (), days, starts, more)

    def system(self):
        """The certificate that most tests serve: web.test by the root."""
        return self.leaf("web.test", "*.wild.test", "localhost", "127.0.0.1",
                         "::1")

    def _make(self, name, issuer, key, subject, usage, names, days,
              starts=0, more=()):
        directory = os.path.join(self.directory, name.replace("*", "_"))
        made = Certificate(directory, issuer)
        if os.path.exists(made.cert):
            return made
        with open(os.path.join(self.directory, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(made.cert):
                os.makedirs(directory, exist_ok=True)
                os.chmod(directory, 0o755)
                self._sign(made, key, subject, usage, names, days, starts,
                           more)
        return made

    def _sign(self, made, key, subject, usage, names, days, starts, more):
        write(made.key, openssl("genpkey", *KEYS[key]), 0o600)
        lines = ["subjectKeyIdentifier=hash"]
        if usage == "ca":
            lines += ["basicConstraints=critical,CA:TRUE",
                      "keyUsage=critical,keyCertSign,cRLSign"]
        else:
            lines += ["basicConstraints=critical,CA:FALSE",
                      "keyUsage=critical,digitalSignature",
                      "authorityKeyIdentifier=keyid"]
            if USAGES[usage]:
                lines.append("extendedKeyUsage=" + USAGES[usage])
        if names:
            lines.append("subjectAltName=" + ",".join(
                name if re.match("(URI|email):", name)
                else ("IP:" if is_ip(name) else "DNS:") + name
                for name in names))
        lines += more
        extensions = made.path("extensions")
        write(extensions, "[e]\n" + "\n".join(lines) + "\n")
        request = openssl("req", "-new", "-key", made.key, "-subj",
                          "/" + "/".join(subject))
        if made.issuer is made:
            certificate = openssl(
                "x509", "-req", "-signkey", made.key, "-days", 365,
                "-extfile", extensions, "-extensions", "e", stdin=request)
            write(made.cert, certificate)
            return
        # The ca command, because it alone takes dates in the past.
        now = time.time()
        if days < 0:
            start, end = now + 86400 * (days - 30), now + 86400 * days
        else:
            start = now + 86400 * (starts - 1)
            end = start + 86400 * (1 + (days or 365))
        write(made.path("index"), "")
        write(made.path("index.attr"), "unique_subject = no\n")
        write(made.path("request"), request)
        write(made.path("ca.cnf"), "\n".join([
            "[ca]", "default_ca=c", "[c]", "policy=p", "rand_serial=yes",
            "database=" + made.path("index"),
            "new_certs_dir=" + made.directory,
            "default_md=default", "[p]", "commonName=supplied",
            "organizationalUnitName=optional", ""]))
        certificate = openssl(
            "ca", "-batch", "-notext", "-config", made.path("ca.cnf"),
            "-cert", made.issuer.cert, "-keyfile", made.issuer.key,
            "-in", made.path("request"), "-startdate", stamp(start),
            "-enddate", stamp(end), "-extfile", extensions,
            "-extensions", "e")
        write(made.cert, certificate)


def stamp(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


def is_ip(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
