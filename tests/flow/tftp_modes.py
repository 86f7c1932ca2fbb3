#!/usr/bin/env python3
"""TFTP's options of the server: one port for everything, a range of ports, the largest block, names in any case; and the
codes that a client gets. Foreign clients read and write in every mode."""
import pathlib
import socket
import struct
import tempfile

from foreign import atftp, atftp_put, busybox_put, busybox_tftp, curl_put, curl_tftp, hpa_put, tftp_hpa
from house import Tftp, check, equal, http_get, need, program, run, House, serving, some_bytes, tftp_ack, tftp_get, \
    tftp_request
from tap import main, test

MAC = '00156574b150'
LOCAL = f'{MAC}-local.cfg'
WRITE = {'access__1__prefix': '/', 'access__1__anonymous': 1, 'access__1__write': 'overwrite'}
READERS = ((curl_tftp, ()), (curl_tftp, ('--tftp-no-options',)), (curl_tftp, ('--tftp-blksize', 8192)), (tftp_hpa, ()),
           (atftp, ()), (atftp, ('blksize 1428', 'windowsize 8')), (busybox_tftp, ()), (busybox_tftp, ('-b', 1024)))
WRITERS = ((curl_put, ()), (curl_put, ('--tftp-blksize', 8192)), (hpa_put, ()), (atftp_put, ()),
           (atftp_put, ('blksize 1400', 'windowsize 8', 'tsize 0', 'timeout 2')), (busybox_put, ()), (busybox_put, ('-b', 1000)))
SIZES = (0, 1, 511, 512, 513, 1468, 200_000)


def run_well(words):
    done = program(*words)
    check(done.returncode == 0 and b'rror' not in done.stdout + done.stderr, f'{words}: {done}')


def read_and_write(h, d):
    """Every client in both directions, at every edge of a block."""
    with tempfile.TemporaryDirectory(prefix='dialtone-modes-') as into:
        local = pathlib.Path(into) / 'file'
        for size in SIZES:
            data = some_bytes(size, size)
            h.write('served', data)
            for command, words in READERS:
                local.unlink(missing_ok=True)
                run_well(command(d, 'served', local, *words))
                # busybox and curl make no file of nothing.
                check((local.read_bytes() if local.exists() else b'') == data, f'{command.__name__} {words} {size}')
            local.write_bytes(data)
            for command, words in WRITERS:
                (h.root / 'sent').unlink(missing_ok=True)
                run_well(command(d, local, 'sent', *words))
                check((h.root / 'sent').read_bytes() == data, f'{command.__name__} {words} {size}')


@test
def every_client_reads_and_writes():
    with serving(**WRITE) as (h, d):
        read_and_write(h, d)


@test
def every_client_reads_and_writes_by_one_port():
    with serving(tftp__single_port=1, **WRITE) as (h, d):
        read_and_write(h, d)


