"""scripts/setup on machines of every kind: the programs it calls are stand-ins that only write down what they do."""
import os
import shutil
import subprocess
import tempfile

from tap import test, main

SETUP = os.path.join(os.environ['SOURCE_ROOT'], 'scripts', 'setup')

BUILD = {'gcc', 'libc6-dev', 'meson', 'ninja-build', 'pkg-config', 'pkgconf', 'scdoc', 'libuv1-dev', 'libssl-dev',
         'libcurl4-openssl-dev', 'libsqlite3-dev', 'libjansson-dev', 'libseccomp-dev', 'uthash-dev', 'libcmocka-dev',
         'libosip2-dev', 'libexpat1-dev'}
TEST = {'curl', 'tftp-hpa', 'atftp', 'busybox-static', 'atftpd', 'dnsmasq-base', 'groff-base', 'nginx', 'openssl',
        'sqlite3', 'valgrind', 'lftp', 'wget', 'tnftp', 'ncftp', 'inetutils-ftp', 'strace', 'sip-tester', 'kea-dhcp4-server',
        'kea-dhcp6-server', 'isc-dhcp-server', 'iproute2'}
CLANG = {'clang', 'libclang-rt-dev'}
DEBIAN_12 = UBUNTU_24_04 = BUILD | TEST | CLANG | {'node-llhttp'}
DEBIAN_13 = DEBIAN_12 | {'libllhttp-dev'}

STUBS = {
    'dpkg-query': '''
        for name in "$@"; do
            case $name in -*|*Package*) continue ;; esac
            if grep -qx "$name" $FAKE/installed; then echo "installed $name"
            elif grep -qx "$name" $FAKE/removed; then echo "config-files $name"
            else status=1; fi
        done
        exit ${status:-0}''',
    'apt-cache': '''
        [ -e $FAKE/updated ] && grep -qx "$2" $FAKE/available && found="1.0-1"
        printf '%s:\\n  Installed: (none)\\n  Candidate: %s\\n' "$2" "${found:-(none)}"''',
    'apt-get': '''
        [ "$(id -u)" = 0 ] || { echo "apt-get: not root" >&2; exit 100; }
        case " $* " in
        *" update "*) echo update >> $FAKE/log; touch $FAKE/updated; exit 0 ;;
        esac
        [ ! -e $FAKE/broken ] || exit 100
        [ ! -e $FAKE/killed ] || { kill -TERM $PPID; exit 1; }
        names=
        for name in "$@"; do
            case $name in install|-*|*=*) ;; *) names="$names $name"; echo "$name" >> $FAKE/installed ;; esac
        done
        status=0
        $SETUP_ROOT/usr/sbin/policy-rc.d nginx start || status=$?
        echo "install$names" >> $FAKE/log
        echo "options: $*" >> $FAKE/log
        echo "services $status, frontend $DEBIAN_FRONTEND" >> $FAKE/log''',
    'id': 'echo $FAKE_UID',
    'sudo': '''
        echo "sudo $1" >> $FAKE/log
        if [ "$1" = -n ]; then exit $FAKE_SUDO; fi
        FAKE_UID=0 exec "$@"''',
    'systemctl': 'echo "systemctl $*" >> $FAKE/log',
}
TOOLS = ('sh', 'sed', 'tr', 'grep', 'tee', 'chmod', 'mv', 'rm', 'env', 'cat', 'touch')


