/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codes.h - Kafka's error codes as a client meets them: what they are called, and whether trying
 * again can help.
 */
#ifndef CORE_MAIN_CLIENT_CODES_H
#define CORE_MAIN_CLIENT_CODES_H

#include <stdbool.h>

#include "plugins/protocol/kafka/errors.h"

struct code {
    int16_t code;
    bool again;       /* it passes: ask again, the leader if need be */
    const char *name; /* as Kafka's documents call it */
    const char *text; /* for people */
};

/* Never NULL: a code we do not know has a name that says so. */
const struct code *code_find(int16_t code);

#endif /* CORE_MAIN_CLIENT_CODES_H */
