# SPDX-License-Identifier: BSD-2-Clause
"""Names in certificates against the name that is meant: `sealock cert
verify-name`, and IO::Socket::SSL, whose manual says what the schemes are, as
the judge."""

import ipaddress
import json
import os

from harness import limit
from pki import openssl, read
from test_peers import need_perl_module

JUDGE = r"""
use strict; use warnings;
use IO::Socket::SSL;
use IO::Socket::SSL::Utils;
my %certs;
while (my $line = <STDIN>) {
	chomp($line);
	my ($file, $suffix, $text, @hosts) = split(/\t/, $line);
	$certs{$file} ||= PEM_file2cert($file);
	my $scheme = $text;
	$scheme = { map { split(/=/, $_, 2) } split(/,/, $text) }
		if $text =~ /=/;
	my @answers = map {
		IO::Socket::SSL::verify_hostname_of_cert($_, $certs{$file},
			$scheme, $suffix eq 'off' ? '' : undef) ? 1 : 0
	} @hosts;
	print join(' ', @answers), "\n";
}
"""

TAGS = {"d": 0x82, "e": 0x81, "u": 0x86, "i": 0x87}

# Names as in the unit tests: d DNS, i IP, e e-mail, u URI; c is the CN.
CERTIFICATES = [
    "d:www.example.org",
    "d:WWW.Example.ORG",
    "d:example.org",
    "d:other.example.org",
    "d:*.example.org",
    "d:w*.example.org",
    "d:*w.example.org",
    "d:w*w.example.org",
    "d:www*.example.org",
    "d:*www.example.org",
    "d:w**.example.org",
    "d:*.*.org",
    "d:www.*.org",
    "d:*.org",
    "d:*.co.uk",
    "d:w*.co.uk",
    "d:*",
    "d:h*",
    "d:h*t",
    "d:host",
    "d:*.lan",
    "d:*.host.lan",
    "d:x*.example.org",
    "d:xn--*.example.org",
    "d:xn--b*.example.org",
    "d:*a.example.org",
    "d:*-kva.example.org",
    "d:xn--bcher-kva.example.org",
    "d:www.example.org.",
    "d:*.example.org.",
    "d:.example.org",
    "d:.www.example.org",
    "d:www..example.org",
    "d: www.example.org",
    "d:www.example.org ",
    "d:www.example.org\0.evil.org",
    "d:www.example.org\0",
    "d:\0www.example.org",
    "d:192.0.2.1",
    "d:*.0.2.1",
    "i:192.0.2.1",
    "i:2001:db8::1",
    "i:::ffff:192.0.2.1",
    "i:192.0.2.2 c:192.0.2.1",
    "i:192.0.2.2 c:www.example.org",
    "e:www.example.org",
    "e:a@example.org c:www.example.org",
    "e:a@example.org c:192.0.2.1",
    "u:https://www.example.org/",
    "d:other.example.org c:www.example.org",
    "d:other.example.org c:*.example.org",
    "d:other.example.org c:192.0.2.1",
    "d:other.example.org d:*.example.org",
    "c:www.example.org",
    "c:www.example.org.",
    "c:*.example.org",
    "c:w*.example.org",
    "c:*.co.uk",
    "c:*",
    "c:192.0.2.1",
    "c:2001:db8::1",
    "c:*.0.2.1",
    "c:other.example.org c:www.example.org",
    "c:www.example.org c:other.example.org",
]

HOSTS = ["www.example.org", "WWW.example.org", "ww.example.org",
         "example.org", "a.www.example.org", "xn--bcher-kva.example.org",
         "www.co.uk", "host", "host.lan", "a.host.lan", "192.0.2.1",
         "2001:db8::1", "::ffff:192.0.2.1", "www.example.org.",
         "evil.org"]

SCHEMES = ["rfc2818", "http", "smtp", "ldap", "sip", "gist", "default",
           "check_cn=always,wildcards_in_cn=anywhere",
           "check_cn=when_only,wildcards_in_cn=full_label,ip_in_cn=4",
           "check_cn=always,ip_in_cn=6,wildcards_in_alt=leftmost",
           "check_cn=always,ip_in_cn=1,wildcards_in_alt=anywhere"]

NAMES = """rfc2818 xmpp rfc3920 ftp rfc4217 http www smtp rfc2595 imap pop3
acap nntp rfc4642 netconf rfc5538 syslog rfc5425 snmp rfc5953 ldap rfc4513 sip
rfc5922 gist rfc5971 default none""".split()


def is_star(names):
    return any("*" in word for word in names.split(" "))


def common_names(names):
    return [word[2:] for word in names.split(" ") if word.startswith("c:")]


