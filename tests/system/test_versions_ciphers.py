# SPDX-License-Identifier: BSD-2-Clause
"""Versions, ciphers, groups: what the accept gate negotiates with whom."""

import re
import ssl

from harness import wait_for
from streams import Ended, client_context, echo, server_context

VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]


def spoken(daemon, service=None):
    """The versions that a client can have, each tried alone."""
    found = []
    for version in VERSIONS:
        try:
            with daemon.tls(service, versions=version) as stream:
                stream.expect_echo()
                assert stream.version == version
                found.append(version)
        except (ssl.SSLError, Ended):
            pass
    return found


def gate(t, **tls):
    return {"accept": t.gate(**tls), "connect": "builtin:echo"}


def s_client(t, port, *words, stdin="", **options):
    """openssl s_client against a port; its Result."""
    return t.run(t.need("openssl"), "s_client", "-connect",
                 "127.0.0.1:%d" % port, *words, stdin=stdin, **options)


def parity_P01_versions_default_is_1_2_and_1_3(t):
    d = t.daemon({"s": gate(t)})
    assert spoken(d) == ["TLSv1.2", "TLSv1.3"]


def parity_P01_versions_as_a_list(t):
    d = t.daemon({
        "three": gate(t, versions=["TLSv1.3"]),
        "two": gate(t, versions="TLSv1.2"),
        "both": gate(t, versions=["TLSv1.3", "TLSv1.2"]),
    })
    assert spoken(d, "three") == ["TLSv1.3"]
    assert spoken(d, "two") == ["TLSv1.2"]
    assert spoken(d, "both") == ["TLSv1.2", "TLSv1.3"]


def parity_P01_versions_in_the_manuals_grammar(t):
    strings = {
        "SSLv23:!SSLv3:!SSLv2:!TLSv1:!TLSv1_1": ["TLSv1.2", "TLSv1.3"],
        "SSLv23:!TLSv1_3:!TLSv1_1:!TLSv1": ["TLSv1.2"],
        "TLSv1_2": ["TLSv1.2"],
        "TLSv12": ["TLSv1.2"],
        "tlsv1.3": ["TLSv1.3"],
        "TLSV1_3": ["TLSv1.3"],
        "TLSv1_2:TLSv1_3": ["TLSv1.2", "TLSv1.3"],
        "!TLSv1_3:!TLSv1_1:!TLSv1": ["TLSv1.2"],
        "SSLv23: !SSLv3: !TLSv1: !TLSv1_1: !TLSv1_2": ["TLSv1.3"],
    }
    names = {"s%d" % i: text for i, text in enumerate(strings)}
    d = t.daemon({name: gate(t, versions=text)
                  for name, text in names.items()})
    for name, text in names.items():
        assert spoken(d, name) == strings[text], text


def parity_P01_versions_old_ones_when_asked_for(t):
    d = t.daemon({"s": gate(t, versions="SSLv23:!SSLv3",
                            ciphers="DEFAULT@SECLEVEL=0")})
    assert spoken(d) == VERSIONS


