"""tests/run counts what test programs print and believes none that died."""
import importlib.machinery
import importlib.util
import io
import os

from tap import test, main

_path = os.path.join(os.environ['SOURCE_ROOT'], 'tests', 'run')
_loader = importlib.machinery.SourceFileLoader('run', _path)
run = importlib.util.module_from_spec(importlib.util.spec_from_loader('run', _loader))
_loader.exec_module(run)


def report(*outputs, status=0, **record):
    """Exit code, and all that was printed, for programs with these outputs."""
    programs = [run.Program(dict({'name': 'dialtone:unit / base/x', 'stdout': text, 'returncode': 0, 'result': 'OK'},
                                 **record)) for text in outputs]
    out = io.StringIO()
    code = run.report(programs, status, out)
    return code, out.getvalue()


def last_line(*outputs, **record):
    code, text = report(*outputs, **record)
    assert (code == 0) == (' 0 failed' in text.split('\n')[-2]), text
    return text.split('\n')[-2]


@test
def passed_tests_of_all_programs_are_added():
    assert last_line('1..2\nok 1 - a\nok 2 - b\n', 'TAP version 13\nok 1\n1..1\n') == '3 passed, 0 failed, 0 skipped'


@test
def a_failed_test_is_named_with_what_it_said():
    code, text = report('1..2\nnot ok 1 - a_sentence\n# 3 is not 4\nok 2 - b\n', returncode=1)
    assert code == 1 and 'FAIL base/x: a_sentence\n     3 is not 4\n' in text, text
    assert text.endswith('1 passed, 1 failed, 0 skipped\n'), text


@test
def skipped_tests_are_named_with_their_reason():
    code, text = report('1..2\nok 1 - a # SKIP no nginx here\nok 2 - b\n')
    assert code == 0 and 'SKIP base/x: a: no nginx here\n' in text, text
    assert text.endswith('1 passed, 0 failed, 1 skipped\n'), text


@test
def what_cmocka_prints_for_a_skipped_test_is_no_failure():
    assert last_line('1..1\nnot ok 1 # SKIP a_sentence\n', status=1) == '0 passed, 0 failed, 1 skipped'


@test
def a_program_skipped_as_a_whole_counts_once():
    assert last_line('1..0 # SKIP no IPv6\n') == '0 passed, 0 failed, 1 skipped'


@test
def a_program_that_died_failed_though_its_tests_passed():
    assert last_line('1..1\nok 1 - a\n', returncode=-11) == '1 passed, 1 failed, 0 skipped'
    assert last_line('1..1\nok 1 - a\n', returncode=134) == '1 passed, 1 failed, 0 skipped'
    assert 'SIGSEGV' in report('1..1\nok 1 - a\n', returncode=-11)[1]


@test
def a_program_that_ends_badly_after_its_tests_failed():
    assert last_line('1..1\nok 1 - a\n', returncode=1) == '1 passed, 1 failed, 0 skipped'


@test
def a_program_out_of_time_failed():
    assert last_line('1..1\nok 1 - a\n', result='TIMEOUT') == '1 passed, 1 failed, 0 skipped'


@test
def a_program_without_a_plan_failed():
    assert last_line('ok 1 - a\n') == '1 passed, 1 failed, 0 skipped'
    assert last_line('') == '0 passed, 1 failed, 0 skipped'


@test
def a_program_that_ran_less_than_it_planned_failed():
    assert last_line('1..3\nok 1 - a\n') == '1 passed, 1 failed, 0 skipped'
    assert last_line('1..0\n') == '0 passed, 1 failed, 0 skipped'


@test
def a_program_that_bailed_out_failed():
    assert last_line('1..1\nok 1 - a\nBail out! no memory\n') == '1 passed, 1 failed, 0 skipped'


@test
def a_todo_is_no_excuse():
    assert last_line('1..1\nnot ok 1 - a # TODO later\n', returncode=1) == '0 passed, 1 failed, 0 skipped'


@test
def no_test_at_all_is_a_failure():
    assert last_line() == '0 passed, 1 failed, 0 skipped'


@test
def a_meson_that_failed_by_itself_is_a_failure():
    assert last_line('1..1\nok 1 - a\n', status=1) == '1 passed, 1 failed, 0 skipped'
    assert last_line('1..1\nok 1 # SKIP a\n', status=-9) == '0 passed, 1 failed, 1 skipped'


main()
