/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mortise.host.file/1 over a directory of its own, on Linux and in simulated worlds of several
 * seeds: both must behave alike, however a call ends. What only the simulated disk can do (running
 * full, failing, being slow) comes last.
 */
#include "tests/unit/runtime/stage.h"

static struct stage stage; /* the scene of the test that runs */

static int on_linux(void **state)
{
    stage = (struct stage){0};
    stage_open(&stage);
    *state = &stage;
    return 0;
}

static int simulated(void **state, uint64_t seed, uint64_t disk_bytes)
{
    stage = (struct stage){.simulated = true, .seed = seed, .disk_bytes = disk_bytes};
    stage_open(&stage);
    *state = &stage;
    return 0;
}

static int in_world_1(void **state)
{
    return simulated(state, 1, 0);
}

static int in_world_2(void **state)
{
    return simulated(state, 2, 0);
}

static int in_world_3(void **state)
{
    return simulated(state, 3, 0);
}

static int on_a_tiny_disk(void **state)
{
    return simulated(state, 4, 10000);
}

static int end(void **state)
{
    stage_close(*state);
    return 0;
}

/* ---- the calls, one by one ------------------------------------------------------------------- */

struct args {
    mrt_file *file;
    mrt_str path;
    mrt_str to;
    uint32_t flags;
    mrt_slicev v;
    mrt_slice slices[8];
    void *buffer;
    uint64_t n;
    uint64_t off;
    uint64_t got;
    mrt_dirlist *list;
};

static char paths[4][128];

/* @name in the scene's directory; one of four that are valid at a time. */
static mrt_str path_of(const char *name)
{
    static uint32_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", stage.dir, name);
    return str_of(path);
}

static mrt_status do_open(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->open(stage.exec, op, &a->path, a->flags, &a->file);
}

static mrt_status do_writev(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->writev(a->file, op, &a->v, a->off);
}

static mrt_status do_read(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->read(a->file, op, a->buffer, a->n, a->off, &a->got);
}

static mrt_status do_sync(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->sync(a->file, op, a->flags);
}

static mrt_status do_truncate(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->truncate(a->file, op, a->n);
}

static mrt_status do_allocate(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->allocate(a->file, op, a->off, a->n);
}

static mrt_status do_evict(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->evict(a->file, op, a->off, a->n);
}

static mrt_status do_rename(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->rename(stage.exec, op, &a->path, &a->to);
}

static mrt_status do_unlink(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->unlink(stage.exec, op, &a->path);
}

static mrt_status do_mkdir(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->mkdir(stage.exec, op, &a->path);
}

static mrt_status do_list(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->list(stage.exec, op, &a->path, a->list);
}

static mrt_status do_sync_dir(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->sync_dir(stage.exec, op, &a->path);
}

static mrt_status do_space(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return stage.file->space(stage.exec, op, &a->path, &a->n, &a->got);
}

static mrt_status do_pull(void *arg, mrt_op *op)
{
    struct args *a = arg;
    return slices_pull(stage.exec, op, &a->v, a->buffer);
}

static void do_close(void *arg)
{
    stage.file->close(arg);
}

static void do_length(void *arg)
{
    struct args *a = arg;
    assert_int_equal(stage.file->length(a->file, &a->n), MRT_OK);
}

static void do_read_nowait(void *arg)
{
    struct args *a = arg;
    a->flags = (uint32_t)-stage.file->read_nowait(a->file, a->buffer, a->n, a->off, &a->got);
}

static void do_slice(void *arg)
{
    struct args *a = arg;
    assert_int_equal(stage.file->slice(a->file, a->off, a->n, &a->slices[0], &a->v.lease), MRT_OK);
    a->v.v = a->slices;
    a->v.n = 1;
    a->v.bytes = a->n;
}

/* ---- shorthands ------------------------------------------------------------------------------ */

static mrt_status opened(const char *name, uint32_t flags, mrt_file **out)
{
    struct args a = {.path = path_of(name), .flags = flags};
    mrt_status status = stage_call(&stage, do_open, &a);
    *out = a.file;
    return status;
}

/* A new file to read and write. */
static mrt_file *created(const char *name)
{
    mrt_file *file = NULL;
    uint32_t flags = MRT_FILE_READ | MRT_FILE_WRITE | MRT_FILE_CREATE | MRT_FILE_EXCLUSIVE;
    assert_int_equal(opened(name, flags, &file), MRT_OK);
    return file;
}

