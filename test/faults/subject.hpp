// A map beside what it should be: each operation is tried with failures on, and judged.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <syncmap/text.hpp>

#include "faults/injector.hpp"

namespace test::faults {

enum class act : unsigned char {
    store,
    insert,
    load_or_store,
    load_or_compute,
    exchange,
    compare_insert,
    update_to,
    compare_exchange,
    compare_in_vain,
    fetch_add,
    load,
    visit,
    update_nothing,
    update_away,
    erase,
    load_and_erase,
    compare_erase,
    erase_if_even,
    for_each,
    in_steps,
    size,
    take_snapshot,
    read_snapshot,
    drop_snapshot,
    clear,
    reserve,
    flush
};

struct step {
    act what;
    int key;
    int number;
};

/// `Map`, used by one thread at a time, over keys that no other thread writes.
template <class Map>
class subject {
public:
    using shown_key = typename Map::key_type;
    using shown = typename Map::mapped_type;
    using key_type = syncmap::detail::copied_out_t<shown_key>;
    using mapped = syncmap::detail::copied_out_t<shown>;
    using content = std::map<int, int>;

    explicit subject(Map& map) : map_(map) {}

    /// Does one step, failures on. When it threw: what it must not have changed is compared, and it is done again.
    void perform(const step& s) {
        const content before = model_;
        if (attempt(s, true)) return;
        judge(s, before);
        if (::testing::Test::HasFatalFailure()) return;
        const bool done = attempt(s, false);
        ASSERT_TRUE(done);
    }

    /// The whole content is as it should be.
    void compare() const { ASSERT_EQ(content_now(), model_); }
    const content& model() const noexcept { return model_; }

    /// Uses every key in both ways: no lock was left behind, no key counts as being computed.
    void use_all_keys(int first, int end) {
        for (int k = first; k < end; ++k) {
            const auto found = model_.find(k);
            const key_type key = made_of<key_type>(k);
            std::optional<int> seen;
            map_.visit(key, [&](const shown& v) { seen = number_of(v); });
            ASSERT_EQ(seen, found != model_.end() ? std::optional(found->second) : std::nullopt) << "key " << k;
            map_.update(key, [](const shown*) { return syncmap::keep; });
            if (seen) {
                ASSERT_FALSE(map_.store(key, made_of<mapped>(*seen)));
            } else {
                ASSERT_TRUE(map_.insert(key, made_of<mapped>(0)));
                ASSERT_TRUE(map_.erase(key));
            }
        }
    }

    /// Shared keys are not the model's.
    void check_whole_map(bool whole) noexcept { whole_ = whole; }

private:
    static constexpr bool has_snapshots = requires(const Map& m) { m.snapshot(); };
    static constexpr bool has_steps =
        requires(const Map& m, syncmap::walk_position p) { m.for_each_from(p, [](const shown_key&, const shown&) {}); };
    static constexpr bool can_flush = requires(Map& m) { m.flush(); };
    static auto snapshot_type() {
        if constexpr (has_snapshots) {
            return std::optional<decltype(std::declval<const Map&>().snapshot())>();
        } else {
            return 0;
        }
    }

    /// Runs `f` with failures on, if wanted. False: it threw.
    template <class F>
    static bool tried(bool with_failures, F&& f) {
        try {
            if (with_failures) {
                const injector::armed now;
                f();
            } else {
                f();
            }
            return true;
        } catch (const std::bad_alloc&) {
        } catch (const thrown_on_purpose&) {}
        return false;
    }

    template <class M>
    content content_of(const M& map) const {
        content result;
        map.for_each([&](const shown_key& k, const shown& v) {
            EXPECT_TRUE(result.emplace(number_of(k), number_of(v)).second) << "key " << number_of(k) << " came twice";
        });
        return result;
    }
    content content_now() const { return content_of(map_); }
    std::optional<int> now(int k) const {
        const auto found = model_.find(k);
        return found == model_.end() ? std::nullopt : std::optional(found->second);
    }

    void judge(const step& s, const content& before) {
        if (!whole_) {
            std::optional<int> seen;
            map_.visit(made_of<key_type>(s.key), [&](const shown& v) { seen = number_of(v); });
            if (seen != now(s.key) && returns_by_moving(s.what)) model_[s.key] = s.number;
            ASSERT_EQ(seen, now(s.key)) << describe(s);
            return;
        }
        const content after = content_now();
        ASSERT_EQ(map_.size(), after.size());
        if (s.what == act::erase_if_even) {
            for (const auto& [k, v] : before) {
                ASSERT_TRUE(v % 2 == 0 || after.contains(k)) << describe(s);
            }
            for (const auto& [k, v] : after) ASSERT_EQ(before.at(k), v) << describe(s);
            model_ = after;
            return;
        }
        if (returns_by_moving(s.what) && after != before) model_.emplace(s.key, s.number);
        ASSERT_EQ(after, model_) << describe(s);
    }

