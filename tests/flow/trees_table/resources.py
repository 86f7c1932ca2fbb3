"""Guide, "Downloading Boot, Configuration and Resource Files" and "Resolving and Updating Configurations": what the
CFG files ask for, when a run changes nothing, when the phone reboots."""
from trees_table import WAV, case, step

FILES = '''
    absent 00156574b150.boot
    used   y000000000000.boot
    used   features.cfg
'''
BOOT = {'y000000000000.boot': ['include:config <features.cfg>']}

case('If the access URLs of the resource files have been specified in the configuration files, the phone will try to '
     'download the resource files', 'there or not, absolute or relative',
     tree={**BOOT, 'features.cfg': ['ringtone.url = {server}Customring.wav', 'auto_dst.url = res/AutoDST.xml',
                                    'super_search.url = gone.xml', 'local_contact.data.delete = http://localhost/all'],
           'Customring.wav': WAV, 'res/AutoDST.xml': '<DSTData></DSTData>'},
     files=FILES,
     settings='''
         ringtone.url = {server}Customring.wav             <- features.cfg:2
         auto_dst.url = res/AutoDST.xml                    <- features.cfg:3
         super_search.url = gone.xml                       <- features.cfg:4
         local_contact.data.delete = http://localhost/all  <- features.cfg:5
     ''',
     resources='''
         used   ringtone.url Customring.wav
         used   auto_dst.url res/AutoDST.xml
         absent super_search.url gone.xml
         used   local_contact.data.delete http://localhost/all
     ''')

case('the access URL of the resource file should be specified in the MAC-Oriented CFG file',
     'only the URL that holds in the end is asked for',
     tree={'y000000000000.boot': ['include:config <features.cfg>', 'include:config <$MAC.cfg>'],
           'features.cfg': ['ringtone.url = all.wav', '[T48S]auto_dst.url = never.xml', '[T46S]auto_dst.url = DST.xml'],
           '00156574b150.cfg': ['ringtone.url = mine.wav'],
           'all.wav': WAV, 'mine.wav': WAV, 'DST.xml': '<DSTData/>', 'never.xml': '<DSTData/>'},
     files=FILES + 'used 00156574b150.cfg',
     settings='''
         ringtone.url = mine.wav <- 00156574b150.cfg:2 over all.wav <- features.cfg:2
         auto_dst.url = DST.xml  <- features.cfg:4
     ''',
     resources='''
         used auto_dst.url DST.xml
         used ringtone.url mine.wav
     ''')

case('Firmware: X.83.0.XX.rom, For example, 44.83.0.10.rom', 'blanks, brackets and $PN in its name, facts.md 6.2',
     tree={**BOOT, 'features.cfg': ['static.firmware.url = {server}fw/$PN(T43U,T46S) 66.84.0.20.rom'],
           'fw/T46S(T43U,T46S) 66.84.0.20.rom': b'\0' * 100000},
     # The firmware that it boots with applies everything anew.
     files=FILES, reboot=True, again=False,
     settings='static.firmware.url = {server}fw/$PN(T43U,T46S) 66.84.0.20.rom <- features.cfg:2',
     resources='used static.firmware.url fw/T46S(T43U,T46S) 66.84.0.20.rom')

case('Ensure that the ring tone file exists on the provisioning server',
     'an absent resource file does not stop the run; what is no URL is told',
     tree={**BOOT, 'features.cfg': ['ringtone.url = none.wav', 'auto_dst.url = http:///DST.xml',
                                    'account.1.label = Desk']},
     files=FILES,
     settings='''
         ringtone.url = none.wav        <- features.cfg:2
         auto_dst.url = http:///DST.xml <- features.cfg:3
         account.1.label = Desk         <- features.cfg:4
     ''',
     resources='''
         absent ringtone.url none.wav
         failed auto_dst.url http:///DST.xml
     ''',
     findings='error features.cfg:3 auto_dst.url is not a URL')

case('facts.md 5.6: y000000000025.cfg, its ROM, then <mac>.cfg, then the handset ROM', 'the old mechanism of a W52P',
     phone='W52P 25.81.0.30',
     tree={'y000000000025.cfg': ['static.firmware.url = {server}25.81.0.30.rom'],
           '00156574b150.cfg': ['over_the_air.url = {server}26.81.0.30.rom', 'over_the_air.url.w56h = gone.rom'],
           '25.81.0.30.rom': b'rom', '26.81.0.30.rom': b'rom'},
     mechanism='old', reboot=True,
     files='''
         absent 00156574b150.boot
         absent y000000000000.boot
         used   y000000000025.cfg
         used   00156574b150.cfg
     ''',
     settings='''
         static.firmware.url = {server}25.81.0.30.rom <- y000000000025.cfg:2
         over_the_air.url = {server}26.81.0.30.rom    <- 00156574b150.cfg:2
         over_the_air.url.w56h = gone.rom             <- 00156574b150.cfg:3
     ''',
     resources='''
         used   static.firmware.url 25.81.0.30.rom
         used   over_the_air.url 26.81.0.30.rom
         absent over_the_air.url.w56h gone.rom
     ''')

