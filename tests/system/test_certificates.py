# SPDX-License-Identifier: BSD-2-Clause
"""Certificates of the accept gate: forms, secrets, names, types, faults."""

import errno
import hashlib
import os
import pty
import re
import select
import shutil
import socket
import ssl
import time

from harness import wait_for
from pki import read
from streams import Ended


def gate(*certificates, **tls):
    """A service whose accept gate has these entries of `certificates`."""
    return {"accept": {"tls": {"certificates": list(certificates), **tls}},
            "connect": "builtin:echo"}


def pair(certificate, **more):
    return {"chain": certificate.chain, "key": certificate.key, **more}


def served(d, service=None, name="web.test", **options):
    """The digest of the certificate that a client gets for a name."""
    with d.tls(service, name=name, **options) as stream:
        stream.expect_echo()
        return hashlib.sha256(stream.certificate()).hexdigest()


def refused(d, service=None, name="web.test", **options):
    """The reason with which OpenSSL says that there was no handshake."""
    try:
        d.tls(service, name=name, **options)
    except ssl.SSLError as error:
        return error.reason
    except Ended as error:
        return str(error)
    raise AssertionError("a handshake for %s in spite of all" % name)


def check(t, entry, status=2, **environment):
    """`sealock check` on a configuration with this entry; its Result."""
    file = t.write("check.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates:
          - %s
    connect: builtin:echo
""" % entry)
    return t.command("check", "-c", file,
                     env=t.environment(**environment)).expect(status)


# P10: formats.


def parity_P10_formats_by_content(t):
    """PEM, DER and PKCS#12, told apart by what is in them, whatever their
    names; the key in the certificate's file or in one of its own."""
    cert = t.pki.leaf("web.test", issuer=t.pki.intermediate())
    misnamed = t.path("certificate.pem")
    shutil.copy(cert.pkcs12(), misnamed)
    der = t.path("certificate.txt")
    shutil.copy(cert.der, der)
    d = t.daemon({
        "bundle": gate(cert.bundle),
        "pair": gate(pair(cert)),
        "der": gate({"chain": der, "key": cert.key_der}),
        "mixed": gate({"chain": cert.chain, "key": cert.key_der}),
        "pkcs12": gate({"pkcs12": cert.pkcs12("secret"),
                        "passphrase": t.write("p12.pass", "secret\n")}),
        "misnamed": gate(misnamed),
        "key_inside": gate({"chain": cert.bundle}),
    })
    for service in d.services:
        assert served(d, service) == cert.digest(), service


def parity_P10_chain_is_sent(t):
    """A client that has the root alone can verify: from PEM and PKCS#12."""
    cert = t.pki.leaf("web.test", issuer=t.pki.intermediate())
    d = t.daemon({"pem": gate(pair(cert)), "p12": gate(cert.pkcs12())})
    for service in d.services:
        served(d, service, ca=t.pki.root(), verify_name=True)


def shown_chain(t, port):
    """The digests of the certificates that s_client is shown."""
    result = t.run("openssl", "s_client", "-connect", "127.0.0.1:%d" % port,
                   "-servername", "web.test", "-showcerts", "-CAfile",
                   t.pki.root().cert, "-verify_return_error").expect()
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?"
                        r"-----END CERTIFICATE-----", result.out, re.DOTALL)
    return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest()
            for block in blocks]


def parity_P10_chain_is_repaired(t):
    """Any order, a root and a foreign certificate among them: what is sent is
    leaf, issuer, issuer's issuer."""
    outer = t.pki.intermediate("outer")
    inner = t.pki.intermediate("deep", issuer=outer)
    cert = t.pki.leaf("web.test", issuer=inner)
    foreign = t.pki.leaf("foreign.test")
    mixed = t.write("mixed.pem", b"".join(map(read, (
        t.pki.root().cert, foreign.cert, outer.cert, cert.cert,
        inner.cert))))
    d = t.daemon({
        "proper": gate(pair(cert)),
        "mixed": gate({"chain": mixed, "key": cert.key}),
    })
    expected = [c.digest() for c in (cert, inner, outer)]
    for service in d.services:
        assert shown_chain(t, d.port(service)) == expected, service


