# SPDX-License-Identifier: BSD-2-Clause
"""Ends of connections that the tests hold: clients and servers, plain and TLS.

TLS runs over memory BIOs, so that a test decides what goes onto the wire: a
close_notify without a FIN, a FIN without a close_notify, a reset.
"""

import errno
import socket
import ssl
import struct
import threading

PATIENCE = 20.0  # seconds until a silent peer fails a test


class Ended(Exception):
    """The stream ended, but not cleanly."""


class Reset(Ended):
    """The peer reset the TCP connection."""


class Truncated(Ended):
    """TCP ended without TLS's close_notify."""


def raise_reset(error):
    """Within an except clause: a Reset if this is one."""
    if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
        raise Reset(str(error)) from None
    raise error


class Plain:
    """A TCP or UNIX connection."""

    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(PATIENCE)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise_reset(error)

    def recv(self, size=65536):
        """Some bytes; b"" at a clean end."""
        try:
            return self.socket.recv(size)
        except OSError as error:
            raise_reset(error)

    def finish(self):
        """The end of what we send; receiving goes on."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def drop(self):
        """Close as a process that ends does."""
        self.socket.close()

    def reset(self):
        """Close with a TCP reset."""
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What follows is the same with TLS.

    def read_exactly(self, size):
        """size bytes; an end before that is an error."""
        parts = bytearray()
        while len(parts) < size:
            data = self.recv(min(65536, size - len(parts)))
            if not data:
                raise Ended("clean end after %d of %d bytes" %
                            (len(parts), size))
            parts += data
        return bytes(parts)

    def read_until(self, mark):
        parts = bytearray()
        while mark not in parts:
            data = self.recv()
            if not data:
                raise Ended("clean end after %r" % bytes(parts[-80:]))
            parts += data
        return bytes(parts)

    def read_all(self):
        """Everything up to the end, and how that was: clean, reset,
        truncated."""
        parts = bytearray()
        while True:
            try:
                data = self.recv()
            except Reset:
                return bytes(parts), "reset"
            except Truncated:
                return bytes(parts), "truncated"
            if not data:
                return bytes(parts), "clean"
            parts += data

    def exchange(self, data):
        """Send and read as much back, as from an echo."""
        self.send(data)
        return self.read_exactly(len(data))

    def expect_echo(self, data=b"ping"):
        got = self.exchange(data)
        assert got == data, "sent %r, the echo was %r" % (data, got)


class Tls(Plain):
    """TLS over a connected socket; the handshake is made by handshake()."""

    def __init__(self, connected, context, server_side=False, name=None):
        super().__init__(connected)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._lock = threading.Lock()     # the SSL object and its BIOs
        self._sending = threading.Lock()  # the socket's sending side
        self.ssl = context.wrap_bio(self._in, self._out, server_side, name)

    def _flush(self):
        # The sending lock keeps the order; the other one stays free, so that
        # a sender who is stuck does not keep the receiver from reading.
        if not self._out.pending:
            return
        with self._sending:
            with self._lock:
                data = self._out.read()
            super().send(data)

    def _fill(self):
        data = super().recv()
        with self._lock:
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()

    def _drive(self, call):
        while True:
            try:
                with self._lock:
                    result = call()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                try:
                    self._flush()  # an alert of ours
                except (Ended, OSError):
                    pass
                if (isinstance(error, ssl.SSLEOFError) or
                        error.reason == "UNEXPECTED_EOF_WHILE_READING"):
                    raise Truncated(str(error)) from None
                raise

    def handshake(self):
        self._drive(self.ssl.do_handshake)
        return self

    def send(self, data):
        view = memoryview(data)
        # Not all of it at once into the BIO's memory.
        for start in range(0, len(view), 262144):
            part = view[start:start + 262144]
            self._drive(lambda part=part: self.ssl.write(part))

    def recv(self, size=65536):
        return self._drive(lambda: self.ssl.read(size))

    def finish(self):
        """close_notify; receiving goes on."""
        with self._lock:
            # unwrap() would also look for the peer's, and trip over data:
            # let it find nothing.
            unread = self._in.read()
            try:
                self.ssl.unwrap()
            except (ssl.SSLError, ValueError):
                pass
            if unread:
                self._in.write(unread)
        try:
            self._flush()
        except (Ended, OSError):
            pass

    def close(self):
        self.finish()
        self.socket.close()

    @property
    def version(self):
        return self.ssl.version()

    @property
    def cipher(self):
        return self.ssl.cipher()[0]

    @property
    def alpn(self):
        return self.ssl.selected_alpn_protocol()

    def certificate(self):
        """The peer's certificate, DER; None without one."""
        return self.ssl.getpeercert(True)


VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def _context(protocol, versions, ciphers, alpn):
    context = ssl.SSLContext(protocol)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if versions:
        versions = [versions] if isinstance(versions, str) else versions
        context.minimum_version = VERSIONS[versions[0]]
        context.maximum_version = VERSIONS[versions[-1]]
        if VERSIONS[versions[0]] < ssl.TLSVersion.TLSv1_2:
            ciphers = ciphers or "ALL:@SECLEVEL=0"
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def client_context(ca=None, versions=None, ciphers=None, alpn=None,
                   certificate=None, verify_name=False):
    """ca: a Certificate to verify with; None verifies nothing."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, versions, ciphers, alpn)
    context.check_hostname = bool(ca) and verify_name
    if ca:
        context.load_verify_locations(ca.cert)
    else:
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    return context


def server_context(certificate, versions=None, ciphers=None, alpn=None,
                   client_ca=None):
    """client_ca: demand a client certificate of that CA."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, versions, ciphers, alpn)
    context.load_cert_chain(certificate.chain, certificate.key)
    if client_ca:
        context.load_verify_locations(client_ca.cert)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_hello(name="web.test"):
    """The bytes of a whole ClientHello."""
    outgoing = ssl.MemoryBIO()
    client = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, False, name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Contact:
    """One connection that a Server accepted."""

    def __init__(self, stream, peer):
        self.stream = stream
        self.peer = peer
        self.received = bytearray()  # what the ready-made handlers read
        self.end = None              # clean, reset, truncated
        self.error = None            # what the handshake or handler raised
        self.server_name = None
        self.over = threading.Event()

    def read_all(self):
        data, self.end = self.stream.read_all()
        self.received += data
        return data


class Server:
    """A backend on a thread; handler(contact) is called on one for each
    connection. The contacts stay listed for the test to look at."""

    def __init__(self, listening, handler, tls=None):
        self.socket = listening
        self.handler = handler
        self.tls = tls
        self.contacts = []
        self._names = threading.local()
        if tls:
            tls.sni_callback = self._note_name
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    @property
    def address(self):
        """As sealock's configuration writes it."""
        name = self.socket.getsockname()
        if self.socket.family == socket.AF_UNIX:
            if isinstance(name, bytes):
                return "unix:@" + name[1:].decode()
            return "unix:" + name
        if self.socket.family == socket.AF_INET6:
            return "[%s]:%d" % name[:2]
        return "%s:%d" % name

    def _note_name(self, _, name, __):
        self._names.contact.server_name = name

    def _accept(self):
        while True:
            try:
                accepted, peer = self.socket.accept()
            except OSError:
                return
            contact = Contact(Plain(accepted), peer)
            self.contacts.append(contact)
            threading.Thread(target=self._serve, args=(contact,),
                             daemon=True).start()

    def _serve(self, contact):
        try:
            if self.tls:
                self._names.contact = contact
                contact.stream = Tls(contact.stream.socket, self.tls, True)
                contact.stream.handshake()
            self.handler(contact)
        except (Ended, OSError) as error:
            contact.error = error
        finally:
            try:
                contact.stream.close()
            except (Ended, OSError):
                pass
            contact.over.set()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        for contact in self.contacts:
            contact.stream.socket.close()


# Handlers.


def echo(contact):
    """Send back what comes, and end when the other side has."""
    while True:
        try:
            data = contact.stream.recv()
        except Reset:
            contact.end = "reset"
            return
        except Truncated:
            contact.end = "truncated"
            return
        if not data:
            contact.end = "clean"
            contact.stream.finish()
            return
        contact.received += data
        contact.stream.send(data)


def sink(contact):
    """Read all, say nothing, end when the other side has."""
    contact.read_all()


def silent(contact):
    """Neither read nor write until the test is over."""
    threading.Event().wait()


def speaker(data):
    """Send these bytes, end, and read what comes until the end."""
    def handler(contact):
        contact.stream.send(data)
        contact.stream.finish()
        contact.read_all()
    return handler


def greeter(data):
    """Send these bytes, then be an echo."""
    def handler(contact):
        contact.stream.send(data)
        echo(contact)
    return handler


def resetter(contact):
    contact.stream.reset()
