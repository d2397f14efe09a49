/* keyset.c - see keyset.h. */
#include "keyset.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

const char *msk_keys_problem(const struct msk_keys *keys)
{
    bool seen[256] = { false };
    unsigned current = 0;
    if (keys->n == 0)
        return "no epoch in it";
    if (keys->n > MSK_KEYS_MAX || keys->n > TRK_EPOCHS_MAX)
        return "too many epochs";
    for (size_t i = 0; i < keys->n; i++) {
        const struct msk_key *k = &keys->keys[i];
        if (k->state < MSK_KEY_ADDED || k->state > MSK_KEY_RETIRING)
            return "an epoch is neither added, current nor retiring";
        if (seen[k->epoch])
            return "an epoch is listed twice";
        seen[k->epoch] = true;
        current += k->state == MSK_KEY_CURRENT;
    }
    return current == 1 ? NULL : current == 0 ? "no epoch is current" : "more than one epoch is current";
}

int msk_keys_derive(const struct msk_keys *keys, const char *application, struct trk_keys *out)
{
    static const enum trk_epoch_state states[] = {
        [MSK_KEY_ADDED] = TRK_EPOCH_ADDED, [MSK_KEY_CURRENT] = TRK_EPOCH_CURRENT, [MSK_KEY_RETIRING] = TRK_EPOCH_RETIRING,
    };
    struct trk_keys derived;
    uint8_t master[TRK_MASTER_BYTES];
    bool ok = !msk_keys_problem(keys);
    trk_keys_init(&derived);
    for (size_t i = 0; ok && i < keys->n; i++) {
        trk_master_of(keys->keys[i].secret, application, strlen(application), master);
        ok = trk_keys_add(&derived, keys->keys[i].epoch, states[keys->keys[i].state], master);
    }
    sodium_memzero(master, sizeof master);
    if (!ok) {
        trk_keys_wipe(&derived);
        return -EINVAL;
    }
    *out = derived;
    trk_keys_wipe(&derived);
    return 0;
}
