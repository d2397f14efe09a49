/* file_view.h - files in place: long ranges are sent from the page cache, without a copy of them in between.
 *
 * Soft state, as open files are: dropping a view changes no answer. Their pages count as resident while they are mapped, but are
 * the page cache's, and views that nobody uses go after a moment. */
#ifndef TRICKLESD_FILE_VIEW_H
#define TRICKLESD_FILE_VIEW_H

#include "tricklesd/file.h"

#define FILE_VIEWS_MAX      4
#define FILE_VIEW_BYTES_MAX (1ull << 30)       /* a larger file is read */

struct file_views {
    struct file_view {
        const uint8_t *bytes;          /* NULL: none */
        struct file file;              /* what it shows; its descriptor is not the view's */
        bool used;                     /* since the last file_views_age */
    } at[FILE_VIEWS_MAX];
    unsigned next;                     /* place of the next one */
};

/* True if file_view needs no new view for f, and leaves the others alone. */
bool file_views_show(const struct file_views *views, const struct file *f);
/* The bytes of f, as file_open has just found it, from offset on, to the file's end; good until the next call of a function here. They are for the kernel to read
 * (a send), not for this program: where a file has been cut short meanwhile, a system call fails with EFAULT, but a program
 * that looks dies of SIGBUS. They are what the file holds at the moment of reading. NULL: it cannot be mapped, or is not what
 * file_open saw any more. */
const uint8_t *file_view(struct file_views *views, const struct file *f, uint64_t offset);
/* Drop the views that were not used since the last call. */
void file_views_age(struct file_views *views);
bool file_views_any(const struct file_views *views);
void file_views_close(struct file_views *views);

#endif
