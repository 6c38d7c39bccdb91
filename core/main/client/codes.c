/* SPDX-License-Identifier: Apache-2.0 */
#include "core/main/client/codes.h"

#include <stddef.h>

static const struct code codes[] = {
    {KAFKA_UNKNOWN_SERVER_ERROR, false, "UNKNOWN_SERVER_ERROR", "the broker's log says more"},
    {KAFKA_OFFSET_OUT_OF_RANGE, false, "OFFSET_OUT_OF_RANGE",
     "the log does not have that offset, or not any more"},
    {KAFKA_CORRUPT_MESSAGE, false, "CORRUPT_MESSAGE", "the records did not arrive as they were"},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, true, "UNKNOWN_TOPIC_OR_PARTITION",
     "there is no such topic or partition"},
    {KAFKA_LEADER_NOT_AVAILABLE, true, "LEADER_NOT_AVAILABLE", "it has no leader now"},
    {KAFKA_NOT_LEADER_OR_FOLLOWER, true, "NOT_LEADER_OR_FOLLOWER", "another broker leads it"},
    {KAFKA_REQUEST_TIMED_OUT, true, "REQUEST_TIMED_OUT", "the broker did not get it done in time"},
    {8, true, "BROKER_NOT_AVAILABLE", "the broker is not there"},
    {9, true, "REPLICA_NOT_AVAILABLE", "the replica is not there"},
    {KAFKA_MESSAGE_TOO_LARGE, false, "MESSAGE_TOO_LARGE",
     "the batch is larger than the topic's max.message.bytes"},
    {13, true, "NETWORK_EXCEPTION", "the broker was cut off"},
    {KAFKA_INVALID_TOPIC_EXCEPTION, false, "INVALID_TOPIC_EXCEPTION",
     "a topic cannot be called that, or is the broker's own"},
    {18, false, "RECORD_LIST_TOO_LARGE", "the batch is larger than the topic's segments"},
    {KAFKA_NOT_ENOUGH_REPLICAS, true, "NOT_ENOUGH_REPLICAS",
     "fewer replicas are in sync than min.insync.replicas asks for"},
    {KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND, true, "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
     "written, but on fewer replicas than min.insync.replicas asks for"},
    {KAFKA_INVALID_REQUIRED_ACKS, false, "INVALID_REQUIRED_ACKS",
     "the broker does not know --acks"},
    {KAFKA_TOPIC_AUTHORIZATION_FAILED, false, "TOPIC_AUTHORIZATION_FAILED", "not permitted"},
    {KAFKA_CLUSTER_AUTHORIZATION_FAILED, false, "CLUSTER_AUTHORIZATION_FAILED", "not permitted"},
    {KAFKA_INVALID_TIMESTAMP, false, "INVALID_TIMESTAMP",
     "the topic does not take this machine's clock"},
    {KAFKA_UNSUPPORTED_VERSION, false, "UNSUPPORTED_VERSION", "the broker is too old or too new"},
    {KAFKA_TOPIC_ALREADY_EXISTS, false, "TOPIC_ALREADY_EXISTS", "there is such a topic"},
    {KAFKA_INVALID_PARTITIONS, false, "INVALID_PARTITIONS", "not with that many partitions"},
    {KAFKA_INVALID_REPLICATION_FACTOR, false, "INVALID_REPLICATION_FACTOR",
     "not with that many replicas: are there as many brokers?"},
    {KAFKA_INVALID_REPLICA_ASSIGNMENT, false, "INVALID_REPLICA_ASSIGNMENT", "not on those brokers"},
    {KAFKA_INVALID_CONFIG, false, "INVALID_CONFIG", "a setting cannot have that value"},
    {KAFKA_NOT_CONTROLLER, true, "NOT_CONTROLLER", "another broker is the controller"},
    {KAFKA_INVALID_REQUEST, false, "INVALID_REQUEST", "the broker does not accept the request"},
    {KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT, false, "UNSUPPORTED_FOR_MESSAGE_FORMAT",
     "the log is in an older format"},
    {KAFKA_POLICY_VIOLATION, false, "POLICY_VIOLATION", "a policy of the broker is against it"},
    {KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, false, "OUT_OF_ORDER_SEQUENCE_NUMBER",
     "a batch before this one is missing"},
    {KAFKA_INVALID_PRODUCER_EPOCH, false, "INVALID_PRODUCER_EPOCH", "the producer was replaced"},
    {KAFKA_KAFKA_STORAGE_ERROR, true, "KAFKA_STORAGE_ERROR", "the broker's disk failed or is full"},
    {58, false, "SASL_AUTHENTICATION_FAILED", "this listener wants authentication"},
    {KAFKA_UNKNOWN_PRODUCER_ID, false, "UNKNOWN_PRODUCER_ID", "the broker forgot the producer"},
    {KAFKA_FENCED_LEADER_EPOCH, true, "FENCED_LEADER_EPOCH", "another broker leads it"},
    {KAFKA_UNKNOWN_LEADER_EPOCH, true, "UNKNOWN_LEADER_EPOCH", "the broker is behind"},
    {KAFKA_TOPIC_DELETION_DISABLED, false, "TOPIC_DELETION_DISABLED",
     "the broker deletes no topics"},
    {KAFKA_UNSUPPORTED_COMPRESSION_TYPE, false, "UNSUPPORTED_COMPRESSION_TYPE",
     "the broker does not take batches compressed like that"},
    {KAFKA_OFFSET_NOT_AVAILABLE, true, "OFFSET_NOT_AVAILABLE", "the leader is new: not yet known"},
    {KAFKA_INVALID_RECORD, false, "INVALID_RECORD", "the topic does not take such a record"},
    {89, true, "THROTTLING_QUOTA_EXCEEDED", "too much was asked for"},
};

const struct code *code_find(int16_t code)
{
    static const struct code unknown = {0, false, "error", "a code this program does not know"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return &codes[i];
    return &unknown;
}
