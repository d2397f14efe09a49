/* check.h - the parts of trk_check, one file each. Private to core/serve. */
#ifndef TRK_SERVE_CHECK_H
#define TRK_SERVE_CHECK_H

#include "serve/serve.h"

/* check_open.c: a marked SYN. */
enum trk_verdict trk_check_open(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                                uint64_t now_ms, struct trk_spend *out);

/* check_request.c: forms REQUEST and RESTART. Calls the next three in this order. */
enum trk_verdict trk_check_request(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                                   uint64_t now_ms, struct trk_spend *out);

/* check_proof.c: are the grants ours, and did the reported packets arrive? Sets proven and isn. */
enum trk_verdict trk_check_proof(struct trk_spend *out);

/* check_asks.c: opens the continuations; are the asks and the input within what they allow? */
enum trk_verdict trk_check_asks(const struct trk_keys *keys, struct trk_spend *out);

/* check_terms.c: what is proven, may it be honoured? Sets tick, must_refresh, cut_f, age_ms, aged. */
enum trk_verdict trk_check_terms(const struct trk_serve_config *config, uint64_t now_ms, struct trk_spend *out);

/* The grant of the request that gave number n with its part; NULL if none does. */
const struct trk_grant_ref *trk_grant_covering(const struct trk_part *part, uint64_t n);

static inline uint16_t trk_own_mss(const struct trk_serve_config *config, uint8_t family)
{
    return family == 4 ? config->mss_v4 : config->mss_v6;
}

#endif
