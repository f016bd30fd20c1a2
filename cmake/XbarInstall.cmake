# Installation: `cmake --install build/release --prefix DIR` gives DIR/bin/xbar, the headers, the
# static libraries and a CMake package:
#
#   find_package(xbar 0.1 REQUIRED COMPONENTS solver)
#   target_link_libraries(mine PRIVATE xbar::solver)
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

if(TARGET xbar)
  install(TARGETS xbar RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
