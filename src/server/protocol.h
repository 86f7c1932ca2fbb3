/* What a phone asks by. */
#ifndef DIALTONE_SERVER_PROTOCOL_H
#define DIALTONE_SERVER_PROTOCOL_H

enum protocol { PROTOCOL_TFTP, PROTOCOL_HTTP, PROTOCOL_HTTPS, PROTOCOL_FTP, PROTOCOL_PNP };
/* As the journal and the configuration write it. */
const char *protocol_name(enum protocol protocol);

#endif
