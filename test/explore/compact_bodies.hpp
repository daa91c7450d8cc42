// The programs of the compact cache, and of what it uses of the table: each says itself what is wrong. The explorer's tests
// search them, and so does the search for mutants (test/mutants).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <explore/compact_program.hpp>

namespace explore::compact_bodies {

using cache = explored_compact_cache;
using value = std::optional<std::uint32_t>;

inline std::uint64_t key(std::uint64_t number) { return inline_layout::key(number); }
using keys::apart;
using keys::first;
using keys::second;
using keys::trigger;

inline bool put(cache& c, std::uint64_t number, std::uint32_t v) { return c.put(key(number), v); }
inline value get(const cache& c, std::uint64_t number) { return c.get(key(number)); }
inline void fill(cache& c, std::uint64_t entries) {
    for (std::uint64_t i = 0; i != entries; ++i) put(c, keys::fillers + i, static_cast<std::uint32_t>(100 + i));
}
inline void require_fill(const cache& c, std::uint64_t from, std::uint64_t entries) {
    for (std::uint64_t i = from; i != entries; ++i)
        require(c.peek(key(keys::fillers + i)) == static_cast<std::uint32_t>(100 + i), "another entry is as it was");
}

// ---- what the table offers to extensions ----

/// A table of entries that lie in it, without a cache.
class small_inline_table {
public:
    using word = std::uint64_t;
    using state = syncmap::cache_detail::compact_state;
    using queue = syncmap::cache_detail::queue;

    explicit small_inline_table(std::uint64_t entries) {
        for (std::uint64_t i = 0; i != entries; ++i) store(key(keys::fillers + i), 100 + i);
    }
    void store(std::uint64_t k, std::uint64_t v) {
        const word stored = state::begin_in(queue::in_small, false) | v;
        syncmap::detail::store_operation<word, const word&> op{stored};
        engine_->write(k, op);
    }
    void erase(std::uint64_t k) {
        syncmap::detail::erase_operation<word> op{};
        engine_->write(k, op);
    }
    std::optional<word> value_of(std::uint64_t k) {
        const auto found = engine_->word_of(k);
        return found ? std::optional<word>(*found & state::value_mask) : std::nullopt;
    }
    bool is_small(std::uint64_t k) { return state::is_small(*engine_->word_of(k)); }
    compact_engine& engine() { return *engine_; }

