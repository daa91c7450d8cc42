// Random numbers for workloads: a small generator, Zipf ranks, and a scrambler of ranks.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace syncmap::bench {

/// SplitMix64's output function: a bijection that spreads every input bit.
constexpr std::uint64_t scramble(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

/// SplitMix64, enough for choosing keys: 64 bits of state, no bad seeds.
class random_source {
public:
    using result_type = std::uint64_t;

    explicit random_source(std::uint64_t seed) noexcept : state_(scramble(seed)) {}

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return ~result_type{0}; }

    result_type operator()() noexcept {
        const std::uint64_t state = state_;
        state_ += 0x9E3779B97F4A7C15U;
        return scramble(state);
    }

    /// Uniform in [0, bound). The bias (below bound / 2^64) cannot be seen by a benchmark.
    std::uint64_t below(std::uint64_t bound) noexcept {
        __extension__ using wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<wide>((*this)()) * bound) >> 64);
    }

    /// Uniform in [0, 1).
    double unit() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
    std::uint64_t state_;
};

/// Ranks 0 .. n-1 with probability proportional to 1 / (rank + 1)^exponent, in constant time and space:
/// rejection-inversion (W. Hörmann, G. Derflinger, 1996). The exponent is not 1.
class zipf_ranks {
public:
    explicit zipf_ranks(std::uint64_t n, double exponent = 0.99)
        : n_(n), exponent_(exponent), low_(integral(1.5) - 1.0), high_(integral(static_cast<double>(n) + 0.5)),
          shortcut_(2.0 - inverse(integral(2.5) - density(2.0))) {}

    std::uint64_t operator()(random_source& random) const {
        for (;;) {
            const double u = high_ + random.unit() * (low_ - high_);
            const double x = inverse(u);
            const double k = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(n_));
            if (k - x <= shortcut_ || u >= integral(k + 0.5) - density(k)) return static_cast<std::uint64_t>(k) - 1;
        }
    }

private:
    double density(double x) const { return std::pow(x, -exponent_); }
    double integral(double x) const { return std::expm1((1.0 - exponent_) * std::log(x)) / (1.0 - exponent_); }
    double inverse(double y) const { return std::exp(std::log1p((1.0 - exponent_) * y) / (1.0 - exponent_)); }

    std::uint64_t n_;
    double exponent_;
    double low_;
    double high_;
    double shortcut_;
};

/// A permutation of 0 .. n-1 without visible order. Zipf ranks go through it: without, the popular keys
/// would be those inserted first, and node-based maps would have them side by side in memory.
class permutation {
public:
    explicit permutation(std::uint64_t n) noexcept
        : n_(n), bits_(std::max(1U, static_cast<unsigned>(std::bit_width(n - 1)))),
          mask_(bits_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits_) - 1) {}

    std::uint64_t operator()(std::uint64_t x) const noexcept {
        do { // a bijection of the enclosing power of two, repeated until it lands inside
            x = ((x + 0x632BE59BU) * 0x9E3779B97F4A7C15U) & mask_;
            x ^= x >> (bits_ / 2 + 1);
            x = (x * 0xBF58476D1CE4E5B9U) & mask_;
            x ^= x >> (bits_ / 2 + 1);
        } while (x >= n_);
        return x;
    }

private:
    std::uint64_t n_;
    unsigned bits_;
    std::uint64_t mask_;
};

} // namespace syncmap::bench
