"""Words of a command line that make no sense: a clear message, exit 2, and nothing done."""
from house import OFFICE, House, check, equal, run, serving
from tap import main, test

PHONE = {'--mac': '00:15:65:74:b1:50', '--model': 'T46S', '--firmware': '66.84.0.15',
         '--server': 'tftp://127.0.0.1/'}


def words(changed, **more):
    options = {**PHONE, **changed, **more}
    return [word for pair in options.items() if pair[1] is not None for word in pair]


def refused(verb, arguments, *texts):
    """Exit 2 with the texts, on standard error alone."""
    done = run(verb, *arguments)
    equal((verb, arguments, done.returncode, done.stdout), (verb, arguments, 2, ''))
    check(done.stderr.startswith(f'dialtone {verb}: '), done.stderr)
    for text in texts:
        check(text in done.stderr, f'{text} is not in {done.stderr}')


def both(changed, *texts):
    refused('phone', words(changed) + ['--once'], *texts)
    refused('explain', words(changed) + ['--root', str(OFFICE)], *texts)


@test
def a_bad_mac_is_exit_2_and_said():
    for mac in ('zz', '', '00:15:65:74:b1', '00:15:65:74:b1:50:51', '00:15:65:74:b1:5g', '0015657 4b150', '-' * 12):
        both({'--mac': mac}, f"'{mac}' is not a MAC address such as 00:15:65:74:b1:50")


@test
def an_unknown_model_is_exit_2_and_says_where_the_models_are():
    for model in ('T99', '', 'SIP-', 'T46S ', '../T46S', 'T46S,T48S'):
        both({'--model': model}, f"no model '{model}'", 'dialtone models')


@test
def a_bad_firmware_is_exit_2_and_said():
    for firmware in ('66', 'abc', '', '66.84.0.x', '-66.84.0.15', '66.84..15', '99999999999.84.0.15'):
        both({'--firmware': firmware}, f"'{firmware}' is not a firmware version such as 66.84.0.15")


@test
def a_server_url_that_no_phone_can_fetch_from_is_exit_2_and_said():
    for url in ('', 'gopher://127.0.0.1/', 'file:///etc/passwd', 'tftp://', 'http:///desk/', 'tftp://127.0.0.1:99999/',
                'http://127.0.0.1:0/', 'http://[::1/', 'tftp:127.0.0.1', 'tftp://127.0.0.1/a\nb', 'tftp://127.0.0.1/\n',
                'http://127.0.0.1/' + 'x' * 5000):
        both({'--server': url}, f"'{url}' is not a URL that a phone can fetch from")


@test
def what_is_missing_is_named():
    for option in ('--mac', '--model', '--firmware'):
        both({option: None}, option)
    refused('phone', words({'--server': None}), '--server URL')
    refused('explain', words({}), '--root')
    refused('check', [], '--root')
    refused('demo', [], '--root')


@test
def an_option_that_does_not_exist_one_without_its_value_and_a_stray_word_are_named():
    for verb, more in (('phone', []), ('explain', ['--root', str(OFFICE)])):
        refused(verb, words({}) + more + ['--nonsense'], '--nonsense')
        refused(verb, words({}) + more + ['--mac'], '--mac needs a value')
        refused(verb, words({}) + more + ['stray'], 'stray')
    refused('phone', words({}) + ['--root', str(OFFICE)], '--root')
    refused('explain', words({}) + ['--root', str(OFFICE), '--once'], '--once')
    refused('explain', words({}) + ['--root', str(OFFICE), '--time-scale', '7'], '--time-scale')
    for scale in ('0', '-1', '1000001', 'fast'):
        refused('phone', words({}) + ['--time-scale', scale], '--time-scale', scale)
    refused('models', ['stray'], '--json')


@test
def a_root_that_is_missing_or_a_file_is_exit_1_and_named():
    with House() as h:
        for root, why in ((h.dir / 'none', 'No such file or directory'), (h.dir / 'secret', 'Not a directory')):
            for arguments in (['explain', *words({}), '--root', root], ['check', '--root', root]):
                done = run(*arguments)
                equal((arguments, done.returncode, done.stdout), (arguments, 1, ''))
                check(f'{root}: {why}' in done.stderr, done.stderr)


@test
def a_flash_that_cannot_be_used_is_exit_1_and_named():
    with serving() as (h, d):
        done = run('phone', *words({'--server': f'http://{d.http_at()}/'}), '--flash', h.dir / 'secret', '--once')
        equal((done.returncode, done.stdout), (1, ''))
        check(f'{h.dir}/secret: Not a directory' in done.stderr, done.stderr)


main()