def parity_P10_mismatch_names_both_files(t):
    one, other = t.pki.leaf("one.test"), t.pki.leaf("two.test")
    result = check(t, '{chain: "%s", key: "%s"}' % (one.chain, other.key))
    assert one.chain in result.err and other.key in result.err, result
    assert re.search(r"check\.yaml:7:\d+: ", result.err), result


def parity_P10_what_cannot_be_loaded_says_why(t):
    cert = t.pki.leaf("web.test")
    empty = t.write("empty.pem", "")
    nothing = t.write("nothing.pem", "no certificate in here\n")
    keyless = t.write("keyless.pem", read(cert.cert))
    weak = t.pki.leaf("weak.test", key="rsa1024")
    for path in ("missing.pem", empty, nothing, keyless, weak.bundle):
        result = check(t, '"%s"' % path)
        assert os.path.basename(path) in result.err, result
        assert re.search(r"check\.yaml:7:\d+: ", result.err), result


# P11: in-memory objects.


def parity_P11_inline_pem(t):
    cert = t.pki.leaf("web.test", issuer=t.pki.intermediate())
    d = t.daemon({"s": gate({"pem": read(cert.bundle).decode()})})
    assert served(d, ca=t.pki.root(), verify_name=True) == cert.digest()


def parity_P11_systemd_credentials(t):
    cert = t.pki.leaf("web.test")
    os.mkdir(t.path("credentials"))
    shutil.copy(cert.bundle, t.path("credentials/web"))
    shutil.copy(cert.key, t.path("credentials/key"))
    d = t.daemon({"key": gate({"chain": cert.chain, "key": "credential:key"}),
                  "all": gate({"chain": "credential:web"})},
                 environment={"CREDENTIALS_DIRECTORY": t.path("credentials")})
    assert served(d, "key") == cert.digest()
    assert served(d, "all") == cert.digest()


def parity_P11_store_uri(t):
    cert = t.pki.leaf("web.test", issuer=t.pki.intermediate())
    d = t.daemon({"s": gate({"store": "file:" + cert.bundle})})
    assert served(d, ca=t.pki.root(), verify_name=True) == cert.digest()


# P12: pass-phrases.


def parity_P12_passphrase_sources(t):
    cert = t.pki.leaf("web.test")
    key = cert.encrypted_key("open-sesame")
    os.mkdir(t.path("credentials"))
    t.write("credentials/pass", "open-sesame")
    file = t.write("pass", "open-sesame\n")
    script = t.write("ask", "#!/bin/sh\necho open-sesame\n", 0o755)

    def entry(passphrase):
        return gate({"chain": cert.chain, "key": key,
                     "passphrase": passphrase})

    d = t.daemon({
        "path": entry(file),
        "file": entry({"file": file}),
        "env": entry("env:KEY_PASS"),
        "credential": entry("credential:pass"),
        "command": entry({"command": [script, "web"]}),
        "pkcs12": gate({"pkcs12": cert.pkcs12("open-sesame"),
                        "passphrase": "env:KEY_PASS"}),
    }, environment={"KEY_PASS": "open-sesame",
                    "CREDENTIALS_DIRECTORY": t.path("credentials")})
    for service in d.services:
        assert served(d, service) == cert.digest(), service
    assert "open-sesame" not in d.text()
    for pid in [d.pid, *d.children()]:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            assert b"open-sesame" not in file.read()


def parity_P12_wrong_and_missing_passphrase(t):
    cert = t.pki.leaf("web.test")
    key = cert.encrypted_key("open-sesame")
    for passphrase, environment in (
            ("", {}), (", passphrase: env:WRONG", {"WRONG": "sesame"}),
            (", passphrase: env:MISSING", {}),
            (", passphrase: missing-file", {}),
            (", passphrase: {command: [/bin/false]}", {})):
        result = check(t, '{chain: "%s", key: "%s"%s}' % (
            cert.chain, key, passphrase), **environment)
        assert re.search(r"check\.yaml:7:\d+: ", result.err), result
        assert "sesame" not in result.err.replace(key, ""), result