static void closed(mrt_file *file)
{
    stage_inside(&stage, do_close, file);
}

static mrt_status written(mrt_file *file, const void *bytes, uint64_t n, uint64_t off)
{
    struct args a = {.file = file, .off = off};
    a.slices[0] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)bytes, .len = n};
    a.v = (mrt_slicev){.v = a.slices, .n = 1, .bytes = n};
    return stage_call(&stage, do_writev, &a);
}

/* What is at @off is @text, up to the end of the file if @to_end. */
static void assert_holds(mrt_file *file, uint64_t off, const char *text)
{
    char room[64] = {0};
    struct args a = {.file = file, .buffer = room, .n = strlen(text), .off = off};
    assert_int_equal(stage_call(&stage, do_read, &a), MRT_OK);
    assert_int_equal(a.got, strlen(text));
    assert_string_equal(room, text);
}

static uint64_t length_of(mrt_file *file)
{
    struct args a = {.file = file};
    stage_inside(&stage, do_length, &a);
    return a.n;
}

static mrt_status by_path(mrt_status (*call)(void *arg, mrt_op *op), const char *name)
{
    struct args a = {.path = path_of(name)};
    return stage_call(&stage, call, &a);
}

static mrt_status renamed(const char *from, const char *to)
{
    struct args a = {.path = path_of(from), .to = path_of(to)};
    return stage_call(&stage, do_rename, &a);
}

/* ---- contents -------------------------------------------------------------------------------- */

static void what_was_written_is_read_back_over_pieces_and_gaps(void **state)
{
    (void)state;
    mrt_file *file = created("a");
    struct args a = {.file = file, .off = 3};
    const char *words[] = {"one ", "", "two ", "three"};
    for (uint32_t i = 0; i < 4; i++) {
        a.slices[i] =
            (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)words[i], .len = strlen(words[i])};
        a.v.bytes += strlen(words[i]);
    }
    a.v.v = a.slices;
    a.v.n = 4;
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_OK);
    assert_int_equal(length_of(file), 16);
    assert_holds(file, 3, "one two three");
    char gap[3] = "xyz";
    struct args r = {.file = file, .buffer = gap, .n = 3};
    assert_int_equal(stage_call(&stage, do_read, &r), MRT_OK);
    assert_memory_equal(gap, "\0\0\0", 3);
    closed(file);
}

static void more_pieces_than_one_system_call_takes_are_all_written(void **state)
{
    (void)state;
    static mrt_slice slices[300];
    static char bytes[300], back[301];
    mrt_file *file = created("many");
    struct args a = {.file = file};
    for (uint32_t i = 0; i < 300; i++) {
        bytes[i] = (char)('a' + i % 26);
        slices[i] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t)bytes, .off = i, .len = 1};
    }
    a.v = (mrt_slicev){.v = slices, .n = 300, .bytes = 300};
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_OK);
    struct args r = {.file = file, .buffer = back, .n = 301};
    assert_int_equal(stage_call(&stage, do_read, &r), MRT_OK);
    assert_int_equal(r.got, 300); /* short only at the end */
    assert_memory_equal(back, bytes, 300);
    closed(file);
}

static void a_vector_that_is_not_what_it_says_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    mrt_file *file = created("v");
    struct args a = {.file = file};
    a.slices[0] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t) "abc", .len = 3};
    a.v = (mrt_slicev){.v = a.slices, .n = 1, .bytes = 4};
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_EINVAL);
    a.v.bytes = 3;
    a.slices[0].kind = 77;
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_EINVAL);
    assert_int_equal(length_of(file), 0);
    closed(file);
}

static void truncate_cuts_and_extends_with_zeros(void **state)
{
    (void)state;
    mrt_file *file = created("t");
    assert_int_equal(written(file, "0123456789", 10, 0), MRT_OK);
    struct args a = {.file = file, .n = 4};
    assert_int_equal(stage_call(&stage, do_truncate, &a), MRT_OK);
    assert_int_equal(length_of(file), 4);
    a.n = 6;
    assert_int_equal(stage_call(&stage, do_truncate, &a), MRT_OK);
    char back[8] = "xxxxxxx";
    struct args r = {.file = file, .buffer = back, .n = 8};
    assert_int_equal(stage_call(&stage, do_read, &r), MRT_OK);
    assert_int_equal(r.got, 6);
    assert_memory_equal(back, "0123\0\0", 6);
    closed(file);
}

