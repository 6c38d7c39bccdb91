/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complaint.h - one mistake in a text: where, what, and how to put it right. report.h prints it.
 */
#ifndef CORE_CONFIG_COMPLAINT_H
#define CORE_CONFIG_COMPLAINT_H

#include <stdint.h>

#define COMPLAINT_TEXT 256 /* longer sentences are cut */

struct complaint {
    uint32_t line; /* from 1; 0: the text as a whole */
    uint32_t column;
    char text[COMPLAINT_TEXT];
    char hint[COMPLAINT_TEXT]; /* may be empty */
};

#endif /* CORE_CONFIG_COMPLAINT_H */
