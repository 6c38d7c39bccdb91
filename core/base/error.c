/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include <mortise/draft/broker.h>

mrt_status error_set(mrt_error *error, mrt_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->status = status;
    error->reserved = 0;
    return status;
}

const char *status_name(mrt_status status)
{
    static const char *const plugin[] = {
        "OK",        "EINVAL",   "ENOMEM",  "EIO",       "ENOSPC",   "ECORRUPT",  "ECANCELED",
        "ETIMEDOUT", "ENOTSUP",  "EFENCED", "EDENIED",   "ETOOBIG",  "ENOENT",    "EEXIST",
        "ERANGE",    "EAGAIN",   "EBUSY",   "EFULL",     "EUNKNOWN", "ESEALED",   "ENOTLEADER",
        "EGONE",     "EOFFLINE", "ECLOSED", "ESHUTDOWN", "ETOONEW",  "EREADONLY", "EBUG"};
    static const char *const broker[] = {"EEPOCHOLD",  "EEPOCHNEW",    "ESEQUENCE",  "EDUPLICATE",
                                         "EPRODUCER",  "EPRODUCEROLD", "ETXNSTATE",  "EFEWREPLICAS",
                                         "EFEWAFTER",  "ERECORD",      "ETIMESTAMP", "ECODEC",
                                         "EIDMISMATCH"};
    _Static_assert(sizeof plugin / sizeof *plugin == -MRT_EBUG + 1, "a name a status");
    _Static_assert(
        sizeof broker / sizeof *broker == MRT_EEPOCHOLD - MRT_EIDMISMATCH + 1, "a name a status");

    if (status == MRT_PENDING)
        return "PENDING";
    if (status <= 0 && status >= MRT_EBUG)
        return plugin[-status];
    if (status <= MRT_EEPOCHOLD && status >= MRT_EIDMISMATCH)
        return broker[MRT_EEPOCHOLD - status];
    return "?";
}
