// Entries that a cache gets back from a file: where the eviction had them, and how long they still live.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/operations.hpp>
#include <syncmap/cache/saved_entry.hpp>
#include <syncmap/cache/time/entry_times.hpp>

namespace syncmap::cache_detail {

/// Inserts an entry of a file, if its key is absent and there is room without an eviction. It overtakes no load: what that
/// brings is newer.
template <class Eviction, class Engine, class Op>
class restore_operation : public bounded_operation<Eviction, Engine, Op> {
    using base = bounded_operation<Eviction, Engine, Op>;
    using entry = typename Engine::entry_type;

public:
    restore_operation(Eviction& bound, Engine& engine, typename Eviction::visitor& by, std::uint64_t hash,
                      std::uint64_t generation, Op& op, entry_rank rank, const kept_times* times) noexcept
        : base(bound, engine, by, hash, op), eviction_(bound), table_(engine), generation_(generation), rank_(rank),
          times_(times) {
        if (times_ != nullptr && (times_->is_fixed || !bound.lifetimes().has_default())) base::live_for(times_->left);
    }

    /// There was no room for the entry.
    bool found_no_room() const noexcept { return found_no_room_; }
    /// After the write: the history learns what it had counted.
    void remember() noexcept {
        const unsigned counted = is_in_main_ ? 0 : 1; // when it came
        if (!base::inserted() || rank_.count <= counted) return;
        if (auto* const tables = base::mine().in; tables != nullptr) tables->keys.add(base::hash(), rank_.count - counted);
    }

    /// What the cache remembers of a load that has found nothing is newer than the file.
    decision decide_on(const entry& present) {
        return eviction_.lifetimes().is_remembered(present) ? decision::keep : base::decide_on(present);
    }

    // ---- hooks: operation/write_hooks.hpp ----

    void prepared(entry& fresh, bool is_present) {
        base::prepared(fresh, is_present);
        if (times_ != nullptr && fresh.has_prefix()) {
            keep_times(fresh.in_front());
            base::more().filed = eviction_.lifetimes().filing_of(fresh);
        }
    }
    void before_insert() {
        const auto free = eviction_.pool().free_now();
        found_no_room_ = !table_.has_cleared() && (free <= 0 || static_cast<std::uint64_t>(free) < base::mine().need);
        if (found_no_room_) return;
        if constexpr (!Eviction::is_plain) {
            is_in_main_ = rank_.is_main && !eviction_.is_weighted() && !table_.has_cleared();
            if (is_in_main_) {
                found_no_room_ = !base::admit_to_main();
                return;
            }
        }
        base::before_insert();
    }
    bool admits(std::uint64_t generation) noexcept {
        return generation == generation_ && !found_no_room_ && !table_.loads().is_running(base::hash()) && base::has_room();
    }
    void publishes(entry& fresh, std::uint64_t generation) noexcept {
        base::publishes(fresh, generation);
        if (rank_.is_main && fresh.mark.where() == queue::in_small) fresh.mark.begin_in(queue::in_main);
        fresh.mark.set_uses(rank_.uses);
    }

private:
    template <class Times>
    void keep_times(Times& times) const {
        const nanoseconds_t now = eviction_.lifetimes().now();
        const nanoseconds_t end = times_->left == never ? never : later(now, times_->left);
        const write_history begun = times.history();
        times.end_at(begun.is_fixed() ? end : (std::min)(end, times.deadline()));
        times.remember({now - (std::min)(now, times_->age), 0, begun.is_fixed(), times_->load_took});
    }

    Eviction& eviction_;
    Engine& table_;
    const std::uint64_t generation_;
    const entry_rank rank_;
    const kept_times* const times_; ///< null: it comes without a lifetime
    bool found_no_room_ = false;
    bool is_in_main_ = false; ///< without having been in the small queue
};

} // namespace syncmap::cache_detail
