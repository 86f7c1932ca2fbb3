"""What the flow tests share: a tree to serve, the real daemon, raw clients, foreign programs.

Every test has its own House and ends every process that it started. Ports are 0: the daemon says which it took.
"""
import contextlib
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from tap import dialtone, skip

# What takes longer has failed; sanitizers and valgrind on a busy machine are slow.
PATIENCE_S = 30
LOOK_S = 0.01
OFFICE = pathlib.Path(os.environ.get('SOURCE_ROOT', '.')) / 'examples' / 'office'
OFFICE_TFTP, OFFICE_HTTP = '127.0.0.1:16969', '127.0.0.1:18080'


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(actual, expected):
    check(actual == expected, f'{actual!r} is not {expected!r}')


def until(condition, what):
    """Looks again and again until condition() is true, and returns what it returned."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        if found:
            return found
        check(time.monotonic() < end, f'waited {PATIENCE_S} s for {what}')
        time.sleep(LOOK_S)


def need(program):
    """Path of a foreign program, or the test is skipped."""
    found = shutil.which(program)
    if not found:
        skip(f'{program} is not installed')
    return found


def make_namespace(name):
    """A network namespace that programs can be started in, or the test is skipped."""
    need('ip')
    for words in (['add', name], ['exec', name, 'true']):
        done = program('ip', 'netns', *words)
        if done.returncode:
            program('ip', 'netns', 'del', name)
            skip('no right to make a network namespace: ' + done.stderr.decode().strip())


def need_terminals():
    """The machine has pseudo terminals, or the test is skipped."""
    try:
        for fd in os.openpty():
            os.close(fd)
    except OSError as error:
        skip(f'no pseudo terminals: {error}')


def some_bytes(size, seed=0):
    """Always the same ones for the same numbers, and nothing that repeats."""
    return random.Random(f'{seed} {size}').randbytes(size)


def is_sanitized():
    """Such a binary keeps freed memory, has other mappings and does not run in valgrind."""
    with open(dialtone(), 'rb') as file:
        return re.search(rb'__(asan|tsan)_init', file.read()) is not None


class House:
    """A tree, a state directory and what is outside of both; `with` removes it."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='dialtone-flow-'))
        self.dir.chmod(0o755)
        self.root = self.dir / 'root'
        self.state = self.dir / 'state'
        self.root.mkdir()
        (self.dir / 'secret').write_text('secret outside of the root')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, data):
        """A file of the tree, at once whole: what was there under this name is another file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.dir / 'fresh'
        fresh.write_bytes(data if isinstance(data, bytes) else data.encode())
        fresh.chmod(0o644)
        fresh.rename(path)
        return path

    def add_office(self, tftp, http):
        """examples/office, whose files name servers, with these two instead (`host:port`)."""
        for path in sorted(OFFICE.rglob('*')):
            if path.is_file():
                data = path.read_bytes().replace(OFFICE_TFTP.encode(), tftp.encode())
                self.write(path.relative_to(OFFICE), data.replace(OFFICE_HTTP.encode(), http.encode()))

    def options(self, **more):
        """-o words of the daemon; tftp__rate=7 is `tftp.rate = 7`, None leaves a default away."""
        values = {'listen': '127.0.0.1', 'tftp.port': 0, 'http.port': 0, 'ftp.port': 0, 'state.dir': self.state, 'workers': 2,
                  'run.drain_s': 5}
        values.update({key.replace('__', '.'): value for key, value in more.items()})
        return [word for key, value in values.items() if value is not None for word in ('-o', f'{key}={value}')]

    def make_certificates(self, *more):
        """dialtone cert for loopback: the directory."""
        done = run('cert', '--dir', self.dir / 'tls', '--name', 'localhost', '--ip', '127.0.0.1', *more)
        equal(done.returncode, 0)
        return self.dir / 'tls'

    def tls_options(self, kinds=('ecdsa', 'rsa'), **more):
        """Keys of a daemon that serves HTTPS with what make_certificates() made."""
        server = self.dir / 'tls' / 'server'
        return {'https__port': 0, 'tls__certificate': ', '.join(f'{server}/{kind}.pem' for kind in kinds),
                'tls__key': ', '.join(f'{server}/{kind}.key' for kind in kinds), **more}

    def make_devices(self, *macs):
        """Certificates of these phones, from the same CA."""
        done = run('cert', '--dir', self.dir / 'tls', '--device', ','.join(macs))
        equal(done.returncode, 0)

    def device(self, mac):
        """Certificate and key of a phone."""
        return [self.dir / 'tls' / 'devices' / f'{mac}.{kind}' for kind in ('pem', 'key')]

    def client_options(self, kind='optional', **more):
        """Keys of a daemon that asks phones for theirs."""
        server = self.dir / 'tls' / 'server'
        return self.tls_options(tls__client_certificates=kind, tls__client_ca=server / 'clients.pem',
                                tls__client_crl=server / 'clients.crl', **more)

    def serve(self, **more):
        return Daemon(['--root', self.root, *self.options(**more)])


class Process:
    """A program whose output is read all the time. `with` ends it and everything that it says is in out and err."""

    def __init__(self, words, **more):
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True, errors='surrogateescape', **more)
        self.out, self.err = [], []
        self.readers = [threading.Thread(target=self.read, args=(self.process.stdout, self.out)),
                        threading.Thread(target=self.read, args=(self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    def read(self, stream, into):
        for line in stream:
            into.append(line.rstrip('\n'))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            for reader in self.readers:
                reader.join()
            self.process.stdout.close()
            self.process.stderr.close()

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def runs(self):
        return self.process.poll() is None

    def wait(self):
        status = self.process.wait(PATIENCE_S)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return status

    def stop(self):
        if self.runs():
            self.signal(signal.SIGTERM)
        return self.wait()

    def saw(self, text, lines=None):
        """Waits for a line of standard error (or of `lines`) that holds `text`."""
        lines = self.err if lines is None else lines
        with contextlib.suppress(AssertionError):
            return until(lambda: any(text in line for line in lines), text)
        return False


class Daemon(Process):
    """dialtone serve; returns once it is ready. `tftp`, `http`, `https` and `ftp` are its ports."""

    def __init__(self, arguments, before=(), **more):
        self.ports, self.ready = {}, threading.Event()
        super().__init__([*before, dialtone(), 'serve', *arguments], **more)
        if not self.ready.wait(PATIENCE_S) or not self.ports:
            self.process.kill()
            super().__exit__()
            raise AssertionError(f'not ready: {self.err}')
        self.tftp, self.http, self.https, self.ftp = (self.ports.get(name) for name in ('tftp', 'http', 'https', 'ftp'))

    def read(self, stream, into):
        for line in stream:
            into.append(line.rstrip('\n'))
            found = re.fullmatch(r'listening (\w+) \S+:(\d+)( \(legacy TLS\))?', into[-1])
            if found:
                self.ports['legacy' if found[3] else found[1]] = int(found[2])
            if into[-1] == 'ready':
                self.ready.set()
        self.ready.set()

    def __exit__(self, wrong, *rest):
        super().__exit__(wrong, *rest)
        # Also where a sanitizer says that something was lost.
        check(wrong or self.process.returncode == 0, f'exit {self.process.returncode}: {self.err}')

    def events(self):
        """The journal's lines so far."""
        return [line for line in self.out if re.match(r'\S+Z (tftp|https?|ftp|pnp) ', line)]

    def tftp_at(self):
        return f'127.0.0.1:{self.tftp}'

    def http_at(self):
        return f'127.0.0.1:{self.http}'


