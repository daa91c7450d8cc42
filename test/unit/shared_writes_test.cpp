// What an operation writes that other threads may want: for reads nothing, for writes the bucket's own two lines. This is
// what decides how a map scales, counted where there are too few processors to measure it.
//
// The map lies in memory of its own. Reads run while that memory is write protected: a store to any of it, atomic or
// not, is a fault that is counted. Writes run with a Sync policy that notes every line that is written by way of it.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/engine/tuning.hpp>
#include <syncmap/facade.hpp>
#include <syncmap/hash.hpp>

#if defined(__linux__)

#include <csignal>

#include <sys/mman.h>
#include <unistd.h>

namespace test::shared_writes {

// ---- memory that can be protected ----

class region {
public:
    static constexpr std::size_t bytes = std::size_t{64} << 20;

    region()
        : at_(static_cast<std::byte*>(
              mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
        if (at_ == MAP_FAILED) throw std::bad_alloc();
        current = this;
        struct sigaction action{};
        action.sa_sigaction = note_fault;
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, &before_);
    }
    ~region() {
        sigaction(SIGSEGV, &before_, nullptr);
        current = nullptr;
        munmap(at_, bytes);
    }
    region(const region&) = delete;
    region& operator=(const region&) = delete;

    void* take(std::size_t size, std::size_t alignment) {
        used_ = (used_ + alignment - 1) & ~(alignment - 1);
        if (used_ + size > bytes) throw std::bad_alloc();
        void* const block = at_ + used_;
        used_ += size;
        return block;
    }

    /// Stores into the region that `f` makes: of several into one page only the first is seen.
    template <class F>
    int faults_of(F f) {
        faults = 0;
        mprotect(at_, bytes, PROT_READ);
        f();
        mprotect(at_, bytes, PROT_READ | PROT_WRITE);
        return faults;
    }

    static inline region* current = nullptr;

private:
    static void note_fault(int, siginfo_t* info, void*) {
        auto* const at = static_cast<std::byte*>(info->si_addr);
        if (current == nullptr || at < current->at_ || at >= current->at_ + bytes) std::_Exit(EXIT_FAILURE); // not ours
        faults = faults + 1;
        constexpr std::uintptr_t page = 4096;
        mprotect(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(at) & ~(page - 1)), page, PROT_READ | PROT_WRITE);
    }
    static inline volatile std::sig_atomic_t faults = 0;

    std::byte* at_;
    std::size_t used_ = 0;
    struct sigaction before_{};
};

template <class T>
struct in_region {
    using value_type = T;
    in_region() = default;
    template <class U>
    in_region(const in_region<U>&) noexcept {}
    T* allocate(std::size_t n) { return static_cast<T*>(region::current->take(n * sizeof(T), alignof(T))); }
    void deallocate(T*, std::size_t) noexcept {}
    friend bool operator==(const in_region&, const in_region&) noexcept { return true; }
};

// ---- a Sync policy that notes what is written ----

inline std::uintptr_t line_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at) / 64; }

/// Lines written since it was emptied; by one thread.
inline std::set<std::uintptr_t> written;

struct noting : syncmap::engine::machine {
    /// No write frees what others before it retired: their nodes are not what it is about.
    static constexpr std::uint32_t retire_batch = 4096;

    template <class T>
    class atomic : public machine::atomic<T> {
        using base = machine::atomic<T>;
        using order = std::memory_order;

    public:
        constexpr atomic() noexcept = default;
        constexpr atomic(T value) noexcept : base(value) {}

