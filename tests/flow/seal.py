"""Encrypted files: `encrypt` and `decrypt` against the openssl command, `explain`, `check` and `phone` over them, the
phone against a real `dialtone serve`. Keys stand in no command line and no output."""
import contextlib
import json
import os
import pty
import select
import subprocess

from house import House, check, equal, is_sanitized, need, need_terminals, program, run, serving
from tap import dialtone, main, test

HEADER = '#!version:1.0.0.1\n'
COMMON, MAC_KEY, LONG = 'Ab3$_0123456789z', 'fedcba9876543210', '0123456789ABCDEFghijklmnopqrstuv'
PHONE = ['--mac', '00:15:65:74:b1:50', '--model', 'T46S', '--firmware', '66.84.0.15']
# The length of the key says which AES.
CIPHERS = {16: '-aes-128-ecb', 32: '-aes-256-ecb'}


def openssl(data, key, *more):
    """What the openssl command makes of bytes."""
    done = subprocess.run([need('openssl'), 'enc', CIPHERS[len(key)], '-K', key.encode().hex(), *more], input=data,
                          capture_output=True, timeout=30)
    equal(done.returncode, 0)
    return done.stdout


def with_spaces(data):
    return data + b' ' * (-len(data) % 16)


def seal(text, key):
    """As the vendor's old tool does it."""
    return openssl(with_spaces(text.encode()), key, '-nopad')


def succeed(*words, **more):
    done = run(*words, **more)
    check(done.returncode == 0, f'{words}: {done.stderr}')
    return done


def with_input(text, *words):
    return subprocess.run([dialtone(), *map(str, words)], input=text, capture_output=True, text=True, timeout=60)


