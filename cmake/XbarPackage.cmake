# `cpack -G DEB` in a release build, configured with -DCMAKE_INSTALL_PREFIX=/usr so that libraries lie
# where Debian has them, makes two packages:
#   xbar      the program, its manual page, completions and device files
#   xbar-dev  headers, static libraries, CMake and pkg-config files
set(XBAR_MAINTAINER "The xbar authors <xbar@xbar.invalid>"
    CACHE STRING "Name and address that packages carry")

set(CPACK_PACKAGE_NAME xbar)
set(CPACK_PACKAGE_VENDOR "The xbar authors")
set(CPACK_PACKAGE_CONTACT "${XBAR_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "circuit-accurate resistive crossbars for neural networks")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/XbarDebianFiles.cmake")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME xbar)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "ngspice, chromium")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
    "Solves resistive crossbar arrays with their wires exactly and by fast
surrogates, trains neural networks through them, and re-maps trained
networks so that wires cost less. This package holds the program xbar.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME xbar-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "xbar, pkgconf | pkg-config, cmake")
# What cmake/xbarConfig.cmake and the pkg-config files look for.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libboost-dev, libceres-dev, libdnnl-dev, libeigen3-dev, libfmt-dev, libjpeg-dev, \
libprotobuf-dev, libsuitesparse-dev, libzip-dev, protobuf-compiler, zlib1g-dev")
if(HDF5_FOUND)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libhdf5-dev")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "Solves resistive crossbar arrays with their wires exactly and by fast
surrogates, trains neural networks through them, and re-maps trained
networks so that wires cost less. This package holds headers and static
libraries, with CMake and pkg-config files.")

include(CPack)
