/* Files beneath a root: what is found, what is one file's identity, and every way out that must be shut. Each test is
 * run with openat2 and with the walk that stands in for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tricklesd/file.h"
#include "unit.h"

static char dir[] = "/tmp/trickles-file-XXXXXX", root_path[64], cleanup[128];

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void make_link(const char *target, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void make_dir(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void build(void)
{
    char absolute[128];
    strcpy(strrchr(dir, '-') + 1, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(root_path, sizeof root_path, "%s/root", dir);
    snprintf(cleanup, sizeof cleanup, "rm -rf '%s'", dir);
    make_dir("root");
    make_dir("root/sub");
    make_dir("root-evil");
    put("secret", "secret");
    put("root-evil/secret", "secret");
    put("root/a.txt", "hello");
    put("root/.dot", "dot");
    put("root/empty", "");
    put("root/sub/b", "b");
    make_link("../secret", "root/out");
    make_link("..", "root/up");
    make_link("/etc/passwd", "root/absolute");
    snprintf(absolute, sizeof absolute, "%s/root/a.txt", dir);
    make_link(absolute, "root/absolute-inside");
    make_link("a.txt", "root/inside");
    make_link("loop", "root/loop");
    make_link("sub/../../secret", "root/winding");
    make_link("/proc/self/root/etc/passwd", "root/magic");
    char path[128];
    snprintf(path, sizeof path, "%s/root/fifo", dir);
    ck_assert_int_eq(mkfifo(path, 0644), 0);
}

static void destroy(void)
{
    ck_assert_int_eq(system(cleanup), 0);
}

static void open_root(struct file_root *root, bool walk)
{
    ck_assert_int_eq(file_root_open(root, root_path), 0);
    ck_assert(!root->walk);
    root->walk = walk;
}

START_TEST(files_directories_and_nothing)
{
    for (int walk = 0; walk < 2; walk++) {
        struct file_root root;
        struct file f;
        uint8_t text[8];
        build();
        open_root(&root, walk);
        ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_OK);
        ck_assert_uint_eq(f.id.size, 5);
        ck_assert(file_read(&f, 1, text, 4));
        ck_assert_mem_eq(text, "ello", 4);
        ck_assert(!file_read(&f, 1, text, 5));
        ck_assert_int_eq(file_open(&root, "//sub//b", &f), FILE_OK);
        ck_assert_int_eq(file_open(&root, "/.dot", &f), FILE_OK);
        ck_assert_int_eq(file_open(&root, "/empty", &f), FILE_OK);
        ck_assert_int_eq(file_open(&root, "", &f), FILE_DIRECTORY);
        ck_assert_int_eq(file_open(&root, "/", &f), FILE_DIRECTORY);
        ck_assert_int_eq(file_open(&root, "/sub", &f), FILE_DIRECTORY);
        ck_assert_int_eq(file_open(&root, "/sub/", &f), FILE_DIRECTORY);
        ck_assert_int_eq(file_open(&root, "/nothing", &f), FILE_NOT_FOUND);
        ck_assert_int_eq(file_open(&root, "/a.txt/", &f), FILE_NOT_FOUND);
        ck_assert_int_eq(file_open(&root, "/a.txt/x", &f), FILE_NOT_FOUND);
        ck_assert_int_eq(file_open(&root, "/fifo", &f), FILE_FORBIDDEN);
        file_root_close(&root);
        destroy();
    }
}
END_TEST

START_TEST(no_way_out)
{
    static const char *const ways[] = {
        "/../secret", "/sub/../../secret", "/..", "/../root-evil/secret", "/up/secret", "/up", "/out", "/absolute", "/winding", "/magic",
        "/./../secret", "/sub/../../root/a.txt",
    };
    for (int walk = 0; walk < 2; walk++) {
        struct file_root root;
        build();
        open_root(&root, walk);
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            struct file f;
            enum file_result r = file_open(&root, ways[i], &f);
            ck_assert_msg(r == FILE_FORBIDDEN || r == FILE_NOT_FOUND, "%s (walk %d): %d", ways[i], walk, r);
        }
        struct file f;
        ck_assert_int_eq(file_open(&root, "/loop", &f), FILE_FORBIDDEN);
        ck_assert_int_eq(file_open(&root, "/absolute-inside", &f), FILE_FORBIDDEN);
        ck_assert_int_eq(file_open(&root, "/inside", &f), walk ? FILE_FORBIDDEN : FILE_OK);
        file_root_close(&root);
        destroy();
    }
}
END_TEST

/* The same bytes and times elsewhere are the same file; any difference that can be seen is another one. */
START_TEST(identity)
{
    struct file_root root;
    struct file a, b;
    char path[128], other[128];
    const struct timespec times[2] = { { 1000, 5 }, { 1000, 5 } };
    build();
    open_root(&root, false);
    put("root/copy", "hello");
    snprintf(path, sizeof path, "%s/root/a.txt", dir);
    snprintf(other, sizeof other, "%s/root/copy", dir);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, other, times, 0), 0);
    ck_assert_int_eq(file_open(&root, "/a.txt", &a), FILE_OK);
    ck_assert_int_eq(file_open(&root, "/copy", &b), FILE_OK);
    ck_assert(file_same(&a.id, &b.id));
    ck_assert_int_eq(a.id.mtime_ns, 1000000000005);
    file_root_forget(&root);
    ck_assert_int_eq(file_open(&root, "/copy", &b), FILE_OK);
    ck_assert(file_same(&a.id, &b.id));
    put("root/copy", "hellO");         /* size and mtime equal, content not */
    ck_assert_int_eq(utimensat(AT_FDCWD, other, times, 0), 0);
    ck_assert_int_eq(file_open(&root, "/copy", &b), FILE_OK);
    ck_assert(!file_same(&a.id, &b.id));
    const struct timespec later[2] = { { 1000, 6 }, { 1000, 6 } };
    put("root/copy", "hello");
    ck_assert_int_eq(utimensat(AT_FDCWD, other, later, 0), 0);
    ck_assert_int_eq(file_open(&root, "/copy", &b), FILE_OK);
    ck_assert(!file_same(&a.id, &b.id));
    file_root_close(&root);
    destroy();
}
END_TEST