class Machine:
    """A folder with the programs, packages and users of a machine; `with` removes it."""

    def __init__(self, available=DEBIAN_12, installed=(), uid=0, sudo=None, without=()):
        self.at = tempfile.mkdtemp()
        self.uid = uid
        os.makedirs(self.path('root/usr/sbin'))
        os.makedirs(self.path('bin'))
        for name in TOOLS:
            os.symlink(shutil.which(name), self.path('bin/' + name))
        for name, body in STUBS.items():
            if name not in without and (name != 'sudo' or sudo is not None):
                self.write('bin/' + name, '#!/bin/sh\n' + body + '\n', 0o755)
        self.sudo = sudo
        self.write('installed', ''.join(name + '\n' for name in installed))
        self.write('available', ''.join(name + '\n' for name in available))
        self.write('removed', '')
        self.write('log', '')
        if 'node-llhttp' in installed:
            self.have_llhttp_sources()

    def path(self, name):
        return os.path.join(self.at, name)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), 'w') as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def have_llhttp_sources(self):
        os.makedirs(self.path('root/usr/share/llhttp'), exist_ok=True)
        self.write('root/usr/share/llhttp/llhttp.c', '')

    def setup(self, *sets):
        env = {'PATH': self.path('bin'), 'FAKE': self.at, 'FAKE_UID': str(self.uid), 'FAKE_SUDO': str(self.sudo),
               'SETUP_ROOT': self.path('root')}
        return subprocess.run(['/bin/sh', SETUP] + list(sets), env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)

    def log(self):
        return self.read('log').splitlines()

    def installed_by_it(self):
        """The package names of the one `apt-get install`."""
        line, = [line for line in self.log() if line.startswith('install ')]
        return line.split()[1:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.at)


def installs(available, wanted, *sets):
    with Machine(available) as machine:
        if 'libllhttp-dev' not in available:
            machine.have_llhttp_sources()
        result = machine.setup(*sets)
        assert result.returncode == 0, result.stdout
        names = machine.installed_by_it()
        assert set(names) == wanted and len(names) == len(wanted), set(names) ^ wanted
        assert machine.log().count('update') == 1, machine.log()
        for name in wanted:
            assert name in result.stdout.split('installing from the distribution')[1], result.stdout


@test
def debian_12_and_ubuntu_24_04_get_llhttp_as_c_sources():
    installs(DEBIAN_12, (BUILD | TEST | {'node-llhttp'}) - {'pkgconf'}, 'build', 'test')
    installs(UBUNTU_24_04, (BUILD | {'node-llhttp'}) - {'pkgconf'}, 'build')


@test
def debian_13_gets_llhttp_as_a_library():
    installs(DEBIAN_13, (BUILD | TEST | {'libllhttp-dev'}) - {'pkgconf'}, 'build', 'test')


@test
def clang_comes_with_the_runtime_of_its_sanitizers():
    installs(DEBIAN_12, CLANG, 'clang')


@test
def a_package_of_two_sets_is_installed_once():
    installs(DEBIAN_12, TEST, 'test', 'bench')


@test
def with_everything_there_nothing_is_called_and_nothing_said():
    with Machine(installed=DEBIAN_12, uid=1000) as machine:
        result = machine.setup('build', 'test', 'clang', 'bench')
        assert (result.returncode, result.stdout, machine.log()) == (0, '', []), (result.stdout, machine.log())


@test
def only_what_is_missing_is_installed():
    with Machine(installed=DEBIAN_12 - {'scdoc', 'meson'}) as machine:
        result = machine.setup('build')
        assert result.returncode == 0 and machine.installed_by_it() == ['meson', 'scdoc'], result.stdout


@test
def a_removed_package_whose_configuration_stayed_is_missing():
    with Machine(installed=DEBIAN_12 - {'nginx'}) as machine:
        machine.write('removed', 'nginx\n')
        assert machine.setup('test').returncode == 0
        assert machine.installed_by_it() == ['nginx']


@test
def llhttp_without_its_sources_is_not_enough_where_the_library_exists():
    with Machine(DEBIAN_13, installed=DEBIAN_13 - {'libllhttp-dev'}) as machine:
        os.unlink(machine.path('root/usr/share/llhttp/llhttp.c'))
        assert machine.setup('build').returncode == 0
        assert machine.installed_by_it() == ['libllhttp-dev']


@test
def apt_asks_nothing_recommends_nothing_and_removes_nothing():
    with Machine() as machine:
        machine.setup('test')
        options, = [line for line in machine.log() if line.startswith('options')]
        assert ' -y ' in options and '--no-install-recommends' in options and '--no-remove' in options, options
        assert any(line.endswith('frontend noninteractive') for line in machine.log()), machine.log()


