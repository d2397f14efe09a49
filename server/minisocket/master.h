/* master.h - the process that all workers come from, in parts. Private to this library. */
#ifndef MSK_MASTER_H
#define MSK_MASTER_H

#include "group.h"

struct life {                          /* of one worker's place */
    pid_t pid;                         /* 0: none now */
    int64_t began_ms, due_ms;          /* its beginning; when the next one may begin */
    int delay_ms;
    uint64_t taken_before;             /* packets, in this place, before it began */
    uint64_t taken; int64_t idle_since_ms;           /* packets; it has taken none of those that wait since then; 0: not so */
    pid_t relieved; int64_t relieved_ms;             /* one that hung in this place, and may still end by itself; 0: none */
};

struct master {
    struct msk_group group;
    struct msk_pool pool;
    struct life lives[MSK_WORKERS_MAX];
    int signals, control, successor;   /* descriptors; successor: connected, and has not said that it serves */
    pid_t successor_pid; ino_t control_inode;
    bool busy;                         /* something was taken, or waits: see lives.c */
    bool ending;
};

int64_t msk_monotonic_ms(void);
void msk_master_close_descriptors(const struct master *m);

/* lives.c */
void msk_lives_start_due(struct master *m);
void msk_lives_reap(struct master *m);
void msk_lives_look(struct master *m);               /* for those that hang; every MSK_LOOK_MS while busy */
void msk_lives_retire(const struct master *m);       /* all that run: told to end, and replaced by the loop */
void msk_lives_end(struct master *m);                /* for good */
/* How long the loop may sleep: -1: until something comes. */
int msk_lives_patience(const struct master *m);
#define MSK_LOOK_MS 50

/* succession.c */
bool msk_succession_open(struct master *m, char *error, size_t error_bytes);
void msk_succession_close(struct master *m);
void msk_successor_start(struct master *m);          /* SIGUSR2 */
void msk_successor_meet(struct master *m);
void msk_successor_hear(struct master *m);
void msk_successor_reap(struct master *m);

#endif
