"""The daemon's TFTP against clients that are not ours: curl, tftp-hpa, atftp, busybox. Byte-exact or it counts as
failed; a client that this machine does not have is skipped."""
import filecmp
import os
import random
import re
import shutil
import subprocess
import tempfile

from tap import test, main, skip, dialtone

AT = tempfile.mkdtemp()
ROOT, GOT = os.path.join(AT, 'root'), os.path.join(AT, 'got')
# Empty, shorter than a block, whole blocks of several sizes, firmware that is not kept in memory.
SIZES = {'empty.cfg': 0, 'y000000000000.boot': 579, 'blocks.cfg': 1024, 'large.cfg': 20480, 'big.rom': 2000003}


def make_root():
    os.mkdir(ROOT)
    os.mkdir(GOT)
    os.chmod(AT, 0o755)
    chance = random.Random(1)
    for name, size in SIZES.items():
        with open(os.path.join(ROOT, name), 'wb') as file:
            file.write(chance.randbytes(size))
    with open(os.path.join(ROOT, 'text.cfg'), 'wb') as file:
        file.write(b'a = 1\nb = \r\n\r' * 2000)


def start_server():
    server = subprocess.Popen([dialtone(), 'serve', '--root', ROOT, '-o', 'listen=127.0.0.1', '-o', 'tftp.port=0', '-o',
                               'http.enable=0', '-o', 'journal=off', '-o', 'tftp.blksize_max=65464', '-o',
                               'state.dir=' + AT], stdout=subprocess.PIPE, text=True)
    port = None
    for line in server.stdout:
        found = re.match(r'listening tftp 127\.0\.0\.1:(\d+)', line)
        port = found.group(1) if found else port
        if line.startswith('ready'):
            return server, port
    raise RuntimeError('the server ended')


def program(name):
    path = shutil.which(name)
    return path or skip(name + ' is not installed')


def fetch(name, command, cwd=GOT):
    """Runs a client that writes GOT/name and compares."""
    into = os.path.join(GOT, name)
    if os.path.exists(into):
        os.unlink(into)
    result = subprocess.run(command, cwd=cwd, capture_output=True, timeout=60)
    assert result.returncode == 0, (command, result)
    # curl makes no file when there is nothing to write.
    same = SIZES.get(name) == 0 if not os.path.exists(into) else filecmp.cmp(into, os.path.join(ROOT, name), False)
    assert same, (command, result)


@test
def curl_fetches_every_file_with_and_without_options():
    curl = program('curl')
    for name in SIZES:
        url = 'tftp://127.0.0.1:%s/%s' % (PORT, name)
        fetch(name, [curl, '-s', '-o', name, url])
        fetch(name, [curl, '-s', '--tftp-no-options', '-o', name, url])
        for size in ('8', '1432', '8192', '65464'):
            if size != '8' or SIZES[name] < 30000:
                fetch(name, [curl, '-s', '--tftp-blksize', size, '-o', name, url])


@test
def curl_tells_an_absent_file_by_its_exit():
    result = subprocess.run([program('curl'), '-s', 'tftp://127.0.0.1:%s/none' % PORT], timeout=60)
    assert result.returncode == 68, result


@test
def tftp_hpa_fetches_every_file_and_text_as_netascii():
    client = program('tftp')
    for name in SIZES:
        fetch(name, [client, '-m', 'binary', '127.0.0.1', PORT, '-c', 'get', name])
    into = os.path.join(GOT, 'text.cfg')
    subprocess.run([client, '-m', 'ascii', '127.0.0.1', PORT, '-c', 'get', 'text.cfg'], cwd=GOT, timeout=60, check=True)
    assert filecmp.cmp(into, os.path.join(ROOT, 'text.cfg'), False)


@test
def atftp_fetches_every_file_with_options_and_windows():
    client = program(os.environ.get('ATFTP', 'atftp'))
    for name in SIZES:
        for options in ([], ['blksize 1432', 'tsize'], ['windowsize 8'], ['blksize 65464', 'windowsize 64'],
                        ['timeout 2', 'windowsize 100']):
            words = [word for option in options for word in ('--option', option)]
            fetch(name, [client] + words + ['--get', '-r', name, '-l', name, '127.0.0.1', PORT])


@test
def busybox_fetches_every_file():
    client = program('busybox')
    for name in SIZES:
        for size in ('512', '1432', '65464'):
            fetch(name, [client, 'tftp', '-b', size, '-g', '-r', name, '-l', name, '127.0.0.1', PORT])


@test
def an_upload_is_refused():
    result = subprocess.run([program('curl'), '-s', '-T', os.path.join(ROOT, 'text.cfg'),
                             'tftp://127.0.0.1:%s/new.cfg' % PORT], timeout=60)
    assert result.returncode == 69, result
    assert not os.path.exists(os.path.join(ROOT, 'new.cfg'))


make_root()
SERVER, PORT = start_server()
try:
    main()
finally:
    SERVER.terminate()
    SERVER.wait(60)
    shutil.rmtree(AT)
