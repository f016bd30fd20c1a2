include(GNUInstallDirs)

# Two components, which become two packages (XbarPackage.cmake): the program with its pages, and
# what is needed to build with the libraries. What does not say `program` is for the latter.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

# Compiler settings shared by every target of the project; never exported to consumers.
add_library(xbar_build_flags INTERFACE)
target_compile_options(xbar_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                  -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in std::string's operator+ (its bug 105651).
  target_compile_options(xbar_build_flags INTERFACE -Wno-restrict)
endif()
if(XBAR_WARNINGS_AS_ERRORS)
  target_compile_options(xbar_build_flags INTERFACE -Werror)
endif()
if(XBAR_SANITIZE)
  target_compile_options(xbar_build_flags INTERFACE -fsanitize=${XBAR_SANITIZE}
                                                    -fno-omit-frame-pointer -g)
  target_link_options(xbar_build_flags INTERFACE -fsanitize=${XBAR_SANITIZE})
  if(XBAR_SANITIZE MATCHES "undefined")
    target_compile_options(xbar_build_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
if(XBAR_COVERAGE)
  target_compile_options(xbar_build_flags INTERFACE --coverage)
  target_link_options(xbar_build_flags INTERFACE --coverage)
endif()

# xbar_add_library(NAME SOURCES ... HEADERS ... [KERNELS ...] LINK ... [LINK_PRIVATE ...])
# One library a folder: headers under include/xbar/NAME, sources under src. Public headers are
# checked to be self-contained where the compiler set-up allows it.
# KERNELS are sources compiled once for each instruction set, see core/isa.hpp.
function(xbar_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;KERNELS;LINK;LINK_PRIVATE" ${ARGN})
  set(target xbar_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(xbar::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(
    ${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                     $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(
    ${target}
    PUBLIC ${ARG_LINK}
    PRIVATE ${ARG_LINK_PRIVATE} $<BUILD_INTERFACE:xbar_build_flags>)
  if(ARG_KERNELS)
    xbar_add_kernels(${target} ${ARG_KERNELS})
  endif()
  install(TARGETS ${target} EXPORT xbarTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.hpp")
  set_property(GLOBAL APPEND PROPERTY XBAR_PUBLIC_HEADERS ${ARG_HEADERS})
  set_property(GLOBAL APPEND PROPERTY XBAR_LIBRARIES ${target})
endfunction()

# Compiles each source once per instruction-set level with XBAR_ISA naming the namespace, so that
# one binary runs well on an old and on a new CPU. Kernel sources may call nothing inline that
# other sources share (no Eigen, no std algorithms): the linker keeps one copy of an inline
# function and might keep the AVX-512 one.
function(xbar_add_kernels target)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(levels baseline avx2 avx512)
  else()
    set(levels baseline)
  endif()
  set(flags_baseline "")
  set(flags_avx2 -mavx2 -mfma -mbmi -mbmi2)
  set(flags_avx512 -mavx2 -mfma -mbmi -mbmi2 -mavx512f -mavx512dq -mavx512vl -mavx512bw
                   -mprefer-vector-width=512)
  set(optimise -O3)
  if(XBAR_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC would work for minutes on a kernel of inlined and checked loops, most of them on variable
    # tracking.
    set(optimise -O1 -fno-var-tracking)
  endif()
  foreach(level IN LISTS levels)
    set(object ${target}_kernels_${level})
    add_library(${object} OBJECT ${ARGN})
    target_compile_features(${object} PRIVATE cxx_std_20)
    target_compile_definitions(${object} PRIVATE XBAR_ISA=${level})
    # -fopenmp-simd: `omp simd` pragmas only; -fno-math-errno lets sqrt and division vectorise.
    target_compile_options(${object} PRIVATE ${flags_${level}} ${optimise} -fopenmp-simd
                                             -fno-math-errno -fno-trapping-math)
    target_include_directories(
      ${object} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
    target_link_libraries(${object} PRIVATE xbar_build_flags)
    set_target_properties(${object} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
  endforeach()
endfunction()
