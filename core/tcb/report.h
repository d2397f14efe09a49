/* report.h - nonces and the report of what arrived (paper 2.2, PROTOCOL.md 4.4). */
#ifndef TRK_TCB_REPORT_H
#define TRK_TCB_REPORT_H

#include "tcb/keys.h"
#include "tcb/siphash.h"

struct trk_nonce_scope { struct trk_conn_id id; uint32_t domain, generation; uint64_t base; };

/* p(n) = r(n) xor r(n+1), 64 bits. */
uint64_t trk_nonce(const struct trk_epoch *e, const struct trk_nonce_scope *s, uint64_t n);

/* r(x), for who makes the nonces of successive numbers: each r serves two of them. It telescopes, so that the XOR of
 * p(left) .. p(right) is r(left) ^ r(right + 1). What all x share is hashed once. */
struct trk_nonces {
    struct trk_siphash scope, upper;   /* behind the scope's whole blocks; behind the next block, which x's upper half ends */
    uint32_t tail, upper_half;         /* the scope's last four bytes as a block begins; the half that `upper` is for */
};
struct trk_nonces trk_nonces_of(const struct trk_epoch *e, const struct trk_nonce_scope *s);
uint64_t trk_nonces_step(struct trk_nonces *nonces, uint64_t x);

/* True if xor_nonces is the sum over all numbers in ranges: O(n_ranges) PRFs. False for no ranges. */
bool trk_proof_ok(const struct trk_epoch *e, const struct trk_nonce_scope *s, const struct trk_range *ranges, size_t n_ranges, uint64_t xor_nonces);

/* A report seen as a set: received ranges of (base, last], ascending, gaps >= 1. Both sides. */
struct trk_report { const struct trk_range *ranges; size_t n; };
/* First number above base and below k that is not received; 0 if none. */
uint64_t trk_report_first_loss(const struct trk_report *r, uint64_t base, uint64_t k);
/* The number before the run of lost numbers that ends directly before k: run = (result, k-1]; k-1 if k-1 arrived,
 * base if nothing between base and k did. */
uint64_t trk_report_run(const struct trk_report *r, uint64_t base, uint64_t k);
/* A report over (base, last]: not empty, left <= right, ascending with gaps, first.left > base, last.right == last. */
bool trk_report_valid(const struct trk_report *r, uint64_t base, uint64_t last);
/* k .. last are all received, in the last range: nothing that is spent may be reported lost. */
bool trk_report_holds(const struct trk_report *r, uint64_t k, uint64_t last);

#endif
