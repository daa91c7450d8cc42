// Threads that tell a cache's leaning of requests. Its shadow caches are plain memory: what goes wrong is a data race, which
// the search for mutants sees (plain_access.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <explore/allocator.hpp>
#include <explore/explorer.hpp>
#include <explore/sync.hpp>

#include <syncmap/cache/policy/leaning.hpp>

namespace explore::cache_bodies {

template <class F>
void a_leaning_that_two_threads_tell(F f) {
    f("hear|hear", [] {
        using leaning = syncmap::cache_detail::leaning<sync_policy, allocator<std::byte>>;
        using syncmap::cache_detail::request;
        constexpr std::size_t capacity = 64; // the fewest that have a sample
        const auto leans = std::make_unique<leaning>(capacity, allocator<std::byte>());
        const auto tell = [&](std::uint16_t name) {
            for (const request how : {request::new_miss, request::hit}) {
                leans->tell(1, [&](auto hear) {
                    hear(name, how);
                    hear(static_cast<std::uint16_t>(name + 1), how);
                });
            }
        };
        parallel([&] { tell(1); }, [&] { tell(2); });
    });
}

} // namespace explore::cache_bodies
