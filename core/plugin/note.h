/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h - what a plugin declares in its ELF note, as the loader reads it before any code runs.
 *
 * Pure: bytes in, a struct or a refusal out. The bytes are hostile; lengths, numbers and names have
 * limits. The grammar is in <mortise/plugin.h>.
 */
#ifndef CORE_PLUGIN_NOTE_H
#define CORE_PLUGIN_NOTE_H

#include "core/plugin/key.h"

#define NOTE_BYTES_MAX   (64 * 1024) /* of the text; the largest of ours has 6 KiB */
#define NOTE_IMPLS_MAX   16          /* of one plugin */
#define NOTE_KEYS_MAX    256         /* of one implementation */
#define NOTE_CHOICES_MAX 64          /* of one key */
#define NOTE_NAME_MAX    64          /* bytes of the name of a plugin, implementation or key */

enum {
    NOTE_SIM_SAFE = 1,
    NOTE_OWN_THREADS = 2,
    NOTE_OS = 4
};

struct note_impl {
    const char *kind; /* "mortise.storage/1" */
    const char *name; /* "segment" */
    struct note_key *keys;
    uint32_t n_keys;
};

struct note {
    char *text; /* the bytes as they are in the file, to be compared with the descriptor's */
    uint64_t bytes;
    char *words; /* a copy that the texts below point into, cut at '=' and ',' */
    const char *name;
    const char *version;
    const char *core; /* build id a draft plugin was built with; NULL for a stable one */
    uint32_t abi;
    uint32_t need;
    uint32_t draft; /* 1: tier=draft */
    uint32_t flags; /* NOTE_ bits */
    struct note_impl *impls;
    uint32_t n_impls;
};

/* Reads the text of a note. @where, the file or the builtin's name, begins every error text, which
 * says line, what stands there and what was expected. On success *@out is the caller's. */
mrt_status note_parse(
    const char *where, const char *text, uint64_t bytes, struct note **out,
    mrt_error *error) MUST_CHECK;

/* NULL is fine. */
void note_free(struct note *note);

#endif /* CORE_PLUGIN_NOTE_H */
