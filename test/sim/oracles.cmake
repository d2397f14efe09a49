# Oracles: a second way to say what must come out, beside the one that is shipped.

function(sim_program name)
  add_executable(${name} ${name}.c ${ARGN})
  target_link_libraries(${name} PRIVATE sim)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endfunction()

# C(k) beside a step-by-step Reno, exhaustively.
sim_program(oracle_cwnd)
sim_test(oracle.cwnd sim oracle_cwnd SANITIZED oracle_cwnd 16 COST 15)

# Packets in flight outside recovery, beside a textbook TCP on the same losses.
sim_program(oracle_flight flight_ours.c flight_reno.c)
sim_test(oracle.flight sim oracle_flight 8)
sim_test(oracle.flight.long long oracle_flight 1000 1001)

# Losses of the first 16 packets, beside a textbook TCP on the same masks: all of them in the long suite.
sim_program(oracle_masks reno_http.c)
foreach(direction requests answers)
  sim_test(oracle.masks.${direction} sim oracle_masks ${direction} 31)
  sim_test(oracle.masks.all.${direction} long oracle_masks ${direction})
endforeach()

# Answers on kept connections beside a textbook TCP.
sim_program(sim_latency reno_http.c)
sim_test(latency sim sim_latency)

# Single objects over new connections beside a textbook TCP: every size.
sim_program(sim_sizes reno_http.c)
sim_test(sizes sim sim_sizes)

# Long downloads beside a textbook TCP, over a grid of losses.
sim_program(sim_goodput reno_http.c)
target_link_libraries(sim_goodput PRIVATE m)
sim_test(goodput sim sim_goodput --scale .2 --seeds 4 --slack .04 SANITIZED NONE)
sim_test(goodput.long long sim_goodput)
set_tests_properties(sim.goodput.long PROPERTIES TIMEOUT 3600)

# The model of the rules beside every decision of the swarm's servers.
sim_program(oracle_rules model_rules.c model_filter.c compare_rules.c arena.c greedy_ghost.c greedy_repair.c greedy_puppet.c)
target_link_libraries(oracle_rules PRIVATE m)
foreach(mix plain harsh attack)
  sim_test(oracle.rules.${mix} sim oracle_rules ${mix} 1 1000)
  sim_test(oracle.rules.long.${mix} long oracle_rules ${mix} 200001 10000)
endforeach()
sim_test(oracle.rules.big sim oracle_rules big 1 20 SANITIZED oracle_rules big 1 5)
sim_test(oracle.rules.greedy sim oracle_rules greedy 1 1 SANITIZED NONE COST 15)
sim_test(oracle.rules.long.greedy long oracle_rules greedy 2 20)