static void reading_from_memory_says_again_after_the_pages_were_dropped(void **state)
{
    (void)state;
    char back[16];
    mrt_file *file = created("n");
    assert_int_equal(written(file, "cached", 6, 0), MRT_OK);
    struct args a = {.file = file, .flags = MRT_SYNC_DATA};
    assert_int_equal(stage_call(&stage, do_sync, &a), MRT_OK);
    struct args r = {.file = file, .buffer = back, .n = 6};
    for (uint32_t i = 0; i < 3; i++) { /* a simulated one may say again at any time */
        stage_inside(&stage, do_read_nowait, &r);
        assert_true(r.flags == 0 || r.flags == (uint32_t)-MRT_EAGAIN);
        if (r.flags == 0)
            assert_memory_equal(back, "cached", 6);
    }
    assert_int_equal(stage_call(&stage, do_evict, &(struct args){.file = file, .n = 6}), MRT_OK);
    if (stage.simulated) { /* Linux may keep them: on tmpfs there is nowhere else */
        stage_inside(&stage, do_read_nowait, &r);
        assert_int_equal(r.flags, (uint32_t)-MRT_EAGAIN);
    }
    assert_holds(file, 0, "cached");
    closed(file);
}

static void reserving_room_does_not_change_the_length(void **state)
{
    (void)state;
    mrt_file *file = created("r");
    struct args a = {.file = file, .n = 4096};
    mrt_status status = stage_call(&stage, do_allocate, &a);
    assert_true(status == MRT_OK || status == MRT_ENOTSUP); /* not every file system can */
    assert_int_equal(length_of(file), 0);
    closed(file);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void opening_says_what_is_wrong(void **state)
{
    (void)state;
    mrt_file *file = NULL;
    mrt_file *other = NULL;
    uint32_t make = MRT_FILE_WRITE | MRT_FILE_CREATE;
    assert_int_equal(opened("none", MRT_FILE_READ, &other), MRT_ENOENT);
    assert_int_equal(opened("no/dir", make, &other), MRT_ENOENT);
    assert_int_equal(opened("f", make | MRT_FILE_LOCK, &file), MRT_OK);
    assert_int_equal(opened("f", make | MRT_FILE_EXCLUSIVE, &other), MRT_EEXIST);
    assert_int_equal(opened("f", make | MRT_FILE_LOCK, &other), MRT_EBUSY);
    assert_int_equal(opened("f", MRT_FILE_CREATE, &other), MRT_EINVAL);
    assert_int_equal(opened("f", make | 1u << 30, &other), MRT_EINVAL);
    assert_int_equal(opened("../f", make, &other), MRT_EINVAL);
    assert_null(other);
    closed(file);
    struct args relative = {.path = str_of("relative"), .flags = make};
    assert_int_equal(stage_call(&stage, do_open, &relative), MRT_EINVAL);
    struct args hidden = {.path = {"/a\0b", 4}, .flags = make};
    assert_int_equal(stage_call(&stage, do_open, &hidden), MRT_EINVAL);
}

static void a_lock_ends_with_the_handle(void **state)
{
    (void)state;
    mrt_file *file = NULL;
    uint32_t flags = MRT_FILE_WRITE | MRT_FILE_CREATE | MRT_FILE_LOCK;
    assert_int_equal(opened("l", flags, &file), MRT_OK);
    closed(file);
    mrt_status status = MRT_EBUSY;
    for (uint32_t i = 0; i < 1000 && status == MRT_EBUSY; i++) /* a worker closes it soon */
        status = opened("l", flags, &file);
    assert_int_equal(status, MRT_OK);
    closed(file);
}

static void renaming_replaces_in_one_step(void **state)
{
    (void)state;
    mrt_file *old = created("old");
    mrt_file *new = created("new");
    assert_int_equal(written(old, "old", 3, 0), MRT_OK);
    assert_int_equal(written(new, "new", 3, 0), MRT_OK);
    assert_int_equal(renamed("none", "new"), MRT_ENOENT);
    assert_int_equal(renamed("old", "new"), MRT_OK);
    assert_int_equal(by_path(do_sync_dir, "."), MRT_OK);
    assert_holds(new, 0, "new"); /* replaced, still open */
    mrt_file *again = NULL;
    assert_int_equal(opened("old", MRT_FILE_READ, &again), MRT_ENOENT);
    assert_int_equal(opened("new", MRT_FILE_READ, &again), MRT_OK);
    assert_holds(again, 0, "old");
    closed(old);
    closed(new);
    closed(again);
}

static void directories_are_made_once_and_removed_when_empty(void **state)
{
    (void)state;
    mrt_file *file = NULL;
    assert_int_equal(by_path(do_mkdir, "sub"), MRT_OK);
    assert_int_equal(by_path(do_mkdir, "sub"), MRT_EEXIST);
    assert_int_equal(by_path(do_mkdir, "no/sub"), MRT_ENOENT);
    assert_int_equal(opened("sub", MRT_FILE_READ, &file), MRT_EINVAL);
    file = created("sub/f");
    assert_int_equal(by_path(do_unlink, "sub"), MRT_EBUSY);
    assert_int_equal(by_path(do_unlink, "sub/f"), MRT_OK);
    assert_int_equal(by_path(do_unlink, "sub/f"), MRT_ENOENT);
    assert_int_equal(by_path(do_unlink, "sub"), MRT_OK);
    closed(file);
}

static void a_renamed_directory_takes_its_files_along(void **state)
{
    (void)state;
    mrt_file *file = NULL;
    assert_int_equal(by_path(do_mkdir, "t-0"), MRT_OK);
    closed(created("t-0/log"));
    assert_int_equal(renamed("t-0", "t-0.delete"), MRT_OK);
    assert_int_equal(opened("t-0/log", MRT_FILE_READ, &file), MRT_ENOENT);
    assert_int_equal(opened("t-0.delete/log", MRT_FILE_READ, &file), MRT_OK);
    closed(file);
}

static void a_directory_is_listed_page_by_page_in_byte_order(void **state)
{
    (void)state;
    const char *names[] = {"b", "aa", "Z", "a", "c"};
    const char *sorted[] = {"Z", "a", "aa", "b", "c", "d"};
    assert_int_equal(by_path(do_mkdir, "d"), MRT_OK);
    for (uint32_t i = 0; i < 5; i++) {
        mrt_file *file = created(names[i]);
        assert_int_equal(written(file, "12345", i, 0), MRT_OK);
        closed(file);
    }
    mrt_dirent entries[2];
    char text[64];
    mrt_dirlist list = {
        .size = sizeof list, .v = entries, .cap = 2, .text = text, .text_cap = sizeof text};
    struct args a = {.path = str_of(stage.dir), .list = &list};
    for (uint32_t i = 0; i < 6; i += 2) {
        assert_int_equal(stage_call(&stage, do_list, &a), MRT_OK);
        assert_int_equal(list.n, 2);
        assert_true(str_is(&entries[0].name, sorted[i]));
        assert_true(str_is(&entries[1].name, sorted[i + 1]));
        assert_int_equal(entries[0].kind, 1);
        if (i == 2)
            assert_int_equal(entries[0].bytes, 1); /* "aa" */
    }
    assert_int_equal(entries[1].kind, 2);
    assert_int_equal(stage_call(&stage, do_list, &a), MRT_OK);
    assert_int_equal(list.n, 0);
    list.cursor = 2;
    list.text_cap = 1; /* not even one name */
    assert_int_equal(stage_call(&stage, do_list, &a), MRT_ETOOBIG);
    a.path = path_of("nothing");
    assert_int_equal(stage_call(&stage, do_list, &a), MRT_ENOENT);
}

static void space_is_told(void **state)
{
    (void)state;
    struct args a = {.path = str_of(stage.dir)};
    assert_int_equal(stage_call(&stage, do_space, &a), MRT_OK);
    assert_true(a.n > 0);
    assert_true(a.got <= a.n);
}

/* ---- slices ---------------------------------------------------------------------------------- */

static void a_slice_keeps_the_bytes_across_unlink_and_close(void **state)
{
    (void)state;
    char back[16] = {0};
    mrt_file *file = created("s");
    assert_int_equal(written(file, "hello, world", 12, 0), MRT_OK);
    struct args a = {.file = file, .off = 7, .n = 5, .buffer = back};
    stage_inside(&stage, do_slice, &a);
    assert_int_equal(by_path(do_unlink, "s"), MRT_OK);
    closed(file);
    assert_int_equal(stage_call(&stage, do_pull, &a), MRT_OK);
    assert_string_equal(back, "world");

    lease_share(a.v.lease);
    lease_release(a.v.lease);
    memset(back, 0, sizeof back);
    assert_int_equal(stage_call(&stage, do_pull, &a), MRT_OK);
    assert_string_equal(back, "world");
    lease_release(a.v.lease);
}

static void slices_of_memory_and_file_are_pulled_in_order(void **state)
{
    (void)state;
    char back[16] = {0};
    mrt_file *file = created("p");
    assert_int_equal(written(file, "BCD", 3, 0), MRT_OK);
    struct args a = {.file = file, .n = 3, .buffer = back};
    stage_inside(&stage, do_slice, &a);
    a.slices[1] = a.slices[0];
    a.slices[0] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t) "xA", .off = 1, .len = 1};
    a.slices[2] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t) "EF", .len = 2};
    a.v.n = 3;
    a.v.bytes = 6;
    assert_int_equal(stage_call(&stage, do_pull, &a), MRT_OK);
    assert_string_equal(back, "ABCDEF");
    a.slices[1].len = 4; /* one more than there is */
    assert_int_equal(stage_call(&stage, do_pull, &a), MRT_ECORRUPT);
    a.slices[1].kind = 9;
    assert_int_equal(stage_call(&stage, do_pull, &a), MRT_EINVAL);
    lease_release(a.v.lease);
    closed(file);
}

