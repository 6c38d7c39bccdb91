/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errors.c - the lists. A row with a reason stands before the row of the same status without one.
 *
 * Two habits: what the client should try elsewhere is NOT_LEADER_OR_FOLLOWER, because it makes
 * every client look for the leader again; what it should try again here, with nothing appended, is
 * KAFKA_STORAGE_ERROR. REQUEST_TIMED_OUT is legal for produce and administration only: consumers
 * die of it.
 */
#include "plugins/protocol/kafka/errors.h"

#include <stddef.h>

#include <mortise/draft/ops.h>

struct rule {
    mrt_status status;
    int16_t reason;
    int16_t code;
};

#define END                                                                                        \
    {                                                                                              \
        MRT_OK, 0, KAFKA_NONE                                                                      \
    }

/* What any list may fall back on, for partitions a leader serves. */
#define ELSEWHERE                                                                                  \
    {MRT_ENOTLEADER, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                             \
        {MRT_EFENCED, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                            \
        {MRT_EGONE, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                              \
        {MRT_ESHUTDOWN, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                          \
        {MRT_ECLOSED, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                            \
    {                                                                                              \
        MRT_ESEALED, 0, KAFKA_NOT_LEADER_OR_FOLLOWER                                               \
    }

#define DISK                                                                                       \
    {MRT_EIO, 0, KAFKA_KAFKA_STORAGE_ERROR}, {MRT_ENOSPC, 0, KAFKA_KAFKA_STORAGE_ERROR},           \
        {MRT_EOFFLINE, 0, KAFKA_KAFKA_STORAGE_ERROR},                                              \
        {MRT_EREADONLY, 0, KAFKA_KAFKA_STORAGE_ERROR}, {MRT_EFULL, 0, KAFKA_KAFKA_STORAGE_ERROR},  \
        {MRT_ENOMEM, 0, KAFKA_KAFKA_STORAGE_ERROR}, {MRT_EBUSY, 0, KAFKA_KAFKA_STORAGE_ERROR},     \
    {                                                                                              \
        MRT_ETOONEW, 0, KAFKA_KAFKA_STORAGE_ERROR                                                  \
    }

#define PRODUCE                                                                                    \
    ELSEWHERE, DISK, {MRT_EAGAIN, 0, KAFKA_KAFKA_STORAGE_ERROR},                                   \
        {MRT_ETIMEDOUT, 0, KAFKA_REQUEST_TIMED_OUT}, {MRT_ECANCELED, 0, KAFKA_REQUEST_TIMED_OUT},  \
        {MRT_EUNKNOWN, 0, KAFKA_REQUEST_TIMED_OUT}, {MRT_ECORRUPT, 0, KAFKA_CORRUPT_MESSAGE},      \
        {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},                                        \
        {MRT_ETOOBIG, 0, KAFKA_MESSAGE_TOO_LARGE}, {MRT_ERECORD, 0, KAFKA_INVALID_RECORD},         \
        {MRT_EINVAL, 0, KAFKA_INVALID_RECORD}, {MRT_ETIMESTAMP, 0, KAFKA_INVALID_TIMESTAMP},       \
        {MRT_ECODEC, 0, KAFKA_UNSUPPORTED_COMPRESSION_TYPE},                                       \
        {MRT_ESEQUENCE, 0, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER},                                    \
        {MRT_EDUPLICATE, 0, KAFKA_DUPLICATE_SEQUENCE_NUMBER},                                      \
        {MRT_EPRODUCER, 0, KAFKA_UNKNOWN_PRODUCER_ID},                                             \
        {MRT_EPRODUCEROLD, 0, KAFKA_INVALID_PRODUCER_EPOCH},                                       \
        {MRT_ETXNSTATE, 0, KAFKA_INVALID_TXN_STATE},                                               \
        {MRT_EFEWREPLICAS, 0, KAFKA_NOT_ENOUGH_REPLICAS},                                          \
        {MRT_EFEWAFTER, 0, KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND}, END

static const struct rule produce[] = {{MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION}, PRODUCE};
static const struct rule produce_id[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_ID}, {MRT_EIDMISMATCH, 0, KAFKA_UNKNOWN_TOPIC_ID}, PRODUCE};

/* Of reading; what only a fetch can meet stands in its own lists. */
#define READ                                                                                       \
    ELSEWHERE, DISK, {MRT_EAGAIN, 0, KAFKA_OFFSET_NOT_AVAILABLE},                                  \
        {MRT_ETIMEDOUT, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                          \
        {MRT_ECANCELED, 0, KAFKA_NOT_LEADER_OR_FOLLOWER},                                          \
        {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},                                        \
        {MRT_EEPOCHOLD, 0, KAFKA_FENCED_LEADER_EPOCH},                                             \
        {MRT_EEPOCHNEW, 0, KAFKA_UNKNOWN_LEADER_EPOCH}, END

#define FETCH                                                                                      \
    {MRT_ERANGE, 0, KAFKA_OFFSET_OUT_OF_RANGE}, {MRT_ECORRUPT, 0, KAFKA_CORRUPT_MESSAGE}, READ

static const struct rule fetch[] = {{MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION}, FETCH};
static const struct rule fetch_id[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_ID},
    {MRT_EIDMISMATCH, 0, KAFKA_INCONSISTENT_TOPIC_ID},
    FETCH};

static const struct rule list_offsets[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {MRT_ENOTSUP, 0, KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT},
    {MRT_ECORRUPT, 0, KAFKA_KAFKA_STORAGE_ERROR},
    READ};

static const struct rule metadata[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {MRT_EINVAL, MRT_WHY_NAME, KAFKA_INVALID_TOPIC_EXCEPTION},
    {MRT_EINVAL, MRT_WHY_REPLICATION, KAFKA_INVALID_REPLICATION_FACTOR},
    {MRT_EINVAL, 0, KAFKA_INVALID_TOPIC_EXCEPTION},
    {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},
    {MRT_EREADONLY, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {MRT_EAGAIN, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EEXIST, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EBUSY, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ENOMEM, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EIO, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ENOSPC, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EOFFLINE, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EFENCED, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_EUNKNOWN, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ECLOSED, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ETIMEDOUT, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ECANCELED, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ESHUTDOWN, 0, KAFKA_LEADER_NOT_AVAILABLE},
    {MRT_ENOTLEADER, 0, KAFKA_LEADER_NOT_AVAILABLE},
    END};

/* For what the controller decides: again later, or at another broker. */
#define CONTROLLER                                                                                 \
    {MRT_ENOTLEADER, 0, KAFKA_NOT_CONTROLLER}, {MRT_EFENCED, 0, KAFKA_NOT_CONTROLLER},             \
        {MRT_ECLOSED, 0, KAFKA_NOT_CONTROLLER}, {MRT_ESHUTDOWN, 0, KAFKA_NOT_CONTROLLER},          \
        {MRT_ESEALED, 0, KAFKA_NOT_CONTROLLER}, {MRT_ETIMEDOUT, 0, KAFKA_REQUEST_TIMED_OUT},       \
        {MRT_ECANCELED, 0, KAFKA_REQUEST_TIMED_OUT}, {MRT_EUNKNOWN, 0, KAFKA_REQUEST_TIMED_OUT},   \
        {MRT_EAGAIN, 0, KAFKA_REQUEST_TIMED_OUT}, {MRT_EBUSY, 0, KAFKA_REQUEST_TIMED_OUT},         \
        {MRT_ENOMEM, 0, KAFKA_REQUEST_TIMED_OUT}, {MRT_EIO, 0, KAFKA_KAFKA_STORAGE_ERROR},         \
        {MRT_ENOSPC, 0, KAFKA_KAFKA_STORAGE_ERROR},                                                \
    {                                                                                              \
        MRT_EOFFLINE, 0, KAFKA_KAFKA_STORAGE_ERROR                                                 \
    }

static const struct rule create_topics[] = {
    {MRT_EINVAL, MRT_WHY_NAME, KAFKA_INVALID_TOPIC_EXCEPTION},
    {MRT_EINVAL, MRT_WHY_PARTITIONS, KAFKA_INVALID_PARTITIONS},
    {MRT_EINVAL, MRT_WHY_REPLICATION, KAFKA_INVALID_REPLICATION_FACTOR},
    {MRT_EINVAL, MRT_WHY_ASSIGNMENT, KAFKA_INVALID_REPLICA_ASSIGNMENT},
    {MRT_EINVAL, MRT_WHY_CONFIG, KAFKA_INVALID_CONFIG},
    {MRT_EINVAL, MRT_WHY_POLICY, KAFKA_POLICY_VIOLATION},
    {MRT_EDENIED, MRT_WHY_POLICY, KAFKA_POLICY_VIOLATION},
    {MRT_EINVAL, 0, KAFKA_INVALID_REQUEST},
    {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},
    {MRT_EEXIST, 0, KAFKA_TOPIC_ALREADY_EXISTS},
    {MRT_ETOOBIG, 0, KAFKA_INVALID_PARTITIONS},
    CONTROLLER,
    END};

static const struct rule delete_topics[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {MRT_EDENIED, MRT_WHY_DISABLED, KAFKA_TOPIC_DELETION_DISABLED},
    {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},
    {MRT_EINVAL, MRT_WHY_NAME, KAFKA_INVALID_TOPIC_EXCEPTION},
    {MRT_EINVAL, 0, KAFKA_INVALID_REQUEST},
    CONTROLLER,
    END};

static const struct rule init_producer_id[] = {
    {MRT_ENOTSUP, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_EDENIED, 0, KAFKA_CLUSTER_AUTHORIZATION_FAILED},
    {MRT_EPRODUCEROLD, 0, KAFKA_INVALID_PRODUCER_EPOCH},
    {MRT_EPRODUCER, 0, KAFKA_INVALID_PRODUCER_EPOCH},
    {MRT_EFENCED, 0, KAFKA_NOT_COORDINATOR},
    {MRT_ENOTLEADER, 0, KAFKA_NOT_COORDINATOR},
    {MRT_ECLOSED, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_ESHUTDOWN, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_EOFFLINE, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_EIO, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_ENOSPC, 0, KAFKA_COORDINATOR_NOT_AVAILABLE},
    {MRT_EUNKNOWN, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    {MRT_ETIMEDOUT, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    {MRT_ECANCELED, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    {MRT_EAGAIN, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    {MRT_EBUSY, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    {MRT_ENOMEM, 0, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    END};

static const struct rule describe_configs[] = {
    {MRT_ENOENT, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {MRT_EINVAL, MRT_WHY_NAME, KAFKA_INVALID_TOPIC_EXCEPTION},
    {MRT_EINVAL, 0, KAFKA_INVALID_REQUEST},
    {MRT_ENOTSUP, 0, KAFKA_INVALID_REQUEST},
    {MRT_EDENIED, 0, KAFKA_TOPIC_AUTHORIZATION_FAILED},
    CONTROLLER,
    END};

static const struct rule *const lists[KAFKA_ERROR_LISTS] = {
    [KAFKA_OF_PRODUCE] = produce,
    [KAFKA_OF_PRODUCE_ID] = produce_id,
    [KAFKA_OF_FETCH] = fetch,
    [KAFKA_OF_FETCH_ID] = fetch_id,
    [KAFKA_OF_LIST_OFFSETS] = list_offsets,
    [KAFKA_OF_METADATA] = metadata,
    [KAFKA_OF_CREATE_TOPICS] = create_topics,
    [KAFKA_OF_DELETE_TOPICS] = delete_topics,
    [KAFKA_OF_INIT_PRODUCER_ID] = init_producer_id,
    [KAFKA_OF_DESCRIBE_CONFIGS] = describe_configs,
};

int16_t kafka_error(enum kafka_errors list, mrt_status status, int32_t reason, uint32_t *known)
{
    const struct rule *rule = lists[list];

    *known = 1;
    while (rule->status != MRT_OK &&
           (rule->status != status || (rule->reason && rule->reason != reason)))
        rule++;
    if (rule->status == MRT_OK && status != MRT_OK)
        *known = 0;
    return *known ? rule->code : (int16_t)KAFKA_UNKNOWN_SERVER_ERROR;
}
