"""One daemon, phones of many models, TFTP and HTTP: the main job."""
import contextlib
import json
import sqlite3
import subprocess

from house import PATIENCE_S, House, check, equal, run
from tap import dialtone, main, test

# model, firmware, MAC, directory, mechanism, what it gets beside its own MAC-oriented CFG
COLOUR, PLAIN = ('sip.cfg', 'colour.cfg', 'all.cfg'), ('sip.cfg', 'all.cfg')
PHONES = (
    ('T46S', '66.84.0.15', '001565000001', 'desk', 'common-boot', COLOUR),
    ('T48S', '65.85.0.5', '001565000002', 'desk', 'common-boot', COLOUR),
    ('T54W', '96.85.0.5', '805ec0000003', 'desk', 'common-boot', COLOUR),
    ('T57W', '97.85.0.5', '805ec0000004', 'desk', 'common-boot', PLAIN),
    ('T19P_E2', '53.84.0.15', '805ec0000005', 'desk', 'common-boot', PLAIN),
    ('VP59', '91.85.0.5', '805ec0000006', 'desk', 'common-boot', PLAIN),
    ('CP960', '73.85.0.5', '805ec0000007', 'desk', 'mac-boot', ('sip.cfg', 'room.cfg')),
    ('T31P', '123.85.0.5', '805ec0000008', 'desk', 'mac-boot', ('sip.cfg', 'room.cfg')),
    # Firmware 82 knows boot files and no [MODEL] in front of a line.
    ('T23G', '44.82.0.20', '001565000009', 'desk', 'common-boot', ('all.cfg',)),
    # No $MODEL name: what is for everybody.
    ('W60P', '77.83.0.85', '00156500000a', 'desk', 'common-boot', ('all.cfg',)),
    ('SIP-T46G', '28.80.0.95', '00156500000b', 'old', 'old', ('y000000000028.cfg',)),
    ('SIP-T28P', '2.73.0.50', '00156500000c', 'old', 'old', ('y000000000000.cfg',)),
    ('SIP-T42S', '67.84.0.15', '00156500000d', 'old', 'old', ('y000000000067.cfg',)),
    ('W52P', '25.80.0.15', '00156500000e', 'old', 'old', ('y000000000025.cfg',)),
)
MODELS = 'T46S,T48S,T54W,T57W,T19P_E2,VP59,CP960,T31P'
HEADER = '#!version:1.0.0.1\n'


def build(h):
    h.write('sip.cfg', HEADER + 'account.1.enable = 1\naccount.1.sip_server.1.address = pbx.office.example\n')
    h.write('desk/colour.cfg', HEADER + 'phone_setting.backgrounds = Config:blue.jpg\n')
    h.write('desk/all.cfg', HEADER + 'features.dnd.enable = 1\n')
    h.write('desk/room.cfg', HEADER + 'features.dnd.enable = 0\n')
    h.write('desk/y000000000000.boot', HEADER + f'[{MODELS}]include:config <../sip.cfg>\n'
            '[T46S, T48S, T54W]include:config "colour.cfg"\ninclude:config <all.cfg>\ninclude:config "$mac.cfg"\n'
            'overwrite_mode = 1\n')
    for model, _, mac, directory, mechanism, files in PHONES:
        h.write(f'{directory}/{mac}.cfg', HEADER + f'account.1.label = {mac}\naccount.1.password = secret-{mac}\n')
        if mechanism == 'mac-boot':
            h.write(f'desk/{mac}.boot', HEADER + 'include:config <../sip.cfg>\ninclude:config "room.cfg"\n'
                    f'include:config "{mac}.cfg"\noverwrite_mode = 1\n')
        if mechanism == 'old':
            h.write(f'old/{files[0]}', HEADER + f'account.1.display_name = {model}\n')


def words(d, phone, scheme, flash):
    model, firmware, mac, directory = phone[:4]
    return ['phone', '--model', model, '--firmware', firmware, '--mac', mac, '--server',
            f'{scheme}://127.0.0.1:{getattr(d, scheme)}/{directory}/', '--flash', str(flash), '--once', '--json']


