#include "footprint.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <syncmap/detail/cache_line.hpp>

#include "rounds.hpp"
#include "sandbox.hpp"

namespace syncmap::bench {

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
namespace {

constexpr unsigned copies = 64; ///< a mean: what is made for several maps at once is shared by them
/// The smallest block of malloc, in bytes. A mean of less than half of it is no block of each map, but what malloc leaves over
/// where it aligns the objects; that depends on what the process has allocated before.
constexpr double smallest_block = 32;

std::uint64_t heap_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

struct findings {
    std::uint64_t empty = 0; ///< bytes of all copies on the heap, with the objects that hold them
    std::uint64_t four = 0;
    std::uint64_t forty = 0;
};

using list = std::vector<std::unique_ptr<subject<std::uint64_t>>>;

void put(subject<std::uint64_t>& s, std::uint64_t first, std::uint64_t end) { insert_keys(*s.enter(), {first, end, 1}); }

/// Fills malloc's caches of small pieces, which count as in use. Returns the size of a block from malloc that holds one object.
std::size_t warm_up(const candidate& map) {
    list first(copies);
    for (auto& subject : first) put(*(subject = map.make<std::uint64_t>()), 0, 40);
    return malloc_usable_size(first.front().get());
}

findings weigh(const candidate& map) {
    warm_up(map);
    list subjects(copies);
    const std::uint64_t before = heap_in_use();
    for (auto& subject : subjects) subject = map.make<std::uint64_t>();
    const std::uint64_t made = heap_in_use();
    for (const auto& subject : subjects) put(*subject, 0, 4);
    const std::uint64_t four = heap_in_use();
    for (const auto& subject : subjects) put(*subject, 4, 40);
    return {made - std::min(made, before), four - before, heap_in_use() - before};
}

/// What the objects alone take, which are no part of a map's footprint. Other memory of their size and alignment takes their
/// place; of what malloc adds, and leaves over where it aligns, it takes the same.
std::uint64_t weigh_objects(const candidate& map) {
    const std::size_t size = warm_up(map);
    std::vector<void*> blocks(copies);
    const std::uint64_t before = heap_in_use();
    for (void*& block : blocks) block = std::aligned_alloc(syncmap::detail::cache_line_bytes, size);
    return heap_in_use() - before; // they go with the process
}

} // namespace

std::optional<footprint> measure_footprint(const candidate& map) {
    const auto apart = [&](const auto& work) {
        return run_apart([&] {
            promise_to_return_within(20);
            byte_writer out;
            out.put(work(map));
            return out.take();
        });
    };
    const sandbox_result objects = apart(weigh_objects);
    if (!objects.failure.empty()) return footprint{objects.failure};
    const sandbox_result ended = apart(weigh);
    if (!ended.failure.empty()) return footprint{ended.failure};
    const auto found = byte_reader(ended.answer).get<findings>();
    const auto of_objects = byte_reader(objects.answer).get<std::uint64_t>();
    const auto each = [&](std::uint64_t all) {
        const double mean = static_cast<double>(all - std::min(all, of_objects)) / copies;
        return mean < smallest_block / 2 ? 0.0 : mean;
    };
    return footprint{{}, each(found.empty), each(found.four), each(found.forty)};
}
#else
std::optional<footprint> measure_footprint(const candidate&) { return std::nullopt; }
#endif

} // namespace syncmap::bench
