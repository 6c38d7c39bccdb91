/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.c - the logs of a directory without opening them, and how one is removed.
 *
 * A folder to be removed is renamed first; that is durable when log_remove() completes. What is in
 * it goes in the background, or after the next start.
 */
#include <stdio.h>
#include <string.h>

#include "plugins/storage/segment/parts.h"

#define NAME_MOST 255 /* bytes of a file name */

static const uint8_t no_id[16];

/* ---- survey ---------------------------------------------------------------------------------- */

struct survey {
    int64_t first; /* base offsets; UNSET: no segment */
    int64_t last;
    uint64_t bytes;
    uint32_t more;
    uint32_t reserved;
};

mrt_status segment_identity_load(struct job *job, struct entry *entry)
{
    mrt_status status;
    JOB_BEGIN(job)
    memset(entry->topic_id, 0, 16);
    segment_path(job, PATH_FILE, entry->name, NAME_IDENTITY);
    JOB_STEP(job, status, segment_load(job, 4096));
    if (status == MRT_ENOENT)
        JOB_RETURN(job, MRT_OK);
    if (status)
        JOB_RETURN(job, status);
    mrt_str text = {job->loaded, job->loaded_bytes};
    segment_identity_parse(text, entry->topic_id);
    JOB_END(job, MRT_OK);
}

static void count_rows(struct survey *survey, const mrt_dirlist *list)
{
    struct file_name name;
    for (uint32_t i = 0; i < list->n; i++) {
        segment_file_parse(&list->v[i].name, &name);
        if (name.what != NAME_LOG)
            continue;
        if (survey->first == UNSET)
            survey->first = name.offset;
        survey->last = name.offset;
        survey->bytes += list->v[i].bytes;
    }
}

/* What the folder's names tell. The end of a log closed in order is its recovery point. */
static void conclude(mrt_dir *dir, struct entry *entry, const struct survey *survey)
{
    int64_t start = mark_load(entry, MRT_MARK_LOG_START);
    int64_t recovered = mark_load(entry, MARK_RECOVERED);
    int64_t first = survey->first == UNSET ? 0 : survey->first;
    entry->known = 1;
    if (__atomic_load_n(&entry->open, __ATOMIC_ACQUIRE))
        return; /* the open log says it better */
    entry->start = start != UNSET && start > first ? start : first;
    entry->durable = recovered != UNSET && recovered > entry->start ? recovered : entry->start;
    entry->end = entry->durable;
    if (entry->trust != TRUST_CLEAN && survey->first != UNSET)
        entry->end = survey->last > INT64_MAX - INT32_MAX ? INT64_MAX
                                                          : survey->last + INT32_MAX + INT64_C(1);
    __atomic_add_fetch(&dir->bytes, survey->bytes - entry->bytes, __ATOMIC_RELAXED);
    entry->bytes = survey->bytes;
}

static mrt_status survey_run(struct job *job, struct survey *survey, struct entry *entry)
{
    JOB_BEGIN(job)
    *survey = (struct survey){.first = UNSET, .last = UNSET};
    JOB_STEP_OK(job, segment_identity_load(job, entry));
    segment_path(job, PATH_FOLDER, entry->name, "");
    do {
        JOB_STEP_OK(job, segment_list(job, !survey->more));
        survey->more = 1;
        count_rows(survey, &job->listing->list);
    } while (job->listing->list.n > 0);
    conclude(job->dir, entry, survey);
    JOB_END(job, MRT_OK);
}

/* ---- listing --------------------------------------------------------------------------------- */

struct logs_job {
    struct job job;
    mrt_log_list *list;
    struct entry *entry; /* pinned */
    uint64_t text;
    struct survey survey;
};

static uint32_t row_state(const struct entry *entry)
{
    if (entry->broken)
        return MRT_LOG_BROKEN;
    return entry->trust == TRUST_CLEAN ? MRT_LOG_CLEAN : MRT_LOG_TORN;
}

static void fill_row(struct logs_job *l, const struct entry *entry)
{
    mrt_log_list *list = l->list;
    mrt_log_row *row =
        (mrt_log_row *)(void *)((char *)list->rows + (uint64_t)list->n * list->stride);
    memcpy(list->text + l->text, entry->name, entry->topic_bytes);
    row->topic = (mrt_str){list->text + l->text, entry->topic_bytes};
    l->text += entry->topic_bytes;
    memcpy(row->topic_id, entry->topic_id, 16);
    row->state = row_state(entry);
    row->partition = entry->partition;
    row->reserved = 0;
    row->start = __atomic_load_n(&entry->start, __ATOMIC_RELAXED);
    row->end = __atomic_load_n(&entry->end, __ATOMIC_RELAXED);
    row->durable = __atomic_load_n(&entry->durable, __ATOMIC_RELAXED);
    row->bytes = __atomic_load_n(&entry->bytes, __ATOMIC_RELAXED);
    list->n++;
}

