// Warm restart: a cache is saved to a file, and loaded when the program starts again.
//
//     #include <syncmap/cache/warm_restart.hpp>
//     pages.save("pages.cache");              // while traffic goes on; also to a function, or to a std::ostream
//     pages.load("pages.cache");              // no file: nothing happens
//
// What keys and values become is in cache/serializer.hpp, with the way to teach it other types; how the file is made in
// cache/snapshot_file.hpp.
//
// `save` writes each entry that is there throughout the call, hottest first, with a value that it has during the call; entries
// that come or leave meanwhile may be in the file or not. Of keys with the same 64-bit hash it writes one. It holds nothing
// up: it reads. It takes 8 to 16 bytes an entry while it runs, and a block of 64 KiB. Expired entries are left out.
// A path has the old file or the whole new one at each instant, also after a crash: a file beside it (".new") is written,
// brought to the disk and renamed. Two calls for one path come one after the other.
// Throws: `std::system_error`, `std::bad_alloc`, what a serializer or the sink throws. The path has its old file then.
//
// `load` stores each entry as `put_if_absent` does, and gives the eviction what it knew of it: queue, uses, count. It evicts
// nothing: the coldest are left out where the cache is smaller. Lifetimes go on: an entry has no more left than when it was
// saved, less the time that the program was down (`restart_options`); and no more than the options of the cache give it now.
// A wall clock that was set back lets the time down count as nothing; one that was set forwards ends entries early. An entry
// saved without a lifetime begins one, where this cache has some.
// A key that is being loaded is left to its loader. An `invalidate_all` ends the effect of a `load` that runs. An `invalidate`
// of a key whose entry comes later does not: load before the cache is in use, if that matters.
// Throws: `snapshot_refused`, `std::system_error`, `std::bad_alloc`, what a serializer, the source, the weigher or `expire`
// throws. A file is read twice: it is checked to its end before anything is stored, so the cache is unchanged where it is
// refused. A source is read once, block by block: entries of blocks before a fault stay. In both cases, so do entries
// before one that a serializer refuses. Memory: twice the longest entry, or a block.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/cache/basic_cache.hpp>
#include <syncmap/cache/ranking.hpp>
#include <syncmap/cache/restored_entries.hpp>
#include <syncmap/cache/saved_entry.hpp>
#include <syncmap/cache/serializer.hpp>
#include <syncmap/cache/snapshot_file.hpp>
#include <syncmap/sync/files.hpp>
#include <syncmap/sync/random_word.hpp>

namespace syncmap::cache_detail {

struct restart_access {
    template <class Engine, class Clock>
    using cache = basic_cache<Engine, Clock>;

    template <class Engine>
    static std::string form() {
        return detail::form_of<typename Engine::key_type>() + " -> " + detail::form_of<typename Engine::mapped_type>();
    }
    static std::int64_t wall_clock() {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    }

    template <class Engine, class Clock>
    static std::size_t save(const cache<Engine, Clock>& from, file_sink sink) {
        auto& engine = const_cast<Engine&>(from.engine_);
        acting_thread<Engine> by(engine, nullptr);
        std::array<std::vector<std::uint64_t>, entry_rank::ranks> hashes;
        {
            const ranking all(from.eviction_, by);
            engine.each_entry([&](const typename Engine::entry_type& e) {
                hashes[all.rank_of(e)].push_back(e.hash());
                return true;
            });
        }
        const nanoseconds_t now = from.lifetimes_.now();
        snapshot_writer file(std::move(sink), form<Engine>(), sync::random_word(), wall_clock());
        for (unsigned rank = entry_rank::ranks; rank-- != 0;) {
            for (const std::uint64_t hash : hashes[rank]) {
                // The sink is called with no entry held.
                if (write_entry(from, by, file, hash, entry_rank::of(rank), now)) file.write_block();
            }
            hashes[rank] = {};
        }
        return static_cast<std::size_t>(file.end());
    }

