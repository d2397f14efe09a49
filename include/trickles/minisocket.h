/* minisocket.h - write a server that keeps no per-connection state.
 *
 * The server side of Trickles (NSDI 2005), section 3: one queue of events for all clients instead of a
 * descriptor for each. An event is one request packet; its *minisocket* lives until that event is answered,
 * and nothing about the client stays behind. What you need to remember travels with the client, in two
 * continuations that this library seals (MAC, bound to the connection; encrypted on request):
 *
 *   output  {first, end, opaque}: from the opaque bytes, any byte of the output stream in [first, end) can be
 *           made, by any replica, at any time, in any order and more than once.
 *   input   {opaque}: what you have understood of the client's bytes so far.
 *
 * The one law: **every output byte is fixed by its output continuation.** Take the time from the event (never from
 * a clock), put whatever the bytes depend on into the continuation, and msk_reset() when you cannot make the
 * same bytes any more. Input is processed *at least once*: (connection, input.offset) is an idempotency key.
 *
 *   struct msk_options options = { .listen = addresses, .n_listen = 1 };
 *   struct msk_server *server = msk_open(&options, error, sizeof error);
 *   for (;;) {
 *       struct pollfd p = { .fd = msk_fd(server), .events = POLLIN };
 *       poll(&p, 1, -1);
 *       msk_process(server, handler, NULL);        // handler(minisocket, event, argument) for each event
 *   }
 *
 * A handler (1) looks at event->input and answers it by msk_more or msk_done, (2) gives the bytes of every
 * range (msk_range, msk_give), (3) ends the minisocket: msk_reply. See examples/greeter.c.
 *
 * Conventions. Offsets and lengths are bytes of a stream, counted from its start; times are ms since 1970.
 * Functions return 0 or a negative errno value: -EINVAL (not with this event, or not in this order), -EBADF (the
 * minisocket has ended), -EMSGSIZE (opaque bytes above MSK_OPAQUE_MAX), -ERANGE (no such range); others are
 * named where they occur. Errors for people are one sentence without a newline. A server and its minisockets
 * belong to one thread. No function allocates after msk_open, except when interfaces come and go and where
 * msk_install_events looks for the way to a client. */
#ifndef TRICKLES_MINISOCKET_H
#define TRICKLES_MINISOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MSK_API __attribute__((visibility("default")))
#else
#define MSK_API
#endif

#define MSK_OPAQUE_MAX 512                  /* opaque bytes in one continuation */
#define MSK_LENGTH_UNKNOWN UINT64_MAX       /* an output that ends by msk_give_end */
#define MSK_APPLICATION_MAX 63              /* bytes of an application's name */
#define MSK_ERROR_BYTES 256                 /* enough for every error sentence */
#define MSK_ANSWER_BYTES_MAX (256u * 16384u)/* all ranges of one event together are never longer */

struct msk_server;                          /* listen addresses, links, keys, counters; nothing per client */
struct minisock;                            /* one event being answered */

/* ---------------- keys: what replicas share ---------------- */

enum msk_key_state {
    MSK_KEY_ADDED = 1,                      /* accepted from other replicas, never sealed with */
    MSK_KEY_CURRENT = 2,                    /* exactly one: new connections are sealed with it */
    MSK_KEY_RETIRING = 3                    /* still honoured: its connections move to the current one */
};
struct msk_key { uint8_t epoch; uint8_t state; uint8_t secret[32]; };
#define MSK_KEYS_MAX 8
struct msk_keys { size_t n; struct msk_key keys[MSK_KEYS_MAX]; };

/* Read a key file: lines "EPOCH added|current|retiring HEX64", # begins a comment. The file must belong to
 * nobody but its owner (mode 0600 or 0400). -EACCES, -EPERM, -ENOENT, -EINVAL, ... with a sentence in error. */
