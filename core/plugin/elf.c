/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/elf.h"

#include <elf.h>
#include <string.h>

#include "core/base/assert.h"

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OWN_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define OWN_MACHINE EM_PPC64
#elif defined(__s390x__)
#define OWN_MACHINE EM_S390
#else
#error "which e_machine have shared objects of this machine?"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_ORDER ELFDATA2LSB
#else
#define OWN_ORDER ELFDATA2MSB
#endif

#define NOTE_OWNER "Mortise"

/* Copies @n bytes at @at, whatever their alignment; false when they are not all there. */
static bool take(const struct elf *elf, uint64_t at, void *out, uint64_t n)
{
    ASSERT(n > 0);
    if (at > elf->bytes || n > elf->bytes - at)
        return false;
    memcpy(out, elf->image + at, n);
    return true;
}

/* The terminated text at @at that ends before @end, or NULL. */
static const char *text_at(const struct elf *elf, uint64_t at, uint64_t end)
{
    if (end > elf->bytes)
        end = elf->bytes;
    if (at >= end || memchr(elf->image + at, '\0', end - at) == NULL)
        return NULL;
    return (const char *)elf->image + at;
}

static mrt_status not_elf(const struct elf *elf, mrt_error *error, const char *why)
{
    return error_set(
        error, MRT_EINVAL, "%s: not a shared object for this machine: %s", elf->where, why);
}

mrt_status elf_open(
    struct elf *elf, const char *where, const void *image, uint64_t bytes, mrt_error *error)
{
    ASSERT(elf != NULL);
    ASSERT(where != NULL);
    Elf64_Ehdr head;
    *elf = (struct elf){image, bytes, where, 0, 0};
    if (!take(elf, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return not_elf(elf, error, "it does not begin with an ELF header");
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != OWN_ORDER)
        return not_elf(elf, error, "its word size or byte order is another machine's");
    if (head.e_machine != OWN_MACHINE)
        return not_elf(elf, error, "its code is another machine's");
    if (head.e_type != ET_DYN)
        return not_elf(elf, error, "it is a program or an object file; link with -shared");
    if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > ELF_HEADERS_MAX)
        return not_elf(elf, error, "its program headers are damaged");
    uint64_t n = (uint64_t)head.e_phnum * sizeof(Elf64_Phdr);
    if (head.e_phoff > bytes || n > bytes - head.e_phoff)
        return not_elf(elf, error, "it is cut short");
    elf->headers = head.e_phoff;
    elf->n_headers = head.e_phnum;
    return MRT_OK;
}

static Elf64_Phdr header(const struct elf *elf, uint32_t i)
{
    Elf64_Phdr out;
    ASSERT(i < elf->n_headers);
    ASSERT(take(elf, elf->headers + i * sizeof out, &out, sizeof out)); /* elf_open() saw it */
    return out;
}

/* ---- notes ----------------------------------------------------------------------------------- */

/* One note of a segment; @next is where the one behind it begins. */
struct found {
    uint64_t text;
    uint64_t bytes;
    uint64_t next;
    bool ours;
};

static uint64_t padded(uint64_t n, uint64_t align)
{
    return (n + align - 1) / align * align;
}

static bool note_at(
    const struct elf *elf, uint64_t at, uint64_t end, uint64_t align, struct found *out)
{
    Elf64_Nhdr head;
    char owner[sizeof NOTE_OWNER];
    if (end - at < sizeof head || !take(elf, at, &head, sizeof head))
        return false;
    uint64_t text = at + padded(sizeof head + (uint64_t)head.n_namesz, align);
    if (text > end || head.n_descsz > end - text)
        return false;
    out->text = text;
    out->bytes = head.n_descsz;
    out->next = at + padded(text - at + head.n_descsz, align);
    out->ours = head.n_namesz == sizeof owner && head.n_type == 1 &&
                take(elf, at + sizeof head, owner, sizeof owner) &&
                memcmp(owner, NOTE_OWNER, sizeof owner) == 0;
    return true;
}

/* Counts our notes of one segment in *@count and keeps the last one. */
static bool segment_notes(
    const struct elf *elf, const Elf64_Phdr *segment, struct found *ours, uint32_t *count)
{
    if (segment->p_offset > elf->bytes || segment->p_filesz > elf->bytes - segment->p_offset)
        return false;
    uint64_t align = segment->p_align == 8 ? 8 : 4;
    uint64_t at = segment->p_offset, end = at + segment->p_filesz;
    while (at < end) {
        struct found found;
        if (!note_at(elf, at, end, align, &found))
            return false;
        if (found.ours) {
            *ours = found;
            ++*count;
        }
        ASSERT(found.next > at);
        at = found.next;
    }
    return true;
}