/* The first entry at or behind the cursor. Serials rise along the list. */
static struct entry *entry_from(const mrt_dir *dir, uint64_t serial)
{
    struct entry *entry = dir->first;
    while (entry && entry->serial < serial)
        entry = entry->next;
    return entry;
}

static mrt_status logs_run(struct job *job)
{
    struct logs_job *l = (struct logs_job *)job;
    mrt_log_list *list = l->list;
    struct entry *next;
    mrt_status status;
    JOB_BEGIN(job)
    status = segment_paths(job);
    if (status)
        JOB_RETURN(job, status);
    list->n = 0;
    for (l->entry = entry_from(job->dir, list->cursor); l->entry; l->entry = next) {
        if (list->n == list->cap || l->text + l->entry->topic_bytes > list->text_cap)
            break;
        segment_entry_pin(l->entry);
        status = MRT_OK;
        if (!l->entry->known)
            JOB_STEP(job, status, survey_run(job, &l->survey, l->entry));
        if (status && status != MRT_ENOENT)
            l->entry->broken = 1;
        if (!l->entry->dead && status != MRT_ENOENT)
            fill_row(l, l->entry);
        list->cursor = l->entry->serial + 1;
        next = l->entry->dead ? entry_from(job->dir, list->cursor) : l->entry->next;
        segment_entry_unpin(job->dir, l->entry);
    }
    JOB_RETURN(job, list->n == 0 && l->entry ? MRT_ETOOBIG : MRT_OK);
    JOB_END(job, MRT_EBUG);
}

mrt_status segment_logs(mrt_dir *dir, mrt_op *op, mrt_log_list *list)
{
    if (__atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE))
        return MRT_EOFFLINE;
    if (list->stride < sizeof(mrt_log_row))
        return MRT_EINVAL;
    struct logs_job *l = segment_job_new(dir, NULL, op, logs_run, sizeof(*l));
    if (!l)
        return MRT_ENOMEM;
    l->list = list;
    return segment_job_start(&l->job);
}

/* ---- sweeping -------------------------------------------------------------------------------- */

struct sweep_job {
    struct job job;
    uint32_t found;
    uint32_t more;
    char name[NAME_MOST + 1];
};

/* Puts the next folder that ends in -delete into sweep->name. */
static mrt_status find_deleted(struct sweep_job *s)
{
    struct job *job = &s->job;
    JOB_BEGIN(job)
    s->found = 0;
    segment_path(job, PATH_FOLDER, "", "");
    for (s->more = 0; !s->found; s->more = 1) {
        JOB_STEP_OK(job, segment_list(job, !s->more));
        if (job->listing->list.n == 0)
            break;
        for (uint32_t i = 0; i < job->listing->list.n && !s->found; i++) {
            const mrt_dirent *row = &job->listing->list.v[i];
            if (row->kind != 2 || row->name.n > NAME_MOST || !segment_ends(&row->name, "-delete"))
                continue;
            memcpy(s->name, row->name.p, row->name.n);
            s->name[row->name.n] = 0;
            s->found = 1;
        }
    }
    JOB_END(job, MRT_OK);
}

