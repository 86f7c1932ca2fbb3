"""dialtone demo: what `make run` shows."""
import re
import shutil
import socket

from house import OFFICE, OFFICE_HTTP, OFFICE_TFTP, House, Process, check, equal, run
from tap import dialtone, main, skip, test

PHONES = ('T46S 00:15:65:74:b1:50', 'T54W 80:5e:c0:11:22:33', 'T23G 00:15:65:74:b1:6e')


def port_of(address):
    return ('127.0.0.1', int(address.rpartition(':')[2]))


def need_ports():
    """The demo's are fixed, for the example's files name them."""
    for address, kind in ((OFFICE_TFTP, socket.SOCK_DGRAM), (OFFICE_HTTP, socket.SOCK_STREAM)):
        with socket.socket(socket.AF_INET, kind) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                s.bind(port_of(address))
            except OSError as error:
                skip(f'{address}: {error.strerror}')


def table(out):
    """Phone -> mechanism, outcome, files used, files asked, settings, reboot."""
    rows = re.findall(r'^(T\w+ [0-9a-f:]{17}) +(\S+) +(\S+) +(\d+)/(\d+) +(\d+) +(yes|no) +\d+ ms$', out, re.M)
    return {row[0]: row[1:] for row in rows}


@test
def three_phones_with_empty_flash_are_provisioned_and_it_ends_by_itself():
    need_ports()
    done = run('demo', '--root', OFFICE, '--once')
    equal((done.returncode, done.stderr), (0, ''))
    equal(table(done.stdout), {PHONES[0]: ('common-boot', 'provisioned', '5', '6', '24', 'yes'),
                               PHONES[1]: ('mac-boot', 'provisioned', '5', '5', '25', 'no'),
                               PHONES[2]: ('old', 'provisioned', '2', '4', '11', 'yes')})


@test
def the_timeline_says_what_each_phone_asked_what_it_got_and_why():
    need_ports()
    lines = run('demo', '--root', OFFICE, '--once').stdout
    for words in (r'T46S  power on .* tftp://', r'T46S  absent +desk/00156574b150\.boot .*TFTP error',
                  r'T46S  used +desk/y000000000000\.boot .*no MAC-oriented boot file',
                  r'T54W  power on .* http://', r'T54W  used +desk/805ec0112233\.boot',
                  r'T23G  used +old/y000000000044\.cfg .*the old mechanism', r'T23G  reboots'):
        check(re.search(words, lines), f'{words} is not in\n{lines}')


@test
def a_phone_that_cannot_be_provisioned_makes_it_fail():
    need_ports()
    with House() as h:
        for name, data in (('desk/00156574b150.cfg', b'<html>not here</html>'), ('sip.cfg', b'[ account ]\npath = /x\n')):
            shutil.rmtree(h.root)
            shutil.copytree(OFFICE, h.root)
            h.write(name, data)
            done = run('demo', '--root', h.root, '--once')
            check(done.returncode == 1, f'{name}: exit {done.returncode}\n{done.stdout}{done.stderr}')
            equal(sorted(table(done.stdout)), sorted(PHONES))
            equal(table(done.stdout)[PHONES[0]][1], 'failed')
            equal(table(done.stdout)[PHONES[2]][1], 'provisioned')


@test
def a_port_in_use_is_a_clear_message():
    need_ports()
    for address, kind in ((OFFICE_TFTP, socket.SOCK_DGRAM), (OFFICE_HTTP, socket.SOCK_STREAM)):
        with socket.socket(socket.AF_INET, kind) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            s.bind(port_of(address))
            if kind == socket.SOCK_STREAM:
                s.listen()
            done = run('demo', '--root', OFFICE, '--once')
            equal(done.returncode, 1)
            check(f'{address}: Address already in use' in done.stderr, done.stderr)


@test
def wrong_usage_is_exit_2_and_a_missing_root_exit_1():
    for words in ([], ['--root'], ['--root', OFFICE, '--nonsense'], ['stray']):
        done = run('demo', *words)
        equal((words, done.returncode, done.stdout), (words, 2, ''))
        check(done.stderr.strip(), 'nothing said')
    with House() as h:
        done = run('demo', '--root', h.dir / 'none', '--once')
        equal(done.returncode, 1)
        check('No such file or directory' in done.stderr, done.stderr)


@test
def without_once_it_serves_until_it_is_told_to_stop():
    need_ports()
    with Process([dialtone(), 'demo', '--root', OFFICE]) as p:
        check(p.saw('until Ctrl-C', p.out), f'{p.out} {p.err}')
        with socket.create_connection(port_of(OFFICE_HTTP), 5) as s:
            s.sendall(b'GET /sip.cfg HTTP/1.0\r\n\r\n')
            check(s.recv(100).startswith(b'HTTP/1.1 200'), 'it does not serve')
        equal(p.stop(), 0)


main()
