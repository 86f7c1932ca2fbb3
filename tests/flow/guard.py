"""The guard against guessing phones, by every protocol, as phones, strangers and fail2ban see it."""
import ftplib
import http.client
import os
import pathlib
import re
import signal
import socket

from house import Daemon, House, Tftp, check, equal, http_raw, need, program, tftp_get, tftp_request, until
from tap import main, test

CFG = '#!version:1.0.0.1\n'


def mac(number):
    return f'001565{number:06x}'


class Building(House):
    """Two phones have files, and everybody has the common ones."""

    def __init__(self):
        super().__init__()
        self.write(mac(0xfffffe) + '.cfg', CFG)
        self.write(mac(0xffffff) + '.cfg', CFG)
        self.write(mac(0xfedcba) + '/phone.cfg', CFG)
        self.write('y000000000000.boot', CFG)
        self.write('y000000000066.cfg', CFG)

    def serve_guarded(self, **more):
        return self.serve(guard__unknown=more.pop('guard__unknown', 10), guard__unknown_s=600, **more)


class Web:
    """One kept connection from an address of its own."""

    def __init__(self, d, address='127.0.0.1'):
        self.c = http.client.HTTPConnection('127.0.0.1', d.http, timeout=30, source_address=(address, 0))

    def get(self, name, method='GET', body=None):
        self.c.request(method, '/' + name, body=body)
        answer = self.c.getresponse()
        self.retry = answer.getheader('Retry-After')
        return answer.status, answer.read()


def get(d, name, address='127.0.0.1'):
    web = Web(d, address)
    try:
        return web.get(name)[0]
    finally:
        web.c.close()


def use_up(d, address='127.0.0.1', count=30, first=0):
    web = Web(d, address)
    statuses = [web.get(mac(first + i) + '.boot')[0] for i in range(count)]
    web.c.close()
    return statuses


