/* client_state.h - the fields of struct trk_client. Private: only core/client reads them. */
#ifndef TRK_CLIENT_CLIENT_STATE_H
#define TRK_CLIENT_CLIENT_STATE_H

struct trk_client {
    struct trk_client_config config;
    struct trk_client_stats stats;
    enum trk_client_state state;
};

#endif
