"""Crowds: thousands of connections that say nothing more, what they cost, and what the others notice of them."""
import contextlib
import time

from house import check, connect, equal, http_get, is_sanitized, resident_kib, serving, tftp_get
from tap import main, test

HTTP, FTP = 10_000, 2_000
# Bytes of the server's memory. A connection's struct has 352, a session's with its data connection at most 4096
# (http_service.h, ftp_service.h); beside that come its share of libuv's table of descriptors and malloc's own 16.
HTTP_BYTES, FTP_BYTES = 512, 4096 + 256


def grown_per(d, before_kib, count):
    return (resident_kib(d.pid) - before_kib) * 1024 / count


def seconds(call, *arguments):
    began = time.monotonic()
    result = call(*arguments)
    return time.monotonic() - began, result


def everybody_else_is_served(d):
    took, got = seconds(http_get, d.http, '/f.cfg')
    equal(got, (200, b'f'))
    check(took < 2, f'{took:.1f} s')
    equal(tftp_get(d.tftp, 'f.cfg'), ('file', b'f'))


@test
def ten_thousand_idle_http_connections_cost_half_a_kilobyte_each():
    with serving(workers=1, journal='off', http__connections=20_000, http__peer_connections=20_000, http__idle_s=600) as (h, d):
        h.write('f.cfg', b'f')
        with contextlib.ExitStack() as stack:
            def more(count):
                batch = [stack.enter_context(connect(d.http)) for _ in range(count)]
                for s in batch:
                    s.sendall(b'GET /f.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
                for s in batch:
                    got = b''
                    while not got.endswith(b'\r\n\r\nf'):
                        got += s.recv(1000)
                return batch
            more(500)
            before = resident_kib(d.pid)
            crowd = []
            for _ in range((HTTP - 500) // 500):
                crowd += more(500)
            each = grown_per(d, before, len(crowd))
            print(f'# {each:.0f} bytes each')
            check(is_sanitized() or each < HTTP_BYTES, f'{each:.0f} bytes each')
            everybody_else_is_served(d)
            for s in crowd[::997]:
                s.sendall(b'GET /f.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
                check(s.recv(1000).startswith(b'HTTP/1.1 200'), 'an idle one was let go')
        everybody_else_is_served(d)


@test
def two_thousand_idle_ftp_sessions_cost_four_kilobytes_each():
    with serving(workers=1, journal='off', ftp__peer_sessions=3000, ftp__idle_s=600) as (h, d):
        h.write('f.cfg', b'f')
        with contextlib.ExitStack() as stack:
            def more(count):
                batch = [stack.enter_context(connect(d.ftp)) for _ in range(count)]
                for s in batch:
                    s.sendall(b'USER anonymous\r\nPASS\r\n')
                for s in batch:
                    got = b''
                    while b'\r\n230 ' not in got:
                        got += s.recv(1000)
                return batch
            more(100)
            before = resident_kib(d.pid)
            crowd = []
            for _ in range((FTP - 100) // 100):
                crowd += more(100)
            each = grown_per(d, before, len(crowd))
            print(f'# {each:.0f} bytes each')
            check(is_sanitized() or each < FTP_BYTES, f'{each:.0f} bytes each')
            everybody_else_is_served(d)
            for s in crowd[::199]:
                s.sendall(b'NOOP\r\n')
                check(s.recv(1000).startswith(b'200'), 'an idle one was let go')
        everybody_else_is_served(d)


main()
