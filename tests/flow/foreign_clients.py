"""curl, tftp-hpa, atftp and busybox fetch the same files over TFTP and HTTP, with every option that they have.

The requests of a real phone are in models.py; a row here is a program, what it is told, and what must come.
"""
import contextlib
import http.client
import os
import pathlib
import re
import subprocess
import tempfile

from foreign import atftp, busybox, busybox_tftp, curl, curl_tftp, tftp_hpa, url
from house import PATIENCE_S, check, equal, need, program, serving, some_bytes
from tap import main, skip, test

SIZES = (0, 1, 511, 512, 513, 1431, 1432, 1433, 64 << 10, 2 << 20)
NAMED = ('with blanks in it.cfg', 'sub dir/ünï cödé.cfg', "it's 100% (a+b) & [T46S] #1.cfg")
LARGE = 40 << 20
TEXT = b'one\ntwo\r\nthree\rfour\n\n' * 300 + b'no end'


def fill(h):
    """Name -> bytes of everything that the tree holds."""
    files = {f'size-{size}.rom': some_bytes(size) for size in SIZES}
    files.update({name: some_bytes(3000 + n, n) for n, name in enumerate(NAMED)})
    files['text.cfg'] = TEXT
    for name, data in files.items():
        h.write(name, data)
    return files


@contextlib.contextmanager
def offer(**more):
    """A daemon with these files, and a directory for what is fetched."""
    with serving(**more) as (h, d), tempfile.TemporaryDirectory(prefix='dialtone-got-') as into:
        yield d, fill(h), pathlib.Path(into)


# Each takes the daemon, the name, where to put it and words for the program, and returns the command.


def curl_http(d, name, to, *words):
    return curl(d, 'http', name, to, *words)


def busybox_wget(d, name, to, *words):
    return [*busybox('wget'), '-q', '-O', to, *words, url(d, 'http', name)]


def complaints(stderr):
    """atftp repeats every option that it is given."""
    return [line for line in stderr.splitlines() if not line.startswith(b'Option ')]


def fetch(command, d, name, into, *words):
    """What the program fetched; it must have been content."""
    to = into / 'got'
    to.unlink(missing_ok=True)
    done = program(*command(d, name, to, *words))
    equal((command.__name__, words, name, done.returncode, complaints(done.stderr)),
          (command.__name__, words, name, 0, []))
    return to.read_bytes()


def fetches_all(command, *words, skip=()):
    with offer() as (d, files, into):
        for name, data in files.items():
            if name not in skip:
                check(fetch(command, d, name, into, *words) == data, f'{command.__name__} {words}: {name} differs')


# --- every file, as the program asks by itself ---


@test
def curl_fetches_every_file_over_tftp():
    fetches_all(curl_tftp)


@test
def curl_fetches_every_file_over_http():
    fetches_all(curl_http)


@test
def tftp_hpa_fetches_every_file():
    fetches_all(tftp_hpa)


@test
def atftp_fetches_every_file():
    fetches_all(atftp)


@test
def busybox_fetches_every_file_over_tftp():
    fetches_all(busybox_tftp)


@test
def busybox_wget_fetches_every_file_over_http():
    fetches_all(busybox_wget)


# --- TFTP options ---


def block_sizes_are_byte_exact(**more):
    with offer(**more) as (d, files, into):
        for name in ('size-0.rom', 'size-1432.rom', 'size-65536.rom'):
            for size in (8, 100, 511, 512, 1428, 1432, 1468, 8192, 65464):
                rows = [(curl_tftp, ('--tftp-blksize', size)), (atftp, (f'blksize {size}',))]
                # Its request has no room for the name then.
                rows += [(busybox_tftp, ('-b', size))] if size >= 100 else []
                for command, words in rows:
                    equal(fetch(command, d, name, into, *words), files[name])


@test
def a_block_size_of_any_length_is_byte_exact():
    block_sizes_are_byte_exact()


@test
def blocks_of_64_kib_are_byte_exact_where_the_server_may():
    block_sizes_are_byte_exact(tftp__blksize_max=65464)


@test
def without_options_it_is_rfc_1350():
    with offer() as (d, files, into):
        for name in files:
            equal(fetch(curl_tftp, d, name, into, '--tftp-no-options'), files[name])


@test
def tsize_timeout_windowsize_and_what_nobody_serves_are_byte_exact():
    rows = (['tsize 0'], ['timeout 1'], ['timeout 255'], ['windowsize 1'], ['windowsize 16'], ['windowsize 64'],
            ['multicast '], ['blksize 1432', 'windowsize 8', 'tsize 0', 'timeout 3'])
    with offer() as (d, files, into):
        for options in rows:
            for name in ('size-0.rom', 'size-513.rom', f'size-{2 << 20}.rom'):
                check(fetch(atftp, d, name, into, *options) == files[name], f'{options}: {name} differs')


