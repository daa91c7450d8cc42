// Recipe: a map that lives in memory you give it (std::pmr), here one buffer and never the heap.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory_resource>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

using price_allocator = std::pmr::polymorphic_allocator<std::pair<const std::uint64_t, double>>;
using price_map = syncmap::map<std::uint64_t, double, syncmap::hash<std::uint64_t>, std::equal_to<>, price_allocator>;

alignas(std::max_align_t) constinit std::array<std::byte, 8 << 20> buffer{};

int main() {
    // The null resource throws when it is asked, so every byte below is proven to come from the buffer.
    std::pmr::monotonic_buffer_resource arena(buffer.data(), buffer.size(), std::pmr::null_memory_resource());
    // Any thread may allocate: the resource that the map sees has to be one for many threads.
    std::pmr::synchronized_pool_resource pool(&arena);
    price_map prices{price_allocator(&pool)};
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&prices, thread] {
                for (std::uint64_t i = 0; i < 2'500; ++i) prices.store(thread * 2'500 + i, 0.5);
            });
        }
    }
    std::cout << prices.size() << " prices in a buffer of " << buffer.size() / 1024 << " KiB\n";
    return prices.size() == 10'000 && prices.load(9'999) == 0.5 ? 0 : 1;
}