def parity_P01_versions_that_openssl_has_not(t):
    """SSLv2 may be excluded; alone it is an error that says so."""
    for text, status in (("SSLv2", 2), ("SSLv23:!SSLv2:!SSLv3", 0),
                         ("TLSv1.4", 2), ("TLSv1_2:!TLSv1_2", 2), ("", 2)):
        file = t.write("v.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls: {versions: "%s", certificates: {self_signed: localhost}}
    connect: builtin:echo
""" % text)
        result = t.command("check", "-c", file).expect(status)
        if status:
            assert re.search(r"v\.yaml:5:\d+: ", result.err), result


def parity_P02_ciphers(t):
    d = t.daemon({"s": gate(t, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256",
                            versions="TLSv1.2")})
    with d.tls() as stream:
        assert stream.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256"
    try:
        d.tls(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
        raise AssertionError("a cipher that is not in the list")
    except ssl.SSLError as error:
        assert error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE", error
    record = d.wait_access(reason="no_shared_cipher")
    assert record["sni"] == "web.test"


def parity_P02_ciphersuites(t):
    d = t.daemon({"s": gate(t, ciphersuites="TLS_CHACHA20_POLY1305_SHA256",
                            versions="TLSv1.3")})
    with d.tls() as stream:
        assert stream.cipher == "TLS_CHACHA20_POLY1305_SHA256"
    result = s_client(t, d.port(), "-tls1_3", "-ciphersuites",
                      "TLS_AES_256_GCM_SHA384")
    assert result.status != 0 and "handshake failure" in result.err, result


def parity_P02_ciphers_by_host(t):
    d = t.daemon({"s": gate(
        t, versions="TLSv1.2", ciphers="ECDHE-ECDSA-AES256-GCM-SHA384",
        hosts={"a.wild.test": {"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"},
               "*.wild.test": {"versions": "TLSv1.3"}})})
    with d.tls(name="web.test") as stream:
        assert stream.cipher == "ECDHE-ECDSA-AES256-GCM-SHA384"
    with d.tls(name="a.wild.test") as stream:
        assert stream.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256"
    with d.tls(name="b.wild.test") as stream:
        assert stream.version == "TLSv1.3"


def parity_P02_default_is_safe(t):
    """No anonymous, no static RSA, no CBC, no export suites by default."""
    cert = t.pki.leaf("web.test", key="rsa")
    d = t.daemon({"s": {"accept": t.gate(cert), "connect": "builtin:echo"}})
    for ciphers in ("aNULL:@SECLEVEL=0", "kRSA:@SECLEVEL=0", "eNULL",
                    "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"):
        try:
            context = client_context(versions="TLSv1.2", ciphers=ciphers)
        except ssl.SSLError:
            continue  # not even in this OpenSSL
        del context
        try:
            d.tls(versions="TLSv1.2", ciphers=ciphers)
            raise AssertionError(ciphers)
        except (ssl.SSLError, Ended):
            pass
    with d.tls(versions="TLSv1.2") as stream:
        assert "ECDHE" in stream.cipher and "GCM" in stream.cipher


def parity_P02_a_list_that_selects_nothing_is_an_error(t):
    for key, value in (("ciphers", "NO-SUCH-CIPHER"),
                       ("ciphersuites", "TLS_NO_SUCH_SUITE"),
                       ("ciphers", "aNULL")):
        file = t.write("c.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: {self_signed: localhost}
        %s: "%s"
    connect: builtin:echo
""" % (key, value))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"c\.yaml:7:\d+: .*" + key, result.err), result


def parity_P03_prefer_server_ciphers(t):
    """The client prefers AES-128; the server's list begins with AES-256."""
    ours = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
    theirs = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    d = t.daemon({
        "server": gate(t, versions="TLSv1.2", ciphers=ours,
                       prefer_server_ciphers=True),
        "client": gate(t, versions="TLSv1.2", ciphers=ours,
                       prefer_server_ciphers=False),
        "profile": gate(t, versions="TLSv1.2", ciphers=ours),
    })
    for service, cipher in (("server", "ECDHE-ECDSA-AES256-GCM-SHA384"),
                            ("client", "ECDHE-ECDSA-AES128-GCM-SHA256"),
                            ("profile", "ECDHE-ECDSA-AES128-GCM-SHA256")):
        with d.tls(service, ciphers=theirs) as stream:
            assert stream.cipher == cipher, (service, stream.cipher)


def temporary_key(t, port, *words):
    """What s_client says of the key exchange; it is "Peer" since 3.5."""
    result = s_client(t, port, *words)
    found = re.search(r"(?:Server|Peer) Temp Key: (.*)", result.out)
    return found.group(1) if found else None


