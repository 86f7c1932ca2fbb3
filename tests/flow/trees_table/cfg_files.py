"""Guide, "Editing Common CFG File", "Creating a New CFG File", and facts.md 7 and 8: the lines of a CFG file."""
from trees_table import Directory, Link, case

FILES = '''
    absent 00156574b150.boot
    used   y000000000000.boot
    used   settings.cfg
'''
BOOT = ['include:config <settings.cfg>']


def cfg(sentence, here, lines, settings, **more):
    case(sentence, here, tree={'y000000000000.boot': BOOT, 'settings.cfg': lines}, files=FILES, settings=settings,
         **more)


cfg('The line beginning with “#” is considered to be a comment', 'in a CFG file; behind a value it is data, '
    'facts.md 8.1',
    ['#account.1.label = not', '   # account.1.label = not', '##', 'account.1.label = Desk #4', '#!not a header'],
    'account.1.label = Desk #4 <- settings.cfg:5')

cfg('Separate each configuration parameter and value with an equal sign', 'with all spacings; more of them are data',
    ['account.1.label=Desk', 'account.1.user_name  =  100  ', '\taccount.1.auth_name\t=\t100=1',
     'account.2.label= a  b'],
    '''
        account.1.label = Desk      <- settings.cfg:2
        account.1.user_name = 100   <- settings.cfg:3
        account.1.auth_name = 100=1 <- settings.cfg:4
        account.2.label = a  b      <- settings.cfg:5
    ''')

cfg('Put the configuration parameter and value on the same line, and do not break the line', '',
    ['account.1.label', '= Desk', 'account.1.user_name =', '100', 'account.1.auth_name = 100'],
    'account.1.auth_name = 100 <- settings.cfg:6',
    findings='''
        error settings.cfg:2 no `parameter = value`
        error settings.cfg:3 no `parameter = value`
        error settings.cfg:5 no `parameter = value`
    ''')

cfg('Set only one configuration parameter per line', 'the rest of the line is the value',
    ['account.1.label = Desk account.1.user_name = 100'],
    'account.1.label = Desk account.1.user_name = 100 <- settings.cfg:2')

cfg('It must be placed in the first line. Do not edit and delete', 'a late header, and none: both are told',
    'account.1.label = Desk\n#!version:1.0.0.1\n',
    'account.1.label = Desk <- settings.cfg:1',
    findings='warning settings.cfg:2 must stand in the first line')

cfg('It must be placed in the first line. Do not edit and delete', 'a file without it still counts',
    'account.1.label = Desk\n', 'account.1.label = Desk <- settings.cfg:1',
    findings='warning settings.cfg:1 no header')

GROUPS = ['[T46S] features.dnd_mode = 1', '[T48G, T23G] features.dnd_mode = 0', 'features.dnd.enable = 1']

cfg('(Optional.) Specify different parameter values for specific phone groups', 'a T46S', GROUPS,
    '''
        features.dnd_mode = 1   <- settings.cfg:2
        features.dnd.enable = 1 <- settings.cfg:4
    ''')
cfg('(Optional.) Specify different parameter values for specific phone groups', 'a T23G', GROUPS,
    '''
        features.dnd_mode = 0   <- settings.cfg:3
        features.dnd.enable = 1 <- settings.cfg:4
    ''', phone='T23G 44.83.0.10')
cfg('(Optional.) Specify different parameter values for specific phone groups', 'a T42S, which is in none', GROUPS,
    'features.dnd.enable = 1 <- settings.cfg:4', phone='T42S 67.84.0.10')
cfg('It is only applicable to IP phones (except W53P/W60P/CP930W-Base/W90) running firmware version 83 or later',
    'lines of a CFG file, T46S, firmware 82', GROUPS,
    'features.dnd.enable = 1 <- settings.cfg:4', phone='T46S 66.82.0.20')