def parity_P12_prompt_on_the_terminal(t):
    """The question comes on the terminal before the daemon starts, the answer
    is not shown."""
    cert = t.pki.leaf("web.test")
    key = t.write("encrypted.key", read(cert.encrypted_key("open-sesame")))
    port = t.port()
    file = t.write("prompt.yaml", """\
global: {state_dir: state, admin: "unix:%s", pid_file: "%s"}
services:
  s:
    accept:
      address: 127.0.0.1:%d
      tls:
        certificates:
          - {chain: "%s", key: "%s", passphrase: prompt}
    connect: builtin:echo
""" % (t.path("a.sock"), t.path("pid"), port, cert.chain,
       key))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(t.sealock, ["sealock", "run", "-c", file], t.environment())
    said = bytearray()

    def listen():
        while select.select([terminal], [], [], 0)[0]:
            try:
                said.extend(os.read(terminal, 4096))
            except OSError:
                break
        return bytes(said)

    try:
        wait_for(lambda: b":" in listen(), "the question")
        os.write(terminal, b"open-sesame\n")

        def answers():
            listen()
            try:
                with t.connect_tls(port) as stream:
                    return hashlib.sha256(stream.certificate()).hexdigest()
            except OSError:
                return None

        assert wait_for(answers, "it serves") == cert.digest()
        assert b"open-sesame" not in listen(), said
    finally:
        os.kill(pid, 15)
        deadline = time.monotonic() + 10
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            listen()
            if time.monotonic() > deadline:
                os.kill(pid, 9)
            time.sleep(0.01)
        os.close(terminal)
        t.write("terminal.log", bytes(said))


# P13: names.


def parity_P13_exact_wildcard_default(t):
    default = t.pki.leaf("default.test")
    exact = t.pki.leaf("a.wild.test")
    wild = t.pki.leaf("*.wild.test")
    d = t.daemon({"s": gate(pair(exact), pair(wild),
                            pair(default, default=True))})
    for name, cert in (("a.wild.test", exact), ("A.Wild.TEST", exact),
                       ("b.wild.test", wild), ("wild.test", default),
                       ("a.b.wild.test", default), ("default.test", default),
                       ("unknown.test", default), (None, default)):
        assert served(d, name=name) == cert.digest(), name


def parity_P13_without_a_default_the_first_is_it(t):
    first, second = t.pki.leaf("first.test"), t.pki.leaf("second.test")
    d = t.daemon({"s": gate(pair(first), pair(second))})
    assert served(d, name="unknown.test") == first.digest()
    assert served(d, name=None) == first.digest()
    assert served(d, name="second.test") == second.digest()


def parity_P13_names_given_instead_of_those_inside(t):
    one, two = t.pki.leaf("one.test"), t.pki.leaf("two.test")
    d = t.daemon({"s": gate(pair(one), pair(two, names=["other.test",
                                                        "*.more.test"]))})
    assert served(d, name="other.test") == two.digest()
    assert served(d, name="x.more.test") == two.digest()
    assert served(d, name="two.test") == one.digest()


def parity_P13_strict_sni(t):
    cert = t.pki.leaf("web.test", "*.wild.test")
    d = t.daemon({"s": gate(pair(cert), strict_sni=True)})
    assert served(d, name="web.test") == cert.digest()
    assert served(d, name="x.wild.test") == cert.digest()
    for name in ("unknown.test", None):
        assert refused(d, name=name) == "TLSV1_UNRECOGNIZED_NAME", name
    assert d.wait_access(2, reason="unknown_name")
    assert d.access(reason="unknown_name", sni="unknown.test")


def parity_P13_names_from_the_common_name(t):
    """A certificate without a SAN is found by its common name."""
    old = t.pki.leaf("old.test", san=False)
    first = t.pki.leaf("first.test")
    d = t.daemon({"s": gate(pair(first), pair(old))})
    assert served(d, name="old.test") == old.digest()


# P14: several types for one name.


def parity_P14_the_clients_abilities_decide(t):
    certs = {key: t.pki.leaf("web.test", key=key)
             for key in ("rsa", "p256", "ed25519")}
    d = t.daemon({"s": gate(*(pair(cert) for cert in certs.values()))})

    def shown(*words):
        result = t.run("openssl", "s_client", "-connect",
                       "127.0.0.1:%d" % d.port(), "-servername", "web.test",
                       *words).expect()
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(re.search(
            r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----",
            result.out, re.DOTALL).group())).hexdigest()

    for words, key in (
            (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"), "rsa"),
            (("-tls1_3", "-sigalgs",
              "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256"), "p256"),
            # As the CA signs with ECDSA, that has to be offered, too.
            (("-tls1_3", "-sigalgs", "ed25519"), "ed25519"),
            (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "rsa"),
            (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256",
              "-sigalgs", "ECDSA+SHA256"), "p256")):
        assert shown(*words) == certs[key].digest(), (words, key)


