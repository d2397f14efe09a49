/* config.h - what the environment asks for: read once, in the constructor. */
#ifndef SHIM_CONFIG_H
#define SHIM_CONFIG_H

#include <stdbool.h>

enum shim_mode { SHIM_OFF, SHIM_TRY, SHIM_REQUIRE };

struct shim_config {
    enum shim_mode mode;           /* TRICKLES=off|try|require; try unless said; off in a set-uid program */
    int log_level;                 /* TRICKLES_LOG=LEVEL[:FILE]; enum shim_log_level */
    const char *log_file;          /* NULL: standard error */
    const char *pcap_file;         /* TRICKLES_PCAP=FILE; NULL: none */
    unsigned linger_ms;            /* TRICKLES_LINGER_MS: how long exit and exec wait for unsent bytes */
};
extern struct shim_config shim_config;

/* Reads the environment. A value that means nothing is reported once, on standard error, and ignored. */
void shim_config_read(void);

#endif
