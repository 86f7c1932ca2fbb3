#!/usr/bin/env python3
"""Writing into the tree where an access rule lets it: foreign TFTP clients, ceilings, full disks, who may not."""
import os
import pathlib
import signal
import struct
import tempfile

from foreign import atftp_put, busybox_put, curl_put, hpa_put
from house import Daemon, House, Tftp, check, equal, http_get, need, program, serving, some_bytes, tftp_get, until
from tap import main, skip, test

MAC = '00156574b150'
CLIENTS = curl_put, hpa_put, atftp_put, busybox_put


def rule(write, prefix='/', **more):
    return {'access__1__prefix': prefix, 'access__1__anonymous': 1, 'access__1__write': write,
            **{f'access__1__{key}': value for key, value in more.items()}}


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


def code_of(d, name, **options):
    """The ERROR of a write request; None: it was let in, and is given up."""
    with Tftp(d.tftp) as t:
        t.ask(name, opcode=2, **options)
        kind, code, _ = t.receive()
        if kind != 'error':
            t.send(struct.pack('!HH', 5, 0) + b'never mind\0')
        return code if kind == 'error' else None


def send(t, data, size=512):
    """Blocks as the server acknowledges them: how many, and what it said last."""
    for number in range(1, len(data) // size + 2):
        t.send(struct.pack('!HH', 3, number & 0xffff) + data[(number - 1) * size:number * size])
        kind, got, _ = t.receive()
        if kind != 'ack':
            return number, kind, got
        equal(got, number & 0xffff)
    return number, kind, got


@test
def every_client_overwrites_and_gets_back_what_it_wrote():
    with serving(**rule('overwrite')) as (h, d):
        h.write('desk/x', 'x')
        seed = 0
        for command in CLIENTS:
            for size in (0, 1, 511, 512, 513, 2_000_000):
                seed += 1
                data = some_bytes(size, seed)
                put_well(d, command, data, 'desk/firmware.rom')
                equal((h.root / 'desk/firmware.rom').read_bytes(), data)
                comes_back(d, 'desk/firmware.rom', data)
        equal(sorted(os.listdir(h.root / 'desk')), ['firmware.rom', 'x'])
        equal((h.root / 'desk/firmware.rom').stat().st_mode & 0o7777, 0o600)
        # What phones send goes where it always goes.
        put_well(d, curl_put, b'sent', f'desk/{MAC}-local.cfg')
        equal((h.state / f'uploads/desk/{MAC}-local.cfg').read_bytes(), b'sent')
        check(d.saw('/: any file may be written into the tree, by anybody'), d.err)


@test
def create_takes_new_names_and_error_6_keeps_the_old_ones():
    with serving(**rule('create')) as (h, d):
        h.write('old.cfg', 'old')
        h.write('00156574B16E.cfg', 'upper case')
        for n, command in enumerate(CLIENTS):
            put_well(d, command, b'new', f'new-{n}.cfg')
            comes_back(d, f'new-{n}.cfg', b'new')
        for name, code in (('old.cfg', 6), ('new-0.cfg', 6), ('00156574b16e.cfg', 6), ('nowhere/x', 1), ('.hidden', 2),
                           ('../x', 2), ('a/../x', 2), ('free.cfg', None)):
            equal((name, code_of(d, name)), (name, code))
        comes_back(d, 'old.cfg', b'old')
        check(d.saw('/: new files may be written into the tree, by anybody'), d.err)


@test
def rules_without_it_leave_the_tree_read_only():
    for more in ({}, rule('uploads'), rule('none'), rule('overwrite', '/desk')):
        with serving(**more) as (h, d):
            h.write('desk/x', 'x')
            equal((more, code_of(d, 'x.cfg')), (more, 2))
            equal(os.listdir(h.root), ['desk'])
            equal(code_of(d, 'desk/y'), None if more.get('access__1__prefix') == '/desk' else 2)


@test
def R22_ceilings_of_the_rule_are_error_3_and_the_old_file_stays():
    with serving(**rule('overwrite', file_max=1, directory_max=2)) as (h, d):
        h.write('x', 'old')
        equal(code_of(d, 'x', tsize=(1 << 20) + 1), 3)
        with Tftp(d.tftp) as t:
            t.ask('x', opcode=2, blksize=1468)
            t.receive()
            number, kind, code = send(t, bytes(1468 * 1000), 1468)
            equal((kind, code, number), ('error', 3, (1 << 20) // 1468 + 1))
        comes_back(d, 'x', b'old')
        put_well(d, curl_put, bytes(1_000_000), 'y')
        put_well(d, curl_put, bytes(1_000_000), 'z')
        equal(code_of(d, 'w', tsize=200_000), 3)
        put_well(d, curl_put, b'', 'w')
        # What was removed by hand counts after SIGHUP.
        (h.root / 'y').unlink()
        equal(code_of(d, 'w', tsize=200_000), 3)
        d.signal(signal.SIGHUP)
        check(d.saw('configuration read again'), d.err)
        equal(code_of(d, 'w', tsize=200_000), None)


@test
def a_directory_that_is_over_its_ceiling_already_is_said_at_start():
    with House() as h:
        h.write('desk/firmware.rom', bytes(3 << 20))
        with h.serve(**rule('uploads', '/desk', directory_max=2)) as d:
            check(d.saw("/desk: 3 MiB lie below, more than the rule's directory_max"), d.err)
            equal(code_of(d, f'desk/{MAC}-local.cfg'), 3)
            equal(code_of(d, f'{MAC}-local.cfg'), None)


@test
def R22_kill_9_in_the_middle_leaves_the_old_file_in_the_tree_and_its_rest_is_not_served():
    with House() as h:
        h.write('x', 'old')
        with h.serve(**rule('overwrite')) as d, Tftp(d.tftp) as t:
            t.ask('x', opcode=2)
            t.receive()
            t.send(struct.pack('!HH', 3, 1) + b'x' * 512)
            equal(t.receive()[:2], ('ack', 1))
            rest = [name for name in os.listdir(h.root) if name != 'x']
            equal(len(rest), 1)
            equal(http_get(d.http, '/' + rest[0])[0], 404)
            d.signal(signal.SIGKILL)
            d.process.wait()
            d.process.returncode = 0
        os.utime(h.root / rest[0], (0, 0))
        with h.serve(**rule('overwrite')) as d:
            comes_back(d, 'x', b'old')
            equal(os.listdir(h.root), ['x'])


@test
def R22_a_full_disk_is_error_3_and_the_old_file_stays():
    if os.geteuid() != 0 or program(need('unshare'), '-m', 'true').returncode != 0:
        skip('no mount namespace may be made here')
    with House() as h:
        # Only the server sees this disk.
        small = ('unshare', '-m', 'sh', '-c',
                 f'mount -t tmpfs -o size=256k none {h.root} && echo old > {h.root}/x && exec "$@"', 'sh')
        with Daemon(['--root', h.root, *h.options(**rule('overwrite'))], before=small) as d:
            done = put(d, curl_put, bytes(1_000_000), 'x')
            check(done.returncode != 0, done)
            comes_back(d, 'x', b'old\n')
            until(lambda: any('refused 3 (no room' in line or 'refused (no room' in line for line in d.events()), 'the event')
            put_well(d, curl_put, b'fits', 'x')
            comes_back(d, 'x', b'fits')


@test
def R22_a_limit_on_file_sizes_ends_one_upload_and_not_the_server():
    with House() as h:
        h.write('x', 'old')
        with Daemon(['--root', h.root, *h.options(journal='lines', **rule('overwrite'))],
                    before=(need('prlimit'), '--fsize=65536')) as d:
            check(put(d, curl_put, bytes(200_000), 'x').returncode != 0, 'it was taken')
            comes_back(d, 'x', b'old')
            put_well(d, curl_put, bytes(60_000), 'x')
            equal(os.listdir(h.root), ['x'])


@test
def a_root_that_the_servers_user_may_not_write_is_said_at_start():
    if os.geteuid() != 0:
        skip('only root can become somebody else')
    with serving(run__user='nobody', **rule('overwrite')) as (h, d):
        check(d.saw('/: but not by this process, as user'), d.err)
        equal(code_of(d, 'x'), None)
        check(put(d, curl_put, b'x', 'x').returncode != 0, 'it was taken')
        until(lambda: any('the server may not write there' in line for line in d.events()), 'the event')
    with House() as h:
        os.chown(h.root, 65534, 65534)
        with h.serve(**rule('overwrite')) as d:
            put_well(d, curl_put, b'x', 'x')
            comes_back(d, 'x', b'x')
            check(not any('but not by this process' in line for line in d.err), d.err)


@test
def a_rule_that_comes_with_SIGHUP_takes_a_restart():
    with House() as h:
        conf = h.dir / 'd.conf'
        conf.write_text('')
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            conf.write_text('access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.write = overwrite\n')
            d.signal(signal.SIGHUP)
            check(d.saw('take effect after a restart'), d.err)
            check(put(d, curl_put, b'x', 'x').returncode != 0, 'it was taken')
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            put_well(d, curl_put, b'x', 'x')
            comes_back(d, 'x', b'x')


main()
