"""Guide, "Editing Common Boot File": the lines of a boot file, and where its URLs lead."""
from trees_table import case

BOOT = '''
    absent 00156574b150.boot
    used   y000000000000.boot
'''

case('The line beginning with “#” is considered to be a comment', 'in a boot file',
     tree={'y000000000000.boot': ['##[$MODEL]include:config <xxx.cfg>', '#include:config <not.cfg>',
                                  '#overwrite_mode = 0', 'include:config <sip.cfg>'],
           'sip.cfg': ['account.1.label = Desk'], 'not.cfg': ['account.1.label = not']},
     files=BOOT + 'used sip.cfg',
     settings='account.1.label = Desk <- sip.cfg:2')

case('Relative URL (relative to the boot file): For example, sip.cfg, HTTP Directory/sip.cfg',
     tree={'y000000000000.boot': ['include:config <sip.cfg>', 'include:config "HTTP Directory/sip.cfg"'],
           'sip.cfg': ['account.1.label = above'], 'HTTP Directory/sip.cfg': ['account.1.label = Desk']},
     files=BOOT + '''
         used sip.cfg
         used HTTP Directory/sip.cfg
     ''',
     settings='account.1.label = Desk <- HTTP Directory/sip.cfg:2 over above <- sip.cfg:2')

case('Relative URL (relative to the boot file)', 'a blank that is written as %20 already',
     tree={'y000000000000.boot': ['include:config <HTTP%20Directory/sip.cfg>'],
           'HTTP Directory/sip.cfg': ['account.1.label = Desk']},
     files=BOOT + 'used HTTP Directory/sip.cfg',
     settings='account.1.label = Desk <- HTTP Directory/sip.cfg:2')

case('[T48S,T46G]include:config <../sip.cfg>', 'the directory above that of the boot file',
     phone='T46G 28.83.0.120', url='{server}phones/',
     tree={'phones/y000000000000.boot': ['[T48S,T46G]include:config <../sip.cfg>'],
           'sip.cfg': ['account.1.label = above'], 'phones/sip.cfg': ['account.1.label = not this']},
     files='''
         absent phones/00156574b150.boot
         used   phones/y000000000000.boot
         used   sip.cfg
     ''',
     settings='account.1.label = above <- sip.cfg:2')

case('[T48S,T46G]include:config <../sip.cfg>', 'above the root there is only the root',
     phone='T46G 28.83.0.120',
     tree={'y000000000000.boot': ['[T48S,T46G]include:config <../../../../sip.cfg>', 'include:config <all.cfg>'],
           'all.cfg': ['account.1.label = Desk']},
     files=BOOT + '''
         absent sip.cfg
         used   all.cfg
     ''',
     settings='account.1.label = Desk <- all.cfg:2')

case('Absolute URL: For example, http://10.2.5.258/HTTP_Directory/sip.cfg',
     tree={'y000000000000.boot': ['include:config <{server}HTTP_Directory/sip.cfg>'],
           'HTTP_Directory/sip.cfg': ['account.1.label = Desk']},
     files=BOOT + 'used HTTP_Directory/sip.cfg',
     settings='account.1.label = Desk <- HTTP_Directory/sip.cfg:2')

case('[T46S]include:config <tftp://10.2.5.193/network.cfg>', 'the same host by another protocol',
     tree={'y000000000000.boot': ['[T46S]include:config <{rival}network.cfg>', 'include:config "features.cfg"'],
           'network.cfg': ['static.network.dhcp_host_name = desk'], 'features.cfg': ['features.dnd.enable = 1']},
     files=BOOT + '''
         used network.cfg
         used features.cfg
     ''',
     settings='''
         features.dnd.enable = 1              <- features.cfg:2
         static.network.dhcp_host_name = desk <- network.cfg:2
     ''',
     reboot=True)

case('Absolute URL', 'on another host, which explain does not know: it goes on as if the file were absent',
     tree={'y000000000000.boot': ['include:config <{elsewhere}far.cfg>', 'include:config <sip.cfg>'],
           'sip.cfg': ['account.1.label = Desk']},
     elsewhere={'far.cfg': ['features.dnd.enable = 1']},
     files=BOOT + '''
         used {elsewhere}far.cfg
         used sip.cfg
     ''',
     settings='''
         account.1.label = Desk  <- sip.cfg:2
         features.dnd.enable = 1 <- {elsewhere}far.cfg:2
     ''',
     again=False,
     explain={'files': BOOT + '''
                  skipped {elsewhere}far.cfg
                  used    sip.cfg
              ''',
              'settings': 'account.1.label = Desk <- sip.cfg:2',
              'changed': 'account.1.label'})

