"""Requests that no honest client sends: a clear 4xx and the connection closed, and the server goes on (R1, R20, R21)."""
import contextlib
import http.client
import re
import socket

from house import (check, connect, descriptors, equal, http_get, http_raw, is_sanitized, read_to_end, resident_kib,
                   serving, some_bytes)
from tap import main, skip, test

HELLO = b'hello\n'
HEAD = b'Host: x\r\nConnection: close\r\n'
NEXT = b'GET /f.cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


def get(*lines, target=b'/f.cfg', method=b'GET', version=b'HTTP/1.1', host=b'Host: x', body=b''):
    lines = [method + b' ' + target + b' ' + version, *([host] if host else []), *lines]
    return b'\r\n'.join(lines) + b'\r\n\r\n' + body


LINES = [
    (b'\r\n\r\n\r\n\r\n', (400,)), (b'\n\n', (400,)), (b'GET /f.cfg\r\n\r\n', (400,)), (b'GET\r\n\r\n', (400,)),
    (b'GET  /f.cfg HTTP/1.1\r\n\r\n', (400,)), (b' GET /f.cfg HTTP/1.1\r\n\r\n', (400,)),
    (b'GET /f.cfg HTTP/1.1\nHost: x\n\n', (400,)), (b'GET /f.cfg HTTP/1.1\r\nHost: x\n\r\n', (400,)),
    (b'GET /f.cfg HTTP/1.1 \r\n\r\n', (400,)), (b'GET\t/f.cfg\tHTTP/1.1\r\n\r\n', (400,)),
    (get(version=b'HTTP/0.9'), (505,)), (get(version=b'HTTP/2.0'), (505,)), (get(version=b'HTTP/1.2'), (505,)),
    (get(version=b'HTTP/11'), (400,)), (get(version=b'http/1.1'), (400,)), (get(version=b'HTTP/1.1a'), (400,)),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (505,)), (b'\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + b'\x99' * 500, (400,)),
    (bytes(range(256)) * 8, (400,)), (b'\0' * 9000, (400,)), (b'SSH-2.0-x\r\n\r\n', (400,)),
    (get(method=b'get'), (501,)), (get(method=b'BREW'), (501,)), (get(method=b'G' * 33), (501,)), (get(method=b'G(T'), (400,)),
]
METHODS = [(get(b'Connection: close', method=method, target=target), (405,)) for method, target in (
    (b'DELETE', b'/f.cfg'), (b'TRACE', b'/f.cfg'), (b'PATCH', b'/f.cfg'), (b'CONNECT', b'pbx:443'))]
METHODS += [(get(b'Connection: close', method=b'OPTIONS', target=b'*'), (204,)),
            (get(b'Connection: close', method=b'PUT', target=b'/up.cfg'), (411,)),
            (get(b'Content-Length: 1', method=b'PUT', target=b'/up.cfg', body=b'x'), (403,)),
            (get(b'Content-Length: 1', method=b'POST', target=b'/f.cfg', body=b'x'), (403,))]
TARGETS = [(get(b'Connection: close', target=target), (400, 403, 404, 414)) for target in (
    b'*', b'f.cfg', b'?', b'#', b'/f.cfg#x', b'/%', b'/%z', b'/%zz', b'/%0', b'/%00', b'/f.cfg%00', b'/%2', b'/..', b'/../secret',
    b'/%2e%2e/secret', b'/%2e%2e%2fsecret', b'/.%2e/secret', b'/sub/..%2f..%2fsecret', b'/..%5csecret', b'/..\\secret',
    b'/%252e%252e/secret', b'/..%c0%afsecret', b'/..;/secret', b'//../secret', b'/./../secret', b'/out.cfg', b'/sub', b'/sub/',
    b'/', b'/etc/passwd', b'//etc/passwd', b'http://x/../secret', b'http://u:p@x/f.cfg', b'ftp://x/f.cfg', b'file:///etc/passwd',
    b'http://', b'/%0d%0aX: y', b'/%7f', b'/\xff', b'/' + b'a' * 2048, b'/' + b'a/' * 4000, b'/' + b'%61' * 600)]
TARGETS += [(get(b'Connection: close', target=b'/f.cfg\x01'), (400,)), (get(target=b'/a\0b'), (400,)),
            (get(b'Connection: close', target=b'http://x/f.cfg'), (200,)), (get(b'Connection: close', target=b'/f.cfg?a=b'), (200,))]
