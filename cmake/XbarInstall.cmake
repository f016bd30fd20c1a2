# Installation: `cmake --install build/release --prefix DIR` gives DIR/bin/xbar, the headers, the
# static libraries and a CMake package:
#
#   find_package(xbar 0.1 REQUIRED COMPONENTS solver)
#   target_link_libraries(mine PRIVATE xbar::solver)
#
# and for other build systems `pkg-config --static --cflags --libs xbar-solver`.
#
# The libraries themselves are installed by xbar_add_library (XbarTargets.cmake).
include(CMakePackageConfigHelpers)

set(XBAR_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/xbar)

install(EXPORT xbarTargets NAMESPACE xbar:: DESTINATION ${XBAR_PACKAGE_DIR})

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/xbarConfig.cmake.in ${PROJECT_BINARY_DIR}/package/xbarConfig.cmake
  INSTALL_DESTINATION ${XBAR_PACKAGE_DIR}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may change the interface (CHANGELOG.md).
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/package/xbarConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/package/xbarConfig.cmake
        ${PROJECT_BINARY_DIR}/package/xbarConfigVersion.cmake
        # A static library hands its private dependencies on to whoever links it, so a consumer
        # has to find them too, by the same modules.
        ${CMAKE_CURRENT_LIST_DIR}/Finddnnl.cmake
        ${CMAKE_CURRENT_LIST_DIR}/Findlibzip.cmake
        ${CMAKE_CURRENT_LIST_DIR}/FindSuiteSparseCholmod.cmake
        ${CMAKE_CURRENT_LIST_DIR}/FindSuiteSparseKlu.cmake
  DESTINATION ${XBAR_PACKAGE_DIR})

include(XbarPkgConfig)

if(TARGET xbar)
  install(TARGETS xbar RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
# The program writes its own manual page and completions, where it runs on this machine.
if(TARGET xbar AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
  set(pages ${PROJECT_BINARY_DIR}/pages)
  set(written ${pages}/xbar.1 ${pages}/xbar ${pages}/_xbar ${pages}/xbar.fish)
  file(MAKE_DIRECTORY ${pages})
  add_custom_command(
    OUTPUT ${written}
    COMMAND xbar man > ${pages}/xbar.1
    COMMAND xbar completion bash > ${pages}/xbar
    COMMAND xbar completion zsh > ${pages}/_xbar
    COMMAND xbar completion fish > ${pages}/xbar.fish
    DEPENDS xbar
    VERBATIM)
  add_custom_target(xbar_pages ALL DEPENDS ${written})
  set(share ${CMAKE_INSTALL_DATADIR})
  install(FILES ${pages}/xbar.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${pages}/xbar DESTINATION ${share}/bash-completion/completions COMPONENT program)
  install(FILES ${pages}/_xbar DESTINATION ${share}/zsh/site-functions COMPONENT program)
  install(FILES ${pages}/xbar.fish DESTINATION ${share}/fish/vendor_completions.d
          COMPONENT program)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

if(PROJECT_IS_TOP_LEVEL)
  include(XbarPackage)
endif()
