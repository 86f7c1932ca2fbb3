"""Certificates of phones over HTTPS, what they open and what they do not; old phones; users by the ten thousand."""
import contextlib
import hashlib
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import time

from house import PATIENCE_S, Daemon, House, check, equal, http_get, need, program, run, tftp_get, until
from tap import dialtone, main, skip, test

ONE, TWO, THREE = '00156574b150', '00156574b151', '00156574b152'
CFG = b'#!version:1.0.0.1\naccount.1.enable = 1\n'


@contextlib.contextmanager
def serving(kind='optional', **more):
    """Two phones with certificates, a third without, files for all."""
    with House() as h:
        h.make_certificates()
        h.make_devices(ONE, TWO)
        for mac in (ONE, TWO, THREE):
            h.write(f'{mac}.cfg', CFG + mac.encode() + b'\n')
        h.write('y000000000000.boot', '#!version:1.0.0.1\ninclude:config "common.cfg"\n')
        h.write('common.cfg', CFG)
        with h.serve(**h.client_options(kind, **more)) as d:
            yield h, d


def curl(h, d, name, mac=None, *words, port=None):
    """(exit, status, body); with the certificate of a phone."""
    own = []
    if mac:
        certificate, key = h.device(mac)
        own = ['--cert', certificate, '--key', key]
    done = program(need('curl'), '-s', '-w', '\n%{http_code}', '--cacert', h.dir / 'tls/ca/ca.pem', *own, *words,
                   f'https://localhost:{port or d.https}/{name}')
    body, status = done.stdout.rsplit(b'\n', 1)
    return done.returncode, int(status), body


def read(h, name):
    return (0, 200, (h.root / name).read_bytes())


# --- who is let in -----------------------------------------------------------------------------------------


@test
def r5_the_certificate_says_which_phone_it_is_and_the_journal_too():
    with serving() as (h, d):
        for version in ('1.2', '1.3'):
            equal(curl(h, d, f'{ONE}.cfg', ONE, '--tlsv' + version, '--tls-max', version), read(h, f'{ONE}.cfg'))
        equal(curl(h, d, 'common.cfg'), read(h, 'common.cfg'))
        check(d.saw('certificate 00:15:65:74:b1:50', d.out), d.out)
        line = until(lambda: [x for x in d.events() if 'common.cfg' in x], 'the journal')[0]
        check('certificate' not in line, line)
        line = [x for x in d.events() if f'{ONE}.cfg' in x][0]
        check(' 00:15:65:74:b1:50 ' in line and line.endswith(' certificate 00:15:65:74:b1:50'), line)


@test
def r3_a_phone_gets_its_own_files_and_of_others_not_even_that_they_are_there():
    with serving() as (h, d):
        def raw(name, *words):
            got = program(need('curl'), '-s', '-i', '--cacert', h.dir / 'tls/ca/ca.pem', *words,
                          f'https://localhost:{d.https}/{name}').stdout
            return re.sub(rb'Date: [^\r]*\r\n', b'', got)

        certificate, key = h.device(ONE)
        own = ('--cert', certificate, '--key', key)
        equal(curl(h, d, f'{ONE}.cfg', ONE), read(h, f'{ONE}.cfg'))
        absent = raw('nothing-of-this-name.cfg', *own)
        check(absent.startswith(b'HTTP/1.1 404 '), absent)
        # There, not there, of a phone, of nobody; with another's certificate and without any.
        for name in (f'{TWO}.cfg', f'{THREE}.cfg', f'{TWO.upper()}.CFG', f'{TWO}.boot', 'c4fc22aabbcc.cfg',
                     f'{TWO}-local.cfg', f'{TWO}/common.cfg', f'%30{TWO[1:]}.cfg', f'/{TWO}.cfg'):
            for words in (own, ()):
                equal((name, raw(name, *words)), (name, absent))
        check(d.saw("refused 404 (another phone's file)", d.out), d.out)
        check(d.saw('refused 404 (who asks has not proven its MAC)', d.out), d.out)


