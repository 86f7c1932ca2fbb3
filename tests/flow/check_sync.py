#!/usr/bin/env python3
"""Check-sync: a living phone against the real daemon, told to provision itself by a foreign sender (sipp) and by dialtone notify."""
import contextlib
import json
import re
import socket
import ssl
import threading
import time

from house import PATIENCE_S, House, Process, check, equal, is_sanitized, need, program, resident_kib, run, serving, until
from pbx import scenario
from tap import dialtone, main, test

MAC = '00156574b150'
COLONS = '00:15:65:74:b1:50'
HEAD = '#!version:1.0.0.1\n'
ACCOUNT = ['account.1.user_name = 1001', 'account.1.password = its-secret']


class Phone(Process):
    """dialtone phone with a SIP port, idle after its first run."""

    def __init__(self, d, *more, mac=COLONS, scale=20, server=None):
        words = [dialtone(), 'phone', '--mac', mac, '--model', 'T46S', '--firmware', '66.84.0.15', '--server',
                 server or f'http://{d.http_at()}/', '--time-scale', scale, '--sip', '0', *more]
        super().__init__(words)
        self.port = int(until(lambda: next((m[1] for m in (re.search(r'listens on 127\.0\.0\.1:(\d+) ', line)
                                                           for line in self.out) if m), None), 'the SIP port'))
        self.idles(1)

    def times(self, text):
        return sum(text in line for line in self.out)

    def idles(self, count):
        """Waits until it has become idle so often."""
        until(lambda: self.times('  idle; ') >= count, f'idle {count} times: {self.out}')

    def runs_by_check_sync(self):
        return self.times('  check-sync, http')

    def reboots(self):
        return self.times('reboots: check-sync')

    def __exit__(self, wrong, *rest):
        super().__exit__(wrong, *rest)
        check(wrong or self.process.returncode in (0, 1), f'exit {self.process.returncode}: {self.err}')


def write_cfg(h, *lines, mac=MAC):
    h.write(f'{mac}.cfg', HEAD + ''.join(line + '\n' for line in lines))


@contextlib.contextmanager
def phone_with(*lines, more=()):
    with serving() as (h, d):
        write_cfg(h, *lines)
        with Phone(d, *more) as p:
            yield h, d, p


# --- sipp ---


def sipp(h, phone, event='check-sync', status=200, login=False, by='u1', host='127.0.0.1', calls=1, rate=10):
    need('sipp')
    (h.dir / 'pbx.xml').write_text(scenario(event, status, login))
    done = program('sipp', '-sf', h.dir / 'pbx.xml', '-i', host, '-t', by, '-m', calls, '-r', rate, '-timeout', '20s', '-nostdin',
                   f'127.0.0.1:{phone.port}', cwd=h.dir)
    check(done.returncode == 0, done.stdout[-1500:] + done.stderr)


@test
def sipp_makes_it_run_or_reboot_as_the_setting_says_by_udp_and_tcp():
    for value, event, reboots in ((0, 'check-sync', False), (0, 'check-sync;reboot=true', True),
                                  (0, 'check-sync;reboot=false', False), (1, 'check-sync', True)):
        for by in ('u1', 't1'):
            with phone_with(f'sip.notify_reboot_enable = {value}') as (h, _, p):
                sipp(h, p, event, by=by)
                p.idles(2)
                equal((p.reboots(), p.runs_by_check_sync()), (1, 0) if reboots else (0, 1))


@test
def with_2_the_notify_is_answered_and_nothing_happens():
    with phone_with('sip.notify_reboot_enable = 2') as (h, _, p):
        sipp(h, p, 'check-sync;reboot=true')
        sipp(h, p, by='t1')
        check(p.saw('ignored: sip.notify_reboot_enable is 2', p.out), p.out)
        equal((p.reboots(), p.runs_by_check_sync()), (0, 0))


@test
def a_central_change_is_there_after_a_check_sync():
    with phone_with('sip.notify_reboot_enable = 0', 'account.1.label = Old') as (h, _, p):
        write_cfg(h, 'sip.notify_reboot_enable = 0', 'account.1.label = New')
        sipp(h, p)
        check(p.saw('provisioned (old): 2 settings applied, 1 changed', p.out), p.out)


