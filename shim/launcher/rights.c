#include "rights.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int wanted[] = { CAP_NET_RAW, CAP_NET_ADMIN };   /* packets; the guard's filter and large buffers */

static bool get(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    return syscall(SYS_capget, &header, data) == 0;
}

void launcher_pass_rights(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];
    if (geteuid() == 0 || !get(data))
        return;                        /* root's programs get all that root has */
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        data[wanted[i] / 32].inheritable |= data[wanted[i] / 32].permitted & 1u << (wanted[i] % 32);
    if (syscall(SYS_capset, &header, data) != 0)
        return;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (data[wanted[i] / 32].inheritable >> (wanted[i] % 32) & 1)
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0);
}

bool launcher_has_rights(void)
{
    struct __user_cap_data_struct data[2];
    if (geteuid() == 0)
        return get(data) && (data[0].permitted >> CAP_NET_RAW & 1);
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 1;
}