mrt_status elf_note(const struct elf *elf, const char **text, uint64_t *n, mrt_error *error)
{
    struct found ours = {0, 0, 0, false};
    uint32_t count = 0;
    for (uint32_t i = 0; i < elf->n_headers; i++) {
        Elf64_Phdr segment = header(elf, i);
        if (segment.p_type == PT_NOTE && !segment_notes(elf, &segment, &ours, &count))
            return error_set(
                error, MRT_EINVAL, "%s: its notes are damaged: link it again", elf->where);
    }
    if (count == 0)
        return error_set(
            error, MRT_ENOENT,
            "%s: not a Mortise plugin: no .note.mortise in it (MRT_PLUGIN_NOTE makes it)",
            elf->where);
    if (count > 1)
        return error_set(
            error, MRT_EINVAL, "%s: %u notes of owner Mortise: MRT_PLUGIN_NOTE goes in one file",
            elf->where, (unsigned)count);
    ASSERT(ours.text + ours.bytes <= elf->bytes);
    *text = (const char *)elf->image + ours.text;
    *n = ours.bytes;
    return MRT_OK;
}

/* ---- dynamic section ------------------------------------------------------------------------- */

/* Where the loaded address @address lies in the file; false: nowhere. */
static bool file_offset(const struct elf *elf, uint64_t address, uint64_t *out)
{
    for (uint32_t i = 0; i < elf->n_headers; i++) {
        Elf64_Phdr segment = header(elf, i);
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
            address - segment.p_vaddr >= segment.p_filesz)
            continue;
        *out = segment.p_offset + (address - segment.p_vaddr);
        return *out < elf->bytes;
    }
    return false;
}

/* Values of the tags that are addresses or name offsets, until the string table is known. */
struct tags {
    uint64_t symbols, strings, string_bytes, hash, gnu_hash, rpath;
    uint64_t needed[ELF_NEEDED_MAX];
    bool has_rpath;
};

static void flags_read(const Elf64_Dyn *tag, struct elf_facts *out)
{
    if (tag->d_tag == DT_BIND_NOW)
        out->now = true;
    else if (tag->d_tag == DT_TEXTREL)
        out->textrel = true;
    else if (tag->d_tag == DT_FLAGS) {
        out->now |= (tag->d_un.d_val & DF_BIND_NOW) != 0;
        out->textrel |= (tag->d_un.d_val & DF_TEXTREL) != 0;
    } else if (tag->d_tag == DT_FLAGS_1) {
        out->now |= (tag->d_un.d_val & DF_1_NOW) != 0;
        out->nodelete |= (tag->d_un.d_val & DF_1_NODELETE) != 0;
    }
}

static void tag_read(const Elf64_Dyn *tag, struct tags *tags, struct elf_facts *out)
{
    flags_read(tag, out);
    if (tag->d_tag == DT_SYMTAB)
        tags->symbols = tag->d_un.d_ptr;
    else if (tag->d_tag == DT_STRTAB)
        tags->strings = tag->d_un.d_ptr;
    else if (tag->d_tag == DT_STRSZ)
        tags->string_bytes = tag->d_un.d_val;
    else if (tag->d_tag == DT_HASH)
        tags->hash = tag->d_un.d_ptr;
    else if (tag->d_tag == DT_GNU_HASH)
        tags->gnu_hash = tag->d_un.d_ptr;
    else if (tag->d_tag == DT_NEEDED && out->n_needed < ELF_NEEDED_MAX)
        tags->needed[out->n_needed++] = tag->d_un.d_val;
    else if (tag->d_tag == DT_RPATH || tag->d_tag == DT_RUNPATH) {
        tags->rpath = tag->d_un.d_val;
        tags->has_rpath = true;
    }
}

/* The number of symbols as the GNU hash table implies it: one more than the last of the last
 * chain. False: the table is damaged. */
static bool gnu_count(const struct elf *elf, uint64_t at, uint32_t *out)
{
    uint32_t head[4]; /* buckets, first symbol, bloom words, shift */
    if (!take(elf, at, head, sizeof head))
        return false;
    uint64_t buckets = at + sizeof head + (uint64_t)head[2] * 8;
    uint64_t chains = buckets + (uint64_t)head[0] * 4;
    uint32_t last = 0;
    for (uint32_t i = 0; i < head[0]; i++) {
        uint32_t first = 0;
        if (i > ELF_SYMBOLS_MAX || !take(elf, buckets + (uint64_t)i * 4, &first, sizeof first))
            return false;
        last = first > last ? first : last;
    }
    if (last < head[1]) {
        *out = head[1];
        return true;
    }
    for (uint32_t hash = 0; (hash & 1) == 0; last++)
        if (last > ELF_SYMBOLS_MAX ||
            !take(elf, chains + (uint64_t)(last - head[1]) * 4, &hash, sizeof hash))
            return false;
    *out = last;
    return true;
}

