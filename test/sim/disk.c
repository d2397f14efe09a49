#include "disk.h"

#include <stdlib.h>
#include <string.h>

#define UPLOADS_MAX 256

struct upload { uint64_t name, bytes; uint8_t *here; };       /* a byte for each byte that is here */

static struct upload uploads[UPLOADS_MAX];
static unsigned n_uploads;

void sim_disk_clear(void)
{
    while (n_uploads > 0)
        free(uploads[--n_uploads].here);
}

static struct upload *find(uint64_t name)
{
    for (unsigned i = 0; i < n_uploads; i++)
        if (uploads[i].name == name)
            return &uploads[i];
    return NULL;
}

void sim_disk_write(uint64_t name, uint64_t offset, uint32_t n)
{
    struct upload *u = find(name);

    if (!u && n_uploads == UPLOADS_MAX)
        abort();
    if (!u) {
        u = &uploads[n_uploads++];
        *u = (struct upload){ .name = name };
    }
    if (offset + n > u->bytes) {
        uint64_t bytes = 2 * (offset + n);
        uint8_t *here = realloc(u->here, bytes);
        if (!here)
            abort();
        memset(here + u->bytes, 0, bytes - u->bytes);
        u->here = here;
        u->bytes = bytes;
    }
    memset(u->here + offset, 1, n);
}

bool sim_disk_has(uint64_t name, uint64_t n)
{
    const struct upload *u = find(name);

    return n == 0 || (u && n <= u->bytes && !memchr(u->here, 0, n));
}
