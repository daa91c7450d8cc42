// A map under exploration: its tables may be looked at, and every call and answer goes into a journal.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <explore/allocator.hpp>
#include <explore/explorer.hpp>
#include <explore/map_history.hpp>
#include <explore/map_layouts.hpp>
#include <explore/sync.hpp>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/snapshot.hpp>
#include <syncmap/walk_position.hpp>

namespace explore {

// ---- recording ----

/// The calls of one execution. No allocation: it is written by fibers, whose memory ends with the execution.
class journal {
public:
    void clear() noexcept {
        size_ = 0;
        clock_ = 0;
        ended_ = {};
    }
    /// Weak memory: each call happens after those that ended before it began, as if the threads told each other. The
    /// time that passes orders nothing by itself, so without this no answer is wrong because it is old.
    void order_calls(bool by_time) noexcept { ordered_ = by_time; }

    std::uint64_t begin_call() noexcept {
        if (ordered_ && scheduler::weak()) scheduler::instance().memory().learn(ended_);
        return ++clock_;
    }
    std::uint64_t end_call() noexcept {
        if (ordered_ && scheduler::weak()) ended_.join(scheduler::instance().memory().present());
        return ++clock_;
    }
    void add(const map_call& call) {
        require(size_ != calls_.size(), "the journal has room");
        calls_[size_++] = call;
    }
    std::span<const map_call> calls() const noexcept { return {calls_.data(), size_}; }

private:
    std::array<map_call, 256> calls_{};
    std::size_t size_ = 0;
    std::uint64_t clock_ = 0;
    weak_memory::knowledge ended_{};
    bool ordered_ = true;
};

/// One operation of a thread, as a program asks for it.
struct step {
    verb what;
    std::uint64_t key;
    std::uint64_t argument = 0;
    held expected{};
    std::uint64_t other = keys::apart; ///< the second key of an update of two
    bool many = false; ///< load, store or erase of this key and another one in one call
};

inline bool has_key(verb what) noexcept {
    return what != verb::for_each && what != verb::erase_if && what < verb::reserve && !touches_all_keys(what);
}

inline std::string to_text(const step& s) {
    if (changes_two(s.what)) return std::string(name_of(s.what)) + std::to_string(s.key) + "+" + std::to_string(s.other);
    return std::string(name_of(s.what)) + (s.many ? "_many" : "") + (has_key(s.what) ? std::to_string(s.key) : std::string());
}

/// The Sync policy of a layout's maps: one of its own, or the explorer's.
template <class Layout>
struct policy_of {
    using type = sync_policy;
};
template <class Layout>
    requires requires { typename Layout::policy; }
struct policy_of<Layout> {
    using type = typename Layout::policy;
};

template <class Layout, template <class...> class Made>
using made_of =
    Made<typename Layout::key_type, typename Layout::mapped_type, typename Layout::hasher, typename Layout::key_equal,
         allocator<std::pair<const typename Layout::key_type, typename Layout::mapped_type>>, typename policy_of<Layout>::type>;

/// The engine, whose tables the explorer may look at from outside.
template <class Layout>
class visible_engine : public made_of<Layout, syncmap::engine::table> {
    using base = made_of<Layout, syncmap::engine::table>;
    using types = made_of<Layout, syncmap::engine::table_types>;

public:
    using base::base;

    std::size_t buckets() const noexcept {
        const auto* const t = base::table_of(this->root_.load());
        return t == nullptr ? 0 : t->buckets();
    }
    bool is_moving() const noexcept {
        const auto* const t = base::table_of(this->root_.load());
        return t != nullptr && t->successor() != nullptr;
    }

    /// With no thread in a call: what is left to do for writers. Null: nothing.
    const char* work_left() const noexcept {
        const auto* const t = base::table_of(this->root_.load());
        if (t == nullptr) return nullptr;
        if (t->successor() != nullptr) return "a table is being left";
        if (t->moving->spilled.load()) return "a table is to be looked at for growth";
        auto& c = this->shared_of_table();
        const auto* const rare = c.rare_or_null();
        if (!base::nothing_to_recycle(c) || (rare != nullptr && rare->quiescing_tables != nullptr))
            return "tables are to be given back";
        if (!syncmap::engine::gate::is_open(c.gate_word.load())) return "the gate is closed";
        return nullptr;
    }
    /// The same, if no writer is asked to help with it.
    const char* forgotten_work() const noexcept {
        const auto* const t = base::table_of(this->root_.load());
        return t == nullptr || t->needs_help.load() ? nullptr : work_left();
    }