@test
def r4_a_refusal_is_a_wait_and_never_absent_by_every_protocol():
    with Building() as h, h.serve_guarded() as d:
        equal(use_up(d), [404] * 10 + [429] * 20)
        answers = []
        for name in (mac(0xffffff) + '.cfg', mac(0xabcdef) + '.cfg'):
            answer = http_raw(d.http, f'GET /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
            answers.append(re.sub(rb'Date: [^\r]*', b'', answer))
            check(b' 429 ' in answer and b'Retry-After: 6\r\n' in answer, answer)
        equal(answers[0], answers[1])
        for name in (mac(0xffffff) + '.cfg', mac(0xabcdef) + '.cfg'):
            # Any ERROR is an absent file to a phone, so it hears nothing.
            with Tftp(d.tftp) as t:
                t.ask(name)
                d.saw(f'"{name}" refused', d.out)
                equal(t.waiting(), [])
        replies = []
        with ftplib.FTP() as ftp:
            ftp.connect('127.0.0.1', d.ftp, 30)
            ftp.login()
            for name in (mac(0xffffff) + '.cfg', mac(0xabcdef) + '.cfg'):
                for verb in ('SIZE', 'MDTM', 'RETR', 'MLST', 'DELE', 'CWD'):
                    try:
                        ftp.voidcmd('TYPE I')
                        ftp.voidcmd(f'{verb} {name}')
                        check(False, verb)
                    except (ftplib.error_temp, ftplib.error_perm) as error:
                        replies.append((verb, str(error)))
        equal(replies[:6], replies[6:])
        check(all(reply.startswith('450') for verb, reply in replies if verb != 'CWD'), replies)
        for name in (mac(0xffffff) + '.cfg', mac(0xabcdef), mac(0xfedcba)):
            done = program(need('curl'), '-s', '-v', '-l', f'ftp://127.0.0.1:{d.ftp}/', '-Q', 'PWD', '-X', f'NLST {name}')
            check(b'< 450 ' in done.stderr, done.stderr)
        equal(get(d, 'y000000000066.cfg'), 200)
        equal(get(d, 'y000000000028.cfg'), 404)
        equal(tftp_get(d.tftp, 'y000000000000.boot')[0], 'file')
        # Nor may a guesser introduce himself by what he sends.
        web = Web(d)
        equal(web.get(mac(0xabcde0) + '-local.cfg', 'PUT', CFG)[0], 429)
        web.c.close()
        local = h.dir / 'local'
        local.write_text(CFG)
        with Tftp(d.tftp) as t:
            t.socket.sendto(tftp_request(mac(0xabcde1) + '-local.cfg', opcode=2), t.server)
            d.saw(f'"{mac(0xabcde1)}-local.cfg" refused', d.out)
            equal(t.waiting(), [])


@test
def r4_a_stranger_shuts_out_no_known_phone_behind_the_same_nat():
    with Building() as h, h.serve(guard__unknown=500) as d:
        phones = range(0x1000, 0x1000 + 300)
        web = Web(d)
        for number in phones:
            equal([web.get(mac(number) + ending)[0] for ending in ('.boot', '.cfg')], [404, 404])
        equal(web.get(mac(0xffffff) + '.cfg')[0], 200)
        statuses = use_up(d, count=1000, first=0x200000)
        equal((statuses.count(404), statuses.count(429)), (200, 800))
        for number in phones:
            equal(web.get(mac(number) + '.cfg')[0], 404)
        equal(web.get(mac(0xffffff) + '.cfg')[0], 200)
        equal(tftp_get(d.tftp, mac(0x1001) + '.boot'), ('error', 1))
        web.c.close()
        # And nobody behind another address.
        equal(get(d, mac(0xfffffe) + '.cfg', '127.0.0.2'), 200)
        equal(len([line for line in d.err if 'guessing' in line]), 1)


@test
def a_new_building_passes_on_its_first_day():
    with Building() as h, h.serve() as d:
        web = Web(d)
        for number in range(499):
            equal([web.get(mac(number) + ending)[0] for ending in ('.boot', '.cfg', '-local.cfg')], [404] * 3)
        web.c.close()
        check(not any('guessing' in line for line in d.err), d.err)
        equal(use_up(d, count=2, first=0x900), [404, 429])


@test
def a_burst_by_each_protocol_is_one_line_that_the_filter_of_fail2ban_matches():
    filter_file = pathlib.Path(os.environ['SOURCE_ROOT']) / 'contrib' / 'fail2ban' / 'dialtone.conf'
    text = re.search(r'^failregex = (.*?)^\w', filter_file.read_text(), re.MULTILINE | re.DOTALL)[1]
    patterns = [line.strip().replace('<HOST>', r'(?P<host>\S+)') for line in text.splitlines()]
    equal(len(patterns), 2)
    with Building() as h, h.serve_guarded() as d:
        use_up(d, '127.0.0.2')
        with Tftp(d.tftp) as t:
            t.socket.close()
            t.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            t.socket.settimeout(30)
            t.socket.bind(('127.0.0.3', 0))
            codes = []
            for number in range(20):
                t.ask(mac(number + 0x300) + '.boot')
                if number < 10:
                    codes.append(t.receive()[1])
            equal(codes, [1] * 10)
        with ftplib.FTP() as ftp:
            ftp.connect('127.0.0.1', d.ftp, 30, source_address=('127.0.0.4', 0))
            ftp.login()
            ftp.voidcmd('TYPE I')
            codes = []
            for number in range(20):
                try:
                    ftp.size(mac(number + 0x500) + '.cfg')
                except (ftplib.error_temp, ftplib.error_perm) as error:
                    codes.append(str(error)[:3])
            equal(codes, ['550'] * 10 + ['450'] * 10)
        until(lambda: len([line for line in d.err if 'guessing' in line]) >= 3, 'three lines')
        said = [line for line in d.err if 'guessing' in line]
        found = [next((m for m in (re.search(p, line) for p in patterns) if m), None) for line in said]
        equal([m and m['host'] for m in found], ['127.0.0.2', '127.0.0.3', '127.0.0.4'])
        equal([line.rsplit(' ', 1)[1] for line in said], ['http', 'tftp', 'ftp'])


@test
def what_was_known_is_known_after_a_restart():
    with Building() as h:
        with h.serve_guarded() as d:
            equal(get(d, mac(1) + '.boot'), 404)
            equal(get(d, mac(0xffffff) + '.cfg'), 200)
            equal(get(d, mac(2) + '-local.cfg'), 404)
            web = Web(d, '127.0.0.5')
            equal(web.get(mac(3) + '-local.cfg', 'PUT', CFG)[0], 201)
            web.c.close()
        with h.serve_guarded() as d:
            # What was refused has not made itself known.
            equal(use_up(d, first=0x100), [404] * 10 + [429] * 20)
            equal(get(d, mac(1) + '.cfg'), 404)
            equal(get(d, mac(2) + '.cfg'), 404)
            equal(get(d, mac(0xffffff) + '.cfg'), 200)
            # Known by its upload: it does not count, from wherever it comes.
            equal(get(d, mac(3) + '.boot', '127.0.0.6'), 404)
            equal(use_up(d, '127.0.0.6', 11, 0x500), [404] * 10 + [429])
        with h.serve_guarded() as d:
            equal(get(d, mac(0x120) + '.boot'), 404)
            equal(use_up(d, first=0x200), [404] * 9 + [429] * 21)


@test
def sighup_changes_the_allowance():
    with Building() as h:
        conf = h.dir / 'd.conf'
        conf.write_text('guard.unknown = 5\n')
        with Daemon(['-c', conf, '--root', h.root, *h.options()]) as d:
            equal(use_up(d, count=8), [404] * 5 + [429] * 3)
            conf.write_text('guard.unknown = 0\n')
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            until(lambda: get(d, mac(0x99) + '.boot') == 404, 'no guard')


main()