@contextlib.contextmanager
def serving(**more):
    """A house and its daemon."""
    with House() as h, h.serve(**more) as d:
        yield h, d


def run(*arguments, **more):
    """dialtone with these words, to its end."""
    return subprocess.run([dialtone(), *map(str, arguments)], capture_output=True, text=True, timeout=2 * PATIENCE_S,
                          errors='surrogateescape', stdin=subprocess.DEVNULL, **more)


def program(*words, **more):
    """A foreign program to its end; output as bytes."""
    return subprocess.run([str(word) for word in words], capture_output=True, timeout=2 * PATIENCE_S,
                          stdin=subprocess.DEVNULL, **more)


# --- raw clients ---


def connect(port, receive_bytes=None):
    s = socket.socket()
    if receive_bytes:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    s.settimeout(PATIENCE_S)
    s.connect(('127.0.0.1', port))
    return s


def read_to_end(s):
    """What comes until the peer closes; a reset ends it too."""
    got = b''
    with contextlib.suppress(ConnectionResetError):
        while True:
            more = s.recv(1 << 20)
            if not more:
                break
            got += more
    return got


def http_raw(port, request):
    """All that comes back for these bytes, until the server closes."""
    with connect(port) as s:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            s.sendall(request)
        return read_to_end(s)


def http_get(port, target, agent=None, headers=''):
    """One request with the target's bytes as given; status and body."""
    with connect(port) as s:
        headers = 'Host: 127.0.0.1\r\nConnection: close\r\n' + headers
        headers += f'User-Agent: {agent}\r\n' if agent else ''
        s.sendall(b'GET ' + (target if isinstance(target, bytes) else target.encode()) + b' HTTP/1.1\r\n' +
                  headers.encode('latin-1') + b'\r\n')
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, answer.read()


