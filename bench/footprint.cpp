#include "footprint.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "rounds.hpp"
#include "sandbox.hpp"

namespace syncmap::bench {

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
namespace {

constexpr unsigned copies = 64; ///< a mean: what is made for several maps at once is shared by them

std::uint64_t heap_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

struct findings {
    double empty;
    double four;
};

findings weigh(const engine& map) {
    using list = std::vector<std::unique_ptr<subject<std::uint64_t>>>;
    const auto put_four = [](subject<std::uint64_t>& s) { insert_keys(*s.enter(), {0, 4, 1}); };
    { // fills malloc's caches of small pieces, which count as in use
        list first(copies);
        for (auto& subject : first) put_four(*(subject = map.make<std::uint64_t>()));
    }
    list subjects(copies);
    const std::uint64_t before = heap_in_use();
    for (auto& subject : subjects) subject = map.make<std::uint64_t>();
    std::uint64_t objects = 0; // the maps themselves are no part of it, nor what malloc adds to them
    for (const auto& subject : subjects) objects += malloc_usable_size(subject.get()) + sizeof(std::size_t);
    const std::uint64_t made = heap_in_use();
    for (const auto& subject : subjects) put_four(*subject);
    const std::uint64_t filled = heap_in_use();
    const auto each = [&](std::uint64_t now) { return static_cast<double>(now - std::min(now, before + objects)) / copies; };
    return {each(made), each(filled)};
}

} // namespace

std::optional<footprint> measure_footprint(const engine& map) {
    const sandbox_result ended = run_apart([&] {
        promise_to_return_within(20);
        byte_writer out;
        out.put(weigh(map));
        return out.take();
    });
    if (!ended.failure.empty()) return footprint{ended.failure};
    const auto found = byte_reader(ended.answer).get<findings>();
    return footprint{{}, found.empty, found.four};
}
#else
std::optional<footprint> measure_footprint(const engine&) {
    return std::nullopt;
}
#endif

} // namespace syncmap::bench
