/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what is wrong with a configuration, all of it, in the form editors parse:
 *
 *   conf.d/20-broker.conf:3:5: error: unknown setting log_retension_ms
 *       3 |     log_retension_ms = "7d";
 *         |     ^
 *         hint: did you mean log_retention_ms?
 *
 * A report holds text: it may outlive the sources it speaks of.
 */
#ifndef CORE_CONFIG_REPORT_H
#define CORE_CONFIG_REPORT_H

#include "core/base/error.h"
#include "core/config/complaint.h"
#include "core/config/node.h"

/* Beyond these the report only counts: nobody reads on, and one mistake can make many. */
#define REPORT_LINES_MAX 100

struct report;

struct report *report_new(void);
void report_free(struct report *report);

/* @at may be nowhere (a default), @hint NULL or empty. */
void report_error(
    struct report *report, const struct place *at, const char *hint, const char *format, ...)
    PRINTF(4, 5);
void report_warning(
    struct report *report, const struct place *at, const char *hint, const char *format, ...)
    PRINTF(4, 5);

/* An error of its own place in @source. */
void report_complaint(
    struct report *report, const struct source *source, const struct complaint *complaint);

/* The line of @at holds a secret: it is in no excerpt from now on. */
void report_hide(struct report *report, const struct place *at);

uint32_t report_errors(const struct report *report);
uint32_t report_warnings(const struct report *report);

/* All of it, each message ended by a newline; "" when there is nothing. Lives until the next call
 * with @report. */
const char *report_text(const struct report *report);

#endif /* CORE_CONFIG_REPORT_H */
