// Looking through a 64-byte line with vector instructions (x86-64, SSE2 and up).
//
// Lines are written by other threads meanwhile. The loads are assembly: each is one aligned 16-byte instruction,
// which neither splits nor repeats, so what is used of it is what one atomic load saw (each 8-byte half is
// atomic on every x86-64 processor; both together on those with AVX, see real.hpp). In their order, and ordered
// before everything after them, they are acquire loads.
#pragma once

#if defined(__x86_64__)

#include <cstdint>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#else
#include <emmintrin.h>
#endif

namespace syncmap::sync::vector_search {

inline __m128i load(const void* at) noexcept {
    __m128i v;
    asm volatile("movdqa %1, %0" : "=x"(v) : "m"(*static_cast<const __m128i*>(at)) : "memory");
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

/// Four pairs: whether one has this first word, and its second word. The pairs are loaded one after the other, so an
/// entry that moves meanwhile (erased here, inserted there) may be seen twice: then the first is taken, which was as
/// true when it was loaded.
inline bool find_pair(const void* line, std::uint64_t first, std::uint64_t& second) noexcept {
    const char* const at = static_cast<const char*>(line);
    const __m128i a = load(at), b = load(at + 16), c = load(at + 32), d = load(at + 48);
    const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(first));
    const __m128i ab = equal_words(_mm_unpacklo_epi64(a, b), wanted);
    const __m128i cd = equal_words(_mm_unpacklo_epi64(c, d), wanted);
    const __m128i found = _mm_or_si128(_mm_and_si128(ab, _mm_unpackhi_epi64(a, b)), _mm_and_si128(cd, _mm_unpackhi_epi64(c, d)));
    const int matches = _mm_movemask_pd(_mm_castsi128_pd(ab)) | _mm_movemask_pd(_mm_castsi128_pd(cd)) << 2;
    if ((matches & (matches - 1)) != 0) [[unlikely]] {
        const __m128i lowest = (matches & 1) != 0 ? a : (matches & 2) != 0 ? b : c;
        second = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(lowest, lowest)));
        return true;
    }
    second = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_or_si128(found, _mm_unpackhi_epi64(found, found))));
    return matches != 0;
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
