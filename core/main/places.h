/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - where plugins and templates lie: beside this program in a build tree, below the same
 * prefix when installed, else where they were meant to be installed. The environment has no say.
 */
#ifndef CORE_MAIN_PLACES_H
#define CORE_MAIN_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#define PLACE_MAX 4096

/* The directory plugins are loaded from, absolute, whether or not it exists. @out has PLACE_MAX. */
void place_plugins(char *out);

/* The directory of what `mortise plugin new` copies. */
void place_templates(char *out);

/* @path as an absolute path without links; false when there is nothing. @out has PLACE_MAX. */
bool place_absolute(const char *path, char *out);

#endif /* CORE_MAIN_PLACES_H */
