/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a sound plugin, copied to a block of exactly their length, then damaged: cut short
 * at every length, and with bytes of its headers changed. Nothing outside the block may be read,
 * which the sanitizers see, and no damage may stop the process.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/plugin/check.h"
#include "core/plugin/elf.h"
#include "tests/unit/cmocka.h"

struct image {
    uint8_t *p;
    uint64_t n;
};

static int setup(void **state)
{
    struct image *image = calloc(1, sizeof *image);
    struct stat stat_buffer;
    FILE *file = fopen(ZOO_DIR "/sound.so", "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &stat_buffer), 0);
    image->n = (uint64_t)stat_buffer.st_size;
    image->p = malloc(image->n);
    assert_int_equal(fread(image->p, 1, image->n, file), image->n);
    fclose(file);
    *state = image;
    return 0;
}

static int teardown(void **state)
{
    struct image *image = *state;
    free(image->p);
    free(image);
    return 0;
}

/* Reads all there is to read; the status of the last step. */
static mrt_status read_all(const void *p, uint64_t n)
{
    struct elf elf;
    struct elf_facts facts;
    struct elf_symbol symbol;
    const char *text = NULL;
    uint64_t bytes = 0;
    mrt_error error = {0};
    mrt_status status = elf_open(&elf, "x.so", p, n, &error);
    if (status != MRT_OK)
        return status;
    if (elf_note(&elf, &text, &bytes, &error) == MRT_OK) {
        assert_true((const uint8_t *)text >= (const uint8_t *)p);
        assert_true((const uint8_t *)text + bytes <= (const uint8_t *)p + n);
    }
    status = elf_facts(&elf, &facts, &error);
    for (uint32_t i = 0; status == MRT_OK && i < facts.n_symbols; i++)
        if (elf_symbol(&elf, &facts, i, &symbol))
            assert_true(strlen(symbol.name) < n);
    return status;
}

static void a_sound_plugin_is_read_as_it_was_linked(void **state)
{
    const struct image *image = *state;
    struct elf elf;
    struct elf_facts facts;
    const char *text = NULL;
    uint64_t n = 0;
    mrt_error error = {0};
    assert_int_equal(elf_open(&elf, "x.so", image->p, image->n, &error), MRT_OK);
    assert_int_equal(elf_note(&elf, &text, &n, &error), MRT_OK);
    assert_string_equal(text, "name=zoo");
    assert_int_equal(text[n - 1], 0);
    assert_int_equal(elf_facts(&elf, &facts, &error), MRT_OK);
    assert_true(facts.now);
    assert_true(facts.nodelete);
    assert_true(facts.relro);
    assert_true(facts.build_id);
    assert_false(facts.textrel);
    assert_false(facts.exec_stack);
    assert_null(facts.rpath);
    uint32_t exports = 0;
    for (uint32_t i = 0; i < facts.n_symbols; i++) {
        struct elf_symbol symbol;
        assert_true(elf_symbol(&elf, &facts, i, &symbol));
        if (symbol.side != ELF_EXPORT)
            continue;
        assert_string_equal(symbol.name, "mortise_plugin_entry");
        exports++;
    }
    assert_int_equal(exports, 1);
}

static void another_machines_files_and_programs_are_told_apart(void **state)
{
    const struct image *image = *state;
    static const struct {
        size_t at;
        uint8_t byte;
        const char *why;
    } wrong[] = {
        {0, 'x', "it does not begin with an ELF header"},
        {EI_CLASS, ELFCLASS32, "its word size or byte order is another machine's"},
        {EI_DATA, ELFDATANONE, "its word size or byte order is another machine's"},
        {offsetof(Elf64_Ehdr, e_machine), 0xfe, "its code is another machine's"},
        {offsetof(Elf64_Ehdr, e_type), ET_EXEC,
         "it is a program or an object file; link with -shared"},
        {offsetof(Elf64_Ehdr, e_phentsize), 1, "its program headers are damaged"},
        {offsetof(Elf64_Ehdr, e_phnum), 0xff, "its program headers are damaged"},
        {offsetof(Elf64_Ehdr, e_phoff) + 4, 0xff, "it is cut short"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct elf elf;
        mrt_error error;
        char expected[200];
        uint8_t kept = image->p[wrong[i].at];
        image->p[wrong[i].at] = wrong[i].byte;
        assert_int_equal(elf_open(&elf, "x.so", image->p, image->n, &error), MRT_EINVAL);
        snprintf(
            expected, sizeof expected, "x.so: not a shared object for this machine: %s",
            wrong[i].why);
        assert_string_equal(error.text, expected);
        image->p[wrong[i].at] = kept;
    }
}

static void cut_at_any_length_it_is_refused_and_not_read_beyond(void **state)
{
    const struct image *image = *state;
    uint64_t step = image->n / 500 + 1;
    for (uint64_t n = 0; n < image->n; n += n < 4096 ? 7 : step) {
        uint8_t *cut = malloc(n > 0 ? n : 1);
        memcpy(cut, image->p, n);
        (void)read_all(cut, n);
        if (n < sizeof(Elf64_Ehdr))
            assert_int_equal(read_all(cut, n), MRT_EINVAL);
        free(cut);
    }
    assert_int_equal(read_all(image->p, image->n), MRT_OK);
}

/* Everything that says where something lies is in the headers, notes and the dynamic section. */
static void damage_range(const struct image *image, uint64_t from, uint64_t bytes)
{
    static const uint8_t masks[] = {0xff, 0x80, 0x01, 0x7f};
    for (uint64_t at = from; at < from + bytes && at < image->n; at++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            image->p[at] ^= masks[i];
            (void)read_all(image->p, image->n);
            image->p[at] ^= masks[i];
        }
    }
}

static void damaged_headers_lead_nowhere(void **state)
{
    const struct image *image = *state;
    Elf64_Ehdr head;
    memcpy(&head, image->p, sizeof head);
    damage_range(image, 0, sizeof head + (uint64_t)head.e_phnum * sizeof(Elf64_Phdr));
    for (uint32_t i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, image->p + head.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_DYNAMIC || segment.p_type == PT_NOTE)
            damage_range(image, segment.p_offset, segment.p_filesz < 640 ? segment.p_filesz : 640);
        if (segment.p_type == PT_LOAD && segment.p_offset == 0)
            damage_range(image, 0x200, 0x300); /* hash and symbol tables lie there */
    }
    assert_int_equal(read_all(image->p, image->n), MRT_OK);
}

