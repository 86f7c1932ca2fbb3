"""Guide, "Managing MAC-local CFG File" and "Using MAC-local CFG File": custom.protect, custom.sync and
overwrite_mode in all their combinations.

The administrator sets the label and nothing else. The user of the phone has set the label and a phone lock of his
own; the MAC-local CFG file on the server knows the label and a Do Not Disturb."""
from trees_table import case

LOCAL = '00156574b150-local.cfg'
FLASH = ['central account.1.label = Central', 'personal account.1.label = Phone',
         'personal phone_setting.phone_lock_enable = 1']
SERVER = {LOCAL: ['account.1.label = Server', 'features.dnd.enable = 1']}
AUTO = 'static.auto_provision.custom.'


def settings_of(protect, sync):
    return ''.join('%s%s = 1 <- common.cfg:%d\n' % (AUTO, name, line)
                   for name, line, on in (('protect', 3, protect), ('sync', 4, sync)) if on)


def combination(sentence, here, protect, sync, overwrite, local, settings, changed, **more):
    case('%s' % sentence, '%sprotect %d, sync %d, overwrite_mode %d' % (here and here + '; ', protect, sync, overwrite),
         before=FLASH, overwrite=bool(overwrite),
         tree={'y000000000000.boot': ['include:config <common.cfg>', 'overwrite_mode = %d' % overwrite],
               'common.cfg': ['account.1.label = Central', AUTO + 'protect = %d' % protect, AUTO + 'sync = %d' % sync],
               **SERVER},
         files='''
             absent 00156574b150.boot
             used   y000000000000.boot
             used   common.cfg
         ''' + (local + ' ' + LOCAL if local else ''),
         settings=settings + settings_of(protect, sync), changed=changed, **more)


combination('If the value of the parameter “overwrite_mode” is set to 1 in the boot file, the phone updates '
            'configurations in the <MAC>-local.cfg file downloaded from the server',
            'it overrides the one stored on the phone', 1, 1, 1, 'used',
            '''
                account.1.label = Server <- 00156574b150-local.cfg:2 over Central <- common.cfg:2
                features.dnd.enable = 1  <- 00156574b150-local.cfg:3
            ''',
            'account.1.label features.dnd.enable phone_setting.phone_lock_enable '
            'static.auto_provision.custom.protect static.auto_provision.custom.sync')

combination('if the value of the parameter “overwrite_mode” is set to 0, the phone updates configurations in the '
            '<MAC>-local.cfg file stored on the phone', '', 1, 1, 0, 'skipped',
            '''
                account.1.label = Phone             <- flash over Central <- common.cfg:2
                phone_setting.phone_lock_enable = 1 <- flash
            ''',
            'static.auto_provision.custom.protect static.auto_provision.custom.sync')

combination('This process is controlled by the value of the parameter “static.auto_provision.custom.sync”',
            'nothing is downloaded, the one stored on the phone counts', 1, 0, 1, None,
            '''
                account.1.label = Phone             <- flash over Central <- common.cfg:2
                phone_setting.phone_lock_enable = 1 <- flash
            ''',
            'static.auto_provision.custom.protect')

combination('This process is controlled by the value of the parameter “static.auto_provision.custom.sync”',
            'nothing is downloaded', 1, 0, 0, None,
            '''
                account.1.label = Phone             <- flash over Central <- common.cfg:2
                phone_setting.phone_lock_enable = 1 <- flash
            ''',
            'static.auto_provision.custom.protect')

combination('Ensure that the value of the parameter “static.auto_provision.custom.protect” is set to 0',
            'then personal settings are overridden, facts.md 7.7', 0, 1, 1, 'skipped',
            'account.1.label = Central <- common.cfg:2\n',
            'account.1.label phone_setting.phone_lock_enable static.auto_provision.custom.sync')

combination('Ensure that the value of the parameter “static.auto_provision.custom.protect” is set to 0',
            'those that no file sets are kept', 0, 1, 0, 'skipped',
            '''
                account.1.label = Central           <- common.cfg:2
                phone_setting.phone_lock_enable = 1 <- flash
            ''',
            'account.1.label static.auto_provision.custom.sync')

combination('Ensure that the value of the parameter “static.auto_provision.custom.protect” is set to 0', '',
            0, 0, 1, None, 'account.1.label = Central <- common.cfg:2\n',
            'account.1.label phone_setting.phone_lock_enable')

combination('Ensure that the value of the parameter “static.auto_provision.custom.protect” is set to 0', '',
            0, 0, 0, None,
            '''
                account.1.label = Central           <- common.cfg:2
                phone_setting.phone_lock_enable = 1 <- flash
            ''',
            'account.1.label')

