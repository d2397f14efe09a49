#!/bin/bash
# The cases in which addresses matter, over IPv6 link-local ones: every name comes with its interface.
TRICKLES_SHIM_ADDRESS=link-local exec bash "$(dirname "$0")/test_shim_cases.sh" \
    names bound blocking polled polled_no_questions disconnected refused_blocking refused_polled while_connecting kinds
