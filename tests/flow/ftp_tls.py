"""FTP over TLS (RFC 4217) from the outside: curl, lftp, Python's ftplib, and a peer that speaks too early."""
import contextlib
import ftplib
import io
import ssl
import threading
import time

from house import House, check, connect, equal, need, program, some_bytes, until
from tap import main, test

LARGE = some_bytes(3 << 20)
FILES = {'small.cfg': b'a = 1\nb = 2\n', 'empty.cfg': b'', 'large.rom': LARGE}


@contextlib.contextmanager
def offer(kinds=('ecdsa', 'rsa'), **more):
    with House() as h:
        h.make_certificates()
        for name, data in FILES.items():
            h.write(name, data)
        with h.serve(**h.tls_options(kinds, **more)) as d:
            yield h, d


def curl(h, d, name, *words):
    return program(need('curl'), '-sS', '--cacert', h.dir / 'tls' / 'ca' / 'ca.pem', *words,
                   f'ftp://localhost:{d.ftp}/{name}')


@test
def curl_fetches_by_tls_with_data_in_secret_and_in_the_clear():
    for kinds in (('ecdsa',), ('rsa',)):
        with offer(kinds) as (h, d):
            for words in (['--ssl-reqd', '--tlsv1.3'], ['--ssl-reqd', '--tls-max', '1.2'], ['--ssl'],
                          ['--ftp-ssl-control'], ['--ssl-reqd', '--disable-epsv']):
                for name, data in FILES.items():
                    done = curl(h, d, name, *words)
                    check(done.returncode == 0 and done.stdout == data, done.stderr)
            done = program(need('curl'), '-sS', '--ssl-reqd', f'ftp://localhost:{d.ftp}/small.cfg')
            equal(done.returncode, 60)


@test
def lftp_fetches_and_mirrors_by_tls_actively_and_passively():
    with offer() as (h, d):
        for mode in ('on', 'off'):
            into = h.dir / f'mirror-{mode}'
            done = program(need('lftp'), '-c', f'set ssl:ca-file {h.dir}/tls/ca/ca.pem; set ftp:ssl-force on; '
                           'set ftp:ssl-protect-data on; set ftp:ssl-protect-list on; set net:max-retries 1; '
                           f'set net:timeout 10; set cmd:fail-exit yes; set ftp:passive-mode {mode}; '
                           f'open -u anonymous, -p {d.ftp} localhost; mirror -P2 / {into}')
            check(done.returncode == 0, done)
            for name, data in FILES.items():
                equal((into / name).read_bytes(), data)


class Resuming(ftplib.FTP_TLS):
    """As clients do that prove by the session that both connections are theirs."""

    def ntransfercmd(self, command, rest=None):
        s, size = ftplib.FTP.ntransfercmd(self, command, rest)
        if self._prot_p:
            s = self.context.wrap_socket(s, server_hostname=self.host, session=self.sock.session)
            self.reused = s.session_reused
        return s, size


@test
def data_connections_may_resume_the_session_of_the_control_connection():
    with offer() as (h, d):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=h.dir / 'tls' / 'ca' / 'ca.pem')
            context.minimum_version = context.maximum_version = version
            f = Resuming(context=context)
            f.connect('localhost', d.ftp, 10)
            f.login()
            f.prot_p()
            for name, data in FILES.items():
                got = io.BytesIO()
                f.retrbinary(f'RETR {name}', got.write)
                equal(got.getvalue(), data)
                check(f.reused, f'{version}: a full handshake')
            f.quit()


@test
def r5_a_phone_is_known_by_its_certificate_and_gets_its_own_file():
    one, two = '00156574b150', '00156574b151'
    rules = {'access__1__prefix': '/', 'access__1__anonymous': 1, 'access__1__bind': 'certificate'}
    with House() as h:
        h.make_certificates()
        h.make_devices(one, two)
        for mac in (one, two):
            h.write(f'{mac}.cfg', mac)
        h.write('common.cfg', 'common')
        with h.serve(**h.client_options('optional', **rules)) as d:
            def fetch(name, mac):
                own = [word for pair in zip(('--cert', '--key'), h.device(mac)) for word in pair] if mac else []
                return curl(h, d, name, '--ssl-reqd', '--ftp-method', 'nocwd', *own)
            for version in ('1.2', '1.3'):
                done = program(need('curl'), '-sS', '--cacert', h.dir / 'tls/ca/ca.pem', '--ssl-reqd', '--tls-max',
                               version, '--cert', h.device(one)[0], '--key', h.device(one)[1],
                               f'ftp://localhost:{d.ftp}/{one}.cfg')
                equal(done.stdout, one.encode())
            equal(fetch(f'{two}.cfg', one).returncode, 78)
            equal(fetch(f'{one}.cfg', None).returncode, 78)
            equal(fetch('common.cfg', None).stdout, b'common')
            equal(fetch('', one).stdout.count(b'.cfg'), 2)
            until(lambda: any(' certificate 00:15:65:74:b1:50' in line or '00:15:65:74:b1:50' in line
                              for line in d.events()), 'the journal')


@test
def commands_in_the_clear_behind_auth_are_dropped():
    with offer() as (h, d):
        s = connect(d.ftp)
        s.sendall(b'AUTH TLS\r\nUSER anonymous\r\nPASS x\r\nPWD\r\n')
        got = b''
        while b'\r\n234 ' not in got:
            got += s.recv(4096)
        context = ssl.create_default_context(cafile=h.dir / 'tls' / 'ca' / 'ca.pem')
        with context.wrap_socket(s, server_hostname='localhost') as t:
            t.sendall(b'PWD\r\n')
            check(t.recv(4096).startswith(b'530 '), 'logged in by somebody else')


@test
def tls_can_be_required_and_be_off():
    with offer(ftp__tls='required') as (h, d):
        equal(curl(h, d, 'small.cfg').returncode, 67)
        equal(curl(h, d, 'small.cfg', '--ssl-reqd').stdout, FILES['small.cfg'])
        equal(curl(h, d, 'small.cfg', '--ftp-ssl-control').returncode, 19)
    with offer(ftp__tls='off') as (h, d):
        equal(curl(h, d, 'small.cfg').stdout, FILES['small.cfg'])
        equal(curl(h, d, 'small.cfg', '--ssl-reqd').returncode, 64)
    with House() as h:
        done = program(d.process.args[0], 'serve', '--root', h.root, '--check-config', '-o', 'ftp.tls=required')
        check(done.returncode != 0 and b'ftp.tls' in done.stderr, done)


@test
def without_https_there_is_ftp_over_tls_still():
    with offer(https__enable=0, tftp__enable=0, http__enable=0) as (h, d):
        equal(curl(h, d, 'small.cfg', '--ssl-reqd').stdout, FILES['small.cfg'])
        equal([line.split()[1] for line in d.out if line.startswith('listening ')], ['ftp'])


@test
def sigterm_ends_sessions_by_tls_too():
    with offer() as (h, d):
        context = ssl.create_default_context(cafile=h.dir / 'tls' / 'ca' / 'ca.pem')
        f = ftplib.FTP_TLS(context=context)
        f.connect('localhost', d.ftp, 10)
        f.login()
        begin = time.monotonic()
        ender = threading.Thread(target=lambda: equal(d.stop(), 0))
        ender.start()
        check(f.getline().startswith('421 '), 'no farewell')
        ender.join()
        check(time.monotonic() - begin < 5, 'waited for an idle session')
        f.close()


main()