MSK_API int msk_keys_read(const char *path, struct msk_keys *out, char *error, size_t error_bytes);
/* Make a new key file with one random key, mode 0600. Never overwrites: -EEXIST. */
MSK_API int msk_keys_generate(const char *path, char *error, size_t error_bytes);
/* One random key for this process alone: a restart breaks its connections. */
MSK_API void msk_keys_random(struct msk_keys *out);

/* ---------------- the server ---------------- */

enum msk_log_level { MSK_LOG_ERROR = 1, MSK_LOG_WARNING = 2, MSK_LOG_INFO = 3, MSK_LOG_DEBUG = 4 };

struct msk_options {                        /* zero what you do not set; only read during msk_open */
    /* "ADDR:PORT", "[V6ADDR]:PORT", "*:PORT". "*" and "[::]" mean all addresses of both families, "0.0.0.0" all
     * IPv4 addresses. Port 0: the kernel picks one, see msk_listen_address. */
    const char *const *listen; size_t n_listen;
    const struct msk_keys *keys;            /* NULL: msk_keys_random */
    const char *capture;                    /* a pcap file of all packets; NULL: none */
    /* The replay filter: which numbers were spent. Without it (0 bytes) a client can replay and hide losses. filter_name:
     * named shared memory of that size, which outlives the process and is shared by all that open it; NULL: this process
     * alone. Whoever made it removes it: /dev/shm/NAME. domain: 0, unless several hosts answer for one connection at the
     * same time; then the same number for all of them. */
    size_t filter_bytes; const char *filter_name; uint32_t domain;
    size_t cache_bytes;                     /* soft state: continuations that were opened before are known again. Bounded by this for
                                               each process; 0: none, or 4096 and more. It changes no byte of any answer */
    uint32_t horizon_ms, skew_ms;           /* how old a continuation may be, and how far clocks differ; 0: default */
    /* How many minisockets may live at once: the one being answered, pending ones and detached ones; 2 ... 4096, 0: 64. Each
     * is 60 KiB and its packet, resident only once so many have lived at the same time. */
    uint32_t minisockets;
    uint32_t extracted_life_ms;             /* how old an extracted minisocket may be when it is installed; 0: 5000 */
    void (*log)(void *arg, enum msk_log_level level, const char *line);     /* NULL: quiet */
    void *log_arg;
    /* A name, at most MSK_APPLICATION_MAX bytes, that separates this application from others with the same key file; NULL: none.
     * Servers of one name (or none) and one key answer for each other, and believe what the other has sealed: who can make one
     * of them seal bytes of his choice can show these to the other. So applications that share keys need names. */
    const char *application;
};

/* Needs CAP_NET_RAW (and CAP_NET_ADMIN for the guard that keeps the kernel's TCP silent on the port). NULL with
 * errno and a sentence on failure: EPERM, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ... */
MSK_API struct msk_server *msk_open(const struct msk_options *options, char *error, size_t error_bytes);
/* What msk_open would find wrong with the options themselves, opening nothing: 0, or -EINVAL and a sentence. */
MSK_API int msk_check(const struct msk_options *options, char *error, size_t error_bytes);
/* Ends at once; clients are told nothing and go on with any replica. NULL is allowed. */
MSK_API void msk_close(struct msk_server *server);
/* Replace the keys, between events. -EINVAL: no or several current keys, an epoch twice, too many. -EBUSY:
 * the minisocket that msk_next_event returned lives. Pending and detached ones go on with what there is of their epoch. */
MSK_API int msk_set_keys(struct msk_server *server, const struct msk_keys *keys);
/* The i-th listen address with its real port. -ERANGE. */
MSK_API int msk_listen_address(const struct msk_server *server, size_t i, struct sockaddr_storage *out);

/* Every packet has one fate, each fate one counter. name and why are static. */
struct msk_counter { const char *name, *why; uint64_t value; };
/* Fills up to n; returns how many there are. */
MSK_API size_t msk_counters(const struct msk_server *server, struct msk_counter *out, size_t n);