case('Ensure that the ring tone file exists on the provisioning server', 'another host, which explain does not know',
     tree={**BOOT, 'features.cfg': ['ringtone.url = {elsewhere}far.wav']},
     elsewhere={'far.wav': WAV},
     files=FILES, settings='ringtone.url = {elsewhere}far.wav <- features.cfg:2',
     resources='used ringtone.url {elsewhere}far.wav', again=False,
     explain={'resources': 'skipped ringtone.url {elsewhere}far.wav'})

case('Softkey Layout (not applicable to CP960/W52P/W53P/W56P/W60P/CP930W-Base/W90 devices)',
     'Dialing.xml is not for a T48S; what is not for the phone is not asked for', phone='T48S 66.84.0.15',
     tree={**BOOT, 'features.cfg': ['custom_softkey_dialing.url = Dialing.xml', 'custom_softkey_talking.url = Talking.xml'],
           'Talking.xml': '<Talking><Disable/><Enable><Key Type="Hold"/></Enable></Talking>'},
     files=FILES,
     settings='''
         custom_softkey_dialing.url = Dialing.xml <- features.cfg:2
         custom_softkey_talking.url = Talking.xml <- features.cfg:3
     ''',
     resources='''
         skipped custom_softkey_dialing.url Dialing.xml
         used    custom_softkey_talking.url Talking.xml
     ''',
     findings='note features.cfg:2 a softkey layout is not for this model')

case('The IP phone resolves the configuration files and resource files', 'facts.md 0.12: two roots and a bare & are taken',
     tree={**BOOT, 'features.cfg': ['local_contact.data.url = contact.xml'],
           'contact.xml': '<root_group/>\n<root_contact><contact display_name="Salt & Pepper"/></root_contact>'},
     files=FILES, settings='local_contact.data.url = contact.xml <- features.cfg:2',
     resources='used local_contact.data.url contact.xml',
     findings='''
         note contact.xml:2 more than one element at the top
         note contact.xml:2 a bare &
     ''')

case('The IP phone resolves the configuration files and resource files',
     'a page of an error, a bomb and a file that was cut off are not taken; the run goes on',
     tree={**BOOT, 'features.cfg': ['ringtone.url = a.wav', 'auto_dst.url = bomb.xml', 'super_search.url = cut.xml',
                                    'account.1.label = Desk'],
           'a.wav': '<html>Not found</html>',
           'bomb.xml': '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><DSTData>&c;</DSTData>',
           'cut.xml': '<root_super_search>\n<item id_name="a"'},
     files=FILES,
     settings='''
         ringtone.url = a.wav        <- features.cfg:2
         auto_dst.url = bomb.xml     <- features.cfg:3
         super_search.url = cut.xml  <- features.cfg:4
         account.1.label = Desk      <- features.cfg:5
     ''',
     resources='''
         refused ringtone.url a.wav
         refused auto_dst.url bomb.xml
         refused super_search.url cut.xml
     ''',
     findings='''
         error a.wav:0 not taken as ring tone: not a WAV sound
         error bomb.xml:0 not taken as daylight saving file: a document type (DTD) is not accepted
         error cut.xml:0 not taken as super search settings
     ''')

# MD5.

LABEL = 'account.1.label = Desk <- features.cfg:2'

case('If the MD5 values of the Common and MAC-Oriented configuration files are the same as those of the last '
     'downloaded configuration files, this means these two configuration files on the provisioning server are not '
     'changed. The IP phone will complete the auto provisioning without a repeated update',
     mechanism='old',
     files='''
         absent 00156574b150.boot
         absent y000000000000.boot
         used   y000000000066.cfg
         used   00156574b150.cfg
     ''',
     steps=[step(tree={'y000000000066.cfg': ['static.network.dhcp_host_name = desk', 'ringtone.url = a.wav'],
                       '00156574b150.cfg': ['account.1.label = Desk'], 'a.wav': WAV},
                 reboot=True, resources='used ringtone.url a.wav',
                 settings='''
                     static.network.dhcp_host_name = desk <- y000000000066.cfg:2
                     ringtone.url = a.wav                 <- y000000000066.cfg:3
                     account.1.label = Desk               <- 00156574b150.cfg:2
                 '''),
            step(outcome='unchanged', why='every file is the same as last time',
                 settings='''
                     static.network.dhcp_host_name = desk <- flash
                     ringtone.url = a.wav                 <- flash
                     account.1.label = Desk               <- flash
                 ''')])

case('On the contrary, the IP phone will update configurations', 'the MAC-Oriented CFG file alone has changed',
     mechanism='old',
     files='''
         absent 00156574b150.boot
         absent y000000000000.boot
         used   y000000000066.cfg
         used   00156574b150.cfg
     ''',
     steps=[step(tree={'y000000000066.cfg': ['static.lang.gui = English'],
                       '00156574b150.cfg': ['account.1.label = Desk']},
                 settings='''
                     static.lang.gui = English <- y000000000066.cfg:2
                     account.1.label = Desk    <- 00156574b150.cfg:2
                 '''),
            step(tree={'00156574b150.cfg': ['account.1.label = New']}, changed='account.1.label',
                 settings='''
                     static.lang.gui = English <- y000000000066.cfg:2
                     account.1.label = New     <- 00156574b150.cfg:2 over Desk <- flash
                 ''')])

