// The programs of the cache, and of what it uses of the table: each says itself what is wrong. The explorer's tests search
// them, and so does the search for mutants (test/mutants).
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <explore/cache_leaning_bodies.hpp>
#include <explore/cache_program.hpp>
#include <explore/cache_remembering_bodies.hpp>
#include <explore/cache_tag_bodies.hpp>
#include <explore/cache_time_bodies.hpp>

#include <syncmap/errors.hpp>

namespace explore::cache_bodies {

using keys::apart;
using keys::first;
using keys::second;

// ---- what the table offers to extensions ----

/// A table of two buckets without room: the next new key makes it grow to eight.
class small_table {
public:
    small_table() {
        for (std::uint64_t key = 0; key != entries; ++key) store(keys::fillers + key, key);
        require(buckets() == 2, "the table has not grown yet");
    }
    std::size_t buckets() const noexcept { return engine_->stats().buckets; }
    void store(std::uint64_t key, std::uint64_t value) {
        const probe stored(value);
        syncmap::detail::store_operation<probe, const probe&> op{stored};
        engine_->write(probe(key), op);
    }
    void erase(std::uint64_t key) {
        syncmap::detail::erase_operation<probe> op{};
        engine_->write(probe(key), op);
    }
    marked_engine& engine() { return *engine_; }
    static constexpr std::uint64_t entries = 22;

