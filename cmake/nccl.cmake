# The transport nccl. NCCL itself is loaded at run time; its header, and CUDA's, must be here to build.
if(NOT BUSBAR_NCCL_INCLUDE OR NOT CUDAToolkit_FOUND)
  message(STATUS "Transport nccl: nccl.h or CUDA's headers not found, left out")
  return()
endif()
set(busbar_nccl_build_library "${BUSBAR_NCCL_LIBRARY}")
if(NOT busbar_nccl_build_library)
  set(busbar_nccl_build_library "")  # the header alone is enough
endif()

file(GLOB busbar_nccl_sources CONFIGURE_DEPENDS src/transport/nccl.cpp src/transport/nccl/*.cpp)
target_sources(busbar-engine PRIVATE ${busbar_nccl_sources})
target_include_directories(busbar-engine SYSTEM PUBLIC ${BUSBAR_NCCL_INCLUDE} ${CUDAToolkit_INCLUDE_DIRS})
target_compile_definitions(busbar-engine PUBLIC BUSBAR_HAS_NCCL PRIVATE
  BUSBAR_NCCL_BUILD_LIBRARY="${busbar_nccl_build_library}")
target_link_libraries(busbar-engine PUBLIC ${CMAKE_DL_LIBS})

if(NOT BUSBAR_TESTS)
  return()
endif()

# Fakes: host memory, MPI underneath. Tests name them in BUSBAR_NCCL_LIBRARY; nothing installs them.
file(GLOB busbar_nccl_fake_sources CONFIGURE_DEPENDS tests/fakes/nccl/*.cpp)
add_library(busbar-nccl-fake MODULE ${busbar_nccl_fake_sources})
set_target_properties(busbar-nccl-fake PROPERTIES PREFIX lib OUTPUT_NAME nccl-fake
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
busbar_compile_as_fake(busbar-nccl-fake)
target_precompile_headers(busbar-nccl-fake REUSE_FROM busbar-fake-headers)
target_include_directories(busbar-nccl-fake PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
target_include_directories(busbar-nccl-fake SYSTEM PRIVATE ${BUSBAR_NCCL_INCLUDE} ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(busbar-nccl-fake PRIVATE busbar-elements MPI::MPI_CXX ${CMAKE_DL_LIBS})

# The whole transport on fakes: three processes, no GPU.
file(GLOB busbar_nccl_test_sources CONFIGURE_DEPENDS tests/cpp/nccl/*.cpp)
add_executable(busbar-nccl-fake-tests ${busbar_nccl_test_sources})
add_dependencies(busbar-nccl-fake-tests busbar-nccl-fake busbar-gpu-fake busbar-nccl-profiler busbar-nccl-tuner)
target_include_directories(busbar-nccl-fake-tests PRIVATE ${PROJECT_SOURCE_DIR}/tests/cpp)
target_link_libraries(busbar-nccl-fake-tests PRIVATE busbar-mpi-main GTest::gtest GTest::gmock)
execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
set(as_root "")
if(user STREQUAL "0")
  set(as_root --allow-run-as-root)
endif()
set(three_processes ${MPIEXEC_EXECUTABLE} ${as_root} --oversubscribe --mca mpi_yield_when_idle 1 -np 3
  $<TARGET_FILE:busbar-nccl-fake-tests> --gtest_brief=1)
set(fakes
  BUSBAR_NCCL_LIBRARY=$<TARGET_FILE:busbar-nccl-fake> BUSBAR_GPU_PLATFORM=$<TARGET_FILE:busbar-gpu-fake>
  NCCL_PROFILER_PLUGIN=$<TARGET_FILE:busbar-nccl-profiler> NCCL_TUNER_PLUGIN=$<TARGET_FILE:busbar-nccl-tuner>
  ASAN_OPTIONS=detect_leaks=0)  # Open MPI leaks
add_test(NAME busbar-nccl-fake-tests COMMAND ${three_processes})
set_tests_properties(busbar-nccl-fake-tests PROPERTIES TIMEOUT 300 PROCESSORS 2 ENVIRONMENT "${fakes}")
# The oldest NCCL that is accepted: what it has no call for is made of sends and receives.
add_test(NAME busbar-nccl-fake-tests-2.18 COMMAND ${three_processes} --gtest_filter=*TheRightAnswer*:*OnPartsOf*)
set_tests_properties(busbar-nccl-fake-tests-2.18 PROPERTIES TIMEOUT 300 PROCESSORS 2
  ENVIRONMENT "${fakes};BUSBAR_FAKE_NCCL_VERSION=21803")

# What needs no MPI is in the ordinary tests.
target_compile_definitions(busbar-tests PRIVATE BUSBAR_NCCL_FAKE="$<TARGET_FILE:busbar-nccl-fake>")
add_dependencies(busbar-tests busbar-nccl-fake)