# Where sealock says otherwise than the module: why, when, and what.
DEVIATIONS = [
    ("a certificate's name that ends in a dot is no host's",
     lambda names, scheme, host, suffix: (names + " ").find(". ") > 0, False),
    ("a host's name does not end in a dot",
     lambda names, scheme, host, suffix: host.endswith("."), False),
    ("blanks around a name are not cut off",
     lambda names, scheme, host, suffix: names in (
         "d: www.example.org", "d:www.example.org "), False),
    ("a wildcard stands for no part of an A-label, at its end neither",
     lambda names, scheme, host, suffix: is_star(names) and
     "d:*.example.org" not in names and host.startswith("xn--"), False),
    ("a wildcard has a label behind it, whatever is said of suffixes",
     lambda names, scheme, host, suffix: host == "host" and is_star(names),
     False),
    ("an address in the CN counts without alternative names alone, as the "
     "manual has it",
     lambda names, scheme, host, suffix: common_names(names) == ["192.0.2.1"]
     and " " in names and "always" not in scheme and scheme != "default",
     False),
    ("an IPv6 address in the CN is one, as the manual has it",
     lambda names, scheme, host, suffix: names == "c:2001:db8::1" and
     host == "2001:db8::1", True),
    ("of several CNs the most specific one counts (RFC 2818)",
     lambda names, scheme, host, suffix: len(common_names(names)) > 1 and
     host.lower() == "www.example.org", True),
    ("of several CNs the others do not (RFC 2818)",
     lambda names, scheme, host, suffix: len(common_names(names)) > 1 and
     host != "192.0.2.1", False),
]


def der(tag, content):
    length = len(content)
    if length >= 128:
        digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
        return bytes((tag, 0x80 | len(digits))) + digits + content
    return bytes((tag, length)) + content


def words_of(names):
    """Blanks stand before a kind; others belong to a name."""
    words = []
    for word in names.split(" "):
        if word[1:2] == ":":
            words.append(word)
        else:
            words[-1] += " " + word
    return words


def certificate(t, key, number, names):
    """One with exactly these names, by bytes that no command would take."""
    alternatives, subject = b"", "/O=Names"
    for word in words_of(names):
        kind, text = word[0], word[2:]
        if kind == "c":
            subject += "/CN=" + text
        elif kind == "i":
            alternatives += der(TAGS[kind],
                                ipaddress.ip_address(text).packed)
        else:
            alternatives += der(TAGS[kind], text.encode())
    more = []
    if alternatives:
        more = ["-addext", "subjectAltName=DER:" +
                der(0x30, alternatives).hex()]
    path = t.path("names%d.pem" % number)
    openssl("req", "-x509", "-new", "-key", key, "-days", "1", "-subj",
            subject, *more, "-out", path)
    return path


def make_certificates(t, all_names):
    key = t.path("names.key")
    openssl("genpkey", "-algorithm", "ED25519", "-out", key)
    return [certificate(t, key, number, names)
            for number, names in enumerate(all_names)]


def judge(t, cells):
    """What the module says of (file, suffix, scheme, hosts)."""
    lines = "".join("\t".join((file, suffix, scheme, *hosts)) + "\n"
                    for file, suffix, scheme, hosts in cells)
    script = t.write("judge.pl", JUDGE)
    done = t.run("perl", script, stdin=lines, seconds=120).expect()
    return [[answer == "1" for answer in line.split(" ")]
            for line in done.out.splitlines()]


def ask(t, file, suffix, scheme, hosts):
    done = t.command("cert", "verify-name", "--json", "--scheme", scheme,
                     "--public-suffix", suffix, file, *hosts)
    answers = json.loads(done.out)
    assert done.status == (0 if all(a["matches"] for a in answers) else 1)
    return [a["matches"] for a in answers]


def compare(t, cells, names_of):
    """Every cell, all differences accounted for. Returns which."""
    used, wrong = set(), []
    for cell, theirs in zip(cells, judge(t, cells), strict=True):
        file, suffix, scheme, hosts = cell
        ours = ask(t, *cell)
        for host, mine, other in zip(hosts, ours, theirs, strict=True):
            if mine == other:
                continue
            for why, when, says in DEVIATIONS:
                if says == mine and when(names_of[file], scheme, host, suffix):
                    used.add(why)
                    break
            else:
                wrong.append("%r of %r under %s, suffixes %s: sealock says "
                             "%s, the module %s" % (
                                 host, names_of[file], scheme, suffix, mine,
                                 other))
    assert not wrong, "\n".join(wrong)
    return used


@limit(300)
def parity_P22_P23_P25_every_cell_as_the_module_has_it(t):
    """Under sanitizers every fifth: it is one short process a cell."""
    need_perl_module(t)
    files = make_certificates(t, CERTIFICATES)
    cells = [(file, "builtin", scheme, HOSTS) for file in files
             for scheme in SCHEMES]
    names_of = dict(zip(files, CERTIFICATES))
    cells += [(file, "off", "default", HOSTS) for file in files
              if is_star(names_of[file])]
    if t.sanitized:
        compare(t, cells[::5], names_of)
        return
    used = compare(t, cells, names_of)
    unused = {why for why, _, _ in DEVIATIONS} - used
    assert not unused, unused


