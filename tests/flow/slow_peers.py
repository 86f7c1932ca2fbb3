"""Peers that are slow, silent or gone, and files that change meanwhile: nobody else waits, nothing stays behind.

What takes the daemon's own time (a phone that never answers, one that stops in the middle, a reader of one byte a
second) is begun before the first test and judged by the last ones.
"""
import contextlib
import re
import select
import signal
import socket
import threading
import time

from house import (PATIENCE_S, House, Tftp, check, connect, descriptors, equal, http_get, read_to_end, serving,
                   some_bytes, tftp_ack, tftp_get, until)
from tap import main, skip, test

LARGE = some_bytes(16 << 20)
FIRMWARE = some_bytes(300000)
SMALL = some_bytes(20000)
REQUEST = b'GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


class Stubborn:
    """The peers that the last tests look at."""

    SILENT = ({}, {'blksize': 1432, 'tsize': 0}, {'blksize': 1432, 'windowsize': 64}, {'mode': 'netascii'},
              {'timeout': 1, 'windowsize': 16}, {'blksize': 8})

    def __init__(self):
        self.house = House()
        self.house.write('fw.rom', FIRMWARE)
        self.house.write('large.rom', LARGE)
        self.daemon = self.house.serve(workers=1, tftp__blksize_max=65464)
        self.files = descriptors(self.daemon.pid)
        self.end = threading.Event()
        self.silent = [Tftp(self.daemon.tftp) for _ in self.SILENT]
        self.stopped = [Tftp(self.daemon.tftp) for _ in range(20)]
        self.reader = threading.Thread(target=self.read_slowly)
        self.mute = connect(self.daemon.http)
        self.writer = threading.Thread(target=self.write_slowly)
        self.written = b''

    def __enter__(self):
        for t, options in zip(self.silent, self.SILENT):
            t.ask('fw.rom', **options)
        for t in self.stopped:
            t.ask('fw.rom')
            for block in range(1, 11):
                equal(t.receive()[:2], ('data', block))
                t.send(tftp_ack(block))
        self.reader.start()
        self.writer.start()
        return self

    def write_slowly(self):
        with connect(self.daemon.http) as s:
            s.sendall(b'PUT /00156574b150-local.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                while not self.end.wait(1) and not select.select([s], [], [], 0)[0]:
                    s.sendall(b'x')
                self.written = s.recv(1000)

    def read_slowly(self):
        with connect(self.daemon.http, 4096) as s:
            s.sendall(REQUEST % b'large.rom')
            with contextlib.suppress(ConnectionResetError):
                while not self.end.wait(1) and s.recv(1):
                    pass

    def __exit__(self, *_):
        """main() ends the program: what is wrong with the daemon by now would be told to nobody."""
        self.end.set()
        self.reader.join()
        self.writer.join()
        for t in self.silent + self.stopped:
            t.socket.close()
        self.mute.close()
        with contextlib.suppress(AssertionError):
            self.daemon.__exit__(None)
        self.house.__exit__()


# --- a file that changes during a slow transfer ---


def replace(h, name):
    h.write(name, b'another file')


def delete(h, name):
    (h.root / name).unlink()


def truncate(h, name):
    with open(h.root / name, 'r+b') as file:
        file.truncate(1000)


def overwrite(h, name):
    with open(h.root / name, 'r+b') as file:
        file.write(b'other bytes of the same file')


def append(h, name):
    with open(h.root / name, 'ab') as file:
        file.write(b'more')


# What is behind another name, or none, is still whole; what is changed in place is no longer what was promised.
KEEPS, CHANGES = (replace, delete), (truncate, overwrite, append)


def slowly_over_http(d, name, meanwhile):
    """Headers, and the body as far as it came."""
    with connect(d.http, 4096) as s:
        s.sendall(REQUEST % name.encode())
        first = s.recv(1000)
        meanwhile()
        head, _, body = (first + read_to_end(s)).partition(b'\r\n\r\n')
        return head, body


def slowly_over_tftp(d, name, meanwhile):
    with Tftp(d.tftp) as t:
        t.ask(name)
        kind, number, first = t.receive()
        equal((kind, number), ('data', 1))
        meanwhile()
        t.send(tftp_ack(1))
        kind, got = t.fetch_rest(expected=2)
        return (kind, first + got) if kind == 'file' else (kind, got)


@test
def a_file_that_is_replaced_or_deleted_during_a_transfer_comes_whole_as_it_was():
    for change in KEEPS:
        with serving() as (h, d):
            for name, data in (('large.rom', LARGE), ('small.cfg', SMALL)):
                h.write(name, data)
                head, body = slowly_over_http(d, name, lambda n=name: change(h, n))
                check(head.startswith(b'HTTP/1.1 200 ') and body == data, f'{change.__name__} {name}: {len(body)}')
            for name, data in (('fw.rom', FIRMWARE), ('small.cfg', SMALL)):
                h.write(name, data)
                got = slowly_over_tftp(d, name, lambda n=name: change(h, n))
                check(got == ('file', data), f'{change.__name__} {name}: {got[0]} {got[1] if got[0] == "error" else ""}')


@test
def a_file_that_is_changed_in_place_during_a_transfer_is_never_passed_off_as_whole():
    for change in CHANGES:
        with serving() as (h, d):
            h.write('large.rom', LARGE)
            head, body = slowly_over_http(d, 'large.rom', lambda: change(h, 'large.rom'))
            check(b'Content-Length: %d\r\n' % len(LARGE) in head, head)
            check(len(body) < len(LARGE), f'{change.__name__}: {len(body)} bytes came')
            h.write('fw.rom', FIRMWARE)
            equal((change.__name__, slowly_over_tftp(d, 'fw.rom', lambda: change(h, 'fw.rom'))),
                  (change.__name__, ('error', 0)))
            check(d.saw('large.rom" broken 200 (', d.out) and d.saw('fw.rom" broken (', d.out), d.out)
            equal(tftp_get(d.tftp, 'fw.rom', 1432), ('file', (h.root / 'fw.rom').read_bytes()))
            equal(http_get(d.http, '/large.rom'), (200, (h.root / 'large.rom').read_bytes()))


@test
def a_small_file_comes_as_it_was_whatever_happens_meanwhile():
    for change in KEEPS + CHANGES:
        with serving() as (h, d):
            h.write('small.cfg', SMALL)
            equal((change.__name__, slowly_over_tftp(d, 'small.cfg', lambda: change(h, 'small.cfg'))),
                  (change.__name__, ('file', SMALL)))


# --- slow and silent over HTTP ---


@test
def R12_a_head_that_drips_is_408_and_nobody_else_waits():
    with serving(workers=1, http__head_s=1) as (h, d):
        h.write('f.cfg', SMALL)
        began = time.monotonic()
        drips = [connect(d.http) for _ in range(20)]
        try:
            answers = {}
            for byte in b'GET /f.cfg HTTP/1.1\r\nHost: x\r\nX: ' + b'y' * 600:
                for n, s in enumerate(drips):
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        s.send(bytes([byte]))
                equal(http_get(d.http, '/f.cfg'), (200, SMALL))
                if time.monotonic() - began > 1.2:
                    break
            for n, s in enumerate(drips):
                answers[n] = read_to_end(s)[:12]
        finally:
            for s in drips:
                s.close()
        equal(set(answers.values()), {b'HTTP/1.1 408'})
        check(time.monotonic() - began < 10, 'it took too long')


@test
def R12_a_kept_connection_that_says_nothing_more_is_closed():
    with serving(http__idle_s=1) as (h, d):
        h.write('f.cfg', SMALL)
        with connect(d.http) as s:
            began = time.monotonic()
            s.sendall(b'GET /f.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
            check(read_to_end(s).endswith(SMALL), 'no answer')
            check(0.9 < time.monotonic() - began < 10, 'at the wrong time')


@test
def R11_a_full_house_answers_503():
    with serving(workers=1, http__peer_connections=3) as (h, d):
        h.write('large.rom', LARGE)
        h.write('f.cfg', SMALL)
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                s = stack.enter_context(connect(d.http, 4096))
                s.sendall(REQUEST % b'large.rom')
                check(s.recv(12) == b'HTTP/1.1 200', 'not served')
            with connect(d.http) as late:
                late.sendall(REQUEST % b'large.rom')
                answer = read_to_end(late)
                check(answer.startswith(b'HTTP/1.1 503 ') and b'\r\nRetry-After: ' in answer, answer)
            with connect(d.http) as late:
                late.sendall(b'GET /f.cfg HT')
                check(read_to_end(late).startswith(b'HTTP/1.1 503 '), 'no 503 to half a head')
            # What can be answered at once needs no room.
            equal(http_get(d.http, '/f.cfg'), (200, SMALL))
        until(lambda: http_get(d.http, '/large.rom')[0] == 200, 'room for a transfer again')


@test
def R11_in_a_full_house_the_oldest_idle_connection_makes_room():
    with serving(workers=1, http__connections=4) as (h, d):
        h.write('f.cfg', SMALL)
        with contextlib.ExitStack() as stack:
            kept = [stack.enter_context(connect(d.http)) for _ in range(8)]
            for s in kept:
                s.sendall(b'GET /f.cfg HTTP/1.1\r\nHost: x\r\n\r\n')
                got = b''
                while not got.endswith(SMALL):
                    got += s.recv(1 << 20)
            for s in kept[:4]:
                equal(s.recv(1), b'')
            for s in kept[4:]:
                s.sendall(REQUEST % b'f.cfg')
                check(read_to_end(s).endswith(SMALL), 'a younger one was closed too')


@test
def R11_more_transfers_than_a_phone_may_have_are_a_tftp_error():
    with serving(workers=1, tftp__peer_transfers=5) as (h, d):
        h.write('fw.rom', FIRMWARE)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Tftp(d.tftp)) for _ in range(8)]
            answers = []
            for t in clients:
                t.ask('fw.rom')
                answers.append(t.receive()[:2])
            equal(answers, [('data', 1)] * 5 + [('error', 0)] * 3)
            clients[0].send(b'\0\5\0\0enough\0')
            until(lambda: tftp_get(d.tftp, 'fw.rom', 1432) == ('file', FIRMWARE), 'room again')


