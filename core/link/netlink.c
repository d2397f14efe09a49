/* netlink.c - request and answers over one short-lived socket, so any thread may ask. */
#include "link/netlink.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct answer_context { const struct trk_mnl *mnl; size_t extra_bytes; netlink_answer *answer; void *context; };
struct collect_context { const struct trk_mnl *mnl; struct netlink_attrs *attrs; };

void *netlink_begin(struct netlink_request *request, uint16_t type, int dump, size_t extra_bytes)
{
    const struct trk_mnl *mnl = trk_mnl();
    if (!mnl)
        return NULL;
    memset(request, 0, sizeof *request);
    request->header = mnl->mnl_nlmsg_put_header(request->buffer.bytes);
    request->header->nlmsg_type = type;
    request->header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0));
    request->header->nlmsg_seq = 1;
    return mnl->mnl_nlmsg_put_extra_header(request->header, extra_bytes);
}

void netlink_add(struct netlink_request *request, uint16_t type, const void *data, size_t bytes)
{
    trk_mnl()->mnl_attr_put(request->header, type, bytes, data);
}

static int collect(const struct nlattr *attr, void *data)
{
    struct collect_context *c = data;
    uint16_t type = c->mnl->mnl_attr_get_type(attr);
    if (type < NETLINK_ATTRS_MAX) {
        c->attrs->data[type] = c->mnl->mnl_attr_get_payload(attr);
        c->attrs->bytes[type] = c->mnl->mnl_attr_get_payload_len(attr);
    }
    return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *header, void *data)
{
    struct answer_context *a = data;
    struct netlink_attrs attrs = { .data = { NULL } };
    struct collect_context c = { a->mnl, &attrs };
    if (header->nlmsg_len < NLMSG_HDRLEN + a->extra_bytes)
        return MNL_CB_OK;
    a->mnl->mnl_attr_parse(header, (unsigned)a->extra_bytes, collect, &c);
    a->answer(a->mnl->mnl_nlmsg_get_payload(header), &attrs, a->context);
    return header->nlmsg_flags & NLM_F_MULTI ? MNL_CB_OK : MNL_CB_STOP;
}

static int read_answers(struct mnl_socket *socket, struct answer_context *a)
{
    union { struct nlmsghdr align; uint8_t bytes[32768]; } buffer;   /* the kernel's dumps come in pieces of up to this */
    int result;
    do {
        ssize_t n = a->mnl->mnl_socket_recvfrom(socket, buffer.bytes, sizeof buffer.bytes);
        if (n < 0 && errno == EINTR) {
            result = MNL_CB_OK;
            continue;
        }
        result = n < 0 ? -1 : a->mnl->mnl_cb_run(buffer.bytes, (size_t)n, 1, a->mnl->mnl_socket_get_portid(socket), on_message, a);
    } while (result > MNL_CB_STOP);
    return result;
}

int netlink_ask(struct netlink_request *request, size_t extra_bytes, netlink_answer *answer, void *context)
{
    struct answer_context a = { trk_mnl(), extra_bytes, answer, context };
    if (!a.mnl)
        return -1;
    struct mnl_socket *socket = a.mnl->mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket)
        return -1;
    int result = -1;
    if (a.mnl->mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
        a.mnl->mnl_socket_sendto(socket, request->header, request->header->nlmsg_len) >= 0)
        result = read_answers(socket, &a);
    int error = errno;
    a.mnl->mnl_socket_close(socket);
    errno = error;
    return result < 0 ? -1 : 0;
}

uint32_t netlink_u32(const struct netlink_attrs *attrs, uint16_t type)
{
    uint32_t value = 0;
    if (attrs->data[type] && attrs->bytes[type] >= sizeof value)
        memcpy(&value, attrs->data[type], sizeof value);
    return value;
}

void netlink_nested(const struct netlink_attrs *attrs, uint16_t type, struct netlink_attrs *out)
{
    struct collect_context c = { trk_mnl(), out };
    memset(out, 0, sizeof *out);
    if (!attrs->data[type])
        return;
    /* libmnl wants the attribute itself, which stands right before its payload. */
    const struct nlattr *nest = (const struct nlattr *)(const void *)((const uint8_t *)attrs->data[type] - MNL_ATTR_HDRLEN);
    c.mnl->mnl_attr_parse_nested(nest, collect, &c);
}
