/* succession.c - a master and the one that comes after it: an upgrade. handover.c says what goes over. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "master.h"

void msk_successor_start(struct master *m)
{
    const struct msk_workers *w = m->group.workers;
    sigset_t none;
    if (!w->successor || m->control < 0) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "no control socket, by which a successor could take over");
        return;
    }
    if (m->successor_pid > 0)
        return;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(w->successor[0], w->successor);
        msk_group_log(&m->group, MSK_LOG_ERROR, "cannot run %s: %s", w->successor[0], strerror(errno));
        _exit(127);
    }
    m->successor_pid = pid > 0 ? pid : 0;
}

void msk_successor_meet(struct master *m)
{
    int peer = accept4(m->control, NULL, NULL, SOCK_CLOEXEC);
    if (peer < 0)
        return;
    if (m->successor >= 0 || !msk_group_give(&m->group, peer)) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "somebody wanted to take over and could not");
        close(peer);
        return;
    }
    m->successor = peer;
}

/* It serves, or it is gone. */
void msk_successor_hear(struct master *m)
{
    char serves;
    if (recv(m->successor, &serves, 1, MSG_DONTWAIT) == 1) {
        msk_group_log(&m->group, MSK_LOG_INFO, "a successor serves: ending");
        m->ending = true;
    } else
        msk_group_log(&m->group, MSK_LOG_WARNING, "a successor came, and ended before it served; going on");
    close(m->successor);
    m->successor = -1;
}

bool msk_succession_open(struct master *m, char *error, size_t error_bytes)
{
    const char *path = m->group.workers->control;
    struct stat st;
    if (!path)
        return true;
    m->control = msk_control_listen(path, error, error_bytes);
    if (m->control >= 0 && stat(path, &st) == 0)
        m->control_inode = st.st_ino;
    return m->control >= 0;
}

/* Unless a successor listens there. */
void msk_succession_close(struct master *m)
{
    struct stat st;
    if (m->control >= 0 && stat(m->group.workers->control, &st) == 0 && st.st_ino == m->control_inode)
        unlink(m->group.workers->control);
}

void msk_successor_reap(struct master *m)
{
    int status;
    if (m->successor_pid > 0 && waitpid(m->successor_pid, &status, WNOHANG) == m->successor_pid) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "the successor has ended; going on");
        m->successor_pid = 0;
    }
}
