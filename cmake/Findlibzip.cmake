# Finds libzip by its header and library. Yields the target libzip::zip.
# The CMake package of Debian 12 and Ubuntu 22.04 cannot be used: it insists on three command-line
# tools (zipcmp, zipmerge, ziptool) that live in packages of their own.
if(NOT TARGET libzip::zip)
  find_path(LIBZIP_INCLUDE_DIR zip.h)
  find_library(LIBZIP_LIBRARY zip)
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(libzip REQUIRED_VARS LIBZIP_LIBRARY LIBZIP_INCLUDE_DIR)
  if(libzip_FOUND)
    add_library(libzip::zip UNKNOWN IMPORTED)
    set_target_properties(
      libzip::zip PROPERTIES IMPORTED_LOCATION "${LIBZIP_LIBRARY}"
                             INTERFACE_INCLUDE_DIRECTORIES "${LIBZIP_INCLUDE_DIR}")
  endif()
  mark_as_advanced(LIBZIP_INCLUDE_DIR LIBZIP_LIBRARY)
else()
  set(libzip_FOUND TRUE)
endif()
