"""Faults of the machine and of the operator's hand, by every protocol at once: disk full, slow peers, signals, death,
and a system clock that steps."""
import contextlib
import hashlib
import mmap
import os
import random
import re
import signal
import sqlite3
import struct
import subprocess
import threading
import time

from house import (Daemon, House, check, connect, equal, http_get, is_sanitized, need, program, read_to_end, some_bytes,
                   tftp_get, until)
from tap import dialtone, main, skip, test
from transfers import READERS, SENDERS, FtpReader, FtpSender, HttpReader, HttpSender, HttpsReader, TftpReader, TftpSender
from transfers import log_in, taken

# More than the kernel keeps of it for a reader that does not read.
LARGE = some_bytes(8 << 20)
FIRMWARE = some_bytes(1 << 20)
SENT = some_bytes(300_000)


def local_name(number):
    return f'001565{number:06x}-local.cfg'


@contextlib.contextmanager
def everything(before=(), environment=None, **more):
    """A house that serves all protocols."""
    with House() as h:
        h.make_certificates()
        h.write('large.rom', LARGE)
        h.write('fw.rom', FIRMWARE)
        h.write('small.cfg', b'small')
        words = ['--root', h.root, *h.options(**h.tls_options(('ecdsa',)), **more)]
        with Daemon(words, before=before, env={**os.environ, **(environment or {})}) as d:
            yield h, d


def uploads(h):
    return sorted(path.name for path in (h.state / 'uploads').iterdir())


@contextlib.contextmanager
def under_way(d):
    """Readers and senders by each protocol, begun."""
    with contextlib.ExitStack() as stack:
        readers = [kind(d, 'fw.rom' if kind is TftpReader else 'large.rom') for kind in READERS]
        senders = [kind(d, local_name(n), SENT) for n, kind in enumerate(SENDERS)]
        for transfer in readers + senders:
            stack.callback(transfer.close)
        yield readers, senders


@test
def R22_on_a_full_disk_uploads_are_refused_the_old_files_stay_and_everything_is_served():
    if os.geteuid() != 0 or program(need('unshare'), '-m', 'true').returncode != 0:
        skip('no mount namespace may be made here')
    with House() as h:
        h.make_certificates()
        h.write('small.cfg', b'small')
        disk = h.dir / 'disk'
        disk.mkdir()
        # Only the server sees this disk.
        small = ('unshare', '-m', 'sh', '-c', f'mount -t tmpfs -o size=256k none {disk} && exec "$@"', 'sh')
        with Daemon(['--root', h.root, *h.options(**h.tls_options(('ecdsa',)), upload__dir=disk / 'uploads')],
                    before=small) as d:
            for n, kind in enumerate(SENDERS):
                taken(kind(d, local_name(n), b'old' * 1000))
            for n, kind in enumerate(SENDERS):
                sender = kind(d, local_name(n), SENT)
                check(not sender.finish(), f'{kind.__name__} was told that it is stored')
                sender.close()
                # 507, 452, disk full
                check(re.search(r' 507|^452|error.*3', sender.said), f'{kind.__name__}: {sender.said}')
                equal((n, http_get(d.http, '/' + local_name(n))), (n, (200, b'old' * 1000)))
                equal(tftp_get(d.tftp, 'small.cfg'), ('file', b'small'))
            for n, kind in enumerate(SENDERS):
                taken(kind(d, local_name(n), b'new'))
                equal(http_get(d.http, '/' + local_name(n)), (200, b'new'))


@test
def r12_readers_of_one_byte_a_second_keep_nobody_waiting():
    with everything(workers=1, tls__workers=1) as (h, d), contextlib.ExitStack() as stack:
        slow = [kind(d, 'large.rom') for kind in (HttpReader, HttpsReader, FtpReader) for _ in range(20)]
        for reader in slow:
            stack.callback(reader.close)
        worst = 0
        for _ in range(2):
            for reader in slow:
                reader.sip()
            for _ in range(5):
                began = time.monotonic()
                equal(http_get(d.http, '/small.cfg'), (200, b'small'))
                equal(tftp_get(d.tftp, 'small.cfg'), ('file', b'small'))
                got = HttpsReader(d, 'small.cfg')
                equal(got.finish(), b'small')
                got.close()
                got = FtpReader(d, 'small.cfg')
                equal(got.finish(), b'small')
                got.close()
                worst = max(worst, time.monotonic() - began)
            time.sleep(1)
        check(worst < 3, f'four small files took {worst:.1f} s')


