/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything but produce and fetch, against the double (double.h): what clients read of the
 * cluster, and the operations that .op files describe.
 */
#include "plugins/protocol/kafka/errors.h"
#include "tests/unit/kafka/double.h"

static int open_world(void **state)
{
    *state = world_open();
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

/* ---- metadata -------------------------------------------------------------------------------- */

static void the_cluster_is_told_in_every_version(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request in = {.topics = NULL};
    struct kafka_metadata_response out;

    for (int16_t version = 0; version <= 13; version++) {
        world_send(w, &kafka_metadata_request, version, version, &in);
        world_answer(w, (uint32_t)version, &kafka_metadata_response, version, version, &out);
        assert_int_equal(out.n_brokers, 2); /* not the fenced one */
        assert_memory_equal(out.brokers[0].host.p, "b1", 2);
        assert_memory_equal(out.brokers[1].host.p, "::1", 3); /* auto: as we were reached */
        assert_int_equal(out.brokers[1].port, 19092);
        assert_int_equal(out.controller_id, version < 1 ? -1 : 1);
        if (version >= 2)
            assert_memory_equal(out.cluster_id.p, "_____________________w", 22);
        assert_int_equal(out.n_topics, 1);
        assert_int_equal(out.topics[0].topic_id[3], version < 10 ? 0 : 7);
        const struct kafka_metadata_response_partition *p = out.topics[0].partitions;
        assert_int_equal(out.topics[0].n_partitions, 2);
        assert_int_equal(p[0].leader_id, 1);
        assert_int_equal(p[0].error_code, 0);
        assert_int_equal(p[0].n_isr_nodes, 1);
        assert_int_equal(p[0].leader_epoch, version < 7 ? -1 : 5);
        assert_int_equal(p[1].leader_id, -1);
        assert_int_equal(p[1].error_code, KAFKA_LEADER_NOT_AVAILABLE);
        assert_int_equal(out.topics[0].topic_authorized_operations, INT32_MIN);
    }
    assert_int_equal(w->calls, 0); /* nothing was mentioned that could be created */
}

static void no_names_are_none_since_version_1(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request_topic nothing;
    struct kafka_metadata_request in = {.topics = &nothing, .n_topics = 0};
    struct kafka_metadata_response out;

    world_send(w, &kafka_metadata_request, 0, 1, &in);
    world_answer(w, 0, &kafka_metadata_response, 0, 1, &out);
    assert_int_equal(out.n_topics, 1);
    world_send(w, &kafka_metadata_request, 1, 1, &in);
    world_answer(w, 1, &kafka_metadata_response, 1, 1, &out);
    assert_int_equal(out.n_topics, 0);
}

static mrt_status create_some(struct double_world *w, mrt_call *call)
{
    static mrt_create_topics_out_topic made[2];
    const mrt_create_topics *in = call->in;
    mrt_create_topics_out *out = call->out;

    (void)w;
    assert_int_equal(call->number, MRT_OP_CREATE_TOPICS);
    assert_int_equal(in->automatic, 1);
    assert_int_equal(in->n_topics, 2); /* not "seen", not the bad name, not the id */
    for (uint32_t i = 0; i < 2; i++)
        made[i] = (mrt_create_topics_out_topic){.name = in->topics[i].name};
    made[1].status = MRT_EREADONLY;
    out->topics = made;
    out->n_topics = 2;
    return MRT_OK;
}

static void topics_that_are_only_mentioned_are_created_if_the_client_allows_it(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request_topic topics[] = {
        {.name = {"new", 3}},
        {.name = {"seen", 4}},
        {.name = {"not/legal", 9}},
        {.name = {"not-here", 8}},
        {.topic_id = {9}}};
    struct kafka_metadata_request in = {
        .topics = topics, .n_topics = 5, .allow_auto_topic_creation = 1};
    struct kafka_metadata_response out;

    w->on_call = create_some;
    world_send(w, &kafka_metadata_request, 12, 1, &in);
    world_answer(w, 0, &kafka_metadata_response, 12, 1, &out);
    assert_int_equal(out.n_topics, 5);
    assert_int_equal(out.topics[0].error_code, KAFKA_LEADER_NOT_AVAILABLE);
    assert_int_equal(out.topics[1].error_code, 0);
    assert_int_equal(out.topics[2].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(out.topics[3].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out.topics[4].error_code, KAFKA_UNKNOWN_TOPIC_ID);
    assert_null(out.topics[4].name.p);
    assert_int_equal(out.topics[4].topic_id[0], 9);
    in.allow_auto_topic_creation = 0;
    world_send(w, &kafka_metadata_request, 12, 2, &in);
    world_answer(w, 1, &kafka_metadata_response, 12, 2, &out);
    assert_int_equal(out.topics[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(w->calls, 1);
}

static void a_creation_may_take_its_time_and_may_fail(void **state)
{
    struct double_world *w = *state;
    struct kafka_metadata_request_topic topics[] = {{.name = {"new", 3}}};
    struct kafka_metadata_request in = {
        .topics = topics, .n_topics = 1, .allow_auto_topic_creation = 1};
    struct kafka_metadata_response out;

    world_send(w, &kafka_metadata_request, 4, 1, &in);
    assert_int_equal(w->slot[0].filled, 0);
    world_complete(w, 0, MRT_ETIMEDOUT);
    world_answer(w, 0, &kafka_metadata_response, 4, 1, &out);
    assert_int_equal(out.topics[0].error_code, KAFKA_LEADER_NOT_AVAILABLE);
}

static void describe_cluster_names_fenced_brokers_on_request(void **state)
{
    struct double_world *w = *state;
    struct kafka_describe_cluster_request in = {.endpoint_type = 1};
    struct kafka_describe_cluster_response out;

    for (int16_t version = 0; version <= 2; version++) {
        in.include_fenced_brokers = 1;
        world_send(w, &kafka_describe_cluster_request, version, 1, &in);
        world_answer(w, (uint32_t)version, &kafka_describe_cluster_response, version, 1, &out);
        assert_int_equal(out.error_code, 0);
        assert_int_equal(out.n_brokers, version < 2 ? 2 : 3);
        assert_int_equal(out.controller_id, 1);
    }
    assert_int_equal(out.brokers[1].is_fenced, 1);
    in.endpoint_type = 2;
    world_send(w, &kafka_describe_cluster_request, 2, 1, &in);
    world_answer(w, 3, &kafka_describe_cluster_response, 2, 1, &out);
    assert_int_equal(out.error_code, KAFKA_UNSUPPORTED_VERSION);
}

static void there_is_no_coordinator_and_every_version_says_so(void **state)
{
    struct double_world *w = *state;
    const mrt_str keys[] = {{"a", 1}, {"b", 1}};
    struct kafka_find_coordinator_request in = {
        .key = {"a", 1}, .coordinator_keys = keys, .n_coordinator_keys = 2};
    struct kafka_find_coordinator_response out;

    for (int16_t version = 0; version <= 6; version++) {
        world_send(w, &kafka_find_coordinator_request, version, 1, &in);
        world_answer(w, (uint32_t)version, &kafka_find_coordinator_response, version, 1, &out);
        assert_int_equal(
            version < 4 ? out.error_code : out.coordinators[1].error_code,
            KAFKA_COORDINATOR_NOT_AVAILABLE);
        assert_int_equal(version < 4 ? out.node_id : out.coordinators[1].node_id, -1);
        assert_int_equal(out.n_coordinators, version < 4 ? 0 : 2);
    }
    in.key_type = 3;
    world_send(w, &kafka_find_coordinator_request, 1, 1, &in);
    world_answer(w, 7, &kafka_find_coordinator_response, 1, 1, &out);
    assert_int_equal(out.error_code, KAFKA_INVALID_REQUEST);
}

/* ---- offsets --------------------------------------------------------------------------------- */

static mrt_status find_offsets(struct double_world *w, mrt_call *call)
{
    const mrt_parts *in = call->in;
    mrt_list_part *parts = in->parts;

    (void)w;
    assert_int_equal(call->number, MRT_OP_LIST_OFFSETS);
    for (uint32_t i = 0; i < in->n; i++) {
        parts[i].offset = 50 + parts[i].tp.partition;
        parts[i].found_ms = 1234;
        parts[i].found_epoch = 6;
        parts[i].status = parts[i].tp.partition == 1 ? MRT_EEPOCHOLD : MRT_OK;
    }
    return MRT_OK;
}

static void offsets_are_listed_in_every_version(void **state)
{
    struct double_world *w = *state;
    struct kafka_list_offsets_request_partition parts[] = {
        {0, -1, -1}, {1, 3, 77}, {2, -1, -4}, {3, -1, -9}};
    struct kafka_list_offsets_request_topic topic = {{"seen", 4}, parts, 4};
    struct kafka_list_offsets_request in = {.topics = &topic, .n_topics = 1, .isolation_level = 1};
    struct kafka_list_offsets_response out;

    w->on_call = find_offsets;
    for (int16_t version = 1; version <= 11; version++) {
        world_send(w, &kafka_list_offsets_request, version, 1, &in);
        world_answer(w, (uint32_t)version - 1, &kafka_list_offsets_response, version, 1, &out);
        const struct kafka_list_offsets_response_partition *p = out.topics[0].partitions;
        assert_int_equal(p[0].offset, 50);
        assert_int_equal(p[0].timestamp, 1234);
        assert_int_equal(p[0].leader_epoch, version < 4 ? -1 : 6);
        assert_int_equal(p[1].error_code, KAFKA_FENCED_LEADER_EPOCH);
        assert_int_equal(p[1].offset, -1);
        assert_int_equal(p[2].error_code, version < 8 ? KAFKA_UNSUPPORTED_VERSION : 0);
        assert_int_equal(p[3].error_code, KAFKA_UNSUPPORTED_VERSION);
        const mrt_list_part *asked = ((const mrt_parts *)w->call[w->calls - 1]->in)->parts;
        assert_int_equal(asked[0].isolation, version >= 2);
        assert_int_equal(asked[1].tp.leader_epoch, version < 4 ? -1 : 3);
    }
}

/* ---- operations of .op files ----------------------------------------------------------------- */

static mrt_status create_one_of_two(struct double_world *w, mrt_call *call)
{
    static mrt_create_topics_out_config config = {
        .name = {"cleanup.policy", 14},
        .value = {"delete", 6},
        .config_source = MRT_SOURCE_DEFAULT};
    static mrt_create_topics_out_topic made[2];
    const mrt_create_topics *in = call->in;
    mrt_create_topics_out *out = call->out;

    assert_int_equal(in->n_topics, 2);
    assert_int_equal(in->automatic, 0);
    assert_int_equal(in->topics[0].n_assignments, 1);
    assert_int_equal(in->topics[0].assignments[0].broker_ids[1], 5);
    assert_int_equal(in->topics[1].n_configs, 1);
    assert_null(in->topics[1].configs[0].value.p);
    assert_int_equal(call->op.deadline_ns, w->now_ns + 3000000000u);
    made[0] = (mrt_create_topics_out_topic){
        .name = in->topics[0].name,
        .num_partitions = 1,
        .replication_factor = 2,
        .configs = &config,
        .n_configs = 1};
    memset(made[0].topic_id, 3, 16);
    made[1] = (mrt_create_topics_out_topic){
        .name = in->topics[1].name,
        .status = MRT_EINVAL,
        .reason = MRT_WHY_CONFIG,
        .error_message = {"what is x?", 10},
        .num_partitions = -1,
        .replication_factor = -1};
    out->topics = made;
    out->n_topics = 2;
    return MRT_OK;
}

static struct kafka_create_topics_request two_topics(void)
{
    static const int32_t ids[] = {4, 5};
    static struct kafka_create_topics_request_assignment assignment = {0, ids, 2};
    static struct kafka_create_topics_request_config config = {{"x", 1}, {NULL, 0}};
    static struct kafka_create_topics_request_topic topics[2];

    topics[0] = (struct kafka_create_topics_request_topic){
        .name = {"a", 1},
        .num_partitions = -1,
        .replication_factor = -1,
        .assignments = &assignment,
        .n_assignments = 1};
    topics[1] = (struct kafka_create_topics_request_topic){
        .name = {"b", 1},
        .num_partitions = 3,
        .replication_factor = 1,
        .configs = &config,
        .n_configs = 1};
    return (struct kafka_create_topics_request){
        .topics = topics, .n_topics = 2, .timeout_ms = 3000};
}

static void topics_are_created_each_with_its_own_outcome(void **state)
{
    struct double_world *w = *state;
    struct kafka_create_topics_request in = two_topics();
    struct kafka_create_topics_response out;

    w->on_call = create_one_of_two;
    for (int16_t version = 2; version <= 7; version++) {
        world_send(w, &kafka_create_topics_request, version, 1, &in);
        world_answer(w, (uint32_t)version - 2, &kafka_create_topics_response, version, 1, &out);
        assert_int_equal(out.n_topics, 2);
        assert_int_equal(out.topics[0].error_code, 0);
        assert_int_equal(out.topics[0].topic_id[0], version < 7 ? 0 : 3);
        assert_int_equal(out.topics[0].num_partitions, version < 5 ? -1 : 1);
        if (version >= 5)
            assert_int_equal(out.topics[0].configs[0].config_source, MRT_SOURCE_DEFAULT);
        assert_int_equal(out.topics[1].error_code, KAFKA_INVALID_CONFIG);
        assert_memory_equal(out.topics[1].error_message.p, "what is x?", 10);
        assert_true(version < 5 || !out.topics[1].configs);
    }
}

static void a_creation_that_fails_as_a_whole_fails_for_each_topic(void **state)
{
    struct double_world *w = *state;
    struct kafka_create_topics_request in = two_topics();
    struct kafka_create_topics_response out;

    world_send(w, &kafka_create_topics_request, 7, 1, &in);
    world_complete(w, 0, MRT_ENOTLEADER);
    world_answer(w, 0, &kafka_create_topics_response, 7, 1, &out);
    assert_int_equal(out.n_topics, 2);
    assert_memory_equal(out.topics[1].name.p, "b", 1);
    assert_int_equal(out.topics[0].error_code, KAFKA_NOT_CONTROLLER);
    assert_int_equal(out.topics[1].error_code, KAFKA_NOT_CONTROLLER);
    assert_int_equal(out.topics[0].num_partitions, -1);
}

static mrt_status delete_none(struct double_world *w, mrt_call *call)
{
    static mrt_delete_topics_out_topic gone[2];
    const mrt_delete_topics *in = call->in;
    mrt_delete_topics_out *out = call->out;

    (void)w;
    assert_int_equal(in->n_topics, 2);
    for (uint32_t i = 0; i < 2; i++) {
        gone[i] = (mrt_delete_topics_out_topic){.name = in->topics[i].name, .status = MRT_ENOENT};
        memcpy(gone[i].topic_id, in->topics[i].topic_id, 16);
    }
    out->responses = gone;
    out->n_responses = 2;
    return MRT_OK;
}

static void topics_are_deleted_by_name_and_later_by_id(void **state)
{
    struct double_world *w = *state;
    const mrt_str names[] = {{"a", 1}, {"b", 1}};
    struct kafka_delete_topics_request_topic topics[] = {
        {.name = {"a", 1}}, {.name = {NULL, 0}, .topic_id = {8}}};
    struct kafka_delete_topics_request in = {
        .topics = topics, .n_topics = 2, .topic_names = names, .n_topic_names = 2};
    struct kafka_delete_topics_response out;

    w->on_call = delete_none;
    for (int16_t version = 1; version <= 6; version++) {
        world_send(w, &kafka_delete_topics_request, version, 1, &in);
        world_answer(w, (uint32_t)version - 1, &kafka_delete_topics_response, version, 1, &out);
        assert_int_equal(out.responses[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        assert_int_equal(
            out.responses[1].error_code,
            version < 6 ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID);
        assert_memory_equal(out.responses[0].name.p, "a", 1);
    }
    assert_int_equal(out.responses[1].topic_id[0], 8);
    w->on_call = NULL;
    world_send(w, &kafka_delete_topics_request, 6, 1, &in);
    world_complete(w, w->calls - 1, MRT_EBUSY);
    world_answer(w, 6, &kafka_delete_topics_response, 6, 1, &out);
    assert_int_equal(out.responses[1].error_code, KAFKA_REQUEST_TIMED_OUT);
}

static mrt_status give_id(struct double_world *w, mrt_call *call)
{
    const mrt_init_producer_id *in = call->in;
    mrt_init_producer_id_out *out = call->out;

    (void)w;
    if (in->transactional_id.p)
        return MRT_ENOTSUP;
    assert_int_equal(in->producer_id, -1);
    out->producer_id = 4000;
    out->producer_epoch = 2;
    return MRT_OK;
}

static void idempotent_producers_get_a_number_and_transactional_ones_wait(void **state)
{
    struct double_world *w = *state;
    struct kafka_init_producer_id_request in = {.producer_id = -1, .producer_epoch = -1};
    struct kafka_init_producer_id_response out;

    w->on_call = give_id;
    for (int16_t version = 0; version <= 5; version++) {
        world_send(w, &kafka_init_producer_id_request, version, 1, &in);
        world_answer(w, (uint32_t)version, &kafka_init_producer_id_response, version, 1, &out);
        assert_int_equal(out.error_code, 0);
        assert_int_equal(out.producer_id, 4000);
        assert_int_equal(out.producer_epoch, 2);
    }
    in.transactional_id = (mrt_str){"tx", 2};
    world_send(w, &kafka_init_producer_id_request, 5, 1, &in);
    world_answer(w, 6, &kafka_init_producer_id_response, 5, 1, &out);
    assert_int_equal(out.error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(out.producer_id, -1);
}

static mrt_status describe(struct double_world *w, mrt_call *call)
{
    static mrt_describe_configs_out_synonym synonym = {{"log.x", 5}, {"1", 1}, MRT_SOURCE_DEFAULT};
    static mrt_describe_configs_out_config config = {
        .name = {"x", 1},
        .value = {"2", 1},
        .config_source = MRT_SOURCE_TOPIC,
        .synonyms = &synonym,
        .n_synonyms = 1,
        .config_type = MRT_TYPE_INT};
    static mrt_describe_configs_out_resource results[2];
    const mrt_describe_configs *in = call->in;
    mrt_describe_configs_out *out = call->out;

    (void)w;
    assert_int_equal(in->n_resources, 2);
    assert_null(in->resources[0].configuration_keys);
    assert_int_equal(in->resources[1].n_configuration_keys, 1);
    assert_int_equal(in->include_synonyms, 1);
    results[0] = (mrt_describe_configs_out_resource){
        .resource_type = in->resources[0].resource_type,
        .resource_name = in->resources[0].resource_name,
        .configs = &config,
        .n_configs = 1};
    results[1] = (mrt_describe_configs_out_resource){
        .status = MRT_ENOENT,
        .resource_type = in->resources[1].resource_type,
        .resource_name = in->resources[1].resource_name};
    out->results = results;
    out->n_results = 2;
    return MRT_OK;
}

static void configurations_are_described_with_their_origin(void **state)
{
    struct double_world *w = *state;
    const mrt_str key = {"x", 1};
    struct kafka_describe_configs_request_resource resources[] = {
        {MRT_RESOURCE_TOPIC, {"seen", 4}, NULL, 0}, {MRT_RESOURCE_TOPIC, {"no", 2}, &key, 1}};
    struct kafka_describe_configs_request in = {resources, 2, 1, 0};
    struct kafka_describe_configs_response out;

    w->on_call = describe;
    for (int16_t version = 1; version <= 4; version++) {
        world_send(w, &kafka_describe_configs_request, version, 1, &in);
        world_answer(w, (uint32_t)version - 1, &kafka_describe_configs_response, version, 1, &out);
        const struct kafka_describe_configs_response_config *c = out.results[0].configs;
        assert_int_equal(c->config_source, MRT_SOURCE_TOPIC);
        assert_memory_equal(c->synonyms[0].name.p, "log.x", 5);
        assert_int_equal(c->config_type, version < 3 ? 0 : MRT_TYPE_INT);
        assert_int_equal(out.results[1].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        assert_memory_equal(out.results[1].resource_name.p, "no", 2);
    }
    w->on_call = NULL;
    world_send(w, &kafka_describe_configs_request, 4, 1, &in);
    world_complete(w, w->calls - 1, MRT_EBUG);
    world_answer(w, 4, &kafka_describe_configs_response, 4, 1, &out);
    assert_int_equal(out.results[0].error_code, KAFKA_UNKNOWN_SERVER_ERROR);
    assert_non_null(strstr(w->log, "bug_status_unlisted api=32 version=4 status=-27"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_cluster_is_told_in_every_version),
        TEST(no_names_are_none_since_version_1),
        TEST(topics_that_are_only_mentioned_are_created_if_the_client_allows_it),
        TEST(a_creation_may_take_its_time_and_may_fail),
        TEST(describe_cluster_names_fenced_brokers_on_request),
        TEST(there_is_no_coordinator_and_every_version_says_so),
        TEST(offsets_are_listed_in_every_version),
        TEST(topics_are_created_each_with_its_own_outcome),
        TEST(a_creation_that_fails_as_a_whole_fails_for_each_topic),
        TEST(topics_are_deleted_by_name_and_later_by_id),
        TEST(idempotent_producers_get_a_number_and_transactional_ones_wait),
        TEST(configurations_are_described_with_their_origin),
    };
    return cmocka_run_group_tests_name("kafka/admin", tests, NULL, NULL);
}
