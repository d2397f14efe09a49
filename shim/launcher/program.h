/* program.h - can this program be preloaded into? */
#ifndef LAUNCHER_PROGRAM_H
#define LAUNCHER_PROGRAM_H

#include <stddef.h>

enum launcher_verdict {
    LAUNCHER_FINE,
    LAUNCHER_NOT_FOUND,
    LAUNCHER_NOT_EXECUTABLE,
    LAUNCHER_SET_ID,                   /* set-uid or set-gid to somebody else: the loader ignores LD_PRELOAD */
    LAUNCHER_FILE_CAPABILITIES,        /* so it does for these */
    LAUNCHER_STATIC,                   /* there is no loader */
    LAUNCHER_GO,                       /* dynamically linked, but its runtime makes system calls of its own */
    LAUNCHER_OTHER_MACHINE,            /* an ELF of another class or machine than our library */
};

/* Where PATH (or the name itself, if it has a slash) finds the program. */
enum launcher_verdict launcher_find(const char *name, char *path, size_t bytes);
/* What would become of a preload in it; a script is judged by its interpreter, whose path is put into `judged`. */
enum launcher_verdict launcher_judge(const char *path, char *judged, size_t bytes);

#endif