/* ---------------- the event queue (paper 3.1) ---------------- */

enum msk_event_type {
    MSK_OPEN = 1,                           /* a connection begins; input may come with it */
    MSK_REQUEST = 2,                        /* input, or asked ranges, or both */
    MSK_CLOSE = 3                           /* the client says it is gone: a hint, it may never come */
};

struct msk_input {                          /* the next bytes of the client's stream, if present */
    bool present;
    bool end;                               /* the stream ends after them: one more unit to consume */
    const uint8_t *data; size_t bytes;      /* never NULL; may be 0 bytes, when end */
    uint64_t offset;                        /* of data[0] */
    const uint8_t *opaque; size_t opaque_bytes;     /* your last input continuation; 0 bytes at first */
    bool placed;                            /* by position: any bytes of a range that msk_more_range named. opaque: the range's */
    uint64_t range_first, range_end;        /* placed: its bounds */
    uint64_t output_offset;                 /* where the output that you make of it will begin */
    size_t room;                            /* bytes of that output that fit into this very answer */
};

struct msk_event {                          /* lives as long as its minisocket */
    enum msk_event_type type;
    struct sockaddr_storage peer, local;    /* sockaddr_in or sockaddr_in6 */
    uint8_t connection[12];                 /* the sealed connection id: no client can choose another's */
    uint64_t time_ms;                       /* sealed into the request: equal on every replica, 16 ms steps, at most a
                                               minute old. OPEN and CLOSE: of arrival */
    struct msk_input input;
};

/* A descriptor to poll: readable when events may be there, or interfaces changed. Not to be read. It says nothing about
 * pending events (below). */
MSK_API int msk_fd(const struct msk_server *server);
/* The next event, without blocking: the first pending one, else the next packet's. Call it until it returns NULL, then
 * poll: what was answered may leave only then. The one that it returned before is dropped if it still lives. */
MSK_API struct minisock *msk_next_event(struct msk_server *server);
MSK_API const struct msk_event *msk_event(const struct minisock *m);

typedef void (*msk_handler)(struct minisock *m, const struct msk_event *event, void *arg);
/* Dispatch what is there, a bounded number of events, without blocking. An event that the handler leaves
 * unanswered is dropped. Returns how many events there were, or a negative errno value; -ECANCELED: this is a worker
 * (msk_run_workers) that is to end. */
MSK_API int msk_process(struct msk_server *server, msk_handler handler, void *arg);

/* The queue itself. msk_gather takes what has arrived into it, as far as minisockets are free (struct msk_options); walk it
 * by msk_first and msk_after. Every pending minisocket may be used like the one that msk_next_event returned: answered out
 * of turn, dropped, moved, detached, extracted. One that is left alone is skipped: it stays where it is.
 *
 *     msk_gather(server);
 *     for (struct minisock *next, *m = msk_first(server); m; m = next) {
 *         next = msk_after(m);
 *         if (is_too_costly(msk_event(m)))
 *             msk_drop(m);
 *     } */
MSK_API size_t msk_gather(struct msk_server *server);              /* returns how many are pending now */
MSK_API struct minisock *msk_first(struct msk_server *server);     /* NULL: none is pending */
MSK_API struct minisock *msk_after(const struct minisock *m);      /* the one behind a pending one; NULL: none */
/* Put a minisocket in front of all pending ones, or behind them: also the one being answered, or a detached one, which will
 * be dispatched (again). What was said about it so far is forgotten. -ENOBUFS: as for msk_detach. */
MSK_API int msk_to_front(struct minisock *m);
MSK_API int msk_to_back(struct minisock *m);

