/* Key files: what is read, what is refused and in which words, and that none is ever overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <trickles/minisocket.h>
#include "unit.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static char path[64];

static void put(const char *text, mode_t mode)
{
    snprintf(path, sizeof path, "/tmp/trickles-key-%ld", (long)getpid());
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static int read_text(const char *text, struct msk_keys *keys, char *error)
{
    put(text, 0600);
    error[0] = '\0';
    int rc = msk_keys_read(path, keys, error, MSK_ERROR_BYTES);
    unlink(path);
    return rc;
}

START_TEST(a_good_file)
{
    struct msk_keys keys;
    char error[MSK_ERROR_BYTES];
    ck_assert_int_eq(read_text("# replicas\n\n 6 retiring " HEX " # old\r\n7 current\t" HEX "\n255 added " HEX, &keys, error), 0);
    ck_assert_uint_eq(keys.n, 3);
    ck_assert_uint_eq(keys.keys[0].epoch, 6);
    ck_assert_uint_eq(keys.keys[0].state, MSK_KEY_RETIRING);
    ck_assert_uint_eq(keys.keys[1].state, MSK_KEY_CURRENT);
    ck_assert_uint_eq(keys.keys[2].epoch, 255);
    ck_assert_uint_eq(keys.keys[1].secret[1], 0x11);
    ck_assert_uint_eq(keys.keys[1].secret[31], 0xff);
}
END_TEST

START_TEST(bad_files_are_named_with_their_line)
{
    static const struct { const char *text, *words; } cases[] = {
        { "", "no epoch" },
        { "# nothing\n", "no epoch" },
        { "1 added " HEX "\n", "no epoch is current" },
        { "1 current " HEX "\n2 current " HEX "\n", "more than one" },
        { "1 current " HEX "\n1 added " HEX "\n", "twice" },
        { "\n1 current " HEX "00\n", ":2:" },
        { "1 current 00\n", ":1:" },
        { "1 current " HEX " extra\n", ":1:" },
        { "256 current " HEX "\n", ":1:" },
        { "-1 current " HEX "\n", ":1:" },
        { "x current " HEX "\n", ":1:" },
        { "1 Current " HEX "\n", ":1:" },
        { "1 current g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", ":1:" },
        { "1 added " HEX "\n2 added " HEX "\n3 added " HEX "\n4 added " HEX "\n5 added " HEX "\n6 added " HEX "\n7 added " HEX "\n8 current " HEX
          "\n9 added " HEX "\n", ":9: more than 8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct msk_keys keys;
        char error[MSK_ERROR_BYTES];
        ck_assert_int_eq(read_text(cases[i].text, &keys, error), -EINVAL);
        ck_assert_msg(strstr(error, cases[i].words) && strstr(error, path), "'%s': %s", cases[i].text, error);
        ck_assert_msg(!strstr(error, "00112233"), "a secret in a message: %s", error);
    }
}
END_TEST

START_TEST(rights)
{
    struct msk_keys keys;
    char error[MSK_ERROR_BYTES];
    static const mode_t bad[] = { 0644, 0640, 0604, 0620, 0601 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("1 current " HEX "\n", bad[i]);
        ck_assert_int_eq(msk_keys_read(path, &keys, error, sizeof error), -EPERM);
        ck_assert(strstr(error, "chmod 600") != NULL);
    }
    put("1 current " HEX "\n", 0400);
    ck_assert_int_eq(msk_keys_read(path, &keys, error, sizeof error), 0);
    unlink(path);
    ck_assert_int_eq(msk_keys_read(path, &keys, error, sizeof error), -ENOENT);
    ck_assert_int_eq(msk_keys_read("/tmp", &keys, error, sizeof error), -EINVAL);
    ck_assert_int_eq(msk_keys_read("/dev/null", &keys, error, sizeof error), -EINVAL);
}
END_TEST

START_TEST(binary_and_long_files)
{
    struct msk_keys keys;
    char error[MSK_ERROR_BYTES];
    static char text[10000];
    memset(text, '#', sizeof text - 1);
    ck_assert_int_eq(read_text(text, &keys, error), -EINVAL);
    ck_assert(strstr(error, "too long") != NULL);
    ck_assert_int_eq(msk_keys_read("/proc/self/cmdline", &keys, error, sizeof error) < 0, 1);
}
END_TEST

START_TEST(generated_files)
{
    struct msk_keys one, two;
    char error[MSK_ERROR_BYTES];
    struct stat st;
    put("precious", 0600);
    ck_assert_int_eq(msk_keys_generate(path, error, sizeof error), -EEXIST);
    ck_assert(strstr(error, "never overwritten") != NULL);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 8);
    unlink(path);
    ck_assert_int_eq(symlink("/tmp/elsewhere", path), 0);
    ck_assert_int_eq(msk_keys_generate(path, error, sizeof error), -EEXIST);
    unlink(path);
    umask(0);
    ck_assert_int_eq(msk_keys_generate(path, error, sizeof error), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(msk_keys_read(path, &one, error, sizeof error), 0);
    unlink(path);
    ck_assert_int_eq(msk_keys_generate(path, error, sizeof error), 0);
    ck_assert_int_eq(msk_keys_read(path, &two, error, sizeof error), 0);
    unlink(path);
    ck_assert_uint_eq(one.n, 1);
    ck_assert_uint_eq(one.keys[0].state, MSK_KEY_CURRENT);
    ck_assert_mem_ne(one.keys[0].secret, two.keys[0].secret, sizeof one.keys[0].secret);
    ck_assert_int_eq(msk_keys_generate("/nonexistent/key", error, sizeof error), -ENOENT);
}
END_TEST

UNIT_MAIN("keyfile", a_good_file, bad_files_are_named_with_their_line, rights, binary_and_long_files, generated_files)
