"""The manual pages say what the program says: verbs, options, configuration keys, fields, columns."""
import json
import os
import pathlib
import re
import shutil
import subprocess

from tap import dialtone, main, skip, test

PAGES = pathlib.Path(os.environ['MAN_PAGES'])
SOURCES = pathlib.Path(os.environ['SOURCE_ROOT'])
# They have no page of their own: dialtone(1) says all of them.
SMALL_VERBS = {'help', 'version'}


def run(*arguments):
    return subprocess.run([dialtone(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                          text=True).stdout


def pages():
    found = sorted(PAGES.glob('*.[157]'))
    assert len(found) >= 9, found
    return found


def text_of(page):
    """What a page says, without what makes it look so."""
    text = (PAGES / page).read_text(encoding='utf-8')
    text = re.sub(r'\\f[BIPR]|\\&', '', text)
    return text.replace('\\-', '-').replace('\\(aq', "'").replace('\\e', '\\').replace('\\.', '.')


def verbs():
    found = re.findall(r'^  (\w+) ', run('help'), re.MULTILINE)
    assert {'serve', 'phone', 'explain'} <= set(found), found
    return found


def page_of(verb):
    return 'dialtone.1' if verb in SMALL_VERBS else 'dialtone-%s.1' % verb


def has_word(text, word):
    return re.search(r'(?<![\w-])%s(?![\w-])' % re.escape(word), text) is not None


def holds(page, words):
    words, text = list(words), text_of(page)
    assert words, 'nothing to look for in ' + page
    missing = [word for word in words if not has_word(text, word)]
    assert not missing, '%s says nothing of %s' % (page, ', '.join(missing))


@test
def every_verb_has_a_page_and_stands_in_the_overview():
    assert not [verb for verb in verbs() if not (PAGES / page_of(verb)).exists()]
    holds('dialtone.1', verbs())


@test
def every_option_of_a_usage_line_is_in_the_page_of_its_verb():
    for verb in set(verbs()) - SMALL_VERBS:
        usage = run('help', verb).split('usage: ', 1)[1]
        options = re.findall(r'(?<![\w-])--?[a-z][a-z0-9-]*', usage)
        holds(page_of(verb), options)


@test
def every_key_of_the_configuration_is_in_its_page_with_its_default():
    printed = run('serve', '--print-config')
    keys = re.findall(r'^(?:# )?([a-z][\w.]*) =', printed, re.MULTILINE)
    assert len(keys) > 20 and 'tftp.port' in keys, keys
    text = text_of('dialtone.conf.5')
    headings = re.findall(r'^([a-z][\w.]*)$', text, re.MULTILINE)
    assert [key for key in headings if key in keys] == keys, (headings, keys)
    for key, value in re.findall(r'^([a-z][\w.]*) = (\S.*)$', printed, re.MULTILINE):
        entry = text.split('\n%s\n' % key, 1)[1].split('Default: ', 1)[1]
        assert entry.startswith(value + '.'), (key, value, entry[:80])


def fields(value):
    """Every name in a JSON value."""
    if isinstance(value, list):
        return {name for item in value for name in fields(item)}
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in fields(item)}
    return set()


@test
def every_field_of_a_report_is_in_the_page_of_explain():
    report = run('explain', '--root', str(SOURCES / 'examples' / 'office'), '--server', 'tftp://127.0.0.1/desk/',
                 '--mac', '00:15:65:74:b1:50', '--model', 'T46S', '--firmware', '66.84.0.15', '--json')
    found = fields(json.loads(report))
    assert {'mechanism', 'overrode', 'resources', 'md5'} <= found, found
    holds('dialtone-explain.1', found)


@test
def every_field_of_a_model_is_in_the_page_of_models():
    holds('dialtone-models.1', fields(json.loads(run('models', '--json'))))


@test
def every_column_and_outcome_of_the_journal_is_in_the_page_of_serve():
    store = (SOURCES / 'src' / 'store' / 'journal_store.c').read_text()
    table = re.search(r'CREATE TABLE requests \((.*?)\);', store, re.DOTALL).group(1)
    columns = re.findall(r'" (\w+) (?:INTEGER|TEXT)', table)
    assert len(columns) > 10, columns
    journal = (SOURCES / 'src' / 'server' / 'journal.c').read_text()
    outcomes = re.search(r'outcome_name\(.*?\{ ("sent".*?) \}', journal, re.DOTALL).group(1)
    holds('dialtone-serve.1', columns + re.findall(r'"(\w+)"', outcomes))


@test
def examples_come_first():
    for page in pages():
        sections = re.findall(r'^\.SH (.*)$', page.read_text(encoding='utf-8'), re.MULTILINE)
        assert sections[:3] == ['NAME', 'SYNOPSIS', 'EXAMPLES'], (page.name, sections)


@test
def a_page_that_another_one_names_exists():
    for page in pages():
        for name, section in re.findall(r'(dialtone[-.\w]*)\(([157])\)', text_of(page.name)):
            assert (PAGES / ('%s.%s' % (name, section))).exists(), (page.name, name, section)


@test
def groff_has_no_warning():
    if not shutil.which('groff'):
        skip('groff is not installed')
    for page in pages():
        result = subprocess.run(['groff', '-man', '-t', '-ww', '-Kutf8', '-Tutf8', '-z', page], stdin=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
        if 'preconv' in result.stderr or 'tbl:' in result.stderr and 'No such file' in result.stderr:
            skip('groff is not whole: ' + result.stderr.strip())
        assert result.returncode == 0 and not result.stderr, result.stderr


main()
