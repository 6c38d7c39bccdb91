/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.h - reads a shared object's bytes without running it: its note, and what its dynamic section
 * promises the linker.
 *
 * Pure, over an image in memory whose bytes are hostile: nothing outside [image, image + bytes) is
 * read, whatever offsets and counts say. Only objects for this machine are understood.
 */
#ifndef CORE_PLUGIN_ELF_H
#define CORE_PLUGIN_ELF_H

#include <stdbool.h>

#include "core/base/error.h"

#define ELF_HEADERS_MAX 128   /* program headers; a linker makes about a dozen */
#define ELF_SYMBOLS_MAX 65536 /* dynamic symbols */
#define ELF_NEEDED_MAX  64

struct elf {
    const uint8_t *image; /* borrowed */
    uint64_t bytes;
    const char *where; /* borrowed; begins error texts */
    uint64_t headers;  /* offset of the program headers */
    uint32_t n_headers;
};

/* Checks the header: 64 bits, this machine and byte order, a shared object. MRT_EINVAL. */
mrt_status elf_open(
    struct elf *elf, const char *where, const void *image, uint64_t bytes,
    mrt_error *error) MUST_CHECK;

/* Finds the one note of owner "Mortise", type 1; *@text points into the image. MRT_ENOENT: there is
 * none. MRT_EINVAL: two, or one that does not fit. */
mrt_status elf_note(const struct elf *elf, const char **text, uint64_t *n, mrt_error *error)
    MUST_CHECK;

/* What the dynamic section and the program headers say. */
struct elf_facts {
    bool now;        /* bound completely at load */
    bool nodelete;   /* never unmapped */
    bool relro;      /* relocated data becomes read-only */
    bool textrel;    /* code is changed by relocation */
    bool exec_stack; /* asks for an executable stack */
    bool build_id;
    const char *rpath; /* RPATH or RUNPATH; NULL: none */
    const char *needed[ELF_NEEDED_MAX];
    uint32_t n_needed;
    uint64_t symbols; /* offsets in the file, for elf_symbol() */
    uint64_t strings;
    uint64_t string_bytes;
    uint32_t n_symbols;
};

mrt_status elf_facts(const struct elf *elf, struct elf_facts *out, mrt_error *error) MUST_CHECK;

enum elf_side {
    ELF_IMPORT,
    ELF_EXPORT,
    ELF_LOCAL
};

struct elf_symbol {
    const char *name; /* in the image */
    enum elf_side side;
    bool weak;
    bool function;
};

/* Dynamic symbol @i, below n_symbols. False: it lies outside of the file. */
bool elf_symbol(
    const struct elf *elf, const struct elf_facts *facts, uint32_t i, struct elf_symbol *out);

#endif /* CORE_PLUGIN_ELF_H */
