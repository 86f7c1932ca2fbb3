"""FTP clients that other people wrote fetch from us in every way that they know; so does our own phone."""
import contextlib
import pathlib
import re
import tempfile
import urllib.parse

from house import House, check, connect, equal, need, program, read_to_end, run, serving, some_bytes, until
from tap import main, skip, test

LARGE = 3 << 20
FILES = {'small.cfg': b'a = 1\nb = 2\n', 'empty.cfg': b'', 'large.rom': some_bytes(LARGE),
         'sub/with blanks in it.cfg': some_bytes(3000, 1), "sub/ünï cödé #1 100%.cfg": some_bytes(3000, 2)}


@contextlib.contextmanager
def offer(**more):
    """A daemon with these files, and a directory for what is fetched."""
    with serving(**more) as (h, d), tempfile.TemporaryDirectory(prefix='dialtone-got-') as into:
        for name, data in FILES.items():
            h.write(name, data)
        yield d, pathlib.Path(into)


def url(d, name='', host='127.0.0.1'):
    return f'ftp://{host}:{d.ftp}/{urllib.parse.quote(name)}'


def content(done):
    check(done.returncode == 0, done)
    return done


def curl(d, name, *words):
    return program(need('curl'), '-sS', *words, url(d, name))


def same(path, name):
    check(path.read_bytes() == FILES[name], f'{path}: not {name}')
    path.unlink()


@test
def curl_fetches_every_file_in_every_way():
    ways = ([], ['--disable-epsv'], ['-P', '-'], ['-P', '-', '--disable-eprt'], ['--ftp-method', 'nocwd'],
            ['--ftp-method', 'singlecwd'], ['-u', 'ftp:any@thing'], ['-u', 'anonymous:'], ['--ssl'])
    with offer() as (d, into):
        for words in ways:
            for name in FILES:
                content(curl(d, name, '-o', into / 'got', *words))
                same(into / 'got', name)


@test
def curl_ranges_sizes_times_and_ascii():
    data = FILES['large.rom']
    with offer() as (d, into):
        equal(content(curl(d, 'large.rom', '-r', '1000-1999')).stdout, data[1000:2000])
        equal(content(curl(d, 'large.rom', '-r', f'{LARGE - 5}-')).stdout, data[-5:])
        equal(content(curl(d, 'large.rom', '-r', '-7')).stdout, data[-7:])
        (into / 'part').write_bytes(data[:1234567])
        content(curl(d, 'large.rom', '-C', '-', '-o', into / 'part'))
        same(into / 'part', 'large.rom')
        head = content(curl(d, 'large.rom', '-I')).stdout
        check(b'Content-Length: %d\r\n' % LARGE in head and b'Last-Modified: ' in head, head)
        # curl turns the line ends of the wire back.
        equal(content(curl(d, 'small.cfg', '--use-ascii')).stdout, FILES['small.cfg'])


@test
def curl_lists():
    with offer() as (d, _):
        check(b' large.rom\n' in content(curl(d, '')).stdout.replace(b'\r', b''), 'LIST')
        equal(sorted(content(curl(d, '', '-l')).stdout.split()), [b'empty.cfg', b'large.rom', b'small.cfg', b'sub'])
        check(re.search(rb'type=file;size=%d;modify=\d{14};perm=r; large.rom' % LARGE,
                        content(curl(d, '', '-X', 'MLSD')).stdout), 'MLSD')
        equal(content(curl(d, 'sub/', '-l')).stdout.count(b'\n'), 2)


@test
def curl_over_ipv6():
    with offer(listen='127.0.0.1, [::1]') as (d, into):
        found = [line for line in d.out if line.startswith('listening ftp [::1]')]
        if not found:
            skip('no IPv6 here')
        port = found[0].rsplit(':', 1)[1]
        for words in ([], ['-P', '-']):
            content(program(need('curl'), '-sS', '-o', into / 'got', *words, f'ftp://[::1]:{port}/large.rom'))
            same(into / 'got', 'large.rom')