    /// The number of the newest snapshot.
    std::uint32_t last_phase() const noexcept { return this->shared_of_table().snapshots().last_phase; }

    /// As if the table had grown by itself: it may shrink again.
    void forget_what_was_reserved() noexcept {
        if (auto* const t = base::table_of(this->root_.load())) t->floor_log2.store(0);
    }

    /// Begins to leave the table for one of twice as many buckets, and moves the first bucket.
    void move_first_bucket() {
        auto& c = this->shared();
        const syncmap::reclaim::thread_lease<typename base::Sync> me(c.home->threads);
        auto& record = this->thread_record_of(c, *me);
        const auto root = this->root_.load();
        syncmap::engine::resizer<types>::start_resize(*this, c, record, root, base::table_of(root)->log2() + 1);
        syncmap::engine::resizer<types>::help(*this, c, record, root, 1);
    }

    /// Whether the lines of the first table serve the tables after it.
    bool lends_first_lines() const noexcept {
        return this->shared_of_table().first_table_is.load() == syncmap::engine::first_table::lent;
    }
    /// Overflow lines that were made beside any table so far.
    std::size_t lines_beside() const noexcept {
        std::size_t count = 0;
        const auto* const rare = this->shared_of_table().rare_or_null();
        for (const auto* l = rare == nullptr ? nullptr : rare->all_spare_lines.load(); l != nullptr; l = l->next) ++count;
        return count;
    }

    static constexpr std::size_t slots = types::layout::slots_per_line;
    /// So many entries ask for eight buckets.
    static constexpr std::size_t many_entries = slots * 5 / 8 * 7;

    /// The entries that fill one bucket of the smallest table and all lines that it can add.
    static std::size_t bucket_capacity() noexcept { return slots + types::header::overflow_share(2) * (slots - 1); }
};

template <class Layout>
class visible_map : public syncmap::basic_map<visible_engine<Layout>> {
public:
    const visible_engine<Layout>& engine() const noexcept { return this->engine_; }

    /// Room for so many entries, which is not reserved: the map is larger than it needs to be.
    void widen(std::size_t entries) {
        this->reserve(entries);
        this->engine_.forget_what_was_reserved();
    }
    void move_first_bucket() { this->engine_.move_first_bucket(); }

    // What not every map of the family has.
    static constexpr bool has_snapshots = requires(visible_engine<Layout>& e) { e.snapshot(); };
    static constexpr bool has_pin = requires(visible_engine<Layout>& e) { e.pin(Layout::key(0)); };
    static constexpr bool has_steps =
        requires(visible_engine<Layout>& e, void (*f)(const typename Layout::key_type&, const typename Layout::mapped_type&)) {
            e.for_each_from(syncmap::walk_position(), f);
        };
    static constexpr bool has_replace = requires(visible_engine<Layout>& e) { e.replace(e); };
    static constexpr bool updates_several =
        requires(visible_engine<Layout>& e, std::span<const syncmap::detail::given_t<typename Layout::key_type>> keys,
                 bool (*f)(std::span<syncmap::update_slot<typename Layout::mapped_type>>)) {
            e.update_all(keys, f, std::memory_order_seq_cst);
        };
};

/// A map under exploration, with what it is asked and answers.
template <class Layout>
class recorded_map {
    using shown_key = typename Layout::key_type;
    using shown_value = typename Layout::mapped_type;
    using key_type = syncmap::detail::copied_out_t<shown_key>;
    using mapped_type = syncmap::detail::copied_out_t<shown_value>;

public:
    /// `used`: keys 0 to used-1 are those that the program may store.
    recorded_map(journal& calls, std::uint64_t used) : journal_(calls), used_(used) {}

    visible_map<Layout>& plain() noexcept { return map_; }