    /// One round of a sweep: which keys it shows, as bits.
    std::uint64_t sweep() {
        marked_engine::visitor by(*engine_);
        std::uint64_t seen = 0;
        std::uint64_t from = 0;
        std::uint64_t before = 0;
        do {
            before = from;
            from = engine_->sweep_bucket(by, from, [&](auto& sighting, std::size_t) {
                seen |= std::uint64_t{1} << sighting->key().number(); // a freed key says so
                return true;
            });
            require(from == 0 || from > before, "a sweep goes on");
        } while (from != 0);
        return seen;
    }
    /// Sweeps over the bucket of a key, which it erases and frees.
    void sweep_and_erase(std::uint64_t key) {
        {
            marked_engine::visitor by(*engine_);
            engine_->sweep_bucket(by, engine_->hash_of_key(probe(key)), [&](auto& sighting, std::size_t) {
                if (sighting->key().number() != key) return true;
                if (engine_->erase_if_still(by, sighting) == syncmap::engine::removal_result::erased)
                    engine_->retire_entry(by, *sighting);
                return false;
            });
        }
        engine_->flush();
    }

private:
    std::unique_ptr<marked_engine> engine_ = std::make_unique<marked_engine>();
};

template <class F>
void a_sweep_beside_a_resize(F f) {
    f("sweep|growth", [] {
        small_table t;
        const std::uint64_t more = keys::fillers + small_table::entries;
        parallel([&] { t.sweep(); },
                 [&] {
                     for (std::uint64_t i = 0; i != 3; ++i) t.store(more + i, 1);
                 },
                 [&] { t.erase(keys::fillers); });
        std::uint64_t all = 0;
        for (std::uint64_t i = 1; i != small_table::entries + 3; ++i) all |= std::uint64_t{1} << (keys::fillers + i);
        require(t.sweep() == all, "a sweep sees all entries when nothing moves");
    });
}

template <class F>
void evictions_by_a_sweep_beside_a_resize_and_a_read(F f) {
    f("sweep that erases|growth|read", [] {
        small_table t;
        parallel([&] { t.sweep_and_erase(keys::fillers); },
                 [&] {
                     for (std::uint64_t i = 0; i != 2; ++i) t.store(keys::fillers + small_table::entries + i, 1);
                 },
                 [&] {
                     t.engine().visit(probe(keys::fillers), [&](const probe& v) {
                         require(v.number() == 0, "an entry of the old table has its value"); // a freed one says so
                     });
                 });
        require(t.engine().size() == static_cast<std::size_t>(std::popcount(t.sweep())), "what is counted is there");
    });
}

template <class F>
void an_erase_of_what_was_seen_beside_an_overwrite(F f) {
    f("erase if still|overwrite", [] {
        small_table t;
        const std::uint64_t key = keys::fillers;
        parallel(
            [&] {
                marked_engine::visitor by(t.engine());
                marked_engine::sighting seen(by);
                if (!t.engine().find(t.engine().hash_of_key(probe(key)), seen)) return;
                if (std::as_const(*seen).value().number() == 20) return; // it came after the overwrite
                if (t.engine().erase_if_still(by, seen) == syncmap::engine::removal_result::erased)
                    t.engine().retire_entry(by, *seen);
            },
            [&] { t.store(key, 20); });
        std::uint64_t value = 0;
        require(t.engine().visit(probe(key), [&](const probe& v) { value = v.number(); }) && value == 20,
                "a value that was stored after the look is not erased");
        require(t.engine().size() == small_table::entries, "all entries are counted");
    });
}

template <class F>
void an_erase_of_what_was_seen_beside_a_resize_and_an_erase(F f) {
    f("erase if still|growth|erase", [] {
        small_table t;
        const std::uint64_t key = keys::fillers + 1;
        unsigned erased = 0;
        const auto erase_seen = [&] {
            marked_engine::visitor by(t.engine());
            marked_engine::sighting seen(by);
            if (!t.engine().find(t.engine().hash_of_key(probe(key)), seen)) return;
            if (t.engine().erase_if_still(by, seen) != syncmap::engine::removal_result::erased) return;
            ++erased;
            t.engine().retire_entry(by, *seen);
        };
        parallel(erase_seen, erase_seen, [&] {
            t.store(keys::fillers + small_table::entries, 1);
            t.store(keys::fillers + small_table::entries + 1, 1);
        });
        require(erased == 1, "an entry is erased once");
        require(t.engine().size() == small_table::entries + 1, "all entries are counted");
    });
}

// ---- the bound ----

template <class F>
void puts_with_one_permit_left(F f) {
    for (const std::size_t capacity : {1U, 2U}) {
        f("put|put|size, capacity " + std::to_string(capacity), [capacity] {
            with_cache(capacity, [&](explored_cache& c) {
                c.put(probe(first), probe(1));
                parallel([&] { require(c.put(probe(second), probe(2)), "a put stores"); },
                         [&] { require(c.put(probe(apart), probe(3)), "a put stores"); },
                         [&] { require(c.size() <= capacity, "the bound holds at every instant"); });
            });
        });
    }
}

/// The insert uses a permit of the pool, which the erase has given back.
template <class F>
void a_put_beside_an_erase_that_makes_room(F f) {
    f("invalidate|put|size", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            parallel([&] { c.invalidate(probe(first)); }, [&] { require(c.put(probe(second), probe(2)), "a put stores"); },
                     [&] { require(c.size() <= 1, "the bound holds at every instant"); });
        });
    });
}

template <class F>
void puts_of_one_key(F f) {
    f("put|put of one key", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            parallel([&] { c.put(probe(second), probe(2)); }, [&] { c.put(probe(second), probe(3)); });
            const auto value = c.number(second);
            require(value == 2 || value == 3, "a put of the key is there");
        });
    });
}

template <class F>
void a_put_beside_an_erase_of_what_leaves_small(F f) {
    f("put|invalidate, put", [] {
        with_cache(2, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            c.put(probe(apart), probe(2));
            parallel([&] { c.put(probe(second), probe(3)); },
                     [&] {
                         c.invalidate(probe(apart));
                         c.put(probe(apart), probe(4));
                     });
        });
    });
}

template <class F>
void a_hit_beside_a_promotion_beside_an_overwrite(F f) {
    f("get|put|put of a present key", [] {
        with_cache(2, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            c.put(probe(apart), probe(2));
            c.number(apart);
            c.number(apart);
            parallel([&] { c.number(apart); }, [&] { c.put(probe(second), probe(3)); },
                     [&] { c.replace(probe(apart), probe(4)); });
        });
    });
}

