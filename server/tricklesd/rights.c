/* rights.c - see rights.h. */
#include "rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "log.h"

bool rights_find(const char *user, struct rights *out)
{
    char *end;
    *out = (struct rights){ .uid = geteuid(), .gid = getegid() };
    if (!user)
        return true;
    unsigned long number = strtoul(user, &end, 10);
    const struct passwd *p = *user && !*end ? getpwuid((uid_t)number) : getpwnam(user);
    if (!p) {
        log_line("--user %s: no such user", user);
        return false;
    }
    if (geteuid() != 0 && p->pw_uid != geteuid()) {
        log_line("--user %s: only root can become another user", user);
        return false;
    }
    *out = (struct rights){ user, p->pw_uid, p->pw_gid };
    return true;
}

static bool set_capabilities(unsigned keep)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };
    return syscall(SYS_capset, &header, data) == 0;
}

static bool become(const struct rights *r)
{
    return setgroups(0, NULL) == 0 && setresgid(r->gid, r->gid, r->gid) == 0 && setresuid(r->uid, r->uid, r->uid) == 0;
}

bool rights_drop(const struct rights *r, bool network)
{
    unsigned keep = network ? 1u << CAP_NET_RAW : 0;
    int parent_dies = 0;
    if (!r->name && geteuid() == 0)
        return true;
    prctl(PR_GET_PDEATHSIG, &parent_dies);     /* a worker's; the change of user forgets it */
    bool ok = prctl(PR_SET_KEEPCAPS, network) == 0 && (geteuid() != 0 || become(r));
    ok = ok && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && (set_capabilities(keep) || set_capabilities(0));
    prctl(PR_SET_PDEATHSIG, parent_dies);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!ok)
        log_line("cannot give up rights: %m");
    return ok;
}
