#!version:1.0.0.1
## The header above must appear as-is in the first line
##
## The common boot file of the desk phones: what every phone gets that has no boot file of its own.
## [T46S] and the like need firmware 83 or later; an older phone takes the lines without a prefix only.

[T46S,T48S]include:config <tftp://127.0.0.1:16969/network.cfg>
[T48S,T46G,T46S,T54W]include:config <../sip.cfg>
include:config "features.cfg"
include:config "$mac.cfg"

overwrite_mode = 1
specific_model.excluded_mode = 0