template <class F>
void evictions_beside_an_update_and_a_clear(F f) {
    f("put|update|invalidate_all", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            parallel([&] { c.put(probe(second), probe(2)); },
                     [&] { c.update(probe(first), [](const probe* now) { return probe(now == nullptr ? 5 : 6); }); },
                     [&] { c.invalidate_all(); });
        });
    });
    // The only entry is one whose key is computed: the eviction takes it all the same, and the clear comes just before.
    f("update that puts|invalidate_all", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            parallel(
                [&] {
                    c.update(probe(first), [&](const probe*) {
                        require(c.put(probe(second), probe(2)), "a put stores");
                        return probe(3);
                    });
                },
                [&] { c.invalidate_all(); });
        });
    });
}

template <class F>
void cleared_tables_are_taken_apart(F f) {
    f("put, put|invalidate_all, put|put", [] {
        with_cache(2, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            c.put(probe(apart), probe(2));
            parallel(
                [&] {
                    c.put(probe(second), probe(3));
                    c.put(probe(first), probe(4));
                },
                [&] {
                    c.invalidate_all();
                    require(c.put(probe(apart), probe(5)), "a put stores");
                },
                [&] {
                    c.put(probe(keys::fillers), probe(6));
                    require(c.size() <= 2, "the bound holds at every instant");
                });
        });
    });
    f("invalidate_all, put|invalidate_all, put", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            const auto anew = [&](std::uint64_t key) {
                c.invalidate_all();
                require(c.put(probe(key), probe(2)), "a put stores");
            };
            parallel([&] { anew(second); }, [&] { anew(apart); });
        });
    });
}

template <class F>
void evictions_while_the_table_grows(F f) {
    f("puts|puts while the table grows", [] {
        with_cache(10, [](explored_cache& c) {
            for (std::uint64_t key = 0; key != 9; ++key) c.put(probe(keys::fillers + key), probe(key));
            parallel(
                [&] {
                    for (std::uint64_t key = 9; key != 12; ++key) c.put(probe(keys::fillers + key), probe(key));
                },
                [&] {
                    c.put(probe(first), probe(1));
                    c.put(probe(apart), probe(2));
                });
        });
    });
}

template <class F>
void updates_whose_functions_put(F f) {
    f("update that puts|update that puts", [] {
        with_cache(1, [](explored_cache& c) {
            const auto update = [&](std::uint64_t key, std::uint64_t other) {
                c.update(probe(key), [&](const probe*) {
                    c.put(probe(other), probe(1));
                    return probe(2);
                });
            };
            parallel([&] { update(first, keys::fillers); }, [&] { update(apart, keys::fillers + 1); });
        });
    });
}

// ---- listeners ----

/// Each value has a number of its own. It is told once by the listener, or it is there in the end.
template <class F>
void removals_are_told_once(F f, const std::string& name, const std::function<void(explored_cache&)>& third) {
    f("replace|put that evicts|" + name + ", with a listener", [third] {
        unsigned told[5] = {};
        bool stored[5] = {};
        auto c = std::make_unique<explored_cache>(1, [&](const probe&, const probe& value, syncmap::removal) {
            require(++told[value.number()] == 1, "a removal is told once");
        });
        c->put(probe(first), probe(1));
        stored[1] = stored[3] = true;
        parallel([&] { stored[2] = c->replace(probe(first), probe(2)); }, [&] { c->put(probe(second), probe(3)); },
                 [&] { third(*c); });
        c->for_each([&](const probe&, const probe& value) { ++told[value.number()]; });
        for (std::uint64_t number = 1; number != 4; ++number)
            require(told[number] == (stored[number] ? 1U : 0U), "each value is told, or it is there");
        c->check_books();
    });
}