static void what_reaches_out_of_libc_is_known_by_name(void **state)
{
    (void)state;
    assert_string_equal(import_reach("clock_gettime"), "time");
    assert_string_equal(import_reach("open64"), "files");
    assert_string_equal(import_reach("__open64_2"), "files");
    assert_string_equal(import_reach("__read_chk"), "files");
    assert_string_equal(import_reach("pthread_create"), "threads");
    assert_string_equal(import_reach("malloc"), "memory");
    assert_string_equal(import_reach("socket"), "network");
    assert_string_equal(import_reach("accept"), "network");
    assert_string_equal(import_reach("writev"), "files");
    assert_null(import_reach("memcpy"));
    assert_null(import_reach("__memcpy_chk"));
    assert_null(import_reach("snprintf"));
    assert_null(import_reach("__snprintf_chk"));
    assert_null(import_reach("ZSTD_compress"));
    assert_null(import_reach("__stack_chk_fail"));
    assert_null(import_reach("a_name_that_is_longer_than_any_function_of_the_c_library_has"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_plugin_is_read_as_it_was_linked),
        TEST(another_machines_files_and_programs_are_told_apart),
        TEST(cut_at_any_length_it_is_refused_and_not_read_beyond),
        TEST(damaged_headers_lead_nowhere),
        cmocka_unit_test(what_reaches_out_of_libc_is_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
