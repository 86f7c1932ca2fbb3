/* Stand-in until the TFTP service lands: take the other branch's file. */
#ifndef DIALTONE_SERVER_TFTP_SERVICE_H
#define DIALTONE_SERVER_TFTP_SERVICE_H
#include "server/service.h"
struct tftp_service;
int tftp_service_open(struct worker *worker, int fd, struct tftp_service **ret_service);
void tftp_service_drain(struct tftp_service *s, void (*done)(void *context), void *context);
void tftp_service_close(struct tftp_service *s);
#endif