@test
def R11_a_thousand_reads_that_hang_do_not_keep_a_phone_out():
    with serving(workers=1, tftp__transfers=100, tftp__rate=0) as (h, d):
        h.write('fw.rom', FIRMWARE)
        with contextlib.ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(Tftp(d.tftp)).ask('fw.rom')
            # Within a first time-out of the server the flood's own transfers are worth no less than the phone's.
            until(lambda: tftp_get(d.tftp, 'fw.rom', 1432) == ('file', FIRMWARE), 'a place in the table')


# --- signals ---


@test
def sigterm_during_a_tftp_transfer_finishes_it_and_exits_0():
    with serving(run__drain_s=30) as (h, d), Tftp(d.tftp) as t, Tftp(d.tftp) as late:
        h.write('fw.rom', FIRMWARE)
        t.ask('fw.rom')
        first = t.receive()[2]
        d.signal(signal.SIGTERM)
        check(d.saw('stopping'), d.err)
        t.send(tftp_ack(1))
        equal(t.fetch_rest(expected=2), ('file', FIRMWARE[512:]))
        equal((len(first), d.wait()), (512, 0))
        check(d.saw(f'fw.rom" sent {len(FIRMWARE)} B', d.out), d.out)
        late.ask('fw.rom')
        equal(late.waiting(), [])


