"""The phone's side of HTTPS: whose certificates it accepts, which one it shows, and what it says when it does not work."""
import contextlib
import os
import signal

from house import House, check, equal, need, program, run
from tap import main, test

ONE, TWO = '00156574b150', '00156574b151'
CFG = '#!version:1.0.0.1\n'


@contextlib.contextmanager
def serving(kind='off', **more):
    with House() as h:
        h.make_certificates()
        h.make_devices(ONE, TWO)
        h.write('y000000000066.cfg', CFG + 'account.1.label = common\n')
        h.write(f'{ONE}.cfg', CFG + 'account.1.label = mine\n')
        with h.serve(**h.client_options(kind, **more)) as d:
            yield h, d


def phone(h, d, *words, mac=ONE, name='localhost', flash='flash', **environment):
    """One run. The CA is of no list but those that a test names."""
    return run('phone', '--mac', mac, '--model', 'T46S', '--firmware', '66.84.0.15', '--once', '--time-scale', 1000, '--flash',
               h.dir / flash, '--server', f'https://{name}:{d.https}/', *words,
               env={**os.environ, **environment})


def device(h, mac=ONE):
    certificate, key = h.device(mac)
    return '--device-cert', certificate, '--device-key', key


def settings(h, d, **values):
    """What the phone takes into its flash by plain HTTP."""
    lines = ''.join(f"static.security.{key} = {value}\n" for key, value in values.items())
    h.write('first/y000000000066.cfg', CFG + lines)
    done = run('phone', '--mac', ONE, '--model', 'T46S', '--firmware', '66.84.0.15', '--once', '--flash', h.dir / 'flash',
               '--server', f'http://127.0.0.1:{d.http}/first/')
    equal((done.returncode, done.stdout), (0, done.stdout))


def says(done, words):
    equal(done.returncode, 1)
    check(words in done.stdout + done.stderr, done.stdout + done.stderr)


IMPORT = 'import it at Security > Trusted Certificates > Import Trusted Certificates'


@test
def an_unknown_authority_is_named_and_what_to_do_about_it():
    with serving() as (h, d):
        says(phone(h, d), "the server's certificate is not trusted: 'localhost' is by 'dialtone CA of localhost', which is "
             "not in the phone's trusted certificates list: " + IMPORT)


@test
def an_imported_certificate_is_trusted_be_it_the_authoritys_or_the_servers_own():
    with serving() as (h, d):
        for kind, name in (('ca', 'ca'), ('server', 'ecdsa')):
            equal(phone(h, d, '--trusted', h.dir / f'tls/{kind}/{name}.pem', flash=name).returncode, 0)
        der = h.dir / 'ca.der'
        program(need('openssl'), 'x509', '-in', h.dir / 'tls/ca/ca.pem', '-outform', 'DER', '-out', der)
        equal(phone(h, d, '--trusted', der, flash='der').returncode, 0)


@test
def a_certificate_that_provisioning_brings_is_kept_and_trusted_and_can_be_deleted():
    with serving() as (h, d):
        h.write('ca.pem', (h.dir / 'tls/ca/ca.pem').read_bytes())
        h.write('first/y000000000066.cfg',
                CFG + f'static.trusted_certificates.url = http://127.0.0.1:{d.http}/ca.pem\n')
        first = ('phone', '--mac', ONE, '--model', 'T46S', '--firmware', '66.84.0.15', '--once', '--flash', h.dir / 'flash',
                 '--server', f'http://127.0.0.1:{d.http}/first/')
        equal(run(*first).returncode, 0)
        equal(phone(h, d).returncode, 0)
        # Another phone was never given it.
        equal(phone(h, d, mac=TWO).returncode, 1)
        h.write('first/y000000000066.cfg', CFG + 'static.trusted_certificates.delete = http://localhost/all\n')
        equal(run(*first).returncode, 0)
        says(phone(h, d), 'is not trusted')


@test
def which_list_counts_is_said_by_ca_cert():
    with serving() as (h, d):
        ca = h.dir / 'tls/ca/ca.pem'
        machine, imported = {'SSL_CERT_FILE': str(ca)}, ('--trusted', ca)
        # default, custom, both: by this machine's list and by what is imported.
        for value, by_machine, by_import in (('0', 0, 1), ('1', 1, 0), ('2', 0, 0)):
            settings(h, d, ca_cert=value)
            equal((value, phone(h, d, **machine).returncode), (value, by_machine))
            equal((value, phone(h, d, *imported).returncode), (value, by_import))


