// The programs of the cache's time: entries that have expired, beside threads that replace and remove them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include <explore/cache_program.hpp>

namespace explore::cache_bodies {

/// A cache of two entries that live for ten nanoseconds, with one that was put at the time 0, and the time.
template <class Body>
void with_timed_cache(Body body) {
    explored_clock::time_of_cache time{0};
    with_cache(
        explored_cache::options_type{
            .capacity = 2, .expire_after_write = std::chrono::nanoseconds(10), .clock = {&time}, .statistics = false},
        [&](explored_cache& c) {
            c.put(probe(keys::first), probe(1));
            body(c, time);
        });
}

template <class F>
void an_expired_entry_beside_puts_and_a_get(F f) {
    f("expired: put|put if absent|get", [] {
        with_timed_cache([](explored_cache& c, auto& time) {
            c.put(probe(keys::second), probe(1));
            time.store(10, std::memory_order_seq_cst);
            parallel([&] { c.put(probe(keys::first), probe(2)); }, [&] { c.put_if_absent(probe(keys::first), probe(3)); },
                     [&] { require(c.number(keys::first) != 1, "an expired value is not shown"); });
            require(c.number(keys::first) == 2, "the put came last, or kept the other out");
            require(c.put_if_absent(probe(keys::second), probe(4)), "an expired entry is absent for a write");
            time.store(30, std::memory_order_seq_cst);
            require(!c.invalidate(probe(keys::second)), "and for an erase");
            require(c.size() == 1, "which takes it away");
        });
    });
}

template <class F>
void removals_beside_a_put_that_renews(F f) {
    f("expire|expire|put", [] {
        with_timed_cache([](explored_cache& c, auto& time) {
            time.store(10, std::memory_order_seq_cst);
            std::size_t removed = 0;
            std::size_t removed_too = 0;
            parallel([&] { removed = c.expire_now(); }, [&] { removed_too = c.expire_now(); },
                     [&] { c.put(probe(keys::first), probe(2)); });
            require(removed + removed_too <= 1, "an entry is removed once");
            require(c.number(keys::first) == 2, "a value that was put afterwards stays");
        });
    });
}

template <class F>
void an_end_beside_an_eviction_and_an_update(F f) {
    f("time passes, expire|puts|update", [] {
        with_timed_cache([](explored_cache& c, auto& time) {
            c.put(probe(keys::second), probe(1));
            parallel(
                [&] {
                    time.store(10, std::memory_order_seq_cst);
                    c.expire_now();
                },
                [&] { c.put(probe(keys::apart), probe(2)); },
                [&] {
                    c.update(probe(keys::first), [](const probe* now) {
                        require(now == nullptr || now->number() == 1, "an update is shown the entry or none");
                        return probe(3);
                    });
                });
        });
    });
}

/// A load of a key whose entry has expired, beside a write of the key.
template <class F>
void loads_of_an_expired_key_are_beaten(F f) {
    for (const bool puts : {true, false}) {
        f(std::string("expired: load|") + (puts ? "put" : "invalidate"), [puts] {
            with_timed_cache([&](explored_cache& c, auto& time) {
                time.store(10, std::memory_order_seq_cst);
                sync_policy::atomic<std::uint64_t> version{5};
                const auto load = [&] {
                    const auto entry = c.pin_or_load(
                        probe(keys::first), [&](const probe&) { return probe(version.load(std::memory_order_seq_cst)); });
                    return entry.value().number();
                };
                parallel([&] { require(load() != 1, "an expired value answers no load"); },
                         [&] {
                             version.store(6, std::memory_order_seq_cst);
                             if (puts) {
                                 c.put(probe(keys::first), probe(6));
                             } else {
                                 c.invalidate(probe(keys::first));
                             }
                             const auto value = c.number(keys::first);
                             require(!value || *value == 6, "what was loaded before is not seen after");
                         });
                const auto value = c.number(keys::first);
                require(!value || *value == 6, "what was loaded before does not come later");
            });
        });
    }
}

template <class F>
void a_hit_that_prolongs_beside_a_put(F f) {
    f("get that prolongs|put", [] {
        explored_clock::time_of_cache time{0};
        with_cache(
            explored_cache::options_type{
                .capacity = 2, .expire_after_access = std::chrono::nanoseconds(64), .clock = {&time}, .statistics = false},
            [&](explored_cache& c) {
                c.put(probe(keys::first), probe(1));
                time.store(40, std::memory_order_seq_cst);
                parallel([&] { require(c.number(keys::first) == 1, "it is there"); },
                         [&] { c.put(probe(keys::second), probe(2)); });
                time.store(70, std::memory_order_seq_cst);
                require(c.number(keys::first) == 1, "a used entry lives on");
            });
    });
}

/// Two hits that find an entry due, beside a put: one of them renews it, and the put wins.
template <class F>
void hits_that_renew_beside_a_put(F f) {
    f("renew|renew|put", [] {
        explored_clock::time_of_cache time{0};
        with_cache(
            explored_cache::options_type{
                .capacity = 2, .refresh_after_write = std::chrono::nanoseconds(10'000), .clock = {&time}, .statistics = false},
            [&](explored_cache& c) {
                c.put(probe(keys::first), probe(1));
                time.store(20'000, std::memory_order_seq_cst);
                unsigned calls = 0;
                const auto load = [&] {
                    const auto entry = c.pin_or_load(probe(keys::first), [&] {
                        ++calls;
                        return probe(2);
                    });
                    const std::uint64_t got = entry.value().number();
                    require(got == 1 || got == 2 || got == 9, "each hit has a value");
                };
                parallel(load, load, [&] { c.put(probe(keys::first), probe(9)); });
                require(calls <= 1, "one of them renews");
                require(c.number(keys::first) == 9, "a renewal does not undo a put");
            });
    });
}

/// A load that is to renew an entry finds nothing, and is beaten by a put.
template <class F>
void a_renewal_that_finds_nothing_beside_a_put(F f) {
    f("renew that finds nothing|put", [] {
        with_cache(2U, [&](explored_cache& c) {
            c.put(probe(keys::first), probe(1));
            sync_policy::atomic<bool> has_begun{false};
            bool is_beaten = false;
            parallel(
                [&] {
                    c.refresh(probe(keys::first), [&]() -> std::optional<probe> {
                        has_begun.store(true, std::memory_order_seq_cst);
                        return std::nullopt;
                    });
                },
                [&] {
                    is_beaten = has_begun.load(std::memory_order_seq_cst);
                    c.put(probe(keys::first), probe(5));
                });
            require(!is_beaten || c.number(keys::first) == 5,
                    "a load erases no value that was put after its loader was called");
        });
    });
}

/// Loads of an expired key whose loader throws: the old value answers both.
template <class F>
void stale_values_answer_failed_loads(F f) {
    f("load that throws, stale|load|load", [] {
        explored_clock::time_of_cache time{0};
        with_cache(explored_cache::options_type{.capacity = 2,
                                                .expire_after_write = std::chrono::nanoseconds(10),
                                                .stale_if_error = std::chrono::nanoseconds(100),
                                                .clock = {&time},
                                                .statistics = false},
                   [&](explored_cache& c) {
                       c.put(probe(keys::first), probe(1));
                       time.store(10, std::memory_order_seq_cst);
                       unsigned calls = 0;
                       const auto load = [&] {
                           const auto entry = c.pin_or_load(probe(keys::first), [&]() -> probe {
                               ++calls;
                               throw std::runtime_error("no");
                           });
                           require(entry.value().number() == 1, "the old value answers");
                       };
                       parallel(load, load, [&] { require(c.expire_now() == 0, "it is kept for that"); });
                       require(calls == 1, "after a failure the loader rests");
                   });
    });
}

/// Ends of entries are filed and taken at the same time: none is lost.
template <class F>
void ends_are_filed_beside_removals(F f) {
    for (const bool removes_all : {true, false}) {
        f(std::string("put|") + (removes_all ? "expire" : "put of another key") + "|put of the key, with a log", [removes_all] {
            constexpr std::int64_t a_tick = 1 << 20;
            explored_clock::time_of_cache time{0};
            with_cache(explored_cache::options_type{.capacity = 4,
                                                    .expire_after_write = std::chrono::nanoseconds(2 * a_tick),
                                                    .prompt_expiry = true,
                                                    .clock = {&time},
                                                    .statistics = false},
                       [&](explored_cache& c) {
                           c.put(probe(keys::first), probe(1));
                           time.store(4 * a_tick, std::memory_order_seq_cst);
                           parallel([&] { c.put(probe(keys::second), probe(2)); },
                                    [&] {
                                        if (removes_all) {
                                            c.expire_now();
                                        } else {
                                            c.put(probe(keys::apart), probe(2));
                                        }
                                    },
                                    [&] { c.put(probe(keys::first), probe(3)); });
                           require(c.number(keys::first) == 3, "a value that was put afterwards stays");
                           time.store(8 * a_tick, std::memory_order_seq_cst);
                           require(c.expire_now() == (removes_all ? 2U : 3U) && c.size() == 0, "each end is filed");
                       });
        });
    }
}

template <class F>
void each_of_time(F f) {
    ends_are_filed_beside_removals(f);
    hits_that_renew_beside_a_put(f);
    a_renewal_that_finds_nothing_beside_a_put(f);
    stale_values_answer_failed_loads(f);
    a_hit_that_prolongs_beside_a_put(f);
    an_expired_entry_beside_puts_and_a_get(f);
    removals_beside_a_put_that_renews(f);
    an_end_beside_an_eviction_and_an_update(f);
    loads_of_an_expired_key_are_beaten(f);
}

} // namespace explore::cache_bodies
