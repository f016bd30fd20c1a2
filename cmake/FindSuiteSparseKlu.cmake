# Finds KLU of SuiteSparse 5 (which ships no CMake package) or newer.
# Yields the target SuiteSparse::KLU.
if(NOT TARGET SuiteSparse::KLU)
  find_package(KLU CONFIG QUIET)
endif()
if(NOT TARGET SuiteSparse::KLU)
  find_path(KLU_INCLUDE_DIR klu.h PATH_SUFFIXES suitesparse)
  find_library(KLU_LIBRARY klu)
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(SuiteSparseKlu REQUIRED_VARS KLU_LIBRARY KLU_INCLUDE_DIR)
  if(SuiteSparseKlu_FOUND)
    add_library(SuiteSparse::KLU UNKNOWN IMPORTED)
    set_target_properties(
      SuiteSparse::KLU PROPERTIES IMPORTED_LOCATION "${KLU_LIBRARY}"
                                  INTERFACE_INCLUDE_DIRECTORIES "${KLU_INCLUDE_DIR}")
  endif()
else()
  set(SuiteSparseKlu_FOUND TRUE)
endif()
