#include "progress.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include <fmt/core.h>
#include <unistd.h>

namespace syncmap::tool {

progress_bar::progress_bar() : watched_(isatty(STDERR_FILENO) != 0) {}

void progress_bar::show(double share, std::string_view what) {
    if (!watched_) return;
    constexpr std::size_t width = 30;
    const auto done = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * width);
    fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {:3.0f} %  {}", "", done, "", width - done, share * 100, what);
    std::fflush(stderr);
    visible_ = true;
}

void progress_bar::clear() {
    if (!visible_) return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    visible_ = false;
}

} // namespace syncmap::tool
