/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c - libltdl with its stock loader replaced, and the only dlopen() of the core.
 *
 * Why the stock loader goes: it binds lazily, so a missing function kills the process at its first
 * call; it searches paths from the environment; and its error text is lost. Ours opens
 * /proc/PID/fd/N. libltdl and libc both recognise an object by that path, so a descriptor stays
 * open, and its number taken, as long as the process lives.
 *
 * The state below lies in libltdl's list of loaders, not in a variable of ours. libltdl is never
 * shut down: that would unmap nothing (M3) and lose the list.
 */
#include "core/plugin/loader.h"

#include <dlfcn.h>
#include <ltdl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/base/str.h"
#include "core/plugin/elf.h"

#define OUR_LOADER   "mortise"
#define STOCK_LOADER "lt_dlopen"
#define ENTRY        "mortise_plugin_entry"
#define BUILTINS_MAX 64

struct opened {
    struct file_id file;
    lt_dlhandle handle;
};

/* A builtin libltdl knows. */
struct registered {
    char *archive; /* owned */
    const mrt_plugin *(*entry)(uint32_t host_abi);
};

struct loader {
    char why[160]; /* dlerror()'s text of the last failure */
    struct opened files[LOADER_FILES_MAX];
    uint32_t n_files;
    struct registered builtins[BUILTINS_MAX];
    uint32_t n_builtins;
};

/* A second libc inside a static program ends badly, so there is no door for one. */
#ifdef MORTISE_STATIC
static void *code_map(const char *path, const char **why)
{
    (void)path;
    *why = "this mortised is static and has its plugins inside";
    return NULL;
}
#else
static void *code_map(const char *path, const char **why)
{
    void *code = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    *why = code == NULL ? dlerror() : NULL;
    return code;
}
#endif

/* ---- what libltdl calls ---------------------------------------------------------------------- */

static lt_module our_open(lt_user_data data, const char *path, lt_dladvise advise)
{
    (void)advise;
    struct loader *loader = data;
    if (path == NULL)
        return NULL;
    const char *why = NULL;
    void *code = code_map(path, &why);
    if (code == NULL)
        snprintf(loader->why, sizeof loader->why, "%s", why != NULL ? why : "no reason given");
    return code;
}

static int our_close(lt_user_data data, lt_module module)
{
    (void)data, (void)module; /* M3 */
    return 0;
}

static void *our_symbol(lt_user_data data, lt_module module, const char *name)
{
    (void)data;
    return dlsym(module, name);
}

static int our_nothing(lt_user_data data)
{
    (void)data;
    return 0;
}

/* ---- the loader's state ---------------------------------------------------------------------- */

/* libltdl frees the vtable, so it is malloc's. */
static struct loader *loader_install(void)
{
    lt_dlvtable *vtable = calloc(1, sizeof *vtable);
    struct loader *loader = memory_new(sizeof *loader);
    ASSERT(vtable != NULL);
    *vtable = (lt_dlvtable){
        .name = OUR_LOADER,
        .module_open = our_open,
        .module_close = our_close,
        .find_sym = our_symbol,
        .dlloader_init = our_nothing,
        .dlloader_exit = our_nothing,
        .dlloader_data = loader,
        .priority = LT_DLLOADER_PREPEND,
    };
    ASSERT(lt_dlinit() == 0);
    free(lt_dlloader_remove(STOCK_LOADER));
    ASSERT(lt_dlloader_find(STOCK_LOADER) == NULL);
    ASSERT(lt_dlloader_add(vtable) == 0);
    return loader;
}

static struct loader *loader_get(void)
{
    const lt_dlvtable *ours = lt_dlloader_find(OUR_LOADER);
    return ours != NULL ? ours->dlloader_data : loader_install();
}

/* ---- files ----------------------------------------------------------------------------------- */

static struct opened *opened_find(struct loader *loader, const struct file_id *file)
{
    for (uint32_t i = 0; i < loader->n_files; i++)
        if (loader->files[i].file.device == file->device &&
            loader->files[i].file.inode == file->inode)
            return &loader->files[i];
    return NULL;
}

static bool is_unchanged(const struct file_id *then, const struct file_id *now)
{
    return then->bytes == now->bytes && then->changed.tv_sec == now->changed.tv_sec &&
           then->changed.tv_nsec == now->changed.tv_nsec;
}

/* Takes the descriptor of @module on success: it stays open for ever. */
static mrt_status code_open(
    struct loader *loader, struct module *module, lt_dlhandle *out, mrt_error *error)
{
    char path[64];
    lt_dladvise advise = NULL;
    if (loader->n_files == LOADER_FILES_MAX)
        return error_set(
            error, MRT_ENOMEM, "%s: %d plugins are loaded already: use fewer", module->path,
            LOADER_FILES_MAX);
    /* Not "self": a debugger that reads the link map must find the file, too. */
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), module->file.fd);
    loader->why[0] = '\0';
    ASSERT(lt_dladvise_init(&advise) == 0);
    ASSERT(lt_dladvise_resident(&advise) == 0);
    lt_dlhandle handle = lt_dlopenadvise(path, advise);
    lt_dladvise_destroy(&advise);
    if (handle == NULL)
        return error_set(
            error, MRT_EINVAL, "%s: the linker refused it: %s; ldd shows what is missing",
            module->path, loader->why);
    loader->files[loader->n_files++] = (struct opened){module->file, handle};
    module->file.fd = -1;
    *out = handle;
    return MRT_OK;
}

