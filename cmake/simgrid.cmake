# busbar-bench on simulated hosts: the same engine, compiled against SimGrid's MPI. smpirun loads it as a library, and the
# platform as another.
if(BUSBAR_SANITIZERS)
  return()  # smpirun has no sanitizer's runtime
endif()
find_path(BUSBAR_SMPI_INCLUDE mpi.h PATHS /usr/include/smpi NO_DEFAULT_PATH)
find_library(BUSBAR_SIMGRID_LIBRARY simgrid)
find_program(BUSBAR_SMPIRUN smpirun)
mark_as_advanced(BUSBAR_SMPI_INCLUDE BUSBAR_SIMGRID_LIBRARY BUSBAR_SMPIRUN)
if(NOT BUSBAR_SMPI_INCLUDE OR NOT BUSBAR_SIMGRID_LIBRARY OR NOT BUSBAR_SMPIRUN)
  message(STATUS "Simulated fabrics: SimGrid (libsimgrid-dev) not found, left out")
  return()
endif()
set(BUSBAR_SIMGRID ${BUSBAR_SIMGRID_LIBRARY})

# What includes mpi.h is compiled once more, as one file: that takes half the time.
file(GLOB busbar_sim_sources CONFIGURE_DEPENDS src/sim/*.cpp)
set(busbar_sim_mpi_sources ${busbar_mpi_sources})
list(FILTER busbar_sim_sources EXCLUDE REGEX "/platform\\.cpp$")
list(FILTER busbar_sim_mpi_sources EXCLUDE REGEX "/(mpi_equipment|mpi_machine|mpi_tool)\\.cpp$")
set(busbar_sim_all "")
foreach(source IN LISTS busbar_sim_sources busbar_sim_mpi_sources)
  string(APPEND busbar_sim_all "#include \"${source}\"\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/busbar_bench_sim.cpp CONTENT "${busbar_sim_all}")
add_library(busbar-bench-sim MODULE ${PROJECT_BINARY_DIR}/busbar_bench_sim.cpp)
set_target_properties(busbar-bench-sim PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
target_include_directories(busbar-bench-sim SYSTEM PRIVATE ${BUSBAR_SMPI_INCLUDE})
target_compile_definitions(busbar-bench-sim PRIVATE
  BUSBAR_COMPILER="${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
target_compile_options(busbar-bench-sim PRIVATE -O1)  # time is simulated
target_link_libraries(busbar-bench-sim PRIVATE busbar-engine ${BUSBAR_SIMGRID_LIBRARY})
# Every simulated process loads a copy of its own.
target_link_options(busbar-bench-sim PRIVATE -s -Wl,--gc-sections -Wl,--as-needed)

add_library(busbar-sim-platform MODULE src/sim/platform.cpp)
set_target_properties(busbar-sim-platform PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
target_compile_options(busbar-sim-platform PRIVATE -O0)  # reads one small file
target_link_libraries(busbar-sim-platform PRIVATE ${BUSBAR_SIMGRID_LIBRARY})
