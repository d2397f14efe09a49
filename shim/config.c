#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include "log.h"

#define LINGER_DEFAULT_MS 2000
#define LINGER_MAX_MS     60000

struct shim_config shim_config = { .mode = SHIM_OFF, .linger_ms = LINGER_DEFAULT_MS };

static enum shim_mode mode_of(const char *text)
{
    if (!text || !*text || strcmp(text, "try") == 0)
        return SHIM_TRY;
    if (strcmp(text, "require") == 0)
        return SHIM_REQUIRE;
    if (strcmp(text, "off") == 0)
        return SHIM_OFF;
    shim_complain("TRICKLES=%s: not off, try or require; taken as try", text);
    return SHIM_TRY;
}

/* A copy: programs that set their own title write over the environment. Too long a name is reported, and ignored. */
static const char *keep(const char *name, const char *text, char copy[PATH_MAX])
{
    size_t bytes = strlen(text) + 1;
    if (bytes > PATH_MAX) {
        shim_complain("%s: a file name of more than %d bytes", name, PATH_MAX - 1);
        return NULL;
    }
    return memcpy(copy, text, bytes);
}

/* LEVEL or LEVEL:FILE */
static void read_log(const char *text)
{
    if (!text || !*text)
        return;
    const char *colon = strchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : strlen(text);
    shim_config.log_level = shim_log_level_of(text, bytes);
    if (shim_config.log_level < 0) {
        shim_config.log_level = SHIM_LOG_NONE;
        shim_complain("TRICKLES_LOG=%s: the level is one of none, error, warn, info, debug", text);
    }
    static char file[PATH_MAX];
    if (colon && colon[1])
        shim_config.log_file = keep("TRICKLES_LOG", colon + 1, file);
}

static void read_linger(const char *text)
{
    if (!text || !*text)
        return;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value > LINGER_MAX_MS)
        shim_complain("TRICKLES_LINGER_MS=%s: not a number up to %d", text, LINGER_MAX_MS);
    else
        shim_config.linger_ms = (unsigned)value;
}

void shim_config_read(void)
{
    if (getauxval(AT_SECURE))
        return;                    /* never act in a program that has more rights than its user */
    shim_config.mode = mode_of(getenv("TRICKLES"));
    if (shim_config.mode == SHIM_OFF)
        return;
    read_log(getenv("TRICKLES_LOG"));
    read_linger(getenv("TRICKLES_LINGER_MS"));
    static char file[PATH_MAX];
    const char *pcap = getenv("TRICKLES_PCAP");
    shim_config.pcap_file = pcap && *pcap ? keep("TRICKLES_PCAP", pcap, file) : NULL;
}
