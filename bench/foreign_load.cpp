#include "foreign_load.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace syncmap::bench {
namespace {

/// Seconds in which a processor of the machine did anything, stolen time included.
std::optional<double> machine_busy() {
    std::ifstream file("/proc/stat");
    std::string label;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
    if (!(file >> label >> user >> nice >> system >> idle >> waiting >> interrupts >> soft >> stolen)) return std::nullopt;
    return (user + nice + system + interrupts + soft + stolen) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double seconds_of(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

double own_time() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

} // namespace

foreign_load::foreign_load() : busy_(machine_busy()), own_(own_time()) {}

std::optional<double> foreign_load::share() const {
    const std::optional<double> busy = machine_busy();
    if (!busy || !busy_) return std::nullopt;
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double all = elapsed * static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    return std::clamp((*busy - *busy_ - (own_time() - own_)) / all, 0.0, 1.0);
}

} // namespace syncmap::bench
