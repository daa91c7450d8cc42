// Programs made for one step of the protocol each: few threads, a small table, and the one meeting that needs the step.
//
// Each says how many loads of an execution may return an older store before it shows what is wrong; where the step only
// matters when a thread is left twice, how many preemptions. Threads stay until all are done (`side_by_side`): one that
// took over the hazard record of another that has ended would learn from it all that it did.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_suite.hpp>

#include <syncmap/engine/table/map_registry.hpp>
#include <syncmap/snapshot.hpp>

namespace mutants {

using namespace explore;

template <class... F>
void side_by_side(F&&... functions) {
    sync_policy::atomic<unsigned> ended{0};
    const auto staying = [&](auto& f) {
        return [&] {
            f();
            ended.fetch_add(1, std::memory_order_relaxed);
            while (ended.fetch_add(0, std::memory_order_relaxed) != sizeof...(F)) sync_policy::pause();
        };
    };
    parallel(staying(functions)...);
}

/// A value in a slot whose comparison is the user's: what is to be done with it is not decided under the lock.
struct boxed {
    std::uint64_t number = 0;
    friend bool operator==(const boxed& a, const boxed& b) noexcept { return a.number == b.number; }
};

template <class Layout>
struct with_boxed_values : Layout {
    using mapped_type = boxed;
    using Layout::value_of;
    static std::uint64_t value_of(const boxed& value) noexcept { return value.number; }
};

/// Compares as the keys do, but lets the other threads go first where its own has asked for that.
template <class Layout>
struct with_hesitation : Layout {
    struct hesitation {
        const void* thread;
        std::uint64_t at;
    };
    static inline std::array<hesitation, 2> wanted{};

    struct key_equal {
        bool operator()(const probe& stored, const probe& key) const {
            for (hesitation& each : wanted) {
                if (each.thread != sync_policy::this_thread() || each.at != stored.number()) continue;
                each.thread = nullptr; // once
                sync_policy::pause();
            }
            return stored == key;
        }
    };
};

template <class Layout>
class aimed {
public:
    struct program {
        std::string name;
        std::function<void()> body;
        unsigned stale_reads;
        unsigned preemptions;
    };

    static std::vector<program> all() {
        aimed a;
        a.add_counts();
        a.add_owners();
        a.add_growth();
        a.add_tables_used_again();
        a.add_late_helpers();
        a.add_lines();
        a.add_moves_home();
        a.add_threads();
        a.add_snapshots();
        return std::move(a.list_);
    }

private:
    using key_type = typename Layout::key_type;
    using mapped_type = typename Layout::mapped_type;
    using map_type = visible_map<Layout>;
    using snapshot_of_map = decltype(std::declval<const map_type&>().snapshot());
    using flag = sync_policy::atomic<int>;
    using seen_keys = std::array<unsigned, contents::keys>;

    static constexpr std::size_t slots = visible_engine<Layout>::slots;
    static constexpr std::size_t entries_of_eight_buckets = slots * 5 / 8 * 7;
    static constexpr std::uint64_t absent = contents::keys - 1; ///< in no setting
    static key_type key(std::uint64_t number) { return Layout::key(number); }
    static mapped_type value(std::uint64_t number) { return mapped_type(number); }

    void add(std::string name, unsigned stale_reads, std::function<void()> body, unsigned preemptions = 1) {
        list_.push_back({std::string(Layout::name) + " aimed " + name, std::move(body), stale_reads, preemptions});
    }

    static void require_consistent(map_type& map) {
        std::size_t seen = 0;
        map.for_each([&](const key_type&, const mapped_type&) { ++seen; });
        require(map.size() == seen, "size agrees with a walk");
    }
    static seen_keys walk(map_type& map) {
        seen_keys seen{};
        map.for_each([&](const key_type& k, const mapped_type&) { ++seen[Layout::number_of(k)]; });
        for (const unsigned each : seen) require(each <= 1, "a walk shows no key twice");
        return seen;
    }
    /// The writes that are enough to finish any resize of so small a table.
    static void write_on(map_type& map) {
        for (std::uint64_t i = 0; i != 8; ++i) map.store(key(keys::first), value(70 + i));
    }
    /// Makes the map one of eight buckets, and lets go of the table that it had.
    static void grow(map_type& map) {
        map.widen(entries_of_eight_buckets);
        map.flush();
    }

