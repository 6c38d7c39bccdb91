/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the Linux environment: reactors, workers, locks. No signal is delivered to them: what
 * the daemon handles, MAIN handles.
 */
#include <signal.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/runtime/env_linux/parts.h"

struct start {
    void (*body)(void *arg);
    void *arg;
};

static void *thread_main(void *arg)
{
    struct start start = *(struct start *)arg;
    memory_free(arg);
    start.body(start.arg);
    return NULL;
}

/* Without threads there is no broker: like memory_new(), this does not come back empty-handed. */
static void spawn(pthread_t *thread, void (*body)(void *arg), void *arg)
{
    sigset_t all, before;
    struct start *start = memory_new(sizeof *start);
    *start = (struct start){body, arg};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ASSERT(error == 0);
}

void linux_thread_start(struct env *env, void (*body)(void *arg), void *arg)
{
    struct env_linux *own = linux_of(env);
    ASSERT(own->thread_count < REACTORS_MAX);
    spawn(&own->threads[own->thread_count++], body, arg);
}

void linux_threads_join(struct env *env)
{
    struct env_linux *own = linux_of(env);
    for (; own->thread_count > 0; own->thread_count--) {
        int error = pthread_join(own->threads[own->thread_count - 1], NULL);
        ASSERT(error == 0);
    }
}

/* ---- workers --------------------------------------------------------------------------------- */

/* With the lock held; NULL: no more will come. */
static struct env_job *job_take(struct env_linux *env)
{
    while (env->first == NULL && !env->stopping)
        pthread_cond_wait(&env->work_ready, &env->work_lock);
    struct env_job *job = env->first;
    if (job != NULL) {
        env->first = job->next;
        env->running++;
    }
    return job;
}

static void worker_body(void *arg)
{
    struct env_linux *env = arg;
    pthread_mutex_lock(&env->work_lock);
    for (struct env_job *job; (job = job_take(env)) != NULL;) {
        pthread_mutex_unlock(&env->work_lock);
        job->run(job);
        pthread_mutex_lock(&env->work_lock);
        env->running--;
        if (env->running == 0 && env->first == NULL)
            pthread_cond_broadcast(&env->work_done);
    }
    pthread_mutex_unlock(&env->work_lock);
}

void linux_work_start(struct env *env)
{
    struct env_linux *own = linux_of(env);
    ASSERT(!own->started);
    own->started = true;
    own->stopping = false;
    for (uint32_t i = 0; i < own->options.workers; i++)
        spawn(&own->workers[i], worker_body, own);
}

void linux_work(struct env *env, struct env_job *job)
{
    struct env_linux *own = linux_of(env);
    ASSERT(job->run != NULL);
    job->next = NULL;
    pthread_mutex_lock(&own->work_lock);
    if (own->first == NULL)
        own->first = job;
    else
        own->last->next = job;
    own->last = job;
    pthread_cond_signal(&own->work_ready);
    pthread_mutex_unlock(&own->work_lock);
}

void linux_work_drain(struct env *env)
{
    struct env_linux *own = linux_of(env);
    pthread_mutex_lock(&own->work_lock);
    while (own->first != NULL || own->running > 0)
        pthread_cond_wait(&own->work_done, &own->work_lock);
    pthread_mutex_unlock(&own->work_lock);
}

void linux_work_stop(struct env *env)
{
    struct env_linux *own = linux_of(env);
    ASSERT(own->started);
    pthread_mutex_lock(&own->work_lock);
    own->stopping = true;
    pthread_cond_broadcast(&own->work_ready);
    pthread_mutex_unlock(&own->work_lock);
    for (uint32_t i = 0; i < own->options.workers; i++) {
        int error = pthread_join(own->workers[i], NULL);
        ASSERT(error == 0);
    }
    own->started = false;
}

/* ---- locks ----------------------------------------------------------------------------------- */

struct env_lock {
    pthread_mutex_t mutex;
};

struct env_lock *linux_lock_new(struct env *env)
{
    struct env_lock *lock = memory_new(sizeof *lock);
    (void)env;
    pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

void linux_lock_free(struct env_lock *lock)
{
    if (lock == NULL)
        return;
    int error = pthread_mutex_destroy(&lock->mutex);
    ASSERT(error == 0); /* somebody is inside */
    memory_free(lock);
}

void linux_lock_enter(struct env_lock *lock)
{
    int error = pthread_mutex_lock(&lock->mutex);
    ASSERT(error == 0);
}

void linux_lock_leave(struct env_lock *lock)
{
    int error = pthread_mutex_unlock(&lock->mutex);
    ASSERT(error == 0);
}
