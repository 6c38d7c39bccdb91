/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h - names and small text files of a Kafka log directory. Pure.
 *
 *   <topic>-<partition>/                 a log
 *   <topic>-<partition>.<32 hex>-delete/ being removed        -stray: of a topic that is gone
 *   <20 digits>.log .index .timeindex    a segment by its base offset
 *   <20 digits>.snapshot .txnindex       blobs
 *   <20 digits>.blob<kind>               blobs that Kafka does not know
 *
 * A checkpoint is "0\n", the number of lines, then a line `topic partition offset` each.
 */
#ifndef SEGMENT_FORMAT_H
#define SEGMENT_FORMAT_H

#include <mortise/storage.h>

#define UUID_TEXT        22
#define TOPIC_MAX        249 /* Kafka's limit */
#define FOLDER_MAX       (TOPIC_MAX + 1 + 10)
#define OFFSET_DIGITS    20
#define PROPERTIES_OURS  1 /* newest mortise.format we know */
#define PROPERTIES_KAFKA 1 /* newest version= of meta.properties we know */

#define NAME_LOCK       ".lock"
#define NAME_CLEAN      ".kafka_cleanshutdown"
#define NAME_PROPERTIES "meta.properties"
#define NAME_BOOT       "mortise-boot-id"
#define NAME_IDENTITY   "partition.metadata"
#define NAME_EPOCHS     "leader-epoch-checkpoint"
#define TEXT_CLEAN      "{\"version\":0,\"brokerEpoch\":-1}"

enum {
    NAME_OTHER,
    NAME_LOG,
    NAME_INDEX,
    NAME_TIME,
    NAME_BLOB,
    NAME_LEFTOVER /* .deleted .tmp .cleaned .swap: of something unfinished */
};

struct file_name {
    uint32_t what;
    uint32_t kind; /* of a blob */
    int64_t offset;
};

/* Writes 22 characters of base64url and a NUL, or reads them; 0 if they are none. */
void segment_uuid_text(const uint8_t *uuid, char *out);
uint32_t segment_uuid_parse(const char *p, uint64_t n, uint8_t *out);

/* Splits "<topic>-<partition>"; 0 if it is not such a name. */
uint32_t segment_folder_parse(const mrt_str *name, mrt_str *topic, int32_t *partition);

/* Is this a topic name that Kafka allows? Nothing in it can leave the directory. */
uint32_t segment_topic_ok(const mrt_str *topic);

/* Does @name end with @suffix? */
uint32_t segment_ends(const mrt_str *name, const char *suffix);

void segment_file_parse(const mrt_str *name, struct file_name *out);

/* Writes the name of a blob's file, at most 63 characters and a NUL. */
void segment_blob_name(uint32_t kind, int64_t offset, char *out);

/* The whole of @text as a decimal number; 0 if it is none. */
uint32_t segment_number(const char *p, uint64_t n, int64_t *out);

/* Takes the next line without its end from @text; 0 at the end. */
uint32_t segment_line(mrt_str *text, mrt_str *line);

/* One line of a checkpoint, behind the first two. */
struct checkpoint_line {
    mrt_str topic;
    int32_t partition;
    uint32_t reserved;
    int64_t offset;
};

/* Checks and takes the two head lines; MRT_ECORRUPT, MRT_ETOONEW. */
mrt_status segment_checkpoint_head(mrt_str *text, uint64_t *lines);
/* MRT_ECORRUPT if the next line is not one. */
mrt_status segment_checkpoint_line(mrt_str *text, struct checkpoint_line *out);

/* What we need of meta.properties. */
struct properties {
    uint32_t present;
    uint32_t has_id;
    int64_t kafka_version; /* -1: none */
    int64_t format;        /* mortise.format; 0: not ours */
    uint8_t id[16];
};
void segment_properties_parse(mrt_str text, struct properties *out);

/* The topic_id of partition.metadata; 0 if it says none. */
uint32_t segment_identity_parse(mrt_str text, uint8_t *topic_id);
#define IDENTITY_BYTES 64
/* Writes partition.metadata; its length. */
uint32_t segment_identity_text(const uint8_t *topic_id, char *out);

#endif /* SEGMENT_FORMAT_H */