    /// The result is a value inside a struct, which is made when the entry is there already: if moving it throws, the
    /// caller loses the result, and the entry stays.
    static bool returns_by_moving(act what) noexcept { return what == act::load_or_store || what == act::load_or_compute; }

    static std::string describe(const step& s) {
        return "act " + std::to_string(static_cast<int>(s.what)) + " of key " + std::to_string(s.key);
    }

    bool attempt(const step& s, bool failing) {
        const key_type key = made_of<key_type>(s.key);
        const mapped value = made_of<mapped>(s.number);
        const std::optional<int> was = now(s.key);
        bool done = false;
        switch (s.what) {
        case act::store: {
            bool fresh = false;
            done = tried(failing, [&] { fresh = map_.store(key, value); });
            if (done) {
                EXPECT_EQ(fresh, !was);
                model_[s.key] = s.number;
            }
            return done;
        }
        case act::insert: {
            bool fresh = false;
            done = tried(failing, [&] { fresh = map_.insert(key, value); });
            if (done) {
                EXPECT_EQ(fresh, !was);
                model_.emplace(s.key, s.number);
            }
            return done;
        }
        case act::load_or_store: {
            bool loaded = false;
            int seen = 0;
            done = tried(failing, [&] {
                const auto r = map_.load_or_store(key, value);
                loaded = r.loaded;
                seen = number_of(r.value);
            });
            return done && expect_loaded(s, was, loaded, seen);
        }
        case act::load_or_compute: {
            bool loaded = false;
            int seen = 0;
            done = tried(failing, [&] {
                const auto r = map_.load_or_compute(key, [&]() -> mapped {
                    injector::reach(site::callback);
                    return value;
                });
                loaded = r.loaded;
                seen = number_of(r.value);
            });
            return done && expect_loaded(s, was, loaded, seen);
        }
        case act::exchange: {
            std::optional<int> seen;
            done = tried(failing, [&] {
                if (const auto old = map_.exchange(key, value)) seen = number_of(*old);
            });
            if (done) {
                EXPECT_EQ(seen, was);
                model_[s.key] = s.number;
            }
            return done;
        }
        case act::compare_insert: {
            bool equal = false;
            std::optional<mapped> none;
            done = tried(failing, [&] { equal = map_.compare_exchange(key, none, value); });
            if (done) {
                EXPECT_EQ(equal, !was);
                model_.emplace(s.key, s.number);
            }
            return done;
        }
        case act::compare_exchange:
        case act::compare_in_vain: {
            const int guess = s.what == act::compare_exchange && was ? *was : -7;
            mapped expected = made_of<mapped>(guess);
            bool equal = false;
            done = tried(failing, [&] { equal = map_.compare_exchange(key, expected, value); });
            if (done) {
                EXPECT_EQ(equal, was == guess);
                EXPECT_EQ(number_of(expected), was.value_or(guess));
                if (equal) model_[s.key] = s.number;
            }
            return done;
        }
        case act::compare_erase: {
            mapped expected = made_of<mapped>(was.value_or(-7));
            bool equal = false;
            done = tried(failing, [&] { equal = map_.compare_erase(key, expected); });
            if (done) {
                EXPECT_EQ(equal, was.has_value());
                model_.erase(s.key);
            }
            return done;
        }
        case act::fetch_add: return attempt_fetch_add(s, failing, was);
        case act::load: {
            std::optional<int> seen;
            bool there = false;
            done = tried(failing, [&] {
                if (const auto v = map_.load(key)) seen = number_of(*v);
                there = map_.contains(key);
            });
            if (done) {
                EXPECT_EQ(seen, was);
                EXPECT_EQ(there, was.has_value());
            }
            return done;
        }
        case act::visit: {
            std::optional<int> seen;
            done = tried(failing, [&] {
                map_.visit(key, [&](const shown& v) {
                    injector::reach(site::callback);
                    seen = number_of(v);
                });
            });
            if (done) {
                EXPECT_EQ(seen, was);
            }
            return done;
        }
        case act::update_to:
        case act::update_nothing:
        case act::update_away: {
            done = tried(failing, [&] {
                map_.update(key, [&](const shown* current) -> syncmap::update_action<shown> {
                    injector::reach(site::callback);
                    EXPECT_EQ(current != nullptr ? std::optional(number_of(*current)) : std::nullopt, was);
                    if (s.what == act::update_nothing) return syncmap::keep;
                    if (s.what == act::update_away) return std::nullopt;
                    return value;
                });
            });
            if (done && s.what == act::update_to) model_[s.key] = s.number;
            if (done && s.what == act::update_away) model_.erase(s.key);
            return done;
        }
        case act::erase: {
            bool there = false;
            done = tried(failing, [&] { there = map_.erase(key); });
            if (done) {
                EXPECT_EQ(there, was.has_value());
                model_.erase(s.key);
            }
            return done;
        }
        case act::load_and_erase: {
            std::optional<int> seen;
            done = tried(failing, [&] {
                if (const auto old = map_.load_and_erase(key)) seen = number_of(*old);
            });
            if (done) {
                EXPECT_EQ(seen, was);
                model_.erase(s.key);
            }
            return done;
        }
        default: return attempt_whole(s, failing);
        }
    }

