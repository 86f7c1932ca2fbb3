"""FTP clients that other people wrote put files here, and change and remove them: users, rules, TLS, death in the middle."""
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from house import Daemon, House, check, equal, http_get, need, program, some_bytes, until
from tap import dialtone, main, skip, test

LARGE = some_bytes(3 << 20)
SMALL = b'a = 1\nb = 2\n'
PASSWORD = 'a-secret-word'
RULES = '''access.1.prefix = /
access.1.users = alice
access.1.write = overwrite
access.2.prefix = /pub
access.2.anonymous = 1
access.3.prefix = /new
access.3.users = alice
access.3.write = create
'''


@contextlib.contextmanager
def offer(rules=RULES, tls=False, **more):
    """A daemon with rules and the user alice, and a directory of files to send."""
    with House() as h, tempfile.TemporaryDirectory(prefix='dialtone-sent-') as sent:
        sent = pathlib.Path(sent)
        (sent / 'large.bin').write_bytes(LARGE)
        (sent / 'small.cfg').write_bytes(SMALL)
        (sent / 'empty.cfg').write_bytes(b'')
        for name in ('up', 'pub', 'new'):
            (h.root / name).mkdir()
        user = subprocess.run([dialtone(), 'passwd', 'alice'], input=PASSWORD + '\n', capture_output=True, text=True,
                              timeout=30).stdout
        conf = h.dir / 'd.conf'
        conf.write_text(rules + user)
        conf.chmod(0o600)
        if tls:
            h.make_certificates()
            more = h.tls_options(**more)
        with Daemon(['-c', conf, '--root', h.root, *h.options(upload__file_max=1 << 30, **more)]) as d:
            yield h, d, sent
            equal(d.stop(), 0)
            said = '\n'.join(d.out + d.err).encode() + b''.join(p.read_bytes() for p in h.state.glob('journal.db*'))
            check(PASSWORD.encode() not in said, 'the password is in a log')


def url(d, name='', user=f'alice:{PASSWORD}@', host='127.0.0.1'):
    return f'ftp://{user}{host}:{d.ftp}/{name}'


def fine(done):
    check(done.returncode == 0, done)
    return done


def curl(d, *words, name='', **more):
    return program(need('curl'), '-sS', *words, url(d, name, **more))


@test
def curl_puts_appends_and_resumes():
    with offer() as (h, d, sent):
        for words in ([], ['--disable-epsv'], ['-P', '-'], ['-P', '-', '--disable-eprt']):
            for name in ('large.bin', 'small.cfg', 'empty.cfg'):
                fine(curl(d, *words, '-T', sent / name, name=f'up/{name}'))
                equal((h.root / 'up' / name).read_bytes(), (sent / name).read_bytes())
        fine(curl(d, '-a', '-T', sent / 'small.cfg', name='up/small.cfg'))
        equal((h.root / 'up/small.cfg').read_bytes(), SMALL + SMALL)
        (h.root / 'up/part').write_bytes(LARGE[:2000000])
        fine(curl(d, '-C', '2000000', '-T', sent / 'large.bin', name='up/part'))
        equal((h.root / 'up/part').read_bytes(), LARGE)
        (sent / 'dos').write_bytes(b'a\nb\n')
        fine(curl(d, '--use-ascii', '--crlf', '-T', sent / 'dos', name='up/dos'))
        equal((h.root / 'up/dos').read_bytes(), b'a\nb\n')
        check(not [p for p in h.root.rglob('.*')], 'something is left')


@test
def curl_changes_names_and_directories():
    with offer() as (h, d, sent):
        h.write('up/a', 'a')
        fine(curl(d, '-Q', 'MKD up/d', '-Q', 'RNFR up/a', '-Q', 'RNTO up/d/b', '-l'))
        equal((h.root / 'up/d/b').read_bytes(), b'a')
        fine(curl(d, '-Q', 'DELE up/d/b', '-Q', 'RMD up/d', '-l'))
        equal(os.listdir(h.root / 'up'), [])
        fine(curl(d, '--ftp-create-dirs', '-T', sent / 'small.cfg', name='up/x/y/small.cfg'))
        equal((h.root / 'up/x/y/small.cfg').read_bytes(), SMALL)
        equal(curl(d, '-Q', 'SITE CHMOD 777 up', '-l').returncode, 21)