def parity_P14_types_by_name(t):
    """An RSA certificate for the wildcard and an ECDSA one for a name below
    it: a client that can only RSA gets the wildcard's."""
    wild = t.pki.leaf("*.wild.test", key="rsa")
    exact = t.pki.leaf("a.wild.test", key="p256")
    d = t.daemon({"s": gate(pair(wild), pair(exact))})
    assert served(d, name="a.wild.test") == exact.digest()
    assert served(d, name="b.wild.test") == wild.digest()
    assert served(d, name="a.wild.test", versions="TLSv1.2",
                  ciphers="ECDHE-RSA-AES128-GCM-SHA256") == wild.digest()


# Directories.


def test_directory_of_certificates(t):
    """Links are followed, certbot's layout is known, other files are passed
    over."""
    certs = [t.pki.leaf("%s.test" % name) for name in ("one", "two", "three",
                                                       "four")]
    top = t.path("certs.d")
    os.mkdir(top)
    os.mkdir(t.path("archive"))
    shutil.copy(certs[0].bundle, top + "/one.pem")
    shutil.copy(certs[1].bundle, t.path("archive/two.pem"))
    os.symlink("../archive/two.pem", top + "/two.pem")
    shutil.copy(certs[2].chain, top + "/three.crt")
    shutil.copy(certs[2].key, top + "/three.key")
    t.write("certs.d/README", "certificates live here\n")
    live = t.path("live")
    os.mkdir(live)
    shutil.copy(certs[3].chain, t.path("archive/fullchain4.pem"))
    shutil.copy(certs[3].key, t.path("archive/privkey4.pem"))
    os.symlink("../archive/fullchain4.pem", live + "/fullchain.pem")
    os.symlink("../archive/privkey4.pem", live + "/privkey.pem")
    d = t.daemon({"directory": gate({"directory": top}),
                  "scalar": gate(top), "certbot": gate(live)})
    for cert, name in zip(certs[:3], ("one.test", "two.test", "three.test")):
        for service in ("directory", "scalar"):
            assert served(d, service, name=name) == cert.digest(), (
                service, name)
    assert served(d, "certbot", name="four.test") == certs[3].digest()


# Faults.


def test_a_broken_certificate_is_quarantined(t):
    """The others are served; log and check say which and why."""
    good = t.pki.leaf("good.test")
    broken = t.write("broken.pem", read(good.cert)[:200])
    one, other = t.pki.leaf("one.test"), t.pki.leaf("two.test")
    d = t.daemon({"s": gate(broken, {"chain": one.chain, "key": other.key},
                            pair(good))})
    assert served(d, name="good.test") == good.digest()
    assert served(d, name="one.test") == good.digest()
    d.wait_log(r"broken\.pem")
    d.wait_log(re.escape(other.key))
    result = t.command("check", "-c", d.file).expect(2)
    assert "broken.pem" in result.err and other.key in result.err, result


def test_a_service_without_any_certificate_does_not_start(t):
    """The other services do, and nobody listens for it until its certificate
    is there."""
    broken = t.write("broken.pem", "nothing\n")
    good = t.pki.system()
    d = t.daemon({"bad": gate(broken), "good": gate(pair(good))})
    served(d, "good")
    assert d.port("bad") != d.port("good")
    with socket.socket() as client:
        refused = client.connect_ex(("127.0.0.1", d.port("bad")))
    assert refused == errno.ECONNREFUSED, refused
    d.wait_log(r"\bbad\b")
    t.write("broken.pem", open(good.bundle).read())
    d.reload()
    assert served(d, "bad") == good.digest()


def test_an_expired_certificate_is_served_and_warned_about(t):
    old = t.pki.leaf("web.test", days=-3)
    d = t.daemon({"s": gate(pair(old))})
    assert served(d) == old.digest()
    file = t.write("check.yaml", """\
services:
  s:
    accept: {address: "127.0.0.1:1", tls: {certificates: "%s"}}
    connect: builtin:echo
""" % old.bundle)
    result = t.command("check", "-c", file)
    assert "expired" in result.err, result


