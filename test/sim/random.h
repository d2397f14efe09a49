/* random.h - the one source of chance in a simulated world: xoshiro256** seeded by splitmix64.
 * (Blackman and Vigna, 2018.) The same seed gives the same world on every machine. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random { uint64_t s[4]; };

/* One step of splitmix64: also serves as a hash of its argument. */
static inline uint64_t sim_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static inline void sim_random_seed(struct sim_random *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = sim_mix(seed + (uint64_t)i * 0x9e3779b97f4a7c15ull);
}

static inline uint64_t sim_rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t sim_random_u64(struct sim_random *r)
{
    uint64_t result = sim_rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = sim_rotl(r->s[3], 45);
    return result;
}

/* Uniform in [0, 1). */
static inline double sim_random_unit(struct sim_random *r) { return (double)(sim_random_u64(r) >> 11) * 0x1p-53; }
/* Uniform in [0, n); n > 0. The bias of a 64-bit modulus does not matter here. */
static inline uint64_t sim_random_below(struct sim_random *r, uint64_t n) { return sim_random_u64(r) % n; }
/* Uniform in [low, high]. */
static inline uint64_t sim_random_range(struct sim_random *r, uint64_t low, uint64_t high)
{
    return low + sim_random_below(r, high - low + 1);
}
static inline bool sim_random_chance(struct sim_random *r, double p) { return p > 0 && sim_random_unit(r) < p; }

#endif