case('Absolute URL', 'on another host that has no such file',
     tree={'y000000000000.boot': ['include:config <{elsewhere}far.cfg>', 'include:config <sip.cfg>'],
           'sip.cfg': ['account.1.label = Desk']},
     files=BOOT + '''
         absent {elsewhere}far.cfg
         used   sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2',
     again=False,
     explain={'files': BOOT + '''
                  skipped {elsewhere}far.cfg
                  used    sip.cfg
              '''})

case('The CFG files are downloaded in the order listed (top to bottom). The parameters in the newly downloaded '
     'configuration files will override the duplicate parameters in files downloaded earlier',
     tree={'y000000000000.boot': ['include:config <b.cfg>', 'include:config <a.cfg>', 'include:config <c.cfg>'],
           'a.cfg': ['account.1.label = a', 'account.1.user_name = a'],
           'b.cfg': ['account.1.label = b', 'account.1.auth_name = b'],
           'c.cfg': ['# nothing before', 'account.1.label = c']},
     files=BOOT + '''
         used b.cfg
         used a.cfg
         used c.cfg
     ''',
     settings='''
         account.1.label = c     <- c.cfg:3 over a <- a.cfg:2 over b <- b.cfg:2
         account.1.user_name = a <- a.cfg:3
         account.1.auth_name = b <- b.cfg:3
     ''')

case('The “include” statement can be repeated as many times as needed', 'also for one file twice',
     tree={'y000000000000.boot': ['include:config <a.cfg>', 'include:config <b.cfg>', 'include:config <a.cfg>'],
           'a.cfg': ['account.1.label = a'], 'b.cfg': ['account.1.label = b']},
     files=BOOT + '''
         used a.cfg
         used b.cfg
         used a.cfg
     ''',
     settings='account.1.label = a <- a.cfg:2 over b <- b.cfg:2 over a <- a.cfg:2')

case('The “include” statement can be repeated as many times as needed', 'forty files',
     tree={'y000000000000.boot': ['include:config <%d.cfg>' % n for n in range(40)],
           **{'%d.cfg' % n: ['linekey.%d.value = %d' % (n, n)] for n in range(40)}},
     files=BOOT + ''.join('used %d.cfg\n' % n for n in range(40)),
     settings=''.join('linekey.%d.value = %d <- %d.cfg:2\n' % (n, n, n) for n in range(40)))

case('The “include” statement can be repeated as many times as needed', 'none at all: nothing is applied',
     before=['central account.1.label = Desk'],
     tree={'y000000000000.boot': ['overwrite_mode = 1']},
     files=BOOT, settings='account.1.label = Desk <- flash', changed='', again=False,
     findings='error y000000000000.boot:0 names no CFG file for a SIP-T46S')

case('The “include” statement can be repeated as many times as needed', 'an empty boot file',
     before=['central account.1.label = Desk', 'central static.lang.gui = English'],
     tree={'y000000000000.boot': b''},
     files=BOOT, changed='', again=False,
     settings="""
         account.1.label = Desk <- flash
         static.lang.gui = English <- flash""",
     findings='error y000000000000.boot:0 names no CFG file')

case('The configuration file format must be *.cfg', 'another ending is asked for all the same',
     tree={'y000000000000.boot': ['include:config <sip.txt>'], 'sip.txt': ['account.1.label = Desk']},
     files=BOOT + 'used sip.txt',
     settings='account.1.label = Desk <- sip.txt:2',
     findings='warning y000000000000.boot:2 must be a .cfg')

case('The URL must point to a specific CFG file', 'what is no URL is skipped',
     tree={'y000000000000.boot': ['include:config <http:///sip.cfg>', 'include:config <>',
                                  'include:config <sip.cfg>'],
           'sip.cfg': ['account.1.label = Desk']},
     files=BOOT + '''
         skipped http:///sip.cfg
         used    sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2',
     findings='''
         error y000000000000.boot:2 not a URL that a phone can fetch
         error y000000000000.boot:3 include names no file
     ''')

