/* server.h - what a server is made of. Private to this library. Nothing here stands for a connection: a struct
 * minisock is an event to be answered, and is used again for another. */
#ifndef MSK_SERVER_H
#define MSK_SERVER_H

#include <trickles/minisocket.h>
#include "link/capture.h"
#include "link/guard.h"
#include "link/link.h"
#include "link/route.h"
#include "serve/filter.h"
#include "serve/serve.h"
#include "tcb/memo.h"

#define MSK_LISTENS_MAX 16
#define MSK_LINKS_MAX   64
#define MSK_WAKE        (MSK_LINKS_MAX + 1)   /* among the interfaces' places in epoll, as MSK_LINKS_MAX is for their changes */
#define MSK_LOCALS_MAX  512
#define MSK_BATCH       32             /* packets taken from a link at once */
#define MSK_EVENTS_MAX  256            /* dispatched by one msk_process, up to the end of a batch */
#define MSK_OFFSET_TRAILER 8           /* ours, behind the opaque bytes of a range and of an output of unknown length */

struct msk_listen {
    struct sockaddr_storage address;   /* with the real port */
    struct trk_link_port port;         /* family 0: any address of both */
    bool any;                          /* any address of the family, or of both */
    int guard;                         /* -1: another process holds it */
};
struct msk_listens { struct msk_listen at[MSK_LISTENS_MAX]; size_t n; };

struct msk_iface {                     /* one interface we hear: its link and what fits through it */
    struct trk_link *link;
    int ifindex;
    char name[16];
    struct trk_serve_config config;
};

/* Fates that are not verdicts of the protocol. */
enum msk_count { MSK_COUNT_PACKETS, MSK_COUNT_SENT, MSK_COUNT_UNSENT, MSK_COUNT_NOT_LOCAL, MSK_COUNT_DROPS,
                 MSK_COUNT_EXTRACTED, MSK_COUNT_INSTALLED, MSK_COUNT_NOT_INSTALLED, MSK_COUNT_KINDS };
struct msk_tally { uint64_t verdicts[TRK_V_COUNT], counts[MSK_COUNT_KINDS]; struct trk_memo_stats cache; };

struct msk_memory {                    /* the replay filter's */
    struct trk_filter *filter; void *at; size_t bytes;       /* NULL: there is no filter */
    int fd;                            /* of memory that can be handed to another process; -1: it cannot */
};

enum msk_state { MSK_FREE, MSK_CURRENT, MSK_PENDING, MSK_DETACHED };

struct minisock {
    struct msk_server *server;
    enum msk_state state;
    struct minisock *before, *after;   /* PENDING: its neighbours in the queue. FREE: after is the next free one */
    bool foreign;                      /* data was given from outside msk_room: it must leave before msk_reply returns */
    uint32_t room_used;                /* of outbox.room, by this event */
    struct msk_event event;
    const uint8_t *packet; uint32_t packet_bytes;   /* where the views below point: into the link's memory, or msk_slot_memory */
    bool checksum_ok;
    const struct msk_iface *iface;     /* it came by, and goes back by; NULL once kept: then looked up by ifindex */
    int ifindex;
    struct trk_link_neighbour from;
    struct trk_serve_config config;    /* under which it was judged */
    uint64_t now_ms;                   /* of this event, the same for all steps of its answer */
    struct trk_segment segment;
    struct trk_spend spend;
    struct trk_decision decision;
    struct trk_plan plan;
    struct trk_result result;
    struct trk_ucont next_input;       /* of msk_give_end */
    struct trk_renewal renewals[TRK_RENEWALS_MAX];   /* of msk_setucont */
};

/* All minisockets there will be, and the queue (slots.c). */
#define MSK_PACKET_MAX 65536
#define MSK_MINISOCKETS_DEFAULT 64
#define MSK_MINISOCKETS_MAX 4096
struct msk_slots {
    void *memory; size_t bytes;
    struct minisock *all; size_t n, touched, used;   /* behind them MSK_PACKET_MAX bytes for each */
    struct minisock *free;             /* used last, first: what is warm is used again */
    struct minisock *first, *last; size_t pending;
};