        void store(T value, order o = order::seq_cst) noexcept {
            note();
            base::store(value, o);
        }
        T exchange(T value, order o = order::seq_cst) noexcept {
            note();
            return base::exchange(value, o);
        }
        template <class... Orders>
        bool compare_exchange_strong(T& expected, T desired, Orders... orders) noexcept {
            note();
            return base::compare_exchange_strong(expected, desired, orders...);
        }
        template <class... Orders>
        bool compare_exchange_weak(T& expected, T desired, Orders... orders) noexcept {
            note();
            return base::compare_exchange_weak(expected, desired, orders...);
        }
        T fetch_add(T value, order o = order::seq_cst) noexcept {
            note();
            return base::fetch_add(value, o);
        }
        T fetch_sub(T value, order o = order::seq_cst) noexcept {
            note();
            return base::fetch_sub(value, o);
        }
        T fetch_or(T value, order o = order::seq_cst) noexcept {
            note();
            return base::fetch_or(value, o);
        }

    private:
        void note() { written.insert(line_of(this)); }
    };

    static void store_pair(atomic<std::uint64_t>* words, syncmap::sync::word_pair pair) noexcept {
        written.insert(line_of(words));
        real::store_pair(words, pair);
    }
    static bool compare_exchange_pair(atomic<std::uint64_t>* words, syncmap::sync::word_pair& expected,
                                      syncmap::sync::word_pair desired) noexcept {
        written.insert(line_of(words));
        return real::compare_exchange_pair(words, expected, desired);
    }
};

// ---- maps that can be looked into ----

template <class Key, class T>
using table_of =
    syncmap::engine::table<Key, T, syncmap::hash<Key>, std::equal_to<>, in_region<std::pair<const Key, T>>, noting>;

template <class Key, class T>
class open_engine : public table_of<Key, T> {
    using base = table_of<Key, T>;

public:
    using base::base;

    /// The two lines of the key's bucket, and the one that is the calling thread's own in this map.
    struct lines {
        std::uintptr_t control, home, thread_record;
    };
    lines lines_of(const Key& key) {
        auto& c = this->shared();
        const auto* const t = base::table_of(this->root_.load());
        const std::size_t bucket = t->bucket_of(syncmap::detail::seeded_hash(this->hash_, key, c.seed()));
        const syncmap::reclaim::thread_lease<noting> me(c.home->threads);
        return {line_of(&t->controls[bucket]), line_of(&t->home(bucket)), line_of(&this->thread_record_of(c, *me))};
    }
    std::uintptr_t own_hazards() {
        const syncmap::reclaim::thread_lease<noting> me(this->shared().home->threads);
        return line_of(&*me);
    }
    /// The lines of the calling thread's row, of which the first one is that of its hazards.
    std::pair<std::uintptr_t, std::uintptr_t> own_hazard_record() {
        const syncmap::reclaim::thread_lease<noting> me(this->shared().home->threads);
        return {line_of(&*me), line_of(&*me + 1)};
    }
};

template <class Key, class T>
class open_map : public syncmap::basic_map<open_engine<Key, T>> {
public:
    open_engine<Key, T>& engine() noexcept { return this->engine_; }
};

template <class T>
T made(std::uint64_t i) {
    if constexpr (std::is_same_v<T, std::string>) {
        return "a text that owns memory, number " + std::to_string(i);
    } else {
        return i + 1; // 0 lies in the sentinel-key bucket
    }
}

/// Below where the table grows, so that a write does its own work alone.
constexpr std::uint64_t entries = 1000;
constexpr std::size_t room = 64'000; // sparse: no bucket is full

template <class Entry>
class shared_writes : public ::testing::Test {
protected:
    using key = typename Entry::first_type;
    using value = typename Entry::second_type;
    using map_type = open_map<key, value>;

    shared_writes() : map_(*new(memory_.take(sizeof(map_type), alignof(map_type))) map_type) {
        map_.reserve(room);
        for (std::uint64_t i = 0; i != entries; ++i) map_.store(made<key>(i), made<value>(i));
        map_.store(made<key>(0), made<value>(0)); // a thread's first garbage of a map is noted in the map
    }
    ~shared_writes() override { map_.~map_type(); }

