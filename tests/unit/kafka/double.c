/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kafka/double.h"

#include <stdio.h>

#include "plugins/protocol/kafka/frame.h"
#include "sdk/kit/varint.h"

const mrt_plugin *protocol_kafka_LTX_mortise_plugin_entry(uint32_t host_abi);

static struct double_world *world; /* the one the tables speak of */
static void *taken[4096];
static uint32_t n_taken;

static void *take(void *ctx, uint64_t bytes)
{
    (void)ctx;
    assert_true(n_taken < sizeof taken / sizeof *taken);
    return taken[n_taken++] = calloc(1, bytes ? bytes : 1);
}

const struct kit_memory world_memory = {take, NULL, 0, 0};

/* ---- host ------------------------------------------------------------------------------------ */

static void *host_alloc(const mrt_host *host, uint64_t bytes, uint64_t align)
{
    (void)host, (void)align;
    world->allocations++;
    return malloc(bytes);
}

static void host_free(const mrt_host *host, void *p)
{
    (void)host;
    world->allocations -= p != NULL;
    free(p);
}

static uint64_t mono_ns(const mrt_exec *exec)
{
    (void)exec;
    return world->now_ns;
}

static uint32_t log_enabled(const mrt_host *host, uint32_t level)
{
    (void)host, (void)level;
    return 1;
}

static void log_write(const mrt_host *host, uint32_t level, uint64_t trace, const mrt_str *line)
{
    (void)host, (void)level, (void)trace;
    snprintf(world->log, sizeof world->log, "%.*s", (int)line->n, line->p);
}

/* ---- stream ---------------------------------------------------------------------------------- */

static mrt_status stream_reserve(mrt_stream *stream, uint64_t *slot)
{
    (void)stream;
    if (world->reserved == world->reserve_max)
        return MRT_ENOMEM;
    *slot = world->reserved++;
    return MRT_OK;
}

static void release(mrt_lease *lease)
{
    if (lease)
        lease->ops->release(lease);
}

static void stream_fill(mrt_stream *stream, uint64_t slot, const mrt_slicev *v, uint32_t n)
{
    (void)stream;
    assert_int_equal(world->slot[slot].filled, 0);
    world->slot[slot].filled = 1;
    world->slot[slot].n = n;
    for (uint32_t i = 0; i < n; i++)
        world->slot[slot].bytes += v[i].bytes;
    uint8_t *at = world->slot[slot].data = malloc(world->slot[slot].bytes + 1);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (uint32_t j = 0; j < v[i].n; j++) {
            const mrt_slice *s = &v[i].v[j];
            memcpy(at, (const uint8_t *)(uintptr_t)s->ref + s->off, s->len);
            at += s->len;
            sum += s->len;
        }
        assert_int_equal(sum, v[i].bytes);
        release(v[i].lease);
    }
}

static void stream_pause(mrt_stream *stream)
{
    (void)stream;
    world->pauses++;
}

static void stream_resume(mrt_stream *stream, uint64_t at_ns)
{
    (void)stream;
    world->resumes++;
    world->resumed_at = at_ns;
}

static void stream_close(mrt_stream *stream, uint32_t now)
{
    (void)stream, (void)now;
    world->closes++;
}

static void stream_peer(mrt_stream *stream, mrt_peer *out)
{
    (void)stream;
    out->local = (mrt_str){"[::1]:19092", 11};
    out->remote = (mrt_str){"[::1]:40000", 11};
}

static mrt_status stream_identify(mrt_stream *stream, const mrt_who *who)
{
    (void)stream;
    snprintf(
        world->client_id, sizeof world->client_id, "%.*s", (int)who->client_id.n, who->client_id.p);
    return MRT_OK;
}

static const mrt_who *stream_who(mrt_stream *stream)
{
    static const mrt_who who = {.size = sizeof who, .listener = {"plain", 5}};
    (void)stream;
    return &who;
}

