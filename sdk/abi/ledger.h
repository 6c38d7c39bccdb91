/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - the words of the ledger: one line per published member, constant and identifier.
 *
 * Compiling the ledger is the proof that an older plugin still finds everything where it was built
 * to find it. A commit may add lines; it never edits or removes one, deprecated members included.
 */
#ifndef SDK_ABI_LEDGER_H
#define SDK_ABI_LEDGER_H

#include <mortise/abi.h>

/* Member @m lies at @off and has the type that follows. */
#define AT(T, m, off, ...)                                                                         \
    _Static_assert(offsetof(T, m) == (off), #T "." #m " moved");                                   \
    _Static_assert(                                                                                \
        __builtin_types_compatible_p(__typeof__(((T *)0)->m), __VA_ARGS__),                        \
        #T "." #m " changed its type")

/* An array element or embedded: never another size. A growable one: never smaller. */
#define FROZEN(T, n) _Static_assert(sizeof(T) == (n), #T " is frozen")
#define GROWS(T, n)  _Static_assert(sizeof(T) >= (n), #T " shrank")

#define TYPE(t, ...) _Static_assert(__builtin_types_compatible_p(t, __VA_ARGS__), #t " changed")
#define VALUE(e, n)  _Static_assert((e) == (n), #e " was renumbered")
#define TEXT(e, s)   _Static_assert(__builtin_strcmp(e, s) == 0, #e " was renamed")

#endif /* SDK_ABI_LEDGER_H */