class Desk(House):
    """A house with keys, plain files, and where encrypted ones go."""

    def __init__(self):
        super().__init__()
        self.plain, self.out = self.dir / 'plain', self.dir / 'out'
        self.plain.mkdir()
        self.common, self.mac = self.put('common.key', COMMON + '\n'), self.put('mac.key', MAC_KEY)

    def put(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def edit(self, name, text):
        path = self.plain / name
        path.write_text(text)
        return path

    def made(self, name):
        return (self.out / name).read_bytes()

    def leftovers(self):
        return [path.name for path in self.dir.rglob('.*')]


@test
def openssl_reads_what_encrypt_writes_and_writes_what_decrypt_reads():
    text = HEADER + 'account.1.label = Zürich\r\n' * 40
    for key in COMMON, LONG:
        for tail in range(18):
            with Desk() as d:
                plain = d.edit('sip.cfg', text + 'x' * tail)
                data = plain.read_bytes()
                key_file = d.put('key', key)
                succeed('encrypt', '--aes-common', key_file, '--out', d.out, plain)
                equal(d.made('sip.cfg'), openssl(with_spaces(data), key, '-nopad'))
                equal(openssl(d.made('sip.cfg'), key, '-d', '-nopad'), with_spaces(data))
                succeed('encrypt', '--pkcs7', '--aes-common', key_file, '--out', d.out, plain)
                equal(openssl(d.made('sip.cfg'), key, '-d'), data)
                for foreign in openssl(data, key), openssl(with_spaces(data), key, '-nopad'), \
                        openssl(data + b'\0' * (-len(data) % 16), key, '-nopad'):
                    d.put('sip.cfg', foreign)
                    succeed('decrypt', '--aes-common', key_file, '--out', d.out, d.dir / 'sip.cfg')
                    equal(d.made('sip.cfg'), data)
                equal(d.leftovers(), [])
        if is_sanitized():
            break


@test
def the_key_of_a_file_is_that_of_its_name():
    with Desk() as d:
        files = [d.edit(name, HEADER + 'x = 1\n') for name in
                 ('y000000000000.boot', 'y000000000066.cfg', 'sip.cfg', '00156574b150.boot', '00156574b150.cfg',
                  '00156574b150-local.cfg')]
        contacts = d.edit('00156574b150-contact.xml', '<root_group/>\n<root_contact/>\n')
        done = succeed('encrypt', '--aes-common', d.common, '--aes-mac', d.mac, '--out', d.out, *files, contacts)
        equal(done.stdout + done.stderr, '')
        for path in [*files, contacts]:
            key = MAC_KEY if '74b150' in path.name else COMMON
            equal(openssl(d.made(path.name), key, '-d', '-nopad').rstrip(b' '), path.read_bytes())
        succeed('decrypt', '--aes-common', d.common, '--aes-mac', d.mac, '--out', d.dir / 'back',
                *[d.out / path.name for path in [*files, contacts]])
        for path in [*files, contacts]:
            equal((d.dir / 'back' / path.name).read_bytes(), path.read_bytes())
            equal((d.dir / 'back' / path.name).stat().st_mode & 0o777, 0o600)
        done = run('encrypt', '--aes-mac', d.mac, '--out', d.out, files[0])
        check(done.returncode == 1 and 'takes the common AES key' in done.stderr, done.stderr)


@test
def made_keys_are_one_for_all_and_one_for_each_phone_and_open_everything():
    with Desk() as d:
        names = ['y000000000066.cfg', 'sip.cfg', '00156574b150.cfg', '00156574b150-local.cfg', '805ec0112233.cfg']
        files = [d.edit(name, HEADER + 'x = 1\n') for name in names]
        succeed('encrypt', '--make-key', '--key-length', 32, '--key-file', '--key-list', d.dir / 'list', '--out', d.out, *files)
        keys = dict(line.split(':') for line in (d.dir / 'list').read_text().splitlines())
        equal((d.dir / 'list').stat().st_mode & 0o777, 0o600)
        equal(list(keys), names)
        equal(keys['y000000000066.cfg'], keys['sip.cfg'])
        equal(keys['00156574b150.cfg'], keys['00156574b150-local.cfg'])
        equal(len(set(keys.values())), 3)
        for name, key in keys.items():
            check(len(key) == 32 and key.isalnum(), key)
            wrapped = (d.out / (name.rsplit('.', 1)[0] + '_Security.enc')).read_bytes()
            equal(openssl(wrapped, 'EKs35XacP6eybA25', '-d', '-nopad').decode(), key)
        succeed('decrypt', '--key-file', '--out', d.dir / 'back', *[d.out / name for name in names])
        equal((d.dir / 'back' / 'sip.cfg').read_text(), HEADER + 'x = 1\n')
        done = run('encrypt', '--make-key', '--key-list', d.dir / 'list', '--out', d.out, *files)
        check(done.returncode == 1 and 'File exists' in done.stderr, done.stderr)
        equal(keys, dict(line.split(':') for line in (d.dir / 'list').read_text().splitlines()))
        check('--key-list or --key-file' in run('encrypt', '--make-key', '--out', d.out, *files).stderr, 'nobody has the key')


@test
def nothing_is_written_over_the_input_unless_it_is_forced():
    with Desk() as d:
        path = d.edit('sip.cfg', HEADER + 'x = 1\n')
        path.chmod(0o640)
        equal(run('encrypt', '--aes-common', d.common, path).returncode, 2)
        done = run('encrypt', '--aes-common', d.common, '--out', d.plain, path)
        check(done.returncode == 1 and '--force' in done.stderr, done.stderr)
        os.link(path, d.dir / 'other.cfg')
        equal(path.read_text(), HEADER + 'x = 1\n')
        succeed('encrypt', '--aes-common', d.common, '--force', path)
        equal(path.read_bytes(), seal(HEADER + 'x = 1\n', COMMON))
        equal(path.stat().st_mode & 0o777, 0o640)
        equal((d.dir / 'other.cfg').read_text(), HEADER + 'x = 1\n')
        done = run('encrypt', '--aes-common', d.common, '--force', path)
        check(done.returncode == 1 and 'is encrypted already' in done.stderr, done.stderr)
        succeed('decrypt', '--aes-common', d.common, '--force', path)
        equal(path.read_text(), HEADER + 'x = 1\n')
        equal(d.leftovers(), [])


@test
def r26_a_wrong_key_or_a_changed_byte_writes_nothing():
    with Desk() as d:
        sealed = seal(HEADER + 'account.1.label = Reception\naccount.1.enable = 1\n', COMMON)
        d.put('sip.cfg', sealed)
        done = run('decrypt', '--aes-common', d.mac, '--out', d.out, d.dir / 'sip.cfg')
        equal((done.returncode, done.stderr), (1, f'dialtone decrypt: {d.dir}/sip.cfg: the key is wrong: what comes out is '
                                                  'no text\n'))
        for at in range(0, len(sealed), 7):
            d.put('sip.cfg', sealed[:at] + bytes([sealed[at] ^ 4]) + sealed[at + 1:])
            done = run('decrypt', '--aes-common', d.common, '--out', d.out, d.dir / 'sip.cfg')
            check(done.returncode == 1 and ('damaged' in done.stderr or 'no text' in done.stderr), done.stderr)
        d.put('sip.cfg', sealed[:-1])
        check('is not encrypted' in run('decrypt', '--aes-common', d.common, '--out', d.out, d.dir / 'sip.cfg').stderr, 'short')
        check(not d.out.exists(), 'something was written')


@test
def one_bad_file_of_several_does_not_keep_the_others():
    with Desk() as d:
        good, empty = d.edit('good.cfg', HEADER), d.edit('empty.cfg', '')
        done = run('encrypt', '--aes-common', d.common, '--out', d.out, empty, d.plain, d.dir / 'none.cfg', good)
        equal(done.returncode, 1)
        equal([line.split(': ', 2)[2] for line in done.stderr.splitlines()],
              ['is empty', 'is not a regular file', 'No such file or directory'])
        equal(os.listdir(d.out), ['good.cfg'])


@test
def files_that_would_meet_under_one_name_are_refused():
    with Desk() as d:
        (d.plain / 'a').mkdir()
        one, other = d.edit('sip.cfg', HEADER), d.edit('a/sip.cfg', HEADER + '#\n')
        done = run('encrypt', '--aes-common', d.common, '--out', d.out, one, other)
        check(done.returncode == 2 and 'would be the same file' in done.stderr and not d.out.exists(), done.stderr)


@test
def what_a_phone_could_not_tell_from_a_wrong_key_is_warned_of():
    with Desk() as d:
        bare, latin = d.edit('bare.cfg', 'x = 1\n'), d.plain / 'latin.cfg'
        latin.write_bytes(HEADER.encode() + b'x = M\xfcller\n')
        done = succeed('encrypt', '--aes-common', d.common, '--out', d.out, bare, latin)
        check('bare.cfg: warning: has no header' in done.stderr and 'latin.cfg: warning: is not UTF-8' in done.stderr,
              done.stderr)
        done = run('decrypt', '--aes-common', d.common, '--out', d.dir / 'back', *d.out.iterdir())
        check(done.returncode == 1 and 'bare.cfg: warning:' in done.stderr and 'latin.cfg: the file is damaged' in done.stderr,
              done.stderr)
        succeed('decrypt', '--force', '--aes-common', d.common, '--out', d.dir / 'back', *d.out.iterdir())
        equal((d.dir / 'back' / 'latin.cfg').read_bytes(), latin.read_bytes())


@test
def keys_come_from_standard_input_too_and_bad_ones_are_told():
    with Desk() as d:
        path = d.edit('sip.cfg', HEADER)
        equal(with_input(COMMON + '\r\n', 'encrypt', '--out', d.out, path).returncode, 0)
        equal(d.made('sip.cfg'), seal(HEADER, COMMON))
        two = with_input(f'{COMMON}\n{MAC_KEY}\n', 'decrypt', '--aes-common', '-', '--aes-mac', '-', '--out', d.dir / 'back',
                         d.out / 'sip.cfg')
        equal(two.returncode, 0)
        for text, word in ('', 'no key there'), ('short\n', 'neither 16 nor 32'), ('0123456789abcde!\n', 'a character that no'), \
                ('x' * 100 + '\n', 'neither 16 nor 32'):
            done = with_input(text, 'encrypt', '--out', d.dir / 'never', path)
            check(done.returncode == 1 and word in done.stderr, done.stderr)
        check(not (d.dir / 'never').exists(), 'written without a key')


@test
def at_a_terminal_the_key_is_asked_for_twice_and_not_shown():
    need_terminals()
    for second, status in (COMMON, 0), (MAC_KEY, 1):
        with Desk() as d:
            path = d.edit('sip.cfg', HEADER)
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(dialtone(), [dialtone(), 'encrypt', '--out', str(d.out), str(path)])
            shown = b''
            answers = [(b'AES key: ', COMMON), (b'Again: ', second)]
            with contextlib.suppress(OSError):
                while select.select([fd], [], [], 30)[0]:
                    more = os.read(fd, 4096)
                    if not more:
                        break
                    shown += more
                    if answers and shown.endswith(answers[0][0]):
                        os.write(fd, answers.pop(0)[1].encode() + b'\n')
            os.close(fd)
            equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), status)
            check(COMMON.encode() not in shown and MAC_KEY.encode() not in shown, shown)
            equal(d.out.exists(), status == 0)


