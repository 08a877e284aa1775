# SPDX-License-Identifier: BSD-2-Clause
"""A name server for the tests: as small as one can be, and obedient."""

import ipaddress
import socket
import struct
import threading

A, AAAA = 1, 28
NXDOMAIN = 3


class NameServer:
    """Answers over UDP from `names`: {"web.test": ["127.0.0.1", "::1"]}.
    is_silent makes it swallow questions."""

    def __init__(self, test, names):
        self.names = names
        self.is_silent = False
        self.questions = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", test.port()))
        test.defer(self.socket.close)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.socket.getsockname()[1]

    def _serve(self):
        while True:
            try:
                question, asker = self.socket.recvfrom(4096)
            except OSError:
                return
            self.questions += 1
            if not self.is_silent:
                self.socket.sendto(self._answer(question), asker)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]])
            at += 1 + question[at]
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        name = b".".join(labels).decode().lower()
        known = name in self.names
        records = b""
        count = 0
        for text in self.names.get(name, []):
            address = ipaddress.ip_address(text)
            if kind != (A if address.version == 4 else AAAA):
                continue
            packed = address.packed
            records += struct.pack(">HHHIH", 0xc00c, kind, 1, 1,
                                   len(packed)) + packed
            count += 1
        flags = 0x8580 | (0 if known else NXDOMAIN)
        header = question[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0)
        return header + question[12:at + 5] + records
