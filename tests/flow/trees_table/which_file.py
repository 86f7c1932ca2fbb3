"""Guide, "Downloading Boot, Configuration and Resource Files", "Supported Phones" and "Troubleshooting": which
files a phone asks for, by what is there, by model and by firmware."""
from trees_table import case, step

MAC_FIRST = '''
    absent 00156574b150.boot
    absent y000000000000.boot
'''

case('The IP phone will try to download the MAC-Oriented boot file firstly and then download the configuration '
     'files referenced in the MAC-Oriented boot file',
     tree={'00156574b150.boot': ['## The header above must appear as-is in the first line', '',
                                 'include:config <account.cfg>', 'include:config "network.cfg"', '',
                                 'overwrite_mode = 1'],
           'account.cfg': ['account.1.enable = 1', 'account.1.label = Desk'],
           'network.cfg': ['static.network.dhcp_host_name = desk']},
     mechanism='mac-boot',
     files='''
         used 00156574b150.boot
         used account.cfg
         used network.cfg
     ''',
     settings='''
         account.1.enable = 1                 <- account.cfg:2
         account.1.label = Desk               <- account.cfg:3
         static.network.dhcp_host_name = desk <- network.cfg:2
     ''',
     reboot=True)

case('If no MAC-Oriented boot file is found, the IP phone will try to download the common boot file and then '
     'download the configuration files referenced in the common boot file',
     tree={'y000000000000.boot': ['include:config <sip.cfg>'],
           'sip.cfg': ['account.1.label = Desk'],
           'y000000000066.cfg': ['account.1.label = never asked'],
           '00156574b150.cfg': ['account.1.label = never asked']},
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         used   sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2')

case('If no common boot file is found, the IP phone will try to download the Common CFG file firstly, and then try '
     'to download the MAC-Oriented CFG file from the provisioning server, that is, the old mechanism for auto '
     'provisioning',
     tree={'y000000000066.cfg': ['static.lang.gui = English', 'account.1.label = all'],
           '00156574b150.cfg': ['account.1.label = Desk']},
     mechanism='old',
     files=MAC_FIRST + '''
         used y000000000066.cfg
         used 00156574b150.cfg
     ''',
     settings='''
         account.1.label = Desk    <- 00156574b150.cfg:2 over all <- y000000000066.cfg:3
         static.lang.gui = English <- y000000000066.cfg:2
     ''')

case('try to download the Common CFG file firstly, and then try to download the MAC-Oriented CFG file',
     'the Common CFG file alone is enough',
     tree={'y000000000066.cfg': ['static.lang.gui = English']},
     mechanism='old',
     files=MAC_FIRST + '''
         used   y000000000066.cfg
         absent 00156574b150.cfg
     ''',
     settings='static.lang.gui = English <- y000000000066.cfg:2')

case('try to download the Common CFG file firstly, and then try to download the MAC-Oriented CFG file',
     'the MAC-Oriented CFG file alone is enough',
     tree={'00156574b150.cfg': ['account.1.label = Desk']},
     mechanism='old',
     files=MAC_FIRST + '''
         absent y000000000066.cfg
         used   00156574b150.cfg
     ''',
     settings='account.1.label = Desk <- 00156574b150.cfg:2')

case('Ensure that the requested files exist on the provisioning server', 'an empty directory: nothing is applied',
     tree={},
     mechanism='old', outcome='failed', why='no boot file, no common CFG file and no MAC-oriented CFG file',
     files=MAC_FIRST + '''
         absent y000000000066.cfg
         absent 00156574b150.cfg
     ''')

case('Ensure that configuration files exist on the provisioning server',
     'the boot file is there, none of its files is: nothing is applied',
     tree={'y000000000000.boot': ['include:config <sip.cfg>', 'include:config <features.cfg>']},
     outcome='failed', why='none of the CFG files that the boot file names',
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         absent sip.cfg
         absent features.cfg
     ''')

case('Ensure that configuration files exist on the provisioning server',
     'a directory lost on the server does not reset a phone; facts.md 9',
     steps=[
         step(tree={'y000000000000.boot': ['include:config <sip.cfg>'], 'sip.cfg': ['account.1.label = Desk']},
              files='''
                  absent 00156574b150.boot
                  used   y000000000000.boot
                  used   sip.cfg
              ''',
              settings='account.1.label = Desk <- sip.cfg:2'),
         step(tree={'y000000000000.boot': None, 'sip.cfg': None},
              mechanism='old', outcome='failed', why='no boot file',
              files=MAC_FIRST + '''
                  absent y000000000066.cfg
                  absent 00156574b150.cfg
              ''',
              settings='account.1.label = Desk <- flash'),
     ])

case('If both exist, the IP phone only downloads MAC-Oriented boot file and the configuration files referenced in '
     'the MAC-Oriented boot file',
     tree={'00156574b150.boot': ['include:config <account.cfg>'],
           'y000000000000.boot': ['include:config <sip.cfg>'],
           'account.cfg': ['account.1.label = Desk'],
           'sip.cfg': ['account.1.label = all']},
     mechanism='mac-boot',
     files='''
         used 00156574b150.boot
         used account.cfg
     ''',
     settings='account.1.label = Desk <- account.cfg:2')

case('Example 1: Yealink SIP-T23G IP phone downloads the boot file and configuration files from the TFTP server',
     'sip.cfg is there, features.cfg is not',
     only='tftp', phone='T23G 44.81.254.71', mac='00:15:65:74:b1:6e',
     tree={'y000000000000.boot': ['include:config <sip.cfg>', 'include:config <features.cfg>'],
           'sip.cfg': ['account.1.label = Desk']},
     files='''
         absent 00156574b16e.boot
         used   y000000000000.boot
         used   sip.cfg
         absent features.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2')

case('Example 3: Yealink SIP-T23G IP phone downloads boot file and configuration files from the HTTP server',
     'sip.cfg is not there, features.cfg is',
     only='http', phone='T23G 44.81.254.71', mac='00:15:65:74:b1:6e',
     tree={'HTTP200Directory/y000000000000.boot': ['include:config <sip.cfg>', 'include:config <features.cfg>'],
           'HTTP200Directory/features.cfg': ['features.dnd.enable = 1']},
     url='{server}HTTP200Directory/',
     files='''
         absent HTTP200Directory/00156574b16e.boot
         used   HTTP200Directory/y000000000000.boot
         absent HTTP200Directory/sip.cfg
         used   HTTP200Directory/features.cfg
     ''',
     settings='features.dnd.enable = 1 <- HTTP200Directory/features.cfg:2')

case('The MAC-Oriented boot file has to be named as 00156574b150.boot (case-sensitive)',
     'the server finds upper-case digits as well; facts.md 8.1',
     tree={'00156574B150.boot': ['include:config <$MAC.cfg>'], '00156574B150.cfg': ['account.1.label = Desk']},
     mechanism='mac-boot',
     files='''
         used 00156574b150.boot
         used 00156574b150.cfg
     ''',
     settings='account.1.label = Desk <- 00156574b150.cfg:2')

# Supported Phones: one tree for the old and the new mechanism; the model and the firmware decide.

BOTH = {'y000000000000.boot': ['[T46S]include:config <t46s.cfg>', 'include:config <all.cfg>',
                               'specific_model.excluded_mode = 1'],
        't46s.cfg': ['account.1.label = own'], 'all.cfg': ['account.1.label = new']}


def is_old(common_cfg):
    return {'mechanism': 'old',
            'tree': {**BOTH, common_cfg: ['account.1.label = old']},
            'files': 'skipped y000000000000.boot\n used %s\n absent 00156574b150.cfg' % common_cfg,
            'settings': 'account.1.label = old <- %s:2' % common_cfg}


def is_new(name=None, excluded=None):
    """`name`: the [MODEL] prefix that this phone reads; excluded: whether it has the exclude mode."""
    tree = {**BOTH, 'own.cfg': ['account.1.label = own']}
    prefix = '[%s]' % (name or 'T46S')
    tree['y000000000000.boot'] = [prefix + 'include:config <own.cfg>', 'include:config <all.cfg>',
                                  'specific_model.excluded_mode = 1']
    own = {(False, False): ('skipped own.cfg\n used all.cfg', 'new <- all.cfg:2'),
           (True, False): ('used own.cfg\n used all.cfg', 'new <- all.cfg:2 over own <- own.cfg:2'),
           (True, True): ('used own.cfg\n skipped all.cfg', 'own <- own.cfg:2')}[bool(name), bool(excluded)]
    return {'tree': tree, 'excluded': bool(excluded),
            'files': 'absent 00156574b150.boot\n used y000000000000.boot\n' + own[0],
            'settings': 'account.1.label = ' + own[1],
            'findings': '' if excluded else 'note y000000000000.boot:0 has no exclude mode: append mode'}


case('Supported Phones, SIP-T46G/S: boot file 81 or later', 'firmware 80 does not ask for it',
     phone='T46S 66.80.0.1', **is_old('y000000000066.cfg'))
case('Supported Phones, SIP-T46G/S: boot file 81 or later', 'firmware 81',
     phone='T46S 66.81.0.1', **is_new())
case('Supported Phones, SIP-T46G/S: exclude mode 83 or later', 'firmware 82',
     phone='T46S 66.82.0.1', **is_new())
case('Supported Phones, SIP-T46G/S: exclude mode 83 or later', 'firmware 83',
     phone='T46S 66.83.0.1', **is_new('T46S', True))
case('Supported Phones, SIP-T58A: boot file 80 or later', 'firmware 80, no prefixes before 83',
     phone='SIP-T58A 58.80.0.25', **is_new())
case('Supported Phones, SIP-T58A: exclude mode 83 or later', 'the name in the prefix is T58',
     phone='SIP-T58A 58.83.0.5', **is_new('T58', True))
case('Supported Phones, SIP-T57W/T54W/T53W/T53: boot file 84 or later', 'firmware 83 does not ask for it',
     phone='T54W 96.83.0.1', **is_old('y000000000096.cfg'))
case('Supported Phones, SIP-T57W/T54W/T53W/T53: exclude mode 84 or later', 'firmware 84',
     phone='T54W 96.84.0.1', **is_new('T54W', True))
case('Supported Phones, SIP-T48U/T46U/T43U/T42U: boot file 84 or later', 'firmware 84',
     phone='T43U 107.84.0.1', **is_new('T43U', True))
case('Supported Phones, SIP-T33P/T33G/T31P/T31G/T31/T30P/T30: boot file 85 or later', 'firmware 84 does not ask for it',
     phone='T30P 127.84.0.1', **is_old('y000000000127.cfg'))
case('Supported Phones, SIP-T33P/T33G/T31P/T31G/T31/T30P/T30: exclude mode 85 or later', 'firmware 85',
     phone='T30P 127.85.0.1', **is_new('T30P', True))
case('Supported Phones, VP59: boot file 83 or later', 'firmware 82 does not ask for it',
     phone='VP59 91.82.0.1', **is_old('y000000000091.cfg'))
case('Supported Phones, VP59: exclude mode 83 or later', 'firmware 83',
     phone='VP59 91.83.0.1', **is_new('VP59', True))
case('Supported Phones, CP960: boot file 80 or later', 'firmware 80',
     phone='CP960 73.80.0.1', **is_new())
case('Supported Phones, CP920: exclude mode no', 'firmware 84 reads prefixes and appends',
     phone='CP920 78.84.0.1', **is_new('CP920'))
case('Supported Phones, CP860: exclude mode no', 'firmware 83; no prefix names it',
     phone='CP860 37.83.0.1', **is_new())
case('Supported Phones, W90: boot file 85 or later', 'firmware 85',
     phone='W90 103.85.0.1', **is_new())
case('Supported Phones, W60P: boot file 81 or later', 'firmware 81',
     phone='W60P 77.81.0.1', **is_new())
case('Supported Phones, W53P: boot file 83 or later', 'firmware 82 does not ask for it',
     phone='W53P 77.82.0.1', **is_old('y000000000077.cfg'))
case('It is only applicable to IP phones (except W53P/W60P/CP930W-Base/W90)', 'W53P, firmware 84',
     phone='W53P 77.84.0.1', **is_new())
case('It is only applicable to IP phones (except W53P/W60P/CP930W-Base/W90)', 'CP930W-Base, firmware 85',
     phone='CP930W-Base 77.85.0.1', **is_new())
case('This scenario is only applicable to IP phones (except W52P/W56P IP phones) running firmware version 83 or '
     'later', 'W52P', phone='W52P 25.83.0.1', **is_new())
case('facts.md 0.1: the common CFG file is y and twelve digits', 'T28P, number 0, no boot files at all',
     phone='T28P 2.72.0.1', **is_old('y000000000000.cfg'))
