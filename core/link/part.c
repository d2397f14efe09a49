#include "link/part.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel closes a packet socket when every processor has passed a quiet moment (RCU), and whoever holds the last
 * descriptor waits for that: each program that exits took 14 ms longer. A descriptor on its way in a message that
 * nobody can receive any more, as the receiving socket is in that message, too, is closed by the
 * kernel's collector of such messages: in its own time, not in ours. */
static int strand(int fd, const int ends[2])
{
    union { struct cmsghdr header; char bytes[CMSG_SPACE(2 * sizeof(int))]; } control;
    struct iovec byte = { (char[1]){ 0 }, 1 };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    int stranded[2] = { fd, ends[1] };
    memset(&control, 0, sizeof control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof stranded);
    memcpy(CMSG_DATA(&control.header), stranded, sizeof stranded);
    return (int)sendmsg(ends[0], &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void trk_link_part(int fd)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0) {
        close(fd);
        return;
    }
    strand(fd, ends);                  /* if that fails, close() waits */
    close(fd);
    close(ends[0]);
    close(ends[1]);
}
