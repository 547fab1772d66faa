# What an MPI program calls, counted: a library to be loaded before MPI's own.
if(BUSBAR_SANITIZERS)
  return()  # a sanitizer's runtime must be the program's, and the programs it is loaded into have none
endif()
file(GLOB busbar_mpi_capture_sources CONFIGURE_DEPENDS src/plugins/mpi_capture/*.cpp)
set(busbar_mpi_capture_exports ${PROJECT_SOURCE_DIR}/src/plugins/mpi_capture/exports.map)
add_library(busbar-capture-mpi MODULE ${busbar_mpi_capture_sources} src/plugins/report_file.cpp)
set_target_properties(busbar-capture-mpi PROPERTIES PREFIX lib LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
  LINK_DEPENDS ${busbar_mpi_capture_exports})
busbar_compile_together(busbar-capture-mpi 16)
target_include_directories(busbar-capture-mpi PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(busbar-capture-mpi PRIVATE busbar-options MPI::MPI_CXX Threads::Threads nlohmann_json::nlohmann_json)
# As the NCCL plugins: it goes into programs whose C++ runtime is older than this compiler's, or that have none.
target_link_options(busbar-capture-mpi PRIVATE -Wl,--version-script=${busbar_mpi_capture_exports} -Wl,-z,nodelete
  -Wl,-z,defs -static-libstdc++ -static-libgcc -Wl,--gc-sections)

if(BUSBAR_TESTS)
  # A program whose calls are known, for the end-to-end tests.
  add_executable(mpi_calls tests/programs/mpi_calls.cpp)
  target_link_libraries(mpi_calls PRIVATE busbar-options MPI::MPI_CXX)
endif()
