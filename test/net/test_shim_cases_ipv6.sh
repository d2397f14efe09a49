#!/bin/bash
# The same over IPv6.
export TRICKLES_SHIM_ADDRESS=ipv6
. "$(dirname "$0")/test_shim_cases.sh"
