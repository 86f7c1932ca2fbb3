"""Guide, "Editing Common Boot File", overwrite_mode: what a blank, a deleted, a commented-out and a %NULL% value
do to a setting that the phone has (the table in src/guide/settings.h, row by row). First run: two settings, one
of them static; second run: the CFG file as the case says."""
from trees_table import case, step

FILES = '''
    absent 00156574b150.boot
    used   y000000000000.boot
    used   sip.cfg
'''


def second(sentence, here, mode, lines, settings, changed='', **more):
    """mode: the line about overwrite_mode in the boot file."""
    case(sentence, here, files=FILES, overwrite='0' not in mode,
         steps=[step(tree={'y000000000000.boot': ['include:config <sip.cfg>', mode],
                           'sip.cfg': ['account.1.label = Desk', 'static.lang.gui = English',
                                       'features.dnd.enable = 1']},
                     settings='''
                         account.1.label = Desk    <- sip.cfg:2
                         static.lang.gui = English <- sip.cfg:3
                         features.dnd.enable = 1   <- sip.cfg:4
                     '''),
                step(tree={'sip.cfg': lines}, settings=settings, changed=changed, **more)])


ON, OFF = 'overwrite_mode = 1', 'overwrite_mode = 0'

second('1-(Enabled) - If the value of a parameter in configuration files is left blank, the factory default value '
       'takes effect', 'static or not', ON,
       ['account.1.label =', 'static.lang.gui =', 'features.dnd.enable = 1'],
       'features.dnd.enable = 1 <- sip.cfg:4', 'account.1.label static.lang.gui')

second('1-(Enabled) - if a non-static parameter in configuration files is deleted, the factory default value takes '
       'effect', 'the static one is kept; facts.md 7.2', ON,
       ['features.dnd.enable = 1'],
       '''
           features.dnd.enable = 1   <- sip.cfg:2
           static.lang.gui = English <- flash
       ''', 'account.1.label')

second('1-(Enabled) - if a non-static parameter in configuration files is commented out, the factory default value '
       'takes effect', 'the static one is kept; facts.md 7.2', ON,
       ['#account.1.label = Desk', '# static.lang.gui = English', 'features.dnd.enable = 1'],
       '''
           features.dnd.enable = 1   <- sip.cfg:4
           static.lang.gui = English <- flash
       ''', 'account.1.label')

second('facts.md 7.5: %NULL% = explicit empty/default', 'overwrite_mode = 1', ON,
       ['account.1.label = %NULL%', 'static.lang.gui = %NULL%', 'features.dnd.enable = 1'],
       'features.dnd.enable = 1 <- sip.cfg:4', 'account.1.label static.lang.gui')

second('1-(Enabled)', 'another value overrides what was there; of a non-static one nothing is left to override', ON,
       ['account.1.label = New', 'static.lang.gui = German', 'features.dnd.enable = 1'],
       '''
           account.1.label = New    <- sip.cfg:2
           static.lang.gui = German <- sip.cfg:3 over English <- flash
           features.dnd.enable = 1  <- sip.cfg:4
       ''', 'account.1.label static.lang.gui')

second('0-(Disabled) - If the value of a parameter in configuration files is left blank, the pre-configured value is '
       'kept', 'static or not', OFF,
       ['account.1.label =', 'static.lang.gui =', 'features.dnd.enable = 1'],
       '''
           account.1.label = Desk    <- flash
           static.lang.gui = English <- flash
           features.dnd.enable = 1   <- sip.cfg:4
       ''')

second('0-(Disabled) - If the value of a parameter in configuration files is deleted, the pre-configured value is '
       'kept', 'static or not', OFF,
       ['features.dnd.enable = 1'],
       '''
           account.1.label = Desk    <- flash
           static.lang.gui = English <- flash
           features.dnd.enable = 1   <- sip.cfg:2
       ''')

second('0-(Disabled) - If the value of a parameter in configuration files is commented out, the pre-configured value '
       'is kept', 'static or not', OFF,
       ['#account.1.label = Desk', '# static.lang.gui = English', 'features.dnd.enable = 1'],
       '''
           account.1.label = Desk    <- flash
           static.lang.gui = English <- flash
           features.dnd.enable = 1   <- sip.cfg:4
       ''')

second('facts.md 7.5: %NULL% = explicit empty/default', 'overwrite_mode = 0', OFF,
       ['account.1.label = %NULL%', 'static.lang.gui = %NULL%', 'features.dnd.enable = 1'],
       'features.dnd.enable = 1 <- sip.cfg:4', 'account.1.label static.lang.gui')