@test
def SIGTERM_lets_every_transfer_finish_and_ends_with_exit_0():
    with everything(run__drain_s=120) as (h, d):
        with under_way(d) as (readers, senders):
            d.signal(signal.SIGTERM)
            check(d.saw('stopping'), d.err)
            got = {}
            threads = [threading.Thread(target=lambda r=r: got.__setitem__(r, r.finish())) for r in readers + senders]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for sender in senders:
                check(got[sender], f'{type(sender).__name__}: {sender.said}')
            for reader in readers:
                whole = FIRMWARE if isinstance(reader, TftpReader) else LARGE
                check(got[reader] == whole, f'{type(reader).__name__}: {len(got[reader])} bytes; {d.events()}')
            began = time.monotonic()
            equal(d.wait(), 0)
            check(time.monotonic() - began < 5, 'it waited on for nobody')
        equal(uploads(h), [local_name(n) for n in range(len(SENDERS))])
        for n in range(len(SENDERS)):
            equal((h.state / 'uploads' / local_name(n)).read_bytes(), SENT)
        equal(sum(' stored ' in line for line in d.events()), len(SENDERS))
        equal(sum(' sent ' in line for line in d.events()), len(READERS))


@test
def a_second_SIGTERM_ends_everything_at_once_and_nothing_is_half_stored():
    with everything(run__drain_s=300) as (h, d), under_way(d):
        d.signal(signal.SIGTERM)
        check(d.saw('stopping'), d.err)
        time.sleep(0.2)
        check(d.runs(), 'it did not wait')
        began = time.monotonic()
        d.signal(signal.SIGTERM)
        equal(d.wait(), 0)
        check(time.monotonic() - began < 3, 'it took too long')
        equal(uploads(h), [])


@test
def SIGHUP_under_load_breaks_no_transfer():
    with everything(tftp__rate=0) as (h, d):
        end, failures, count = threading.Event(), [], [0]

        def load(fetch):
            while not end.is_set():
                try:
                    fetch()
                    count[0] += 1
                except Exception as error:  # a thread's own would be lost
                    failures.append(repr(error))
                    return

        def once(kind):
            reader = kind(d, 'fw.rom')
            equal(hashlib.md5(reader.finish()).digest(), hashlib.md5(FIRMWARE).digest())
            reader.close()

        def send(n, kind):
            sender = kind(d, local_name(n), SENT)
            taken(sender)
            sender.close()

        loads = [lambda kind=kind: once(kind) for kind in READERS]
        loads += [lambda n=n, kind=kind: send(n, kind) for n, kind in enumerate(SENDERS)]
        loads.append(lambda: equal(http_get(d.http, '/small.cfg'), (200, b'small')))
        threads = [threading.Thread(target=load, args=(fetch,)) for fetch in loads]
        for thread in threads:
            thread.start()
        for _ in range(30):
            d.signal(signal.SIGHUP)
            time.sleep(0.1)
        end.set()
        for thread in threads:
            thread.join()
        equal(failures, [])
        check(count[0] > 50, f'only {count[0]} transfers')


@test
def R22_kill_9_at_any_moment_of_uploads_leaves_each_file_whole():
    versions = [some_bytes(120_000, seed) for seed in range(3)]
    with House() as h:
        h.make_certificates()
        for wait_s in (0.05, 0.1, 0.2, 0.4):
            with h.serve(**h.tls_options(('ecdsa',)), upload__rate=0) as d:
                end = threading.Event()

                def load(n, kind):
                    dice = random.Random(f'{n} {wait_s}')
                    with contextlib.suppress(Exception):
                        while not end.is_set():
                            patience = {'patience_s': 0.5} if kind is TftpSender else {}
                            sender = kind(d, local_name(n), dice.choice(versions), **patience)
                            sender.finish()
                            sender.close()

                threads = [threading.Thread(target=load, args=(n, kind)) for n, kind in enumerate(SENDERS)]
                for thread in threads:
                    thread.start()
                time.sleep(wait_s)
                d.signal(signal.SIGKILL)
                end.set()
                for thread in threads:
                    thread.join()
                d.process.wait()
                d.process.returncode = 0
            with h.serve() as d:
                for name in uploads(h):
                    check(re.fullmatch(r'\.?001565\d{6}-local\.cfg(\.\d+)?', name), f'{name} was left')
                    check((h.state / 'uploads' / name).read_bytes() in versions, f'{name} is not whole')
        check(len(uploads(h)) >= len(SENDERS), uploads(h))


# --- the system clock ---


