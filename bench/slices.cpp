// Maps of a million strings, one thread, by the thread's own processor time: for machines that others use as well, where
// rates by the clock say little. The maps take turns, some milliseconds each, in random order (scripts/slices.sh).
// Usage: slices ROUNDS
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "candidates/flat.hpp"
#include "candidates/libcuckoo.hpp"
#include "candidates/onetbb.hpp"
#include "candidates/syncmap_map.hpp"
#include "candidates/syncmap_text_map.hpp"

namespace {

using namespace syncmap::bench;

constexpr std::uint64_t entries = 1'000'000;
constexpr std::size_t slice = 20'000; ///< operations
constexpr std::size_t batch = 32;

double processor_time() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

enum class mix : unsigned char { read, read_90, read_50, insert_erase, batches };
constexpr std::array names{"reads", "90 % reads, overwrites", "50 % overwrites", "insert and erase", "reads by 32"};

/// One map, filled when it is made: one after the other, each into memory of its own.
template <class Adapter>
struct contestant {
    static constexpr std::string_view name = Adapter::name;
    typename Adapter::template map<std::string, std::string> map{};
    std::vector<double> times{};

    contestant() {
        for (std::uint64_t i = 0; i < entries; ++i) map.store(key((i * 7919) % entries), value(i));
    }
    static std::string key(std::uint64_t i) { return payload<std::string>::key(i); }
    static std::string value(std::uint64_t i) { return payload<std::string>::value(i); }

    /// Nanoseconds of one operation.
    void run(mix what, random_source& draw, std::uint64_t& digest) {
        static const std::string fresh_value = value(1);
        const std::uint64_t first = what == mix::insert_erase ? entries : 0;
        std::vector<std::string> keys; // made before, so that they lie in order
        for (std::size_t i = 0; i < slice; ++i) keys.push_back(key(first + draw.below(entries)));
        std::string out;
        const auto take = [&](const auto& seen) {
            out = seen;
            digest += static_cast<unsigned char>(out.front());
        };
        const double begin = processor_time();
        for (std::size_t i = 0; i < slice; ++i) {
            switch (what) {
            case mix::insert_erase:
                if (i % 2 == 0) {
                    map.insert(keys[i / 2], fresh_value);
                } else {
                    map.erase(keys[i / 2]);
                }
                break;
            case mix::batches:
                if (i % batch != 0) break;
                if constexpr (requires { map.load_batch(keys.data(), batch, take); }) {
                    map.load_batch(&keys[i], std::min(batch, slice - i), take);
                } else {
                    for (std::size_t j = i; j < std::min(i + batch, slice); ++j) map.load(keys[j], out);
                }
                break;
            default:
                if ((what == mix::read_90 && i % 10 == 0) || (what == mix::read_50 && i % 2 == 0)) {
                    map.store(keys[i], fresh_value);
                } else if (map.load(keys[i], out)) {
                    digest += static_cast<unsigned char>(out.front());
                }
            }
        }
        times.push_back((processor_time() - begin) / slice);
    }
};

double quantile(std::vector<double> of, double share) {
    std::sort(of.begin(), of.end());
    return of[static_cast<std::size_t>(share * static_cast<double>(of.size() - 1))];
}

} // namespace

int main(int argc, char** argv) {
    const int rounds = argc == 2 ? std::atoi(argv[1]) : 0;
    if (rounds < 1) {
        std::fputs("usage: slices ROUNDS\n", stderr);
        return 2;
    }
    std::tuple<contestant<adapters::syncmap_text_map>, contestant<adapters::syncmap_map>, contestant<adapters::libcuckoo>,
               contestant<adapters::onetbb>, contestant<adapters::flat>>
        all;
    random_source draw(1);
    std::uint64_t digest = 0;
    for (std::size_t m = 0; m < names.size(); ++m) {
        std::apply([](auto&... each) { (each.times.clear(), ...); }, all);
        for (int round = 0; round < rounds; ++round) {
            const std::uint64_t begin = draw.below(5); // which one is first changes
            for (std::uint64_t turn = 0; turn < 5; ++turn) {
                std::uint64_t place = 0;
                std::apply(
                    [&](auto&... each) {
                        ((place++ == (begin + turn) % 5 ? each.run(static_cast<mix>(m), draw, digest) : void()), ...);
                    },
                    all);
            }
        }
        std::printf("%s\n", names[m]);
        const auto tell = [&](const auto& other) {
            std::vector<double> ratios;
            const std::vector<double>& text = std::get<0>(all).times;
            for (std::size_t i = 0; i < text.size(); ++i) ratios.push_back(other.times[i] / text[i]);
            std::printf("  %-10.*s %6.0f ns   text_map is %.2f times as fast (%.2f - %.2f)\n",
                        static_cast<int>(other.name.size()), other.name.data(), quantile(other.times, 0.5),
                        quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75));
        };
        std::apply([&](auto&... each) { (tell(each), ...); }, all);
        std::fflush(stdout);
    }
    return digest == 0 ? 1 : 0;
}