@test
def sipp_gives_the_accounts_password_when_everybody_has_to():
    with phone_with('sip.notify_reboot_enable = 0', *ACCOUNT, more=['--sip-auth', 'always']) as (h, _, p):
        for by in ('u1', 't1'):
            sipp(h, p, status=401, by=by)
            equal(p.runs_by_check_sync(), 0 if by == 'u1' else 1)
            sipp(h, p, login=True, by=by)
            p.idles(2 if by == 'u1' else 3)
        equal(p.runs_by_check_sync(), 2)


@test
def r18_a_stranger_is_refused_or_needs_the_password():
    with phone_with('sip.notify_reboot_enable = 0') as (h, _, p):
        sipp(h, p, status=403, host='127.0.2.1')
        check(p.saw('neither the provisioning server nor a SIP server of an account', p.out), p.out)
    with phone_with('sip.notify_reboot_enable = 0', *ACCOUNT) as (h, _, p):
        sipp(h, p, status=401, host='127.0.2.1')
        sipp(h, p, host='127.0.2.1', login=True)
        p.idles(2)
        equal(p.runs_by_check_sync(), 1)
    with phone_with('sip.notify_reboot_enable = 0', more=['--sip-auth', 'open']) as (h, _, p):
        sipp(h, p, host='127.0.2.1')
        p.idles(2)


@test
def with_trust_ctrl_only_the_servers_come_in():
    lines = ['sip.notify_reboot_enable = 0', 'sip.trust_ctrl = 1', 'account.1.sip_server.1.address = 127.0.2.2', *ACCOUNT]
    with phone_with(*lines) as (h, _, p):
        sipp(h, p, status=403, host='127.0.2.1')
        sipp(h, p, host='127.0.2.2')
        p.idles(2)
        sipp(h, p, host='127.0.0.1', by='t1')
        p.idles(3)
        equal(p.runs_by_check_sync(), 2)


@test
def a_sip_server_is_known_by_its_name():
    with House() as h, h.serve(listen='127.0.2.2') as d:
        write_cfg(h, 'sip.notify_reboot_enable = 0', 'sip.trust_ctrl = 1', 'account.1.sip_server.1.address = localhost')
        with Phone(d, server=f'http://127.0.2.2:{d.http}/') as p:
            sipp(h, p)
            p.idles(2)


# --- R18: a flood ---


@test
def r18_a_flood_reboots_once_and_queues_one_run():
    with phone_with('sip.notify_reboot_enable = 1', more=['--sip-auth', 'open']) as (h, _, p):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        before = resident_kib(p.pid)
        with sender:
            for n in range(3000):
                sender.sendto(notify(n, 'check-sync;reboot=true'), ('127.0.0.1', p.port))
                if n % 100 == 0:
                    time.sleep(0.01)
            p.idles(2)
            equal(p.reboots(), 1)
            check(is_sanitized() or resident_kib(p.pid) < before + 6144, 'it grew')
            time.sleep(1.1)
            # It still answers.
            sipp(h, p, status=200)
            check(p.runs_by_check_sync() <= 3, p.out)


def notify(number, event, host='127.0.0.1'):
    return (f'NOTIFY sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{number}\r\nFrom: <sip:a@{host}>;tag=1\r\n'
            f'To: <sip:1001@127.0.0.1>\r\nCall-ID: {number}\r\nCSeq: 1 NOTIFY\r\nEvent: {event}\r\nContent-Length: 0\r\n\r\n').encode()


@test
def hostile_bytes_by_udp_and_tcp_leave_it_well():
    pieces = [b'', b'\0' * 2000, b'\xff' * 60000, b'NOTIFY', b'\x16\x03\x01\x02\x00' + b'\0' * 512, b'GET / HTTP/1.0\r\n\r\n',
              notify(1, 'check-sync')[:-10], notify(2, 'x' * 15000), b'\r\n' * 5000, notify(3, 'a').replace(b': 0', b': 99999999')]
    with phone_with('sip.notify_reboot_enable = 0') as (h, _, p):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for piece in pieces:
                s.sendto(piece, ('127.0.0.1', p.port))
        held = [socket.create_connection(('127.0.0.1', p.port)) for _ in range(40)]
        for n, s in enumerate(held):
            with contextlib.suppress(ConnectionError):
                s.sendall(pieces[n % len(pieces)])
        # All of them hang on, and a new one still gets in.
        sipp(h, p, by='t1')
        p.idles(2)
        for s in held:
            s.close()
        equal(p.runs_by_check_sync(), 1)