/* Answers that have not left yet, all for one interface: a batch of requests is answered by one send. Bounds: when
 * another whole answer might not fit, what is there leaves first. */
#define MSK_OUTBOX_PACKETS (2 * 1024)
#define MSK_OUTBOX_LEAVES  512         /* so many packets leave before another answer is made: some superframes' worth */
#define MSK_OUTBOX_HEADS   (4 * TRK_ARENA_BYTES)
#define MSK_GATHER_BYTES   (384u << 10)             /* data gathered before it leaves */
#define MSK_RESIDENT_BYTES (512u << 10)             /* of the room: what an answer needs above is given back after it */
#define MSK_ROOM_BYTES     (MSK_GATHER_BYTES + MSK_ANSWER_BYTES_MAX)
struct msk_outbox {
    struct trk_link_out out[MSK_OUTBOX_PACKETS]; int n;
    uint8_t heads[MSK_OUTBOX_HEADS]; size_t heads_used;
    uint8_t *room; size_t room_used, room_touched;
    const struct msk_iface *iface;
};

struct msk_server {
    struct msk_listens listens;
    struct msk_group *group; unsigned worker;                        /* NULL: no worker, but a server by itself. See group.h */
    bool ending; int wake;             /* a worker that is to end, and what tells it so; -1 */
    uint32_t keys_version;             /* of the group's keys */
    struct msk_iface ifaces[MSK_LINKS_MAX]; size_t n_ifaces;
    struct trk_addr locals[MSK_LOCALS_MAX]; size_t n_locals;
    int epoll, watch;
    struct trk_keys keys;
    char application[MSK_APPLICATION_MAX + 1];       /* whose they are */
    uint32_t horizon_ms, skew_ms;
    struct trk_filter *filter;                                       /* the replay filter; NULL: there is none */
    struct msk_memory memory;                                        /* its own; empty in a worker */
    struct trk_memo *memo; size_t memo_bytes;                        /* soft state, NULL: none */
    struct trk_capture *capture;
    void (*log)(void *arg, enum msk_log_level level, const char *line); void *log_arg;

    struct trk_link_packet batch[MSK_BATCH]; int batch_n, batch_i;   /* received, not judged yet */
    const struct msk_iface *batch_iface;
    int ready[MSK_LINKS_MAX]; int ready_n;                           /* interfaces with something to receive */

    struct msk_slots slots;
    struct minisock *current;                                        /* what msk_next_event returned; NULL: none */
    const struct minisock *room_owner;                               /* has data in outbox.room and has not replied */
    bool bulk;                                                       /* answers gather until msk_sendbulk is through */
    uint32_t extracted_life_ms;
    struct msk_tally own, *tally;                                    /* a worker's is in memory that all of them share */

    struct trk_packet packets[TRK_ANSWER_PACKETS_MAX];               /* one answer */
    struct msk_outbox outbox;
};