@test
def netascii_turns_line_ends_and_back():
    with offer() as (d, files, into):
        for name in ('text.cfg', 'size-513.rom', 'size-65536.rom', 'size-0.rom'):
            equal(fetch(tftp_hpa, d, name, into, 'netascii'), files[name])
            equal(fetch(atftp, d, name, into, 'mode netascii'), files[name])
            # curl writes down what was on the wire.
            wire = re.sub(rb'[\r\n]', lambda m: b'\r\0' if m[0] == b'\r' else b'\r\n', files[name])
            equal(fetch(curl_tftp, d, name, into, '--use-ascii'), wire)


@test
def forty_megabytes_come_over_tftp_with_large_blocks_and_windows():
    with serving() as (h, d), tempfile.TemporaryDirectory(prefix='dialtone-got-') as into:
        data = some_bytes(LARGE)
        h.write('large.rom', data)
        for command, words in ((atftp, ('blksize 1428', 'windowsize 32')), (curl_tftp, ('--tftp-blksize', 1432)),
                               (busybox_tftp, ('-b', 1468))):
            check(fetch(command, d, 'large.rom', pathlib.Path(into), *words) == data, f'{command.__name__} differs')


@test
def forty_megabytes_in_blocks_of_512_pass_block_number_65535():
    with serving() as (h, d), tempfile.TemporaryDirectory(prefix='dialtone-got-') as into:
        data = some_bytes(LARGE)
        h.write('large.rom', data)
        for command, words in ((tftp_hpa, ()), (curl_tftp, ('--tftp-no-options',)), (busybox_tftp, ())):
            check(fetch(command, d, 'large.rom', pathlib.Path(into), *words) == data, f'{command.__name__} differs')


# --- HTTP options ---


@test
def forty_megabytes_come_over_http():
    with serving() as (h, d), tempfile.TemporaryDirectory(prefix='dialtone-got-') as into:
        data = some_bytes(LARGE)
        h.write('large.rom', data)
        for command in (curl_http, busybox_wget):
            check(fetch(command, d, 'large.rom', pathlib.Path(into)) == data, f'{command.__name__} differs')


@test
def http_1_0_and_1_1_are_byte_exact():
    with offer() as (d, files, into):
        for name in files:
            for words in (['--http1.0'], ['--http1.1'], ['--http1.1', '-H', 'Connection: close']):
                check(fetch(curl_http, d, name, into, *words) == files[name], f'{words} {name}')


@test
def one_range_is_byte_exact_from_memory_and_from_the_file():
    with offer() as (d, files, into):
        for name in ('size-1433.rom', f'size-{2 << 20}.rom'):
            data = files[name]
            for text, part in (('0-0', data[:1]), ('0-', data), ('10-19', data[10:20]), ('-1', data[-1:]),
                               ('-999999999', data), ('1000-', data[1000:]), ('1432-99999999', data[1432:])):
                equal(fetch(curl_http, d, name, into, '-r', text), part)
            with contextlib.suppress(FileNotFoundError):
                (into / 'got').unlink()
            missed = program(*curl_http(d, name, into / 'got', '-r', f'{len(data)}-'))
            equal((missed.returncode, b'416' in missed.stderr), (22, True))


@test
def several_ranges_are_parts_that_add_up():
    with offer() as (d, files, into):
        for name in ('size-1433.rom', f'size-{2 << 20}.rom'):
            data = files[name]
            head = into / 'head'
            body = fetch(curl_http, d, name, into, '-r', '0-9,20-29,-5', '-D', head)
            boundary = re.search(r'multipart/byteranges; *boundary="?([^"\r\n]+)', head.read_text())[1].encode()
            parts = [part.partition(b'\r\n\r\n') for part in body.split(b'--' + boundary)[1:-1]]
            equal([part[2][:-2] for part in parts], [data[:10], data[20:30], data[-5:]])
            equal([re.search(rb'(?i)content-range: *(.+?)\r?$', part[0], re.M)[1].decode() for part in parts],
                  [f'bytes {span}/{len(data)}' for span in ('0-9', '20-29', f'{len(data) - 5}-{len(data) - 1}')])


@test
def a_broken_download_goes_on_where_it_stopped():
    with offer() as (d, files, into):
        name = f'size-{2 << 20}.rom'
        for command, words in ((curl_http, ('-C', '-')), (busybox_wget, ('-c',))):
            (into / 'got').write_bytes(files[name][:123457])
            done = program(*command(d, name, into / 'got', *words))
            equal((done.returncode, done.stderr), (0, b''))
            check((into / 'got').read_bytes() == files[name], f'{command.__name__} differs')


