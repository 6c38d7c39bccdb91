/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.h - a record on standard output: its value as it is, or all of it as one line of JSON.
 *
 *   {"topic":"orders","partition":0,"offset":17,"timestamp":1700000000000,"key":null,
 *    "value":"...","headers":[{"key":"k","value":"v"}]}
 *
 * What the serializer does not take for what it knows is given as "key_base64", "value_base64":
 * nothing is lost, and nothing is said to be text that is not. Without headers there are none.
 */
#ifndef CORE_MAIN_CLIENT_SHOW_H
#define CORE_MAIN_CLIENT_SHOW_H

#include "core/main/client/engines.h"
#include "core/record/record.h"

struct show {
    struct engines *engines;
    const char *topic;
    const char *separator; /* of text: between key and value; NULL: no keys */
    bool json;
    char *room; /* owned; for what the serializer writes */
    uint64_t capacity;
};

void show_end(struct show *show);

/* To stdout, whose state says whether that worked. */
void show_record(struct show *show, int32_t partition, const struct record *record);

#endif /* CORE_MAIN_CLIENT_SHOW_H */