    // ---- size ----

    void add_counts();

    // ---- computations ----

    /// An update is dropped because `clear` came first, so it is ordered before that; a thread that writes to the cleared table
    /// after it must not find the value that it has replaced.
    template <class L>
    static void drop_an_update() {
        using shown = typename L::mapped_type;
        visible_map<L> map;
        map.store(key(keys::first), shown(1));
        flag cleared{0};
        std::uint64_t computed_from = 0, exchanged = 0;
        side_by_side(
            [&] {
                map.update(key(keys::first), [&](const shown* v) {
                    computed_from = v == nullptr ? 0 : L::value_of(*v);
                    while (map.contains(key(keys::first)) && cleared.fetch_add(0, std::memory_order_relaxed) == 0) {
                        sync_policy::pause();
                    }
                    return shown(2);
                });
            },
            [&] {
                map.clear();
                cleared.fetch_add(1, std::memory_order_relaxed);
            },
            [&] {
                if (const auto had = map.exchange(key(keys::first), shown(4))) exchanged = L::value_of(*had);
            });
        require(!(computed_from == 1 && exchanged == 1), "a value is replaced once");
    }

    void add_owners();

    // ---- growth: a full bucket, and the insert that makes it move ----

    void add_growth();

    // ---- tables whose memory becomes another table's while a thread looks at it ----

    void add_tables_used_again();

    // ---- helpers that come late: the resize is over, and its tables are others ----

    void add_late_helpers();

    /// What a snapshot shows of the key apart, 1 at first, where that was changed after it and its bucket is moved by `finish`,
    /// into a table that is used again, beside a late `write`.
    template <class Finish, class Write>
    static std::optional<std::uint64_t> shown_beside_a_merge(Finish finish, Write write) {
        map_type map;
        map.store(key(keys::first), value(1));
        map.store(key(keys::trigger), value(1));
        map.store(key(keys::apart), value(1));
        std::optional<syncmap::snapshot<visible_engine<Layout>>> taken;
        side_by_side(
            [&] {
                grow(map);
                taken.emplace(map.snapshot());
                map.store(key(keys::apart), value(50));
                map.erase(key(keys::trigger)); // begins to shrink; the bucket of the key apart is to come
                sync_policy::pause();
                finish(map);
            },
            [&] { write(map); });
        const auto seen = taken->load(key(keys::apart));
        if (!seen) return std::nullopt;
        return Layout::value_of(*seen);
    }

    // ---- overflow lines that go from bucket to bucket ----

    /// The n-th key of one of the buckets 1 to 3 of eight.
    static std::uint64_t in_bucket(std::uint64_t bucket, std::uint64_t n) {
        std::uint64_t number = keys::fillers;
        while (keys::octant(number) != bucket) ++number;
        return number + 3 * n;
    }
    static void fill_bucket(map_type& map, std::uint64_t bucket, std::size_t entries) {
        for (std::uint64_t n = 0; n != entries; ++n) map.store(key(in_bucket(bucket, n)), value(in_bucket(bucket, n)));
    }
    static void store_one_more(map_type& map, std::uint64_t bucket) {
        map.store(key(in_bucket(bucket, slots)), value(in_bucket(bucket, slots)));
    }

    void add_lines();

    // ---- entries that come from an overflow line to the home line ----

    static constexpr std::uint64_t one_more = keys::fillers + slots - 2;

    /// One full line, the first key in its last slot.
    static void fill_line(map_type& map) {
        map.store(key(keys::trigger), value(30));
        for (std::uint64_t n = keys::fillers; n != one_more; ++n) map.store(key(n), value(n));
        map.store(key(keys::first), value(1));
    }

    void add_moves_home();

    // ---- threads: their thread records, and their end in a fork ----

    void add_threads();

    // ---- snapshots ----

    void add_snapshots();

    struct scarce_phases : sync_policy {
        static constexpr std::uint32_t most_snapshots = 2;
    };
    struct few_phases : Layout {
        using policy = scarce_phases;
    };

    std::vector<program> list_;
};

} // namespace mutants

#include <mutants/aimed_growth.hpp>
#include <mutants/aimed_lines.hpp>
#include <mutants/aimed_size.hpp>
#include <mutants/aimed_snapshots.hpp>