@test
def one_port_reaches_a_phone_behind_a_nat_that_lets_nothing_else_in():
    with serving(tftp__single_port=1, workers=4, **WRITE) as (h, d):
        h.write('x', some_bytes(5000))
        for _ in range(20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                # The kernel drops what comes from another port, as that NAT does.
                s.connect(('127.0.0.1', d.tftp))
                s.send(tftp_request('x', blksize=1000))
                check(s.recv(2000)[:2] == b'\0\6', 'no OACK')
                got = b''
                for number in range(6):
                    s.send(tftp_ack(number))
                    got += s.recv(2000)[4:]
                s.send(tftp_ack(6))
                equal(got, some_bytes(5000))
                # Its port is free for the next request at once, in the other direction.
                s.send(tftp_request(LOCAL, opcode=2))
                equal(s.recv(2000), b'\0\4\0\0')
                s.send(b'\0\3\0\1settings')
                equal(s.recv(2000), b'\0\4\0\1')
        equal(http_get(d.http, '/' + LOCAL), (200, b'settings'))


@test
def R13_one_port_answers_strangers_with_error_5_and_errors_with_nothing():
    with serving(tftp__single_port=1) as (h, d):
        h.write('x', 'x')
        with Tftp(d.tftp) as stranger, Tftp(d.tftp) as t:
            t.ask('x')
            equal(t.receive(), ('data', 1, b'x'))
            for packet in (tftp_ack(1), b'\0\3\0\1data', b'\0\6blksize\x00512\0', b'\0\x07', b'x'):
                stranger.socket.sendto(packet, stranger.server)
                equal((packet, stranger.receive()[:2]), (packet, ('error', 5)))
            stranger.socket.sendto(b'\0\5\0\0error\0', stranger.server)
            t.ask('x')
            equal(stranger.waiting(), [])
            t.send(tftp_ack(1))


@test
def SIGTERM_lets_a_transfer_by_one_port_finish():
    with serving(tftp__single_port=1) as (h, d):
        h.write('x', bytes(1000))
        with Tftp(d.tftp) as t, Tftp(d.tftp) as late:
            t.ask('x')
            equal(t.receive()[:2], ('data', 1))
            d.signal(15)
            check(d.saw('stopping'), d.err)
            late.ask('x')
            t.send(tftp_ack(1))
            equal(t.receive()[:2], ('data', 2))
            equal(late.waiting(), [])
            t.send(tftp_ack(2))
        equal(d.wait(), 0)
        check(any(' sent 1000 B ' in line for line in d.events()), d.out)


def free_ports(count):
    """The first of so many UDP ports in a row that nobody has."""
    for first in range(20000, 60000, 97):
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for n, s in enumerate(sockets):
                s.bind(('127.0.0.1', first + n))
            return first
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise AssertionError('no free range')


@test
def transfers_keep_to_the_range_of_ports():
    first = free_ports(4)
    ports = set()
    with serving(tftp__port_range=f'{first}-{first + 3}', workers=2, **WRITE) as (h, d):
        h.write('x', some_bytes(2000))
        for n in range(40):
            with Tftp(d.tftp) as t:
                t.ask('x' if n % 2 else 'none')
                kind = t.receive()[0]
                equal(kind, 'data' if n % 2 else 'error')
                ports.add(t.peer[1])
                if kind == 'data':
                    t.send(b'\0\5\0\0enough\0')
        check(ports and ports <= set(range(first, first + 4)), ports)
        equal(tftp_get(d.tftp, 'x'), ('file', some_bytes(2000)))
    with House() as h:
        done = run('serve', '--root', h.root, *h.options(tftp__port_range=first, workers=2))
        equal(done.returncode, 1)
        check(f'no port of tftp.port_range {first} for worker 2 of 2' in done.stderr, done.stderr)


@test
def the_largest_block_is_the_servers_say_in_both_directions():
    with serving(**WRITE) as (h, d):
        h.write('x', bytes(100_000))
        for asked, answered in ((8, b'8'), (1468, b'1468'), (1469, b'1468'), (65464, b'1468'), (65465, None), (7, None), (-1, None)):
            for opcode in 1, 2:
                with Tftp(d.tftp) as t:
                    t.ask('x', opcode=opcode, blksize=asked)
                    kind, _, data = t.receive()
                    want = ('oack', b'blksize\0%s\0' % answered) if answered else ('data' if opcode == 1 else 'ack', data)
                    equal((asked, opcode, kind, data), (asked, opcode, *want))
    with serving(tftp__blksize_max=8192) as (h, d):
        h.write('x', some_bytes(100_000))
        equal(tftp_get(d.tftp, 'x', blksize=8192), ('file', some_bytes(100_000)))
        with Tftp(d.tftp) as t:
            t.ask('x', blksize=65464)
            equal(t.receive()[2], b'blksize\x008192\0')


@test
def a_write_request_is_answered_with_every_option_that_it_has():
    with serving(**WRITE) as (h, d), Tftp(d.tftp) as t:
        t.ask('x', opcode=2, blksize=100, timeout=3, tsize=250, windowsize=2, multicast='')
        kind, _, said = t.receive()
        words = said.split(b'\0')[:-1]
        equal((kind, dict(zip(words[::2], words[1::2]))),
              ('oack', {b'blksize': b'100', b'timeout': b'3', b'tsize': b'250', b'windowsize': b'2'}))
        for number, data in enumerate((bytes(100), bytes(100), bytes(50)), 1):
            t.send(struct.pack('!HH', 3, number) + data)
        # One ACK a window, and the last one when the file is on the disk.
        equal([t.receive()[:2], t.receive()[:2]], [('ack', 2), ('ack', 3)])
        equal((h.root / 'x').read_bytes(), bytes(250))


@test
def R16_a_pair_over_the_edge_of_a_block_is_one_line_end_in_both_directions():
    text = b'x' * 511 + b'\n' + b'y' * 509 + b'\r' + b'z\r\n' * 400
    with serving(**WRITE) as (h, d):
        with Tftp(d.tftp) as t:
            wire = text.replace(b'\r', b'\r\0').replace(b'\n', b'\r\n')
            equal(wire[511:513], b'\r\n')
            t.ask('x', opcode=2, mode='netascii')
            equal(t.receive()[:2], ('ack', 0))
            for number in range(1, len(wire) // 512 + 2):
                t.send(struct.pack('!HH', 3, number) + wire[(number - 1) * 512:number * 512])
                equal(t.receive()[:2], ('ack', number))
        equal((h.root / 'x').read_bytes(), text)
        with Tftp(d.tftp) as t:
            t.ask('x', mode='netascii')
            equal(t.fetch_rest(), ('file', wire))


@test
def every_error_has_its_own_code():
    rows = [(1, 'none', 'octet', 1), (1, 'none/x', 'octet', 1), (1, '../x', 'octet', 2), (1, 'a\\b', 'octet', 2), (1, 'd', 'octet', 2),
            (1, 'private/x', 'octet', 2), (1, 'x', 'mail', 4), (2, 'x', 'mail', 4), (2, 'none/x', 'octet', 1), (2, 'd', 'octet', 6),
            (2, '../x', 'octet', 2), (2, 'private/x', 'octet', 2), (2, 'x', 'octet', 6), (1, 'y' * 256, 'octet', 4), (1, '', 'octet', 4)]
    rules = {'access__1__prefix': '/', 'access__1__anonymous': 1, 'access__1__write': 'create',
             'access__2__prefix': '/private', 'access__2__users': ''}
    for single in 0, 1:
        with serving(tftp__single_port=single, **rules) as (h, d):
            h.write('x', 'x')
            h.write('d/y', 'y')
            h.write('private/x', 'secret')
            for opcode, name, mode, code in rows:
                with Tftp(d.tftp) as t:
                    t.ask(name, opcode=opcode, mode=mode)
                    equal((opcode, name, mode, t.receive()[:2]), (opcode, name, mode, ('error', code)))
            with Tftp(d.tftp) as t:
                t.ask('new', opcode=2, tsize=1 << 40)
                equal(t.receive()[:2], ('error', 3))


@test
def names_are_found_in_any_case_by_every_protocol_where_that_is_asked_for():
    with serving(**WRITE) as (h, d):
        h.write('Sub/Ring.wav', 'ring')
        equal(tftp_get(d.tftp, 'SUB/ring.WAV'), ('error', 1))
    with serving(root__ignore_case=1, **WRITE) as (h, d):
        h.write('Sub/Ring.wav', 'ring')
        for name in ('Sub/Ring.wav', 'SUB/ring.WAV', 'sub/RING.wav'):
            equal(tftp_get(d.tftp, name), ('file', b'ring'))
            equal(http_get(d.http, '/' + name), (200, b'ring'))
            equal(program(need('curl'), '-sS', f'ftp://127.0.0.1:{d.ftp}/{name}').stdout, b'ring')
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'new')
            file.flush()
            run_well(curl_put(d, file.name, 'SUB/RING.WAV'))
            run_well(curl_put(d, file.name, f'SUB/{LOCAL}'))
        equal(sorted(path.name for path in h.root.rglob('*')), ['Ring.wav', 'Sub'])
        equal((h.root / 'Sub/Ring.wav').read_bytes(), b'new')
        equal(http_get(d.http, f'/sub/{LOCAL}'), (200, b'new'))


main()
