/* memory.c - the memory of one client: engine, numbers, send and receive buffer, in one mapping of which only touched pages
 * cost anything. Blocks are used again, washed: a new one costs a page fault for each of its pages. */
#include "endpoint/endpoint_state.h"
#include <sys/mman.h>

#define FREE_MAX 4096                  /* blocks kept for later */

static size_t round_up(size_t bytes) { return (bytes + 4095) & ~(size_t)4095; }

static size_t block_bytes(const struct trk_endpoint *e)
{
    return round_up(sizeof(struct trk_client)) + TRK_CLIENT_NUMBERS_BYTES + e->config.send_bytes + e->config.receive_bytes;
}

struct trk_client *trk_memory_take(struct trk_endpoint *e, struct trk_client_config *config)
{
    uint8_t *block = (uint8_t *)e->free_memory;
    if (block) {
        e->free_memory = e->free_memory->next;
        e->n_free_memory--;
    } else {
        block = mmap(NULL, block_bytes(e), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (block == MAP_FAILED)
            return NULL;
    }
    uint8_t *at = block + round_up(sizeof(struct trk_client));
    config->numbers = at;
    config->numbers_bytes = TRK_CLIENT_NUMBERS_BYTES;
    config->numbers_zeroed = true;
    config->send_buffer = at += TRK_CLIENT_NUMBERS_BYTES;
    config->send_bytes = e->config.send_bytes;
    config->receive_buffer = at + e->config.send_bytes;
    config->receive_bytes = e->config.receive_bytes;
    return (struct trk_client *)(void *)block;
}

void trk_memory_give_back(struct trk_endpoint *e, struct trk_client *client)
{
    if (e->n_free_memory >= FREE_MAX) {
        munmap(client, block_bytes(e));
        return;
    }
    trk_client_wash(client);
    struct trk_memory *block = (struct trk_memory *)(void *)client;
    block->next = e->free_memory;
    e->free_memory = block;
    e->n_free_memory++;
}

void trk_memory_close(struct trk_endpoint *e)
{
    while (e->free_memory) {
        struct trk_memory *block = e->free_memory;
        e->free_memory = block->next;
        munmap(block, block_bytes(e));
    }
}