static void a_file_is_copied_into_another_by_its_slice(void **state)
{
    (void)state;
    mrt_file *from = created("from");
    mrt_file *to = created("to");
    assert_int_equal(written(from, "abcdef", 6, 0), MRT_OK);
    struct args a = {.file = from, .off = 2, .n = 3};
    stage_inside(&stage, do_slice, &a);
    a.file = to;
    a.off = 1;
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_OK);
    assert_holds(to, 1, "cde");
    lease_release(a.v.lease);
    closed(from);
    closed(to);
}

/* ---- a disk in trouble ----------------------------------------------------------------------- */

static void a_full_disk_says_so_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    static char bytes[8000];
    mrt_file *file = created("full");
    assert_int_equal(written(file, bytes, 8000, 0), MRT_OK);
    assert_int_equal(written(file, bytes, 8000, 8000), MRT_ENOSPC);
    assert_int_equal(length_of(file), 8000);
    struct args a = {.file = file, .off = 8000, .n = 8000};
    assert_int_equal(stage_call(&stage, do_allocate, &a), MRT_ENOSPC);
    a.n = 100;
    assert_int_equal(stage_call(&stage, do_truncate, &a), MRT_OK);
    assert_int_equal(written(file, bytes, 8000, 100), MRT_OK);
    closed(file);
}

