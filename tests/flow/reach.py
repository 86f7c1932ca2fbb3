#!/usr/bin/env python3
"""How far a request reaches, and what never leaves: R23, R24 and R27 of real processes."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import threading

from house import (Daemon, House, Process, check, connect, equal, http_raw, is_sanitized, need, read_to_end, run, serving,
                   tftp_get, until)
from living import HEAD, LOCAL, MAC, Phone, write_boot
from tap import dialtone, main, skip, test

NOBODY = 65534


class Trap:
    """A port that nobody should come to."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port, self.came = self.listener.getsockname()[1], 0
        self.url = f'http://127.0.0.1:{self.port}/x'
        self.thread = threading.Thread(target=self.count)

    def count(self):
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()
                self.came += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


# --- the phone's own port ---


@test
def R23_the_phones_port_changes_nothing_by_get_checks_the_host_and_sets_no_cookie():
    with serving() as (h, d):
        write_boot(h, 'account.1.label = Desk')
        with Phone(h, f'http://{d.http_at()}/') as p:
            runs = p.idle()['runs']
            place, port = p.at.rsplit(':', 1)

            def ask(method, path, host=p.at, **headers):
                c = http.client.HTTPConnection(place, int(port), timeout=30)
                c.request(method, path, '{}' if method == 'POST' else None, {'Host': host, **headers})
                answer = c.getresponse()
                check(answer.getheader('Set-Cookie') is None, answer.headers)
                return answer.status, answer.read()
            for path in ('press', 'text', 'dial', 'setting', 'call', 'provision', 'reboot'):
                for query in ('', '?number=4711&key=a&value=b&active=true'):
                    equal((path, ask('GET', f'/api/{path}{query}')[0]), (path, 405))
                    equal((path, ask('HEAD', f'/api/{path}{query}')[0]), (path, 405))
            for host in ('phone.example', f'evil.example:{port}', '127.0.0.1.evil.example', ''):
                equal((host, ask('GET', '/api/state', host)[0]), (host, 403))
                equal((host, ask('POST', '/api/reboot', host, **{'Content-Type': 'application/json'})[0]), (host, 403))
            equal(ask('POST', '/api/reboot', **{'Content-Type': 'text/plain'})[0], 415)
            equal(ask('POST', '/api/reboot', **{'Content-Type': 'application/json', 'Origin': 'http://evil.example'})[0], 403)
            state = p.idle()
            equal((state['runs'], state['power_ons'], state['in_call']), (runs, 1, False))


# --- who goes where ---


