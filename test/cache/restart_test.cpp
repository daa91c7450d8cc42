// save and load: warm restart.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <syncmap/cache.hpp>
#include <syncmap/cache/warm_restart.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace restart_test {

struct page {
    std::string title;
    std::vector<int> links;
};

} // namespace restart_test

template <>
struct syncmap::serializer<restart_test::page> {
    static constexpr const char* form = "page 1";
    static void write(byte_writer& to, const restart_test::page& p) {
        to.put(p.title);
        to.put(p.links);
    }
    static restart_test::page read(byte_reader& from) {
        auto title = from.get<std::string>();
        return {std::move(title), from.get<std::vector<int>>()};
    }
};

namespace {

using namespace std::chrono_literals;
using restarted_numbers = syncmap::cache<int, int>;
using restarted_pages =
    syncmap::cache<std::string, std::string, syncmap::hash<std::string>, std::equal_to<>, syncmap::manual_clock>;

/// A folder that ends with the test.
struct restart_folder {
    std::string path = "/tmp/syncmap-restart-XXXXXX";
    restart_folder() {
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder");
    }
    restart_folder(const restart_folder&) = delete;
    restart_folder& operator=(const restart_folder&) = delete;
    ~restart_folder() {
        for (const char* name : {"/saved", "/saved.new"}) ::unlink((path + name).c_str());
        ::rmdir(path.c_str());
    }
    std::string file() const { return path + "/saved"; }
    std::string content() const {
        std::string all;
        syncmap::sync::input_file file_now(file());
        char some[4096];
        for (std::size_t got = 1; got != 0;) all.append(some, got = file_now.read(some, sizeof some));
        return all;
    }
    void set_content(const std::string& all) const {
        const syncmap::sync::file_handle now(::open(file().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
        if (::write(now.number(), all.data(), all.size()) != static_cast<ssize_t>(all.size()))
            throw std::runtime_error("no file");
    }
};

template <class Cache>
std::string saved_bytes(const Cache& cache) {
    std::string bytes;
    cache.save([&](const char* from, std::size_t size) { bytes.append(from, size); });
    return bytes;
}
/// Gives the bytes away in pieces, and counts the most that it was asked for.
struct given_bytes {
    std::string bytes;
    std::size_t at = 0;
    std::size_t most_asked = 0;
    std::size_t operator()(char* to, std::size_t size) {
        most_asked = std::max(most_asked, size);
        const std::size_t n = std::min({size, bytes.size() - at, std::size_t{1000}});
        std::memcpy(to, bytes.data() + at, n);
        at += n;
        return n;
    }
};

TEST(cache_restart, has_the_entries_and_what_the_eviction_knew_of_them) {
    restarted_numbers before({.capacity = 1000});
    for (int i = 0; i < 1000; ++i) before.put(i, i * 3);
    for (int i = 0; i < 50; ++i)
        for (int n = 0; n < 3; ++n) ASSERT_TRUE(before.get(i));
    for (int i = 1000; i < 1200; ++i) before.put(i, i * 3); // some become main
    const std::string bytes = saved_bytes(before);

    restarted_numbers after({.capacity = 1000});
    EXPECT_EQ(after.load(given_bytes{bytes}), 1000U);
    EXPECT_EQ(after.size(), 1000U);
    std::size_t same = 0;
    before.for_each([&](int key, int value) { same += after.peek(key) == value ? 1U : 0U; });
    EXPECT_EQ(same, 1000U);
    // The order in which they would stay is the same, as far as it is one: by queue and uses.
    std::vector<int> hot;
    for (const auto& each : before.hottest(40)) hot.push_back(each.key());
    const auto hot_again = after.hottest(60);
    for (const int key : hot) {
        EXPECT_TRUE(std::ranges::any_of(hot_again, [&](const auto& each) { return each.key() == key; })) << key;
    }

    // A smaller one gets the hottest, and none of them is evicted for another.
    restarted_numbers smaller({.capacity = 60});
    EXPECT_EQ(smaller.load(given_bytes{bytes}), 60U);
    EXPECT_EQ(smaller.stats().evictions, 0U);
    for (const int key : hot) EXPECT_TRUE(smaller.contains(key)) << key;
}

TEST(cache_restart, leaves_what_is_there_and_what_is_being_loaded) {
    restarted_numbers before({.capacity = 10});
    before.put(1, 10);
    before.put(2, 20);
    before.put(3, 30);
    const std::string bytes = saved_bytes(before);
    restarted_numbers after({.capacity = 10});
    after.put(1, 11);
    EXPECT_EQ(after.get_or_load(2,
                                [&] {
                                    EXPECT_EQ(after.load(given_bytes{bytes}), 1U);
                                    return 22;
                                }),
              22);
    EXPECT_EQ(after.get(1), 11);
    EXPECT_EQ(after.get(2), 22);
    EXPECT_EQ(after.get(3), 30);
}

TEST(cache_restart, stores_nothing_after_an_invalidation_of_all) {
    restarted_numbers before({.capacity = 20'000});
    for (int i = 0; i < 20'000; ++i) before.put(i, i);
    const std::string bytes = saved_bytes(before); // three blocks
    restarted_numbers after({.capacity = 20'000});
    given_bytes from{bytes};
    std::size_t asked = 0;
    after.load([&](char* to, std::size_t size) {
        if (from.at > 100'000 && asked++ == 0) {
            EXPECT_GT(after.size(), 0U);
            after.invalidate_all();
        }
        return from(to, size);
    });
    EXPECT_EQ(asked != 0, true);
    EXPECT_EQ(after.size(), 0U);
}

TEST(cache_restart, lifetimes_go_on) {
    syncmap::manual_clock clock;
    clock.advance(1h);
    restarted_pages before({.capacity = 100, .expire_after_write = 10min, .clock = clock});
    before.put("old", "a");
    clock.advance(4min);
    before.put("young", "b");
    before.put("own", "c", {.ttl = 1h});
    before.put("over", "d", {.ttl = 1min});
    clock.advance(1min);
    const std::string bytes = saved_bytes(before); // old: 5 minutes are left; young: 9; own: 59

    syncmap::manual_clock later;
    restarted_pages after({.capacity = 100, .expire_after_write = 10min, .prompt_expiry = true, .clock = later});
    EXPECT_EQ(after.load(given_bytes{bytes}, {.time_down = 2min}), 3U);
    EXPECT_FALSE(after.contains("over"));
    later.advance(3min - 1ns);
    EXPECT_TRUE(after.contains("old"));
    later.advance(1ns);
    EXPECT_FALSE(after.contains("old"));
    EXPECT_EQ(after.expire_now(), 1U) << "the log has the end that it is left with";
    EXPECT_TRUE(after.contains("young"));
    later.advance(4min);
    EXPECT_FALSE(after.contains("young"));
    EXPECT_TRUE(after.contains("own"));
    later.advance(50min);
    EXPECT_FALSE(after.contains("own"));

    // What has ended meanwhile is left out. The options of now are a bound as well, and the wall clock tells the time down.
    restarted_pages shorter({.capacity = 100, .expire_after_write = 1min, .clock = later});
    EXPECT_EQ(shorter.load(given_bytes{bytes}, {.time_down = 6min}), 2U);
    EXPECT_FALSE(shorter.contains("old"));
    later.advance(1min);
    EXPECT_FALSE(shorter.contains("young"));
    restarted_pages by_wall({.capacity = 100, .clock = later});
    EXPECT_EQ(by_wall.load(given_bytes{bytes}), 3U);
    later.advance(5min);
    EXPECT_FALSE(by_wall.contains("old"));
    EXPECT_TRUE(by_wall.contains("young"));
    // One saved without a lifetime begins it now.
    restarted_pages forever({.capacity = 1, .clock = clock});
    forever.put("a", "b");
    restarted_pages timed({.capacity = 1, .expire_after_write = 1min, .clock = later});
    EXPECT_EQ(timed.load(given_bytes{saved_bytes(forever)}, {.time_down = 24h}), 1U);
    later.advance(59s);
    EXPECT_TRUE(timed.contains("a"));
    later.advance(1s);
    EXPECT_FALSE(timed.contains("a"));
}

TEST(cache_restart, entries_are_as_old_as_they_were) {
    syncmap::manual_clock clock;
    clock.advance(1h);
    const auto options = [&] {
        return restarted_pages::options_type{
            .capacity = 10, .expire_after_write = 10min, .refresh_after_write = 4min, .clock = clock};
    };
    restarted_pages before(options());
    before.put("a", "old");
    clock.advance(3min);
    restarted_pages after(options());
    EXPECT_EQ(after.load(given_bytes{saved_bytes(before)}, {.time_down = 0s}), 1U);
    EXPECT_EQ(after.get_or_load("a", [] { return std::string("new"); }), "old");
    clock.advance(1min);
    EXPECT_EQ(after.get_or_load("a", [] { return std::string("new"); }), "new");
}

TEST(cache_restart, refuses_each_torn_and_each_changed_file) {
    restarted_pages before({.capacity = 10});
    before.put("a", "1");
    before.put("b", std::string(20, 'x'), {.ttl = 1h});
    const restart_folder folder;
    EXPECT_EQ(before.save(folder.file()), 2U);
    const std::string bytes = folder.content();
    restarted_pages after({.capacity = 10});
    const auto is_refused = [&](const std::string& changed) {
        bool from_file = false;
        bool from_source = false;
        folder.set_content(changed);
        try {
            after.load(folder.file());
        } catch (const syncmap::snapshot_refused&) {
            from_file = true;
        }
        const bool is_unchanged = after.size() == 0;
        try {
            after.load(given_bytes{changed});
        } catch (const syncmap::snapshot_refused&) {
            from_source = true;
        }
        after.invalidate("a"); // entries of a block before the fault
        after.invalidate("b");
        return from_file && from_source && is_unchanged;
    };
    for (std::size_t size = 0; size < bytes.size(); size += 5) EXPECT_TRUE(is_refused(bytes.substr(0, size))) << size;
    for (std::size_t at = 0; at < bytes.size(); at += 5) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1 << at % 8);
        EXPECT_TRUE(is_refused(changed)) << at;
    }
    folder.set_content(bytes + '\0');
    EXPECT_THROW(after.load(folder.file()), syncmap::snapshot_refused);
    folder.set_content(bytes);
    EXPECT_EQ(after.load(folder.file()), 2U);

    const auto why = [&](const std::string& changed) {
        try {
            restarted_numbers({.capacity = 1}).load(given_bytes{changed});
        } catch (const syncmap::snapshot_refused& refused) {
            return std::string(refused.what());
        }
        return std::string();
    };
    EXPECT_NE(why(bytes).find("entries of the form string1 -> string1, and this cache those of the form int4 -> int4"),
              std::string::npos)
        << why(bytes);
    std::string newer = bytes;
    newer[12] = 2;
    EXPECT_NE(why(newer).find("its version is 2"), std::string::npos) << why(newer);
    EXPECT_NE(why("some text that is long enough to be a header").find("does not begin"), std::string::npos);
}

TEST(cache_restart, believes_no_length_that_lies) {
    using namespace syncmap::cache_detail;
    const auto file_of = [](std::uint64_t entries, void (*write)(syncmap::byte_writer&, std::uint64_t), std::uint64_t lie) {
        std::string bytes;
        snapshot_writer file([&](const char* from, std::size_t size) { bytes.append(from, size); }, "string1 -> string1", 7, 0);
        syncmap::byte_writer to(file.buffer());
        write(to, lie);
        while (entries-- != 0) file.entry_written();
        file.end();
        return bytes;
    };
    const auto marks_alone = [](syncmap::byte_writer& to, std::uint64_t) { to.put(std::uint16_t{0}); };
    const auto long_key = [](syncmap::byte_writer& to, std::uint64_t lie) {
        to.put(std::uint16_t{0});
        to.put(lie);
        to.put(lie);
    };
    const auto long_string = [](syncmap::byte_writer& to, std::uint64_t lie) {
        to.put(std::uint16_t{0});
        to.put(std::uint64_t{9}), to.put(lie), to.put_bytes("a", 1);
        to.put(std::uint64_t{8}), to.put(std::uint64_t{0});
    };
    restarted_pages after({.capacity = 10});
    for (const std::uint64_t lie : {std::uint64_t{20}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
        EXPECT_THROW(after.load(given_bytes{file_of(1, long_key, lie)}), syncmap::snapshot_refused);
        EXPECT_THROW(after.load(given_bytes{file_of(1, long_string, lie)}), syncmap::snapshot_refused);
        EXPECT_THROW(after.load(given_bytes{file_of(2, marks_alone, lie)}), syncmap::snapshot_refused);
        // Of the bytes of a block.
        std::string bytes = file_of(1, marks_alone, lie);
        const std::size_t at = bytes.size() - (24 + 16 + 8) - (24 + 2 + 8);
        snapshot_format::block b{1, lie, 0};
        b.checksum = snapshot_format::checksum_of(b, snapshot_format::seed_of(7, 1));
        std::memcpy(bytes.data() + at, &b, sizeof b);
        given_bytes from{bytes};
        EXPECT_THROW(after.load([&](char* to, std::size_t size) { return from(to, size); }), syncmap::snapshot_refused);
        EXPECT_LE(from.most_asked, std::size_t{1} << 20);
    }
    EXPECT_EQ(after.size(), 0U);
}

TEST(cache_restart, knows_many_types_and_those_it_is_taught) {
    using pages = std::pair<std::vector<std::shared_ptr<const restart_test::page>>, std::optional<bool>>;
    EXPECT_EQ(syncmap::detail::form_of<pages>(), "pair(vector(optional(page 1)),optional(bool1))");
    const auto made = std::make_shared<const restart_test::page>(restart_test::page{"t", {1, 2}});
    std::string bytes;
    syncmap::byte_writer to(bytes);
    to.put(pages{{made, nullptr}, true});
    alignas(syncmap::text) std::byte room[300];
    syncmap::text::write(room, "some text");
    to.put(*std::launder(reinterpret_cast<const syncmap::text*>(room)));
    to.put(std::u16string(u"wide"));
    to.put(std::make_unique<double>(1.5));

    syncmap::byte_reader from(bytes);
    const pages got = from.get<pages>();
    ASSERT_TRUE(got.first.size() == 2 && got.first.front() != nullptr);
    EXPECT_EQ(got.first.front()->title, "t");
    EXPECT_EQ(got.first.front()->links, (std::vector<int>{1, 2}));
    EXPECT_EQ(got.first.back(), nullptr);
    EXPECT_EQ(got.second, true);
    EXPECT_EQ(from.get<syncmap::text>(), "some text");
    EXPECT_EQ(from.get<std::u16string>(), u"wide");
    EXPECT_EQ(*from.get<std::unique_ptr<double>>(), 1.5);
    EXPECT_EQ(from.size(), 0U);
    EXPECT_THROW(from.get<char>(), syncmap::snapshot_refused);
}

TEST(cache_restart, takes_paths_and_streams) {
    restarted_numbers before({.capacity = 10});
    before.put(1, 2);
    restarted_numbers after({.capacity = 10});
    const restart_folder folder;
    EXPECT_EQ(after.load(folder.file()), 0U); // the first start
    EXPECT_THROW(before.save(folder.path + "/no/such/folder"), std::system_error);
    EXPECT_THROW(after.load(folder.path), std::system_error); // a folder
    struct stream { // as std::ostream and std::istream
        std::string bytes{};
        std::size_t at = 0;
        std::size_t got = 0;
        bool is_good = true;
        stream& write(const char* from, std::ptrdiff_t size) {
            bytes.append(from, static_cast<std::size_t>(size));
            return *this;
        }
        stream& read(char* to, std::ptrdiff_t size) {
            got = bytes.copy(to, static_cast<std::size_t>(size), at);
            at += got;
            return *this;
        }
        std::ptrdiff_t gcount() const { return static_cast<std::ptrdiff_t>(got); }
        bool operator!() const { return !is_good; }
    } both;
    EXPECT_EQ(before.save(both), 1U);
    EXPECT_EQ(after.load(both), 1U);
    EXPECT_EQ(after.get(1), 2);
    both.is_good = false;
    EXPECT_THROW(before.save(both), std::system_error);

    // A disk that is full leaves the old file.
    EXPECT_EQ(before.save(folder.file().c_str()), 1U);
    for (int i = 0; i < 10; ++i) before.put(i, i);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    rlimit tight = limit;
    tight.rlim_cur = 100;
    ::setrlimit(RLIMIT_FSIZE, &tight);
    EXPECT_THROW(before.save(folder.file()), std::system_error);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_NE(::access((folder.file() + ".new").c_str(), F_OK), 0);
    ASSERT_EQ(::chmod(folder.file().c_str(), 0600), 0);
    restarted_numbers again({.capacity = 10});
    EXPECT_EQ(again.load(folder.file()), 1U);
    EXPECT_EQ(before.save(folder.file()), 10U); // with the permissions of the old one
    struct stat status{};
    ASSERT_EQ(::stat(folder.file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(cache_restart, leaves_what_is_remembered_of_loads) {
    syncmap::manual_clock clock;
    restarted_pages before({.capacity = 10, .negative_ttl = 1min, .clock = clock});
    EXPECT_EQ(before.get_or_load("a", [] { return std::optional<std::string>(); }), std::nullopt);
    before.put("b", "1");
    const std::string bytes = saved_bytes(before);
    restarted_pages after({.capacity = 10, .negative_ttl = 1min, .clock = clock});
    EXPECT_EQ(after.get_or_load("b", [] { return std::optional<std::string>(); }), std::nullopt);
    EXPECT_EQ(after.load(given_bytes{bytes}), 0U); // neither "a", nor a value where there was nothing lately
    EXPECT_EQ(after.get("b"), std::nullopt);
}

TEST(cache_restart, saves_while_traffic_goes_on) {
    constexpr int stay = 2000;
    restarted_numbers cache({.capacity = 100'000});
    for (int i = 0; i < stay; ++i) cache.put(i, i);
    std::atomic<bool> is_over{false};
    std::thread traffic([&] {
        for (int i = 0; !is_over; i = (i + 1) % stay) {
            cache.put(i, i);
            cache.put(stay + i, -1); // the table grows, and is left
            cache.invalidate(stay + i - 1 > stay ? stay + i - 1 : stay);
        }
    });
    const restart_folder folder;
    for (int round = 0; round < 5; ++round) {
        std::thread other([&] { cache.save(folder.file()); }); // for the same path
        cache.save(folder.file());
        other.join();
        restarted_numbers after({.capacity = 100'000});
        EXPECT_GE(after.load(folder.file()), static_cast<std::size_t>(stay));
        for (int i = 0; i < stay; ++i) ASSERT_EQ(after.peek(i), i);
    }
    is_over = true;
    traffic.join();
}

TEST(cache_restart, a_kill_leaves_the_old_file_or_the_new_one) {
    const restart_folder folder;
    restarted_numbers before({.capacity = 1000});
    before.put(0, 0);
    before.save(folder.file());
    for (int round = 0; round < 5; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (int i = 0;; ++i) {
                restarted_numbers own({.capacity = 1000});
                for (int key = 0; key < 500; ++key) own.put(key, i);
                own.save(folder.file());
            }
        }
        ASSERT_GT(child, 0);
        ::usleep(static_cast<useconds_t>(3000 + 1700 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
        restarted_numbers after({.capacity = 1000});
        const std::size_t loaded = after.load(folder.file());
        EXPECT_TRUE(loaded == 1 || loaded == 500) << loaded;
        std::optional<int> one;
        after.for_each([&](int, int value) { EXPECT_EQ(one ? *std::exchange(one, value) : value, value); });
    }
    EXPECT_EQ(before.save(folder.file()), 1U); // what the child has left beside it is in no one's way
    EXPECT_EQ(restarted_numbers({.capacity = 10}).load(folder.file()), 1U);
}

} // namespace
