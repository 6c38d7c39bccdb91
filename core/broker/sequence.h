/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence.h - one step after the other on the control strand, each of which may take its time on
 * another executor. Start and drain are such sequences.
 */
#ifndef CORE_BROKER_SEQUENCE_H
#define CORE_BROKER_SEQUENCE_H

#include "core/broker/broker_state.h"

struct sequence_step {
    const char *name;                   /* for the log line when it fails or takes too long */
    void (*run)(struct broker *broker); /* ends with one sequence_next(), now or later */
};

/* Runs @steps (static, ended by a NULL name); completes @op with MRT_OK, or with the first status
 * that is none. Each step that takes longer than @step_ns (0: no limit) ends the sequence with
 * MRT_ETIMEDOUT. Any executor. */
void sequence_begin(
    struct broker *broker, const struct sequence_step *steps, mrt_op *op, uint64_t step_ns);

/* The present step ended with @status. Any executor. */
void sequence_next(struct broker *broker, mrt_status status);

/* One call of a plugin on @exec, as a step: sequence_next() gets its outcome. */
void sequence_visit(
    struct broker *broker, mrt_exec *exec, void *object,
    mrt_status (*call)(struct broker *broker, void *object, mrt_op *op));

#endif /* CORE_BROKER_SEQUENCE_H */