void msk_log(const struct msk_server *s, enum msk_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* open.c. group: NULL, or the one that this process is a worker of. */
struct msk_server *msk_open_as(const struct msk_options *o, struct msk_group *group, unsigned worker, char *error, size_t error_bytes);

/* listens.c: the listen addresses and their guards. handed: descriptors of a predecessor, to be used before new ones; may be NULL. */
struct msk_pool;
bool msk_listens_open(struct msk_listens *l, const struct msk_options *o, struct msk_pool *handed, char *error, size_t error_bytes);
void msk_listens_close(struct msk_listens *l);
size_t msk_listens_ports(const struct msk_listens *l, struct trk_link_port out[MSK_LISTENS_MAX]);

/* wanted.c: one look at the host: its interfaces, and which of them owns each listen address (0: any, or none). */
#define MSK_INTERFACES_MAX 256
struct msk_view { struct trk_interface all[MSK_INTERFACES_MAX]; int n; int owners[MSK_LISTENS_MAX]; };
bool msk_view_take(const struct msk_listens *l, struct msk_view *out);
const struct trk_interface *msk_view_find(const struct msk_view *v, int ifindex);
bool msk_view_wants(const struct msk_view *v, const struct msk_listens *l, const struct trk_interface *candidate);

/* links.c: one link per interface that a listen address needs. Called at start and when interfaces change.
 * False and a sentence if no interface at all can be heard. */
bool msk_links_update(struct msk_server *s, char *error, size_t error_bytes);
void msk_links_close(struct msk_server *s);

/* local.c: which destinations are ours. A router's links also see what it forwards. */
bool msk_locals_update(struct msk_server *s);
bool msk_is_ours(const struct msk_server *s, const struct trk_addr *addr, uint16_t port);

/* memory.c: the replay filter's memory; shared: for processes that this one forks. False and a sentence if it cannot be had. */
bool msk_memory_open(struct msk_memory *m, const struct msk_options *o, bool shared, struct msk_pool *handed, char *error, size_t error_bytes);
void msk_memory_close(struct msk_memory *m);

/* queue.c: the next received packet and the interface it came by; NULL: nothing there now. */
const struct trk_link_packet *msk_next_packet(struct msk_server *s, const struct msk_iface **iface);

/* outbox.c. begin: where one answer's packets are to be written (its interface is there); add: they are complete, to leave with the next flush. */
bool msk_outbox_open(struct msk_outbox *o);
void msk_outbox_close(struct msk_outbox *o);
struct trk_packets msk_outbox_begin(struct minisock *m);
void msk_outbox_add(struct minisock *m, const struct trk_packets *answer);
void msk_outbox_flush(struct msk_server *s);

/* slots.c: minisockets' memory, and the queue. */
bool msk_slots_open(struct msk_server *s, uint32_t n);
void msk_slots_close(struct msk_slots *slots);
struct minisock *msk_slot_take(struct msk_server *s);               /* NULL: all are used */
struct minisock *msk_slot_spare(struct msk_server *s);              /* the same, but one is left for the next event */
void msk_slot_free(struct minisock *m);                             /* it has ended, however */
void msk_queue_put(struct minisock *m, bool front);                 /* becomes PENDING */
void msk_queue_take(struct minisock *m);                            /* is PENDING no more */

uint8_t *msk_slot_memory(const struct minisock *m);                 /* of its own for a packet, MSK_PACKET_MAX bytes */

/* The keys were replaced: who was kept is sealed with what there is now of its epoch, or can no longer be answered. */
void msk_slots_rekey(struct msk_server *s);

uint64_t msk_real_ms(void);

/* answer.c: the next packet that is an event; false: nothing is there now. */
bool msk_receive_event(struct minisock *m);
/* What a packet that was judged before says, here or where it was extracted: views, plan and event, from its bytes and
 * decision. False: not under these keys. */
bool msk_reread(struct minisock *m);
void msk_forget_said(struct minisock *m);                           /* nothing has been said about it yet */

/* send.c: tell the client why its proven request is not honoured; how a minisocket ends. */
void msk_tell(struct minisock *m, enum trk_verdict v, bool reset);

/* packets.c: packet i brings an output continuation for the bytes from its own on. */
int msk_renew(struct minisock *m, size_t i, const void *opaque, size_t bytes);

/* event.c: what the application is shown; the offset that travels behind opaque bytes. */
uint64_t msk_trailing_offset(const struct trk_ucont *u);
void msk_event_fill(struct minisock *m);
/* The output continuation that makes want i; NULL: the input's own output, which does not exist yet. */
const struct trk_ucont *msk_maker(const struct minisock *m, size_t i);

static inline void msk_count(struct msk_server *s, enum trk_verdict v) { s->tally->verdicts[v]++; }
static inline void msk_count_other(struct msk_server *s, enum msk_count c) { s->tally->counts[c]++; }

#endif
