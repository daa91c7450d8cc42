// Copying the entries of many neighbouring buckets at one look, for walks over inline keys. No state of its own: it knows lines
// and tables, and of the map the hash.
//
// A home line holds entries of its own bucket only. So an entry that is copied from there needs no hash, and no comparison with
// other buckets. What a look at one line may see while writers go on:
//
//   [L1] A key that is there throughout is seen. The last slot is read first [R2]. If it is neither LINK nor MOVED, the key is
//        in that slot, or in another one of this line, where it stays [I2].
//   [L2] A key may be seen twice: it goes from the last slot to a new line and back to the home line, or it is erased and
//        inserted again. Then two slots of the copy have equal slot words.
//   [L3] The entries may be wiped: a mover stores MOVED into the last slot before it wipes the others [I4]. So that slot is
//        read once more, after the others.
//   [L4] Behind a LINK: a key that leaves an overflow line before it is seen there is in the home line by then, and stays there
//        [I2]. So the home line is read again after its overflow lines, and must be what it was. An overflow line may be given
//        back meanwhile, and hold entries of another bucket: these are told by their hash.
//
// What a look cannot prove, it leaves: the run ends before that bucket, which the walk then copies with more care.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <syncmap/detail/sorting.hpp>
#include <syncmap/engine/table/core.hpp>
#include <syncmap/engine/table/snapshot_state.hpp>
#include <syncmap/sync/word_pair.hpp>

namespace syncmap::engine {

template <class Types>
struct bucket_run {
    using map_type = core<Types>;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using pair = sync::word_pair;
    using kept_entry = bucket_record::kept_entry;
    using copied_line = std::array<pair, Layout::slots_per_line>;
    static_assert(Layout::inline_key && Layout::slots_per_line == 4);

    /// Where what was copied ends, and the first bucket that was not.
    struct outcome {
        kept_entry* entries_end;
        std::size_t end;
    };

    /// Copies the buckets from `first` on, up to `end` or as many as there is room for. `is_good(bucket)` says, after each,
    /// whether its copy may be shown.
    template <class IsGood>
    static outcome copy(const map_type& map, const header& t, std::size_t first, std::size_t end, kept_entry* room,
                        const kept_entry* room_end, IsGood is_good) noexcept {
        kept_entry* next = room;
        // A bucket of two lines always fits.
        const kept_entry* const full = room_end - 2 * Layout::slots_per_line;
        const line_type* home = &t.home(first);
        const std::size_t fetched_end = t.buckets() - detail::lesser(t.buckets(), Sync::walk_lookahead);
        std::size_t bucket = first;
        for (; bucket != end && next <= full; ++bucket, ++home) {
            if (Sync::walk_lookahead != 0 && bucket < fetched_end) [[likely]]
                fetch_next_line(home[Sync::walk_lookahead]);
            kept_entry* copied = copy_home(*home, next);
            if (copied == nullptr) copied = copy_chain(map, t, bucket, next, room_end);
            if (copied == nullptr || !is_good(bucket)) [[unlikely]]
                break;
            next = copied;
        }
        return {next, bucket};
    }

private:
    // What copies to `to` returns where it ends; null: it cannot be used.

    /// A bucket that is its home line alone.
    [[gnu::always_inline]] static kept_entry* copy_home(const line_type& home, kept_entry* to) noexcept {
        kept_entry* const end = copy_line_alone(home, to);
        return home.slot_word(Layout::last) == Layout::moved ? nullptr : end; // [L3]
    }

    /// A line whose last slot, which is read first [L1], is neither LINK nor MOVED, and in which no key was seen twice [L2].
    [[gnu::always_inline]] static kept_entry* copy_line_alone(const line_type& l, kept_entry* to) noexcept {
        if constexpr (requires { Sync::copy_pairs_at_once(l.words, word{}, static_cast<void*>(to)); }) {
            if (line_type::finds_at_once()) [[likely]]
                return static_cast<kept_entry*>(Sync::copy_pairs_at_once(l.words, Layout::link, to));
        }
        const copied_line seen = copy_line(l);
        if (seen[Layout::last].first >= Layout::link) return nullptr;
        std::array<word, Layout::slots_per_line> slot_words;
        for (std::size_t i = 0; i < Layout::slots_per_line; ++i) slot_words[i] = seen[i].first;
        if (has_key_twice(slot_words)) return nullptr;
        for (const pair& p : seen) put(to, p, p.first != Layout::empty);
        return to;
    }

