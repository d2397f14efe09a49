/* mnl_loader.h - libmnl, loaded when first needed.
 *
 * The preload library may need nothing but libc at load time, and Debian has no static libmnl. So the few
 * functions used here are found by dlopen, for the daemon and the preload alike; constants and types
 * come from libmnl's own header. */
#ifndef TRK_LINK_MNL_LOADER_H
#define TRK_LINK_MNL_LOADER_H

#include <libmnl/libmnl.h>

#define TRK_MNL_FUNCTIONS(X)                                                                     \
    X(mnl_socket_open2) X(mnl_socket_bind) X(mnl_socket_get_portid) X(mnl_socket_sendto)           \
    X(mnl_socket_recvfrom) X(mnl_socket_close) X(mnl_nlmsg_put_header)                            \
    X(mnl_nlmsg_put_extra_header) X(mnl_nlmsg_get_payload) X(mnl_attr_put) X(mnl_attr_parse)      \
    X(mnl_attr_parse_nested) X(mnl_attr_get_type) X(mnl_attr_get_payload)                         \
    X(mnl_attr_get_payload_len) X(mnl_cb_run)

struct trk_mnl {
#define X(name) __typeof__(&name) name;
    TRK_MNL_FUNCTIONS(X)
#undef X
};

/* The loaded functions; NULL with errno ENOSYS if libmnl.so.0 is missing or lacks one. Thread-safe. */
const struct trk_mnl *trk_mnl(void);
/* Why it is NULL; an empty string if it is not. */
const char *trk_mnl_error(void);

#endif