@test
def only_accept_trusted_certificates_can_be_switched_off_and_the_name_be_checked():
    with serving() as (h, d):
        settings(h, d, trust_certificates=0)
        equal(phone(h, d).returncode, 0)
        settings(h, d, trust_certificates=1, cn_validation=0)
        trusted = ('--trusted', h.dir / 'tls/ca/ca.pem')
        equal(phone(h, d, *trusted, name='127.0.0.1').returncode, 0)
        settings(h, d, cn_validation=1)
        equal(phone(h, d, *trusted, name='127.0.0.1').returncode, 0)
    with House() as h:
        done = run('cert', '--dir', h.dir / 'tls', '--name', 'elsewhere.example')
        equal(done.returncode, 0)
        h.write('y000000000066.cfg', CFG + 'account.1.label = common\n')
        with h.serve(**h.tls_options()) as d:
            trusted = ('--trusted', h.dir / 'tls/ca/ca.pem')
            equal(phone(h, d, *trusted).returncode, 0)
            settings(h, d, cn_validation=1)
            says(phone(h, d, *trusted), "the server's certificate 'elsewhere.example' is for another host")


@test
def the_reason_is_told_when_the_certificate_has_expired():
    with House() as h:
        made = h.make_certificates()
        (h.dir / 'ext').write_text('subjectAltName = DNS:localhost\n')
        for words in (('req', '-new', '-key', made / 'server/rsa.key', '-subj', '/CN=localhost', '-out', h.dir / 'csr'),
                      ('x509', '-req', '-in', h.dir / 'csr', '-CA', made / 'ca/ca.pem', '-CAkey', made / 'ca/ca.key',
                       '-CAcreateserial', '-extfile', h.dir / 'ext', '-days', '-1', '-out', made / 'server/rsa.pem')):
            equal(program(need('openssl'), *words).returncode, 0)
        with h.serve(**h.tls_options(('rsa',))) as d:
            says(phone(h, d, '--trusted', made / 'ca/ca.pem'), "the server's certificate is not trusted: 'localhost' has expired")


@test
def r5_the_phone_shows_its_own_certificate_and_gets_its_own_file():
    with serving('optional') as (h, d):
        trusted = ('--trusted', h.dir / 'tls/ca/ca.pem')
        done = phone(h, d, *trusted, *device(h), '--json')
        equal(done.returncode, 0)
        check('"mine"' in done.stdout, done.stdout)
        check(d.saw(' certificate 00:15:65:74:b1:50', d.out), d.out)
        # With another phone's, or none: common files and nothing else.
        for flash, words in (('stranger', device(h, TWO)), ('nobody', ())):
            done = phone(h, d, *trusted, *words, '--json', flash=flash)
            equal(done.returncode, 0)
            check('"mine"' not in done.stdout and '"common"' in done.stdout, done.stdout)
        # dev_cert 1: a custom one, and there is none.
        h.write(f'{ONE}.cfg', CFG + 'account.1.label = later\n')
        settings(h, d, dev_cert=1)
        done = phone(h, d, *trusted, *device(h), '--json')
        check('"later"' not in done.stdout, done.stdout)
        settings(h, d, dev_cert=0)
        done = phone(h, d, *trusted, *device(h), '--json')
        check('"later"' in done.stdout, done.stdout)


@test
def r5_the_phone_says_why_the_server_does_not_take_its_certificate():
    with serving('required') as (h, d):
        trusted = ('--trusted', h.dir / 'tls/ca/ca.pem')
        equal(phone(h, d, *trusted, *device(h)).returncode, 0)
        says(phone(h, d, *trusted), "the server wants the phone's own certificate, and this phone shows none")
        equal(run('cert', '--dir', h.dir / 'tls', '--revoke', ONE).returncode, 0)
        d.signal(signal.SIGHUP)
        check(d.saw('configuration read again'), d.err)
        says(phone(h, d, *trusted, *device(h)), "the server says that the phone's own certificate is revoked")


@test
def files_that_cannot_be_used_are_named():
    with serving() as (h, d):
        certificate, key = h.device(ONE)
        for words, code, said in ((('--trusted', h.dir / 'none'), 1, 'none: No such file'),
                                  (('--trusted', key), 1, f'{key}: no certificate in PEM or DER'),
                                  (('--device-cert', certificate, '--device-key', h.device(TWO)[1]), 1,
                                   'is not the key of the certificate'),
                                  (('--device-cert', certificate), 2, '--device-cert and --device-key go together')):
            done = phone(h, d, *words)
            equal((words, done.returncode), (words, code))
            check(said in done.stderr, done.stderr)


main()
