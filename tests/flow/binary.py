"""How the program was built (security.md R30), read from the program itself."""
import re

from house import check, is_sanitized, need, program
from tap import dialtone, main, skip, test


def readelf(*words):
    done = program(need('readelf'), '-W', *words, dialtone())
    check(done.returncode == 0, done.stderr)
    return done.stdout.decode()


@test
def R30_it_is_position_independent():
    check(re.search(r'^ *Type: +DYN ', readelf('-h'), re.M), readelf('-h'))
    check(re.search(r'\bPIE\b', readelf('-d')), readelf('-d'))


@test
def R30_relocations_are_read_only_from_the_start():
    check('GNU_RELRO' in readelf('-l'), readelf('-l'))
    check(re.search(r'\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b', readelf('-d')), readelf('-d'))


@test
def R30_no_memory_is_both_written_and_run():
    headers = readelf('-l')
    stack = re.search(r'^ *GNU_STACK .*$', headers, re.M)[0]
    check(' RWE' not in stack and ' RW ' in stack, stack)
    loads = re.findall(r'^ *LOAD .*$', headers, re.M)
    check(loads and not [line for line in loads if 'RWE' in line], loads)


@test
def R30_the_stack_is_protected():
    check('__stack_chk_fail' in readelf('--dyn-syms'), 'no __stack_chk_fail')


@test
def R30_the_c_library_checks_sizes():
    if is_sanitized():
        skip("a sanitizer's own checks stand in their place")
    checked = set(re.findall(r'\b__(\w+)_chk\b', readelf('--dyn-syms'))) - {'stack'}
    check(len(checked) >= 3, checked)


@test
def R30_no_library_is_looked_for_in_a_path_of_the_build():
    check(not re.search(r'\((RPATH|RUNPATH)\)', readelf('-d')), readelf('-d'))


main()
