# Everything optional is built by default only when xbar is the top-level project.
option(XBAR_BUILD_CLI "Build the xbar program" ${PROJECT_IS_TOP_LEVEL})
option(XBAR_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(XBAR_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(XBAR_BUILD_BENCH "Build the benchmarks" OFF)
option(XBAR_BUILD_FUZZ "Build the libFuzzer harnesses (clang)" OFF)
option(XBAR_MPI "Sweeps and training over several processes, where MPI is found" ON)
option(XBAR_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
set(XBAR_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")
option(XBAR_COVERAGE "Instrument for gcovr" OFF)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(XBAR_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND XBAR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${XBAR_CCACHE}")
endif()