@test
def curl_hears_what_is_refused_in_its_own_words():
    with offer() as (d, into):
        (into / 'up').write_bytes(b'x')
        equal(curl(d, 'absent.cfg').returncode, 78)
        equal(curl(d, 'small.cfg', '-u', 'admin:secret-word').returncode, 67)
        equal(curl(d, 'up.cfg', '-T', into / 'up').returncode, 25)
        equal(curl(d, 'small.cfg', '--ssl-reqd').returncode, 64)
        equal(curl(d, 'small.cfg', '-P', '127.0.0.2', '--interface', '127.0.0.2').returncode, 0)
        equal(d.stop(), 0)
        events = [line for line in d.events() if ' ftp ' in line]
        equal([line.split(' 0 B')[0].split('"')[1:] for line in events[:2]],
              [['/absent.cfg', ' absent 550 (no such file)'], ['/up.cfg', ' refused 553 (not a name that phones send)']])
        check('secret-word' not in '\n'.join(d.out + d.err), 'a password is in the log')


def lftp(d, *commands):
    settings = 'set net:max-retries 2; set net:timeout 10; set xfer:clobber on; set cmd:fail-exit yes'
    return content(program(need('lftp'), '-c', f'{settings}; open -u anonymous, -p {d.ftp} 127.0.0.1; '
                           + '; '.join(commands)))


@test
def lftp_gets_mirrors_and_resumes():
    with offer() as (d, into):
        for setting in ('set ftp:passive-mode on', 'set ftp:passive-mode off', 'set ftp:prefer-epsv off',
                        'set ftp:ssl-allow off', 'set ftp:use-mlsd on'):
            lftp(d, setting, f'get large.rom -o {into}/got')
            same(into / 'got', 'large.rom')
        lftp(d, f'pget -n 4 large.rom -o {into}/got')
        same(into / 'got', 'large.rom')
        (into / 'got').write_bytes(FILES['large.rom'][:999999])
        lftp(d, f'get -c large.rom -o {into}/got')
        same(into / 'got', 'large.rom')
        for setting in ('set ftp:use-mlsd on', 'set ftp:use-mlsd off'):
            lftp(d, setting, f'mirror -P3 / {into}/mirror')
            for name in FILES:
                same(into / 'mirror' / name, name)


@test
def wget_fetches_resumes_and_walks():
    with offer() as (d, into):
        for words in ([], ['--no-passive-ftp']):
            content(program(need('wget'), '-q', *words, '-O', into / 'got', url(d, 'large.rom')))
            same(into / 'got', 'large.rom')
        (into / 'large.rom').write_bytes(FILES['large.rom'][:5000])
        content(program(need('wget'), '-q', '-c', url(d, 'large.rom'), cwd=into))
        same(into / 'large.rom', 'large.rom')
        content(program(need('wget'), '-q', '-r', '-nH', '--restrict-file-names=nocontrol', url(d), cwd=into))
        for name in FILES:
            same(into / name, name)


def scripted(client, d, into, script, *words):
    """A client of the old school reads what it shall do."""
    path = into / 'script'
    path.write_text(script)
    with open(path) as commands:
        import subprocess
        return subprocess.run([need(client), *map(str, words)], stdin=commands, capture_output=True, timeout=60,
                              cwd=into, env={'HOME': str(into), 'PATH': '/usr/bin:/bin', 'TERM': 'dumb'})


@test
def tnftp_gets_lists_and_takes_many_by_a_pattern():
    with offer() as (d, into):
        (into / '.netrc').write_text('machine 127.0.0.1 login anonymous password x\n')
        (into / '.netrc').chmod(0o600)
        for mode in ('passive on', 'passive off'):
            done = scripted('tnftp', d, into, f'{mode}\nbinary\nget large.rom got\nprompt off\nmget *.cfg\nls\nmlsd\nquit\n',
                            '-P', d.ftp, '127.0.0.1')
            check((into / 'got').exists(), done)
            same(into / 'got', 'large.rom')
            same(into / 'small.cfg', 'small.cfg')
            same(into / 'empty.cfg', 'empty.cfg')
            check(b'large.rom' in done.stdout, done)


@test
def inetutils_ftp_gets_actively_and_passively():
    with offer() as (d, into):
        for words in (['-n'], ['-n', '-p']):
            done = scripted('inetutils-ftp', d, into,
                            'user anonymous x\nbinary\nget large.rom got\nprompt\nmget *.cfg\nclose\nquit\n',
                            *words, '127.0.0.1', d.ftp)
            check((into / 'got').exists(), done)
            same(into / 'got', 'large.rom')
            same(into / 'small.cfg', 'small.cfg')


