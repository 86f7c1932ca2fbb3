"""Datagrams that no honest phone sends: the protocol's own error or silence, and the server goes on (R13 to R15, R31)."""
import struct

from house import (Tftp, check, descriptors, equal, is_sanitized, resident_kib, serving, tftp_ack, tftp_get,
                   tftp_request)
from tap import main, skip, test

HELLO = b'hello\n'
ILLEGAL, ABSENT, REFUSED = ('error', 4), ('error', 1), ('error', 2)
SILENCE, DATA, OACK = ('silence', 0), ('data', 1), ('oack', 0)


def rrq(*words):
    """RRQ of these words, each with its NUL."""
    return b'\0\1' + b''.join(word + b'\0' for word in words)


def file_with(*options):
    return rrq(b'f.cfg', b'octet', *options)


TRUNCATED = [
    (b'', (ILLEGAL, SILENCE)), (b'\0', (ILLEGAL,)), (b'\0\1', (ILLEGAL,)), (b'\0\1f.cfg', (ILLEGAL,)),
    (b'\0\1f.cfg\0', (ILLEGAL,)), (b'\0\1f.cfg\0octet', (ILLEGAL,)), (b'\0\1\0octet\0', (ILLEGAL,)),
    (b'\0\1f.cfg\0\0', (ILLEGAL,)), (file_with(b'blksize'), (ILLEGAL,)), (file_with(b'blksize')[:-3], (ILLEGAL,)),
    (file_with(b'blksize') + b'512', (ILLEGAL,)), (b'\0\2', (ILLEGAL,)), (b'\0\2f.cfg\0oct', (ILLEGAL,)),
]
WRONG = [
    (rrq(b'f.cfg', b'mail'), (ILLEGAL,)), (rrq(b'f.cfg', b'octet\xff'), (ILLEGAL,)),
    (b'\0\0f.cfg\0octet\0', (ILLEGAL,)), (b'\0\x07f.cfg\0octet\0', (ILLEGAL,)), (b'\xff\xfff.cfg\0octet\0', (ILLEGAL,)),
    (b'\1\0f.cfg\0octet\0', (ILLEGAL,)), (b'\0\3\0\1data', (ILLEGAL,)), (b'\0\4\0\1', (ILLEGAL,)),
    (b'\0\6blksize\x00512\0', (ILLEGAL,)), (b'\0\5\0\1gone\0', (SILENCE,)), (b'\0\5', (SILENCE,)),
    (b'\0\5\0\0' + b'x' * 4000, (SILENCE,)), (tftp_request('up.cfg', opcode=2), (REFUSED,)),
    (tftp_request('../up.cfg', opcode=2), (REFUSED,)), (b'GET / HTTP/1.1\r\n\r\n', (ILLEGAL,)),
]
LONG = [
    (rrq(b'n' * 256, b'octet'), (ILLEGAL,)), (rrq(b'n' * 500, b'octet'), (ILLEGAL,)),
    (rrq(b'f.cfg', b'o' * 2000), (ILLEGAL,)), (b'\0\1' + b'n' * 60000, (ILLEGAL,)), (b'\0\1' + b'\0' * 60000, (ILLEGAL,)),
    (file_with(*[b'x%d' % n for n in range(2000)]), (ILLEGAL,)), (rrq(b'd/' * 120 + b'f', b'octet'), (ABSENT,)),
]
NAMES = [(rrq(name, b'octet'), (ABSENT, REFUSED)) for name in (
    b'.', b'..', b'/', b'../secret', b'/../secret', b'sub/../../secret', b'sub\\..\\..\\secret', b'..\\secret', b'/etc/passwd',
    b'%2e%2e/secret', b'..%2fsecret', b'..%c0%afsecret', b'sub', b'sub/', b'out.cfg', b'\x01', b'a\nb', b'\xff\xfe\xfd',
    b'f.cfg/', b'f.cfg/x', b'%s%n%s%n', b'-rf', b'~root', b'`id`', b'$(id)', b'a' * 255)]
# R14, R31: one strict reader of numbers; what is not honoured is not in the OACK.
NUMBERS = [(file_with(option, value), (DATA,)) for option, values in (
    (b'blksize', (b'', b'0', b'7', b'-1', b'+512', b' 512', b'512 ', b'0x200', b'65465', b'4294967808', b'1' * 200)),
    (b'timeout', (b'0', b'256', b'-1', b'1.5')), (b'windowsize', (b'0', b'65536', b'-1', b'none')),
    (b'tsize', (b'-1', b'9223372036854775808', b'x')), (b'utimeout', (b'1',)), (b'multicast', (b'',)),
) for value in values]
FINE = [
    (file_with(b'BLKSIZE', b'512'), (OACK,)), (file_with(b'blksize', b'600', b'blksize', b'8'), (OACK,)),
    (file_with(b'blksize', b'0008'), (OACK, DATA)), (file_with(b'blksize', b'512', b'nonsense', b'1'), (OACK,)),
    (rrq(b'f.cfg', b'OcTeT'), (DATA,)), (file_with() + b'\0\0\0\0', (DATA,)),
]
TABLE = TRUNCATED + WRONG + LONG + NAMES + NUMBERS + FINE