static mrt_status file_handle(struct module *module, lt_dlhandle *out, mrt_error *error)
{
    struct loader *loader = loader_get();
    const struct opened *opened = opened_find(loader, &module->file);
    if (opened == NULL)
        return code_open(loader, module, out, error);
    if (!is_unchanged(&opened->file, &module->file))
        return error_set(
            error, MRT_EBUSY,
            "%s: changed in place since it was loaded: restart, and install by renaming",
            module->path);
    *out = opened->handle;
    return MRT_OK;
}

/* ---- builtins -------------------------------------------------------------------------------- */

/* What libltdl looks for when asked for @name: an archive, and no character it would not have in a
 * symbol. Two builtins whose names differ in nothing else are our own mistake. */
static char *archive_name(const char *name)
{
    size_t n = strlen(name);
    char *out = memory_new(n + sizeof ".a");
    for (size_t i = 0; i < n; i++) {
        bool plain = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
        out[i] = plain ? name[i] : '_';
    }
    memcpy(out + n, ".a", sizeof ".a");
    return out;
}

/* One table a builtin: libltdl remembers the table a module was found in, not the module. */
static void builtin_register(struct loader *loader, const struct builtin *builtin)
{
    char *archive = archive_name(builtin->name);
    for (uint32_t i = 0; i < loader->n_builtins; i++) {
        if (strcmp(loader->builtins[i].archive, archive) != 0)
            continue;
        ASSERT(loader->builtins[i].entry == builtin->entry);
        memory_free(archive);
        return;
    }
    ASSERT(loader->n_builtins < BUILTINS_MAX);
    lt_dlsymlist *table = memory_array(4, sizeof *table);
    table[0].name = "mortised";
    table[1].name = archive;
    table[2].name = ENTRY;
    memcpy(&table[2].address, &builtin->entry, sizeof builtin->entry);
    ASSERT(lt_dlpreload(table) == 0);
    loader->builtins[loader->n_builtins++] = (struct registered){archive, builtin->entry};
}

static mrt_status builtin_handle(const struct builtin *builtin, lt_dlhandle *out, mrt_error *error)
{
    lt_dladvise advise = NULL;
    builtin_register(loader_get(), builtin);
    ASSERT(lt_dladvise_init(&advise) == 0);
    ASSERT(lt_dladvise_preload(&advise) == 0);
    *out = lt_dlopenadvise(builtin->name, advise);
    lt_dladvise_destroy(&advise);
    if (*out == NULL)
        return error_set(error, MRT_EBUG, "builtin:%s: libltdl does not find it", builtin->name);
    return MRT_OK;
}

/* ---- modules --------------------------------------------------------------------------------- */

static mrt_status entry_call(struct module *module, lt_dlhandle handle, mrt_error *error)
{
    void *symbol = lt_dlsym(handle, ENTRY);
    if (symbol == NULL)
        return error_set(
            error, MRT_EINVAL, "%s: it exports no " ENTRY ": define MRT_ENTRY_NAME and export it",
            module->path);
    memcpy(&module->entry, &symbol, sizeof module->entry);
    module->plugin = module->entry(MRT_ABI);
    if (module->plugin == NULL)
        return error_set(
            error, MRT_ENOTSUP,
            "%s: its entry declined a host with ABI %u.%u: install a version built for it",
            module->path, MRT_ABI >> 16, MRT_ABI & 0xffff);
    return MRT_OK;
}

mrt_status module_load(struct module *module, mrt_error *error)
{
    ASSERT(module != NULL);
    lt_dlhandle handle = NULL;
    if (module->plugin != NULL)
        return MRT_OK;
    mrt_status status = module->builtin != NULL ? builtin_handle(module->builtin, &handle, error)
                                                : file_handle(module, &handle, error);
    return status == MRT_OK ? entry_call(module, handle, error) : status;
}

static mrt_status note_read(struct module *module, mrt_error *error)
{
    struct elf elf;
    void *image = NULL;
    const char *text = NULL;
    uint64_t n = 0;
    mrt_status status = file_read(module->path, &module->file, &image, error);
    if (status == MRT_OK)
        status = elf_open(&elf, module->path, image, module->file.bytes, error);
    if (status == MRT_OK)
        status = elf_note(&elf, &text, &n, error);
    if (status == MRT_OK)
        status = note_parse(module->path, text, n, &module->note, error);
    memory_free(image);
    return status;
}

static struct module *module_new(const char *prefix, const char *name)
{
    struct module *module = memory_new(sizeof *module);
    size_t n = strlen(prefix) + strlen(name) + 1;
    module->path = memory_new(n);
    snprintf(module->path, n, "%s%s", prefix, name);
    module->file.fd = -1;
    return module;
}

mrt_status module_file(const char *path, struct module **out, mrt_error *error)
{
    struct module *module = module_new("", path);
    mrt_status status = file_open(path, &module->file, error);
    if (status == MRT_OK)
        status = note_read(module, error);
    if (status == MRT_OK)
        *out = module;
    else
        module_free(module);
    return status;
}

mrt_status module_builtin(const struct builtin *builtin, struct module **out, mrt_error *error)
{
    struct module *module = module_new("builtin:", builtin->name);
    module->builtin = builtin;
    mrt_status status = module_load(module, error);
    const mrt_plugin *plugin = module->plugin;
    if (status == MRT_OK && (!MRT_HAS(plugin, note_bytes) || plugin->note == NULL))
        status = error_set(error, MRT_EINVAL, "%s: its descriptor has no note", module->path);
    if (status == MRT_OK)
        status = note_parse(module->path, plugin->note, plugin->note_bytes, &module->note, error);
    if (status == MRT_OK)
        *out = module;
    else
        module_free(module);
    return status;
}

void module_free(struct module *module)
{
    if (module == NULL)
        return;
    file_close(&module->file);
    note_free(module->note);
    memory_free(module->path);
    memory_free(module);
}
