#!/usr/bin/env python3
"""Uploads by HTTP and HTTPS: curl, wget and raw sockets; what is taken, what is refused, and what stays (R12, R20, R22)."""
import contextlib
import pathlib
import re
import signal
import socket
import tempfile

from house import (Daemon, House, check, connect, equal, http_get, http_raw, is_sanitized, need, program, read_to_end,
                   resident_kib, serving, some_bytes, tftp_get, until)
from tap import dialtone, main, test

MAC = '00156574b150'
LOCAL = f'{MAC}-local.cfg'
AGENT = 'Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50'
HEAD = f'Host: x\r\nUser-Agent: {AGENT}\r\n'.encode()
LATER = b'GET /f.cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


@contextlib.contextmanager
def file_of(data):
    with tempfile.TemporaryDirectory(prefix='dialtone-put-') as into:
        path = pathlib.Path(into) / 'up'
        path.write_bytes(data)
        yield path


def curl(url, *words, data=b''):
    """(status, finished program) of `curl ... url`; FILE in words is a file with the data."""
    with file_of(data) as path:
        words = [str(word).replace('FILE', str(path)) for word in words]
        done = program(need('curl'), '-sS', '-o', '/dev/null', '-w', '%{http_code}', *words, url)
    return int(done.stdout or b'0'), done


def url(d, name):
    return f'http://127.0.0.1:{d.http}/{name}'


def put(name, body=b'', *lines, method=b'PUT', close=True, version=b'HTTP/1.1'):
    lines = [f'Content-Length: {len(body)}'.encode(), *lines] if not lines or lines[0] else list(lines[1:])
    if close:
        lines.append(b'Connection: close')
    return method + b' /' + name.encode() + b' ' + version + b'\r\n' + HEAD + b'\r\n'.join(lines) + b'\r\n\r\n' + body


def status_of(answer):
    found = re.match(rb'HTTP/1\.1 (\d{3}) ', answer)
    return int(found[1]) if found else None


def rest(h):
    return sorted(p.name for p in (h.state / 'uploads').rglob('*') if p.is_file())


@test
def curl_and_wget_put_and_post_in_every_way_and_it_comes_back_by_every_protocol():
    ways = (('-T', 'FILE'), ('-T', 'FILE', '-H', 'Transfer-Encoding: chunked'), ('-T', 'FILE', '-0'),
            ('-T', 'FILE', '-H', 'Expect: 100-continue'), ('--data-binary', '@FILE'), ('-F', 'file=@FILE'),
            ('-F', 'note=hello', '-F', f'file=@FILE;filename={LOCAL};type=text/plain', '-F', 'submit=Upload'),
            ('-F', 'file=@FILE', '-H', 'Transfer-Encoding: chunked'), ('-T', 'FILE', '--http2'))
    with serving() as (h, d):
        for number, words in enumerate(ways):
            for size in (0, 1, 1000, 8192, 300001):
                if size == 0 and 'Transfer-Encoding: chunked' in words and '-T' in words:
                    continue  # curl 7.88 never sends the end of it
                data = some_bytes(size, number)
                status, done = curl(url(d, LOCAL), *words, data=data)
                check(status in (201, 204), f'{words} {size}: {done}')
                equal((words, size, http_get(d.http, '/' + LOCAL)), (words, size, (200, data)))
                equal(tftp_get(d.tftp, LOCAL), ('file', data))
        with file_of(b'by wget') as path:
            done = program(need('wget'), '-q', '-O', '-', '--method=PUT', f'--body-file={path}', url(d, LOCAL))
            equal((done.returncode, done.stderr), (0, b''))
        equal(http_get(d.http, '/' + LOCAL), (200, b'by wget'))
        done = program('sh', '-c', f'printf piped | curl -sS -T - {url(d, LOCAL)}')
        equal(done.returncode, 0)
        equal(http_get(d.http, '/' + LOCAL), (200, b'piped'))
        until(lambda: any(f'"/{LOCAL}" stored 201 ' in line for line in d.events()), 'the first event')
        until(lambda: any(f'"/{LOCAL}" stored 204 5 B' in line for line in d.events()), 'the last event')


