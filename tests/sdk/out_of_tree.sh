#!/bin/sh
# out_of_tree.sh BUILD KIND - an author's first ten minutes, with what is installed and nothing else:
# a new plugin of KIND is made, built, checked and listed.
set -eu
build=$1 kind=$2

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cmake --install "$build" --prefix "$work/usr" >"$work/install.log" 2>&1 ||
    { tail -5 "$work/install.log"; exit 1; }
PATH=$work/usr/bin:$PATH
cd "$work"

mortise plugin new "$kind" hello
if mortise plugin new "$kind" hello; then echo "a folder that is there was written to"; exit 1; fi
if grep -r '@NAME@' hello; then echo "a mark was left"; exit 1; fi
cmake -S hello -B b -G Ninja -DCMAKE_PREFIX_PATH="$work/usr" >cmake.log 2>&1 || { cat cmake.log; exit 1; }
cmake --build b >build.log 2>&1 || { cat build.log; exit 1; }
if grep -i warning build.log; then exit 1; fi
mortise plugin check b/hello.so
mortise plugin info b/hello.so | grep -q "mortise.$kind/1 hello"
cmake --install b --prefix "$work/usr" >/dev/null
mortise plugin list | grep -q "^$kind  *hello .* ok\$"

pc=$(find "$work/usr" -name mortise.pc)
includes=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --variable=includedir mortise)
plugins=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --variable=plugindir mortise)
[ -f "$includes/mortise/storage.h" ]
[ -f "$plugins/hello.so" ]