@test
def r5_who_is_refused_hears_why_though_its_request_is_on_the_way():
    """By TLS 1.3 a client is done with its handshake before the server has looked at its certificate."""
    with serving('required') as (h, d):
        context = ssl.create_default_context(cafile=h.dir / 'tls/ca/ca.pem')
        with socket.create_connection(('127.0.0.1', d.https)) as plain:
            with context.wrap_socket(plain, server_hostname='localhost') as s:
                equal(s.version(), 'TLSv1.3')
                check(select.select([s], [], [], PATIENCE_S)[0], 'nothing came')
                for _ in range(3):
                    s.sendall(b'GET /common.cfg HTTP/1.1\r\nHost: localhost\r\n\r\n')
                    time.sleep(0.05)
                try:
                    s.recv(100)
                    check(False, 'no alert')
                except ssl.SSLError as error:
                    check('CERTIFICATE_REQUIRED' in str(error), error)


@test
def r3_a_wrong_phone_is_answered_as_quickly_whether_the_file_is_there_or_not():
    """No look at the tree: what is asked for first would be read, and later be in memory."""
    with serving() as (h, d):
        for i in range(200):
            h.write(f'0015651{i:05x}.cfg', CFG * 2000)
        context = ssl.create_default_context(cafile=h.dir / 'tls/ca/ca.pem')
        context.load_cert_chain(*h.device(ONE))
        taken = {True: [], False: []}
        with socket.create_connection(('127.0.0.1', d.https)) as plain:
            with context.wrap_socket(plain, server_hostname='localhost') as s:
                for i in range(400):
                    there = i % 2 == 0
                    name = f'0015651{i // 2:05x}.cfg' if there else f'0015652{i // 2:05x}.cfg'
                    start = time.perf_counter()
                    s.sendall(f'GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
                    got = b''
                    while b'no such file' not in got and b'absent\n' not in got:
                        more = s.recv(4096)
                        check(more, got)
                        got += more
                    check(got.startswith(b'HTTP/1.1 404 '), got)
                    taken[there].append(time.perf_counter() - start)
        medians = [sorted(times)[len(times) // 2] for times in taken.values()]
        check(max(medians) < 1.5 * min(medians), medians)


@test
def r5_required_lets_nobody_in_without_a_certificate():
    with serving('required') as (h, d):
        equal(curl(h, d, f'{ONE}.cfg', ONE), read(h, f'{ONE}.cfg'))
        check(curl(h, d, 'common.cfg')[0] != 0, 'let in')
        check(d.saw('stopped (the peer has no certificate, and one is required)', d.out), d.out)
        said = s_client(d.https, '-tls1_2')
        check('handshake failure' in said, said)


def s_client(port, *words, say=b'Q\n'):
    done = subprocess.run([need('openssl'), 's_client', '-connect', f'127.0.0.1:{port}', *words], input=say,
                          capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode(errors='replace')


def openssl(h, *words):
    done = program(need('openssl'), *words, cwd=h.dir)
    equal((words, done.returncode), (words, 0))


def foreign_certificate(h, name, subject, *more, ca='tls/ca/ca', usage='clientAuth', days='30'):
    """A key and a certificate as `openssl` makes them."""
    (h.dir / 'ext').write_text(f'extendedKeyUsage = {usage}\n')
    openssl(h, 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key',
            '-out', f'{name}.csr', '-subj', subject)
    openssl(h, 'x509', '-req', '-in', f'{name}.csr', '-CA', f'{ca}.pem', '-CAkey', f'{ca}.key', '-CAcreateserial', '-out',
            f'{name}.pem', '-extfile', 'ext', '-days', days, *more)
    return ['--cert', h.dir / f'{name}.pem', '--key', h.dir / f'{name}.key']


@test
def r5_any_spelling_of_the_mac_counts_and_a_generic_certificate_opens_no_phones_files():
    with serving() as (h, d):
        for i, cn in enumerate(('00:15:65:74:B1:50', '00-15-65-74-b1-50', '00156574B150', '0015.6574.b150')):
            words = foreign_certificate(h, f'spelt{i}', f'/CN={cn}')
            equal((cn, curl(h, d, f'{ONE}.cfg', None, *words)), (cn, read(h, f'{ONE}.cfg')))
        for i, subject in enumerate(('/CN=SIP-T46S', '/O=00156574b150', '/CN=00156574b150/CN=00156574b151',
                                     '/CN=00156574b150.example')):
            words = foreign_certificate(h, f'generic{i}', subject)
            equal((subject, curl(h, d, f'{ONE}.cfg', None, *words)[1]), (subject, 404))
            equal((subject, curl(h, d, 'common.cfg', None, *words)), (subject, read(h, 'common.cfg')))
        check(d.saw('certificate generic', d.out), d.out)


@test
def r5_chain_and_purpose_are_checked_and_the_reason_is_said():
    with serving('required') as (h, d):
        (h.dir / 'other').mkdir()
        openssl(h, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                'other/ca.key', '-out', 'other/ca.pem', '-subj', '/CN=dialtone CA of localhost/O=dialtone')
        cases = (('stranger', {'ca': 'other/ca'}, 'is by an authority that is not trusted'),
                 ('server', {'usage': 'serverAuth'}, 'is not for clients'))
        for name, more, why in cases:
            words = foreign_certificate(h, name, f'/CN={ONE}', **more)
            check(curl(h, d, 'common.cfg', None, *words)[0] != 0, name)
            check(d.saw(why, d.out), d.out)
    with serving('optional') as (h, d):
        words = foreign_certificate(h, 'server', f'/CN={ONE}', usage='serverAuth')
        equal(curl(h, d, f'{ONE}.cfg', None, *words)[1], 404)
        equal(curl(h, d, 'common.cfg', None, *words), read(h, 'common.cfg'))
        check(d.saw("(the peer's certificate is not for clients)", d.out), d.out)
        check(d.saw('certificate bad', d.out), d.out)


# --- revocation --------------------------------------------------------------------------------------------


def dial(h, d, mac, session=None, version=None):
    context = dial.contexts.setdefault((h.dir, mac, version), ssl.create_default_context(cafile=h.dir / 'tls/ca/ca.pem'))
    if version:
        context.minimum_version = context.maximum_version = version
    context.load_cert_chain(*h.device(mac))
    plain = socket.create_connection(('127.0.0.1', d.https))
    return context.wrap_socket(plain, server_hostname='localhost', session=session)


dial.contexts = {}


def ask(s, name):
    s.sendall(f'GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
    got = s.recv(65536)
    return int(got.split()[1]) if got else 0


@test
def r5_a_revoked_phone_is_shut_out_by_sighup_also_with_a_ticket_and_a_connection_that_stayed():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with serving('required') as (h, d):
            with dial(h, d, TWO, version=version) as old, dial(h, d, ONE, version=version) as other:
                equal((ask(old, f'{TWO}.cfg'), ask(other, f'{ONE}.cfg')), (200, 200))
                session = old.session
                with dial(h, d, TWO, session, version) as again:
                    equal(ask(again, f'{TWO}.cfg'), 200)
                    check(again.session_reused, 'the ticket is good so far')
                    session = again.session
                equal(run('cert', '--dir', h.dir / 'tls', '--revoke', TWO).returncode, 0)
                d.signal(signal.SIGHUP)
                check(d.saw('tls: certificates read again'), d.err)
                check(d.saw('configuration read again'), d.err)
                until(lambda: curl(h, d, 'common.cfg', TWO)[0] != 0, 'the revocation')
                # What was open is looked at again; the others go on as they were.
                equal((ask(other, f'{ONE}.cfg'), ask(old, f'{TWO}.cfg')), (200, 503))
                try:
                    with dial(h, d, TWO, session, version) as again:
                        equal(ask(again, 'common.cfg'), 'nothing')
                except (ssl.SSLError, ConnectionError) as error:
                    check('revoked' in str(error).lower() or isinstance(error, ConnectionError), error)
                check(d.saw("the peer's certificate is revoked", d.out), d.out)
                equal(curl(h, d, f'{ONE}.cfg', ONE), read(h, f'{ONE}.cfg'))


@test
def r5_serial_numbers_of_the_configuration_are_revoked_at_sighup():
    with House() as h:
        h.make_certificates()
        h.make_devices(ONE, TWO)
        h.write('common.cfg', CFG)
        serial = program(need('openssl'), 'x509', '-noout', '-serial', '-in', h.device(TWO)[0]).stdout.decode()
        conf = h.dir / 'd.conf'
        conf.write_text('tls.client_revoked = \n')
        options = h.client_options('required')
        del options['tls__client_crl']
        with Daemon(['-c', conf, '--root', h.root, *h.options(**options)]) as d:
            equal(curl(h, d, 'common.cfg', TWO), read(h, 'common.cfg'))
            conf.write_text(f"tls.client_revoked = 1234, {serial.strip().split('=')[1].lower()}\n")
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            until(lambda: curl(h, d, 'common.cfg', TWO)[0] != 0, 'the revocation')
            equal(curl(h, d, 'common.cfg', ONE), read(h, 'common.cfg'))
            check(not any('restart' in line for line in d.err), d.err)


@test
def r5_a_list_of_thousands_of_revoked_phones_is_taken():
    with serving('required') as (h, d):
        serials = ','.join(f'{i:032x}' for i in range(1, 20001))
        for at in range(0, 20000, 2000):
            some = ','.join(serials.split(',')[at:at + 2000])
            equal(run('cert', '--dir', h.dir / 'tls', '--revoke', some).returncode, 0)
        equal(run('cert', '--dir', h.dir / 'tls', '--revoke', TWO).returncode, 0)
        d.signal(signal.SIGHUP)
        check(d.saw('tls: certificates read again'), d.err)
        check(d.saw('configuration read again'), d.err)
        until(lambda: curl(h, d, 'common.cfg', TWO)[0] != 0, 'the revocation')
        equal(curl(h, d, 'common.cfg', ONE), read(h, 'common.cfg'))


@test
def r5_a_revocation_is_taken_also_where_root_was_given_up_and_the_keys_cannot_be_read():
    if os.geteuid() != 0:
        skip('only root can give up root')
    with serving('required', run__user='nobody') as (h, d):
        equal(curl(h, d, 'common.cfg', TWO), read(h, 'common.cfg'))
        equal(run('cert', '--dir', h.dir / 'tls', '--revoke', TWO).returncode, 0)
        d.signal(signal.SIGHUP)
        check(d.saw('the certificates stay as they were'), d.err)
        check(d.saw('authorities and revocations of phones read again'), d.err)
        until(lambda: curl(h, d, 'common.cfg', TWO)[0] != 0, 'the revocation')
        equal(curl(h, d, 'common.cfg', ONE), read(h, 'common.cfg'))


@test
def a_list_that_cannot_be_read_at_sighup_leaves_everything_as_it_was():
    with serving('required') as (h, d):
        (h.dir / 'tls/server/clients.pem').write_text('nonsense')
        d.signal(signal.SIGHUP)
        check(d.saw('who is trusted stays as it was'), d.err)
        equal(curl(h, d, 'common.cfg', ONE), read(h, 'common.cfg'))


@test
def clients_wants_an_authority_and_says_so():
    with House() as h:
        h.make_certificates()
        done = run('serve', '--root', h.root, *h.options(**h.tls_options(tls__client_certificates='required')))
        equal(done.returncode, 1)
        check('tls.client_certificates wants tls.client_ca' in done.stderr, done.stderr)


# --- binding by rules and logins ---------------------------------------------------------------------------


@test
def r3_open_mode_is_said_for_the_protocols_that_prove_nothing():
    with serving() as (h, d):
        check(d.saw('open mode: anyone on these networks who knows a MAC address gets its files by tftp, http, ftp'),
              d.err)
        equal(http_get(d.http, f'/{ONE}.cfg')[0], 200)
        equal(tftp_get(d.tftp, f'{ONE}.cfg')[0], 'file')


BOUND = 'access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = {}\n'


@test
def r3_a_rule_binds_tftp_http_and_ftp_too():
    with House() as h:
        h.write(f'{ONE}.cfg', CFG)
        h.write('common.cfg', CFG)
        conf = h.dir / 'd.conf'
        conf.write_text(BOUND.format('certificate'))
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            check(not any('open mode' in line for line in d.err), d.err)
            check(d.saw('tls.client_certificates is off: nobody gets the files of phones there'), d.err)
            absent = http_get(d.http, '/nothing.cfg')
            equal(http_get(d.http, f'/{ONE}.cfg'), absent)
            equal(http_get(d.http, f'/{TWO}.cfg'), absent)
            equal(tftp_get(d.tftp, f'{ONE}.cfg'), tftp_get(d.tftp, 'nothing.cfg'))
            equal(http_get(d.http, '/common.cfg')[0], 200)
            equal(tftp_get(d.tftp, 'common.cfg')[0], 'file')
            missing = program(need('curl'), '-sS', f'ftp://127.0.0.1:{d.ftp}/nothing.cfg')
            hidden = program(need('curl'), '-sS', f'ftp://127.0.0.1:{d.ftp}/{ONE}.cfg')
            equal((hidden.returncode, hidden.stderr, hidden.stdout), (missing.returncode, missing.stderr, b''))


def hash_line(name, password):
    """As `dialtone passwd` makes one, but quick: 50,000 of them in a second."""
    salt = hashlib.sha256(name.encode()).digest()[:16]
    scrypt = hashlib.scrypt(password.encode(), salt=salt, n=2, r=1, p=1, dklen=32)
    ha1 = f'{name}:dialtone:{password}'.encode()
    return (f'{name}:scrypt$2$1$1${salt.hex()}${scrypt.hex()};md5${hashlib.md5(ha1).hexdigest()};'
            f'sha256${hashlib.sha256(ha1).hexdigest()}\n')


@test
def r3_fifty_thousand_phones_each_log_in_to_their_own_files():
    with House() as h:
        users = h.dir / 'users'
        macs = [f'001565{i:06x}' for i in range(50000)]
        users.write_text(''.join(hash_line(mac, 'pw-' + mac) for mac in macs))
        users.chmod(0o600)
        for mac in (macs[0], macs[49999]):
            h.write(f'{mac}.cfg', CFG + mac.encode())
        conf = h.dir / 'd.conf'
        conf.write_text(BOUND.format('login') + f'users.file = {users}\n')

        def get(d, name, user, how):
            done = program(need('curl'), '-s', '-w', '%{http_code}', how, '-u', f'{user}:pw-{user}',
                           f'http://127.0.0.1:{d.http}/{name}')
            return done.stdout

        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            for mac in (macs[0], macs[49999]):
                for how in ('--basic', '--digest'):
                    equal(get(d, f'{mac}.cfg', mac, how), CFG + mac.encode() + b'200')
            # Another's, there or not: as a name that nobody has.
            equal(get(d, f'{macs[0]}.cfg', macs[1], '--basic'), get(d, f'{macs[7]}.cfg', macs[1], '--basic'))
            check(get(d, f'{macs[0]}.cfg', macs[1], '--basic').endswith(b'404'), 'hidden')
            equal(http_get(d.http, f'/{macs[0]}.cfg')[0], 401)
            equal(http_get(d.http, f'/{macs[7]}.cfg')[0], 401)
            # A new password at SIGHUP.
            users.write_text(hash_line(macs[0], 'fresh'))
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            until(lambda: get(d, f'{macs[0]}.cfg', macs[0], '--basic').endswith(b'401'), 'the new file')
            users.write_text('nonsense\n')
            d.signal(signal.SIGHUP)
            check(d.saw('users:1: not NAME:HASH'), d.err)
            check(d.saw('users and rules stay as they were'), d.err)


@test
def r27_a_file_of_users_that_everybody_may_read_is_refused():
    with House() as h:
        users = h.dir / 'users'
        users.write_text(hash_line('alice', 'secret-one'))
        users.chmod(0o644)
        done = run('serve', '--root', h.root, *h.options(users__file=users))
        equal(done.returncode, 1)
        check(f'{users}: everybody may read it' in done.stderr, done.stderr)
        check('scrypt' not in done.stderr, done.stderr)
        equal(run('serve', '--root', h.root, *h.options(users__file=users), '--check-config').returncode, 1)


def passwd(*words, say=''):
    return subprocess.run([dialtone(), 'passwd', *map(str, words)], input=say, capture_output=True, text=True, timeout=60)


@test
def passwd_puts_users_into_a_file_and_takes_them_out():
    with House() as h:
        users = h.dir / 'users'
        equal(passwd('--file', users, 'alice', say='secret-one\n').returncode, 0)
        equal(users.stat().st_mode & 0o777, 0o600)
        users.write_text('# the third floor\n\n' + users.read_text())
        users.chmod(0o640)
        done = passwd('--file', users, '--batch', say='00156574b150 secret-two\n00-15-65-74-B1-51 secret-three with blanks\n')
        equal((done.returncode, done.stdout, done.stderr), (0, '', ''))
        lines = users.read_text().splitlines()
        equal([line.split(':')[0] for line in lines], ['# the third floor', '', 'alice', '00156574b150', '00-15-65-74-B1-51'])
        equal(users.stat().st_mode & 0o777, 0o640)
        # Another password, and a MAC in another spelling.
        equal(passwd('--file', users, '00156574b151', say='secret-four\n').returncode, 0)
        equal([line.split(':')[0] for line in users.read_text().splitlines()][2:], ['alice', '00156574b150', '00156574b151'])
        equal(passwd('--file', users, 'alice', '--remove').returncode, 0)
        equal(passwd('--file', users, 'alice', '--remove').returncode, 1)
        check('alice' not in users.read_text(), users.read_text())
        # What is wrong changes nothing.
        before = users.read_bytes()
        for say, why in (('00156574b152 short\n', 'of 00156574b152 is shorter'), ('nonsense\n', 'line 1 of standard input'),
                         ('bob secret-five\na:b secret-six\n', 'line 2 of standard input')):
            done = passwd('--file', users, '--batch', say=say)
            equal(done.returncode, 1)
            check(why in done.stderr and 'secret' not in done.stderr, done.stderr)
        equal(users.read_bytes(), before)
        for words in (('--batch',), ('alice', '--remove'), ('--file', users), ('--file', users, '--batch', 'alice')):
            equal((words, passwd(*words).returncode), (words, 2))
        conf = h.dir / 'd.conf'
        conf.write_text(BOUND.format('login') + f'users.file = {users}\n')
        h.write('00156574b151.cfg', CFG)
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            for user, how in (('00-15-65-74-b1-51', '--basic'), ('00156574b151', '--digest')):
                done = program(need('curl'), '-s', how, '-u', f'{user}:secret-four',
                               f'http://127.0.0.1:{d.http}/00156574b151.cfg')
                equal(done.stdout, CFG)


# --- names, old phones, noise ------------------------------------------------------------------------------


@test
def r6_a_connection_meant_for_another_server_is_turned_away():
    with serving('off', tls__server_names='localhost, *.phones.example') as (h, d):
        equal(curl(h, d, 'common.cfg'), read(h, 'common.cfg'))
        check('Cipher is (NONE)' not in s_client(d.https, '-servername', 'a.phones.example'), 'turned away')
        check('Cipher is (NONE)' not in s_client(d.https, '-noservername'), 'who names none is served')
        said = s_client(d.https, '-servername', 'www.example')
        check('unrecognized name' in said and 'Cipher is (NONE)' in said, said)
        check(d.saw('stopped (the peer names another server: is it in tls.server_names?)', d.out), d.out)


@test
def r6_old_phones_have_a_port_of_their_own_with_a_warning_and_the_others_stay_strict():
    with serving(tls__legacy=1, tls__legacy_port=0) as (h, d):
        check(d.saw('tls.legacy: one more HTTPS port speaks TLS 1.0 and 1.1'), d.err)
        for words in (('-tls1', '-cipher', 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0'), ('-tls1', '-cipher', 'AES256-SHA:@SECLEVEL=0'),
                      ('-tls1_1', '-cipher', 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0'),
                      ('-tls1_2', '-cipher', 'AES128-GCM-SHA256:@SECLEVEL=0')):
            check('Cipher is (NONE)' in s_client(d.https, *words), f'{words} on the usual port')
            said = s_client(d.ports['legacy'], *words)
            check('Cipher is (NONE)' not in said and 'Compression: NONE' in said, f'{words}: {said}')
        for suites in ('aNULL:@SECLEVEL=0', 'eNULL:@SECLEVEL=0'):
            said = s_client(d.ports['legacy'], '-tls1_2', '-cipher', suites)
            check('Cipher is (NONE)' in said, f'{suites}: {said}')
        equal(curl(h, d, f'{ONE}.cfg', ONE, '--tlsv1.0', '--tls-max', '1.0', '--ciphers', 'DEFAULT:@SECLEVEL=0',
                   port=d.ports['legacy']), read(h, f'{ONE}.cfg'))
        equal(curl(h, d, f'{TWO}.cfg', ONE, port=d.ports['legacy'])[1], 404)
        said = s_client(d.ports['legacy'], '-tls1', '-cipher', 'ALL:@SECLEVEL=0', say=b'R\nQ\n')
        check('no renegotiation' in said.lower(), said)


@test
def failed_handshakes_do_not_fill_the_journal():
    with serving() as (h, d):
        for _ in range(120):
            with socket.create_connection(('127.0.0.1', d.https)) as s:
                s.sendall(b'no TLS at all\r\n\r\n')
                s.recv(100)
        check(d.saw('failed handshakes were left out of the journal'), d.err)
        equal(curl(h, d, 'common.cfg'), read(h, 'common.cfg'))
        check(d.saw('common.cfg', d.out), d.out)
        noted = len([line for line in d.events() if ' stopped ' in line])
        check(20 <= noted <= 60, noted)


# --- dialtone cert -----------------------------------------------------------------------------------------


@test
def cert_makes_certificates_of_phones_and_takes_them_back():
    with House() as h:
        made = h.make_certificates()
        listed = h.dir / 'macs'
        listed.write_text(f'# the third floor\n{TWO}\n\n00:15:65:74:B1:52\n')
        done = run('cert', '--dir', made, '--device', '00-15-65-74-b1-50', '--devices', listed)
        equal(done.returncode, 0)
        check('tls.client_ca = ' in done.stdout and 'tls.client_crl = ' in done.stdout, done.stdout)
        before = {}
        for mac in (ONE, TWO, THREE):
            certificate, key = h.device(mac)
            before[mac] = certificate.read_bytes()
            equal(oct(key.stat().st_mode & 0o777), '0o600')
            done = program(need('openssl'), 'verify', '-x509_strict', '-purpose', 'sslclient', '-crl_check', '-CRLfile',
                           made / 'server/clients.crl', '-CAfile', made / 'server/clients.pem', certificate)
            equal((done.returncode, done.stderr), (0, b''))
            done = program(need('openssl'), 'x509', '-noout', '-subject', '-in', certificate)
            check(f'CN = {mac}'.encode() in done.stdout, done.stdout)
        # Again: what is there stays; by force it is another one, and the old one is revoked.
        equal(run('cert', '--dir', made, '--device', ONE).returncode, 0)
        equal(h.device(ONE)[0].read_bytes(), before[ONE])
        equal(run('cert', '--dir', made, '--device', ONE, '--force').returncode, 0)
        equal(run('cert', '--dir', made, '--revoke', TWO).returncode, 0)
        equal(run('cert', '--dir', made, '--revoke', TWO).returncode, 0)
        (h.dir / 'old.pem').write_bytes(before[ONE])
        for certificate, good in ((h.dir / 'old.pem', False), (h.device(ONE)[0], True), (h.device(TWO)[0], False),
                                  (h.device(THREE)[0], True)):
            done = program(need('openssl'), 'verify', '-crl_check', '-CRLfile', made / 'server/clients.crl', '-CAfile',
                           made / 'ca/ca.pem', certificate)
            equal((certificate, done.returncode == 0), (certificate, good))


@test
def cert_says_what_is_wrong_with_macs_and_serial_numbers():
    with House() as h:
        done = run('cert', '--dir', h.dir / 'tls', '--device', ONE)
        equal(done.returncode, 1)
        check('make the server\'s certificates first' in done.stderr, done.stderr)
        made = h.make_certificates()
        for words, said in ((('--device', '00156574b1'), "'00156574b1' is no MAC address"),
                            (('--revoke', 'phone'), "'phone' is no MAC address and no serial number"),
                            (('--revoke', ONE), f'devices/{ONE}.pem: No such file'),
                            (('--devices', h.dir / 'none'), 'No such file')):
            done = run('cert', '--dir', made, *words)
            equal((words, done.returncode), (words, 1))
            check(said in done.stderr, done.stderr)
        equal(run('cert', '--dir', made, '--device', ONE, '--name', 'localhost').returncode, 2)


main()