@test
def a_form_put_to_a_directory_is_stored_under_its_own_name():
    with serving() as (h, d):
        h.write('desk/x.cfg', 'x')
        equal(curl(url(d, 'desk/'), '-F', f'f=@FILE;filename={LOCAL}', data=b'settings')[0], 201)
        equal(http_get(d.http, f'/desk/{LOCAL}'), (200, b'settings'))
        for name in ('x.cfg', f'../{LOCAL}', f'a/{LOCAL}', '..', '.htaccess', 'shell.sh'):
            check(curl(url(d, 'desk/'), '-F', f'f=@FILE;filename={name}', data=b'mine')[0] in (400, 403), name)
        equal(rest(h), [LOCAL])
        until(lambda: any(f'"/desk/{LOCAL}" stored 201 8 B' in line for line in d.events()), 'the event')


@test
def https_takes_them_too():
    with serving() as (h, d):
        h.make_certificates()
        with h.serve(**h.tls_options(), state__dir=h.dir / 'other') as d:
            for words in (('-T', 'FILE'), ('-F', 'f=@FILE'), ('-T', 'FILE', '-H', 'Transfer-Encoding: chunked')):
                data = some_bytes(300000, len(words))
                status, done = curl(f'https://localhost:{d.https}/{LOCAL}', '--cacert', h.dir / 'tls' / 'ca' / 'ca.pem', *words, data=data)
                check(status in (201, 204), f'{words}: {done}')
                equal(http_get(d.http, '/' + LOCAL), (200, data))


@test
def R22_a_phone_known_by_its_user_agent_writes_its_own_files_alone():
    with serving() as (h, d):
        for name in ('0015650000ff-local.cfg', '0015650000ff-contact.xml'):
            equal((name, curl(url(d, name), '-T', 'FILE', '-A', AGENT, data=b'x')[0]), (name, 403))
            equal((name, curl(url(d, name), '-F', 'f=@FILE', '-A', AGENT, data=b'x')[0]), (name, 403))
        equal(curl(url(d, ''), '-F', 'f=@FILE;filename=0015650000ff-local.cfg', '-A', AGENT, data=b'x')[0], 403)
        equal(rest(h), [])
        equal(curl(url(d, LOCAL), '-T', 'FILE', '-A', AGENT, data=b'x')[0], 201)
        until(lambda: any(" another phone's file" in line.replace('(', ' ') for line in d.events()), 'the event')


def ask_with_logins(h, d):
    equal(curl(url(d, LOCAL), '-T', 'FILE', data=b'x')[0], 401)
    equal(curl(url(d, LOCAL), '-T', 'FILE', '-u', 'desk:wrong', data=b'x')[0], 401)
    equal(rest(h), [])
    for number, way in enumerate(('--basic', '--digest', '--anyauth')):
        status, done = curl(url(d, LOCAL), '-T', 'FILE', way, '-u', 'desk:a-long-secret-1', data=b'x' * number)
        check(status in (201, 204), f'{way}: {done}')
        equal((h.state / 'uploads' / LOCAL).read_bytes(), b'x' * number)
    check('long-secret' not in '\n'.join(d.out + d.err), 'a secret in the log')


@test
def logins_by_basic_and_digest_open_what_a_rule_closes():
    with file_of(b'a-long-secret-1\n') as path:
        line = program('sh', '-c', f'{dialtone()} passwd desk < {path}').stdout.decode()
    with House() as h:
        conf = h.dir / 'd.conf'
        conf.write_text('access.1.prefix = /\naccess.1.users = desk\naccess.1.write = uploads\n' + line)
        conf.chmod(0o600)
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            ask_with_logins(h, d)