cfg('It is only applicable to IP phones (except W53P/W60P/CP930W-Base/W90) running firmware version 83 or later',
    'lines of a CFG file, W60P, firmware 85', ['[T46S,W60P] features.dnd_mode = 1', 'features.dnd.enable = 1'],
    'features.dnd.enable = 1 <- settings.cfg:3', phone='W60P 77.85.0.20',
    findings='warning settings.cfg:2 no [MODEL] prefix can name a W60P')

cfg('The phone updates model-specific configurations and those model-unspecified configurations',
    'the later line wins, whatever stands before it',
    ['features.dnd_mode = 0', '[T46S]features.dnd_mode = 1', '[T46S]features.dnd.enable = 1',
     'features.dnd.enable = 0'],
    '''
        features.dnd_mode = 1   <- settings.cfg:3 over 0 <- settings.cfg:2
        features.dnd.enable = 0 <- settings.cfg:5 over 1 <- settings.cfg:4
    ''')

case('If the value of a parameter in configuration files is left blank, the factory default value takes effect',
     '[$MODEL] lines of other models do not count',
     before=['central static.lang.gui = English', 'central static.lang.wui = English'],
     tree={'y000000000000.boot': BOOT, 'settings.cfg': ['[T48S]static.lang.gui =', '[T46S]static.lang.wui =']},
     files=FILES, settings='static.lang.gui = English <- flash', changed='static.lang.wui')

cfg('facts.md 7.4: duplicates: later wins', 'within one file; a blank one sets back',
    ['account.1.label = first', 'account.1.label = second', 'account.1.label = third', 'features.dnd_mode = 1',
     'features.dnd_mode ='],
    'account.1.label = third <- settings.cfg:4 over second <- settings.cfg:3 over first <- settings.cfg:2')

cfg('facts.md 7.4: static.security.user_password is keyed by the part before the colon', '',
    ['static.security.user_password = user:one', 'static.security.user_password = admin:two',
     'static.security.user_password = user:three'],
    '''
        static.security.user_password = admin:two  <- settings.cfg:3
        static.security.user_password = user:three <- settings.cfg:4 over user:one <- settings.cfg:2
    ''', secrets=True)

cfg('facts.md 6: all names also exist without static. in V7x: accept alias', 'and the names that were replaced',
    ['auto_provision.repeat.enable = 1', 'network.dhcp_host_name = desk', 'security.user_password = admin:two',
     'auto_provision.mode = 0', 'static.auto_provision.weekly.mask = 01', 'firmware.usb_headset.url ='],
    '''
        static.auto_provision.repeat.enable = 1     <- settings.cfg:2
        static.network.dhcp_host_name = desk        <- settings.cfg:3
        static.security.user_password = admin:two   <- settings.cfg:4
        static.auto_provision.power_on = 0          <- settings.cfg:5
        static.auto_provision.weekly.dayofweek = 01 <- settings.cfg:6
    ''', secrets=True, reboot=True,
    findings='''
        note settings.cfg:2 auto_provision.repeat.enable is an old name of static.auto_provision.repeat.enable
        note settings.cfg:5 auto_provision.mode is an old name of static.auto_provision.power_on
        note settings.cfg:6 static.auto_provision.weekly.mask is an old name of static.auto_provision.weekly.dayofweek
    ''')

cfg('facts.md 6: accept alias', 'the old and the new name are one setting',
    ['static.lang.gui = English', 'static.auto_provision.power_on = 1', 'auto_provision.power_on = 0'],
    '''
        static.lang.gui = English          <- settings.cfg:2
        static.auto_provision.power_on = 0 <- settings.cfg:4 over 1 <- settings.cfg:3
    ''')

cfg('facts.md 8.1: unknown and misspelt keys', 'they are kept as they are, and told',
    ['no.such.parameter = 1', 'static.auto_provision.weekly.enalbe = 1', 'account.1.codec.G722_1c_48kpbs.enable = 1'],
    '''
        no.such.parameter = 1                       <- settings.cfg:2
        static.auto_provision.weekly.enalbe = 1     <- settings.cfg:3
        account.1.codec.G722_1c_48kpbs.enable = 1   <- settings.cfg:4
    ''',
    findings='warning settings.cfg:3 misspelt')

