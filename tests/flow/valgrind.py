"""Server and phone under valgrind: no errors, nothing definitely lost, and no descriptor open at the end."""
import http.client
import json
import os
import re
import signal
import socket

from house import Daemon, House, Process, check, equal, http_get, is_sanitized, need, program, tftp_get, until
from tap import dialtone, main, skip, test

PHONES = (('T46S', '66.84.0.15', '00:15:65:74:b1:50', 'tftp', 'desk'), ('T54W', '96.85.0.5', '80:5e:c0:11:22:33', 'http', 'desk'),
          ('T23G', '44.84.0.15', '00:15:65:74:b1:6e', 'tftp', 'old'))


def memcheck(log):
    """Words in front of a program: any error or definite leak is exit 99."""
    if is_sanitized():
        skip('a sanitizer is built in, which does not run in valgrind')
    return [need('valgrind'), '-q', '--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite', '--num-callers=24', '--track-fds=yes', '--child-silent-after-fork=yes',
            f'--log-file={log}']


# openat2_in_valgrind.c says why.
PRELOAD = {**os.environ, 'LD_PRELOAD': os.environ.get('OPENAT2_IN_VALGRIND', '')}


def clean(log, status, expected=0):
    """What valgrind said; -q says nothing of memory when all is well. A call it does not know is not ours to judge,
    nor is a descriptor that the program was started with, valgrind's log among them."""
    text = re.sub(r'==\d+== Open [^\n]*\n==\d+== +<inherited from parent>\n(==\d+== *\n)*', '',
                  log.read_text(errors='replace'))
    lines = [line for line in text.splitlines()
             if not re.search(r'WARNING: unhandled|You may be able to write|Read the file README_MISSING|'
                              r'Nevertheless we consider|it at http|sys_?call|FILE DESCRIPTORS: |^==\d+== *$', line)]
    check(status == expected and not lines, f'exit {status}\n' + '\n'.join(lines))


@test
def server_and_phones_provision_under_valgrind_and_lose_nothing():
    with House() as h:
        log = h.dir / 'server.log'
        # valgrind makes system calls that the filter forbids.
        with Daemon(['--root', h.root, *h.options(run__confine=0, journal='both')], memcheck(log), env=PRELOAD) as d:
            h.add_office(d.tftp_at(), d.http_at())
            for model, firmware, mac, scheme, directory in PHONES:
                own = h.dir / f'{model}.log'
                done = program(*memcheck(own), dialtone(), 'phone', '--model', model, '--firmware', firmware, '--mac', mac,
                               '--server', f'{scheme}://127.0.0.1:{getattr(d, scheme)}/{directory}/', '--flash', h.dir / 'flash',
                               '--once', '--json', env=PRELOAD)
                clean(own, done.returncode)
            h.write('large.rom', b'r' * 300000)
            equal(tftp_get(d.tftp, 'large.rom', 1432), ('file', b'r' * 300000))
            equal(http_get(d.http, '/large.rom'), (200, b'r' * 300000))
            equal(http_get(d.http, '/absent.cfg')[0], 404)
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            equal(http_get(d.http, '/sip.cfg')[0], 200)
            status = d.stop()
        clean(log, status)


def curl(h, *words):
    done = program(need('curl'), '-sS', '--fail', '--cacert', h.dir / 'tls/ca/ca.pem', *words)
    check(done.returncode == 0, (done.stderr, words[-1]))
    return done.stdout


