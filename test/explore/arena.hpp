// The memory of one execution: it knows of every block whether it is alive, and gives the same addresses each time.
#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include <explore/clock.hpp>

namespace explore {

/// What becomes of a freed block within its execution.
enum class reuse : std::uint8_t {
    never,    ///< it is poisoned and kept: every access to it is a use after free
    at_once,  ///< the next block of its size is the one freed last: a thread that trusts an address sees another object
    by_thread ///< a thread keeps the node that it freed last for its next one; else never
};

inline const char* name_of(reuse memory) noexcept {
    switch (memory) {
    case reuse::never: break;
    case reuse::at_once: return " reuse";
    case reuse::by_thread: return " spares";
    }
    return "";
}

class arena {
public:
    struct block {
        std::size_t offset;
        std::size_t bytes;
        bool live;
        bool counted; ///< must be freed before the execution ends
        std::uint32_t forbidden_from; ///< what lies behind this offset is no thread's while it is not zero
        // With weak memory only:
        std::uint8_t maker;
        std::uint16_t made;
        clock accessed;       ///< of each thread the last event at which it touched the block
        std::uint32_t serial; ///< tells this use of the block from all others of the process
    };

    static constexpr std::size_t capacity = std::size_t{1} << 26;
    static inline constinit std::uintptr_t begins_at = ~std::uintptr_t{0}; ///< where it lies

    /// Which thread runs, and what happened before its next step. Null: memory is sequentially consistent, or only one thread
    /// runs.
    struct viewpoint {
        const clock* known = nullptr;
        unsigned fiber = 0;
    };
    void look_from(viewpoint from) noexcept { from_ = from; }
    viewpoint from() const noexcept { return from_; }

    EXPLORE_UNWATCHED_INLINE static arena& instance() {
        if (only_ == nullptr) [[unlikely]]
            only_ = new arena();
        return *only_;
    }

    /// Starts an execution: everything of the last one is forgotten.
    void open(reuse policy) {
        std::memset(owner_, 0, (used_ / granule + 1) * sizeof *owner_);
        used_ = granule;
        blocks_.clear();
        for (auto& list : freed_) list.clear();
        reuse_ = policy;
        from_ = {};
        open_ = true;
    }
    void close() noexcept { open_ = false; }
    static bool is_open() noexcept { return open_; }

    /// Lets the explorer's own work allocate outside of the execution that it watches.
    class outside {
    public:
        outside() noexcept : was_open_(std::exchange(open_, false)) {}
        outside(const outside&) = delete;
        outside& operator=(const outside&) = delete;
        ~outside() { open_ = was_open_; }

    private:
        bool was_open_;
    };

    EXPLORE_UNWATCHED static bool contains(const void* address) noexcept { return offset_of(address) < capacity; }

    void* allocate(std::size_t bytes, std::size_t alignment, bool counted) {
        const std::size_t room = bytes == 0 ? 1 : bytes;
        if (reuse_ == reuse::at_once) {
            auto& list = freed_[size_class(room)];
            if (!list.empty()) {
                block& again = blocks_[list.back()];
                if (again.bytes == room && (again.offset & (alignment - 1)) == 0) {
                    list.pop_back();
                    again.live = true;
                    again.counted = counted;
                    sign(again);
                    return base_ + again.offset;
                }
            }
        }
        const std::size_t start = (used_ + alignment - 1) & ~(alignment - 1);
        const std::size_t end = (start + room + granule - 1) & ~(granule - 1);
        if (end + granule > capacity || blocks_.size() == blocks_.capacity()) throw std::bad_alloc();
        used_ = end + granule; // a gap behind every block shows a step over its end
        blocks_.push_back({start, room, true, counted, 0, 0, 0, {}, 0});
        sign(blocks_.back());
        std::memset(base_ + start, fresh, room); // the same in every execution, and never by chance what was meant
        for (std::size_t at = start / granule; at != end / granule; ++at) {
            owner_[at] = static_cast<std::uint32_t>(blocks_.size());
        }
        return base_ + start;
    }

    /// Null, or what is wrong with freeing this.
    const char* free(void* address, std::size_t bytes) {
        const std::size_t offset = offset_of(address);
        const std::uint32_t owner = owner_[offset / granule];
        if (owner == 0 || blocks_[owner - 1].offset != offset) return "freed an address that is not the start of a block";
        block& freed = blocks_[owner - 1];
        if (!freed.live) return "double free";
        if (bytes != 0 && freed.bytes != bytes) return "freed with another size than allocated";
        if (from_.known != nullptr && !from_.known->covers(freed.accessed))
            return "freed while another thread's access does not happen before";
        freed.live = false;
        std::memset(address, poison, freed.bytes);
        if (reuse_ == reuse::at_once) freed_[size_class(freed.bytes)].push_back(owner - 1);
        return nullptr;
    }

