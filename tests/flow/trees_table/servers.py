"""Guide, "Obtaining the Provisioning Server Address": wildcards, complete file names, PIN codes."""
from trees_table import case, step

BOOT = ['include:config <sip.cfg>']
DESK = 'account.1.label = Desk'
TREE = {'y000000000000.boot': BOOT, 'sip.cfg': [DESK]}


def below(directory):
    return {directory + '/' + name: what for name, what in TREE.items()}


def files_of(directory):
    return '''
        absent %(d)s/00156574b150.boot
        used   %(d)s/y000000000000.boot
        used   %(d)s/sip.cfg
    ''' % {'d': directory}


case('replace the character “$PN” in the URL with “T42G” for the SIP-T42G IP phones', phone='SIP-T42G 29.83.0.120',
     url='{server}$PN', tree={**below('T42G'), **below('T46G')},
     files=files_of('T42G'), settings='account.1.label = Desk <- T42G/sip.cfg:2')

case('replace the character “$PN” in the URL with “T46G” for the SIP-T46G IP phones', phone='SIP-T46G 28.83.0.120',
     url='{server}$PN/', tree={**below('T42G'), **below('T46G')},
     files=files_of('T46G'), settings='account.1.label = Desk <- T46G/sip.cfg:2')

case('replace the character “$PN” in the URL with “T46G” for the SIP-T46G IP phones', 'in lower case',
     phone='SIP-T46G 28.83.0.120', url='{server}$pn/', tree=below('T46G'),
     files=files_of('T46G'), settings='account.1.label = Desk <- T46G/sip.cfg:2')

case('it automatically replaces the character $PN with the value of the parameter '
     '“static.auto_provision.url_wildcard.pn” configured on the IP phone', 'from the next run on',
     url='{server}$PN/', again=False,
     steps=[step(tree={**below('T46S'), 'T46S/sip.cfg': [DESK, 'static.auto_provision.url_wildcard.pn = lobby'],
                       **below('lobby')},
                 files=files_of('T46S'),
                 settings='''
                     account.1.label = Desk                        <- T46S/sip.cfg:2
                     static.auto_provision.url_wildcard.pn = lobby <- T46S/sip.cfg:3
                 '''),
            step(files=files_of('lobby'), changed='',
                 settings='''
                     account.1.label = Desk                        <- lobby/sip.cfg:2
                     static.auto_provision.url_wildcard.pn = lobby <- flash
                 ''')])

case('$MAC: it is used to identify the MAC address of the IP phone', 'a directory a phone, whatever the case of $mac',
     url='{server}$mac/$MAC', tree=below('00156574b150/00156574b150'),
     files=files_of('00156574b150/00156574b150'),
     settings='account.1.label = Desk <- 00156574b150/00156574b150/sip.cfg:2')

case('Yealink IP phones support the following wildcards in the provisioning server URL', 'no others: $PNS is $PN and '
     'an S, $USER stays', url='{server}$USER-$PNS', tree=below('$USER-T46SS'),
     files=files_of('$USER-T46SS'), settings='account.1.label = Desk <- $USER-T46SS/sip.cfg:2')

case('the IP phone will only request to download the 00156543ec97.boot file and configuration files referenced in the '
     '00156543ec97.boot file', 'URL with $PN/$MAC.boot',
     phone='SIP-T42G 29.83.0.120', mac='00:15:65:43:ec:97', url='{server}$PN/$MAC.boot',
     tree={**below('T42G'), 'T42G/00156543ec97.boot': ['include:config <own.cfg>'], 'T42G/own.cfg': [DESK]},
     mechanism='single-file', overwrite=True,
     files='''
         used T42G/00156543ec97.boot
         used T42G/own.cfg
     ''',
     settings='account.1.label = Desk <- T42G/own.cfg:2')

case('the IP phone will only request to download the 00156543ec97.boot file', 'it is not there: no other is asked for',
     mac='00:15:65:43:ec:97', url='{server}$MAC.boot', tree={**TREE, 'y000000000066.cfg': [DESK]},
     mechanism=None, outcome='failed', why='the one file that the server URL names is not there',
     files='absent 00156543ec97.boot')

case('facts.md 7.10: URL with a complete file name (.cfg): only that file is requested',
     'its values are kept as without a boot file', url='{server}conf/$MAC.cfg',
     before=['central account.2.label = kept', 'central account.1.label = old'],
     tree={**TREE, 'conf/00156574b150.cfg': [DESK, 'account.2.label =']},
     mechanism='single-file', files='used conf/00156574b150.cfg', changed='account.1.label',
     settings='''
         account.1.label = Desk <- conf/00156574b150.cfg:2 over old <- flash
         account.2.label = kept <- flash
     ''')

case('facts.md 7.10: an extension-less query URL must be taken literally', 'it gives a CFG file',
     only='http', url='{server}provision?mac=$MAC&model=$PN', tree={**TREE, 'provision': [DESK]},
     mechanism='single-file', files='used provision', settings='account.1.label = Desk <- provision:2')