/* Keep a minisocket beyond its turn: it leaves the queue and lives until you answer, drop, reset or extract it, from
 * wherever you like (a timer, another descriptor's event), in the server's thread; its answer then leaves at once. Read the
 * pointers in msk_event anew: they have moved. What msk_more, msk_done or msk_give said before is forgotten.
 * The client knows nothing of this. When its timer runs out (after 10 ms or 1.5 round trips, then 200 ms, 400 ms ...) it asks
 * again, which is another event with the same connection and input.offset; an answer to any but its newest request brings it
 * bytes but no continuations. So keep the newest event of each question, and drop older ones. Not for MSK_CLOSE (-EINVAL).
 * -ENOBUFS: one minisocket must stay free for the next event, and all others are in use. */
MSK_API int msk_detach(struct minisock *m);

/* ---------------- answering (paper 3.3, 4.1 to 4.3) ---------------- */

struct msk_bytes { const void *data; size_t bytes; };       /* copied at the call */

/* The input is not enough yet. consumed counts from input.data[0]: 0 means "send it again, with more", more than
 * input.bytes means that the client throws away what follows, unsent. */
MSK_API int msk_more(struct minisock *m, uint64_t consumed, struct msk_bytes input);

/* Uploads at full speed. The input is understood up to `consumed` (at most input.bytes); the `length` bytes after it (> 0) may
 * now come in any order, many packets at a time and some of them more than once, as events with input.placed and the opaque
 * bytes of `range` (at most MSK_OPAQUE_MAX - 8). Apply each by its offset and say msk_taken. When each byte was taken the
 * client goes on behind the range with the opaque bytes of `input`: leave the last byte of an upload out of the range, and you
 * hear that everything is there. msk_more or msk_done in answer to placed input ends the range early: what they do not
 * consume comes in order (or never). A stream that ends inside the range is placed input of 0 bytes with `end`.
 * -EINVAL also for placed input, -ERANGE: length is 0, or leads beyond the largest offset. */
MSK_API int msk_more_range(struct minisock *m, uint64_t consumed, uint64_t length, struct msk_bytes range, struct msk_bytes input);
/* This placed input need not come again. */
MSK_API int msk_taken(struct minisock *m);

struct msk_output {                         /* what the input became */
    uint64_t consumed;                      /* as for msk_more */
    struct msk_bytes input;                 /* continuation for the bytes after these */
    struct msk_bytes output;                /* continuation that makes the output */
    uint64_t length;                        /* of the output, from input.output_offset on; or MSK_LENGTH_UNKNOWN, then
                                               its opaque bytes are at most MSK_OPAQUE_MAX - 8, input is not used, and
                                               the client's next bytes wait for msk_give_end */
    bool last;                              /* the stream to the client ends after it */
    bool encrypt;                           /* hide the opaque bytes from the client */
};
/* The input is understood. With MSK_OPEN and no input: the server speaks first. The first bytes of the
 * output appear as a further range at once. */
MSK_API int msk_done(struct minisock *m, const struct msk_output *output);

struct msk_range {                          /* bytes that the client asks for now */
    const uint8_t *opaque; size_t opaque_bytes;     /* of the output continuation that makes them; never NULL */
    uint64_t first, end;                    /* its valid range; end may be MSK_LENGTH_UNKNOWN */
    uint64_t offset; size_t bytes;          /* asked: within the valid range, bytes may be 0 */
};
MSK_API size_t msk_ranges(const struct minisock *m);
/* Memory for the bytes of this event's ranges, MSK_ANSWER_BYTES_MAX of them, until msk_reply. Data given from here leaves
 * together with the answers to other events, which is faster than memory of your own. NULL: the minisocket has ended, or
 * another one that lives has this memory. */
MSK_API uint8_t *msk_room(struct minisock *m);
MSK_API int msk_range(const struct minisock *m, size_t i, struct msk_range *out);
/* The bytes of range i, from its offset on, at most as many as asked; for what is missing the client asks again. They
 * are not copied: keep them until msk_reply has returned. */