@test
def sighup_during_transfers_breaks_none():
    with serving() as (h, d), Tftp(d.tftp) as t:
        h.write('fw.rom', FIRMWARE)
        h.write('large.rom', LARGE)
        t.ask('fw.rom')
        first = t.receive()[2]

        def reload():
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)

        check(slowly_over_http(d, 'large.rom', reload)[1] == LARGE, 'HTTP broke')
        t.send(tftp_ack(1))
        check(t.fetch_rest(expected=2)[1] == FIRMWARE[512:] and len(first) == 512, 'TFTP broke')


# --- what was begun first ---


with Stubborn() as stubborn:

    @test
    def a_reader_of_one_byte_a_second_is_cut():
        check(stubborn.daemon.saw('large.rom" stopped 200 (took too little for too long)', stubborn.daemon.out),
              stubborn.daemon.out)

    @test
    def R12_a_sender_of_one_byte_a_second_is_cut_and_nothing_is_stored():
        check(stubborn.daemon.saw('-local.cfg" stopped 408 (sent too little for too long)', stubborn.daemon.out),
              stubborn.daemon.out)
        stubborn.writer.join()
        check(stubborn.written.startswith(b'HTTP/1.1 408 '), stubborn.written)
        equal(list((stubborn.house.state / 'uploads').iterdir()), [])

    @test
    def R12_a_connection_that_never_says_anything_is_closed():
        """Not at once: the kernel shows it to the server only when it has waited for its first byte itself."""
        equal(read_to_end(stubborn.mute), b'')

    @test
    def R13_a_silent_peer_gets_five_small_repetitions_and_no_window():
        d = stubborn.daemon
        until(lambda: len([line for line in d.events() if 'never answered' in line]) == len(stubborn.silent),
              'the end of the transfers that nobody answered')
        for t, options in zip(stubborn.silent, stubborn.SILENT):
            got = t.waiting()
            check(2 <= len(got) <= 5, f'{options}: {len(got)} datagrams')
            equal((options, len(set(got))), (options, 1))
            equal((options, t.read(got[0])[:2]), (options, ('oack', 0) if set(options) - {'mode'} else ('data', 1)))

    @test
    def a_phone_that_stops_in_the_middle_is_given_up_and_leaves_nothing_behind():
        d = stubborn.daemon
        end = time.monotonic() + 2 * PATIENCE_S
        while len([line for line in d.events() if 'fell silent' in line]) < len(stubborn.stopped):
            check(time.monotonic() < end, f'not given up: {d.events()}')
            time.sleep(0.1)
        for t in stubborn.stopped:
            # Block 11, and that seven times more (R13).
            got = t.waiting()
            equal((len(got), len(set(got)), t.read(got[0])[:2]), (8, 1, ('data', 11)))
        lines = [line for line in d.events() if 'fell silent' in line]
        check(all(re.search(r'fw\.rom" stopped \(fell silent\) 5120 B', line) for line in lines), lines)
        if stubborn.files is None:
            skip('only root may count the descriptors of a server that cannot be dumped')
        equal(descriptors(d.pid), stubborn.files)

    @test
    def the_daemon_that_bore_all_this_exits_0():
        equal(stubborn.daemon.stop(), 0)

    main()
