/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_plugin_new.c - `mortise plugin new`: copies the template of a kind into a new folder, with
 * the plugin's name in place of @NAME@, in files and in their names.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/memory.h"
#include "core/main/cmd_plugin.h"
#include "core/main/places.h"

#define MARK         "@NAME@"
#define TEMPLATE_MAX ((size_t)1 << 20) /* bytes of one file of a template */
#define NAME_MAX_C   32                /* bytes of a plugin's name */

static int cannot(const char *path, const char *what)
{
    fprintf(stderr, "mortise: %s: %s: %s\n", path, what, strerror(errno));
    return 2;
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return n > 0 && n <= NAME_MAX_C && name[n] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

/* @text with every mark replaced, to @out. */
static void put_named(FILE *out, const char *text, const char *name)
{
    for (const char *mark; (mark = strstr(text, MARK)) != NULL; text = mark + strlen(MARK)) {
        fwrite(text, 1, (size_t)(mark - text), out);
        fputs(name, out);
    }
    fputs(text, out);
}

/* The whole file, terminated, for memory_free(); NULL with errno. */
static char *slurp(const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return NULL;
    char *text = memory_new(TEMPLATE_MAX + 1);
    size_t n = fread(text, 1, TEMPLATE_MAX, in);
    ASSERT(n <= TEMPLATE_MAX);
    fclose(in);
    return text;
}

static int copy_file(const char *from, const char *to, const char *name)
{
    char *text = slurp(from);
    if (text == NULL)
        return cannot(from, "cannot read");
    FILE *out = fopen(to, "wx");
    if (out == NULL) {
        memory_free(text);
        return cannot(to, "cannot create");
    }
    put_named(out, text, name);
    memory_free(text);
    return fclose(out) == 0 ? 0 : cannot(to, "cannot write");
}

/* "@NAME@.c" becomes "hello.c"; a final ".in" goes. */
static void target_name(const char *file, const char *name, char *out, size_t cap)
{
    const char *mark = strstr(file, MARK);
    size_t before = mark != NULL ? (size_t)(mark - file) : strlen(file);
    snprintf(
        out, cap, "%.*s%s%s", (int)before, file, mark != NULL ? name : "",
        mark != NULL ? mark + strlen(MARK) : "");
    size_t n = strlen(out);
    if (n > 3 && strcmp(out + n - 3, ".in") == 0)
        out[n - 3] = '\0';
}

static int copy_template(DIR *dir, const char *from, const char *name)
{
    int result = 0;
    for (const struct dirent *entry; result == 0 && (entry = readdir(dir)) != NULL;) {
        char source[PLACE_MAX + 512], target[PLACE_MAX], file[300];
        if (entry->d_name[0] == '.')
            continue;
        target_name(entry->d_name, name, file, sizeof file);
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", name, file);
        result = copy_file(source, target, name);
    }
    return result;
}

static int list_templates(const char *templates)
{
    DIR *dir = opendir(templates);
    if (dir == NULL)
        return cannot(templates, "no templates (package mortise-dev has them)");
    fprintf(stderr, "usage: mortise plugin new KIND NAME\nkinds:");
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            fprintf(stderr, " %s", entry->d_name);
    fprintf(
        stderr, "\nA name has a-z, 0-9 and _, at most %d, and begins with a letter.\n", NAME_MAX_C);
    closedir(dir);
    return 2;
}

int plugin_new_command(int argc, char **argv)
{
    char templates[PLACE_MAX], from[PLACE_MAX + 64];
    place_templates(templates);
    if (argc != 3 || !is_name(argv[1]) || !is_name(argv[2]))
        return list_templates(templates);
    const char *name = argv[2];
    snprintf(from, sizeof from, "%s/%s", templates, argv[1]);
    DIR *dir = opendir(from);
    if (dir == NULL)
        return list_templates(templates);
    int result = mkdir(name, 0755) == 0 ? copy_template(dir, from, name)
                                        : cannot(name, "cannot create the folder");
    closedir(dir);
    if (result == 0)
        printf(
            "%s: a %s plugin. Next: cmake -S %s -B %s/build && cmake --build %s/build && mortise "
            "plugin check %s/build/%s.so\n",
            name, argv[1], name, name, name, name, name);
    return result;
}