@test
def a_keep_alive_gets_its_pong_and_two_messages_in_one_piece_two_answers():
    with phone_with('sip.notify_reboot_enable = 2') as (_, _, p), socket.create_connection(('127.0.0.1', p.port)) as s:
        s.settimeout(PATIENCE_S)
        s.sendall(b'\r\n\r\n')
        equal(s.recv(100), b'\r\n')
        both = notify(1, 'check-sync') + notify(2, 'ACTION-URI')
        s.sendall(both[:100])
        time.sleep(0.05)
        s.sendall(both[100:])
        got = b''
        while got.count(b'\r\n\r\n') < 2:
            got += s.recv(4096)
        equal(re.findall(rb'SIP/2\.0 (\d+)', got), [b'200', b'489'])


# --- dialtone notify ---


def told(*words, status=0):
    """What dialtone notify says, as JSON."""
    done = run('notify', *words, '--json')
    equal((done.returncode, done.stderr), (status, ''))
    return json.loads(done.stdout)


@test
def notify_is_answered_by_udp_and_tcp_with_and_without_a_password():
    with phone_with('sip.notify_reboot_enable = 0', *ACCOUNT, more=['--sip-auth', 'always']) as (h, _, p):
        (h.dir / 'right').write_text('its-secret\n')
        (h.dir / 'wrong').write_text('guess\n')
        for n, transport in enumerate(('udp', 'tcp')):
            to = ['--to', f'sip:1001@127.0.0.1:{p.port};transport={transport}']
            answer = told(*to, status=1)[0]
            equal((answer['outcome'], answer['status'], answer['why']),
                  ('refused', 401, 'it wants a user name and a password'))
            answer = told(*to, '--user', '1001', '--password-file', h.dir / 'wrong', status=1)[0]
            equal((answer['status'], answer['why']), (401, 'user name or password not accepted'))
            answer = told(*to, '--user', '1001', '--password-file', h.dir / 'right')[0]
            equal((answer['outcome'], answer['status'], answer['reason'], answer['tries']), ('answered', 200, 'OK', 2))
            p.idles(2 + n)
        equal((p.runs_by_check_sync(), p.reboots()), (2, 0))
        line = run('notify', '--to', f'sip:1001@127.0.0.1:{p.port}', '--reboot', '--user', '1001', '--password-file', h.dir / 'right')
        check(re.fullmatch(rf'sip:1001@127\.0\.0\.1:{p.port}  answered 200 OK, \d+ ms\n', line.stdout), line.stdout)
        until(lambda: p.reboots() == 1, 'the reboot')


@test
def nobody_there_silence_and_a_broken_name_are_told_apart():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(('127.0.0.1', 0))
        answer = told('--to', f'sip:127.0.0.1:{mute.getsockname()[1]}', '--wait', '2', status=1)[0]
        equal((answer['outcome'], answer['why'], answer['tries']), ('silent', 'no answer', 3))
        port = mute.getsockname()[1]
    equal(told('--to', f'sip:127.0.0.1:{port}', status=1)[0]['why'], 'nobody takes it there (ICMP)')
    equal(told('--to', f'sip:127.0.0.1:{port};transport=tcp', status=1)[0]['why'], 'connection refused')
    equal(told('--to', 'sip:phone.invalid', status=1)[0]['outcome'], 'unreachable')
    equal(run('notify', '--to', 'sip:a b@h').returncode, 2)
    equal(run('notify', '--all', '--to', 'sip:h').returncode, 2)
    equal(run('notify').returncode, 2)


