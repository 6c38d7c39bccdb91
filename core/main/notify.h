/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - tells the service manager how far we are (sd_notify(3), without its library).
 */
#ifndef CORE_MAIN_NOTIFY_H
#define CORE_MAIN_NOTIFY_H

/* Sends @state ("READY=1") to the socket in NOTIFY_SOCKET; nothing where there is none. */
void notify(const char *state);

#endif /* CORE_MAIN_NOTIFY_H */
