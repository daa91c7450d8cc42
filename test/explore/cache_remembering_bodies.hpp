// The programs of what a cache remembers of loads that brought no value, beside writes that end it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <explore/cache_program.hpp>

namespace explore::cache_bodies {

/// A load that is refused may have evicted an entry before: so there is room for what each thread has in hand.
inline explored_cache::options_type remembering_options(std::size_t capacity) {
    return {.capacity = capacity,
            .negative_ttl = std::chrono::nanoseconds(10),
            .error_ttl = std::chrono::nanoseconds(10),
            .statistics = false};
}

/// A source that has nothing, or fails, until it changes.
class late_source {
public:
    explicit late_source(bool fails) : fails_(fails) {}
    void change() { has_value_.store(true, std::memory_order_seq_cst); }
    unsigned calls() const { return calls_; }
    /// What a load brings: 2, 0 for nothing, 1 for a failure.
    std::uint64_t load(explored_cache& c) {
        try {
            const auto entry = c.pin_or_load(probe(keys::first), [this]() -> std::optional<probe> {
                ++calls_;
                if (has_value_.load(std::memory_order_seq_cst)) return probe(2);
                if (fails_) throw std::runtime_error("no");
                return std::nullopt;
            });
            return entry ? entry.value().number() : 0;
        } catch (const std::runtime_error&) {
            return 1;
        }
    }
    std::uint64_t nothing() const { return fails_ ? 1 : 0; }

private:
    const bool fails_;
    unsigned calls_ = 0;
    sync_policy::atomic<bool> has_value_{false};
};
inline const char* name_of_load(bool fails) { return fails ? "load that throws" : "load that finds nothing"; }

template <class F>
void what_is_remembered_is_ended(F& f, const std::string& name, const std::function<void(explored_cache&)>& forget) {
    for (const bool fails : {false, true}) {
        f(std::string(name_of_load(fails)) + "|" + name + ", load", [forget, fails] {
            with_cache(remembering_options(4), [&](explored_cache& c) {
                late_source from(fails);
                parallel([&] { from.load(c); },
                         [&] {
                             from.change();
                             forget(c);
                             require(from.load(c) == 2, "what was remembered before answers no load after");
                         });
                require(from.load(c) == 2, "nor does it come later");
            });
        });
    }
}
template <class F>
void what_is_remembered_is_ended_by_an_invalidation(F f) {
    what_is_remembered_is_ended(f, "invalidate", [](explored_cache& c) { c.invalidate(probe(keys::first)); });
    what_is_remembered_is_ended(f, "invalidate all", [](explored_cache& c) { c.invalidate_all(); });
}
template <class F>
void what_is_remembered_hides_no_put(F f) {
    for (const bool fails : {false, true}) {
        f(std::string(name_of_load(fails)) + "|the same|put, get", [fails] {
            with_cache(remembering_options(4), [&](explored_cache& c) {
                late_source from(fails);
                const auto load = [&] {
                    const std::uint64_t brought = from.load(c);
                    require(brought == from.nothing() || brought == 5, "a load brings what the source or the put says");
                };
                parallel(load, load, [&] {
                    c.put(probe(keys::first), probe(5));
                    require(c.number(keys::first) == 5, "a put is seen after it");
                    require(from.load(c) == 5, "by loads, too");
                });
                require(c.number(keys::first) == 5, "and is not replaced later");
            });
        });
    }
}
template <class F>
void what_is_remembered_is_loaded_once(F f) {
    for (const bool fails : {false, true}) {
        f(std::string(name_of_load(fails)) + "|the same|the same, remembered", [fails] {
            with_cache(remembering_options(4), [&](explored_cache& c) {
                late_source from(fails);
                const auto load = [&] { require(from.load(c) == from.nothing(), "each call is told the same"); };
                parallel(load, load, load);
                require(from.calls() == 1, "one load");
            });
        });
    }
}
template <class F>
void what_is_remembered_counts(F f) {
    f("load that finds nothing|put|put, remembered", [] {
        with_cache(remembering_options(1), [&](explored_cache& c) {
            late_source from(false);
            parallel(
                [&] {
                    from.load(c);
                    require(c.size() <= 1, "the bound holds at every instant");
                },
                [&] { require(c.put(probe(keys::second), probe(3)), "a put stores"); },
                [&] { require(c.put(probe(keys::apart), probe(4)), "a put stores"); });
        });
    });
    f("bulk load that finds nothing|put of one of the keys", [] {
        with_cache(remembering_options(4), [&](explored_cache& c) {
            parallel(
                [&] {
                    static_cast<void>(
                        c.get_all_or_load({probe(keys::first), probe(keys::apart)},
                                          [](const std::vector<probe>&) { return std::vector<std::pair<probe, probe>>(); }));
                },
                [&] { c.put(probe(keys::first), probe(5)); });
            require(c.number(keys::first) == 5, "the put is there");
        });
    });
}

/// A load that brings what it is told to, by a loader whose calls are counted. Returns the value; 0: there is nothing; 1: it
/// failed.
enum class loader : std::uint8_t { has_value, has_nothing, fails };
inline std::uint64_t load_from(explored_cache& c, loader what, std::uint64_t value, unsigned& calls) {
    try {
        const auto entry = c.pin_or_load(probe(keys::first), [&]() -> std::optional<probe> {
            ++calls;
            if (what == loader::fails) throw std::runtime_error("no");
            if (what == loader::has_nothing) return std::nullopt;
            return probe(value);
        });
        return entry ? entry.value().number() : 0;
    } catch (const std::runtime_error&) {
        return 1;
    }
}

/// `f(name, body)` for a loader of each kind: its name ends with `story`. `body(what, c, time, after_reading)`: the cache's
/// values, and what it remembers, live for ten nanoseconds.
template <class F, class Body>
void each_kind_of_loader(F& f, const std::string& story, Body body) {
    for (const loader what : {loader::has_value, loader::has_nothing, loader::fails}) {
        const char* const name = what == loader::has_value ? "load" : name_of_load(what == loader::fails);
        f(std::string(name) + story, [what, body] {
            explored_clock::time_of_cache time{0};
            std::function<void()> after_reading;
            explored_cache::options_type options = remembering_options(4);
            options.expire_after_write = std::chrono::nanoseconds(10);
            options.clock = {&time, &after_reading};
            with_cache(std::move(options), [&](explored_cache& c) { body(what, c, time, after_reading); });
        });
    }
}

/// [LO9] A thread finds that the outcome of an earlier load has expired. It owns the flight, and finds what another load has
/// brought meanwhile. Then a second one comes, when that has ended, too. The other load is made while the first thread reads
/// the clock: so one preemption is enough.
template <class F>
void what_is_found_is_not_shared_after_its_end(F f) {
    each_kind_of_loader(f, ", the same|time passes, load", [](loader what, explored_cache& c, auto& time, auto& other_load) {
        unsigned calls_before = 0;
        load_from(c, what, 1, calls_before);
        time.store(10, std::memory_order_seq_cst);
        sync_policy::atomic<bool> has_ended{false};
        sync_policy::atomic<bool> second_has_begun{false};
        unsigned calls_of_first = 0;
        unsigned calls_of_other = 0;
        unsigned calls_of_second = 0;
        bool had_ended = false;
        std::uint64_t seen = 0;
        other_load = [&] {
            if (second_has_begun.load(std::memory_order_seq_cst)) return;
            load_from(c, what, 5, calls_of_other);
            has_ended.store(true, std::memory_order_seq_cst);
        };
        parallel([&] { load_from(c, what, 5, calls_of_first); },
                 [&] {
                     second_has_begun.store(true, std::memory_order_seq_cst);
                     had_ended = has_ended.load(std::memory_order_seq_cst);
                     time.store(20, std::memory_order_seq_cst);
                     seen = load_from(c, loader::has_value, 2, calls_of_second);
                 });
        other_load = nullptr; // what it names ends here
        // A load of the first thread's own may be under way still.
        if (had_ended && calls_of_first == 0) require(seen == 2, "what had ended before a call does not answer it");
    });
}

/// [LO9] A thread is shown what another one's load has brought. When that has ended, the load may still be about to leave.
template <class F>
void what_a_load_has_stored_is_not_shared_after_its_end(F f) {
    each_kind_of_loader(f, "|the same, time passes, load", [](loader what, explored_cache& c, auto& time, auto&) {
        unsigned calls_of_other = 0;
        parallel([&] { load_from(c, what, 5, calls_of_other); },
                 [&] {
                     unsigned calls = 0;
                     load_from(c, what, 5, calls);
                     const bool was_loaded_by_other = calls == 0;
                     time.store(10, std::memory_order_seq_cst);
                     const std::uint64_t seen = load_from(c, loader::has_value, 2, calls);
                     require(seen == 2 || !was_loaded_by_other, "what had ended before a call does not answer it");
                 });
    });
}

template <class F>
void each_of_remembering(F f) {
    what_is_remembered_is_ended_by_an_invalidation(f);
    what_is_remembered_hides_no_put(f);
    what_is_remembered_is_loaded_once(f);
    what_is_remembered_counts(f);
    what_is_found_is_not_shared_after_its_end(f);
    what_a_load_has_stored_is_not_shared_after_its_end(f);
}

} // namespace explore::cache_bodies
