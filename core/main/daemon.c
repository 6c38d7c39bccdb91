/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/daemon.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/base/uuid.h"
#include "core/main/await.h"
#include "core/main/doors.h"
#include "core/main/notify.h"
#include "core/main/parts.h"
#include "core/runtime/env_linux.h"

#define EXIT_CONFIG    78 /* sysexits: what is configured cannot work; a restart would not help */
#define DRAIN_STEP_NS  UINT64_C(30000000000)
#define DOORS_CLOSE_NS UINT64_C(5000000000)
#define SNAPSHOT_BYTES (8 * 1024 * 1024)

struct daemon {
    const struct setup *setup;
    struct env *env;
    struct runtime *runtime;
    struct parts parts;
    struct doors *doors;
    struct broker *broker;
    struct broker_options options;
    mrt_error error;
};

static void on_fatal(void *context, const mrt_error *why)
{
    struct daemon *daemon = context;
    runtime_log(
        daemon->runtime, MRT_LOG_ERROR, 0, "broker.fatal status=%s reason=\"%s\"",
        status_name(why->status), why->text);
    _exit(EXIT_FAILURE); /* what is not stored must not be acknowledged any more */
}

/* ---- making ---------------------------------------------------------------------------------- */

static uint32_t reactor_count(const struct settings *settings)
{
    int64_t asked = settings_i64(settings, "broker.reactors");
    if (asked > 0)
        return (uint32_t)asked;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > REACTORS_MAX ? REACTORS_MAX : (uint32_t)online;
}

static void make_runtime(struct daemon *daemon)
{
    const struct settings *settings = daemon->setup->settings;
    struct env_linux_options env = {
        .workers = (uint32_t)settings_i64(settings, "broker.workers"),
    };
    daemon->env = env_linux_new(&env);
    uint64_t seed = 0;
    daemon->env->ops->secret(daemon->env, &seed, sizeof seed);
    struct runtime_options options = {
        .env = daemon->env,
        .seed = seed,
        .reactors = reactor_count(settings),
        .log_level = (uint32_t)settings_i64(settings, "broker.log_level") + MRT_LOG_DEBUG,
        .memory_max = (uint64_t)settings_i64(settings, "broker.memory_max"),
    };
    daemon->runtime = runtime_new(&options);
}

static mrt_status read_identity(struct daemon *daemon)
{
    const struct settings *settings = daemon->setup->settings;
    struct broker_options *options = &daemon->options;
    mrt_str id = str_of(settings_str(settings, "broker.cluster_id"));

    runtime_secret(daemon->runtime, options->cluster_id, sizeof options->cluster_id);
    uuid_shape(options->cluster_id);
    if (id.n > 0 && !uuid_parse(&id, options->cluster_id))
        return error_set(
            &daemon->error, MRT_EINVAL, "broker.cluster_id: %.*s is not an id of 22 characters",
            STR_ARGS(id));
    runtime_secret(daemon->runtime, options->incarnation, sizeof options->incarnation);
    options->node = (int32_t)settings_i64(settings, "broker.node_id");
    options->rack = str_of(settings_str(settings, "broker.rack"));
    return MRT_OK;
}

static void read_limits(struct daemon *daemon)
{
    const struct settings *settings = daemon->setup->settings;
    struct broker_options *options = &daemon->options;

    options->runtime = daemon->runtime;
    options->topics = daemon->setup->topics;
    options->settings = settings;
    options->partitions_default = (int32_t)settings_i64(settings, "broker.num_partitions");
    options->replicas_default =
        (int32_t)settings_i64(settings, "broker.default_replication_factor");
    options->auto_create = settings_bool(settings, "broker.auto_create_topics_enable");
    options->delete_topics = settings_bool(settings, "broker.delete_topic_enable");
    options->memory_max = (uint64_t)settings_i64(settings, "broker.memory_max");
    options->fetch_bytes_max = (uint64_t)settings_i64(settings, "broker.fetch_max_bytes");
    options->maintenance_ms = settings_i64(settings, "broker.log_retention_check_interval_ms");
    options->snapshot_every_bytes = SNAPSHOT_BYTES;
    options->on_fatal = on_fatal;
    options->context = daemon;
}