static mrt_status remove_found(struct sweep_job *s)
{
    struct job *job = &s->job;
    JOB_BEGIN(job)
    if (s->found) {
        segment_path(job, PATH_FOLDER, s->name, "");
        JOB_STEP_OK(job, segment_remove_folder(job));
    } else {
        segment_path(job, PATH_FOLDER, "", "");
        JOB_AWAIT_OK(
            job, job->store->file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    }
    JOB_END(job, MRT_OK);
}

static mrt_status sweep_run(struct job *job)
{
    struct sweep_job *s = (struct sweep_job *)job;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    job->wide = 1;
    do {
        job->dir->sweep_again = 0;
        JOB_STEP_OK(job, find_deleted(s));
        JOB_STEP_OK(job, remove_found(s));
    } while (s->found || job->dir->sweep_again);
    JOB_END(job, MRT_OK);
}

static void sweep_end(struct job *job, mrt_status status)
{
    job->dir->sweep = NULL;
    if (status)
        segment_say(
            job->store, MRT_LOG_WARN, "sweep.failed dir=%s status=%d", job->dir->path, status);
}

void segment_sweep(mrt_dir *dir)
{
    dir->sweep_again = 1;
    if (dir->sweep)
        return;
    struct sweep_job *s = segment_job_new(dir, NULL, NULL, sweep_run, sizeof(*s));
    if (!s)
        return; /* after the next start */
    s->job.end = sweep_end;
    dir->sweep = &s->job;
    segment_job_start(&s->job);
}

/* ---- removing -------------------------------------------------------------------------------- */

/* "<topic>-<partition>.<32 hex><suffix>", the topic shortened where that would be too long. */
static void away_name(struct job *job, const struct entry *entry, const char *suffix, char *out)
{
    uint8_t salt[16];
    char tail[64];
    uint32_t n = 0;
    job->store->random->secret(job->exec, salt, sizeof(salt));
    n += (uint32_t)snprintf(tail, sizeof(tail), "-%d.", entry->partition);
    for (uint32_t i = 0; i < 16; i++)
        n += (uint32_t)snprintf(tail + n, sizeof(tail) - n, "%02x", salt[i]);
    n += (uint32_t)snprintf(tail + n, sizeof(tail) - n, "%s", suffix);
    uint32_t topic = entry->topic_bytes;
    if (topic > NAME_MOST - n)
        topic = NAME_MOST - n;
    snprintf(out, NAME_MOST + 1, "%.*s%s", (int)topic, entry->name, tail);
}

mrt_status segment_rename_away(struct job *job, const struct entry *entry, const char *suffix)
{
    const mrt_host_file *file = job->store->file;
    char name[NAME_MOST + 1];
    JOB_BEGIN(job)
    away_name(job, entry, suffix, name);
    segment_path(job, PATH_FOLDER, entry->name, "");
    segment_path(job, PATH_FILE, name, "");
    segment_say(job->store, MRT_LOG_INFO, "log.moved_away log=%s to=%s", entry->name, name);
    JOB_AWAIT_OK(
        job, file->rename(
                 job->exec, &job->op, &job->paths->str[PATH_FOLDER], &job->paths->str[PATH_FILE]));
    segment_path(job, PATH_FOLDER, "", "");
    JOB_AWAIT_OK(job, file->sync_dir(job->exec, &job->op, &job->paths->str[PATH_FOLDER]));
    JOB_END(job, MRT_OK);
}

struct remove_job {
    struct job job;
    struct entry *entry;
    uint8_t topic_id[16];
};

static mrt_status remove_run(struct job *job)
{
    struct remove_job *r = (struct remove_job *)job;
    JOB_BEGIN(job)
    got_ = segment_paths(job);
    if (got_)
        JOB_RETURN(job, got_);
    JOB_STEP_OK(job, segment_identity_load(job, r->entry));
    if (memcmp(r->entry->topic_id, r->topic_id, 16) != 0 &&
        memcmp(r->entry->topic_id, no_id, 16) != 0)
        JOB_RETURN(job, MRT_ENOENT);
    JOB_STEP_OK(job, segment_rename_away(job, r->entry, "-delete"));
    segment_entry_remove(job->dir, r->entry);
    r->entry = NULL;
    segment_sweep(job->dir);
    JOB_END(job, MRT_OK);
}

static void remove_end(struct job *job, mrt_status status)
{
    struct remove_job *r = (struct remove_job *)job;
    (void)status;
    if (r->entry)
        __atomic_store_n(&r->entry->open, 0, __ATOMIC_RELEASE);
}

mrt_status segment_log_remove(mrt_dir *dir, mrt_op *op, const mrt_log_spec *spec)
{
    if (__atomic_load_n(&dir->offline, __ATOMIC_ACQUIRE))
        return MRT_EOFFLINE;
    if (dir->readonly)
        return MRT_EREADONLY;
    if (spec->partition < 0 || !segment_topic_ok(&spec->topic))
        return MRT_EINVAL;
    struct entry *entry = segment_entry_find(dir, &spec->topic, spec->partition);
    if (!entry)
        return MRT_ENOENT;
    if (__atomic_load_n(&entry->open, __ATOMIC_ACQUIRE))
        return MRT_EBUSY;
    struct remove_job *r = segment_job_new(dir, NULL, op, remove_run, sizeof(*r));
    if (!r)
        return MRT_ENOMEM;
    r->job.end = remove_end;
    r->entry = entry;
    memcpy(r->topic_id, spec->topic_id, 16);
    __atomic_store_n(&entry->open, 1, __ATOMIC_RELEASE); /* nobody opens it meanwhile */
    return segment_job_start(&r->job);
}
