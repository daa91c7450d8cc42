# Headers, the CMake package and the pkg-config file. Nothing depends on the architecture, so all goes below share/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/syncmap)
set(pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(TARGETS syncmap EXPORT syncmap-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT syncmap-targets NAMESPACE syncmap:: DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/syncmap-config.cmake.in
                              ${PROJECT_BINARY_DIR}/syncmap-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0.0 a new minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/syncmap-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/syncmap-config.cmake ${PROJECT_BINARY_DIR}/syncmap-config-version.cmake
        DESTINATION ${package_dir})

# The prefix is told relative to the file, so that an installed tree can be moved.
file(RELATIVE_PATH pkgconfig_to_prefix ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pkgconfig_to_prefix ${pkgconfig_to_prefix})
configure_file(${CMAKE_CURRENT_LIST_DIR}/syncmap.pc.in ${PROJECT_BINARY_DIR}/syncmap.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/syncmap.pc DESTINATION ${pkgconfig_dir})
