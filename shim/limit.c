#include "limit.h"

#include <errno.h>

#define ENGINE_SHARE 5                 /* of a connection: four in the engine while it connects, one hidden */
#define ENGINE_OWN   64
#define ENOUGH       (RLIM_INFINITY / (2 * ENGINE_SHARE))

/* To `most`, if that is more, and allowed. */
static bool lift_to(struct shim_lift *lift, rlim_t most)
{
    rlim_t hard = most > lift->own.rlim_max ? most : lift->own.rlim_max;
    lift->lifted = (struct rlimit){ .rlim_cur = most, .rlim_max = hard };
    return most > lift->own.rlim_cur && setrlimit(RLIMIT_NOFILE, &lift->lifted) == 0;
}

void shim_limit_lift(struct shim_lift *lift)
{
    int kept = errno;
    shim_lock_briefly(&lift->kept);
    lift->up = false;
    if (getrlimit(RLIMIT_NOFILE, &lift->own) == 0 && lift->own.rlim_cur < ENOUGH) {
        rlim_t want = lift->own.rlim_cur * ENGINE_SHARE + ENGINE_OWN;
        lift->up = lift_to(lift, want) || lift_to(lift, lift->own.rlim_max < want ? lift->own.rlim_max : want);
    }
    errno = kept;
}

void shim_limit_lay(const struct shim_lift *lift)
{
    struct rlimit found;
    int kept = errno;
    if (lift->up && prlimit(0, RLIMIT_NOFILE, &lift->own, &found) == 0 &&
        (found.rlim_cur != lift->lifted.rlim_cur || found.rlim_max != lift->lifted.rlim_max))
        setrlimit(RLIMIT_NOFILE, &found);      /* the program has set another one meanwhile */
    shim_unlock_briefly(&lift->kept);
    errno = kept;
}