@test
def r27_a_key_is_never_an_argument_and_never_repeated():
    with Desk() as d:
        path = d.edit('sip.cfg', HEADER)
        for verb in 'encrypt', 'decrypt':
            done = run(verb, '--aes-common', COMMON, '--out', d.out, path)
            check(done.returncode == 1 and 'never the key itself' in done.stderr and COMMON not in done.stderr, done.stderr)
        done = run('explain', '--root', d.root, *PHONE, '--aes-mac', MAC_KEY)
        check(done.returncode == 1 and MAC_KEY not in done.stdout + done.stderr, done.stderr)
        done = with_input('Ab3$_0123456789\n', 'encrypt', '--out', d.out, path)
        check(done.returncode == 1 and 'Ab3$_' not in done.stderr, done.stderr)


@test
def envelopes_go_both_ways_and_openssl_opens_them():
    with Desk() as d:
        private, public = d.dir / 'private.pem', d.dir / 'public.pem'
        equal(program(need('openssl'), 'genrsa', '-out', private, '2048').returncode, 0)
        equal(program('openssl', 'rsa', '-in', private, '-pubout', '-out', public).returncode, 0)
        path = d.edit('sip.cfg', HEADER + 'x = 1\n')
        for length in 16, 32:
            succeed('encrypt', '--envelope', public, '--key-length', length, '--out', d.out, path)
            lines = d.made('sip.cfg').decode().splitlines()
            equal(lines[:3] + lines[4:5] + lines[6:], ['#!encrypt:1.0.0.0', '#!key_signatue:RSA_256',
                  f'#!conf_encryption:AES_{length * 8}', '#!---BEGIN CONFIG DATA---', '#!---END CONFIG DATA---'])
            decoded = [subprocess.run(['base64', '-d'], input=text.encode(), capture_output=True, check=True).stdout
                       for text in (lines[3].split(':')[1], lines[5])]
            key = subprocess.run(['openssl', 'pkeyutl', '-decrypt', '-inkey', private, '-pkeyopt', 'rsa_padding_mode:pkcs1'],
                                 input=decoded[0], capture_output=True, check=True).stdout.decode()
            equal(len(key), length)
            equal(openssl(decoded[1], key, '-d').decode(), HEADER + 'x = 1\n')
            succeed('decrypt', '--rsa-key', private, '--out', d.dir / 'back', d.out / 'sip.cfg')
            equal((d.dir / 'back' / 'sip.cfg').read_text(), HEADER + 'x = 1\n')
        (d.out / 'sip.cfg').write_bytes(d.made('sip.cfg').replace(lines[3].encode(), b'#!key_ciphertext:'))
        check('key_ciphertext is empty' in run('decrypt', '--rsa-key', private, '--out', d.dir / 'back', d.out / 'sip.cfg').stderr,
              'empty key')
        check('is no RSA private key' in run('decrypt', '--rsa-key', public, '--out', d.out, path).stderr, 'a public key')


