/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.c - endpoints as text and as socket addresses. No names are looked up: a transport must
 * not block, and whoever knows a name knows when to ask again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "plugins/transport/tcp/tcp.h"

#define FD_FIRST 3     /* below are standard input, output and error */
#define FD_LAST  65535 /* far beyond what a service manager passes */

/* Decimal digits only, at most @max; -1 otherwise. */
static int32_t number(const char *p, uint64_t n, int32_t max)
{
    int32_t value = 0;
    if (n == 0 || n > 5)
        return -1;
    for (uint64_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        value = value * 10 + (p[i] - '0');
    }
    return value <= max ? value : -1;
}

static mrt_status read_v6(const char *host, uint16_t port, struct tcp_address *out)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, host, &at.sin6_addr) != 1)
        return MRT_EINVAL;
    memcpy(&out->at, &at, sizeof at);
    out->n = sizeof at;
    return MRT_OK;
}

static mrt_status read_v4(const char *host, uint16_t port, struct tcp_address *out)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &at.sin_addr) != 1)
        return MRT_EINVAL;
    memcpy(&out->at, &at, sizeof at);
    out->n = sizeof at;
    return MRT_OK;
}

mrt_status tcp_address_read(const mrt_str *text, struct tcp_address *out)
{
    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (text->n >= TCP_TEXT || text->n < 3)
        return MRT_EINVAL;
    if (memcmp(text->p, "fd:", 3) == 0) {
        out->fd = number(text->p + 3, text->n - 3, FD_LAST);
        return out->fd >= FD_FIRST ? MRT_OK : MRT_EINVAL;
    }
    uint64_t colon = text->n;
    while (colon > 0 && text->p[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return MRT_EINVAL;
    int32_t port = number(text->p + colon, text->n - colon, UINT16_MAX);
    if (port < 0)
        return MRT_EINVAL;
    char host[TCP_TEXT] = {0};
    uint64_t n = colon - 1;
    if (memchr(text->p, 0, n) != NULL)
        return MRT_EINVAL;
    if (text->p[0] != '[') {
        memcpy(host, text->p, n);
        return read_v4(host, (uint16_t)port, out);
    }
    if (n < 3 || text->p[n - 1] != ']')
        return MRT_EINVAL;
    memcpy(host, text->p + 1, n - 2);
    return read_v6(host, (uint16_t)port, out);
}

uint64_t tcp_address_print(const struct sockaddr_storage *at, char out[TCP_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4 = {0};
    struct sockaddr_in6 v6 = {0};
    int n;

    if (at->ss_family == AF_INET6) {
        memcpy(&v6, at, sizeof v6);
        if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
            n = snprintf(out, TCP_TEXT, "[%s]:%u", host, ntohs(v6.sin6_port));
            return (uint64_t)n;
        }
        v4.sin_port = v6.sin6_port;
        memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], 4);
    } else {
        memcpy(&v4, at, sizeof v4);
    }
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    n = snprintf(out, TCP_TEXT, "%s:%u", host, ntohs(v4.sin_port));
    return (uint64_t)n;
}

mrt_status tcp_status(int error)
{
    switch (error) {
    case 0:
        return MRT_OK;
    case EPIPE:
    case ECONNRESET:
        return MRT_ECLOSED;
    case ETIMEDOUT:
        return MRT_ETIMEDOUT;
    case EADDRINUSE:
        return MRT_EEXIST;
    case EACCES:
    case EPERM:
        return MRT_EDENIED;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EBADF:
    case ENOTSOCK:
        return MRT_EINVAL;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return MRT_ENOMEM;
    default:
        return MRT_EIO;
    }
}
