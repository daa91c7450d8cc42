// Looking through a 64-byte line with vector instructions (x86-64, SSE2 and up).
//
// Other threads write to the lines meanwhile. The loads are assembly: each is one aligned 16-byte instruction, which the
// compiler neither splits nor repeats. So the search uses what one atomic load saw. (Each 8-byte half is atomic on every
// x86-64 processor; both together on those with AVX, see real.hpp.) The loads keep their order, and come before everything
// after them: they are acquire loads.
//
// A function whose source depends on the instruction set is always inlined. So objects that are compiled for different
// processors share no definition of it.
#pragma once

#if defined(__x86_64__)

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#else
#include <emmintrin.h>
#endif

namespace syncmap::sync::vector_search {

/// Returns whether the processor has AVX. An object that is compiled for AVX does not ask: all of its code may use AVX.
[[gnu::always_inline]] inline bool has_avx() noexcept {
#if defined(__AVX__)
    return true;
#else
    return __builtin_cpu_supports("avx") != 0;
#endif
}

[[gnu::always_inline]] inline __m128i load(const void* at) noexcept {
    __m128i v;
#if defined(__AVX__) // among AVX instructions the older encoding may wait for the register's upper half
    asm volatile("vmovdqa %1, %0" : "=x"(v) : "m"(*static_cast<const __m128i*>(at)) : "memory");
#else
    asm volatile("movdqa %1, %0" : "=x"(v) : "m"(*static_cast<const __m128i*>(at)) : "memory");
#endif
    return v;
}

[[gnu::always_inline]] inline __m128i equal_words(__m128i a, __m128i b) noexcept {
#if defined(__SSE4_1__)
    return _mm_cmpeq_epi64(a, b);
#else
    const __m128i halves = _mm_cmpeq_epi32(a, b);
    return _mm_and_si128(halves, _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1)));
#endif
}

/// The first words of two neighbouring pairs.
[[gnu::always_inline]] inline __m128i first_words(const char* pairs) noexcept {
    __m128i v = load(pairs);
    const auto& second = *reinterpret_cast<const __m128i*>(pairs + 16);
#if defined(__AVX__) // assembly: the compiler would load into a register first
    asm volatile("vpunpcklqdq %2, %1, %0" : "=x"(v) : "x"(v), "m"(second) : "memory");
#else
    asm volatile("punpcklqdq %1, %0" : "+x"(v) : "m"(second) : "memory");
#endif
    return v;
}

/// Returns a mask: bit i is set if word i of the four was found equal, in its upper 16 bits at least.
inline unsigned mask_of_words(__m128i ab, __m128i cd) noexcept {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(ab, cd))));
}

/// Returns whether one of four pairs has this first word; writes its second word to `second`. A pair that seems to have it is
/// loaded once more, both words by one instruction. If it has another first word by then, its entry was erased in between,
/// and the search goes on as if it had never seen the pair.
inline bool find_pair(const void* line, std::uint64_t first, std::uint64_t& second) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(first));
    const __m128i ab = equal_words(first_words(at), wanted);
    const __m128i cd = equal_words(first_words(at + 32), wanted);
    std::uint64_t hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi32(ab, cd))); // four bits for each pair
    while (hits != 0) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(hits));
        const __m128i pair = load(at + 4 * bit);
        if (static_cast<std::uint64_t>(_mm_cvtsi128_si64(pair)) == first) [[likely]] {
            second = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(pair, pair)));
            return true;
        }
        hits &= ~(std::uint64_t{0xF} << bit);
    }
    return false;
}

/// Four pairs: bit i is set if pair i has this first word.
inline unsigned match_pairs(const void* line, std::uint64_t first) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(first));
    return mask_of_words(equal_words(first_words(at), wanted), equal_words(first_words(at + 32), wanted));
}

/// Four pairs: bit i is set if the first word of pair i has this tag in its upper 16 bits.
[[gnu::always_inline]] inline unsigned match_pair_tags(const void* line, std::uint64_t tag) noexcept {
    const char* const at = static_cast<const char*>(line);
    const std::uint64_t top_lane = tag << 48; // of each word it alone counts
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(top_lane));
    return mask_of_words(_mm_cmpeq_epi16(first_words(at), wanted), _mm_cmpeq_epi16(first_words(at + 32), wanted));
}

/// Copies those of four pairs whose first words are not 0 to `to`, which has room for four, and returns where they end. The
/// last pair is read first. Null, where nothing is to be used: its first word is `sentinel` or above, or two first words are
/// equal.
[[gnu::always_inline]] inline void* copy_pairs(const void* line, std::uint64_t sentinel, void* to) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i d = load(at + 48);
    if (static_cast<std::uint64_t>(_mm_cvtsi128_si64(d)) >= sentinel) return nullptr;
    const __m128i c = load(at + 32), b = load(at + 16), a = load(at);
    const __m128i ab = _mm_unpacklo_epi64(a, b), cd = _mm_unpacklo_epi64(c, d), dc = _mm_unpacklo_epi64(d, c);
    const __m128i ac = _mm_unpacklo_epi64(a, c), bd = _mm_unpacklo_epi64(b, d);
    const __m128i zero = _mm_setzero_si128();
    const __m128i across = _mm_or_si128(equal_words(ab, cd), equal_words(ab, dc));
    const __m128i equal = _mm_or_si128(_mm_andnot_si128(equal_words(ab, zero), across),
                                       _mm_andnot_si128(equal_words(ac, zero), equal_words(ac, bd)));
    if (_mm_movemask_epi8(equal) != 0) [[unlikely]]
        return nullptr;
    auto* next = static_cast<__m128i*>(to);
    for (const __m128i pair : {a, b, c, d}) {
        _mm_storeu_si128(next, pair);
        next += _mm_cvtsi128_si64(pair) != 0 ? 1 : 0;
    }
    return next;
}

/// Eight words: bit i is set if word i is this one.
[[gnu::always_inline]] inline unsigned match_words(const void* line, std::uint64_t word) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(word));
    const auto same = [&](std::size_t i) { return equal_words(load(at + i * 16), wanted); };
    const __m128i ab = same(0), cd = same(1), ef = same(2), gh = same(3);
    return mask_of_words(ab, cd) | mask_of_words(ef, gh) << 4;
}

/// Eight words: bit i is set if word i has this tag in its upper 16 bits.
[[gnu::always_inline]] inline unsigned match_tags(const void* line, std::uint64_t tag) noexcept {
    const char* const at = static_cast<const char*>(line);
    const std::uint64_t top_lane = tag << 48; // of each word it alone counts
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(top_lane));
    const auto same = [&](std::size_t i) { return _mm_cmpeq_epi16(load(at + i * 16), wanted); };
    const __m128i ab = same(0), cd = same(1), ef = same(2), gh = same(3);
    return mask_of_words(ab, cd) | mask_of_words(ef, gh) << 4;
}

} // namespace syncmap::sync::vector_search

#endif