static mrt_status make(struct daemon *daemon)
{
    make_runtime(daemon);
    read_limits(daemon);
    mrt_status status = read_identity(daemon);
    if (status == MRT_OK)
        status = parts_make(
            &daemon->parts, daemon->setup, daemon->runtime, &daemon->options, &daemon->error);
    if (status == MRT_OK)
        status = doors_new(
            daemon->setup, daemon->runtime, &daemon->options, &daemon->doors, &daemon->error);
    if (status == MRT_OK)
        daemon->broker = broker_new(&daemon->options);
    return status;
}

/* ---- running --------------------------------------------------------------------------------- */

static mrt_status start_call(void *arg, mrt_op *op)
{
    broker_start(arg, op);
    return MRT_PENDING;
}

static mrt_status drain_call(void *arg, mrt_op *op)
{
    broker_drain(arg, op, DRAIN_STEP_NS);
    return MRT_PENDING;
}

static mrt_status quiesce_call(void *arg, mrt_op *op)
{
    broker_quiesce(arg, op, DRAIN_STEP_NS);
    return MRT_PENDING;
}

static mrt_status serve(struct daemon *daemon)
{
    char addresses[1024];

    runtime_start(daemon->runtime);
    mrt_status status = doors_open(daemon->doors, daemon->broker, &daemon->error);
    if (status != MRT_OK)
        return status;
    status = await_op(broker_exec(daemon->broker), start_call, daemon->broker);
    if (status != MRT_OK)
        return error_set(
            &daemon->error, status, "the broker did not start: %s; the log says at which step",
            status_name(status));
    doors_serve(daemon->doors);
    doors_describe(daemon->doors, addresses, sizeof addresses);
    runtime_log(
        daemon->runtime, MRT_LOG_INFO, 0,
        "broker.ready node=%d storage=%s coordination=%s reactors=%u listeners=%s",
        daemon->options.node, daemon->options.storage->impl->name,
        daemon->options.coordination->impl->name, runtime_reactors(daemon->runtime), addresses);
    notify("READY=1");
    return MRT_OK;
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void await_end(struct daemon *daemon, const sigset_t *set)
{
    for (;;) {
        int signal_number = 0;
        sigwait(set, &signal_number);
        if (signal_number != SIGHUP) {
            runtime_log(
                daemon->runtime, MRT_LOG_INFO, 0, "broker.draining signal=%d", signal_number);
            return;
        }
        runtime_log(
            daemon->runtime, MRT_LOG_WARN, 0,
            "config.not_reloaded reason=\"settings take effect at a restart; check them with -t\"");
    }
}

/* A second signal during the end means: at once. */
static void cut_short(int signal_number)
{
    (void)signal_number;
    _exit(EXIT_FAILURE);
}

static bool end(struct daemon *daemon)
{
    const struct sigaction at_once = {.sa_handler = cut_short};
    sigset_t set;

    notify("STOPPING=1");
    sigaction(SIGTERM, &at_once, NULL);
    sigaction(SIGINT, &at_once, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    doors_shut(daemon->doors);
    mrt_status status = await_op(broker_exec(daemon->broker), quiesce_call, daemon->broker);
    bool closed = doors_finish(daemon->doors, DOORS_CLOSE_NS);
    if (status == MRT_OK)
        status = await_op(broker_exec(daemon->broker), drain_call, daemon->broker);
    if (closed)
        doors_close(daemon->doors);
    runtime_log(
        daemon->runtime, MRT_LOG_INFO, 0, "broker.ended status=%s",
        status_name(
            status != MRT_OK ? status
            : closed         ? MRT_OK
                             : MRT_ETIMEDOUT));
    return status == MRT_OK && closed;
}

static void dispose(struct daemon *daemon)
{
    runtime_stop(daemon->runtime);
    broker_free(daemon->broker);
    doors_free(daemon->doors);
    parts_free(&daemon->parts);
    runtime_free(daemon->runtime);
    env_linux_free(daemon->env);
}

int daemon_run(const struct setup *setup)
{
    struct daemon *daemon = memory_new(sizeof *daemon);
    sigset_t set;

    block_signals(&set);
    daemon->setup = setup;
    mrt_status status = make(daemon);
    if (status == MRT_OK)
        status = serve(daemon);
    if (status != MRT_OK) {
        fprintf(stderr, "mortised: %s\n", daemon->error.text);
        fflush(stderr);
        _exit(status == MRT_EINVAL ? EXIT_CONFIG : EXIT_FAILURE); /* threads may be anywhere */
    }
    await_end(daemon, &set);
    if (!end(daemon))
        _exit(EXIT_FAILURE);
    dispose(daemon);
    memory_free(daemon);
    return EXIT_SUCCESS;
}