    [[gnu::always_inline]] static copied_line copy_line(const line_type& l) noexcept {
        copied_line seen;
        for (std::size_t i = Layout::slots_per_line; i-- != 0;) seen[i] = Sync::load_pair(l.slot(i));
        return seen;
    }

    // What follows has no branch for each slot: which slots are in use is chance, and each wrong guess of the processor costs
    // more than a line.

    static bool both(bool a, bool b) noexcept { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }
    [[gnu::always_inline]] static void put(kept_entry*& to, const pair& p, bool wanted) noexcept {
        *to = {p.first, p.second};
        to += wanted ? 1 : 0;
    }
    template <std::size_t N>
    [[gnu::always_inline]] static bool has_key_twice(const std::array<word, N>& slot_words) noexcept {
        bool twice = false;
        for (std::size_t i = 1; i < N; ++i) {
            for (std::size_t j = 0; j < i; ++j) twice |= both(slot_words[i] == slot_words[j], slot_words[i] != Layout::empty);
        }
        return twice;
    }

    /// A bucket with overflow lines [L4]. There is room for two lines.
    [[gnu::noinline]] static kept_entry* copy_chain(const map_type& map, const header& t, std::size_t bucket, kept_entry* to,
                                                    const kept_entry* room_end) noexcept {
        const line_type& home = t.home(bucket);
        const kept_entry* const begin = to;
        const copied_line seen = copy_line(home);
        if (seen[Layout::last].first != Layout::link) return nullptr;
        for (std::size_t i = 0; i < Layout::last; ++i) put(to, seen[i], seen[i].first != Layout::empty);
        const auto put_line = [&](const copied_line& line) {
            for (const pair& p : line) {
                const auto hash = syncmap::detail::seeded_hash(map.hash_, Layout::key_of(p.first, false), t.seed);
                put(to, p, both(Layout::is_entry(p.first), t.bucket_of(hash) == bucket));
            }
        };
        const auto* l = reinterpret_cast<const line_type*>(seen[Layout::last].second);
        const copied_line behind = copy_line(*l);
        put_line(behind);
        if (behind[Layout::last].first != Layout::link) [[likely]] {
            const std::array<word, 7> all{seen[0].first,   seen[1].first,   seen[2].first,  behind[0].first,
                                          behind[1].first, behind[2].first, behind[3].first};
            if (has_key_twice(all)) return nullptr; // [L2]
        } else {
            while ((l = l->next_line()) != nullptr) {
                if (static_cast<std::size_t>(room_end - to) < Layout::slots_per_line) return nullptr;
                put_line(copy_line(*l));
            }
            for (const kept_entry* e = begin; e != to; ++e) { // [L2]
                for (const kept_entry* other = begin; other != e; ++other) {
                    if (other->slot_word == e->slot_word) return nullptr;
                }
            }
        }
        bool same = home.slot_word(Layout::last) == Layout::link; // [L3]
        for (std::size_t i = 0; i < Layout::last; ++i) same &= home.slot_word(i) == seen[i].first;
        return same ? to : nullptr;
    }

    /// Asks for the overflow line of a bucket that will be copied soon. (The home lines lie side by side: the processor fetches
    /// them by itself.) Trusts nothing that it sees.
    [[gnu::always_inline]] static void fetch_next_line(const line_type& home) noexcept {
        const auto* const last = home.slot(Layout::last);
        // relaxed: hints. Numbers, not pointers: what is there may be no link any more.
        const word linked = last[1].load(std::memory_order_relaxed);
        const auto next = address_word(last) + detail::cache_line_bytes;
        __builtin_prefetch(
            reinterpret_cast<const void*>(last[0].load(std::memory_order_relaxed) == Layout::link ? linked : next));
    }
};

} // namespace syncmap::engine