# --- the tree of one phone, every file encrypted by openssl ---


def add_encrypted_tree(d, directory=''):
    """Boot, common, MAC-oriented and MAC-local; the MAC-oriented key comes in the common file."""
    d.write(directory + 'y000000000000.boot', seal(HEADER + 'include:config <y000000000066.cfg>\ninclude:config <$mac.cfg>\n',
                                                   COMMON))
    d.write(directory + 'y000000000066.cfg',
            seal(HEADER + f'static.auto_provision.aes_key_16.mac = {MAC_KEY}\nstatic.auto_provision.custom.sync = 1\n'
                 'static.auto_provision.custom.protect = 1\naccount.1.label = Common\n', COMMON))
    d.write(directory + '00156574b150.cfg', openssl((HEADER + 'account.1.label = Own\n').encode(), MAC_KEY))
    d.write(directory + '00156574b150-local.cfg', seal(HEADER + 'lang.gui = German\n', MAC_KEY))


def values(report):
    return {s['key']: s['value'] for s in report['settings'] if s['key'] in ('account.1.label', 'lang.gui')}


HELD = {'account.1.label': 'Own', 'lang.gui': 'German'}


@test
def explain_looks_into_encrypted_files_when_it_has_the_key():
    with Desk() as d:
        add_encrypted_tree(d)
        done = succeed('explain', '--root', d.root, *PHONE, '--aes-common', d.common, '--json')
        report = json.loads(done.stdout)
        equal((report['outcome'], values(report)), ('provisioned', HELD))
        why = {f['name']: f['why'] for f in report['files'] if f['outcome'] == 'used'}
        equal(set(why.values()), {'decrypted with the common AES key', 'decrypted with the MAC-oriented AES key'})
        check(MAC_KEY not in done.stdout and COMMON not in done.stdout, 'a key is shown')
        done = run('explain', '--root', d.root, *PHONE, '--json')
        report = json.loads(done.stdout)
        equal((done.returncode, report['outcome'], report['settings']), (1, 'failed', []))
        check('looks encrypted (AES)' in report['why'], report['why'])
        done = run('explain', '--root', d.root, *PHONE, '--aes-common', d.mac, '--json')
        check('the key is wrong' in json.loads(done.stdout)['why'], done.stdout)