cfg('facts.md 7.8: a value may contain a literal $', 'wildcards are for URLs only',
    ['account.1.label = $MAC', 'linekey.1.value = *84$Tinvite$'],
    '''
        account.1.label = $MAC         <- settings.cfg:2
        linekey.1.value = *84$Tinvite$ <- settings.cfg:3
    ''')

cfg('facts.md 6.1: static.auto_provision.power_on is 1 in the factory', 'a setting at its default needs no mention',
    ['static.auto_provision.power_on = 1', 'account.1.label = Desk'],
    'account.1.label = Desk <- settings.cfg:3')

cfg('facts.md 8.1: BOM, CR LF, no final newline, indented keys, trailing blanks', '',
    b'\xef\xbb\xbf#!version:1.0.0.1\r\n\r\n  account.1.label = Desk  \r\n\taccount.1.user_name = 100',
    '''
        account.1.label = Desk    <- settings.cfg:3
        account.1.user_name = 100 <- settings.cfg:4
    ''',
    findings='''
        note settings.cfg:1 byte order mark
        note settings.cfg:1 CR LF
        note settings.cfg:3 indented
        note settings.cfg:3 blanks at the end
        note settings.cfg:4 no line end
    ''')

cfg('facts.md 8.1: mixed line ends, a leading space before the header, non-UTF-8 bytes',
    'GBK in a comment and a value',
    b' #!version:1.0.0.1\r\n# \xc4\xe3\xba\xc3\naccount.1.label = \xc4\xe3\xba\xc3\n',
    'account.1.label = \\xc4\\xe3\\xba\\xc3 <- settings.cfg:3',
    findings='''
        note settings.cfg:1 blanks before the header
        note settings.cfg:2 mixed
        note settings.cfg:2 not UTF-8
    ''')

cfg('facts.md 8.1: an empty file', 'a CFG file of no bytes sets nothing', b'', '')
cfg('facts.md 8.1: an empty file', 'nothing but the header', [], '')

cfg('Yealink IP phones can download CFG files referenced in the boot files', 'an include in a CFG file is ignored',
    ['include:config <more.cfg>', 'account.1.label = a'],
    'account.1.label = a <- settings.cfg:3',
    findings='error settings.cfg:2 include belongs in a boot file')

# Files that no phone can read: the run fails and the phone keeps what it has.

KEPT = {'before': ['central account.1.label = kept'], 'settings': 'account.1.label = kept <- flash',
        'outcome': 'failed'}


def refused(sentence, here, content, why):
    case(sentence, here, tree={'y000000000000.boot': ['include:config <good.cfg>', 'include:config <settings.cfg>'],
                               'good.cfg': ['account.1.label = never applied'], 'settings.cfg': content},
         files='''
             absent  00156574b150.boot
             used    y000000000000.boot
             used    good.cfg
             refused settings.cfg
         ''', why=why, findings='error settings.cfg:1 ' + why, **KEPT)


refused('facts.md 7.9: old V6x format: detect and refuse clearly', '',
        '[ cfg:/phone/config/user.ini,reboot=0 ]\n[ account ]\npath=/config/voip/sipAccount0.cfg\n',
        'the old [ section ] format')
refused('The configuration file format must be *.cfg', 'an HTML page in its place',
        '<!DOCTYPE html>\n<html><body>Log in</body></html>\n', 'an HTML page')
refused('The configuration file format must be *.cfg', 'a page without a declaration',
        '<h1>Not Found</h1>\n', 'XML or HTML')
refused('The configuration file format must be *.cfg', 'a phone book in its place',
        '<?xml version="1.0"?>\n<root_contact/>\n', 'an XML file')
refused('The configuration file format must be *.cfg', 'UTF-16 text',
        'account.1.label = Desk\n'.encode('utf-16'), 'UTF-16 text')
