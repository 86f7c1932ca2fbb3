"""Trees of boot and CFG files, and what a phone must do with each: written by hand from the guide.

A case is named after the sentence of the guide that it proves, shortened where the guide lists more than one thing
("Supported Phones, ..." is a row of that table, "facts.md 7.9: ..." where the guide is silent); `here` says what this
tree adds to the sentence.

    case('If no MAC-Oriented boot file is found, the IP phone will try to download the common boot file',
         phone='T46S 66.84.0.15',
         tree={'y000000000000.boot': ['include:config <sip.cfg>'],
               'sip.cfg': ['account.1.label = Desk']},
         files='''
             absent 00156574b150.boot
             used   y000000000000.boot
             used   sip.cfg
         ''',
         settings='''
             account.1.label = Desk <- sip.cfg:2
         ''')

What is there:
  phone     model and firmware; the MAC is the guide's, 00:15:65:74:b1:50, unless `mac` says otherwise
  tree      name -> lines below the header `#!version:1.0.0.1` (so the first is line 2); text or bytes stand as
            they are; None takes a file away; Directory() and Link('target') are what they say
  before    lines of the phone's flash: `central key = value` (provisioned earlier) and `personal key = value`
            (set by the user of the phone)
  url       server URL, default '{server}', which is the directory of the case. {server} is its URL in the
            protocol of the run, {rival} in the other one, {address} without a scheme, {elsewhere} another host
  elsewhere tree of that other host
  broken    name -> how the server fails for it (trees_server.py); over HTTP only, and only the phone can see it
  pin, secrets   --pin, --show-secrets
  only      'http' or 'tftp' where the protocol matters
  steps     [step(...), ...]: the flash is kept from one to the next, `tree` is the change against the one
            before, and what a step does not say is what the case says

What must come of it:
  mechanism, outcome, reboot      as `explain --json` has them; default common-boot, provisioned, no reboot
  why       part of the reason of the outcome
  files     `outcome name`, in the order of asking
  settings  `key = value <- file:line`, then ` over value <- file:line` for each that it overrode, the latest
            first; all that are not at their factory default. `<- flash` was kept from before
  changed   keys, separated by blanks. Of a first run with an empty flash: all of `settings`
  resources `outcome key name`
  findings  `severity file:line part of the text`. Warnings and errors are all listed; notes where they matter
  overwrite, excluded   the modes in force; default: overwrite with a boot file, no exclude
  explain   what explain alone sees, where it cannot see what the phone sees
  tries     name -> how often the server was asked
  again     False: one more run does not find everything unchanged. By itself every case is run once more
"""
import collections

CASES = []

# A ring tone of one sample.
WAV = (b'RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0'
       b'data\x02\0\0\0\0\0')

# What explain and the phone must agree on; `expect` of a step holds these.
EXPECTED = {'mechanism': 'common-boot', 'outcome': 'provisioned', 'why': '', 'files': '', 'settings': '',
            'changed': None, 'reboot': False, 'resources': '', 'findings': '', 'overwrite': None, 'excluded': False}
GIVEN = {'phone': 'T46S 66.84.0.15', 'mac': '00:15:65:74:b1:50', 'url': '{server}', 'pin': None, 'secrets': False,
         'broken': {}, 'tries': {}, 'explain': {}, 'tree': {}}
OF_CASE = {'before': [], 'only': None, 'elsewhere': {}, 'again': True}

Case = collections.namedtuple('Case', ['name', 'steps', *OF_CASE])
Step = collections.namedtuple('Step', [*GIVEN, 'expect'])
Directory = collections.namedtuple('Directory', [])
Link = collections.namedtuple('Link', ['target'])


def step(**said):
    return said


def _make_step(said):
    unknown = set(said) - set(EXPECTED) - set(GIVEN)
    assert not unknown, 'a step has no %s' % ', '.join(sorted(unknown))
    expect = {key: said.get(key, default) for key, default in EXPECTED.items()}
    return Step(expect=expect, **{key: said.get(key, default) for key, default in GIVEN.items()})


def case(sentence, here='', steps=None, **said):
    name = '%s (%s)' % (sentence, here) if here else sentence
    of_case = {key: said.pop(key, default) for key, default in OF_CASE.items()}
    assert name not in [c.name for c in CASES], 'two cases of one name: ' + name
    tree = said.pop('tree', {}) if steps else {}
    made = [_make_step({**said, **one}) for one in steps or [said]]
    if tree:
        made[0] = made[0]._replace(tree={**tree, **made[0].tree})
    CASES.append(Case(name, made, **of_case))


def cases():
    from trees_table import (boot_files, cfg_files, failures, mac_local, modes, overwrite, resources, servers,
                             which_file)
    assert boot_files and cfg_files and failures and mac_local and modes and overwrite and resources and servers
    assert which_file
    return CASES
