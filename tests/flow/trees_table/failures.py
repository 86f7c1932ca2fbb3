"""Guide, "Troubleshooting", and facts.md 5.3, 5.4, 5.7: a server that fails is not a server without the file.
Only the phone can see these; explain reads the directory."""
from trees_table import WAV, case, step

BOOT = {'y000000000000.boot': ['include:config <a.cfg>', 'include:config <sip.cfg>']}
TREE = {**BOOT, 'a.cfg': ['account.1.user_name = 100'], 'sip.cfg': ['account.1.label = Desk']}
SO_FAR = '''
    absent 00156574b150.boot
    used   y000000000000.boot
    used   a.cfg
'''
GOOD = '''
    account.1.user_name = 100 <- a.cfg:2
    account.1.label = Desk    <- sip.cfg:2
'''
KEPT = {'before': ['central account.1.label = kept'], 'settings': 'account.1.label = kept <- flash',
        'outcome': 'failed'}
ONE_SECOND = ['central static.auto_provision.attempt_expired_time = 1',
              'central static.auto_provision.attempt_before_failed = 2', 'central account.1.label = kept']
STILL = '''
    static.auto_provision.attempt_expired_time = 1  <- flash
    static.auto_provision.attempt_before_failed = 2 <- flash
    account.1.label = kept                          <- flash
'''

case('Ensure that the provisioning server and network are reachable', 'HTTP 500: three tries, then nothing is applied',
     tree=TREE, broken={'sip.cfg': 'error'}, tries={'a.cfg': 1, 'sip.cfg': 3},
     files=SO_FAR + 'failed sip.cfg', why='sip.cfg: HTTP 500', **KEPT)

case('facts.md 5.4: static.auto_provision.attempt_before_failed 3', 'the third try succeeds',
     tree=TREE, broken={'sip.cfg': 'error twice'}, tries={'sip.cfg': 3},
     files=SO_FAR + 'used sip.cfg', settings=GOOD)

case('facts.md 5.4: static.auto_provision.attempt_before_failed 3', 'the phone has been told 1',
     before=['central static.auto_provision.attempt_before_failed = 1'],
     tree=TREE, broken={'sip.cfg': 'error once'}, tries={'sip.cfg': 1}, outcome='failed',
     files=SO_FAR + 'failed sip.cfg', settings='static.auto_provision.attempt_before_failed = 1 <- flash')

case('facts.md 5.4: static.auto_provision.attempt_expired_time', 'silence: two tries of one second',
     before=ONE_SECOND, tree=TREE, broken={'sip.cfg': 'silence'}, tries={'sip.cfg': 2}, outcome='failed',
     files=SO_FAR + 'failed sip.cfg', settings=STILL)

case('Ensure that the provisioning server and network are reachable', 'the connection ends without an answer',
     tree=TREE, broken={'sip.cfg': 'closed'}, tries={'sip.cfg': 3},
     files=SO_FAR + 'failed sip.cfg', **KEPT)

case('Ensure that the provisioning server and network are reachable', 'half a file is no file',
     tree={**TREE, 'sip.cfg': ['account.1.label = Desk'] * 100}, broken={'sip.cfg': 'cut'}, tries={'sip.cfg': 3},
     files=SO_FAR + 'failed sip.cfg', **KEPT)

case('If no MAC-Oriented boot file is found, the IP phone will try to download the common boot file',
     'a server error is not "not found": the common one is not asked for',
     tree=TREE, broken={'00156574b150.boot': 'error'}, tries={'00156574b150.boot': 3, 'y000000000000.boot': 0},
     mechanism=None, files='failed 00156574b150.boot', **KEPT)

case('if there are no own model-specific configuration files found on the server', 'nor is it in exclude mode',
     tree={**TREE, 'y000000000000.boot': ['[T46S]include:config <a.cfg>', 'include:config <sip.cfg>',
                                          'specific_model.excluded_mode = 1']},
     broken={'a.cfg': 'error'}, tries={'a.cfg': 3, 'sip.cfg': 0}, excluded=True,
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         failed a.cfg
     ''', **KEPT)

case('Why does the provisioning server return HTTP 404?', 'HTTP 403 and 410 mean the same to a phone',
     tree={**TREE, 'y000000000000.boot': ['include:config <b.cfg>', 'include:config <a.cfg>',
                                          'include:config <sip.cfg>']},
     broken={'b.cfg': 'forbidden', 'a.cfg': 'gone'}, tries={'b.cfg': 1, 'a.cfg': 1},
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         absent b.cfg
         absent a.cfg
         used   sip.cfg
     ''', settings='account.1.label = Desk <- sip.cfg:2')