/// Two threads write one key. What the first one removes of its own values, and the value before, are told in their order.
template <class F>
void removals_of_a_key_are_told_in_order(F f) {
    f("put, put|put, invalidate|put that evicts, with a listener in order", [] {
        std::vector<std::uint64_t> told;
        auto c = std::make_unique<explored_cache>(
            explored_cache::options_type{.capacity = 1,
                                         .on_removal_in_order =
                                             [&](const probe&, const probe& value, syncmap::removal) {
                                                 if (value.number() != 9) told.push_back(value.number());
                                             },
                                         .statistics = false});
        c->put(probe(first), probe(1));
        parallel(
            [&] {
                c->put(probe(first), probe(2));
                c->put(probe(first), probe(4));
            },
            [&] {
                c->put(probe(first), probe(3));
                c->invalidate(probe(first));
            },
            [&] { c->put(probe(second), probe(9)); });
        c->invalidate(probe(first));
        c->check_books();
        require(told.size() == 4 && told[0] == 1, "each is told, the first value first");
        const auto place = [&](std::uint64_t number) { return std::find(told.begin(), told.end(), number) - told.begin(); };
        require(place(2) < place(4) && place(3) < 4, "and those of one thread in its order");
    });
}

template <class F>
void removals_are_told_once_beside_an_invalidation(F f) {
    removals_are_told_once(f, "invalidate", [](explored_cache& c) { c.invalidate(probe(first)); });
}
template <class F>
void removals_are_told_once_beside_an_invalidation_of_all(F f) {
    removals_are_told_once(f, "invalidate all", [](explored_cache& c) { c.invalidate_all(); });
}

// ---- weights ----

template <class F>
void with_weights(F& f, const std::string& name, const std::function<void(explored_cache&)>& body) {
    f(name + ", with weights", [body] {
        auto c = std::make_unique<explored_cache>(4, explored_cache::by_number());
        c->put(probe(first), probe(2));
        c->put(probe(apart), probe(1));
        body(*c);
        c->check_books();
    });
}
template <class F>
void overwrites_that_weigh_more(F f) {
    with_weights(f, "put that grows|put that grows|weight", [](explored_cache& c) {
        parallel([&] { require(c.put(probe(first), probe(4)), "a put stores"); },
                 [&] { require(c.put(probe(apart), probe(3)), "a put stores"); },
                 [&] { require(c.weight() <= 4, "the bound holds at every instant"); });
    });
    with_weights(f, "put that grows|put that shrinks of one key|put", [](explored_cache& c) {
        parallel([&] { c.put(probe(first), probe(3)); }, [&] { c.put(probe(first), probe(1)); },
                 [&] { c.put(probe(second), probe(2)); });
    });
}
template <class F>
void weights_beside_erases(F f) {
    with_weights(f, "put|invalidate|invalidate_all", [](explored_cache& c) {
        parallel([&] { c.put(probe(second), probe(3)); }, [&] { c.invalidate(probe(first)); }, [&] { c.invalidate_all(); });
    });
    with_weights(f, "put of what is too heavy|put of the key", [](explored_cache& c) {
        parallel([&] { require(!c.put(probe(first), probe(5)), "it is refused"); }, [&] { c.put(probe(first), probe(1)); });
        const auto value = c.number(first);
        require(!value || *value == 1, "the value of before is not there any more");
    });
}

// ---- changes of the capacity ----

template <class F>
void a_smaller_capacity_beside_puts(F f) {
    f("set_capacity|put|put", [] {
        with_cache(4, [](explored_cache& c) {
            for (std::uint64_t key = 0; key != 3; ++key) c.put(probe(keys::fillers + key), probe(key));
            parallel(
                [&] {
                    c.set_capacity(1);
                    require(c.size() <= 1, "no more entries are there when it returns");
                },
                [&] { c.put(probe(second), probe(1)); }, [&] { c.put(probe(apart), probe(2)); });
        });
    });
    f("set_capacity of 0|put", [] {
        with_cache(1, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            parallel(
                [&] {
                    c.set_capacity(0);
                    require(c.size() == 0, "nothing is there when it returns");
                },
                [&] { c.put(probe(second), probe(2)); });
        });
    });
}

template <class F>
void two_changes_of_the_capacity(F f) {
    f("set_capacity|set_capacity|put", [] {
        with_cache(2, [](explored_cache& c) {
            c.put(probe(first), probe(1));
            c.put(probe(apart), probe(2));
            parallel([&] { c.set_capacity(1); }, [&] { c.set_capacity(4); }, [&] { c.put(probe(second), probe(3)); });
            require(c.capacity() == 1 || c.capacity() == 4, "one of the two comes last");
        });
    });
}