static bool symbols_read(const struct elf *elf, const struct tags *tags, struct elf_facts *out)
{
    uint64_t hash = 0;
    uint32_t sysv[2]; /* buckets, symbols */
    if (!file_offset(elf, tags->strings, &out->strings) ||
        !file_offset(elf, tags->symbols, &out->symbols))
        return false;
    out->string_bytes = tags->string_bytes;
    if (tags->gnu_hash != 0 && file_offset(elf, tags->gnu_hash, &hash)) {
        if (!gnu_count(elf, hash, &out->n_symbols))
            return false;
    } else if (file_offset(elf, tags->hash, &hash) && take(elf, hash, sysv, sizeof sysv))
        out->n_symbols = sysv[1];
    else
        return false;
    return out->n_symbols <= ELF_SYMBOLS_MAX;
}

static const char *string_at(const struct elf *elf, const struct elf_facts *facts, uint64_t at)
{
    if (at >= facts->string_bytes || facts->string_bytes > elf->bytes)
        return NULL;
    return text_at(elf, facts->strings + at, facts->strings + facts->string_bytes);
}

static bool dynamic_read(const struct elf *elf, const Elf64_Phdr *segment, struct elf_facts *out)
{
    struct tags tags = {0};
    Elf64_Dyn tag = {.d_tag = DT_NULL};
    uint64_t n = segment->p_filesz / sizeof tag;
    for (uint64_t i = 0; i < n; i++) {
        if (!take(elf, segment->p_offset + i * sizeof tag, &tag, sizeof tag))
            return false;
        if (tag.d_tag == DT_NULL)
            break;
        tag_read(&tag, &tags, out);
    }
    if (!symbols_read(elf, &tags, out))
        return false;
    for (uint32_t i = 0; i < out->n_needed; i++) {
        out->needed[i] = string_at(elf, out, tags.needed[i]);
        if (out->needed[i] == NULL)
            return false;
    }
    if (tags.has_rpath)
        out->rpath = string_at(elf, out, tags.rpath);
    return !tags.has_rpath || out->rpath != NULL;
}

static bool has_build_id(const struct elf *elf, const Elf64_Phdr *segment)
{
    Elf64_Nhdr head;
    char owner[4];
    uint64_t at = segment->p_offset;
    return take(elf, at, &head, sizeof head) && head.n_type == NT_GNU_BUILD_ID &&
           take(elf, at + sizeof head, owner, sizeof owner) && memcmp(owner, "GNU", 4) == 0;
}

mrt_status elf_facts(const struct elf *elf, struct elf_facts *out, mrt_error *error)
{
    bool dynamic = false;
    *out = (struct elf_facts){.exec_stack = true}; /* what the kernel assumes without a header */
    for (uint32_t i = 0; i < elf->n_headers; i++) {
        Elf64_Phdr segment = header(elf, i);
        if (segment.p_type == PT_GNU_RELRO)
            out->relro = true;
        else if (segment.p_type == PT_GNU_STACK)
            out->exec_stack = (segment.p_flags & PF_X) != 0;
        else if (segment.p_type == PT_NOTE)
            out->build_id |= has_build_id(elf, &segment);
        else if (segment.p_type == PT_DYNAMIC)
            dynamic = dynamic_read(elf, &segment, out);
    }
    if (!dynamic)
        return error_set(
            error, MRT_EINVAL, "%s: its dynamic section is missing or damaged: link it again",
            elf->where);
    return MRT_OK;
}

bool elf_symbol(
    const struct elf *elf, const struct elf_facts *facts, uint32_t i, struct elf_symbol *out)
{
    Elf64_Sym symbol;
    ASSERT(i < facts->n_symbols);
    if (!take(elf, facts->symbols + (uint64_t)i * sizeof symbol, &symbol, sizeof symbol))
        return false;
    out->name = string_at(elf, facts, symbol.st_name);
    uint8_t binding = ELF64_ST_BIND(symbol.st_info);
    uint8_t seen = ELF64_ST_VISIBILITY(symbol.st_other);
    bool hidden = binding == STB_LOCAL || seen == STV_HIDDEN || seen == STV_INTERNAL;
    out->weak = binding == STB_WEAK;
    out->function = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
    out->side = symbol.st_shndx == SHN_UNDEF ? ELF_IMPORT : hidden ? ELF_LOCAL : ELF_EXPORT;
    return out->name != NULL;
}
