// Notices that two accesses to one object overlap although at least one of them writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>

#include <syncmap/detail/source_place.hpp>

namespace syncmap {

/// One call of one operation.
struct map_access {
    const char* operation = "";
    std::thread::id thread{};
    source_place where{};
    friend bool operator==(const map_access&, const map_access&) noexcept = default;
};

namespace detail {

/// The last access of a kind, for the report. A thread stores the parts one by one: if a third thread stores in between, the
/// report may mix two calls. Each part is true even then.
class last_access {
public:
    map_access load() const noexcept {
        return {operation_.load(std::memory_order_relaxed),
                thread_.load(std::memory_order_relaxed),
                {file_.load(std::memory_order_relaxed), line_.load(std::memory_order_relaxed),
                 function_.load(std::memory_order_relaxed)}};
    }
    void store(const map_access& a) noexcept {
        operation_.store(a.operation, std::memory_order_relaxed);
        thread_.store(a.thread, std::memory_order_relaxed);
        file_.store(a.where.file, std::memory_order_relaxed);
        line_.store(a.where.line, std::memory_order_relaxed);
        function_.store(a.where.function, std::memory_order_relaxed);
    }
    /// Returns the other access: the stored one, or `before` while `mine`, which replaced it, is stored.
    map_access beside(const map_access& mine, const map_access& before) const noexcept {
        const map_access now = load();
        return now == mine ? before : now;
    }

private:
    std::atomic<const char*> operation_{""};
    std::atomic<std::thread::id> thread_{};
    std::atomic<const char*> file_{""};
    std::atomic<unsigned> line_{0};
    std::atomic<const char*> function_{""};
};

/// Plain loads and stores of one version word, odd while a thread writes; readers write nothing. A reader notices an overlap
/// with a write when it begins or ends. A writer notices an overlap when it begins, or when it ends and finds another version
/// than its own. Only two accesses that begin, or end, within the same nanoseconds may remain unnoticed.
class cheap_monitor {
public:
    cheap_monitor() noexcept = default;
    /// Of a map that was moved: another object, which no thread is inside of.
    cheap_monitor(cheap_monitor&&) noexcept {}

    class read {
    public:
        read(cheap_monitor& in, const map_access&) noexcept
            : monitor_(in), begun_(in.version_.load(std::memory_order_acquire)) {}
        std::optional<map_access> conflict_at_begin() const noexcept {
            if (begun_ % 2 == 0) return std::nullopt;
            return monitor_.writer_.load();
        }
        std::optional<map_access> conflict_at_end() const noexcept {
            if (monitor_.version_.load(std::memory_order_acquire) == begun_) return std::nullopt;
            return monitor_.writer_.load();
        }

    private:
        cheap_monitor& monitor_;
        std::uint64_t begun_;
    };

    class write {
    public:
        write(cheap_monitor& in, const map_access& mine) noexcept
            : monitor_(in), mine_(mine), before_(in.writer_.load()), begun_(in.version_.load(std::memory_order_acquire)) {
            in.writer_.store(mine);
            in.version_.store((begun_ + 1) | 1, std::memory_order_release);
        }
        write(const write&) = delete;
        write& operator=(const write&) = delete;
        ~write() { monitor_.version_.store(((begun_ + 1) | 1) + 1, std::memory_order_release); }

        std::optional<map_access> conflict_at_begin() const noexcept {
            if (begun_ % 2 == 0) return std::nullopt;
            return monitor_.writer_.beside(mine_, before_);
        }
        std::optional<map_access> conflict_at_end() const noexcept {
            if (monitor_.version_.load(std::memory_order_acquire) == ((begun_ + 1) | 1)) return std::nullopt;
            return monitor_.writer_.beside(mine_, before_);
        }

    private:
        cheap_monitor& monitor_;
        const map_access& mine_;
        const map_access before_;
        const std::uint64_t begun_;
    };

private:
    std::atomic<std::uint64_t> version_{0};
    last_access writer_{};
};

/// Counts the accesses under way, with a read-modify-write each time: of two accesses that overlap, the second one always
/// notices it. Readers contend for the word.
class exact_monitor {
public:
    exact_monitor() noexcept = default;
    exact_monitor(exact_monitor&&) noexcept {}

    class read {
    public:
        read(exact_monitor& in, const map_access& mine) noexcept : monitor_(in) {
            in.reader_.store(mine);
            found_ = in.inside_.fetch_add(one_reader, std::memory_order_acq_rel);
        }
        read(const read&) = delete;
        read& operator=(const read&) = delete;
        ~read() { monitor_.inside_.fetch_sub(one_reader, std::memory_order_release); }

        std::optional<map_access> conflict_at_begin() const noexcept {
            if (found_ < one_writer) return std::nullopt;
            return monitor_.writer_.load();
        }
        static std::optional<map_access> conflict_at_end() noexcept { return std::nullopt; }

    private:
        exact_monitor& monitor_;
        std::uint64_t found_ = 0;
    };

    class write {
    public:
        write(exact_monitor& in, const map_access& mine) noexcept : monitor_(in), mine_(mine), before_(in.writer_.load()) {
            in.writer_.store(mine);
            found_ = in.inside_.fetch_add(one_writer, std::memory_order_acq_rel);
        }
        write(const write&) = delete;
        write& operator=(const write&) = delete;
        ~write() { monitor_.inside_.fetch_sub(one_writer, std::memory_order_release); }

        std::optional<map_access> conflict_at_begin() const noexcept {
            if (found_ >= one_writer) return monitor_.writer_.beside(mine_, before_);
            if (found_ != 0) return monitor_.reader_.load();
            return std::nullopt;
        }
        static std::optional<map_access> conflict_at_end() noexcept { return std::nullopt; }

    private:
        exact_monitor& monitor_;
        const map_access& mine_;
        const map_access before_;
        std::uint64_t found_ = 0;
    };

private:
    static constexpr std::uint64_t one_reader = 1;
    static constexpr std::uint64_t one_writer = std::uint64_t{1} << 32;

    std::atomic<std::uint64_t> inside_{0};
    last_access reader_{};
    last_access writer_{};
};

} // namespace detail
} // namespace syncmap
