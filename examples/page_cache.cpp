// Pages that are loaded once, renewed while they are used, and shown a little longer while their source is down.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <syncmap/cache.hpp>

int main() {
    using namespace std::chrono_literals;
    syncmap::manual_clock clock; // a program would leave it out
    int version = 0;
    bool is_down = false;
    syncmap::cache<std::string, std::string, syncmap::hash<std::string>, std::equal_to<>, syncmap::manual_clock> pages(
        {.capacity = 10'000,
         .expire_after_write = 5min,
         .jitter = 0.1,
         .refresh_after_write = 1min,
         .stale_if_error = 1h,
         .load =
             [&](const std::string& url) {
                 if (is_down) throw std::runtime_error("no connection");
                 return url + " version " + std::to_string(++version);
             },
         .clock = clock});

    std::printf("%s\n", pages.get_or_load("/index")->c_str());
    clock.advance(1min);
    std::printf("%s, renewed\n", pages.get_or_load("/index")->c_str());
    is_down = true;
    clock.advance(10min);
    std::printf("%s, though its source is down\n", pages.get_or_load("/index")->c_str());
    pages.put("/news", "for ten seconds", {.ttl = 10s});
    clock.advance(10s);
    const bool is_shown = pages.contains("/news");
    std::printf("/news is %s\n", is_shown ? "there" : "gone");
    return version == 2 && !is_shown ? 0 : 1;
}
