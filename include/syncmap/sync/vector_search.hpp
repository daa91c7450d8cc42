// Looking through a 64-byte line with vector instructions (x86-64, SSE2 and up).
//
// Lines are written by other threads meanwhile. The loads are assembly: each is one aligned 16-byte instruction,
// which neither splits nor repeats, so what is used of it is what one atomic load saw (each 8-byte half is
// atomic on every x86-64 processor; both together on those with AVX, see real.hpp). In their order, and ordered
// before everything after them, they are acquire loads.
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

inline __m128i load(const void* at) noexcept {
    __m128i v;
#if defined(__AVX__) // beside other such instructions the older encoding may cost a wait for the register's upper half
    asm volatile("vmovdqa %1, %0" : "=x"(v) : "m"(*static_cast<const __m128i*>(at)) : "memory");
#else
    asm volatile("movdqa %1, %0" : "=x"(v) : "m"(*static_cast<const __m128i*>(at)) : "memory");
#endif
    return v;
}

inline __m128i equal_words(__m128i a, __m128i b) noexcept {
#if defined(__SSE4_1__)
    return _mm_cmpeq_epi64(a, b);
#else
    const __m128i halves = _mm_cmpeq_epi32(a, b);
    return _mm_and_si128(halves, _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1)));
#endif
}

/// Loads two words and compares them. What is equal has all bits set: words, or with SSE2 alone halves of words.
inline __m128i load_and_compare(const void* at, __m128i wanted) noexcept {
#if defined(__AVX__)
    __m128i v; // the compiler would not let the comparison load
    asm volatile("vpcmpeqq %2, %1, %0" : "=x"(v) : "x"(wanted), "m"(*static_cast<const __m128i*>(at)) : "memory");
    return v;
#elif defined(__SSE4_1__)
    return _mm_cmpeq_epi64(load(at), wanted);
#else
    return _mm_cmpeq_epi32(load(at), wanted);
#endif
}

/// Four pairs: bit 4 i is set if pair i has this first word.
inline unsigned match_pairs_by_fours(const char* at, std::uint64_t first) noexcept {
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(first));
    const __m128i a = load_and_compare(at, wanted), b = load_and_compare(at + 16, wanted);
    const __m128i c = load_and_compare(at + 32, wanted), d = load_and_compare(at + 48, wanted);
    const __m128i ab = _mm_packs_epi32(a, b), cd = _mm_packs_epi32(c, d);
    const auto halves = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(ab, cd))); // four bits for each pair
#if defined(__SSE4_1__)
    return halves & 0x1111U;
#else
    return halves & halves >> 1 & 0x1111U;
#endif
}

/// Four pairs: whether one has this first word, and its second word. The pair that seemed to have it is loaded once more,
/// both words by one instruction: if it has another first word by then, its entry was erased in between, and it counts as
/// one that was never seen.
inline bool find_pair(const void* line, std::uint64_t first, std::uint64_t& second) noexcept {
    const char* const at = static_cast<const char*>(line);
    for (unsigned hits = match_pairs_by_fours(at, first); hits != 0; hits &= hits - 1) {
        const __m128i pair = load(at + 4 * static_cast<std::size_t>(std::countr_zero(hits)));
        if (static_cast<std::uint64_t>(_mm_cvtsi128_si64(pair)) != first) continue;
        second = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(pair, pair)));
        return true;
    }
    return false;
}

/// Four pairs: bit i is set if pair i has this first word.
inline unsigned match_pairs(const void* line, std::uint64_t first) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(first));
    const __m128i ab = equal_words(_mm_unpacklo_epi64(load(at), load(at + 16)), wanted);
    const __m128i cd = equal_words(_mm_unpacklo_epi64(load(at + 32), load(at + 48)), wanted);
    return static_cast<unsigned>(_mm_movemask_pd(_mm_castsi128_pd(ab)) | _mm_movemask_pd(_mm_castsi128_pd(cd)) << 2);
}

/// Four pairs: bit i is set if the first word of pair i has this tag in its upper 16 bits.
inline unsigned match_pair_tags(const void* line, std::uint64_t tag) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(tag << 48)); // only the top lane of each word counts
    const __m128i ab = _mm_cmpeq_epi16(_mm_unpacklo_epi64(load(at), load(at + 16)), wanted);
    const __m128i cd = _mm_cmpeq_epi16(_mm_unpacklo_epi64(load(at + 32), load(at + 48)), wanted);
    return static_cast<unsigned>(_mm_movemask_pd(_mm_castsi128_pd(ab)) | _mm_movemask_pd(_mm_castsi128_pd(cd)) << 2);
}

/// Eight words: bit i is set if word i has this tag in its upper 16 bits.
inline unsigned match_tags(const void* line, std::uint64_t tag) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(tag << 48)); // only the top lane of each word counts
    unsigned found = 0;
    for (int i = 0; i < 4; ++i) {
        const __m128i same = _mm_cmpeq_epi16(load(at + i * 16), wanted);
        found |= static_cast<unsigned>(_mm_movemask_pd(_mm_castsi128_pd(same))) << (2 * i);
    }
    return found;
}

} // namespace syncmap::sync::vector_search

#endif