case('The URL must point to a specific CFG file', 'a directory is none',
     tree={'y000000000000.boot': ['include:config <conf.cfg>', 'include:config <sip.cfg>'],
           'conf.cfg/sip.cfg': ['account.1.label = not this'], 'sip.cfg': ['account.1.label = Desk']},
     files=BOOT + '''
         absent conf.cfg
         used   sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2')

for here, name, told in (('a backslash is no slash', 'conf\\sip.cfg', True),
                         ('a bad escape is no name', 'conf%2zsip.cfg', False)):
    LINE = {'y000000000000.boot': ['include:config <%s>' % name, 'include:config <all.cfg>'],
            'conf/sip.cfg': ['account.1.label = not this'], 'all.cfg': ['account.1.label = Desk']}
    TOLD = 'error y000000000000.boot:2 a slash, not a backslash' if told else ''
    case('The URL must point to a specific CFG file', here + '; to TFTP it is an absent file', only='tftp', tree=LINE,
         files=BOOT + 'absent %s\nused all.cfg' % name, settings='account.1.label = Desk <- all.cfg:2', findings=TOLD)
    case('The URL must point to a specific CFG file', here + '; HTTP answers 400, a failure', only='http', tree=LINE,
         files=BOOT + 'failed %s' % name, outcome='failed', findings=TOLD)

case('facts.md 7.8: real boot files use $mac and $MAC inside include', 'and $PN; other names stay as they are',
     tree={'y000000000000.boot': ['include:config <$PN/$mac.cfg>', 'include:config <$MAC-more.cfg>',
                                  'include:config <$other.cfg>'],
           'T46S/00156574b150.cfg': ['account.1.label = Desk'], '00156574b150-more.cfg': ['account.2.label = More'],
           '$other.cfg': ['account.3.label = Other']},
     files=BOOT + '''
         used T46S/00156574b150.cfg
         used 00156574b150-more.cfg
         used $other.cfg
     ''',
     settings='''
         account.1.label = Desk  <- T46S/00156574b150.cfg:2
         account.2.label = More  <- 00156574b150-more.cfg:2
         account.3.label = Other <- $other.cfg:2
     ''')

case('facts.md 8.1: include bare, in curly quotes, with blanks, in capitals, in a file of CR LF and a BOM',
     tree={'y000000000000.boot': b'\xef\xbb\xbf#!version:1.0.0.1\r\n'
                                 b'include:config bare.cfg\r\n'
                                 b'  include : config \xe2\x80\x9ccurly.cfg\xe2\x80\x9d\r\n'
                                 b'INCLUDE:CONFIG <capitals.cfg>\r\n'
                                 b'include:config"close.cfg"\r\n'
                                 b'overwrite_mode=1',
           'bare.cfg': ['account.1.label = bare'], 'curly.cfg': ['account.2.label = curly'],
           'capitals.cfg': ['account.3.label = capitals'], 'close.cfg': ['account.4.label = close']},
     files=BOOT + '''
         used bare.cfg
         used curly.cfg
         used capitals.cfg
         used close.cfg
     ''',
     settings='''
         account.1.label = bare     <- bare.cfg:2
         account.2.label = curly    <- curly.cfg:2
         account.3.label = capitals <- capitals.cfg:2
         account.4.label = close    <- close.cfg:2
     ''',
     findings='''
         note y000000000000.boot:1 byte order mark
         note y000000000000.boot:1 CR LF
         note y000000000000.boot:2 neither quotes nor
         warning y000000000000.boot:3 curly quotes
         note y000000000000.boot:6 no line end
     ''')

case('facts.md 0.2: #!/version with a slash is accepted',
     tree={'y000000000000.boot': '#!/version:1.0.0.1\ninclude:config <sip.cfg>\n',
           'sip.cfg': '#!/version:1.0.0.1\naccount.1.label = Desk\n'},
     files=BOOT + 'used sip.cfg',
     settings='account.1.label = Desk <- sip.cfg:2',
     findings='''
         note y000000000000.boot:1 without a slash
         note sip.cfg:1 without a slash
     ''')

case('facts.md 8.1: parameters inside .boot', 'they are ignored there',
     tree={'y000000000000.boot': ['account.1.label = boot', 'include:config <sip.cfg>', 'no sense at all'],
           'sip.cfg': ['account.2.label = Desk']},
     files=BOOT + 'used sip.cfg',
     settings='account.2.label = Desk <- sip.cfg:2',
     findings='''
         error y000000000000.boot:2 account.1.label does not belong in a boot file
         error y000000000000.boot:4 neither include:config nor
     ''')