def parity_P04_dh(t):
    """Finite-field groups for TLS 1.2: built in, from a file, inline, off."""
    cert = t.pki.leaf("web.test", key="rsa")
    file = t.path("dh.pem")
    t.run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
          "group:ffdhe3072", "-out", file).expect()
    with open(file) as opened:
        inline = opened.read()

    def dhe(value):
        tls = {"versions": "TLSv1.2",
               "ciphers": "DHE-RSA-AES128-GCM-SHA256:"
                          "ECDHE-RSA-AES128-GCM-SHA256"}
        if value:
            tls["dh"] = value
        return {"accept": t.gate(cert, **tls), "connect": "builtin:echo"}

    d = t.daemon({"default": dhe(None), "auto": dhe("auto"),
                  "file": dhe(file), "inline": dhe(inline),
                  "off": dhe("off")})
    only = ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256")
    assert temporary_key(t, d.port("default"), *only).startswith("DH, ")
    assert temporary_key(t, d.port("auto"), *only).startswith("DH, ")
    assert temporary_key(t, d.port("file"), *only) == "DH, 3072 bits"
    assert temporary_key(t, d.port("inline"), *only) == "DH, 3072 bits"
    assert temporary_key(t, d.port("off"), *only) is None
    d.wait_access(service="off", reason="no_shared_cipher")


def parity_P04_dh_errors(t):
    t.write("not-dh.pem", "nothing of that kind\n")
    for value in ("missing.pem", "not-dh.pem"):
        file = t.write("d.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: {self_signed: localhost}
        dh: %s
    connect: builtin:echo
""" % value)
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"d\.yaml:7:\d+: .*dh", result.err), result
        assert value in result.err, result


def parity_P05_groups(t):
    d = t.daemon({
        "one": gate(t, groups="P-384"),
        "list": gate(t, groups=["P-256", "X25519"]),
        "question": gate(t, groups=["?NoSuchGroup", "P-521"]),
        "default": gate(t),
    })
    assert temporary_key(t, d.port("one")) == "ECDH, secp384r1, 384 bits"
    assert temporary_key(t, d.port("list"), "-groups", "X25519") == (
        "X25519, 253 bits")
    assert temporary_key(t, d.port("list"), "-groups", "P-256") == (
        "ECDH, prime256v1, 256 bits")
    assert temporary_key(t, d.port("list"), "-groups", "P-384") is None
    assert temporary_key(t, d.port("question")) == (
        "ECDH, secp521r1, 521 bits")
    assert temporary_key(t, d.port("default"), "-groups", "X25519") == (
        "X25519, 253 bits")
    d.wait_access(service="one", group="secp384r1")


def parity_P05_the_default_has_the_hybrid_group_where_openssl_has(t):
    """An untouched s_client of OpenSSL 3.5 and later gets X25519MLKEM768."""
    d = t.daemon({"s": gate(t)})
    version = t.run("openssl", "version").expect().out
    number = tuple(map(int, re.search(r"(\d+)\.(\d+)", version).groups()))
    result = s_client(t, d.port(), "-tls1_3")
    if number >= (3, 5):
        assert "X25519MLKEM768" in result.out, result
        assert d.wait_access()["group"] == "X25519MLKEM768"
    else:
        assert "X25519, 253 bits" in result.out, result
        assert d.wait_access()["group"].lower() == "x25519"


def parity_P05_an_unknown_group_is_an_error(t):
    for value in ("NoSuchGroup", "[X25519, NoSuchGroup]", "[?NoSuchGroup]"):
        file = t.write("g.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: {self_signed: localhost}
        groups: %s
    connect: builtin:echo
""" % value)
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"g\.yaml:7:\d+: ", result.err), result


def parity_P06_openssl_commands(t):
    cert = t.pki.leaf("web.test", key="rsa")
    d = t.daemon({"s": {
        "accept": t.gate(cert, openssl={
            "SignatureAlgorithms": "rsa_pss_rsae_sha512"}),
        "connect": "builtin:echo"}})
    result = s_client(t, d.port(), "-tls1_3")
    assert re.search(r"Peer signing digest: SHA512", result.out), result
    result = s_client(t, d.port(), "-tls1_3", "-sigalgs",
                      "rsa_pss_rsae_sha256")
    assert result.status != 0, result


