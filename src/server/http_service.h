/* Stand-in until the HTTP service lands: take the other branch's file. */
#ifndef DIALTONE_SERVER_HTTP_SERVICE_H
#define DIALTONE_SERVER_HTTP_SERVICE_H
#include "server/service.h"
struct http_service;
int http_service_open(struct worker *worker, int fd, struct http_service **ret_service);
void http_service_drain(struct http_service *s, void (*done)(void *context), void *context);
void http_service_close(struct http_service *s);
#endif