/* ---- broker ---------------------------------------------------------------------------------- */

struct block {
    struct block *next;
    max_align_t data[];
};

struct mrt_arena {
    struct block *blocks;
};

static mrt_broker *broker_at(const mrt_host *host, mrt_exec *reactor)
{
    (void)host, (void)reactor;
    return (mrt_broker *)world;
}

static mrt_status broker_call(mrt_broker *broker, mrt_call *call)
{
    (void)broker;
    assert_true(world->calls < CALLS_MAX);
    world->call[world->calls++] = call;
    return world->on_call ? world->on_call(world, call) : MRT_PENDING;
}

static void broker_cancel(mrt_broker *broker, mrt_call *call)
{
    (void)broker, (void)call;
    world->cancels++;
}

static mrt_arena *arena_new(mrt_broker *broker, const mrt_who *who)
{
    (void)broker, (void)who;
    if (world->arenas == world->arenas_max)
        return NULL;
    world->arenas++;
    return calloc(1, sizeof(mrt_arena));
}

static void *arena_alloc(mrt_arena *arena, uint64_t bytes)
{
    if (!world->arena_blocks_left)
        return NULL;
    world->arena_blocks_left--;
    struct block *b = malloc(sizeof *b + bytes);
    memset(b->data, 0xa5, bytes);
    b->next = arena->blocks;
    arena->blocks = b;
    return b->data;
}

static void arena_free(mrt_arena *arena)
{
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
    world->arenas--;
}

static const mrt_image *image_pin(mrt_broker *broker, uint64_t *version)
{
    world->images++;
    *version = 1;
    return (const mrt_image *)broker;
}

static void image_unpin(mrt_broker *broker, const mrt_image *image)
{
    (void)broker, (void)image;
    world->images--;
}

static void image_cluster(const mrt_image *image, uint8_t *id, int32_t *controller)
{
    (void)image;
    memset(id, 0xff, 16);
    *controller = 1;
}

static mrt_status image_topic(
    const mrt_image *image, const mrt_str *name, const uint8_t *id, mrt_image_topic *out)
{
    (void)image;
    *out = (mrt_image_topic){.name = {"seen", 4}, .n_partitions = 2, .index = 7};
    memset(out->id, 7, 16);
    if (name)
        return name->n == 4 && !memcmp(name->p, "seen", 4) ? MRT_OK : MRT_ENOENT;
    return !memcmp(id, out->id, 16) ? MRT_OK : MRT_ENOENT;
}

static mrt_status image_topic_next(const mrt_image *image, uint64_t *cursor, mrt_image_topic *out)
{
    mrt_str seen = {"seen", 4};
    return (*cursor)++ ? MRT_ENOENT : image_topic(image, &seen, NULL, out);
}

static mrt_status image_partition(
    const mrt_image *image, uint64_t index, int32_t partition, mrt_image_partition *out)
{
    static const int32_t replicas[] = {1, 2};
    (void)image;
    assert_int_equal(index, 7);
    *out = (mrt_image_partition){
        .leader = partition ? -1 : 1,
        .leader_epoch = 5,
        .replicas = replicas,
        .n_replicas = 2,
        .isr = replicas,
        .n_isr = 1,
    };
    return MRT_OK;
}

static mrt_status image_broker_next(
    const mrt_image *image, const mrt_str *listener, uint64_t *cursor, mrt_image_broker *out)
{
    static const mrt_image_broker brokers[] = {
        {.id = 1, .flags = 2, .host = {"b1", 2}, .port = 9092},
        {.id = 2, .flags = 1, .host = {"b2", 2}, .port = 9092},
        {.id = 3}, /* advertised: auto */
    };
    (void)image;
    assert_memory_equal(listener->p, "plain", 5);
    if (*cursor == 3)
        return MRT_ENOENT;
    *out = brokers[(*cursor)++];
    return MRT_OK;
}

/* ---- the world ------------------------------------------------------------------------------- */

