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

struct file_memo;                      /* soft state: open files and remembered tags. Dropping it changes no answer */
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
struct file { int fd; struct file_identity id; int64_t ctime_ns; dev_t dev; ino_t ino; };

/* -1 and errno: no such directory, no right, ... */
int file_root_open(struct file_root *root, const char *directory);
void file_root_close(struct file_root *root);
/* Close the files that are still open. Paths are looked up again after it: call it once per round of the event loop. */
void file_root_release(struct file_root *root);
/* The same, and forget the tags too. */
void file_root_forget(struct file_root *root);

/* path: NUL-terminated, slashes at its front are ignored, "" is the root. No way out of the root: not by "..", nor by
 * any link. Links that stay inside are followed. FILE_OK: *out is the file as it is now; it belongs to root and is good
 * until the next call of file_open or a function above. */
enum file_result file_open(struct file_root *root, const char *path, struct file *out);
bool file_same(const struct file_identity *a, const struct file_identity *b);
/* Not touched since file_open saw it. */
bool file_still(const struct file *f);
/* True if all n bytes at offset were read, and the file was still the one that file_open saw when they had been. */
bool file_read(const struct file *f, uint64_t offset, uint8_t *out, size_t n);

#endif
