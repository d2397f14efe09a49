/* Whom a daemon takes sockets and filter from: a process of its own user, or of root. Anybody can listen at a name in /tmp. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "minisocket/group.h"
#include "unit.h"

#define NOBODY 65534

static char directory[64], path[96];

/* A process of that user which gives whoever connects one item: that this was all. Returns when it listens. */
static pid_t impostor(uid_t user)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct msk_handed end = { .magic = 0x54724b31u, .kind = MSK_HANDED_END };
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strcpy(a.sun_path, path);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        if ((user && setresuid(user, user, user) != 0) || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4) != 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        alarm(20);
        for (int peer; (peer = accept(fd, NULL, NULL)) >= 0; close(peer))
            (void)!send(peer, &end, sizeof end, MSG_NOSIGNAL);
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static bool takes_from(uid_t user, char error[MSK_ERROR_BYTES])
{
    struct msk_pool pool;
    pid_t pid = impostor(user);
    error[0] = '\0';
    bool taken = msk_pool_receive(&pool, path, error, MSK_ERROR_BYTES);
    int saved = errno;
    if (taken)
        msk_pool_close(&pool);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(path);
    errno = saved;
    return taken;
}

static void set_up(void)
{
    strcpy(directory, "/tmp/trk-handover-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 01777), 0);
    snprintf(path, sizeof path, "%s/control", directory);
}

static void tear_down(void) { rmdir(directory); }

START_TEST(only_from_ourselves_and_root)
{
    char error[MSK_ERROR_BYTES];
    set_up();
    ck_assert_msg(takes_from(0, error), "%s", error);
    if (geteuid() == 0) {              /* only root can play another user */
        ck_assert(!takes_from(NOBODY, error));
        ck_assert_int_eq(errno, EPERM);
        ck_assert_ptr_nonnull(strstr(error, "another user's process"));
    }
    tear_down();
}
END_TEST

UNIT_MAIN("minisocket_handover", only_from_ourselves_and_root)
