/* netlink.h - one question to the kernel's routing tables and its answers. Private to core/link. */
#ifndef TRK_LINK_NETLINK_H
#define TRK_LINK_NETLINK_H

#include "link/mnl_loader.h"
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_ATTRS_MAX 64           /* attribute types we look at are below this */

struct netlink_request {
    struct nlmsghdr *header;
    union { struct nlmsghdr align; uint8_t bytes[512]; } buffer;
};

/* Attributes of one answer by type; payload pointers are valid during the callback only. */
struct netlink_attrs { const void *data[NETLINK_ATTRS_MAX]; uint16_t bytes[NETLINK_ATTRS_MAX]; };
typedef void netlink_answer(const void *payload, const struct netlink_attrs *attrs, void *context);

/* Begin a request of that type (RTM_GET...), dump or single; returns its extra header, zeroed. NULL: no libmnl. */
void *netlink_begin(struct netlink_request *request, uint16_t type, int dump, size_t extra_bytes);
void netlink_add(struct netlink_request *request, uint16_t type, const void *data, size_t bytes);
/* Send it and call answer for each message that comes back. extra_bytes: of the answers' header. 0, or -1 and errno. */
int netlink_ask(struct netlink_request *request, size_t extra_bytes, netlink_answer *answer, void *context);
/* A 32-bit attribute; 0 if it is absent. */
uint32_t netlink_u32(const struct netlink_attrs *attrs, uint16_t type);
/* Attributes nested in one. */
void netlink_nested(const struct netlink_attrs *attrs, uint16_t type, struct netlink_attrs *out);

#endif
