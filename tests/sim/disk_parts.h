/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk_parts.h - the insides of disk.h, for disk.c and disk_cut.c.
 */
#ifndef TESTS_SIM_DISK_PARTS_H
#define TESTS_SIM_DISK_PARTS_H

#include "core/base/list.h"
#include "tests/sim/disk.h"

#define DISK_UNLIMITED (UINT64_C(1) << 50)

/* Bytes that can grow; from length to cap they are zero. */
struct image {
    uint8_t *bytes; /* owned */
    uint64_t length;
    uint64_t cap;
};

/* A file or a directory, by whatever names it goes. */
struct inode {
    struct disk *disk;
    struct inode *twin; /* while the disk is copied: its copy */
    uint32_t refs;      /* names, safe names, open files */
    uint32_t kind;      /* as mrt_dirent.kind */
    bool locked;
    bool evicted; /* a read would meet the device */
    int64_t modified_ms;
    struct list names; /* of a directory: struct name, owned */
    struct image now;
    struct image safe;   /* as of the last sync */
    uint64_t dirty_from; /* bytes that may differ since; empty if equal */
    uint64_t dirty_to;
};

/* An entry of a directory. It stays as long as it means something now or would after a cut. */
struct name {
    struct list node;   /* in inode.names */
    char *text;         /* owned */
    struct inode *now;  /* held; NULL: no such name */
    struct inode *safe; /* held; NULL: not there after a cut */
};

struct fault {
    bool armed;
    uint32_t skip;
    mrt_status status;
};

struct disk {
    struct inode *root; /* held */
    struct fault faults[DISK_CALLS];
    uint64_t limit;
    uint64_t used; /* bytes of contents, as they are now */
    uint64_t write_ns;
};

/* A new entry of @directory; both inodes may be NULL, and are held from now on. */
struct name *name_new(
    struct inode *directory, const mrt_str *text, struct inode *now, struct inode *safe);
void name_free(struct name *name);

struct inode *inode_new(struct disk *disk, uint32_t kind, int64_t now_ms);
struct inode *inode_ref(struct inode *inode);
void inode_unref(struct inode *inode);

/* Makes @image at least @bytes long. */
void image_reach(struct image *image, uint64_t bytes);

/* Cuts @image to @bytes if it is longer. */
void image_cut(struct image *image, uint64_t bytes);

#endif /* TESTS_SIM_DISK_PARTS_H */