@test
def check_looks_into_encrypted_files_with_given_keys_and_those_of_the_tree():
    with Desk() as d:
        add_encrypted_tree(d)
        d.write('broken.cfg', seal(HEADER + 'x\n', MAC_KEY))
        done = run('check', '--root', d.root)
        check(done.returncode == 0 and done.stdout.count('no key was given or found') == 5, done.stdout)
        done = run('check', '--root', d.root, '--aes-common', d.common)
        equal((done.returncode, done.stdout),
              (1, 'broken.cfg:2:1: error: no `parameter = value` in this line; phones ignore it\n'))
        done = run('check', '--root', d.root, '--aes-common', d.put('wrong', 'x' * 16))
        check(done.returncode == 1 and done.stdout.count('opens it') == 5, done.stdout)


def phone(d, url, *more):
    done = run('phone', *PHONE, '--server', url, '--once', '--json', '--time-scale', 1000, '--flash', d.dir / 'flash', *more)
    return done.returncode, json.loads(done.stdout)


@test
def a_phone_provisions_from_encrypted_files_over_http_and_tftp():
    with serving() as (h, d):
        add_encrypted_tree(h)
        key = h.dir / 'common.key'
        key.write_text(COMMON + '\n')
        status, report = phone(h, f'http://{d.http_at()}/', '--aes-common', key)
        equal((status, report['outcome'], values(report)), (0, 'provisioned', HELD))
        status, report = phone(h, f'tftp://{d.tftp_at()}/', '--aes-common', key)
        equal((status, report['outcome'], values(report)), (0, 'unchanged', HELD))
        h.write('00156574b150.cfg', seal(HEADER + 'account.1.label = Own\n', MAC_KEY))
        status, report = phone(h, f'tftp://{d.tftp_at()}/', '--aes-common', key)
        equal((status, report['outcome'], report['changed']), (0, 'provisioned', []))
        check(not any(COMMON in line or MAC_KEY in line for line in d.out + d.err), 'a key in the journal')


