# Sets SYNCMAP_VERSION from the one place that holds it, include/syncmap/version.hpp.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../include/syncmap/version.hpp lines
     REGEX "^#define SYNCMAP_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM lines REPLACE "^.* " "")
list(JOIN lines "." SYNCMAP_VERSION)