MSK_API int msk_give(struct minisock *m, size_t i, const void *data, size_t bytes);
/* The same for bytes that stay where they are beyond msk_reply, such as static ones and those of a mapped file: until msk_process
 * returns, msk_next_event finds no other event, or msk_flush. Such answers leave together, which is faster. */
MSK_API int msk_give_kept(struct minisock *m, size_t i, const void *data, size_t bytes);
/* All answers that were made and wait for others to leave with leave now. */
MSK_API void msk_flush(struct minisock *m);
/* The last bytes of an output of unknown length: it ends at range i's offset + bytes (bytes may be 0). next_input: the
 * continuation for the client's next bytes; last: the stream to the client ends here. A client that does not know the end
 * may ask for ranges that lie wholly behind it: never call this for one of those, give it nothing. -EINVAL: the length is
 * known, the end was said already, or another range of this output has bytes behind it or not all before it. */
MSK_API int msk_give_end(struct minisock *m, size_t i, const void *data, size_t bytes, struct msk_bytes next_input, bool last);
/* The same, for any range of an output that ends at stream offset `end`: a range before it is given whole, of the one
 * that reaches it the bytes before it, and the end is said; one behind it is given nothing. data: from the range's offset
 * on, `bytes` of them; those behind the end are ignored. */
MSK_API int msk_give_until(struct minisock *m, size_t i, const void *data, size_t bytes, uint64_t end, struct msk_bytes next_input, bool last);
/* Hide the opaque bytes of the input continuation that msk_more, msk_done or msk_give_end announced from the client.
 * -EINVAL: none did. */
MSK_API int msk_encrypt_input(struct minisock *m);

struct msk_packet {                         /* a packet of the answer as it is planned; it may come out shorter */
    uint64_t offset; size_t bytes;          /* the bytes of the output stream that it is to carry; may be 0 */
    size_t range;                           /* the range they begin in; without bytes: msk_ranges */
    bool answers_input;                     /* what msk_more or msk_done announced rides on it */
};
MSK_API size_t msk_packets(const struct minisock *m);
MSK_API int msk_packet(const struct minisock *m, size_t i, struct msk_packet *out);

/* Answer with what was said, and end the minisocket. An event that needs nothing said (MSK_OPEN of a client that
 * speaks first) is answered too, MSK_CLOSE is only ended. -ENOBUFS: the answer cannot be written into the packets
 * that this client may be sent. -ENOKEY: the keys of its grants were removed while it was kept. -ENETDOWN: so was the
 * interface. What an interface does not take is counted, and a loss to the client. */
MSK_API int msk_reply(struct minisock *m);
/* End the connection with an error at the client (ECONNRESET). For outputs that can no longer be made. */
MSK_API int msk_reset(struct minisock *m);

/* ---------------- Figure 8 under its own names ----------------
 * Its first argument, the listening descriptor, is struct msk_server where a minisocket does not know it already. */

/* Give data to the ranges in their order, and reply. -EINVAL: more bytes than the ranges ask for. */
MSK_API int msk_send(struct minisock *m, const void *data, size_t bytes);
/* The same from up to 1024 pieces of memory, one after the other, wherever ranges begin. A range that one piece covers is
 * not copied. -EBUSY: another minisocket that lives has taken msk_room, which the others are copied into. */
struct tiovec { const void *data; size_t bytes; };
MSK_API int msk_sendv(struct minisock *m, const struct tiovec *vectors, int n);
/* The same from files, or memory among them: bytes of fd from offset on, or of data where fd is -1. The files are read
 * before it returns. -ENODATA: a file is shorter; other errors are of pread. After an error the minisocket lives. */
struct fiovec { int fd; uint64_t offset; const void *data; size_t bytes; };
MSK_API int msk_sendfilev(struct minisock *m, const struct fiovec *vectors, int n);
/* msk_sendv for several minisockets, whose answers leave together. Returns how many were answered; result: 0 or what
 * msk_sendv returned for this one (it lives then, unless it was dead before). */