// ---- loads ----

/// What loaders read: the version of now.
class source {
public:
    probe read() { return probe(version_.load(std::memory_order_seq_cst)); }
    void change() { version_.store(2, std::memory_order_seq_cst); }

private:
    sync_policy::atomic<std::uint64_t> version_{1};
};

/// A load beside a thread that changes the source, and then makes the cache forget. What that thread finds afterwards is new.
template <class F>
void beats_loads(F& f, const std::string& name, const std::function<void(explored_cache&)>& forget) {
    f("load|" + name + ", get", [forget] {
        with_cache(2, [&](explored_cache& c) {
            source from;
            const auto load = [&] {
                return c.pin_or_load(probe(first), [&](const probe&) { return from.read(); }).value().number();
            };
            parallel([&] { load(); },
                     [&] {
                         from.change();
                         forget(c);
                         const auto value = c.number(first);
                         require(!value || *value == 2, "what was loaded before is not seen after");
                         require(load() == 2, "nor is it shared with who asks after");
                     });
            const auto value = c.number(first);
            require(!value || *value == 2, "what was loaded before does not come later");
        });
    });
}

template <class F>
void loads_are_beaten_by_an_invalidation(F f) {
    beats_loads(f, "invalidate", [](explored_cache& c) { c.invalidate(probe(first)); });
}
template <class F>
void loads_are_beaten_by_an_invalidation_of_all(F f) {
    beats_loads(f, "invalidate all", [](explored_cache& c) { c.invalidate_all(); });
}
template <class F>
void loads_are_beaten_by_an_erase_of_what_a_function_names(F f) {
    beats_loads(f, "invalidate_if",
                [](explored_cache& c) { c.invalidate_if([](const probe&, const probe&) { return true; }); });
}
template <class F>
void loads_are_beaten_by_a_put(F f) {
    beats_loads(f, "put", [](explored_cache& c) { c.put(probe(first), probe(2)); });
}
template <class F>
void loads_are_beaten_by_a_put_that_is_evicted(F f) {
    beats_loads(f, "put, evict", [](explored_cache& c) {
        c.put(probe(first), probe(2));
        c.put(probe(second), probe(7));
        c.put(probe(apart), probe(7));
    });
}

template <class F>
void loads_are_beaten_by_a_put_without_room(F f) {
    f("load|put, load, without room", [] {
        with_cache(1, [](explored_cache& c) {
            c.set_capacity(0);
            source from;
            const auto load = [&] {
                return c.pin_or_load(probe(first), [&](const probe&) { return from.read(); }).value().number();
            };
            parallel([&] { load(); },
                     [&] {
                         from.change();
                         require(!c.put(probe(first), probe(2)), "nothing is stored");
                         require(load() == 2, "what was loaded before is not shared with who asks after");
                     });
            require(c.size() == 0, "no load stores");
            c.set_capacity(1);
        });
    });
}

/// All keys have their loads in one list of records: a load uses the record of the one before.
template <class F>
void loads_of_other_keys_are_not_beaten(F f) {
    const auto beside = [&](const std::string& name, const std::function<void(explored_cache&)>& forget) {
        f("load, load of another key|" + name, [forget] {
            with_cache(4, [&](explored_cache& c) {
                parallel(
                    [&] {
                        static_cast<void>(c.pin_or_load(probe(first), [] { return probe(7); }));
                        static_cast<void>(c.pin_or_load(probe(apart), [] { return probe(8); }));
                        require(c.number(apart) == 8, "no write of this key has overtaken its load");
                    },
                    [&] { forget(c); });
            });
        });
    };
    beside("invalidate", [](explored_cache& c) { c.invalidate(probe(first)); });
    beside("put", [](explored_cache& c) { c.put(probe(first), probe(2)); });
}

