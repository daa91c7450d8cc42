// One entry in the file of a cache: its bytes, and how long it still lives.
//
//   marks (1 byte): with times, with a lifetime of its own, with tags; rank (1 byte, `entry_rank`)
//   with times: what is left, the age, the time of the load (8 bytes each)
//   with tags: their numbers (8 bytes)
//   key, value: as their serializers write them; behind their length (8 bytes), unless they are copied as bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <syncmap/cache/entry_state.hpp>
#include <syncmap/cache/serializer.hpp>
#include <syncmap/cache/snapshot_file.hpp>
#include <syncmap/cache/time/entry_times.hpp>

namespace syncmap::cache_detail {

/// The times of an entry, as they are kept in a file: lengths, and no moments.
struct kept_times {
    nanoseconds_t left = never; ///< until its end
    nanoseconds_t age = 0;      ///< since its write
    nanoseconds_t load_took = 0;
    bool is_fixed = false; ///< hits do not prolong it

    static kept_times of(nanoseconds_t now, nanoseconds_t deadline, write_history history) noexcept {
        kept_times kept;
        if (deadline != never) kept.left = deadline > now ? deadline - now : 0;
        // After a failed renewal the history does not tell when the value was written.
        if (history.failures() == 0 && history.when() < now) kept.age = now - history.when();
        kept.load_took = history.load_took();
        kept.is_fixed = history.is_fixed();
        return kept;
    }
    /// Those a while later. False: the entry has ended.
    bool pass(nanoseconds_t time) noexcept {
        age = later(age, time);
        if (left == never) return true;
        left = left > time ? left - time : 0;
        return left != 0;
    }
};

/// The bytes of one entry in a file.
struct saved_entry {
    entry_rank rank{};
    bool has_times = false;
    kept_times times{};
    std::uint64_t tags = 0; ///< as `entry_tags` has them
    std::string_view key{};
    std::string_view value{};

    /// Appends an entry; `times`: null without a lifetime.
    template <class Key, class T>
    static void write(std::string& buffer, entry_rank rank, const kept_times* times, std::uint64_t tags, const Key& key,
                      const T& value) {
        byte_writer to(buffer);
        const unsigned marks_of_times = times == nullptr ? 0U : with_times | (times->is_fixed ? fixed : 0U);
        to.put(static_cast<std::uint8_t>(marks_of_times | (tags != 0 ? tagged : 0U)));
        to.put(static_cast<std::uint8_t>(rank.number()));
        if (times != nullptr) {
            to.put(times->left);
            to.put(times->age);
            to.put(times->load_took);
        }
        if (tags != 0) to.put(tags);
        write_sized(buffer, key);
        write_sized(buffer, value);
    }
    /// Throws: `snapshot_refused`.
    template <class Key, class T>
    static saved_entry read(byte_reader& from) {
        saved_entry e;
        const unsigned flags = from.get<std::uint8_t>();
        const unsigned rank = from.get<std::uint8_t>();
        if ((flags & ~(with_times | fixed | tagged)) != 0 || rank >= entry_rank::ranks)
            throw snapshot_refused("an entry has marks that this library does not know");
        e.rank = entry_rank::of(rank);
        e.has_times = (flags & with_times) != 0;
        if (e.has_times) {
            e.times.left = not_negative(from.get<nanoseconds_t>());
            e.times.age = not_negative(from.get<nanoseconds_t>());
            e.times.load_took = not_negative(from.get<nanoseconds_t>());
            e.times.is_fixed = (flags & fixed) != 0;
        }
        if ((flags & tagged) != 0) e.tags = from.get<std::uint64_t>();
        e.key = sized<Key>(from);
        e.value = sized<T>(from);
        return e;
    }
    /// Calls `f(entry)` for the entries of the block, until it returns false. Throws: `snapshot_refused`.
    template <class Key, class T, class F>
    static void each_in(const snapshot_reader& file, F f) {
        byte_reader from(file.content());
        for (std::uint64_t n = file.entries_in_block(); n != 0; --n) {
            saved_entry e = read<Key, T>(from);
            if (!f(e)) return;
        }
        if (from.size() != 0) throw snapshot_refused("a block is longer than its entries");
    }
    /// Makes the object. Throws: `snapshot_refused`; what its serializer throws.
    template <class T>
    static auto made_of(std::string_view bytes) {
        byte_reader from(bytes);
        auto object = from.get<T>();
        if (from.size() != 0) throw snapshot_refused("an entry is longer than its type says");
        return object;
    }

private:
    static constexpr unsigned with_times = 1;
    static constexpr unsigned fixed = 2;
    static constexpr unsigned tagged = 4;

    static nanoseconds_t not_negative(nanoseconds_t n) {
        return n < 0 ? throw snapshot_refused("an entry has a time that is negative") : n;
    }
    template <class T>
    static void write_sized(std::string& buffer, const T& object) {
        byte_writer to(buffer);
        if constexpr (detail::copied_as_bytes<T>) {
            to.put(object);
        } else {
            const std::size_t before = buffer.size();
            to.put(std::uint64_t{0});
            to.put(object);
            const std::uint64_t size = buffer.size() - before - sizeof size;
            std::memcpy(buffer.data() + before, &size, sizeof size);
        }
    }
    template <class T>
    static std::string_view sized(byte_reader& from) {
        if constexpr (detail::copied_as_bytes<T>) {
            return from.get_bytes(sizeof(T));
        } else {
            const auto size = from.get<std::uint64_t>();
            if (size > from.size()) throw snapshot_refused("an entry is longer than its block");
            return from.get_bytes(static_cast<std::size_t>(size));
        }
    }
};

} // namespace syncmap::cache_detail
