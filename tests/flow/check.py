"""dialtone check over real directories: its lines, its exit codes; the example tree has no error."""
import os
import pathlib
import re
import subprocess
import tempfile

from tap import test, main, dialtone

HEADER = '#!version:1.0.0.1\n'


def check(root):
    done = subprocess.run([dialtone(), 'check', '--root', str(root)], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout.splitlines(), done.stderr


def tree(**files):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, content in files.items():
        path = root / name.replace('__', '/').replace('_', '.')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


@test
def the_example_office_has_no_error():
    code, lines, error = check(os.path.join(os.environ['SOURCE_ROOT'], 'examples/office'))
    assert code == 0 and not error, (code, lines, error)
    assert not [line for line in lines if ': error: ' in line], lines


@test
def a_tree_with_an_error_exits_1_and_every_line_is_file_line_column_severity_text():
    code, lines, _ = check(tree(d__y000000000000_boot=HEADER + 'include:config <none.cfg>\n',
                                d__sip_cfg='a = 1\r\nb\r\n', page_cfg='<html></html>'))
    assert code == 1, (code, lines)
    for line in lines:
        assert re.fullmatch(r'[^:]+:[1-9]\d*:[1-9]\d*: (note|warning|error): .+', line), line
    assert 'd/y000000000000.boot:2:17: error: d/none.cfg is not in the tree' in lines, lines
    assert 'd/sip.cfg:2:1: error: no `parameter = value` in this line; phones ignore it' in lines, lines
    assert 'page.cfg:1:1: error: an HTML page, not a configuration file' in lines, lines


@test
def warnings_and_notes_alone_exit_0():
    code, lines, _ = check(tree(sip_cfg='a = 1\r\n'))
    assert code == 0 and len(lines) == 2, (code, lines)


@test
def a_symbolic_link_out_of_the_tree_is_not_read():
    root = tree(sip_cfg=HEADER)
    (root / 'out.cfg').symlink_to('/etc/passwd')
    assert check(root) == (0, [], ''), check(root)


@test
def names_with_control_bytes_stay_one_line():
    root = tree(sip_cfg=HEADER)
    (root / 'a\n\x1b[2Jb.cfg').write_text('x')
    code, lines, _ = check(root)
    assert code == 1 and all(line.startswith('a\\x0a\\x1b[2Jb.cfg:1:') for line in lines), (code, lines)


@test
def a_root_that_is_not_there_is_told():
    code, lines, error = check('/nowhere/at/all')
    assert code == 1 and not lines and '/nowhere/at/all' in error, (code, error)


main()