template <class F>
void loads_are_made_once_and_shared(F f) {
    f("load|load|load", [] {
        with_cache(1, [](explored_cache& c) {
            unsigned calls = 0;
            unsigned got = 0;
            const auto load = [&] {
                const auto entry = c.pin_or_load(probe(first), [&] {
                    ++calls;
                    return probe(7);
                });
                if (entry && entry.value().number() == 7) ++got;
            };
            parallel(load, load, load);
            require(calls == 1, "one load");
            require(got == 3, "for all");
        });
    });
}

template <class F>
void loads_that_throw_wake_all_who_wait(F f) {
    f("load that throws|load|load", [] {
        with_cache(1, [](explored_cache& c) {
            unsigned calls = 0;
            unsigned inside = 0;
            unsigned caught = 0;
            const auto load = [&] {
                try {
                    static_cast<void>(c.pin_or_load(probe(first), [&]() -> probe {
                        ++calls;
                        require(inside++ == 0, "one load at a time");
                        c.number(second); // others may come in between
                        --inside;
                        throw std::runtime_error("no");
                    }));
                } catch (const std::runtime_error&) {
                    ++caught;
                }
            };
            parallel(load, load, load);
            require(caught == 3 && calls >= 1, "each caller is told");
        });
    });
}

template <class F>
void loads_in_a_circle(F f) {
    f("load of two keys in a circle", [] {
        with_cache(2, [](explored_cache& c) {
            unsigned errors = 0;
            const auto load_through = [&](std::uint64_t key, std::uint64_t other) {
                try {
                    static_cast<void>(c.pin_or_load(probe(key), [&] {
                        static_cast<void>(c.pin_or_load(probe(other), [] { return probe(2); }));
                        return probe(1);
                    }));
                } catch (const syncmap::recursive_load&) {
                    ++errors;
                }
            };
            parallel([&] { load_through(first, apart); }, [&] { load_through(apart, first); });
            require(errors <= 1, "one of a circle is told");
        });
    });
}

/// A bulk loader of sevens.
inline std::vector<std::pair<probe, probe>> all_sevens(const std::vector<probe>& keys) {
    std::vector<std::pair<probe, probe>> found;
    for (const probe& key : keys) found.emplace_back(key, probe(7));
    return found;
}

template <class F>
void bulk_loads_that_overlap(F f) {
    f("bulk load|bulk load, in other order", [] {
        with_cache(3, [](explored_cache& c) {
            unsigned asked = 0;
            unsigned got = 0;
            const auto load = [&](const std::vector<probe>& keys) {
                for (const auto& each : c.get_all_or_load(keys, [&](const std::vector<probe>& absent) {
                         asked += static_cast<unsigned>(absent.size());
                         return all_sevens(absent);
                     }))
                    got += each && each.value().number() == 7 ? 1 : 0;
            };
            parallel([&] { load({probe(first), probe(apart)}); }, [&] { load({probe(apart), probe(first)}); });
            require(asked == 2, "each key is loaded once");
            require(got == 4, "for both");
        });
    });
    f("bulk load|load|load that throws", [] {
        with_cache(3, [](explored_cache& c) {
            unsigned got = 0;
            unsigned caught = 0;
            parallel(
                [&] {
                    try {
                        for (const auto& each : c.get_all_or_load({probe(first), probe(apart)}, all_sevens))
                            got += each && each.value().number() == 7 ? 1 : 0;
                    } catch (const std::runtime_error&) {
                        ++caught;
                    }
                },
                [&] {
                    try {
                        static_cast<void>(c.pin_or_load(probe(apart), []() -> probe { throw std::runtime_error("no"); }));
                    } catch (const std::runtime_error&) {
                        caught += 2;
                    }
                },
                [&] { static_cast<void>(c.pin_or_load(probe(first), [] { return probe(7); })); });
            require(got == 2 || (caught & 1) != 0, "a bulk load ends with all values, or the exception");
            require(c.number(first).value_or(7) == 7, "other keys do not care");
        });
    });
}