@test
def no_service_starts_during_the_installation_nor_with_the_next_boot():
    with Machine() as machine:
        assert machine.setup('test').returncode == 0
        assert any(line.startswith('services 101') for line in machine.log()), machine.log()
        assert os.listdir(machine.path('root/usr/sbin')) == []
        assert 'systemctl disable nginx.service' in machine.log(), machine.log()
        assert 'systemctl disable atftpd.socket atftpd.service' in machine.log(), machine.log()
        assert 'systemctl disable kea-dhcp4-server.service' in machine.log(), machine.log()
        assert 'systemctl disable isc-dhcp-server.service isc-dhcp-server6.service' in machine.log(), machine.log()


@test
def services_that_were_there_before_stay_as_they_are():
    with Machine(installed={'nginx', 'atftpd', 'kea-dhcp4-server', 'kea-dhcp6-server', 'isc-dhcp-server'}) as machine:
        assert machine.setup('test').returncode == 0
        assert not [line for line in machine.log() if line.startswith('systemctl')], machine.log()


@test
def the_machines_own_policy_is_put_back():
    own = '#!/bin/sh\nexit 0\n'
    with Machine() as machine:
        machine.write('root/usr/sbin/policy-rc.d', own, 0o755)
        assert machine.setup('test').returncode == 0
        assert any(line.startswith('services 101') for line in machine.log()), machine.log()
        assert os.listdir(machine.path('root/usr/sbin')) == ['policy-rc.d']
        assert machine.read('root/usr/sbin/policy-rc.d') == own


@test
def the_policy_is_undone_when_apt_fails_or_the_setup_is_killed():
    for cause in 'broken', 'killed':
        with Machine() as machine:
            machine.write(cause, '')
            result = machine.setup('test')
            assert result.returncode != 0, cause
            assert os.listdir(machine.path('root/usr/sbin')) == [], cause


@test
def what_a_setup_left_that_could_not_tidy_up_is_undone_by_the_next():
    with Machine() as machine:
        machine.write('root/usr/sbin/policy-rc.d', '#!/bin/sh\n# dialtone scripts/setup: gone\nexit 101\n', 0o755)
        machine.write('root/usr/sbin/policy-rc.d.kept', '#!/bin/sh\nexit 0\n', 0o755)
        assert machine.setup('test').returncode == 0
        assert os.listdir(machine.path('root/usr/sbin')) == ['policy-rc.d']
        assert 'exit 0' in machine.read('root/usr/sbin/policy-rc.d')


@test
def an_ordinary_user_with_sudo_installs_through_it():
    with Machine(uid=1000, sudo=0) as machine:
        result = machine.setup('test')
        assert result.returncode == 0, result.stdout
        assert set(machine.installed_by_it()) == TEST
        assert 'sudo apt-get' in machine.log() and 'sudo env' in machine.log(), machine.log()


@test
def sudo_that_wants_a_password_without_a_terminal_is_a_clear_message():
    with Machine(uid=1000, sudo=1) as machine:
        result = machine.setup('test')
        assert result.returncode == 1 and 'password' in result.stdout and 'nginx' in result.stdout, result.stdout
        assert machine.log() == ['sudo -n'], machine.log()


@test
def neither_root_nor_sudo_is_a_clear_message():
    with Machine(uid=1000) as machine:
        result = machine.setup('build')
        assert result.returncode == 1 and 'neither root nor sudo' in result.stdout, result.stdout
        assert 'apt-get install gcc' in result.stdout and machine.log() == [], result.stdout


@test
def a_machine_without_apt_is_told_what_it_needs():
    with Machine(without=('apt-get', 'apt-cache', 'dpkg-query')) as machine:
        result = machine.setup('build')
        assert result.returncode == 1 and 'libuv1-dev' in result.stdout, result.stdout
        assert 'no apt-get' in result.stdout and 'not found' not in result.stdout, result.stdout


@test
def a_package_that_the_distribution_lacks_is_named():
    with Machine(available=DEBIAN_12 - {'scdoc'}) as machine:
        machine.write('bin/apt-get', machine.read('bin/apt-get').replace('names=\n', 'names=\nexit 100\n'), 0o755)
        result = machine.setup('build')
        assert result.returncode == 1 and 'scdoc' in result.stdout, result.stdout
        assert 'could not install' in result.stdout, result.stdout


@test
def an_unknown_set_is_refused():
    with Machine() as machine:
        result = machine.setup('build', 'moon')
        assert result.returncode == 1 and 'moon' in result.stdout and machine.log() == [], result.stdout


main()