@test
def rules_decide_who_writes_what():
    with offer() as (h, d, sent):
        h.write('new/there', 'old')
        equal(curl(d, '-T', sent / 'small.cfg', name='new/there').returncode, 25)
        fine(curl(d, '-T', sent / 'small.cfg', name='new/fresh'))
        equal(curl(d, '-T', sent / 'small.cfg', name='pub/a').returncode, 25)
        equal(curl(d, '-T', sent / 'small.cfg', name='up/a', user='').returncode, 9)
        equal(curl(d, '-Q', 'DELE new/there', '-l').returncode, 21)
        equal(curl(d, '-l', '--ftp-method', 'nocwd', user='').returncode, 19)
        equal(curl(d, '-l', name='pub/', user='').returncode, 0)
        equal((h.root / 'new/there').read_bytes(), b'old')
        equal(os.listdir(h.root / 'pub') + os.listdir(h.root / 'up'), [])


@test
def a_phone_leaves_its_settings_in_the_open_mode_and_gets_them_back():
    with offer(rules='') as (h, d, sent):
        name = '00156574b150-local.cfg'
        fine(curl(d, '-T', sent / 'small.cfg', name=f'up/{name}', user=''))
        check(not list((h.root / 'up').iterdir()), 'it is in the tree')
        check(name.encode() in fine(curl(d, '-l', name='up/', user='')).stdout, 'not listed')
        check(b'size=12;' in fine(curl(d, '-X', 'MLSD', name='up/', user='')).stdout, 'not in MLSD')
        equal(fine(curl(d, name=f'up/{name}', user='')).stdout, SMALL)
        equal(http_get(d.http, f'/up/{name}')[1], SMALL)
        equal(curl(d, '-T', sent / 'small.cfg', name='up/other.cfg', user='').returncode, 25)
        until(lambda: any(' stored 226 12 B' in line for line in d.events()), 'the event')


def lftp(d, *commands, host='127.0.0.1', ca=None):
    tls = f'set ssl:ca-file {ca}; set ftp:ssl-force on; set ftp:ssl-protect-data on; ' if ca else ''
    return fine(program(need('lftp'), '-c', f'{tls}set net:max-retries 2; set net:timeout 10; set cmd:fail-exit yes; '
                        f'open -u alice,{PASSWORD} -p {d.ftp} {host}; ' + '; '.join(commands)))


def mirrors(h, d, sent, **more):
    (sent / 'sub').mkdir(exist_ok=True)
    (sent / 'sub' / 'ünï cödé #1.cfg').write_bytes(SMALL)
    lftp(d, f'mirror -R -P2 {sent} /up/mirror', **more)
    for path in sent.rglob('*'):
        if path.is_file():
            equal((h.root / 'up/mirror' / path.relative_to(sent)).read_bytes(), path.read_bytes())
    lftp(d, f'put {sent}/large.bin -o /up/l', 'mv /up/l /up/m', 'rm /up/m', **more)
    lftp(d, 'rm -r /up/mirror', **more)
    equal(os.listdir(h.root / 'up'), [])


@test
def lftp_mirrors_here_resumes_and_cleans_up():
    with offer() as (h, d, sent):
        mirrors(h, d, sent)
        (h.root / 'up/part').write_bytes(LARGE[:999999])
        lftp(d, f'put -c {sent}/large.bin -o /up/part')
        equal((h.root / 'up/part').read_bytes(), LARGE)


@test
def lftp_and_curl_put_by_tls():
    with offer(tls=True) as (h, d, sent):
        mirrors(h, d, sent, host='localhost', ca=h.dir / 'tls/ca/ca.pem')
        for words in (['--tlsv1.3'], ['--tls-max', '1.2'], ['--ftp-ssl-control']):
            for name in ('large.bin', 'empty.cfg'):
                more = ['--ssl-reqd', '--cacert', h.dir / 'tls/ca/ca.pem', *words]
                fine(curl(d, *more, '-T', sent / name, name=f'up/{name}', host='localhost'))
                equal((h.root / 'up' / name).read_bytes(), (sent / name).read_bytes())


