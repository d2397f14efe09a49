#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "random.h"

static bool has_body(char type) { return type && strchr("PCRBEQ", type); }

uint32_t sim_line_write(const struct sim_object *o, char *out)
{
    if (has_body(o->type))
        return (uint32_t)snprintf(out, SIM_LINE_MAX, "%c %" PRIu64 " %" PRIu64 " %" PRIu32 "\n", o->type, o->id, o->bytes, o->body_bytes);
    return (uint32_t)snprintf(out, SIM_LINE_MAX, "%c %" PRIu64 " %" PRIu64 "\n", o->type, o->id, o->bytes);
}

bool sim_line_read(const char *line, uint32_t n, struct sim_object *out)
{
    char text[SIM_LINE_MAX + 1];

    if (n == 0 || n > SIM_LINE_MAX || line[n - 1] != '\n')
        return false;
    memcpy(text, line, n);
    text[n] = 0;
    memset(out, 0, sizeof *out);
    int fields = sscanf(text, "%c %" SCNu64 " %" SCNu64 " %" SCNu32, &out->type, &out->id, &out->bytes, &out->body_bytes);
    return has_body(out->type) ? fields == 4 : fields == 3 && strchr("KUFDX", out->type);
}

uint64_t sim_request_length(const struct sim_object *o)
{
    char line[SIM_LINE_MAX];
    return sim_line_write(o, line) + (has_body(o->type) ? o->body_bytes : 0u);
}

static uint64_t body_key(uint64_t id) { return sim_mix(id ^ 0xb0d1ull); }

void sim_request_bytes(const struct sim_object *o, uint64_t offset, uint8_t *out, uint32_t n)
{
    char line[SIM_LINE_MAX];
    uint32_t length = sim_line_write(o, line);

    for (; n > 0 && offset < length; n--)
        *out++ = (uint8_t)line[offset++];
    if (n > 0)
        sim_content(body_key(o->id), offset - length, out, n);
}

bool sim_body_equal(uint64_t id, uint64_t offset, const uint8_t *data, uint32_t n)
{
    return sim_content_equal(body_key(id), offset, data, n);
}

uint64_t sim_digest(uint64_t digest, const uint8_t *body, uint32_t n)
{
    while (n-- > 0)
        digest = (digest ^ *body++) * 0x100000001b3ull;
    return digest;
}

uint64_t sim_key_of(uint64_t id, uint64_t digest) { return sim_mix(id * 2 + 1) ^ sim_mix(digest); }
uint64_t sim_interim_key(uint64_t id) { return sim_mix(id ^ 0x100ull); }
uint64_t sim_dated_key(uint64_t id, uint64_t time) { return sim_mix(id) ^ sim_mix(time * 2); }

uint64_t sim_object_key(const struct sim_object *o)
{
    uint8_t part[512];
    uint64_t digest = SIM_DIGEST_SEED;

    if (o->type == 'P' || o->type == 'C') {
        for (uint64_t at = 0; at < o->body_bytes; at += sizeof part) {
            uint32_t n = o->body_bytes - at < sizeof part ? (uint32_t)(o->body_bytes - at) : (uint32_t)sizeof part;
            sim_content(body_key(o->id), at, part, n);
            digest = sim_digest(digest, part, n);
        }
    }
    return sim_key_of(o->id, digest);
}

static uint64_t word(uint64_t key, uint64_t index) { return sim_mix(key ^ (index * 0xd1342543de82ef95ull)); }

void sim_content(uint64_t key, uint64_t offset, uint8_t *out, uint32_t n)
{
    while (n > 0) {
        uint64_t w = word(key, offset / 8);
        uint32_t skip = (uint32_t)(offset % 8), take = 8 - skip < n ? 8 - skip : n;
        w >>= 8 * skip;
        for (uint32_t i = 0; i < take; i++, w >>= 8)
            out[i] = (uint8_t)w;
        out += take;
        offset += take;
        n -= take;
    }
}

void sim_dated_content(uint64_t key, uint64_t offset, uint8_t *out, uint32_t n)
{
    for (; n > 0 && offset < SIM_KEY_BYTES; n--, offset++)
        *out++ = (uint8_t)(key >> (8 * offset));
    if (n > 0)
        sim_content(key, offset - SIM_KEY_BYTES, out, n);
}

bool sim_content_equal(uint64_t key, uint64_t offset, const uint8_t *data, uint32_t n)
{
    uint8_t part[1024];

    while (n > 0) {
        uint32_t take = n < sizeof part ? n : (uint32_t)sizeof part;
        sim_content(key, offset, part, take);
        if (memcmp(part, data, take) != 0)
            return false;
        data += take;
        offset += take;
        n -= take;
    }
    return true;
}
