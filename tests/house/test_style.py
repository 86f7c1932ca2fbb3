"""tests/style finds what it is there for, on a small bad tree."""
import importlib.machinery
import importlib.util
import os
import tempfile

from tap import test, main

_path = os.path.join(os.environ['SOURCE_ROOT'], 'tests', 'style')
_loader = importlib.machinery.SourceFileLoader('style', _path)
style = importlib.util.module_from_spec(importlib.util.spec_from_loader('style', _loader))
_loader.exec_module(style)


def found(check, files):
    with tempfile.TemporaryDirectory() as tree:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
            with open(os.path.join(tree, path), 'w') as file:
                file.write(text)
        return style.findings(tree, check, 'src')


def arrows(path, *includes):
    return found(style.arrow_findings, {path: ''.join('#include %s\n' % name for name in includes)})


def function(lines):
    return 'static int f(int a,\n             int b)\n{\n' + '    a++;\n' * (lines - 4) + '}\n'


@test
def the_right_arrows_are_allowed():
    assert not arrows('src/guide/a.c', '"guide/a.h"', '"base/slice.h"', '<string.h>')
    assert not arrows('src/server/a.c', '"guide/a.h"', '"net/b.h"', '"store/c.h"', '<unistd.h>')
    assert not arrows('src/cli/a.c', '"server/a.h"', '"phone/b.h"')


@test
def a_neighbour_on_the_same_floor_is_found_with_its_line():
    text, = arrows('src/guide/a.c', '"guide/a.h"', '"proto/tftp.h"')
    assert text.startswith('src/guide/a.c:2: '), text
    assert arrows('src/server/a.h', '"phone/phone.h"')


@test
def an_arrow_upwards_is_found():
    assert arrows('src/base/a.h', '"guide/mac.h"')
    assert arrows('src/net/a.c', '  "server/tree.h"')


@test
def a_name_without_its_room_and_an_unknown_room_are_found():
    assert arrows('src/base/a.c', '"a.h"')
    assert arrows('src/base/a.c', '"../guide/mac.h"')
    assert arrows('src/base/a.c', '"util/a.h"')
    assert arrows('src/util/a.c', '"base/slice.h"')


@test
def a_pure_room_may_not_reach_for_io():
    assert arrows('src/guide/a.c', '"base/log.h"')
    assert arrows('src/proto/a.c', '<sys/socket.h>')
    assert not arrows('src/net/a.c', '<sys/socket.h>')


@test
def banned_calls_are_found_in_code_only():
    bad = 'int f(void)\n{\n    return sprintf (a, b) + atoi(c);\n}\n'
    assert len(found(style.banned_findings, {'src/base/a.c': bad})) == 2
    good = '/* strcpy(a, b)\n * gets(c) */\n// atoi(x)\nchar *s = "sscanf(\\"%d\\")"; int n = snprintf(b, 1, "x") + my_gets(f);\n'
    assert not found(style.banned_findings, {'src/base/a.c': good})
    assert found(style.banned_findings, {'src/base/a.c': '/* one */ strcat(a, b); /* two */\n'}) == [
        'src/base/a.c:1: strcat is banned']


@test
def a_file_of_800_lines_is_short_and_one_more_is_not():
    assert not found(style.length_findings, {'src/base/a.c': '\n' * 799 + 'int a;\n'})
    assert found(style.length_findings, {'src/base/a.c': '\n' * 800 + 'int a;\n'})


@test
def a_function_of_70_lines_is_short_and_one_more_is_not():
    assert not found(style.length_findings, {'src/base/a.c': '/* why */\n' + function(70) + '\n' + function(70)})
    text, = found(style.length_findings, {'src/base/a.c': '/* why */\n' + function(71)})
    assert text.startswith('src/base/a.c:2: the function has 71 lines'), text


@test
def a_long_table_is_no_function():
    table = 'static const int t[] = {\n' + '    1,\n' * 100 + '};\n'
    assert not found(style.length_findings, {'src/base/a.c': table})


main()
