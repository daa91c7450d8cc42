// How long the entries of one cache live [T1]: what the options say, the clock, and the times of single entries.
//
// Only an entry that has a lifetime has times, and only for such an entry is the clock read. A cache whose options name no time
// has none, unless a put gives one.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

#include <syncmap/cache/options.hpp>
#include <syncmap/cache/tags.hpp>
#include <syncmap/cache/time/entry_times.hpp>
#include <syncmap/cache/time/expiry_log.hpp>
#include <syncmap/cache/time/renewal_times.hpp>
#include <syncmap/operation/write_hooks.hpp>

namespace syncmap::cache_detail {

inline void check_lifetimes(const char* what, std::chrono::nanoseconds length) {
    if (length <= std::chrono::nanoseconds(0)) throw std::invalid_argument(what);
}
/// Throws `std::invalid_argument` for options that contradict themselves.
template <class Options>
void check_times(const Options& o) {
    check_lifetimes("syncmap: cache: expire_after_write has to be longer than nothing", o.expire_after_write);
    check_lifetimes("syncmap: cache: expire_after_access has to be longer than nothing", o.expire_after_access);
    if (!(o.jitter >= 0 && o.jitter <= 1)) throw std::invalid_argument("syncmap: cache: jitter is a number from 0 to 1");
    if (o.expire && (o.expire_after_write != unlimited || o.expire_after_access != unlimited)) {
        throw std::invalid_argument("syncmap: cache: expire tells each entry's lifetime: expire_after_write and "
                                    "expire_after_access cannot be given as well");
    }
}

template <class Options>
void check_remembering(const Options& o) {
    constexpr std::chrono::nanoseconds nothing(0);
    if (o.negative_ttl < nothing) throw std::invalid_argument("syncmap: cache: negative_ttl is negative");
    if (o.error_ttl < nothing) throw std::invalid_argument("syncmap: cache: error_ttl is negative");
}

/// Of a value that came without a lifetime of its own.
inline constexpr nanoseconds_t as_usual = (std::numeric_limits<nanoseconds_t>::min)();

template <class Key, class T, class Clock, class Sync>
class lifetimes {
    template <class U>
    using atomic = typename Sync::template atomic<U>;
    using times_type = entry_times<Sync>;
    using options = cache_options<Key, T, Clock>;

public:
    explicit lifetimes(const options& o)
        : clock_((check_times(o), o.clock)), after_write_(o.expire_after_write.count()),
          after_access_(o.expire_after_access.count()), jitter_(o.jitter), expire_(o.expire), renewals_(o),
          negative_ttl_((check_remembering(o), o.negative_ttl.count())), error_ttl_(o.error_ttl.count()),
          is_logged_(o.prompt_expiry), tags_of_(o.tags_of),
          has_default_(after_write_ != never || after_access_ != never || expire_ || renewals_.is_wanted()),
          shortest_((std::min)(shortened(after_write_, 1.0), shortened(after_access_, 1.0))) {}

    /// Whether each entry has times.
    bool has_default() const noexcept { return has_default_; }
    /// What lies in front of each node with a value.
    prefix_kind default_prefix() const noexcept { return default_prefix_; }
    /// The shortest lifetime of which this cache has heard; `never` where no entry has one.
    nanoseconds_t shortest() const noexcept { return shortest_.load(std::memory_order_relaxed); }

    nanoseconds_t now() const {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now().time_since_epoch()).count();
    }

    /// Whether hits and failed loads need to look at an entry's times once more [T5].
    bool may_renew() const noexcept { return renewals_.is_wanted(); }

    // ---- of a node that is not published yet, and has times ----

    /// Gives an entry its deadline. `own`: the lifetime that came with the value, or `as_usual`. `took`: its load. Throws what
    /// `expire` throws.
    template <class Node>
    [[gnu::noinline]] void begin(Node& fresh, expiry_event event, nanoseconds_t own, nanoseconds_t took) {
        const nanoseconds_t written = now();
        const write_history history(written, 0, own != as_usual || expire_, took);
        const double drawn = draw(fresh.hash(), history);
        nanoseconds_t life = (std::min)(after_write_, after_access_);
        if (own != as_usual) {
            life = own;
        } else if (expire_) {
            life = expire_(fresh.key(), fresh.value(), event).count();
        }
        life = shortened(life, drawn);
        times_type& times = fresh.in_front();
        times.remember(history);
        times.end_at(life == never ? never : later(written, life));
        if (life < shortest()) shortest_.store(life, std::memory_order_relaxed);
    }

    // ---- tags: tags.hpp ----