static void after_a_failed_sync_a_file_is_out_of_use_until_it_is_opened_again(void **state)
{
    (void)state;
    mrt_file *file = created("bad");
    assert_int_equal(written(file, "x", 1, 0), MRT_OK);
    disk_fail(stage.disk, DISK_SYNC, 0, MRT_EIO);
    struct args a = {.file = file, .n = 1};
    assert_int_equal(stage_call(&stage, do_sync, &a), MRT_EIO);
    assert_int_equal(stage_call(&stage, do_sync, &a), MRT_EIO); /* though the disk would do it */
    assert_int_equal(written(file, "y", 1, 1), MRT_EIO);
    assert_int_equal(stage_call(&stage, do_evict, &a), MRT_OK);
    assert_int_equal(length_of(file), 1);
    closed(file);
    assert_int_equal(opened("bad", MRT_FILE_READ | MRT_FILE_WRITE, &file), MRT_OK);
    assert_holds(file, 0, "x");
    assert_int_equal(stage_call(&stage, do_sync, &(struct args){.file = file}), MRT_OK);
    closed(file);
}

static void a_slow_device_is_written_by_workers_until_it_calms(void **state)
{
    (void)state;
    mrt_file *file = created("slow");
    struct args a = {.file = file};
    a.slices[0] = (mrt_slice){.kind = MRT_SLICE_MEM, .ref = (uintptr_t) "x", .len = 1};
    a.v = (mrt_slicev){.v = a.slices, .n = 1, .bytes = 1};
    disk_slow(stage.disk, 5000000);
    assert_int_equal(stage_call(&stage, do_writev, &a), MRT_OK);
    disk_slow(stage.disk, 0);
    for (uint32_t i = 0; i < 20; i++) {
        struct stage_call call = {.stage = &stage, .call = do_writev, .arg = &a};
        stage_call_start(&call);
        assert_int_equal(stage_call_wait(&call), MRT_OK);
        assert_int_equal(call.answer, MRT_PENDING);
    }
    world_run(stage.world, world_now_ns(stage.world) + 2000000000);
    uint32_t inline_ends = 0;
    for (uint32_t i = 0; i < 20; i++) {
        struct stage_call call = {.stage = &stage, .call = do_writev, .arg = &a};
        stage_call_start(&call);
        assert_int_equal(stage_call_wait(&call), MRT_OK);
        inline_ends += call.answer == MRT_OK ? 1 : 0;
    }
    assert_true(inline_ends > 0);
    closed(file);
}

