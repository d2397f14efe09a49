/* keyset.h - from the application's key set to the core's. */
#ifndef MSK_KEYSET_H
#define MSK_KEYSET_H

#include <trickles/minisocket.h>
#include "tcb/keys.h"

/* What is wrong with the set, in words; NULL: nothing. */
const char *msk_keys_problem(const struct msk_keys *keys);
/* Derive all subkeys of this application. -EINVAL, out untouched, if there is a problem. */
int msk_keys_derive(const struct msk_keys *keys, const char *application, struct trk_keys *out);

#endif