def parity_P06_errors_name_the_command(t):
    for command, value in (("NoSuchCommand", "x"),
                           ("SignatureAlgorithms", "nonsense")):
        file = t.write("o.yaml", """\
services:
  s:
    accept:
      address: 127.0.0.1:1
      tls:
        certificates: {self_signed: localhost}
        openssl:
          %s: %s
    connect: builtin:echo
""" % (command, value))
        result = t.command("check", "-c", file).expect(2)
        assert re.search(r"o\.yaml:8:\d+: .*" + command, result.err), result


def test_profiles(t):
    d = t.daemon({
        "modern": gate(t, profile="modern"),
        "intermediate": gate(t, profile="intermediate"),
        "old": gate(t, profile="old"),
    })
    assert spoken(d, "modern") == ["TLSv1.3"]
    assert spoken(d, "intermediate") == ["TLSv1.2", "TLSv1.3"]
    assert "TLSv1.2" in spoken(d, "old")
    # CBC with forward secrecy is what "old" adds.
    with d.tls("old", versions="TLSv1.2",
               ciphers="ECDHE-ECDSA-AES128-SHA") as stream:
        stream.expect_echo()
    try:
        d.tls("intermediate", versions="TLSv1.2",
              ciphers="ECDHE-ECDSA-AES128-SHA")
        raise AssertionError("CBC by default")
    except ssl.SSLError:
        pass


def test_connect_gate_versions_and_ciphers(t):
    backend = t.server(echo, server_context(t.pki.system()))
    connect = {"address": "localhost:%d" % backend.port}

    def service(**tls):
        tls.setdefault("verify", {"ca": t.pki.root().cert})
        return {"accept": {}, "connect": {**connect, "tls": tls}}

    d = t.daemon({
        "two": service(versions="TLSv1.2",
                       ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"),
        "three": service(versions=["TLSv1.3"],
                         ciphersuites="TLS_AES_128_GCM_SHA256"),
    })
    for name, version, cipher in (
            ("two", "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("three", "TLSv1.3", "TLS_AES_128_GCM_SHA256")):
        with d.plain(name) as stream:
            stream.expect_echo()
        tls = d.wait_access(service=name)["backend_tls"]
        assert (tls["version"], tls["cipher"]) == (version, cipher)


def test_gnutls_client(t):
    """GnuTLS, another library, in both versions, with verification."""
    d = t.daemon({"s": gate(t)})
    program = t.need("gnutls-cli")
    for priority in ("NORMAL:-VERS-ALL:+VERS-TLS1.2",
                     "NORMAL:-VERS-ALL:+VERS-TLS1.3"):
        result = t.run(program, "--priority", priority, "--x509cafile",
                       t.pki.root().cert, "--port", str(d.port()),
                       "--sni-hostname", "web.test", "--verify-hostname",
                       "web.test", "--logfile", t.path("gnutls.log"),
                       "127.0.0.1", stdin="hello through GnuTLS\n")
        assert "hello through GnuTLS" in result.out, result
        result.expect(0)


def test_alpn(t):
    d = t.daemon({"s": gate(t, alpn=["h2", "http/1.1"]), "none": gate(t)})
    with d.tls("s", alpn=["http/1.1", "h2"]) as stream:
        assert stream.alpn == "h2"
        stream.expect_echo()
    with d.tls("s", alpn=["http/1.1"]) as stream:
        assert stream.alpn == "http/1.1"
    with d.tls("s") as stream:
        assert stream.alpn is None
    with d.tls("none", alpn=["h2"]) as stream:
        assert stream.alpn is None
    try:
        d.tls("s", alpn=["smtp"])
        raise AssertionError("an unknown protocol was taken")
    except ssl.SSLError as error:
        assert "no application protocol" in str(error), error
    wait_for(lambda: d.access(alpn="h2"), "the record has the protocol")


def test_resumption_can_be_turned_off(t):
    """Then nothing resumes, in any way."""
    d = t.daemon({"s": gate(t, session=False)})
    for version in ("-tls1_2", "-tls1_3"):
        session = t.path("session" + version)
        s_client(t, d.port(), version, "-sess_out", session)
        result = s_client(t, d.port(), version, "-reconnect")
        assert "Reused" not in result.out, result
    for record in wait_for(lambda: d.access(), "records"):
        assert record.get("resumed") in (None, False), record
