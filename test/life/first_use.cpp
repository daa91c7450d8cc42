// First uses of maps and caches in a thread, and in a process, that has no memory: each allocation of each is refused once,
// below `malloc`, where the system's own library asks as well. Nothing is changed then, nothing lost, and the next try works.
//
// A program of its own, since it replaces `malloc`. Each attempt has a process of its own, in which nothing was used yet.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <syncmap/cache.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot.hpp>
#include <syncmap/snapshot_map.hpp>
#include <syncmap/warm_up.hpp>

// ---- malloc ----

namespace {

std::atomic<std::int64_t> live_blocks{0};
thread_local std::uint64_t until_refused = 0; ///< of this thread; 0: none is

bool is_refused() noexcept { return until_refused != 0 && --until_refused == 0; }

void* counted(void* block) noexcept {
    if (block != nullptr) live_blocks.fetch_add(1, std::memory_order_relaxed);
    return block;
}

} // namespace

extern "C" {
void* __libc_malloc(std::size_t);             // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t, std::size_t); // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void*, std::size_t);     // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t, std::size_t); // NOLINT(bugprone-reserved-identifier)
void __libc_free(void*);                      // NOLINT(bugprone-reserved-identifier)

void* malloc(std::size_t bytes) noexcept { return is_refused() ? nullptr : counted(__libc_malloc(bytes)); }
void* calloc(std::size_t n, std::size_t bytes) noexcept { return is_refused() ? nullptr : counted(__libc_calloc(n, bytes)); }
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    return is_refused() ? nullptr : counted(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept { return memalign(alignment, bytes); }
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) noexcept {
    void* const block = memalign(alignment, bytes);
    if (block == nullptr) return ENOMEM;
    *to = block;
    return 0;
}
void* realloc(void* block, std::size_t bytes) noexcept {
    if (is_refused()) return nullptr;
    void* const moved = __libc_realloc(block, bytes);
    return block == nullptr ? counted(moved) : moved;
}
void free(void* block) noexcept {
    if (block == nullptr) return;
    live_blocks.fetch_sub(1, std::memory_order_relaxed);
    __libc_free(block);
}
}

// ---- attempts ----

