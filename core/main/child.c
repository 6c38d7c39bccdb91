/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"

#define CHILD_FILES 64 /* descriptors a child may have */

static void limit(int what, rlim_t most)
{
    const struct rlimit both = {most, most};
    (void)setrlimit(what, &both); /* a lower limit that is there already does as well */
}

/* The answer is one byte, whether the rule holds, and the text. */
static void child_main(
    int answer, bool (*run)(void *arg, char *out), void *arg, char *out, size_t cap)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CHILD_SECONDS);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, CHILD_FILES);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    memset(out, 0, cap);
    char holds = run(arg, out) ? 1 : 0;
    bool written = write(answer, &holds, 1) == 1 && write(answer, out, cap) == (ssize_t)cap;
    _exit(written ? 0 : 1);
}

/* Reads until @n bytes are there, the other end closed, or the time is over. */
static size_t read_until(int fd, char *out, size_t n)
{
    size_t got = 0;
    while (got < n) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, CHILD_SECONDS * 1000);
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t more = ready > 0 ? read(fd, out + got, n - got) : 0;
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

static int child_end(pid_t child, bool answered)
{
    int status = 0;
    for (int i = 0; i < 100 && !answered; i++) { /* it is dying, or it hangs */
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        usleep(1000);
    }
    if (!answered)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* It did not answer: how did it end? */
static void obituary(int status, char *out, size_t cap)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        snprintf(out, cap, "it did not come back within %d s", CHILD_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(out, cap, "it crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(out, cap, "it ended the process with code %d", WEXITSTATUS(status));
}

bool child_run(bool (*run)(void *arg, char *out), void *arg, char *out, size_t cap)
{
    int ends[2];
    ASSERT(run != NULL);
    ASSERT(out != NULL);
    ASSERT(cap > 0);
    fflush(NULL);
    if (pipe(ends) != 0) {
        snprintf(out, cap, "no pipe: %s", strerror(errno));
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        child_main(ends[1], run, arg, out, cap);
    }
    close(ends[1]);
    char *answer = memory_new(cap + 1);
    size_t got = child < 0 ? 0 : read_until(ends[0], answer, cap + 1);
    close(ends[0]);
    int status = child < 0 ? 0 : child_end(child, got == cap + 1);
    bool holds = got == cap + 1 && answer[0] == 1;
    if (child < 0)
        snprintf(out, cap, "no process: %s", strerror(errno));
    else if (got == cap + 1)
        memcpy(out, answer + 1, cap);
    else
        obituary(status, out, cap);
    memory_free(answer);
    return holds;
}
