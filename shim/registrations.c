#include "registrations.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include "libc.h"

#define BUCKETS 256                    /* by descriptor number */

struct registration {
    struct registration *next;
    int epfd, fd;
    ino_t ino;
    bool lifted;
    struct epoll_event event;
};
static struct registration *buckets[BUCKETS];

static struct registration **bucket_of(int fd) { return &buckets[(unsigned)fd % BUCKETS]; }

static struct registration *find(int epfd, int fd)
{
    struct registration *r = *bucket_of(fd);
    while (r && (r->epfd != epfd || r->fd != fd))
        r = r->next;
    return r;
}

void shim_registration_add(int epfd, int fd, ino_t ino, const struct epoll_event *event)
{
    struct registration *r = find(epfd, fd);    /* an older socket's, if there: the number has a new one */
    if (!r) {
        r = malloc(sizeof *r);
        if (!r)
            return;
        r->next = *bucket_of(fd);
        *bucket_of(fd) = r;
    }
    r->epfd = epfd;
    r->fd = fd;
    r->ino = ino;
    r->lifted = false;
    r->event = *event;
}

void shim_registration_modify(int epfd, int fd, const struct epoll_event *event)
{
    struct registration *r = find(epfd, fd);
    if (r)
        r->event = *event;
}

void shim_registration_delete(int epfd, int fd)
{
    for (struct registration **at = bucket_of(fd); *at; at = &(*at)->next)
        if ((*at)->epfd == epfd && (*at)->fd == fd) {
            struct registration *gone = *at;
            *at = gone->next;
            free(gone);
            return;
        }
}

void shim_registrations_lift(ino_t ino, int fd)
{
    for (struct registration *r = *bucket_of(fd); r; r = r->next)
        if (r->fd == fd && r->ino == ino)
            r->lifted = libc_epoll_ctl(r->epfd, EPOLL_CTL_DEL, fd, NULL) == 0;
}

void shim_registrations_lay(ino_t ino, int fd)
{
    for (struct registration *r = *bucket_of(fd); r; r = r->next)
        if (r->fd == fd && r->lifted) {
            r->lifted = false;
            r->ino = ino;
            libc_epoll_ctl(r->epfd, EPOLL_CTL_ADD, fd, &r->event);
        }
}