FIELDS = [
    (get(host=None), (400,)), (get(b'Host: y'), (400,)), (get(host=b'Host: x/../y'), (400,)), (get(host=b'Host: x y'), (400,)),
    (get(host=b'Host: \xff'), (400,)), (get(host=b'Host : x'), (400,)), (get(b'X y: z'), (400,)), (get(b': z'), (400,)),
    (get(b'no colon'), (400,)), (get(b'X: a\0b'), (400,)), (get(b'X: a\rb'), (400,)), (get(b'X: a\x08b'), (400,)),
    (get(b'X: a', b' folded'), (400,)), (get(b'X: a', b'\tfolded'), (400,)), (get(*[b'X: y'] * 101), (431,)),
    (get(b'X: ' + b'y' * 9000), (431,)), (get(b'Expect: 200-maybe'), (417,)), (get(b'\xc3\xa4: x'), (400,)),
    (get(b'Connection: close', b'Range: bytes=' + b'0-0,' * 1500), (200,)), (get(b'Connection: close', b'X: \xe4\xff'), (200,)),
]
# R20: one way to tell how long the body is; nothing behind such a head is ever read as a request.
FRAMING = [(get(*lines, body=body + NEXT), (400, 413, 501)) for lines, body in (
    ((b'Content-Length: 4', b'Transfer-Encoding: chunked'), b'0\r\n\r\n'),
    ((b'Transfer-Encoding: chunked', b'Content-Length: 4'), b'0\r\n\r\n'),
    ((b'Content-Length: 4', b'Content-Length: 5'), b'abcd'), ((b'Content-Length: 4', b'Content-Length: 4'), b'abcd'),
    ((b'Content-Length: 4, 4',), b'abcd'), ((b'Content-Length: -1',), b''), ((b'Content-Length: +4',), b'abcd'),
    ((b'Content-Length: 0x4',), b'abcd'), ((b'Content-Length: 4 ', b'X: y'), b'abcd'), ((b'Content-Length:',), b''),
    ((b'Content-Length: 18446744073709551616',), b''), ((b'Content-Length: 9223372036854775807',), b''),
    ((b'Transfer-Encoding: chunked',), b'zz\r\n'), ((b'Transfer-Encoding: chunked',), b'-1\r\nx\r\n'),
    ((b'Transfer-Encoding: chunked',), b'ffffffffffffffffff\r\nx\r\n'), ((b'Transfer-Encoding: xchunked',), b''),
    ((b'Transfer-Encoding: identity',), b''), ((b'Transfer-Encoding: chunked, chunked',), b'0\r\n\r\n'),
    ((b'Transfer-Encoding: gzip, chunked',), b'0\r\n\r\n'), ((b'Transfer-Encoding: chunked', b'Transfer-Encoding: x'), b''),
    ((b'Transfer-Encoding : chunked',), b'0\r\n\r\n'), ((b'Transfer-Encoding:\x0bchunked',), b'0\r\n\r\n'),
    ((b'Content-Length: 4',), b'abcd'), ((b'Transfer-Encoding: chunked',), b'4\r\nabcd\r\n0\r\n\r\n'))]
TABLE = LINES + METHODS + TARGETS + FIELDS + FRAMING


def fill(h):
    h.write('f.cfg', HELLO)
    h.write('sub/g.cfg', HELLO)
    (h.root / 'out.cfg').symlink_to('../secret')


def status_of(answer):
    found = re.match(rb'HTTP/1\.1 (\d{3}) ', answer)
    return int(found[1]) if found else None


def throw(d, request):
    """The one answer's status; the server must have closed then. What we say last lets a head that never ends end."""
    with connect(d.http) as s:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
        answer = read_to_end(s)
    check(b'secret outside' not in answer and b'root:' not in answer, f'{request[:70]!r}: {answer!r}')
    check(answer.count(b'HTTP/1.1 ') <= 1, f'{request[:200]!r}: a second answer in {answer!r}')
    return status_of(answer)


