"""Transfers that are begun, and go on when they are told to: what the fault tests put in the way of.

A reader has begun when its first bytes have come, a sender when half of its file has gone; finish() does the rest.
"""
import ftplib
import ssl
import struct

from house import Tftp, check, connect, equal, read_to_end, tftp_ack

BLOCK = 1024


def tls_to(port, receive_bytes=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connect(port, receive_bytes))


def log_in(d):
    ftp = ftplib.FTP()
    ftp.connect('127.0.0.1', d.ftp, 30)
    ftp.login()
    ftp.voidcmd('TYPE I')
    return ftp


class HttpReader:
    """By HTTP or HTTPS."""

    def __init__(self, d, name, tls=False):
        self.s = tls_to(d.https, 4096) if tls else connect(d.http, 4096)
        self.s.sendall(f'GET /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
        self.got = self.s.recv(1000)

    def sip(self):
        self.got += self.s.recv(1)

    def finish(self):
        self.got += read_to_end(self.s)
        return self.got.partition(b'\r\n\r\n')[2]

    def close(self):
        self.s.close()


class HttpsReader(HttpReader):
    def __init__(self, d, name):
        super().__init__(d, name, tls=True)


class FtpReader:
    def __init__(self, d, name):
        self.ftp = log_in(d)
        self.data = self.ftp.transfercmd('RETR ' + name)
        self.got = self.data.recv(1000)

    def sip(self):
        self.got += self.data.recv(1)

    def finish(self):
        self.got += read_to_end(self.data)
        self.data.close()
        self.ftp.voidresp()
        return self.got

    def close(self):
        self.data.close()
        self.ftp.close()


class TftpReader:
    def __init__(self, d, name):
        self.t = Tftp(d.tftp)
        self.t.ask(name, blksize=1468)
        equal(self.t.receive()[0], 'oack')
        self.t.send(tftp_ack(0))
        self.first = self.t.receive()

    def finish(self):
        self.t.send(tftp_ack(1))
        kind, rest = self.t.fetch_rest(1468, 2)
        equal(kind, 'file')
        return self.first[2] + rest

    def close(self):
        self.t.socket.close()


class HttpSender:
    """True from finish(): it was taken."""

    def __init__(self, d, name, data, tls=False):
        self.s = tls_to(d.https) if tls else connect(d.http)
        self.rest = data[len(data) // 2:]
        head = f'PUT /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n'
        self.s.sendall(head.encode() + data[:len(data) // 2])

    def finish(self):
        try:
            self.s.sendall(self.rest)
        except OSError:
            pass
        self.said = read_to_end(self.s)[:12].decode()
        return self.said in ('HTTP/1.1 201', 'HTTP/1.1 204')

    def close(self):
        self.s.close()


class HttpsSender(HttpSender):
    def __init__(self, d, name, data):
        super().__init__(d, name, data, tls=True)


class FtpSender:
    def __init__(self, d, name, data):
        self.ftp = log_in(d)
        self.rest = data[len(data) // 2:]
        self.data = self.ftp.transfercmd('STOR ' + name)
        self.data.sendall(data[:len(data) // 2])

    def finish(self):
        try:
            self.data.sendall(self.rest)
        except OSError:
            pass
        self.data.close()
        try:
            self.said = self.ftp.voidresp()
        except (ftplib.error_temp, ftplib.error_perm, EOFError, OSError) as error:
            self.said = str(error)
        return self.said.startswith('226')

    def close(self):
        self.data.close()
        self.ftp.close()


class TftpSender:
    def __init__(self, d, name, data, patience_s=30):
        self.t = Tftp(d.tftp)
        self.t.socket.settimeout(patience_s)
        self.t.ask(name, opcode=2, blksize=BLOCK)
        self.blocks = [data[at:at + BLOCK] for at in range(0, len(data) // BLOCK * BLOCK + 1, BLOCK)]
        self.answer = self.t.receive()
        self.send(self.blocks[:len(self.blocks) // 2], 1)

    def send(self, blocks, first):
        """False: refused."""
        for number, block in enumerate(blocks, first):
            if self.answer[0] == 'error':
                return False
            self.t.send(struct.pack('!HH', 3, number & 0xffff) + block)
            self.answer = self.t.receive()
        return self.answer[0] == 'ack'

    def finish(self):
        half = len(self.blocks) // 2
        taken = self.send(self.blocks[half:], half + 1)
        self.said = str(self.answer[:2])
        return taken

    def close(self):
        self.t.socket.close()


READERS = (HttpReader, HttpsReader, FtpReader, TftpReader)
SENDERS = (HttpSender, HttpsSender, FtpSender, TftpSender)


def taken(sender):
    check(sender.finish(), f'{type(sender).__name__}: {sender.said}')