def subscribe(port):
    """A phone asks the group for its URL and acknowledges it; the URL."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.bind(('127.0.0.1', 0))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
        own, user = s.getsockname()[1], 'sip:MAC00156574b16e@224.0.1.75'
        s.sendto(f'SUBSCRIBE {user} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK7\r\nFrom: <{user}>;tag=7\r\n'
                 f'To: <{user}>\r\nCall-ID: 7@127.0.0.1\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:MAC00156574b16e@127.0.0.1:{own}>\r\n'
                 'Max-Forwards: 70\r\nExpires: 0\r\nAccept: application/url\r\nContent-Length: 0\r\n'
                 'Event: ua-profile;profile-type="device";vendor="yealink";model="W52P";version="25.81.0.10"\r\n\r\n'.encode(),
                 ('224.0.1.75', port))
        check(s.recv(65536).startswith(b'SIP/2.0 200'), 'no answer')
        notify, source = s.recvfrom(65536)
        head, _, body = notify.decode().partition('\r\n\r\n')
        same = [line for line in head.split('\r\n') if re.match(r'(Via|From|To|Call-ID|CSeq):', line)]
        s.sendto('\r\n'.join(['SIP/2.0 200 OK', *same, 'Content-Length: 0', '', '']).encode(), source)
        return body.strip()


ONE = PHONES[0][2].replace(':', '')
SECRET_BOOT = '#!version:1.0.0.1\noverwrite_mode = 1\ninclude:config <all.cfg>\n'
PROTECTED = ('#!version:1.0.0.1\nstatic.auto_provision.custom.protect = 1\nstatic.auto_provision.custom.sync = 1\n'
             'account.1.label = Central\n')


@test
def secret_transfers_uploads_and_pnp_lose_nothing_under_valgrind():
    with House() as h:
        h.make_certificates()
        h.make_devices(ONE)
        log = h.dir / 'server.log'
        keys = h.client_options('optional', run__confine=0, journal='both', pnp__enable=1, pnp__port=0, pnp__interfaces='lo',
                                pnp__url='https://192.0.2.1/$PN/')
        h.write('y000000000000.boot', SECRET_BOOT)
        h.write('all.cfg', PROTECTED)
        with Daemon(['--root', h.root, *h.options(**keys)], memcheck(log), env=PRELOAD) as d:
            h.write('large.rom', b'r' * 300000)
            own = [word for pair in zip(('--cert', '--key'), h.device(ONE)) for word in pair]
            sent = h.dir / 'sent'
            sent.write_text('#!version:1.0.0.1\n')
            for words in ([], own):
                equal(curl(h, '--ssl-reqd', *words, f'ftp://localhost:{d.ftp}/large.rom'), b'r' * 300000)
                equal(curl(h, *words, f'https://localhost:{d.https}/large.rom'), b'r' * 300000)
            curl(h, '--ssl-reqd', '-T', sent, f'ftp://localhost:{d.ftp}/{ONE}-local.cfg')
            curl(h, '-T', sent, f'http://127.0.0.1:{d.http}/{ONE}-contact.xml')
            curl(h, *own, '-T', sent, f'https://localhost:{d.https}/{ONE}-calllog.xml')
            equal(subscribe(d.ports['pnp']), 'https://192.0.2.1/$PN/')
            phone = h.dir / 'phone.log'
            done = program(*memcheck(phone), dialtone(), 'phone', '--model', 'T46S', '--firmware', '66.84.0.15', '--mac', ONE,
                           '--server', f'https://localhost:{d.https}/', '--flash', h.dir / 'flash', '--once', '--json',
                           '--trusted', h.dir / 'tls/ca/ca.pem', '--device-cert', h.device(ONE)[0], '--device-key',
                           h.device(ONE)[1], env=PRELOAD)
            clean(phone, done.returncode)
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            status = d.stop()
        clean(log, status)


@test
def a_phone_that_lives_loses_nothing_under_valgrind():
    with House() as h:
        log = h.dir / 'phone.log'
        h.write('y000000000000.boot', SECRET_BOOT)
        h.write('all.cfg', PROTECTED)
        with h.serve() as d, Process([*memcheck(log), dialtone(), 'phone', '--mac', ONE, '--model', 'T46S', '--firmware',
                                      '66.81.0.15', '--flash', h.dir / 'flash', '--time-scale', '50', '--control', '127.0.0.1:0',
                                      '--sip', '127.0.0.1:0', '--server', f'http://{d.http_at()}/'], env=PRELOAD) as p:
            at = until(lambda: next((m[1] for m in (re.search(r'control  http://(\S+)/api/', line) for line in p.out)
                                     if m), None), 'the control port')

            def ask(method, path, **body):
                c = http.client.HTTPConnection(at, timeout=30)
                c.request(method, '/api/' + path, json.dumps(body) if method == 'POST' else None,
                          {'Content-Type': 'application/json'} if method == 'POST' else {})
                answer = c.getresponse()
                return answer.status, json.loads(answer.read())

            def idle(runs):
                until(lambda: (lambda s: s['state'] == 'idle' and s['runs'] >= runs)(ask('GET', 'state')[1]), 'idle')
            idle(1)
            until(lambda: ask('POST', 'setting', key='account.1.label', value='Own')[0] == 200, 'the setting')
            until(lambda: http_get(d.http, f'/{ONE}-local.cfg')[0] == 200, 'the upload')
            equal(ask('POST', 'provision')[0], 200)
            idle(2)
            equal(ask('GET', 'settings')[0], 200)
            p.signal(signal.SIGINT)
            clean(log, p.wait(), p.process.returncode)
            check(p.process.returncode in (0, 1), p.process.returncode)


@test
def explain_check_and_models_lose_nothing_under_valgrind():
    with House() as h:
        h.add_office('127.0.0.1:1', '127.0.0.1:2')
        phone = ['--model', 'T46S', '--firmware', '66.84.0.15', '--mac', '00:15:65:74:b1:50']
        for words in (['explain', '--root', h.root, '--server', 'http://h/desk/', *phone, '--json'],
                      ['explain', '--root', h.root, '--server', 'tftp://h/old/', *phone],
                      ['check', '--root', h.root], ['models', '--json'], ['phone', *phone, '--server', 'gopher://x']):
            log = h.dir / 'words.log'
            expected = program(dialtone(), *words).returncode
            clean(log, program(*memcheck(log), dialtone(), *words, env=PRELOAD).returncode, expected)


main()
