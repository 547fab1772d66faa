# Required: without these there is no engine.
set(MPI_CXX_SKIP_MPICXX TRUE)  # the long-deprecated C++ bindings warn, and nobody uses them
find_package(MPI REQUIRED COMPONENTS CXX)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)


# Optional: found or reported as left out.
pkg_check_modules(hwloc IMPORTED_TARGET hwloc)
pkg_check_modules(ucx IMPORTED_TARGET ucx>=1.13)
find_package(CUDAToolkit QUIET)
find_path(BUSBAR_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(BUSBAR_NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
mark_as_advanced(BUSBAR_NCCL_INCLUDE BUSBAR_NCCL_LIBRARY)
