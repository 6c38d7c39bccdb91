/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reactor waits with: epoll over the watched descriptors and one eventfd, by which other
 * threads wake it.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/runtime/env_linux/parts.h"

#define POLL_BATCH 128 /* events of one wait; the next turn gets the others */

struct env_poller {
    int epoll;
    int wake;       /* eventfd */
    bool coarse;    /* the kernel has no epoll_pwait2: milliseconds it is */
    uint32_t found; /* of events, by the last wait */
    uint32_t next;  /* of those: the first whose ready() has not run */
    struct epoll_event events[POLL_BATCH];
};

/* Lies in mrt_watch.host. */
struct __attribute__((__may_alias__)) watching {
    uint64_t fd;
    uint64_t is_on;
};

static struct watching *watching_of(mrt_watch *watch)
{
    return (struct watching *)(void *)watch->host;
}

struct env_poller *linux_poller_new(struct env *env)
{
    struct env_poller *poller = memory_new(sizeof *poller);
    (void)env;
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(poller->epoll >= 0);
    ASSERT(poller->wake >= 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int error = epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->wake, &event);
    ASSERT(error == 0);
    return poller;
}

void linux_poller_free(struct env_poller *poller)
{
    if (poller == NULL)
        return;
    close(poller->wake);
    close(poller->epoll);
    memory_free(poller);
}

static int wait_coarse(struct env_poller *poller, uint64_t ns)
{
    int ms = -1;
    if (ns != ENV_FOREVER) {
        uint64_t up = ns / 1000000 + (ns % 1000000 > 0 ? 1 : 0);
        ms = up < 3600000 ? (int)up : 3600000;
    }
    return epoll_wait(poller->epoll, poller->events, POLL_BATCH, ms);
}

void linux_poller_wait(struct env_poller *poller, uint64_t ns)
{
    struct timespec limit = {
        .tv_sec = (time_t)(ns / 1000000000),
        .tv_nsec = (long)(ns % 1000000000),
    };
    int found = -1;
    poller->found = poller->next = 0;
    if (!poller->coarse) {
        found = epoll_pwait2(
            poller->epoll, poller->events, POLL_BATCH, ns == ENV_FOREVER ? NULL : &limit, NULL);
        poller->coarse = found < 0 && (errno == ENOSYS || errno == EPERM);
    }
    if (poller->coarse)
        found = wait_coarse(poller, ns);
    ASSERT(found >= 0 || errno == EINTR);
    poller->found = found < 0 ? 0 : (uint32_t)found;
}

static uint32_t events_of(uint32_t epoll)
{
    uint32_t events = 0;
    if ((epoll & (EPOLLIN | EPOLLRDHUP)) != 0)
        events |= MRT_POLL_READ;
    if ((epoll & EPOLLOUT) != 0)
        events |= MRT_POLL_WRITE;
    if ((epoll & (EPOLLERR | EPOLLHUP)) != 0)
        events |= MRT_POLL_ERROR;
    return events;
}

void linux_poller_run(struct env_poller *poller)
{
    while (poller->next < poller->found) {
        const struct epoll_event *event = &poller->events[poller->next++];
        mrt_watch *watch = event->data.ptr;
        uint64_t wakes = 0;
        if (watch == NULL) { /* ours, or one that was ended since the wait */
            ssize_t n = read(poller->wake, &wakes, sizeof wakes);
            ASSERT(n == (ssize_t)sizeof wakes || errno == EAGAIN || errno == EINTR);
            continue;
        }
        watch->ready(watch, events_of(event->events));
    }
}

void linux_poller_wake(struct env_poller *poller)
{
    const uint64_t one = 1;
    ssize_t n = write(poller->wake, &one, sizeof one);
    ASSERT(n == (ssize_t)sizeof one || errno == EAGAIN || errno == EINTR);
}

mrt_status linux_watch(struct env_poller *poller, mrt_watch *watch, int32_t fd, uint32_t events)
{
    struct watching *watching = watching_of(watch);
    struct epoll_event event = {.data.ptr = watch};
    ASSERT(watch->ready != NULL);
    if ((events & MRT_POLL_READ) != 0)
        event.events |= EPOLLIN | EPOLLRDHUP;
    if ((events & MRT_POLL_WRITE) != 0)
        event.events |= EPOLLOUT;
    bool again = watching->is_on == 1 && watching->fd == (uint64_t)fd;
    if (epoll_ctl(poller->epoll, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return errno == ENOMEM || errno == ENOSPC ? MRT_ENOMEM : MRT_EINVAL;
    *watching = (struct watching){.fd = (uint64_t)fd, .is_on = 1};
    return MRT_OK;
}

void linux_unwatch(struct env_poller *poller, mrt_watch *watch)
{
    struct watching *watching = watching_of(watch);
    if (watching->is_on != 1)
        return;
    struct epoll_event unused = {0};
    int error = epoll_ctl(poller->epoll, EPOLL_CTL_DEL, (int)watching->fd, &unused);
    ASSERT(error == 0 || errno == EBADF || errno == ENOENT); /* closed first: epoll has let go */
    watching->is_on = 0;
    for (uint32_t i = poller->next; i < poller->found; i++) {
        if (poller->events[i].data.ptr == watch)
            poller->events[i].data.ptr = NULL;
    }
}
