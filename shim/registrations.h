/* registrations.h - which epoll instances watch a socket that may change its file under its number. */
#ifndef SHIM_REGISTRATIONS_H
#define SHIM_REGISTRATIONS_H

#include <sys/epoll.h>
#include <sys/types.h>

/* What a successful epoll_ctl ADD, MOD or DEL says. Table lock held, for all calls here. */
void shim_registration_add(int epfd, int fd, ino_t ino, const struct epoll_event *event);
void shim_registration_modify(int epfd, int fd, const struct epoll_event *event);
void shim_registration_delete(int epfd, int fd);

/* Before the file under fd changes: take its registrations out of their epoll instances. */
void shim_registrations_lift(ino_t ino, int fd);
/* Afterwards: put the lifted ones back, now of the socket `ino`. */
void shim_registrations_lay(ino_t ino, int fd);

#endif
