/* file.h - files beneath one directory, and what makes two of them the same file for every replica. */
#ifndef TRICKLESD_FILE_H
#define TRICKLESD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The same on every replica that holds the same bytes with the same modification time (rsync -a, a shared file
 * system); so no inode or device number is in it. The tag is a hash of size, mtime and samples of the content. */
struct file_identity { uint64_t size; int64_t mtime_ns; uint64_t tag; };

struct file_memo;                      /* remembered tags: soft state, see file_root_forget */
struct file_root {
    int fd;
    bool walk;                         /* the kernel has no openat2: walk the path without following any link */
    struct file_memo *memo;
};

enum file_result {
    FILE_OK,
    FILE_DIRECTORY,
    FILE_NOT_FOUND,
    FILE_FORBIDDEN,                    /* no right, not a regular file, or the path leads out of the root */
    FILE_FAILED,                       /* the system failed, not the request */
};
struct file { int fd; struct file_identity id; };

/* -1 and errno: no such directory, no right, ... */
int file_root_open(struct file_root *root, const char *directory);
void file_root_close(struct file_root *root);
/* Drop what is remembered. Changes no answer. */
void file_root_forget(struct file_root *root);

/* path: NUL-terminated, slashes at its front are ignored, "" is the root. No way out of the root: not by "..", nor by
 * any link. Links that stay inside are followed. FILE_OK: close it. */
enum file_result file_open(struct file_root *root, const char *path, struct file *out);
void file_close(struct file *f);
bool file_same(const struct file_identity *a, const struct file_identity *b);
/* True if all n bytes at offset were read. */
bool file_read(const struct file *f, uint64_t offset, uint8_t *out, size_t n);

#endif