    /// One round of a sweep: how many of its entries it shows.
    std::size_t sweep() {
        compact_engine::visitor by(*engine_);
        std::size_t seen = 0;
        std::uint64_t from = 0;
        std::uint64_t before = 0;
        do {
            before = from;
            from = engine_->sweep_bucket(by, from, [&](auto&, std::size_t) {
                ++seen;
                return true;
            });
            require(from == 0 || from > before, "a sweep goes on");
        } while (from != 0);
        return seen;
    }
    /// Finds the entry, and changes its mark to that of the main queue.
    bool promote(std::uint64_t k) {
        compact_engine::visitor by(*engine_);
        compact_engine::sighting seen(by);
        return engine_->find(engine_->hash_of_key(k), seen) && seen->mark.promote(1);
    }
    bool erase_seen(std::uint64_t k) {
        compact_engine::visitor by(*engine_);
        compact_engine::sighting seen(by);
        return engine_->find(engine_->hash_of_key(k), seen) &&
               engine_->erase_if_still(by, seen) == syncmap::engine::removal_result::erased;
    }

private:
    std::unique_ptr<compact_engine> engine_ = std::make_unique<compact_engine>();
};

template <class F>
void a_sweep_beside_a_resize(F f) {
    f("sweep|growth|erase", [] {
        small_inline_table t(9);
        parallel([&] { t.sweep(); },
                 [&] {
                     for (std::uint64_t i = 0; i != 3; ++i) t.store(key(keys::fillers + 9 + i), 1);
                 },
                 [&] { t.erase(key(keys::fillers)); });
        require(t.sweep() == 11, "a sweep sees all entries when nothing moves");
    });
}

template <class F>
void a_change_of_a_mark_beside_a_move(F f) {
    f("change of a mark|erase that moves the entry", [] {
        small_inline_table t(5);
        t.store(key(first), 1); // in an overflow line
        bool promoted = false;
        parallel([&] { promoted = t.promote(key(first)); }, [&] { t.erase(key(keys::fillers)); });
        require(t.value_of(key(first)) == 1U, "the entry is there");
        require(t.is_small(key(first)) != promoted, "a change of the queue is not lost");
        require(t.engine().size() == 5, "all entries are counted");
    });
    f("change of a mark|growth|overwrite", [] {
        small_inline_table t(9);
        t.store(key(first), 1);
        bool promoted = false;
        parallel([&] { promoted = t.promote(key(keys::fillers + 8)); },
                 [&] {
                     for (std::uint64_t i = 0; i != 2; ++i) t.store(key(keys::fillers + 9 + i), 1);
                 },
                 [&] { t.store(key(first), 2); });
        require(t.value_of(key(first)) == 2U, "the entry has the value that was stored last");
        require(t.is_small(key(keys::fillers + 8)) != promoted, "a change of the queue is not lost");
        require(t.engine().size() == 12, "all entries are counted");
    });
}

template <class F>
void an_erase_of_what_was_seen(F f) {
    f("erase if still|growth|erase if still", [] {
        small_inline_table t(9);
        const std::uint64_t k = key(keys::fillers + 1);
        unsigned erased = 0;
        const auto erase_seen = [&] { erased += t.erase_seen(k) ? 1U : 0U; };
        parallel(erase_seen, erase_seen, [&] {
            t.store(key(keys::fillers + 10), 1);
            t.store(key(keys::fillers + 11), 1);
        });
        require(erased == 1, "an entry is erased once");
        require(t.engine().size() == 10, "all entries are counted");
    });
    f("erase if still|promotion|store into the bucket", [] {
        small_inline_table t(1);
        const std::uint64_t k = key(keys::fillers);
        bool was_small = false;
        bool has_erased = false;
        bool has_promoted = false;
        parallel(
            [&] {
                compact_engine::visitor by(t.engine());
                compact_engine::sighting seen(by);
                if (!t.engine().find(t.engine().hash_of_key(k), seen)) return;
                was_small = seen->mark.where() == syncmap::cache_detail::queue::in_small;
                has_erased = t.engine().erase_if_still(by, seen) == syncmap::engine::removal_result::erased;
            },
            [&] { has_promoted = t.promote(k); }, [&] { t.store(key(keys::fillers + 3), 1); });
        require(has_erased || (was_small && has_promoted), "what has changed its queue is another entry, and nothing else is");
        require(!(has_erased && was_small && has_promoted), "it is not erased where it has changed its queue since");
        require(static_cast<bool>(t.value_of(k)) != has_erased, "and it is there");
        require(t.engine().size() == (has_erased ? 1U : 2U), "all entries are counted");
    });
}

// ---- the bound ----

template <class F>
void puts_with_one_permit_left(F f) {
    for (const std::size_t capacity : {1U, 2U}) {
        f("put|put|size, capacity " + std::to_string(capacity), [capacity] {
            with_compact(capacity, [&](cache& c) {
                put(c, first, 1);
                parallel([&] { require(put(c, second, 2), "a put stores"); },
                         [&] { require(put(c, apart, 3), "a put stores"); },
                         [&] { require(c.size() <= capacity, "the bound holds at every instant"); });
                require(c.peek(key(second)).value_or(2) == 2 && c.peek(key(apart)).value_or(3) == 3, "each has its own value");
            });
        });
    }
    f("put|put of one key|size", [] {
        with_compact(1, [](cache& c) {
            put(c, first, 1);
            parallel([&] { require(put(c, second, 2), "a put stores"); }, [&] { require(put(c, second, 3), "a put stores"); },
                     [&] { require(c.size() <= 1, "the bound holds at every instant"); });
            const value now = get(c, second);
            require(now == 2U || now == 3U, "a put of the key is there");
            require(!get(c, first), "the other one was evicted");
        });
    });
}

template <class F>
void a_put_beside_an_erase_of_what_leaves_small(F f) {
    f("put|invalidate, put|size", [] {
        with_compact(2, [](cache& c) {
            put(c, first, 1);
            put(c, apart, 2);
            parallel([&] { put(c, second, 3); },
                     [&] {
                         c.invalidate(key(apart));
                         put(c, apart, 4);
                     },
                     [&] { require(c.size() <= 2, "the bound holds at every instant"); });
            require(c.peek(key(apart)).value_or(4) == 4, "the value of before is not there any more");
        });
    });
    f("put|take|put_if_absent", [] {
        with_compact(1, [](cache& c) {
            put(c, first, 1);
            value taken;
            bool stored = false;
            parallel([&] { put(c, second, 2); }, [&] { taken = c.take(key(first)); },
                     [&] { stored = c.put_if_absent(key(first), 5); });
            require(!taken || *taken == 1 || (*taken == 5 && stored), "what was taken was there");
            require(!c.peek(key(first)) || stored, "nothing comes from nowhere");
        });
    });
}

// ---- hits, which change the word of an entry ----

template <class F>
void a_hit_beside_other_writes_of_its_slot(F f) {
    f("get|put that evicts|replace", [] {
        with_compact(2, [](cache& c) {
            put(c, first, 1);
            put(c, apart, 2);
            bool replaced = false;
            parallel(
                [&] {
                    const value seen = get(c, apart);
                    require(!seen || *seen == 2 || *seen == 4, "a hit shows a value of the key");
                },
                [&] { put(c, second, 3); }, [&] { replaced = c.replace(key(apart), 4); });
            const value now = c.peek(key(apart));
            require(!now || (replaced ? *now == 4 : *now == 2), "no overwrite is lost");
            require(c.peek(key(first)).value_or(1) == 1, "another entry is as it was");
            require(c.peek(key(second)).value_or(3) == 3, "another entry is as it was");
        });
    });
    f("get|replace|take", [] { // nothing is evicted
        with_compact(20, [](cache& c) {
            put(c, first, 1);
            bool replaced = false;
            value taken;
            parallel([&] { static_cast<void>(get(c, first)); }, [&] { replaced = c.replace(key(first), 2); },
                     [&] { taken = c.take(key(first)); });
            require(taken == (replaced ? 2U : 1U), "the last value is taken");
            require(!c.peek(key(first)), "and is there no more");
        });
    });
    f("get|invalidate, put of another key", [] {
        with_compact(20, [](cache& c) {
            put(c, first, 1);
            parallel([&] { static_cast<void>(get(c, first)); },
                     [&] {
                         c.invalidate(key(first));
                         put(c, second, 7); // in the same slot
                         require(!c.peek(key(first)), "an erased entry does not come back");
                         require(c.peek(key(second)) == 7U, "the new entry is there");
                     });
            require(!c.peek(key(first)), "an erased entry does not come back");
            require(c.peek(key(second)) == 7U, "the new entry is there");
        });
    });
    f("get|invalidate, put of the key", [] {
        with_compact(20, [](cache& c) {
            put(c, first, 1);
            parallel([&] { static_cast<void>(get(c, first)); },
                     [&] {
                         c.invalidate(key(first));
                         put(c, first, 7);
                         require(c.peek(key(first)) == 7U, "the new value is there");
                     });
            require(c.peek(key(first)) == 7U, "the new value is there");
        });
    });
    f("get, get|get, get", [] { // a use may be lost, and nothing else
        with_compact(2, [](cache& c) {
            put(c, first, 1);
            const auto twice = [&] {
                require(get(c, first) == 1U, "it is there");
                require(get(c, first) == 1U, "it is there");
            };
            parallel(twice, twice);
        });
    });
}

template <class F>
void a_hit_beside_a_move(F f) {
    f("get|invalidate that moves the entry|replace", [] {
        with_compact(20, [](cache& c) {
            fill(c, 5);
            put(c, first, 1); // in an overflow line
            parallel([&] { require(get(c, first).has_value(), "it is there"); }, [&] { c.invalidate(key(keys::fillers)); },
                     [&] { c.replace(key(first), 2); });
            require(c.peek(key(first)) == 2U, "no overwrite is lost");
            require_fill(c, 1, 5);
        });
    });
    f("get|growth|replace", [] {
        with_compact(20, [](cache& c) {
            fill(c, 9);
            put(c, first, 1);
            parallel([&] { require(get(c, first).has_value(), "it is there"); },
                     [&] {
                         for (std::uint32_t i = 9; i != 11; ++i) put(c, keys::fillers + i, 100 + i);
                     },
                     [&] { c.replace(key(first), 2); });
            require(c.peek(key(first)) == 2U, "no overwrite is lost");
            require_fill(c, 0, 11);
        });
    });
}

// ---- updates ----

template <class F>
void updates_of_one_key(F f) {
    f("update|update|get", [] {
        with_compact(20, [](cache& c) {
            const auto increment = [&] {
                c.update(key(first), [](const std::uint32_t* now) { return now == nullptr ? 1 : *now + 1; });
            };
            parallel(increment, increment, [&] { static_cast<void>(get(c, first)); });
            require(c.peek(key(first)) == 2U, "no increment is lost");
        });
    });
    f("update|update, of an entry that is there|get", [] {
        with_compact(20, [](cache& c) {
            put(c, first, 5);
            const auto increment = [&] {
                c.update(key(first), [](const std::uint32_t* now) { return now == nullptr ? 1 : *now + 1; });
            };
            parallel(increment, increment, [&] { static_cast<void>(get(c, first)); });
            require(c.peek(key(first)) == 7U, "no increment is lost");
        });
    });
    f("update that erases|replace", [] {
        with_compact(20, [](cache& c) {
            put(c, first, 1);
            bool erased = false;
            bool replaced = false;
            parallel(
                [&] {
                    c.update(key(first), [&](const std::uint32_t* now) {
                        erased = now != nullptr && *now == 1;
                        return erased ? value() : now == nullptr ? value() : value(*now);
                    });
                },
                [&] { replaced = c.replace(key(first), 2); });
            require(c.peek(key(first)).has_value() == replaced, "a value that the function has not seen stays");
        });
    });
    f("update|put that evicts|invalidate_all", [] {
        with_compact(1, [](cache& c) {
            put(c, first, 1);
            parallel([&] { put(c, second, 2); },
                     [&] { c.update(key(first), [](const std::uint32_t* now) { return now == nullptr ? 5U : 6U; }); },
                     [&] { c.invalidate_all(); });
        });
    });
}

// ---- erases of all ----

template <class F>
void cleared_tables_are_taken_apart(F f) {
    f("put, put|invalidate_all, put|size", [] {
        with_compact(2, [](cache& c) {
            put(c, first, 1);
            put(c, apart, 2);
            parallel(
                [&] {
                    put(c, second, 3);
                    put(c, first, 4);
                },
                [&] {
                    c.invalidate_all();
                    require(put(c, apart, 5), "a put stores");
                },
                [&] { require(c.size() <= 2, "the bound holds at every instant"); });
        });
    });
    f("invalidate_all, put|invalidate_all, put", [] {
        with_compact(1, [](cache& c) {
            put(c, first, 1);
            const auto anew = [&](std::uint64_t number) {
                c.invalidate_all();
                require(put(c, number, 2), "a put stores");
            };
            parallel([&] { anew(second); }, [&] { anew(apart); });
        });
    });
    f("get|invalidate_all, put|replace", [] {
        with_compact(2, [](cache& c) {
            put(c, first, 1);
            parallel([&] { static_cast<void>(get(c, first)); },
                     [&] {
                         c.invalidate_all();
                         const value now = get(c, first);
                         require(!now, "nothing is there that was there before");
                         put(c, second, 2);
                     },
                     [&] { c.replace(key(apart), 2); });
            require(!c.peek(key(first)), "nor does it come later");
        });
    });
    f("invalidate_if|replace|get", [] {
        with_compact(4, [](cache& c) {
            put(c, first, 1);
            put(c, apart, 1);
            bool replaced = false;
            std::size_t removed = 0;
            parallel([&] { removed = c.invalidate_if([](std::uint64_t, std::uint32_t v) { return v == 1; }); },
                     [&] { replaced = c.replace(key(first), 2); }, [&] { static_cast<void>(get(c, apart)); });
            require(c.peek(key(first)).has_value() == replaced, "a value that the function has not seen stays");
            require(!c.peek(key(apart)) && removed == (replaced ? 1U : 2U), "the others are removed");
        });
    });
}

template <class F>
void evictions_while_the_table_grows(F f) {
    f("puts|puts while the table grows", [] {
        with_compact(10, [](cache& c) {
            fill(c, 9);
            parallel(
                [&] {
                    for (std::uint32_t i = 9; i != 12; ++i) put(c, keys::fillers + i, 100 + i);
                },
                [&] {
                    put(c, first, 1);
                    put(c, apart, 2);
                });
        });
    });
}

// ---- changes of the capacity ----

template <class F>
void a_smaller_capacity_beside_puts(F f) {
    f("set_capacity|put|put", [] {
        with_compact(4, [](cache& c) {
            fill(c, 3);
            parallel(
                [&] {
                    c.set_capacity(1);
                    require(c.size() <= 1, "no more entries are there when it returns");
                },
                [&] { put(c, second, 1); }, [&] { put(c, apart, 2); });
        });
    });
    f("set_capacity of 0|put", [] {
        with_compact(1, [](cache& c) {
            put(c, first, 1);
            parallel(
                [&] {
                    c.set_capacity(0);
                    require(c.size() == 0, "nothing is there when it returns");
                },
                [&] { put(c, second, 2); });
        });
    });
}

// ---- keys that have a bucket of their own ----

template <class F>
void entries_of_sentinel_keys(F f) {
    f("put|put|get of sentinel keys", [] {
        with_compact(1, [](cache& c) {
            c.put(sentinel_keys[0], 1);
            parallel([&] { require(c.put(sentinel_keys[1], 2), "a put stores"); },
                     [&] { require(put(c, first, 3), "a put stores"); },
                     [&] {
                         const value seen = c.get(sentinel_keys[0]);
                         require(!seen || *seen == 1, "a hit shows a value of the key");
                         require(c.size() <= 1, "the bound holds at every instant");
                     });
        });
    });
    f("get of a sentinel key|growth|replace", [] {
        with_compact(20, [](cache& c) {
            fill(c, 9);
            c.put(sentinel_keys[0], 1);
            parallel([&] { require(c.get(sentinel_keys[0]).has_value(), "it is there"); },
                     [&] {
                         for (std::uint32_t i = 9; i != 11; ++i) put(c, keys::fillers + i, 100 + i);
                     },
                     [&] { c.replace(sentinel_keys[0], 2); });
            require(c.peek(sentinel_keys[0]) == 2U, "no overwrite is lost");
            require_fill(c, 0, 11);
        });
    });
}

// ---- loads ----

/// What loaders read: the version of now.
class number_source {
public:
    std::uint32_t read() { return version_.load(std::memory_order_seq_cst); }
    void change() { version_.store(2, std::memory_order_seq_cst); }

private:
    sync_policy::atomic<std::uint32_t> version_{1};
};

/// A load beside a thread that changes the source, and then makes the cache forget. What that thread finds afterwards is new.
template <class F>
void beats_loads(F& f, const std::string& name, const std::function<void(cache&)>& forget) {
    for (const bool is_there : {false, true}) {
        f(std::string("load|") + (is_there ? "put, " : "") + name + ", get, load", [forget, is_there] {
            with_compact(2, [&](cache& c) {
                number_source from;
                const auto load = [&] { return c.get_or_load(key(first), [&](std::uint64_t) { return from.read(); }); };
                parallel([&] { static_cast<void>(load()); },
                         [&] {
                             if (is_there) put(c, first, 1);
                             from.change();
                             forget(c);
                             const value now = get(c, first);
                             require(!now || *now == 2, "what was loaded before is not seen after");
                             require(load() == 2, "nor is it shared with a call that begins after");
                         });
                const value now = get(c, first);
                require(!now || *now == 2, "what was loaded before does not come later");
            });
        });
    }
}
template <class F>
void loads_are_beaten(F f) {
    beats_loads(f, "invalidate", [](cache& c) { c.invalidate(key(first)); });
    beats_loads(f, "take", [](cache& c) { static_cast<void>(c.take(key(first))); });
    beats_loads(f, "invalidate_all", [](cache& c) { c.invalidate_all(); });
    beats_loads(f, "invalidate_if", [](cache& c) { c.invalidate_if([](std::uint64_t, std::uint32_t) { return true; }); });
    beats_loads(f, "put", [](cache& c) { put(c, first, 2); });
    beats_loads(f, "put, evict", [](cache& c) {
        put(c, first, 2);
        put(c, second, 7);
        put(c, apart, 7);
    });
    beats_loads(f, "update", [](cache& c) { c.update(key(first), [](const std::uint32_t*) { return 2U; }); });
}

/// The load finds an entry that came between its look for a hit and its begin. Less beside that: three changes of the thread.
template <class F>
void a_load_that_finds_an_entry(F f) {
    f("load|put, invalidate, load", [] {
        with_compact(20, [](cache& c) {
            put(c, apart, 1); // there is a table
            parallel([&] { static_cast<void>(c.get_or_load(key(first), [] { return 1U; })); },
                     [&] {
                         put(c, first, 3);
                         c.invalidate(key(first));
                         require(c.get_or_load(key(first), [] { return 4U; }) != 3, "what was erased is not shared after");
                     });
        });
    });
}
template <class F>
void a_load_beside_an_erase_of_all(F f) {
    f("load|invalidate_all, get", [] {
        with_compact(20, [](cache& c) {
            number_source from;
            parallel([&] { static_cast<void>(c.get_or_load(key(first), [&] { return from.read(); })); },
                     [&] {
                         from.change();
                         c.invalidate_all();
                         require(get(c, first).value_or(2) == 2, "what was loaded before is not seen after");
                     });
        });
    });
}
template <class F>
void a_load_beside_an_invalidation_and_a_get(F f) {
    f("load|invalidate|get, get", [] {
        with_compact(2, [](cache& c) {
            number_source from;
            sync_policy::atomic<bool> invalidated{false};
            parallel([&] { static_cast<void>(c.get_or_load(key(first), [&](std::uint64_t) { return from.read(); })); },
                     [&] {
                         from.change();
                         c.invalidate(key(first));
                         invalidated.store(true, std::memory_order_seq_cst);
                     },
                     [&] {
                         const bool is_after = invalidated.load(std::memory_order_seq_cst);
                         const value now = get(c, first);
                         require(!now || *now == 2 || !is_after, "what was loaded before is not seen after");
                     });
            const value now = c.peek(key(first));
            require(!now || *now == 2, "what was loaded before does not come later");
        });
    });
    f("load|put|load beside an eviction", [] {
        with_compact(1, [](cache& c) {
            unsigned calls = 0;
            const auto load = [&] {
                const std::uint32_t got = c.get_or_load(key(first), [&] {
                    ++calls;
                    return 1U;
                });
                require(got == 1 || got == 5, "a load brings a value of the key");
            };
            parallel(load, load, [&] {
                put(c, first, 5);
                put(c, second, 7);
            });
            require(calls <= 2, "each loads once");
        });
    });
}

template <class F>
void loads_are_made_once_and_shared(F f) {
    f("load|load|load", [] {
        with_compact(1, [](cache& c) {
            unsigned calls = 0;
            unsigned got = 0;
            const auto load = [&] {
                got += c.get_or_load(key(first),
                                     [&] {
                                         ++calls;
                                         return 7U;
                                     }) == 7
                           ? 1U
                           : 0U;
            };
            parallel(load, load, load);
            require(calls == 1 && got == 3, "one load, for all");
        });
    });
    f("load that finds nothing|load|load that must find", [] {
        with_compact(1, [](cache& c) {
            const auto finds_nothing = [&] {
                const value got = c.get_or_load(key(first), [] { return value(); });
                require(!got || *got == 7, "it shares what the other one brings, or finds nothing");
            };
            parallel(finds_nothing, finds_nothing,
                     [&] { require(c.get_or_load(key(first), [] { return 7U; }) == 7, "it has a value"); });
            require(c.peek(key(first)) == 7U, "the value is there");
        });
    });
}

template <class F>
void loads_that_throw_wake_all_who_wait(F f) {
    f("load that throws|load|load", [] {
        with_compact(1, [](cache& c) {
            unsigned calls = 0;
            unsigned inside = 0;
            unsigned caught = 0;
            const auto load = [&] {
                try {
                    static_cast<void>(c.get_or_load(key(first), [&]() -> std::uint32_t {
                        ++calls;
                        require(inside++ == 0, "one load at a time");
                        static_cast<void>(get(c, second)); // others may come in between
                        --inside;
                        throw std::runtime_error("no");
                    }));
                } catch (const std::runtime_error&) {
                    ++caught;
                }
            };
            parallel(load, load, load);
            require(caught == 3 && calls >= 1, "each caller is told");
            require(!c.peek(key(first)), "nothing is stored");
        });
    });
}

template <class F>
void loads_with_little_room(F f) {
    f("load|load of another key|put|size", [] {
        with_compact(1, [](cache& c) {
            const auto load = [&](std::uint64_t number) {
                require(c.get_or_load(key(number), [] { return 7U; }) == 7, "a load brings its value");
            };
            parallel([&] { load(first); }, [&] { load(apart); },
                     [&] {
                         put(c, second, 3);
                         require(c.size() <= 1, "the bound holds at every instant");
                     });
        });
    });
    f("load|set_capacity of 0", [] {
        with_compact(1, [](cache& c) {
            parallel([&] { require(c.get_or_load(key(first), [] { return 7U; }) == 7, "a load brings its value"); },
                     [&] { c.set_capacity(0); });
            require(c.size() == 0, "nothing is there");
        });
    });
}

/// Calls `f(name, body)` for each of them.
template <class F>
void each_of_table(F f) {
    a_sweep_beside_a_resize(f);
    a_change_of_a_mark_beside_a_move(f);
    an_erase_of_what_was_seen(f);
}
template <class F>
void each_of_bound(F f) {
    puts_with_one_permit_left(f);
    a_put_beside_an_erase_of_what_leaves_small(f);
    cleared_tables_are_taken_apart(f);
    evictions_while_the_table_grows(f);
    a_smaller_capacity_beside_puts(f);
    entries_of_sentinel_keys(f);
}
template <class F>
void each_of_hits(F f) {
    a_hit_beside_other_writes_of_its_slot(f);
    a_hit_beside_a_move(f);
    updates_of_one_key(f);
}
template <class F>
void each_of_loads(F f) {
    loads_are_beaten(f);
    a_load_that_finds_an_entry(f);
    a_load_beside_an_erase_of_all(f);
    a_load_beside_an_invalidation_and_a_get(f);
    loads_are_made_once_and_shared(f);
    loads_that_throw_wake_all_who_wait(f);
    loads_with_little_room(f);
}
template <class F>
void each_program(F f) {
    each_of_table(f);
    each_of_bound(f);
    each_of_hits(f);
    each_of_loads(f);
}

} // namespace explore::compact_bodies