FILES = '''
    absent 00156574b150.boot
    used   y000000000000.boot
    used   common.cfg
'''
BOOT = {'y000000000000.boot': ['include:config <common.cfg>']}
BOTH_ON = [AUTO + 'protect = 1', AUTO + 'sync = 1']
ON = '''
    static.auto_provision.custom.protect = 1 <- common.cfg:2
    static.auto_provision.custom.sync = 1    <- common.cfg:3
'''

case('the static settings will never be saved in the <MAC>-local.cfg file', 'one that stands there has no say',
     tree={**BOOT, 'common.cfg': BOTH_ON,
           LOCAL: ['static.lang.gui = German', 'lang.wui = German', 'network.dhcp_host_name = desk',
                   'features.dnd.enable = 1']},
     files=FILES + 'used ' + LOCAL,
     settings=ON + '''
         lang.wui = German       <- 00156574b150-local.cfg:3
         features.dnd.enable = 1 <- 00156574b150-local.cfg:5
     ''',
     findings='''
         warning 00156574b150-local.cfg:2 static.lang.gui is static
         warning 00156574b150-local.cfg:4 network.dhcp_host_name is static
     ''')

case('The configurations in the <MAC>-local.cfg file take precedence over the ones in other downloaded configuration '
     'files', 'a blank one there is no value of its own',
     tree={**BOOT, 'common.cfg': BOTH_ON + ['account.1.label = Central', 'features.dnd.enable = 0'],
           LOCAL: ['account.1.label =', 'features.dnd.enable = 1']},
     files=FILES + 'used ' + LOCAL,
     settings=ON + '''
         account.1.label = Central <- common.cfg:4
         features.dnd.enable = 1   <- 00156574b150-local.cfg:3 over 0 <- common.cfg:5
     ''')

case('downloads the <MAC>-local.cfg file from the provisioning server', 'it is not there: the one on the phone counts',
     before=['personal account.1.label = Phone'],
     tree={**BOOT, 'common.cfg': BOTH_ON},
     files=FILES + 'absent ' + LOCAL,
     settings=ON + 'account.1.label = Phone <- flash',
     changed='static.auto_provision.custom.protect static.auto_provision.custom.sync')

case('downloads the <MAC>-local.cfg file from a specified URL configured by “static.auto_provision.custom.sync.path”',
     tree={**BOOT, 'common.cfg': BOTH_ON + [AUTO + 'sync.path = {server}personal'],
           'personal/' + LOCAL: ['account.1.label = Server'], LOCAL: ['account.1.label = not this']},
     files=FILES + 'used personal/' + LOCAL,
     settings=ON + '''
         static.auto_provision.custom.sync.path = {server}personal <- common.cfg:4
         account.1.label = Server                                  <- personal/00156574b150-local.cfg:2
     ''')

case('MAC-local CFG file has to be named as 00156574b150-local.cfg (case-sensitive)',
     'the server finds upper-case digits as well; facts.md 8.1',
     tree={**BOOT, 'common.cfg': BOTH_ON, '00156574B150-local.cfg': ['account.1.label = Server']},
     files=FILES + 'used ' + LOCAL,
     settings=ON + 'account.1.label = Server <- 00156574b150-local.cfg:2')

case('if no boot file is found, Common CFG file>MAC-Oriented CFG file>MAC-local CFG file',
     'without a boot file the one stored on the phone counts, facts.md 7.2',
     before=FLASH,
     tree={'y000000000066.cfg': BOTH_ON, '00156574b150.cfg': ['account.1.label = Central'], **SERVER},
     mechanism='old',
     files='''
         absent  00156574b150.boot
         absent  y000000000000.boot
         used    y000000000066.cfg
         used    00156574b150.cfg
         skipped 00156574b150-local.cfg
     ''',
     settings='''
         account.1.label = Phone                  <- flash over Central <- 00156574b150.cfg:2
         phone_setting.phone_lock_enable = 1      <- flash
         static.auto_provision.custom.protect = 1 <- y000000000066.cfg:2
         static.auto_provision.custom.sync = 1    <- y000000000066.cfg:3
     ''',
     changed='static.auto_provision.custom.protect static.auto_provision.custom.sync')

case('phone/web user interface >central provisioning >factory defaults',
     'a personal value stays, whatever the administrator sets back to default',
     before=['central static.auto_provision.custom.protect = 1', 'central account.1.label = Central',
             'personal account.1.label = Phone', 'personal features.dnd.enable = 1'],
     tree={**BOOT, 'common.cfg': [AUTO + 'protect = 1', 'account.1.label =', 'features.dnd.enable = %NULL%']},
     files=FILES, changed='',
     settings='''
         static.auto_provision.custom.protect = 1 <- common.cfg:2
         account.1.label = Phone                  <- flash
         features.dnd.enable = 1                  <- flash
     ''')