@test
def every_request_of_the_table_gets_a_clear_status_and_one_answer_only_R20():
    with serving(workers=1) as (h, d):
        fill(h)
        wrong = []
        for request, allowed in TABLE:
            status = throw(d, request)
            if status not in allowed:
                wrong.append(f'{request[:90]!r}: {status}, not {allowed}')
        check(not wrong, '\n'.join(wrong))
        equal(http_get(d.http, '/f.cfg'), (200, HELLO))
        equal(d.stop(), 0)


@test
def a_head_cut_anywhere_gets_the_same_verdict_or_none():
    with serving(workers=1) as (h, d):
        fill(h)
        whole = get(b'Connection: close', b'User-Agent: Yealink SIP-T46G 28.83.0.50 00:15:65:4a:a9:37')
        for at in range(len(whole)):
            equal((at, throw(d, whole[:at])), (at, None))
            with connect(d.http) as s:
                s.sendall(whole[:at])
                s.sendall(whole[at:])
                equal((at, status_of(read_to_end(s))), (at, 200))


@test
def two_thousand_of_them_leave_no_memory_and_no_descriptor_behind():
    with serving(workers=1, journal='off') as (h, d):
        fill(h)

        def throw_all(times):
            for _ in range(times):
                for request, _ in TABLE:
                    throw(d, request)
            equal(http_get(d.http, '/f.cfg'), (200, HELLO))

        throw_all(3)
        memory, files = resident_kib(d.pid), descriptors(d.pid)
        throw_all(2000 // len(TABLE) + 1)
        check(d.runs(), d.err)
        equal(descriptors(d.pid), files)
        grown = resident_kib(d.pid) - memory
        check(grown < 512 or is_sanitized(), f'{grown} KiB more')
        equal(d.stop(), 0)
        if files is None:
            skip('only root may count the descriptors of a server that cannot be dumped; memory was looked at')


@test
def pipelined_requests_are_answered_in_order_and_a_bad_one_ends_it():
    with serving(workers=1) as (h, d):
        for n in range(20):
            h.write(f'{n}.cfg', b'%d' % n * 100)
        lines = [b'GET /%d.cfg HTTP/1.1\r\nHost: x\r\n\r\n' % n for n in range(20)]
        bad = b'GET /1.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'
        answer = http_raw(d.http, b''.join(lines) + bad + NEXT)
        equal([int(code) for code in re.findall(rb'HTTP/1\.1 (\d+) ', answer)], [200] * 20 + [400])
        at = 0
        for n in range(20):
            at = answer.index(b'\r\n\r\n' + b'%d' % n * 100, at)


def ranged(d, name, value):
    connection = http.client.HTTPConnection('127.0.0.1', d.http, timeout=30)
    connection.request('GET', name, headers={'Range': value})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


@test
def ranges_are_64_bit_and_bounded_R21():
    small, large = some_bytes(5000), some_bytes(300000)
    with serving(workers=1) as (h, d):
        h.write('small.cfg', small)
        h.write('large.rom', large)
        for name, data in (('/small.cfg', small), ('/large.rom', large)):
            whole = (200, data)
            for value, answer in (
                    ('bytes=0-18446744073709551615', (206, data)), ('bytes=0-9223372036854775807', (206, data)),
                    ('bytes=-9223372036854775808', (206, data)), ('bytes=-18446744073709551615', (206, data)),
                    ('bytes=0-18446744073709551616', whole), ('bytes=0-99999999999999999999999', whole),
                    ('bytes=-18446744073709551616', whole), ('bytes=5-2', whole), ('bytes=a-b', whole), ('bytes=--5', whole),
                    ('bytes=1--1', whole), ('bytes=-', whole), ('bytes=', whole), ('bytes', whole), ('lines=0-1', whole),
                    ('bytes=+1-2', whole), ('bytes=0x1-0x2', whole), ('bytes= 1-2', (206, data[1:3])),
                    ('bytes=0-,0-', whole), ('bytes=' + '0-,' * 2000, whole), ('bytes=' + ','.join(['0-0'] * 6), whole)):
                equal((name, value[:40], ranged(d, name, value)), (name, value[:40], answer))
            for value in ('bytes=-0', f'bytes={len(data)}-', 'bytes=18446744073709551615-', 'bytes=9223372036854775808-'):
                equal((value, ranged(d, name, value)[0]), (value, 416))
        equal(http_get(d.http, '/small.cfg'), (200, small))
        equal(d.stop(), 0)


main()