    template <class Engine, class Clock>
    static std::size_t load(cache<Engine, Clock>& to, snapshot_reader& file, const restart_options& with) {
        const nanoseconds_t down = with.time_down ? with.time_down->count() : since(file.saved_at());
        std::uint64_t generation = 0;
        {
            acting_thread<Engine> by(to.engine_, nullptr);
            generation = to.engine_.generation_now(by);
        }
        const std::uint64_t begun = to.lifetimes_.tags().now(); // an invalidation of a tag beats what is stored later
        restored_count count;
        while (!count.is_full && file.next_block()) {
            acting_thread<Engine> by(to.engine_, to.listener_.get());
            entries_ahead<Engine, Clock> ahead(to, by, generation, begun, count);
            saved_entry::each_in<typename Engine::key_type, typename Engine::mapped_type>(file, [&](saved_entry& e) {
                if (!e.has_times || e.times.pass(down)) ahead.add(e);
                return !count.is_full;
            });
            ahead.store_all();
        }
        return count.stored;
    }

    /// Reads the file to its end, and makes room in the table for what will be loaded. Throws: `snapshot_refused`.
    template <class Engine, class Clock>
    static void prepare(cache<Engine, Clock>& to, snapshot_reader& file) {
        while (file.next_block())
            saved_entry::each_in<typename Engine::key_type, typename Engine::mapped_type>(
                file, [](const saved_entry&) { return true; });
        file.expect_end();
        const std::int64_t free = to.eviction_.pool().free_now();
        if (free > 0 && !to.eviction_.is_weighted()) {
            const std::uint64_t more = (std::min)(file.entries(), static_cast<std::uint64_t>(free));
            to.engine_.reserve(to.engine_.approx_size() + static_cast<std::size_t>(more));
        }
    }

private:
    struct restored_count {
        std::size_t stored = 0;
        unsigned without_room = 0; ///< in a row
        bool is_full = false;
    };

    /// Entries whose lines of the table and of the history are being fetched. They are stored in their order.
    template <class Engine, class Clock>
    class entries_ahead {
        using key_type = decltype(saved_entry::made_of<typename Engine::key_type>({}));

    public:
        entries_ahead(cache<Engine, Clock>& to, acting_thread<Engine>& by, std::uint64_t generation, std::uint64_t begun,
                      restored_count& count)
            : to_(to), by_(by), generation_(generation), begun_(begun), count_(count), history_(to.eviction_, by) {}

        void add(const saved_entry& e) {
            if (filled_ == most) store_all();
            waiting_entry& next = entries_[filled_];
            next.entry = e;
            next.key.emplace(saved_entry::made_of<typename Engine::key_type>(e.key));
            next.hash = to_.engine_.hash_of_key(to_.lookup(std::as_const(*next.key)));
            to_.engine_.prefetch(next.hash);
            history_.prefetch(next.hash);
            ++filled_;
        }
        void store_all() {
            for (std::size_t i = 0; i < filled_ && !count_.is_full; ++i) store(entries_[i]);
            filled_ = 0;
        }

    private:
        static constexpr std::size_t most = 16;
        /// Entries may have different weights: where so many in a row do not fit, the next one will not either.
        static constexpr unsigned most_without_room = 64;

        struct waiting_entry {
            saved_entry entry{};
            std::optional<key_type> key{};
            std::uint64_t hash = 0;
        };

        void store(waiting_entry& next) {
            using T = typename Engine::mapped_type;
            const saved_entry& e = next.entry;
            auto value = saved_entry::made_of<T>(e.value);
            detail::insert_operation<T, decltype(value)> inserting{std::move(value)};
            restore_operation<typename cache<Engine, Clock>::eviction_type, Engine, decltype(inserting)> op(
                to_.eviction_, to_.engine_, by_, next.hash, generation_, inserting, e.rank, e.has_times ? &e.times : nullptr);
            op.tag_with(entry_tags(e.tags), begun_);
            to_.engine_.write_at(by_, next.hash, to_.lookup(std::move(*next.key)), op);
            op.remember();
            to_.end(by_, op);
            count_.stored += op.inserted() ? 1U : 0U;
            count_.without_room = op.found_no_room() ? count_.without_room + 1 : 0;
            count_.is_full = count_.without_room == (to_.eviction_.is_weighted() ? most_without_room : 1);
        }

