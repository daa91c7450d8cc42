// The file of a cache: how bytes lie in it, and how torn, changed and foreign ones are found.
//
//   header   40 bytes: magic, byte order, version, nonce, wall clock, length of the form; then the form; a checksum of both
//   block    number of entries, bytes; a checksum of these two; the entries; their checksum
//   end      a block without entries, whose 16 bytes are the number of all entries and of all blocks
//
// A block has 64 KiB, or one entry that is longer. Checksums are seeded with the file's nonce and the number of the block. So a
// block is refused that comes from another file, or stands in another place.
//
// A reader allocates no more than it has got: a length that lies costs one step of 1 MiB.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include <syncmap/detail/checksum.hpp>
#include <syncmap/errors.hpp>

namespace syncmap::cache_detail {

using file_sink = std::function<void(const char*, std::size_t)>;
using file_source = std::function<std::size_t(char*, std::size_t)>; ///< returns how many bytes it has read; 0: the end

struct snapshot_format {
    static constexpr char magic[8] = {'s', 'y', 'n', 'c', 'm', 'a', 'p', '\n'};
    static constexpr std::uint32_t byte_order = 0x01020304;
    static constexpr std::uint32_t version = 1;
    static constexpr std::size_t block_bytes = std::size_t{64} << 10;
    static constexpr std::size_t most_form_bytes = 4096;

    struct header {
        char magic[8];
        std::uint32_t byte_order;
        std::uint32_t version;
        std::uint64_t nonce;
        std::int64_t saved_at; ///< nanoseconds of the wall clock
        std::uint64_t form_bytes;
    };
    struct block {
        std::uint64_t entries;
        std::uint64_t bytes;
        std::uint64_t checksum; ///< of these two
    };
    struct totals {
        std::uint64_t entries;
        std::uint64_t blocks;
    };
    static_assert(sizeof(header) == 40 && sizeof(block) == 24 && sizeof(totals) == 16);

    static std::uint64_t seed_of(std::uint64_t nonce, std::uint64_t number) noexcept {
        return nonce + number * 0x9E3779B97F4A7C15U;
    }
    static std::uint64_t checksum_of(const block& b, std::uint64_t seed) noexcept {
        return detail::checksum(&b, offsetof(block, checksum), seed);
    }
};

/// Writes one file. The caller appends an entry to `buffer`, and says so.
class snapshot_writer : snapshot_format {
public:
    snapshot_writer(file_sink sink, std::string_view form, std::uint64_t nonce, std::int64_t saved_at)
        : sink_(std::move(sink)), nonce_(nonce) {
        header h{{}, byte_order, version, nonce, saved_at, form.size()};
        std::memcpy(h.magic, magic, sizeof magic);
        std::string all(reinterpret_cast<const char*>(&h), sizeof h);
        all.append(form);
        append(all, detail::checksum(all.data(), all.size(), nonce));
        sink_(all.data(), all.size());
    }

    std::string& buffer() noexcept { return buffer_; }
    /// Returns whether the buffer is to be written before the next entry.
    bool entry_written() noexcept {
        ++in_block_;
        return buffer_.size() >= block_bytes;
    }
    void write_block() {
        if (in_block_ == 0) return;
        entries_ += in_block_;
        write(in_block_);
        in_block_ = 0;
    }
    /// Returns the number of entries in the file.
    std::uint64_t end() {
        write_block();
        const totals all{entries_, blocks_};
        buffer_.assign(reinterpret_cast<const char*>(&all), sizeof all);
        write(0);
        return entries_;
    }

private:
    template <class T>
    static void append(std::string& to, const T& what) {
        to.append(reinterpret_cast<const char*>(&what), sizeof what);
    }
    void write(std::uint64_t entries) {
        const std::uint64_t seed = seed_of(nonce_, ++blocks_);
        block b{entries, buffer_.size(), 0};
        b.checksum = checksum_of(b, seed);
        append(buffer_, detail::checksum(buffer_.data(), buffer_.size(), seed));
        sink_(reinterpret_cast<const char*>(&b), sizeof b);
        sink_(buffer_.data(), buffer_.size());
        buffer_.clear();
    }

