#!/usr/bin/env python3
"""Uploads: what foreign clients put over TFTP, where it goes, what comes back; and dialtone local."""
import os
import pathlib
import re
import signal
import struct
import tempfile

from foreign import atftp_put, busybox_put, curl_put, hpa_put
from house import Tftp, check, equal, http_get, program, run, serving, some_bytes, tftp_get, until
from tap import main, skip, test

MAC = '00156574b150'
LOCAL = f'{MAC}-local.cfg'
NAMES = [LOCAL, f'{MAC}-contact.xml', f'{MAC}-calllog.xml', f'{MAC}-all.cfg', f'{MAC}-boot.log', f'{MAC}-sys.log']
FORBIDDEN = [f'{MAC}.cfg', f'{MAC}.boot', 'y000000000000.boot', 'x.cfg', f'{LOCAL}.1', f'.{LOCAL}.1', 'shell.sh']


def put(d, command, data, name, *words):
    """The finished program."""
    with tempfile.TemporaryDirectory(prefix='dialtone-put-') as into:
        path = pathlib.Path(into) / 'up'
        path.write_bytes(data)
        return program(*command(d, path, name, *words))


def put_well(d, command, data, name, *words):
    done = put(d, command, data, name, *words)
    said = done.stdout + done.stderr
    check(done.returncode == 0 and b'rror' not in said, f'{command.__name__} {name} {words}: {done}')


def comes_back(d, name, data):
    equal(http_get(d.http, '/' + name), (200, data))
    equal(tftp_get(d.tftp, name), ('file', data))


def block(number, data):
    return struct.pack('!HH', 3, number) + data


@test
def every_client_puts_every_name_and_it_comes_back_over_tftp_and_http():
    rows = ((curl_put, ()), (curl_put, ('--tftp-blksize', 1432)), (hpa_put, ()), (atftp_put, ()),
            (atftp_put, ('blksize 1400', 'windowsize 8', 'tsize 0')), (busybox_put, ()), (busybox_put, ('-b', 1000)))
    with serving() as (h, d):
        h.write('desk/x.cfg', 'x')
        seed = 0
        for command, words in rows:
            for name in NAMES:
                for size in (0, 1, 511, 512, 513, 1400, 70000):
                    if size == 70000 and name != LOCAL:
                        continue
                    seed += 1
                    data = some_bytes(size, seed)
                    put_well(d, command, data, name, *words)
                    comes_back(d, name, data)
            put_well(d, command, b'in a directory', f'desk/{LOCAL}', *words)
            comes_back(d, f'desk/{LOCAL}', b'in a directory')
        equal(sorted(os.listdir(h.root)), ['desk'])
        equal(os.listdir(h.root / 'desk'), ['x.cfg'])
        modes = {path.stat().st_mode & 0o7777 for path in (h.state / 'uploads').rglob('*') if path.is_file()}
        equal(modes, {0o600})


@test
def R16_netascii_turns_line_ends_back():
    text = b'one\ntwo\r\nthree\rfour\n\n' * 300 + b'no end'
    with serving() as (h, d):
        put_well(d, hpa_put, text, LOCAL, 'netascii')
        comes_back(d, LOCAL, text)


@test
def R22_every_other_name_is_refused_with_error_2_and_nothing_is_written():
    with serving() as (h, d):
        h.write(f'{MAC}.cfg', 'the template')
        for name in FORBIDDEN:
            for command in (curl_put, hpa_put, atftp_put, busybox_put):
                done = put(d, command, b'mine', name)
                check(done.returncode != 0 or b'Error code 2' in done.stdout + done.stderr, f'{name}: {done}')
        for name in (f'../{LOCAL}', f'/../../{LOCAL}', f'a/../{LOCAL}', f'..\\{LOCAL}', f'nowhere/{LOCAL}'):
            with Tftp(d.tftp) as t:
                t.ask(name, opcode=2)
                kind, code, _ = t.receive()
                equal((name, kind, code), (name, 'error', 1 if name.startswith('nowhere') else 2))
        equal(http_get(d.http, f'/{MAC}.cfg'), (200, b'the template'))
        equal([p for p in (h.state / 'uploads').rglob('*')], [])
        equal([p.name for p in h.root.rglob('*')], [f'{MAC}.cfg'])