@test
def ncftp_gets_a_file_and_a_directory():
    with offer() as (d, into):
        environment = {'HOME': str(into), 'PATH': '/usr/bin:/bin', 'TERM': 'dumb'}
        for mode in ('-F', '-E'):
            content(program(need('ncftpget'), '-V', mode, '-P', d.ftp, '127.0.0.1', '.', '/large.rom', cwd=into,
                            env=environment))
            same(into / 'large.rom', 'large.rom')
        content(program(need('ncftpget'), '-V', '-R', '-P', d.ftp, '127.0.0.1', '.', '/sub', cwd=into,
                        env=environment))
        for name in FILES:
            if name.startswith('sub/'):
                same(into / name, name)
        check(b'large.rom' in content(program(need('ncftpls'), '-P', d.ftp, 'ftp://127.0.0.1/', cwd=into,
                                              env=environment)).stdout, 'ncftpls')


@test
def busybox_ftpget_gets_and_resumes():
    with offer() as (d, into):
        ftpget = [need('busybox'), 'ftpget']
        if b'ftpget' not in program(ftpget[0], '--list').stdout.split():
            skip('this busybox has no ftpget')
        for name in FILES:
            content(program(*ftpget, '-P', d.ftp, '127.0.0.1', into / 'got', name))
            same(into / 'got', name)
        (into / 'got').write_bytes(FILES['large.rom'][:77777])
        content(program(*ftpget, '-c', '-P', d.ftp, '127.0.0.1', into / 'got', 'large.rom'))
        same(into / 'got', 'large.rom')


@test
def a_phone_provisions_itself():
    with House() as h, h.serve() as d, tempfile.TemporaryDirectory(prefix='dialtone-flash-') as flash:
        h.add_office(d.tftp_at(), d.http_at())
        done = run('phone', '--server', f'ftp://127.0.0.1:{d.ftp}/desk/', '--once', '--model', 'T46S',
                   '--firmware', '66.84.0.15', '--mac', '00:15:65:74:b1:50', '--flash', flash)
        equal(done.returncode, 0)
        until(lambda: any(' ftp ' in line and '"/desk/' in line and ' sent 226 ' in line for line in d.events()),
              'an event of a CFG file')
        check(any(' ftp ' in line and '00:15:65:74:b1:50' in line for line in d.events()), d.events())


@test
def r2_a_link_that_leads_out_is_neither_listed_nor_given():
    with offer() as (d, into):
        root = d_root(d)
        (root / 'out').symlink_to(root.parent / 'secret')
        (root / 'etc').symlink_to('/etc')
        check(b'out' not in content(curl(d, '', '-l')).stdout, 'listed')
        equal(curl(d, 'out').returncode, 78)
        equal(curl(d, 'etc/passwd', '--ftp-method', 'nocwd').returncode, 78)
        equal(curl(d, 'etc/', '-l').returncode, 9)
        equal(curl(d, '../secret', '--path-as-is', '--ftp-method', 'nocwd').returncode, 78)


def d_root(d):
    return pathlib.Path(d.process.args[d.process.args.index('--root') + 1])


@test
def hundreds_of_sessions_cost_kilobytes_each():
    with offer(workers=1, ftp__peer_sessions=2000) as (d, _):
        from house import is_sanitized, resident_kib
        if is_sanitized():
            skip('a sanitizer keeps what is freed')
        before = resident_kib(d.pid)
        sessions = [connect(d.ftp) for _ in range(400)]
        try:
            for s in sessions:
                s.sendall(b'USER ftp\r\nPASS \r\nNOOP\r\n')
            for s in sessions:
                got = b''
                while b'\n200 ' not in got:
                    got += s.recv(4096)
            grown = resident_kib(d.pid) - before
            check(grown <= 5 * len(sessions), f'{grown} KiB for {len(sessions)} sessions')
            sessions[0].sendall(b'QUIT\r\n')
            check(read_to_end(sessions[0]).startswith(b'221 '), 'no farewell')
        finally:
            for s in sessions:
                s.close()


main()
