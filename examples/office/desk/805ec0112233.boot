#!version:1.0.0.1
## The header above must appear as-is in the first line
##
## The MAC-oriented boot file of the reception's SIP-T54W. It reads this one and not the common boot file.

include:config <../sip.cfg>
include:config <features.cfg>
include:config "reception.cfg"
include:config "805ec0112233.cfg"

overwrite_mode = 1