RULES = {'access.1.prefix': '/', 'access.1.anonymous': 1, 'access.1.write': 'overwrite',
         'access.2.prefix': '/new', 'access.2.anonymous': 1, 'access.2.write': 'create',
         'access.3.prefix': '/closed', 'access.3.anonymous': 1}


@test
def rules_let_new_files_any_file_and_none_be_written_and_removed():
    with serving(**RULES) as (h, d):
        for name in ('x.cfg', 'new/old.cfg', 'closed/x.cfg', 'dir/x.cfg'):
            h.write(name, 'old')
        for name, first, again in (('y.cfg', 201, 204), ('x.cfg', 204, 204), ('new/y.cfg', 201, 409), ('new/old.cfg', 409, 409),
                                   ('closed/x.cfg', 403, 403), ('closed/y.cfg', 403, 403), ('nowhere/x.cfg', 409, 409),
                                   ('new', 409, 201), ('.htaccess', 403, 403), (LOCAL, 201, 204)):
            equal((name, curl(url(d, name), '-T', 'FILE', data=b'one')[0]), (name, first))
            equal((name, curl(url(d, name), '-F', 'f=@FILE', data=b'two')[0]), (name, again))
        equal(http_get(d.http, '/y.cfg'), (200, b'two'))
        equal((h.root / 'new' / 'y.cfg').read_bytes(), b'one')
        equal((h.root / 'new' / 'old.cfg').read_bytes(), b'old')
        equal(curl(url(d, 'new/'), '-F', 'f=@FILE;filename=z.cfg', data=b'z')[0], 201)
        equal(curl(url(d, 'closed/'), '-F', 'f=@FILE;filename=z.cfg', data=b'z')[0], 403)
        equal((h.root / 'new' / 'z.cfg').read_bytes(), b'z')

        def delete(name, *words):
            return curl(url(d, name), '-X', 'DELETE', *words)[0]
        for name, status in (('new/z.cfg', 405), ('closed/x.cfg', 403), ('nope.cfg', 404), ('y.cfg', 204), ('y.cfg', 404),
                             (LOCAL, 204), (LOCAL, 404), ('dir', 409), ('new', 405), ('%2e%2e/secret', 400)):
            equal((name, delete(name)), (name, status))
        equal(delete('x.cfg', '-H', 'If-Match: "x"'), 412)
        equal(delete('x.cfg', '-A', AGENT), 204)
        check(not (h.root / 'x.cfg').exists() and (h.dir / 'secret').exists(), 'the wrong one is gone')
        h.write('0015650000ff.cfg', "another phone's")
        equal(delete('0015650000ff.cfg', '-A', AGENT), 403)
        until(lambda: any('"/y.cfg" removed 204 ' in line for line in d.events()), 'the event')
        for name, methods in (('x', b', PUT, POST, DELETE'), ('new/x', b', PUT, POST'), ('closed/x', b'')):
            answer = http_raw(d.http, f'OPTIONS /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
            check(b'\r\nAllow: GET, HEAD, OPTIONS' + methods + b'\r\n' in answer, f'{name}: {answer}')


@test
def R22_what_is_refused_is_told_before_the_body_and_nothing_is_written():
    with serving(upload__file_max=1000) as (h, d):
        h.write(f'{MAC}.cfg', 'the template')
        h.write(f'{MAC}-all.cfg', "the administrator's")
        for name, status in ((f'{MAC}.cfg', 403), ('y000000000000.boot', 403), ('x.cfg', 403), (f'{MAC}-all.cfg', 409),
                             (f'nowhere/{LOCAL}', 409), (f'{LOCAL}/', 400), ('%2e%2e/' + LOCAL, 400)):
            equal((name, status_of(http_raw(d.http, put(name, b'mine')))), (name, status))
            with connect(d.http) as s:
                s.sendall(put(name, b'', b'', b'Content-Length: 4', b'Expect: 100-continue'))
                answer = read_to_end(s)
                equal((name, status_of(answer), b' 100 ' in answer), (name, status, False))
        equal(status_of(http_raw(d.http, put(LOCAL, b'x' * 1001))), 413)
        equal(curl(url(d, LOCAL), '-T', 'FILE', data=b'x' * 900000)[0], 413)
        equal(curl(url(d, LOCAL), '-T', 'FILE', '-H', 'Transfer-Encoding: chunked', data=b'x' * 200000)[0], 413)
        equal(curl(url(d, LOCAL), '-F', 'f=@FILE', data=b'x' * 2000)[0], 413)
        equal(rest(h), [])
        equal(http_get(d.http, f'/{MAC}.cfg'), (200, b'the template'))


@test
def expect_is_answered_100_and_the_next_request_behind_the_body_too():
    with serving() as (h, d):
        h.write('f.cfg', 'hello\n')
        with connect(d.http) as s:
            s.sendall(put(LOCAL, b'', b'', b'Content-Length: 8', b'Expect: 100-continue', close=False))
            equal(s.recv(1000), b'HTTP/1.1 100 Continue\r\n\r\n')
            s.sendall(b'settings' + LATER)
            answer = read_to_end(s)
            equal(re.findall(rb'HTTP/1\.1 (\d+) ', answer), [b'201', b'200'])
        pipelined = b''.join(put(LOCAL, b'%d' % n * n, close=False) for n in range(1, 30))
        answer = http_raw(d.http, pipelined + LATER)
        equal(re.findall(rb'HTTP/1\.1 (\d+) ', answer), [b'204'] * 29 + [b'200'])
        equal(http_get(d.http, '/' + LOCAL), (200, b'29' * 29))


CHUNKED = (b'', b'Transfer-Encoding: chunked')
# What no honest client sends, and nothing behind it is ever a request (R20).
BODIES = [
    (put(LOCAL, b'2\nab\n0\n\n', *CHUNKED), 400), (put(LOCAL, b'2\r\nabc\r\n0\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'2 \r\nab\r\n0\r\n\r\n', *CHUNKED), 400), (put(LOCAL, b'0x2\r\nab\r\n0\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'-2\r\nab\r\n0\r\n\r\n', *CHUNKED), 400), (put(LOCAL, b'\r\n2\r\nab\r\n0\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'ffffffffffffffff\r\nab', *CHUNKED), 400), (put(LOCAL, b'fffffffffffffffff\r\nab', *CHUNKED), 400),
    (put(LOCAL, b'8000000000000000\r\nab', *CHUNKED), 400), (put(LOCAL, b'7fffffffffffffff\r\n' + b'x' * 1100000, *CHUNKED), 413),
    (put(LOCAL, b'2;' + b'x' * 2000 + b'\r\nab\r\n0\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'1;xxxx\r\na\r\n' * 500 + b'0\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'0\r\n' + b'X: y\r\n' * 2000 + b'\r\n', *CHUNKED), 400), (put(LOCAL, b'0\r\nX y: z\r\n\r\n', *CHUNKED), 400),
    (put(LOCAL, b'0\r\nX: a\r\n folded\r\n\r\n', *CHUNKED), 400), (put(LOCAL, b'0\r\n\n', *CHUNKED), 400),
    (put(LOCAL, b'0\r\n\r\n', *CHUNKED, b'Content-Length: 5'), 400), (put(LOCAL, b'0\r\n\r\n', *CHUNKED, version=b'HTTP/1.0'), 400),
    (put(LOCAL, b'0\r\n\r\n', *CHUNKED, b'Transfer-Encoding: chunked'), 400),
    (put(LOCAL, b'0\r\n\r\n', b'', b'Transfer-Encoding: chunked, gzip'), 400),
    (put(LOCAL, b'0\r\n\r\n', b'', b'Transfer-Encoding: gzip, chunked'), 501),
    (put(LOCAL, b'0\r\n\r\n', b'', b'Transfer-Encoding : chunked'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 2', b'Content-Length: 2'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 2', b'Content-Length: 3'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 2, 2'), 400), (put(LOCAL, b'ab', b'', b'Content-Length: +2'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 2\r\n 0'), 400), (put(LOCAL, b'ab', b'', b'Content-Length : 2'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 2\nX: y'), 400), (put(LOCAL, b'ab', b'', b'Content-Length: -1'), 400),
    (put(LOCAL, b'ab', b'', b'Content-Length: 18446744073709551618'), 400), (put(LOCAL, b'', b'', b'X: y'), 411),
    (put(LOCAL, b'ab', b'Content-Range: bytes 0-1/4'), 400), (put(LOCAL, b'ab', b'Content-Encoding: gzip'), 415),
    (put(LOCAL, b'ab', b'Expect: 100-later'), 417), (put(LOCAL, b'ab', b'If-Match: "x"'), 412),
    (put(LOCAL, b'x', b'Content-Type: multipart/form-data', method=b'POST'), 400),
    (put(LOCAL, b'x', b'Content-Type: multipart/form-data; boundary=' + b'b' * 71, method=b'POST'), 400),
    (put(LOCAL, b'x' * 3000, b'Content-Type: multipart/form-data; boundary=b', method=b'POST'), 400),
    (put(LOCAL, b'--b\r\nX: ' + b'x' * 3000, b'Content-Type: multipart/form-data; boundary=b', method=b'POST'), 400),
    (put(LOCAL, b'--b\r\nContent-Disposition: form-data\r\n\r\n\r\n' * 50, b'Content-Type: multipart/form-data; boundary=b', method=b'POST'), 400),
    (put(LOCAL, b'--b\r\nContent-Disposition: form-data\r\n\r\n' + b'x' * 100000, b'Content-Type: multipart/form-data; boundary=b', method=b'POST'), 413),
    (put(LOCAL, b'', method=b'DELETE'), 405), (put(LOCAL, b'x', method=b'DELETE'), 413), (put(LOCAL, b'x', method=b'OPTIONS'), 413),
]


@test
def R20_R22_bodies_that_no_honest_client_sends_are_refused_and_nothing_behind_them_is_read():
    with serving(workers=1) as (h, d):
        h.write('f.cfg', 'hello\n')
        wrong = []
        for request, status in BODIES:
            answer = http_raw(d.http, request + LATER)
            closed = b'\r\nConnection: close\r\n' in answer
            if status_of(answer) != status or answer.count(b'HTTP/1.1 ') != 1 or not closed:
                wrong.append(f'{request[:400]!r}: {answer[:300]!r}, not {status}')
        check(not wrong, '\n'.join(wrong))
        equal(rest(h), [])
        memory = resident_kib(d.pid)
        for _ in range(10):
            for request, _ in BODIES:
                http_raw(d.http, request + LATER)
        grown = resident_kib(d.pid) - memory
        check(grown < 1024 or is_sanitized(), f'{grown} KiB more')
        equal(rest(h), [])
        equal(d.stop(), 0)


@test
def a_body_cut_anywhere_is_the_same_file():
    form = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\na\r\n--c\r\n--b--\r\n')
    whole = {'PUT': put(LOCAL, b'5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n', *CHUNKED),
             'POST': put(LOCAL, form, b'Content-Type: multipart/form-data; boundary=b', method=b'POST')}
    with serving(workers=1, upload__rate=0) as (h, d):
        for method, data in (('PUT', b'hello!'), ('POST', b'a\r\n--c')):
            request = whole[method]
            body = request.index(b'\r\n\r\n') + 4
            for at in range(body - 4, len(request)):
                with connect(d.http) as s:
                    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    s.sendall(request[:at])
                    s.sendall(request[at:])
                    answer = status_of(read_to_end(s))
                check(answer in (201, 204), f'{at}: {answer}')
                equal((at, http_get(d.http, '/' + LOCAL)), (at, (200, data)))


@test
def R22_an_upload_that_breaks_off_or_a_killed_server_leaves_the_old_file():
    with serving() as (h, d):
        equal(status_of(http_raw(d.http, put(LOCAL, b'old'))), 201)
        with connect(d.http) as s:
            s.sendall(put(LOCAL, b'new', b'', b'Content-Length: 1000'))
            until(lambda: len(rest(h)) == 2, 'the temporary file')
        until(lambda: rest(h) == [LOCAL], 'its end')
        until(lambda: any(' stopped ' in line for line in d.events()), 'the event')
        with connect(d.http) as s:
            s.sendall(put(LOCAL, b'new', b'', b'Content-Length: 1000'))
            until(lambda: len(rest(h)) == 2, 'the temporary file')
            d.signal(signal.SIGKILL)
            d.process.wait()
        with h.serve() as second:
            equal(http_get(second.http, '/' + LOCAL), (200, b'old'))
            equal(rest(h), [LOCAL])
        d.process.returncode = 0


@test
def SIGTERM_lets_an_upload_finish():
    with serving() as (h, d):
        with connect(d.http) as s:
            s.sendall(put(LOCAL, b'all ', b'', b'Content-Length: 9', close=False))
            until(lambda: len(rest(h)) == 1, 'the temporary file')
            d.signal(signal.SIGTERM)
            s.sendall(b'of it')
            equal(status_of(read_to_end(s)), 201)
        equal(d.wait(), 0)
        equal((h.state / 'uploads' / LOCAL).read_bytes(), b'all of it')


@test
def R12_senders_that_drip_keep_nobody_waiting():
    with serving(workers=1) as (h, d):
        h.write('f.cfg', 'hello\n')
        slow = [connect(d.http) for _ in range(100)]
        for n, s in enumerate(slow):
            s.sendall(put(f'0015650000{n:02x}-local.cfg', b'x', b'', b'Content-Length: 5000').replace(AGENT.encode(), b'curl/8'))
        for _ in range(50):
            equal(http_get(d.http, '/f.cfg'), (200, b'hello\n'))
        equal(status_of(http_raw(d.http, put(LOCAL, b'mine'))), 201)
        for s in slow:
            s.close()
        until(lambda: rest(h) == [LOCAL], 'the end of the temporary files')


@test
def conditions_hold_for_writing():
    with serving() as (h, d):
        create = (b'If-None-Match: *',)
        equal(status_of(http_raw(d.http, put(LOCAL, b'one', *create))), 201)
        equal(status_of(http_raw(d.http, put(LOCAL, b'two', *create))), 412)
        answer = http_raw(d.http, f'HEAD /{LOCAL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
        tag = re.search(rb'ETag: (\S+)', answer)[1]
        equal(status_of(http_raw(d.http, put(LOCAL, b'two', b'If-Match: ' + tag))), 204)
        equal(status_of(http_raw(d.http, put(LOCAL, b'three', b'If-Match: ' + tag))), 412)
        equal(http_get(d.http, '/' + LOCAL), (200, b'two'))
        # Two who know the same version: one of them comes too late, however their bodies overlap.
        answer = http_raw(d.http, f'HEAD /{LOCAL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
        tag = re.search(rb'ETag: (\S+)', answer)[1]
        with connect(d.http) as first, connect(d.http) as second:
            for s, letter in ((first, b'a'), (second, b'b')):
                s.sendall(put(LOCAL, letter, b'', b'Content-Length: 2', b'If-Match: ' + tag))
            until(lambda: len([name for name in rest(h) if name.endswith('.tmp')]) == 2, 'both')
            first.sendall(b'a')
            equal(status_of(read_to_end(first)), 204)
            second.sendall(b'b')
            equal(status_of(read_to_end(second)), 412)
        equal(http_get(d.http, '/' + LOCAL), (200, b'aa'))


main()
