# One pkg-config file a library, xbar-NAME.pc, and xbar.pc for all of them:
#
#   c++ -std=c++20 mine.cpp $(pkg-config --static --cflags --libs xbar-solver)
#
# --static, since the libraries are archives: what they use themselves stands under the ".private"
# fields. Third-party libraries do so by name, not as packages, because those of a distribution are
# shared libraries that bring along what they need.

# What the public headers of a library include: as packages.
set(XBAR_PKGCONFIG_Eigen3::Eigen eigen3)
set(XBAR_PKGCONFIG_fmt::fmt fmt)

# The linker's words for a library file: by name where the linker finds it by itself.
function(xbar_link_words file out)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(name ${file} NAME)
  if(folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES AND name MATCHES "^lib(.+)\\.(so|a)$")
    set(${out} -l${CMAKE_MATCH_1} PARENT_SCOPE)
  else()
    set(${out} ${file} PARENT_SCOPE)
  endif()
endfunction()

# The file of an imported target; empty if it is headers only.
function(xbar_imported_file target out)
  set(${out} "" PARENT_SCOPE)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
  set(properties IMPORTED_LOCATION)
  foreach(configuration IN LISTS configurations)
    list(APPEND properties IMPORTED_LOCATION_${configuration})
  endforeach()
  foreach(property IN LISTS properties)
    get_target_property(file ${target} ${property})
    if(file)
      # A name with a version is for running; the linker takes the one without.
      string(REGEX REPLACE "\\.so\\..*$" ".so" file ${file})
      set(${out} ${file} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "pkg-config: expected ${target} to say where its library is, found nothing")
endfunction()

# The linker's words for what a library links: a file, or an imported target with those that its
# headers need (Ceres Solver's call glog).
function(xbar_closure link out)
  set(all "")
  if(TARGET ${link})
    xbar_imported_file(${link} file)
    if(file)
      xbar_link_words(${file} words)
      list(APPEND all ${words})
    endif()
    get_target_property(links ${link} INTERFACE_LINK_LIBRARIES)
    foreach(next IN LISTS links)
      if(TARGET "${next}")
        xbar_closure(${next} words)
        list(APPEND all ${words})
      endif()
    endforeach()
  elseif(IS_ABSOLUTE ${link})
    xbar_link_words(${link} all)
  endif()
  set(${out} ${all} PARENT_SCOPE)
endfunction()

function(xbar_write_pkgconfig name description requires requires_private libs libs_private cflags)
  set(folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  # Relative, so that the installed tree may be moved.
  file(RELATIVE_PATH up /${folder} /)
  string(REGEX REPLACE "/$" "" up ${up})
  foreach(list IN ITEMS requires requires_private libs_private)
    list(REMOVE_DUPLICATES ${list})
    string(REPLACE ";" " " ${list} "${${list}}")
  endforeach()
  set(file ${PROJECT_BINARY_DIR}/package/${name}.pc)
  file(WRITE ${file} "\
prefix=\${pcfiledir}/${up}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}

Name: ${name}
Description: ${description}
Version: ${PROJECT_VERSION}
Requires: ${requires}
Requires.private: ${requires_private}
Libs: ${libs}
Libs.private: ${libs_private}
Cflags: -I\${includedir} ${cflags}
")
  install(FILES ${file} DESTINATION ${folder})
endfunction()

get_property(libraries GLOBAL PROPERTY XBAR_LIBRARIES)
set(all "")
foreach(library IN LISTS libraries)
  set(requires "")
  set(requires_private "")
  set(libs_private "")
  set(cflags "")
  get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
  foreach(link IN LISTS links)
    set(private FALSE)
    if(link MATCHES "^\\$<LINK_ONLY:(.*)>$")
      set(link ${CMAKE_MATCH_1})
      set(private TRUE)
    endif()
    if(link MATCHES "BUILD_INTERFACE")
      continue() # headers that users of the library do not see
    elseif(link MATCHES "^xbar::(.+)$")
      string(REPLACE _ - package xbar-${CMAKE_MATCH_1})
      if(private)
        list(APPEND requires_private ${package})
      else()
        list(APPEND requires ${package})
      endif()
    elseif(link STREQUAL "OpenMP::OpenMP_CXX")
      set(cflags ${OpenMP_CXX_FLAGS})
      list(APPEND libs_private ${OpenMP_CXX_FLAGS})
    elseif(DEFINED XBAR_PKGCONFIG_${link})
      list(APPEND requires ${XBAR_PKGCONFIG_${link}})
    else()
      xbar_closure(${link} words)
      list(APPEND libs_private ${words})
    endif()
  endforeach()
  string(REPLACE _ - package ${library})
  list(APPEND all ${package})
  xbar_write_pkgconfig(
    ${package} "${PROJECT_DESCRIPTION}: ${package}" "${requires}" "${requires_private}"
    "-L\${libdir} -l${library}" "${libs_private}" "${cflags}")
endforeach()
xbar_write_pkgconfig(xbar "${PROJECT_DESCRIPTION}" "${all}" "" "" "" "")
