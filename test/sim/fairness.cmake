# Several flows through one bottleneck. The fewer flows and the longer the round trip, the longer it takes until shares even
# out, so the short runs have few flows on a slow path and many on a fast one; the full table is PROTOCOL.md's.
sim_program(sim_fairness)
target_link_libraries(sim_fairness PRIVATE m)
sim_test(fairness.few sim sim_fairness --rate 3 --rtt 20 --queue 1 --most 8 --seeds 3 --seconds 20
  SANITIZED NONE COST 10)
sim_test(fairness.many sim sim_fairness --least 32 --most 32 --seeds 1 --seconds 10 SANITIZED NONE COST 10)
sim_test(fairness.long long sim_fairness)
set_tests_properties(sim.fairness.long PROPERTIES TIMEOUT 3600)

# Packets sprayed over replicas that are clogged, die and come back.
sim_program(sim_spray)
sim_test(spray sim sim_spray --seeds 5 SANITIZED sim_spray --seeds 1 COST 10)
sim_test(spray.long long sim_spray --seeds 100)
