/* Files in place: what a view shows, and when it shows nothing, or goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tricklesd/file_view.h"
#include "unit.h"

static char dir[] = "/tmp/trickles-view-XXXXXX";
static struct file_root root;
static struct file_views views;

static void put(const char *name, char fill, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < bytes; i++)
        putc(fill, f);
    fclose(f);
}

static struct file opened(const char *name)
{
    struct file f;
    ck_assert_int_eq(file_open(&root, name, &f), FILE_OK);
    return f;
}

static void set_up(void)
{
    strcpy(strrchr(dir, '-') + 1, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(file_root_open(&root, dir), 0);
    memset(&views, 0, sizeof views);
}

static void tear_down(void)
{
    char command[64];
    file_views_close(&views);
    file_root_close(&root);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_view_shows_the_file)
{
    set_up();
    put("a", 'a', 100000);
    struct file f = opened("a");
    const uint8_t *bytes = file_view(&views, &f, 70000);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < 30000; i++)
        ck_assert_int_eq(bytes[i], 'a');
    file_root_release(&root);          /* the next round: another descriptor, the same view */
    f = opened("a");
    ck_assert_ptr_eq(file_view(&views, &f, 70000), bytes);
    ck_assert_ptr_null(file_view(&views, &f, 100000));
    tear_down();
}
END_TEST

START_TEST(a_changed_file_is_not_shown)
{
    set_up();
    put("a", 'a', 5000);
    struct file f = opened("a");
    ck_assert_ptr_nonnull(file_view(&views, &f, 0));
    usleep(20000);                     /* a tick of the file system's clock */
    put("a", 'b', 5000);
    struct file g = opened("a");       /* in the same round */
    ck_assert(file_views_show(&views, &f));
    ck_assert(!file_views_show(&views, &g));
    ck_assert_int_eq(*file_view(&views, &g, 0), 'b');
    ck_assert(file_views_show(&views, &g));
    tear_down();
}
END_TEST

START_TEST(more_files_than_views)
{
    set_up();
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 2 * FILE_VIEWS_MAX; i++) {
            char name[8];
            snprintf(name, sizeof name, "f%d", i);
            if (round == 0)
                put(name, (char)('a' + i), 5000);
            struct file f = opened(name);
            ck_assert_int_eq(*file_view(&views, &f, 4999), 'a' + i);
        }
    tear_down();
}
END_TEST

START_TEST(unused_views_go)
{
    set_up();
    put("a", 'a', 5000);
    put("b", 'b', 5000);
    struct file a = opened("a"), b = opened("b");
    ck_assert(!file_views_any(&views));
    ck_assert_ptr_nonnull(file_view(&views, &a, 0));
    ck_assert_ptr_nonnull(file_view(&views, &b, 0));
    file_views_age(&views);
    const uint8_t *bytes = file_view(&views, &a, 0);
    file_views_age(&views);
    ck_assert(file_views_any(&views));
    ck_assert_ptr_eq(file_view(&views, &a, 0), bytes);
    file_views_age(&views);
    file_views_age(&views);
    ck_assert(!file_views_any(&views));
    tear_down();
}
END_TEST

UNIT_MAIN("file_view", a_view_shows_the_file, a_changed_file_is_not_shown, more_files_than_views, unused_views_go)