START_TEST(a_file_that_shrinks_is_a_failed_read)
{
    struct file_root root;
    struct file f;
    char path[128];
    uint8_t text[8];
    build();
    open_root(&root, false);
    ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_OK);
    snprintf(path, sizeof path, "%s/root/a.txt", dir);
    ck_assert_int_eq(truncate(path, 2), 0);
    ck_assert(!file_read(&f, 0, text, 5));
    file_root_close(&root);
    destroy();
}
END_TEST

/* What is kept open must never hide a change: neither of the file nor of what its name means. */
START_TEST(open_files_hide_no_change)
{
    struct file_root root;
    struct file f;
    struct file_identity before;
    char path[128], other[128];
    uint8_t text[8];
    build();
    open_root(&root, false);
    snprintf(path, sizeof path, "%s/root/a.txt", dir);
    snprintf(other, sizeof other, "%s/root/other", dir);
    ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_OK);
    before = f.id;
    usleep(20000);                     /* coarse clocks of old kernels */
    put("root/a.txt", "HELLO");
    ck_assert(!file_read(&f, 0, text, 5));
    ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_OK);
    ck_assert(!file_same(&f.id, &before));
    ck_assert(file_read(&f, 0, text, 5));
    ck_assert_mem_eq(text, "HELLO", 5);
    put("root/other", "other");
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_OK);
    ck_assert(file_read(&f, 0, text, 5));
    ck_assert_mem_eq(text, "other", 5);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(file_open(&root, "/a.txt", &f), FILE_NOT_FOUND);
    file_root_close(&root);
    destroy();
}
END_TEST

START_TEST(many_files_and_no_descriptor_left)
{
    struct file_root root;
    struct file f;
    build();
    open_root(&root, false);
    int first = dup(0);
    close(first);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 40; i++) {
            char name[32];
            snprintf(name, sizeof name, "root/f%d", i);
            if (round == 0)
                put(name, name);
            ck_assert_int_eq(file_open(&root, name + 4, &f), FILE_OK);
            ck_assert_uint_eq(f.id.size, strlen(name));
            ck_assert_int_eq(file_open(&root, name + 4, &f), FILE_OK);
            ck_assert_int_eq(file_open(&root, "/sub", &f), FILE_DIRECTORY);
        }
        file_root_release(&root);
        int next = dup(0);
        ck_assert_int_eq(next, first);
        close(next);
    }
    file_root_close(&root);
    destroy();
}
END_TEST

START_TEST(a_bad_root)
{
    struct file_root root;
    build();
    ck_assert_int_eq(file_root_open(&root, "/nonexistent/x"), -1);
    ck_assert_int_eq(errno, ENOENT);
    char path[128];
    snprintf(path, sizeof path, "%s/secret", dir);
    ck_assert_int_eq(file_root_open(&root, path), -1);
    ck_assert_int_eq(errno, ENOTDIR);
    destroy();
}
END_TEST

UNIT_MAIN("file", files_directories_and_nothing, no_way_out, identity, a_file_that_shrinks_is_a_failed_read,
          open_files_hide_no_change, many_files_and_no_descriptor_left, a_bad_root)