second('0-(Disabled)', 'another value overrides what was there', OFF,
       ['account.1.label = New', 'static.lang.gui = German', 'features.dnd.enable = 0'],
       '''
           account.1.label = New    <- sip.cfg:2 over Desk <- flash
           static.lang.gui = German <- sip.cfg:3 over English <- flash
           features.dnd.enable = 0  <- sip.cfg:4 over 1 <- flash
       ''', 'account.1.label features.dnd.enable static.lang.gui')

second('If a boot file is used but the value of the parameter “overwrite_mode” is not configured, the overwrite mode '
       'is enabled by default', '', '## nothing about it',
       ['features.dnd.enable = 1'],
       '''
           features.dnd.enable = 1   <- sip.cfg:2
           static.lang.gui = English <- flash
       ''', 'account.1.label')

second('This parameter can only be used in boot files', 'overwrite_mode = 0 in a CFG file is ignored', ON,
       ['overwrite_mode = 0', 'features.dnd.enable = 1'],
       '''
           features.dnd.enable = 1   <- sip.cfg:3
           static.lang.gui = English <- flash
       ''', 'account.1.label',
       findings='error sip.cfg:2 overwrite_mode can only be used in boot files')

case('Enable or disable the overwrite mode', 'neither 1 nor 0 is no mode: enabled by default',
     tree={'y000000000000.boot': ['include:config <sip.cfg>', 'overwrite_mode = off'],
           'sip.cfg': ['account.1.label = Desk']},
     files=FILES, settings='account.1.label = Desk <- sip.cfg:2',
     findings='error y000000000000.boot:3 overwrite_mode is 0 or 1, not `off`')

case('Enable or disable the overwrite mode', 'set twice: the last one counts',
     tree={'y000000000000.boot': ['overwrite_mode = 1', 'include:config <sip.cfg>', 'overwrite_mode = 0'],
           'sip.cfg': ['account.1.label = Desk']},
     files=FILES, overwrite=False, settings='account.1.label = Desk <- sip.cfg:2',
     findings='warning y000000000000.boot:4 set a second time')

case('Enable or disable the overwrite mode', 'enabled later: what was only kept goes',
     files=FILES,
     steps=[step(tree={'y000000000000.boot': ['include:config <sip.cfg>', OFF],
                       'sip.cfg': ['account.1.label = Desk', 'features.dnd.enable = 1']},
                 overwrite=False,
                 settings='''
                     account.1.label = Desk  <- sip.cfg:2
                     features.dnd.enable = 1 <- sip.cfg:3
                 '''),
            step(tree={'sip.cfg': ['account.1.label = Desk']},
                 overwrite=False, changed='',
                 settings='''
                     account.1.label = Desk  <- sip.cfg:2
                     features.dnd.enable = 1 <- flash
                 '''),
            step(tree={'y000000000000.boot': ['include:config <sip.cfg>', ON]},
                 changed='features.dnd.enable',
                 settings='account.1.label = Desk <- sip.cfg:2')])

OLD = '''
    absent 00156574b150.boot
    absent y000000000000.boot
    used   y000000000066.cfg
    used   00156574b150.cfg
'''

case('facts.md 7.2: without a boot file behave as keep (0)', 'blank, deleted, commented out and %NULL%',
     mechanism='old', files=OLD,
     steps=[step(tree={'y000000000066.cfg': ['static.lang.gui = English', 'features.dnd.enable = 1',
                                             'features.dnd_mode = 1'],
                       '00156574b150.cfg': ['account.1.label = Desk', 'account.1.user_name = 100']},
                 settings='''
                     static.lang.gui = English <- y000000000066.cfg:2
                     features.dnd.enable = 1   <- y000000000066.cfg:3
                     features.dnd_mode = 1     <- y000000000066.cfg:4
                     account.1.label = Desk    <- 00156574b150.cfg:2
                     account.1.user_name = 100 <- 00156574b150.cfg:3
                 '''),
            step(tree={'y000000000066.cfg': ['static.lang.gui = ', '#features.dnd.enable = 1'],
                       '00156574b150.cfg': ['account.1.label = Desk', 'account.1.user_name = %NULL%']},
                 changed='account.1.user_name',
                 settings='''
                     static.lang.gui = English <- flash
                     features.dnd.enable = 1   <- flash
                     features.dnd_mode = 1     <- flash
                     account.1.label = Desk    <- 00156574b150.cfg:2
                 ''')])