        cache<Engine, Clock>& to_;
        acting_thread<Engine>& by_;
        const std::uint64_t generation_;
        const std::uint64_t begun_;
        restored_count& count_;
        const ranking<typename cache<Engine, Clock>::eviction_type> history_;
        std::array<waiting_entry, most> entries_{};
        std::size_t filled_ = 0;
    };

    static nanoseconds_t since(std::int64_t saved_at) {
        const std::int64_t now = wall_clock();
        return saved_at < 0 || saved_at > now ? 0 : now - saved_at;
    }

    /// Returns whether the file wants to write a block.
    template <class Engine, class Clock>
    static bool write_entry(const cache<Engine, Clock>& from, acting_thread<Engine>& by, snapshot_writer& file,
                            std::uint64_t hash, entry_rank rank, nanoseconds_t now) {
        typename Engine::sighting seen(by);
        if (!from.engine_.find(hash, seen) || !from.lifetimes_.is_live(*seen)) return false;
        kept_times times;
        const bool has_times = seen->has_prefix();
        if (has_times) times = kept_times::of(now, seen->in_front().deadline(), seen->in_front().history());
        const std::uint64_t tags = seen->has_extension() ? seen->before_prefix().numbers : 0;
        saved_entry::write(file.buffer(), rank, has_times ? &times : nullptr, tags, std::as_const(*seen).key(),
                           std::as_const(*seen).value());
        return file.entry_written();
    }
};

template <file_name Name>
std::string path_of(const Name& name) {
    if constexpr (requires { name.c_str(); }) {
        return std::string(name.c_str());
    } else {
        return std::string(static_cast<const char*>(name));
    }
}

template <class Engine, class Clock, class To>
std::size_t save_entries(warm_restart_header, const basic_cache<Engine, Clock>& cache, To&& to) {
    using target = std::remove_cvref_t<To>;
    if constexpr (file_name<target>) {
        sync::replacing_file file(path_of(to));
        const std::size_t entries =
            restart_access::save(cache, [&](const char* from, std::size_t size) { file.write(from, size); });
        file.take_place();
        return entries;
    } else if constexpr (std::is_invocable_v<To&, const char*, std::size_t>) {
        return restart_access::save(cache, [&](const char* from, std::size_t size) { to(from, size); });
    } else {
        return restart_access::save(cache, [&](const char* from, std::size_t size) {
            to.write(from, static_cast<std::ptrdiff_t>(size));
            if (!to) throw std::system_error(std::make_error_code(std::errc::io_error), "syncmap: cannot write to the stream");
        });
    }
}

template <class Engine, class Clock, class From>
std::size_t load_entries(warm_restart_header, basic_cache<Engine, Clock>& cache, From&& from, const restart_options& with) {
    using origin = std::remove_cvref_t<From>;
    const std::string form = restart_access::form<Engine>();
    if constexpr (file_name<origin>) {
        sync::input_file file(path_of(from));
        if (!file.exists()) return 0;
        const auto source = [&](char* to, std::size_t size) { return file.read(to, size); };
        {
            snapshot_reader first(source, form);
            restart_access::prepare(cache, first);
        }
        file.rewind();
        snapshot_reader again(source, form);
        return restart_access::load(cache, again, with);
    } else {
        file_source source;
        if constexpr (std::is_invocable_v<From&, char*, std::size_t>) {
            source = [&](char* to, std::size_t size) { return static_cast<std::size_t>(from(to, size)); };
        } else {
            source = [&](char* to, std::size_t size) {
                return static_cast<std::size_t>(from.read(to, static_cast<std::ptrdiff_t>(size)).gcount());
            };
        }
        snapshot_reader reader(std::move(source), form);
        return restart_access::load(cache, reader, with);
    }
}

} // namespace syncmap::cache_detail
