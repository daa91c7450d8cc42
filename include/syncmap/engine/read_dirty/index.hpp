// A set of entries by hash: the form of the snapshot, where nobody changes it any more, and of the dirty map, where
// the mutex guards it. Promotion turns the one into the other without a copy.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <syncmap/engine/read_dirty/entry.hpp>

namespace syncmap::engine::read_dirty_parts {

/// Open addressing, linear steps, two thirds full at most; entries are added and never removed. An index knows the
/// hashes, never the keys: comparing those is user code, and the caller's business.
template <class Entry, class Sync>
class index : public retirable<Sync> {
public:
    struct slot {
        std::uint64_t hash;
        Entry* entry; ///< null: the slot is empty
    };

    /// `slots`: a power of two of empty ones; the memory stays the caller's.
    index(slot* all, std::size_t count) noexcept
        : retirable<Sync>(0, retirable<Sync>::kind::index), slots_(all), mask_(count - 1) {}

    static constexpr std::size_t most_entries = (std::numeric_limits<std::ptrdiff_t>::max)() / sizeof(slot) / 4;
    static std::size_t slots_for(std::size_t entries) noexcept { return std::bit_ceil(entries + entries / 2 + 2); }

    slot* slot_array() const noexcept { return slots_; }
    std::size_t slot_count() const noexcept { return mask_ + 1; }
    std::size_t size() const noexcept { return size_; }
    bool has_room_for(std::size_t entries) const noexcept { return entries <= slot_count() - slot_count() / 3 - 1; }

    void add(Entry* e) noexcept {
        std::size_t i = home(e->hash);
        while (slots_[i].entry != nullptr) i = (i + 1) & mask_;
        slots_[i] = {e->hash, e};
        ++size_;
    }

    /// Calls `f(entry)` for those of one hash until it returns true; returns whether one did.
    template <class F>
    bool any_of_hash(std::uint64_t h, F&& f) const {
        for (std::size_t i = home(h); slots_[i].entry != nullptr; i = (i + 1) & mask_) {
            if (slots_[i].hash == h && f(*slots_[i].entry)) return true;
        }
        return false;
    }

    /// The same for all entries.
    template <class F>
    bool any(F&& f) const {
        for (std::size_t i = 0; i <= mask_; ++i) {
            if (slots_[i].entry != nullptr && f(*slots_[i].entry)) return true;
        }
        return false;
    }

    template <class F>
    void each(F&& f) const {
        any([&](Entry& e) {
            f(e);
            return false;
        });
    }

private:
    std::size_t home(std::uint64_t h) const noexcept { return static_cast<std::size_t>(h) & mask_; }

    slot* const slots_;
    const std::size_t mask_;
    std::size_t size_ = 0;
};

} // namespace syncmap::engine::read_dirty_parts
