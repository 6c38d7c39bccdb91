/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_plugin.c - what was published in plugin.h. Lines are added, never edited: see ledger.h. */
#include <mortise/plugin.h>

#include "sdk/abi/ledger.h"

VALUE(MRT_NOTE_TYPE, 1);

GROWS(mrt_cfg_view, 56);
AT(mrt_cfg_view, size, 0, uint32_t);
AT(mrt_cfg_view, flags, 4, uint32_t);
AT(mrt_cfg_view, i64, 8, int64_t (*)(const mrt_cfg *cfg, uint32_t key));
AT(mrt_cfg_view, f64, 16, double (*)(const mrt_cfg *cfg, uint32_t key));
AT(mrt_cfg_view, str, 24, void (*)(const mrt_cfg *cfg, uint32_t key, mrt_str *out));
AT(mrt_cfg_view, count, 32, uint32_t (*)(const mrt_cfg *cfg, uint32_t key));
AT(mrt_cfg_view, item, 40, void (*)(const mrt_cfg *cfg, uint32_t key, uint32_t i, mrt_str *out));
AT(mrt_cfg_view, is_set, 48, uint32_t (*)(const mrt_cfg *cfg, uint32_t key));

GROWS(mrt_create, 56);
AT(mrt_create, size, 0, uint32_t);
AT(mrt_create, flags, 4, uint32_t);
AT(mrt_create, host, 8, const mrt_host *);
AT(mrt_create, exec, 16, mrt_exec *);
AT(mrt_create, view, 24, const mrt_cfg_view *);
AT(mrt_create, cfg, 32, const mrt_cfg *);
AT(mrt_create, name, 40, mrt_str);

VALUE(MRT_RECONFIGURE_CHECK, 0);
VALUE(MRT_RECONFIGURE_APPLY, 1);

GROWS(mrt_lifecycle, 88);
AT(mrt_lifecycle, size, 0, uint32_t);
AT(mrt_lifecycle, flags, 4, uint32_t);
AT(mrt_lifecycle, create, 8, mrt_status (*)(const mrt_create *how, void **inst, mrt_error *error));
AT(mrt_lifecycle, start, 16, mrt_status (*)(void *inst, mrt_op *op));
AT(mrt_lifecycle, reconfigure, 24,
   mrt_status (*)(void *inst, const mrt_cfg *next, uint32_t phase, mrt_error *error));
AT(mrt_lifecycle, drain, 32, mrt_status (*)(void *inst, mrt_op *op));
AT(mrt_lifecycle, stop, 40, mrt_status (*)(void *inst, mrt_op *op));
AT(mrt_lifecycle, destroy, 48, void (*)(void *inst));
AT(mrt_lifecycle, cancel, 56, void (*)(void *inst, mrt_op *op));
AT(mrt_lifecycle, health, 64, mrt_status (*)(void *inst, mrt_error *detail));
AT(mrt_lifecycle, shard_open, 72, mrt_status (*)(void *inst, mrt_exec *reactor, void **shard));
AT(mrt_lifecycle, shard_close, 80, void (*)(void *shard));

GROWS(mrt_impl, 40);
AT(mrt_impl, size, 0, uint32_t);
AT(mrt_impl, flags, 4, uint32_t);
AT(mrt_impl, kind, 8, const char *);
AT(mrt_impl, name, 16, const char *);
AT(mrt_impl, life, 24, const mrt_lifecycle *);
AT(mrt_impl, ops, 32, const void *);

GROWS(mrt_plugin, 48);
AT(mrt_plugin, size, 0, uint32_t);
AT(mrt_plugin, abi, 4, uint32_t);
AT(mrt_plugin, note, 8, const char *);
AT(mrt_plugin, note_bytes, 16, uint64_t);
AT(mrt_plugin, impls, 24, const mrt_impl *);
AT(mrt_plugin, n_impls, 32, uint32_t);
AT(mrt_plugin, impl_stride, 36, uint32_t);
AT(mrt_plugin, extension, 40, const void *(*)(const mrt_impl *impl, const char *id));