    /// A live block from `address` on is no thread's, as if it were freed. Null, or what is wrong with that.
    const char* forbid(void* address, std::size_t bytes) noexcept {
        block& resting = blocks_[owner_[offset_of(address) / granule] - 1];
        if (from_.known != nullptr && !from_.known->covers(resting.accessed))
            return "kept for another node while another thread's access does not happen before";
        resting.forbidden_from = static_cast<std::uint32_t>(offset_of(address) - resting.offset);
        std::memset(address, poison, bytes);
        return nullptr;
    }
    /// It is the caller's, as if it were allocated.
    void allow(const void* address) noexcept {
        block& again = blocks_[owner_[offset_of(address) / granule] - 1];
        again.forbidden_from = 0;
        sign(again);
    }

    /// Null, or what is wrong with touching this.
    EXPLORE_UNWATCHED const char* check(const void* address) const noexcept {
        const std::size_t offset = offset_of(address);
        if (offset >= capacity) return nullptr;
        const std::uint32_t owner = owner_[offset / granule];
        if (owner == 0) return "access outside of every block";
        const block& touched = blocks_[owner - 1];
        if (!touched.live) return "use after free";
        const bool rests = touched.forbidden_from != 0 && offset - touched.offset >= touched.forbidden_from;
        return rests ? "use of a cached node" : nullptr;
    }

    /// The same, noting the thread. With weak memory the making of the block must happen before the access, and the access
    /// before its end.
    EXPLORE_UNWATCHED const char* touch(const void* address) noexcept {
        const char* const wrong = check(address);
        const std::size_t offset = offset_of(address);
        if (wrong != nullptr || from_.known == nullptr || offset >= capacity) return wrong;
        block& touched = blocks_[owner_[offset / granule] - 1];
        if (!from_.known->has(touched.maker, touched.made)) return "access to memory whose making does not happen before";
        touched.accessed.of[from_.fiber] = from_.known->of[from_.fiber];
        return nullptr;
    }

    /// The block that holds `address`, and its number; null outside.
    EXPLORE_UNWATCHED const block* find(const void* address, std::uint32_t& number) const noexcept {
        const std::size_t offset = offset_of(address);
        if (offset >= capacity || owner_[offset / granule] == 0) return nullptr;
        number = owner_[offset / granule];
        return &blocks_[number - 1];
    }

    EXPLORE_UNWATCHED static std::size_t offset_of(const void* address) noexcept {
        return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_);
    }

    const void* at(std::size_t offset) const noexcept { return base_ + offset; }

    /// The first counted block that is alive, or null.
    const block* leak() const noexcept {
        for (const block& each : blocks_) {
            if (each.live && each.counted) return &each;
        }
        return nullptr;
    }

private:
    static inline arena* only_ = nullptr; // asked for at every event: without the guard of a local static

    static constexpr std::size_t granule = 16;
    static constexpr std::size_t most_blocks = std::size_t{1} << 16;
    static constexpr int fresh = 0xCD;
    static constexpr int poison = 0xDD;

    arena() {
        base_ = static_cast<std::byte*>(reserve(capacity));
        begins_at = reinterpret_cast<std::uintptr_t>(base_);
        owner_ = static_cast<std::uint32_t*>(reserve(capacity / granule * sizeof *owner_));
        blocks_.reserve(most_blocks);
        for (auto& list : freed_) list.reserve(most_blocks / freed_.size());
    }

    void sign(block& b) noexcept {
        b.maker = static_cast<std::uint8_t>(from_.fiber);
        b.made = from_.known == nullptr ? 0 : from_.known->of[from_.fiber];
        b.accessed = {};
        b.serial = ++last_serial_;
    }

    static void* reserve(std::size_t bytes) {
        void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        return memory;
    }

    static std::size_t size_class(std::size_t bytes) noexcept { return static_cast<std::size_t>(std::bit_width(bytes)) % 64; }

    std::uint32_t* owner_; // of each granule: the number of its block, counted from one
    std::size_t used_ = granule;
    std::vector<block> blocks_;
    std::array<std::vector<std::uint32_t>, 64> freed_;
    reuse reuse_ = reuse::never;
    viewpoint from_{};
    std::uint32_t last_serial_ = 0;

    // Of the class, so that `operator new` can ask while the object is being made.
    static inline constinit std::byte* base_ = nullptr;
    static inline constinit bool open_ = false;
};

} // namespace explore
