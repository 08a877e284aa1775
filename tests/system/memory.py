# SPDX-License-Identifier: BSD-2-Clause
"""Which secrets are in the memory of a process: the numbers of a private key in
the forms that DER and OpenSSL's BIGNUM have them, its PEM, a pass-phrase.

Pieces of 16 bytes are looked for, not whole numbers: malloc() writes its own
links over the beginning of what was freed.
"""

import base64
import os
import re
import sys

from pki import read

PIECE = 16
CHUNK = 8 << 20


def _elements(der):
    """The (tag, content) of each element in DER bytes."""
    found = []
    while der:
        length, start = der[1], 2
        if length & 0x80:
            start += length & 0x7f
            length = int.from_bytes(der[2:start], "big")
        found.append((der[0], der[start:start + length]))
        der = der[start + length:]
    return found


def _numbers(key_der):
    """The secret numbers of a PKCS#8 key, in the order of bytes of DER."""
    ((_, info),) = _elements(key_der)
    inner = _elements(info)[2][1]
    tag, content = _elements(inner)[0]
    if tag == 4:  # RFC 8410: the key alone
        return [content]
    elements = _elements(content)
    if elements[1][0] == 4:  # RFC 5915: version, key
        return [elements[1][1]]
    # RFC 8017 A.1.2: version, n, e, d, p, q, and what can be computed
    return [content.lstrip(b"\0") for _, content in elements[3:6]]


def _pieces(secret):
    """Two pieces, neither of them at the beginning where there is more."""
    start = PIECE if len(secret) >= 3 * PIECE else 0
    return {secret[start:start + PIECE], secret[-PIECE:]}


def _pem_piece(der, number):
    """A piece of what stands in a PEM file for the number."""
    first = -(der.index(number) // -3) * 4
    if first % 64 > 64 - PIECE:
        first += 64 - first % 64
    return base64.b64encode(der)[first:first + PIECE]


def _der(certificate):
    lines = read(certificate.key).split(b"\n")
    return base64.b64decode(b"".join(lines[1:-2]))


def file_patterns(certificate):
    """What tells that the private key is there as its file has it."""
    der = _der(certificate)
    patterns = set()
    for number in _numbers(der):
        patterns |= _pieces(number) | {_pem_piece(der, number)}
    return patterns


def key_patterns(certificate):
    """What tells that the certificate's private key is there."""
    patterns = file_patterns(certificate)
    for number in _numbers(_der(certificate)):
        patterns |= _pieces(number[::-1])
    return patterns


def _regions(pid):
    """(start, end) of what a process can read. The program and its libraries
    are left out as far as they are what their files are."""
    with open("/proc/%d/maps" % pid) as file:
        for line in file:
            addresses, permissions = line.split()[:2]
            is_program = permissions[1] == "-" and re.search(
                r"/sealock$|\.so[.0-9]*$", line)
            if permissions[0] == "r" and "[v" not in line and not is_program:
                start, end = addresses.split("-")
                yield int(start, 16), int(end, 16)


def _chunks(pid):
    """(where its mapping begins, bytes)."""
    overlap = 64
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as file:
        for begin, end in _regions(pid):
            start = begin
            while start < end:
                try:
                    data = os.pread(file.fileno(), min(CHUNK, end - start),
                                    start)
                except OSError:  # behind the end of a mapped file
                    break
                yield begin, data
                if start + len(data) >= end or len(data) <= overlap:
                    break
                start += len(data) - overlap


def mappings_with(pid, patterns):
    """patterns is {name: set of bytes}; for each name the mappings of the
    process that have anything of it, by their first address."""
    assert sys.byteorder == "little"
    found = {name: set() for name in patterns}
    for begin, data in _chunks(pid):
        for name, pieces in patterns.items():
            if any(piece in data for piece in pieces):
                found[name].add(begin)
    return found


def found_in(pid, patterns):
    """The names of which anything is in the memory of the process."""
    return {name for name, mappings in mappings_with(pid, patterns).items()
            if mappings}


def mappings_of_secrets(pid):
    """Those that no core file has, and that are zero in what is forked."""
    found = set()
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            address = re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line)
            if address:
                begin = int(address[1], 16)
            elif line.startswith("VmFlags:") and {"dd", "wf"} <= set(
                    line.split()):
                found.add(begin)
    return found


def secret_pieces(secret):
    """What tells that any of it is there."""
    return {secret[at:at + PIECE]
            for at in range(0, len(secret) - PIECE + 1, PIECE)}
