# Oracles: a second way to say what must come out, beside the one that is shipped.

function(sim_program name)
  add_executable(${name} ${name}.c ${ARGN})
  target_link_libraries(${name} PRIVATE sim)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endfunction()

# C(k) beside a step-by-step Reno, exhaustively.
sim_program(oracle_cwnd)
sim_test(oracle.cwnd sim oracle_cwnd)
