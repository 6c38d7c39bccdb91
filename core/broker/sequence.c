/* SPDX-License-Identifier: Apache-2.0 */
#include "core/broker/sequence.h"

#include "core/base/assert.h"

static void end(struct broker *broker, mrt_status status)
{
    struct sequence *sequence = &broker->sequence;

    exec_timer_stop(broker->exec, &sequence->timer);
    sequence->steps = NULL;
    op_complete(sequence->op, status);
}

static void expired(mrt_timer *timer)
{
    struct broker *broker = CONTAINER(timer, struct broker, sequence.timer);
    struct sequence *sequence = &broker->sequence;

    if (sequence->steps == NULL)
        return;
    runtime_log(
        broker->options.runtime, MRT_LOG_ERROR, 0, "broker.step_expired step=%s limit_ms=%llu",
        sequence->steps[sequence->at].name, (unsigned long long)(sequence->step_ns / 1000000));
    sequence->expired = 1;
    end(broker, MRT_ETIMEDOUT);
}

static void run_step(struct broker *broker)
{
    struct sequence *sequence = &broker->sequence;
    const struct sequence_step *step = &sequence->steps[sequence->at];

    if (step->name == NULL) {
        end(broker, MRT_OK);
        return;
    }
    if (sequence->step_ns > 0) {
        sequence->timer.fire = expired;
        exec_timer_set(
            broker->exec, &sequence->timer, exec_now_ns(broker->exec) + sequence->step_ns);
    }
    step->run(broker);
}

static void begun(mrt_task *task)
{
    run_step(CONTAINER(task, struct broker, sequence.task));
}

static void next(mrt_task *task)
{
    struct broker *broker = CONTAINER(task, struct broker, sequence.task);
    struct sequence *sequence = &broker->sequence;

    if (sequence->expired) /* too late: the caller has given up */
        return;
    ASSERT(sequence->steps != NULL);
    if (sequence->status != MRT_OK) {
        runtime_log(
            broker->options.runtime, MRT_LOG_ERROR, 0, "broker.step_failed step=%s status=%s",
            sequence->steps[sequence->at].name, status_name(sequence->status));
        end(broker, sequence->status);
        return;
    }
    sequence->at++;
    run_step(broker);
}

void sequence_begin(
    struct broker *broker, const struct sequence_step *steps, mrt_op *op, uint64_t step_ns)
{
    struct sequence *sequence = &broker->sequence;

    ASSERT(sequence->steps == NULL);
    sequence->steps = steps;
    sequence->at = 0;
    sequence->op = op;
    sequence->step_ns = step_ns;
    sequence->expired = 0;
    sequence->task.run = begun;
    exec_post(broker->exec, &sequence->task);
}

void sequence_next(struct broker *broker, mrt_status status)
{
    broker->sequence.status = status;
    broker->sequence.task.run = next;
    exec_post(broker->exec, &broker->sequence.task);
}

static void visited(mrt_op *op)
{
    sequence_next(op->caller, op->status);
}

static void visit_run(mrt_task *task)
{
    struct broker *broker = CONTAINER(task, struct broker, sequence.task);
    struct sequence *sequence = &broker->sequence;

    op_init(&sequence->visit_op, sequence->visit_exec, visited, broker);
    mrt_status status = op_outcome(
        &sequence->visit_op,
        sequence->visit_call(broker, sequence->visit_object, &sequence->visit_op));
    if (status != MRT_PENDING)
        sequence_next(broker, status);
}

void sequence_visit(
    struct broker *broker, mrt_exec *exec, void *object,
    mrt_status (*call)(struct broker *broker, void *object, mrt_op *op))
{
    struct sequence *sequence = &broker->sequence;

    sequence->visit_exec = exec;
    sequence->visit_object = object;
    sequence->visit_call = call;
    sequence->task.run = visit_run;
    exec_post(exec, &sequence->task);
}