@test
def r22_a_client_that_is_killed_leaves_the_old_file():
    for tls in (False, True):
        with offer(tls=tls) as (h, d, sent):
            h.write('up/a', 'the old file')
            words = ['--ssl-reqd', '-k'] if tls else []
            for _ in range(3):
                before = len(d.events())
                client = subprocess.Popen([need('curl'), '-s', *words, '--limit-rate', '200k', '-T',
                                           str(sent / 'large.bin'), url(d, 'up/a')])
                try:
                    until(lambda: any(p.name.startswith('.') for p in (h.root / 'up').iterdir()), 'the first bytes')
                finally:
                    client.send_signal(signal.SIGKILL)
                    client.wait()
                until(lambda: len(d.events()) > before, 'the event')
                check(' stopped 426 ' in d.events()[-1], d.events()[-1])
                equal([p.name for p in (h.root / 'up').iterdir()], ['a'])
            equal((h.root / 'up/a').read_bytes(), b'the old file')


def scripted(client, into, script, *words):
    path = into / 'script'
    path.write_text(script)
    with open(path) as commands:
        return subprocess.run([need(client), *map(str, words)], stdin=commands, capture_output=True, timeout=60,
                              cwd=into, env={'HOME': str(into), 'PATH': '/usr/bin:/bin', 'TERM': 'dumb'})


@test
def clients_of_the_old_school_put():
    with offer() as (h, d, sent):
        (sent / '.netrc').write_text(f'machine 127.0.0.1 login alice password {PASSWORD}\n')
        (sent / '.netrc').chmod(0o600)
        done = scripted('tnftp', sent, 'binary\nput large.bin up/t\nascii\nput small.cfg up/a\nrename up/a up/b\n'
                        'mkdir up/d\nrmdir up/d\nappend small.cfg up/b\nquit\n', '-P', d.ftp, '127.0.0.1')
        check((h.root / 'up/t').exists(), done)
        equal((h.root / 'up/t').read_bytes(), LARGE)
        equal((h.root / 'up/b').read_bytes(), SMALL + SMALL)
        for words in (['-n'], ['-n', '-p']):
            done = scripted('inetutils-ftp', sent, f'user alice {PASSWORD}\nbinary\nput large.bin up/i\ndelete up/t\n'
                            'rename up/i up/t\nclose\nquit\n', *words, '127.0.0.1', d.ftp)
            equal((h.root / 'up/t').read_bytes(), LARGE)
            check(not (h.root / 'up/i').exists(), done)


@test
def ncftpput_and_busybox_put():
    with offer() as (h, d, sent):
        environment = {'HOME': str(sent), 'PATH': '/usr/bin:/bin', 'TERM': 'dumb'}
        for mode in ('-F', '-E'):
            fine(program(need('ncftpput'), '-V', mode, '-u', 'alice', '-p', PASSWORD, '-P', d.ftp, '127.0.0.1', '/up',
                         'large.bin', 'empty.cfg', cwd=sent, env=environment))
            equal((h.root / 'up/large.bin').read_bytes(), LARGE)
            (h.root / 'up/large.bin').unlink()
        ftpput = [need('busybox'), 'ftpput']
        if b'ftpput' not in program(ftpput[0], '--list').stdout.split():
            skip('this busybox has no ftpput')
        fine(program(*ftpput, '-u', 'alice', '-p', PASSWORD, '-P', d.ftp, '127.0.0.1', 'up/b', sent / 'large.bin'))
        equal((h.root / 'up/b').read_bytes(), LARGE)


@test
def puts_over_ipv6_go_both_ways():
    with offer(listen='127.0.0.1, [::1]') as (h, d, sent):
        found = [line for line in d.out if line.startswith('listening ftp [::1]')]
        if not found:
            skip('no IPv6 here')
        at = f'ftp://alice:{PASSWORD}@[::1]:{found[0].rsplit(":", 1)[1]}/up/'
        for words in ([], ['-P', '-']):
            fine(program(need('curl'), '-sS', *words, '-T', sent / 'large.bin', at))
            equal((h.root / 'up/large.bin').read_bytes(), LARGE)
            (h.root / 'up/large.bin').unlink()


@test
def sigterm_lets_an_upload_end():
    with offer(run__drain_s=30) as (h, d, sent):
        client = subprocess.Popen([need('curl'), '-s', '--limit-rate', '1500k', '-T', str(sent / 'large.bin'),
                                   url(d, 'up/a')])
        until(lambda: any(p.name.startswith('.') for p in (h.root / 'up').iterdir()), 'the first bytes')
        begin = time.monotonic()
        d.signal(signal.SIGTERM)
        equal(client.wait(timeout=60), 0)
        check(time.monotonic() - begin > 0.1, 'nothing was under way')
        equal((h.root / 'up/a').read_bytes(), LARGE)


main()