static void a_power_cut_keeps_what_was_synced(void **state)
{
    (void)state;
    uint32_t lost = 0;
    mrt_file *file = created("cut");
    assert_int_equal(written(file, "safe", 4, 0), MRT_OK);
    assert_int_equal(stage_call(&stage, do_sync, &(struct args){.file = file}), MRT_OK);
    assert_int_equal(by_path(do_sync_dir, "."), MRT_OK);
    assert_int_equal(written(file, "rest", 4, 4), MRT_OK);
    mrt_str root = str_of("/");
    assert_int_equal(disk_sync_dir(stage.disk, &root), MRT_OK);
    for (uint64_t seed = 0; seed < 32; seed++) {
        struct disk *after = disk_copy_cut(stage.disk, seed);
        struct disk_file *there = NULL;
        mrt_str path = path_of("cut");
        char back[8] = {0};
        uint64_t got = 0;
        assert_int_equal(disk_open(after, &path, MRT_FILE_READ, 0, &there), MRT_OK);
        assert_int_equal(disk_read(there, back, 8, 0, &got), MRT_OK);
        assert_memory_equal(back, "safe", 4);
        lost += got == 8 && memcmp(back, "saferest", 8) == 0 ? 0 : 1;
        disk_close(there);
        disk_free(after);
    }
    assert_true(lost > 0);
    assert_true(lost < 32);
    struct disk *killed = disk_copy(stage.disk); /* the page cache survives a dead process */
    struct env_stat stat;
    mrt_str path = path_of("cut");
    assert_int_equal(disk_stat(killed, &path, &stat), MRT_OK);
    assert_int_equal(stat.bytes, 8);
    disk_free(killed);
    closed(file);
}

#define EVERYWHERE(f)                                                                              \
    cmocka_unit_test_setup_teardown(f, on_linux, end),                                             \
        cmocka_unit_test_setup_teardown(f, in_world_1, end),                                       \
        cmocka_unit_test_setup_teardown(f, in_world_2, end),                                       \
        cmocka_unit_test_setup_teardown(f, in_world_3, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVERYWHERE(what_was_written_is_read_back_over_pieces_and_gaps),
        EVERYWHERE(more_pieces_than_one_system_call_takes_are_all_written),
        EVERYWHERE(a_vector_that_is_not_what_it_says_is_refused_and_changes_nothing),
        EVERYWHERE(truncate_cuts_and_extends_with_zeros),
        EVERYWHERE(reading_from_memory_says_again_after_the_pages_were_dropped),
        EVERYWHERE(reserving_room_does_not_change_the_length),
        EVERYWHERE(opening_says_what_is_wrong),
        EVERYWHERE(a_lock_ends_with_the_handle),
        EVERYWHERE(renaming_replaces_in_one_step),
        EVERYWHERE(directories_are_made_once_and_removed_when_empty),
        EVERYWHERE(a_renamed_directory_takes_its_files_along),
        EVERYWHERE(a_directory_is_listed_page_by_page_in_byte_order),
        EVERYWHERE(space_is_told),
        EVERYWHERE(a_slice_keeps_the_bytes_across_unlink_and_close),
        EVERYWHERE(slices_of_memory_and_file_are_pulled_in_order),
        EVERYWHERE(a_file_is_copied_into_another_by_its_slice),
        cmocka_unit_test_setup_teardown(
            a_full_disk_says_so_and_goes_on_when_there_is_room, on_a_tiny_disk, end),
        cmocka_unit_test_setup_teardown(
            after_a_failed_sync_a_file_is_out_of_use_until_it_is_opened_again, in_world_1, end),
        cmocka_unit_test_setup_teardown(
            a_slow_device_is_written_by_workers_until_it_calms, in_world_1, end),
        cmocka_unit_test_setup_teardown(a_power_cut_keeps_what_was_synced, in_world_1, end),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
