/* libminisocket: nothing is allocated per packet. Every malloc of the program comes by here; those under way while the
 * server works are counted. */
#include <malloc.h>
#include "loopback.h"

#if defined(__has_feature)              /* clang's way to say it */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void)
{
    puts("SKIP unit.minisocket_heap: the sanitizer has a malloc of its own");
    return 77;
}
#else

static volatile bool counting;
static volatile unsigned allocations;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { allocations += counting; return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { allocations += counting; return __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { allocations += counting; return __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { allocations += counting; return __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { allocations += counting; return __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) { allocations += counting; *p = __libc_memalign(a, n); return *p ? 0 : ENOMEM; }

#define LONG_BYTES 900000
static struct msk_server *there;
static unsigned events;

static void answer(struct minisock *m)
{
    const struct msk_event *e = msk_event(m);
    uint8_t *room = msk_room(m);
    events++;
    if (e->input.present) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { "long", 4 }, .length = LONG_BYTES, .encrypt = true };
        msk_done(m, &o);
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        msk_range(m, i, &r);
        memset(room, 'h', r.bytes);
        msk_give(m, i, room, r.bytes);
        room += r.bytes;
    }
    msk_reply(m);
}
static void handle(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)e;
    (void)arg;
    answer(m);
}

/* Each of the ways that an event can take, in turn. */
static void work(void)
{
    static uint8_t bytes[16 * 2048];
    static unsigned turn;
    struct msk_collection c = { .data = bytes, .capacity = sizeof bytes };
    struct extract_mskdesc_in in = { 0 };
    int n = 1;
    counting = true;
    switch (turn++ % 3) {
    case 0:
        msk_process(ends.server, handle, NULL);
        break;
    case 1:
        msk_gather(ends.server);
        for (struct minisock *next, *m = msk_first(ends.server); m; m = next) {
            next = msk_after(m);
            msk_detach(m);
            answer(m);
        }
        break;
    default:
        in.m = msk_next_event(ends.server);
        counting = false;              /* looking for the way to the client asks the kernel, and may allocate */
        if (in.m && msk_extract_events(ends.server, &in, 1, &c, &n) == 1)
            msk_install_events(there, &c, 1);
        counting = true;
        msk_process(there, handle, NULL);
    }
    counting = false;
}

START_TEST(no_allocation_per_packet)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    struct msk_server *server = open_with((struct msk_options){ .keys = &keys, .filter_bytes = 1 << 20 }, "127.0.0.1:7001");
    there = open_with((struct msk_options){ .keys = &keys }, "127.0.0.1:7002");
    counting = true;
    free(malloc(1));
    counting = false;
    ck_assert_uint_eq(allocations, 1);             /* they do come by here */
    allocations = 0;
    for (int i = 0; i < 5; i++) {
        begin(server, NULL, NULL, "go");
        ends.pump = work;
        ck_assert(receive(LONG_BYTES));
        end_client();
    }
    ck_assert_uint_gt(events, 200);
    ck_assert_msg(allocations == 0, "%u allocations in %u events", allocations, events);
    msk_close(server);
    msk_close(there);
}
END_TEST

LOOPBACK_MAIN("minisocket_heap", no_allocation_per_packet)
#endif