def name_everywhere(d, trap):
    """Requests with a URL wherever one fits."""
    url, host = trap.url, f'127.0.0.1:{trap.port}'
    headers = ''.join(f'{name}: {url}\r\n' for name in
                      ('Referer', 'Origin', 'Location', 'Content-Location', 'X-Forwarded-For', 'X-Original-URL', 'Forwarded',
                       'Destination', 'Link', 'X-Forwarded-Host', 'Callback', 'From', 'User-Agent'))
    for line in (f'GET {url} HTTP/1.1', f'GET /?url={url} HTTP/1.1', f'GET /{url} HTTP/1.1', f'CONNECT {host} HTTP/1.1',
                 f'OPTIONS {url} HTTP/1.1', f'PROPFIND {url} HTTP/1.1', f'GET //{host}/x HTTP/1.1'):
        http_raw(d.http, f'{line}\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n'.encode())
    body = f'{HEAD}include:config <{url}>\nstatic.firmware.url = {url}\n'.encode()
    for method in ('PUT', 'POST'):
        http_raw(d.http, f'{method} /{LOCAL} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n'
                 f'Content-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body)
    for name in (url, host, f'//{host}/x', f'{MAC}.cfg?url={url}'):
        tftp_get(d.tftp, name)


def ftp_everywhere(d, trap):
    """An active transfer to a port of the trap's number on another address, URLs as names, and one that is right. Its port."""
    with connect(d.ftp) as s, socket.create_server(('127.0.0.1', 0)) as mine:
        replies = s.makefile('rb')

        def say(line):
            s.sendall(line.encode() + b'\r\n')
            answer = replies.readline()
            while not re.match(rb'\d\d\d ', answer):
                answer = replies.readline()
            return int(answer[:3])
        replies.readline()
        port = mine.getsockname()[1]
        equal((say('USER anonymous'), say('PASS x'), say('TYPE I')), (331, 230, 200))
        say('PORT 127,0,0,9,%d,%d' % divmod(trap.port, 256))
        for line in (f'RETR {trap.url}', f'LIST {trap.url}', f'STOR {trap.url}', f'SIZE {trap.url}',
                     f'EPRT |1|127.0.0.9|{trap.port}|'):
            check(say(line) >= 400, line)
        equal(say('PORT 127,0,0,1,%d,%d' % divmod(port, 256)), 200)
        s.sendall(f'RETR {MAC}.cfg\r\n'.encode())
        with mine.accept()[0] as data:
            came = read_to_end(data)
        said = replies.readline() + replies.readline()
        check(came.startswith(HEAD.encode()) and said.startswith(b'150') and b'226' in said, (came, said))
        return port


@test
def R24_the_server_connects_to_nobody_but_the_ftp_client_that_asks_for_it():
    need('strace')
    if is_sanitized():
        skip('strace and the leak sanitizer do not go together')
    with House() as h, Trap() as trap:
        h.write(f'{MAC}.cfg', HEAD + f'static.firmware.url = {trap.url}\n')
        h.write('y000000000000.boot', HEAD + f'include:config <{trap.url}>\n')
        trace = h.dir / 'trace'
        with Daemon(['--root', h.root, *h.options()],
                    before=['strace', '-f', '-qq', '-o', trace, '-e', 'trace=connect']) as d:
            # strace is the process that is known; the daemon is the one to be ended.
            child = int(open(f'/proc/{d.pid}/task/{d.pid}/children', encoding='ascii').read().split()[0])
            try:
                name_everywhere(d, trap)
                port = ftp_everywhere(d, trap)
            finally:
                os.kill(child, signal.SIGTERM)
                d.wait()
        went = re.findall(r'sin6?_port=htons\((\d+)\).*?"([^"]+)"', trace.read_text())
        equal([place for place in went if place[1] != '0.0.0.0'], [(str(port), '127.0.0.1')])
        equal(trap.came, 0)


@test
def R24_the_phone_fetches_by_four_schemes_and_nothing_else():
    with serving() as (h, d), Trap() as trap:
        secret = h.dir / 'secret'
        others = ('gopher', 'dict', 'ldap', 'smb', 'telnet', 'scp', 'imap', 'ws')
        for scheme in (f'file://{secret}', f'file:{secret}', *(f'{name}://127.0.0.1:{trap.port}/x' for name in others)):
            h.write('y000000000000.boot', HEAD + 'include:config <all.cfg>\n' + f'include:config "{scheme}"\n')
            h.write('all.cfg', HEAD + f'account.1.label = Desk\nlocal_contact.data.url = {scheme}\nringtone.url = {scheme}\n')
            done = run('phone', '--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--flash', h.dir / 'flash', '--once',
                       '--time-scale', 1000, '--server', f'http://{d.http_at()}/')
            check('outside of the root' not in done.stdout + done.stderr, done.stdout)
            for path in (h.dir / 'flash').rglob('*'):
                check(path.is_dir() or b'secret outside' not in path.read_bytes(), path)
        equal(trap.came, 0)


# --- secrets ---


SECRETS = ('hush-one', 'hush-two', 'hush-three', 'hush-four')


def modes(directory):
    return {path: stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.rglob('*')]}