struct mskdesc { struct minisock *m; const struct tiovec *vectors; int n; int result; };
MSK_API int msk_sendbulk(struct msk_server *server, struct mskdesc *descriptions, int n);

/* A continuation that belongs to one packet of the answer. pkt is msk_packet's index of one that carries bytes of an output:
 * from its own bytes on, the output can be made of these opaque bytes, too (a cursor that has moved on, so that nobody has to
 * begin at the start again). The next events' ranges may come with it (`first` is then this packet's offset), or still with the
 * old one, as packets get lost. Or pkt names the packet that answers the input, and one of the continuations that msk_more or
 * msk_done announced, whose opaque bytes are replaced. At most MSK_OPAQUE_MAX bytes (8 less while the length is unknown).
 * -EINVAL: no output's bytes are in this packet, it carries msk_more's or msk_done's, or nothing announced that. -ENOBUFS: this
 * answer has four already. */
#define MSK_UCONT_INPUT  (-1)
#define MSK_UCONT_OUTPUT (-2)
MSK_API int msk_setucont(struct minisock *m, int pkt, const void *opaque, size_t bytes);
/* Say nothing; the client asks again. */
MSK_API int msk_drop(struct minisock *m);

/* Moving minisockets to another process or machine that has the keys: extract there, send the bytes by any means, install
 * here; the reply leaves from here, with the addresses that the client knows. An extracted minisocket is an event before
 * anything was said about it: the packet, and what was decided about it, sealed with the current key (BLAKE2b, 32 bytes) and
 * the time. It is not secret, as it says what the packet said. Whoever installs it twice answers twice, with equal grants. */
#define MSK_EXTRACTED_BYTES(packet_bytes) ((packet_bytes) + 160)   /* of one; a packet is never above the MTU */
struct msk_collection {
    uint8_t *data;                          /* your memory */
    size_t capacity, bytes;                 /* of it; used by extracted minisockets */
    int n;                                  /* out: how many were extracted into it, or installed from it */
    int result;                             /* out: 0, or why the first one that was not installed was not */
};
/* Which ones: pending, detached, or the one being answered; each ends here. result: 0; -EBADF: ended before; -EINVAL: a
 * MSK_CLOSE, or of another server; -ENOBUFS: no collection had room for it, it lives. */
struct extract_mskdesc_in { struct minisock *m; int result; };
/* *outlen: how many collections there are; on return, how many are used. They are filled in order. Returns how many
 * minisockets were extracted. */
MSK_API int msk_extract_events(struct msk_server *server, struct extract_mskdesc_in *in, int inlen, struct msk_collection *out, int *outlen);
/* Behind all pending ones. Returns how many were installed. Those that were not, see result: -EBADMSG damaged or tampered with,
 * -ENOKEY sealed with keys that are not ours, -ETIME too old (or of a clock too far ahead), -ENOTSUP of another version of this
 * library, -ENOBUFS no minisocket is free, -EHOSTUNREACH, -ENETUNREACH ... no way to the client from here, -ENODEV this server does
 * not listen on the interface that leads there ("*:PORT" does on all), -EMSGSIZE that interface's packets are too small.
 * May wait for a neighbour's address, at most 200 ms each. */
MSK_API int msk_install_events(struct msk_server *server, struct msk_collection *collections, int n);

/* ---------------- answers that cannot be made again ----------------
 * The law above wants output bytes that can be made again. Where they cannot (the result of something that was done, a
 * random number, a reading of a clock), they are kept: up to MSK_ONCE_INLINE bytes in the output continuation itself, which
 * nothing can lose; longer ones in this process, in a buffer of bounded size (the paper's "own stateful buffering"): when it
 * is full the oldest go, and a client that still wants one has to be reset. A restart loses all that are in the buffer. */