OPCODES = {1: 'rrq', 2: 'wrq', 3: 'data', 4: 'ack', 5: 'error', 6: 'oack'}


def tftp_request(name, mode='octet', opcode=1, **options):
    """The datagram; option values as they are."""
    name = name if isinstance(name, bytes) else name.encode()
    words = [name, mode.encode()] + [str(word).encode() for pair in options.items() for word in pair]
    return struct.pack('!H', opcode) + b''.join(word + b'\0' for word in words)


def tftp_ack(block):
    return struct.pack('!HH', 4, block & 0xffff)


class Tftp:
    """A client that does one step when it is told to; `with` closes its port."""

    def __init__(self, port):
        self.server = ('127.0.0.1', port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.bind(('127.0.0.1', 0))
        self.peer = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, name, **options):
        self.socket.sendto(tftp_request(name, **options), self.server)

    def send(self, data):
        """To the server's port of this transfer."""
        self.socket.sendto(data, self.peer)

    def receive(self):
        """(kind, number, bytes); the number of an OACK is 0."""
        data, self.peer = self.socket.recvfrom(70000)
        return self.read(data)

    @staticmethod
    def read(data):
        kind = OPCODES[struct.unpack('!H', data[:2])[0]]
        if kind == 'oack':
            return kind, 0, data[2:]
        return kind, struct.unpack('!H', data[2:4])[0], data[4:]

    def waiting(self):
        """The datagrams that have come and nobody has read; the last one's sender becomes the peer."""
        got = []
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                data, self.peer = self.socket.recvfrom(70000)
                got.append(data)
        self.socket.settimeout(PATIENCE_S)
        return got

    def fetch_rest(self, size=512, expected=1):
        """Acknowledges block by block to the end, from block `expected` on: ("file", bytes) or ("error", code)."""
        out = b''
        while True:
            kind, number, data = self.receive()
            if kind == 'error':
                return kind, number
            if kind == 'oack':
                self.send(tftp_ack(0))
                continue
            if number == expected & 0xffff:
                out += data
                expected += 1
            self.send(tftp_ack(number))
            if len(data) < size:
                return 'file', out


def tftp_get(port, name, blksize=None):
    """("file", bytes) or ("error", code); `name` is sent as it is."""
    with Tftp(port) as t:
        t.ask(name, **({'blksize': blksize} if blksize else {}))
        return t.fetch_rest(blksize or 512)


# --- what the kernel knows of a process ---


def status_of(pid, key):
    """Words of a line of /proc/PID/status; PID may be PID/task/TID."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(key + ':'):
            return line.split(':', 1)[1].split()
    return []


def resident_kib(pid):
    return int(status_of(pid, 'VmRSS')[0])


def descriptors(pid):
    """How many are open, or None where only root may look (the server is not dumpable)."""
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except PermissionError:
        return None