@test
def R27_what_a_phone_knows_is_in_its_flash_for_its_user_alone_and_nowhere_else():
    one, two, three, four = SECRETS
    with serving() as (h, d):
        password = h.dir / 'password'
        password.write_text(four + '\n')
        write_boot(h, f'account.1.password = {one}', f'static.auto_provision.server.password = {two}',
                   f'local_contact.data.url = http://desk:{three}@{d.http_at()}/contact.xml',
                   f'ringtone.url = http://desk:{three}@{d.http_at()}/none.wav')
        h.write('contact.xml', '<root_group/>\n<root_contact/>\n')
        with Phone(h, f'http://{d.http_at()}/', '--user', 'desk', '--password-file', password) as p:
            p.idle()
            shown = [json.dumps(p.get(what)) for what in ('state', 'settings', 'screen')]
            process = [open(f'/proc/{p.pid}/{name}', 'rb').read().decode() for name in ('cmdline', 'environ')]
        done = run('phone', '--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--flash', h.dir / 'flash', '--once',
                   '--json', '--server', f'http://{d.http_at()}/')
        said = '\n'.join([*shown, *process, *p.out, *p.err, *d.out, *d.err, done.stdout, done.stderr])
        said += ''.join(path.read_bytes().decode('latin-1') for path in h.state.rglob('*') if path.is_file())
        for secret in SECRETS:
            at = said.find(secret)
            check(at < 0, f'{secret} was said: {said[max(0, at - 100):at + 50]!r}')
        check(one in (h.dir / 'flash' / f'{MAC}.flash').read_text(), 'it is not in flash either')
        for path, mode in modes(h.dir / 'flash').items():
            equal((path, mode), (path, 0o700 if path.is_dir() else 0o600))


@test
def R27_what_phones_send_is_kept_for_the_servers_user_alone():
    with serving() as (h, d):
        body = f'{HEAD}account.1.password = {SECRETS[0]}\n'
        http_raw(d.http, f'PUT /{LOCAL} HTTP/1.1\r\nHost: x\r\nUser-Agent: Yealink SIP-T46S 66.81.0.15 00:15:65:74:b1:50\r\n'
                 f'Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode())
        until((h.state / 'uploads' / LOCAL).exists, 'the file')
        uid = int(open(f'/proc/{d.pid}/status', encoding='ascii').read().split('Uid:')[1].split()[0])
        for path, mode in modes(h.state).items():
            equal((path, mode & 0o077), (path, 0))
            equal((path, path.stat().st_uid), (path, uid))
        check(not any(SECRETS[0] in line for line in d.out + d.err), d.out)


def cannot_be_dumped(pid):
    """No core file, and /proc/PID belongs to root though the process does not: not dumpable."""
    with open(f'/proc/{pid}/limits', encoding='ascii') as file:
        check(re.search(r'Max core file size +0 +0 ', file.read()), 'a core file is allowed')
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        check(re.search(rf'^Uid:\t{NOBODY}\t', file.read(), re.MULTILINE), 'another user')
    equal(os.stat(f'/proc/{pid}/environ').st_uid, 0)


@test
def R27_neither_server_nor_phone_can_be_dumped():
    if os.geteuid() != 0:
        skip('only root can make somebody else of a process')
    if is_sanitized():
        skip('the leak sanitizer looks at its own process from outside')
    with serving(run__user='nobody') as (h, d):
        write_boot(h, 'account.1.label = Desk')
        cannot_be_dumped(d.pid)
        (h.dir / 'flash').mkdir(mode=0o700)
        os.chown(h.dir / 'flash', NOBODY, NOBODY)
        mine = h.dir / 'dialtone'
        with open(dialtone(), 'rb') as file:
            mine.write_bytes(file.read())
        mine.chmod(0o755)
        with Process([mine, 'phone', '--mac', MAC, '--model', 'T46S', '--firmware', '66.81.0.15', '--flash', h.dir / 'flash',
                      '--server', f'http://{d.http_at()}/'], user=NOBODY, group=NOBODY, extra_groups=[]) as p:
            check(p.saw('  idle; ', p.out), p.out + p.err)
            cannot_be_dumped(p.pid)


main()