    void perform(std::uint8_t thread, const step& s) {
        map_call call{.what = s.what,
                      .thread = thread,
                      .other = static_cast<std::uint32_t>(s.other),
                      .key = s.key,
                      .argument = s.argument,
                      .expected = s.expected};
        call.invoked = journal_.begin_call();
        if (s.many) return perform_many(call);
        switch (s.what) {
        case verb::load: call.seen = number(map_.load(key(s))); break;
        case verb::store: call.answer = map_.store(key(s), value(s.argument)); break;
        case verb::erase: call.answer = map_.erase(key(s)); break;
        case verb::exchange: call.seen = number(map_.exchange(key(s), value(s.argument))); break;
        case verb::load_and_erase: call.seen = number(map_.load_and_erase(key(s))); break;
        case verb::load_or_store: {
            const auto result = map_.load_or_store(key(s), value(s.argument));
            call.seen = Layout::value_of(result.value);
            call.answer = result.loaded;
            break;
        }
        case verb::compare_exchange: {
            std::optional<mapped_type> expected;
            if (s.expected) expected.emplace(value(*s.expected));
            call.answer = map_.compare_exchange(key(s), expected, value(s.argument));
            call.seen = number(expected);
            break;
        }
        case verb::compare_erase: {
            mapped_type expected = value(*s.expected);
            call.answer = map_.compare_erase(key(s), expected);
            call.seen = Layout::value_of(expected);
            break;
        }
        case verb::fetch_add:
            if constexpr (Layout::has_integral_value) call.seen = map_.fetch_add(key(s), s.argument);
            break;
        case verb::update: {
            const auto result = map_.update(key(s), [&](const shown_value* current) {
                ++call.count;
                call.seen = number(current);
                return value(call.seen.value_or(0) + s.argument);
            });
            call.answer = result == syncmap::update_result::inserted;
            break;
        }
        case verb::update_erase: {
            const auto result = map_.update(key(s), [&](const shown_value* current) {
                ++call.count;
                call.seen = number(current);
                return std::optional<mapped_type>();
            });
            call.answer = result == syncmap::update_result::erased;
            break;
        }
        case verb::load_or_compute: {
            const auto result = map_.load_or_compute(key(s), [&] {
                ++call.count;
                return value(s.argument);
            });
            call.seen = Layout::value_of(result.value);
            call.answer = result.loaded;
            break;
        }
        case verb::for_each: return for_each(call);
        case verb::erase_if:
            call.count = map_.erase_if([](const shown_key&, const shown_value& v) { return Layout::value_of(v) % 2 != 0; });
            call.responded = journal_.end_call();
            for (call.key = 0; call.key != keys::fillers; ++call.key) journal_.add(call); // fillers have even values
            return;
        case verb::size: call.count = map_.size(); break;
        case verb::clear: map_.clear(); break;
        case verb::reserve:
            map_.reserve(visible_engine<Layout>::many_entries);
            journal_.end_call();
            return;
        case verb::flush:
            map_.flush();
            require(map_.approx_size() <= contents::keys, "an approximate size is not absurd");
            journal_.end_call();
            return;
        case verb::shrink:
            if constexpr (requires { map_.shrink_to_fit(); }) map_.shrink_to_fit();
            journal_.end_call();
            return;
        case verb::add_to_two:
        case verb::swap_two:
            if constexpr (visible_map<Layout>::updates_several) update_two(s, call);
            break;
        case verb::replace: return replace(thread, s, call);
        case verb::snapshot: return take_snapshot(thread, call);
        }
        call.responded = journal_.end_call();
        journal_.add(call);
    }

    /// Makes the map that a `replace` of this thread will take, so that this is no part of what is explored.
    void prepare(std::uint8_t thread, const step& s) {
        auto& next = next_[thread];
        next.emplace();
        for (const std::uint64_t k : {s.key, s.other}) next->store(Layout::key(k), value(s.argument));
    }

    /// After everything: snapshots still show what they showed at first.
    void look_again() {
        if constexpr (visible_map<Layout>::has_snapshots) {
            for (auto& each : kept_) {
                if (each) require(read(each->taken) == each->seen, "a snapshot shows the same for as long as it lives");
            }
        }
    }

private:
    /// Each element is a call of its own, in the order of the index: one begins no earlier than the one before ends.
    void perform_many(map_call& call) {
        const std::array<std::uint64_t, 2> numbers{call.key, call.key == keys::first ? keys::second : keys::first};
        const std::array<key_type, 2> wanted{Layout::key(numbers[0]), Layout::key(numbers[1])};
        const auto record = [&](std::size_t i, bool answer) {
            call.key = numbers[i];
            call.answer = answer;
            call.responded = journal_.end_call();
            journal_.add(call);
            call.invoked = journal_.begin_call();
        };
        if (call.what == verb::store) {
            map_.store_many(wanted, std::array<mapped_type, 2>{value(call.argument), value(call.argument)}, record);
        } else if (call.what == verb::erase) {
            map_.erase_many(wanted, record);
        } else {
            std::array<std::optional<mapped_type>, 2> results{};
            map_.load_many(wanted, results);
            call.responded = journal_.end_call();
            for (std::size_t i = 0; i != 2; ++i) {
                call.key = numbers[i];
                call.seen = number(results[i]);
                journal_.add(call);
            }
        }
    }

