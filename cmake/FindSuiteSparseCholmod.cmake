# Finds CHOLMOD of SuiteSparse 5 (which ships no CMake package) or newer.
# Yields the target SuiteSparse::CHOLMOD.
if(NOT TARGET SuiteSparse::CHOLMOD)
  find_package(CHOLMOD CONFIG QUIET)
endif()
if(NOT TARGET SuiteSparse::CHOLMOD)
  find_path(CHOLMOD_INCLUDE_DIR cholmod.h PATH_SUFFIXES suitesparse)
  find_library(CHOLMOD_LIBRARY cholmod)
  find_library(SUITESPARSECONFIG_LIBRARY suitesparseconfig)
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(
    SuiteSparseCholmod REQUIRED_VARS CHOLMOD_LIBRARY CHOLMOD_INCLUDE_DIR SUITESPARSECONFIG_LIBRARY)
  if(SuiteSparseCholmod_FOUND)
    add_library(SuiteSparse::CHOLMOD UNKNOWN IMPORTED)
    set_target_properties(
      SuiteSparse::CHOLMOD
      PROPERTIES IMPORTED_LOCATION "${CHOLMOD_LIBRARY}"
                 INTERFACE_INCLUDE_DIRECTORIES "${CHOLMOD_INCLUDE_DIR}"
                 INTERFACE_LINK_LIBRARIES "${SUITESPARSECONFIG_LIBRARY}")
  endif()
else()
  set(SuiteSparseCholmod_FOUND TRUE)
endif()