    /// The lines that `f` writes and that are not the thread's own.
    template <class F>
    std::set<std::uintptr_t> shared_lines_of(const key& k, F f) {
        const auto own = map_.engine().lines_of(k);
        written.clear();
        f();
        std::set<std::uintptr_t> lines = written;
        lines.erase(own.thread_record);
        const auto [hazard_record, end] = map_.engine().own_hazard_record();
        lines.erase(lines.lower_bound(hazard_record), lines.lower_bound(end));
        return lines;
    }
    template <class F>
    void expect_own_bucket_alone(const char* what, F f, std::size_t most_lines = 2) {
        std::size_t most = 0;
        for (std::uint64_t i = 0; i != 200; ++i) {
            const key k = made<key>(what[0] == 'i' ? entries + i : i);
            const auto bucket = map_.engine().lines_of(k);
            const auto lines = shared_lines_of(k, [&] { f(k); });
            for (const std::uintptr_t line : lines) {
                EXPECT_TRUE(line == bucket.control || line == bucket.home) << what << " wrote a line of neither";
            }
            most = std::max(most, lines.size());
        }
        EXPECT_EQ(most, most_lines) << what << ": the line of its entries and, if the bucket is locked, the word for that";
    }

    region memory_;
    map_type& map_;
};

struct names {
    template <class Entry>
    static std::string GetName(int) {
        return std::is_same_v<typename Entry::first_type, std::string> ? "nodes" : "inline";
    }
};
using layouts = ::testing::Types<std::pair<std::uint64_t, std::uint64_t>, std::pair<std::string, std::string>>;
TYPED_TEST_SUITE(shared_writes, layouts, names);

TYPED_TEST(shared_writes, of_reads_are_none) {
    using Key = typename TestFixture::key;
    using T = typename TestFixture::value;
    auto& map = this->map_;
    EXPECT_TRUE(map.contains(made<Key>(0))); // what a thread needs once, it has now
    std::vector<Key> keys;
    for (std::uint64_t i = 0; i != 2 * entries; ++i) keys.push_back(made<Key>(i));
    std::vector<std::optional<T>> results(keys.size());
    std::uint64_t right = 0;
    written.clear();
    const int faults = this->memory_.faults_of([&] {
        for (std::uint64_t i = 0; i != entries; ++i) {
            right += map.load(keys[i]) == made<T>(i);
            right += map.visit(keys[i], [](const T&) {});
            right += map.contains(keys[i]);
            right += !map.contains(keys[entries + i]);
        }
        right += map.load_many(keys, results);
    });
    EXPECT_EQ(faults, 0) << "a read wrote to what all threads share";
    EXPECT_EQ(right, 5 * entries);
    written.erase(map.engine().own_hazards());
    EXPECT_TRUE(written.empty());
}

TYPED_TEST(shared_writes, are_seen_when_there_are_any) {
    using Key = typename TestFixture::key;
    using T = typename TestFixture::value;
    auto& map = this->map_;
    EXPECT_GT(this->memory_.faults_of([&] { map.store(made<Key>(1), made<T>(7)); }), 0);
    written.clear();
    map.store(made<Key>(1), made<T>(8));
    EXPECT_FALSE(written.empty());
}

TYPED_TEST(shared_writes, of_writes_are_the_buckets_own) {
    using Key = typename TestFixture::key;
    using T = typename TestFixture::value;
    auto& map = this->map_;
    // An inline entry is overwritten without a lock.
    this->expect_own_bucket_alone(
        "store", [&](const Key& k) { EXPECT_FALSE(map.store(k, made<T>(3))); }, std::is_same_v<Key, std::string> ? 2 : 1);
    this->expect_own_bucket_alone("insert", [&](const Key& k) { EXPECT_TRUE(map.insert(k, made<T>(3))); });
    this->expect_own_bucket_alone("erase", [&](const Key& k) { EXPECT_TRUE(map.erase(k)); });
}

} // namespace test::shared_writes

#endif
