/* http_answer.h - what is said to a request, fixed once and for all: from this value, any byte of head and body can be
 * made at any later time, by any replica. It is what the output continuation carries. Pure. */
#ifndef TRICKLESD_HTTP_ANSWER_H
#define TRICKLESD_HTTP_ANSWER_H

#include "tricklesd/file.h"
#include "tricklesd/http_request.h"

#define ANSWER_FORMAT    3             /* raise with every change to any byte that is made from an answer */
#define ANSWER_SAVED_MAX 512
#define ANSWER_HEAD_MAX  2048

enum answer_kind {
    ANSWER_CONTINUE,                   /* 100; the final answer follows the body */
    ANSWER_FILE, ANSWER_PART,          /* 200, 206 */
    ANSWER_MOVED, ANSWER_NOT_MODIFIED, /* 301 to path, 304 */
    ANSWER_BAD_REQUEST, ANSWER_BAD_HOST, ANSWER_BAD_TARGET,      /* 400 */
    ANSWER_FORBIDDEN, ANSWER_NOT_FOUND, ANSWER_METHOD,           /* 403, 404, 405 */
    ANSWER_TARGET_TOO_LONG, ANSWER_RANGE, ANSWER_HEAD_TOO_LARGE, /* 414, 416, 431 */
    ANSWER_FAILED, ANSWER_UNKNOWN_METHOD, ANSWER_VERSION,        /* 500, 501, 505 */
    ANSWER_CREATED, ANSWER_REPLACED,   /* 201, 200: of a PUT */
    ANSWER_CONTENT_RANGE, ANSWER_NO_UPLOAD, ANSWER_METHOD_PUT,   /* 400, 403, 405 of a server that takes uploads */
    ANSWER_NO_DIRECTORY, ANSWER_UPLOAD_GONE, ANSWER_LENGTH_REQUIRED, ANSWER_STORAGE,   /* 409, 409, 411, 507 */
    ANSWER_KINDS
};

struct http_answer {
    enum answer_kind kind;
    bool no_body;                      /* HEAD */
    bool close;                        /* the connection ends with this answer */
    bool say_keep_alive;               /* HTTP/1.0 asked for it */
    int64_t date;                      /* seconds since 1970: of the request, sealed */
    struct file_identity file;         /* FILE, PART, NOT_MODIFIED, RANGE */
    uint64_t first, bytes;             /* body: this part of the file, or of the explanation (first 0) */
    uint16_t head_bytes;
    char path[HTTP_PATH_MAX + 1];      /* of the file, or of the redirect's target: decoded */
};

/* Make the answer to a complete request. found and id: what file_open said of path (FILE_NOT_FOUND if it was not asked);
 * path: the file's, with index.html where that was added. */
void http_answer_make(const struct http_request *r, enum file_result found, const struct file_identity *id, const char *path,
                      int64_t date, struct http_answer *out);
/* The answer to what is no request, or to one refused before any file is looked for; it ends the connection if close. */
void http_answer_refuse(const struct http_request *r, enum answer_kind kind, bool close, int64_t date, struct http_answer *out);
/* An answer without a file that needs nothing of its request. */
void http_answer_say(enum answer_kind kind, bool close, bool say_keep_alive, int64_t date, struct http_answer *out);
/* True, and *kind, if the request is refused whatever file it asks for. uploads: PUT is not. */
bool http_answer_refused(const struct http_request *r, bool uploads, enum answer_kind *kind);

/* The head, exactly out->head_bytes of it. Returns its bytes. */
size_t http_answer_head(const struct http_answer *a, char out[ANSWER_HEAD_MAX]);
/* The explanation that is the body of every answer without a file; "" for those. */
const char *http_answer_text(const struct http_answer *a);
bool http_answer_has_file(const struct http_answer *a);
unsigned http_answer_status(const struct http_answer *a);

/* To and from an output continuation. load: false if save of this ANSWER_FORMAT did not make it. */
size_t http_answer_save(const struct http_answer *a, uint8_t out[ANSWER_SAVED_MAX]);
bool http_answer_load(struct http_answer *a, const uint8_t *bytes, size_t n);

#endif