#define MSK_ONCE_INLINE (MSK_OPAQUE_MAX - 4)
struct msk_once;
/* bytes: of the buffer, at least 4096, all memory there will be. keep_ms: answers younger than this are not evicted. NULL: errno. */
MSK_API struct msk_once *msk_once_open(size_t bytes, uint32_t keep_ms);
MSK_API void msk_once_close(struct msk_once *once);                /* NULL is allowed */
/* Call it first for an event with input: 1 if this very input was answered before and the answer is still kept, and says the
 * same again (as msk_done): so what the input asks for is done once although input comes at least once. 0: do it. */
MSK_API int msk_once_again(struct msk_once *once, struct minisock *m);
/* msk_done, where output->output is the answer itself, whatever its length; length is ignored. -ENOBUFS: it does not fit, as the
 * buffer is too small or holds nothing old enough to go. */
MSK_API int msk_once_done(struct msk_once *once, struct minisock *m, const struct msk_output *output);
/* Give range i; reply before the next msk_once_done. -ENOMSG: it is not of such an answer (continuations of your own must not
 * begin with the bytes ff 6f 6e). -ESTALE: the answer is gone, evicted or kept by another process: msk_reset. */
MSK_API int msk_once_give(struct msk_once *once, struct minisock *m, size_t i);
struct msk_once_stats { uint64_t answers, inlined, again, evicted, stale; size_t bytes; };      /* bytes: of the buffer, in use */
MSK_API void msk_once_count(const struct msk_once *once, struct msk_once_stats *out);

/* ---------------- workers: one service, several processes ---------------- */

/* No connection belongs to any of them: each packet goes to the next one, so that a single flow is served by all. One that
 * ends is replaced at once (after ever longer pauses, if it fails before it has taken a packet). One that takes nothing for
 * 100 ms while packets wait is relieved: another one takes its place; it is told to end, and ended after 3 s. Clients notice
 * neither. All share the keys, the replay filter and the counters.
 *
 * msk_run_workers makes the calling process their master, which reads no packet, and returns when the service ends. The process
 * must have one thread, and no other use for these signals: TERM and INT end the service, what the workers have in hand is
 * answered first; HUP calls reload; USR1 goes on to worker 0; USR2 starts the successor.
 *
 * Upgrade without a lost packet: a second program with the same `control` takes over guards, filter and sockets from the first,
 * which ends once the second one's workers serve. One that fails to start changes nothing. */
#define MSK_WORKERS_MAX 64

struct msk_workers {                    /* zero what you do not set; it stays yours, and must stay, until msk_run_workers returns */
    unsigned n;                         /* 1 to MSK_WORKERS_MAX */
    const struct msk_options *options;  /* of each of them. capture: each writes a file of its own, with ".N" behind the name */
    /* The program of worker 0 ... n-1, in a process of its own, without the master's signal handling: serves until msk_process
     * returns -ECANCELED or msk_ending says so, and returns the process's exit status. The place to drop rights: nothing
     * that comes after needs any. */
    int (*run)(struct msk_server *server, unsigned worker, void *arg);
    /* In the master, at SIGHUP: the keys that all workers are to use from now on. Not 0: they stay as they are. May be NULL. */
    int (*reload)(struct msk_keys *out, void *arg);
    /* In the master, once: the workers serve, a predecessor has been told to end. May be NULL. */
    void (*ready)(const struct sockaddr_storage *addresses, size_t n, void *arg);
    void *arg;
    const char *control;                /* the path of a Unix socket by which a successor takes over; NULL: none can */
    char *const *successor;             /* what SIGUSR2 runs (execvp), NULL at its end; NULL: nothing */
};
/* 0 when the service has ended; or it could not begin: a negative errno value and a sentence. */
MSK_API int msk_run_workers(const struct msk_workers *workers, char *error, size_t error_bytes);
/* True in a worker that is to end; answer what is there, and return. */
MSK_API bool msk_ending(const struct msk_server *server);

#ifdef __cplusplus
}
#endif
#endif
