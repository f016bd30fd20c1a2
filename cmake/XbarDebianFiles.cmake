# Run by cpack before it packs: what Debian's policy asks of every package beside the files of
# `cmake --install`.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX})
  set(doc ${root}/share/doc/${package})
  file(MAKE_DIRECTORY ${doc})
  file(READ ${CPACK_RESOURCE_FILE_LICENSE} license)
  file(WRITE ${doc}/copyright "${license}\n\
The program links Debian's CHOLMOD, which holds modules under the GPL, and oneDNN (Apache-2.0): as a\n\
whole it is distributed under the GNU General Public License, version 3; see\n\
/usr/share/common-licenses/GPL-3 and docs/adr/0004-licence.md in the sources.\n")
  file(REMOVE ${doc}/LICENSE)
  file(WRITE ${doc}/changelog "${package} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n\
  * Release ${CPACK_PACKAGE_VERSION}.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  file(GLOB pages ${root}/share/man/man1/*.1)
  # -n: neither name nor time, so that the same tree gives the same bytes.
  execute_process(COMMAND gzip -9nf ${doc}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)
  # Debian's zsh looks for functions of packages elsewhere.
  if(EXISTS ${root}/share/zsh/site-functions)
    file(RENAME ${root}/share/zsh/site-functions ${root}/share/zsh/vendor-completions)
  endif()
endforeach()
