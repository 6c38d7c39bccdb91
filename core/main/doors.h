/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doors.h - all listeners of the process: their transports and protocols, one part a reactor.
 */
#ifndef CORE_MAIN_DOORS_H
#define CORE_MAIN_DOORS_H

#include "core/broker/broker.h"
#include "core/listener/listener.h"
#include "core/main/setup.h"

struct doors;

/* Reads the listeners from the settings: names and advertised addresses go to @options, which is
 * about to make the broker. */
mrt_status doors_new(
    const struct setup *setup, struct runtime *runtime, struct broker_options *options,
    struct doors **out, mrt_error *error);

/* Makes transports and protocols above @broker, starts them, binds every address; ports that were 0
 * are told to the broker. Connections are accepted and held. */
mrt_status doors_open(struct doors *doors, struct broker *broker, mrt_error *error);

/* What was held is read. */
void doors_serve(struct doors *doors);

/* Nothing new comes in and nothing more is read; answers still go out. */
void doors_shut(struct doors *doors);

/* Closes connections once their answers are sent; cuts them after half of @limit_ns. False if
 * something did not end in time. */
bool doors_finish(struct doors *doors, uint64_t limit_ns);

/* Stops protocols and transports, which have no connections any more. */
void doors_close(struct doors *doors);
void doors_free(struct doors *doors);

/* "kafka=127.0.0.1:9092 ..." for the log. */
void doors_describe(const struct doors *doors, char *out, size_t size);

#endif /* CORE_MAIN_DOORS_H */