@test
def what_the_tree_serves_under_such_a_name_is_error_6():
    with serving() as (h, d):
        h.write(LOCAL, "the administrator's")
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2)
            equal(t.receive()[:2], ('error', 6))
        comes_back(d, LOCAL, b"the administrator's")


@test
def R15_a_write_request_without_its_end_is_error_4():
    with serving() as (h, d), Tftp(d.tftp) as t:
        for end in (b'', b'\0octet', b'\0octet\0blksize\x00512'):
            t.socket.sendto(struct.pack('!H', 2) + LOCAL.encode() + end, t.server)
            equal(t.receive()[:2], ('error', 4))
        equal([p for p in (h.state / 'uploads').rglob('*')], [])


@test
def R22_an_endless_upload_and_an_announced_one_end_with_error_3():
    with serving(upload__file_max=10000) as (h, d):
        put_well(d, curl_put, b'old', LOCAL)
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2, tsize=10001)
            equal(t.receive()[:2], ('error', 3))
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2)
            equal(t.receive()[:2], ('ack', 0))
            for number in range(1, 100):
                t.send(block(number, b'x' * 512))
                kind, got, _ = t.receive()
                if kind == 'error':
                    break
                equal((kind, got), ('ack', number))
            equal((kind, got, number), ('error', 3, 20))
        comes_back(d, LOCAL, b'old')
        until(lambda: any('refused (too large)' in line for line in d.events()), 'the event')


@test
def R22_kill_9_in_the_middle_leaves_the_old_file_and_no_rest():
    with serving() as (h, d):
        put_well(d, curl_put, b'old', LOCAL)
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2)
            t.receive()
            t.send(block(1, b'x' * 512))
            equal(t.receive()[:2], ('ack', 1))
            check(any(p.suffix == '.tmp' for p in (h.state / 'uploads').iterdir()), 'nothing is under way')
            d.signal(signal.SIGKILL)
            d.process.wait()
        with h.serve() as second:
            comes_back(second, LOCAL, b'old')
            equal([p.name for p in (h.state / 'uploads').iterdir()], [LOCAL])
        # It was killed, which Daemon would call a failure.
        d.process.returncode = 0


@test
def SIGTERM_lets_an_upload_finish():
    with serving() as (h, d):
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2)
            t.receive()
            d.signal(signal.SIGTERM)
            t.send(block(1, b'all of it'))
            equal(t.receive()[:2], ('ack', 1))
        equal(d.wait(), 0)
        equal((h.state / 'uploads' / LOCAL).read_bytes(), b'all of it')
        check(any(' stored 9 B ' in line for line in d.events()), d.out)


@test
def a_lost_last_ack_is_given_again_and_there_is_one_event():
    with serving() as (h, d):
        with Tftp(d.tftp) as t:
            t.ask(f'/{LOCAL.upper()}', opcode=2)
            t.receive()
            for _ in range(3):
                t.send(block(1, b'settings'))
                equal(t.receive()[:2], ('ack', 1))
        comes_back(d, LOCAL, b'settings')
        equal(d.stop(), 0)
        equal(len([line for line in d.events() if ' stored ' in line]), 1)


@test
def R13_a_write_request_heard_twice_is_one_upload():
    with serving() as (h, d):
        with Tftp(d.tftp) as t:
            for _ in range(3):
                t.ask(LOCAL, opcode=2)
            equal(t.receive()[:2], ('ack', 0))
            t.send(block(1, b'x' * 512))
            equal(t.receive()[:2], ('ack', 1))
            t.ask(LOCAL, opcode=2)
            t.send(block(2, b'y'))
            equal(t.receive()[:2], ('ack', 2))
            # One port for everything: while the server dallies the next request is served.
            t.ask(f'{MAC}-sys.log', opcode=2)
            equal(t.receive()[:2], ('ack', 0))
            t.send(block(1, b'log'))
            equal(t.receive()[:2], ('ack', 1))
        comes_back(d, LOCAL, b'x' * 512 + b'y')
        comes_back(d, f'{MAC}-sys.log', b'log')
        equal(d.stop(), 0)
        equal(len([line for line in d.events() if ' stored ' in line]), 2)
        equal(len([line for line in d.events() if ' stopped ' in line]), 0)


