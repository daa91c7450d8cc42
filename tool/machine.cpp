#include "machine.hpp"

#include <fstream>

#include <sys/utsname.h>
#include <unistd.h>

#include "build_flags.hpp"
#include "thread_team.hpp"

namespace syncmap::tool {
namespace {

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown processor";
}

std::string compiler_name() {
#if defined(__clang__)
    return "Clang " __clang_version__;
#elif defined(__GNUC__)
    return "GCC " __VERSION__;
#else
    return "unknown compiler";
#endif
}

} // namespace

machine this_machine() {
    utsname system{};
    uname(&system);
    const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return {processor_name(), bench::usable_processors(),
            pages * page,     std::string(system.sysname) + ' ' + system.release,
            compiler_name(),  build_flags,
            build_commit};
}

} // namespace syncmap::tool