class TlsPeer:
    """A phone that speaks TLS: answers one NOTIFY a connection."""

    def __init__(self, directory, host='127.0.0.1'):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / 'server' / 'ecdsa.pem', directory / 'server' / 'ecdsa.key')
        self.listener = socket.create_server((host, 0))
        self.port, self.context, self.heard = self.listener.getsockname()[1], context, []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain, contextlib.suppress(OSError), self.context.wrap_socket(plain, server_side=True) as s:
                head = b''
                while b'\r\n\r\n' not in head:
                    head += s.recv(4096) or b'\r\n\r\n'
                self.heard.append(head.decode())
                copied = [line for line in head.decode().split('\r\n') if line.split(':')[0] in ('Via', 'From', 'To', 'Call-ID', 'CSeq')]
                s.sendall(('\r\n'.join(['SIP/2.0 200 OK', *copied, 'Content-Length: 0']) + '\r\n\r\n').encode())
                s.recv(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@test
def by_tls_the_peers_certificate_has_to_be_good_and_name_the_host():
    with House() as h:
        directory = h.make_certificates()
        with TlsPeer(directory) as peer:
            to = ['--to', f'sip:1001@127.0.0.1:{peer.port};transport=tls']
            answer = told(*to, status=1)[0]
            equal(answer['outcome'], 'unreachable')
            equal(peer.heard, [])
            equal(told(*to, '--ca', directory / 'ca' / 'ca.pem')[0]['status'], 200)
            check(re.search(r'^Via: SIP/2.0/TLS 127\.0\.0\.1:\d+;', peer.heard[0], re.MULTILINE), peer.heard)
            equal(told(*to, '--insecure')[0]['status'], 200)
            equal(told('--to', f'sips:127.0.0.1:{peer.port}', '--ca', directory / 'ca' / 'ca.pem')[0]['status'], 200)
            equal(run('notify', *to, '--ca', h.dir / 'nothing').returncode, 1)
        with TlsPeer(directory, '127.0.0.2') as peer:
            answer = told('--to', f'sips:127.0.0.2:{peer.port}', '--ca', directory / 'ca' / 'ca.pem', status=1)[0]
            equal((answer['outcome'], answer['status'], peer.heard), ('unreachable', None, []))


@test
def all_phones_of_the_journal_are_told_and_counted():
    with serving() as (h, d), contextlib.ExitStack() as stack:
        macs = [f'00156574b1{n:02x}' for n in range(3)]
        for mac in macs:
            write_cfg(h, 'sip.notify_reboot_enable = 0', mac=mac)
        # One SIP port on one address: of the three phones one listens, and all are where it is.
        phone = stack.enter_context(Phone(d, mac=macs[0]))
        for mac in macs[1:]:
            equal(run('phone', '--mac', mac, '--model', 'T42S', '--firmware', '66.84.0.15', '--server', f'http://{d.http_at()}/',
                      '--once').returncode, 0)
        until(lambda: all(any(f'{mac}.cfg' in line for line in d.events()) for mac in macs), 'the journal')
        options = ['--state', h.state, '--port', phone.port]

        def rows():
            found = run('notify', '--all', *options, '--rate', '1000', '--json')
            return found if found.stdout.strip() and len(json.loads(found.stdout)) == 3 else None

        start = time.monotonic()
        answers = json.loads(until(rows, 'three phones in the database').stdout)
        equal(sorted(a['mac'] for a in answers), [f'00:15:65:74:b1:{n:02x}' for n in range(3)])
        equal({(a['outcome'], a['status']) for a in answers}, {('answered', 200)})
        equal([a['to'] for a in told('--all', '--model', 'SIP-T46S', *options)], [f'sip:{macs[0]}@127.0.0.1:{phone.port}'])
        start = time.monotonic()
        done = run('notify', '--all', *options, '--rate', '2')
        check(done.stdout.endswith('3 answered, 0 refused, 0 silent\n') and done.returncode == 0, done.stdout)
        check(time.monotonic() - start > 0.9, 'three at two a second take a second')
        equal(run('notify', '--all', '--older-than', '1', *options).returncode, 1)
        answers = told('--mac', macs[0], '--mac', '00:15:65:ff:ff:ff', *options, status=1)
        equal([a['outcome'] for a in answers], ['answered', 'unreachable'])
        check(phone.runs_by_check_sync() >= 2, phone.out)


@test
def a_journal_that_is_not_there_is_a_clear_message():
    with House() as h:
        done = run('notify', '--all', '--state', h.dir)
        equal(done.returncode, 1)
        check('journal.db: No such file or directory' in done.stderr, done.stderr)
        (h.dir / 'journal.db').write_text('no database at all, but long enough to be looked at' * 100)
        done = run('notify', '--all', '--state', h.dir)
        equal(done.returncode, 1)
        check('not a database' in done.stderr, done.stderr)


main()
