/* stream.h - the toy protocol that client and server of the simulated world speak, and its bytes.
 *
 * The client writes requests, one line each, some with a body; each makes one object, a string of bytes
 * that is a function of its key and the offset alone, so either side can make or verify any byte of it.
 *
 *   "K id bytes\n"         an object of known length
 *   "U id bytes\n"         the same, but the server does not say how long it is
 *   "P id bytes body\n"    a body follows; the object's key depends on the body's digest
 *   "C id bytes body\n"    the same, but the client waits for an interim object before it sends the body (of a byte at least)
 *   "R id bytes body\n"    an upload that the server refuses: it counts the body as consumed, unseen
 *   "B id bytes body\n"    an upload by position: all bytes of the body but the last may come in any order
 *   "E id bytes body\n"    the same, but the server expects twice as much: the client ends its stream after the body
 *   "Q id bytes body\n"    the same as B, but the server has enough when bytes of the second half arrive: it counts the rest as consumed
 *   "D id bytes\n"         known length; the key depends on the time that the server is told, so two answers to one
 *                          input differ. The object begins with its key (8 bytes), which counts in `bytes`
 *   "F id bytes\n"         known length, then the server ends its stream
 *   "X id bytes\n"         the server resets the connection
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_LINE_MAX 64                /* with its newline */
#define SIM_INTERIM_BYTES 25           /* of a 'C' object, as long as "HTTP/1.1 100 Continue\r\n\r\n" */
#define SIM_KEY_BYTES 8
#define SIM_DIGEST_SEED 0xcbf29ce484222325ull
#define SIM_GREETING_KEY 0x6772656574ull

struct sim_object {
    char     type;                     /* 'K' ... */
    uint64_t id, bytes;
    uint32_t body_bytes;
    uint32_t think_us;                 /* the client waits so long after the object before it */
};

/* Writes the object's request line to out (SIM_LINE_MAX bytes). Returns its length. */
uint32_t sim_line_write(const struct sim_object *o, char *out);
/* Reads a line of n bytes, newline included. False if it is none. */
bool sim_line_read(const char *line, uint32_t n, struct sim_object *out);

/* Bytes [offset, offset + n) of the request of o: line, then body. */
void sim_request_bytes(const struct sim_object *o, uint64_t offset, uint8_t *out, uint32_t n);
uint64_t sim_request_length(const struct sim_object *o);
/* True if data is just the bytes of the body of object id from offset on. */
bool sim_body_equal(uint64_t id, uint64_t offset, const uint8_t *data, uint32_t n);

/* The digest of a body, or of more of it. */
uint64_t sim_digest(uint64_t digest, const uint8_t *body, uint32_t n);
/* Key of the object's bytes when its body (if it has one that is read) was right. */
uint64_t sim_object_key(const struct sim_object *o);
uint64_t sim_key_of(uint64_t id, uint64_t digest);
uint64_t sim_interim_key(uint64_t id);
uint64_t sim_dated_key(uint64_t id, uint64_t time);

/* Bytes [offset, offset + n) of the string with this key. */
void sim_content(uint64_t key, uint64_t offset, uint8_t *out, uint32_t n);
/* The same of a 'D': its key first, then the string. */
void sim_dated_content(uint64_t key, uint64_t offset, uint8_t *out, uint32_t n);
/* True if data is just that. */
bool sim_content_equal(uint64_t key, uint64_t offset, const uint8_t *data, uint32_t n);

#endif
