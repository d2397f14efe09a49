/* mime.h - Content-Type by file name. */
#ifndef TRICKLESD_MIME_H
#define TRICKLESD_MIME_H

/* By the last extension, in any case; application/octet-stream if unknown. Static, never NULL. */
const char *mime_of(const char *path);

#endif
