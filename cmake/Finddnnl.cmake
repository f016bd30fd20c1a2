# Finds oneDNN by its header and library. Yields the target DNNL::dnnl.
# Debian's own CMake package asks for the OpenCL development files as well, which the CPU engine
# used here does not need.
if(NOT TARGET DNNL::dnnl)
  find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
  find_library(DNNL_LIBRARY dnnl)
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(dnnl REQUIRED_VARS DNNL_LIBRARY DNNL_INCLUDE_DIR)
  if(dnnl_FOUND)
    add_library(DNNL::dnnl UNKNOWN IMPORTED)
    set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION "${DNNL_LIBRARY}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${DNNL_INCLUDE_DIR}")
  endif()
  mark_as_advanced(DNNL_INCLUDE_DIR DNNL_LIBRARY)
else()
  set(dnnl_FOUND TRUE)
endif()