template <class F>
void bulk_loads_are_beaten_by_an_invalidation(F f) {
    f("bulk load|invalidate, get", [] {
        with_cache(3, [](explored_cache& c) {
            source from;
            const auto load = [&] {
                const auto all = c.get_all_or_load({probe(first), probe(apart)}, [&](const std::vector<probe>& keys) {
                    std::vector<std::pair<probe, probe>> found;
                    for (const probe& key : keys) found.emplace_back(key, from.read());
                    return found;
                });
                return all[0].value().number();
            };
            parallel([&] { load(); },
                     [&] {
                         from.change();
                         c.invalidate(probe(first));
                         const auto value = c.number(first);
                         require(!value || *value == 2, "what was loaded before is not seen after");
                         require(load() == 2, "nor is it shared with a call that begins after");
                     });
            const auto value = c.number(first);
            require(!value || *value == 2, "what was loaded before does not come later");
        });
    });
}

inline explored_cache::options_type impatient(bool then_load_alone) {
    return {
        .capacity = 2, .load_timeout = std::chrono::milliseconds(1), .then_load_alone = then_load_alone, .statistics = false};
}

template <class F>
void waiters_that_give_up(F f) {
    f("load|load with timeout|load with timeout", [] {
        with_cache(impatient(false), [](explored_cache& c) {
            unsigned calls = 0;
            unsigned got = 0;
            unsigned late = 0;
            const auto load = [&] {
                try {
                    const auto entry = c.pin_or_load(probe(first), [&] {
                        ++calls;
                        return probe(7);
                    });
                    got += entry && entry.value().number() == 7 ? 1 : 0;
                } catch (const syncmap::load_timeout&) {
                    ++late;
                }
            };
            parallel(load, load, load);
            require(calls == 1 && got + late == 3 && got != 0, "each waiter has the outcome of one load, or gives up");
        });
    });
    f("load that throws|load with timeout|load with timeout", [] {
        with_cache(impatient(false), [](explored_cache& c) {
            unsigned told = 0;
            const auto load = [&] {
                try {
                    static_cast<void>(c.pin_or_load(probe(first), []() -> probe { throw std::runtime_error("no"); }));
                } catch (const std::runtime_error&) { // of the loader, or load_timeout
                    ++told;
                }
            };
            parallel(load, load, load);
            require(told == 3, "each waiter is told, or gives up");
        });
    });
}

template <class F>
void misses_that_are_coalesced(F f) {
    f("load|load, coalesced by two", [] {
        unsigned calls = 0;
        const auto load_many = [&calls](const std::vector<probe>& keys) {
            ++calls;
            return all_sevens(keys);
        };
        const explored_cache::options_type options{.capacity = 3,
                                                   .load_many = load_many,
                                                   .coalesce = {.window = std::chrono::hours(1), .most = 2},
                                                   .statistics = false};
        with_cache(options, [&](explored_cache& c) {
            unsigned got = 0;
            const auto load = [&](std::uint64_t key) {
                const auto entry = c.pin_or_load(probe(key));
                got += entry && entry.value().number() == 7 ? 1 : 0;
            };
            parallel([&] { load(first); }, [&] { load(apart); });
            require(got == 2 && calls == 1, "one load brings both");
        });
    });
}

template <class F>
void waiters_that_load_alone(F f) {
    f("load|load, alone after a timeout|put", [] {
        with_cache(impatient(true), [](explored_cache& c) {
            unsigned calls = 0;
            unsigned got = 0;
            const auto load = [&] {
                const auto entry = c.pin_or_load(probe(first), [&] {
                    ++calls;
                    return probe(7);
                });
                got += entry && (entry.value().number() == 7 || entry.value().number() == 5) ? 1 : 0;
            };
            parallel(load, load, [&] { c.put(probe(first), probe(5)); });
            require(got == 2 && calls <= 2, "each has a value");
            const auto value = c.number(first);
            require(!value || value == 5, "no load undoes the put");
        });
    });
    f("load|load, alone after a timeout|invalidate", [] {
        with_cache(impatient(true), [](explored_cache& c) {
            source from;
            const auto load = [&] {
                return c.pin_or_load(probe(first), [&](const probe&) { return from.read(); }).value().number();
            };
            parallel([&] { load(); }, [&] { load(); },
                     [&] {
                         from.change();
                         c.invalidate(probe(first));
                         const auto value = c.number(first);
                         require(!value || *value == 2, "what was loaded before is not seen after");
                     });
            const auto value = c.number(first);
            require(!value || *value == 2, "what was loaded before does not come later");
        });
    });
}

