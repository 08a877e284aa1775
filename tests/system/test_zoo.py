# SPDX-License-Identifier: BSD-2-Clause
"""The certificate zoo (zoo.py) before both gates, under TLS 1.2 and 1.3: who
gets in, and that nobody else's backend hears of a connection or a byte."""

import os
import re
import socket
import ssl
import threading

from harness import limit
from streams import echo
from zoo import CERT, NAME, OK, Zoo

WORDS = b"for the right one alone"
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}

# For what is not for sealock to tell: Python's OpenSSL does not load them.
NOT_LOADED = "cannot be loaded by who should present it"

CONNECT_REASONS = {OK: {"done"}, NAME: {"backend_name_mismatch"},
                   CERT: {"backend_cert_rejected",
                          "backend_handshake_failed"}}
ACCEPT_REASONS = {OK: {"done"}, CERT: {"client_cert_rejected",
                                       "handshake_failed"}}


def present(purpose, version, file):
    """A context that shows this certificate, however odd, or None."""
    context = ssl.SSLContext(purpose)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        context.load_cert_chain(file)
    except (ssl.SSLError, OSError):
        return None
    return context


def is_one_line(path):
    """No byte in the log does anything but stand there."""
    with open(path, "rb") as file:
        text = file.read()
    text.decode()
    return not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", text) and (
        b"\xc2\x9b" not in text and "\u202e".encode() not in text)


class Backend:
    """One TLS server for all of them, told apart by the name asked for; how
    many bytes each one heard."""

    def __init__(self, t, version, files):
        self.contexts = {
            title: present(ssl.PROTOCOL_TLS_SERVER, version, file)
            for title, file in files.items()}
        self.heard = dict.fromkeys(files, 0)
        self.titles = list(files)
        self.listening = socket.create_server(("127.0.0.1", t.port()))
        self.port = self.listening.getsockname()[1]
        t.defer(self.close)
        self.front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.front.minimum_version = VERSIONS[version]
        self.front.maximum_version = VERSIONS[version]
        self.front.set_ciphers("ALL:@SECLEVEL=0")
        self.front.sni_callback = self._choose
        threading.Thread(target=self._run, daemon=True).start()

    def _choose(self, tls, name, _):
        title = self.titles[int(name[1:].split(".")[0])]
        tls.context = self.contexts[title]
        self.asked = title

    def _run(self):
        while True:
            try:
                connected, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connected,),
                             daemon=True).start()

    def _serve(self, connected):
        connected.settimeout(20)
        self.asked = None
        try:
            with self.front.wrap_socket(connected, server_side=True) as tls:
                title = self.asked
                data = tls.recv(100)
                self.heard[title] += len(data)
                tls.sendall(data)
                tls.unwrap()
        except (OSError, ssl.SSLError):
            connected.close()

    def close(self):
        self.listening.close()


def write_all(t, zoo):
    os.mkdir(t.path("zoo"))
    os.chmod(t.path("zoo"), 0o755)
    files = {}
    for animal in zoo.animals:
        assert animal.title not in files, animal.title
        files[animal.title] = animal.write(t.path("zoo"))
    root = t.write("root.pem", ssl.DER_cert_to_PEM_cert(zoo.root.der))
    return files, root


def ask(path):
    """Say the words to a service, and what comes back, if anything does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(path)
        try:
            client.sendall(WORDS)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while more := client.recv(100):
                answer += more
            return answer
        except OSError:
            return b""


def wrong_backends(t, d, zoo, version, backend):
    wrong = []
    for i, animal in enumerate(zoo.animals):
        service = "z%d-%s" % (i, version[-1])
        if not backend.contexts[animal.title]:
            print("%s: %s" % (animal.title, NOT_LOADED))
            continue
        answer = ask(t.path(service))
        record = d.wait_access(service=service)
        heard = backend.heard[animal.title]
        is_right = record["reason"] in CONNECT_REASONS[animal.connect] and (
            (answer, heard) == ((WORDS, len(WORDS)) if animal.connect == OK
                                else (b"", 0)))
        if not is_right:
            wrong.append("%s %s should be %s: heard %d, %s, %s" % (
                version, animal.title, animal.connect, heard,
                record["reason"], record.get("detail")))
    return wrong


@limit(240)
def test_zoo_of_backends(t):
    """A wrong, expired or misnamed backend never receives one byte."""
    zoo = Zoo()
    files, root = write_all(t, zoo)
    backends = {version: Backend(t, version, files) for version in VERSIONS}
    services = {}
    for version, backend in backends.items():
        for i, animal in enumerate(zoo.animals):
            service = "z%d-%s" % (i, version[-1])
            services[service] = {
                "accept": {"address": "unix:" + t.path(service)},
                "connect": {"address": "127.0.0.1:%d" % backend.port, "tls": {
                    "server_name": "n%d.zoo.test" % i,
                    "verify": {"ca": root, "name": animal.wanted}}}}
    d = t.daemon(services)
    wrong = []
    for version, backend in backends.items():
        wrong += wrong_backends(t, d, zoo, version, backend)
    assert not wrong, "\n".join([""] + wrong)
    assert is_one_line(d.access_log) and is_one_line(d.log)


def knock(d, context):
    """A client with a certificate: what the backend sent back to it."""
    with socket.create_connection(("127.0.0.1", d.port()), 20) as plain:
        try:
            with context.wrap_socket(plain) as tls:
                tls.sendall(WORDS)
                answer = tls.recv(100)
                tls.unwrap()
                return answer
        except (OSError, ssl.SSLError):
            return b""


@limit(240)
def test_zoo_of_clients(t):
    """A rejected client reaches no backend."""
    zoo = Zoo()
    files, root = write_all(t, zoo)
    server = t.server(echo)
    d = t.daemon({"s": {
        "accept": t.gate(verify={"mode": "required", "ca": root}),
        "connect": "127.0.0.1:%d" % server.port}})
    wrong, count = [], 0
    for version in VERSIONS:
        for animal in zoo.animals:
            context = present(ssl.PROTOCOL_TLS_CLIENT, version,
                              files[animal.title])
            if not context:
                print("%s: %s" % (animal.title, NOT_LOADED))
                continue
            before = len(server.contacts)
            count += 1
            answer = knock(d, context)
            record = d.wait_access(count)
            reached = len(server.contacts) - before
            is_right = record["reason"] in ACCEPT_REASONS[animal.accept] and (
                (answer, reached) == (
                    (WORDS, 1) if animal.accept == OK else (b"", 0)))
            if not is_right:
                wrong.append("%s %s should be %s: %d backends, %s, %s" % (
                    version, animal.title, animal.accept, reached,
                    record["reason"], record.get("detail")))
    assert not wrong, "\n".join([""] + wrong)
    assert is_one_line(d.access_log) and is_one_line(d.log)