# Bytes of a fixed multiplication: neither text nor anything else.
NOISE = bytes(n * n * 31 % 251 for n in range(1, 801))
refused('If configuration files have been AES encrypted', 'and the phone has no key', NOISE, 'looks encrypted (AES)')
refused('If configuration files have been AES encrypted', 'in RSA mode, facts.md 1.3',
        '#!encrypt:1.0.0.0\n#!key_signatue:RSA_256\n', 'encrypted in RSA mode')
refused('The configuration file format must be *.cfg', 'binary data', NOISE[:-3], 'binary data')

case('facts.md 7.9: old V6x format: detect and refuse clearly', 'in the place of a boot file',
     tree={'y000000000000.boot': '[ cfg:/phone/config/user.ini,reboot=0 ]\n',
           '00156574b150.cfg': ['account.1.label = a']},
     mechanism=None, why='the old [ section ] format',
     findings='error y000000000000.boot:1 the old [ section ] format',
     files='''
         absent  00156574b150.boot
         refused y000000000000.boot
     ''', **KEPT)

case('src/guide/procedure.h: a bigger file is a mistake or an attack', 'one of more than 4 MiB is refused',
     tree={'y000000000000.boot': ['include:config <settings.cfg>'],
           'settings.cfg': b'#!version:1.0.0.1\n' + b'# nothing but this\n' * 230000},
     why='settings.cfg', files='''
         absent  00156574b150.boot
         used    y000000000000.boot
         refused settings.cfg
     ''', **KEPT)

case('src/guide/procedure.h: a bigger file is a mistake or an attack', 'one of 1 MiB is read',
     tree={'y000000000000.boot': ['include:config <settings.cfg>'],
           'settings.cfg': b'#!version:1.0.0.1\n' + b'# nothing but this\n' * 55000 + b'account.1.label = Desk\n'},
     files=FILES, settings='account.1.label = Desk <- settings.cfg:55002')

case('Ensure that configuration files exist on the provisioning server',
     'what the server may not give counts as absent: a symbolic link',
     tree={'y000000000000.boot': ['include:config <link.cfg>', 'include:config <settings.cfg>'],
           'link.cfg': Link('settings.cfg'), 'settings.cfg': ['account.1.label = Desk']},
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         absent link.cfg
         used   settings.cfg
     ''',
     settings='account.1.label = Desk <- settings.cfg:2')

case('Ensure that configuration files exist on the provisioning server', 'a directory named as a boot file is none',
     tree={'00156574b150.boot': Directory(), 'y000000000000.boot': BOOT, 'settings.cfg': ['account.1.label = Desk']},
     files=FILES, settings='account.1.label = Desk <- settings.cfg:2')

# Secrets.

SECRETS = ['account.1.password = hush', 'static.security.user_password = admin:hush', 'account.1.user_name = 100',
           'static.auto_provision.server.url = http://me:hush@192.0.2.1/phones']

cfg('To protect against unauthorized access and tampering of sensitive information (for example, login password, '
    'registration information)', 'a report masks it', SECRETS + ['account.1.password = hush2'],
    '''
        account.1.password = ********                              <- settings.cfg:6 over ******** <- settings.cfg:2
        static.security.user_password = admin:********                 <- settings.cfg:3
        account.1.user_name = 100                                      <- settings.cfg:4
        static.auto_provision.server.url = http://192.0.2.1/phones     <- settings.cfg:5
    ''')
cfg('To protect against unauthorized access and tampering of sensitive information (for example, login password, '
    'registration information)', 'unless --show-secrets asks for it', SECRETS,
    '''
        account.1.password = hush                                          <- settings.cfg:2
        static.security.user_password = admin:hush                         <- settings.cfg:3
        account.1.user_name = 100                                          <- settings.cfg:4
        static.auto_provision.server.url = http://me:hush@192.0.2.1/phones <- settings.cfg:5
    ''', secrets=True)
