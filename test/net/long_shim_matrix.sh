#!/bin/bash
# All programs that we know and that are installed.
exec bash "$(dirname "$0")/test_shim_matrix.sh" all