    bool attempt_fetch_add(const step& s, bool failing, std::optional<int> was) {
        if constexpr (std::is_same_v<mapped, int>) {
            const key_type key = made_of<key_type>(s.key);
            int before = 0;
            const bool done = tried(failing, [&] { before = map_.fetch_add(key, s.number); });
            if (done) {
                EXPECT_EQ(before, was.value_or(0));
                model_[s.key] += s.number;
            }
            return done;
        } else {
            return attempt({act::store, s.key, s.number}, failing);
        }
    }

    bool expect_loaded(const step& s, std::optional<int> was, bool loaded, int seen) {
        EXPECT_EQ(loaded, was.has_value()) << describe(s);
        EXPECT_EQ(seen, was.value_or(s.number)) << describe(s);
        model_.emplace(s.key, s.number);
        return true;
    }

    // ---- the whole map ----

    bool attempt_whole(const step& s, bool failing) {
        switch (s.what) {
        case act::erase_if_even: {
            std::size_t erased = 0;
            const bool done = tried(failing, [&] {
                erased = map_.erase_if([&](const shown_key&, const shown& v) {
                    injector::reach(site::callback);
                    return number_of(v) % 2 == 0;
                });
            });
            if (done) {
                EXPECT_EQ(erased, std::erase_if(model_, [](const auto& e) { return e.second % 2 == 0; }));
            }
            return done;
        }
        case act::for_each: {
            std::size_t calls = 0;
            const bool done = tried(failing, [&] {
                calls = map_.for_each([](const shown_key&, const shown&) { injector::reach(site::callback); });
            });
            if (done && whole_) {
                EXPECT_EQ(calls, model_.size());
            }
            return done;
        }
        case act::in_steps: return attempt_steps(failing);
        case act::size: {
            std::size_t size = 0;
            const bool done = tried(failing, [&] { size = map_.size(); });
            if (done && whole_) {
                EXPECT_EQ(size, model_.size());
            }
            return done;
        }
        case act::clear: {
            const bool done = tried(failing, [&] { map_.clear(); });
            if (done) model_.clear();
            return done;
        }
        case act::reserve: return tried(failing, [&] { map_.reserve(static_cast<std::size_t>(s.number)); });
        case act::flush:
            if constexpr (can_flush) return tried(failing, [&] { map_.flush(); });
            return true;
        default: return attempt_snapshot(s, failing);
        }
    }

    bool attempt_steps(bool failing) {
        if constexpr (has_steps) {
            std::size_t calls = 0;
            for (syncmap::walk_position at; !at.at_end();) {
                std::size_t calls_now = 0;
                const bool done = tried(failing, [&] {
                    at = map_.for_each_from(at, [&](const shown_key&, const shown&) {
                        injector::reach(site::callback);
                        ++calls_now;
                    });
                });
                if (!done) continue; // once more from the same position
                calls += calls_now;
            }
            if (whole_) {
                EXPECT_EQ(calls, model_.size());
            }
        }
        return true;
    }

    bool attempt_snapshot(const step& s, bool failing) {
        if constexpr (has_snapshots) {
            if (s.what == act::take_snapshot) {
                const bool done = tried(failing, [&] { snapshot_.emplace(map_.snapshot()); });
                if (done) in_snapshot_ = model_;
                return done;
            }
            if (!snapshot_) return true;
            if (s.what == act::drop_snapshot) return tried(failing, [&] { snapshot_.reset(); });
            const key_type key = made_of<key_type>(s.key);
            std::optional<int> seen;
            std::size_t calls = 0;
            const bool done = tried(failing, [&] {
                snapshot_->visit(key, [&](const shown& v) {
                    injector::reach(site::callback);
                    seen = number_of(v);
                });
                calls = snapshot_->for_each([](const shown_key&, const shown&) { injector::reach(site::callback); });
            });
            if (done) {
                const auto found = in_snapshot_.find(s.key);
                EXPECT_EQ(seen, found != in_snapshot_.end() ? std::optional(found->second) : std::nullopt);
                EXPECT_EQ(calls, snapshot_->size());
                if (whole_) {
                    EXPECT_EQ(content_of(*snapshot_), in_snapshot_);
                }
            }
            return done;
        }
        return true;
    }

    Map& map_;
    content model_{};
    decltype(snapshot_type()) snapshot_{};
    content in_snapshot_{};
    bool whole_ = true;
};

} // namespace test::faults
