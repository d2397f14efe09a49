/* Uploads: bytes in any order, finished once or twice, holes, and where nothing may be stored. */
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "tricklesd/upload.h"
#include "unit.h"

static char directory[64];
static struct upload_place place;
static const uint8_t connection[12] = { 1, 2, 3, [11] = 255 };
static char name[UPLOAD_NAME_BYTES];
static uint64_t inode;
static bool replaces;

static const char *in(const char *path)
{
    static char text[256];
    snprintf(text, sizeof text, "%s/%s", directory, path);
    return text;
}

static void set_up(void)
{
    strcpy(directory, "/tmp/trk-upload-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(mkdir(in("sub"), 0755), 0);
    ck_assert_int_eq(symlink("/tmp", in("link")), 0);
    ck_assert_int_eq(upload_open(&place, directory), 0);
    upload_name(connection, 77, name);
}

static void tear_down(void)
{
    char command[128];
    upload_close(&place);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static bool holds(const char *path, const char *text)
{
    char found[64] = "";
    int fd = open(in(path), O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, found, sizeof found - 1) : -1;
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(text) && strcmp(found, text) == 0;
}

static enum upload_result begin(const char *path, uint64_t size) { return upload_begin(&place, name, path, size, &inode, &replaces); }
static enum upload_result put(uint64_t at, const char *text) { return upload_write(&place, name, at, (const uint8_t *)text, strlen(text)); }
static enum upload_result finish(const char *path, uint64_t size) { return upload_finish(&place, name, path, size, inode); }

/* A file stays open for a round at most: afterwards nothing is written to what another replica has finished. */
START_TEST(nothing_is_held_longer_than_a_round)
{
    struct upload_place other;
    ck_assert_int_eq(upload_open(&other, directory), 0);
    ck_assert_int_eq(begin("there", 3), UPLOAD_OK);
    ck_assert_int_eq(put(0, "abc"), UPLOAD_OK);
    ck_assert_int_eq(upload_finish(&other, name, "there", 3, inode), UPLOAD_OK);
    upload_round(&place);
    ck_assert_int_eq(put(0, "x"), UPLOAD_GONE);
    ck_assert(holds("there", "abc"));
    ck_assert_int_eq(begin("again", 3), UPLOAD_OK);    /* what this one finished or forgot is not written to, even within the round */
    ck_assert_int_eq(put(0, "abc"), UPLOAD_OK);
    ck_assert_int_eq(finish("again", 3), UPLOAD_OK);
    ck_assert_int_eq(put(0, "x"), UPLOAD_GONE);
    ck_assert(holds("again", "abc"));
    upload_close(&other);
}
END_TEST

START_TEST(bytes_in_any_order)
{
    ck_assert_int_eq(begin("/sub/file", 10), UPLOAD_OK);
    ck_assert(!replaces);
    ck_assert_int_eq(put(5, "fghij"), UPLOAD_OK);
    uint64_t first = inode;
    ck_assert_int_eq(begin("/sub/file", 10), UPLOAD_OK);       /* a repeated request loses nothing */
    ck_assert_uint_eq(inode, first);
    ck_assert_int_eq(put(0, "abcde"), UPLOAD_OK);
    ck_assert_int_eq(put(2, "cd"), UPLOAD_OK);
    ck_assert_int_ne(access(in("sub/file"), F_OK), 0);
    ck_assert_int_eq(finish("/sub/file", 10), UPLOAD_OK);
    ck_assert(holds("sub/file", "abcdefghij"));
    ck_assert_int_eq(put(0, "late"), UPLOAD_GONE);
    ck_assert_int_eq(finish("/sub/file", 10), UPLOAD_OK);      /* its answer was lost */
    ck_assert_int_eq(begin("sub/file", 3), UPLOAD_OK);
    ck_assert(replaces);
    ck_assert_int_eq(put(0, "new"), UPLOAD_OK);
    ck_assert(holds("sub/file", "abcdefghij"));
    uint64_t old = first;
    ck_assert_int_eq(finish("sub/file", 3), UPLOAD_OK);
    ck_assert(holds("sub/file", "new"));
    ck_assert_int_eq(upload_finish(&place, name, "sub/file", 10, old), UPLOAD_GONE);   /* replaced since */
}
END_TEST

START_TEST(a_hole_is_no_file)
{
    ck_assert_int_eq(begin("f", 1 << 20), UPLOAD_OK);
    ck_assert_int_eq(put(0, "begin"), UPLOAD_OK);
    ck_assert_int_eq(put((1 << 20) - 3, "end"), UPLOAD_OK);
    ck_assert_int_eq(finish("f", 1 << 20), UPLOAD_FAILED);
    ck_assert_int_ne(access(in("f"), F_OK), 0);
    ck_assert_int_eq(finish("f", 5), UPLOAD_FAILED);           /* another length than it was begun with */
    upload_forget(&place, name);
    ck_assert_int_eq(put(0, "x"), UPLOAD_GONE);
    ck_assert_int_eq(finish("f", 1 << 20), UPLOAD_GONE);
}
END_TEST

START_TEST(where_nothing_is_stored)
{
    ck_assert_int_eq(begin("nowhere/f", 1), UPLOAD_NO_DIRECTORY);
    ck_assert_int_eq(begin("link/f", 1), UPLOAD_NO_DIRECTORY);
    ck_assert_int_eq(begin("sub", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("sub/", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("/", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("..", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("sub/../f", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("sub/.", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("link", 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin(name, 1), UPLOAD_FORBIDDEN);
    ck_assert_int_eq(begin("f", UINT64_MAX), UPLOAD_FULL);
    struct upload_place none;
    ck_assert_int_eq(upload_open(&none, in("nowhere")), -1);
}
END_TEST

START_TEST(leftovers_go_after_a_day)
{
    char old[UPLOAD_NAME_BYTES];
    upload_name(connection, 78, old);
    ck_assert_int_eq(begin("f", 1), UPLOAD_OK);
    ck_assert_int_eq(upload_begin(&place, old, "g", 1, &inode, &replaces), UPLOAD_OK);
    const struct timespec yesterday[2] = { { time(NULL) - UPLOAD_KEPT_SECONDS - 60, 0 }, { time(NULL) - UPLOAD_KEPT_SECONDS - 60, 0 } };
    ck_assert_int_eq(utimensat(AT_FDCWD, in(old), yesterday, 0), 0);
    upload_close(&place);
    ck_assert_int_eq(upload_open(&place, directory), 0);
    ck_assert_int_eq(access(in(name), F_OK), 0);
    ck_assert_int_ne(access(in(old), F_OK), 0);
}
END_TEST

/* Deletes in a server that runs on: when the next one begins, and sooner if many were left. */
START_TEST(what_is_left_is_bounded)
{
    char each[UPLOAD_NAME_BYTES];
    struct timespec times[2] = { { time(NULL) - UPLOAD_SHORT_SECONDS - 60, 0 }, { time(NULL) - UPLOAD_SHORT_SECONDS - 60, 0 } };
    for (unsigned i = 0; i < UPLOAD_UNFINISHED_MAX; i++) {
        upload_name(connection, 1000 + i, each);
        ck_assert_int_eq(upload_begin(&place, each, "g", 1 << 20, &inode, &replaces), UPLOAD_OK);
    }
    ck_assert_int_eq(begin("f", 1), UPLOAD_FULL);
    ck_assert_int_eq(upload_begin(&place, each, "g", 1 << 20, &inode, &replaces), UPLOAD_OK);        /* that one is under way */
    place.swept -= UPLOAD_SWEEP_SECONDS;
    ck_assert_int_eq(begin("f", 1), UPLOAD_FULL);
    ck_assert_int_eq(utimensat(AT_FDCWD, in(each), times, 0), 0);
    ck_assert_int_eq(begin("f", 1), UPLOAD_FULL);              /* it is not looked at all the time */
    place.swept -= UPLOAD_SWEEP_SECONDS;
    ck_assert_int_eq(begin("f", 1), UPLOAD_OK);
    ck_assert_int_ne(access(in(each), F_OK), 0);
    upload_forget(&place, name);
    ck_assert_int_eq(begin("f", 1), UPLOAD_OK);
    ck_assert_int_eq(put(0, "x"), UPLOAD_OK);
    ck_assert_int_eq(finish("f", 1), UPLOAD_OK);
    ck_assert_int_eq(begin("f", 1), UPLOAD_OK);
}
END_TEST

START_TEST(no_more_than_the_disk_holds)
{
    struct statvfs fs;
    ck_assert_int_eq(statvfs(directory, &fs), 0);
    ck_assert_int_eq(begin("f", (uint64_t)fs.f_blocks * fs.f_frsize + fs.f_frsize), UPLOAD_FULL);
    ck_assert_int_eq(begin("f", INT64_MAX), UPLOAD_FULL);
    ck_assert_int_ne(access(in(name), F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upload");
    TCase *tcase = tcase_create("upload");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, bytes_in_any_order);
    tcase_add_test(tcase, a_hole_is_no_file);
    tcase_add_test(tcase, where_nothing_is_stored);
    tcase_add_test(tcase, leftovers_go_after_a_day);
    tcase_add_test(tcase, what_is_left_is_bounded);
    tcase_add_test(tcase, nothing_is_held_longer_than_a_round);
    tcase_add_test(tcase, no_more_than_the_disk_holds);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