def parity_P22_every_name_of_a_scheme(t):
    need_perl_module(t)
    chosen = ["d:w*.example.org", "d:other.example.org c:www.example.org",
              "c:*.example.org", "c:192.0.2.1"]
    files = make_certificates(t, chosen)
    hosts = ["www.example.org", "192.0.2.1"]
    compare(t, [(file, "builtin", scheme, hosts) for file in files
                for scheme in NAMES], dict(zip(files, chosen)))


def parity_P28_cert_verify_name(t):
    """The name, the reason, the exit status."""
    file, = make_certificates(t, ["d:*.example.org d:*.co.uk i:192.0.2.1 "
                                  "c:common.example.net"])
    done = t.command("cert", "verify-name", file, "www.example.org",
                     "192.0.2.1").expect()
    assert done.out == ("www.example.org: yes, by dns *.example.org\n"
                        "192.0.2.1: yes, by ip 192.0.2.1\n"), done
    for words, why in (
            (("x.co.uk",), "its wildcard *.co.uk stands for a whole public "
                           "suffix"),
            (("--scheme", "sip", "www.example.org"),
             "its wildcard *.example.org is none that the scheme allows"),
            (("common.example.net",),
             "its common name common.example.net does not count beside "
             "alternative names"),
            (("other.example.net",),
             "it is for *.example.org, *.co.uk, 192.0.2.1 and 1 more")):
        words = words[:-1] + (file, words[-1])
        done = t.command("cert", "verify-name", *words).expect(1)
        assert done.out == "%s: no, %s\n" % (words[-1], why), done
    t.command("cert", "verify-name", "--scheme", "smtp", file,
              "common.example.net").expect()
    t.command("cert", "verify-name", "--scheme", "none", file,
              "other.example.net").expect()
    t.command("cert", "verify-name", "--public-suffix", "off", file,
              "x.co.uk").expect()
    answer, = json.loads(t.command("cert", "verify-name", "--json", file,
                                   "WWW.Example.org").expect().out)
    assert answer == {
        "file": file, "name": "WWW.Example.org", "scheme": "http",
        "public_suffix": "builtin", "matches": True,
        "by": {"kind": "dns", "name": "*.example.org"},
        "why_not": None}, answer


def parity_P25_suffixes_from_a_file(t):
    file, = make_certificates(t, ["d:*.corp.example.org d:*.co.uk"])
    own = t.write("suffixes.dat", "org\nuk\ncorp.example.org\n")
    for suffix, hosts in (("builtin", {"a.corp.example.org": 0,
                                       "a.co.uk": 1}),
                          (own, {"a.corp.example.org": 1, "a.co.uk": 0}),
                          ("off", {"a.corp.example.org": 0, "a.co.uk": 0})):
        for host, status in hosts.items():
            t.command("cert", "verify-name", "--public-suffix", suffix, file,
                      host).expect(status)
    for bad, word in (("/nonexistent", "No such file"),
                      (t.write("empty.dat", ""), "no rule"),
                      (t.write("remarks.dat", "// nothing\n"), "no rule")):
        done = t.command("cert", "verify-name", "--public-suffix", bad, file,
                         "a.co.uk").expect(1)
        assert word in done.err and bad in done.err, done


def test_international_names(t):
    """As they are written; in the certificate they are A-labels."""
    file, = make_certificates(t, ["d:xn--bcher-kva.example d:*.xn--fsq.jp"])
    t.command("cert", "verify-name", file, "b\u00fccher.example",
              "B\u00dcCHER.example", "www.\u4f8b.jp",
              "xn--bcher-kva.example").expect()
    for bad in ("b\u00fccher.example.", "\u4f8b.jp"):
        t.command("cert", "verify-name", file, bad).expect(1)


def test_usage(t):
    file, = make_certificates(t, ["d:a.example"])
    for words, hint in (((), "which file"), ((file,), "which name"),
                        (("--scheme", "htpt", file, "a"), "did you mean http"),
                        (("--scheme", "check_cn=x", file, "a"),
                         "never, when_only, always"),
                        (("--scheme",), "needs a value"),
                        (("--nonsense", file, "a"), "--nonsense")):
        done = t.command("cert", "verify-name", *words).expect(2)
        assert hint in done.err and not done.out, done
    done = t.command("cert", "verify-name", os.devnull, "a").expect(1)
    assert os.devnull in done.err, done
    t.command("cert", "verify-name", "-", "a.example",
              stdin=read(file).decode()).expect()