case('The IP phone calculates the MD5 values of the downloaded files before updating them', 'of boot files as well: '
     'facts.md 7.6; only a comment has changed',
     files=FILES,
     steps=[step(tree={**BOOT, 'features.cfg': ['account.1.label = Desk']}, settings=LABEL),
            step(outcome='unchanged', settings='account.1.label = Desk <- flash'),
            step(tree={'y000000000000.boot': ['include:config <features.cfg>', '# a word']}, settings=LABEL,
                 changed='')])

case('The IP phone calculates the MD5 values of the downloaded files before updating them',
     'one of the files is gone, then back',
     steps=[step(tree={'y000000000000.boot': ['include:config <features.cfg>', 'include:config <sip.cfg>'],
                       'features.cfg': ['account.1.label = Desk'], 'sip.cfg': ['account.1.user_name = 100']},
                 files=FILES + 'used sip.cfg',
                 settings=LABEL + '\naccount.1.user_name = 100 <- sip.cfg:2'),
            step(tree={'sip.cfg': None}, files=FILES + 'absent sip.cfg', settings=LABEL, changed='account.1.user_name'),
            step(tree={'sip.cfg': ['account.1.user_name = 100']}, files=FILES + 'used sip.cfg',
                 changed='account.1.user_name', settings=LABEL + '\naccount.1.user_name = 100 <- sip.cfg:2')])

case('The IP phone calculates the MD5 values of the downloaded files before updating them',
     'the same files for another firmware, then for another model, are an update',
     files=FILES,
     tree={**BOOT, 'features.cfg': ['account.1.label = Desk', '[T46S]features.dnd_mode = 1',
                                    '[T48S]features.dnd_mode = 0']},
     steps=[step(phone='T46S 66.82.0.20', settings=LABEL),
            step(phone='T46S 66.84.0.15', settings=LABEL + '\nfeatures.dnd_mode = 1 <- features.cfg:3',
                 changed='features.dnd_mode'),
            step(phone='T48S 66.84.0.15', settings=LABEL + '\nfeatures.dnd_mode = 0 <- features.cfg:4',
                 changed='features.dnd_mode'),
            step(phone='T48S 66.84.0.15', outcome='unchanged',
                 settings='account.1.label = Desk <- flash\nfeatures.dnd_mode = 0 <- flash')])

case('The IP phone calculates the MD5 values of the downloaded files before updating them',
     'a MAC-Oriented boot file appears: another mechanism, the same settings',
     steps=[step(tree={**BOOT, 'features.cfg': ['account.1.label = Desk']}, files=FILES, settings=LABEL),
            step(tree={'00156574b150.boot': ['include:config <features.cfg>']}, mechanism='mac-boot', changed='',
                 files='''
                     used 00156574b150.boot
                     used features.cfg
                 ''', settings=LABEL)])

# Reboot.

HOST = 'static.network.dhcp_host_name = desk <- features.cfg:2'

case('For the update of some specific configurations which require a reboot before taking effect, for example, network '
     'configurations, the IP phone will reboot', 'when one of them changes, and only then',
     files=FILES,
     steps=[step(tree={**BOOT, 'features.cfg': ['static.network.dhcp_host_name = desk']}, settings=HOST, reboot=True),
            step(tree={'features.cfg': ['static.network.dhcp_host_name = desk', 'account.1.label = Desk']},
                 settings=HOST + '\naccount.1.label = Desk <- features.cfg:3', changed='account.1.label'),
            step(tree={'features.cfg': ['static.network.dhcp_host_name =']}, settings='', reboot=True,
                 changed='account.1.label static.network.dhcp_host_name')])

case('The phone only reboots when there is at least a specific configuration requiring a reboot',
     'one set to what it is in the factory is no change',
     tree={**BOOT, 'features.cfg': ['static.network.internet_port.speed_duplex = 0', 'account.1.label = Desk']},
     files=FILES, settings='account.1.label = Desk <- features.cfg:3')

FORCE = 'static.auto_provision.reboot_force.enable'

case('If you want to force the IP phone to perform a reboot after auto provisioning, you can configure '
     '“static.auto_provision.reboot_force.enable = 1” in the configuration file', 'but not after a run that changed '
     'nothing: this is used to avoid unnecessary restart',
     files=FILES,
     steps=[step(tree={**BOOT, 'features.cfg': [FORCE + ' = 1']}, settings=FORCE + ' = 1 <- features.cfg:2',
                 reboot=True),
            step(outcome='unchanged', settings=FORCE + ' = 1 <- flash'),
            step(tree={'features.cfg': [FORCE + ' = 1', 'account.1.label = Desk']}, reboot=True,
                 changed='account.1.label',
                 settings=FORCE + ' = 1 <- features.cfg:2\naccount.1.label = Desk <- features.cfg:3'),
            step(tree={'features.cfg': [FORCE + ' = 0']}, changed='account.1.label ' + FORCE, settings='')])
