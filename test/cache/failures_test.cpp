// User code that throws, and user code that uses the cache, at the moments when the cache has something in hand.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>

#include <gtest/gtest.h>

namespace {

/// Counts down at each call of user code, and throws at zero.
struct fuse {
    static inline int left = -1;
    static void burn() {
        if (left > 0 && --left == 0) throw std::runtime_error("fuse");
    }
};

struct fragile {
    std::uint64_t number = 0;
    fragile(std::uint64_t n) : number(n) {}
    fragile(const fragile& other) : number(other.number) { fuse::burn(); }
    fragile& operator=(const fragile&) = default;
    friend bool operator==(const fragile& a, const fragile& b) {
        fuse::burn();
        return a.number == b.number;
    }
};
struct fragile_hash {
    std::size_t operator()(const fragile& f) const {
        fuse::burn();
        return static_cast<std::size_t>(f.number * 0x9E3779B97F4A7C15U);
    }
};
template <class T>
struct fragile_allocator {
    using value_type = T;
    fragile_allocator() = default;
    template <class U>
    fragile_allocator(const fragile_allocator<U>&) noexcept {}
    T* allocate(std::size_t n) {
        if (fuse::left > 0 && --fuse::left == 0) throw std::bad_alloc();
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept { std::allocator<T>().deallocate(p, n); }
    friend bool operator==(const fragile_allocator&, const fragile_allocator&) noexcept { return true; }
};
using fragile_cache = syncmap::cache<fragile, fragile, fragile_hash, std::equal_to<>, syncmap::coarse_clock,
                                     fragile_allocator<std::pair<const fragile, fragile>>>;

/// Lets every call of user code fail in turn, and then asks whether a permit was lost or made.
template <class F>
void with_each_call_failing(F operation, const fragile_cache::options_type& options = {.capacity = 5}) {
    bool failed = true;
    for (int at = 1; failed; ++at) {
        fragile_cache c(options);
        for (std::uint64_t i = 0; i < 12; ++i) c.put(fragile(i), fragile(i));
        const std::size_t before = c.size();
        ASSERT_EQ(before, 5U);
        fuse::left = at;
        try {
            operation(c);
        } catch (const std::runtime_error&) { // NOLINT(bugprone-empty-catch): the fuse, or bad_alloc
        } catch (const std::bad_alloc&) {}
        failed = fuse::left == 0;
        fuse::left = -1;
        ASSERT_LE(c.size(), 5U);
        for (std::uint64_t i = 100; i < 140; ++i) {
            c.put(fragile(i), fragile(i));
            ASSERT_LE(c.size(), 5U);
        }
        ASSERT_EQ(c.size(), 5U) << "a permit was lost when call " << at << " failed";
    }
}

TEST(cache_failures, lose_no_permit_in_a_put) {
    with_each_call_failing([](fragile_cache& c) { c.put(fragile(50), fragile(1)); });
}
TEST(cache_failures, lose_no_permit_in_an_overwrite) {
    with_each_call_failing([](fragile_cache& c) {
        c.for_each([&](const fragile& key, const fragile&) {
            c.put(fragile(key.number), fragile(1));
            return false;
        });
    });
}
TEST(cache_failures, lose_no_permit_in_an_update) {
    with_each_call_failing([](fragile_cache& c) { c.update(fragile(50), [](const fragile*) { return fragile(1); }); });
}
TEST(cache_failures, lose_no_permit_in_a_load) {
    with_each_call_failing(
        [](fragile_cache& c) { static_cast<void>(c.get_or_load(fragile(50), [](const fragile&) { return fragile(1); })); });
}
TEST(cache_failures, lose_no_permit_in_a_load_that_finds_nothing_and_one_that_throws) {
    int calls = 0;
    with_each_call_failing(
        [&](fragile_cache& c) {
            const auto load = [&](const fragile& key) -> std::optional<fragile> {
                ++calls;
                if (key.number == 50) return std::nullopt;
                throw std::runtime_error("no");
            };
            EXPECT_EQ(c.get_or_load(fragile(50), load), std::nullopt); // whether that can be remembered or not
            static_cast<void>(c.get_or_load(fragile(51), load));
        },
        {.capacity = 5, .negative_ttl = std::chrono::hours(1), .error_ttl = std::chrono::hours(1)});
    EXPECT_GT(calls, 10);
}
TEST(cache_failures, lose_no_permit_in_an_invalidation) {
    with_each_call_failing([](fragile_cache& c) {
        for (std::uint64_t i = 0; i < 12; ++i) c.invalidate(fragile(i));
    });
}

// ---- destructors that use the cache ----

/// Its destructor does something else.
struct talkative {
    std::shared_ptr<std::function<void()>> at_end;
    explicit talkative(std::shared_ptr<std::function<void()>> f) : at_end(std::move(f)) {}
    talkative(talkative&& other) noexcept : at_end(std::move(other.at_end)) {}
    ~talkative() {
        if (at_end && *at_end) (*at_end)();
    }
};

TEST(cache_failures, destructors_of_values_may_put) {
    for (const std::size_t capacity : {1U, 2U, 10U}) {
        // Declared before the cache: the destructors run until it is gone.
        bool is_over = false;
        int depth = 0;
        std::uint64_t next = 1'000'000;
        syncmap::cache<std::uint64_t, talkative>* self = nullptr;
        const auto put_another = std::make_shared<std::function<void()>>();
        *put_another = [&] {
            if (is_over || depth == 2) return;
            ++depth;
            self->put(next++, talkative(std::make_shared<std::function<void()>>()));
            --depth;
        };
        {
            syncmap::cache<std::uint64_t, talkative> c({.capacity = capacity});
            self = &c;
            for (std::uint64_t i = 0; i < 2'000; ++i) {
                c.put(i, talkative(put_another));
                if (i % 5 == 0) c.invalidate(i);
                if (i % 500 == 0) c.invalidate_all();
                c.flush();
                ASSERT_LE(c.size(), capacity);
            }
            is_over = true;
        }
    }
}

/// Uses a cache while its thread ends.
struct last_user {
    using string_cache = syncmap::cache<std::uint64_t, std::string>;
    string_cache* of = nullptr;
    std::uint64_t number = 0;

    static void use(string_cache& c, std::uint64_t number) {
        c.put(number % 23, "put");
        static_cast<void>(c.get_or_load(number % 31, [] { return std::string("loaded"); }));
        c.update(number % 5, [](const std::string*) { return std::string("updated"); });
        c.invalidate(number % 7);
        if (number % 17 == 0) c.invalidate_all();
    }
    ~last_user() {
        if (of != nullptr) use(*of, number);
    }
};
thread_local last_user at_end;

TEST(cache_failures, lose_no_permit_with_threads_that_end) {
    constexpr std::size_t capacity = 10;
    last_user::string_cache c({.capacity = capacity});
    for (std::uint64_t n = 0; n < 200; n += 4) {
        std::vector<std::jthread> threads;
        for (std::uint64_t i = 0; i < 4; ++i) {
            threads.emplace_back([&c, number = n + i] {
                at_end.of = &c;
                at_end.number = number;
                last_user::use(c, number + 1);
            });
        }
    }
    c.flush();
    for (std::uint64_t key = 100; key < 100 + capacity; ++key) c.put(key, "new");
    EXPECT_EQ(c.size(), capacity);
}

} // namespace