@test
def r26_a_phone_applies_nothing_of_a_file_in_another_key():
    with serving() as (h, d):
        add_encrypted_tree(h)
        key = h.dir / 'common.key'
        key.write_text(COMMON)
        phone(h, f'http://{d.http_at()}/', '--aes-common', key)
        h.write('00156574b150.cfg', seal(HEADER + 'account.1.label = Foreign\n', 'x' * 16))
        status, report = phone(h, f'http://{d.http_at()}/', '--aes-common', key)
        equal((status, report['outcome'], values(report), report['changed']), (1, 'failed', HELD, []))
        check('the key is wrong' in report['why'], report['why'])


@test
def a_phone_gets_its_keys_from_key_files():
    with serving() as (h, d):
        plain = h.dir / 'plain'
        plain.mkdir()
        for name, text in ('y000000000066.cfg', 'account.1.label = Common\n'), ('00156574b150.cfg', 'account.1.label = Own\n'):
            (plain / name).write_text(HEADER + text)
        succeed('encrypt', '--make-key', '--key-file', '--out', h.root, *plain.iterdir())
        h.write('y000000000000.boot', HEADER + 'include:config <on.cfg>\ninclude:config <y000000000066.cfg>\n'
                'include:config <$mac.cfg>\n')
        h.write('on.cfg', HEADER + 'static.auto_provision.aes_key_in_file = 1\n')
        status, report = phone(h, f'http://{d.http_at()}/')
        equal((status, report['outcome']), (0, 'provisioned'))
        names = [f['name'].rsplit('/', 1)[1] + ' ' + f['outcome'] for f in report['files']]
        equal(names, ['00156574b150.boot absent', 'y000000000000.boot used', 'on.cfg used', 'y000000000066.cfg used',
                      'y000000000066.enc absent', 'y000000000066_Security.enc used', '00156574b150.cfg used',
                      '00156574b150.enc absent', '00156574b150_Security.enc used'])
        equal(values(report), {'account.1.label': 'Own'})


def live(h, url, script, *more):
    """A phone that lives until its key script ends; its lines."""
    keys = h.dir / 'keys.txt'
    keys.write_text(script)
    done = run('phone', *PHONE, '--server', url, '--flash', h.dir / 'flash', '--time-scale', 50, '--keys', keys, *more)
    return done.stdout


@test
def a_phone_that_lives_opens_with_an_activation_codes_keys_and_sends_its_settings_encrypted():
    with serving() as (h, d):
        server = f'http://{d.http_at()}'
        h.write('y000000000000.boot', HEADER + 'include:config <a.cfg>\n')
        h.write('a.cfg', HEADER + 'static.auto_provision.custom.sync = 1\nstatic.auto_provision.custom.protect = 1\n'
                f'static.auto_provision.encryption.config = 1\nstatic.auto_provision.aes_key_16.mac = {MAC_KEY}\n'
                f'static.autoprovision.1.code = 123\nstatic.autoprovision.1.url = {server}/code/\n'
                f'static.autoprovision.1.com_aes = {COMMON}\n')
        h.write('code/y000000000000.boot', seal(HEADER + 'include:config <b.cfg>\n', COMMON))
        h.write('code/b.cfg', seal(HEADER + 'account.1.label = Code\n', COMMON))
        shown = live(h, server + '/', 'until idle\nwait 150\nuntil idle\nset lang.gui = German\nwait 100\nuntil idle\n'
                     'dial 123\npress ok\nwait 150\nuntil idle\nend\n')
        check(shown.count('provisioned (common-boot)') >= 2 and 'code/b.cfg' in shown, shown)
        check('decrypted with the common AES key' in shown, shown)
        sent = h.state / 'uploads' / '00156574b150-local.cfg'
        check(sent.exists(), shown)
        opened = openssl(sent.read_bytes(), MAC_KEY, '-d', '-nopad')
        check(opened.startswith(HEADER.encode()) and b'lang.gui = German\n' in opened, opened)
        check(COMMON not in shown and MAC_KEY not in shown, shown)


main()