@test
def R11_forged_write_requests_keep_nobody_out():
    with serving(upload__at_once=1, workers=1) as (h, d):
        with Tftp(d.tftp) as forged, Tftp(d.tftp) as t:
            forged.ask(LOCAL, opcode=2)
            equal(forged.receive()[:2], ('ack', 0))
            t.ask(LOCAL, opcode=2)
            equal(t.receive()[:2], ('error', 0))

            def is_let_in():
                t.ask(LOCAL, opcode=2)
                return t.receive()[:2] == ('ack', 0)
            until(is_let_in, 'a place')
            t.send(block(1, b'mine'))
            equal(t.receive()[:2], ('ack', 1))
        comes_back(d, LOCAL, b'mine')


@test
def SIGHUP_counts_again_and_takes_over_the_limits():
    with serving(upload__files=1) as (h, d):
        put_well(d, curl_put, b'x', LOCAL)
        with Tftp(d.tftp) as t:
            t.ask(f'{MAC}-sys.log', opcode=2)
            equal(t.receive()[:2], ('error', 3))
        (h.state / 'uploads' / LOCAL).unlink()
        d.signal(signal.SIGHUP)
        check(d.saw('configuration read again'), d.err)
        put_well(d, curl_put, b'log', f'{MAC}-sys.log')
        comes_back(d, f'{MAC}-sys.log', b'log')


@test
def uploads_can_be_switched_off_and_a_directory_be_named():
    with serving(upload__enable=0) as (h, d):
        with Tftp(d.tftp) as t:
            t.ask(LOCAL, opcode=2)
            equal(t.receive()[:2], ('error', 2))
        check(not (h.state / 'uploads').exists(), 'the directory is there')
    with serving(journal='lines') as (h, d):
        put_well(d, curl_put, b'x', LOCAL)
    with tempfile.TemporaryDirectory(prefix='dialtone-up-') as into, \
            serving(upload__dir=f'{into}/phones', upload__mode='0644') as (h, d):
        put_well(d, curl_put, b'x', LOCAL)
        comes_back(d, LOCAL, b'x')
        equal((pathlib.Path(into) / 'phones' / LOCAL).stat().st_mode & 0o7777, 0o644)


@test
def a_server_that_gave_up_root_stores_as_its_user():
    if os.geteuid() != 0:
        skip('only root can give it up')
    with serving(run__user='nobody') as (h, d):
        put_well(d, curl_put, b'x', LOCAL)
        comes_back(d, LOCAL, b'x')
        check((h.state / 'uploads' / LOCAL).stat().st_uid != 0, 'stored as root')


@test
def dialtone_local_lists_shows_compares_and_restores():
    with serving() as (h, d):
        where = ['--dir', h.state / 'uploads']
        for text in ('a = 1\nlang.gui = German\n', 'a = 1\nlang.gui = French\nb = 2\n'):
            put_well(d, curl_put, text.encode(), LOCAL)
        listed = run('local', 'list', *where)
        equal([re.sub(r'\S+Z', 'T', line).split() for line in listed.stdout.splitlines()],
              [['00:15:65:74:b1:50', 'current', 'T', '30', 'B', LOCAL], ['00:15:65:74:b1:50', '1', 'T', '24', 'B', LOCAL]])
        equal(run('local', 'show', MAC, *where).stdout, 'a = 1\nlang.gui = French\nb = 2\n')
        equal(run('local', 'diff', MAC, 1, *where).stdout, '- lang.gui = German\n+ lang.gui = French\n+ b = 2\n')
        equal(run('local', 'restore', MAC, 'local', 1, *where).returncode, 0)
        comes_back(d, LOCAL, b'a = 1\nlang.gui = German\n')
        equal(run('local', 'show', MAC, 'local', 1, *where).stdout, 'a = 1\nlang.gui = French\nb = 2\n')
        missing = run('local', 'show', MAC, 'contact', *where)
        equal((missing.returncode, missing.stdout), (1, ''))
        check('nothing of the kind was sent' in missing.stderr, missing.stderr)
        for words in ([], ['frob'], ['show'], ['show', 'no-mac'], ['diff', MAC], ['list', '--nonsense'], ['list', '--dir'],
                      ['show', MAC, 'local', '0'], ['show', MAC, 'local', '1', '2'], ['show', MAC, 'local', '1', '2', '3']):
            equal((words, run('local', *words).returncode), (words, 2))


main()
