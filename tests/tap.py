"""Tests in Python that print TAP.

A test is a function whose name is a sentence:

    from tap import test, main, skip

    @test
    def a_missing_root_is_a_clear_message():
        assert result.returncode == 2, result.stderr

    main()

An exception is a failure, and the tests after it still run. skip(reason) ends a test as skipped: for a
program that this machine does not have, never for one that misbehaves.
"""
import os
import sys
import traceback

_tests = []


class Skipped(Exception):
    pass


def skip(reason):
    raise Skipped(reason)


def test(function):
    _tests.append(function)
    return function


def dialtone():
    """Path of the program under test."""
    return os.environ['DIALTONE']


def _comment(text):
    for line in text.rstrip('\n').split('\n'):
        print('# ' + line)


def main():
    """Runs the tests in the order of the file and exits; arguments are the names of the only ones to run."""
    chosen = [t for t in _tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    failed = 0
    print('1..%d' % len(chosen), flush=True)
    for number, function in enumerate(chosen, 1):
        try:
            function()
            print('ok %d - %s' % (number, function.__name__))
        except Skipped as reason:
            print('ok %d - %s # SKIP %s' % (number, function.__name__, reason))
        except Exception:
            failed += 1
            print('not ok %d - %s' % (number, function.__name__))
            _comment(traceback.format_exc())
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
