# The commit that is built, as `commit` in xbar_commit.hpp, looked up at every build.
#
# Included, it defines xbar_add_commit_header(TARGET); run with -P, it writes the header OUT for the
# sources in SOURCE: "unknown" outside a git checkout. An unchanged header is left alone.

if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(
    COMMAND git describe --always --dirty --tags
    WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET
    RESULT_VARIABLE failure)
  if(failure)
    set(commit unknown)
  endif()
  file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#pragma once

namespace xbar {

/// What `git describe` said of the sources.
inline constexpr const char* commit = "@commit@";

}  // namespace xbar
]] @ONLY)
  return()
endif()

set(XBAR_COMMIT_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(xbar_add_commit_header target)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/commit)
  add_custom_target(
    ${target}_commit
    BYPRODUCTS ${folder}/xbar_commit.hpp
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${folder}/xbar_commit.hpp -P
            ${XBAR_COMMIT_SCRIPT}
    COMMENT "")
  add_dependencies(${target} ${target}_commit)
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
