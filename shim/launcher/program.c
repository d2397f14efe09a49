#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_LINE_BYTES 256          /* what Linux reads of a "#!" line */
#define SCRIPT_DEPTH      4

static enum launcher_verdict executable(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return LAUNCHER_NOT_FOUND;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? LAUNCHER_FINE : LAUNCHER_NOT_EXECUTABLE;
}

enum launcher_verdict launcher_find(const char *name, char *path, size_t bytes)
{
    const char *search = getenv("PATH");
    enum launcher_verdict worst = LAUNCHER_NOT_FOUND;
    if (strchr(name, '/')) {
        snprintf(path, bytes, "%s", name);
        return executable(path);
    }
    for (const char *at = search ? search : "/bin:/usr/bin"; *name; ) {
        size_t n = strcspn(at, ":");
        snprintf(path, bytes, "%.*s%s%s", (int)n, at, n ? "/" : "", name);
        enum launcher_verdict v = executable(path);
        if (v == LAUNCHER_FINE)
            return v;
        if (v == LAUNCHER_NOT_EXECUTABLE)
            worst = v;
        if (!at[n])
            break;
        at += n + 1;
    }
    return worst;
}

/* Go marks its programs by a note {name bytes 4, description bytes, type 4, "Go"}, at the file's start. */
static bool has_go_note(const char *file, size_t bytes, const ElfW(Phdr) *segment)
{
    for (size_t at = segment->p_offset, end = at + segment->p_filesz; at + sizeof(ElfW(Nhdr)) + 4 <= end && end <= bytes;) {
        ElfW(Nhdr) note;
        memcpy(&note, file + at, sizeof note);
        const char *name = file + at + sizeof note;
        if (note.n_namesz == 4 && note.n_type == 4 && memcmp(name, "Go", 3) == 0)
            return true;
        at += sizeof note + (((size_t)note.n_namesz + 3) & ~(size_t)3) + (((size_t)note.n_descsz + 3) & ~(size_t)3);
    }
    return false;
}

static enum launcher_verdict judge_segments(const char *file, size_t bytes)
{
    ElfW(Ehdr) header;
    enum launcher_verdict v = LAUNCHER_STATIC;
    memcpy(&header, file, sizeof header);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        size_t at = header.e_phoff + (size_t)i * header.e_phentsize;
        if (at + sizeof segment > bytes)
            return LAUNCHER_FINE;      /* a table beyond what was read: let the kernel judge */
        memcpy(&segment, file + at, sizeof segment);
        if (segment.p_type == PT_NOTE && has_go_note(file, bytes, &segment))
            return LAUNCHER_GO;
        if (segment.p_type == PT_INTERP)
            v = LAUNCHER_FINE;
    }
    return v;
}

static ElfW(Half) own_machine(void)
{
    char head[sizeof(ElfW(Ehdr))];
    ElfW(Ehdr) header = { .e_machine = EM_NONE };
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head)
        memcpy(&header, head, sizeof header);
    if (fd >= 0)
        close(fd);
    return header.e_machine;
}

static enum launcher_verdict judge_elf(const char *file, size_t bytes)
{
    ElfW(Ehdr) header;
    ElfW(Half) machine = own_machine();
    int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (bytes < sizeof header || file[EI_CLASS] != class)
        return LAUNCHER_OTHER_MACHINE;
    memcpy(&header, file, sizeof header);
    if (machine != EM_NONE && header.e_machine != machine)
        return LAUNCHER_OTHER_MACHINE;
    return judge_segments(file, bytes);
}

/* The interpreter of a "#!" line into path; for "env NAME" the program that env would find. */
static bool read_script_line(const char *file, char *path, size_t bytes)
{
    char line[SCRIPT_LINE_BYTES + 1], *rest;
    snprintf(line, sizeof line, "%.*s", SCRIPT_LINE_BYTES, file + 2);
    line[strcspn(line, "\n")] = 0;
    char *interpreter = strtok_r(line, " \t", &rest);
    if (!interpreter)
        return false;
    char *argument = strtok_r(NULL, " \t", &rest);
    const char *base = strrchr(interpreter, '/');
    if (base && strcmp(base, "/env") == 0 && argument && *argument != '-' && !strchr(argument, '='))
        return launcher_find(argument, path, bytes) == LAUNCHER_FINE;
    snprintf(path, bytes, "%s", interpreter);
    return true;
}

/* For the real root the loader stays trustful: nothing is gained by these. */
static enum launcher_verdict judge_rights(const struct stat *st, int fd)
{
    if (((st->st_mode & S_ISUID) && st->st_uid != getuid()) || ((st->st_mode & S_ISGID) && st->st_gid != getgid()))
        return LAUNCHER_SET_ID;
    if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
        return LAUNCHER_FILE_CAPABILITIES;
    return LAUNCHER_FINE;
}

static enum launcher_verdict judge(const char *path, char *judged, size_t judged_bytes, int depth)
{
    char file[8192] = { 0 };
    struct stat st;
    snprintf(judged, judged_bytes, "%s", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? LAUNCHER_FINE : LAUNCHER_NOT_FOUND;   /* executable, not readable: the kernel judges */
    ssize_t n = read(fd, file, sizeof file - 1);
    enum launcher_verdict v = fstat(fd, &st) == 0 ? judge_rights(&st, fd) : LAUNCHER_NOT_FOUND;
    close(fd);
    bool script = n > 2 && file[0] == '#' && file[1] == '!';
    char interpreter[4096];
    if (script)                        /* Linux ignores the set-id bits of scripts */
        return depth < SCRIPT_DEPTH && read_script_line(file, interpreter, sizeof interpreter)
                   ? judge(interpreter, judged, judged_bytes, depth + 1) : LAUNCHER_FINE;
    if (v != LAUNCHER_FINE)
        return v;
    if (n < EI_NIDENT || memcmp(file, ELFMAG, SELFMAG) != 0)
        return LAUNCHER_FINE;          /* whatever it is, the kernel knows */
    return judge_elf(file, (size_t)n);
}

enum launcher_verdict launcher_judge(const char *path, char *judged, size_t bytes)
{
    return judge(path, judged, bytes, 0);
}