    tag_barriers<Sync>& tags() noexcept { return tags_; }
    const tag_barriers<Sync>& tags() const noexcept { return tags_; }
    /// Gives an entry its tags. `own`: those that came with the value; none: what `tags_of` says, and throws. `begun`: when its
    /// load began.
    template <class Node>
    void begin_tags(Node& fresh, entry_tags own, std::uint64_t begun) {
        if (!fresh.has_extension()) return;
        tagged_entry& tagged = fresh.before_prefix();
        tagged.begun = begun == begins_now ? tags_.now() : begun;
        if (own.empty() && tags_of_) own = tags_of_(fresh.key(), fresh.value());
        tagged.numbers = own.numbers();
    }
    /// Whether a tag of the entry was invalidated. An entry that was is as one that has expired, and answers nothing more.
    template <class Node>
    bool is_invalidated(const Node& entry) const {
        return entry.has_extension() && !tags_.is_valid(entry.before_prefix());
    }
    /// Why an entry that is over is removed.
    template <class Node>
    removal reason_of(const Node& entry) const {
        return is_invalidated(entry) ? removal::invalidated : removal::expired;
    }
    /// From now on the scrub hand takes invalidated entries out, as fast as those of a lifetime of 80 s.
    void wants_scrub() noexcept {
        constexpr nanoseconds_t life = 80'000'000'000;
        if (life < shortest()) shortest_.store(life, std::memory_order_relaxed);
    }

    // ---- what is remembered of loads that brought no value: remembering.hpp ----

    bool remembers_absence() const noexcept { return negative_ttl_ != 0; }
    bool remembers_errors() const noexcept { return error_ttl_ != 0; }
    /// Gives a node without a value, which is not published yet, its deadline and its error. Throws: `bad_alloc`.
    template <class Node>
    [[gnu::noinline]] void begin_without_value(Node& fresh, const std::exception_ptr& error) {
        const nanoseconds_t written = now();
        const nanoseconds_t life =
            shortened(error == nullptr ? negative_ttl_ : error_ttl_, draw(fresh.hash(), write_history(written, 0, false, 0)));
        fresh.in_front().remember_error(error);
        fresh.in_front().end_at(life == never ? never : later(written, life));
        if (life < shortest()) shortest_.store(life, std::memory_order_relaxed);
    }
    /// Whether the entry tells, instead of a load, that there is nothing, or what the load threw.
    template <class Node>
    bool is_remembered(const Node& entry) const {
        return !entry.has_value() && now() < entry.in_front().deadline();
    }

    // ---- of an entry that is held, or not published ----

    /// Whether a reader may show the entry. A hit prolongs it, where hits do.
    template <class Node>
    bool is_shown(const Node& entry) const {
        if (!entry.has_prefix()) [[likely]]
            return true;
        return entry.has_value() && is_shown_now(entry);
    }
    /// The same without a trace.
    template <class Node>
    bool is_live(const Node& entry) const {
        if (!entry.has_prefix()) [[likely]]
            return true;
        return entry.has_value() && is_live_now(entry);
    }

    // ---- the log: expiry_log.hpp ----

    bool is_logged() const noexcept { return is_logged_; }
    /// When the cache may drop the entry.
    template <class Node>
    nanoseconds_t removal_time(const Node& entry) const noexcept {
        if (!entry.has_prefix()) return never;
        const nanoseconds_t deadline = entry.in_front().deadline();
        return entry.has_value() ? later(deadline, renewals_.stale_after()) : deadline;
    }
    /// Of a node that is held, or not published: 22 bits of its address.
    template <class Node>
    static std::uint32_t stamp_of(const Node& entry) noexcept {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(std::addressof(entry)) * 0x9E3779B97F4A7C15U >> 42);
    }
    template <class Node>
    filing filing_of(const Node& fresh) const noexcept {
        return is_logged_ ? filing{removal_time(fresh), stamp_of(fresh)} : filing{};
    }

    // ---- renewal, of an entry that is held ----

    /// What the entry's times say now, if the hit that has found it should renew it. May be by chance: a second call draws
    /// anew.
    template <class Node>
    std::optional<write_history> due(const Node& entry) {
        if (!may_renew() || !entry.has_prefix()) return std::nullopt;
        return due_now(entry.in_front(), entry.hash());
    }
    /// Whether the key has had no other value since `seen`, and no renewal of it has failed.
    template <class Node>
    static bool is_still(const Node& entry, write_history seen) {
        return entry.has_prefix() && entry.in_front().history().word() == seen.word();
    }
    /// Whether the entry may answer a load that fails: until its end, and `stale_if_error` beyond.
    template <class Node>
    bool may_answer(const Node& entry) const {
        return !entry.has_prefix() ||
               (entry.has_value() && now() < later(entry.in_front().deadline(), renewals_.stale_after()) &&
                !is_invalidated(entry));
    }
    /// Whether the entry answers instead of a load, as the last one has failed not long ago.
    template <class Node>
    bool answers_at_once(const Node& entry) const {
        return entry.has_prefix() && entry.has_value() && renewals_.rests(now(), entry.in_front().history()) &&
               may_answer(entry);
    }
    /// The load has failed that was to renew the entry. By the thread that owns the flight of its key.
    template <class Node>
    void renewal_failed(const Node& entry, nanoseconds_t took) {
        if (!entry.has_prefix()) return;
        times_type& times = entry.in_front();
        times.remember(renewals_.after_failure(now(), took, times.history()));
    }

    /// The time, for a walk over many entries: read when the first of them needs it.
    class glance {
    public:
        explicit glance(const lifetimes& of) noexcept : of_(of) {}
        /// Whether the cache may drop the entry: no operation shows it any more.
        template <class Node>
        bool is_over(const Node& entry) {
            if (!entry.has_prefix()) [[likely]]
                return false;
            return is_past(of_.removal_time(entry)) || of_.is_invalidated(entry);
        }
        /// Whether an operation shows the entry.
        template <class Node>
        bool is_live(const Node& entry) {
            if (!entry.has_prefix()) [[likely]]
                return true;
            return entry.has_value() && !is_past(entry.in_front().deadline());
        }

    private:
        [[gnu::noinline]] bool is_past(nanoseconds_t deadline) {
            if (deadline == never) return false;
            if (!has_now_) now_ = of_.now();
            has_now_ = true;
            return now_ >= deadline;
        }
        const lifetimes& of_;
        bool has_now_ = false;
        nanoseconds_t now_ = 0;
    };

