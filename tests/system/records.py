# SPDX-License-Identifier: BSD-2-Clause
"""TLS 1.3 records of our own making, for what no library would send: halves of
messages, floods of KeyUpdates, records of one byte.

The cipher suite is TLS_CHACHA20_POLY1305_SHA256, in plain Python (RFC 8439),
and the secrets come from the key log of Python's ssl, which has made the
handshake and goes on reading.
"""

import hashlib
import hmac
import struct

SUITE = "TLS_CHACHA20_POLY1305_SHA256"

HANDSHAKE = 22
APPLICATION = 23

KEY_UPDATE = b"\x18\x00\x00\x01\x00"            # RFC 8446 4.6.3
KEY_UPDATE_REQUESTED = b"\x18\x00\x00\x01\x01"  # ... to be answered


def _rotate(value, count):
    return (value << count | value >> 32 - count) & 0xffffffff


def _chacha_block(key, counter, nonce):
    initial = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
               *struct.unpack("<8I", key), counter,
               *struct.unpack("<3I", nonce)]
    x = list(initial)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14),
                           (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12),
                           (2, 7, 8, 13), (3, 4, 9, 14)):
            x[a] = x[a] + x[b] & 0xffffffff
            x[d] = _rotate(x[d] ^ x[a], 16)
            x[c] = x[c] + x[d] & 0xffffffff
            x[b] = _rotate(x[b] ^ x[c], 12)
            x[a] = x[a] + x[b] & 0xffffffff
            x[d] = _rotate(x[d] ^ x[a], 8)
            x[c] = x[c] + x[d] & 0xffffffff
            x[b] = _rotate(x[b] ^ x[c], 7)
    return struct.pack("<16I", *(one + other & 0xffffffff
                                 for one, other in zip(x, initial)))


def _poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for at in range(0, len(message), 16):
        block = message[at:at + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def _seal(key, nonce, text, additional):
    stream = b"".join(_chacha_block(key, 1 + i, nonce)
                      for i in range((len(text) + 63) // 64))
    sealed = bytes(a ^ b for a, b in zip(text, stream))
    tag = _poly1305(_chacha_block(key, 0, nonce)[:32], b"".join((
        additional, bytes(-len(additional) % 16),
        sealed, bytes(-len(sealed) % 16),
        struct.pack("<QQ", len(additional), len(sealed)))))
    return sealed + tag


def _expand(secret, label, length):
    label = b"tls13 " + label
    what = struct.pack(">HB", length, len(label)) + label + b"\x00"
    return hmac.digest(secret, what + b"\x01", hashlib.sha256)[:length]


class Records:
    """One direction, from its first record after the handshake on; skipped
    says how many have been sent already (tickets, say)."""

    def __init__(self, secret, skipped=0):
        self._use(secret)
        self.number = skipped

    @classmethod
    def from_key_log(cls, path, label, skipped=0):
        """label: CLIENT or SERVER; the last such secret in the file."""
        with open(path) as file:
            found = [line.split()[2] for line in file
                     if line.startswith(label + "_TRAFFIC_SECRET_0 ")]
        return cls(bytes.fromhex(found[-1]), skipped)

    def _use(self, secret):
        self.secret = secret
        self.key = _expand(secret, b"key", 32)
        self.iv = int.from_bytes(_expand(secret, b"iv", 12), "big")
        self.number = 0

    def record(self, content, kind=APPLICATION, padding=0):
        """One record with this content."""
        inner = content + bytes([kind]) + bytes(padding)
        header = b"\x17\x03\x03" + struct.pack(">H", len(inner) + 16)
        nonce = (self.iv ^ self.number).to_bytes(12, "big")
        self.number += 1
        return header + _seal(self.key, nonce, inner, header)

    def update(self):
        """New keys: what stands behind a KeyUpdate."""
        self._use(_expand(self.secret, b"traffic upd", 32))

    def key_update(self, is_requested=False):
        sent = self.record(KEY_UPDATE_REQUESTED if is_requested
                           else KEY_UPDATE, HANDSHAKE)
        self.update()
        return sent
