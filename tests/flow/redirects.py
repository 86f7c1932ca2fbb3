#!/usr/bin/env python3
"""Names that have moved: curl, wget and a phone follow, from HTTP to HTTPS too; a loop is refused at the start."""
import re
import signal

from house import Daemon, House, check, equal, http_raw, need, program, run, serving, until
from tap import main, test

MOVED = {'redirect.1.from': '/old', 'redirect.1.to': '/new', 'redirect.2.from': '/up', 'redirect.2.to': '/',
         'redirect.2.status': '307', 'redirect.3.from': '/gone/for/good', 'redirect.3.to': 'http://127.0.0.1:1/x',
         'redirect.3.status': '301'}
LOCAL = '00156574b150-local.cfg'


def ask(d, target, *lines, method='GET', body=''):
    lines = ['Host: x', 'Connection: close', *lines]
    return http_raw(d.http, (f'{method} {target} HTTP/1.1\r\n' + '\r\n'.join(lines) + '\r\n\r\n' + body).encode())


@test
def every_method_is_led_there_and_head_has_no_body():
    with serving(**MOVED) as (h, d):
        h.write('new/a b/x.cfg', 'hello\n')
        for method in ('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH'):
            answer = ask(d, '/old/a%20b/x.cfg?y=z', method=method)
            check(answer.startswith(b'HTTP/1.1 302 Found\r\n'), answer)
            check(b'\r\nLocation: /new/a%20b/x.cfg?y=z\r\n' in answer, answer)
            equal((method, answer.endswith(b'\r\n\r\n')), (method, method == 'HEAD'))
        equal(re.search(rb'Location: (\S+)', ask(d, '/gone/for/good/a'))[1], b'http://127.0.0.1:1/x/a')
        check(ask(d, '/gone/for/good/a').startswith(b'HTTP/1.1 301 '), 'not for good')
        check(ask(d, '/old' + 3 * ('/' + '%22' * 100)).startswith(b'HTTP/1.1 414 '), 'too long a name')
        check(ask(d, '/old/../x').startswith(b'HTTP/1.1 400 '), 'a name that is none')
        check(b'Location' not in ask(d, '/up//evil.example/x'), 'another host')
        answer = http_raw(d.http, b'GET /old/x HTTP/1.1\r\nHost: x\r\n\r\nGET /new/a%20b/x.cfg HTTP/1.1\r\nHost: x\r\n'
                          b'Connection: close\r\n\r\n')
        equal(re.findall(rb'HTTP/1\.1 (\d+) ', answer), [b'302', b'200'])
        answer = ask(d, '/old/x', 'Content-Length: 3', method='PUT', body='abcGET / HTTP/1.1\r\n\r\n')
        equal(answer.count(b'HTTP/1.1 '), 1)
        equal(d.stop(), 0)
        check(any('"/old/a b/x.cfg" sent 302 (moved) 0 B' in line for line in d.events()), d.events())


@test
def curl_wget_and_a_phone_follow():
    with serving(**MOVED) as (h, d):
        h.write('new/x.cfg', 'hello\n')
        done = program(need('curl'), '-sSL', f'http://{d.http_at()}/old/x.cfg')
        equal((done.returncode, done.stdout), (0, b'hello\n'))
        done = program(need('wget'), '-q', '-O', '-', f'http://{d.http_at()}/old/x.cfg')
        equal((done.returncode, done.stdout), (0, b'hello\n'))
        up = h.dir / 'up'
        up.write_bytes(b'settings')
        done = program(need('curl'), '-sSL', '-T', up, '-w', '%{http_code}', f'http://{d.http_at()}/up/{LOCAL}')
        check(done.stdout.endswith(b'201'), done)
        equal((h.state / 'uploads' / LOCAL).read_bytes(), b'settings')
        h.write('new/y000000000028.cfg', '#!version:1.0.0.1\naccount.1.label = moved\n')
        done = run('phone', '--model', 'T46G', '--mac', '00156574b150', '--firmware', '28.72.0.1', '--once', '--server',
                   f'http://{d.http_at()}/old/')
        check('y000000000028.cfg' in done.stdout + done.stderr, done)
        until(lambda: any('"/new/y000000000028.cfg" sent 200' in line for line in d.events()), 'the event')


@test
def http_leads_to_https_and_https_serves():
    with House() as h:
        h.make_certificates()
        h.write('x.cfg', 'hello\n')
        with h.serve(**h.tls_options()) as d:
            port = d.https
        options = {**h.tls_options(), 'https__port': port, 'redirect.1.from': '/', 'redirect.1.to': f'https://localhost:{port}/'}
        with h.serve(**options) as d:
            for start in (f'http://{d.http_at()}/x.cfg', f'https://localhost:{port}/x.cfg', f'https://127.0.0.1:{port}/x.cfg'):
                done = program(need('curl'), '-sSL', '--cacert', h.dir / 'tls' / 'ca' / 'ca.pem', start)
                equal((start, done.returncode, done.stdout), (start, 0, b'hello\n'))


@test
def a_loop_is_refused_and_sighup_takes_over_what_is_none():
    with House() as h:
        conf = h.dir / 'd.conf'
        conf.write_text('redirect.1.from = /a\nredirect.1.to = /a/b\n')
        done = run('serve', '-c', conf, '--root', h.root, '--check-config')
        equal((done.returncode != 0, 'redirect.1 leads to itself' in done.stderr), (True, True))
        conf.write_text('redirect.1.from = /a\nredirect.1.to = /b\n')
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            check(b'Location: /b/x\r\n' in ask(d, '/a/x'), 'not moved')
            conf.write_text('redirect.1.from = /a\nredirect.1.to = /c\n')
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            check(b'Location: /c/x\r\n' in ask(d, '/a/x'), 'not moved again')


main()