@test
def a_file_that_has_not_changed_is_304_by_date_and_by_etag():
    with offer() as (d, files, into):
        name, tag = 'size-513.rom', into / 'tag'
        answer = ['-w', '%{http_code} %{size_download}', '-R']
        first = program(*curl_http(d, name, into / 'got', *answer, '--etag-save', tag)).stdout.split()
        equal(first, [b'200', b'513'])
        for words in (['-z', into / 'got'], ['--etag-compare', tag]):
            same = program(*curl_http(d, name, into / 'other', *answer, *words)).stdout.split()
            equal((words, same), (words, [b'304', b'0']))
        os.utime(into / 'got', (1e9, 1e9))
        older = program(*curl_http(d, name, into / 'other', *answer, '-z', into / 'got')).stdout.split()
        equal(older, [b'200', b'513'])
        tag.write_text('"something-else"')
        other = program(*curl_http(d, name, into / 'other', *answer, '--etag-compare', tag)).stdout.split()
        equal(other, [b'200', b'513'])


@test
def head_says_the_same_as_get_and_sends_no_body():
    with offer() as (d, files, into):
        for name in ('size-0.rom', 'size-513.rom', f'size-{2 << 20}.rom', 'absent.rom'):
            heads = []
            for method in ('HEAD', 'GET'):
                connection = http.client.HTTPConnection('127.0.0.1', d.http, timeout=PATIENCE_S)
                connection.request(method, '/' + name)
                answer = connection.getresponse()
                body = answer.read()
                heads.append([answer.status] + [pair for pair in answer.getheaders() if pair[0] != 'Date'])
                check(method == 'GET' or body == b'', 'HEAD has a body')
                connection.close()
            equal(heads[0], heads[1])
            spider = program(*busybox('wget'), '-q', '--spider', url(d, 'http', name))
            equal((name, spider.returncode), (name, 0 if name in files else 1))
            shown = program(need('curl'), '-sS', '-I', url(d, 'http', name))
            check(shown.returncode == 0 and shown.stdout.startswith(b'HTTP/1.1 '), shown)


@test
def a_kept_connection_serves_file_after_file():
    with offer() as (d, files, into):
        names = sorted(files)
        words = [need('curl'), '-sS', '--fail', '-w', '%{num_connects}\n']
        for n, name in enumerate(names):
            words += ['-o', into / str(n), url(d, 'http', name)]
        done = program(*words)
        equal((done.returncode, done.stdout.split()), (0, [b'1'] + [b'0'] * (len(names) - 1)))
        for n, name in enumerate(names):
            check((into / str(n)).read_bytes() == files[name], name)
        words.insert(1, '--http1.0')
        done = program(*words)
        equal((done.returncode, done.stdout.split()), (0, [b'1'] * len(names)))


# --- many, and none ---


@test
def fifty_clients_at_once_get_what_they_asked_for():
    with offer() as (d, files, into):
        names = sorted(files)
        commands = ((curl_tftp, ()), (curl_http, ()), (tftp_hpa, ()), (atftp, ('windowsize 4',)), (busybox_tftp, ()),
                    (busybox_wget, ()))
        running = []
        try:
            for n in range(50):
                command, words = commands[n % len(commands)]
                name = names[n // len(commands) % len(names)] if n % 2 else f'size-{2 << 20}.rom'
                line = [str(word) for word in command(d, name, into / str(n), *words)]
                running.append((name, subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)))
            for n, (name, process) in enumerate(running):
                _, err = process.communicate(timeout=PATIENCE_S)
                equal((n, process.returncode, complaints(err)), (n, 0, []))
                check((into / str(n)).read_bytes() == files[name], f'client {n}: {name} differs')
        finally:
            for _, process in running:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        equal(d.stop(), 0)
        equal(len([line for line in d.events() if ' sent ' in line]), 50)


@test
def a_missing_file_gives_the_client_its_own_error():
    rows = ((curl_tftp, 68, rb'curl: \(68\)'), (curl_http, 22, rb'error: 404'), (busybox_wget, 1, rb'404 Not Found'),
            (busybox_tftp, 1, rb'server error: \(1\)'), (atftp, 255, rb'error received from server'),
            (tftp_hpa, None, rb'Error code 1:'))
    with offer() as (d, _, into):
        for command, code, words in rows:
            done = program(*command(d, 'absent.cfg', into / 'got'))
            said = done.stderr + done.stdout
            check(code in (None, done.returncode) and re.search(words, said), f'{command.__name__}: {done}')


@test
def an_upload_is_refused_in_the_clients_own_words():
    with offer() as (d, _, into):
        (into / 'up').write_bytes(b'mine')
        for words in ([need('curl'), '-sS', '-T', into / 'up', url(d, 'tftp', 'up.cfg')],
                      [need('curl'), '-sS', '--fail', '-T', into / 'up', url(d, 'http', 'up.cfg')],
                      [need('atftp'), '-p', '-l', into / 'up', '-r', 'up.cfg', '127.0.0.1', d.tftp],
                      [*busybox('tftp'), '-p', '-l', into / 'up', '-r', 'up.cfg', '127.0.0.1', d.tftp]):
            done = program(*words)
            check(done.returncode != 0 and done.stderr, f'{words}: {done}')
        equal(program(need('curl'), '-s', '-o', into / 'got', '-w', '%{http_code}', url(d, 'http', 'up.cfg')).stdout,
              b'404')


main()
