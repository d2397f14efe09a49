# Greedy clients beside honest ones: a short run of all of them, and the full one whose table PROTOCOL.md shows.
add_executable(sim_greedy sim_greedy.c arena.c greedy_puppet.c greedy_ghost.c greedy_repair.c)
target_link_libraries(sim_greedy PRIVATE sim m)
set_target_properties(sim_greedy PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
sim_test(greedy sim sim_greedy --seeds 4 --seconds 6 SANITIZED sim_greedy --seeds 2 --seconds 1.5 COST 45)
sim_test(greedy.long long sim_greedy)
set_tests_properties(sim.greedy.long PROPERTIES TIMEOUT 3600)

# Replays, which must not amplify, and floods that fill the filter.
add_executable(sim_flood sim_flood.c arena.c)
target_link_libraries(sim_flood PRIVATE sim)
set_target_properties(sim_flood PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
sim_test(flood sim sim_flood SANITIZED sim_flood --seeds 1 COST 10)
