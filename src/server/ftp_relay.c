#include "server/ftp_relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct waiting {
    int fd;
    union address peer;
};

struct ftp_inbox {
    struct ftp_inbox *next;
    struct ftp_relay *relay;
    struct ftp_inbox_owner owner;
    struct loop *loop;
    union address at;
    uv_async_t wake;
    struct waiting waiting[FTP_RELAY_WAITING_MAX]; /* a ring; under the relay's lock */
    size_t first, count;
};

struct ftp_relay {
    pthread_mutex_t lock; /* of the list's order and of all rings */
    struct ftp_inbox *inboxes;
};

int ftp_relay_open(struct ftp_relay **ret_relay)
{
    struct ftp_relay *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    pthread_mutex_init(&r->lock, NULL);
    *ret_relay = r;
    return 0;
}

void ftp_relay_close(struct ftp_relay *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static bool take(struct ftp_inbox *i, struct waiting *ret_waiting)
{
    pthread_mutex_lock(&i->relay->lock);
    bool found = i->count > 0;
    if (found) {
        *ret_waiting = i->waiting[i->first];
        i->first = (i->first + 1) % FTP_RELAY_WAITING_MAX;
        i->count--;
    }
    pthread_mutex_unlock(&i->relay->lock);
    return found;
}

static void on_wake(uv_async_t *wake)
{
    struct ftp_inbox *i = container_of(wake, struct ftp_inbox, wake);
    struct waiting next;
    loop_woke(i->loop);
    while (take(i, &next))
        i->owner.came(i->owner.context, next.fd, &next.peer);
}

int ftp_relay_join(struct ftp_relay *r, const union address *at, struct loop *loop,
                   const struct ftp_inbox_owner *owner, struct ftp_inbox **ret_inbox)
{
    struct ftp_inbox *i = calloc(1, sizeof *i);
    if (!i)
        return -ENOMEM;
    i->relay = r;
    i->owner = *owner;
    i->loop = loop;
    i->at = *at;
    int error = uv_async_init(&loop->uv, &i->wake, on_wake);
    if (error) {
        free(i);
        return error;
    }
    i->next = r->inboxes;
    r->inboxes = i;
    *ret_inbox = i;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct ftp_inbox *i = container_of((uv_async_t *)handle, struct ftp_inbox, wake);
    struct ftp_inbox_owner owner = i->owner;
    free(i);
    owner.closed(owner.context);
}

static void leave(struct ftp_inbox *i)
{
    struct ftp_inbox **at = &i->relay->inboxes;
    pthread_mutex_lock(&i->relay->lock);
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    pthread_mutex_unlock(&i->relay->lock);
}

void ftp_inbox_close(struct ftp_inbox *i)
{
    struct waiting next;
    leave(i);
    while (take(i, &next))
        close(next.fd);
    uv_close((uv_handle_t *)&i->wake, on_closed);
}

/* The first that fits goes to the end of the list, so that the next one is another's. Under lock. */
static struct ftp_inbox *pick(struct ftp_relay *r, const union address *at)
{
    struct ftp_inbox **link = &r->inboxes;
    while (*link && !(address_eq(&(*link)->at, at) && (*link)->count < FTP_RELAY_WAITING_MAX))
        link = &(*link)->next;
    struct ftp_inbox *found = *link;
    if (!found)
        return NULL;
    *link = found->next;
    while (*link)
        link = &(*link)->next;
    *link = found;
    found->next = NULL;
    return found;
}

bool ftp_relay_give(struct ftp_relay *r, const union address *at, int fd, const union address *peer)
{
    pthread_mutex_lock(&r->lock);
    struct ftp_inbox *i = pick(r, at);
    if (i) {
        i->waiting[(i->first + i->count++) % FTP_RELAY_WAITING_MAX] = (struct waiting){ fd, *peer };
        uv_async_send(&i->wake);
    }
    pthread_mutex_unlock(&r->lock);
    return i != NULL;
}
