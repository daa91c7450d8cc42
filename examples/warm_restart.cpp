// A cache that is saved when the program ends, and loaded when it starts again: the first requests find what was used most.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/cache/warm_restart.hpp>

struct page {
    std::string title;
    std::vector<int> links;
};

template <>
struct syncmap::serializer<page> {
    static constexpr const char* form = "page 1";
    static void write(byte_writer& to, const page& p) {
        to.put(p.title);
        to.put(p.links);
    }
    static page read(byte_reader& from) {
        auto title = from.get<std::string>();
        return {title, from.get<std::vector<int>>()};
    }
};

using page_cache = syncmap::cache<std::string, page>;

/// One run of a program: returns how many pages it had to make.
int run(const std::string& file) {
    page_cache pages({.capacity = 100});
    try {
        std::printf("%zu pages from the last run\n", pages.load(file));
    } catch (const std::exception& refused) { // torn, or of another version: begin empty
        std::printf("%s\n", refused.what());
    }
    int made = 0;
    for (int i = 0; i < 1'000; ++i) {
        const std::string url = "/" + std::to_string(i % 60);
        pages.visit(url, [](const page&) {}) || (++made, pages.put(url, page{"Page " + url, {i}}));
    }
    pages.save(file);
    return made;
}

int main() {
    const std::string file = "warm_restart.cache";
    std::remove(file.c_str());
    const int cold = run(file);
    const int warm = run(file);
    std::remove(file.c_str());
    std::printf("%d pages were made by the first run, %d by the second\n", cold, warm);
    return cold == 60 && warm == 0 ? 0 : 1;
}