def fill(h):
    h.write('f.cfg', HELLO)
    h.write('sub/g.cfg', HELLO)
    (h.root / 'out.cfg').symlink_to('../secret')


def throw(d, datagram):
    """Sends it from a port of its own: what came back, at once or never. The transfer that it began is ended."""
    with Tftp(d.tftp) as t:
        t.socket.sendto(datagram, t.server)
        # One worker reads in the order of sending: what is answered is answered before this one's end.
        equal(tftp_get(d.tftp, 'f.cfg'), ('file', HELLO))
        answers = [t.read(data)[:2] for data in t.waiting()]
        check(len(answers) <= 1, f'{datagram[:60]!r}: {answers}')
        if answers and answers[0][0] != 'error':
            t.send(b'\0\5\0\0enough\0')
        return answers[0] if answers else SILENCE


@test
def every_datagram_of_the_table_gets_the_protocols_own_error_or_silence():
    with serving(workers=1, tftp__rate=0) as (h, d):
        fill(h)
        wrong = []
        for datagram, allowed in TABLE:
            got = throw(d, datagram)
            if got not in allowed:
                wrong.append(f'{datagram[:70]!r}: {got}, not {allowed}')
        check(not wrong, '\n'.join(wrong))
        equal(d.stop(), 0)
        check(not [line for line in d.out + d.err if 'secret outside' in line], d.out)


def growth(times, **more):
    """KiB that the server grew by while the whole table was thrown at it so often, and descriptors."""
    with serving(workers=1, tftp__rate=0, **more) as (h, d):
        fill(h)

        def throw_all(count):
            for _ in range(count):
                for datagram, _ in TABLE:
                    throw(d, datagram)

        throw_all(3)
        memory, files = resident_kib(d.pid), descriptors(d.pid)
        throw_all(times)
        check(d.runs(), d.err)
        equal(descriptors(d.pid), files)
        return resident_kib(d.pid) - memory, files


@test
def two_thousand_of_them_leave_no_memory_and_no_descriptor_behind():
    times = 2000 // len(TABLE) + 1
    grown, files = growth(times, journal='off')
    check(grown < 256 or is_sanitized(), f'{grown} KiB more')
    # SQLite fills its page cache of 2 MB, and a longer queue touches more of its array.
    grown, files = growth(times, journal='both')
    check(grown < 8192 or is_sanitized(), f'{grown} KiB more with a journal')
    if files is None:
        skip('only root may count the descriptors of a server that cannot be dumped; memory was looked at')


@test
def R13_a_stranger_gets_error_5_and_the_transfer_goes_on():
    with serving(workers=1) as (h, d):
        data = bytes(range(256)) * 8
        h.write('g.rom', data)
        with Tftp(d.tftp) as t, Tftp(d.tftp) as stranger:
            t.ask('g.rom')
            equal(t.receive()[:2], ('data', 1))
            stranger.peer = t.peer
            for packet, answer in ((tftp_ack(1), ('error', 5)), (b'\0\3\0\1x', ('error', 5)), (b'\0', ('error', 5)),
                                   (b'\0\5\0\0no\0', None)):
                stranger.send(packet)
                if answer:
                    equal((packet, stranger.receive()[:2]), (packet, answer))
            t.send(tftp_ack(1))
            equal(stranger.waiting(), [])
            got = t.fetch_rest(expected=2)
            equal(got, ('file', data[512:]))


@test
def a_strangers_nonsense_to_the_transfers_own_port_changes_nothing():
    """Also from the phone's own port: opcodes that belong to nobody, blocks that were never sent."""
    with serving(workers=1) as (h, d):
        data = bytes(range(256)) * 16
        h.write('g.rom', data)
        with Tftp(d.tftp) as t:
            t.ask('g.rom')
            equal(t.receive()[:2], ('data', 1))
            for nonsense in (b'', b'\0', b'\0\4', b'\0\4\0', tftp_ack(2), tftp_ack(77), tftp_ack(65535), tftp_ack(0),
                             b'\0\3\0\1mine', b'\0\6blksize\x008\0', b'\xff' * 600, b'\0\1f.cfg\0octet\0', b'\0\x09\0\1'):
                t.send(nonsense)
            equal(tftp_get(d.tftp, 'g.rom'), ('file', data))
            equal(t.waiting(), [])
            t.send(tftp_ack(1))
            equal(t.fetch_rest(expected=2), ('file', data[512:]))


@test
def an_error_ends_a_transfer_and_is_never_answered():
    with serving(workers=1) as (h, d):
        h.write('g.rom', b'g' * 5000)
        with Tftp(d.tftp) as t:
            t.ask('g.rom')
            t.receive()
            t.send(struct.pack('!HH', 5, 3) + b'disk full\0')
            t.send(tftp_ack(1))
            equal(t.receive()[:2], ('error', 5))
            check(d.saw('"g.rom" stopped', d.out), d.out)
            equal(t.waiting(), [])


main()