namespace {

using numbers = syncmap::map<std::uint64_t, std::uint64_t>;
using texts = syncmap::map<std::string, std::string>;
using late_texts = syncmap::snapshot_map<std::string, std::string>;
using text_cache = syncmap::cache<std::string, std::string>;

const std::string key(40, 'k');
const std::string value(40, 'v');

constexpr std::size_t most_cached = 3;
text_cache::options_type few_entries() { return {.capacity = most_cached}; }

/// What an operation is tried on: nothing, or a map that other threads have used.
struct subjects {
    numbers some;
    texts others;
    late_texts more;
    text_cache cached{few_entries()};
};
void prepare(subjects& s) {
    s.cached.put(key, value);
    s.some.store(1, 1);
    s.others.store(key, value);
    s.more.store(key, value);
}
bool unchanged(subjects& s, bool prepared) {
    const std::size_t entries = prepared ? 1 : 0;
    return s.some.size() == entries && s.others.size() == entries && s.more.size() == entries && s.cached.size() == entries &&
           (!prepared ||
            (s.some.load(1) == 1U && s.others.load(key) == value && s.more.load(key) == value && s.cached.get(key) == value));
}
/// Whether as many entries are cached as there is room for, and never more.
bool has_all_permits(subjects& s) {
    bool right = true;
    for (int i = 0; i < 20; ++i) {
        s.cached.put(std::to_string(i), value);
        right = right && s.cached.size() <= most_cached;
    }
    return right && s.cached.size() == most_cached;
}

struct operation {
    const char* name;
    void (*run)(subjects&);
};
const operation operations[] = {
    {"warm_up", [](subjects&) { syncmap::warm_up(); }},
    {"store a number", [](subjects& s) { s.some.store(2, 2); }},
    {"store a text", [](subjects& s) { s.others.store("another", value); }},
    {"replace a text", [](subjects& s) { s.others.store(key, value + value); }},
    {"look for a text", [](subjects& s) { static_cast<void>(s.others.contains(key)); }},
    {"load a text", [](subjects& s) { static_cast<void>(s.others.load(key)); }},
    {"pin a text", [](subjects& s) { static_cast<void>(s.others.pin(key)); }},
    {"erase a text", [](subjects& s) { s.others.erase(key); }},
    {"update a number",
     [](subjects& s) { s.some.update(1, [](const std::uint64_t* old) { return old == nullptr ? 1 : *old + 1; }); }},
    {"update a text", [](subjects& s) { s.others.update(key, [](const std::string*) { return value + value; }); }},
    {"count", [](subjects& s) { static_cast<void>(s.some.size() + s.others.size() + s.more.size()); }},
    {"take a snapshot", [](subjects& s) { static_cast<void>(s.others.snapshot().size()); }},
    {"walk", [](subjects& s) { s.others.for_each([](const auto&, const auto&) {}); }},
    {"clear", [](subjects& s) { s.others.clear(); }},
    {"reserve", [](subjects& s) { s.others.reserve(1000); }},
    {"store into a snapshot_map", [](subjects& s) { s.more.store("another", value); }},
    {"load from a snapshot_map", [](subjects& s) { static_cast<void>(s.more.load(key)); }},
    {"put", [](subjects& s) { s.cached.put("another", value); }},
    {"put with a lifetime and tags",
     [](subjects& s) { s.cached.put("another", value, {.ttl = std::chrono::hours(1), .tags = {"red", 7}}); }},
    {"get", [](subjects& s) { static_cast<void>(s.cached.get(key)); }},
    {"pin or load",
     [](subjects& s) { static_cast<void>(s.cached.pin_or_load("another", [](const std::string&) { return value; })); }},
};

/// Returns when the system knows no more of the thread. Until then its hazard record is its own, and this thread makes
/// another one.
void prepare_in_a_thread(subjects& s) {
    std::uint32_t number = 0;
    std::thread([&] {
        number = syncmap::engine::machine::number_of_this_thread();
        prepare(s);
    }).join();
    while (!syncmap::engine::machine::has_ended(number)) std::this_thread::yield();
}

/// What a process leaves behind for this one.
struct outcome {
    bool ended;       ///< it has come to its end
    bool was_refused; ///< an allocation was
    bool threw;
    bool was_unchanged;
    std::int64_t blocks_left; ///< after the maps were destroyed
};

void attempt(const operation& op, std::uint64_t refuse, bool prepared, bool in_thread, outcome& result) {
    const std::int64_t before = live_blocks.load();
    const auto work = [&] {
        subjects s;
        if (prepared) prepare_in_a_thread(s);
        until_refused = refuse;
        try {
            op.run(s);
        } catch (const std::bad_alloc&) {
            result.threw = true;
        }
        result.was_refused = refuse != 0 && until_refused == 0;
        until_refused = 0;
        result.was_unchanged = !result.threw || unchanged(s, prepared);
        op.run(s);
        result.was_unchanged = has_all_permits(s) && result.was_unchanged;
        syncmap::warm_up();
        prepare(s); // whatever is made once per process is made now
        static_cast<void>(unchanged(s, prepared));
    };
    if (in_thread) {
        std::thread(work).join();
    } else {
        work();
    }
    result.blocks_left = live_blocks.load() - before;
    result.ended = true;
}

outcome in_a_process(const operation& op, std::uint64_t refuse, bool prepared, bool in_thread) {
    static auto* const shared =
        static_cast<outcome*>(::mmap(nullptr, sizeof(outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    *shared = {};
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        attempt(op, refuse, prepared, in_thread, *shared);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    return *shared;
}

int failures = 0;
void expect(bool right, const operation& op, std::uint64_t refuse, bool prepared, bool in_thread, const char* what) {
    if (right) return;
    ++failures;
    std::printf("%s, %s map, %s thread, allocation %llu refused: %s\n", op.name, prepared ? "used" : "new",
                in_thread ? "another" : "main", static_cast<unsigned long long>(refuse), what);
}

/// Keys of thread-specific data, all that a process may have: threads are not told of their end then.
void without_keys() {
    if (const pid_t child = ::fork(); child != 0) {
        int status = -1;
        ::waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            ++failures;
            std::printf("without keys: the process did not end well\n");
        }
        return;
    }
    ::alarm(60);
    pthread_key_t key_of_others{};
    while (::pthread_key_create(&key_of_others, nullptr) == 0) {}
    texts map;
    bool right = true;
    for (int i = 0; i < 1000; ++i) {
        std::thread([&] {
            syncmap::warm_up();
            map.store(key, value);
            right = right && map.load(key) == value;
        }).join();
    }
    const std::size_t hazard_records =
        syncmap::engine::process<syncmap::engine::machine>::instance().threads.hazard_record_count();
    if (hazard_records > 20) std::printf("without keys: %zu rows for one thread at a time\n", hazard_records);
    ::_exit(right && hazard_records <= 20 ? 0 : 1);
}

} // namespace

int main() {
    std::uint64_t attempts = 0;
    for (const operation& op : operations) {
        for (const bool prepared : {false, true}) {
            for (const bool in_thread : {false, true}) {
                const std::int64_t usual = in_a_process(op, 0, prepared, in_thread).blocks_left;
                for (std::uint64_t refuse = 1;; ++refuse) {
                    const outcome result = in_a_process(op, refuse, prepared, in_thread);
                    ++attempts;
                    const auto check = [&](bool right, const char* what) {
                        expect(right, op, refuse, prepared, in_thread, what);
                    };
                    check(result.ended, "the process has ended early");
                    if (!result.ended || !result.was_refused) break;
                    check(result.was_unchanged, "an operation that threw has changed something");
                    check(result.blocks_left <= usual, "memory is lost");
                }
            }
        }
    }
    without_keys();
    std::printf("%llu attempts, %d failures\n", static_cast<unsigned long long>(attempts), failures);
    return failures == 0 ? 0 : 1;
}
