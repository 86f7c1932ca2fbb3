"""Access rules and logins: the real daemon, curl, and the phone of this program."""
import hashlib
import os
import pathlib
import pty
import re
import signal
import subprocess

from house import House, Daemon, check, equal, http_get, need, need_terminals, program, run, tftp_get, until
from tap import dialtone, main, test

PASSWORDS = {'alice': 'secret-one', 'bob': 'secret-two'}
# The guide's activation codes: a directory, a user and a password for each.
TWO = '''access.1.prefix = /T23G_1/
access.1.users = alice
access.2.prefix = /T23G_2/
access.2.users = bob
'''


def passwd(name, password, *more):
    return subprocess.run([dialtone(), 'passwd', name, *more], input=password, capture_output=True, text=True,
                          timeout=30)


class Office(House):
    """Two directories and what is common to both."""

    def __init__(self, rules=TWO):
        super().__init__()
        self.write('T23G_1/00156574b16e.cfg', '#!version:1.0.0.1\naccount.1.label = one\n')
        self.write('T23G_2/00156574b16e.cfg', '#!version:1.0.0.1\naccount.1.label = two\n')
        self.write('common.cfg', '#!version:1.0.0.1\n')
        self.conf = self.dir / 'd.conf'
        self.set_rules(rules)

    def set_rules(self, rules, users=('alice', 'bob')):
        lines = [passwd(name, PASSWORDS[name] + '\n').stdout for name in users]
        self.conf.write_text(rules + ''.join(lines))
        self.conf.chmod(0o600)

    def serve_rules(self, **more):
        return Daemon(['-c', self.conf, '--root', self.root, *self.options(**more)])


def curl(daemon, path, *words):
    """(status, body) of the last answer."""
    done = program(need('curl'), '-s', '-w', '\n%{http_code}', *words, f'http://{daemon.http_at()}{path}')
    body, status = done.stdout.rsplit(b'\n', 1)
    return int(status), body


ONE, TWO_FILE = '/T23G_1/00156574b16e.cfg', '/T23G_2/00156574b16e.cfg'


@test
def r3_two_directories_are_two_users_by_basic_and_by_digest():
    with Office() as h, h.serve_rules() as d:
        for how in ('--basic', '--digest', '--anyauth'):
            equal(curl(d, ONE, how, '-u', 'alice:secret-one'), (200, (h.root / ONE[1:]).read_bytes()))
            equal(curl(d, TWO_FILE, how, '-u', 'bob:secret-two')[0], 200)
            equal(curl(d, TWO_FILE, how, '-u', 'alice:secret-one')[0], 401)
            equal(curl(d, ONE, how, '-u', 'alice:secret-two')[0], 401)
        equal(curl(d, ONE)[0], 401)
        equal(curl(d, '/common.cfg')[0], 200)


@test
def r3_neither_slashes_nor_case_nor_escapes_pass_by_a_rule():
    with Office() as h, h.serve_rules() as d:
        for target in ('//T23G_1/00156574b16e.cfg', '/t23g_1/00156574b16e.cfg', '/T23G_1/00156574B16E.CFG',
                       '/%54%323G_1/00156574b16e.cfg', f'http://{d.http_at()}{ONE}'):
            equal((target, http_get(d.http, target)[0]), (target, 401))
        for target in ('/x/../T23G_1/00156574b16e.cfg', '/T23G_1//00156574b16e.cfg', '/./T23G_1/00156574b16e.cfg'):
            equal((target, http_get(d.http, target)[0]), (target, 403))


@test
def tftp_has_no_logins_and_is_refused():
    with Office() as h, h.serve_rules() as d:
        equal(tftp_get(d.tftp, 'T23G_1/00156574b16e.cfg'), ('error', 2))
        equal(tftp_get(d.tftp, 'T23G_1/nothing'), ('error', 2))
        equal(tftp_get(d.tftp, 'common.cfg')[0], 'file')
        check(d.saw('(login needed)', d.out), d.out)


@test
def ftp_takes_no_logins_yet_and_gives_and_lists_nothing_of_a_rule():
    with Office() as h, h.serve_rules() as d:
        at = f"ftp://127.0.0.1:{d.ports['ftp']}"
        equal(program(need('curl'), '-s', f'{at}/common.cfg').stdout, (h.root / 'common.cfg').read_bytes())
        for path in (ONE, '/T23G_1/', '//T23G_1/', '/t23g_1/00156574b16e.cfg'):
            done = program(need('curl'), '-s', at + path)
            check(done.returncode != 0 and done.stdout == b'', (path, done))


@test
def networks_are_told_apart():
    rules = 'access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.networks = 127.0.0.2/32\n'
    with Office(rules) as h, h.serve_rules() as d:
        equal(curl(d, '/common.cfg')[0], 403)
        equal(curl(d, '/common.cfg', '--interface', '127.0.0.2')[0], 200)
        check(d.saw('not from this network', d.out), d.out)
        equal(tftp_get(d.tftp, 'common.cfg'), ('error', 2))
        check(d.saw('open mode: anyone on the networks of the rule for /'), d.err)


