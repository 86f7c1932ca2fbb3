"""make dist gives the same bytes every time, and what it gives builds by itself (security.md R30)."""
import os
import shutil
import subprocess
import tempfile

from tap import test, main, skip

ROOT = os.environ['SOURCE_ROOT']


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=50).stdout


def tarball(at):
    """A clone's own, so that nobody's build folder is touched."""
    run('git', 'clone', '-q', ROOT, at, cwd='/')
    line = run('make', '-s', 'dist', cwd=at).strip().splitlines()[-1]
    digest, path = line.split()
    return digest, os.path.join(at, path)


@test
def R30_the_tarball_is_reproducible():
    if not shutil.which('git') or not os.path.isdir(os.path.join(ROOT, '.git')):
        skip('these sources are no git checkout')
    with tempfile.TemporaryDirectory() as directory:
        first = tarball(os.path.join(directory, 'a'))
        second = tarball(os.path.join(directory, 'b'))
        assert first[0] == second[0], (first, second)
        names = run('tar', '-tzf', first[1], cwd='/').splitlines()
        top = names[0].rstrip('/')
        assert top.startswith('dialtone-') and all(name.startswith(top + '/') for name in names), names[:3]
        for wanted in ('Makefile', 'meson.build', 'COPYING', 'README.md', 'src/cli/main.c', 'scripts/setup'):
            assert f'{top}/{wanted}' in names, wanted


main()