    void replace(std::uint8_t thread, const step& s, map_call& call) {
        if constexpr (visible_map<Layout>::has_replace) {
            auto& next = next_[thread];
            if (!next) prepare(thread, s);
            call.other = static_cast<std::uint32_t>(s.other);
            map_.replace(std::move(*next));
            call.responded = journal_.end_call();
            require(next->size() == 0, "the map that replaced another is empty");
            next.reset();
            journal_.add(call);
        }
    }

    void take_snapshot(std::uint8_t thread, map_call& call) {
        if constexpr (visible_map<Layout>::has_snapshots) {
            auto& mine = kept_[thread];
            mine.reset();
            mine.emplace(map_.snapshot());
            call.responded = journal_.end_call();
            mine->seen = read(mine->taken);
            call.count = mine->seen.digest();
            journal_.add(call);
        }
    }

    struct kept_snapshot {
        explicit kept_snapshot(syncmap::snapshot<visible_engine<Layout>> s) : taken(std::move(s)) {}
        syncmap::snapshot<visible_engine<Layout>> taken;
        contents seen{};
    };
    struct no_snapshot {};

    contents read(const syncmap::snapshot<visible_engine<Layout>>& taken) const {
        contents all;
        const std::size_t visits = taken.for_each([&](const shown_key& k, const shown_value& v) {
            const std::uint64_t n = Layout::number_of(k);
            require(n < used_, "a snapshot shows keys that were stored");
            require(!all.values[n], "a snapshot shows no key twice");
            all.values[n] = Layout::value_of(v);
        });
        require(visits == taken.size(), "a snapshot has as many entries as it says");
        for (std::uint64_t n = 0; n != keys::fillers; ++n) {
            require(number(taken.load(Layout::key(n))) == all.values[n], "a snapshot's look-ups and its walk agree");
        }
        return all;
    }

    key_type key(const step& s) const { return Layout::key(s.key); }
    static mapped_type value(std::uint64_t number) { return value_for<Layout>(number); }
    static held number(const std::optional<mapped_type>& v) { return v ? held(Layout::value_of(*v)) : held(); }
    static held number(const shown_value* v) { return v != nullptr ? held(Layout::value_of(*v)) : held(); }

    void update_two(const step& s, map_call& call) {
        unsigned runs = 0;
        const std::array<key_type, 2> both{key(s), Layout::key(s.other)};
        const bool done = map_.update(both, [&](std::span<syncmap::update_slot<shown_value>> slots) {
            ++runs;
            const held had[2] = {number(slots[0].current()), number(slots[1].current())};
            call.seen = had[0];
            call.count = code_of(had[1]);
            for (std::size_t i = 0; i != 2; ++i) {
                if (s.what == verb::add_to_two) {
                    slots[i].assign(value(had[i].value_or(0) + s.argument));
                } else if (had[1 - i]) {
                    slots[i].assign(value(*had[1 - i]));
                } else {
                    slots[i].erase();
                }
            }
        });
        require(done && runs == 1, "the function runs once");
    }

    /// A walk answers for every key: as if each had been loaded somewhere between its start and its end.
    void for_each(map_call& call) {
        std::array<held, contents::keys> seen{};
        const std::size_t visits = map_.for_each([&](const shown_key& k, const shown_value& v) {
            const std::uint64_t n = Layout::number_of(k);
            require(n < used_, "for_each shows keys that were stored");
            require(!seen[n], "for_each shows no key twice");
            seen[n] = Layout::value_of(v);
            ++call.count;
        });
        require(visits == call.count, "for_each counts its calls");
        call.responded = journal_.end_call();
        call.what = verb::load;
        for (call.key = 0; call.key != used_; ++call.key) {
            call.seen = seen[call.key];
            journal_.add(call);
        }
    }

    journal& journal_;
    std::uint64_t used_;
    visible_map<Layout> map_;
    using kept = std::conditional_t<visible_map<Layout>::has_snapshots, kept_snapshot, no_snapshot>;
    std::array<std::optional<kept>, 5> kept_{};                ///< by thread; they end before the map
    std::array<std::optional<visible_map<Layout>>, 5> next_{}; ///< by thread
};

} // namespace explore