template <class F>
void loads_beside_an_update_of_the_key(F f) {
    f("load|update", [] {
        with_cache(1, [](explored_cache& c) {
            parallel([&] { static_cast<void>(c.pin_or_load(probe(first), [] { return probe(1); })); },
                     [&] { c.update(probe(first), [](const probe* now) { return probe(now == nullptr ? 5 : 6); }); });
            const auto value = c.number(first);
            require(!value || value == 5 || value == 6, "a load does not undo an update");
        });
    });
}

template <class F>
void loads_beside_an_update_that_loads_the_key(F f) {
    f("load|update that loads", [] {
        with_cache(1, [](explored_cache& c) {
            const auto load = [&] { return c.pin_or_load(probe(first), [] { return probe(1); }).value().number(); };
            parallel([&] { require(load() != 0, "a load ends, whatever waits for it"); },
                     [&] { c.update(probe(first), [&](const probe*) { return probe(load() + 1); }); });
            const auto value = c.number(first);
            require(!value || value == 2, "a load does not undo the update");
        });
    });
}

/// Calls `f(name, body)` for each of them.
template <class F>
void each_of_table(F f) {
    a_sweep_beside_a_resize(f);
    an_erase_of_what_was_seen_beside_an_overwrite(f);
    an_erase_of_what_was_seen_beside_a_resize_and_an_erase(f);
}
template <class F>
void each_of_bound(F f) {
    puts_with_one_permit_left(f);
    a_put_beside_an_erase_that_makes_room(f);
    puts_of_one_key(f);
    a_put_beside_an_erase_of_what_leaves_small(f);
    a_hit_beside_a_promotion_beside_an_overwrite(f);
    evictions_beside_an_update_and_a_clear(f);
    cleared_tables_are_taken_apart(f);
    evictions_while_the_table_grows(f);
    updates_whose_functions_put(f);
}
template <class F>
void each_of_weights(F f) {
    overwrites_that_weigh_more(f);
    weights_beside_erases(f);
}
template <class F>
void each_of_capacity(F f) {
    a_smaller_capacity_beside_puts(f);
    two_changes_of_the_capacity(f);
}
template <class F>
void each_of_listeners(F f) {
    removals_of_a_key_are_told_in_order(f);
    removals_are_told_once_beside_an_invalidation(f);
    removals_are_told_once_beside_an_invalidation_of_all(f);
}
template <class F>
void each_of_loads(F f) {
    loads_are_beaten_by_an_invalidation(f);
    loads_are_beaten_by_an_invalidation_of_all(f);
    loads_are_beaten_by_an_erase_of_what_a_function_names(f);
    loads_are_beaten_by_a_put(f);
    loads_are_beaten_by_a_put_that_is_evicted(f);
    loads_are_beaten_by_a_put_without_room(f);
    loads_of_other_keys_are_not_beaten(f);
    loads_are_made_once_and_shared(f);
    loads_that_throw_wake_all_who_wait(f);
    loads_in_a_circle(f);
    bulk_loads_that_overlap(f);
    bulk_loads_are_beaten_by_an_invalidation(f);
    waiters_that_give_up(f);
    waiters_that_load_alone(f);
    misses_that_are_coalesced(f);
    loads_beside_an_update_of_the_key(f);
    loads_beside_an_update_that_loads_the_key(f);
}
template <class F>
void each_program(F f) {
    each_of_table(f);
    each_of_bound(f);
    each_of_weights(f);
    each_of_capacity(f);
    each_of_listeners(f);
    each_of_loads(f);
    each_of_remembering(f);
    each_of_tags(f);
    each_of_time(f);
    a_leaning_that_two_threads_tell(f);
}

} // namespace explore::cache_bodies
