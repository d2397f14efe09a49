# The system tests: real programs against the real daemon on real packets.
#
# trickles_net_test(SCRIPT LABEL SECONDS [SERIAL] [COST SECONDS] [ARGS argument...]) registers SCRIPT.sh as LABEL.SCRIPT.
# A test that takes longer than SECONDS is asked to end, so that its trap still removes what it made; CTest itself
# would kill it outright. COST: how long it usually takes; the longest start first, beside what needs the processor.
# SERIAL: it measures rates, so nothing else may run beside it.
function(trickles_net_test script label seconds)
  cmake_parse_arguments(T "SERIAL" "COST" "ARGS" ${ARGN})
  if(NOT T_COST)
    set(T_COST 6)
  endif()
  string(REGEX REPLACE "^(test|long|system)_" "" name ${script})
  list(JOIN T_ARGS "." suffix)
  if(suffix)
    string(APPEND name ".${suffix}")
  endif()
  add_test(NAME ${label}.${name}
    COMMAND timeout --kill-after=20 ${seconds} bash ${CMAKE_CURRENT_SOURCE_DIR}/${script}.sh ${T_ARGS})
  math(EXPR limit "${seconds} + 60")
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT ${limit} SKIP_RETURN_CODE 77
    RUN_SERIAL "${T_SERIAL}" COST ${T_COST} ENVIRONMENT "TRICKLES_BUILD=${CMAKE_BINARY_DIR}")
endfunction()

trickles_net_test(system_files     net 240 ARGS ipv4)
trickles_net_test(system_files     net 240 ARGS ipv6)
trickles_net_test(system_files     net 240 ARGS loopback)
trickles_net_test(system_big       net 300 ARGS ipv4 curl)
trickles_net_test(system_keepalive net 120)
trickles_net_test(system_sockets   net 120 COST 16)
trickles_net_test(system_idle      net 240 COST 125)
trickles_net_test(system_kill      net 180 COST 14)
trickles_net_test(system_memory    net 180)
trickles_net_test(system_container net 180)
trickles_net_test(system_examples  net 60)
trickles_net_test(system_loss      net 600 COST 115 ARGS answers)
trickles_net_test(system_loss      net 600 COST 65 ARGS both)
foreach(kind even requests disorder)
  trickles_net_test(system_loss    net 600 COST 20 ARGS ${kind})
endforeach()
trickles_net_test(system_floor     net 120 SERIAL)
trickles_net_test(system_loss      long 3600 ARGS long)
foreach(client curl wget python)
  foreach(way ipv4 ipv6 loopback)
    trickles_net_test(system_big long 600 ARGS ${way} ${client})
  endforeach()
endforeach()