static const void *host_get(const mrt_host *host, const char *id)
{
    static const mrt_host_clock clock = {.size = sizeof clock, .mono_ns = mono_ns};
    static const mrt_host_log log = {
        .size = sizeof log, .enabled = log_enabled, .write = log_write};
    static const mrt_host_stream stream = {
        .size = sizeof stream,
        .reserve = stream_reserve,
        .fill = stream_fill,
        .pause = stream_pause,
        .resume = stream_resume,
        .close = stream_close,
        .peer = stream_peer,
        .identify = stream_identify,
        .who = stream_who,
    };
    static const mrt_host_broker broker = {
        .size = sizeof broker,
        .at = broker_at,
        .call = broker_call,
        .cancel = broker_cancel,
        .arena_new = arena_new,
        .arena_alloc = arena_alloc,
        .arena_free = arena_free,
        .image_pin = image_pin,
        .image_unpin = image_unpin,
        .cluster = image_cluster,
        .topic = image_topic,
        .topic_next = image_topic_next,
        .partition = image_partition,
        .broker_next = image_broker_next,
    };

    (void)host;
    return !strcmp(id, MRT_HOST_CLOCK)    ? (const void *)&clock
           : !strcmp(id, MRT_HOST_LOG)    ? (const void *)&log
           : !strcmp(id, MRT_HOST_STREAM) ? (const void *)&stream
           : !strcmp(id, MRT_HOST_BROKER) ? (const void *)&broker
                                          : NULL;
}

static int64_t view_i64(const mrt_cfg *cfg, uint32_t key)
{
    (void)cfg, (void)key;
    return 1 << 20;
}

static const mrt_protocol_ops *ops(const struct double_world *w)
{
    return w->impl->ops;
}

struct double_world *world_open(void)
{
    static const mrt_host host = {
        .size = sizeof host,
        .abi = MRT_ABI,
        .get = host_get,
        .alloc = host_alloc,
        .free = host_free};
    static const mrt_cfg_view view = {.size = sizeof view, .i64 = view_i64};
    const mrt_create how = {.size = sizeof how, .host = &host, .view = &view};
    struct double_world *w = world = calloc(1, sizeof *w);
    mrt_error error;

    w->reserve_max = SLOTS_MAX;
    w->arenas_max = 1000;
    w->arena_blocks_left = 1u << 30;
    w->now_ns = 1000000000;
    w->impl = protocol_kafka_LTX_mortise_plugin_entry(MRT_ABI)->impls;
    assert_int_equal(w->impl->life->create(&how, &w->instance, &error), MRT_OK);
    assert_int_equal(w->impl->life->shard_open(w->instance, NULL, &w->shard), MRT_OK);
    assert_int_equal(ops(w)->serve(w->shard, (mrt_stream *)w, &w->session), MRT_OK);
    return w;
}

void world_closed(struct double_world *w)
{
    mrt_session *session = w->session;
    w->session = NULL;
    ops(w)->on_closed(session, MRT_OK);
}

void world_close(struct double_world *w)
{
    if (w->session)
        world_closed(w);
    assert_int_equal(w->arenas, 0);
    assert_int_equal(w->leases, 0);
    assert_int_equal(w->images, 0);
    w->impl->life->shard_close(w->shard);
    w->impl->life->destroy(w->instance);
    assert_int_equal(w->allocations, 0);
    for (uint32_t i = 0; i < w->reserved; i++) {
        assert_int_equal(w->slot[i].filled, 1);
        free(w->slot[i].data);
    }
    while (n_taken)
        free(taken[--n_taken]);
    free(w);
}

static void counted_release(mrt_lease *lease)
{
    struct counted_lease *mine = (struct counted_lease *)(void *)lease;
    assert_true(mine->world->leases > 0);
    mine->world->leases--;
    free(mine);
}

