/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - a failure an operator must read: what went wrong, with which file, setting or plugin.
 *
 * Start-up, configuration and plugin loading carry one (mrt_error). The data path does not: there
 * an mrt_status says everything, and the layer that decides what to do writes the log line.
 */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <mortise/abi.h>

#define MUST_CHECK            __attribute__((__warn_unused_result__))
#define PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))

/* Writes the text, cut at the end of @error->text, and hands @status back, so that failing is one
 * line: return error_set(...). @error may be NULL. */
mrt_status error_set(mrt_error *error, mrt_status status, const char *format, ...) PRINTF(3, 4);

/* The name of @status without its prefix, "ENOSPC"; "?" for one this list does not know. Static. */
const char *status_name(mrt_status status);

#endif /* CORE_BASE_ERROR_H */
