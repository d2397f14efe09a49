/* file_view.c - see file_view.h. */
#include "file_view.h"

#include <sys/mman.h>

static void drop(struct file_view *v)
{
    if (v->bytes)
        munmap((void *)(uintptr_t)v->bytes, (size_t)v->file.id.size);
    v->bytes = NULL;
}

/* The inode's change time cannot be set back: equal means untouched. */
static bool shows(const struct file_view *v, const struct file *f)
{
    return v->bytes && v->file.dev == f->dev && v->file.ino == f->ino && v->file.ctime_ns == f->ctime_ns && v->file.id.size == f->id.size;
}

bool file_views_show(const struct file_views *views, const struct file *f)
{
    for (const struct file_view *v = views->at; v < views->at + FILE_VIEWS_MAX; v++)
        if (shows(v, f))
            return true;
    return false;
}

static struct file_view *make(struct file_views *views, const struct file *f)
{
    struct file_view *v = &views->at[views->next++ % FILE_VIEWS_MAX];
    drop(v);
    void *map = mmap(NULL, (size_t)f->id.size, PROT_READ, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED)
        return NULL;
    *v = (struct file_view){ .bytes = map, .file = *f };
    return v;
}

const uint8_t *file_view(struct file_views *views, const struct file *f, uint64_t offset)
{
    if (f->id.size > FILE_VIEW_BYTES_MAX || offset >= f->id.size)
        return NULL;
    struct file_view *v = views->at;
    while (v < views->at + FILE_VIEWS_MAX && !shows(v, f))
        v++;
    if (v == views->at + FILE_VIEWS_MAX)
        v = file_still(f) ? make(views, f) : NULL;
    if (!v)
        return NULL;
    v->used = true;
    return v->bytes + offset;
}

void file_views_age(struct file_views *views)
{
    for (struct file_view *v = views->at; v < views->at + FILE_VIEWS_MAX; v++) {
        if (!v->used)
            drop(v);
        v->used = false;
    }
}

bool file_views_any(const struct file_views *views)
{
    for (const struct file_view *v = views->at; v < views->at + FILE_VIEWS_MAX; v++)
        if (v->bytes)
            return true;
    return false;
}

void file_views_close(struct file_views *views)
{
    for (struct file_view *v = views->at; v < views->at + FILE_VIEWS_MAX; v++)
        drop(v);
}