case('Ensure that authentication credentials configured on the IP phone are correct', 'HTTP 401, and there are none',
     tree=TREE, broken={'sip.cfg': 'login'},
     files=SO_FAR + 'failed sip.cfg', why='401', **KEPT)

EVERY_FILE = {name: 'login' for name in ('00156574b150.boot', *TREE)}
PASSWORD = ['central static.auto_provision.server.username = me',
            'central static.auto_provision.server.password = hush']

case('Ensure that authentication credentials configured on the IP phone are correct', 'they are',
     before=PASSWORD, tree=TREE, broken=EVERY_FILE, files=SO_FAR + 'used sip.cfg',
     settings=GOOD + '''
         static.auto_provision.server.username = me       <- flash
         static.auto_provision.server.password = ******** <- flash
     ''', changed='account.1.label account.1.user_name')

case('Ensure that authentication credentials configured on the IP phone are correct', 'they are not',
     before=[PASSWORD[0], 'central static.auto_provision.server.password = wrong'], tree=TREE, broken=EVERY_FILE,
     mechanism=None, outcome='failed', why='401', files='failed 00156574b150.boot',
     settings='''
         static.auto_provision.server.username = me       <- flash
         static.auto_provision.server.password = ******** <- flash
     ''')

case('“username” and “password” are the authentication for FTP download', 'in the URL of an HTTP server',
     url='http://me:hush@{address}', tree=TREE, broken=EVERY_FILE, files=SO_FAR + 'used sip.cfg', settings=GOOD)

case('facts.md 5.3: redirects: follow up to 5', 'the file keeps the name that it was asked by',
     tree=TREE, broken={'sip.cfg': 'moved'}, tries={'sip.cfg': 2},
     files=SO_FAR + 'used sip.cfg', settings=GOOD)

case('This process is controlled by the value of the parameter “static.auto_provision.custom.sync”',
     'a MAC-local CFG file that fails fails the run; one that is absent does not',
     tree={**TREE, 'a.cfg': ['static.auto_provision.custom.protect = 1', 'static.auto_provision.custom.sync = 1'],
           '00156574b150-local.cfg': ['account.1.label = Server']},
     broken={'00156574b150-local.cfg': 'error'}, tries={'00156574b150-local.cfg': 3},
     files=SO_FAR + 'used sip.cfg\nfailed 00156574b150-local.cfg', **KEPT)

case('Ensure that the ring tone file exists on the provisioning server', 'a resource file that fails does not stop the '
     'run', tree={**TREE, 'a.cfg': ['ringtone.url = a.wav'], 'a.wav': WAV}, broken={'a.wav': 'error'},
     tries={'a.wav': 3}, files=SO_FAR + 'used sip.cfg', resources='failed ringtone.url a.wav',
     settings='''
         ringtone.url = a.wav   <- a.cfg:2
         account.1.label = Desk <- sip.cfg:2
     ''')

case('The IP phone will complete the auto provisioning without a repeated update',
     'a run that failed in between leaves everything as it was',
     steps=[step(tree=TREE, files=SO_FAR + 'used sip.cfg', settings=GOOD),
            step(tree={'a.cfg': ['account.1.user_name = 200']}, broken={'sip.cfg': 'error'}, outcome='failed',
                 files=SO_FAR + 'failed sip.cfg',
                 settings='account.1.user_name = 100 <- flash\naccount.1.label = Desk <- flash'),
            step(tree={'a.cfg': ['account.1.user_name = 100']}, outcome='unchanged', files=SO_FAR + 'used sip.cfg',
                 settings='account.1.user_name = 100 <- flash\naccount.1.label = Desk <- flash')])
