# SPDX-License-Identifier: Apache-2.0
# The debhelper sequence "mortise": dh_mortise looks at plugins as they will be shipped, stripped.
use warnings;
use strict;
use Debian::Debhelper::Dh_Lib;

insert_before('dh_gencontrol', 'dh_mortise');

1;