private:
    template <class Node>
    [[gnu::noinline]] bool is_live_now(const Node& entry) const {
        return now() < entry.in_front().deadline() && !is_invalidated(entry);
    }
    template <class Node>
    [[gnu::noinline]] bool is_shown_now(const Node& entry) const {
        if (is_invalidated(entry)) return false;
        times_type& times = entry.in_front();
        const nanoseconds_t end = times.deadline();
        if (end == never && after_access_ == never) return true;
        const nanoseconds_t at = now();
        if (at >= end) return false;
        if (after_access_ != never) prolong(times, entry.hash(), at, end);
        return true;
    }

    [[gnu::noinline]] std::optional<write_history> due_now(const times_type& times, std::uint64_t hash) {
        const write_history history = times.history();
        const nanoseconds_t refresh_after = shortened(renewals_.refresh_after(), draw(hash, history));
        if (!renewals_.is_due(now(), times.deadline(), history, refresh_after)) return std::nullopt;
        return history;
    }

    /// At most one store in a 64th of the lifetime: an entry lives up to that much shorter.
    void prolong(times_type& times, std::uint64_t hash, nanoseconds_t at, nanoseconds_t end) const noexcept {
        const write_history history = times.history();
        if (history.is_fixed() || history.failures() != 0) return;
        const double drawn = draw(hash, history);
        const nanoseconds_t life = shortened(after_access_, drawn);
        nanoseconds_t next = later(at, life);
        if (after_write_ != never) next = (std::min)(next, later(history.when(), shortened(after_write_, drawn)));
        if (next > end && next - end >= life / 64) times.end_at(next);
    }

    /// `life` with the entry's share of the jitter taken off.
    nanoseconds_t shortened(nanoseconds_t life, double drawn) const noexcept {
        if (jitter_ <= 0 || life == never || life <= 0) return life;
        return static_cast<nanoseconds_t>(static_cast<double>(life) * (1 - jitter_ * drawn));
    }
    /// A number from 0 to 1, the same for an entry each time.
    static double draw(std::uint64_t hash, write_history history) noexcept {
        std::uint64_t x = (hash ^ history.word() >> 14) * 0x9E3779B97F4A7C15;
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
        return static_cast<double>(x >> 11) * 0x1p-53;
    }

    const Clock clock_;
    const nanoseconds_t after_write_;
    const nanoseconds_t after_access_;
    const double jitter_;
    const std::function<std::chrono::nanoseconds(const Key&, const T&, expiry_event)> expire_;
    renewal_times<Sync> renewals_;
    const nanoseconds_t negative_ttl_;
    const nanoseconds_t error_ttl_;
    const bool is_logged_;
    const std::function<entry_tags(const Key&, const T&)> tags_of_;
    tag_barriers<Sync> tags_{};
    const bool has_default_;
    const prefix_kind default_prefix_ = tags_of_       ? prefix_kind::extended
                                        : has_default_ ? prefix_kind::plain
                                                       : prefix_kind::none;
    atomic<nanoseconds_t> shortest_;
};

} // namespace syncmap::cache_detail