@test
def a_rule_for_everything_ends_the_open_mode():
    with Office() as h, h.serve_rules() as d:
        check(d.saw('open mode: outside of the access rules'), d.err)
    with Office('access.1.prefix = /\naccess.1.users = alice\n') as h, h.serve_rules() as d:
        check(not any('open mode' in line for line in d.err), d.err)
        equal(curl(d, '/common.cfg', '-u', 'alice:secret-one')[0], 200)
        equal(curl(d, '/common.cfg')[0], 401)


@test
def a_directory_that_is_for_https_alone_is_given_by_nothing_else():
    rules = 'access.1.prefix = /T23G_1\naccess.1.users = alice\naccess.1.protocols = https\n'
    with Office(rules) as h:
        h.make_certificates()
        with h.serve_rules(**h.tls_options(('ecdsa',))) as d:
            equal(curl(d, ONE, '-u', 'alice:secret-one')[0], 403)
            equal(tftp_get(d.tftp, ONE[1:]), ('error', 2))
            for how in ('--basic', '--digest'):
                done = program(need('curl'), '-s', '--cacert', h.dir / 'tls' / 'ca' / 'ca.pem', how, '-u',
                               'alice:secret-one', f'https://localhost:{d.https}{ONE}')
                equal(done.stdout, (h.root / ONE[1:]).read_bytes())


@test
def a_forged_nonce_is_told_to_be_stale():
    with Office() as h, h.serve_rules() as d:
        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        nonce = '0' * 52
        response = md5(':'.join([md5('alice:dialtone:secret-one'), nonce, '00000001', 'c', 'auth', md5('GET:' + ONE)]))
        header = (f'Authorization: Digest username="alice", realm="dialtone", nonce="{nonce}", uri="{ONE}", '
                  f'response="{response}", qop=auth, nc=00000001, cnonce="c"')
        status, _ = curl(d, ONE, '-H', header)
        equal(status, 401)
        done = program(need('curl'), '-s', '-i', '-H', header, f'http://{d.http_at()}{ONE}')
        check(b'stale=true' in done.stdout, done.stdout)


def phone(daemon, url, *more):
    return run('phone', '--mac', '00:15:65:74:b1:6e', '--model', 'T23G', '--firmware', '44.84.0.15', '--once',
               '--server', url.replace('HOST', daemon.http_at()), *more)


@test
def a_phone_logs_in_with_what_its_url_or_its_flash_holds():
    with Office() as h, h.serve_rules() as d:
        done = phone(d, 'http://alice:secret-one@HOST/T23G_1/', '--json')
        check('account.1.label' in done.stdout and '"one"' in done.stdout, done.stdout + done.stderr)
        equal(done.returncode, 0)
        done = phone(d, 'http://HOST/T23G_2/', '--json')
        check('"two"' not in done.stdout, done.stdout)
        flash = h.dir / 'flash'
        flash.mkdir()
        h.write('first.cfg', '#!version:1.0.0.1\nstatic.auto_provision.server.username = bob\n'
                             'static.auto_provision.server.password = secret-two\n')
        h.write('y000000000044.cfg', (h.root / 'first.cfg').read_bytes())
        done = phone(d, 'http://HOST/', '--flash', flash)
        equal(done.returncode, 0)
        done = phone(d, 'http://HOST/T23G_2/', '--json', '--flash', flash)
        check('"two"' in done.stdout, done.stdout + done.stderr)


@test
def r4_a_burst_of_guesses_is_one_line_that_the_filter_of_fail2ban_matches():
    filter_file = pathlib.Path(os.environ['SOURCE_ROOT']) / 'contrib' / 'fail2ban' / 'dialtone.conf'
    pattern = re.search(r'^failregex = (.*)$', filter_file.read_text(), re.MULTILINE)[1]
    pattern = pattern.replace('<HOST>', r'(?P<host>\S+)')
    with Office() as h, h.serve_rules() as d:
        equal(curl(d, ONE, '-u', 'alice:secret-one', '--interface', '127.0.0.3')[0], 200)
        statuses = [curl(d, ONE, '-u', f'alice{i}:wrong', '--interface', '127.0.0.3')[0] for i in range(14)]
        equal(statuses, [401] * 10 + [429] * 4)
        # Behind the same address: who was known before goes on, a new one waits.
        equal(curl(d, ONE, '-u', 'alice:secret-one', '--interface', '127.0.0.3')[0], 200)
        equal(curl(d, ONE, '--anyauth', '-u', 'alice:secret-one', '--interface', '127.0.0.3')[0], 200)
        equal(curl(d, TWO_FILE, '-u', 'bob:secret-two', '--interface', '127.0.0.3')[0], 429)
        equal(curl(d, TWO_FILE, '-u', 'bob:secret-two')[0], 200)
        check(d.saw('guessing:'), d.err)
        found = [re.search(pattern, line) for line in d.err if 'guessing' in line]
        equal([match and match['host'] for match in found], ['127.0.0.3'])


