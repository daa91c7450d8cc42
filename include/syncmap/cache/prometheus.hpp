// The statistics of caches as text in the Prometheus exposition format (version 0.0.4), for an endpoint that a program has.
// A header of its own: caches do not include it.
#pragma once

#include <syncmap/detail/language.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <syncmap/cache/options.hpp>

namespace syncmap {

/// The statistics of one cache, and the name that the label `cache` has.
struct named_cache_stats {
    std::string_view name;
    cache_stats stats;
};

namespace cache_detail {

class prometheus_text {
public:
    explicit prometheus_text(std::span<const named_cache_stats> caches) : caches_(caches) {}

    /// One number of each cache.
    void metric(std::string_view name, std::string_view type, std::string_view help, std::uint64_t cache_stats::* member) {
        head(name, type, help);
        for (const named_cache_stats& each : caches_) line(name, each, "", each.stats.*member);
    }
    void removals() {
        constexpr std::string_view name = "removals_total";
        head(name, "counter", "Entries that left.");
        for (const named_cache_stats& each : caches_) {
            line(name, each, "reason=\"size\"", each.stats.evictions);
            line(name, each, "reason=\"erased\"", each.stats.erased);
            line(name, each, "reason=\"replaced\"", each.stats.replaced);
            line(name, each, "reason=\"invalidated\"", each.stats.invalidated);
            line(name, each, "reason=\"expired\"", each.stats.expirations);
        }
    }
    void load_durations() {
        constexpr std::string_view name = "load_duration_seconds";
        head(name, "histogram", "Time that loaders took.");
        for (const named_cache_stats& each : caches_) {
            std::uint64_t until_now = 0;
            for (std::size_t i = 0; i + 1 < each.stats.load_times.size(); ++i) {
                until_now += each.stats.load_times[i];
                line("load_duration_seconds_bucket", each,
                     "le=\"" + number(static_cast<double>(std::uint64_t{1} << i) / 1e6) + '"', until_now);
            }
            until_now += each.stats.load_times.back();
            line("load_duration_seconds_bucket", each, "le=\"+Inf\"", until_now);
            line("load_duration_seconds_sum", each, "", number(static_cast<double>(each.stats.load_nanoseconds) / 1e9));
            line("load_duration_seconds_count", each, "", until_now);
        }
    }

    std::string text{};

private:
    template <class N>
    static std::string number(N n) {
        std::array<char, 32> digits{};
        return std::string(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr);
    }
    static const std::string& number(const std::string& n) { return n; }

    void head(std::string_view name, std::string_view type, std::string_view help) {
        ((text += "# HELP syncmap_cache_").append(name) += ' ').append(help) += '\n';
        ((text += "# TYPE syncmap_cache_").append(name) += ' ').append(type) += '\n';
    }
    template <class N>
    void line(std::string_view name, const named_cache_stats& of, std::string_view label, const N& n) {
        (text += "syncmap_cache_").append(name) += "{cache=\"";
        for (const char c : of.name) {
            if (c == '\\' || c == '"') text += '\\';
            if (c == '\n') {
                text += "\\n";
            } else {
                text += c;
            }
        }
        text += '"';
        if (!label.empty()) (text += ',').append(label);
        (text += "} ").append(number(n)) += '\n';
    }

    std::span<const named_cache_stats> caches_;
};

} // namespace cache_detail

/// Returns the statistics of several caches as text: each metric once, with a line for each cache.
///
///     answer(syncmap::prometheus({{"pages", pages.stats()}, {"users", users.stats()}}));
inline std::string prometheus(std::span<const named_cache_stats> caches) {
    cache_detail::prometheus_text all(caches);
    all.metric("hits_total", "counter", "Lookups that found their key.", &cache_stats::hits);
    all.metric("misses_total", "counter", "Lookups that did not.", &cache_stats::misses);
    all.metric("inserts_total", "counter", "Entries that came.", &cache_stats::inserts);
    all.removals();
    all.metric("loads_total", "counter", "Loads that returned.", &cache_stats::loads);
    all.metric("load_failures_total", "counter", "Loads that threw.", &cache_stats::failed_loads);
    all.metric("remembered_total", "counter", "Misses that a remembered outcome of a load answered.", &cache_stats::remembered);
    all.metric("stale_loads_total", "counter", "Loads whose value came too late to be stored.", &cache_stats::stale_dropped);
    all.load_durations();
    all.metric("listener_failures_total", "counter", "Calls of the listener that threw.", &cache_stats::failed_listeners);
    all.metric("entries", "gauge", "Entries, about.", &cache_stats::entries);
    all.metric("capacity", "gauge", "The most entries.", &cache_stats::capacity);
    return std::move(all.text);
}
/// The same.
inline std::string prometheus(std::initializer_list<named_cache_stats> caches) {
    return prometheus(std::span<const named_cache_stats>(caches.begin(), caches.size()));
}
/// The same of one cache.
inline std::string prometheus(std::string_view name, const cache_stats& stats) { return prometheus({{name, stats}}); }

} // namespace syncmap