case('facts.md 7.10: an extension-less query URL must be taken literally', 'it gives a boot file',
     only='http', url='{server}provision?mac=$MAC', tree={'provision': BOOT, 'sip.cfg': [DESK]},
     mechanism='single-file', overwrite=True, files='used provision\nused sip.cfg',
     settings='account.1.label = Desk <- sip.cfg:2')

case('are configured by default to use the TFTP protocol', 'an address without a scheme',
     only='tftp', url='{address}', tree=TREE,
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         used   sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2')

case('facts.md 4: no scheme: static.auto_provision.server.type', 'set to http before',
     only='http', url='{address}', tree=TREE, before=['central static.auto_provision.server.type = http'],
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         used   sip.cfg
     ''',
     changed='account.1.label',
     settings='account.1.label = Desk <- sip.cfg:2\nstatic.auto_provision.server.type = http <- flash')

case('Yealink IP phones can obtain the provisioning server address from the IP phone flash',
     url=None, tree=TREE, before=['central static.auto_provision.server.url = {server}'],
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         used   sip.cfg
     ''',
     changed='account.1.label',
     settings='account.1.label = Desk <- sip.cfg:2\nstatic.auto_provision.server.url = {server} <- flash')

case('Ensure that the access URL is correct', 'what is no URL in flash fails before anything is asked',
     url=None, before=['central static.auto_provision.server.url = gopher://192.0.2.1/'], tree=TREE, mechanism=None,
     outcome='failed', why='the server URL is not one that a phone can fetch from',
     settings='static.auto_provision.server.url = gopher://192.0.2.1/ <- flash')

case('The server URL “ftp://username:password@IP/”', 'user and password stay out of every report',
     only='http', url='http://me:hush@{address}', tree=TREE,
     files='''
         absent 00156574b150.boot
         used   y000000000000.boot
         used   sip.cfg
     ''',
     settings='account.1.label = Desk <- sip.cfg:2')

# Auto Provisioning via PIN Code: the guide's own files.

PIN = 'static.custom_mac_cfg.url = {server}$pin.cfg'
OFFICE = {'y000000000108.cfg': [PIN, 'static.lang.gui = English'], 'A31.cfg': ['account.1.label = 31'],
          'A32.cfg': ['account.1.label = 32'], '00156574b150.cfg': ['account.1.label = never asked']}
COMMON = '''
    absent 00156574b150.boot
    absent y000000000000.boot
    used   y000000000108.cfg
'''
KEPT = PIN + ' <- y000000000108.cfg:2\nstatic.lang.gui = English <- y000000000108.cfg:3\n'

case('The phone will download the corresponding PIN CFG file according to the PIN code', 'A31',
     phone='SIP-T46U 108.84.0.10', pin='A31', mechanism='old', tree=OFFICE,
     files=COMMON + 'used A31.cfg', settings=KEPT + 'account.1.label = 31 <- A31.cfg:2')

case('The phone will download the corresponding PIN CFG file according to the PIN code',
     'a wrong one: it is asked for again, and without one the phone goes on',
     phone='SIP-T46U 108.84.0.10', pin='A99', mechanism='old', tree=OFFICE,
     files=COMMON + 'absent A99.cfg\nskipped $pin.cfg', settings=KEPT)

case('users can trigger it to perform an auto provisioning by entering the PIN code', 'none is entered',
     phone='SIP-T46U 108.84.0.10', mechanism='old', tree=OFFICE,
     files=COMMON + 'skipped $pin.cfg', settings=KEPT)

case('Place the common CFG file and PIN CFG files on the provisioning server', 'another person enters a PIN later',
     phone='SIP-T46U 108.84.0.10', mechanism='old', tree=OFFICE,
     steps=[step(pin='A31', files=COMMON + 'used A31.cfg', settings=KEPT + 'account.1.label = 31 <- A31.cfg:2'),
            step(pin='A32', files=COMMON + 'used A32.cfg', changed='account.1.label',
                 settings=KEPT + 'account.1.label = 32 <- A32.cfg:2 over 31 <- flash')])

case('Set the valid value for the following configuration parameter in the common CFG file: static.custom_mac_cfg.url',
     'without $pin it names the file of this phone', phone='SIP-T46U 108.84.0.10', mechanism='old',
     tree={'y000000000108.cfg': ['static.custom_mac_cfg.url = {server}people/$MAC.cfg'],
           'people/00156574b150.cfg': [DESK], '00156574b150.cfg': ['account.1.label = never asked']},
     files=COMMON + 'used people/00156574b150.cfg',
     settings='''
         static.custom_mac_cfg.url = {server}people/$MAC.cfg <- y000000000108.cfg:2
         account.1.label = Desk                              <- people/00156574b150.cfg:2
     ''')
