"""A small provisioning run under valgrind: no errors, nothing definitely lost, in the server and in the phone."""
import os
import re
import signal

from house import Daemon, House, check, equal, http_get, is_sanitized, need, program, tftp_get
from tap import dialtone, main, skip, test

PHONES = (('T46S', '66.84.0.15', '00:15:65:74:b1:50', 'tftp', 'desk'), ('T54W', '96.85.0.5', '80:5e:c0:11:22:33', 'http', 'desk'),
          ('T23G', '44.84.0.15', '00:15:65:74:b1:6e', 'tftp', 'old'))


def memcheck(log):
    """Words in front of a program: any error or definite leak is exit 99."""
    if is_sanitized():
        skip('a sanitizer is built in, which does not run in valgrind')
    return [need('valgrind'), '-q', '--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite', '--num-callers=24', f'--log-file={log}']


# openat2_in_valgrind.c says why.
PRELOAD = {**os.environ, 'LD_PRELOAD': os.environ.get('OPENAT2_IN_VALGRIND', '')}


def clean(log, status, expected=0):
    """What valgrind said; -q says nothing when all is well. A call it does not know is not ours to judge."""
    lines = [line for line in log.read_text(errors='replace').splitlines()
             if not re.search(r'WARNING: unhandled|You may be able to write|Read the file README_MISSING|'
                              r'Nevertheless we consider|it at http|sys_?call', line)]
    check(status == expected and not lines, f'exit {status}\n' + '\n'.join(lines))


@test
def server_and_phones_provision_under_valgrind_and_lose_nothing():
    with House() as h:
        log = h.dir / 'server.log'
        # valgrind makes system calls that the filter forbids.
        with Daemon(['--root', h.root, *h.options(run__confine=0, journal='both')], memcheck(log), env=PRELOAD) as d:
            h.add_office(d.tftp_at(), d.http_at())
            for model, firmware, mac, scheme, directory in PHONES:
                own = h.dir / f'{model}.log'
                done = program(*memcheck(own), dialtone(), 'phone', '--model', model, '--firmware', firmware, '--mac', mac,
                               '--server', f'{scheme}://127.0.0.1:{getattr(d, scheme)}/{directory}/', '--flash', h.dir / 'flash',
                               '--once', '--json', env=PRELOAD)
                clean(own, done.returncode)
            h.write('large.rom', b'r' * 300000)
            equal(tftp_get(d.tftp, 'large.rom', 1432), ('file', b'r' * 300000))
            equal(http_get(d.http, '/large.rom'), (200, b'r' * 300000))
            equal(http_get(d.http, '/absent.cfg')[0], 404)
            d.signal(signal.SIGHUP)
            check(d.saw('configuration read again'), d.err)
            equal(http_get(d.http, '/sip.cfg')[0], 200)
            status = d.stop()
        clean(log, status)


@test
def explain_check_and_models_lose_nothing_under_valgrind():
    with House() as h:
        h.add_office('127.0.0.1:1', '127.0.0.1:2')
        phone = ['--model', 'T46S', '--firmware', '66.84.0.15', '--mac', '00:15:65:74:b1:50']
        for words in (['explain', '--root', h.root, '--server', 'http://h/desk/', *phone, '--json'],
                      ['explain', '--root', h.root, '--server', 'tftp://h/old/', *phone],
                      ['check', '--root', h.root], ['models', '--json'], ['phone', *phone, '--server', 'gopher://x']):
            log = h.dir / 'words.log'
            expected = program(dialtone(), *words).returncode
            clean(log, program(*memcheck(log), dialtone(), *words, env=PRELOAD).returncode, expected)


main()
