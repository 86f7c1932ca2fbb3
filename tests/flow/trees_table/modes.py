"""Guide, "Editing Common Boot File": [$MODEL] before include, append mode and exclude mode."""
from trees_table import case

BOOT = '''
    absent 00156574b150.boot
    used   y000000000000.boot
'''
# One file for each kind of model line; every file sets its own line key and the same label.
FILES = {'all.cfg': ['account.1.label = all'], 'own.cfg': ['account.1.label = own'],
         'other.cfg': ['account.1.label = other'], 'more.cfg': ['linekey.1.value = more']}
LINES = ['include:config <all.cfg>', '[T46S]include:config <own.cfg>', '[T48S]include:config <other.cfg>',
         'include:config <more.cfg>']

case('It is only applicable to IP phones running firmware version 83 or later',
     'a T46S of firmware 82 skips every include with [$MODEL]', phone='T46S 66.82.0.20',
     tree={'y000000000000.boot': LINES, **FILES},
     files=BOOT + '''
         used    all.cfg
         skipped own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = all  <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('0-Disabled (Append Mode), the phone downloads its own model-specific configuration files and downloads other '
     'model-unspecified configuration files',
     tree={'y000000000000.boot': LINES + ['specific_model.excluded_mode = 0'], **FILES},
     files=BOOT + '''
         used    all.cfg
         used    own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = own  <- own.cfg:2 over all <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('If a boot file is used but the value of the parameter “specific_model.excluded_mode” is not configured, the '
     'exclude mode is disabled by default',
     tree={'y000000000000.boot': LINES, **FILES},
     files=BOOT + '''
         used    all.cfg
         used    own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = own  <- own.cfg:2 over all <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('0-Disabled (Append Mode), the phone downloads its own model-specific configuration files and downloads other '
     'model-unspecified configuration files', 'its own file is absent',
     tree={'y000000000000.boot': LINES, **FILES, 'own.cfg': None},
     files=BOOT + '''
         used    all.cfg
         absent  own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = all  <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('1-Enabled (Exclude Mode), the phone attempts to download its own model-specific configuration files',
     'they are there: those without [$MODEL] are not asked for',
     tree={'y000000000000.boot': LINES + ['specific_model.excluded_mode = 1'], **FILES},
     excluded=True,
     files=BOOT + '''
         used    own.cfg
         skipped other.cfg
         skipped all.cfg
         skipped more.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('if there are no own model-specific configuration files found on the server, it downloads model-unspecified '
     'configuration files', 'named but absent',
     tree={'y000000000000.boot': LINES + ['specific_model.excluded_mode = 1'], **FILES, 'own.cfg': None},
     excluded=True,
     files=BOOT + '''
         absent  own.cfg
         skipped other.cfg
         used    all.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = all  <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('if there are no own model-specific configuration files found on the server, it downloads model-unspecified '
     'configuration files', 'none named', phone='T42S 67.84.0.10',
     tree={'y000000000000.boot': LINES + ['specific_model.excluded_mode = 1'], **FILES},
     excluded=True,
     files=BOOT + '''
         skipped own.cfg
         skipped other.cfg
         used    all.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = all  <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('1-Enabled (Exclude Mode), the phone attempts to download its own model-specific configuration files',
     'one of two is there',
     tree={'y000000000000.boot': ['[T46S]include:config <gone.cfg>', '[T46S,T48S]include:config <own.cfg>',
                                  'include:config <all.cfg>', 'specific_model.excluded_mode = 1'], **FILES},
     excluded=True,
     files=BOOT + '''
         absent  gone.cfg
         used    own.cfg
         skipped all.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('Exclude mode feature is only applicable to IP phones running firmware version 83 or later',
     'a T46S of firmware 82 appends, and reads no [$MODEL]', phone='T46S 66.82.0.20',
     tree={'y000000000000.boot': LINES + ['specific_model.excluded_mode = 1'], **FILES},
     files=BOOT + '''
         used    all.cfg
         skipped own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = all  <- all.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''',
     findings='note y000000000000.boot:0 has no exclude mode: append mode')

case('Exclude mode can only be used in boot files', 'in a CFG file it is ignored',
     tree={'y000000000000.boot': LINES, **FILES,
           'all.cfg': ['specific_model.excluded_mode = 1', 'account.1.label = all']},
     files=BOOT + '''
         used    all.cfg
         used    own.cfg
         skipped other.cfg
         used    more.cfg
     ''',
     settings='''
         account.1.label = own  <- own.cfg:2 over all <- all.cfg:3
         linekey.1.value = more <- more.cfg:2
     ''',
     findings='error all.cfg:2 the exclude mode can only be used in boot files')

case('facts.md 7.2: an admin-guide table prints static.specific_model.excluded_mode; both are accepted',
     tree={'y000000000000.boot': LINES + ['static.specific_model.excluded_mode=1'], **FILES},
     excluded=True,
     files=BOOT + '''
         used    own.cfg
         skipped other.cfg
         skipped all.cfg
         skipped more.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('The exclude mode applies to the configuration files specified in the boot file',
     'a MAC-Oriented boot file has it as well',
     tree={'00156574b150.boot': LINES + ['specific_model.excluded_mode = 1'], **FILES},
     mechanism='mac-boot', excluded=True,
     files='''
         used    00156574b150.boot
         used    own.cfg
         skipped other.cfg
         skipped all.cfg
         skipped more.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('Multiple phone models are separated by commas. For example, [T46S, T23G]', 'with blanks in and behind it',
     tree={'y000000000000.boot': ['[T23G, T46S] include:config <own.cfg>', ' [ T46S ]include:config <more.cfg>',
                                  '[T48S,T46G]include:config <other.cfg>'], **FILES},
     files=BOOT + '''
         used    own.cfg
         used    more.cfg
         skipped other.cfg
     ''',
     settings='''
         account.1.label = own  <- own.cfg:2
         linekey.1.value = more <- more.cfg:2
     ''')

case('The phone model name T21P_E2 is applicable to T21P E2 and T21 E2 phones', 'SIP-T21 E2',
     phone='SIP-T21 E2 52.84.0.15',
     tree={'y000000000000.boot': ['[T21P_E2]include:config <own.cfg>', '[T46S]include:config <other.cfg>'], **FILES},
     files=BOOT + '''
         used    own.cfg
         skipped other.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('The phone model name T21P_E2 is applicable to T21P E2 and T21 E2 phones', 'SIP-T21P E2',
     phone='SIP-T21P E2 52.84.0.15',
     tree={'y000000000000.boot': ['[T21P_E2]include:config <own.cfg>', '[T46S]include:config <other.cfg>'], **FILES},
     files=BOOT + '''
         used    own.cfg
         skipped other.cfg
     ''',
     settings='account.1.label = own <- own.cfg:2')

case('The valid phone model names are: VP59, T58, CP960, T57W, T54W, T53W, T53, T48U, T48S, T48G, T46U, T46S',
     'SIP-T46S is none of them, nor is T47',
     tree={'y000000000000.boot': ['[SIP-T46S]include:config <own.cfg>', '[T47]include:config <other.cfg>',
                                  'include:config <all.cfg>'], **FILES},
     files=BOOT + '''
         skipped own.cfg
         skipped other.cfg
         used    all.cfg
     ''',
     settings='account.1.label = all <- all.cfg:2',
     findings='''
         warning y000000000000.boot:2 a [MODEL] prefix names this phone T46S, not SIP-T46S
         warning y000000000000.boot:3 T47 is no phone model
     ''')

case('The [$MODEL] can be added to specify settings for specific phone models',
     'nothing but files of other models: none is asked for, nothing is set',
     tree={'y000000000000.boot': ['[T48S]include:config <other.cfg>'], **FILES},
     files=BOOT + 'skipped other.cfg',
     findings='error y000000000000.boot:0 names no CFG file for a SIP-T46S', again=False)