mrt_lease *world_lease(struct double_world *w)
{
    static const mrt_lease_ops lease_ops = {.size = sizeof lease_ops, .release = counted_release};
    struct counted_lease *lease = calloc(1, sizeof *lease);

    lease->lease.ops = &lease_ops;
    lease->world = w;
    w->leases++;
    return &lease->lease;
}

uint64_t world_bytes(struct double_world *w, const void *bytes, uint64_t n, uint64_t *want)
{
    mrt_str in = {bytes, n};
    uint64_t consumed = 0;

    assert_int_equal(ops(w)->on_bytes(w->session, &in, world_lease(w), &consumed, want), MRT_OK);
    return consumed;
}

uint64_t world_request(
    const struct kit_message *message, int16_t version, int32_t correlation, const void *body,
    uint8_t *out)
{
    const struct kafka_head head = {
        kafka_api_find(message->key), message->key, version, correlation, {"tester", 6}, {NULL, 0}};
    struct kit_room room = {.p = out, .cap = OUT_MAX};

    assert_int_equal(kafka_request_encode(&head, body, &room), MRT_OK);
    return room.used;
}

void world_send(
    struct double_world *w, const struct kit_message *message, int16_t version, int32_t correlation,
    const void *body)
{
    uint8_t *frame = malloc(OUT_MAX);
    uint64_t n = world_request(message, version, correlation, body, frame), want;

    assert_int_equal(world_bytes(w, frame, n, &want), n);
    memset(frame, 0xee, n); /* what is still looked at is leased, and records only */
    free(frame);
}

void world_answer(
    struct double_world *w, uint32_t slot, const struct kit_message *message, int16_t version,
    int32_t correlation, void *out)
{
    const uint8_t *data = w->slot[slot].data;
    const struct kafka_head head = {
        kafka_api_find(message->key), message->key, version, correlation, {NULL, 0}, {NULL, 0}};
    mrt_str bytes = {(const char *)data, w->slot[slot].bytes}, frame;
    uint64_t want;

    assert_true(w->slot[slot].n > 0);
    assert_int_equal(kafka_frame_next(&bytes, OUT_MAX, &frame, &want), MRT_OK);
    assert_int_equal(want, bytes.n);
    assert_int_equal(kafka_response_decode(&head, &frame, &world_memory, out), MRT_OK);
}

void world_complete(struct double_world *w, uint32_t i, mrt_status status)
{
    mrt_call *call = w->call[i];
    call->op.status = status;
    call->op.done(&call->op);
}

void world_sent(struct double_world *w, uint32_t slot)
{
    assert_int_equal(w->slot[slot].filled, 1);
    assert_int_equal(w->slot[slot].sent, 0);
    w->slot[slot].sent = 1;
    ops(w)->on_sent(w->session, slot);
}

static struct kafka_produce_request_partition produce_part;
static struct kafka_produce_request_topic produce_topic;

struct kafka_produce_request world_produce(int16_t acks)
{
    produce_part = (struct kafka_produce_request_partition){0, {WORLD_RECORDS, 16}};
    produce_topic = (struct kafka_produce_request_topic){
        .name = {"seen", 4}, .partition_data = &produce_part, .n_partition_data = 1};
    memset(produce_topic.topic_id, 7, 16);
    return (struct kafka_produce_request){
        .acks = acks, .timeout_ms = 1500, .topic_data = &produce_topic, .n_topic_data = 1};
}

void world_appended(mrt_call *call, int64_t base)
{
    const mrt_produce *in = call->in;
    mrt_produce_res *out = call->out;

    for (uint32_t i = 0; i < in->n; i++) {
        in->parts[i].batches.lease->ops->release(in->parts[i].batches.lease);
        out[i] = (mrt_produce_res){MRT_OK, -1, base, -1, 0, -1, -1, {NULL, 0}};
    }
}

mrt_status world_refuses(struct double_world *w, mrt_call *call)
{
    (void)w, (void)call;
    return MRT_ENOTLEADER;
}