    file_sink sink_;
    std::string buffer_{};
    std::uint64_t nonce_;
    std::uint64_t in_block_ = 0;
    std::uint64_t entries_ = 0;
    std::uint64_t blocks_ = 0;
};

/// Reads one file. Throws `snapshot_refused`, and what the source throws.
class snapshot_reader : snapshot_format {
public:
    /// `form`: what the file must have.
    snapshot_reader(file_source source, std::string_view form) : source_(std::move(source)) {
        read(&header_, sizeof header_, "it is not a cache's file, or is shorter than its header");
        if (std::memcmp(header_.magic, magic, sizeof magic) != 0)
            throw snapshot_refused("it does not begin as the file of a cache does");
        if (header_.byte_order != byte_order) throw snapshot_refused("it comes from a machine with another order of bytes");
        if (header_.version > version)
            throw snapshot_refused("its version is " + std::to_string(header_.version) +
                                   ", and this library knows versions to " + std::to_string(version));
        if (header_.version == 0 || header_.form_bytes > most_form_bytes) throw snapshot_refused("its header is damaged");
        std::string all(reinterpret_cast<const char*>(&header_), sizeof header_);
        all.resize(sizeof header_ + header_.form_bytes);
        read(all.data() + sizeof header_, header_.form_bytes, torn);
        if (read_number() != detail::checksum(all.data(), all.size(), header_.nonce))
            throw snapshot_refused("its header is damaged");
        if (const std::string_view of_file = std::string_view(all).substr(sizeof header_); of_file != form) {
            throw snapshot_refused("it has entries of the form " + std::string(of_file) +
                                   ", and this cache those of the form " + std::string(form));
        }
    }

    std::int64_t saved_at() const noexcept { return header_.saved_at; }

    /// Reads the next block. Returns false at the end of the file.
    bool next_block() {
        const std::uint64_t seed = seed_of(header_.nonce, ++blocks_);
        block b{};
        read(&b, sizeof b, torn);
        if (b.checksum != checksum_of(b, seed)) throw snapshot_refused(damaged);
        read_content(b.bytes);
        if (read_number() != detail::checksum(content_.data(), content_.size(), seed)) throw snapshot_refused(damaged);
        in_block_ = b.entries;
        entries_ += b.entries;
        if (b.entries != 0) return true;
        totals all{};
        if (content_.size() != sizeof all) throw snapshot_refused(damaged);
        std::memcpy(&all, content_.data(), sizeof all);
        if (all.entries != entries_ || all.blocks + 1 != blocks_) throw snapshot_refused(damaged);
        return false;
    }
    std::string_view content() const noexcept { return content_; }
    std::uint64_t entries_in_block() const noexcept { return in_block_; }
    /// Returns how many entries the blocks so far have.
    std::uint64_t entries() const noexcept { return entries_; }

    /// Throws, if anything follows.
    void expect_end() {
        char more = 0;
        if (source_(&more, 1) != 0) throw snapshot_refused("something follows its end");
    }

    static constexpr const char* torn = "it ends in the middle: it was not written to its end, or is cut off";
    static constexpr const char* damaged = "it is damaged: a checksum does not fit";

private:
    static constexpr std::size_t step = std::size_t{1} << 20;

    void read(void* to, std::size_t size, const char* if_short) {
        for (char* at = static_cast<char*>(to); size != 0;) {
            const std::size_t got = source_(at, size);
            if (got == 0 || got > size) throw snapshot_refused(if_short);
            at += got;
            size -= got;
        }
    }
    std::uint64_t read_number() {
        std::uint64_t n = 0;
        read(&n, sizeof n, torn);
        return n;
    }
    void read_content(std::uint64_t bytes) {
        content_.clear();
        while (content_.size() != bytes) {
            const std::size_t before = content_.size();
            content_.resize(before + static_cast<std::size_t>((std::min)(bytes - before, std::uint64_t{step})));
            read(content_.data() + before, content_.size() - before, torn);
        }
    }

    file_source source_;
    header header_{};
    std::string content_{};
    std::uint64_t in_block_ = 0;
    std::uint64_t entries_ = 0;
    std::uint64_t blocks_ = 0;
};

} // namespace syncmap::cache_detail