def all_at_once(d, h):
    """(phone, scheme) -> exit code, report; every phone has a flash for each protocol."""
    running = {}
    for phone in PHONES:
        for scheme in ('tftp', 'http'):
            flash = h.dir / f'flash-{phone[2]}-{scheme}'
            flash.mkdir(exist_ok=True)
            running[phone, scheme] = subprocess.Popen([dialtone(), *words(d, phone, scheme, flash)], text=True,
                                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    results = {}
    try:
        for key, process in running.items():
            out, err = process.communicate(timeout=PATIENCE_S)
            equal((key, err), (key, ''))
            results[key] = process.returncode, json.loads(out)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    return results


def judge(phone, report):
    model, _, mac, _, mechanism, files = phone
    equal((model, report['outcome'], report['mechanism']), (model, 'provisioned', mechanism))
    used = [file['name'].rpartition('/')[2] for file in report['files'] if file['outcome'] == 'used']
    cfg = [name for name in used if not name.endswith('.boot')]
    equal((model, cfg), (model, [*files, mac + '.cfg']))
    settings = {setting['key']: setting for setting in report['settings']}
    equal((model, settings['account.1.label']['value']), (model, mac))
    check(settings['account.1.label']['file'].endswith(f'/{mac}.cfg'), settings['account.1.label'])
    check(f'secret-{mac}' not in json.dumps(report), 'the password is shown')
    equal((model, 'phone_setting.backgrounds' in settings), (model, files == COLOUR))


@test
def phones_of_fourteen_models_provision_at_once_over_tftp_and_http():
    check(len({phone[0] for phone in PHONES}) >= 10, 'too few models')
    with House() as h:
        build(h)
        with h.serve() as d:
            for (phone, scheme), (code, report) in all_at_once(d, h).items():
                equal((phone[0], scheme, code, report['why']), (phone[0], scheme, 0, ''))
                judge(phone, report)
            second = all_at_once(d, h)
            equal({(key[0][0], key[1]): report['outcome'] for key, (_, report) in second.items()
                   if report['outcome'] != 'unchanged'}, {})
            equal({code for code, _ in second.values()}, {0})
            equal(d.stop(), 0)
        the_journal_knows_them(h)


def the_journal_knows_them(h):
    with contextlib.closing(sqlite3.connect(h.state / 'journal.db')) as db:
        for model, firmware, mac, *_ in PHONES:
            colons = ':'.join(mac[n:n + 2] for n in range(0, 12, 2))
            # Over HTTP the User-Agent says it with every request; over TFTP names with a MAC do.
            known = db.execute("SELECT DISTINCT mac, firmware FROM requests WHERE protocol = 'http' AND mac = ?",
                               (colons,)).fetchall()
            equal((model, known), (model, [(colons, firmware)]))
            named = db.execute("SELECT count(*) FROM requests WHERE protocol = 'tftp' AND mac = ? AND outcome = 'sent'",
                               (colons,)).fetchone()[0]
            check(named >= 2, f'{model}: {named} rows over TFTP')
        equal(db.execute("SELECT DISTINCT outcome FROM requests ORDER BY 1").fetchall(), [('absent',), ('sent',)])


@test
def explain_says_what_the_phone_did():
    with House() as h:
        build(h)
        with h.serve() as d:
            for phone in PHONES:
                model, firmware, mac, directory = phone[:4]
                did = json.loads(run(*words(d, phone, 'http', h.dir / 'flash'), '--show-secrets').stdout)
                told = run('explain', '--root', h.root, '--model', model, '--firmware', firmware, '--mac', mac,
                           '--server', f'http://127.0.0.1:{d.http}/{directory}/', '--json', '--show-secrets')
                equal((model, told.returncode), (model, 0))
                told = json.loads(told.stdout)
                base = f'http://127.0.0.1:{d.http}/'
                for key in ('mechanism', 'outcome', 'overwrite_mode', 'excluded_mode', 'changed', 'reboot'):
                    equal((model, key, told[key]), (model, key, did[key]))
                equal([(f['name'], f['outcome'], f['md5']) for f in told['files']],
                      [(f['name'].replace(base, ''), f['outcome'], f['md5']) for f in did['files']])
                equal([(s['key'], s['value'], s['file'], s['line']) for s in told['settings']],
                      [(s['key'], s['value'], s['file'].replace(base, ''), s['line']) for s in did['settings']])


main()
