/* test_filter_workers.c - workers, as processes, on one filter: they hammer the same numbers and are killed at random. Nothing
 * is ever given to two of them, no lock stays behind, and who comes later goes on. */
#include "unit.h"
#include "serve/filter.h"
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, CONNS = 256, NUMBERS = 1024, FILTER_BYTES = 1 << 23, RUN_MS = 2500, KILL_EVERY_MS = 15 };
#define NOW_MS 1700000000000ull

static struct shared {                 /* between all processes, beside the filter */
    _Alignas(64) uint8_t filter[FILTER_BYTES];
    _Alignas(64) _Atomic uint64_t turn;              /* where all of them work at present */
    _Atomic uint32_t spent[CONNS][NUMBERS + 64], lost[CONNS][NUMBERS + 64], entered[CONNS][NUMBERS], opened[CONNS * NUMBERS / 16];
    _Atomic uint64_t spends, losses, entries;
} *shared;

static uint64_t who(struct trk_filter *f, uint64_t conn)
{
    struct trk_conn_id id = { conn * 0x9e3779b97f4a7c15u, (uint32_t)conn };
    return trk_filter_who(f, &id);
}

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

/* One turn: some numbers near the front, a loss, a restart. What was won is counted; who dies before counting it has won
 * nothing. False when all connections are used up. */
static bool work(struct trk_filter *f, uint32_t *random)
{
    uint64_t turn = atomic_load(&shared->turn), conn = turn / NUMBERS % CONNS, front = turn % NUMBERS;
    if (turn >= (uint64_t)CONNS * NUMBERS)
        return false;
    uint64_t w = who(f, conn), k = front + next(random) % 8, n = front + next(random) % 24;
    uint32_t m = 1 + next(random) % 24;
    for (uint64_t mask = trk_filter_spend(f, w, 0, k, m, NOW_MS), i = 0; mask >> i; i++) {
        if (mask >> i & 1) {
            atomic_fetch_add(&shared->spent[conn][k + i], 1);
            atomic_fetch_add(&shared->spends, 1);
        }
        if (i == 63)
            break;
    }
    if (trk_filter_lose(f, w, 0, n, NOW_MS) == TRK_FATE_FREE) {
        atomic_fetch_add(&shared->lost[conn][n], 1);
        atomic_fetch_add(&shared->losses, 1);
    }
    uint32_t generation = 1 + (uint32_t)front;
    struct trk_filter_word word = trk_filter_look(f, w, NOW_MS);
    if (next(random) % 2 ? trk_filter_raise(f, w, NULL, generation, front, true, NOW_MS) : trk_filter_raise_from(f, w, &word, generation, front, NOW_MS)) {
        atomic_fetch_add(&shared->entered[conn][front], 1);
        atomic_fetch_add(&shared->entries, 1);
    }
    if (trk_filter_raise(f, who(f, CONNS + 2 + turn / 16), NULL, 1, 1, true, NOW_MS))       /* a word that is not there yet */
        atomic_fetch_add(&shared->opened[turn / 16], 1);
    uint64_t expected = turn;
    atomic_compare_exchange_strong(&shared->turn, &expected, turn + 1);
    return true;
}

static pid_t start_worker(uint32_t seed)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid)
        return pid;
    struct trk_filter *f = trk_filter_attach(shared->filter, FILTER_BYTES);
    alarm(60);                         /* if the parent dies */
    while (f && work(f, &seed))
        ;
    _exit(f ? 0 : 1);
}

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void stop(pid_t *worker)
{
    int status;
    kill(*worker, SIGKILL);
    ck_assert_int_eq(waitpid(*worker, &status, 0), *worker);
    ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    *worker = 0;
}

static void check_counts(void)
{
    for (unsigned c = 0; c < CONNS; c++) {
        for (unsigned n = 0; n < NUMBERS + 64; n++)
            ck_assert_msg(shared->spent[c][n] + shared->lost[c][n] <= 1, "number %u of connection %u: spent %u times, lost %u times",
                          n, c, shared->spent[c][n], shared->lost[c][n]);
        for (unsigned g = 0; g < NUMBERS; g++)
            ck_assert_msg(shared->entered[c][g] <= 1, "generation %u of connection %u was entered %u times", g, c, shared->entered[c][g]);
    }
    for (unsigned i = 0; i < CONNS * NUMBERS / 16; i++)
        ck_assert_msg(shared->opened[i] <= 1, "a new word was raised %u times", shared->opened[i]);
}

START_TEST(nothing_twice_whoever_dies)
{
    static const uint8_t key[TRK_FILTER_KEY_BYTES] = "workers";
    pid_t workers[WORKERS];
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(shared != MAP_FAILED);
    struct trk_filter *f = trk_filter_create(shared->filter, FILTER_BYTES, 5, key);
    ck_assert_ptr_nonnull(f);
    uint32_t random = 1, started = 0, killed = 0;
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker(++started);
    uint64_t end_ms = clock_ms() + RUN_MS;
    while (clock_ms() < end_ms && atomic_load(&shared->turn) < (uint64_t)CONNS * NUMBERS) {
        struct timespec pause = { 0, (KILL_EVERY_MS * 500 + (long)(next(&random) % (KILL_EVERY_MS * 1000))) * 1000L };
        nanosleep(&pause, NULL);
        stop(&workers[next(&random) % WORKERS]);
        killed++;
        for (int i = 0; i < WORKERS; i++)
            if (!workers[i])
                workers[i] = start_worker(++started);
    }
    for (int i = 0; i < WORKERS; i++)
        stop(&workers[i]);
    check_counts();
    ck_assert_uint_gt(killed, 3);
    ck_assert_uint_gt(shared->spends, 1000);
    ck_assert_uint_gt(shared->losses, 100);
    ck_assert_uint_gt(shared->entries, 100);
    struct trk_filter_stats s;
    trk_filter_stats(f, NOW_MS, &s);
    ck_assert_uint_eq(s.evicted, 0);
    /* The survivor finds everything that was given, and gives the rest. */
    f = trk_filter_attach(shared->filter, FILTER_BYTES);
    ck_assert_ptr_nonnull(f);
    uint64_t used = atomic_load(&shared->turn) / NUMBERS;
    for (uint64_t c = 0; c <= used && c < CONNS; c++)
        for (unsigned n = 0; n < NUMBERS + 64; n++) {
            uint64_t got = trk_filter_spend(f, who(f, c), 0, n, 1, NOW_MS);
            shared->spent[c][n] += (uint32_t)got;
        }
    check_counts();
    ck_assert_uint_eq(trk_filter_spend(f, who(f, CONNS + 1), 0, 1, 64, NOW_MS), UINT64_MAX);
    munmap(shared, sizeof *shared);
}
END_TEST

UNIT_MAIN("filter_workers", nothing_twice_whoever_dies)
