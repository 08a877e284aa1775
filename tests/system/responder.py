# SPDX-License-Identifier: BSD-2-Clause
"""HTTP servers that are no good, or count what they are asked: what an OCSP
responder, or a proxy on the way to one, could do to us."""

import base64
import re
import socket
import threading
import time
import urllib.parse


def reply(body, status="200 OK", headers=""):
    return (b"HTTP/1.1 %s\r\nContent-Type: application/ocsp-response\r\n%s"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % (
                status.encode(), headers.encode(), len(body))) + body


def elsewhere(location):
    return reply(b"", "302 Found", "Location: %s\r\n" % location)


class Request:
    def __init__(self, head, body):
        self.head = head.decode("latin-1")
        self.method, self.target = self.head.split(" ")[:2]
        self.body = body
        self.at = time.monotonic()

    @property
    def path(self):
        """Without what a GET has put behind it."""
        return "/" + self.target.lstrip("/").split("/")[0]

    @property
    def der(self):
        """The OCSP request."""
        if self.method == "POST":
            return self.body
        return base64.b64decode(urllib.parse.unquote(
            self.target.rstrip("/").rsplit("/", 1)[1]))

    def certificates(self):
        """How many certificates it is about: each is named by SHA-1."""
        return self.der.count(bytes.fromhex("06052b0e03021a"))


class HttpServer:
    """Calls behave(request) for each request and sends what it returns: bytes;
    an iterable of them, with pauses in it (numbers); None: nothing, and the
    connection stays open. By default there is one answer for each path, in
    answers."""

    def __init__(self, t, answers=None, behave=None):
        self.answers = answers if answers is not None else {}
        self.behave = behave or (lambda request: self.answers[request.path])
        self.requests = []
        self.visits = 0
        self.open = []
        self.listening = socket.create_server(("127.0.0.1", t.port()),
                                              backlog=128)
        self.port = self.listening.getsockname()[1]
        t.defer(self._close)
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, path="/", host="127.0.0.1"):
        return "http://%s:%d%s" % (host, self.port, path)

    def asked(self, path):
        return [request for request in self.requests
                if request.path == path]

    def _close(self):
        self.listening.close()
        for connection in self.open:
            connection.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._answer, args=(connection,),
                             daemon=True).start()

    def _answer(self, connection):
        try:
            request = self._read(connection)
            self.requests.append(request)
            answer = self.behave(request)
            if answer is None:
                self.open.append(connection)
                return
            for piece in [answer] if isinstance(answer, bytes) else answer:
                if isinstance(piece, bytes):
                    connection.sendall(piece)
                else:
                    time.sleep(piece)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            while connection.recv(65536):
                pass
        except (OSError, ValueError):
            pass
        connection.close()

    @staticmethod
    def _read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += HttpServer._more(connection)
        head, body = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        while length and len(body) < int(length.group(1)):
            body += HttpServer._more(connection)
        return Request(head, body)

    @staticmethod
    def _more(connection):
        data = connection.recv(65536)
        if not data:
            raise ValueError("half a request")
        return data


class Proxy(HttpServer):
    """Passes requests on to where their addresses say, or, for hosts that
    nobody else knows, to instead."""

    def __init__(self, t, instead):
        self.instead = instead
        super().__init__(t, behave=self._pass_on)

    def _pass_on(self, request):
        place = urllib.parse.urlsplit(request.target)
        path = place.path or "/"
        with socket.create_connection(("127.0.0.1", self.instead)) as there:
            there.sendall(("%s %s HTTP/1.1\r\nHost: %s\r\n"
                           "Content-Length: %d\r\nConnection: close\r\n\r\n"
                           % (request.method, path, place.netloc,
                              len(request.body))).encode() + request.body)
            answer = b""
            while True:
                data = there.recv(65536)
                if not data:
                    return answer
                answer += data