@test
def r27_no_password_is_in_logs_journal_or_process_list():
    with Office() as h:
        with h.serve_rules() as d:
            for how in ('--basic', '--digest'):
                curl(d, ONE, how, '-u', 'alice:secret-one')
                curl(d, ONE, how, '-u', 'alice:guess-nr-9')
            words = pathlib.Path(f'/proc/{d.pid}/cmdline').read_bytes()
        said = '\n'.join(d.out + d.err).encode() + words
        said += b''.join(path.read_bytes() for path in h.state.rglob('*') if path.is_file())
        for secret in (b'secret-one', b'guess-nr-9', b'YWxpY2U6', b'scrypt$', b'md5$'):
            check(secret not in said, secret)


@test
def sighup_takes_over_users_and_rules():
    with Office() as h, h.serve_rules() as d:
        equal(curl(d, ONE, '-u', 'alice:secret-one')[0], 200)
        PASSWORDS['alice'] = 'secret-new'
        try:
            h.set_rules(TWO + 'access.3.prefix = /common.cfg\naccess.3.users = bob\n')
        finally:
            PASSWORDS['alice'] = 'secret-one'
        d.signal(signal.SIGHUP)
        check(d.saw('configuration read again'), d.err)
        until(lambda: curl(d, '/common.cfg')[0] == 401, 'the new rule')
        until(lambda: curl(d, ONE, '-u', 'alice:secret-new')[0] == 200, 'the new password')
        check(not any('restart' in line for line in d.err), d.err)


@test
def passwd_prints_a_line_and_refuses_weak_ones():
    done = passwd('alice', 'secret-one\n')
    equal((done.returncode, done.stderr), (0, ''))
    check(re.fullmatch(r'user\.alice = scrypt\$4096\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64};md5\$[0-9a-f]{32};'
                       r'sha256\$[0-9a-f]{64}\n', done.stdout), done.stdout)
    check(passwd('alice', 'secret-one\n').stdout != done.stdout, 'the salt is always the same')
    for weak in ('brief7\n', '123456\n', '1234567\n'):
        done = passwd('alice', weak)
        equal((done.returncode, done.stdout), (1, ''))
        check('--weak' in done.stderr and weak.strip() not in done.stderr, done.stderr)
        equal(passwd('alice', weak, '--weak').returncode, 0)
    equal(passwd('alice', '').returncode, 1)
    equal(passwd('alice', 'x' * 200 + '\n').returncode, 1)
    for arguments in ([], ['a:b'], ['alice', 'secret-one'], ['--no', 'alice']):
        done = run('passwd', *arguments)
        equal((arguments, done.returncode, done.stdout), (arguments, 2, ''))
        check('secret-one' not in done.stderr, done.stderr)


@test
def passwd_asks_a_terminal_twice_and_echoes_nothing():
    need_terminals()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(dialtone(), [dialtone(), 'passwd', 'alice'])
    said = b''
    for prompt in (b'Password: ', b'Again: '):
        while prompt not in said:
            said += os.read(terminal, 1024)
        os.write(terminal, b'secret-one\n')
    try:
        while True:
            more = os.read(terminal, 1024)
            if not more:
                break
            said += more
    except OSError:
        pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    equal(status, 0)
    check(b'user.alice = scrypt$' in said and b'secret-one' not in said, said)


@test
def bad_rules_are_said_and_nothing_is_served():
    with Office() as h:
        h.conf.write_text('access.1.users = alice\n')
        done = run('serve', '-c', h.conf, '--check-config')
        equal(done.returncode, 1)
        check('access.1 has no access.1.prefix' in done.stderr and 'there is no user.alice' in done.stderr,
              done.stderr)
        h.set_rules(TWO)
        h.conf.chmod(0o644)
        done = run('serve', '-c', h.conf, '--check-config')
        equal(done.returncode, 0)
        check('warning: everybody may read this file' in done.stderr, done.stderr)
        done = run('serve', '-c', h.conf, '-o', 'user.carol=x', '--check-config')
        equal(done.returncode, 2)


@test
def an_upload_needs_a_rule_that_lets_it_be_written_R22():
    rules = TWO + """access.3.prefix = /open/
access.3.anonymous = 1
access.3.write = uploads
access.4.prefix = /closed/
access.4.anonymous = 1
"""
    with Office(rules) as h:
        for directory in ('open', 'closed'):
            h.write(f'{directory}/sip.cfg', '#!version:1.0.0.1\n')
        local = h.dir / 'local.cfg'
        local.write_text('#!version:1.0.0.1\nfeatures.dnd_mode = 1\n')
        with h.serve_rules() as d:
            def put(path):
                return program(need('curl'), '-s', '-T', local, f'tftp://127.0.0.1:{d.tftp}/{path}').returncode

            name = '00156574b16e-local.cfg'
            equal(put(f'open/{name}'), 0)
            equal(http_get(d.http, f'/open/{name}')[1], local.read_bytes())
            # 69: TFTP's access violation.
            equal(put(f'closed/{name}'), 69)
            equal(put(f'T23G_1/{name}'), 69)
            equal(http_get(d.http, f'/closed/{name}')[0], 404)
            equal(curl(d, f'/T23G_1/{name}', '--basic', '-u', 'alice:' + PASSWORDS['alice'])[0], 404)


main()