class Clock:
    """Steps the system clock of one daemon."""

    def __init__(self, h):
        self.path = h.dir / 'clock'
        self.path.write_bytes(bytes(8))

    def environment(self):
        return {'LD_PRELOAD': os.environ['STEPPING_CLOCK_LIBRARY'], 'STEPPING_CLOCK': str(self.path)}

    def step(self, seconds):
        with open(self.path, 'r+b') as file, mmap.mmap(file.fileno(), 8) as at:
            at[:] = struct.pack('=q', seconds)


def alice():
    return subprocess.run([dialtone(), 'passwd', 'alice'], input='secret-one\n', capture_output=True, text=True,
                          timeout=30).stdout


def digest_answer(target, nonce, count):
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()
    response = md5(':'.join([md5('alice:dialtone:secret-one'), nonce, f'{count:08x}', 'c', 'auth', md5('GET:' + target)]))
    return (f'Authorization: Digest username="alice", realm="dialtone", nonce="{nonce}", uri="{target}", '
            f'response="{response}", qop=auth, nc={count:08x}, cnonce="c"\r\n')


def date_of(d):
    with connect(d.http) as s:
        s.sendall(b'GET /small.cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        return re.search(rb'Date: \w+, \d+ (\w+ \d+)', read_to_end(s))[1].decode()


def work(h, d, n):
    """Everything that could mind the time; a file changes each round."""
    data = f'round {n}'.encode()
    h.write('changing.cfg', data)
    equal((n, http_get(d.http, '/changing.cfg')), (n, (200, data)))
    equal((n, tftp_get(d.tftp, 'changing.cfg')), (n, ('file', data)))
    for kind in (HttpSender, FtpSender, TftpSender):
        taken(kind(d, local_name(n), SENT))
    equal(http_get(d.http, '/' + local_name(n)), (200, SENT))
    ftp = log_in(d)
    check(f'{local_name(n)}' in ftp.nlst(), 'not listed')
    ftp.close()


@test
def a_system_clock_that_steps_both_ways_changes_nothing_but_the_dates():
    if is_sanitized():
        skip('its runtime has to be loaded first')
    with House() as h:
        clock = Clock(h)
        h.write('fw.rom', FIRMWARE)
        h.write('small.cfg', b'small')
        h.write('secret/x.cfg', b'x')
        conf = h.dir / 'd.conf'
        conf.write_text('access.1.prefix = /secret\naccess.1.users = alice\naccess.2.prefix = /\naccess.2.anonymous = 1\n'
                        'access.2.write = uploads\n' + alice())
        conf.chmod(0o600)
        words = ['-c', conf, '--root', h.root, *h.options(guard__unknown=20, guard__unknown_s=600, http__idle_s=20)]
        with Daemon(words, env={**os.environ, **clock.environment()}) as d:
            with connect(d.http) as s:
                s.sendall(b'GET /secret/x.cfg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
                nonce = re.search(r'nonce="([0-9a-f]+)"', read_to_end(s).decode())[1]
            kept = connect(d.http)
            transfers = [TftpReader(d, 'fw.rom'), FtpReader(d, 'fw.rom')]
            month = date_of(d)
            # A day, back two, a year and a half, beyond 2038, and back to where it was.
            for n, step in enumerate((86400, -86400, 47_000_000, 420_000_000, 0)):
                clock.step(step)
                target = '/secret/x.cfg'
                equal((step, http_get(d.http, target, headers=digest_answer(target, nonce, n + 1))), (step, (200, b'x')))
                equal((step, http_get(d.http, target, headers=digest_answer(target, nonce, n + 1))[0]), (step, 401))
                kept.sendall(b'GET /small.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
                got = b''
                while not got.endswith(b'\r\n\r\nsmall'):
                    got += kept.recv(1000)
                work(h, d, n)
                if abs(step) > 86400 * 40:
                    check(date_of(d) != month, 'the clock did not step')
            for transfer in transfers:
                equal(transfer.finish(), FIRMWARE)
                transfer.close()
            kept.close()
            # The guard's time is not the system's.
            statuses = [http_get(d.http, f'/00156570{n:04x}.boot')[0] for n in range(30)]
            equal(statuses[-5:], [429] * 5)
            clock.step(864000)
            equal(http_get(d.http, '/001565700100.boot')[0], 429)
            clock.step(0)
            count = len(d.events())
            equal(d.stop(), 0)
        with contextlib.closing(sqlite3.connect(h.state / 'journal.db')) as db:
            check(db.execute('SELECT count(*) FROM requests').fetchone()[0] >= count, 'rows are missing')


main()
