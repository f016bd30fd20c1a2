# Installs BUILD_DIR into PREFIX, which is emptied first so that nothing old can help.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${PREFIX}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "cmake --install ${BUILD_DIR} failed (is everything built?):\n${output}")
endif()
file(GLOB_RECURSE stray RELATIVE ${PREFIX} ${PREFIX}/include/*.in ${PREFIX}/include/*.cpp)
if(stray)
  message(FATAL_ERROR "installed, but not headers: ${stray}")
endif()