# P16, P17.


def parity_P16_self_signed(t):
    d = t.daemon({"s": gate({"self_signed": ["localhost", "web.test"]})},
                 globals={"workers": 3})
    with d.tls(name="localhost") as stream:
        stream.expect_echo()
        pem = ssl.DER_cert_to_PEM_cert(stream.certificate())
    text = t.run("openssl", "x509", "-noout", "-text", stdin=pem).expect().out
    assert "DNS:localhost" in text and "DNS:web.test" in text, text
    # Every worker shows the same one, and so does one that comes later.
    wait_for(lambda: len(d.workers()) == 3, "three workers")
    for victim in d.workers():
        d.kill_child(victim)
        for _ in range(8):
            with d.tls(name="localhost") as stream:
                assert ssl.DER_cert_to_PEM_cert(stream.certificate()) == pem
        wait_for(lambda: len(d.workers()) == 3, "three workers again")
    # A reload makes another one, which workers that are slow show later.
    d.reload()

    def is_another():
        with d.tls(name="localhost") as stream:
            return ssl.DER_cert_to_PEM_cert(stream.certificate()) != pem

    wait_for(is_another, "another certificate")


def parity_P17_cert_create_show_fingerprint(t):
    """The small CA: a root, a server's and a client's certificate that other
    people's tools accept."""
    by = ("--ca", "ca.pem", "--ca-key", "ca.key")
    t.command("cert", "create", "--purpose", "ca", "--cn", "Test CA", "--out",
              "ca.pem", "--key-out", "ca.key").expect()
    t.command("cert", "create", *by, "--name", "web.test", "--name",
              "127.0.0.1", "--out", "web.pem", "--key-out",
              "web.key").expect()
    t.command("cert", "create", *by, "--purpose", "client", "--name",
              "somebody.test", "--type", "rsa2048", "--bundle",
              "me.pem").expect()
    for name, purpose in (("web", "sslserver"), ("me", "sslclient")):
        t.run("openssl", "verify", "-CAfile", "ca.pem", "-purpose", purpose,
              name + ".pem").expect()
        t.run("openssl", "verify", "-CAfile", "ca.pem", "-purpose",
              "sslclient" if name == "web" else "sslserver",
              name + ".pem").expect(2)
    for name in ("ca.key", "web.key", "me.pem"):
        mode = os.stat(t.path(name)).st_mode & 0o777
        assert mode == 0o600, (name, oct(mode))
    shown = t.command("cert", "show", "web.pem").expect().out
    assert "web.test" in shown and "127.0.0.1" in shown, shown
    printed = t.command("cert", "fingerprint", "web.pem").expect().out
    pem = re.search(r"-----BEGIN CERT.*?-----END CERTIFICATE-----",
                    read(t.path("web.pem")).decode(), re.DOTALL).group()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert digest in printed.replace(":", "").lower(), printed
    # What is there is not overwritten.
    t.command("cert", "create", *by, "--name", "web.test", "--out",
              "web.pem", "--key-out", "web.key").expect(1)
    d = t.daemon({"s": gate({"chain": t.path("web.pem"),
                             "key": t.path("web.key")})})
    result = t.run("openssl", "s_client", "-connect",
                   "127.0.0.1:%d" % d.port(), "-CAfile", "ca.pem",
                   "-verify_return_error", "-verify_hostname", "web.test")
    assert "Verify return code: 0 (ok)" in result.out, result


def parity_P17_cert_show_of_what_others_made(t):
    """CERT_asHash's knowledge: subject, issuer, names, dates, key; of PEM,
    DER and PKCS#12."""
    cert = t.pki.leaf("web.test", "10.1.2.3", key="rsa")
    password = t.write("pass", "secret\n")
    for words in ((cert.chain,), (cert.der,),
                  (cert.pkcs12("secret"), "--passphrase-file", password)):
        shown = t.command("cert", "show", *words).expect().out
        for text in ("web.test", "10.1.2.3", "root CA", "RSA 2048"):
            assert text in shown, (text, shown)
